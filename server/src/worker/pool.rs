//! The server's side of jobs: starts a child for each job, reads its answer, and makes sure that the child ends.

use super::limits::CPU_SECONDS;
use super::pipe_message::{
    Answer, Job, LENGTHS_BYTES, MAX_ANSWER_BYTES, MAX_JOB_BYTES, PipeError, PipeMessage,
};
use crate::fair_queue::Slot;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::sync::oneshot;

/// Maximum lifetime of a child, whatever the child waits for. It is longer than the limit of processor time, because
/// other processes share the processors.
const DEADLINE: Duration = Duration::from_secs(3 * CPU_SECONDS);
/// Time in which a child must end after it has closed its output.
const EXIT_TIMEOUT: Duration = Duration::from_secs(1);
/// Maximum number of bytes that are read from a child's standard error.
const MAX_STDERR_BYTES: u64 = 4 * 1024;

/// Configuration of a child's allocator (jemalloc(3), TUNING): one arena, and no background thread, whose stack would
/// count as memory of the child. Freed memory goes back to the system immediately, so that only memory in use counts.
const ALLOCATOR: &str = "narenas:1,background_thread:false,retain:false,dirty_decay_ms:0";

/// The reason why a job has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WorkError {
    #[error("it takes more memory than allowed")]
    Memory,
    #[error("it takes more time than allowed")]
    Time,
    #[error("it is larger than allowed")]
    Large,
    #[error("the process that worked on it ended too early ({0})")]
    Ended(Ending),
    #[error("no process can be started for it")]
    NotStarted,
}

/// The way in which a child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Code(i32),
    Signal(i32),
    /// The child's output is not a valid answer, or the child did not end in time after closing it.
    InvalidAnswer,
}

impl std::fmt::Display for Ending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Code(code) => write!(f, "code {code}"),
            Self::Signal(signal) => write!(f, "signal {signal}"),
            Self::InvalidAnswer => f.write_str("no answer"),
        }
    }
}

/// A handle for starting children. Clones share the thread that starts them.
#[derive(Debug, Clone)]
pub(crate) struct Workers {
    wanted: mpsc::Sender<ChildRequest>,
}

/// A request for a child: the channel through which the caller receives the child.
type ChildRequest = oneshot::Sender<std::io::Result<Child>>;

impl Workers {
    /// Starts the thread that starts children. `program` is the binary whose command `worker` does the work. Must be
    /// called inside a tokio runtime.
    ///
    /// # Errors
    /// Returns an error if the thread can't be started.
    pub(crate) fn new(program: PathBuf) -> std::io::Result<Self> {
        let (wanted, queue) = mpsc::channel::<ChildRequest>();
        let runtime = tokio::runtime::Handle::current();
        // The system sends a child's death signal when the thread that started the child ends (prctl(2)). A runtime's
        // threads can end before the server does, so a separate thread starts the children.
        std::thread::Builder::new().name("workers".into()).spawn(move || {
            let _inside = runtime.enter();
            for answer in queue {
                // If the caller has gone, the child is dropped, which kills it.
                let _ = answer.send(start(&program));
            }
        })?;
        Ok(Self { wanted })
    }

    async fn start(&self) -> std::io::Result<Child> {
        let (answer, started) = oneshot::channel();
        let gone = |_| std::io::Error::from(std::io::ErrorKind::BrokenPipe);
        self.wanted.send(answer).map_err(|_| std::io::ErrorKind::BrokenPipe)?;
        started.await.map_err(gone)?
    }

    /// Has a child do a job. The child holds the slot until it has ended. Dropping the future kills the child.
    ///
    /// # Errors
    /// Returns an error if the child gives no answer.
    pub(crate) async fn run(
        &self,
        slot: Slot,
        job: Job<'_>,
        bytes: Vec<u8>,
    ) -> Result<(Answer, Vec<u8>), WorkError> {
        let message = PipeMessage::of(&job, bytes, MAX_JOB_BYTES).map_err(|_| WorkError::Large)?;
        // The encoded message contains the job, so the original is freed early.
        drop(job);
        let child = self.start().await.map_err(|error| {
            tracing::error!(%error, "a child process can't be started");
            WorkError::NotStarted
        })?;
        let (waited_for, given_up) = oneshot::channel::<()>();
        let attended = tokio::spawn(async move {
            let answer = attend(child, message, given_up).await;
            drop(slot);
            answer
        });
        let answered = attended.await;
        drop(waited_for);
        let message = answered.unwrap_or(Err(WorkError::NotStarted))?;
        let answer = message.read_head().map_err(|_| WorkError::Ended(Ending::InvalidAnswer))?;
        Ok((answer, message.bytes))
    }
}

