//! From one target to the next (RFC 3263 §4.3).

use super::message::{Msg, field, tag};
use super::ua::{PEER, T64, Ua, address};
use crate::location::{TargetState, Trouble};
use crate::session::{Parts, Patience, SessionId};
use crate::{End, Event, Failure, Transport, Unreachable};
use std::time::Duration;

/// Three hosts of one service, one after the other.
const ZONE: &str = "
    _sip._udp.example.com SRV 1 1 5060 one.example.com
    _sip._udp.example.com SRV 2 1 5060 two.example.com
    _sip._udp.example.com SRV 3 1 5060 three.example.com
    one.example.com A 198.51.100.1
    two.example.com A 198.51.100.2
    three.example.com A 198.51.100.3";

const ONE: &str = "198.51.100.1:5060";
const TWO: &str = "198.51.100.2:5060";
const THREE: &str = "198.51.100.3:5060";

const PATIENCE: Patience = Patience { target: Some(Duration::from_secs(3)), last_resort: true };

fn call(ua: &mut Ua) -> SessionId {
    let sid = ua.invite_with("sip:bob@example.com", Parts::default(), PATIENCE);
    ua.resolve(ZONE);
    sid
}

/// Where the last INVITE went, and its text.
fn last(ua: &mut Ua) -> (String, String) {
    let sent = ua.take().pop().unwrap();
    assert_eq!(sent.what(), "INVITE");
    (sent.to.peer().to_string(), sent.text)
}

fn state(ua: &Ua, of: &str) -> TargetState {
    let views = ua.endpoint.targets(ua.now());
    views.iter().find(|view| view.place.address == address(of)).unwrap().state
}

// conforms: RFC3261-8.1.3.1-2
#[test]
fn rfc3263_4_3_a_target_out_of_reach_leads_to_the_next_at_once() {
    let mut ua = Ua::udp();
    let sid = call(&mut ua);
    let first = ua.one();
    assert_eq!(first.to.peer(), address(ONE));
    ua.act(|e, now| e.handle_send_failed(now, first.id));
    let second = ua.one();
    assert_eq!(second.to.peer(), address(TWO));
    assert_ne!(field(&first.text, "Via"), field(&second.text, "Via"), "a transaction of its own");
    for same in ["From", "To", "Call-ID", "CSeq"] {
        assert_eq!(field(&first.text, same), field(&second.text, same));
    }
    assert!(matches!(state(&ua, ONE), TargetState::Held(Trouble::OutOfReach, _)));
    ua.act(|e, now| e.handle_send_failed(now, second.id));
    let third = ua.one();
    ua.act(|e, now| e.handle_send_failed(now, third.id));
    assert!(
        matches!(ua.event(), Event::Ended { session, why: End::Rejected(Failure::Unreachable(Unreachable::Send)), .. } if session == sid)
    );
    ua.must_forget();
}

#[test]
fn rfc3261_18_4_icmp_fails_what_has_had_no_response_from_there() {
    let mut ua = Ua::udp();
    call(&mut ua);
    ua.one();
    ua.act(|e, now| e.handle_unreachable(now, crate::ListenerId(0), address(TWO)));
    assert!(ua.take().is_empty(), "nothing went there");
    ua.act(|e, now| e.handle_unreachable(now, crate::ListenerId(0), address(ONE)));
    let (to, invite) = last(&mut ua);
    assert_eq!(to, TWO);
    ua.hear(&Msg::response(&invite, 100, ""));
    ua.act(|e, now| e.handle_unreachable(now, crate::ListenerId(0), address(TWO)));
    assert!(ua.take().is_empty() && ua.events.is_empty(), "who has answered is there");
    ua.hear(&Msg::response(&invite, 486, "x"));
    ua.take();
    ua.must_forget();
}

#[test]
fn rfc3263_4_3_a_silent_target_costs_no_more_than_its_limit() {
    let mut ua = Ua::udp();
    call(&mut ua);
    assert_eq!(last(&mut ua).0, ONE);
    ua.wait(2_999);
    assert_eq!(ua.times("INVITE"), [500, 1_500]);
    ua.wait(1);
    assert_eq!(last(&mut ua).0, TWO);
    assert!(matches!(state(&ua, ONE), TargetState::Held(Trouble::Silent, _)));
    ua.wait(3_000);
    let (to, invite) = last(&mut ua);
    assert_eq!(to, THREE);
    ua.hear(&Msg::response(&invite, 180, "b1").contact(PEER));
    assert!(matches!(ua.event(), Event::Progress { .. }));
    ua.wait(120_000);
    assert!(ua.take().is_empty() && ua.events.is_empty(), "ringing has no limit here");
    assert_eq!((ua.endpoint.counters().targets_given_up, ua.endpoint.counters().failovers), (2, 2));
    assert_eq!(state(&ua, THREE), TargetState::Up);
}

