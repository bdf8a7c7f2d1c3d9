//! REFER within a session and the subscription that it makes (RFC 3515, RFC 4488, RFC 7647).

use super::message::{Msg, find};
use super::ua::{Ua, listener};
use crate::session::{IntentError, Parts, Refer, ReferId, RequestId, SessionId};
use crate::settings::Carrying;
use crate::{Event, Failure, Listener, Settings, Transport};
use sip_types::{Fields, HeaderName, Method, StatusCode};
use std::time::Duration;

/// A user agent that takes REFERs.
fn referee() -> Ua {
    let listener = Listener { refers: true, ..listener(Transport::Udp) };
    Ua::with(Settings { listeners: vec![listener], ..Settings::default() })
}

const MINUTE: Option<Duration> = Some(Duration::from_secs(60));

/// A session that the peer began, its 2xx, and the peer's REFER number `seq` in it.
fn refer(ok: &str, seq: u32) -> Msg {
    Msg::inside("REFER", seq, ok).with("Refer-To", "<sip:carol@example.org>")
}

fn referred(ua: &mut Ua) -> (RequestId, Box<Refer>) {
    match ua.event() {
        Event::Referred { id, refer, .. } => (id, refer),
        other => panic!("{other:?}"),
    }
}

/// Accepts it: its name, and the first NOTIFY.
fn accepted(ua: &mut Ua, sid: SessionId, ok: &str, seq: u32) -> (ReferId, String) {
    ua.hear(&refer(ok, seq));
    let (id, _) = referred(ua);
    let name = ua.act(|e, now| e.accept_refer(now, sid, id, MINUTE)).unwrap().unwrap();
    let [response, notify] = ua.take().try_into().unwrap();
    assert_eq!(response.what(), "200 OK");
    assert!(find(&response.text, "Contact").is_some() && find(&response.text, "Refer-Sub").is_none());
    (name, notify.text)
}

/// What a NOTIFY says: Event, Subscription-State, body.
fn said(notify: &str) -> [String; 3] {
    let body = notify.split_once("\r\n\r\n").unwrap().1.trim_end().to_owned();
    let field = |name| find(notify, name).unwrap();
    assert!(
        notify.starts_with("NOTIFY ") && field("Content-Type").starts_with("message/sipfrag"),
        "{notify}"
    );
    [field("Event"), field("Subscription-State"), body]
}

fn tell(ua: &mut Ua, sid: SessionId, name: ReferId, status: u16) -> Result<(), IntentError> {
    let status = StatusCode::new(status).unwrap();
    ua.act(|e, now| e.tell_referrer(now, sid, name, (status, "".into()), false))
}

// conforms: RFC3515-2.4.2-3,4 RFC3515-2.4.4-1,2,3 RFC3515-2.4.5-1,2 RFC3515-2.4.7-1 RFC7647-5-2
#[test]
fn rfc3515_2_4_4_the_sender_of_a_refer_is_told_what_comes_of_it_until_the_last_word() {
    let mut ua = referee();
    let (sid, ok) = ua.answered();
    let (name, notify) = accepted(&mut ua, sid, &ok, 2);
    assert_eq!(said(&notify), ["refer", "active;expires=60", "SIP/2.0 100 Trying"]);
    for name in ["From", "To", "Call-ID"] {
        let (theirs, ours) = (find(&refer(&ok, 2).text(), name), find(&notify, name));
        let turned = match name {
            "From" => find(&refer(&ok, 2).text(), "To"),
            "To" => find(&refer(&ok, 2).text(), "From"),
            _ => theirs,
        };
        assert_eq!(ours, turned, "{name}");
    }
    // One NOTIFY at a time; what comes meanwhile is told by the next one, the last of it.
    tell(&mut ua, sid, name, 180).unwrap();
    tell(&mut ua, sid, name, 183).unwrap();
    assert!(ua.take().is_empty());
    ua.hear(&Msg::response(&notify, 200, ""));
    let second = ua.one().text;
    assert_eq!(said(&second), ["refer", "active;expires=60", "SIP/2.0 183 Session Progress"]);
    ua.hear(&Msg::response(&second, 200, ""));
    tell(&mut ua, sid, name, 200).unwrap();
    let last = ua.one().text;
    assert_eq!(said(&last), ["refer", "terminated;reason=noresource", "SIP/2.0 200 OK"]);
    ua.hear(&Msg::response(&last, 200, ""));
    assert_eq!(tell(&mut ua, sid, name, 200), Err(IntentError::Gone));
    assert!(ua.events.is_empty(), "NOTIFYs are the user agent's own affair: {:?}", ua.events);
}

