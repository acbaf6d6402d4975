//! What is known of one provider, and the only way to ask it: few conversations at once, few waiting, its
//! discovery document and keys kept for minutes. A provider that hangs holds up nobody but those who sign
//! in with it, since each conversation has a thread of its own.

use super::error::OidcError;
use super::fetch::{Conversation, agent};
use crate::clock::Clock;
use crate::people::Provider;
use openidconnect::IssuerUrl;
use openidconnect::core::CoreProviderMetadata;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;

/// Conversations with one provider at once, beside the one that discovers it.
const CONVERSATIONS: usize = 4;
/// Requests that may wait for a conversation, and as many for the discovery. More are refused.
const WAITING: usize = 32;
/// How long a request waits for its turn.
const WAIT_TIMEOUT: Duration = Duration::from_secs(15);
/// How long a discovery document and keys are kept, in milliseconds, unless the provider says otherwise,
/// and the bounds of what it may say.
const KEEP_MS: u64 = 10 * 60_000;
const KEEP_MS_BOUNDS: (u64, u64) = (60_000, 60 * 60_000);
/// How long a provider that can't be reached is not asked again, in milliseconds.
const FAILED_MS: u64 = 10_000;
/// How old keys must be, in milliseconds, before one that is not among them is looked for again.
const KEYS_MS: u64 = 10_000;

/// The outcome of the last discovery.
struct Discovered {
    outcome: Result<Arc<CoreProviderMetadata>, OidcError>,
    /// When it was asked for, and until when it counts: milliseconds since the Unix epoch.
    asked: u64,
    until: u64,
}

/// A provider, as the server deals with it. Cloning shares it.
#[derive(Clone)]
pub(super) struct Desk {
    provider: Arc<Provider>,
    clock: Clock,
    agent: ureq::Agent,
    discovered: Arc<Mutex<Option<Discovered>>>,
    /// Held by the one discovery under way.
    discovering: Arc<tokio::sync::Mutex<()>>,
    conversations: Arc<Semaphore>,
    awaiting_discovery: Arc<Semaphore>,
    awaiting_conversation: Arc<Semaphore>,
}

impl Desk {
    pub(super) fn new(provider: Provider, clock: Clock) -> Self {
        Self {
            provider: Arc::new(provider),
            clock,
            agent: agent(),
            discovered: Arc::default(),
            discovering: Arc::default(),
            conversations: Arc::new(Semaphore::new(CONVERSATIONS)),
            awaiting_discovery: Arc::new(Semaphore::new(WAITING)),
            awaiting_conversation: Arc::new(Semaphore::new(WAITING)),
        }
    }

    pub(super) fn provider(&self) -> &Provider {
        &self.provider
    }

    /// The provider's endpoints and keys: those that are kept, or else asked for. However many wait, the
    /// provider is asked once.
    ///
    /// # Errors
    /// When the provider can't be reached, or too many wait.
    pub(super) async fn metadata(&self) -> Result<Arc<CoreProviderMetadata>, OidcError> {
        match self.kept() {
            Some(outcome) => outcome,
            None => self.discover(Self::kept).await,
        }
    }

    /// Endpoints and keys newer than some that lack a key, unless those are news themselves.
    ///
    /// # Errors
    /// As [`metadata`](Self::metadata).
    pub(super) async fn newer(
        &self,
        than: &Arc<CoreProviderMetadata>,
    ) -> Result<Arc<CoreProviderMetadata>, OidcError> {
        let lacking = than.clone();
        let enough = move |desk: &Self| desk.other_than(&lacking);
        match enough(self) {
            Some(outcome) => outcome,
            None => self.discover(enough).await,
        }
    }

