//! The arguments of the command line and their help texts. The module `main` carries out the commands.

use accord_server::signing::note::PublicKey;
use accord_server::site::PublicUrl;
use accord_server::{Config, ConnectionLimits, Deadlines, MailConfig, SessionLimits, days};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Write Open Government Partnership commitments together.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the web app, the HTTP API and live editing.
    Serve(ServeArgs),
    /// List everybody who has an account.
    People(DataFolder),
    /// Make somebody an administrator of the installation.
    ///
    /// If no account has the e-mail address, a new account is created. The command always asks for a password, but only
    /// a new account gets this password and the name. An existing account keeps its own.
    MakeAdministrator(MakeAdministratorArgs),
    /// Print a link that lets somebody set a new password.
    ///
    /// The link works once, within a day.
    ResetPassword(ResetPasswordArgs),
    /// Check all stored data for damage, while the server is stopped.
    ///
    /// Reads every ledger from its beginning and verifies each entry.
    Check(DataFolder),
    /// Write everything into one new file. The server can keep running.
    ///
    /// Reads the file back and verifies every ledger in it. The file contains the key that signs releases: keep it as
    /// safe as the data folder.
    Backup(BackupArgs),
    /// Make a new data folder from a backup, and check it.
    ///
    /// If a browser has edits that the backup lacks, its page keeps these edits and asks its user what to do with them.
    Restore(RestoreArgs),
    /// Save what can be saved of a damaged data folder into a new one, while the server is stopped.
    ///
    /// A restored backup is better, if there is one. Nothing in the damaged folder is changed. Prints everything that is
    /// lost or can be lost, and checks the new folder. The exit code is 0 if everything was saved, 2 if the rest was
    /// saved, and 1 if nothing was.
    Repair(RepairArgs),
    /// Check that a downloaded release is what both sides signed, to the last character.
    ///
    /// Needs no server. The exit code is 0 if the release is valid and signed with a trusted key, 2 if it is valid but
    /// no trusted key was given, and 1 otherwise.
    Verify(VerifyArgs),
    /// Make a new key to sign releases. The server uses it from its next start.
    ///
    /// The old key is still published, so that the releases that it signed can be verified.
    RotateKey(DataFolder),
    /// Print the description of the HTTP API (OpenAPI, JSON).
    Openapi,
    /// Make or read one file. The server starts this command itself.
    #[command(hide = true)]
    Worker {
        /// The process id of the server that started the worker.
        parent: i32,
    },
}

