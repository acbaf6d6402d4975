//! What can be done at the server's own shell, where no browser is at hand: the same records and the
//! same audit record as over HTTP. The server must not run meanwhile: the store is one process's.

use crate::access::Generation;
use crate::committer::Committer;
use crate::metrics::Metrics;
use crate::people::{AccountError, ChangeError, PasswordError, Passwords, People, Person, Purpose};
use crate::plans::{Plans, installation};
use crate::site::PublicUrl;
use crate::store::{SledStore, Store, StoreError};
use crate::{Config, ServeError};
use accord_document::audit::Deed;
use std::sync::Arc;
use thiserror::Error;

/// How long a link made here is valid, in milliseconds.
const LINK_MS: u64 = 24 * 3_600_000;

#[derive(Debug, Error)]
pub enum ShellError {
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error("{0}")]
    Account(#[from] AccountError),
    #[error("{0}")]
    Password(#[from] PasswordError),
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

/// An installation, opened without serving it.
#[derive(Debug)]
pub struct Shell {
    people: People,
    plans: Plans,
}

impl Shell {
    /// Blocks.
    ///
    /// # Errors
    /// When the data folder can't be opened: because the server runs, for example.
    pub fn open(config: &Config) -> Result<Self, ShellError> {
        let store: Arc<dyn Store> = Arc::new(SledStore::open(&config.data, config.reserve)?);
        let committer =
            Committer::start(store.clone(), Metrics::default()).map_err(ServeError::System)?;
        let (clock, generation) = (config.clock.clone(), Generation::default());
        let people =
            People::open(store.clone(), clock.clone(), config.sessions, generation.clone())?;
        let plans = Plans::open(store, committer, clock, generation)?;
        Ok(Self { people, plans })
    }

    /// Everybody who has an account, in the order of their names, each with their seats.
    ///
    /// # Errors
    /// When they can't be read.
    pub fn people(&self) -> Result<Vec<(Person, Vec<String>)>, ShellError> {
        let mut everybody = self.people.everybody()?;
        everybody.retain(|person| !person.forgotten);
        everybody.sort_by(|a, b| a.name.cmp(&b.name));
        let seats = |person: &Person| {
            let plans = self.plans.seating(&person.id);
            plans.into_iter().map(|(_, plan)| plan.title().to_owned()).collect()
        };
        Ok(everybody.into_iter().map(|person| (person.clone(), seats(&person))).collect())
    }

    /// Makes an account that runs the installation; or, where the address has one, lets that run it.
    ///
    /// # Errors
    /// When name, address or password can't be.
    pub async fn make_administrator(
        &self,
        name: &str,
        email: &str,
        password: &str,
    ) -> Result<Person, ShellError> {
        let person = match self.people.by_email(email)? {
            Some(person) => self.people.set_administrator(&person.id, true)?,
            None => {
                let hash = Passwords::start()
                    .map_err(ServeError::System)?
                    .hash(password, &[name, email])
                    .await?;
                self.people.create(name, Some(email), Some(&hash), true)?
            }
        };
        let deed = Deed::MakeAdministrator { person: person.id.clone() };
        self.plans.record(&installation(), deed, None).await?;
        Ok(person)
    }

    /// Makes a link by which somebody can set a new password, once the server runs again.
    ///
    /// # Errors
    /// When there is no such account.
    pub async fn reset_link(&self, email: &str, at: &PublicUrl) -> Result<String, ShellError> {
        let person = self.people.by_email(email)?;
        let person = person.ok_or_else(|| ShellError::NoAccount(email.to_owned()))?;
        let purpose = Purpose::Reset { person: person.id.clone() };
        let secret = self.people.make_link(purpose, LINK_MS)?;
        let deed = Deed::MakeResetLink { person: person.id };
        self.plans.record(&installation(), deed, None).await?;
        Ok(format!("{at}/links/{secret}"))
    }
}
