//! `/v1/subscriptions`.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use std::str::FromStr;

use super::{checked, json, page_limit};
use crate::control::{CarriedQuery, CarriedSubscriptionPage, Cursor};
use crate::problem::Problem;
use crate::router::App;

/// The query of a list of carried subscriptions.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// The `next_cursor` of the page before; the first page without it.
    #[param(example = "00000000000000000011")]
    cursor: Option<String>,
    /// Most subscriptions in the page.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 500, default = 50)]
    limit: Option<String>,
}

/// List carried subscriptions.
///
/// One page of the subscriptions from one side to the other (RFC 6665); those to what is registered here are listed with the
/// registration. Pages promise no common instant.
#[utoipa::path(
    get,
    operation_id = "list_carried_subscriptions",
    path = "/v1/subscriptions",
    tag = "subscriptions",
    security(("token" = [])),
    params(ListQuery),
    responses(
        (status = 200, description = "One page of subscriptions.", body = CarriedSubscriptionPage),
        (status = 400, description = "malformed-query, unknown-cursor, malformed-authorization"),
        (status = 401, description = "unauthorized"),
        (status = 503, description = "unavailable, overloaded, timeout"),
    )
)]
pub(crate) async fn list(
    State(app): State<App>,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let ListQuery { cursor, limit } = checked(query)?;
    let after = cursor.as_deref().map(Cursor::from_str).transpose()?;
    let query = CarriedQuery { after, limit: page_limit(limit.as_deref())? };
    json(StatusCode::OK, &app.control.carried_subscriptions(query).await?)
}
