//! Accord's server.
//!
//! `http` speaks to people and programs, `rooms` runs the open documents, `committer` puts what
//! they write on disk, `store` is where. Arrows point one way: `http → rooms → (document,
//! store)`. Only [`run`] names a concrete store.

pub mod clock;
mod committer;
mod demo;
mod documents;
mod http;
mod metrics;
pub mod people;
pub mod rooms;
pub mod store;

use clock::Clock;
use committer::Committer;
use http::App;
use metrics::Metrics;
use people::People;
use rooms::Rooms;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use store::{SledStore, Store, StoreError};
use thiserror::Error;
use tokio::net::TcpListener;

pub use http::openapi;

/// How a server is set up.
#[derive(Debug, Clone)]
pub struct Config {
    /// The folder that holds everything.
    pub data: PathBuf,
    /// Bytes of its disk that must stay free: below that, nothing more is accepted.
    pub reserve: u64,
    /// Whether to seed the demo plan and let anybody sign in as one of the demo people.
    pub demo: bool,
    /// What entries and tickets are dated by.
    pub clock: Clock,
}

/// Why a server can't start or had to stop.
#[derive(Debug, Error)]
pub enum ServeError {
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("the server can't start: {0}")]
    System(#[from] std::io::Error),
    #[error(
        "the demo signs anybody in, so it listens on loopback only: use an address like 127.0.0.1:4040"
    )]
    DemoInPublic,
    /// Nothing more can be saved safely: start again.
    #[error("{0}")]
    Broken(String),
}

/// Serves until `shutdown` resolves, then drains: stops accepting, commits what is queued, and
/// asks connected clients to come back.
///
/// # Errors
/// When the server can't start, or the store can no longer be trusted.
pub async fn run(
    listener: TcpListener,
    config: Config,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    if config.demo && !listener.local_addr()?.ip().is_loopback() {
        return Err(ServeError::DemoInPublic);
    }
    let opening = config.clone();
    let opened =
        tokio::task::spawn_blocking(move || SledStore::open(&opening.data, opening.reserve));
    let opened = opened.await.map_err(std::io::Error::other)??;
    serve(listener, &config, Arc::new(opened), shutdown).await
}

async fn serve(
    listener: TcpListener,
    config: &Config,
    store: Arc<dyn Store>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let metrics = Metrics::default();
    let committer = Committer::start(store.clone(), metrics.clone())?;
    let people = People::new(store.clone(), config.clock.clone());
    if config.demo {
        demo::seed(&committer, &people, &config.clock).await?;
    }
    let rooms = Rooms::new(store, committer.clone(), metrics.clone(), config.clock.clone());
    let (demo, clock) = (config.demo, config.clock.clone());
    let app = App::new(rooms.clone(), committer.clone(), people, metrics, demo, clock);
    let broken = Arc::new(std::sync::OnceLock::new());
    let (stopping, reason, ready) = (rooms.clone(), broken.clone(), app.clone());
    let stop = async move {
        tokio::select! {
            () = shutdown => tracing::info!("stopping"),
            failed = committer.failed() => {
                tracing::error!(reason = failed, "the store can't be trusted any more");
                let _ = reason.set(failed);
            }
        }
        ready.drain();
        stopping.shut_down().await;
    };
    axum::serve(listener, http::router(app)).with_graceful_shutdown(stop).await?;
    match broken.get() {
        Some(reason) => Err(ServeError::Broken(reason.clone())),
        None => Ok(()),
    }
}
