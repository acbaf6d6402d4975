//! One-time links: to become the first administrator of an installation, to set a new password, or to confirm an e-mail
//! address. Invitations are not here, because they belong to their plan.

use super::{Change, DeviceSecrets, People, Result, encode, hash, parse, secret};
use crate::store::{StoreError, Swap};
use accord_document::ids::PersonId;
use serde::{Deserialize, Serialize};

/// Time for which a link to set a new password or to confirm an e-mail address is valid, in milliseconds.
pub(crate) const RESET_VALIDITY_MS: u64 = 24 * 3_600_000;

const LINK: &str = "link";

/// The purpose of a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "purpose", rename_all = "snake_case")]
pub(crate) enum Purpose {
    /// The holder becomes the first administrator.
    Setup,
    /// The holder sets a new password. `mailed_to` is the address to which the link was mailed, or `None` if another
    /// person makes the link and hands it over.
    Reset {
        person: PersonId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mailed_to: Option<String>,
    },
    /// The holder confirms that mail sent to the address reaches them.
    Confirm { person: PersonId, email: String },
}

impl Purpose {
    /// Whether a new link for this purpose replaces an older link for the purpose `other`: both must be of the same kind and
    /// for the same person. A mailed password link and one that was handed over don’t replace each other, because anybody
    /// can have one mailed.
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
    /// Time at which the link expires, in milliseconds since the Unix epoch.
    pub expires: u64,
}

impl People {
    /// Creates a link that is valid for `ms` milliseconds, and returns its secret. Earlier links for the same purpose
    /// stop working.
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
                // Another link was created or used at the same time, which removed some of the same links.
                Err(StoreError::Conflict) => {}
                done => return done.map(|()| secret),
            }
        }
    }

    /// Returns the changes that remove all links of a person from the store.
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

    /// Sets a new password on behalf of the holder of a link. Ends all of the person's sessions, forgets their known
    /// devices, and removes their other links and their sign-in with the providers in `end_providers`. If the link was
    /// mailed, the address `mailed_to` counts as verified.
    ///
    /// # Errors
    /// Returns an error if the store fails.
    pub(crate) fn reset_password(
        &self,
        person: &PersonId,
        hash: &str,
        mailed_to: Option<&str>,
        end_providers: &[String],
    ) -> Change<()> {
        self.set_password(person, hash)?;
        // Sessions that were started with the old password must end.
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

    /// Returns the link with this secret, or `None` if no link has it or the link has expired.
    pub(crate) fn link(&self, secret: &str) -> Result<Option<Link>> {
        let Some(record) = self.store.get(LINK, &hash(secret))? else { return Ok(None) };
        let link: Link = parse(&record.value)?;
        Ok((link.expires > self.clock.now_ms()).then_some(link))
    }

    /// Removes a link and then calls `act` for it. If `act` fails, the link is restored.
    ///
    /// Returns `None` if the link does not exist, has expired, or was already used.
    ///
    /// # Errors
    /// Returns the error of `act`, or an error if the store fails.
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
            // Another request used the link first.
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