#[derive(Debug, Args)]
pub(crate) struct DataFolder {
    /// The folder that holds all data.
    #[arg(long = "data", value_name = "DATA", env = "ACCORD_DATA", default_value = "data")]
    pub(crate) path: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    #[command(flatten)]
    pub(crate) data: DataFolder,
    /// The file to write. It must not exist yet.
    pub(crate) file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// The folder to make. It must not exist yet, or must be empty.
    #[arg(long, env = "ACCORD_DATA", default_value = "data")]
    pub(crate) data: PathBuf,
    /// The backup to read.
    pub(crate) file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct RepairArgs {
    #[command(flatten)]
    pub(crate) data: DataFolder,
    /// The folder to make. It must not exist yet, or must be empty.
    pub(crate) new: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The release as it was downloaded (JSON).
    pub(crate) file: PathBuf,
    /// A key to trust, as the installation publishes it at /keys.txt. Can be given more than once.
    #[arg(long, env = "ACCORD_KEY", value_delimiter = ',')]
    pub(crate) key: Vec<PublicKey>,
    /// The number that the release should have.
    #[arg(long)]
    pub(crate) number: Option<u32>,
}

#[derive(Debug, Args)]
pub(crate) struct MakeAdministratorArgs {
    #[command(flatten)]
    pub(crate) data: DataFolder,
    /// The e-mail address with which the person signs in.
    #[arg(long)]
    pub(crate) email: String,
    /// The name of a new account, as others see it.
    #[arg(long)]
    pub(crate) name: String,
}

#[derive(Debug, Args)]
pub(crate) struct ResetPasswordArgs {
    #[command(flatten)]
    pub(crate) data: DataFolder,
    /// The e-mail address of the account.
    #[arg(long)]
    pub(crate) email: String,
    /// The address at which browsers find the server, for the link. Not needed if the running server was started with
    /// this option.
    #[arg(long, env = "ACCORD_PUBLIC_URL")]
    pub(crate) public_url: Option<PublicUrl>,
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    data: DataFolder,
    /// The address to listen on.
    #[arg(long, env = "ACCORD_LISTEN", default_value = "127.0.0.1:4040")]
    pub(crate) listen: SocketAddr,
    /// Make a demo plan, and let anybody on this machine sign in as one of the demo people.
    #[arg(long, env = "ACCORD_DEMO")]
    pub(crate) demo: bool,
    /// The address at which browsers find the server, like https://accord.example.org. Needed unless the server is used
    /// from this machine alone.
    #[arg(long, env = "ACCORD_PUBLIC_URL")]
    public_url: Option<PublicUrl>,
    /// Take each caller's address from the proxy in front of the server: the last address in X-Forwarded-For.
    #[arg(long, env = "ACCORD_BEHIND_PROXY")]
    behind_proxy: bool,
    /// Days from a sign-in until the person has to sign in again, even if they use Accord every day.
    #[arg(long, env = "ACCORD_SESSION_DAYS", default_value_t = Config::DEFAULT_SESSION_DAYS, value_parser = clap::value_parser!(u32).range(1..=365))]
    session_days: u32,
    /// Days after which a person who has not used Accord has to sign in again.
    #[arg(long, env = "ACCORD_SESSION_IDLE_DAYS", default_value_t = Config::DEFAULT_SESSION_IDLE_DAYS, value_parser = clap::value_parser!(u32).range(1..=365))]
    session_idle_days: u32,
    /// The most connections of any kind that can be open at the same time. There are fewer if the system allows fewer
    /// open files.
    #[arg(long, env = "ACCORD_CONNECTIONS", default_value_t = ConnectionLimits::DEFAULT.total)]
    connections: usize,
    /// The most sync connections from one address, which a whole city can share. One address can have twice as many
    /// connections of any kind, but at most half of all that can be open. An IPv6 network of 64 bits counts as one
    /// address.
    #[arg(long, env = "ACCORD_CONNECTIONS_PER_ADDRESS", default_value_t = ConnectionLimits::DEFAULT.per_address)]
    connections_per_address: usize,
    /// The most sync connections of one person, in all tabs and on all devices.
    #[arg(long, env = "ACCORD_CONNECTIONS_PER_PERSON", default_value_t = ConnectionLimits::DEFAULT.per_person)]
    connections_per_person: usize,
    /// Divide every deadline that a client has to meet by this number. For tests, which can't wait for minutes.
    #[arg(long, env = "ACCORD_SHORTEN_DEADLINES", default_value_t = 1, hide = true)]
    shorten_deadlines: u32,
    /// Days after which a deleted commitment is erased.
    #[arg(long, env = "ACCORD_KEEP_DELETED_DAYS", default_value_t = Config::DEFAULT_KEEP_DELETED_DAYS)]
    keep_deleted_days: u32,
    /// The mail server that sends all mail, including links for new passwords. For example:
    /// smtps://user:password@mail.example.org:465.
    #[arg(long, env = "ACCORD_SMTP_URL", hide_env_values = true, requires = "mail_from")]
    smtp_url: Option<String>,
    /// The sender of all mail, like Accord <accord@example.org>.
    #[arg(long, env = "ACCORD_MAIL_FROM")]
    mail_from: Option<String>,
    /// A folder of additional fonts (TrueType or OpenType), for scripts that the server's own fonts do not cover in PDF
    /// files.
    #[arg(long, env = "ACCORD_FONTS")]
    fonts: Option<PathBuf>,
    /// A separate address for metrics, like 10.0.0.5:9464, which only your monitoring should reach. Without it, only
    /// callers on this machine get /metrics.
    #[arg(long, env = "ACCORD_METRICS_LISTEN")]
    metrics_listen: Option<SocketAddr>,
    /// MiB of disk space that must stay free. When less is free, the server accepts no more changes.
    #[arg(long, env = "ACCORD_RESERVE_MIB", default_value_t = Config::DEFAULT_RESERVE_MIB)]
    reserve_mib: u64,
    /// MiB of memory that the history of a document can take while a passage is redacted. A history above 64 MiB is not
    /// shown, but a redaction has to search it.
    #[arg(long, env = "ACCORD_REDACTION_MEMORY_MIB", default_value_t = Config::DEFAULT_REDACTION_MEMORY_MIB)]
    redaction_memory_mib: usize,
    /// The format of log lines.
    #[arg(long, env = "ACCORD_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub(crate) log_format: LogFormat,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

impl ServeArgs {
    /// Returns the configuration that these arguments describe.
    pub(crate) fn config(self) -> Config {
        Config {
            reserve: self.reserve_mib.saturating_mul(1024 * 1024),
            demo: self.demo,
            public_url: self.public_url,
            behind_proxy: self.behind_proxy,
            sessions: SessionLimits {
                absolute: days(self.session_days),
                idle: days(self.session_idle_days),
            },
            connections: ConnectionLimits {
                total: self.connections,
                per_address: self.connections_per_address,
                per_person: self.connections_per_person,
            },
            deadlines: Deadlines::default().shortened(self.shorten_deadlines),
            keep_deleted: days(self.keep_deleted_days),
            redaction_memory: self.redaction_memory_mib.saturating_mul(1024 * 1024),
            fonts: self.fonts,
            metrics_listen: self.metrics_listen,
            mail: self.smtp_url.zip(self.mail_from).map(|(url, from)| MailConfig { url, from }),
            ..Config::new(self.data.path)
        }
    }
}
