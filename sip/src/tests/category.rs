//! Header fields where they do not belong, and responses that nobody knows.

use super::message::{Msg, field, find};
use super::ua::{PEER, Ua};
use crate::Event;
use crate::session::Parts;

// conforms: RFC3261-7.3.2-1
#[test]
fn rfc3261_7_3_2_header_fields_of_another_category_are_ignored() {
    let of_requests = |msg: Msg| {
        msg.with("Max-Forwards", "0")
            .with("Route", "<sip:203.0.113.9;lr>")
            .with("Authorization", "Digest username=\"x\", realm=\"y\"")
            .with("Proxy-Require", "foo")
            .with("Expires", "0")
    };
    let mut ua = Ua::udp();
    let (sid, invite) = ua.call();
    ua.hear(&of_requests(Msg::response(&invite, 180, "b1").contact(PEER)));
    assert!(matches!(ua.event(), Event::Progress { dialog: Some(_), .. }));
    ua.hear(&of_requests(Msg::response(&invite, 200, "b1").contact(PEER)));
    assert!(matches!(ua.event(), Event::Answered { .. }));
    ua.act(|e, now| e.acknowledge(now, sid, Parts::default())).unwrap();
    let ack = ua.one();
    assert_eq!((ack.what(), ack.to.peer().to_string().as_str()), ("ACK", PEER));
    assert_eq!(find(&ack.text, "Route"), None);
    assert_eq!(field(&ack.text, "Max-Forwards"), "70");

    let mut ua = Ua::udp();
    let of_responses = Msg::request("INVITE", 1)
        .sdp()
        .with("WWW-Authenticate", "Digest realm=\"x\", nonce=\"y\"")
        .with("Proxy-Authenticate", "nonsense")
        .with("Retry-After", "soon")
        .with("Min-Expires", "-1")
        .with("Unsupported", "100rel")
        .with("Authentication-Info", "nextnonce=\"z\"");
    ua.hear(&of_responses);
    assert_eq!(ua.one().what(), "100 Trying");
    assert!(matches!(ua.event(), Event::Invited { .. }));
}

// conforms: RFC3261-8.1.3.2-2
#[test]
fn rfc3261_8_1_3_2_an_unknown_provisional_response_is_progress() {
    let mut ua = Ua::udp();
    let (_, invite) = ua.call();
    ua.hear(&Msg::response(&invite, 187, "b1").contact(PEER));
    let Event::Progress { dialog: Some(_), response, .. } = ua.event() else { panic!() };
    assert_eq!(response.status().as_u16(), 187);
    assert_eq!(ua.gauges().dialogs, 1, "an early dialog, as by a 183");
}
