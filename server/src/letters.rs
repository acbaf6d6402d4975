//! The mails that the server writes: their text, and when each is sent.
//!
//! Anybody can request a link for a new password, for any address. Neither the answer nor its timing must reveal
//! whether an account has the address. So the server answers before it looks anything up: a request is only queued, and
//! processed after a pause of random length.

use crate::mail::{Letter, Mail};
use crate::people::{People, Purpose, RESET_VALIDITY_MS};
use crate::store::StoreError;
use accord_document::ids::PersonId;
use rand::RngExt;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::sync::Semaphore;

/// Number of requests for a password link that can wait to be processed. The throttle (`people/throttle.rs`) admits
/// fewer such requests at a time, so the queue is never full: a full queue would reveal how long earlier requests took.
const MAX_WAITING_REQUESTS: usize = 256;
/// Time that a request waits before it is processed, in milliseconds. The time is random, so that nobody can tell the
/// work for one request from the work for others.
const PAUSE_MS: std::ops::Range<u64> = 300..1_500;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("too many mails are being requested right now")]
pub(crate) struct Crowded;

/// The writer of mails. Clones share its queue.
#[derive(Debug, Clone)]
pub(crate) struct Letters {
    mail: Mail,
    people: People,
    /// The web origin with which links to this installation begin.
    base: String,
    waiting: Arc<Semaphore>,
}

impl Letters {
    pub(crate) fn new(mail: Mail, people: People, base: String) -> Self {
        Self { mail, people, base, waiting: Arc::new(Semaphore::new(MAX_WAITING_REQUESTS)) }
    }

    /// Queues a request for a new password. If an account has the address, its person is sent a link later.
    ///
    /// # Errors
    /// Returns an error if too many requests are waiting.
    pub(crate) fn ask_for_password(&self, email: String) -> Result<(), Crowded> {
        let place = self.waiting.clone().try_acquire_owned().map_err(|_| Crowded)?;
        let letters = self.clone();
        let pause = Duration::from_millis(rand::rng().random_range(PAUSE_MS));
        tokio::spawn(async move {
            tokio::time::sleep(pause).await;
            let looked = tokio::task::spawn_blocking(move || letters.send_password_link(&email));
            match looked.await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(%error, "a request for a new password failed"),
                Err(error) => {
                    tracing::error!(%error, "a request for a new password ended unexpectedly")
                }
            }
            drop(place);
        });
        Ok(())
    }

    /// Sends a link for a new password, if an account has the address. Blocks.
    fn send_password_link(&self, email: &str) -> Result<(), StoreError> {
        let Some(person) = self.people.by_email(email)? else { return Ok(()) };
        let Some(to) = person.email else { return Ok(()) };
        let purpose = Purpose::Reset { person: person.id, mailed_to: Some(to.clone()) };
        let secret = self.people.make_link(purpose, RESET_VALIDITY_MS)?;
        let link = format!("{}/links/{secret}", self.base);
        let text = format!(
            "Somebody asked for a new password for your Accord account. If it was you, open this link within a day to set one:\n\n{link}\n\nIf it was not you, you don’t need to do anything. Your password stays the same.\n"
        );
        self.mail.post(Letter { to, subject: "A new password for Accord", text });
        Ok(())
    }

    /// Sends a person a link that confirms their e-mail address. Blocks.
    ///
    /// # Errors
    /// Returns an error if the store fails.
    pub(crate) fn send_confirmation(
        &self,
        person: &PersonId,
        to: String,
    ) -> Result<(), StoreError> {
        let purpose = Purpose::Confirm { person: person.clone(), email: to.clone() };
        let secret = self.people.make_link(purpose, RESET_VALIDITY_MS)?;
        let link = format!("{}/links/{secret}", self.base);
        let text = format!(
            "To confirm your e-mail address for Accord, open this link within a day, in the browser where you \
             are signed in:\n\n{link}\n\nIf you don’t have an Accord account, somebody probably typed your \
             address by mistake. Don’t open the link.\n"
        );
        self.mail.post(Letter { to, subject: "Confirm your address for Accord", text });
        Ok(())
    }

    /// Sends a person a mail that says how their account has changed.
    pub(crate) fn send_notice(&self, to: String, change: AccountChange) {
        let (subject, what) = match change {
            AccountChange::Password => {
                ("Your password for Accord was changed", "The password was changed.")
            }
            AccountChange::Address => (
                "Your e-mail address for Accord was changed",
                "The e-mail address of the account was changed.",
            ),
            AccountChange::Provider => (
                "A way to sign in to Accord was added",
                "A way to sign in was added to the account.",
            ),
        };
        let text = format!(
            "This is about your Accord account at {}.\n\n{what}\n\nIf you did not do this, ask your administrator or a \
             facilitator of your plan for help.\n",
            self.base
        );
        self.mail.post(Letter { to, subject, text });
    }
}

/// The change of an account that a mail reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AccountChange {
    Password,
    Address,
    Provider,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::generation::Generation;
    use crate::people::SessionLimits;
    use crate::store::MemoryStore;

    #[tokio::test]
    async fn an_ask_is_answered_before_anything_is_looked_up() {
        let store = Arc::new(MemoryStore::default());
        let limits = SessionLimits { absolute: Duration::MAX, idle: Duration::MAX };
        let people =
            People::open(store.clone(), Clock::system(), limits, Generation::default()).unwrap();
        people.create("Ben", Some("ben@x.org"), Some("$argon2id$x"), false).unwrap();
        let (mail, posted) = Mail::for_tests();
        let letters = Letters::new(mail, people, "http://here".into());
        let before = store.reads();
        for email in ["ben@x.org", "nobody@x.org"] {
            letters.ask_for_password(email.into()).unwrap();
        }
        assert_eq!(store.reads(), before, "nothing is read before the answer");
        let letter = tokio::task::spawn_blocking(move || posted.recv()).await.unwrap().unwrap();
        assert_eq!(letter.to, "ben@x.org");
        assert!(letter.text.contains("http://here/links/"), "{}", letter.text);
    }

    #[tokio::test]
    async fn what_can_be_asked_for_at_once_has_a_bound() {
        let store = Arc::new(MemoryStore::default());
        let limits = SessionLimits { absolute: Duration::MAX, idle: Duration::MAX };
        let people = People::open(store, Clock::system(), limits, Generation::default()).unwrap();
        let letters = Letters::new(Mail::for_tests().0, people, String::new());
        let taken = (0..1_000).filter(|n| letters.ask_for_password(n.to_string()).is_ok()).count();
        assert_eq!(taken, MAX_WAITING_REQUESTS);
    }
}
