//! `accord`: the command line.

mod signals;

use accord_server::SessionLimits;
use accord_server::check::Report;
use accord_server::control::{self, Account, Answer};
use accord_server::seal::fault::Fault;
use accord_server::seal::keys::Keys;
use accord_server::seal::note::PublicKey;
use accord_server::seal::shown::Shown;
use accord_server::seal::strict::MAX_FILE_BYTES;
use accord_server::seal::verify as seal;
use accord_server::site::PublicUrl;
use accord_server::{Config, ConnectionLimits, Deadlines, MailConfig, ServeError, run};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::io::{IsTerminal, Read as _};
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
    /// List everybody who has an account.
    People(Data),
    /// Make an account that runs the installation, or let an existing one run it. Asks for the
    /// password.
    MakeAdministrator(MakeAdministrator),
    /// Print a link by which somebody can set a new password.
    ResetPassword(ResetPassword),
    /// Check that everything stored is what was written: every ledger, from its beginning. The server must not
    /// be running.
    Check(Data),
    /// Write everything into one new file, also while the server runs, and check that it is whole. It holds the
    /// key that signs releases: keep it as safe as the data folder.
    Backup(Backup),
    /// Make a new data folder from a backup, and check it. Edits that the backup lacks stay on the devices that have them:
    /// their pages ask what to do with them.
    Restore(Restore),
    /// Check a downloaded release: that not one character was changed since both sides signed it. Needs no
    /// server. Ends with 0 if the release is whole and signed with a trusted key, with 2 if it is whole and
    /// nobody said which key to trust, with 1 otherwise.
    Verify(Verify),
    /// Make a new key to sign releases with, from the next start of the server on. The old one is published
    /// still: what was signed with it stays verifiable.
    RotateKey(Data),
    /// Print the description of the HTTP API (OpenAPI, JSON).
    Openapi,
    /// Make or read one file: the server starts this itself.
    #[command(hide = true)]
    Worker {
        /// The id of the process that started it.
        parent: i32,
    },
}

#[derive(Debug, Args)]
struct Backup {
    #[command(flatten)]
    data: Data,
    /// The file to write. It must not be there yet.
    file: PathBuf,
}

#[derive(Debug, Args)]
struct Restore {
    /// The folder to make. It must not be there yet, or be empty.
    #[command(flatten)]
    data: Data,
    /// The backup.
    file: PathBuf,
}

#[derive(Debug, Args)]
struct Verify {
    /// The signed file (JSON).
    file: PathBuf,
    /// A key to trust, as the installation publishes it under /keys.txt. May be named more than once.
    #[arg(long, env = "ACCORD_KEY", value_delimiter = ',')]
    key: Vec<PublicKey>,
    /// The number that the release should have.
    #[arg(long)]
    number: Option<u32>,
}

#[derive(Debug, Args)]
struct Data {
    /// The folder that holds everything.
    #[arg(long, env = "ACCORD_DATA", default_value = "data")]
    data: PathBuf,
}

#[derive(Debug, Args)]
struct MakeAdministrator {
    #[command(flatten)]
    data: Data,
    #[arg(long)]
    email: String,
    /// As others see it.
    #[arg(long)]
    name: String,
}

#[derive(Debug, Args)]
struct ResetPassword {
    #[command(flatten)]
    data: Data,
    #[arg(long)]
    email: String,
    /// The address at which browsers find the server, where a running server does not know.
    #[arg(long, env = "ACCORD_PUBLIC_URL")]
    public_url: Option<PublicUrl>,
}

