//! `accord`: the command line.

use accord_server::people::SessionLimits;
use accord_server::site::PublicUrl;
use accord_server::{Config, ConnectionLimits, ServeError, run};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

/// Write Open Government Partnership commitments together.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Serve the web app, the API and live editing.
    Serve(Serve),
    /// Print the description of the HTTP API (OpenAPI, JSON).
    Openapi,
}

#[derive(Debug, Args)]
struct Serve {
    /// The folder that holds everything.
    #[arg(long, env = "ACCORD_DATA", default_value = "data")]
    data: PathBuf,
    /// The address to listen on.
    #[arg(long, env = "ACCORD_LISTEN", default_value = "127.0.0.1:4040")]
    listen: SocketAddr,
    /// Seed a demo plan and let anybody on this machine sign in as one of the demo people.
    #[arg(long, env = "ACCORD_DEMO")]
    demo: bool,
    /// The address at which browsers find this server, like https://accord.example.org. Needed
    /// wherever it is not used from this machine alone.
    #[arg(long, env = "ACCORD_PUBLIC_URL")]
    public_url: Option<PublicUrl>,
    /// A proxy in front of the server says whose address a request comes from: the last one in
    /// X-Forwarded-For.
    #[arg(long, env = "ACCORD_BEHIND_PROXY")]
    behind_proxy: bool,
    /// Days after which everybody has to sign in again.
    #[arg(long, env = "ACCORD_SESSION_DAYS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=365))]
    session_days: u32,
    /// Days after which whoever did not use Accord has to sign in again.
    #[arg(long, env = "ACCORD_SESSION_IDLE_DAYS", default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=365))]
    session_idle_days: u32,
    /// Sync connections that one address may hold: a whole city may share one.
    #[arg(long, env = "ACCORD_CONNECTIONS_PER_ADDRESS", default_value_t = 2_000)]
    connections_per_address: usize,
    /// Sync connections that one person may hold, in all tabs and devices.
    #[arg(long, env = "ACCORD_CONNECTIONS_PER_PERSON", default_value_t = 60)]
    connections_per_person: usize,
    /// MiB of the disk that stay free: below that, nothing more is accepted.
    #[arg(long, env = "ACCORD_RESERVE_MIB", default_value_t = 64)]
    reserve_mib: u64,
    /// How log lines look.
    #[arg(long, env = "ACCORD_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

#[tokio::main]
async fn main() -> ExitCode {
    match Cli::parse().verb {
        Verb::Openapi => {
            #[allow(clippy::print_stdout)]
            {
                println!("{}", accord_server::openapi());
            }
            ExitCode::SUCCESS
        }
        Verb::Serve(options) => {
            start_log(options.log_format);
            match serve(options).await {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => {
                    tracing::error!("{error}");
                    ExitCode::FAILURE
                }
            }
        }
    }
}

async fn serve(options: Serve) -> Result<(), ServeError> {
    let address = options.listen;
    let listener = TcpListener::bind(address).await.map_err(|error| {
        let hint = match error.kind() {
            std::io::ErrorKind::AddrInUse => {
                "another program is using it; choose another with --listen"
            }
            std::io::ErrorKind::PermissionDenied => "this user may not; choose a port above 1023",
            _ => "choose another with --listen",
        };
        std::io::Error::new(error.kind(), format!("can't listen on {address}: {hint}"))
    })?;
    let address = listener.local_addr()?;
    tracing::info!("listening on http://{address}");
    if options.demo {
        tracing::info!("the demo is at http://{address} — open it in two browsers");
    }
    let days = |days: u32| Duration::from_secs(86_400) * days;
    let config = Config {
        reserve: options.reserve_mib.saturating_mul(1024 * 1024),
        demo: options.demo,
        public_url: options.public_url,
        behind_proxy: options.behind_proxy,
        sessions: SessionLimits {
            absolute: days(options.session_days),
            idle: days(options.session_idle_days),
        },
        connections: ConnectionLimits {
            per_address: options.connections_per_address,
            per_person: options.connections_per_person,
        },
        ..Config::new(options.data)
    };
    run(listener, config, asked_to_stop()).await
}

async fn asked_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => drop(tokio::signal::ctrl_c().await),
    }
}

fn start_log(format: LogFormat) {
    let filter =
        EnvFilter::try_from_env("ACCORD_LOG").unwrap_or_else(|_| EnvFilter::new("info,sled=warn"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Text => log.with_target(false).init(),
        LogFormat::Json => log.json().init(),
    }
}
