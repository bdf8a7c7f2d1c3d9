//! Every kind of request of ours, sent.

use crate::auth::client::Acceptance;
use crate::flow::{NetworkId, Transport};
use crate::session::{Ask, Body, Parts, Patience, SessionId};
use crate::settings::{Asked, Settings};
use crate::tests::message::Msg;
use crate::tests::ua::{PEER, Ua, listener};
use crate::{Endpoint, Event};
use sip_types::Method;

/// How a request is sent. All but ACK and CANCEL can be challenged (RFC 3261 §22.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Invite,
    Reinvite,
    Bye,
    /// In the dialog of a call.
    Inside(&'static str),
    /// By itself.
    Outside(&'static str),
    /// One of several with one Call-ID.
    Lasting(&'static str),
    /// A NOTIFY to a subscriber.
    Notify,
}

pub(super) const KINDS: [Kind; 20] = [
    Kind::Invite,
    Kind::Reinvite,
    Kind::Bye,
    Kind::Inside("PRACK"),
    Kind::Inside("UPDATE"),
    Kind::Inside("INFO"),
    Kind::Inside("MESSAGE"),
    Kind::Inside("REFER"),
    Kind::Inside("SUBSCRIBE"),
    Kind::Inside("NOTIFY"),
    Kind::Inside("OPTIONS"),
    Kind::Inside("FROBNICATE"),
    Kind::Outside("OPTIONS"),
    Kind::Outside("MESSAGE"),
    Kind::Outside("SUBSCRIBE"),
    Kind::Outside("PUBLISH"),
    Kind::Outside("FROBNICATE"),
    Kind::Lasting("REGISTER"),
    Kind::Lasting("SUBSCRIBE"),
    Kind::Notify,
];

/// A body that auth-int covers.
fn parts() -> Parts {
    Parts { body: Some(Body { bytes: "what is covered\r\n".into(), ..Body::default() }), ..Parts::default() }
}

pub(super) fn ask(method: &str) -> Ask {
    Ask {
        network: NetworkId(0),
        label: 0,
        conduct: None,
        method: method.parse().unwrap(),
        request_uri: "sip:example.com".parse().unwrap(),
        next_hop: format!("sip:{PEER}").parse().unwrap(),
        routes: Box::default(),
        flow: None,
        outbound: false,
        keep: false,
        from: "<sip:liaison@example.net>".into(),
        to: "<sip:liaison@example.com>".into(),
        contact_user: Some("gw".into()),
        max_forwards: 70,
        patience: Patience::default(),
        everywhere: false,
        parts: parts(),
    }
}

/// A user agent that accepts these challenges, and subscriptions.
fn ua(acceptance: Acceptance) -> Ua {
    let mut one = listener(Transport::Udp);
    one.asked = vec![Asked { method: Method::Subscribe, understood: &[] }];
    one.acceptance = acceptance;
    Ua::with(Settings { listeners: vec![one], ..Settings::default() })
}

/// A request of ours that waits for its response.
pub(super) fn sent(kind: Kind, acceptance: Acceptance) -> (Ua, SessionId, String) {
    let mut ua = ua(acceptance);
    let sid = match kind {
        Kind::Invite => ua.invite(&format!("sip:bob@{PEER}"), parts()),
        Kind::Outside(method) => ua.act(|e, now| e.ask(now, ask(method))).unwrap().0,
        Kind::Lasting(method) => ua.act(|e, now| e.ask_lasting(now, ask(method))).unwrap().0,
        Kind::Notify => {
            let sid = subscribed(&mut ua);
            inside(&mut ua, sid, "NOTIFY");
            sid
        }
        Kind::Reinvite | Kind::Bye | Kind::Inside(_) => {
            let sid = ua.called().0;
            match kind {
                Kind::Reinvite => ua.act(|e, now| e.reinvite(now, sid, 70, parts())).unwrap(),
                Kind::Inside(method) => inside(&mut ua, sid, method),
                _ => ua.end(sid),
            }
            sid
        }
    };
    let text = ua.one().text;
    (ua, sid, text)
}

pub(super) fn inside(ua: &mut Ua, sid: SessionId, method: &str) {
    let send = |e: &mut Endpoint, now| e.request(now, sid, method.parse().unwrap(), 70, parts());
    ua.act(send).unwrap();
}

/// Bob has subscribed.
fn subscribed(ua: &mut Ua) -> SessionId {
    ua.hear(&Msg::request("SUBSCRIBE", 1).with("Event", "reg"));
    let Some(Event::Asked { id, .. }) = ua.events.pop() else { panic!() };
    let sid = ua.act(|e, now| e.accept_subscription(now, id, false, Parts::default())).unwrap();
    assert_eq!(ua.one().what(), "200 OK");
    sid
}

/// The next request of the same session after that one was answered with 200, where there is one.
pub(super) fn next(kind: Kind, ua: &mut Ua, sid: SessionId) -> Option<String> {
    match kind {
        Kind::Bye | Kind::Outside(_) => return None,
        Kind::Invite | Kind::Reinvite => {
            ua.act(|e, now| e.acknowledge(now, sid, Parts::default())).unwrap();
            assert_eq!(ua.one().what(), "ACK");
            ua.end(sid);
        }
        Kind::Inside(_) => ua.end(sid),
        Kind::Notify => inside(ua, sid, "NOTIFY"),
        Kind::Lasting(method) => drop(ua.act(|e, now| e.ask_again(now, sid, ask(method))).unwrap()),
    }
    Some(ua.one().text)
}
