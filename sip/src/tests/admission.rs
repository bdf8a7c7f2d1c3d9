//! What is refused before it becomes a call (RFC 3261 §8.2), and malformed messages.

use super::message::{Msg, SDP, field, fields, find, start};
use super::ua::{PEER, Ua, flow, listener};
use crate::settings::{Carrying, Settings};
use crate::{ConnectionId, Event, Gauges, Transport};

fn strict() -> Ua {
    let mut one = listener(Transport::Udp);
    one.carrying = Carrying::Nothing;
    Ua::with(Settings { listeners: vec![one], ..Settings::default() })
}

/// The response that refuses a request, without a session.
fn refused(mut ua: Ua, msg: &Msg) -> String {
    ua.hear(msg);
    let text = ua.one().text;
    assert!(ua.events.is_empty());
    ua.must_forget();
    text
}

fn status(text: &str) -> &str {
    text.strip_prefix("SIP/2.0 ").unwrap().lines().next().unwrap()
}

// conforms: RFC3261-8.2.1-1,2,3 RFC3261-21.4.6-1
#[test]
fn rfc3261_8_2_1_other_methods_outside_a_dialog_are_405() {
    for method in ["INFO", "REGISTER", "SUBSCRIBE", "FROBNICATE", "UPDATE", "PRACK", "MESSAGE"] {
        let text = refused(Ua::udp(), &Msg::request(method, 1));
        assert_eq!(status(&text), "405 Method Not Allowed");
        assert_eq!(
            field(&text, "Allow"),
            "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE",
            "what is carried is carried in dialogs"
        );
    }
}

#[test]
fn rfc3261_8_2_2_1_schemes_that_we_lack_are_416() {
    for uri in ["sips:alice@192.0.2.1", "urn:service:sos", "http://192.0.2.1/"] {
        let msg = Msg::request("INVITE", 1).start("sip:alice@192.0.2.1", uri);
        assert_eq!(status(&refused(Ua::udp(), &msg)), "416 Unsupported URI Scheme");
    }
    let mut ua = Ua::udp();
    ua.invited_by(&Msg::request("INVITE", 1).start("sip:alice@192.0.2.1", "tel:+12125551212"));
}

// conforms: RFC3261-8.2.2.3-1,2 RFC3261-20.32-1,2 RFC3261-21.4.15-1
#[test]
fn rfc3261_8_2_2_3_unknown_option_tags_are_420() {
    let text = refused(strict(), &Msg::request("INVITE", 1).with("Require", "100rel").with("Require", "b"));
    assert_eq!((status(&text), field(&text, "Unsupported").as_str()), ("420 Bad Extension", "100rel, b"));
    let mut ua = Ua::udp();
    ua.invited_by(&Msg::request("INVITE", 1).with("Require", "NoReferSub").with("Proxy-Require", "unknown"));
}

// conforms: RFC3261-8.2.3-1,2,3 RFC3261-21.4.13-1
#[test]
fn rfc3261_8_2_3_content_that_we_lack_is_415() {
    let text = refused(strict(), &Msg::request("INVITE", 1).sdp().set("Content-Type", "text/plain"));
    assert_eq!(
        (status(&text), field(&text, "Accept").as_str()),
        ("415 Unsupported Media Type", "application/sdp")
    );
    let text = refused(strict(), &Msg::request("INVITE", 1).sdp().with("Content-Encoding", "gzip"));
    assert_eq!(field(&text, "Accept-Encoding"), "identity");
    let optional = Msg::request("INVITE", 1)
        .sdp()
        .set("Content-Type", "text/plain")
        .with("Content-Disposition", "render;handling=optional");
    strict().invited_by(&optional);
    Ua::udp().invited_by(&Msg::request("INVITE", 1).sdp().set("Content-Type", "text/plain"));
}

#[test]
fn rfc3261_21_4_7_who_accepts_no_session_description_gets_406() {
    let text = refused(strict(), &Msg::request("INVITE", 1).with("Accept", "text/plain"));
    assert_eq!(status(&text), "406 Not Acceptable");
    strict().invited_by(&Msg::request("INVITE", 1).with("Accept", "application/*"));
}

