//! The limits that a child sets for itself before it reads anything: memory, processor time, files and priority.

use rustix::process::{Pid, Resource, Rlimit, Signal};

/// Maximum memory of a child for its own data, in bytes (`RLIMIT_DATA`, setrlimit(2)). The program and the fonts inside
/// it do not count. The largest paper that should succeed, 300,000 characters of Korean in paragraphs, takes 143 MiB of
/// data.
pub(crate) const MEMORY_BYTES: u64 = 160 * 1024 * 1024;
/// Maximum processor time of a child, in seconds. The largest paper that should succeed takes 3 seconds, and 200,000
/// characters in a single paragraph take 5.
pub(crate) const CPU_SECONDS: u64 = 15;
/// Maximum number of open files while fonts are loaded, including the pipes.
const FILES_WHILE_LOADING: u64 = 16;
/// Maximum number of open file descriptors once the fonts are loaded: those of the three pipes. With this limit,
/// neither a file nor a socket can be opened.
const PIPES: u64 = 3;
/// Priority of a child, below the server (nice, 0 to 19).
const NICE: i32 = 10;

/// Limits this process, the child of `parent`, for the rest of its life. It can write no core files and no files on
/// disk.
///
/// # Errors
/// Returns an error if the system refuses a limit, or if the parent has ended.
pub(super) fn confine(parent: i32) -> std::io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    // The parent can end before the death signal is set, and then the signal never comes.
    if rustix::process::getppid().map(Pid::as_raw_pid) != Some(parent) {
        return Err(std::io::Error::other("the server has ended"));
    }
    limit(Resource::Data, MEMORY_BYTES)?;
    limit_processor_time()?;
    limit(Resource::Core, 0)?;
    limit(Resource::Fsize, 0)?;
    limit(Resource::Nofile, FILES_WHILE_LOADING)?;
    // The system might refuse the lower priority. The child then runs with the priority of the server.
    let _ = rustix::process::nice(NICE);
    Ok(())
}

/// Limits the processor time of this process. At the soft limit, the system sends SIGXCPU, which the server recognises.
/// The hard limit is a second later, because the system sends SIGKILL at the hard limit, even if the soft limit is the
/// same (setrlimit(2)).
fn limit_processor_time() -> std::io::Result<()> {
    let kill = highest(Resource::Cpu, CPU_SECONDS + 1);
    let limits = Rlimit { current: Some(kill.saturating_sub(1)), maximum: Some(kill) };
    Ok(rustix::process::setrlimit(Resource::Cpu, limits)?)
}

/// Prevents this process from opening anything more: no file and no socket.
///
/// # Errors
/// Returns an error if the system refuses the limit.
pub(super) fn forbid_opening() -> std::io::Result<()> {
    limit(Resource::Nofile, PIPES)
}

/// Returns `most`, or the limit that the operator has set if that is lower.
fn highest(resource: Resource, most: u64) -> u64 {
    rustix::process::getrlimit(resource).maximum.map_or(most, |now| now.min(most))
}

fn limit(resource: Resource, most: u64) -> std::io::Result<()> {
    let most = highest(resource, most);
    let limits = Rlimit { current: Some(most), maximum: Some(most) };
    Ok(rustix::process::setrlimit(resource, limits)?)
}
