//! Sign-in providers (OpenID Connect), and the identities with which people sign in.

use super::{AccountError, Change, People, Result, encode, get, hash, scan};
use crate::store::{StoreError, Swap};
use accord_document::ids::PersonId;
use serde::{Deserialize, Serialize};

const PROVIDER: &str = "provider";
const IDENTITY: &str = "identity";

/// A provider with the settings that an administrator entered.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Provider {
    pub id: String,
    /// The name that the sign-in page shows.
    pub name: String,
    pub issuer: String,
    pub client_id: String,
    pub client_secret: String,
    /// Whether an address counts as verified if this provider says so (`email_verified`). An administrator decides
    /// this, because many providers let people claim any address.
    #[serde(default)]
    pub trust_email: bool,
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Provider").field("id", &self.id).field("issuer", &self.issuer).finish()
    }
}

/// The identity of a person at a provider. The subject is unique within its issuer (OpenID Connect Core, section 2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    pub person: PersonId,
    pub provider: String,
    pub issuer: String,
    pub subject: String,
}

fn identity_key(issuer: &str, subject: &str) -> String {
    hash(&format!("{issuer}\n{subject}"))
}

impl People {
    pub(crate) fn providers(&self) -> Result<Vec<Provider>> {
        scan(&*self.store, PROVIDER)
    }

    pub(crate) fn provider(&self, id: &str) -> Result<Option<Provider>> {
        get(&*self.store, PROVIDER, id)
    }

    pub(crate) fn add_provider(&self, provider: &Provider) -> Result<()> {
        self.store.swap(PROVIDER, &provider.id, None, Some(&encode(provider)?))
    }

    /// Removes a provider, and returns whether it existed. People who signed in with the provider keep their accounts,
    /// but need another way to sign in.
    pub(crate) fn remove_provider(&self, id: &str) -> Result<bool> {
        let Some(found) = self.store.get(PROVIDER, id)? else { return Ok(false) };
        self.store.swap(PROVIDER, id, Some(found.revision), None)?;
        Ok(true)
    }

    /// Returns the person with this identity, or `None` if nobody has it.
    pub(crate) fn identified(&self, issuer: &str, subject: &str) -> Result<Option<PersonId>> {
        let found: Option<Identity> = get(&*self.store, IDENTITY, &identity_key(issuer, subject))?;
        Ok(found.map(|identity| identity.person))
    }

    pub(crate) fn identities(&self, person: &PersonId) -> Result<Vec<Identity>> {
        let mut all: Vec<Identity> = scan(&*self.store, IDENTITY)?;
        all.retain(|identity| identity.person == *person);
        Ok(all)
    }

    /// Lets a person sign in with an identity.
    ///
    /// # Errors
    /// Returns [`AccountError::IdentityTaken`] if somebody else signs in with the identity.
    pub(crate) fn identify(&self, identity: &Identity) -> Change<()> {
        let key = identity_key(&identity.issuer, &identity.subject);
        match self.store.swap(IDENTITY, &key, None, Some(&encode(identity)?)) {
            Err(StoreError::Conflict) => {
                let known = self.identified(&identity.issuer, &identity.subject)?;
                let own = known.as_ref() == Some(&identity.person);
                if own { Ok(()) } else { Err(AccountError::IdentityTaken.into()) }
            }
            other => Ok(other?),
        }
    }

    /// Removes all of a person's identities at a provider.
    ///
    /// # Errors
    /// Returns an error if the person has no identity there, or would have no other way to sign in.
    pub(crate) fn unidentify(&self, person: &PersonId, provider: &str) -> Change<()> {
        let all = self.identities(person)?;
        let (gone, left): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|identity| identity.provider == provider);
        if gone.is_empty() {
            return Err(AccountError::Missing.into());
        }
        if left.is_empty() && self.password(person)?.is_none() {
            return Err(AccountError::LastWayIn.into());
        }
        let removals = self.removals(&gone)?;
        Ok(self.store.swap_all(&removals)?)
    }

    /// Returns the changes that remove identities from the store.
    pub(super) fn removals(&self, identities: &[Identity]) -> Result<Vec<Swap>> {
        let mut swaps = Vec::new();
        for identity in identities {
            let key = identity_key(&identity.issuer, &identity.subject);
            if let Some(record) = self.store.get(IDENTITY, &key)? {
                let expected = Some(record.revision);
                swaps.push(Swap { kind: IDENTITY, key, expected, value: None });
            }
        }
        Ok(swaps)
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    #[test]
    fn a_provider_s_secret_is_not_printed() {
        let provider = Provider {
            id: "p".into(),
            name: "City".into(),
            issuer: "https://id.example".into(),
            client_id: "accord".into(),
            client_secret: "hush".into(),
            trust_email: false,
        };
        assert!(!format!("{provider:?}").contains("hush"));
        assert_eq!(parse::<Provider>(&encode(&provider).unwrap()).unwrap(), provider);
    }
}