// conforms: RFC3515-2.4.6-1
#[test]
fn rfc3515_2_4_6_the_second_refer_of_a_dialog_is_told_apart_by_its_number() {
    let mut ua = referee();
    let (sid, ok) = ua.answered();
    let (_, first) = accepted(&mut ua, sid, &ok, 2);
    let (name, second) = accepted(&mut ua, sid, &ok, 5);
    assert_eq!((said(&first)[0].as_str(), said(&second)[0].as_str()), ("refer", "refer;id=5"));
    ua.hear(&Msg::response(&second, 200, ""));
    tell(&mut ua, sid, name, 404).unwrap();
    assert_eq!(said(&ua.one().text), ["refer;id=5", "terminated;reason=noresource", "SIP/2.0 404 Not Found"]);
}

// conforms: RFC3515-2.4.2-2
#[test]
fn rfc3515_2_4_2_what_cannot_be_acted_upon_is_refused() {
    let mut ua = referee();
    let (_, ok) = ua.answered();
    let plain = |seq| Msg::inside("REFER", seq, &ok);
    let with = |seq, to: &str| plain(seq).with("Refer-To", to);
    let refused = [
        (plain(2), "400"),
        (with(3, "<sip:a@b>").with("Refer-To", "<sip:c@d>"), "400"),
        (with(4, "<sip:a@b?Replaces=x>"), "400"),
        (with(5, "<sip:a@b?Replaces=x%3Bto-tag%3D1%3Bfrom-tag%3D2&replaces=y>"), "400"),
        (with(6, "<http://example.com>"), "603"),
        (with(7, "<sip:a@b;method=BYE>"), "603"),
    ];
    for (message, status) in refused {
        ua.hear(&message);
        assert!(ua.one().what().starts_with(status), "{status}");
        assert!(ua.events.is_empty());
    }
    ua.hear(&with(8, "<sip:c@d;method=INVITE?Replaces=x%40y%3Bto-tag%3D1%3Bfrom-tag%3D2>"));
    let (_, refer) = referred(&mut ua);
    let replaces = refer.replaces.unwrap();
    assert_eq!((replaces.call_id(), replaces.local_tag(), replaces.remote_tag()), ("x@y", "1", "2"));
}

// conforms: RFC3891-3-1 RFC3911-4-1
#[test]
fn rfc3891_3_only_an_invite_may_replace_or_join() {
    let mut ua = referee();
    let (_, ok) = ua.answered();
    let value = "x@y;to-tag=1;from-tag=2";
    for (seq, name) in [(2, "Replaces"), (3, "Join")] {
        ua.hear(&Msg::inside("INFO", seq, &ok).with(name, value));
        assert!(ua.one().what().starts_with("400"));
        ua.hear(&Msg::request("OPTIONS", seq + 10).with(name, value));
        assert!(ua.one().what().starts_with("400"));
    }
}

// conforms: RFC4488-4-1
#[test]
fn rfc4488_4_who_wants_no_subscription_gets_none_and_is_told_so() {
    let mut ua = referee();
    let (sid, ok) = ua.answered();
    ua.hear(&refer(&ok, 2).with("Refer-Sub", "false"));
    let (id, asked) = referred(&mut ua);
    assert!(asked.silent);
    assert_eq!(ua.act(|e, now| e.accept_refer(now, sid, id, None)), Ok(None));
    let response = ua.one();
    assert_eq!((response.what(), find(&response.text, "Refer-Sub").as_deref()), ("200 OK", Some("false")));
    ua.wait(10_000);
    assert!(ua.take().is_empty());
}

// conforms: RFC3515-2.4.4-5
#[test]
fn rfc3515_2_4_4_the_subscription_is_prolonged_and_ended_by_subscribe_and_begun_by_none() {
    let mut ua = referee();
    let (sid, ok) = ua.answered();
    let subscribe = |seq, event: &str, expires: &str| {
        Msg::inside("SUBSCRIBE", seq, &ok).with("Event", event).with("Expires", expires)
    };
    ua.hear(&subscribe(2, "refer", "60"));
    assert_eq!(ua.one().what(), "403 Forbidden");
    ua.hear(&subscribe(3, "dialog", "60"));
    assert_eq!(ua.one().what(), "489 Bad Event");
    let (name, notify) = accepted(&mut ua, sid, &ok, 4);
    ua.hear(&Msg::response(&notify, 200, ""));
    ua.hear(&subscribe(5, "refer;id=4", "300"));
    let [response, notify] = ua.take().try_into().unwrap();
    assert_eq!(find(&response.text, "Expires").as_deref(), Some("300"));
    assert_eq!(said(&notify.text)[1], "active;expires=300");
    ua.hear(&Msg::response(&notify.text, 200, ""));
    ua.hear(&subscribe(6, "refer", "0"));
    let [_, last] = ua.take().try_into().unwrap();
    assert_eq!(said(&last.text), ["refer", "terminated;reason=timeout", "SIP/2.0 100 Trying"]);
    ua.hear(&Msg::response(&last.text, 200, ""));
    assert_eq!(tell(&mut ua, sid, name, 200), Err(IntentError::Gone));
    assert!(ua.events.is_empty(), "the end of a subscription withdraws nothing: {:?}", ua.events);
}

