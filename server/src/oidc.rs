//! Signing in with a provider: OpenID Connect Core 1.0, authorization code flow with PKCE (RFC 7636),
//! endpoints by discovery.
//!
//! What was sent out with a browser (state, nonce, code verifier) is kept here for ten minutes, under
//! the digest of a secret that only this browser has, as a cookie. Providers are asked through one
//! [`Desk`] each and never on threads that others wait for.

mod desk;
mod error;
mod fetch;

pub(crate) use error::OidcError;

use crate::clock::Clock;
use crate::people::{Provider, digest, secret};
use accord_document::ids::{Digest, PersonId};
use desk::Desk;
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreIdToken, CoreIdTokenClaims, CoreProviderMetadata,
    CoreTokenResponse, CoreUserInfoClaims,
};
use openidconnect::{
    AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret, CsrfToken,
    EndpointMaybeSet, EndpointNotSet, EndpointSet, Nonce, OAuth2TokenResponse, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, Scope, SignatureVerificationError, SubjectIdentifier,
    TokenResponse,
};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// How long somebody may take at the provider, in milliseconds.
const PENDING_MS: u64 = 10 * 60_000;
/// Sign-ins under way at once; beyond that the oldest are forgotten.
const PENDING: usize = 10_000;

/// What is to be done once the provider has said who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Errand {
    SignIn,
    /// Join a plan, with a new account if need be: the secret of an invitation.
    Join(String),
    /// Let somebody signed in use the provider from now on.
    Link(PersonId),
}

/// Who somebody is, as a provider says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claimed {
    pub(crate) issuer: String,
    pub(crate) subject: String,
    pub(crate) name: Option<String>,
    pub(crate) email: Option<String>,
    /// Whether the provider says that the address is this person's (`email_verified`).
    pub(crate) email_verified: bool,
}

impl Claimed {
    fn of(issuer: &str, claims: &CoreIdTokenClaims) -> Self {
        let name = claims.name().and_then(|name| name.get(None));
        Self {
            issuer: issuer.to_owned(),
            subject: claims.subject().to_string(),
            name: name.map(|name| name.as_str().to_owned()),
            email: claims.email().map(|email| email.as_str().to_owned()),
            email_verified: claims.email_verified().unwrap_or(false),
        }
    }

    /// Adds what the ID token does not say. Whether an address is verified only the source that names
    /// the address can tell.
    fn complete(&mut self, info: &CoreUserInfoClaims) {
        if self.name.is_none() {
            let name = info.name().and_then(|name| name.get(None));
            self.name = name.map(|name| name.as_str().to_owned());
        }
        if self.email.is_none() {
            self.email = info.email().map(|email| email.as_str().to_owned());
            self.email_verified = info.email_verified().unwrap_or(false);
        }
    }
}

/// A client with the endpoints that a discovery document always or perhaps names.
type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

struct Pending {
    desk: Desk,
    state: CsrfToken,
    nonce: Nonce,
    verifier: PkceCodeVerifier,
    errand: Errand,
    since: u64,
}

/// A browser sent to its provider.
#[derive(Debug)]
pub(crate) struct Sent {
    /// Where to.
    pub(crate) address: String,
    /// For its cookie.
    pub(crate) secret: String,
}

/// The sign-ins under way, and the desks of all providers that were asked.
pub(crate) struct Oidc {
    clock: Clock,
    /// By the provider's id.
    desks: Mutex<HashMap<String, Desk>>,
    pending: Mutex<HashMap<Digest, Pending>>,
}

impl std::fmt::Debug for Oidc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Oidc").finish_non_exhaustive()
    }
}

impl Oidc {
    #[must_use]
    pub(crate) fn new(clock: Clock) -> Self {
        Self { clock, desks: Mutex::default(), pending: Mutex::default() }
    }

    /// Whether a provider answers as one.
    ///
    /// # Errors
    /// With what is wrong.
    pub(crate) async fn probe(&self, provider: &Provider) -> Result<(), OidcError> {
        // Of its own: a provider that is not taken leaves nothing behind.
        let desk = Desk::new(provider.clone(), self.clock.clone());
        desk.metadata().await.map(drop)
    }

    /// Forgets what is known of a provider.
    pub(crate) fn forget(&self, provider: &str) {
        self.desks.lock().unwrap_or_else(PoisonError::into_inner).remove(provider);
    }

    fn desk(&self, provider: Provider) -> Desk {
        let mut desks = self.desks.lock().unwrap_or_else(PoisonError::into_inner);
        match desks.get(&provider.id) {
            Some(desk) if *desk.provider() == provider => desk.clone(),
            _ => {
                let desk = Desk::new(provider.clone(), self.clock.clone());
                desks.insert(provider.id, desk.clone());
                desk
            }
        }
    }

