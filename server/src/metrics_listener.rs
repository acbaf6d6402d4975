//! An address of its own for `/metrics` and `/healthz`, apart from the address that everybody reaches. Nothing else is
//! served there.

use crate::http::{App, metrics_router};
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Listens on an address and serves it until the task is aborted: nothing there is worth waiting for at the end.
///
/// # Errors
/// When the address can't be listened on.
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
