//! What can be done at the server's own shell, where no browser is at hand: the same records and the
//! same audit record as over HTTP.
//!
//! A running server takes it over a socket in its data folder, which only its own user can open. Where
//! no server runs, the store is opened here.

use crate::backup::{BackupError, Held, backup};
use crate::committer::Committer;
use crate::generation::Generation;
use crate::metrics::Metrics;
use crate::people::{AccountError, ChangeError, Lane, PasswordError, Passwords, People, Purpose};
use crate::plans::{Plans, installation};
use crate::store::{SledStore, Store, StoreError};
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

/// Where a running server listens, in its data folder.
const SOCKET: &str = "shell.sock";
/// The longest question or answer, in bytes.
const LINE: u64 = 16 * 1024 * 1024;
/// How long a question may take to come.
const QUESTION: Duration = Duration::from_secs(10);
/// The pause after a connection could not be accepted.
const AGAIN: Duration = Duration::from_millis(200);
/// How long a link made here is valid, in milliseconds.
const LINK_MS: u64 = 24 * 3_600_000;
/// The address of a server without `--public-url`.
const HERE: &str = "http://127.0.0.1:4040";

/// What is asked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case")]
pub enum Verb {
    /// Everybody who has an account.
    People,
    /// An account that runs the installation; where the address has one, that one.
    MakeAdministrator {
        /// The person's name.
        name: String,
        /// Their address, by which they sign in.
        email: String,
        /// Their password.
        password: String,
    },
    /// A link by which somebody can set a new password, at an address of this installation.
    ResetPassword {
        /// The address of the account.
        email: String,
        /// The origin of the installation, where the server has no `--public-url`.
        at: Option<String>,
    },
    /// Everything, into a new file.
    Backup {
        /// The file, which must not be there yet.
        to: PathBuf,
    },
}

/// What comes of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "said", rename_all = "snake_case")]
pub enum Said {
    /// The accounts.
    People {
        /// All of them.
        people: Vec<Listed>,
    },
    /// An administrator was made, or was there.
    Administrator {
        /// Their name.
        name: String,
    },
    /// A link by which a password is set.
    Link {
        /// The whole address.
        link: String,
    },
    /// A backup was written.
    Backup {
        /// How many plans it holds.
        plans: usize,
        /// How many documents.
        documents: usize,
        /// How many entries of all ledgers.
        entries: usize,
    },
    /// It was not done.
    Refused {
        /// Why, as a sentence.
        reason: String,
    },
}

/// An account in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// The person's name.
    pub name: String,
    /// Their address, if they have one.
    pub email: Option<String>,
    /// Whether they run the installation.
    pub administrator: bool,
    /// The titles of the plans in which this person has a seat.
    pub plans: Vec<String>,
}

/// Why a verb of the command line fails. Each is a sentence for the operator.
#[derive(Debug, Error)]
pub enum ShellError {
    /// The data folder can't be opened.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// The account can't be made or changed.
    #[error("{0}")]
    Account(#[from] AccountError),
    /// The password is not taken.
    #[error("{0}")]
    Password(#[from] PasswordError),
    /// The backup fails.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// Nobody has this address.
    #[error("there is no account with the address {0}")]
    NoAccount(String),
}

impl From<StoreError> for ShellError {
    fn from(error: StoreError) -> Self {
        Self::Serve(error.into())
    }
}

impl From<ChangeError> for ShellError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Account(error) => error.into(),
            ChangeError::Store(error) => error.into(),
        }
    }
}

/// Does what is asked: by the server that runs over this data folder, or, where none does, by itself.
///
/// # Errors
/// When the data folder can't be opened. What is refused is an answer.
pub async fn ask(config: &Config, verb: Verb) -> Result<Said, ShellError> {
    if let Ok(stream) = UnixStream::connect(config.data.join(SOCKET)).await {
        return Ok(ask_server(stream, &verb).await.map_err(ServeError::System)?);
    }
    let opening = config.clone();
    let opened = tokio::task::spawn_blocking(move || Shell::open(&opening)).await;
    let shell = opened.map_err(|error| ServeError::System(io::Error::other(error)))??;
    Ok(shell.answer(verb).await)
}

async fn ask_server(mut stream: UnixStream, verb: &Verb) -> io::Result<Said> {
    let mut line = serde_json::to_vec(verb)?;
    line.push(b'\n');
    stream.write_all(&line).await?;
    let mut answer = Vec::new();
    stream.take(LINE).read_to_end(&mut answer).await?;
    Ok(serde_json::from_slice(&answer)?)
}

/// An installation, as its shell sees it.
#[derive(Clone)]
#[allow(missing_debug_implementations)]
pub(crate) struct Shell {
    people: People,
    plans: Plans,
    passwords: Passwords,
    store: Arc<dyn Store>,
    data: PathBuf,
    /// The start of every link to this installation.
    base: String,
}

