//! Processor cores, processor time and memory of processes, and figures of many latencies.

use accord_tests::children;
use anyhow::{Context, Result};
use rustix::process::Pid;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use rustix::time::{ClockId, clock_gettime};
use std::thread;
use std::{fs, io};
use tokio::sync::oneshot;
use tokio::task::LocalSet;

/// The id with which a call reads or sets the affinity of the calling thread.
const THIS_THREAD: Option<Pid> = None;

/// The core of the server that is measured.
pub(crate) const SERVER_CORE: usize = 0;
/// The core of the load on the server.
pub(crate) const LOAD_CORE: usize = 1;

/// Ticks in a second of the processor times in `/proc/PID/stat`.
const TICKS: f64 = 100.0;

/// Runs a task on a thread that is bound to one core. The processes and threads that the task starts are bound to the
/// core as well.
pub(crate) async fn on_core<T: Send + 'static>(
    core: usize,
    task: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let (answer, answered) = oneshot::channel();
    thread::spawn(move || {
        let result = bind(core).context("this machine has only one core").and_then(|()| task());
        // If nobody waits for the result any more, it is dropped here, and a process that it owns ends.
        drop(answer.send(result));
    });
    answered.await.context("a thread of the benchmark has panicked")?
}

/// Runs a task on this thread while it is bound to one core. The processes that the task starts stay bound.
pub(crate) fn bound_to<T>(core: usize, task: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let before = sched_getaffinity(THIS_THREAD)?;
    bind(core)?;
    let result = task();
    sched_setaffinity(THIS_THREAD, &before)?;
    result
}

/// Binds this thread to one core.
fn bind(core: usize) -> io::Result<()> {
    let mut set = CpuSet::new();
    set.set(core);
    Ok(sched_setaffinity(THIS_THREAD, &set)?)
}

/// Runs a task on the core of the load, with a runtime of its own. The task's local tasks end with it.
pub(crate) async fn on_load_core<T: Send + 'static, F: Future<Output = Result<T>>>(
    task: impl FnOnce() -> F + Send + 'static,
) -> Result<T> {
    on_core(LOAD_CORE, move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        LocalSet::new().block_on(&runtime, task())
    })
    .await
}

/// Returns the processor time of a process and its children so far, in seconds.
pub(crate) fn cpu_seconds(pid: u32) -> Result<f64> {
    let living: f64 = children(pid).into_iter().filter_map(|child| cpu_seconds(child).ok()).sum();
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let after = stat.rsplit(')').next().context("stat has a name in parentheses")?;
    // The fields are utime, stime, cutime and cstime (proc(5)); the last two are of children that have ended.
    let fields = after.split_whitespace().skip(11).take(4).map(str::parse::<u64>);
    Ok(living + fields.sum::<Result<u64, _>>()? as f64 / TICKS)
}

/// Returns the processor time of this process so far, without its children, in seconds.
pub(crate) fn own_cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// Returns the highest resident memory of a process so far, and that of its living children, in bytes.
pub(crate) fn peak_memory(pid: u32) -> Result<u64> {
    memory(pid, "VmHWM:")
}

/// Returns the resident memory of a process and its children now, in bytes.
pub(crate) fn resident_memory(pid: u32) -> Result<u64> {
    memory(pid, "VmRSS:")
}

/// Returns a figure of `/proc/PID/status` for a process and its children together, in bytes.
fn memory(pid: u32, field: &'static str) -> Result<u64> {
    let living: u64 = children(pid).into_iter().filter_map(|child| memory(child, field).ok()).sum();
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let kib = line.and_then(|line| line.split_whitespace().next()).context(field)?;
    Ok(living + kib.parse::<u64>()? * 1024)
}

/// Latencies of one run.
#[derive(Debug)]
pub(crate) struct Latencies(Vec<u32>);

impl Latencies {
    /// Takes latencies in microseconds, in any order.
    pub(crate) fn of(mut micros: Vec<u32>) -> Self {
        micros.sort_unstable();
        Self(micros)
    }

    /// Returns the latency that the given share does not exceed, in milliseconds, or 0 if there are none.
    pub(crate) fn at(&self, share: f64) -> f64 {
        let index = (self.0.len().saturating_sub(1) as f64 * share) as usize;
        self.0.get(index).map_or(0.0, |&micros| f64::from(micros) / 1e3)
    }
}
