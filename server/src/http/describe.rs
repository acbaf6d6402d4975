//! The description of the API (OpenAPI 3.1), from which the web app's types are generated.

use super::problem::Problem;
use super::{
    account, administration, audit, cleaning, documents, files, history, imports, invitations,
    launches, links, plans, provider_sign_in, providers, record, releases, seats, session,
};
use axum::Json;
use utoipa::OpenApi;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Accord",
        description = "Write Open Government Partnership commitments together."
    ),
    paths(
        session::demo_people,
        session::current,
        session::sign_in,
        session::sign_out,
        providers::list,
        provider_sign_in::start,
        provider_sign_in::callback,
        links::send,
        links::show,
        links::take,
        invitations::show,
        invitations::accept,
        account::show,
        account::rename,
        account::set_email,
        account::confirm_email,
        account::set_password,
        account::end_others,
        account::end_one,
        providers::unlink,
        plans::list,
        plans::create,
        plans::show,
        plans::change,
        plans::create_document,
        imports::import,
        seats::list,
        seats::change,
        seats::end,
        seats::reset,
        invitations::make,
        invitations::revoke,
        audit::of_plan,
        documents::show,
        documents::change,
        documents::delete,
        documents::redact,
        documents::content,
        documents::ticket,
        history::show,
        history::note_seen,
        history::diff,
        history::name_version,
        history::restore,
        cleaning::clean_text,
        record::show,
        launches::launch,
        launches::call_off,
        releases::show,
        releases::propose,
        releases::proposed,
        releases::sign,
        releases::decline,
        releases::withdraw,
        releases::reopen,
        releases::download,
        files::draft,
        files::release,
        administration::show,
        providers::add,
        providers::remove,
        audit::whole,
        administration::change,
        administration::forget,
        administration::reset,
        administration::end_sessions,
    ),
    components(schemas(Problem, audit::Format, record::Format))
)]
struct Api;

/// Returns the description of the API as JSON.
#[must_use]
pub fn openapi() -> String {
    Api::openapi().to_pretty_json().unwrap_or_default()
}

pub(super) async fn document() -> Json<utoipa::openapi::OpenApi> {
    Json(Api::openapi())
}