impl Shell {
    pub(crate) fn new(
        people: People,
        plans: Plans,
        passwords: Passwords,
        store: Arc<dyn Store>,
        data: PathBuf,
        base: String,
    ) -> Self {
        Self { people, plans, passwords, store, data, base }
    }

    /// Opens an installation that no server serves. Blocks.
    fn open(config: &Config) -> Result<Self, ShellError> {
        let store: Arc<dyn Store> = Arc::new(SledStore::open(&config.data, config.reserve)?);
        let committer =
            Committer::start(store.clone(), Metrics::default()).map_err(ServeError::System)?;
        let (clock, generation) = (config.clock.clone(), Generation::default());
        let people =
            People::open(store.clone(), clock.clone(), config.sessions, generation.clone())?;
        let plans = Plans::open(store.clone(), committer, clock, generation)?;
        let passwords = Passwords::start().map_err(ServeError::System)?;
        Ok(Self::new(people, plans, passwords, store, config.data.clone(), HERE.into()))
    }

    async fn answer(&self, verb: Verb) -> Said {
        let said = self.carry_out(verb).await;
        said.unwrap_or_else(|error| Said::Refused { reason: error.to_string() })
    }

    async fn carry_out(&self, verb: Verb) -> Result<Said, ShellError> {
        match verb {
            Verb::People => Ok(Said::People { people: self.list()? }),
            Verb::MakeAdministrator { name, email, password } => {
                let person = match self.people.by_email(&email)? {
                    Some(person) => self.people.set_administrator(&person.id, true)?,
                    None => {
                        let hash =
                            self.passwords.hash(Lane::Known, &password, &[&name, &email]).await?;
                        self.people.create(&name, Some(&email), Some(&hash), true)?
                    }
                };
                let deed = AuditAction::MakeAdministrator { person: person.id };
                self.plans.record(&installation(), deed, None).await?;
                Ok(Said::Administrator { name: person.name })
            }
            Verb::Backup { to } => {
                // Named in the record first, so that the backup says of itself that it was made.
                self.plans.record(&installation(), AuditAction::Backup, None).await?;
                let (store, data) = (self.store.clone(), self.data.clone());
                let made = tokio::task::spawn_blocking(move || backup(&*store, &data, &to)).await;
                let made = made.map_err(|error| ServeError::System(io::Error::other(error)))?;
                let Held { plans, documents, entries, .. } = made?;
                Ok(Said::Backup { plans, documents, entries })
            }
            Verb::ResetPassword { email, at } => {
                let person = self.people.by_email(&email)?;
                let person = person.ok_or(ShellError::NoAccount(email))?;
                let purpose = Purpose::Reset { person: person.id.clone(), mailed_to: None };
                let secret = self.people.make_link(purpose, LINK_MS)?;
                let deed = AuditAction::MakeResetLink { person: person.id };
                self.plans.record(&installation(), deed, None).await?;
                let base = at.unwrap_or_else(|| self.base.clone());
                Ok(Said::Link { link: format!("{base}/links/{secret}") })
            }
        }
    }

    fn list(&self) -> Result<Vec<Listed>, ShellError> {
        let mut everybody = self.people.everybody()?;
        everybody.retain(|person| !person.forgotten);
        everybody.sort_by(|a, b| a.name.cmp(&b.name));
        let listed = everybody.into_iter().map(|person| {
            let plans = self.plans.seating(&person.id);
            let plans = plans.into_iter().map(|(_, plan)| plan.title().to_owned()).collect();
            let (name, email) = (person.name, person.email);
            Listed { name, email, administrator: person.administrator, plans }
        });
        Ok(listed.collect())
    }
}

/// Opens the socket of a server that has the data folder to itself.
///
/// # Errors
/// When the system does not allow it.
pub(crate) fn listen(data: &Path) -> io::Result<UnixListener> {
    let path = data.join(SOCKET);
    // One that a server left behind when it was killed.
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&path)?;
    fs::set_permissions(&path, Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Answers at the socket for as long as the server runs.
pub(crate) async fn serve(listener: UnixListener, shell: Shell) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let shell = shell.clone();
                tokio::spawn(async move {
                    if let Err(error) = converse(stream, &shell).await {
                        tracing::warn!(%error, "the shell's question could not be answered");
                    }
                });
            }
            // No more open files, for example: they come back.
            Err(error) => {
                tracing::error!(%error, "the shell's socket does not work at the moment");
                sleep(AGAIN).await;
            }
        }
    }
}

async fn converse(stream: UnixStream, shell: &Shell) -> io::Result<()> {
    let mut reader = BufReader::new(stream.take(LINE));
    let mut line = String::new();
    timeout(QUESTION, reader.read_line(&mut line)).await??;
    let said = match serde_json::from_str(&line) {
        Ok(verb) => shell.answer(verb).await,
        Err(_) => Said::Refused { reason: "this server does not know that verb".into() },
    };
    let answer = serde_json::to_vec(&said)?;
    reader.into_inner().into_inner().write_all(&answer).await
}
