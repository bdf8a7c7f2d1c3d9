//! What a response must have.

use super::message::{Msg, field, find};
use super::ua::Ua;
use crate::event::Event;
use crate::session::Parts;

const PEER: &str = "198.51.100.9:5060";

// conforms: RFC3261-20-3
#[test]
fn rfc3261_20_a_response_without_a_mandatory_field_is_none() {
    for name in ["Via", "From", "To", "Call-ID", "CSeq"] {
        let mut ua = Ua::udp();
        ua.invite(&format!("sip:bob@{PEER}"), Parts::default());
        let invite = ua.one().text;
        let ringing = Msg::response(&invite, 180, "b1").contact(PEER);
        ua.hear(&ringing.clone().without(name));
        assert!(ua.events.is_empty() && ua.sent.is_empty(), "{name}");
        assert_eq!(ua.endpoint.counters().stray_responses, 1, "{name}");
        ua.hear(&ringing);
        assert!(matches!(ua.events.pop(), Some(Event::Progress { .. })), "{name}");
    }
    // Ours have them all.
    let mut ua = Ua::udp();
    ua.hear(&Msg::request("OPTIONS", 1));
    let ok = ua.one().text;
    for name in ["Via", "From", "To", "Call-ID", "CSeq"] {
        assert!(find(&ok, name).is_some(), "{name} in {ok}");
    }
    assert!(field(&ok, "To").contains(";tag="));
}
