//! The resources: a request in, a call of the port, its answer in JSON out.

#[expect(unused_qualifications, reason = "utoipa writes them for the parameters")]
pub(crate) mod calls;
pub(crate) mod configuration;
#[expect(unused_qualifications, reason = "utoipa writes them for the parameters")]
pub(crate) mod conformance;
pub(crate) mod health;
pub(crate) mod metrics;
pub(crate) mod overload;
pub(crate) mod quarantine;
#[expect(unused_qualifications, reason = "utoipa writes them for the parameters")]
pub(crate) mod registrations;
pub(crate) mod subscriptions;
pub(crate) mod targets;
pub(crate) mod trunks;
pub(crate) mod turn;

use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequest, Query, Request};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::control::CallQuery;
use crate::limits::content_too_large;
use crate::problem::{Kind, Problem};
use crate::router::App;

/// `value` as a JSON response.
fn json(status: StatusCode, value: &impl Serialize) -> Result<Response, Problem> {
    let text = serde_json::to_vec(value)
        .map_err(|error| Problem::new(Kind::Internal, format!("the answer has no JSON form: {error}")))?;
    Ok((status, [(CONTENT_TYPE, "application/json")], text).into_response())
}

/// The query of a request, or why it is none.
fn checked<T>(query: Result<Query<T>, QueryRejection>) -> Result<T, Problem> {
    query.map(|Query(query)| query).map_err(|rejection| {
        // The cause names the parameter; what stands around it tells of our insides.
        let cause = std::error::Error::source(&rejection).map(ToString::to_string);
        Problem::new(Kind::MalformedQuery, cause.unwrap_or_else(|| rejection.body_text()))
    })
}

/// How much a page of a list may have: what the query says, from 1 to [`CallQuery::MAX_LIMIT`].
fn page_limit(said: Option<&str>) -> Result<u16, Problem> {
    let Some(text) = said else { return Ok(CallQuery::DEFAULT_LIMIT) };
    let max = CallQuery::MAX_LIMIT;
    let read = text.parse().ok().filter(|limit| (1..=max).contains(limit));
    read.ok_or_else(|| {
        let text: String = text.chars().take(20).collect();
        Problem::new(Kind::MalformedQuery, format!("limit is {text}; expected 1 to {max}"))
    })
}

/// The JSON content of a request; the default when there is none.
async fn content<T: DeserializeOwned + Default>(app: &App, request: Request) -> Result<T, Problem> {
    let media_type = request.headers().get(CONTENT_TYPE).cloned();
    let read = tokio::time::timeout(app.options.body_timeout, Bytes::from_request(request, app));
    let bytes = match read.await {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(rejection)) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            return Err(content_too_large(app));
        }
        Ok(Err(rejection)) => return Err(Problem::new(Kind::MalformedBody, rejection.body_text())),
        Err(_) => {
            let limit = app.options.body_timeout.as_secs_f64();
            return Err(Problem::new(
                Kind::RequestTimeout,
                format!("the content did not come within {limit} s"),
            ));
        }
    };
    if bytes.is_empty() {
        return Ok(T::default());
    }
    let media_type = media_type.as_ref().and_then(|field| field.to_str().ok());
    let essence = media_type.and_then(|field| field.split(';').next()).map(str::trim);
    if !essence.is_some_and(|essence| essence.eq_ignore_ascii_case("application/json")) {
        return Err(Problem::unsupported_media_type("send `Content-Type: application/json`"));
    }
    // serde would also take an array for a struct.
    if !bytes.trim_ascii_start().starts_with(b"{") {
        return Err(Problem::new(Kind::MalformedBody, "expected a JSON object"));
    }
    serde_json::from_slice(&bytes).map_err(|error| Problem::new(Kind::MalformedBody, error.to_string()))
}
