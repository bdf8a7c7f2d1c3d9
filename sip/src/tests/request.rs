//! Other requests in a dialog, and OPTIONS (RFC 3261 §11, §12.2, RFC 6086).

use super::message::{Msg, field, find};
use super::ua::{Ua, listener};
use crate::session::{IntentError, Parts};
use crate::settings::{Carrying, Settings};
use crate::{End, Event, Failure, Transport};
use sip_types::Method;

#[test]
fn rfc6086_4_2_2_info_of_the_peer_waits_for_its_owner() {
    let mut ua = Ua::udp();
    let (sid, ok) = ua.answered();
    let info = Msg::inside("INFO", 2, &ok).with("Info-Package", "dtmf").sdp();
    ua.hear(&info);
    let id = ua.requested();
    ua.hear(&info);
    assert!(ua.take().is_empty() && ua.events.is_empty());
    ua.act(|e, now| e.respond(now, sid, id, &Ua::reply(200))).unwrap();
    assert_eq!(ua.one().what(), "200 OK");
    assert_eq!(ua.act(|e, now| e.respond(now, sid, id, &Ua::reply(200))), Err(IntentError::Gone));
    ua.hear(&info);
    assert_eq!(ua.one().what(), "200 OK");
}

// conforms: RFC4320-4.1-1,2,3
#[test]
fn rfc4320_4_1_a_request_that_waits_gets_100_once_timer_e_is_at_t2_and_not_before() {
    for mut ua in [Ua::udp(), Ua::tcp()] {
        let (sid, ok) = ua.answered();
        let info = Msg::inside("INFO", 2, &ok);
        ua.hear(&info);
        let id = ua.requested();
        ua.wait(3_499);
        assert!(ua.take().is_empty());
        ua.wait(1);
        let trying = ua.one();
        assert_eq!((trying.what(), field(&trying.text, "CSeq").as_str()), ("100 Trying", "2 INFO"));
        ua.hear(&info);
        assert_eq!(ua.one().text, trying.text);
        for status in [180, 183] {
            assert_eq!(
                ua.act(|e, now| e.respond(now, sid, id, &Ua::reply(status))),
                Err(IntentError::Status)
            );
        }
        ua.act(|e, now| e.respond(now, sid, id, &Ua::reply(200))).unwrap();
        assert_eq!(ua.one().what(), "200 OK");
        ua.hear(&Msg::inside("INFO", 3, &ok));
        let id = ua.requested();
        ua.act(|e, now| e.respond(now, sid, id, &Ua::reply(200))).unwrap();
        ua.wait(10_000);
        assert_eq!(ua.one().what(), "200 OK", "no 100 after the answer");
    }
}

#[test]
fn a_method_that_nobody_here_knows_is_carried_both_ways() {
    let mut ua = Ua::udp();
    let (sid, ok) = ua.answered();
    ua.hear(&Msg::inside("FROBNICATE", 2, &ok).with("X-Frob", "1"));
    let id = ua.requested();
    ua.act(|e, now| e.respond(now, sid, id, &Ua::reply(202))).unwrap();
    assert_eq!(ua.one().what(), "202 Accepted");
    let method = Method::Extension("FROBNICATE".into());
    let id = ua.act(|e, now| e.request(now, sid, method, 12, Parts::default())).unwrap();
    let ours = ua.one().text;
    assert_eq!(
        (field(&ours, "CSeq").as_str(), field(&ours, "Max-Forwards").as_str()),
        ("1 FROBNICATE", "12")
    );
    ua.hear(&Msg::response(&ours, 405, ""));
    match ua.event() {
        Event::Responded { id: told, outcome: Err(Failure::Response(r)), .. } => {
            assert_eq!((told, r.status().as_u16()), (id, 405));
        }
        other => panic!("{other:?}"),
    }
    assert!(ua.endpoint.session(sid).is_some(), "405 to one request does not end the dialog");
}

#[test]
fn rfc3261_12_2_1_2_481_and_408_to_a_request_in_the_dialog_end_it() {
    for status in [481, 408] {
        let mut ua = Ua::udp();
        let (sid, _) = ua.called();
        let (_, info) = ua.info(sid);
        ua.hear(&Msg::response(&info, status, ""));
        assert!(matches!(
            &ua.events[..],
            [Event::Responded { outcome: Err(_), .. }, Event::Ended { why: End::Lost(_), .. }]
        ));
        assert_eq!(ua.one().what(), "BYE");
        ua.must_forget();
    }
}

