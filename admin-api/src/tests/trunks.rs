use super::client::api;

#[tokio::test]
async fn where_calls_to_a_trunk_would_go_is_shown_with_the_way_there() {
    let api = api();
    let shown = api.ask("GET /v1/trunks/carrier-east/targets").await.json();
    assert_eq!(shown["trunk"], "carrier-east");
    let location = &shown["targets"][0]["location"];
    let question = &location["questions"][0];
    assert_eq!((question["record"].as_str(), question["answer"].as_str()), (Some("SRV"), Some("found")));
    assert_eq!(
        (question["source"].as_str(), question["left_seconds"].as_f64()),
        (Some("remembered"), Some(59.5))
    );
    assert_eq!(location["questions"][1]["answer"], "unknown");
    let target = &location["targets"][0];
    assert_eq!(
        (target["outcome"].as_str(), target["trouble"].as_str()),
        (Some("passed_over"), Some("out_of_reach"))
    );
    assert!(shown["targets"][1]["location"].is_null());
}

#[tokio::test]
async fn a_trunk_that_is_not_there_has_no_targets() {
    let none = api().ask("GET /v1/trunks/nobody/targets").await.json();
    assert_eq!((none["status"].as_u64(), none["title"].as_str()), (Some(404), Some("No such trunk")));
    let none = api().ask("GET /v1/trunks/%ff/targets").await.json();
    assert_eq!(none["status"], 404);
}