// conforms: RFC3261-8.2.2.2-1
#[test]
fn rfc3261_8_2_2_2_a_request_that_came_by_two_ways_is_482() {
    let mut ua = Ua::udp();
    ua.invited();
    let via = "SIP/2.0/UDP 203.0.113.1;branch=z9hG4bKproxy2";
    ua.hear(&Msg::request("INVITE", 1).first("Via", via).sdp());
    assert_eq!(ua.one().what(), "482 Loop Detected");
    assert!(ua.events.is_empty());
    assert_eq!(ua.endpoint.counters().merged_requests, 1);
}

// conforms: RFC7332-5-2
#[test]
fn rfc3261_8_1_1_6_an_invite_without_hops_left_is_483() {
    let text = refused(Ua::udp(), &Msg::request("INVITE", 1).set("Max-Forwards", "0"));
    assert_eq!(status(&text), "483 Too Many Hops");
    Ua::udp().invited_by(&Msg::request("INVITE", 1).without("Max-Forwards"));
}

#[test]
fn rfc3261_21_5_6_another_version_is_505() {
    let msg = Msg::request("INVITE", 1).start("SIP/2.0", "SIP/7.0");
    let text = refused(Ua::udp(), &msg);
    assert_eq!(status(&text), "505 Version Not Supported");
    assert_eq!(find(&text, "Via").unwrap(), field(&msg.text(), "Via"));
}

#[test]
fn rfc3261_8_1_1_requests_without_a_mandatory_field_are_400() {
    for name in ["From", "To", "Call-ID", "CSeq"] {
        let text = refused(Ua::udp(), &Msg::request("INVITE", 1).without(name));
        assert_eq!(status(&text), format!("400 no {name} header field"));
        let twice = Msg::request("INVITE", 1).with(name, &field(&Msg::request("INVITE", 1).text(), name));
        assert_eq!(status(&refused(Ua::udp(), &twice)), format!("400 more than one {name} header field"));
    }
    let text = refused(Ua::udp(), &Msg::request("INVITE", 1).set("CSeq", "1 BYE"));
    assert_eq!(status(&text), "400 CSeq method differs from the request line");
    let big = Msg::request("INVITE", 1).set("CSeq", "4294967296 INVITE");
    assert!(status(&refused(Ua::udp(), &big)).starts_with("400 CSeq"));
}

#[test]
fn without_a_via_nobody_is_answered() {
    let mut ua = Ua::udp();
    ua.hear(&Msg::request("INVITE", 1).without("Via"));
    assert!(ua.take().is_empty());
    assert_eq!((ua.endpoint.counters().malformed, ua.gauges()), (1, Gauges::default()));
}

// conforms: RFC3261-18.3-1,2
#[test]
fn rfc3261_18_3_a_body_shorter_than_stated_is_400_and_a_longer_one_cut() {
    let short = Msg::request("INVITE", 1).sdp().with("Content-Length", "900");
    assert_eq!(status(&refused(Ua::udp(), &short)), "400 Content-Length and Body Disagree");
    let mut ua = Ua::udp();
    ua.hear_on(flow(None), &(Msg::request("INVITE", 1).sdp().text() + "rubbish"));
    let Event::Invited { request, .. } = ua.event() else { panic!() };
    assert_eq!(&request.request.body()[..], SDP.as_bytes());
    let mut ua = Ua::udp();
    let (_, invite) = ua.call();
    ua.hear(&Msg::response(&invite, 200, "b1").sdp().with("Content-Length", "900"));
    assert!(ua.events.is_empty() && ua.take().is_empty(), "a short response is dropped");
}

// conforms: RFC3261-18.1.2-1,2 RFC6026-8.9-1,2
#[test]
fn rfc3261_8_1_3_3_responses_with_foreign_or_several_vias_are_dropped() {
    let mut ua = Ua::udp();
    let (_, invite) = ua.call();
    let ringing = Msg::response(&invite, 180, "b1");
    let via = field(&invite, "Via");
    ua.hear(&ringing.clone().with("Via", "SIP/2.0/UDP 203.0.113.1;branch=z9hG4bKx"));
    ua.hear(&ringing.clone().set("Via", &format!("{via}, {via}")));
    ua.hear(&ringing.clone().set("Via", &via.replace("192.0.2.1", "192.0.2.77")));
    ua.hear(&ringing.clone().set("Via", &via.replace("z9hG4bK", "z9hG4bKx")));
    ua.hear(&ringing.clone().without("Via"));
    ua.hear(&ringing.clone().set("CSeq", "1 OPTIONS"));
    assert!(ua.events.is_empty());
    assert_eq!(ua.endpoint.counters().stray_responses, 6);
    ua.hear(&ringing);
    assert!(matches!(ua.event(), Event::Progress { .. }));
}

