//! The end of a session (RFC 3261 §15).

use super::message::{Msg, field};
use super::ua::{PEER, T64, Ua};
use crate::session::Parts;
use crate::{End, Event, Failure};

// conforms: RFC3261-15-3
#[test]
fn rfc3261_15_a_bye_of_the_callee_waits_for_the_ack() {
    let mut ua = Ua::udp();
    let sid = ua.invited();
    let ok = ua.answer(sid);
    ua.end(sid);
    ua.wait(600);
    assert_eq!(ua.times("200 OK"), [500]);
    ua.hear(&Msg::inside("ACK", 1, &ok));
    let bye = ua.one();
    assert_eq!(bye.what(), "BYE");
    ua.hear(&Msg::response(&bye.text, 200, ""));
    assert!(matches!(ua.event(), Event::Ended { why: End::HungUp(Some(_)), .. }));
    ua.must_forget();
}

// conforms: RFC3261-15-3
#[test]
fn rfc3261_15_without_ack_the_bye_goes_after_64_t1() {
    let mut ua = Ua::udp();
    let sid = ua.invited();
    ua.answer(sid);
    ua.end(sid);
    ua.wait(T64 - 1);
    assert!(ua.take().iter().all(|s| s.what() == "200 OK"));
    ua.wait(1);
    assert_eq!(ua.one().what(), "BYE");
    ua.must_forget();
    assert!(matches!(ua.event(), Event::Ended { why: End::HungUp(None), .. }));
}

// conforms: RFC3261-15-1,2
#[test]
fn rfc3261_15_a_pending_call_is_refused_and_not_ended() {
    let mut ua = Ua::udp();
    let sid = ua.invited();
    assert!(ua.act(|e, now| e.end(now, sid, Default::default())).is_err());
    assert!(ua.take().is_empty());
}

#[test]
fn rfc3261_15_1_1_an_unacknowledged_answer_is_acknowledged_before_its_bye() {
    let mut ua = Ua::udp();
    let (sid, invite) = ua.call();
    ua.hear(&Msg::response(&invite, 200, "b1").contact(PEER));
    ua.end(sid);
    assert_eq!(ua.log(), ["0 ACK", "0 BYE"]);
    assert!(ua.act(|e, now| e.acknowledge(now, sid, Parts::default())).is_err());
}

#[test]
fn a_bye_that_finds_our_ack_owed_is_told_of() {
    let mut ua = Ua::udp();
    let (sid, ok) = ua.answered();
    ua.act(|e, now| e.reinvite(now, sid, 70, Parts::default())).unwrap();
    let again = ua.one().text;
    ua.hear(&Msg::response(&again, 200, "").contact(PEER));
    assert!(matches!(ua.event(), Event::ReinviteAnswered { .. }));
    ua.hear(&Msg::inside("BYE", 2, &ok));
    assert_eq!(ua.log(), ["0 200 OK", "0 ACK"]);
    assert!(matches!(ua.event(), Event::Ended { why: End::Bye(_), .. }));
    ua.must_forget();
}

#[test]
fn rfc5407_3_1_3_byes_that_cross_are_both_answered() {
    let mut ua = Ua::udp();
    let (sid, ok) = ua.answered();
    ua.end(sid);
    let ours = ua.one().text;
    ua.hear(&Msg::inside("BYE", 2, &ok));
    assert_eq!(ua.one().what(), "200 OK");
    assert!(matches!(ua.event(), Event::Ended { why: End::Bye(_), .. }));
    ua.hear(&Msg::response(&ours, 481, ""));
    assert!(ua.events.is_empty());
    assert_eq!(ua.gauges().sessions, 0);
    ua.must_forget();
}

// conforms: RFC3261-15.1.1-2
#[test]
fn rfc3261_15_1_1_the_session_ends_whatever_comes_of_the_bye() {
    for status in [200, 403, 408, 481, 500, 603] {
        let mut ua = Ua::udp();
        let (sid, _) = ua.called();
        ua.end(sid);
        let bye = ua.one().text;
        ua.hear(&Msg::response(&bye, status, ""));
        assert!(matches!(ua.event(), Event::Ended { why: End::HungUp(Some(_)), .. }), "{status}");
        ua.must_forget();
    }
    let mut ua = Ua::udp();
    let (sid, _) = ua.called();
    ua.end(sid);
    ua.wait(T64);
    assert!(matches!(ua.event(), Event::Ended { why: End::HungUp(None), .. }));
    ua.must_forget();
}

#[test]
fn rfc3261_15_1_1_a_bye_that_cannot_be_sent_ends_the_session() {
    let mut ua = Ua::udp();
    let (sid, _) = ua.called();
    ua.end(sid);
    let id = ua.one().id;
    ua.act(|e, now| e.handle_send_failed(now, id));
    assert!(matches!(ua.event(), Event::Ended { why: End::HungUp(None), .. }));
    ua.must_forget();
}

