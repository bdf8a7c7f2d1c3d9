//! Problem documents (RFC 9457): every error that the API answers with.

use axum::http::header::{ACCEPT, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::control::{ComponentReadiness, ConfigurationFault, ControlError, InvalidValue, Phase, Readiness};

/// The media type of a problem document.
pub(crate) const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// Where the kinds of problems are described; the kind is the fragment.
const TYPES: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/admin-api.md#");

/// The kinds of problems: one for each reaction that a client or an operator may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    MalformedAuthorization,
    MalformedQuery,
    MalformedBody,
    UnknownCursor,
    Unauthorized,
    NotFound,
    CallNotFound,
    CallRefused,
    InvalidCall,
    RegistrationNotFound,
    SourceNotFound,
    TrunkNotFound,
    TurnServerNotFound,
    InvalidTurnCredentials,
    MethodNotAllowed,
    RequestTimeout,
    ReloadUnderWay,
    ContentTooLarge,
    UnsupportedMediaType,
    InvalidConfiguration,
    Internal,
    Unavailable,
    NotReady,
    Overloaded,
    Timeout,
}

impl Kind {
    /// All kinds, for the proof that each is described.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 25] = [
        Self::MalformedAuthorization,
        Self::MalformedQuery,
        Self::MalformedBody,
        Self::UnknownCursor,
        Self::Unauthorized,
        Self::NotFound,
        Self::CallNotFound,
        Self::CallRefused,
        Self::InvalidCall,
        Self::RegistrationNotFound,
        Self::SourceNotFound,
        Self::TrunkNotFound,
        Self::TurnServerNotFound,
        Self::InvalidTurnCredentials,
        Self::MethodNotAllowed,
        Self::RequestTimeout,
        Self::ReloadUnderWay,
        Self::ContentTooLarge,
        Self::UnsupportedMediaType,
        Self::InvalidConfiguration,
        Self::Internal,
        Self::Unavailable,
        Self::NotReady,
        Self::Overloaded,
        Self::Timeout,
    ];

    /// Status, fragment of the type URI, and title.
    pub(crate) const fn spec(self) -> (StatusCode, &'static str, &'static str) {
        use StatusCode as S;
        match self {
            Self::MalformedAuthorization => {
                (S::BAD_REQUEST, "malformed-authorization", "Malformed Authorization header field")
            }
            Self::MalformedQuery => (S::BAD_REQUEST, "malformed-query", "Malformed query"),
            Self::MalformedBody => (S::BAD_REQUEST, "malformed-body", "Malformed request content"),
            Self::UnknownCursor => (S::BAD_REQUEST, "unknown-cursor", "Unknown cursor"),
            Self::Unauthorized => (S::UNAUTHORIZED, "unauthorized", "Token required"),
            Self::NotFound => (S::NOT_FOUND, "not-found", "No such resource"),
            Self::CallNotFound => (S::NOT_FOUND, "call-not-found", "No such call"),
            Self::CallRefused => (S::CONFLICT, "call-refused", "A caller would be refused"),
            Self::InvalidCall => (S::UNPROCESSABLE_ENTITY, "invalid-call", "No such call can be placed"),
            Self::TrunkNotFound => (S::NOT_FOUND, "trunk-not-found", "No such trunk"),
            Self::TurnServerNotFound => (S::NOT_FOUND, "turn-server-not-found", "No such TURN server"),
            Self::InvalidTurnCredentials => {
                (S::UNPROCESSABLE_ENTITY, "invalid-turn-credentials", "No such credentials can be made")
            }
            Self::SourceNotFound => (S::NOT_FOUND, "source-not-found", "Not in quarantine"),
            Self::RegistrationNotFound => (S::NOT_FOUND, "registration-not-found", "Nothing is registered"),
            Self::MethodNotAllowed => (S::METHOD_NOT_ALLOWED, "method-not-allowed", "Method not allowed"),
            Self::RequestTimeout => {
                (S::REQUEST_TIMEOUT, "request-timeout", "Request content came too slowly")
            }
            Self::ReloadUnderWay => (S::CONFLICT, "reload-under-way", "Another reload is under way"),
            Self::ContentTooLarge => (S::PAYLOAD_TOO_LARGE, "content-too-large", "Request content too large"),
            Self::UnsupportedMediaType => {
                (S::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "Request content is not JSON")
            }
            Self::InvalidConfiguration => {
                (S::UNPROCESSABLE_ENTITY, "invalid-configuration", "Invalid configuration")
            }
            Self::Internal => (S::INTERNAL_SERVER_ERROR, "internal", "Internal error"),
            Self::Unavailable => (S::SERVICE_UNAVAILABLE, "unavailable", "A component is unavailable"),
            Self::NotReady => (S::SERVICE_UNAVAILABLE, "not-ready", "Not ready for new calls"),
            Self::Overloaded => (S::SERVICE_UNAVAILABLE, "overloaded", "Too many requests at once"),
            Self::Timeout => (S::SERVICE_UNAVAILABLE, "timeout", "No answer in time"),
        }
    }
}

/// An error on its way out. The envelope adds what it knows of the request and writes the document.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    kind: Kind,
    detail: String,
    header: Option<Box<(HeaderName, HeaderValue)>>,
    faults: Option<Vec<ConfigurationFault>>,
    readiness: Option<Readiness>,
}

