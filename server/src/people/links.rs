//! One-time links by which a person without a session sets a password: the first administrator of an installation, or a
//! person who has lost theirs. Invitations are not here: they belong to their plan.

use super::{Change, DeviceSecrets, People, Result, encode, hash, parse, secret};
use crate::store::{StoreError, Swap};
use accord_document::ids::PersonId;
use serde::{Deserialize, Serialize};

/// How long a link to set a new password is valid, in milliseconds.
pub(crate) const RESET_MS: u64 = 24 * 3_600_000;

const LINK: &str = "link";

/// What a link is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "purpose", rename_all = "snake_case")]
pub(crate) enum Purpose {
    /// To become the first administrator.
    Setup,
    /// To set a new password. `mailed_to` is the address it was mailed to; none for a link that somebody
    /// hands over.
    Reset {
        person: PersonId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mailed_to: Option<String>,
    },
    /// To show that mail to an address reaches its person.
    Confirm { person: PersonId, email: String },
}

impl Purpose {
    /// Whether a link for this takes the place of one for the other. A link that anybody can have mailed
    /// replaces none that was handed over.
    fn replaces(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Setup, Self::Setup) => true,
            (
                Self::Reset { person, mailed_to },
                Self::Reset { person: same, mailed_to: mailed_before },
            ) => person == same && mailed_to.is_some() == mailed_before.is_some(),
            (Self::Confirm { person, .. }, Self::Confirm { person: same, .. }) => person == same,
            _ => false,
        }
    }

    fn person(&self) -> Option<&PersonId> {
        match self {
            Self::Setup => None,
            Self::Reset { person, .. } | Self::Confirm { person, .. } => Some(person),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Link {
    #[serde(flatten)]
    pub purpose: Purpose,
    /// Milliseconds since the Unix epoch.
    pub expires: u64,
}

impl People {
    /// Makes a link that is valid for `ms` milliseconds and gives its secret. An earlier one for the
    /// same purpose stops working.
    pub(crate) fn make_link(&self, purpose: Purpose, ms: u64) -> Result<String> {
        let secret = secret();
        let link = Link { purpose, expires: self.clock.now_ms().saturating_add(ms) };
        loop {
            let mut swaps = vec![super::new(LINK, &hash(&secret), &link)?];
            for (key, record) in self.store.scan(LINK, "")? {
                let old: Link = parse(&record.value)?;
                if link.purpose.replaces(&old.purpose) || old.expires <= self.clock.now_ms() {
                    let expected = Some(record.revision);
                    swaps.push(Swap { kind: LINK, key, expected, value: None });
                }
            }
            match self.store.swap_all(&swaps) {
                // Another link was made or used at this moment, and removed the same ones.
                Err(StoreError::Conflict) => {}
                done => return done.map(|()| secret),
            }
        }
    }

    /// What removes all links of a person from the store.
    pub(super) fn link_removals(&self, person: &PersonId) -> Result<Vec<Swap>> {
        let mut swaps = Vec::new();
        for (key, record) in self.store.scan(LINK, "")? {
            let link: Link = parse(&record.value)?;
            if link.purpose.person() == Some(person) {
                swaps.push(Swap { kind: LINK, key, expected: Some(record.revision), value: None });
            }
        }
        Ok(swaps)
    }

    /// Sets a new password as a link allows: ends all sessions, known devices and other links, and sign-in
    /// by the providers named. A link that was mailed shows that its address is this person's.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) fn reset_password(
        &self,
        person: &PersonId,
        hash: &str,
        mailed_to: Option<&str>,
        end_providers: &[String],
    ) -> Change<()> {
        self.set_password(person, hash)?;
        // Sessions that were begun with the old password end.
        self.sessions.end_all(person, None)?;
        self.forget_devices(person, &DeviceSecrets::default())?;
        let mut ended = self.identities(person)?;
        ended.retain(|identity| end_providers.contains(&identity.provider));
        let mut swaps = self.removals(&ended)?;
        swaps.extend(self.link_removals(person)?);
        self.store.swap_all(&swaps)?;
        if let Some(email) = mailed_to {
            self.verify_email(person, email)?;
        }
        Ok(())
    }

    /// A link that can still be used.
    pub(crate) fn link(&self, secret: &str) -> Result<Option<Link>> {
        let Some(record) = self.store.get(LINK, &hash(secret))? else { return Ok(None) };
        let link: Link = parse(&record.value)?;
        Ok((link.expires > self.clock.now_ms()).then_some(link))
    }

    /// Uses a link up, then does what it is for; when that fails, the link is as before.
    ///
    /// Gives nothing when the link can't be used (any more).
    ///
    /// # Errors
    /// With what `act` fails with, or when the store fails.
    pub(crate) fn use_link<T>(
        &self,
        secret: &str,
        act: impl FnOnce(&Link) -> Change<T>,
    ) -> Change<Option<T>> {
        let key = hash(secret);
        let Some(record) = self.store.get(LINK, &key)? else { return Ok(None) };
        let link: Link = parse(&record.value)?;
        if link.expires <= self.clock.now_ms() {
            return Ok(None);
        }
        match self.store.swap(LINK, &key, Some(record.revision), None) {
            Ok(()) => {}
            // Somebody else was faster.
            Err(StoreError::Conflict) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        match act(&link) {
            Ok(done) => Ok(Some(done)),
            Err(error) => {
                self.store.swap(LINK, &key, None, Some(&encode(&link)?))?;
                Err(error)
            }
        }
    }
}