// conforms: RFC3261-8.2.6.2-4
#[test]
fn rfc3261_8_2_6_2_several_vias_and_the_order_of_fields_come_back() {
    let mut ua = Ua::udp();
    let msg = Msg::request("OPTIONS", 1).first(
        "Via",
        "SIP/2.0/UDP 203.0.113.1:5070;branch=z9hG4bKp1;rport, SIP/2.0/TCP a.example.com;branch=z9hG4bKp0",
    );
    ua.hear(&msg);
    let text = ua.one().text;
    let vias: Vec<_> = fields(&text).into_iter().filter(|(n, _)| n == "Via").map(|(_, v)| v).collect();
    assert_eq!(vias.len(), 3);
    assert!(vias[0].contains("received=198.51.100.9") && vias[0].contains("rport=5060"), "{}", vias[0]);
    assert_eq!(vias[1], "SIP/2.0/TCP a.example.com;branch=z9hG4bKp0");
    assert_eq!(vias[2], "SIP/2.0/UDP 198.51.100.9:5060;branch=z9hG4bKpeer1options");
}

#[test]
fn too_many_sessions_are_503_with_retry_after() {
    let mut settings = Settings { listeners: vec![listener(Transport::Udp)], ..Settings::default() };
    settings.limits.sessions = 1;
    let mut ua = Ua::with(settings);
    ua.invited();
    ua.hear(&Msg::request("INVITE", 2).set("Call-ID", "second"));
    let refused = ua.one();
    assert_eq!(
        (refused.what(), field(&refused.text, "Retry-After").as_str()),
        ("503 Service Unavailable", "5")
    );
    assert!(ua.events.is_empty());
    assert_eq!(ua.endpoint.counters().overloaded, 1);
}

// conforms: RFC3261-8.2.7-1,2,3,4,5
#[test]
fn too_many_transactions_are_503_and_kept_nowhere() {
    let mut settings = Settings { listeners: vec![listener(Transport::Udp)], ..Settings::default() };
    settings.limits.transactions = 3;
    let mut ua = Ua::with(settings);
    for seq in 1..9 {
        ua.hear(&Msg::request("OPTIONS", seq));
    }
    let log = ua.log();
    assert_eq!(log.iter().filter(|l| l.contains("503")).count(), 5);
    assert_eq!(ua.gauges().server_transactions, 3);
    let late = Msg::request("INVITE", 20);
    let refusals: Vec<_> = (0..2)
        .map(|_| {
            ua.hear(&late);
            ua.one().text
        })
        .collect();
    assert_eq!(refusals[0], refusals[1], "the same To tag for the same request");
    ua.hear(&Msg::request("CANCEL", 20));
    ua.hear(&Msg::request("ACK", 20));
    assert!(ua.take().is_empty());
    ua.wait(1_000);
    assert!(ua.take().is_empty(), "nothing is sent twice");
    ua.must_forget();
}

// conforms: RFC3261-8.2.2.3-4
#[test]
fn an_ack_is_never_answered() {
    let mut ua = Ua::udp();
    for ack in [
        Msg::request("ACK", 1),
        Msg::request("ACK", 1).start("SIP/2.0", "SIP/7.0"),
        Msg::request("ACK", 1).without("To"),
        Msg::request("ACK", 1).with("Content-Length", "9"),
        Msg::request("ACK", 1).with("Require", "frob"),
    ] {
        ua.hear(&ack);
    }
    assert!(ua.take().is_empty());
    assert_eq!(ua.gauges(), Gauges::default());
}

