//! How glibc's allocator (malloc(3), mallopt(3)) gives memory back to the system.
//!
//! By its defaults it has an arena for each thread and keeps in all of them what large requests once took: a server that
//! was attacked for some seconds, or had one busy hour, stays hundreds of megabytes larger. With the values below it
//! gives back whatever is large as soon as it is free. They can only be set before a process starts, or by unsafe code:
//! so the server starts itself again, once.

use std::os::unix::process::CommandExt;
use std::process::Command;

/// The variable that glibc reads (ld.so(8)). Other C libraries ignore it.
const VARIABLE: &str = "GLIBC_TUNABLES";

/// Two arenas, as many as the threads that are usually at work; a mapping of its own for each allocation of 256 KiB and
/// more, which ends with it; at most 1 MiB kept free at the end of an arena.
const TUNABLES: &str = "glibc.malloc.arena_max=2:glibc.malloc.mmap_threshold=262144:glibc.malloc.trim_threshold=1048576";

/// Starts this program again with these values, unless it was or somebody has chosen others. It keeps its process id,
/// arguments and files. Call it before any thread is started. Where it fails, the defaults stay.
pub fn tune() {
    if cfg!(not(all(target_os = "linux", target_env = "gnu"))) || is_chosen() {
        return;
    }
    // Its own path: the process keeps the name that operators look for.
    let Ok(program) = std::env::current_exe() else { return };
    let mut arguments = std::env::args_os();
    let mut again = Command::new(program);
    if let Some(name) = arguments.next() {
        again.arg0(name);
    }
    // It returns only when it fails.
    let _ = again.args(arguments).env(VARIABLE, TUNABLES).exec();
}

/// Whether the values were set already, by us or by an operator.
fn is_chosen() -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some();
    is_set(VARIABLE)
        || ["MALLOC_ARENA_MAX", "MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"]
            .into_iter()
            .any(is_set)
}