#[test]
fn a_subscription_that_nobody_prolongs_ends_with_its_time() {
    let mut ua = referee();
    let (sid, ok) = ua.answered();
    let (_, notify) = accepted(&mut ua, sid, &ok, 2);
    ua.hear(&Msg::response(&notify, 200, ""));
    ua.wait(60_000);
    assert_eq!(said(&ua.one().text)[1], "terminated;reason=timeout");
}

#[test]
fn rfc5057_5_1_a_notify_that_fails_ends_the_subscription_and_not_the_session() {
    for status in [481, 405] {
        let mut ua = referee();
        let (sid, ok) = ua.answered();
        let (name, notify) = accepted(&mut ua, sid, &ok, 2);
        ua.hear(&Msg::response(&notify, status, ""));
        assert_eq!(tell(&mut ua, sid, name, 200), Err(IntentError::Gone), "{status}");
        assert!(ua.events.is_empty() && ua.take().is_empty());
        ua.end(sid);
    }
}

/// The last word is told while the first NOTIFY is unanswered, and then the session ends: the NOTIFY, and the BYE.
fn last_word_behind(ua: &mut Ua) -> (SessionId, String, String) {
    let (sid, ok) = ua.answered();
    let (name, notify) = accepted(ua, sid, &ok, 2);
    tell(ua, sid, name, 503).unwrap();
    assert!(ua.take().is_empty(), "one NOTIFY at a time");
    ua.act(|e, now| e.end(now, sid, Fields::default())).unwrap();
    let bye = ua.one();
    assert_eq!(bye.what(), "BYE");
    (sid, notify, bye.text)
}

fn is_last_word(text: &str) {
    assert_eq!(said(text), ["refer", "terminated;reason=noresource", "SIP/2.0 503 Service Unavailable"]);
}

#[test]
fn rfc5057_4_1_the_last_word_outlives_the_session_until_the_notify_before_it_is_answered() {
    // Before the BYE is over, and after it.
    for over in [false, true] {
        let mut ua = referee();
        let (_, notify, bye) = last_word_behind(&mut ua);
        if over {
            ua.hear(&Msg::response(&bye, 200, ""));
            assert!(matches!(ua.event(), Event::Ended { .. }));
        }
        ua.hear(&Msg::response(&notify, 200, ""));
        let last = ua.one().text;
        is_last_word(&last);
        ua.hear(&Msg::response(&last, 200, ""));
        if !over {
            ua.hear(&Msg::response(&bye, 200, ""));
        }
        assert!(ua.take().is_empty());
        ua.events.clear();
        ua.must_forget();
    }
}

#[test]
fn the_last_word_follows_a_notify_that_nobody_has_answered_and_none_that_says_there_is_nobody() {
    let mut ua = referee();
    let (_, _, bye) = last_word_behind(&mut ua);
    ua.hear(&Msg::response(&bye, 200, ""));
    ua.wait(31_900);
    ua.take();
    ua.wait(200);
    is_last_word(&ua.one().text);
    ua.wait(33_000);
    ua.events.clear();
    ua.must_forget();
    let mut ua = referee();
    let (_, notify, bye) = last_word_behind(&mut ua);
    ua.hear(&Msg::response(&bye, 200, ""));
    ua.hear(&Msg::response(&notify, 481, ""));
    assert!(ua.take().is_empty());
    ua.events.clear();
    ua.must_forget();
}

#[test]
fn what_is_no_last_word_is_not_told_after_the_session() {
    let mut ua = referee();
    let (sid, ok) = ua.answered();
    let (name, notify) = accepted(&mut ua, sid, &ok, 2);
    ua.act(|e, now| e.end(now, sid, Fields::default())).unwrap();
    let bye = ua.one().text;
    let _ = tell(&mut ua, sid, name, 180);
    ua.hear(&Msg::response(&notify, 200, ""));
    ua.hear(&Msg::response(&bye, 200, ""));
    assert!(ua.take().is_empty());
    ua.events.clear();
    ua.must_forget();
}

