//! `/v1/turn`.

use std::str::FromStr;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request, State};
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::Response;
use serde::Deserialize;

use super::{checked, content, json, page_limit};
use crate::control::{Cursor, TurnAllocationPage, TurnCredentials, TurnCredentialsOrder, TurnQuery};
use crate::problem::{Kind, Problem};
use crate::router::App;

/// The query of a list of allocations.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// The `next_cursor` of the page before; the first page without it.
    #[param(example = "0000000000000000c350")]
    cursor: Option<String>,
    /// Most allocations in the page.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 500, default = 50)]
    limit: Option<String>,
    /// Only allocations in this network.
    network: Option<String>,
    /// Only allocations of this user.
    user: Option<String>,
}

/// List allocations.
///
/// One page of what clients have with the TURN servers (RFC 8656). Pages promise no common instant.
#[utoipa::path(
    get,
    operation_id = "list_turn_allocations",
    path = "/v1/turn/allocations",
    tag = "turn",
    security(("token" = [])),
    params(ListQuery),
    responses(
        (status = 200, description = "One page of allocations.", body = TurnAllocationPage),
        (status = 400, description = "malformed-query, malformed-authorization"),
        (status = 401, description = "unauthorized"),
        (status = 503, description = "unavailable, overloaded, timeout"),
    )
)]
pub(crate) async fn allocations(
    State(app): State<App>,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let ListQuery { cursor, limit, network, user } = checked(query)?;
    let after = cursor.as_deref().map(Cursor::from_str).transpose()?;
    let query = TurnQuery { after, limit: page_limit(limit.as_deref())?, network, user };
    json(StatusCode::OK, &app.control.turn_allocations(query).await?)
}

/// Make credentials.
///
/// Credentials for a TURN server that end by themselves. Nothing is kept of them: they are good until then, or until the secret
/// is another one.
#[utoipa::path(
    post,
    operation_id = "make_turn_credentials",
    path = "/v1/turn/credentials",
    tag = "turn",
    security(("token" = [])),
    request_body = TurnCredentialsOrder,
    responses(
        (status = 200, description = "The credentials.", body = TurnCredentials),
        (status = 400, description = "malformed-body, malformed-authorization"),
        (status = 401, description = "unauthorized"),
        (status = 404, description = "turn-server-not-found"),
        (status = 408, description = "request-timeout"),
        (status = 413, description = "content-too-large"),
        (status = 415, description = "unsupported-media-type"),
        (status = 422, description = "invalid-turn-credentials"),
        (status = 503, description = "unavailable, overloaded, timeout"),
    )
)]
pub(crate) async fn credentials(State(app): State<App>, request: Request) -> Result<Response, Problem> {
    let order: Option<TurnCredentialsOrder> = content(&app, request).await?;
    let nothing = || Problem::new(Kind::MalformedBody, "expected a JSON object with `user`");
    let made = app.control.turn_credentials(order.ok_or_else(nothing)?).await?;
    let mut response = json(StatusCode::OK, &made)?;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
