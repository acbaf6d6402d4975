//! One-time links by which somebody without a session sets a password: the first administrator of
//! an installation, and whoever lost theirs. Invitations are not here: they belong to their plan.

use super::{Change, People, Result, encode, hash, parse, secret};
use crate::store::{StoreError, Swap};
use accord_document::ids::PersonId;
use serde::{Deserialize, Serialize};

const LINK: &str = "link";

/// What a link is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "purpose", rename_all = "snake_case")]
pub enum Purpose {
    /// To become the first administrator.
    Setup,
    /// To set a new password.
    Reset { person: PersonId },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    #[serde(flatten)]
    pub purpose: Purpose,
    /// Milliseconds since the Unix epoch.
    pub expires: u64,
}

impl People {
    /// Makes a link that is valid for `ms` milliseconds and gives its secret. An earlier one for the
    /// same purpose stops working.
    pub fn make_link(&self, purpose: Purpose, ms: u64) -> Result<String> {
        let secret = secret();
        let link = Link { purpose, expires: self.clock.now_ms().saturating_add(ms) };
        let mut swaps = vec![super::new(LINK, &hash(&secret), &link)?];
        for (key, record) in self.store.scan(LINK, "")? {
            let old: Link = parse(&record.value)?;
            if old.purpose == link.purpose || old.expires <= self.clock.now_ms() {
                swaps.push(Swap { kind: LINK, key, expected: Some(record.revision), value: None });
            }
        }
        self.store.swap_all(&swaps)?;
        Ok(secret)
    }

    /// A link that can still be used.
    pub fn link(&self, secret: &str) -> Result<Option<Link>> {
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
    pub fn use_link<T>(
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
