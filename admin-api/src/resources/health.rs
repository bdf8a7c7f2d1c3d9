//! `/healthz` and `/readyz`: open to everyone, since they are asked by machines that hold no token.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::json;
use crate::control::{Health, Readiness};
use crate::problem::Problem;
use crate::router::App;

/// Is the process alive?
///
/// Anything but 200 means that it should be restarted.
#[utoipa::path(
    get,
    operation_id = "show_health",
    path = "/healthz",
    tag = "health",
    responses(
        (status = 200, description = "Alive.", body = Health),
        (status = 503, description = "unavailable, timeout"),
    )
)]
pub(crate) async fn alive(State(app): State<App>) -> Result<Response, Problem> {
    json(StatusCode::OK, &app.control.health().await?)
}

/// Should new calls be sent here?
///
/// 503 while the process starts or drains, and while a component is not ready.
#[utoipa::path(
    get,
    operation_id = "show_readiness",
    path = "/readyz",
    tag = "health",
    responses(
        (status = 200, description = "Ready for new calls.", body = Readiness),
        (status = 503, description = "not-ready: `phase` and `components` say why; unavailable, timeout"),
    )
)]
pub(crate) async fn ready(State(app): State<App>) -> Result<Response, Problem> {
    let readiness = app.control.readiness().await?;
    if readiness.is_ready() { json(StatusCode::OK, &readiness) } else { Err(Problem::not_ready(readiness)) }
}
