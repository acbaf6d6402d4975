//! The commands of the command line that need an installation's data: listing people, making an administrator,
//! resetting a password, writing a backup. They use the same records as the HTTP API. All of them except the list of
//! people appear in the audit record.
//!
//! Only one process can open the store. A running server therefore carries out these commands itself: it listens on a
//! Unix socket in its data folder. Only the user that runs the server can open this socket. If no server runs, the
//! process of the command opens the store.

use crate::backup::{BackupContents, BackupError, backup};
use crate::committer::Committer;
use crate::generation::Generation;
use crate::metrics::Metrics;
use crate::people::{AccountError, ChangeError, Lane, PasswordError, Passwords, People, Purpose};
use crate::plans::{Plans, installation};
use crate::store::{DiskStore, Store, StoreError};
use crate::{Config, ServeError};
use accord_document::body::AuditAction;
use serde::{Deserialize, Serialize};
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::{sleep, timeout};

/// Name of a running server's socket, in its data folder.
const SOCKET: &str = "shell.sock";
/// Maximum length of a request or an answer, in bytes.
const MAX_MESSAGE_BYTES: u64 = 16 * 1024 * 1024;
/// Time that a client has to send its request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// Pause after a connection could not be accepted.
const ACCEPT_RETRY: Duration = Duration::from_millis(200);
/// Validity of a link for a new password, in milliseconds.
const LINK_VALIDITY_MS: u64 = 24 * 3_600_000;
/// The web origin with which a link begins if a command makes the link while no server runs: the address of a server
/// that is started without `--public-url` and `--listen`.
const DEFAULT_BASE: &str = "http://127.0.0.1:4040";

/// A request to carry out a command, sent as one line of JSON.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case")]
pub enum Command {
    /// List everybody who has an account.
    People,
    /// Make somebody an administrator: the account with the e-mail address or, if there is none, a new account.
    MakeAdministrator {
        /// The name for a new account. An existing account keeps its own.
        name: String,
        /// The e-mail address with which the person signs in.
        email: String,
        /// The password for a new account. An existing account keeps its own.
        password: String,
    },
    /// Make a link with which somebody can set a new password.
    ResetPassword {
        /// The e-mail address of the account.
        email: String,
        /// The web origin with which the link begins. If absent, the link begins with the running server's own origin
        /// or, if no server runs, with `http://127.0.0.1:4040`.
        at: Option<String>,
    },
    /// Write everything into a new file.
    Backup {
        /// The file to write. It must not exist yet.
        to: PathBuf,
    },
}

/// The answer to a [`Command`], sent as JSON up to the end of the stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "said", rename_all = "snake_case")]
pub enum Answer {
    /// The answer to [`Command::People`].
    People {
        /// All accounts.
        people: Vec<Account>,
    },
    /// The person is an administrator now.
    Administrator {
        /// The person's name.
        name: String,
    },
    /// A link with which the person can set a new password.
    Link {
        /// The complete URL.
        link: String,
    },
    /// A backup was written.
    Backup {
        /// Number of plans in the backup.
        plans: usize,
        /// Number of documents in the backup.
        documents: usize,
        /// Number of entries in all ledgers of the backup.
        entries: usize,
    },
    /// The command failed.
    Refused {
        /// The reason, as a sentence for the operator.
        reason: String,
    },
}

/// A user account, as [`Answer::People`] lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The person's name.
    pub name: String,
    /// The e-mail address, if the account has one.
    pub email: Option<String>,
    /// Whether the person is an administrator of the installation.
    pub administrator: bool,
    /// The titles of the plans in which this person has a seat.
    pub plans: Vec<String>,
}

/// The error of a command. Each message is a sentence for the operator.
#[derive(Debug, Error)]
pub enum ControlError {
    /// The data folder can't be opened.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// The account can't be made or changed.
    #[error("{0}")]
    Account(#[from] AccountError),
    /// The password is refused.
    #[error("{0}")]
    Password(#[from] PasswordError),
    /// The backup can't be written.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// No account has this e-mail address.
    #[error("there is no account with the address {0}")]
    NoAccount(String),
}

impl From<StoreError> for ControlError {
    fn from(error: StoreError) -> Self {
        Self::Serve(error.into())
    }
}

impl From<ChangeError> for ControlError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Account(error) => error.into(),
            ChangeError::Store(error) => error.into(),
        }
    }
}

/// Carries out a command: through the server that uses the data folder or, if no server runs, in this process.
///
/// # Errors
/// Returns an error if the data folder can't be opened or the running server can't be reached. A command that fails
/// returns [`Answer::Refused`] instead.
pub async fn ask(config: &Config, command: Command) -> Result<Answer, ControlError> {
    if let Ok(stream) = UnixStream::connect(config.data.join(SOCKET)).await {
        return Ok(ask_server(stream, &command).await.map_err(ServeError::System)?);
    }
    let opening = config.clone();
    let opened = tokio::task::spawn_blocking(move || Control::open(&opening)).await;
    let control = opened.map_err(|error| ServeError::System(io::Error::other(error)))??;
    Ok(control.answer(command).await)
}

async fn ask_server(mut stream: UnixStream, command: &Command) -> io::Result<Answer> {
    let mut line = serde_json::to_vec(command)?;
    line.push(b'\n');
    stream.write_all(&line).await?;
    let mut answer = Vec::new();
    stream.take(MAX_MESSAGE_BYTES).read_to_end(&mut answer).await?;
    Ok(serde_json::from_slice(&answer)?)
}

