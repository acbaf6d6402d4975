//! E-mail addresses. An address belongs to at most one account. It counts as verified once its person has used a
//! link that was mailed to it, or once a trusted sign-in provider says so.

use super::{AccountError, Change, DeviceSecrets, EMAIL, Familiar, PERSON, People, Person, Result};
use super::{encode, get, new, parse};
use crate::site::AddressGroup;
use crate::store::{StoreError, Swap};
use accord_document::ids::PersonId;
use accord_document::readable::is_unseen;

/// Maximum length of an address, in bytes (RFC 5321, section 4.5.3.1).
const MAX_ADDRESS_BYTES: usize = 254;

/// The records by which a sign-in with a password is decided.
#[derive(Debug)]
pub(crate) struct Credentials {
    /// The person who has the entered address, or `None` if nobody has it.
    pub person: Option<Person>,
    /// The hash of the person's password, or `None` if there is no password.
    pub hash: Option<String>,
    pub familiar: Familiar,
}

impl People {
    pub(crate) fn by_email(&self, email: &str) -> Result<Option<Person>> {
        let id: Option<PersonId> = get(&*self.store, EMAIL, &email_key(email))?;
        id.map_or(Ok(None), |id| self.person(&id))
    }

    /// Reads the records by which a sign-in is decided. Reads just as many records if nobody has the address, so that
    /// the response time does not show whether an account exists.
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

    /// Replaces a person's address with one that is not verified yet. All links of the account stop working, because
    /// they might have been sent to the old address.
    ///
    /// # Errors
    /// Returns an error if the text can't be an address, if somebody else has the address, or if the person does not
    /// exist.
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
        // Two addresses that differ only in case have the same key, so the record of the address stays as it is.
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

    /// Records that mail sent to `email` reaches a person. Does nothing if the person now has another address.
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

/// Returns an address to which mail can be sent, without surrounding spaces. The address must have text on both sides
/// of its last `@`. A domain without a dot is accepted, because an organisation can have a mail host of its own. Only a
/// mail can show whether the address exists.
///
/// # Errors
/// Returns [`AccountError::Email`] if the text can't be an address.
pub(super) fn clean_email(email: &str) -> std::result::Result<String, AccountError> {
    let email = email.trim();
    let fits = email.len() <= MAX_ADDRESS_BYTES
        && !email.contains(|c: char| is_unseen(c) || c == ' ' || "<>,;".contains(c));
    match email.rsplit_once('@') {
        Some((local, domain)) if fits && !local.is_empty() && !domain.is_empty() => {
            Ok(email.to_owned())
        }
        _ => Err(AccountError::Email),
    }
}

/// Returns the key under which an address is stored. Addresses that differ only in case have the same key.
pub(super) fn email_key(email: &str) -> String {
    email.trim().to_lowercase()
}
