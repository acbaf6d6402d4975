//! Signing in with a provider: OpenID Connect Core 1.0, authorization code flow with PKCE (RFC 7636),
//! endpoints by discovery.
//!
//! What was sent out with a browser (state, nonce, code verifier) is kept here for ten minutes, under
//! the digest of a secret that only this browser has, as a cookie. All calls that ask a provider block.

use crate::clock::Clock;
use crate::people::{Provider, digest, secret};
use accord_document::ids::{Digest, PersonId};
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreProviderMetadata, CoreUserInfoClaims,
};
use openidconnect::{
    AuthorizationCode, ClientId, ClientSecret, CsrfToken, HttpRequest, HttpResponse, IssuerUrl,
    Nonce, OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope,
    TokenResponse,
};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use thiserror::Error;
use ureq::http;

/// How long somebody may take at the provider, in milliseconds.
const PENDING_MS: u64 = 10 * 60_000;
/// Sign-ins under way at once; beyond that the oldest are forgotten.
const PENDING: usize = 10_000;
const TIMEOUT: Duration = Duration::from_secs(10);
/// The largest answer of a provider, in bytes.
const ANSWER: u64 = 1024 * 1024;

/// Why a sign-in with a provider did not work.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum OidcError {
    /// Nothing is known of it: too old, of another browser, or invented.
    #[error("this sign-in was not begun here, or took too long")]
    Unknown,
    #[error("the provider can't be reached, or is set up wrongly: {0}")]
    Unreachable(String),
    #[error("the provider refused: {0}")]
    Refused(String),
    #[error("what the provider says can't be trusted: {0}")]
    Untrusted(String),
}

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
}

struct Pending {
    provider: Provider,
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

/// The sign-ins under way.
pub(crate) struct Oidc {
    clock: Clock,
    agent: ureq::Agent,
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
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            // A provider's redirect could lead anywhere inside our own network.
            .max_redirects(0)
            .timeout_global(Some(TIMEOUT))
            .build()
            .into();
        Self { clock, agent, pending: Mutex::default() }
    }

    /// Whether a provider answers as one.
    ///
    /// # Errors
    /// With what is wrong.
    pub(crate) fn probe(&self, provider: &Provider) -> Result<(), OidcError> {
        self.discover(provider).map(drop)
    }

    /// Sends a browser to a provider, which sends it back to `redirect`.
    ///
    /// # Errors
    /// When the provider can't be reached.
    pub(crate) fn begin(
        &self,
        provider: Provider,
        redirect: &str,
        errand: Errand,
    ) -> Result<Sent, OidcError> {
        let client = CoreClient::from_provider_metadata(
            self.discover(&provider)?,
            ClientId::new(provider.client_id.clone()),
            Some(ClientSecret::new(provider.client_secret.clone())),
        )
        .set_redirect_uri(address(redirect)?);
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let (url, state, nonce) = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                CsrfToken::new_random,
                Nonce::new_random,
            )
            .add_scope(Scope::new("email".into()))
            .add_scope(Scope::new("profile".into()))
            .set_pkce_challenge(challenge)
            .url();
        let secret = secret();
        let now = self.clock.now_ms();
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        pending.retain(|_, one| now.saturating_sub(one.since) < PENDING_MS);
        if pending.len() >= PENDING {
            let oldest = pending.iter().min_by_key(|(_, one)| one.since).map(|(key, _)| *key);
            oldest.map(|key| pending.remove(&key));
        }
        let one = Pending { provider, state, nonce, verifier, errand, since: now };
        pending.insert(digest(&secret), one);
        Ok(Sent { address: url.to_string(), secret })
    }

    /// Takes a browser back from its provider: with `code`, or the provider's reason against it. What
    /// was kept for it is used up.
    ///
    /// # Errors
    /// When anything about it is not as it was begun.
    pub(crate) fn finish(
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
        let Pending { provider, nonce, verifier, errand, .. } = found;
        let claimed = self.exchange(&provider, code, verifier, &nonce, redirect)?;
        Ok((provider, claimed, errand))
    }

    fn exchange(
        &self,
        provider: &Provider,
        code: String,
        verifier: PkceCodeVerifier,
        nonce: &Nonce,
        redirect: &str,
    ) -> Result<Claimed, OidcError> {
        let untrusted = |error: &dyn std::fmt::Display| OidcError::Untrusted(error.to_string());
        let client = CoreClient::from_provider_metadata(
            self.discover(provider)?,
            ClientId::new(provider.client_id.clone()),
            Some(ClientSecret::new(provider.client_secret.clone())),
        )
        .set_redirect_uri(address(redirect)?);
        let http = |request| self.call(request);
        let tokens = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|error| OidcError::Unreachable(error.to_string()))?
            .set_pkce_verifier(verifier)
            .request(&http)
            .map_err(|error| OidcError::Refused(error.to_string()))?;
        let id_token =
            tokens.id_token().ok_or_else(|| OidcError::Untrusted("no ID token came".into()))?;
        // Signature, issuer, audience, expiry and nonce.
        let claims = id_token
            .claims(&client.id_token_verifier(), nonce)
            .map_err(|error| untrusted(&error))?;
        let mut claimed = Claimed {
            issuer: provider.issuer.clone(),
            subject: claims.subject().to_string(),
            name: claims
                .name()
                .and_then(|name| name.get(None))
                .map(|name| name.as_str().to_owned()),
            email: claims.email().map(|email| email.as_str().to_owned()),
        };
        // Many providers tell a name and an address only here.
        let asked = client.user_info(tokens.access_token().clone(), Some(claims.subject().clone()));
        if let Ok(request) = asked
            && (claimed.name.is_none() || claimed.email.is_none())
        {
            let info: CoreUserInfoClaims =
                request.request(&http).map_err(|error| untrusted(&error))?;
            let name =
                info.name().and_then(|name| name.get(None)).map(|name| name.as_str().to_owned());
            claimed.name = claimed.name.or(name);
            claimed.email = claimed.email.or(info.email().map(|email| email.as_str().to_owned()));
        }
        Ok(claimed)
    }

    fn discover(&self, provider: &Provider) -> Result<CoreProviderMetadata, OidcError> {
        let unreachable = |error: &dyn std::fmt::Display| OidcError::Unreachable(error.to_string());
        let issuer =
            IssuerUrl::new(provider.issuer.clone()).map_err(|error| unreachable(&error))?;
        let http = |request| self.call(request);
        CoreProviderMetadata::discover(&issuer, &http).map_err(|error| unreachable(&error))
    }

    fn call(&self, request: HttpRequest) -> Result<HttpResponse, ureq::Error> {
        let (parts, body) = request.into_parts();
        let response = if body.is_empty() {
            self.agent.run(http::Request::from_parts(parts, ()))?
        } else {
            self.agent.run(http::Request::from_parts(parts, body))?
        };
        let (parts, mut body) = response.into_parts();
        let body = body.with_config().limit(ANSWER).read_to_vec()?;
        Ok(http::Response::from_parts(parts, body))
    }
}

fn address(redirect: &str) -> Result<RedirectUrl, OidcError> {
    RedirectUrl::new(redirect.to_owned()).map_err(|error| OidcError::Unreachable(error.to_string()))
}
