//! Processes that end when this process ends, however it ends.

use std::ffi::OsStr;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Child, Command};
use std::sync::{Mutex, OnceLock, PoisonError, mpsc};
use std::thread;

type Start = Box<dyn FnOnce() + Send>;

/// Returns a command that runs a program which the system kills at the end of the thread that starts it. So
/// [`start_tied`] must start it.
#[must_use]
pub fn tied(program: impl AsRef<OsStr>) -> Command {
    // This process can end before the death signal is set, and then the signal never comes.
    let unless_orphaned = r#"test "$PPID" = "$0" && exec "$@""#;
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--", "sh", "-c", unless_orphaned]);
    command.arg(std::process::id().to_string()).arg(program);
    command
}

/// Calls `start` on a thread that ends only with this process.
///
/// # Errors
/// Returns the error of `start`, or an error if it panics.
pub fn start_tied(start: impl FnOnce() -> io::Result<Child> + Send + 'static) -> io::Result<Child> {
    static STARTS: OnceLock<Mutex<mpsc::Sender<Start>>> = OnceLock::new();
    let starts = STARTS.get_or_init(|| {
        let (sender, starts) = mpsc::channel::<Start>();
        // If this thread ended, the system would kill all that it has started. So it outlives a panic of `start`.
        let all = starts.into_iter().map(|start| catch_unwind(AssertUnwindSafe(start)));
        thread::spawn(move || all.for_each(drop));
        Mutex::new(sender)
    });
    let (answer, answered) = mpsc::channel();
    let start = Box::new(move || drop(answer.send(start())));
    let _ = starts.lock().unwrap_or_else(PoisonError::into_inner).send(start);
    answered.recv().map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SOON;
    use std::io::Read as _;
    use std::process::Stdio;

    /// The environment variable with which the test starts itself as the process in the middle.
    const MIDDLE: &str = "ACCORD_TEST_TIED";

    /// A process in the middle starts a third one, and is terminated. The third one holds the pipe open while it lives.
    #[test]
    fn a_server_ends_with_the_benchmark_that_started_it() {
        if std::env::var_os(MIDDLE).is_some() {
            let mut last = tied("sleep");
            last.arg("1000");
            let started = thread::spawn(|| start_tied(move || last.spawn())).join().unwrap();
            println!("started {}", started.unwrap().id());
            thread::sleep(SOON * 10);
        }
        let mut middle = Command::new(std::env::current_exe().unwrap())
            .args(["--nocapture", "a_server_ends_with_the_benchmark"])
            .env(MIDDLE, "1")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = middle.stdout.take().unwrap();
        let mut said = Vec::new();
        while !String::from_utf8_lossy(&said).contains("started ") {
            let mut bytes = [0; 512];
            let read = out.read(&mut bytes).unwrap();
            assert!(read > 0, "it ends too early");
            said.extend(&bytes[..read]);
        }
        let id = rustix::process::Pid::from_raw(middle.id() as i32).unwrap();
        rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
        middle.wait().unwrap();
        let (end, ended) = mpsc::channel();
        thread::spawn(move || end.send(out.read_to_end(&mut Vec::new())));
        ended.recv_timeout(SOON).expect("the third process ends").unwrap();
    }
}
