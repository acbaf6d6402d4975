//! HTTP: the whole route table is on this page, one file for each resource.

mod describe;
mod documents;
mod health;
mod identity;
mod plans;
mod problem;
mod session;
mod sync;
mod web;

pub use describe::openapi;

use crate::clock::Clock;
use crate::committer::Committer;
use crate::metrics::Metrics;
use crate::people::People;
use crate::rooms::Rooms;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderName, HeaderValue, header};
use axum::routing::{get, post};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::trace::TraceLayer;

/// The largest JSON body, in bytes.
const BODY: usize = 64 * 1024;

/// What every handler can reach. Cloning shares it.
#[derive(Debug, Clone)]
pub(crate) struct App {
    rooms: Rooms,
    committer: Committer,
    people: People,
    metrics: Metrics,
    demo: bool,
    clock: Clock,
    draining: Arc<AtomicBool>,
}

impl App {
    pub(crate) fn new(
        rooms: Rooms,
        committer: Committer,
        people: People,
        metrics: Metrics,
        demo: bool,
        clock: Clock,
    ) -> Self {
        Self { rooms, committer, people, metrics, demo, clock, draining: Arc::default() }
    }

    /// From now on the server says that it is not ready.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}

pub(crate) fn router(app: App) -> Router {
    let api = Router::new()
        .route("/openapi.json", get(describe::document))
        .route("/demo", get(session::demo_people))
        .route("/session", get(session::current).post(session::sign_in).delete(session::sign_out))
        .route("/plans", get(plans::list))
        .route("/plans/{plan}", get(plans::show))
        .route("/plans/{plan}/documents", post(plans::create_document))
        .route("/documents/{document}", get(documents::show))
        .route("/documents/{document}/content", get(documents::content))
        .route("/documents/{document}/tickets", post(documents::ticket))
        .fallback(problem::no_such_route)
        .layer(DefaultBodyLimit::max(BODY));
    Router::new()
        .nest("/api/v1", api)
        .route("/sync/{document}", get(sync::upgrade))
        .route("/metrics", get(health::metrics))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .fallback(web::page)
        .layer(
            ServiceBuilder::new()
                // The path alone: a query can carry a ticket.
                .layer(TraceLayer::new_for_http().make_span_with(|request: &Request| {
                    tracing::info_span!("request", method = %request.method(), path = request.uri().path())
                }))
                .layer(CatchPanicLayer::new())
                .layer(fixed(header::CONTENT_SECURITY_POLICY, POLICY))
                .layer(fixed(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
                .layer(fixed(header::REFERRER_POLICY, "same-origin"))
                .layer(fixed(HeaderName::from_static("cross-origin-opener-policy"), "same-origin"))
                .layer(fixed(
                    HeaderName::from_static("cross-origin-embedder-policy"),
                    "require-corp",
                ))
                .layer(fixed(
                    HeaderName::from_static("cross-origin-resource-policy"),
                    "same-origin",
                )),
        )
        .with_state(app)
}

/// Scripts and styles only from here; WebAssembly may be compiled.
const POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; \
    connect-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; \
    form-action 'self'; frame-ancestors 'none'";

fn fixed(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
}
