//! `/v1/quarantine`.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::json;
use crate::control::Quarantine;
use crate::problem::{Kind, Problem};
use crate::router::App;

/// A source is heard again.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QuarantineLifted {
    /// The source.
    source: String,
    /// Always true: it is heard again.
    lifted: bool,
}

/// List the quarantine.
///
/// The sources that are not heard, because too much of what came from there was refused.
#[utoipa::path(
    get,
    operation_id = "list_quarantine",
    path = "/v1/quarantine",
    tag = "quarantine",
    security(("token" = [])),
    responses(
        (status = 200, description = "Who is not heard.", body = Quarantine),
        (status = 400, description = "malformed-authorization"),
        (status = 401, description = "unauthorized"),
        (status = 503, description = "unavailable, overloaded, timeout"),
    )
)]
pub(crate) async fn list(State(app): State<App>) -> Result<Response, Problem> {
    json(StatusCode::OK, &app.control.quarantine().await?)
}

/// Lift a quarantine.
///
/// Hears a source again, and forgets what was refused.
#[utoipa::path(
    delete,
    operation_id = "lift_quarantine",
    path = "/v1/quarantine/{source}",
    tag = "quarantine",
    security(("token" = [])),
    params(("source" = String, Path, description = "The source as the list has it.", example = "192.0.2.66")),
    responses(
        (status = 200, description = "It is heard again.", body = QuarantineLifted),
        (status = 400, description = "malformed-authorization"),
        (status = 401, description = "unauthorized"),
        (status = 404, description = "source-not-found"),
        (status = 503, description = "unavailable, overloaded, timeout"),
    )
)]
pub(crate) async fn lift(
    State(app): State<App>,
    source: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let none = |rejection: PathRejection| Problem::new(Kind::SourceNotFound, rejection.body_text());
    let Path(source) = source.map_err(none)?;
    app.control.lift_quarantine(source.clone()).await?;
    json(StatusCode::OK, &QuarantineLifted { source, lifted: true })
}
