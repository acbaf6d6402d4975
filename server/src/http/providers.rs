//! `/providers`: the list of OpenID Connect providers, the routes with which administrators add and remove providers,
//! and the route with which people unlink one. Signing in with a provider is in `provider_sign_in.rs`.

use super::App;
use super::bounded::Bounded;
use super::extract::{Body, Path};
use super::identity::{Visitor, administrator};
use super::problem::{Problem, blocking, changing};
use super::views::ProviderView;
use crate::people::{Provider, fresh_id};
use accord_document::body::AuditAction;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The ways to sign in that depend on the configuration of the server.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Ways)]
pub(crate) struct SignInMethods {
    /// The sign-in providers of this installation.
    providers: Vec<ProviderView>,
    /// Whether the server can mail a link for a new password.
    mail: bool,
}

/// A sign-in provider, as administrators see it. No answer contains its client secret.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProviderEntry {
    /// The id of the provider.
    id: String,
    /// The name of the provider on the sign-in page.
    name: String,
    /// The issuer: the URL that identifies the provider, as in its discovery document.
    issuer: String,
    /// The client id with which Accord is registered at the provider.
    client_id: String,
    /// Whether an e-mail address counts as confirmed when the provider says so.
    trust_email: bool,
}

impl From<Provider> for ProviderEntry {
    fn from(Provider { id, name, issuer, client_id, trust_email, .. }: Provider) -> Self {
        Self { id, name, issuer, client_id, trust_email }
    }
}

/// A sign-in provider to add.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct NewProvider {
    /// The name of the provider on the sign-in page.
    #[schema(value_type = String, max_length = 200)]
    name: Bounded<200>,
    /// The issuer: the URL that identifies the provider, as in its discovery document.
    #[schema(value_type = String, max_length = 500)]
    issuer: Bounded<500>,
    /// The client id with which Accord is registered at the provider.
    #[schema(value_type = String, max_length = 500)]
    client_id: Bounded<500>,
    /// The client secret that belongs to the client id.
    #[schema(value_type = String, max_length = 1000)]
    client_secret: Bounded<1_000>,
    /// Whether an e-mail address counts as confirmed when the provider says so (`email_verified`). Set this only for
    /// providers that verify addresses.
    #[serde(default)]
    trust_email: bool,
}

/// Returns the ways to sign in that depend on the configuration of the server.
#[utoipa::path(get, path = "/api/v1/providers", responses((status = 200, body = SignInMethods)))]
pub(super) async fn list(State(app): State<App>) -> Result<Json<SignInMethods>, Problem> {
    let people = app.people.clone();
    let providers = blocking(move || people.providers()).await?;
    let views = providers.into_iter().map(ProviderView::from);
    Ok(Json(SignInMethods { providers: views.collect(), mail: app.letters.is_some() }))
}

/// Adds a sign-in provider, after checking that it can be reached and has a valid discovery document.
#[utoipa::path(post, path = "/api/v1/administration/providers", request_body = NewProvider, responses(
    (status = 201, body = ProviderEntry), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 422, body = Problem)))]
pub(super) async fn add(
    State(app): State<App>,
    Visitor { by, from }: Visitor,
    Body(new): Body<NewProvider>,
) -> Result<(StatusCode, Json<ProviderEntry>), Problem> {
    administrator(&by)?;
    let provider = Provider {
        id: fresh_id(),
        name: new.name.into_inner().split_whitespace().collect::<Vec<_>>().join(" "),
        issuer: new.issuer.into_inner().trim().to_owned(),
        client_id: new.client_id.into_inner().trim().to_owned(),
        client_secret: new.client_secret.into_inner().trim().to_owned(),
        trust_email: new.trust_email,
    };
    if provider.name.is_empty() || provider.client_id.is_empty() {
        return Err(Problem::invalid("A provider needs a name and a client id."));
    }
    let answers = app.oidc.probe(&provider).await;
    answers.map_err(|error| Problem::invalid(format!("This provider does not work: {error}.")))?;
    let (people, added) = (app.people.clone(), provider.clone());
    blocking(move || people.add_provider(&added)).await?;
    let action = AuditAction::AddProvider { issuer: provider.issuer.clone() };
    app.plans.record(&by.administrator(), action, Some(from)).await?;
    Ok((StatusCode::CREATED, Json(provider.into())))
}

/// Removes a sign-in provider.
///
/// People who sign in only with this provider need another way to sign in.
#[utoipa::path(delete, path = "/api/v1/administration/providers/{provider}", params(("provider" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem)))]
pub(super) async fn remove(
    State(app): State<App>,
    Visitor { by, from }: Visitor,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    administrator(&by)?;
    let (people, gone) = (app.people.clone(), id.clone());
    let found = blocking(move || {
        let found = people.provider(&gone)?;
        people.remove_provider(&gone)?;
        Ok(found)
    });
    let provider = found.await?.ok_or_else(|| Problem::missing("provider"))?;
    app.oidc.forget(&provider.id);
    let action = AuditAction::RemoveProvider { issuer: provider.issuer };
    app.plans.record(&by.administrator(), action, Some(from)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Unlinks a provider from the caller's account, so that it can't be used to sign in any more.
#[utoipa::path(delete, path = "/api/v1/account/providers/{provider}", params(("provider" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 404, body = Problem),
    (status = 409, body = Problem)))]
pub(super) async fn unlink(
    State(app): State<App>,
    Visitor { by, .. }: Visitor,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let people = app.people.clone();
    changing(move || people.unidentify(&by.person.id, &id)).await?;
    Ok(StatusCode::NO_CONTENT)
}
