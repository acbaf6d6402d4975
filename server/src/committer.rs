//! Group commit: one thread takes what is queued across all rooms, appends it as one batch, and
//! answers each room once everything of it is on disk.

use crate::metrics::Metrics;
use crate::store::{Append, Store, StoreError};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot, watch};

/// The most entries in one batch.
const BATCH: usize = 4096;
/// The least time from one commit's start to the next's. Syncing to disk costs the same for one entry
/// as for hundreds: under load each waits a little for the others, alone none waits at all.
const GATHER: Duration = Duration::from_millis(3);
/// How many appends may wait before rooms have to.
const QUEUE: usize = 1024;

type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

struct Job {
    entries: Vec<Append>,
    answer: Answer,
}

/// The way to the store for whatever must be on disk. Cloning shares the thread, which ends when
/// the last clone is dropped and its queue is empty.
#[derive(Debug, Clone)]
pub(crate) struct Committer {
    jobs: mpsc::Sender<Job>,
    healthy: Arc<AtomicBool>,
    fatal: watch::Receiver<Option<String>>,
}

impl Committer {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(crate) fn start(store: Arc<dyn Store>, metrics: Metrics) -> std::io::Result<Self> {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let (tell_fatal, fatal) = watch::channel(None);
        let healthy = Arc::new(AtomicBool::new(true));
        let flag = healthy.clone();
        thread::Builder::new()
            .name("committer".into())
            .spawn(move || work(&*store, queue, &metrics, &flag, &tell_fatal))?;
        Ok(Self { jobs, healthy, fatal })
    }

    /// Queues entries of one ledger; `answer` is called on the committer's thread when they are
    /// on disk, or can't be.
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

    /// Waits until everything that was queued before is on disk, or can't be.
    pub(crate) async fn finish(&self) {
        let (answer, answered) = oneshot::channel();
        self.append(Vec::new(), move |_| _ = answer.send(())).await;
        let _ = answered.await;
    }

    /// Whether the last commit succeeded.
    #[must_use]
    pub(crate) fn is_healthy(&self) -> bool {
        self.healthy.load(Ordering::Relaxed)
    }

    /// Waits until the store can no longer be trusted, and says why: the server must stop.
    pub(crate) async fn failed(&self) -> String {
        let mut fatal = self.fatal.clone();
        let reason = fatal.wait_for(Option::is_some).await.ok().and_then(|reason| reason.clone());
        match reason {
            Some(reason) => reason,
            None => std::future::pending().await,
        }
    }
}

fn work(
    store: &dyn Store,
    mut queue: mpsc::Receiver<Job>,
    metrics: &Metrics,
    healthy: &AtomicBool,
    fatal: &watch::Sender<Option<String>>,
) {
    let mut poisoned: Option<StoreError> = None;
    let mut next = Instant::now();
    while let Some(first) = queue.blocking_recv() {
        thread::sleep(next.saturating_duration_since(Instant::now()));
        next = Instant::now() + GATHER;
        let mut jobs = vec![first];
        let mut size = jobs[0].entries.len();
        while size < BATCH
            && let Ok(job) = queue.try_recv()
        {
            size += job.entries.len();
            jobs.push(job);
        }
        let result = match &poisoned {
            Some(error) => Err(error.clone()),
            None if size == 0 => Ok(()),
            None => commit(store, &jobs),
        };
        healthy.store(result.is_ok(), Ordering::Relaxed);
        match &result {
            Ok(()) => {
                metrics.commits.inc();
                metrics.entries_committed.inc_by(size as u64);
            }
            Err(error) => {
                metrics.commits_failed.inc();
                tracing::error!(%error, entries = size, "a commit failed");
            }
        }
        // After a failed sync nobody knows what is on disk. Nothing more is acknowledged, and the
        // process ends: starting again reads what is really there.
        if let Err(error @ (StoreError::SyncFailed(_) | StoreError::Failed(_))) = &result {
            poisoned = Some(error.clone());
            let _ = fatal.send(Some(error.to_string()));
        }
        for job in jobs {
            (job.answer)(result.clone());
        }
    }
}

fn commit(store: &dyn Store, jobs: &[Job]) -> Result<(), StoreError> {
    store.has_room()?;
    let batch: Vec<Append> = jobs.iter().flat_map(|job| job.entries.iter().cloned()).collect();
    store.append(&batch)
}
