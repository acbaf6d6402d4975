//! Accounts: creating, changing and forgetting them.

use super::addresses::{clean_email, email_key};
use super::records::{encode, new, parse};
use super::secrets::fresh_id;
use super::{Change, DeviceSecrets, EMAIL, PASSWORD, PERSON, People, Person, Result};
use crate::store::{StoreError, Swap};
use accord_document::ids::PersonId;
use accord_document::readable::{clean, is_readable, mixes_scripts};
use thiserror::Error;

/// Maximum length of a person's name, in characters.
const MAX_NAME_CHARS: usize = 120;

/// The reason why an account can't be created or changed. Each message is a sentence for the person who tried.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AccountError {
    #[error("A name must have 1 to {MAX_NAME_CHARS} characters.")]
    Name,
    #[error("Others would not see this name as you wrote it. Write it in ordinary letters.")]
    Unreadable,
    #[error(
        "A word of this name mixes letters of several alphabets, or has letters in a special style. Write each word in ordinary letters of one alphabet."
    )]
    MixedScripts,
    #[error("That is not an e-mail address.")]
    Email,
    #[error("There is already an account with this e-mail address. Sign in to it instead.")]
    EmailTaken,
    #[error("Somebody else already signs in with this.")]
    IdentityTaken,
    #[error("You would no longer be able to sign in. Set a password first.")]
    LastWayIn,
    #[error("An installation needs an administrator. Make somebody else an administrator first.")]
    LastAdministrator,
    #[error("There is no such person.")]
    Missing,
}

