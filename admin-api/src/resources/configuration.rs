//! `/v1/config`.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{content, json};
use crate::control::{ConfigurationInForce, ReloadMode, ReloadOutcome};
use crate::problem::Problem;
use crate::router::App;

/// How to reload.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReloadRequest {
    /// True: check the file and say what would change, but change nothing.
    #[serde(default)]
    dry_run: bool,
}

/// Show the configuration in force.
///
/// With its source, the time it was loaded, and its version. Secrets are shown as references only.
#[utoipa::path(
    get,
    operation_id = "show_configuration",
    path = "/v1/config",
    tag = "configuration",
    security(("token" = [])),
    responses(
        (status = 200, description = "The configuration in force.", body = ConfigurationInForce),
        (status = 400, description = "malformed-authorization"),
        (status = 401, description = "unauthorized"),
        (status = 503, description = "unavailable, overloaded, timeout"),
    )
)]
pub(crate) async fn show(State(app): State<App>) -> Result<Response, Problem> {
    json(StatusCode::OK, &app.control.configuration().await?)
}

/// Reload the configuration.
///
/// Reads the file again and puts it in force whole, or not at all. No call is touched.
#[utoipa::path(
    post,
    operation_id = "reload_configuration",
    path = "/v1/config/reload",
    tag = "configuration",
    security(("token" = [])),
    request_body(content = ReloadRequest, content_type = "application/json", description = "May be left out."),
    responses(
        (status = 200, description = "The version in force and what changed.", body = ReloadOutcome),
        (status = 400, description = "malformed-body, malformed-authorization"),
        (status = 401, description = "unauthorized"),
        (status = 408, description = "request-timeout"),
        (status = 409, description = "reload-under-way"),
        (status = 413, description = "content-too-large"),
        (status = 415, description = "unsupported-media-type"),
        (status = 422, description = "invalid-configuration: `errors` lists every fault; the old version stays in force"),
        (status = 503, description = "unavailable, overloaded, timeout"),
    )
)]
pub(crate) async fn reload(State(app): State<App>, request: Request) -> Result<Response, Problem> {
    let ReloadRequest { dry_run } = content(&app, request).await?;
    let mode = if dry_run { ReloadMode::DryRun } else { ReloadMode::Apply };
    json(StatusCode::OK, &app.control.reload(mode).await?)
}
