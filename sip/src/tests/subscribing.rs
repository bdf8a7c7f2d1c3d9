//! Subscriptions of ours: the dialog that a NOTIFY makes (RFC 6665 §4.4.1).

use super::message::{Msg, field, find};
use super::ua::{PEER, Ua, address};
use crate::auth::{Credential, Secret};
use crate::session::{Ask, IntentError, Parts, Patience, Reply, SessionId, SessionStage};
use crate::{Event, Failure, NetworkId};
use sip_types::{Fields, HeaderName, Method, StatusCode};
use std::sync::Arc;

fn parts(event: &str) -> Parts {
    let mut fields = Fields::default();
    fields.push(HeaderName::Event, event.to_owned());
    Parts { fields, ..Parts::default() }
}

fn ask(method: Method, next_hop: &str, parts: Parts) -> Ask {
    Ask {
        network: NetworkId(0),
        label: 0,
        conduct: None,
        method,
        request_uri: "sip:bob@example.com".parse().unwrap(),
        next_hop: next_hop.parse().unwrap(),
        routes: Box::default(),
        flow: None,
        outbound: false,
        keep: false,
        from: "<sip:alice@example.net>".into(),
        to: "<sip:bob@example.com>".into(),
        contact_user: None,
        max_forwards: 70,
        patience: Patience::default(),
        everywhere: false,
        parts,
    }
}

/// A SUBSCRIBE of ours.
fn subscribe(ua: &mut Ua) -> (SessionId, String) {
    let ask = ask(Method::Subscribe, &format!("sip:{PEER}"), parts("presence;id=a"));
    let sid = ua.act(|e, now| e.subscribe(now, ask)).unwrap();
    (sid, ua.one().text)
}

/// A NOTIFY of the peer with that tag.
fn notify(subscribe: &str, tag: &str, seq: u32) -> Msg {
    let from = format!("{};tag={tag}", field(subscribe, "To").split(";tag=").next().unwrap());
    let notify = Msg::inside("NOTIFY", seq, subscribe).set("From", &from);
    notify.with("Event", "presence;x=y;id=a").with("Subscription-State", "active;expires=60")
}

fn refused(ua: &mut Ua, msg: &Msg, status: &str) -> String {
    ua.hear(msg);
    let text = ua.one().text;
    assert!(text.starts_with(&format!("SIP/2.0 {status}")), "{text}");
    assert!(ua.events.is_empty(), "{:?}", ua.events);
    text
}

fn ok(ua: &mut Ua, sid: SessionId) -> String {
    let id = ua.requested();
    ua.act(|e, now| e.answer_notifier(now, sid, id, &Reply::new(StatusCode::OK))).unwrap();
    ua.one().text
}

fn is_over(ua: &mut Ua, sid: SessionId) {
    ua.act(|e, now| e.end_subscription(now, sid));
    ua.must_forget();
}

// conforms: RFC6665-4.1.3-1 RFC6665-4.5.2-3
#[test]
fn rfc6665_4_4_1_a_notify_makes_the_dialog_with_its_route_set() {
    let mut ua = Ua::udp();
    let (sid, subscribe) = subscribe(&mut ua);
    assert_eq!(field(&subscribe, "Contact"), "<sip:192.0.2.1:5060>");
    assert_eq!(ua.endpoint.session(sid).unwrap().stage, SessionStage::Subscribing);
    let response = Msg::response(&subscribe, 200, "n1").contact("198.51.100.1").with("Expires", "60");
    ua.hear(&response.with("Record-Route", "<sip:not-this.example;lr>"));
    assert!(matches!(ua.event(), Event::Responded { outcome: Ok(_), .. }));
    // What is not of it makes none.
    let first = notify(&subscribe, "n2", 7).with("Record-Route", &format!("<sip:{PEER};lr>"));
    for other in ["presence", "presence;id=A", "Presence;id=a", "dialog;id=a", "presence.winfo;id=a"] {
        refused(&mut ua, &first.clone().set("Event", other), "481");
    }
    refused(&mut ua, &first.clone().without("Event").set("CSeq", "6 NOTIFY"), "481");
    refused(
        &mut ua,
        &first
            .clone()
            .set("Contact", "*")
            .set("CSeq", "5 NOTIFY")
            .first("Via", "SIP/2.0/UDP 198.51.100.9;branch=z9hG4bKstar"),
        "400",
    );
    let mut branch = (0..).map(|n| format!("SIP/2.0/UDP 198.51.100.9:5060;branch=z9hG4bKn{n}"));
    let mut fresh = |msg: Msg| msg.without("Via").first("Via", &branch.next().unwrap());
    ua.hear(&fresh(first));
    let text = ok(&mut ua, sid);
    assert_eq!(field(&text, "Contact"), "<sip:192.0.2.1:5060>");
    // The first one counts; nobody else has a usage here.
    refused(&mut ua, &fresh(notify(&subscribe, "n1", 8)), "481");
    let inside = |method: &str, seq| {
        notify(&subscribe, "n2", seq).start("NOTIFY", method).set("CSeq", &format!("{seq} {method}"))
    };
    refused(&mut ua, &fresh(inside("BYE", 9)), "481");
    assert_eq!(field(&refused(&mut ua, &fresh(inside("INFO", 10)), "405"), "Allow"), "NOTIFY");
    refused(&mut ua, &fresh(notify(&subscribe, "n2", 6)), "500");
    refused(&mut ua, &fresh(notify(&subscribe, "n2", 11).set("Event", "dialog")), "481");
    // A refresh goes by the route set of the NOTIFY, with the next number; each NOTIFY moves the target.
    ua.hear(&fresh(notify(&subscribe, "n2", 12).contact("198.51.100.10")));
    ok(&mut ua, sid);
    ua.act(|e, now| e.request(now, sid, Method::Subscribe, 70, parts("presence;id=a"))).unwrap();
    let again = ua.one();
    assert!(again.text.starts_with("SUBSCRIBE sip:bob@198.51.100.10 SIP/2.0"), "{}", again.text);
    assert_eq!((field(&again.text, "Route"), again.to.peer()), (format!("<sip:{PEER};lr>"), address(PEER)));
    assert_eq!(field(&again.text, "CSeq"), "2 SUBSCRIBE");
    assert!(field(&again.text, "To").ends_with(";tag=n2") && find(&again.text, "Contact").is_some());
    ua.hear(&Msg::response(&again.text, 481, ""));
    assert!(matches!(ua.event(), Event::Responded { outcome: Err(Failure::Response(_)), .. }));
    is_over(&mut ua, sid);
}

