//! Dialogs by GRUUs (RFC 5627): those that we go by, and those of peers.

use super::message::{Msg, field, find};
use super::ua::{PEER, Ua, address, listener};
use crate::event::Event;
use crate::flow::{Destination, Flow, ListenerId, Transport};
use crate::nat::Nat;
use crate::session::{Parts, Reply};
use crate::settings::{Listener, Settings};
use sip_types::{StatusCode, Uri};

fn gruu(text: &str) -> Option<Uri> {
    Some(text.parse().unwrap())
}

#[test]
fn rfc5627_4_4_what_sets_our_contact_has_the_gruu_of_the_moment() {
    let mut ua = Ua::udp();
    let sid = ua.invited();
    ua.endpoint.go_by(sid, gruu("sip:a@example.net;gr=1;x=%41"));
    let no = ua.endpoint.open_dialog(sid).unwrap();
    ua.act(|e, now| e.progress(now, sid, no, &Reply::new(StatusCode::RINGING))).unwrap();
    let ringing = ua.one().text;
    assert_eq!(field(&ringing, "Contact"), "<sip:a@example.net;gr=1;x=%41>");
    assert_eq!(field(&ringing, "Supported"), "gruu");
    let params = Parts { contact_params: ";audio".into(), ..Parts::default() };
    ua.act(|e, now| e.answer(now, sid, no, params)).unwrap();
    let ok = ua.one().text;
    assert_eq!(field(&ok, "Contact"), "<sip:a@example.net;gr=1;x=%41>;audio");
    ua.hear(&Msg::inside("ACK", 1, &ok));
    assert!(matches!(ua.event(), Event::Acknowledged { .. }));
    // What sets no target has neither.
    let (_, info) = ua.info(sid);
    assert_eq!((find(&info, "Contact"), find(&info, "Supported")), (None, None));
    for (name, contact) in
        [(gruu("sip:tgruu.7@example.net;gr"), "<sip:tgruu.7@example.net;gr>"), (None, "<sip:192.0.2.1:5060>")]
    {
        ua.endpoint.go_by(sid, name);
        ua.act(|e, now| e.reinvite(now, sid, 70, Parts::default())).unwrap();
        let again = ua.one().text;
        assert_eq!(field(&again, "Contact"), contact);
        ua.hear(&Msg::response(&again, 488, ""));
        ua.event();
        ua.take();
    }
}

#[test]
fn rfc5630_5_1_1_4_a_gruu_has_the_scheme_of_its_dialog() {
    for (request_uri, given, contact) in [
        ("sips:bob@example.com", "sip:a@example.net;gr=1", "<sips:a@example.net;gr=1>"),
        ("sips:bob@example.com", "sips:a@example.net;gr=1", "<sips:a@example.net;gr=1>"),
        ("sip:bob@example.com", "sips:a@example.net;gr=1", "<sip:a@example.net;gr=1>"),
    ] {
        let settings = Settings { listeners: vec![listener(Transport::Tls)], ..Settings::default() };
        let mut ua = Ua::with(settings);
        let invite = crate::session::Invite {
            gruu: gruu(given),
            speaks_for: None,
            ..super::secure::invite_for(request_uri, &format!("sip:{PEER};transport=tls"))
        };
        ua.act(|e, now| e.invite(now, invite)).unwrap();
        assert_eq!(field(&ua.one().text, "Contact"), contact, "{request_uri} {given}");
    }
}

#[test]
fn rfc5627_4_5_a_peer_that_goes_by_a_gruu_is_found_by_that_though_a_nat_is_before_it() {
    for (contact, transport, by_flow) in [
        ("sip:bob@192.168.1.5", Transport::Udp, true),
        ("sip:bob@far.example;gr=urn:uuid:1", Transport::Udp, false),
        // It wants what follows on its flow (RFC 5626 §4.3), and a WebSocket is the only way (RFC 7118 §5).
        ("sip:bob@far.example;gr=urn:uuid:1;ob", Transport::Udp, true),
        ("sip:bob@far.example;gr=urn:uuid:1", Transport::Ws, true),
    ] {
        let listeners = vec![Listener { nat: Nat::Auto, ..listener(transport) }];
        let mut ua = Ua::with(Settings { listeners, ..Settings::default() });
        let from = Flow {
            listener: ListenerId(0),
            peer: address("198.51.100.9:41000"),
            connection: transport.is_reliable().then_some(crate::flow::ConnectionId(7)),
        };
        let token = transport.via_token();
        let invite = Msg::request("INVITE", 1)
            .set("Via", &format!("SIP/2.0/{token} 192.168.1.5:5060;branch=z9hG4bKnat;rport"))
            .set("Contact", &format!("<{contact}>"));
        ua.hear_on(from, &invite.text());
        let Event::Invited { session, .. } = ua.event() else { panic!("an INVITE") };
        ua.take();
        let ok = ua.answer(session);
        let ack = Msg::inside("ACK", 1, &ok);
        ua.hear_on(from, &ack.text());
        assert!(matches!(ua.event(), Event::Acknowledged { .. }));
        ua.end(session);
        let looked_up = !ua.queries.is_empty();
        assert_eq!(looked_up, !by_flow, "{contact}");
        if by_flow {
            assert_eq!(ua.one().to, Destination::Flow(from), "{contact}");
        }
    }
}