    /// Has one conversation, on a thread of its own: it ends when the conversation does, also when
    /// nobody waits for it any more, and counts until then.
    ///
    /// # Errors
    /// With what the conversation fails with, or when too many wait.
    pub(super) async fn converse<T: Send + 'static>(
        &self,
        talk: impl FnOnce(&Conversation) -> Result<T, OidcError> + Send + 'static,
    ) -> Result<T, OidcError> {
        let waiting = self.awaiting_conversation.try_acquire().map_err(|_| OidcError::Busy)?;
        let turn = timeout(WAIT_TIMEOUT, self.conversations.clone().acquire_owned()).await;
        drop(waiting);
        let turn = turn.map_err(|_| OidcError::Busy)?.map_err(|_| OidcError::Busy)?;
        self.talk(turn, talk).await
    }

    /// Talks on a thread of its own, which keeps `turn` until it ends.
    async fn talk<T: Send + 'static>(
        &self,
        turn: impl Send + 'static,
        talk: impl FnOnce(&Conversation) -> Result<T, OidcError> + Send + 'static,
    ) -> Result<T, OidcError> {
        let (answer, answered) = oneshot::channel();
        let agent = self.agent.clone();
        let started = std::thread::Builder::new().name("provider".into()).spawn(move || {
            let outcome = talk(&Conversation::new(agent));
            drop(turn);
            // The asker may be gone.
            let _ = answer.send(outcome);
        });
        started.map_err(|_| OidcError::Busy)?;
        answered.await.map_err(|_| OidcError::Unreachable("the conversation broke off".into()))?
    }

    /// What is kept and still counts.
    fn kept(&self) -> Option<Result<Arc<CoreProviderMetadata>, OidcError>> {
        let now = self.clock.now_ms();
        let discovered = self.discovered.lock().unwrap_or_else(PoisonError::into_inner);
        let one = discovered.as_ref().filter(|one| (one.asked..one.until).contains(&now))?;
        Some(one.outcome.clone())
    }

    /// What is kept, if it is not what lacks a key, or too new to be asked for again.
    fn other_than(
        &self,
        lacking: &Arc<CoreProviderMetadata>,
    ) -> Option<Result<Arc<CoreProviderMetadata>, OidcError>> {
        let now = self.clock.now_ms();
        let discovered = self.discovered.lock().unwrap_or_else(PoisonError::into_inner);
        let one = discovered.as_ref()?;
        if let Ok(kept) = &one.outcome
            && !Arc::ptr_eq(kept, lacking)
        {
            return Some(one.outcome.clone());
        }
        let is_news = (one.asked..one.asked.saturating_add(KEYS_MS)).contains(&now);
        is_news.then(|| one.outcome.clone())
    }

    /// Asks the provider, unless `enough` is known once it is our turn. The request goes on when
    /// its caller has gone, because others wait for the same answer.
    async fn discover(
        &self,
        enough: impl Fn(&Self) -> Option<Result<Arc<CoreProviderMetadata>, OidcError>>,
    ) -> Result<Arc<CoreProviderMetadata>, OidcError> {
        let _waiting = self.awaiting_discovery.try_acquire().map_err(|_| OidcError::Busy)?;
        let turn = timeout(WAIT_TIMEOUT, self.discovering.clone().lock_owned()).await;
        let turn = turn.map_err(|_| OidcError::Busy)?;
        if let Some(outcome) = enough(self) {
            return outcome;
        }
        let desk = self.clone();
        let asking = tokio::spawn(async move {
            let outcome = desk.ask().await;
            drop(turn);
            outcome
        });
        asking.await.map_err(|error| OidcError::Unreachable(error.to_string()))?
    }

    async fn ask(&self) -> Result<Arc<CoreProviderMetadata>, OidcError> {
        let asked = self.clock.now_ms();
        let issuer = self.provider.issuer.clone();
        let answer = self.talk((), move |conversation| discover(&issuer, conversation)).await;
        let now = self.clock.now_ms();
        let mut discovered = self.discovered.lock().unwrap_or_else(PoisonError::into_inner);
        match answer {
            Ok((metadata, keep_ms)) => {
                let outcome = Ok(Arc::new(metadata));
                let until = now.saturating_add(keep_ms);
                *discovered = Some(Discovered { outcome: outcome.clone(), asked, until });
                outcome
            }
            Err(error) => {
                match discovered.as_mut() {
                    // Newer keys were looked for in vain: those there are still count.
                    Some(kept) if kept.outcome.is_ok() && kept.until > now => kept.asked = asked,
                    _ => {
                        let (outcome, until) = (Err(error.clone()), now.saturating_add(FAILED_MS));
                        *discovered = Some(Discovered { outcome, asked, until });
                    }
                }
                Err(error)
            }
        }
    }
}

/// The discovery document and the keys it names, and for how long to keep them, in milliseconds.
fn discover(
    issuer: &str,
    conversation: &Conversation,
) -> Result<(CoreProviderMetadata, u64), OidcError> {
    let unreachable = |error: &dyn std::fmt::Display| OidcError::Unreachable(error.to_string());
    let issuer = IssuerUrl::new(issuer.to_owned()).map_err(|error| unreachable(&error))?;
    let http = |request| conversation.call(request);
    let metadata =
        CoreProviderMetadata::discover(&issuer, &http).map_err(|error| unreachable(&error))?;
    let (least, most) = KEEP_MS_BOUNDS;
    Ok((metadata, conversation.keep_ms().unwrap_or(KEEP_MS).clamp(least, most)))
}
