//! Authentication by bearer token (RFC 6750).

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::problem::{Kind, Problem};
use crate::router::App;

/// What a request presents.
#[derive(Debug, PartialEq, Eq)]
enum Credentials<'a> {
    /// Nothing, or another scheme.
    None,
    /// A bearer token by its syntax.
    Bearer(&'a str),
    /// Something that is no credentials.
    Malformed,
}

impl<'a> Credentials<'a> {
    fn of(headers: &'a HeaderMap) -> Self {
        let mut fields = headers.get_all(AUTHORIZATION).iter();
        let (first, second) = (fields.next(), fields.next());
        let Some(field) = first else { return Self::None };
        let (Ok(field), None) = (field.to_str(), second) else { return Self::Malformed };
        let (scheme, token) = field.split_once(' ').unwrap_or((field, ""));
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Self::None;
        }
        let token = token.trim_matches(' ');
        if is_b64token(token) { Self::Bearer(token) } else { Self::Malformed }
    }
}

/// RFC 6750 §2.1: `1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`.
fn is_b64token(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    !body.is_empty() && body.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte))
}

/// Lets a request pass that presents the token (RFC 6750 §3).
pub(crate) async fn require(State(app): State<App>, request: Request, next: Next) -> Response {
    let problem = match Credentials::of(request.headers()) {
        Credentials::Bearer(text) if app.token.matches(text) => return next.run(request).await,
        Credentials::Bearer(_) => Problem::challenge(
            Kind::Unauthorized,
            "the token presented is not the token of this process",
            r#"Bearer realm="liaison", error="invalid_token""#,
        ),
        Credentials::None => Problem::challenge(
            Kind::Unauthorized,
            "present the token as `Authorization: Bearer <token>`",
            r#"Bearer realm="liaison""#,
        ),
        Credentials::Malformed => Problem::challenge(
            Kind::MalformedAuthorization,
            "expected one Authorization header field, `Bearer` and a token",
            r#"Bearer realm="liaison", error="invalid_request""#,
        ),
    };
    app.stats.unauthorized();
    problem.into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials(fields: &[&'static str]) -> String {
        let headers = fields.iter().map(|field| (AUTHORIZATION, field.parse().unwrap())).collect();
        format!("{:?}", Credentials::of(&headers))
    }

    #[test]
    fn rfc6750_2_1_the_scheme_ignores_case_and_the_token_is_a_b64token() {
        assert_eq!(credentials(&["Bearer abc"]), r#"Bearer("abc")"#);
        assert_eq!(credentials(&["bEARER  a-._~+/9=="]), r#"Bearer("a-._~+/9==")"#);
        assert_eq!(credentials(&[]), "None");
        assert_eq!(credentials(&["Basic YTpi"]), "None");
        for malformed in ["Bearer", "Bearer ", "Bearer =", "Bearer a b", "Bearer a=b", "Bearer \u{e9}"] {
            assert_eq!(credentials(&[malformed]), "Malformed", "{malformed:?}");
        }
        assert_eq!(credentials(&["Bearer abc", "Bearer abc"]), "Malformed");
    }
}