#[test]
fn the_last_target_of_a_last_resort_has_all_the_time_of_timer_b() {
    let mut ua = Ua::udp();
    call(&mut ua);
    ua.wait(6_000 + T64 - 1);
    assert!(ua.events.is_empty());
    ua.wait(1);
    assert!(matches!(ua.event(), Event::Ended { why: End::Rejected(Failure::Timeout), .. }));
    ua.must_forget();
    let mut ua = Ua::udp();
    let patience = Patience { last_resort: false, ..PATIENCE };
    ua.invite_with(&format!("sip:bob@{PEER}"), Parts::default(), patience);
    ua.wait(3_000);
    assert!(matches!(ua.event(), Event::Ended { why: End::Rejected(Failure::Timeout), .. }), "others wait");
    ua.must_forget();
}

#[test]
fn a_target_that_wakes_up_late_is_cancelled_or_acknowledged_and_ended() {
    for (early, answered) in [(true, true), (false, true), (true, false), (false, false)] {
        let mut ua = Ua::udp();
        let sid = call(&mut ua);
        let (_, late) = last(&mut ua);
        ua.wait(3_000);
        let (_, invite) = last(&mut ua);
        if answered {
            ua.hear(&Msg::response(&invite, 200, "b2").contact(TWO));
            assert!(matches!(ua.event(), Event::Answered { .. }));
            ua.act(|e, now| e.acknowledge(now, sid, Parts::default())).unwrap();
            ua.take();
        }
        if early {
            ua.hear(&Msg::response(&late, 180, "b1").contact(ONE));
            let cancel = ua.one();
            assert_eq!((cancel.what(), cancel.to.peer()), ("CANCEL", address(ONE)));
            assert_eq!(field(&cancel.text, "Reason"), "SIP;cause=408;text=\"Too late\"");
            assert_eq!(field(&cancel.text, "Via"), field(&late, "Via"));
            ua.hear(&Msg::response(&late, 183, "b1").contact(ONE));
            assert!(ua.take().is_empty(), "one CANCEL is enough");
        }
        let ok = Msg::response(&late, 200, "b1").contact(ONE);
        ua.hear(&ok);
        let sent = ua.take();
        let (ack, bye) = (&sent[0], &sent[1]);
        assert_eq!((ack.what(), bye.what()), ("ACK", "BYE"));
        for one in [ack, bye] {
            assert_eq!((one.to.peer(), tag(&one.text, "To")), (address(ONE), "b1".into()));
        }
        assert!(ua.events.is_empty(), "the owner need not know");
        ua.hear(&ok);
        assert_eq!(ua.one().text, ack.text);
        ua.hear(&Msg::response(&bye.text, 200, ""));
        if !answered {
            ua.hear(&Msg::response(&invite, 200, "b2").contact(TWO));
            assert!(matches!(ua.event(), Event::Answered { .. }));
            ua.act(|e, now| e.acknowledge(now, sid, Parts::default())).unwrap();
        }
        ua.take();
        ua.end(sid);
        let bye = ua.one();
        assert_eq!(tag(&bye.text, "To"), "b2", "the call stands with the other");
        ua.hear(&Msg::response(&bye.text, 200, ""));
        ua.must_forget();
    }
}

#[test]
fn a_target_that_wakes_up_after_the_call_failed_is_released_too() {
    let mut ua = Ua::udp();
    call(&mut ua);
    let (_, late) = last(&mut ua);
    ua.wait(3_000);
    let (_, invite) = last(&mut ua);
    ua.hear(&Msg::response(&invite, 486, "b2"));
    assert!(matches!(ua.event(), Event::Ended { why: End::Rejected(Failure::Response(_)), .. }));
    ua.take();
    ua.hear(&Msg::response(&late, 200, "b1").contact(ONE));
    let sent = ua.take();
    assert_eq!([sent[0].what(), sent[1].what()], ["ACK", "BYE"]);
    assert!(ua.events.is_empty());
    ua.must_forget();
}

