use std::time::Duration;

use super::client::api;
use crate::ControlError;
use crate::control::{ComponentReadiness, Phase, Readiness, Unavailability};

#[tokio::test]
async fn a_living_process_says_its_version_and_age() {
    insta::assert_snapshot!(api().ask("GET /healthz").await.shown(), @r#"
    200 OK
    content-type: application/json
    {
      "started_at": "2026-03-01T12:00:00.000Z",
      "uptime_seconds": 1.5,
      "version": "0.1.0"
    }
    "#);
}

#[tokio::test]
async fn a_ready_process_lists_its_components() {
    insta::assert_snapshot!(api().ask("GET /readyz").await.shown(), @r#"
    200 OK
    content-type: application/json
    {
      "components": [
        {
          "component": "listener udp 203.0.113.5:5060",
          "reason": null
        }
      ],
      "degraded": [],
      "phase": "serving"
    }
    "#);
}

#[tokio::test]
async fn what_calls_do_without_is_told_and_the_process_stays_ready() {
    let api = api();
    let store = ComponentReadiness { component: "store".into(), reason: Some("the disk is full".into()) };
    api.fake.readiness.lock().unwrap().degraded.push(store);
    let reply = api.ask("GET /readyz").await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.json()["degraded"][0]["reason"], "the disk is full");
}

#[tokio::test]
async fn a_component_that_is_not_ready_makes_503_with_its_reason() {
    let api = api();
    api.fake
        .readiness
        .lock()
        .unwrap()
        .components
        .push(ComponentReadiness { component: "relay".into(), reason: Some("it has no ports".into()) });
    insta::assert_snapshot!(api.ask("GET /readyz").await.shown(), @r#"
    503 Service Unavailable
    content-type: application/problem+json
    {
      "components": [
        {
          "component": "listener udp 203.0.113.5:5060",
          "reason": null
        },
        {
          "component": "relay",
          "reason": "it has no ports"
        }
      ],
      "detail": "1 of 2 components are not ready",
      "instance": "/readyz",
      "phase": "serving",
      "request_id": "r-1",
      "status": 503,
      "title": "Not ready for new calls",
      "type": "https://github.com/liaison-sbc/liaison/blob/main/docs/admin-api.md#not-ready"
    }
    "#);
}

#[tokio::test]
async fn starting_and_draining_are_not_ready() {
    for (phase, word) in [(Phase::Starting, "starting"), (Phase::Draining, "draining")] {
        let api = api();
        *api.fake.readiness.lock().unwrap() =
            Readiness { phase, components: Vec::new(), degraded: Vec::new() };
        let reply = api.ask("GET /readyz").await;
        assert_eq!(reply.problem(), "503 not-ready");
        assert_eq!(reply.json()["phase"], word);
        assert_eq!(api.ask("GET /healthz").await.status, 200, "{word} is alive");
    }
}

#[tokio::test]
async fn a_dead_process_is_unavailable() {
    let error = ControlError::Unavailable {
        component: "shard 0".into(),
        why: Unavailability::Stopped,
        retry_after: Some(Duration::from_millis(1500)),
    };
    for path in ["/healthz", "/readyz"] {
        let reply = api().failing(error.clone()).ask(&format!("GET {path}")).await;
        assert_eq!(reply.problem(), "503 unavailable");
        assert_eq!(reply.header("retry-after"), "2", "rounded up");
        assert_eq!(reply.json()["detail"], "shard 0 has stopped");
    }
}

#[tokio::test]
async fn metrics_are_prometheus_text() {
    insta::assert_snapshot!(api().ask("GET /metrics").await.shown(), @r#"
    200 OK
    content-type: text/plain; version=0.0.4; charset=utf-8
    # HELP liaison_calls Calls that exist.
    # TYPE liaison_calls gauge
    liaison_calls 5
    # HELP liaison_admin_responses_total Responses of the admin API, by class of status code.
    # TYPE liaison_admin_responses_total counter
    liaison_admin_responses_total{class="1xx"} 0
    liaison_admin_responses_total{class="2xx"} 0
    liaison_admin_responses_total{class="3xx"} 0
    liaison_admin_responses_total{class="4xx"} 0
    liaison_admin_responses_total{class="5xx"} 0
    # HELP liaison_admin_unauthorized_total Requests to the admin API without a valid token.
    # TYPE liaison_admin_unauthorized_total counter
    liaison_admin_unauthorized_total 0
    # HELP liaison_admin_overloaded_total Requests refused because too many were in work.
    # TYPE liaison_admin_overloaded_total counter
    liaison_admin_overloaded_total 0
    "#);
}
