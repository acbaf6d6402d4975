//! Accord's server.
//!
//! `http` answers people and programs, `rooms` runs the open documents, and `committer` writes their entries to the
//! `store`. Each module uses only modules to its right: `http → rooms → (document, store)`. Code that handles requests
//! uses only the traits of the store. Only [`run`] and the commands for backups, checks and accounts open the store
//! on disk themselves.

#![warn(missing_docs)]

mod access;
mod announced;
mod archives;
pub mod backup;
mod cache;
pub mod check;
pub mod clock;
mod committer;
mod config;
pub mod control;
mod conversion;
mod demo;
mod fair_queue;
mod generation;
mod housekeeping;
mod http;
mod letters;
mod listen;
mod mail;
mod metrics;
mod metrics_listener;
mod oidc;
mod open_error;
mod pages;
mod people;
mod plans;
mod problem;
mod record;
mod releases;
pub mod repair;
mod replay;
mod rooms;
mod sealing;
pub mod site;
mod stop;
mod websocket;
pub mod worker;

pub use accord_signing as signing;
pub use accord_store as store;

use access::Access;
use archives::Archives;
use committer::Committer;
use control::Control;
use conversion::{CONVERSIONS, Importer, Printer};
use fair_queue::{FairQueue, PersonalLocks};
use generation::Generation;
use housekeeping::keep_house;
use http::{App, CLEANINGS, Comparisons, Connections, HeldAnswers, WHOLE_TEXTS};
use letters::Letters;
use listen::{Front, OpenConnections, listen, raise_open_files};
use mail::{Mail, MailError};
use metrics::Metrics;
use oidc::Oidc;
use people::{Passwords, People, Purpose, Throttle};
use plans::Plans;
use releases::SealedReleases;
use rooms::Rooms;
use signing::keys::{KeyError, Keys};
use site::Site;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;
use stop::Stop;
use store::{DiskStore, Store, StoreError};
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::time::timeout;
use worker::Workers;

pub use config::{Config, days};
pub use http::{ConnectionLimits, HeldLimits, openapi};
pub use listen::Deadlines;
pub use mail::MailConfig;
pub use people::SessionLimits;

/// Validity of the link that makes the first administrator, in milliseconds. While the installation has no
/// administrator, each start of the server makes a new link.
const SETUP_LINK_VALIDITY_MS: u64 = 24 * 3_600_000;
/// Time between two looks at whether the store can still commit.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

