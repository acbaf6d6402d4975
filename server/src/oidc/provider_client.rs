//! The server's client for one provider: all requests to the provider go through it. A few conversations run at the
//! same time, a few more wait, and the discovery document and keys are kept for minutes. A provider that hangs delays
//! only the people who sign in with it, because each conversation has a thread of its own.

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

/// Maximum number of conversations with one provider at the same time, not counting the discovery.
const MAX_CONVERSATIONS: usize = 4;
/// Maximum number of requests that wait for a conversation. As many again can wait for the discovery. Any further
/// request is refused.
const MAX_WAITING_REQUESTS: usize = 32;
/// Maximum time for which a request waits for its turn.
const WAIT_TIMEOUT: Duration = Duration::from_secs(15);
/// Time for which a discovery document and keys are kept if the provider does not state one, in milliseconds.
const DEFAULT_CACHE_MS: u64 = 10 * 60_000;
/// Minimum and maximum time for which a discovery document and keys are kept, in milliseconds, whatever time the
/// provider states.
const CACHE_MS_BOUNDS: (u64, u64) = (60_000, 60 * 60_000);
/// Time for which a provider that can't be reached is not asked again, in milliseconds.
const FAILURE_TTL_MS: u64 = 10_000;
/// Minimum time from a request for a provider's keys to the next one that is made because a key is missing, in
/// milliseconds.
const MIN_KEY_AGE_MS: u64 = 10_000;

/// The outcome of the last discovery.
struct Discovered {
    outcome: Result<Arc<CoreProviderMetadata>, OidcError>,
    /// The time at which the provider was asked, in milliseconds since the Unix epoch.
    asked: u64,
    /// The time until which the outcome is valid, in milliseconds since the Unix epoch.
    until: u64,
}

/// The server's access to one provider. Clones share it.
#[derive(Clone)]
pub(super) struct ProviderClient {
    provider: Arc<Provider>,
    clock: Clock,
    agent: ureq::Agent,
    discovered: Arc<Mutex<Option<Discovered>>>,
    /// Locked while a discovery is running, so that there is only one at a time.
    discovering: Arc<tokio::sync::Mutex<()>>,
    conversations: Arc<Semaphore>,
    awaiting_discovery: Arc<Semaphore>,
    awaiting_conversation: Arc<Semaphore>,
}

impl ProviderClient {
    pub(super) fn new(provider: Provider, clock: Clock) -> Self {
        Self {
            provider: Arc::new(provider),
            clock,
            agent: agent(),
            discovered: Arc::default(),
            discovering: Arc::default(),
            conversations: Arc::new(Semaphore::new(MAX_CONVERSATIONS)),
            awaiting_discovery: Arc::new(Semaphore::new(MAX_WAITING_REQUESTS)),
            awaiting_conversation: Arc::new(Semaphore::new(MAX_WAITING_REQUESTS)),
        }
    }

    pub(super) fn provider(&self) -> &Provider {
        &self.provider
    }

    /// Returns the provider's endpoints and keys, from the cache or from the provider. The provider is asked once,
    /// however many requests wait.
    ///
    /// # Errors
    /// Returns an error if the provider can't be reached, or if too many requests wait.
    pub(super) async fn metadata(&self) -> Result<Arc<CoreProviderMetadata>, OidcError> {
        match self.kept() {
            Some(outcome) => outcome,
            None => self.discover(Self::kept).await,
        }
    }

    /// Returns endpoints and keys that are newer than `than`, which lacks a key that is needed. If the provider was
    /// asked less than [`MIN_KEY_AGE_MS`] ago, returns the kept outcome again instead of asking.
    ///
    /// # Errors
    /// Returns an error as [`metadata`](Self::metadata) does.
    pub(super) async fn newer(
        &self,
        than: &Arc<CoreProviderMetadata>,
    ) -> Result<Arc<CoreProviderMetadata>, OidcError> {
        let lacking = than.clone();
        let enough = move |provider_client: &Self| provider_client.other_than(&lacking);
        match enough(self) {
            Some(outcome) => outcome,
            None => self.discover(enough).await,
        }
    }

    /// Has one conversation with the provider on a new thread. The thread runs until the conversation ends, even if the
    /// caller has gone, and is included in [`MAX_CONVERSATIONS`] until then.
    ///
    /// # Errors
    /// Returns the error of the conversation, or an error if too many requests wait.
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

    /// Runs `talk` on a new thread, which holds `turn` until it ends.
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
            // Sending fails only if the caller has gone.
            let _ = answer.send(outcome);
        });
        started.map_err(|_| OidcError::Busy)?;
        answered.await.map_err(|_| OidcError::Unreachable("the connection ended early".into()))?
    }

    /// Returns the outcome of the last discovery, or `None` if it is no longer valid.
    fn kept(&self) -> Option<Result<Arc<CoreProviderMetadata>, OidcError>> {
        let now = self.clock.now_ms();
        let discovered = self.discovered.lock().unwrap_or_else(PoisonError::into_inner);
        let one = discovered.as_ref().filter(|one| (one.asked..one.until).contains(&now))?;
        Some(one.outcome.clone())
    }

    /// Returns the outcome of the last discovery if it has other metadata than `lacking`, or if the provider was asked
    /// less than [`MIN_KEY_AGE_MS`] ago. Returns `None` if the provider should be asked again.
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
        let is_news = (one.asked..one.asked.saturating_add(MIN_KEY_AGE_MS)).contains(&now);
        is_news.then(|| one.outcome.clone())
    }

    /// Asks the provider for its endpoints and keys, unless `enough` returns an outcome once it is this request's turn.
    /// The discovery continues if the caller goes away, because other requests wait for the same outcome.
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
        let provider_client = self.clone();
        let asking = tokio::spawn(async move {
            let outcome = provider_client.ask().await;
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
                    // No newer keys could be fetched, but the kept ones are still valid.
                    Some(kept) if kept.outcome.is_ok() && kept.until > now => kept.asked = asked,
                    _ => {
                        let (outcome, until) =
                            (Err(error.clone()), now.saturating_add(FAILURE_TTL_MS));
                        *discovered = Some(Discovered { outcome, asked, until });
                    }
                }
                Err(error)
            }
        }
    }
}

/// Fetches the discovery document and the keys that it names. Returns both, and the time for which to keep them, in
/// milliseconds.
fn discover(
    issuer: &str,
    conversation: &Conversation,
) -> Result<(CoreProviderMetadata, u64), OidcError> {
    let unreachable = |error: &dyn std::fmt::Display| OidcError::Unreachable(error.to_string());
    let issuer = IssuerUrl::new(issuer.to_owned()).map_err(|error| unreachable(&error))?;
    let http = |request| conversation.call(request);
    let metadata =
        CoreProviderMetadata::discover(&issuer, &http).map_err(|error| unreachable(&error))?;
    let (least, most) = CACHE_MS_BOUNDS;
    Ok((metadata, conversation.keep_ms().unwrap_or(DEFAULT_CACHE_MS).clamp(least, most)))
}
