//! Signals that ask the server to stop.
//!
//! A thread of its own waits for them, so the process ends even when all other threads are busy.

use std::process::exit;
use std::thread;
use std::time::Duration;
use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio::time::sleep;

/// The longest that stopping takes: service managers kill after 10 to 90 seconds, and the promise is 15.
const STOP_WITHIN: Duration = Duration::from_secs(14);

/// Ends at the first SIGTERM or SIGINT. From this call on they are heard, also while the server still starts. A
/// second one ends the process at once, and so does the end of [`STOP_WITHIN`].
///
/// # Errors
/// When the system gives no thread, or does not let us hear signals.
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
        // Without a receiver the server has ended already.
        let _ = ask.send(());
        tokio::select! {
            signal = next() => {
                tracing::warn!("stopped at once, by a second signal");
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
            // Nobody hears signals any more.
            std::future::pending::<()>().await;
        }
    })
}
