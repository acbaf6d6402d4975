//! A separate address that serves only `/metrics` and `/healthz`, apart from the address for everybody.

use crate::http::{App, metrics_router};
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Listens on an address, and starts a task that serves the metrics there until the task is aborted. Requests for
/// metrics are short, so a server that stops does not wait for them.
///
/// # Errors
/// Returns an error if the address can't be bound.
pub(crate) async fn start(address: SocketAddr, app: App) -> std::io::Result<JoinHandle<()>> {
    let listener = TcpListener::bind(address).await.map_err(|error| {
        let reason = format!("can't listen on {address} for metrics: {error}");
        std::io::Error::new(error.kind(), reason)
    })?;
    tracing::info!("metrics are at http://{}/metrics", listener.local_addr()?);
    let service = metrics_router(app).into_make_service();
    Ok(tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, service).await {
            tracing::error!(%error, "the server of metrics failed");
        }
    }))
}
