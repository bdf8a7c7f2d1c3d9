use axum::body::{Body, Bytes};
use axum::http::Uri;
use proptest::prelude::*;

use super::client::{Api, TOKEN, api, api_with};
use super::fake::Behaviour;
use crate::control::Unavailability;
use crate::{ControlError, Options};

#[tokio::test]
async fn an_unknown_path_is_not_found() {
    for path in ["/", "/v1", "/v1/", "/v1/nothing", "/v1/calls/", "/v2/calls", "/healthz/"] {
        assert_eq!(api().ask(&format!("GET {path}")).await.problem(), "404 not-found", "{path}");
    }
}

#[tokio::test]
async fn rfc9110_15_5_6_another_method_is_refused_with_those_allowed() {
    for (line, allow) in [
        ("PUT /v1/calls", "GET,HEAD,POST"),
        ("PUT /v1/calls/0-1", "GET,HEAD,DELETE"),
        ("DELETE /v1/config", "GET,HEAD"),
        ("GET /v1/config/reload", "POST"),
        ("POST /healthz", "GET,HEAD"),
        ("DELETE /readyz", "GET,HEAD"),
        ("POST /metrics", "GET,HEAD"),
        ("OPTIONS /openapi.json", "GET,HEAD"),
    ] {
        let reply = api().ask(line).await;
        assert_eq!(reply.problem(), "405 method-not-allowed", "{line}");
        assert_eq!(reply.header("allow"), allow, "{line}");
    }
}

#[tokio::test]
async fn what_the_port_cannot_answer_is_503_on_every_resource() {
    for line in [
        "GET /v1/calls",
        "GET /v1/calls/0-1",
        "DELETE /v1/calls/0-1",
        "GET /v1/config",
        "POST /v1/config/reload",
        "GET /metrics",
    ] {
        for (why, detail) in [
            (Unavailability::TimedOut, "shard 2 did not answer in time"),
            (Unavailability::Starting, "shard 2 is starting"),
            (Unavailability::Draining, "shard 2 is draining"),
            (Unavailability::Overloaded, "shard 2 is overloaded"),
            (Unavailability::Stopped, "shard 2 has stopped"),
            (Unavailability::Failing, "shard 2 fails"),
        ] {
            let error = ControlError::Unavailable { component: "shard 2".into(), why, retry_after: None };
            let reply = api().failing(error).ask(line).await;
            assert_eq!(reply.problem(), "503 unavailable", "{line}");
            assert_eq!(reply.json()["detail"], detail);
            assert_eq!(reply.header("retry-after"), "");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_port_that_hangs_is_a_timeout() {
    let api = api();
    api.behave(Behaviour::Hang);
    for path in ["/v1/calls", "/healthz", "/readyz", "/metrics"] {
        let started = tokio::time::Instant::now();
        assert_eq!(api.ask(&format!("GET {path}")).await.problem(), "503 timeout", "{path}");
        assert_eq!(started.elapsed(), Options::default().request_timeout);
    }
}

#[tokio::test(start_paused = true)]
async fn requests_beyond_the_limit_are_refused_and_health_is_not() {
    let api = api_with(Options { max_requests: 2, ..Options::default() });
    api.behave(Behaviour::Hang);
    let hanging = || async { api.ask("GET /v1/calls").await.problem() };
    let refused = async {
        let reply = api.ask("GET /v1/calls").await;
        assert_eq!(reply.problem(), "503 overloaded");
        assert_eq!(reply.header("retry-after"), "1");
        api.behave(Behaviour::Answer);
        assert_eq!(api.ask("GET /healthz").await.status, 200);
    };
    let (first, second, ()) = tokio::join!(biased; hanging(), hanging(), refused);
    assert_eq!([first, second], ["503 timeout"; 2]);
    assert_eq!(api.ask("GET /v1/calls").await.status, 200, "the places are free again");
    assert!(api.ask("GET /metrics").await.text.contains("liaison_admin_overloaded_total 1\n"));
}

async fn reload(api: &Api, fields: &[(&str, &str)], body: impl Into<Body>) -> String {
    let authorization = format!("Bearer {TOKEN}");
    let fields =
        [&[("authorization", authorization.as_str()), ("content-type", "application/json")], fields].concat();
    api.send("POST /v1/config/reload", &fields, body).await.problem()
}

#[tokio::test]
async fn content_over_the_limit_is_too_large_announced_or_not() {
    let api = api_with(Options { max_body: 20, ..Options::default() });
    let spaces = format!("{{{}}}", " ".repeat(19));
    assert_eq!(reload(&api, &[("content-length", "21")], spaces.clone()).await, "413 content-too-large");
    assert_eq!(reload(&api, &[], spaces).await, "413 content-too-large");
    assert_eq!(
        reload(&api, &[], format!("[{}]", " ".repeat(18))).await,
        "400 malformed-body",
        "20 bytes pass"
    );
}

#[tokio::test(start_paused = true)]
async fn content_that_does_not_come_is_a_request_timeout() {
    assert_eq!(reload(&api(), &[], Body::new(Silent)).await, "408 request-timeout");
}

/// Content that never comes.
struct Silent;

impl hyper::body::Body for Silent {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, Self::Error>>> {
        std::task::Poll::Pending
    }
}

#[tokio::test]
async fn every_response_has_an_id_and_is_not_to_be_kept() {
    for line in ["GET /healthz", "GET /v1/calls", "GET /nothing", "PUT /healthz"] {
        let reply = api().send(line, &[("x-request-id", "second, ignored")], "").await;
        assert_eq!(reply.header("x-request-id"), "r-1", "{line}");
        assert_eq!(reply.header("cache-control"), "no-store", "{line}");
        assert_eq!(reply.header("x-content-type-options"), "nosniff", "{line}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn whatever_is_asked_the_answer_is_success_or_a_problem_that_is_the_clients(
        method in "GET|HEAD|POST|PUT|DELETE|OPTIONS|[A-Z]{1,9}",
        path in r"/v1/(calls|config)?(/[A-Za-z0-9%/?&=+:@!$'()*,;._~-]{0,80})?|/[A-Za-z0-9%/?&=+:@!$'()*,;._~-]{0,80}",
        query in r"|[?](limit|cursor|trunk|state|reason)=[A-Za-z0-9%/?&=+:@!$'()*,;._~-]{0,30}|[?][A-Za-z0-9%/?&=+:@!$'()*,;._~-]{0,60}",
        authorization in "Bearer 5ec4e7-0f-7e575|[ -~]{0,30}",
        media_type in "application/json|[ -~]{0,30}",
        body in r#"[{]"dry_run":[!-~]{0,10}[}]|[ -~]{0,30}"#,
    ) {
        let line = format!("{method} {path}{query}");
        prop_assume!(format!("{path}{query}").parse::<Uri>().is_ok());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let fields = [("authorization", authorization.as_str()), ("content-type", &media_type)];
        let reply = runtime.block_on(api().send(&line, &fields, body));
        if !reply.status.is_success() {
            prop_assert!(reply.status.is_client_error(), "{line}: {}", reply.status);
            if method != "HEAD" {
                reply.problem();
            }
        }
    }
}
