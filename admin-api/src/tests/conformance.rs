use serde_json::Value;

use super::client::api;

async fn page(query: &str) -> Value {
    let reply = api().ask(&format!("GET /v1/conformance{query}")).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()
}

fn number(counts: &Value, status: &str) -> usize {
    usize::try_from(counts[status].as_u64().unwrap()).unwrap()
}

fn all(counts: &Value) -> usize {
    ["tested", "not_ours", "open"].iter().map(|status| number(counts, status)).sum()
}

#[tokio::test]
async fn the_ledger_names_its_program_and_counts_each_rfc() {
    let page = page("?limit=1").await;
    assert_eq!(page["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(page["ledger"].as_str().unwrap().len(), 16);
    assert_eq!(page["demands"].as_array().unwrap().len(), 1);
    let rfcs = page["rfcs"].as_array().unwrap();
    assert_eq!(all(&page["totals"]), rfcs.iter().map(all).sum::<usize>());
    assert!(rfcs.iter().any(|of| of["rfc"] == 3261 && number(of, "tested") > 0), "{rfcs:?}");
}

#[tokio::test]
async fn pages_of_the_ledger_hold_every_demand_once() {
    let mut ids = Vec::new();
    let mut query = "?limit=500".to_owned();
    loop {
        let page = page(&query).await;
        ids.extend(
            page["demands"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()),
        );
        let Some(cursor) = page["next_cursor"].as_str() else {
            assert_eq!(ids.len(), all(&page["totals"]));
            break;
        };
        query = format!("?limit=500&cursor={cursor}");
    }
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count);
}

#[tokio::test]
async fn filters_of_the_ledger_must_all_match() {
    for status in ["tested", "not_ours", "open"] {
        let page = page(&format!("?rfc=3261&status={status}&limit=500")).await;
        let of = page["rfcs"].as_array().unwrap().iter().find(|of| of["rfc"] == 3261).unwrap();
        let demands = page["demands"].as_array().unwrap();
        assert_eq!(demands.len(), number(of, status), "{status}");
        assert!(demands.iter().all(|row| row["status"] == status && row["rfc"] == 3261));
        let explained = |row: &Value| row["tests"].as_array().unwrap().is_empty() != row["why"].is_null();
        assert!(demands.iter().all(explained), "{status}");
    }
    let page = page("?rfc=3261&section=17.1&limit=500").await;
    let demands = page["demands"].as_array().unwrap();
    assert!(demands.iter().any(|row| row["section"] == "17.1.1.2"));
    assert!(demands.iter().all(|row| row["section"].as_str().unwrap().starts_with("17.1.")));
}

#[tokio::test]
async fn a_query_of_the_ledger_that_cannot_be_meant_is_refused_with_the_reason() {
    for (query, problem) in [
        ("?limit=0", "400 malformed-query"),
        ("?limit=501", "400 malformed-query"),
        ("?rfc=1", "400 malformed-query"),
        ("?rfc=SIP", "400 malformed-query"),
        ("?status=done", "400 malformed-query"),
        ("?chapter=1", "400 malformed-query"),
        ("?cursor=RFC3261-0-0", "400 unknown-cursor"),
    ] {
        let reply = api().ask(&format!("GET /v1/conformance{query}")).await;
        assert_eq!(reply.problem(), problem, "{query}");
    }
}