/// The handler of commands, with the records that they need.
#[derive(Clone)]
#[allow(missing_debug_implementations)]
pub(crate) struct Control {
    pub(crate) people: People,
    pub(crate) plans: Plans,
    pub(crate) passwords: Passwords,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) data: PathBuf,
    /// The web origin with which links to this installation begin, such as `https://accord.example.org`.
    pub(crate) base: String,
}

impl Control {
    /// Opens an installation that no server serves. Blocks.
    fn open(config: &Config) -> Result<Self, ControlError> {
        let store: Arc<dyn Store> = Arc::new(DiskStore::open(&config.data, config.reserve)?);
        let committer =
            Committer::start(store.clone(), Metrics::default()).map_err(ServeError::System)?;
        let (clock, generation) = (config.clock.clone(), Generation::default());
        let people =
            People::open(store.clone(), clock.clone(), config.sessions, generation.clone())?;
        let plans = Plans::open(store.clone(), committer, clock, generation)?;
        let passwords = Passwords::start().map_err(ServeError::System)?;
        let (data, base) = (config.data.clone(), DEFAULT_BASE.into());
        Ok(Self { people, plans, passwords, store, data, base })
    }

    async fn answer(&self, command: Command) -> Answer {
        let answer = self.carry_out(command).await;
        answer.unwrap_or_else(|error| Answer::Refused { reason: error.to_string() })
    }

    async fn carry_out(&self, command: Command) -> Result<Answer, ControlError> {
        match command {
            Command::People => Ok(Answer::People { people: self.list()? }),
            Command::MakeAdministrator { name, email, password } => {
                let person = match self.people.by_email(&email)? {
                    Some(person) => self.people.set_administrator(&person.id, true)?,
                    None => {
                        let hash =
                            self.passwords.hash(Lane::Known, &password, &[&name, &email]).await?;
                        self.people.create(&name, Some(&email), Some(&hash), true)?
                    }
                };
                let action = AuditAction::MakeAdministrator { person: person.id };
                self.plans.record(&installation(), action, None).await?;
                Ok(Answer::Administrator { name: person.name })
            }
            Command::Backup { to } => {
                // The event is recorded first, so that the backup contains the record of its own making.
                self.plans.record(&installation(), AuditAction::Backup, None).await?;
                let (store, data) = (self.store.clone(), self.data.clone());
                let made = tokio::task::spawn_blocking(move || backup(&*store, &data, &to)).await;
                let made = made.map_err(|error| ServeError::System(io::Error::other(error)))?;
                let BackupContents { plans, documents, entries, .. } = made?;
                Ok(Answer::Backup { plans, documents, entries })
            }
            Command::ResetPassword { email, at } => {
                let person = self.people.by_email(&email)?;
                let person = person.ok_or(ControlError::NoAccount(email))?;
                let purpose = Purpose::Reset { person: person.id.clone(), mailed_to: None };
                let secret = self.people.make_link(purpose, LINK_VALIDITY_MS)?;
                let action = AuditAction::MakeResetLink { person: person.id };
                self.plans.record(&installation(), action, None).await?;
                let base = at.unwrap_or_else(|| self.base.clone());
                Ok(Answer::Link { link: format!("{base}/links/{secret}") })
            }
        }
    }

    fn list(&self) -> Result<Vec<Account>, ControlError> {
        let mut everybody = self.people.everybody()?;
        everybody.retain(|person| !person.forgotten);
        everybody.sort_by(|a, b| a.name.cmp(&b.name));
        let listed = everybody.into_iter().map(|person| {
            let plans = self.plans.seating(&person.id);
            let plans = plans.into_iter().map(|(_, plan)| plan.title().to_owned()).collect();
            let (name, email) = (person.name, person.email);
            Account { name, email, administrator: person.administrator, plans }
        });
        Ok(listed.collect())
    }
}

/// Opens the control socket. Only the server that has locked the data folder is allowed to call this function, because
/// it removes an existing socket.
///
/// # Errors
/// Returns an error if the system does not allow the socket.
pub(crate) fn listen(data: &Path) -> io::Result<UnixListener> {
    let path = data.join(SOCKET);
    // A server that was killed leaves its socket behind.
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&path)?;
    fs::set_permissions(&path, Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Answers commands at the socket until the task is aborted.
pub(crate) async fn serve(listener: UnixListener, control: Control) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let control = control.clone();
                tokio::spawn(async move {
                    if let Err(error) = converse(stream, &control).await {
                        tracing::warn!(%error, "a command could not be answered over the control socket");
                    }
                });
            }
            // A connection could not be accepted. The cause is temporary, such as too many open files in the process.
            Err(error) => {
                tracing::error!(%error, "the control socket accepts no connection at the moment");
                sleep(ACCEPT_RETRY).await;
            }
        }
    }
}

async fn converse(stream: UnixStream, control: &Control) -> io::Result<()> {
    let mut reader = BufReader::new(stream.take(MAX_MESSAGE_BYTES));
    let mut line = String::new();
    timeout(REQUEST_TIMEOUT, reader.read_line(&mut line)).await??;
    let answer = match serde_json::from_str(&line) {
        Ok(command) => control.answer(command).await,
        Err(_) => Answer::Refused {
            reason: "the running server does not know this command: it is probably another version of Accord"
                .into(),
        },
    };
    let answer = serde_json::to_vec(&answer)?;
    reader.into_inner().into_inner().write_all(&answer).await
}