#[derive(Debug, Args)]
struct Serve {
    #[command(flatten)]
    data: Data,
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
    /// Days without use of Accord after which a person has to sign in again.
    #[arg(long, env = "ACCORD_SESSION_IDLE_DAYS", default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=365))]
    session_idle_days: u32,
    /// Connections of any kind that may be open at once. Fewer where the system allows fewer open files.
    #[arg(long, env = "ACCORD_CONNECTIONS", default_value_t = 16_384)]
    connections: usize,
    /// Sync connections that one address may hold: a whole city may share one. Of connections of any kind it may
    /// hold twice as many, and at most half of all. Of IPv6, a /64 network is one address.
    #[arg(long, env = "ACCORD_CONNECTIONS_PER_ADDRESS", default_value_t = 2_000)]
    connections_per_address: usize,
    /// Sync connections that one person may hold, in all tabs and devices.
    #[arg(long, env = "ACCORD_CONNECTIONS_PER_PERSON", default_value_t = 1_000)]
    connections_per_person: usize,
    /// Makes every deadline of a peer shorter by this factor: for tests, which can't wait for minutes.
    #[arg(long, env = "ACCORD_SHORTEN_DEADLINES", default_value_t = 1, hide = true)]
    shorten_deadlines: u32,
    /// Days after which what is stored of a deleted commitment is erased.
    #[arg(long, env = "ACCORD_KEEP_DELETED_DAYS", default_value_t = 30)]
    keep_deleted_days: u32,
    /// The mail server for links to new passwords, like smtps://user:password@mail.example.org:465.
    #[arg(long, env = "ACCORD_SMTP_URL", hide_env_values = true, requires = "mail_from")]
    smtp_url: Option<String>,
    /// In whose name mail goes out, like Accord <accord@example.org>.
    #[arg(long, env = "ACCORD_MAIL_FROM")]
    mail_from: Option<String>,
    /// A folder of fonts (TrueType or OpenType) for scripts that PDF files can't be set in otherwise.
    #[arg(long, env = "ACCORD_FONTS")]
    fonts: Option<PathBuf>,
    /// An address for metrics alone, like 10.0.0.5:9464, which nobody else should reach. Without it, only callers on this
    /// machine get /metrics.
    #[arg(long, env = "ACCORD_METRICS_LISTEN")]
    metrics_listen: Option<SocketAddr>,
    /// MiB of the disk that stay free: below that, nothing more is accepted.
    #[arg(long, env = "ACCORD_RESERVE_MIB", default_value_t = 64)]
    reserve_mib: u64,
    /// MiB of memory that a document's history may take while a passage is redacted. Histories above 64 MiB are shown to
    /// nobody, but a redaction has to search them.
    #[arg(long, env = "ACCORD_REDACTION_MEMORY_MIB", default_value_t = 256)]
    redaction_memory_mib: usize,
    /// How log lines look.
    #[arg(long, env = "ACCORD_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

/// How long threads that are still at work have to end, when all else has.
const LAST_THREADS: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let verb = match Cli::try_parse() {
        // Without the threads of a runtime: their stacks would count against its memory.
        Ok(Cli { verb: Verb::Worker { parent } }) => return accord_server::worker::run(parent),
        Ok(Cli { verb }) => verb,
        // Not 2, as usual: that is what a release ends with that is whole.
        Err(error) => {
            let code = if error.use_stderr() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
            drop(error.print());
            return code;
        }
    };
    if matches!(verb, Verb::Serve(_)) {
        accord_server::allocator::tune();
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return complain(&error),
    };
    let code = runtime.block_on(carry_out(verb));
    runtime.shutdown_timeout(LAST_THREADS);
    code
}