#[test]
fn a_late_refusal_is_acknowledged_and_changes_nothing() {
    let mut ua = Ua::udp();
    call(&mut ua);
    let (_, late) = last(&mut ua);
    ua.wait(3_000);
    let (_, invite) = last(&mut ua);
    ua.hear(&Msg::response(&late, 486, "b1"));
    let ack = ua.one();
    assert_eq!((ack.what(), ack.to.peer()), ("ACK", address(ONE)));
    ua.hear(&Msg::response(&late, 486, "b1"));
    assert_eq!(ua.one().what(), "ACK");
    ua.hear(&Msg::response(&invite, 180, "b2").contact(TWO));
    assert!(matches!(ua.event(), Event::Progress { .. }));
    ua.hear(&Msg::response(&invite, 603, "b2"));
    assert!(matches!(ua.event(), Event::Ended { .. }));
    ua.must_forget();
}

#[test]
fn rfc3261_21_5_4_after_503_the_next_target_and_none_before_retry_after_has_passed() {
    let mut ua = Ua::udp();
    call(&mut ua);
    let (_, invite) = last(&mut ua);
    ua.hear(&Msg::response(&invite, 100, ""));
    ua.hear(&Msg::response(&invite, 503, "x").with("Retry-After", "100"));
    let sent = ua.take();
    assert_eq!([sent[0].what(), sent[1].what()], ["ACK", "INVITE"]);
    assert_eq!(sent[1].to.peer(), address(TWO));
    ua.hear(&Msg::response(&sent[1].text, 486, "x"));
    ua.events.clear();
    ua.take();
    ua.wait(99_000);
    call(&mut ua);
    let (to, invite) = last(&mut ua);
    assert_eq!(to, TWO);
    ua.hear(&Msg::response(&invite, 486, "x"));
    ua.events.clear();
    ua.wait(1_000);
    ua.take();
    call(&mut ua);
    assert_eq!(last(&mut ua).0, ONE);
}

#[test]
fn rfc3261_21_5_4_a_503_without_retry_after_holds_nothing() {
    let mut ua = Ua::udp();
    call(&mut ua);
    let (_, invite) = last(&mut ua);
    ua.hear(&Msg::response(&invite, 503, "x"));
    assert_eq!(ua.take()[1].to.peer(), address(TWO));
    assert_eq!(state(&ua, ONE), TargetState::Up);
}

#[test]
fn what_the_called_party_says_is_no_failure_of_the_target() {
    for status in [302, 400, 403, 404, 408, 422, 480, 486, 488, 491, 500, 502, 504, 600, 603] {
        let mut ua = Ua::udp();
        call(&mut ua);
        let (_, invite) = last(&mut ua);
        ua.hear(&Msg::response(&invite, status, "x"));
        assert_eq!(ua.one().what(), "ACK", "{status}");
        assert!(matches!(ua.event(), Event::Ended { why: End::Rejected(Failure::Response(_)), .. }));
        assert_eq!(state(&ua, ONE), TargetState::Up);
        ua.must_forget();
    }
}

#[test]
fn after_a_provisional_response_there_is_no_other_target() {
    let mut ua = Ua::udp();
    call(&mut ua);
    let (_, invite) = last(&mut ua);
    ua.hear(&Msg::response(&invite, 183, "b1").contact(ONE));
    ua.event();
    ua.hear(&Msg::response(&invite, 503, "b1").with("Retry-After", "9"));
    assert_eq!(ua.one().what(), "ACK");
    assert!(matches!(ua.event(), Event::Ended { .. }));
    ua.must_forget();
    let mut ua = Ua::udp();
    call(&mut ua);
    let (_, invite) = last(&mut ua);
    ua.hear(&Msg::response(&invite, 100, ""));
    ua.wait(600_000);
    assert!(ua.take().is_empty(), "100 is a sign of life as well");
}

