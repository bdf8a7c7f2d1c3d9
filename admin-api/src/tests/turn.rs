use super::client::api;

#[tokio::test]
async fn allocations_are_listed_by_network_and_user() {
    let page = api().ask("GET /v1/turn/allocations?user=alice&network=access").await.json();
    let one = &page["allocations"][0];
    assert_eq!((&one["transport"], &one["channels"][0]["number"]), (&"tls".into(), &0x4000.into()));
    assert_eq!((&one["left_seconds"], &one["to_peers"]["bytes"]), (&595.0.into(), &344.into()));
    let none = api().ask("GET /v1/turn/allocations?user=bob").await.json();
    assert_eq!(none["allocations"].as_array().map(Vec::len), Some(0));
    let wrong = api().ask("GET /v1/turn/allocations?color=red").await;
    assert_eq!(wrong.problem(), "400 malformed-query");
}

#[tokio::test]
async fn credentials_are_made_for_a_user_and_kept_by_no_cache() {
    let made = api().post("/v1/turn/credentials", r#"{"user":"alice","ttl":60}"#).await;
    assert_eq!((made.status.as_u16(), made.header("cache-control")), (200, "no-store"));
    insta::assert_snapshot!(made.text, @r#"{"username":"1893456000:alice","password":"mGXkPtBcGqq0lwDGBCmKNE5Lzg8=","ttl":60,"uris":["turn:192.0.2.1:3478?transport=udp"]}"#);
    for (order, problem) in [
        ("", "400 malformed-body"),
        (r#"{"ttl":60}"#, "400 malformed-body"),
        (r#"{"user":"alice","password":"x"}"#, "400 malformed-body"),
        (r#"{"user":""}"#, "422 invalid-turn-credentials"),
        (r#"{"user":"alice","network":"west"}"#, "404 turn-server-not-found"),
    ] {
        assert_eq!(api().post("/v1/turn/credentials", order).await.problem(), problem, "{order}");
    }
    assert_eq!(api().send("POST /v1/turn/credentials", &[], "{}").await.problem(), "401 unauthorized");
}
