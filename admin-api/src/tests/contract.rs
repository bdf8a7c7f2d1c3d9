use std::collections::BTreeSet;

use super::calls::ORDER;
use super::client::api;
use crate::openapi_json;
use crate::problem::Kind;

/// `UPDATE_OPENAPI=1 cargo test -p admin-api` writes the golden copy anew.
#[test]
fn the_golden_openapi_document_is_what_the_code_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    let made = openapi_json().unwrap();
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(path, &made).unwrap();
    }
    let golden = std::fs::read_to_string(path).unwrap_or_default();
    let first = made.lines().zip(golden.lines()).position(|(made, golden)| made != golden);
    assert!(
        made == golden,
        "openapi.json is stale from line {first:?}; UPDATE_OPENAPI=1 writes it, then review it"
    );
}

#[tokio::test]
async fn the_document_is_served_and_its_operations_exist() {
    let document = api().send("GET /openapi.json", &[], "").await.json();
    assert_eq!(document, serde_json::from_str::<serde_json::Value>(&openapi_json().unwrap()).unwrap());
    let (mut operations, mut ids) = (BTreeSet::new(), BTreeSet::new());
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let line = format!(
                "{} {}",
                method.to_uppercase(),
                path.replace("{id}", "0-1")
                    .replace("{address}", "alice@example.com")
                    .replace("{source}", "2001:db8:0:1::%2F64")
                    .replace("{name}", "carrier-east")
            );
            let reply = match operation.get("operationId").and_then(serde_json::Value::as_str) {
                Some("place_call") => api().order(ORDER).await,
                Some("make_turn_credentials") => {
                    api().post("/v1/turn/credentials", r#"{"user":"alice"}"#).await
                }
                _ => api().ask(&line).await,
            };
            assert!(reply.status.is_success(), "{line}: {}", reply.status);
            let documented = &operation["responses"][reply.status.as_str()];
            let media_type = documented["content"].as_object().and_then(|content| content.keys().next());
            assert_eq!(media_type.map(String::as_str), Some(reply.header("content-type")), "{line}");
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id.to_owned()), "{id} is doubled");
            operations.insert(format!("{} {path}", method.to_uppercase()));
        }
    }
    insta::assert_snapshot!(operations.into_iter().collect::<Vec<_>>().join("\n"), @r"
    DELETE /v1/calls/{id}
    DELETE /v1/quarantine/{source}
    DELETE /v1/registrations/{address}
    GET /healthz
    GET /metrics
    GET /openapi.json
    GET /readyz
    GET /v1/calls
    GET /v1/calls/{id}
    GET /v1/config
    GET /v1/conformance
    GET /v1/overload
    GET /v1/quarantine
    GET /v1/registrations
    GET /v1/registrations/{address}
    GET /v1/registrations/{address}/subscriptions
    GET /v1/subscriptions
    GET /v1/targets
    GET /v1/trunks
    GET /v1/trunks/{name}/targets
    GET /v1/turn/allocations
    POST /v1/calls
    POST /v1/config/reload
    POST /v1/turn/credentials
    ");
}

#[test]
fn every_kind_of_problem_has_its_section_in_the_manual() {
    let manual = include_str!("../../../docs/admin-api.md");
    let headings: BTreeSet<_> = manual.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    let kinds: BTreeSet<_> = Kind::ALL.iter().map(|kind| kind.spec().1).collect();
    assert_eq!(kinds.len(), Kind::ALL.len());
    assert_eq!(headings, kinds);
}

#[test]
fn every_kind_of_problem_is_in_the_contract() {
    let document = openapi_json().unwrap();
    // These three are no part of any one operation.
    let common = [Kind::NotFound, Kind::MethodNotAllowed, Kind::Internal];
    for kind in Kind::ALL.into_iter().filter(|kind| !common.contains(kind)) {
        assert!(document.contains(kind.spec().1), "{kind:?}");
    }
}
