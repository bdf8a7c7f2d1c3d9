//! Requests outside a dialog that the owner answers, and the dialogs of subscriptions.

use super::message::{Msg, field, find};
use super::ua::{Ua, listener};
use crate::session::{IntentError, Parts, Reply, RequestId};
use crate::settings::{Asked, Settings};
use crate::{Event, Gauges, Transport};
use sip_types::{Fields, HeaderName, Method, StatusCode};

fn serving(limit: usize) -> Ua {
    let mut one = listener(Transport::Udp);
    one.asked = vec![
        Asked { method: Method::Register, understood: &["path", "gruu"] },
        Asked { method: Method::Subscribe, understood: &[] },
    ];
    let mut settings = Settings { listeners: vec![one], ..Settings::default() };
    settings.limits.asked = limit;
    Ua::with(settings)
}

/// The one request that went up.
fn asked(ua: &mut Ua) -> RequestId {
    match ua.events.pop() {
        Some(Event::Asked { id, .. }) => id,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_served_method_goes_up_once_and_its_answer_is_repeated() {
    let mut ua = serving(10);
    let register = Msg::request("REGISTER", 1).with("Require", "path");
    ua.hear(&register);
    ua.hear(&register);
    let id = asked(&mut ua);
    assert!(ua.sent.is_empty() && ua.events.is_empty());
    assert_eq!(
        ua.act(|e, now| e.answer_asked(now, id, &Reply::new(StatusCode::TRYING))),
        Err(IntentError::Status)
    );
    ua.act(|e, now| e.answer_asked(now, id, &Reply::new(StatusCode::OK))).unwrap();
    let text = ua.one().text;
    assert!(text.starts_with("SIP/2.0 200 OK") && find(&text, "Contact").is_none());
    assert!(field(&text, "To").contains(";tag="));
    ua.hear(&register);
    assert_eq!(ua.one().text, text);
    assert_eq!(ua.act(|e, now| e.answer_asked(now, id, &Reply::new(StatusCode::OK))), Err(IntentError::Gone));
    ua.must_forget();
}

// conforms: RFC3261-10.3-7
#[test]
fn rfc3261_8_2_2_3_the_server_of_a_method_says_what_it_understands() {
    let mut ua = serving(10);
    ua.hear(&Msg::request("REGISTER", 1).with("Require", "path, outbound"));
    assert_eq!(field(&ua.one().text, "Unsupported"), "outbound");
    ua.hear(&Msg::request("INVITE", 2).with("Require", "path"));
    assert_eq!(field(&ua.one().text, "Unsupported"), "path", "of one method, not of another");
    ua.hear(&Msg::request("OPTIONS", 3));
    let text = ua.one().text;
    assert!(field(&text, "Allow").ends_with("REGISTER, SUBSCRIBE"));
    assert_eq!(field(&text, "Supported"), "from-change, gruu, norefersub, path");
    ua.must_forget();
}

#[test]
fn as_many_wait_as_may_be() {
    let mut ua = serving(1);
    ua.hear(&Msg::request("REGISTER", 1));
    ua.hear(&Msg::request("REGISTER", 2));
    let text = ua.one().text;
    assert!(text.starts_with("SIP/2.0 503"));
    assert_eq!(field(&text, "Retry-After"), "5");
    assert_eq!(ua.endpoint.gauges().asked, 1);
    let id = asked(&mut ua);
    ua.act(|e, now| e.answer_asked(now, id, &Reply::new(StatusCode::OK))).unwrap();
    ua.must_forget();
}

fn expires(seconds: &str) -> Parts {
    let mut fields = Fields::default();
    fields.push(HeaderName::Expires, seconds.to_owned());
    Parts { fields, ..Parts::default() }
}

#[test]
fn rfc6665_4_4_1_an_accepted_subscribe_makes_a_dialog_that_notifies_go_in() {
    let mut ua = serving(10);
    ua.hear(&Msg::request("SUBSCRIBE", 1).with("Event", "reg").with("Record-Route", "<sip:p.example;lr>"));
    let id = asked(&mut ua);
    let sid = ua.act(|e, now| e.accept_subscription(now, id, false, expires("60"))).unwrap();
    let ok = ua.one().text;
    assert_eq!(
        (field(&ok, "Expires"), field(&ok, "Contact")),
        ("60".into(), "<sip:192.0.2.1:5060;gr>".into())
    );
    assert_eq!(field(&ok, "Record-Route"), "<sip:p.example;lr>");
    ua.act(|e, now| e.request(now, sid, Method::Notify, 70, Parts::default())).unwrap();
    assert_eq!(ua.queries.len(), 1, "the route set is a name");
    // A refresh in the dialog moves the remote target.
    let refresh = Msg::inside("SUBSCRIBE", 2, &ok).set("Contact", "<sip:bob@198.51.100.10>");
    ua.hear(&refresh);
    let Some(Event::Requested { id, .. }) = ua.events.pop() else { panic!("no request") };
    let reply = Reply { parts: expires("30"), ..Reply::new(StatusCode::OK) };
    ua.act(|e, now| e.answer_subscriber(now, sid, id, &reply)).unwrap();
    assert!(find(&ua.one().text, "Contact").is_some());
    let view = ua.endpoint.session(sid).unwrap();
    assert_eq!(view.dialogs[0].remote_target, "sip:bob@198.51.100.10");
    // Nothing else has a usage in it.
    for (method, status) in [("BYE", "481"), ("INVITE", "405"), ("INFO", "405")] {
        ua.hear(&Msg::inside(method, 3, &ok));
        assert!(ua.one().text.starts_with(&format!("SIP/2.0 {status}")), "{method}");
    }
    ua.act(|e, now| e.end_subscription(now, sid));
    ua.hear(&Msg::inside("SUBSCRIBE", 9, &ok));
    assert!(ua.one().text.starts_with("SIP/2.0 481"));
}

#[test]
fn rfc6665_4_2_2_a_notify_that_fails_is_told_and_ends_nothing_by_itself() {
    let mut ua = serving(10);
    ua.hear(&Msg::request("SUBSCRIBE", 1).with("Event", "reg"));
    let id = asked(&mut ua);
    let sid = ua.act(|e, now| e.accept_subscription(now, id, false, expires("60"))).unwrap();
    ua.sent.clear();
    ua.act(|e, now| e.request(now, sid, Method::Notify, 70, Parts::default())).unwrap();
    let notify = ua.one().text;
    assert!(notify.starts_with("NOTIFY sip:bob@198.51.100.9:5060 SIP/2.0"));
    assert!(field(&notify, "From").contains("alice@example.net"));
    ua.hear(&Msg::response(&notify, 481, ""));
    assert!(matches!(ua.events.pop(), Some(Event::Responded { outcome: Err(_), .. })));
    ua.act(|e, now| e.end_subscription(now, sid));
    ua.must_forget();
    assert_eq!(ua.endpoint.gauges(), Gauges::default());
}

#[test]
fn a_subscribe_that_can_make_no_dialog_is_refused() {
    let mut ua = serving(10);
    ua.hear(&Msg::request("SUBSCRIBE", 1).set("Contact", "*"));
    let id = asked(&mut ua);
    let refused = ua.act(|e, now| e.accept_subscription(now, id, false, Parts::default()));
    assert_eq!(refused, Err(IntentError::NoDialog));
    assert!(ua.one().text.starts_with("SIP/2.0 400"));
    ua.must_forget();
}

// conforms: RFC6665-4.6-1,2
#[test]
fn rfc6665_4_6_a_cancel_is_answered_and_changes_nothing() {
    let mut ua = serving(10);
    let subscribe = Msg::request("SUBSCRIBE", 1).with("Event", "reg");
    ua.hear(&subscribe);
    let id = asked(&mut ua);
    let text = subscribe.text();
    let mut cancel = Msg::request("CANCEL", 1);
    for name in ["Via", "From", "To", "Call-ID"] {
        cancel = cancel.set(name, &field(&text, name));
    }
    ua.hear(&cancel);
    assert!(ua.one().text.starts_with("SIP/2.0 481") && ua.events.is_empty());
    ua.act(|e, now| e.accept_subscription(now, id, false, expires("60"))).unwrap();
    assert!(ua.one().text.starts_with("SIP/2.0 200"));
}

#[test]
fn rfc3261_26_3_2_4_who_is_turned_away_leaves_nothing_behind() {
    let mut ua = Ua::udp();
    let invite = Msg::request("INVITE", 1).sdp();
    let mut tags = Vec::new();
    for _ in 0..2 {
        let sid = ua.invited_by(&invite);
        ua.act(|e, now| e.turn_away(now, sid, &Ua::reply(401))).unwrap();
        let refused = ua.one();
        assert_eq!(refused.what(), "401 Unauthorized");
        tags.push(super::message::tag(&refused.text, "To"));
        let gauges = ua.gauges();
        assert_eq!((gauges.sessions, gauges.server_transactions), (0, 0));
    }
    ua.wait(super::ua::T64);
    assert!(ua.take().is_empty(), "it is sent once");
    ua.hear(&Msg::request("ACK", 1));
    assert_eq!(ua.endpoint.counters().stray_acks, 1);
    assert!(ua.take().is_empty() && ua.events.is_empty());
}
