//! The HTTP interface: the complete route table is in this file, and each resource has a file of its own.

mod account;
mod administration;
mod allowed_steps;
mod audit;
mod bounded;
mod cleaning;
mod connections;
mod describe;
mod documents;
mod download;
mod extract;
mod files;
mod health;
mod held_answers;
mod history;
mod identity;
mod imports;
mod invitations;
mod launches;
mod links;
mod plans;
mod problem;
mod provider_sign_in;
mod providers;
mod public;
mod record;
mod release_views;
mod releases;
mod seats;
mod session;
mod sync;
mod views;
mod web;
mod written;

pub(crate) use cleaning::CLEANINGS;
pub use connections::ConnectionLimits;
pub(crate) use connections::Connections;
pub use describe::openapi;
pub(crate) use held_answers::HeldAnswers;
pub use held_answers::HeldLimits;
pub(crate) use public::Comparisons;
pub(crate) use written::WHOLE_TEXTS;

use crate::archives::Archives;
use crate::clock::Clock;
use crate::committer::Committer;
use crate::conversion::{Importer, Printer};
use crate::fair_queue::FairQueue;
use crate::letters::Letters;
use crate::metrics::Metrics;
use crate::oidc::Oidc;
use crate::people::{Passwords, People, Throttle};
use crate::plans::Plans;
use crate::releases::SealedReleases;
use crate::rooms::Rooms;
use crate::site::Site;
use crate::store::Store;
use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::from_fn_with_state;
use axum::routing::{any, delete, get, patch, post, put};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tower::ServiceBuilder;
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::trace::TraceLayer;

/// Maximum size of a JSON body, in bytes.
const MAX_JSON_BODY_BYTES: usize = 64 * 1024;

/// The parts of the server that every handler can use. Clones share them.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) rooms: Rooms,
    pub(crate) archives: Archives,
    /// The queue whose places limit how many documents are cleaned of hidden characters at the same time.
    pub(crate) cleanings: FairQueue,
    /// The queue whose places limit how many requests for the whole text of a document are served at the same time.
    pub(crate) whole_texts: FairQueue,
    pub(crate) releases: SealedReleases,
    pub(crate) printer: Printer,
    pub(crate) importer: Importer,
    pub(crate) comparisons: Arc<Comparisons>,
    pub(crate) committer: Committer,
    pub(crate) plans: Plans,
    pub(crate) people: People,
    pub(crate) passwords: Passwords,
    pub(crate) throttle: Arc<Throttle>,
    pub(crate) oidc: Arc<Oidc>,
    /// The writer of mails, or `None` if no mail server is configured.
    pub(crate) letters: Option<Letters>,
    pub(crate) connections: Connections,
    pub(crate) held_answers: HeldAnswers,
    pub(crate) metrics: Metrics,
    pub(crate) site: Arc<Site>,
    pub(crate) demo: bool,
    pub(crate) clock: Clock,
    /// Lifetime of a session's cookie, in seconds.
    pub(crate) session_seconds: u64,
    pub(crate) draining: Arc<AtomicBool>,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").finish_non_exhaustive()
    }
}

