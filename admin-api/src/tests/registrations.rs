use super::client::api;

#[tokio::test]
async fn pages_follow_one_another_by_address() {
    let api = api();
    let first = api.ask("GET /v1/registrations?limit=1").await.json();
    assert_eq!(first["registrations"][0]["address"], "alice@example.com");
    assert_eq!(first["registrations"][0]["bindings"][0]["source"], "192.0.2.7:5060");
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = api.ask(&format!("GET /v1/registrations?limit=1&cursor={cursor}")).await.json();
    assert_eq!(second["registrations"][0]["address"], "bob@example.com");
    assert!(second["next_cursor"].is_null());
    assert_eq!(api.ask("GET /v1/registrations?limit=0").await.json()["status"], 400);
}

#[tokio::test]
async fn one_is_shown_and_one_that_is_not_there_is_not_found() {
    let api = api();
    let one = api.ask("GET /v1/registrations/alice@example.com").await.json();
    assert_eq!(one["bindings"][0]["contact"], "sip:line@192.0.2.7:5060");
    let none = api.ask("GET /v1/registrations/eve@example.com").await.json();
    assert_eq!((none["status"].as_u64(), none["title"].as_str()), (Some(404), Some("Nothing is registered")));
}

#[tokio::test]
async fn who_subscribes_to_a_registration_is_shown() {
    let api = api();
    let list = api.ask("GET /v1/registrations/alice@example.com/subscriptions").await.json();
    let one = &list["subscriptions"][0];
    assert_eq!((one["user"].as_str(), one["source"].as_str()), (Some("alice"), Some("192.0.2.7:5060")));
    assert_eq!(
        (one["address"].as_str(), one["notifications"].as_u64()),
        (Some("alice@example.com"), Some(1))
    );
}

#[tokio::test]
async fn subscriptions_from_one_side_to_the_other_are_shown_in_pages() {
    let api = api();
    let first = api.ask("GET /v1/subscriptions").await.json();
    let one = &first["subscriptions"][0];
    assert_eq!((one["event"].as_str(), one["state"].as_str()), (Some("presence"), Some("active")));
    assert_eq!(one["notifier"]["sip_call_id"], "east-call");
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = api.ask(&format!("GET /v1/subscriptions?cursor={cursor}")).await.json();
    assert_eq!(second["subscriptions"].as_array().map(Vec::len), Some(0));
    assert_eq!(api.ask("GET /v1/subscriptions?cursor=nowhere").await.json()["status"], 400);
}

#[tokio::test]
async fn the_end_of_a_registration_is_a_command() {
    let api = api();
    let ended = api.ask("DELETE /v1/registrations/alice%40example.com").await.json();
    assert_eq!(
        (ended["address"].as_str(), ended["ended"].as_bool()),
        (Some("alice@example.com"), Some(true))
    );
}
