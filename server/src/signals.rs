//! The signals that ask the server to stop.
//!
//! A separate thread waits for them, so that the process ends even if all other threads are busy.

use std::process::exit;
use std::thread;
use std::time::Duration;
use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio::time::sleep;

/// Maximum duration of a stop. Service managers kill a process that has not stopped within 10 to 90 s, and the server
/// promises to stop within 15 s.
const STOP_WITHIN: Duration = Duration::from_secs(14);

/// Returns a future that ends at the first SIGTERM or SIGINT. Signals count from this call on, also while the server is
/// still starting. After the first signal, a second one ends the process immediately, and so does the expiry of
/// [`STOP_WITHIN`].
///
/// # Errors
/// Returns an error if the system can't create the thread or does not allow the signal handlers.
pub(crate) fn asked_to_stop() -> std::io::Result<impl Future<Output = ()>> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut terminate, mut interrupt) = {
        let _within = runtime.enter();
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?)
    };
    let (ask, asked) = oneshot::channel();
    let hear = async move {
        let mut next = async || {
            tokio::select! {
                _ = terminate.recv() => SignalKind::terminate(),
                _ = interrupt.recv() => SignalKind::interrupt(),
            }
        };
        next().await;
        // Sending fails only if the server has already ended.
        let _ = ask.send(());
        tokio::select! {
            signal = next() => {
                tracing::warn!("stopped immediately, by a second signal");
                exit(128 + signal.as_raw_value());
            }
            () = sleep(STOP_WITHIN) => {
                tracing::error!("stopping took too long and was cut short");
                exit(1);
            }
        }
    };
    thread::Builder::new().name("signals".into()).spawn(move || runtime.block_on(hear))?;
    Ok(async {
        if asked.await.is_err() {
            // The thread has ended without a signal, so no signal can arrive any more.
            std::future::pending::<()>().await;
        }
    })
}