async fn carry_out(verb: Verb) -> ExitCode {
    match verb {
        Verb::Worker { .. } => ExitCode::FAILURE,
        Verb::Openapi => {
            say(&accord_server::openapi());
            ExitCode::SUCCESS
        }
        Verb::Check(data) => check(&data.data),
        Verb::Backup(Backup { data, file }) => match std::path::absolute(&file) {
            // The server writes it, wherever it was started.
            Ok(to) => ask(data, control::Verb::Backup { to }).await,
            Err(error) => complain(&error),
        },
        Verb::Restore(asked) => restore(&asked),
        Verb::Verify(asked) => verify(&asked),
        Verb::RotateKey(Data { data }) => match Keys::rotate(&data, None) {
            Ok(keys) => {
                say(&format!(
                    "From the next start on releases are signed with\n{}",
                    keys.signing().public()
                ));
                ExitCode::SUCCESS
            }
            Err(error) => complain(&error),
        },
        Verb::People(data) => ask(data, control::Verb::People).await,
        Verb::MakeAdministrator(MakeAdministrator { data, email, name }) => match ask_password() {
            Ok(password) => {
                ask(data, control::Verb::MakeAdministrator { name, email, password }).await
            }
            Err(error) => complain(&error),
        },
        Verb::ResetPassword(ResetPassword { data, email, public_url }) => {
            let at = public_url.map(|url| url.to_string());
            ask(data, control::Verb::ResetPassword { email, at }).await
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

/// Prints what a verb was asked for.
#[allow(clippy::print_stdout)]
fn say(line: &str) {
    println!("{line}");
}

fn complain(error: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("{error}");
    ExitCode::FAILURE
}

/// The exit code for a release that is whole, when nobody said which key to trust.
const UNTRUSTED: u8 = 2;

/// Reads a file, and no more of it than a release can have: one byte more tells that it is too large.
fn read_release(path: &std::path::Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(MAX_FILE_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Verifies a release's file, and says what that proves.
fn verify(asked: &Verify) -> ExitCode {
    let file = match read_release(&asked.file) {
        Ok(file) => file,
        Err(error) => {
            let name = Shown::quoted(&asked.file.to_string_lossy());
            return complain(&format!("NOT VERIFIED\n{name} can't be read: {error}"));
        }
    };
    let verified = match seal::verify(&file, &asked.key) {
        Ok(verified) => verified,
        Err(fault) => return complain(&format!("NOT VERIFIED\n{fault}")),
    };
    let found = verified.statement.number;
    if let Some(wanted) = asked.number.filter(|wanted| *wanted != found) {
        return complain(&format!("NOT VERIFIED\n{}", Fault::OtherNumber { wanted, found }));
    }
    say(if verified.is_trusted { "VERIFIED" } else { "WHOLE, BUT NOBODY SAID WHICH KEY TO TRUST" });
    say(&verified.words());
    if verified.is_trusted { ExitCode::SUCCESS } else { ExitCode::from(UNTRUSTED) }
}

/// Restores a backup, and checks what came of it.
fn restore(asked: &Restore) -> ExitCode {
    let now = accord_server::clock::Clock::system().now_ms();
    match accord_server::backup::restore(&asked.file, &asked.data.data, now) {
        Ok((_, report)) => tell(report),
        Err(error) => complain(&error),
    }
}

/// Checks what is stored, and says what is wrong with it.
fn check(data: &std::path::Path) -> ExitCode {
    if !data.exists() {
        return complain(&format!("there is no folder {}", data.display()));
    }
    match accord_server::check::check(data) {
        Ok(report) => tell(report),
        Err(error) => complain(&error),
    }
}

fn tell(Report { documents, plans, entries, faults }: Report) -> ExitCode {
    say(&format!(
        "checked {plans} plans, {documents} documents with {entries} entries, and the audit record"
    ));
    for fault in &faults {
        say(&format!("DAMAGED {fault}"));
    }
    if faults.is_empty() {
        say("everything is as it was written");
        return ExitCode::SUCCESS;
    }
    complain(&"what is named above is not as it was written: restore it from a backup")
}

/// Asks the installation, and says what it answers.
async fn ask(data: Data, verb: control::Verb) -> ExitCode {
    match control::ask(&Config::new(data.data), verb).await {
        Ok(Answer::People { people }) => {
            for Account { name, email, administrator, plans } in people {
                let runs = if administrator { "administrator" } else { "" };
                say(&format!(
                    "{}\t{}\t{runs}\t{}",
                    Shown::of(&name),
                    Shown::of(&email.unwrap_or_default()),
                    Shown::of(&plans.join(", "))
                ));
            }
        }
        Ok(Answer::Administrator { name }) => {
            say(&format!("{} runs this installation now.", Shown::name(&name)))
        }
        Ok(Answer::Link { link }) => say(&format!("Works once, within a day:\n{link}")),
        Ok(Answer::Backup { plans, documents, entries }) => say(&format!(
            "backed up {plans} plans and {documents} documents with {entries} entries; read back, and whole"
        )),
        Ok(Answer::Refused { reason }) => return complain(&reason),
        Err(error) => return complain(&error),
    }
    ExitCode::SUCCESS
}

/// From the terminal, unseen; or a line of standard input, where that is no terminal.
fn ask_password() -> std::io::Result<String> {
    if std::io::stdin().is_terminal() {
        return rpassword::prompt_password("Password (at least 10 characters): ");
    }
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

async fn serve(options: Serve) -> Result<(), ServeError> {
    let stop = signals::asked_to_stop()?;
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
            total: options.connections,
            per_address: options.connections_per_address,
            per_person: options.connections_per_person,
        },
        deadlines: Deadlines::default().shortened(options.shorten_deadlines),
        keep_deleted: days(options.keep_deleted_days),
        redaction_memory: options.redaction_memory_mib.saturating_mul(1024 * 1024),
        fonts: options.fonts,
        metrics_listen: options.metrics_listen,
        mail: options.smtp_url.zip(options.mail_from).map(|(url, from)| MailConfig { url, from }),
        ..Config::new(options.data.data)
    };
    run(listener, config, stop).await
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