// conforms: RFC3261-15.1.2-3
#[test]
fn rfc3261_15_1_2_what_the_peer_waits_for_is_answered_487() {
    let mut ua = Ua::udp();
    let (_, ok) = ua.answered();
    ua.hear(&Msg::inside("INFO", 2, &ok));
    ua.hear(&Msg::inside("INVITE", 3, &ok));
    ua.take();
    ua.events.clear();
    ua.hear(&Msg::inside("BYE", 4, &ok));
    let mut log = ua.log();
    log.sort();
    assert_eq!(log, ["0 200 OK", "0 487 Request Terminated", "0 487 Request Terminated"]);
    ua.must_forget();
}

#[test]
fn requests_that_wait_in_an_early_dialog_are_answered_when_the_call_is_refused() {
    for how in ["CANCEL", "reject"] {
        let mut ua = Ua::udp();
        let sid = ua.invited();
        let no = ua.endpoint.open_dialog(sid).unwrap();
        ua.act(|e, now| e.progress(now, sid, no, &Ua::reply(180))).unwrap();
        let ringing = ua.one().text;
        ua.hear(&Msg::inside("INFO", 2, &ringing));
        ua.requested();
        match how {
            "CANCEL" => ua.hear(&Msg::request("CANCEL", 1).set("Via", &field(&ringing, "Via"))),
            _ => ua.act(|e, now| e.reject(now, sid, &Ua::reply(486))).unwrap(),
        }
        assert!(ua.take().iter().any(|s| s.text.contains("1 INVITE") && s.text.starts_with("SIP/2.0 4")));
        ua.must_forget();
    }
}

#[test]
fn rfc3261_15_nothing_new_is_sent_in_an_ending_session() {
    let mut ua = Ua::udp();
    let (sid, _) = ua.called();
    ua.act(|e, now| e.reinvite(now, sid, 70, Parts::default())).unwrap();
    let again = ua.one().text;
    ua.hear(&Msg::response(&again, 491, ""));
    assert_eq!(ua.one().what(), "ACK");
    ua.end(sid);
    let bye = ua.one().text;
    ua.wait(5_000);
    assert!(ua.take().iter().all(|s| s.what() == "BYE"), "no re-INVITE after the back-off");
    ua.hear(&Msg::response(&bye, 200, ""));
    assert!(ua.act(|e, now| e.reinvite(now, sid, 70, Parts::default())).is_err());
    ua.must_forget();
}

#[test]
fn rfc3261_15_a_reinvite_that_never_gets_its_final_response_keeps_nothing() {
    for by_peer in [false, true] {
        let mut ua = Ua::udp();
        let (sid, ok) = ua.answered();
        ua.act(|e, now| e.reinvite(now, sid, 70, Parts::default())).unwrap();
        let again = ua.one().text;
        if !by_peer {
            ua.hear(&Msg::response(&again, 100, ""));
            ua.end(sid);
            let bye = ua.one().text;
            ua.hear(&Msg::response(&bye, 200, ""));
        } else {
            ua.hear(&Msg::inside("BYE", 2, &ok));
            ua.hear(&Msg::response(&again, 100, ""));
        }
        assert!(matches!(ua.event(), Event::Ended { .. }));
        ua.must_forget();
        assert!(ua.events.is_empty());
    }
}

#[test]
fn rfc3261_13_2_2_4_a_2xx_to_a_reinvite_after_the_end_is_acknowledged() {
    let mut ua = Ua::udp();
    let (sid, ok) = ua.answered();
    ua.act(|e, now| e.reinvite(now, sid, 70, Parts::default())).unwrap();
    let again = ua.one().text;
    ua.hear(&Msg::inside("BYE", 2, &ok));
    ua.take();
    ua.hear(&Msg::response(&again, 200, "").contact(PEER));
    assert_eq!(ua.one().what(), "ACK");
    ua.must_forget();
}

#[test]
fn rfc3261_12_2_1_2_a_lost_dialog_with_an_unacknowledged_2xx_sends_its_bye_after_the_ack() {
    let mut ua = Ua::udp();
    let sid = ua.invited();
    let ok = ua.answer(sid);
    let (_, info) = ua.info(sid);
    ua.hear(&Msg::response(&info, 481, ""));
    assert!(ua.take().is_empty());
    assert!(matches!(
        &ua.events[..],
        [Event::Responded { .. }, Event::Ended { why: End::Lost(Failure::Response(_)), .. }]
    ));
    ua.hear(&Msg::inside("ACK", 1, &ok));
    assert_eq!(ua.one().what(), "BYE");
    ua.must_forget();
}

#[test]
fn a_request_that_fails_while_we_hang_up_ends_nothing_twice() {
    let mut ua = Ua::udp();
    let (sid, _) = ua.called();
    let (_, info) = ua.info(sid);
    ua.end(sid);
    let bye = ua.one().text;
    ua.hear(&Msg::response(&info, 481, ""));
    assert!(ua.take().is_empty(), "no second BYE");
    ua.hear(&Msg::response(&bye, 200, ""));
    let ends = ua.events.iter().filter(|e| matches!(e, Event::Ended { .. })).count();
    assert_eq!(ends, 1);
    ua.must_forget();
}
