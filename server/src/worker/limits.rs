//! What a child takes from itself before it reads anything: memory, time, files, and its place in the queue for the
//! processors.

use rustix::process::{Pid, Resource, Rlimit, Signal};

/// The most memory of a child, in bytes, of its own data (`RLIMIT_DATA`, setrlimit(2)): the program and the fonts
/// inside it are not counted. The largest paper that is set, 400,000 characters of Korean, takes 190 MB.
pub(crate) const MEMORY_BYTES: u64 = 208 * 1024 * 1024;
/// The most time on a processor, in seconds. The largest paper takes 2 seconds, in one single paragraph 7.
pub(crate) const CPU_SECONDS: u64 = 15;
/// Files that may be open while fonts are loaded, those of the pipes among them.
const FILES_WHILE_LOADING: u64 = 16;
/// File descriptors of the three pipes: with no more, neither a file nor a socket can be opened.
const PIPES: u64 = 3;
/// How much lower than the server a child is ranked (nice, 0 to 19).
const NICE: i32 = 10;

/// Limits this process, the child of `parent`, for good. Core files and files on disk are never written.
///
/// # Errors
/// When the system refuses, or the parent is gone.
pub(super) fn confine(parent: i32) -> std::io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    // It may have ended before that.
    if rustix::process::getppid().map(Pid::as_raw_pid) != Some(parent) {
        return Err(std::io::Error::other("the server has ended"));
    }
    limit(Resource::Data, MEMORY_BYTES)?;
    limit(Resource::Cpu, CPU_SECONDS)?;
    limit(Resource::Core, 0)?;
    limit(Resource::Fsize, 0)?;
    limit(Resource::Nofile, FILES_WHILE_LOADING)?;
    // Where it is not allowed, the child is merely less polite.
    let _ = rustix::process::nice(NICE);
    Ok(())
}

/// From now on nothing more can be opened: no file, no socket.
///
/// # Errors
/// When the system refuses.
pub(super) fn close_doors() -> std::io::Result<()> {
    limit(Resource::Nofile, PIPES)
}

fn limit(resource: Resource, most: u64) -> std::io::Result<()> {
    // An operator's own limit may be lower.
    let most = rustix::process::getrlimit(resource).maximum.map_or(most, |now| now.min(most));
    let limits = Rlimit { current: Some(most), maximum: Some(most) };
    Ok(rustix::process::setrlimit(resource, limits)?)
}
