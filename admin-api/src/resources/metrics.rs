//! `/metrics`.

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use crate::metrics::{self, render};
use crate::problem::Problem;
use crate::router::App;

/// All metrics.
///
/// In the Prometheus text exposition format 0.0.4. Open or for holders of the token, by configuration.
#[utoipa::path(
    get,
    operation_id = "show_metrics",
    path = "/metrics",
    tag = "metrics",
    security((), ("token" = [])),
    responses(
        (status = 200, description = "The metrics.", body = String, content_type = "text/plain; version=0.0.4; charset=utf-8"),
        (status = 400, description = "malformed-authorization"),
        (status = 401, description = "unauthorized"),
        (status = 503, description = "unavailable, overloaded, timeout"),
    )
)]
pub(crate) async fn show(State(app): State<App>) -> Result<Response, Problem> {
    let mut families = app.control.metrics().await?;
    families.extend(app.stats.snapshot());
    Ok(([(CONTENT_TYPE, metrics::CONTENT_TYPE)], render(&families)).into_response())
}