#[test]
fn pending_requests_have_a_limit_on_both_sides() {
    let mut settings = Settings { listeners: vec![listener(Transport::Udp)], ..Settings::default() };
    settings.limits.pending_requests = 2;
    let mut ua = Ua::with(settings);
    let (sid, ok) = ua.answered();
    for seq in 2..5 {
        ua.hear(&Msg::inside("INFO", seq, &ok));
    }
    let refused = ua.one();
    assert_eq!(
        (refused.what(), field(&refused.text, "Retry-After").as_str()),
        ("503 Service Unavailable", "5")
    );
    ua.info(sid);
    ua.info(sid);
    let third = ua.act(|e, now| e.request(now, sid, Method::Info, 70, Parts::default()));
    assert_eq!(third, Err(IntentError::Full));
    assert_eq!(ua.endpoint.counters().pending_full, 2);
}

// conforms: RFC3261-8.2.1-4 RFC3261-11-1 RFC3261-20.5-1
#[test]
fn rfc3261_11_2_options_tells_what_we_can() {
    let mut ua = Ua::udp();
    ua.hear(&Msg::request("OPTIONS", 1).set("Max-Forwards", "0"));
    let outside = ua.one().text;
    let (_, ok) = ua.answered();
    ua.hear(&Msg::inside("OPTIONS", 2, &ok));
    let inside = ua.one().text;
    for text in [outside, inside] {
        assert!(text.starts_with("SIP/2.0 200 OK"));
        assert_eq!(field(&text, "Allow"), "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO, MESSAGE");
        assert_eq!(field(&text, "Supported"), "from-change, norefersub");
        assert_eq!(field(&text, "Accept"), "application/sdp, */*;q=0.5");
        assert!(field(&text, "To").contains(";tag="));
        assert!(find(&text, "Contact").is_none());
    }
}

#[test]
fn who_carries_nothing_refuses_other_methods_inside_too() {
    let mut one = listener(Transport::Udp);
    one.carrying = Carrying::Nothing;
    let mut ua = Ua::with(Settings { listeners: vec![one], ..Settings::default() });
    let (_, ok) = ua.answered();
    for (seq, method) in [(2, "INFO"), (3, "FROBNICATE"), (4, "REFER")] {
        ua.hear(&Msg::inside(method, seq, &ok));
        let refused = ua.one();
        assert_eq!(refused.what(), "405 Method Not Allowed");
        assert_eq!(field(&refused.text, "Allow"), "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE");
    }
}

// conforms: RFC3261-8.2.2.3-1,2
#[test]
fn rfc3261_8_2_2_3_an_unknown_extension_inside_a_dialog_is_420() {
    let mut ua = Ua::udp();
    let (_, ok) = ua.answered();
    ua.hear(&Msg::inside("INFO", 2, &ok).with("Require", "frob, norefersub"));
    let refused = ua.one();
    assert_eq!((refused.what(), field(&refused.text, "Unsupported").as_str()), ("420 Bad Extension", "frob"));
    assert!(ua.events.is_empty());
}

#[test]
fn a_status_of_another_kind_is_refused_and_changes_nothing() {
    let mut ua = Ua::udp();
    let sid = ua.invited();
    let no = ua.endpoint.open_dialog(sid).unwrap();
    for status in [100, 200, 486] {
        let refused = ua.act(|e, now| e.progress(now, sid, no, &Ua::reply(status)));
        assert_eq!(refused, Err(IntentError::Status));
    }
    for status in [180, 200] {
        assert_eq!(ua.act(|e, now| e.reject(now, sid, &Ua::reply(status))), Err(IntentError::Status));
    }
    let ok = ua.answer(sid);
    ua.hear(&Msg::inside("ACK", 1, &ok));
    ua.events.clear();
    ua.hear(&Msg::inside("INFO", 2, &ok));
    let id = ua.requested();
    assert_eq!(ua.act(|e, now| e.respond(now, sid, id, &Ua::reply(183))), Err(IntentError::Status));
    ua.hear(&Msg::inside("INVITE", 3, &ok));
    ua.take();
    assert_eq!(ua.act(|e, now| e.reject_reinvite(now, sid, &Ua::reply(200))), Err(IntentError::Status));
    ua.act(|e, now| e.respond(now, sid, id, &Ua::reply(200))).unwrap();
    ua.act(|e, now| e.reject_reinvite(now, sid, &Ua::reply(488))).unwrap();
    assert_eq!(ua.log(), ["0 200 OK", "0 488 Not Acceptable Here"]);
}