/// The error of a server that can't start or had to stop.
#[derive(Debug, Error)]
pub enum ServeError {
    /// The store can't be opened.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The system refused a resource, such as an address, a thread or a file.
    #[error("the server can't start: {0}")]
    System(#[from] std::io::Error),
    /// The demo was started on an address that other machines can reach.
    #[error(
        "the demo lets anybody sign in, so it listens on this machine only: use an address like 127.0.0.1:4040"
    )]
    DemoInPublic,
    /// The mail server's address or the sender can't be used.
    #[error("{0}")]
    Mail(#[from] MailError),
    /// The key that signs releases can't be read or made.
    #[error("{0}")]
    Key(#[from] KeyError),
    /// Nothing more can be saved safely, so the server must be started again.
    #[error("{0}")]
    Broken(String),
}

/// Serves until `shutdown` resolves. Then stops accepting connections, asks connected clients to reconnect later, and
/// commits what is queued. Waits for connections, rooms and commits no longer than the [`Deadlines`] allow.
///
/// # Errors
/// Returns an error if the server can't start, or if the store can no longer be trusted.
pub async fn run(
    listener: TcpListener,
    config: Config,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    if config.demo && !listener.local_addr()?.ip().is_loopback() {
        return Err(ServeError::DemoInPublic);
    }
    let mut shutdown = pin!(shutdown);
    let starting = start(&listener, &config);
    match unless_stopped(starting, shutdown.as_mut(), config.deadlines.drain).await {
        Some(app) => serve(listener, &config, app?, shutdown).await,
        None => Ok(()),
    }
}

/// Returns the result of `work`, or `None` if the server is asked to stop before `work` has ended. In that case `work`
/// still has the time `patience` to end.
async fn unless_stopped<T>(
    work: impl Future<Output = T>,
    shutdown: Pin<&mut impl Future<Output = ()>>,
    patience: Duration,
) -> Option<T> {
    let mut work = pin!(work);
    tokio::select! {
        done = work.as_mut() => return Some(done),
        () = shutdown => tracing::info!("stopping"),
    }
    let _ = timeout(patience, work).await;
    None
}

async fn start(listener: &TcpListener, config: &Config) -> Result<App, ServeError> {
    let site = Site::new(config.public_url.clone(), listener.local_addr()?, config.behind_proxy);
    let opening = config.clone();
    let opened =
        tokio::task::spawn_blocking(move || DiskStore::open(&opening.data, opening.reserve));
    let opened = opened.await.map_err(std::io::Error::other)??;
    assemble(config, Arc::new(opened), site).await
}

async fn serve(
    listener: TcpListener,
    config: &Config,
    app: App,
    shutdown: Pin<&mut impl Future<Output = ()>>,
) -> Result<(), ServeError> {
    let metrics = match config.metrics_listen {
        Some(address) => Some(metrics_listener::start(address, app.clone()).await?),
        None => None,
    };
    let control = Control {
        people: app.people.clone(),
        plans: app.plans.clone(),
        passwords: app.passwords.clone(),
        store: app.store.clone(),
        data: config.data.clone(),
        base: app.site.base(),
    };
    let control = match control::listen(&config.data) {
        Ok(listener) => Some(tokio::spawn(control::serve(listener, control))),
        // The control socket can't be opened. One possible cause is the length of its path: the system allows about 100
        // bytes for the path of a socket.
        Err(error) => {
            tracing::warn!(%error, "the control socket can't be opened, so commands can't reach this server while it runs");
            None
        }
    };
    let housekeeping = tokio::spawn(keep_house(app.clone(), config.keep_deleted));
    let stop = start_listening(listener, config, &app);
    let broken = tokio::select! {
        () = shutdown => None,
        reason = stopped(&*app.store) => Some(reason),
    };
    match &broken {
        None => tracing::info!("stopping"),
        Some(reason) => tracing::error!(
            reason,
            "the store failed in a way that can lose data, so the server stops"
        ),
    }
    app.drain();
    stop.drain().await;
    housekeeping.abort();
    for task in [control, metrics].into_iter().flatten() {
        task.abort();
    }
    broken.map_or(Ok(()), |reason| Err(ServeError::Broken(reason)))
}

/// Waits until the store commits nothing more, and returns the reason.
async fn stopped(store: &dyn Store) -> String {
    let mut looks = tokio::time::interval(BETWEEN_LOOKS);
    loop {
        looks.tick().await;
        if let Some(reason) = store.stopped() {
            return reason.to_string();
        }
    }
}

/// Starts to accept connections. [`Stop::drain`] of the returned value stops accepting them and ends the server's
/// parts.
fn start_listening(listener: TcpListener, config: &Config, app: &App) -> Stop {
    let ConnectionLimits { total, per_address, .. } = config.connections;
    let per_address = per_address.saturating_mul(2);
    let limit = (!config.behind_proxy).then_some(per_address);
    let open = OpenConnections::new(total, raise_open_files(), limit);
    tracing::info!(connections = open.total(), "the limit of open connections");
    let (site, metrics) = (app.site.clone(), app.metrics.clone());
    let router = http::router(app.clone());
    let front = Front::new(router, site, config.deadlines, open.clone(), per_address, metrics);
    Stop {
        listening: listen(listener, front),
        open,
        rooms: app.rooms.clone(),
        committer: app.committer.clone(),
        deadlines: config.deadlines,
    }
}

/// Opens the stored records and assembles the parts of the server.
async fn assemble(config: &Config, store: Arc<dyn Store>, site: Site) -> Result<App, ServeError> {
    let metrics = Metrics::default();
    let committer = Committer::start(store.clone(), metrics.clone())?;
    let generation = Generation::default();
    let clock = config.clock.clone();
    let opening = (store.clone(), committer.clone(), clock.clone(), generation.clone());
    let limits = config.sessions;
    let opened = tokio::task::spawn_blocking(move || {
        let (store, committer, clock, generation) = opening;
        let people = People::open(store.clone(), clock.clone(), limits, generation.clone())?;
        Ok::<_, StoreError>((people, Plans::open(store, committer, clock, generation)?))
    });
    let (people, plans) = opened.await.map_err(std::io::Error::other)??;
    if config.demo {
        demo::seed(&plans, &people).await?;
    } else {
        offer_setup(&people, &site).await?;
    }
    let access = Access::new(people.clone(), plans.clone(), generation);
    let rooms =
        Rooms::new(store.clone(), committer.clone(), metrics.clone(), clock.clone(), access);
    let personal_locks = PersonalLocks::default();
    let archives = Archives::new(store.clone(), config.redaction_memory, personal_locks.clone());
    let (data, name) = (config.data.clone(), site.name());
    let keys = tokio::task::spawn_blocking(move || Keys::open(&data, &name));
    let keys = keys.await.map_err(std::io::Error::other)??;
    let releases =
        SealedReleases::new(store.clone(), archives.clone(), plans.clone(), people.clone(), keys);
    let workers = Workers::new(config.worker.clone())?;
    let conversions = FairQueue::sharing(CONVERSIONS, personal_locks.clone());
    let mail = config.mail.as_ref().map(Mail::start).transpose()?;
    let letters = mail.map(|mail| Letters::new(mail, people.clone(), site.base()));
    Ok(App {
        archives,
        cleanings: FairQueue::new(CLEANINGS),
        whole_texts: FairQueue::sharing(WHOLE_TEXTS, personal_locks),
        releases,
        printer: Printer::new(config.fonts.as_deref(), workers.clone(), conversions.clone())?,
        importer: Importer::new(workers, conversions),
        comparisons: Arc::new(Comparisons::new()),
        store,
        rooms,
        committer,
        plans,
        people,
        passwords: Passwords::start()?,
        throttle: Arc::new(Throttle::new(&clock)),
        oidc: Arc::new(Oidc::new(clock.clone())),
        letters,
        connections: Connections::new(config.connections),
        held_answers: HeldAnswers::new(config.held_answers),
        metrics,
        site: Arc::new(site),
        demo: config.demo,
        clock,
        session_seconds: config.sessions.absolute.as_secs(),
        draining: Arc::default(),
    })
}

/// Logs a link with which the operator becomes the first administrator, if there is no administrator yet.
async fn offer_setup(people: &People, site: &Site) -> Result<(), ServeError> {
    let asked = people.clone();
    let made = tokio::task::spawn_blocking(move || {
        if asked.has_administrator()? {
            return Ok(None);
        }
        asked.make_link(Purpose::Setup, SETUP_LINK_VALIDITY_MS).map(Some)
    });
    if let Some(secret) = made.await.map_err(std::io::Error::other)?? {
        // The server logs no other secret. It may log this one, because only the operator reads the log.
        tracing::warn!(
            "this installation has no administrator yet: open {}/links/{secret} within a day to become its administrator",
            site.base()
        );
    }
    Ok(())
}
