use axum::body::Body;

use super::client::{Api, Reply, TOKEN, api};
use crate::ControlError;
use crate::control::ConfigurationFault;

async fn reload(api: &Api, media_type: &str, body: impl Into<Body>) -> Reply {
    let authorization = format!("Bearer {TOKEN}");
    let fields = [("authorization", authorization.as_str()), ("content-type", media_type)];
    api.send("POST /v1/config/reload", &fields, body).await
}

#[tokio::test]
async fn the_configuration_in_force_comes_with_its_origin() {
    insta::assert_snapshot!(api().ask("GET /v1/config").await.shown(), @r#"
    200 OK
    content-type: application/json
    {
      "configuration": {
        "admin": {
          "listen": "127.0.0.1:8080"
        }
      },
      "loaded_at": "2026-03-01T12:00:00.000Z",
      "source": "/etc/liaison/liaison.toml",
      "version": 3,
      "waiting_for_restart": [
        "limits.connections"
      ]
    }
    "#);
}

#[tokio::test]
async fn a_reload_tells_the_version_and_the_changes() {
    let api = api();
    insta::assert_snapshot!(api.ask("POST /v1/config/reload").await.shown(), @r#"
    200 OK
    content-type: application/json
    {
      "applied": true,
      "changes": [
        {
          "effect": "live",
          "path": "log.level"
        }
      ],
      "loaded_at": "2026-03-01T12:00:05.000Z",
      "version": 4
    }
    "#);
    for body in ["", "{}", r#"{"dry_run":false}"#] {
        assert_eq!(reload(&api, "application/json", body).await.json()["applied"], true);
    }
    assert_eq!(*api.fake.commands.lock().unwrap(), ["reload Apply"; 4]);
}

#[tokio::test]
async fn a_dry_run_applies_nothing() {
    let api = api();
    let reply = reload(&api, "Application/JSON; charset=utf-8", r#"{"dry_run":true}"#).await;
    assert_eq!(reply.json()["applied"], false);
    assert_eq!(*api.fake.commands.lock().unwrap(), ["reload DryRun"]);
}

#[tokio::test]
async fn a_faulty_document_is_answered_with_every_fault_and_its_place() {
    let fault =
        |line, column, path: Option<&str>, kind: &str, found: &str, expected: &str| ConfigurationFault {
            file: Some("liaison.toml".into()),
            line,
            column,
            path: path.map(Into::into),
            kind: kind.into(),
            found: found.into(),
            expected: expected.into(),
            did_you_mean: None,
        };
    let api = api().failing(ControlError::InvalidConfiguration(vec![
        fault(Some(6), Some(11), Some("trunks.a.max_calls"), "type", "\"many\"", "a number"),
        fault(None, None, None, "unreadable", "permission denied", "a readable file"),
    ]));
    insta::assert_snapshot!(api.ask("POST /v1/config/reload").await.shown(), @r#"
    422 Unprocessable Entity
    content-type: application/problem+json
    {
      "detail": "the configuration has 2 faults and is not applied",
      "errors": [
        {
          "column": 11,
          "did_you_mean": null,
          "expected": "a number",
          "file": "liaison.toml",
          "found": "\"many\"",
          "kind": "type",
          "line": 6,
          "path": "trunks.a.max_calls"
        },
        {
          "column": null,
          "did_you_mean": null,
          "expected": "a readable file",
          "file": "liaison.toml",
          "found": "permission denied",
          "kind": "unreadable",
          "line": null,
          "path": null
        }
      ],
      "instance": "/v1/config/reload",
      "request_id": "r-1",
      "status": 422,
      "title": "Invalid configuration",
      "type": "https://github.com/liaison-sbc/liaison/blob/main/docs/admin-api.md#invalid-configuration"
    }
    "#);
}

#[tokio::test]
async fn a_second_reload_at_once_is_a_conflict() {
    let reply = api().failing(ControlError::ReloadUnderWay).ask("POST /v1/config/reload").await;
    assert_eq!(reply.problem(), "409 reload-under-way");
}

#[tokio::test]
async fn content_that_is_not_the_json_expected_is_malformed() {
    let api = api();
    for body in ["{", "[]", r#"{"dry_run":1}"#, r#"{"dryrun":true}"#, "{} {}", "null"] {
        let reply = reload(&api, "application/json", body).await;
        assert_eq!(reply.problem(), "400 malformed-body", "{body}");
    }
    assert!(api.fake.commands.lock().unwrap().is_empty());
}

#[tokio::test]
async fn content_of_another_type_is_unsupported() {
    let api = api();
    for media_type in ["application/x-www-form-urlencoded", "application/jsonx", ""] {
        let reply = reload(&api, media_type, r#"{"dry_run":true}"#).await;
        assert_eq!(reply.problem(), "415 unsupported-media-type", "{media_type}");
        assert_eq!(reply.header("accept"), "application/json");
    }
    assert!(api.fake.commands.lock().unwrap().is_empty());
}
