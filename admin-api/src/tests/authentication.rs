use super::client::{TOKEN, api, api_with};
use crate::{MetricsAccess, Options};

#[tokio::test]
async fn everything_under_v1_wants_the_token_whether_it_exists_or_not() {
    let api = api();
    for line in [
        "GET /v1/calls",
        "GET /v1/calls/0-1",
        "DELETE /v1/calls/0-1",
        "GET /v1/config",
        "POST /v1/config/reload",
        "GET /v1/nothing",
        "PUT /v1/calls",
        "GET /metrics",
    ] {
        let reply = api.send(line, &[], "").await;
        assert_eq!(reply.problem(), "401 unauthorized", "{line}");
        assert_eq!(reply.header("www-authenticate"), r#"Bearer realm="liaison""#, "{line}");
    }
    assert!(api.fake.commands.lock().unwrap().is_empty(), "no command was carried out");
}

#[tokio::test]
async fn health_readiness_and_the_contract_want_no_token() {
    for line in ["GET /healthz", "GET /readyz", "GET /openapi.json", "HEAD /healthz"] {
        assert_eq!(api().send(line, &[], "").await.status, 200, "{line}");
    }
}

#[tokio::test]
async fn metrics_are_open_when_the_options_say_so() {
    let api = api_with(Options { metrics: MetricsAccess::Open, ..Options::default() });
    assert_eq!(api.send("GET /metrics", &[], "").await.status, 200);
}

#[tokio::test]
async fn rfc6750_3_1_a_wrong_token_is_named_invalid() {
    let wrong = format!("{TOKEN}0");
    let reply = api().send("GET /v1/calls", &[("authorization", &format!("Bearer {wrong}"))], "").await;
    assert!(!reply.text.contains(&wrong), "what was presented is not repeated");
    insta::assert_snapshot!(reply.shown(), @r#"
    401 Unauthorized
    content-type: application/problem+json
    www-authenticate: Bearer realm="liaison", error="invalid_token"
    {
      "detail": "the token presented is not the token of this process",
      "instance": "/v1/calls",
      "request_id": "r-1",
      "status": 401,
      "title": "Token required",
      "type": "https://github.com/liaison-sbc/liaison/blob/main/docs/admin-api.md#unauthorized"
    }
    "#);
}

#[tokio::test]
async fn rfc6750_3_1_malformed_credentials_are_an_invalid_request() {
    let right = format!("Bearer {TOKEN}");
    let fields = [("authorization", right.as_str()), ("authorization", right.as_str())];
    for fields in [&fields[..], &[("authorization", "Bearer")]] {
        let reply = api().send("GET /v1/calls", fields, "").await;
        assert_eq!(reply.problem(), "400 malformed-authorization");
        assert_eq!(reply.header("www-authenticate"), r#"Bearer realm="liaison", error="invalid_request""#);
    }
}

#[tokio::test]
async fn another_scheme_is_no_token() {
    let reply = api().send("GET /v1/calls", &[("authorization", "Basic YTpi")], "").await;
    assert_eq!(reply.problem(), "401 unauthorized");
}

#[tokio::test]
async fn refusals_are_counted() {
    let api = api();
    api.send("GET /v1/calls", &[], "").await;
    api.ask("GET /v1/calls").await;
    let reply = api.ask("GET /metrics").await;
    let counted =
        |line: &str| assert!(reply.text.lines().any(|found| found == line), "{line} in {}", reply.text);
    counted("liaison_admin_unauthorized_total 1");
    counted(r#"liaison_admin_responses_total{class="4xx"} 1"#);
    counted(r#"liaison_admin_responses_total{class="2xx"} 1"#);
}
