//! `/v1/targets`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::json;
use crate::control::TargetList;
use crate::problem::Problem;
use crate::router::App;

/// List targets.
///
/// The addresses that names and URIs of trunks and dialogs led to, as far as they are remembered, each with its state.
#[utoipa::path(
    get,
    operation_id = "list_targets",
    path = "/v1/targets",
    tag = "targets",
    security(("token" = [])),
    responses(
        (status = 200, description = "Every target that is remembered.", body = TargetList),
        (status = 400, description = "malformed-authorization"),
        (status = 401, description = "unauthorized"),
        (status = 503, description = "unavailable, overloaded, timeout"),
    )
)]
pub(crate) async fn list(State(app): State<App>) -> Result<Response, Problem> {
    json(StatusCode::OK, &app.control.targets().await?)
}
