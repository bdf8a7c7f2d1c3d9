//! `/v1/overload`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::json;
use crate::control::Overload;
use crate::problem::Problem;
use crate::router::App;

/// Show overload.
///
/// How busy the shards are and what they refuse because of that, and what the servers that requests were sent to have said
/// of their load.
#[utoipa::path(
    get,
    operation_id = "show_overload",
    path = "/v1/overload",
    tag = "overload",
    security(("token" = [])),
    responses(
        (status = 200, description = "The load of the node and of servers.", body = Overload),
        (status = 400, description = "malformed-authorization"),
        (status = 401, description = "unauthorized"),
        (status = 503, description = "unavailable, overloaded, timeout"),
    )
)]
pub(crate) async fn show(State(app): State<App>) -> Result<Response, Problem> {
    json(StatusCode::OK, &app.control.overload().await?)
}
