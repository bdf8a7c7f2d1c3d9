//! `/v1/trunks`.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::json;
use crate::control::{TrunkList, TrunkTargets};
use crate::problem::{Kind, Problem};
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

/// Show the targets of a trunk.
///
/// Where a call to each URI of its `targets` would go at this moment, as each shard knows it: the records that lead there, and
/// which addresses would be passed over. No name server is asked for it.
#[utoipa::path(
    get,
    operation_id = "show_trunk_targets",
    path = "/v1/trunks/{name}/targets",
    tag = "trunks",
    security(("token" = [])),
    params(("name" = String, Path, description = "The trunk's name.", example = "carrier-east")),
    responses(
        (status = 200, description = "Its targets.", body = TrunkTargets),
        (status = 400, description = "malformed-authorization"),
        (status = 401, description = "unauthorized"),
        (status = 404, description = "trunk-not-found"),
        (status = 503, description = "unavailable, overloaded, timeout"),
    )
)]
pub(crate) async fn targets(
    State(app): State<App>,
    name: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let none = |rejection: PathRejection| Problem::new(Kind::TrunkNotFound, rejection.body_text());
    let Path(name) = name.map_err(none)?;
    json(StatusCode::OK, &app.control.trunk_targets(name).await?)
}
