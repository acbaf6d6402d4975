//! Signing in with a provider: OpenID Connect Core 1.0, authorization code flow with PKCE (RFC 7636), endpoints by
//! discovery.
//!
//! The state, nonce and code verifier of a sign-in are kept here for ten minutes, under the digest of a secret. Only
//! the person's browser has the secret, in a cookie. All requests to a provider go through the provider's
//! [`ProviderClient`]. These requests run on threads that do nothing else, so a slow provider delays only the people
//! who sign in with it.

mod error;
mod fetch;
mod provider_client;

pub(crate) use error::OidcError;

use crate::clock::Clock;
use crate::people::{Provider, digest, secret};
use accord_document::ids::{Digest, PersonId};
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
use provider_client::ProviderClient;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Time that a person is given to sign in at the provider, in milliseconds.
const SIGN_IN_TIMEOUT_MS: u64 = 10 * 60_000;
/// Maximum number of pending sign-ins. Beyond it, the oldest is forgotten.
const MAX_PENDING_SIGN_INS: usize = 10_000;

/// The purpose of a sign-in, which is carried out once the provider has identified the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SignInPurpose {
    SignIn,
    /// Join a plan, with a new account if necessary. The value is the secret of an invitation.
    Join(String),
    /// Let a signed-in person sign in with the provider in future.
    Link(PersonId),
}

/// The identity of a person, as stated by a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claimed {
    pub(crate) issuer: String,
    pub(crate) subject: String,
    pub(crate) name: Option<String>,
    pub(crate) email: Option<String>,
    /// Whether the provider has verified that the address belongs to this person (`email_verified`).
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

    /// Adds the name and the e-mail address from the user info if the ID token does not contain them. The address and
    /// its verification are always taken from the same source.
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

/// A client that knows the authorization endpoint, which a discovery document must name. The document can also name the
/// token and user info endpoints.
type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

struct Pending {
    provider_client: ProviderClient,
    state: CsrfToken,
    nonce: Nonce,
    verifier: PkceCodeVerifier,
    purpose: SignInPurpose,
    since: u64,
}

/// The redirect that sends a browser to its provider, with the secret for the browser's cookie.
#[derive(Debug)]
pub(crate) struct ProviderRedirect {
    /// The address to which the browser is redirected.
    pub(crate) address: String,
    /// The secret for the browser's cookie.
    pub(crate) secret: String,
}

/// The pending sign-ins, and the clients of all providers that were asked.
pub(crate) struct Oidc {
    clock: Clock,
    /// The clients, by the provider's id.
    provider_clients: Mutex<HashMap<String, ProviderClient>>,
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
        Self { clock, provider_clients: Mutex::default(), pending: Mutex::default() }
    }

    /// Checks that a provider can be reached and has a valid discovery document.
    ///
    /// # Errors
    /// Returns the reason why the provider can't be used.
    pub(crate) async fn probe(&self, provider: &Provider) -> Result<(), OidcError> {
        // A separate client is used, so that a provider that is not accepted leaves nothing behind.
        let provider_client = ProviderClient::new(provider.clone(), self.clock.clone());
        provider_client.metadata().await.map(drop)
    }

    /// Forgets the client of a provider, with its cached metadata. Pending sign-ins still use the client with which
    /// they began.
    pub(crate) fn forget(&self, provider: &str) {
        self.provider_clients.lock().unwrap_or_else(PoisonError::into_inner).remove(provider);
    }

    fn provider_client(&self, provider: Provider) -> ProviderClient {
        let mut provider_clients =
            self.provider_clients.lock().unwrap_or_else(PoisonError::into_inner);
        match provider_clients.get(&provider.id) {
            Some(provider_client) if *provider_client.provider() == provider => {
                provider_client.clone()
            }
            _ => {
                let provider_client = ProviderClient::new(provider.clone(), self.clock.clone());
                provider_clients.insert(provider.id, provider_client.clone());
                provider_client
            }
        }
    }

    /// Starts a sign-in. Returns the redirect that sends the browser to the provider, with the secret for the browser's
    /// cookie. The provider later sends the browser back to the address `redirect`.
    ///
    /// # Errors
    /// Returns an error if the provider can't be reached, or if too many requests wait for it.
    pub(crate) async fn begin(
        &self,
        provider: Provider,
        redirect: &str,
        purpose: SignInPurpose,
    ) -> Result<ProviderRedirect, OidcError> {
        let provider_client = self.provider_client(provider);
        let (url, state, nonce, verifier) = {
            let metadata = provider_client.metadata().await?;
            let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
            let (url, state, nonce) = client(&provider_client, &metadata)
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
        self.keep(&secret, Pending { provider_client, state, nonce, verifier, purpose, since });
        Ok(ProviderRedirect { address: url.to_string(), secret })
    }

    fn keep(&self, secret: &str, one: Pending) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        pending.retain(|_, kept| one.since.saturating_sub(kept.since) < SIGN_IN_TIMEOUT_MS);
        if pending.len() >= MAX_PENDING_SIGN_INS {
            let oldest = pending.iter().min_by_key(|(_, kept)| kept.since).map(|(key, _)| *key);
            oldest.map(|key| pending.remove(&key));
        }
        pending.insert(digest(secret), one);
    }

    /// Completes a sign-in when the browser comes back from its provider, with a `code` or with the provider's reason
    /// for refusing. The pending sign-in is removed.
    ///
    /// # Errors
    /// Returns an error if there is no such pending sign-in, if the provider refused or can't be reached, or if its
    /// statements can't be trusted.
    pub(crate) async fn finish(
        &self,
        secret: &str,
        state: &str,
        code: Result<String, String>,
        redirect: &str,
    ) -> Result<(Provider, Claimed, SignInPurpose), OidcError> {
        let found = {
            let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
            pending.remove(&digest(secret))
        };
        let found = found.ok_or(OidcError::Unknown)?;
        let late = self.clock.now_ms().saturating_sub(found.since) >= SIGN_IN_TIMEOUT_MS;
        // The digests are compared, so that the time of the comparison shows nothing about the state.
        if late || digest(found.state.secret()) != digest(state) {
            return Err(OidcError::Unknown);
        }
        let code = code.map_err(OidcError::Refused)?;
        let Pending { provider_client, nonce, verifier, purpose, .. } = found;
        let claimed =
            exchange(&provider_client, code, verifier, &nonce, address(redirect)?).await?;
        Ok((provider_client.provider().clone(), claimed, purpose))
    }
}

