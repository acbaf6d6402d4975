//! The periodic tasks of a running server.

use crate::http::App;
use crate::store::StoreError;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// Ends expired sessions and publishes due launches each second. Each minute, removes the request budgets of the
/// throttle (`people/throttle.rs`) that have refilled completely. Every ten minutes, removes expired tickets and
/// devices, and erases documents that were deleted more than `keep_deleted` ago (`config.rs`).
pub(crate) async fn keep_house(app: App, keep_deleted: Duration) {
    let keep_deleted = u64::try_from(keep_deleted.as_millis()).unwrap_or(u64::MAX);
    let mut tick = interval(Duration::from_secs(1));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for second in 0u64.. {
        tick.tick().await;
        let (people, plans) = (app.people.clone(), app.plans.clone());
        let unwanted = app.clock.now_ms().saturating_sub(keep_deleted);
        let done = tokio::task::spawn_blocking(move || {
            people.sessions().expire()?;
            if second.is_multiple_of(600) {
                people.expire_tickets()?;
                people.expire_devices()?;
                plans.erase_deleted(unwanted)?;
            }
            Ok::<_, StoreError>(())
        });
        if let Ok(Err(error)) = done.await {
            tracing::error!(%error, "expired sessions, tickets or deleted documents can't be removed");
        }
        if let Err(error) = app.plans.publish_due().await {
            tracing::error!(%error, "a launch that is due can't be published yet");
        }
        if second.is_multiple_of(60) {
            app.throttle.forget();
        }
    }
}
