//! The outermost layer: request id, tracing span, counters, and the last touch on every response.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use tracing::{Instrument, Span, debug, field, info, info_span, warn};

use crate::problem::{PROBLEM_JSON, Problem};
use crate::router::App;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The client's address, put into the request by the server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// Makes request ids: a random prefix for the process, then a number.
#[derive(Debug)]
pub(crate) struct RequestIds {
    prefix: u64,
    next: AtomicU64,
}

impl RequestIds {
    pub(crate) fn new() -> Self {
        Self { prefix: RandomState::new().hash_one(()), next: AtomicU64::new(1) }
    }

    /// The client's own id when it is harmless in a log line, else a new one.
    fn of(&self, headers: &HeaderMap) -> String {
        let harmless = |id: &&str| {
            (1..=64).contains(&id.len())
                && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        };
        match headers.get(X_REQUEST_ID).and_then(|id| id.to_str().ok()).filter(harmless) {
            Some(id) => id.to_owned(),
            None => format!("{:016x}-{}", self.prefix, self.next.fetch_add(1, Ordering::Relaxed)),
        }
    }
}

pub(crate) async fn envelope(State(app): State<App>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = app.request_ids.of(request.headers());
    let path = request.uri().path().to_owned();
    let span = info_span!(
        "admin_request",
        peer = request.extensions().get::<Peer>().map(|peer| field::display(peer.0)),
        method = %request.method(),
        path,
        request_id = id,
    );
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let response = next.run(request).instrument(span.clone()).await;
    app.stats.answered(response.status());
    log(&span, reads, &response, started);
    seal(response, path, id)
}

/// Commands and refusals are told at `info`, what failed on our side at `warn`, reading at `debug`.
fn log(span: &Span, reads: bool, response: &Response, started: Instant) {
    let _entered = span.enter();
    let (status, elapsed) = (response.status(), Elapsed(started));
    let problem = response.extensions().get::<Problem>().map(Problem::name);
    if status.is_server_error() {
        warn!(status = status.as_u16(), %elapsed, problem, "answered");
    } else if status.is_client_error() || !reads {
        info!(status = status.as_u16(), %elapsed, problem, "answered");
    } else {
        debug!(status = status.as_u16(), %elapsed, "answered");
    }
}

/// Writes the problem document, if there is one, and the header fields that every response has.
fn seal(response: Response, path: String, id: String) -> Response {
    let request_id = HeaderValue::from_str(&id);
    let (mut head, mut body) = response.into_parts();
    if let Some(problem) = head.extensions.remove::<Problem>() {
        head.headers.insert(CONTENT_TYPE, PROBLEM_JSON);
        body = problem.document(path, id).into();
    }
    head.headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    head.headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(request_id) = request_id {
        head.headers.insert(X_REQUEST_ID, request_id);
    }
    Response::from_parts(head, body)
}

struct Elapsed(Instant);

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_id_of_the_client_is_kept_when_harmless() {
        let ids = RequestIds { prefix: 0xab, next: AtomicU64::new(1) };
        let of =
            |id: &'static str| ids.of(&HeaderMap::from_iter([(X_REQUEST_ID, HeaderValue::from_static(id))]));
        assert_eq!(of("web-1.2_x"), "web-1.2_x");
        assert_eq!(of("a b"), "00000000000000ab-1");
        assert_eq!(of(""), "00000000000000ab-2");
        assert_eq!(ids.of(&HeaderMap::new()), "00000000000000ab-3");
    }
}
