//! `/v1/calls`.

use std::str::FromStr;

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, Request, State};
use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{checked, content, json, page_limit};
use crate::control::{
    CallDetail, CallFilter, CallId, CallOrder, CallPage, CallQuery, CallState, Cursor, ReasonText,
};
use crate::problem::{Kind, Problem};
use crate::router::App;

/// The query of a list of calls.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// The `next_cursor` of the page before; the first page without it.
    #[param(example = "00000000000000000007")]
    cursor: Option<String>,
    /// Most calls in the page.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 500, default = 50)]
    limit: Option<String>,
    /// Only calls with a leg on this trunk.
    trunk: Option<String>,
    /// Only calls with a leg in this network.
    network: Option<String>,
    /// Only calls in this state.
    #[param(inline)]
    state: Option<CallState>,
    /// Only calls with a leg whose peer has this identifier in Session-ID (RFC 7989).
    #[param(example = "ab30317f1a784dc48ff824d0d3715d86")]
    session_id: Option<String>,
}

impl ListQuery {
    fn check(self) -> Result<CallQuery, Problem> {
        let limit = page_limit(self.limit.as_deref())?;
        let after = self.cursor.as_deref().map(Cursor::from_str).transpose()?;
        let (trunk, network, state, session_id) = (self.trunk, self.network, self.state, self.session_id);
        let filter = CallFilter { trunk, network, state, session_id };
        Ok(CallQuery { after, limit, filter })
    }
}

/// The query of the command that ends a call.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct EndQuery {
    /// Why; both peers see it in a Reason header field (RFC 3326).
    #[param(min_length = 1, max_length = 128, example = "fraud")]
    reason: Option<String>,
}

/// The command to end a call was accepted.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EndAccepted {
    /// The call.
    id: CallId,
    /// Always true: the call ends soon, not yet.
    accepted: bool,
}

/// List calls.
///
/// One page, ordered; pages promise no common instant.
#[utoipa::path(
    get,
    operation_id = "list_calls",
    path = "/v1/calls",
    tag = "calls",
    security(("token" = [])),
    params(ListQuery),
    responses(
        (status = 200, description = "One page of calls.", body = CallPage),
        (status = 400, description = "malformed-query, unknown-cursor, malformed-authorization"),
        (status = 401, description = "unauthorized"),
        (status = 503, description = "unavailable, overloaded, timeout"),
    )
)]
pub(crate) async fn list(
    State(app): State<App>,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let query = checked(query)?.check()?;
    json(StatusCode::OK, &app.control.calls(query).await?)
}

/// Place a call.
///
/// Rings the first party, and the other one once the first has answered; answers while the first rings.
#[utoipa::path(
    post,
    operation_id = "place_call",
    path = "/v1/calls",
    tag = "calls",
    security(("token" = [])),
    request_body = CallOrder,
    responses(
        (status = 201, description = "It rings; the Location header field says where the call is.", body = CallDetail,
            headers(("Location" = String, description = "The call: `/v1/calls/{id}`."))),
        (status = 400, description = "malformed-body, malformed-authorization"),
        (status = 401, description = "unauthorized"),
        (status = 408, description = "request-timeout"),
        (status = 409, description = "call-refused"),
        (status = 413, description = "content-too-large"),
        (status = 415, description = "unsupported-media-type"),
        (status = 422, description = "invalid-call"),
        (status = 503, description = "unavailable, overloaded, timeout"),
    )
)]
pub(crate) async fn place(State(app): State<App>, request: Request) -> Result<Response, Problem> {
    let order: Option<CallOrder> = content(&app, request).await?;
    let nothing =
        || Problem::new(Kind::MalformedBody, "expected a JSON object: `first` and `then`, and where from");
    let call = app.control.place_call(order.ok_or_else(nothing)?).await?;
    let location = HeaderValue::from_str(&format!("/v1/calls/{}", call.summary.id));
    let mut response = json(StatusCode::CREATED, &call)?;
    if let Ok(location) = location {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

/// Show a call.
///
/// One call with its legs, their media, and the trail of policy.
#[utoipa::path(
    get,
    operation_id = "show_call",
    path = "/v1/calls/{id}",
    tag = "calls",
    security(("token" = [])),
    params(("id" = CallId, Path, description = "The call.")),
    responses(
        (status = 200, description = "The call.", body = CallDetail),
        (status = 400, description = "malformed-authorization"),
        (status = 401, description = "unauthorized"),
        (status = 404, description = "call-not-found"),
        (status = 503, description = "unavailable, overloaded, timeout"),
    )
)]
pub(crate) async fn show(
    State(app): State<App>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    json(StatusCode::OK, &app.control.call(call_id(id)?).await?)
}

/// End a call.
///
/// Starts to end it on all its legs and answers at once.
#[utoipa::path(
    delete,
    operation_id = "end_call",
    path = "/v1/calls/{id}",
    tag = "calls",
    security(("token" = [])),
    params(("id" = CallId, Path, description = "The call."), EndQuery),
    responses(
        (status = 202, description = "Accepted: the call ends soon.", body = EndAccepted),
        (status = 400, description = "malformed-query, malformed-authorization"),
        (status = 401, description = "unauthorized"),
        (status = 404, description = "call-not-found"),
        (status = 503, description = "unavailable, overloaded, timeout"),
    )
)]
pub(crate) async fn end(
    State(app): State<App>,
    id: Result<Path<String>, PathRejection>,
    query: Result<Query<EndQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let reason = checked(query)?.reason.as_deref().map(ReasonText::from_str).transpose()?;
    let id = call_id(id)?;
    app.control.end_call(id.clone(), reason).await?;
    json(StatusCode::ACCEPTED, &EndAccepted { id, accepted: true })
}

/// What cannot be a call id names no call.
fn call_id(path: Result<Path<String>, PathRejection>) -> Result<CallId, Problem> {
    let none = |why: String| Problem::new(Kind::CallNotFound, why);
    let Path(text) = path.map_err(|rejection| none(rejection.body_text()))?;
    text.parse().map_err(|error: crate::control::InvalidValue| none(error.to_string()))
}