#[test]
fn the_last_word_needs_no_room_among_the_requests_that_are_pending() {
    let mut ua = referee();
    let (sid, ok) = ua.answered();
    let (name, notify) = accepted(&mut ua, sid, &ok, 2);
    ua.hear(&Msg::response(&notify, 200, ""));
    let message =
        |ua: &mut Ua| ua.act(|e, now| e.request(now, sid, Method::Message, 70, Parts::default())).is_ok();
    while message(&mut ua) {}
    ua.take();
    tell(&mut ua, sid, name, 503).unwrap();
    is_last_word(&ua.one().text);
}

/// A REFER of ours in a session that we began.
fn asks(ua: &mut Ua) -> (SessionId, crate::session::OutgoingId, String) {
    let (sid, _) = ua.called();
    let mut parts = Parts::default();
    parts.fields.push(HeaderName::ReferTo, "<sip:carol@example.org>");
    let id = ua.act(|e, now| e.refer(now, sid, 68, parts)).unwrap();
    (sid, id, ua.one().text)
}

/// A NOTIFY of the peer's in the dialog of that request of ours.
fn notify(ours: &str, seq: u32, state: &str, body: &str) -> Msg {
    let notify = Msg::inside("NOTIFY", seq, ours).with("Event", "refer").with("Subscription-State", state);
    notify.with("Content-Type", "message/sipfrag").body(body)
}

// conforms: RFC3515-2-1 RFC3515-2.4.4-4 RFC7647-5-1
#[test]
fn rfc3515_2_4_4_what_comes_of_our_refer_is_heard_before_and_after_its_response() {
    let mut ua = referee();
    let (_, id, ours) = asks(&mut ua);
    assert!(find(&ours, "Contact").is_some() && find(&ours, "Refer-To").is_some(), "{ours}");
    ua.hear(&notify(&ours, 1, "active;expires=60", "SIP/2.0 100 Trying\r\n"));
    assert_eq!(ua.one().what(), "200 OK");
    assert!(matches!(ua.event(), Event::ReferNotified { refer, last: false, .. } if refer == id));
    ua.hear(&Msg::response(&ours, 202, ""));
    assert!(matches!(ua.event(), Event::Responded { outcome: Ok(_), .. }));
    ua.hear(&notify(&ours, 2, "terminated;reason=noresource", "SIP/2.0 486 Busy Here\r\nX: y\r\n"));
    assert_eq!(ua.one().what(), "200 OK");
    match ua.event() {
        Event::ReferNotified { status, reason, last, .. } => {
            assert_eq!((status.as_u16(), &*reason, last), (486, "Busy Here", true));
        }
        other => panic!("{other:?}"),
    }
    ua.hear(&notify(&ours, 3, "active", "SIP/2.0 200 OK\r\n"));
    assert_eq!(ua.one().what(), "481 Call/Transaction Does Not Exist");
}

#[test]
fn rfc6665_4_1_3_a_notify_that_nobody_asked_for_is_refused() {
    let mut ua = referee();
    let (_, _, ours) = asks(&mut ua);
    let seq = find(&ours, "CSeq").unwrap().split(' ').next().unwrap().to_owned();
    let rows = [
        (notify(&ours, 1, "active", "SIP/2.0 100 Trying\r\n").set("Event", "dialog"), 481),
        (notify(&ours, 2, "active", "SIP/2.0 100 Trying\r\n").set("Event", "refer;id=77"), 481),
        (notify(&ours, 3, "active", "hello"), 400),
        (notify(&ours, 4, "active", "SIP/2.0 100 Trying\r\n").without("Subscription-State"), 400),
        (notify(&ours, 5, "active", "SIP/2.0 100 Trying\r\n").set("Event", &format!("refer;id={seq}")), 200),
    ];
    for (message, status) in rows {
        ua.hear(&message);
        assert!(ua.one().what().starts_with(&status.to_string()), "{status}");
    }
    let mut refused = referee();
    let (_, _, ours) = asks(&mut refused);
    refused.hear(&Msg::response(&ours, 603, ""));
    assert!(matches!(refused.event(), Event::Responded { outcome: Err(Failure::Response(_)), .. }));
    refused.hear(&notify(&ours, 1, "active", "SIP/2.0 100 Trying\r\n"));
    assert_eq!(refused.one().what(), "481 Call/Transaction Does Not Exist");
}