#[test]
fn rfc3261_7_3_1_a_line_that_is_no_header_field_makes_a_message_malformed() {
    let mut ua = Ua::udp();
    let defect = |msg: &Msg| msg.text().replacen("\r\nCSeq", "\r\nno header field\r\nCSeq", 1);
    ua.hear_on(flow(None), &defect(&Msg::request("INVITE", 1).sdp()));
    assert_eq!(start(&ua.one().text), "SIP/2.0 400 a line is no header field");
    let (_, invite) = ua.call();
    ua.hear_on(flow(None), &defect(&Msg::response(&invite, 200, "b1").contact(PEER)));
    assert!(ua.take().is_empty() && ua.events.is_empty());
    ua.hear(&Msg::response(&invite, 200, "b1").contact(PEER));
    assert!(matches!(ua.event(), Event::Answered { .. }));
}

#[test]
fn rfc3261_20_5_a_405_never_allows_what_it_refuses() {
    let mut ua = Ua::udp();
    ua.hear(&Msg::request("MESSAGE", 1));
    let refused = ua.one();
    assert_eq!(refused.what(), "405 Method Not Allowed");
    assert_eq!(field(&refused.text, "Allow"), "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE");
}

#[test]
fn rfc3261_18_2_2_a_via_that_cannot_be_read_is_refused_at_the_source() {
    let mut ua = Ua::udp();
    ua.hear(&Msg::request("OPTIONS", 1).set("Via", "SIP/2.0/UDP 192.0.2.15;;,;,,"));
    let refused = ua.one();
    assert_eq!(refused.what(), "400 Via: expected a parameter name at byte 23");
    assert_eq!(refused.to.peer().to_string(), PEER);
    assert_eq!(field(&refused.text, "Via"), "SIP/2.0/UDP 192.0.2.15;;,;,,");
}

#[test]
fn rfc5626_3_5_1_keep_alives_are_no_messages() {
    let mut ua = Ua::udp();
    for bytes in ["\r\n\r\n", "\r\n", "\0\0\0\0", ""] {
        ua.hear_on(flow(None), bytes);
    }
    assert!(ua.take().is_empty());
    assert_eq!(ua.endpoint.counters().malformed, 0);
}

#[test]
fn rubbish_is_counted_and_closes_its_stream() {
    let mut ua = Ua::tcp();
    ua.hear_on(flow(None), "GET / HTTP/1.1\r\n\r\n");
    assert!(ua.closed.is_empty());
    ua.hear_on(flow(Some(7)), "GET / HTTP/1.1\r\n\r\n");
    assert_eq!((ua.endpoint.counters().malformed, &ua.closed[..]), (2, &[ConnectionId(7)][..]));
    assert!(ua.take().is_empty());
}

// conforms: RFC6026-6-5
#[test]
fn rfc6026_6_an_ack_that_looks_like_its_invite_is_the_dialogs_once_that_was_accepted() {
    let mut ua = Ua::udp();
    let via = "SIP/2.0/UDP 198.51.100.9:5060;branch=1";
    let sid = ua.invited_by(&Msg::request("INVITE", 1).set("Via", via));
    let ok = ua.answer(sid);
    ua.hear(&Msg::inside("ACK", 1, &ok).set("Via", via));
    assert!(matches!(ua.event(), Event::Acknowledged { .. }));
    assert_eq!(ua.endpoint.counters().stray_acks, 0);
}

