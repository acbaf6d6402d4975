//! E-mail addresses: each belongs to one account, and counts as verified only when mail to it has reached
//! its person.

use super::{AccountError, Change, DeviceSecrets, EMAIL, Familiar, PERSON, People, Person, Result};
use super::{encode, get, new, parse};
use crate::site::AddressGroup;
use crate::store::{StoreError, Swap};
use accord_document::ids::PersonId;
use accord_document::readable::is_unseen;

/// The longest address (RFC 5321, section 4.5.3.1).
const ADDRESS: usize = 254;

/// What a sign-in with a password is judged by.
#[derive(Debug)]
pub(crate) struct Credentials {
    /// Whose the address is, if anybody's.
    pub person: Option<Person>,
    /// The hash of their password, if they have one.
    pub hash: Option<String>,
    pub familiar: Familiar,
}

impl People {
    pub(crate) fn by_email(&self, email: &str) -> Result<Option<Person>> {
        let id: Option<PersonId> = get(&*self.store, EMAIL, &email_key(email))?;
        id.map_or(Ok(None), |id| self.person(&id))
    }

    /// Reads what a sign-in is judged by. It reads as much for an address that nobody has.
    pub(crate) fn credentials(
        &self,
        email: &str,
        devices: &DeviceSecrets,
        from: AddressGroup,
    ) -> Result<Credentials> {
        let id: Option<PersonId> = get(&*self.store, EMAIL, &email_key(email))?;
        let read = id.clone().unwrap_or_else(|| PersonId::new("nobody"));
        Ok(Credentials {
            person: self.person(&read)?,
            hash: self.password(&read)?,
            familiar: self.familiar(id.as_ref(), devices, from)?,
        })
    }

    /// Gives somebody another address, which is not verified. Links for the account that are under way
    /// stop working: they may have gone to the old one.
    ///
    /// # Errors
    /// When it can't be an address, or belongs to somebody else.
    pub(crate) fn set_email(&self, id: &PersonId, email: &str) -> Change<Person> {
        let email = clean_email(email)?;
        let found = self.store.get(PERSON, id.as_str())?.ok_or(AccountError::Missing)?;
        let mut person: Person = parse(&found.value)?;
        let old = person.email.replace(email.clone());
        let old_key = old.as_deref().map(email_key);
        if old.as_deref() == Some(&email) {
            return Ok(person);
        }
        person.email_verified = false;
        let mut swaps = self.link_removals(id)?;
        swaps.push(Swap {
            kind: PERSON,
            key: id.to_string(),
            expected: Some(found.revision),
            value: Some(encode(&person)?),
        });
        // Addresses that differ in case only are one.
        if old_key.as_deref() != Some(&email_key(&email)) {
            if let Some(by_email) = self.by_email(&email)?
                && by_email.id != *id
            {
                return Err(AccountError::EmailTaken.into());
            }
            swaps.push(new(EMAIL, &email_key(&email), id)?);
            if let Some(key) = old_key
                && let Some(record) = self.store.get(EMAIL, &key)?
            {
                swaps.push(Swap { kind: EMAIL, key, expected: Some(record.revision), value: None });
            }
        }
        match self.store.swap_all(&swaps) {
            Ok(()) => Ok(person),
            Err(error) => Err(error.into()),
        }
    }

    /// Notes that mail to an address has reached somebody. It counts only while that is their address.
    pub(crate) fn verify_email(&self, id: &PersonId, email: &str) -> Result<()> {
        loop {
            let Some(found) = self.store.get(PERSON, id.as_str())? else { return Ok(()) };
            let mut person: Person = parse(&found.value)?;
            let own = person.email.as_deref().map(email_key) == Some(email_key(email));
            if !own || person.email_verified {
                return Ok(());
            }
            person.email_verified = true;
            let value = encode(&person)?;
            match self.store.swap(PERSON, id.as_str(), Some(found.revision), Some(&value)) {
                Err(StoreError::Conflict) => {}
                done => return done,
            }
        }
    }
}

/// An address that mail can be sent to: something on both sides of an @, a dot in the domain or a
/// host of one's own. Whether it exists only a mail can tell.
pub(super) fn clean_email(email: &str) -> std::result::Result<String, AccountError> {
    let email = email.trim();
    let fits = email.len() <= ADDRESS
        && !email.contains(|c: char| is_unseen(c) || c == ' ' || "<>,;".contains(c));
    match email.rsplit_once('@') {
        Some((local, domain)) if fits && !local.is_empty() && !domain.is_empty() => {
            Ok(email.to_owned())
        }
        _ => Err(AccountError::Email),
    }
}

/// Addresses that differ in case only are one.
pub(super) fn email_key(email: &str) -> String {
    email.trim().to_lowercase()
}
