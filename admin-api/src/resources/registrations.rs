//! `/v1/registrations`.

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{checked, json, page_limit};
use crate::control::{Registration, RegistrationPage, RegistrationQuery, SubscriptionList};
use crate::problem::{Kind, Problem};
use crate::router::App;

/// The query of a list of registrations.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// The `next_cursor` of the page before; the first page without it.
    #[param(example = "alice@example.com")]
    cursor: Option<String>,
    /// Most registrations in the page.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 500, default = 50)]
    limit: Option<String>,
}

/// A registration has ended.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RegistrationEnded {
    /// The address-of-record.
    address: String,
    /// Always true: nothing is bound to it any more.
    ended: bool,
}

/// List registrations.
///
/// One page, ordered by address-of-record; pages promise no common instant.
#[utoipa::path(
    get,
    operation_id = "list_registrations",
    path = "/v1/registrations",
    tag = "registrations",
    security(("token" = [])),
    params(ListQuery),
    responses(
        (status = 200, description = "One page of registrations.", body = RegistrationPage),
        (status = 400, description = "malformed-query, malformed-authorization"),
        (status = 401, description = "unauthorized"),
        (status = 503, description = "unavailable, overloaded, timeout"),
    )
)]
pub(crate) async fn list(
    State(app): State<App>,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let ListQuery { cursor, limit } = checked(query)?;
    let query = RegistrationQuery { after: cursor, limit: page_limit(limit.as_deref())? };
    json(StatusCode::OK, &app.control.registrations(query).await?)
}

/// Show a registration.
///
/// What is registered for an address-of-record.
#[utoipa::path(
    get,
    operation_id = "show_registration",
    path = "/v1/registrations/{address}",
    tag = "registrations",
    security(("token" = [])),
    params(("address" = String, Path, description = "The address-of-record.", example = "alice@example.com")),
    responses(
        (status = 200, description = "The registration.", body = Registration),
        (status = 400, description = "malformed-authorization"),
        (status = 401, description = "unauthorized"),
        (status = 404, description = "registration-not-found"),
        (status = 503, description = "unavailable, overloaded, timeout"),
    )
)]
pub(crate) async fn show(
    State(app): State<App>,
    address: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    json(StatusCode::OK, &app.control.registration(named(address)?).await?)
}

/// End a registration.
///
/// Ends every binding of an address-of-record. Its devices may register again.
#[utoipa::path(
    delete,
    operation_id = "end_registration",
    path = "/v1/registrations/{address}",
    tag = "registrations",
    security(("token" = [])),
    params(("address" = String, Path, description = "The address-of-record.", example = "alice@example.com")),
    responses(
        (status = 200, description = "Nothing is bound any more.", body = RegistrationEnded),
        (status = 400, description = "malformed-authorization"),
        (status = 401, description = "unauthorized"),
        (status = 404, description = "registration-not-found"),
        (status = 503, description = "unavailable, overloaded, timeout"),
    )
)]
pub(crate) async fn end(
    State(app): State<App>,
    address: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let address = named(address)?;
    app.control.end_registration(address.clone()).await?;
    json(StatusCode::OK, &RegistrationEnded { address, ended: true })
}

/// List subscriptions to a registration.
///
/// Who is told of the bindings of an address-of-record (RFC 3680); none of one that nobody subscribes to.
#[utoipa::path(
    get,
    operation_id = "list_subscriptions",
    path = "/v1/registrations/{address}/subscriptions",
    tag = "registrations",
    security(("token" = [])),
    params(("address" = String, Path, description = "The address-of-record.", example = "alice@example.com")),
    responses(
        (status = 200, description = "Its subscriptions.", body = SubscriptionList),
        (status = 400, description = "malformed-authorization"),
        (status = 401, description = "unauthorized"),
        (status = 404, description = "registration-not-found"),
        (status = 503, description = "unavailable, overloaded, timeout"),
    )
)]
pub(crate) async fn subscriptions(
    State(app): State<App>,
    address: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    json(StatusCode::OK, &app.control.subscriptions(named(address)?).await?)
}

/// What cannot be an address names none that is registered.
fn named(path: Result<Path<String>, PathRejection>) -> Result<String, Problem> {
    let none = |rejection: PathRejection| Problem::new(Kind::RegistrationNotFound, rejection.body_text());
    path.map(|Path(text)| text).map_err(none)
}
