//! The description of the API (OpenAPI 3.1), from which the web app's types are generated.

use super::problem::Problem;
use super::{documents, plans, session};
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
        plans::list,
        plans::show,
        plans::create_document,
        documents::show,
        documents::content,
        documents::ticket,
    ),
    components(schemas(Problem))
)]
struct Api;

/// The description as JSON.
#[must_use]
pub fn openapi() -> String {
    Api::openapi().to_pretty_json().unwrap_or_default()
}

pub(super) async fn document() -> Json<utoipa::openapi::OpenApi> {
    Json(Api::openapi())
}