/// Though a profile lets both of them pass: what the explicit one asks for could not cross, and neither is for another method.
// conforms: RFC7614-6-1
#[test]
fn rfc7614_6_they_are_for_refer_alone_and_an_explicit_subscription_is_had_nowhere() {
    let mut listener = listener(Transport::Udp);
    listener.refers = true;
    listener.carrying =
        Carrying::All { transparent: vec!["nosub".into(), "ExplicitSub".into(), "answermode".into()] };
    let mut ua = Ua::with(Settings { listeners: vec![listener], ..Settings::default() });
    let (_, ok) = ua.answered();
    for (seq, msg) in [
        (2, refer(&ok, 2).with("Require", "explicitsub")),
        (3, Msg::inside("INFO", 3, &ok).with("Require", "nosub")),
        (4, Msg::inside("INVITE", 4, &ok).sdp().with("Require", "explicitsub, answermode")),
    ] {
        ua.hear(&msg);
        let refused = ua.one();
        assert_eq!(refused.what(), "420 Bad Extension", "{seq}");
        let tag = if seq == 3 { "nosub" } else { "explicitsub" };
        assert_eq!(find(&refused.text, "Unsupported").as_deref(), Some(tag));
    }
    assert!(ua.events.is_empty());
}

// conforms: RFC7614-5.3-1 RFC7614-6-2,3
#[test]
fn rfc7614_5_who_requires_no_subscription_gets_none_and_an_explicit_one_is_not_had_here() {
    let mut ua = referee();
    let (sid, ok) = ua.answered();
    ua.hear(&refer(&ok, 2).with("Require", "nosub"));
    let (id, asked) = referred(&mut ua);
    assert!(asked.silent);
    assert_eq!(ua.act(|e, now| e.accept_refer(now, sid, id, None)), Ok(None));
    let accepted = ua.one();
    assert_eq!((accepted.what(), find(&accepted.text, "Require")), ("200 OK", None), "and no NOTIFY");
    ua.hear(&refer(&ok, 3).with("Require", "explicitsub"));
    let refused = ua.one();
    assert_eq!(refused.what(), "420 Bad Extension");
    assert_eq!(find(&refused.text, "Unsupported").as_deref(), Some("explicitsub"));
}

#[test]
fn rfc6665_4_1_2_4_a_refer_of_ours_that_nobody_tells_of_is_over_after_timer_n() {
    let mut ua = referee();
    let (_, id, ours) = asks(&mut ua);
    ua.hear(&Msg::response(&ours, 200, ""));
    assert!(matches!(ua.event(), Event::Responded { outcome: Ok(_), .. }));
    ua.wait(31_000);
    assert!(ua.events.is_empty());
    ua.wait(2_000);
    match ua.event() {
        Event::ReferNotified { refer, status, last, .. } => {
            assert_eq!((refer, status.as_u16(), last), (id, 408, true));
        }
        other => panic!("{other:?}"),
    }
    ua.hear(&notify(&ours, 1, "active;expires=60", "SIP/2.0 180 Ringing\r\n"));
    assert_eq!(ua.one().what(), "481 Call/Transaction Does Not Exist");
}

#[test]
fn a_refer_of_ours_is_told_of_for_as_long_as_its_last_notify_says() {
    let mut ua = referee();
    let (_, _, ours) = asks(&mut ua);
    ua.hear(&Msg::response(&ours, 200, ""));
    ua.event();
    ua.hear(&notify(&ours, 1, "active;expires=90", "SIP/2.0 180 Ringing\r\n"));
    ua.one();
    ua.event();
    ua.wait(121_000);
    assert!(ua.events.is_empty());
    ua.wait(2_000);
    match ua.event() {
        Event::ReferNotified { status, reason, last, .. } => {
            assert_eq!((status.as_u16(), &*reason, last), (180, "Ringing", true));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn rfc3515_2_4_6_of_two_refers_each_is_prolonged_by_its_number() {
    let mut ua = referee();
    let (sid, ok) = ua.answered();
    for (seq, event) in [(2, "refer"), (3, "refer;id=3")] {
        let (_, notify) = accepted(&mut ua, sid, &ok, seq);
        assert_eq!(said(&notify)[0], event);
        ua.hear(&Msg::response(&notify, 200, ""));
    }
    for (seq, event, told) in
        [(4, "refer;id=3", "refer;id=3"), (5, "refer;id=2", "refer"), (6, "refer", "refer")]
    {
        ua.hear(&Msg::inside("SUBSCRIBE", seq, &ok).with("Event", event).with("Expires", "300"));
        let [_, notify] = ua.take().try_into().unwrap();
        assert_eq!(said(&notify.text)[..2], [told, "active;expires=300"]);
        ua.hear(&Msg::response(&notify.text, 200, ""));
    }
}
