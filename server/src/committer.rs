//! Group commit: one thread takes the queued entries of all ledgers, appends them as one batch, and answers each caller
//! once the caller's entries are on disk.

use crate::metrics::Metrics;
use crate::store::{Append, Change, Store, StoreError};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};

/// Number of entries after which a batch takes no further jobs.
const FULL_BATCH_ENTRIES: usize = 4096;
/// Time between the starts of two commits for each entry of the first one, and the longest such time. A sync to disk costs
/// the same for one entry as for hundreds. So the more entries arrive, the longer they wait for others to join their batch.
/// An entry that comes alone waits for nothing.
const GATHERING_PER_ENTRY: Duration = Duration::from_micros(50);
const MAX_GATHERING: Duration = Duration::from_millis(3);
/// Number of jobs that can wait in the queue. When the queue is full, callers wait until they can add their jobs.
const MAX_QUEUED_JOBS: usize = 1024;

type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

struct Job {
    entries: Vec<Append>,
    answer: Answer,
}

/// A handle to the thread that appends to the store. Clones share the thread, which ends when the last clone is dropped
/// and the queue is empty.
#[derive(Debug, Clone)]
pub(crate) struct Committer {
    jobs: mpsc::Sender<Job>,
    healthy: Arc<AtomicBool>,
}

impl Committer {
    /// Starts the thread that appends entries to the store.
    ///
    /// # Errors
    /// Returns an error if the system can't create the thread.
    pub(crate) fn start(store: Arc<dyn Store>, metrics: Metrics) -> std::io::Result<Self> {
        let (jobs, queue) = mpsc::channel(MAX_QUEUED_JOBS);
        let healthy = Arc::new(AtomicBool::new(true));
        let flag = healthy.clone();
        thread::Builder::new()
            .name("committer".into())
            .spawn(move || work(&*store, queue, &metrics, &flag))?;
        Ok(Self { jobs, healthy })
    }

    /// Queues entries of one or more ledgers. `answer` is called on the committer's thread when all of them are on
    /// disk, or when they can't be saved.
    pub(crate) async fn append(
        &self,
        entries: Vec<Append>,
        answer: impl FnOnce(Result<(), StoreError>) + Send + 'static,
    ) {
        let job = Job { entries, answer: Box::new(answer) };
        if let Err(mpsc::error::SendError(job)) = self.jobs.send(job).await {
            (job.answer)(Err(StoreError::Failed("the server is stopping".into())));
        }
    }

    /// Waits until every job that was queued before this call is on disk, or has failed.
    pub(crate) async fn finish(&self) {
        let (answer, answered) = oneshot::channel();
        self.append(Vec::new(), move |_| _ = answer.send(())).await;
        let _ = answered.await;
    }

    /// Returns whether the last commit succeeded. Errors that concern a single job, such as a conflict, do not count.
    #[must_use]
    pub(crate) fn is_healthy(&self) -> bool {
        self.healthy.load(Ordering::Relaxed)
    }
}

fn work(
    store: &dyn Store,
    mut queue: mpsc::Receiver<Job>,
    metrics: &Metrics,
    healthy: &AtomicBool,
) {
    let mut next = Instant::now();
    while let Some(first) = queue.blocking_recv() {
        thread::sleep(next.saturating_duration_since(Instant::now()));
        let begun = Instant::now();
        let mut jobs = vec![first];
        let mut size = jobs[0].entries.len();
        while size < FULL_BATCH_ENTRIES
            && let Ok(job) = queue.try_recv()
        {
            size += job.entries.len();
            jobs.push(job);
        }
        next = begun + gathering(size);
        let sizes: Vec<usize> = jobs.iter().map(|job| job.entries.len()).collect();
        let (changes, answers): (Vec<_>, Vec<_>) =
            jobs.into_iter().map(|job| (job.entries, job.answer)).unzip();
        let results = match size {
            0 => vec![Ok(()); answers.len()],
            _ => commit(store, changes),
        };
        let errors = || results.iter().filter_map(|result| result.as_ref().err());
        let is_of_one_job = |error: &StoreError| {
            use StoreError::{Conflict, Damaged, TooLong};
            matches!(error, Conflict | Damaged(_) | TooLong)
        };
        healthy.store(errors().all(is_of_one_job), Ordering::Relaxed);
        let is_done = |(result, size): (&Result<_, _>, usize)| result.is_ok().then_some(size);
        let done: Vec<usize> = results.iter().zip(sizes).filter_map(is_done).collect();
        if !done.is_empty() {
            metrics.commits.inc();
            metrics.entries_committed.inc_by(done.iter().sum::<usize>() as u64);
        }
        if let Some(error) = errors().next() {
            metrics.commits_failed.inc();
            tracing::error!(%error, entries = size, "a commit failed");
        }
        for (answer, result) in answers.into_iter().zip(results) {
            answer(result);
        }
    }
}

/// Returns the time between the start of a commit with a number of entries and the start of the next commit.
fn gathering(entries: usize) -> Duration {
    let entries = u32::try_from(entries).unwrap_or(u32::MAX);
    GATHERING_PER_ENTRY.saturating_mul(entries).min(MAX_GATHERING)
}

/// Commits the entries of each job. If the entries of a job don't continue their ledgers, only this job fails.
fn commit(store: &dyn Store, jobs: Vec<Vec<Append>>) -> Vec<Result<(), StoreError>> {
    if let Err(error) = store.has_space() {
        return vec![Err(error); jobs.len()];
    }
    let changes = |entries: Vec<Append>| entries.into_iter().map(Change::Append).collect();
    store.commit(jobs.into_iter().map(changes).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits_gather_longer_the_more_entries_arrive_up_to_a_limit() {
        let times = [1, 20, 60, FULL_BATCH_ENTRIES, usize::MAX].map(|n| gathering(n).as_micros());
        assert_eq!(times, [50, 1_000, 3_000, 3_000, 3_000]);
    }
}
