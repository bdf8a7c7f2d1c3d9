//! Requests that belong to an INVITE of ours: its CANCEL and the ACK of its failure (RFC 3261 §9.1, §17.1.1.3).

use super::message::{Msg, fields, find};
use super::ua::{PEER, T64, Ua};
use crate::session::Parts;
use sip_types::{Fields, HeaderName};

/// Caller preferences (RFC 3841), and what must not come along.
fn preferences() -> Parts {
    let mut fields = Fields::default();
    fields.push(HeaderName::AcceptContact, "*;audio;require");
    fields.push(HeaderName::RejectContact, "*;actor=\"msg-taker\"");
    fields.push(HeaderName::RequestDisposition, "no-fork");
    fields.push(HeaderName::Require, "norefersub");
    fields.push(HeaderName::ProxyRequire, "norefersub");
    Parts { fields, ..Parts::default() }
}

fn values(text: &str, name: &str) -> Vec<String> {
    fields(text).into_iter().filter(|(n, _)| n == name).map(|(_, v)| v).collect()
}

// conforms: RFC3261-9.1-4,5 RFC3261-17.1.1.3-6 RFC3261-8.2.2.3-3 RFC3841-5-1
#[test]
fn rfc3841_5_they_have_the_routes_and_preferences_of_the_invite_and_require_nothing() {
    let mut ua = Ua::udp();
    let (sid, invite) = ua.call();
    let routes = "<sip:203.0.113.2;lr>, <sip:203.0.113.1;lr>";
    ua.hear(&Msg::response(&invite, 200, "b1").contact(PEER).with("Record-Route", routes));
    ua.act(|e, now| e.acknowledge(now, sid, Parts::default())).unwrap();
    ua.take();
    ua.act(|e, now| e.reinvite(now, sid, 70, preferences())).unwrap();
    let again = ua.one().text;
    assert_eq!(values(&again, "Route").len(), 2);
    ua.hear(&Msg::response(&again, 100, ""));
    ua.act(|e, now| e.cancel_reinvite(now, sid)).unwrap();
    let cancel = ua.one().text;
    ua.hear(&Msg::response(&cancel, 200, ""));
    ua.hear(&Msg::response(&again, 487, ""));
    let ack = ua.one().text;
    assert!(cancel.starts_with("CANCEL ") && ack.starts_with("ACK "));
    for derived in [&cancel, &ack] {
        for name in ["Route", "Accept-Contact", "Reject-Contact", "Request-Disposition"] {
            assert_eq!(values(derived, name), values(&again, name), "{name}");
        }
        assert_eq!(find(derived, "Require").or(find(derived, "Proxy-Require")), None);
    }
}

// conforms: RFC3261-9.1-7 RFC3261-17.1.1.2-14 RFC6026-8.4-3 RFC3263-4-1,2,3 RFC3263-4.4-1
#[test]
fn rfc3263_4_4_they_and_every_repetition_go_where_the_invite_went() {
    for cancelled in [true, false] {
        let mut ua = Ua::udp();
        let sid = ua.invite("sip:bob@example.com", Parts::default());
        ua.resolve("example.com A 198.51.100.1\nexample.com A 198.51.100.2");
        let first = ua.one().id;
        ua.act(|e, now| e.handle_send_failed(now, first));
        ua.wait(5_000);
        let invite = ua.sent[0].text.clone();
        ua.hear(&Msg::response(&invite, 100, ""));
        if cancelled {
            ua.end(sid);
        }
        ua.hear(&Msg::response(&invite, 486, "b1"));
        ua.hear(&Msg::response(&invite, 486, "b1"));
        ua.wait(T64);
        let sent = ua.take();
        let of = |what: &str| sent.iter().filter(|s| s.what() == what).count();
        assert_eq!((of("INVITE"), of("ACK"), of("CANCEL") > 0), (4, 2, cancelled));
        assert!(sent.iter().all(|s| s.to.peer().to_string() == "198.51.100.2:5060"), "{sent:#?}");
        assert!(ua.queries.is_empty(), "a name is looked up once for a transaction");
    }
}