/// The error of a change to the records: either the request is not acceptable, or the store failed.
#[derive(Debug, Clone, Error)]
pub enum ChangeError {
    #[error(transparent)]
    Account(#[from] AccountError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl People {
    /// Creates an account. `hash` is the result of [`Passwords::hash`](super::Passwords::hash), or `None` for a person
    /// who signs in with a provider.
    ///
    /// # Errors
    /// Returns an error if the name or the address is not valid, or if another account has the address.
    pub(crate) fn create(
        &self,
        name: &str,
        email: Option<&str>,
        hash: Option<&str>,
        administrator: bool,
    ) -> Change<Person> {
        let person = Person {
            id: PersonId::new(fresh_id()),
            name: clean_name(name)?,
            email: email.map(clean_email).transpose()?,
            email_verified: false,
            administrator,
            since: self.clock.now_ms(),
            forgotten: false,
        };
        let mut swaps = vec![new(PERSON, person.id.as_str(), &person)?];
        if let Some(email) = &person.email {
            swaps.push(new(EMAIL, &email_key(email), &person.id)?);
        }
        if let Some(hash) = hash {
            swaps.push(new(PASSWORD, person.id.as_str(), &hash)?);
        }
        match self.store.swap_all(&swaps) {
            Ok(()) => Ok(person),
            Err(StoreError::Conflict) => Err(AccountError::EmailTaken.into()),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes an account whose creation could not be completed, with its devices and sessions.
    pub(crate) fn discard(&self, person: &Person) -> Result<()> {
        let mut swaps = self.ways_in(person)?;
        swaps.extend(self.device_removals(&person.id, &DeviceSecrets::default())?);
        if let Some(record) = self.store.get(PERSON, person.id.as_str())? {
            let (key, expected) = (person.id.to_string(), Some(record.revision));
            swaps.push(Swap { kind: PERSON, key, expected, value: None });
        }
        self.store.swap_all(&swaps)?;
        self.sessions.end_all(&person.id, None).map(drop)
    }

    /// Returns the changes that remove a person's address, password and identities from the store.
    fn ways_in(&self, person: &Person) -> Result<Vec<Swap>> {
        let mut swaps = self.removals(&self.identities(&person.id)?)?;
        let email = person.email.as_deref().map(|email| (EMAIL, email_key(email)));
        for (kind, key) in email.into_iter().chain([(PASSWORD, person.id.to_string())]) {
            if let Some(record) = self.store.get(kind, &key)? {
                swaps.push(Swap { kind, key, expected: Some(record.revision), value: None });
            }
        }
        Ok(swaps)
    }

    /// Changes a person's name.
    ///
    /// # Errors
    /// Returns an error if the name is not valid, or if the person does not exist.
    pub(crate) fn rename(&self, id: &PersonId, name: &str) -> Change<Person> {
        let name = clean_name(name)?;
        self.change(id, |person| person.name = name)
    }

    /// Makes a person an administrator, or takes that role away.
    ///
    /// # Errors
    /// Returns an error if no administrator would be left, or if the person does not exist.
    pub(crate) fn set_administrator(&self, id: &PersonId, administrator: bool) -> Change<Person> {
        if !administrator && self.is_last_administrator(id)? {
            return Err(AccountError::LastAdministrator.into());
        }
        self.change(id, |person| person.administrator = administrator)
    }

    fn is_last_administrator(&self, id: &PersonId) -> Result<bool> {
        let all = self.everybody()?;
        let mut administrators = all.iter().filter(|person| person.administrator);
        Ok(administrators.next().is_some_and(|first| first.id == *id)
            && administrators.next().is_none())
    }

    fn change(&self, id: &PersonId, change: impl FnOnce(&mut Person)) -> Change<Person> {
        let found = self.store.get(PERSON, id.as_str())?.ok_or(AccountError::Missing)?;
        let mut person: Person = parse(&found.value)?;
        change(&mut person);
        self.store.swap(PERSON, id.as_str(), Some(found.revision), Some(&encode(&person)?))?;
        Ok(person)
    }

    /// Checks that a person can be forgotten.
    ///
    /// # Errors
    /// Returns [`AccountError::LastAdministrator`] if no administrator would be left.
    pub(crate) fn may_forget(&self, id: &PersonId) -> Change<()> {
        if self.is_last_administrator(id)? {
            return Err(AccountError::LastAdministrator.into());
        }
        Ok(())
    }

    /// Erases a person's name, address and every way to sign in. The person's contributions stay in the ledgers under
    /// the person's id. Only the notes of the releases that the person has signed still connect this id with a name.
    ///
    /// # Errors
    /// Returns an error if the person is the last administrator, or does not exist.
    pub(crate) fn forget(&self, id: &PersonId) -> Change<()> {
        self.may_forget(id)?;
        let found = self.store.get(PERSON, id.as_str())?.ok_or(AccountError::Missing)?;
        let person: Person = parse(&found.value)?;
        let former = Person {
            id: id.clone(),
            name: String::new(),
            email: None,
            email_verified: false,
            administrator: false,
            since: person.since,
            forgotten: true,
        };
        let mut swaps = self.ways_in(&person)?;
        swaps.extend(self.everything_seen(id)?);
        swaps.extend(self.link_removals(id)?);
        swaps.extend(self.device_removals(id, &DeviceSecrets::default())?);
        swaps.push(Swap {
            kind: PERSON,
            key: id.to_string(),
            expected: Some(found.revision),
            value: Some(encode(&former)?),
        });
        self.store.swap_all(&swaps)?;
        self.sessions.end_all(id, None)?;
        Ok(())
    }
}

/// Returns the name as pages show it: without line breaks, repeated spaces and invisible characters.
///
/// # Errors
/// Returns an error if the result is empty, is longer than [`MAX_NAME_CHARS`], is not readable, or mixes scripts in one
/// word.
fn clean_name(name: &str) -> std::result::Result<String, AccountError> {
    let name = clean(name).split_whitespace().collect::<Vec<_>>().join(" ");
    let fits = !name.is_empty()
        && name.chars().count() <= MAX_NAME_CHARS
        && !name.contains(char::is_control);
    match fits {
        false => Err(AccountError::Name),
        true if !is_readable(&name) => Err(AccountError::Unreadable),
        true if mixes_scripts(&name) => Err(AccountError::MixedScripts),
        true => Ok(name),
    }
}
