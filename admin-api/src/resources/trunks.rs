//! `/v1/trunks`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::json;
use crate::control::TrunkList;
use crate::problem::Problem;
use crate::router::App;

/// List trunks.
///
/// The trunks of the configuration in force, each with our registration with it, where it has one.
#[utoipa::path(
    get,
    operation_id = "list_trunks",
    path = "/v1/trunks",
    tag = "trunks",
    security(("token" = [])),
    responses(
        (status = 200, description = "Every trunk.", body = TrunkList),
        (status = 400, description = "malformed-authorization"),
        (status = 401, description = "unauthorized"),
        (status = 503, description = "unavailable, overloaded, timeout"),
    )
)]
pub(crate) async fn list(State(app): State<App>) -> Result<Response, Problem> {
    json(StatusCode::OK, &app.control.trunks().await?)
}