/// Starts a child. The child learns nothing about this process except the process's id.
fn start(program: &Path) -> std::io::Result<Child> {
    Command::new(program)
        .arg("worker")
        .arg(std::process::id().to_string())
        .env_clear()
        // A child typesets on one thread, which leaves the other processors to the people who write.
        .env("RAYON_NUM_THREADS", "1")
        .env("_RJEM_MALLOC_CONF", ALLOCATOR)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
}

/// Exchanges job and answer with a child until it has answered, its time is over, or the caller has gone. Makes sure
/// that the child ends.
async fn attend(
    mut child: Child,
    job: PipeMessage,
    given_up: oneshot::Receiver<()>,
) -> Result<PipeMessage, WorkError> {
    let outcome = tokio::select! {
        outcome = tokio::time::timeout(DEADLINE, converse(&mut child, job)) => outcome.ok(),
        _ = given_up => None,
    };
    let answer = match outcome {
        Some((Ok(message), _)) => Ok(message),
        Some((Err(PipeError::Large(_)), _)) => Err(WorkError::Large),
        // The child closed its output without an answer. Its exit status and its standard error show the cause.
        Some((Err(_), stderr)) => {
            let status = tokio::time::timeout(EXIT_TIMEOUT, child.wait()).await;
            Err(cause(status.ok().and_then(Result::ok), &stderr))
        }
        None => Err(WorkError::Time),
    };
    let _ = child.start_kill();
    let _ = child.wait().await;
    answer
}

/// Writes the job to a child and reads the answer. Returns the answer, and up to [`MAX_STDERR_BYTES`] of what the child
/// has written to standard error, which shows why it failed.
async fn converse(
    child: &mut Child,
    job: PipeMessage,
) -> (Result<PipeMessage, PipeError>, Vec<u8>) {
    let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (Some(mut input), Some(mut output), Some(errors)) = pipes else {
        return (Err(std::io::Error::from(std::io::ErrorKind::BrokenPipe).into()), Vec::new());
    };
    let write = async move {
        // Writing fails if the child has ended. The cause is found when the answer is read.
        let _ = async {
            input.write_all(&job.lengths()).await?;
            input.write_all(&job.head).await?;
            input.write_all(&job.bytes).await
        }
        .await;
    };
    let read = async move {
        let mut lengths = [0; LENGTHS_BYTES];
        output.read_exact(&mut lengths).await?;
        let mut message = PipeMessage::sized(lengths, MAX_ANSWER_BYTES)?;
        output.read_exact(&mut message.head).await?;
        output.read_exact(&mut message.bytes).await?;
        Ok(message)
    };
    let mut stderr = Vec::new();
    let listen = async {
        let _ = errors.take(MAX_STDERR_BYTES).read_to_end(&mut stderr).await;
    };
    let (message, ()) = tokio::join!(async { tokio::join!(read, write).0 }, listen);
    (message, stderr)
}

/// Returns the error for a child that ended without an answer.
fn cause(status: Option<ExitStatus>, stderr: &[u8]) -> WorkError {
    const OUT_OF_TIME: i32 = rustix::process::Signal::XCPU.as_raw();
    // The start of the message that Rust's allocator prints before it aborts.
    const OUT_OF_MEMORY: &[u8] = b"memory allocation of ";
    if stderr.windows(OUT_OF_MEMORY.len()).any(|words| words == OUT_OF_MEMORY) {
        return WorkError::Memory;
    }
    let Some(status) = status else { return WorkError::Ended(Ending::InvalidAnswer) };
    match (status.signal(), status.code()) {
        (Some(OUT_OF_TIME), _) => WorkError::Time,
        (Some(signal), _) => WorkError::Ended(Ending::Signal(signal)),
        (None, code) => WorkError::Ended(Ending::Code(code.unwrap_or(-1))),
    }
}
