//! A client without a network.

use std::fmt::Write;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use serde_json::Value;
use tower::ServiceExt;

use super::fake::{Behaviour, Fake};
use crate::{ControlError, Options, Token, router};

pub(super) const TOKEN: &str = "5ec4e7-0f-7e575";

pub(super) struct Api {
    pub(super) fake: Arc<Fake>,
    router: Router,
}

pub(super) fn api() -> Api {
    api_with(Options::default())
}

pub(super) fn api_with(options: Options) -> Api {
    let fake = Arc::new(Fake::default());
    Api { router: router(fake.clone(), Token::from_text(TOKEN), options), fake }
}

impl Api {
    pub(super) fn behave(&self, behaviour: Behaviour) {
        *self.fake.behaviour.lock().unwrap() = behaviour;
    }

    pub(super) fn failing(self, error: ControlError) -> Self {
        self.behave(Behaviour::Fail(error));
        self
    }

    /// Sends a request line such as `GET /v1/calls` with the token.
    pub(super) async fn ask(&self, line: &str) -> Reply {
        self.send(line, &[("authorization", &format!("Bearer {TOKEN}"))], Body::empty()).await
    }

    /// Sends an order of a call, with the token.
    pub(super) async fn order(&self, order: &str) -> Reply {
        self.post("/v1/calls", order).await
    }

    /// Posts JSON, with the token.
    pub(super) async fn post(&self, path: &str, content: &str) -> Reply {
        let token = format!("Bearer {TOKEN}");
        let fields = [("authorization", &*token), ("content-type", "application/json")];
        self.send(&format!("POST {path}"), &fields, content.to_owned()).await
    }

    pub(super) async fn send(&self, line: &str, fields: &[(&str, &str)], body: impl Into<Body>) -> Reply {
        let (method, uri) = line.split_once(' ').unwrap();
        let mut request = Request::builder().method(method).uri(uri).header("x-request-id", "r-1");
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let request = request.body(body.into()).unwrap();
        let (head, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        Reply { status: head.status, headers: head.headers, text: String::from_utf8(body.to_vec()).unwrap() }
    }
}

pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

impl Reply {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The kind of the problem document that this is, its form checked.
    pub(super) fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text);
        let document = self.json();
        assert_eq!(document["status"], self.status.as_u16());
        assert_eq!(document["request_id"], self.header("x-request-id"));
        for member in ["title", "detail", "instance"] {
            assert!(
                document[member].as_str().is_some_and(|text| !text.is_empty()),
                "{member} in {}",
                self.text
            );
        }
        let (_, kind) = document["type"].as_str().unwrap().split_once("docs/admin-api.md#").unwrap();
        format!("{} {kind}", self.status.as_u16())
    }

    /// Status, the header fields that matter here, and the content indented.
    pub(super) fn shown(&self) -> String {
        let mut shown = format!("{}\n", self.status);
        for name in ["content-type", "allow", "www-authenticate", "retry-after", "accept"] {
            if let Some(value) = self.headers.get(name) {
                writeln!(shown, "{name}: {}", value.to_str().unwrap()).unwrap();
            }
        }
        let content: Result<Value, _> = serde_json::from_str(&self.text);
        shown
            + &content.map_or_else(|_| self.text.clone(), |json| serde_json::to_string_pretty(&json).unwrap())
    }
}