#[test]
fn what_exceeds_a_limit_is_answered_with_what_it_exceeds() {
    let msg = Msg::request("INVITE", 1).sdp();
    let exact = msg.text().len();
    let limits =
        sip_types::Limits { start_line: 60, header_length: 80, header_count: 14, body: 400, message: 2_000 };
    assert!(exact < limits.message);
    let many = (0..14).fold(Msg::request("INVITE", 1), |msg, n| msg.with("X-Many", &n.to_string()));
    let large = format!("{}{}", "v=0\r\n", "a=x\r\n".repeat(100));
    let body = msg.text().replacen("v=0\r\n", &large, 1).replacen("Content-Length: ", "Content-Length: 9", 1);
    let cases = [
        (msg.text(), "100 Trying"),
        (format!("{}{}", msg.text(), "x".repeat(2_000)), "513 Message Too Large"),
        (msg.text().replacen("sip:", &format!("sip:{}", "a".repeat(60)), 1), "414 Request-URI Too Long"),
        (Msg::request("INVITE", 1).with("X-Long", &"x".repeat(80)).text(), "513 Header Field Too Long"),
        (many.text(), "513 Too Many Header Fields"),
        (body, "413 Request Entity Too Large"),
        (format!("{}X-Cut", head_of(&msg)), "400 Message Ends in a Header Field"),
    ];
    for (connection, listener_of) in [(None, Transport::Udp), (Some(7), Transport::Tcp)] {
        for (text, answer) in &cases {
            let listeners = vec![listener(listener_of)];
            let mut ua = Ua::with(Settings { listeners, message: limits, ..Settings::default() });
            ua.hear_on(flow(connection), text);
            let sent = ua.one();
            assert_eq!(start(&sent.text), format!("SIP/2.0 {answer}"), "{text}");
            assert_eq!(field(&sent.text, "Call-ID"), field(&msg.text(), "Call-ID"));
            let refused = *answer != "100 Trying";
            assert_eq!(find(&sent.text, "To").unwrap().contains(";tag="), refused);
            assert_eq!(ua.closed.len(), usize::from(refused && connection.is_some()));
            let counted = ua.endpoint.counters().unreadable;
            assert_eq!(counted != crate::Unreadable::default(), refused, "{counted:?}");
        }
    }
}

/// All of it before the empty line.
fn head_of(msg: &Msg) -> String {
    let text = msg.text();
    let (head, _) = text.split_once("\r\n\r\n").unwrap();
    format!("{head}\r\n")
}

#[test]
fn what_exceeds_a_limit_and_has_no_via_or_is_an_ack_is_only_counted() {
    let limits = sip_types::Limits { header_length: 80, ..sip_types::Limits::default() };
    let settings =
        Settings { listeners: vec![listener(Transport::Udp)], message: limits, ..Settings::default() };
    let mut ua = Ua::with(settings);
    let long = "x".repeat(80);
    ua.hear(&Msg::request("ACK", 1).with("X-Long", &long));
    ua.hear(&Msg::request("INVITE", 1).set("Via", &format!("SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK{long}")));
    ua.hear(&Msg::request("INVITE", 1).without("Via").with("X-Long", &long));
    assert!(ua.take().is_empty());
    assert_eq!(ua.endpoint.counters().unreadable.header_length, 3);
}

#[test]
fn rfc3261_20_14_a_message_on_a_stream_says_how_long_it_is() {
    let stated = "Content-Length: 0\r\n";
    let without = Msg::request("OPTIONS", 1).text().replace(stated, "");
    let differ = without.replacen("\r\n\r\n", "\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n", 1);
    let expected =
        [(&without, "400 Content-Length Required on a Stream"), (&differ, "400 Malformed Content-Length")];
    for (text, answer) in expected {
        let mut ua = Ua::tcp();
        ua.hear_on(flow(Some(7)), text);
        assert_eq!(ua.one().what(), answer);
        assert_eq!(ua.closed, [ConnectionId(7)]);
        assert_eq!(ua.endpoint.counters().unreadable.no_length, 1);
    }
    // A message of a WebSocket is as long as it came (RFC 7118 §5).
    for mut ua in [Ua::udp(), Ua::of(&[Transport::Ws]), Ua::of(&[Transport::Wss])] {
        let stream = ua.endpoint.settings().listeners[0].transport.is_reliable();
        ua.hear_on(flow(stream.then_some(7)), &without);
        assert_eq!(ua.one().what(), "200 OK");
        assert!(ua.closed.is_empty());
    }
}

#[test]
fn rfc3261_17_2_3_requests_without_the_magic_cookie_are_matched_as_rfc2543_says() {
    let mut ua = Ua::udp();
    let invite = Msg::request("INVITE", 1).set("Via", "SIP/2.0/UDP 198.51.100.9:5060;branch=1");
    ua.invited_by(&invite);
    ua.hear(&invite);
    assert_eq!(ua.one().what(), "100 Trying");
    ua.hear(&Msg::request("CANCEL", 1).set("Via", "SIP/2.0/UDP 198.51.100.9:5060;branch=1"));
    assert_eq!(ua.log(), ["0 200 OK", "0 487 Request Terminated"]);
}
