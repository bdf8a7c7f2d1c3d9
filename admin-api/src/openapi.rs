//! The OpenAPI document, made from the resources and the models. `openapi.json` beside the manifest is its
//! golden copy: the contract, reviewed when it changes.

use std::sync::LazyLock;

use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Content, Ref, RefOr, Required};
use utoipa::{Modify, OpenApi};

use crate::problem::{Kind, Problem, ProblemDocument};
use crate::resources::{
    calls, configuration, conformance, health, metrics, overload, quarantine, registrations, subscriptions,
    targets, trunks, turn,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Liaison admin API",
        version = "1",
        description = "Calls, targets, overload, quarantine, trunks, registrations, subscriptions, TURN servers, configuration, conformance, health and metrics of a Liaison session border controller. \
                       Times are RFC 3339 in UTC, spans of time are seconds; every error is an RFC 9457 problem document.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    paths(
        calls::list,
        calls::place,
        calls::show,
        calls::end,
        targets::list,
        overload::show,
        trunks::list,
        trunks::targets,
        quarantine::list,
        quarantine::lift,
        registrations::list,
        registrations::show,
        registrations::end,
        registrations::subscriptions,
        subscriptions::list,
        turn::allocations,
        turn::credentials,
        configuration::show,
        configuration::reload,
        conformance::list,
        health::alive,
        health::ready,
        metrics::show,
        show,
    ),
    components(schemas(ProblemDocument)),
    modifiers(&Common),
)]
struct Document;

/// The security scheme, the form of every error, and which command needs content.
struct Common;

impl Modify for Common {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let mut scheme = Http::new(HttpAuthScheme::Bearer);
        scheme.description = Some("The content of the token file, made on first start.".to_owned());
        let components = document.components.get_or_insert_default();
        components.security_schemes.insert("token".to_owned(), SecurityScheme::Http(scheme).into());

        let form = Content::new(Some(Ref::from_schema_name("ProblemDocument")));
        let operations = document.paths.paths.values_mut().flat_map(|path| {
            [&mut path.get, &mut path.post, &mut path.delete].into_iter().filter_map(Option::as_mut)
        });
        for operation in operations {
            if let Some(RefOr::T(body)) = &mut operation.request_body {
                let needed =
                    matches!(operation.operation_id.as_deref(), Some("place_call" | "make_turn_credentials"));
                body.required = Some(if needed { Required::True } else { Required::False });
            }
            for (status, response) in &mut operation.responses.responses {
                if let (true, RefOr::T(response)) = (status.starts_with(['4', '5']), response) {
                    response.content.insert("application/problem+json".to_owned(), form.clone().into());
                }
            }
        }
    }
}

/// The OpenAPI document of the API, indented.
///
/// # Errors
/// None in practice: the document has a JSON form.
pub fn openapi_json() -> Result<String, serde_json::Error> {
    Document::openapi().to_pretty_json().map(|text| text + "\n")
}

/// Made once, at the first request.
static TEXT: LazyLock<Result<Bytes, serde_json::Error>> = LazyLock::new(|| openapi_json().map(Bytes::from));

/// This document.
#[utoipa::path(
    get,
    operation_id = "show_contract",
    path = "/openapi.json",
    tag = "contract",
    responses(
        (status = 200, description = "The contract.", body = serde_json::Value),
        (status = 503, description = "overloaded, timeout"),
    )
)]
pub(crate) async fn show() -> Result<Response, Problem> {
    match TEXT.as_ref() {
        Ok(text) => Ok(([(CONTENT_TYPE, "application/json")], text.clone()).into_response()),
        Err(error) => Err(Problem::new(Kind::Internal, error.to_string())),
    }
}
