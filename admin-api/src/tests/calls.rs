use super::client::{Api, api};

pub(super) const ORDER: &str = r#"{
    "network": "enterprise",
    "first": { "uri": "sip:alice@example.com", "ring_seconds": 20 },
    "then": { "uri": "tel:+15551234", "trunk": "east", "from": { "display_name": "Alice" } }
}"#;

async fn ids(api: &Api, query: &str) -> Vec<String> {
    let page = api.ask(&format!("GET /v1/calls{query}")).await.json();
    page["calls"].as_array().unwrap().iter().map(|call| call["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_list_shows_what_each_call_is() {
    insta::assert_snapshot!(api().ask("GET /v1/calls?limit=1").await.shown(), @r#"
    200 OK
    content-type: application/json
    {
      "calls": [
        {
          "age_seconds": 62.5,
          "called": {
            "network": "enterprise",
            "trunk": null
          },
          "calling": {
            "network": "carrier",
            "trunk": "east"
          },
          "established_at": "2026-03-01T12:00:02.250Z",
          "from_uri": "sip:alice@example.com",
          "id": "0-1",
          "request_uri": "sip:+15551234@203.0.113.5",
          "started_at": "2026-03-01T12:00:00.000Z",
          "state": "established",
          "to_uri": "sip:+15551234@example.net"
        }
      ],
      "next_cursor": "00000000000000000001"
    }
    "#);
}

#[tokio::test]
async fn pages_follow_one_another_until_there_is_no_cursor() {
    let api = api();
    let (mut seen, mut query) = (Vec::new(), "?limit=2".to_owned());
    loop {
        seen.extend(ids(&api, &query).await);
        let page = api.ask(&format!("GET /v1/calls{query}")).await.json();
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        query = format!("?limit=2&cursor={cursor}");
    }
    assert_eq!(seen, ["0-1", "0-2", "0-3", "1-1", "1-2"]);
}

#[tokio::test]
async fn without_a_limit_a_page_has_the_default_length() {
    let api = api();
    api.ask("GET /v1/calls").await;
    api.ask("GET /v1/calls?limit=500").await;
    let limits: Vec<_> = api.fake.queries.lock().unwrap().iter().map(|query| query.limit).collect();
    assert_eq!(limits, [50, 500]);
}

#[tokio::test]
async fn filters_must_all_match() {
    let api = api();
    assert_eq!(ids(&api, "?trunk=east").await, ["0-1", "0-3", "1-1"]);
    assert_eq!(ids(&api, "?network=enterprise").await, ["0-1", "0-3", "1-1"]);
    assert_eq!(ids(&api, "?state=setting_up").await, ["0-2", "1-2"]);
    assert_eq!(ids(&api, "?trunk=west&state=setting_up&network=carrier").await, ["0-2", "1-2"]);
    assert!(ids(&api, "?trunk=west&state=ending").await.is_empty());
    let known = "?session_id=ab30317f1a784dc48ff824d0d3715d86";
    assert_eq!(ids(&api, known).await, ids(&api, "").await, "of whichever leg");
    assert!(ids(&api, "?session_id=00").await.is_empty());
}

#[tokio::test]
async fn a_query_that_cannot_be_meant_is_refused_with_the_reason() {
    for (query, reason) in [
        ("limit=0", "limit is 0; expected 1 to 500"),
        ("limit=501", "limit is 501; expected 1 to 500"),
        ("limit=70000", "limit is 70000; expected 1 to 500"),
        ("limit=many", "limit is many; expected 1 to 500"),
        ("limit=1&limit=2", "duplicate field `limit`"),
        ("cursor=7", "a cursor is the next_cursor of an earlier page"),
        ("cursor=", "a cursor is the next_cursor of an earlier page"),
        ("state=ringing", "unknown variant `ringing`, expected one of `setting_up`, `established`, `ending`"),
        ("color=red", "unknown field `color`"),
    ] {
        let reply = api().ask(&format!("GET /v1/calls?{query}")).await;
        assert_eq!(reply.problem(), "400 malformed-query", "{query}");
        assert!(reply.text.contains(reason), "{query}: {}", reply.text);
    }
}

#[tokio::test]
async fn a_cursor_of_another_process_is_refused() {
    let reply = api().ask("GET /v1/calls?cursor=00090000000000000001").await;
    assert_eq!(reply.problem(), "400 unknown-cursor");
}

#[tokio::test]
async fn one_call_shows_its_legs_their_media_and_the_trail_of_policy() {
    insta::assert_snapshot!(api().ask("GET /v1/calls/0-1").await.shown(), @r#"
    200 OK
    content-type: application/json
    {
      "age_seconds": 62.5,
      "called": {
        "network": "enterprise",
        "trunk": null
      },
      "calling": {
        "network": "carrier",
        "trunk": "east"
      },
      "credentials_carried": false,
      "established_at": "2026-03-01T12:00:02.250Z",
      "from_uri": "sip:alice@example.com",
      "id": "0-1",
      "legs": [
        {
          "confirmed_at": "2026-03-01T12:00:02.250Z",
          "dtmf": {
            "form": "rfc4733",
            "heard": 2,
            "said": 1,
            "sealed": false,
            "translated": true
          },
          "early_dialogs": [
            {
              "last_status": 183,
              "remote_tag": "r0",
              "remote_target": null
            }
          ],
          "end": null,
          "local_address": "203.0.113.5:5060",
          "local_tag": "l1",
          "local_uri": "sip:+15551234@example.net",
          "location": {
            "host": "sip.example.com",
            "questions": [
              {
                "answer": "found",
                "left_seconds": 59.5,
                "name": "_sip._udp.sip.example.com",
                "record": "SRV",
                "records": [
                  "10 60 5060 a.example.com."
                ],
                "source": "remembered"
              },
              {
                "answer": "unknown",
                "left_seconds": null,
                "name": "a.example.com",
                "record": "A",
                "records": [],
                "source": null
              }
            ],
            "targets": [
              {
                "address": "192.0.2.9:5060",
                "outcome": "passed_over",
                "status": null,
                "transport": "udp",
                "trouble": "out_of_reach"
              },
              {
                "address": "192.0.2.10:5060",
                "outcome": "answered",
                "status": 200,
                "transport": "udp",
                "trouble": null
              }
            ]
          },
          "party": {
            "network": "carrier",
            "trunk": "east"
          },
          "remote_address": "192.0.2.9:5060",
          "remote_tag": "r1",
          "remote_target": "sip:alice@192.0.2.9:5060",
          "remote_uri": "sip:alice@example.com",
          "role": "calling",
          "route_set": [
            "<sip:192.0.2.1;lr>"
          ],
          "session_id": "ab30317f1a784dc48ff824d0d3715d86",
          "session_timer": {
            "alone": false,
            "due_at": "2026-03-01T12:29:30.250Z",
            "interval_seconds": 1800.0,
            "refresher": "peer"
          },
          "sip_call_id": "b7Jx0e1QmZ@192.0.2.9",
          "started_at": "2026-03-01T12:00:00.000Z",
          "state": "confirmed",
          "streams": [
            {
              "anchored": true,
              "bundle": null,
              "codecs": [
                {
                  "channels": null,
                  "clock_rate_hz": 8000,
                  "format": "8",
                  "name": "PCMA",
                  "parameters": null
                }
              ],
              "direction": "sendrecv",
              "dtls": {
                "alert": 42,
                "cipher": null,
                "failure": "alert",
                "rtcp_state": "waiting",
                "state": "failed",
                "suite": null,
                "unkeyed_packets": 17,
                "version": null
              },
              "ice": {
                "candidates": {
                  "local": "srflx",
                  "remote": "host"
                },
                "checks": 14,
                "last_check_at": "2026-03-01T12:01:02.000Z",
                "remote_address": "192.0.2.9:40000",
                "remote_rtcp_address": null,
                "rtcp_candidates": null,
                "state": "completed"
              },
              "keying": "sdes",
              "local_address": "203.0.113.5:30000",
              "media": "audio",
              "poor": true,
              "protocol": "RTP/AVP",
              "received": {
                "bytes": 516000,
                "dropped_packets": 1,
                "excess_packets": 0,
                "foreign_packets": 0,
                "jitter_seconds": 0.00125,
                "last_packet_at": "2026-03-01T12:01:02.480Z",
                "lost_packets": -1,
                "mos": 4.13,
                "packets": 3000,
                "replayed_packets": 1,
                "rtcp_packets": 12,
                "unauthentic_packets": 2,
                "unnegotiated_packets": 0
              },
              "remote_address": "192.0.2.9:40000",
              "round_trip_seconds": 0.04,
              "sent": null,
              "srtp": "AES_CM_128_HMAC_SHA1_80",
              "transcoding": null,
              "voip_metrics": {
                "discard_percent": 0.0,
                "loss_percent": 3.91,
                "mos_cq": null,
                "mos_lq": 4.1,
                "r_factor": 93,
                "round_trip_seconds": 0.12
              }
            }
          ],
          "target": null,
          "transport": "udp"
        }
      ],
      "placed": false,
      "policy_trail": [
        {
          "at": "2026-03-01T12:00:00.001Z",
          "decision": "network enterprise",
          "reason": "routes[0]: prefix +1555 is the longest match",
          "subject": "route"
        }
      ],
      "request_uri": "sip:+15551234@203.0.113.5",
      "role": "media-relay",
      "roles": [
        {
          "at": "2026-03-01T12:00:02.250Z",
          "called_leg": 1,
          "calling_leg": 0,
          "role": "media-relay"
        }
      ],
      "started_at": "2026-03-01T12:00:00.000Z",
      "state": "established",
      "to_uri": "sip:+15551234@example.net"
    }
    "#);
}

#[tokio::test]
async fn what_names_no_call_is_not_found() {
    for id in ["9-9", "a%20b", "%ff", &"x".repeat(65)] {
        for method in ["GET", "DELETE"] {
            let reply = api().ask(&format!("{method} /v1/calls/{id}")).await;
            assert_eq!(reply.problem(), "404 call-not-found", "{method} {id}");
        }
    }
}

#[tokio::test]
async fn ending_a_call_is_accepted_with_and_without_a_reason() {
    let api = api();
    insta::assert_snapshot!(api.ask("DELETE /v1/calls/0-1").await.shown(), @r#"
    202 Accepted
    content-type: application/json
    {
      "accepted": true,
      "id": "0-1"
    }
    "#);
    let reply = api.ask("DELETE /v1/calls/1-2?reason=toll%20fraud,%20%22x%22").await;
    assert_eq!(reply.status, 202);
    assert_eq!(*api.fake.commands.lock().unwrap(), ["end 0-1 None", r#"end 1-2 Some("toll fraud, \"x\"")"#]);
}

#[tokio::test]
async fn a_reason_that_could_break_a_header_field_is_refused() {
    let api = api();
    for reason in ["", "a%0d%0ab", "%00", &"x".repeat(129)] {
        let reply = api.ask(&format!("DELETE /v1/calls/0-1?reason={reason}")).await;
        assert_eq!(reply.problem(), "400 malformed-query", "{reason}");
    }
    assert!(api.fake.commands.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_call_is_placed_and_its_location_told() {
    let api = api();
    let reply = api.order(ORDER).await;
    assert_eq!((reply.status.as_u16(), reply.header("location")), (201, "/v1/calls/0-2"));
    assert_eq!((&reply.json()["id"], &reply.json()["placed"]), (&"0-2".into(), &true.into()));
    insta::assert_snapshot!(api.fake.commands.lock().unwrap()[0], @r#"place CallOrder { first: OrderedParty { uri: "sip:alice@example.com", network: None, trunk: None, from: None, ring_seconds: Some(20) }, then: OrderedParty { uri: "tel:+15551234", network: None, trunk: Some("east"), from: Some(ShownCaller { uri: None, display_name: Some("Alice") }), ring_seconds: None }, network: Some("enterprise"), trunk: None }"#);
}

#[tokio::test]
async fn an_order_that_is_none_is_refused_with_the_reason() {
    for (order, problem, reason) in [
        ("", "400 malformed-body", "expected a JSON object"),
        ("{}", "400 malformed-body", "missing field `first`"),
        (r#"{"first":{"uri":"sip:a@b"}}"#, "400 malformed-body", "missing field `then`"),
        (
            r#"{"first":{"uri":"sip:a@b","color":1},"then":{"uri":"sip:a@b"}}"#,
            "400 malformed-body",
            "unknown field `color`",
        ),
        (
            r#"{"first":{"uri":"sip:a@b","ring_seconds":-1},"then":{"uri":"sip:a@b"}}"#,
            "400 malformed-body",
            "invalid value",
        ),
        (r#"{"first":{"uri":"mailto:a@b"},"then":{"uri":"sip:a@b"}}"#, "422 invalid-call", "first.uri"),
        (
            r#"{"first":{"uri":"sip:nobody@example.com"},"then":{"uri":"sip:a@b"}}"#,
            "409 call-refused",
            "404 Not Found",
        ),
    ] {
        let reply = api().order(order).await;
        assert_eq!(reply.problem(), problem, "{order}");
        assert!(reply.text.contains(reason), "{order}: {}", reply.text);
    }
    let form = [("authorization", "Bearer 5ec4e7-0f-7e575"), ("content-type", "text/plain")];
    assert_eq!(api().send("POST /v1/calls", &form, ORDER).await.problem(), "415 unsupported-media-type");
    assert_eq!(api().send("POST /v1/calls", &[], ORDER).await.problem(), "401 unauthorized");
}