impl Problem {
    pub(crate) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), header: None, faults: None, readiness: None }
    }

    fn with_header(self, name: HeaderName, value: HeaderValue) -> Self {
        Self { header: Some(Box::new((name, value))), ..self }
    }

    /// A client without a valid token; `challenge` is the WWW-Authenticate header field.
    pub(crate) fn challenge(kind: Kind, detail: &'static str, challenge: &'static str) -> Self {
        Self::new(kind, detail).with_header(WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
    }

    /// RFC 9110 §15.5.16: the Accept header field says what would have been taken.
    pub(crate) fn unsupported_media_type(detail: impl Into<String>) -> Self {
        let json = HeaderValue::from_static("application/json");
        Self::new(Kind::UnsupportedMediaType, detail).with_header(ACCEPT, json)
    }

    pub(crate) fn overloaded(detail: impl Into<String>) -> Self {
        Self::new(Kind::Overloaded, detail).with_header(RETRY_AFTER, HeaderValue::from(1))
    }

    pub(crate) fn not_ready(readiness: Readiness) -> Self {
        let waiting = readiness.components.iter().filter(|component| component.reason.is_some()).count();
        let detail = match readiness.phase {
            Phase::Starting => "the process is starting".to_owned(),
            Phase::Draining => "the process is draining".to_owned(),
            Phase::Serving => format!("{waiting} of {} components are not ready", readiness.components.len()),
        };
        Self { readiness: Some(readiness), ..Self::new(Kind::NotReady, detail) }
    }

    /// The kind as the type URI names it.
    pub(crate) fn name(&self) -> &'static str {
        self.kind.spec().1
    }

    /// The document, in JSON, for a request of this path and id.
    pub(crate) fn document(self, instance: String, request_id: String) -> Vec<u8> {
        let (status, fragment, title) = self.kind.spec();
        let (phase, components) = match self.readiness {
            Some(readiness) => (Some(readiness.phase), Some(readiness.components)),
            None => (None, None),
        };
        let document = ProblemDocument {
            type_uri: format!("{TYPES}{fragment}"),
            title,
            status: status.as_u16(),
            detail: self.detail,
            instance,
            request_id,
            errors: self.faults,
            phase,
            components,
        };
        // The document has a JSON form; were it not so, the status code would still say what it can.
        serde_json::to_vec(&document).unwrap_or_default()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.kind.spec().0.into_response();
        if let Some((name, value)) = self.header.as_deref().cloned() {
            response.headers_mut().insert(name, value);
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl From<InvalidValue> for Problem {
    fn from(error: InvalidValue) -> Self {
        Self::new(Kind::MalformedQuery, error.to_string())
    }
}

impl From<ControlError> for Problem {
    fn from(error: ControlError) -> Self {
        let detail = error.to_string();
        match error {
            ControlError::CallNotFound(_) => Self::new(Kind::CallNotFound, detail),
            ControlError::InvalidOrder(_) => Self::new(Kind::InvalidCall, detail),
            ControlError::OrderRefused(_) => Self::new(Kind::CallRefused, detail),
            ControlError::RegistrationNotFound(_) => Self::new(Kind::RegistrationNotFound, detail),
            ControlError::TrunkNotFound(_) => Self::new(Kind::TrunkNotFound, detail),
            ControlError::TurnServerNotFound(_) => Self::new(Kind::TurnServerNotFound, detail),
            ControlError::InvalidTurnCredentials(_) => Self::new(Kind::InvalidTurnCredentials, detail),
            ControlError::SourceNotFound(_) => Self::new(Kind::SourceNotFound, detail),
            ControlError::UnknownCursor(_) => Self::new(Kind::UnknownCursor, detail),
            ControlError::ReloadUnderWay => Self::new(Kind::ReloadUnderWay, detail),
            ControlError::InvalidConfiguration(faults) => {
                Self { faults: Some(faults), ..Self::new(Kind::InvalidConfiguration, detail) }
            }
            ControlError::Unavailable { component: _, why: _, retry_after } => {
                let problem = Self::new(Kind::Unavailable, detail);
                let Some(span) = retry_after else { return problem };
                let whole_seconds = span.as_secs().saturating_add(u64::from(span.subsec_nanos() > 0));
                problem.with_header(RETRY_AFTER, HeaderValue::from(whole_seconds))
            }
        }
    }
}

/// A problem document (RFC 9457): the form of every error.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProblemDocument {
    /// The kind of problem: a URI with its description.
    #[serde(rename = "type")]
    #[schema(format = "uri")]
    type_uri: String,
    /// The kind of problem in words; the same for every problem of this kind.
    title: &'static str,
    /// The status code of the response.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What went wrong this time.
    detail: String,
    /// The path of the request.
    #[schema(format = "uri-reference")]
    instance: String,
    /// The X-Request-Id of the response; the log has it too.
    request_id: String,
    /// The faults of the configuration, with `invalid-configuration`.
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<Vec<ConfigurationFault>>,
    /// The phase of the process, with `not-ready`.
    #[serde(skip_serializing_if = "Option::is_none")]
    phase: Option<Phase>,
    /// The readiness of each component, with `not-ready`.
    #[serde(skip_serializing_if = "Option::is_none")]
    components: Option<Vec<ComponentReadiness>>,
}