/// Exchanges a code for the provider's statements about the person.
async fn exchange(
    provider_client: &ProviderClient,
    code: String,
    verifier: PkceCodeVerifier,
    nonce: &Nonce,
    redirect: RedirectUrl,
) -> Result<Claimed, OidcError> {
    let metadata = provider_client.metadata().await?;
    let (own, endpoints) = (provider_client.clone(), metadata.clone());
    let tokens: CoreTokenResponse = provider_client
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
    let id_token = tokens.id_token().ok_or_else(|| untrusted(&"it contains no ID token"))?;
    let mut claimed = match judge(provider_client, &metadata, id_token, nonce) {
        // The provider could have changed its keys since they were fetched.
        Err(ClaimsVerificationError::SignatureVerification(
            SignatureVerificationError::NoMatchingKey,
        )) => {
            let newer = provider_client.newer(&metadata).await?;
            judge(provider_client, &newer, id_token, nonce).map_err(|error| untrusted(&error))?
        }
        judged => judged.map_err(|error| untrusted(&error))?,
    };
    // Many providers give the name and the address only at the user info endpoint.
    if claimed.name.is_none() || claimed.email.is_none() {
        let subject = SubjectIdentifier::new(claimed.subject.clone());
        let (own, token) = (provider_client.clone(), tokens.access_token().clone());
        let info = provider_client.converse(move |conversation| {
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
    provider_client: &ProviderClient,
    metadata: &CoreProviderMetadata,
    id_token: &CoreIdToken,
    nonce: &Nonce,
) -> Result<Claimed, ClaimsVerificationError> {
    let client = client(provider_client, metadata);
    let claims = id_token.claims(&client.id_token_verifier(), nonce)?;
    Ok(Claimed::of(&provider_client.provider().issuer, claims))
}

fn untrusted(error: &dyn std::fmt::Display) -> OidcError {
    OidcError::Untrusted(error.to_string())
}

fn address(redirect: &str) -> Result<RedirectUrl, OidcError> {
    RedirectUrl::new(redirect.to_owned()).map_err(|error| OidcError::Unreachable(error.to_string()))
}

/// Returns the OpenID Connect client for a provider.
fn client(provider_client: &ProviderClient, metadata: &CoreProviderMetadata) -> Client {
    CoreClient::from_provider_metadata(
        metadata.clone(),
        ClientId::new(provider_client.provider().client_id.clone()),
        Some(ClientSecret::new(provider_client.provider().client_secret.clone())),
    )
}