#[test]
fn a_refusal_ends_it_unless_somebody_has_told_of_it_before() {
    let mut ua = Ua::udp();
    let (sid, first) = subscribe(&mut ua);
    ua.hear(&Msg::response(&first, 489, "n1"));
    assert!(matches!(ua.event(), Event::Responded { outcome: Err(_), .. }));
    assert!(ua.endpoint.session(sid).is_none());
    refused(&mut ua, &notify(&first, "n1", 1), "481");
    ua.must_forget();

    let (sid, second) = subscribe(&mut ua);
    ua.hear(&notify(&second, "n1", 2));
    ok(&mut ua, sid);
    ua.hear(&Msg::response(&second, 404, "n2"));
    assert!(matches!(ua.event(), Event::Responded { outcome: Err(_), .. }));
    assert!(ua.endpoint.session(sid).is_some(), "it is another branch's");
    is_over(&mut ua, sid);
}

#[test]
fn what_waits_when_it_is_let_go_gets_its_481() {
    let mut ua = Ua::udp();
    let (sid, subscribe) = subscribe(&mut ua);
    ua.hear(&notify(&subscribe, "n1", 1));
    ua.requested();
    ua.act(|e, now| e.end_subscription(now, sid));
    assert!(ua.one().text.starts_with("SIP/2.0 481"));
    ua.must_forget();
}

#[test]
fn a_subscribe_is_challenged_as_any_request() {
    let mut ua = Ua::udp();
    let (sid, first) = subscribe(&mut ua);
    let challenge = "Digest realm=\"example.com\", nonce=\"n\", qop=\"auth\", algorithm=SHA-256";
    ua.hear(&Msg::response(&first, 401, "n1").with("WWW-Authenticate", challenge));
    let needed = ua.secrets.pop().unwrap();
    assert_eq!(needed.session, sid);
    let granted = vec![("example.com".into(), Arc::new(Credential::new("alice", Secret::password("p"))))];
    ua.act(|e, now| e.handle_secret(now, needed.id, granted));
    let again = ua.one().text;
    assert_eq!(field(&again, "CSeq"), "2 SUBSCRIBE");
    assert_eq!(
        (field(&again, "Call-ID"), field(&again, "From")),
        (field(&first, "Call-ID"), field(&first, "From"))
    );
    assert!(find(&again, "Authorization").is_some());
    ua.hear(&notify(&again, "n1", 1));
    ok(&mut ua, sid);
    ua.hear(&Msg::response(&again, 200, "n1").contact(PEER).with("Expires", "60"));
    assert!(matches!(ua.event(), Event::Responded { outcome: Ok(_), .. }));
    is_over(&mut ua, sid);
}

#[test]
fn what_is_no_subscribe_or_to_nothing_is_no_subscription() {
    let mut ua = Ua::udp();
    for (method, of) in [(Method::Message, parts("presence")), (Method::Subscribe, Parts::default())] {
        let ask = ask(method, &format!("sip:{PEER}"), of);
        assert_eq!(ua.act(|e, now| e.subscribe(now, ask)), Err(IntentError::WrongState));
    }
    ua.must_forget();
}

// conforms: RFC3428-8-1
#[test]
fn rfc3428_8_a_large_message_is_no_datagram_though_the_stream_fails() {
    let large = || {
        let mut large = ask(Method::Message, &format!("sip:{PEER}"), Parts::default());
        large.parts.body =
            Some(crate::session::Body { bytes: vec![b'm'; 1400].into(), ..Default::default() });
        large
    };
    let too_large = |event: Event| {
        matches!(
            event,
            Event::Responded { outcome: Err(Failure::Unreachable(crate::Unreachable::TooLarge)), .. }
        )
    };
    let mut ua = Ua::udp();
    ua.act(|e, now| e.ask(now, large())).unwrap();
    assert!(too_large(ua.event()) && ua.sent.is_empty());
    let mut ua = Ua::of(&[crate::Transport::Udp, crate::Transport::Tcp]);
    ua.act(|e, now| e.ask(now, large())).unwrap();
    let sent = ua.one();
    assert!(field(&sent.text, "Via").starts_with("SIP/2.0/TCP"));
    ua.act(|e, now| e.handle_send_failed(now, sent.id));
    assert!(too_large(ua.event()) && ua.sent.is_empty());
    ua.must_forget();
}