impl App {
    /// Makes the server report that it is not ready, because it is stopping.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}

pub(crate) fn router(app: App) -> Router {
    // Answers are counted before compression, because memory contains their uncompressed bytes.
    let held = || from_fn_with_state(app.clone(), held_answers::hold_answer);
    let long = Router::new()
        .route("/documents/{document}/content", get(documents::content))
        .route("/documents/{document}/history", get(history::show))
        .route("/documents/{document}/diff", get(history::diff))
        .route("/documents/{document}/record", get(record::show))
        .route("/documents/{document}/release", get(releases::show))
        .method_not_allowed_fallback(problem::wrong_method)
        .layer(held())
        .layer(compressed());
    let api = Router::new()
        .route("/openapi.json", get(describe::document))
        .route("/demo", get(session::demo_people))
        .route("/session", get(session::current).post(session::sign_in).delete(session::sign_out))
        .route("/providers", get(providers::list))
        .route("/providers/{provider}/start", get(provider_sign_in::start))
        .route("/providers/callback", get(provider_sign_in::callback))
        .route("/links", post(links::send))
        .route("/links/{secret}", get(links::show).post(links::take))
        .route("/invitations/{secret}", get(invitations::show).post(invitations::accept))
        .route("/account", get(account::show).patch(account::rename))
        .route("/account/email", put(account::set_email))
        .route("/account/email/confirmation", post(account::confirm_email))
        .route("/account/password", put(account::set_password))
        .route("/account/sessions", delete(account::end_others))
        .route("/account/sessions/{session}", delete(account::end_one))
        .route("/account/providers/{provider}", delete(providers::unlink))
        .route("/plans", get(plans::list).post(plans::create))
        .route("/plans/{plan}", get(plans::show).patch(plans::change))
        .route("/plans/{plan}/documents", post(plans::create_document))
        .route("/plans/{plan}/imports", post(imports::import))
        .route("/plans/{plan}/launches", post(launches::launch))
        .route("/plans/{plan}/launches/{launch}", delete(launches::call_off))
        .route("/plans/{plan}/people", get(seats::list))
        .route("/plans/{plan}/people/{person}", put(seats::change).delete(seats::end))
        .route("/plans/{plan}/people/{person}/reset", post(seats::reset))
        .route("/plans/{plan}/invitations", post(invitations::make))
        .route("/plans/{plan}/invitations/{invitation}", delete(invitations::revoke))
        .route("/plans/{plan}/audit", get(audit::of_plan))
        .route(
            "/documents/{document}",
            get(documents::show).patch(documents::change).delete(documents::delete),
        )
        .route("/documents/{document}/tickets", post(documents::ticket))
        .route("/documents/{document}/redactions", post(documents::redact))
        .route("/documents/{document}/history/seen", put(history::note_seen))
        .route("/documents/{document}/versions", post(history::name_version))
        .route("/documents/{document}/restorations", post(history::restore))
        .route("/documents/{document}/cleaning", post(cleaning::clean_text))
        .route("/documents/{document}/proposals", post(releases::propose))
        .route(
            "/documents/{document}/proposals/{proposal}",
            get(releases::proposed).delete(releases::withdraw),
        )
        .route("/documents/{document}/proposals/{proposal}/signature", put(releases::sign))
        .route("/documents/{document}/proposals/{proposal}/decline", post(releases::decline))
        .route("/documents/{document}/reopening", post(releases::reopen))
        .route("/documents/{document}/releases/{number}", get(releases::download))
        .route("/documents/{document}/releases/{number}/{kind}", get(files::release))
        .route("/documents/{document}/draft/{kind}", get(files::draft))
        .route("/administration", get(administration::show))
        .route("/administration/providers", post(providers::add))
        .route("/administration/providers/{provider}", delete(providers::remove))
        .route("/administration/audit", get(audit::whole))
        .route(
            "/administration/people/{person}",
            patch(administration::change).delete(administration::forget),
        )
        .route("/administration/people/{person}/reset", post(administration::reset))
        .route("/administration/people/{person}/sessions", delete(administration::end_sessions))
        .fallback(problem::no_such_route)
        .method_not_allowed_fallback(problem::wrong_method)
        .layer(held())
        .merge(long)
        .layer(DefaultBodyLimit::max(MAX_JSON_BODY_BYTES))
        // The guard lets each change go on in a task of its own, so a panic is caught inside the guard.
        .layer(CatchPanicLayer::custom(problem::after_panic))
        .layer(from_fn_with_state(app.clone(), identity::guard_changes))
        .layer(fixed(header::CACHE_CONTROL, "no-store"));
    let public = Router::new()
        .route("/keys.txt", get(public::keys))
        .route("/p/{plan}", get(public::plan))
        .route("/r/{document}", get(public::newest))
        .route("/r/{document}/{number}", get(public::release))
        .route("/r/{document}/{number}/{file}", get(public::file))
        .route("/r/{document}/compare/{a}/{b}", get(public::compare))
        .layer(from_fn_with_state(app.clone(), held_answers::hold_page))
        .layer(compressed());
    let secure = app.site.is_secure();
    let router = Router::new()
        .nest("/api/v1", api)
        .route("/api/{*rest}", any(problem::no_such_route))
        .route("/sync/{document}", get(sync::upgrade).fallback(problem::wrong_method))
        .merge(public)
        .route("/metrics", get(health::metrics_for_this_machine))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .fallback(web::page)
        .layer(
            ServiceBuilder::new()
                // Logs contain only the pattern of the route, because a query can contain a ticket, and a path can
                // contain the secret of a link.
                .layer(TraceLayer::new_for_http().make_span_with(|request: &Request| {
                    let route = request.extensions().get::<MatchedPath>();
                    let route = route.map_or("a page", MatchedPath::as_str);
                    tracing::info_span!("request", method = %request.method(), route)
                }))
                .layer(CatchPanicLayer::new())
                .layer(fixed(header::CONTENT_SECURITY_POLICY, POLICY))
                .layer(fixed(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
                // The addresses of links and invitations are secrets, so browsers must not pass them on to other sites.
                .layer(fixed(header::REFERRER_POLICY, "no-referrer"))
                .layer(fixed(
                    HeaderName::from_static("permissions-policy"),
                    "camera=(), geolocation=(), microphone=()",
                ))
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
        .with_state(app);
    if secure {
        router.layer(fixed(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000"))
    } else {
        router
    }
}

/// Returns the routes of the separate address for metrics.
pub(crate) fn metrics_router(app: App) -> Router {
    Router::new()
        .route("/metrics", get(health::metrics))
        .route("/healthz", get(health::alive))
        .with_state(app)
}

/// The content security policy. Scripts and styles can come only from this server. Scripts can compile WebAssembly.
const POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; \
    connect-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; \
    form-action 'self'; frame-ancestors 'none'";

/// Returns the layer that compresses answers, for routes with long answers. Routes whose answers contain a secret must
/// not have this layer, because the length of a compressed answer reveals something about the secret.
fn compressed() -> CompressionLayer {
    CompressionLayer::new().quality(CompressionLevel::Fastest)
}

fn fixed(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
}