#[test]
fn a_dead_target_is_skipped_and_after_the_hold_one_request_is_the_probe() {
    let mut ua = Ua::udp();
    call(&mut ua);
    ua.wait(3_000);
    let (_, invite) = last(&mut ua);
    ua.hear(&Msg::response(&invite, 486, "x"));
    ua.wait(26_000);
    ua.take();
    call(&mut ua);
    let (to, invite) = last(&mut ua);
    assert_eq!(to, TWO, "29 s after the last one");
    ua.hear(&Msg::response(&invite, 486, "x"));
    ua.wait(4_000);
    ua.take();
    call(&mut ua);
    let (to, invite) = last(&mut ua);
    assert_eq!(to, ONE);
    call(&mut ua);
    assert_eq!(last(&mut ua).0, TWO, "one is enough to find out");
    ua.hear(&Msg::response(&invite, 100, ""));
    call(&mut ua);
    assert_eq!(last(&mut ua).0, ONE);
}

#[test]
fn when_all_are_dead_only_a_last_resort_tries_them() {
    let mut ua = Ua::udp();
    call(&mut ua);
    ua.wait(6_000 + T64);
    ua.events.clear();
    ua.take();
    let patience = Patience { last_resort: false, ..PATIENCE };
    ua.invite_with(&format!("sip:bob@{THREE}"), Parts::default(), patience);
    assert!(matches!(
        ua.event(),
        Event::Ended { why: End::Rejected(Failure::Unreachable(Unreachable::Held)), .. }
    ));
    ua.invite_with(&format!("sip:bob@{THREE}"), Parts::default(), PATIENCE);
    let (_, invite) = last(&mut ua);
    ua.hear(&Msg::response(&invite, 503, "x").with("Retry-After", "9"));
    ua.events.clear();
    ua.invite_with(&format!("sip:bob@{THREE}"), Parts::default(), PATIENCE);
    assert!(
        matches!(
            ua.event(),
            Event::Ended { why: End::Rejected(Failure::Unreachable(Unreachable::Held)), .. }
        ),
        "who asks for rest gets it"
    );
    ua.take();
    ua.must_forget();
}

#[test]
fn a_dialog_reaches_its_peer_though_the_target_is_held() {
    let mut ua = Ua::udp();
    let (sid, _) = ua.called();
    let id = {
        ua.invite(&format!("sip:bob@{PEER}"), Parts::default());
        ua.one().id
    };
    ua.act(|e, now| e.handle_send_failed(now, id));
    ua.events.clear();
    ua.end(sid);
    assert_eq!(ua.one().what(), "BYE");
}

#[test]
fn a_challenge_is_answered_to_who_made_it() {
    let mut ua = Ua::udp();
    call(&mut ua);
    ua.wait(3_000);
    let (to, invite) = last(&mut ua);
    assert_eq!(to, TWO);
    let challenge = "Digest realm=\"r\", nonce=\"n\", qop=\"auth\"";
    ua.hear(&Msg::response(&invite, 401, "x").with("WWW-Authenticate", challenge));
    assert_eq!(ua.one().what(), "ACK");
    let needed = ua.secrets.remove(0);
    assert_eq!(needed.peer, address(TWO));
    assert_eq!(needed.resolved.len(), 3);
    let credential = super::challenge::credential();
    ua.act(|e, now| e.handle_secret(now, needed.id, vec![("r".into(), credential)]));
    let again = ua.one();
    assert_eq!(again.to.peer(), address(TWO));
    assert_eq!(field(&again.text, "CSeq"), "2 INVITE");
}

#[test]
fn rfc7984_over_udp_a_family_that_was_silent_comes_after_the_other_from_the_second_call_on() {
    let mut six = super::ua::listener(Transport::Udp);
    six.address = "[2001:db8::1]:5060".parse().unwrap();
    let listeners = vec![six, super::ua::listener(Transport::Udp)];
    let mut ua = Ua::with(crate::Settings { listeners, ..crate::Settings::default() });
    let zone = "example.com AAAA 2001:db8::9\n example.com A 198.51.100.9";
    let mut call = |wait: u64| {
        ua.wait(wait);
        ua.take();
        ua.invite_with("sip:bob@example.com:5060", Parts::default(), PATIENCE);
        ua.resolve(zone);
        let first = last(&mut ua);
        let to = first.0.clone();
        let invite = if to.starts_with('[') {
            ua.wait(3_000);
            last(&mut ua).1
        } else {
            first.1
        };
        ua.hear(&Msg::response(&invite, 486, "x"));
        to
    };
    assert_eq!(call(0), "[2001:db8::9]:5060");
    assert_eq!(call(100), "198.51.100.9:5060");
    assert_eq!(call(300_000), "198.51.100.9:5060", "what is known to work comes first");
}