    /// Sends a browser to a provider, which sends it back to `redirect`.
    ///
    /// # Errors
    /// When the provider can't be reached, or too many wait for it.
    pub(crate) async fn begin(
        &self,
        provider: Provider,
        redirect: &str,
        errand: Errand,
    ) -> Result<Sent, OidcError> {
        let desk = self.desk(provider);
        let (url, state, nonce, verifier) = {
            let metadata = desk.metadata().await?;
            let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
            let (url, state, nonce) = client(&desk, &metadata)
                .set_redirect_uri(address(redirect)?)
                .authorize_url(
                    CoreAuthenticationFlow::AuthorizationCode,
                    CsrfToken::new_random,
                    Nonce::new_random,
                )
                .add_scope(Scope::new("email".into()))
                .add_scope(Scope::new("profile".into()))
                .set_pkce_challenge(challenge)
                .url();
            (url, state, nonce, verifier)
        };
        let secret = secret();
        let since = self.clock.now_ms();
        self.keep(&secret, Pending { desk, state, nonce, verifier, errand, since });
        Ok(Sent { address: url.to_string(), secret })
    }

    fn keep(&self, secret: &str, one: Pending) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        pending.retain(|_, kept| one.since.saturating_sub(kept.since) < PENDING_MS);
        if pending.len() >= PENDING {
            let oldest = pending.iter().min_by_key(|(_, kept)| kept.since).map(|(key, _)| *key);
            oldest.map(|key| pending.remove(&key));
        }
        pending.insert(digest(secret), one);
    }

    /// Takes a browser back from its provider: with `code`, or the provider's reason against it. What
    /// was kept for it is used up.
    ///
    /// # Errors
    /// When anything about it is not as it was begun.
    pub(crate) async fn finish(
        &self,
        secret: &str,
        state: &str,
        code: Result<String, String>,
        redirect: &str,
    ) -> Result<(Provider, Claimed, Errand), OidcError> {
        let found = {
            let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
            pending.remove(&digest(secret))
        };
        let found = found.ok_or(OidcError::Unknown)?;
        let late = self.clock.now_ms().saturating_sub(found.since) >= PENDING_MS;
        // Of equal length and compared by digest: how long it takes tells nothing.
        if late || digest(found.state.secret()) != digest(state) {
            return Err(OidcError::Unknown);
        }
        let code = code.map_err(OidcError::Refused)?;
        let Pending { desk, nonce, verifier, errand, .. } = found;
        let claimed = exchange(&desk, code, verifier, &nonce, address(redirect)?).await?;
        Ok((desk.provider().clone(), claimed, errand))
    }
}

/// Changes a code for what the provider says of somebody.
async fn exchange(
    desk: &Desk,
    code: String,
    verifier: PkceCodeVerifier,
    nonce: &Nonce,
    redirect: RedirectUrl,
) -> Result<Claimed, OidcError> {
    let metadata = desk.metadata().await?;
    let (own, endpoints) = (desk.clone(), metadata.clone());
    let tokens: CoreTokenResponse = desk
        .converse(move |conversation| {
            client(&own, &endpoints)
                .set_redirect_uri(redirect)
                .exchange_code(AuthorizationCode::new(code))
                .map_err(|error| OidcError::Unreachable(error.to_string()))?
                .set_pkce_verifier(verifier)
                .request(&|request| conversation.call(request))
                .map_err(|error| OidcError::Refused(error.to_string()))
        })
        .await?;
    let id_token = tokens.id_token().ok_or_else(|| untrusted(&"no ID token came"))?;
    let mut claimed = match judge(desk, &metadata, id_token, nonce) {
        // Providers change their keys now and then.
        Err(ClaimsVerificationError::SignatureVerification(
            SignatureVerificationError::NoMatchingKey,
        )) => {
            let newer = desk.newer(&metadata).await?;
            judge(desk, &newer, id_token, nonce).map_err(|error| untrusted(&error))?
        }
        judged => judged.map_err(|error| untrusted(&error))?,
    };
    // Many providers tell a name and an address only here.
    if claimed.name.is_none() || claimed.email.is_none() {
        let subject = SubjectIdentifier::new(claimed.subject.clone());
        let (own, token) = (desk.clone(), tokens.access_token().clone());
        let info = desk.converse(move |conversation| {
            let client = client(&own, &metadata);
            let Ok(request) = client.user_info(token, Some(subject)) else { return Ok(None) };
            let info: CoreUserInfoClaims = request
                .request(&|request| conversation.call(request))
                .map_err(|error| untrusted(&error))?;
            Ok(Some(info))
        });
        if let Some(info) = info.await? {
            claimed.complete(&info);
        }
    }
    Ok(claimed)
}

/// Checks signature, issuer, audience, expiry and nonce of an ID token.
fn judge(
    desk: &Desk,
    metadata: &CoreProviderMetadata,
    id_token: &CoreIdToken,
    nonce: &Nonce,
) -> Result<Claimed, ClaimsVerificationError> {
    let client = client(desk, metadata);
    let claims = id_token.claims(&client.id_token_verifier(), nonce)?;
    Ok(Claimed::of(&desk.provider().issuer, claims))
}

fn untrusted(error: &dyn std::fmt::Display) -> OidcError {
    OidcError::Untrusted(error.to_string())
}

fn address(redirect: &str) -> Result<RedirectUrl, OidcError> {
    RedirectUrl::new(redirect.to_owned()).map_err(|error| OidcError::Unreachable(error.to_string()))
}

/// The relying party that this server is for a provider.
fn client(desk: &Desk, metadata: &CoreProviderMetadata) -> Client {
    CoreClient::from_provider_metadata(
        metadata.clone(),
        ClientId::new(desk.provider().client_id.clone()),
        Some(ClientSecret::new(desk.provider().client_secret.clone())),
    )
}
