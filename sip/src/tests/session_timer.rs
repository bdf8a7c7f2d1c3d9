//! Session timers (RFC 4028), in both roles.

use super::message::{Msg, field, fields, find, start};
use super::ua::{PEER, T64, Ua, listener};
use crate::flow::Transport;
use crate::session::{Body, IntentError, Parts, Refresher, SessionId, TimerPart, TimerTerms, TimerView};
use crate::{End, Event, Failure, Settings};
use insta::assert_snapshot;
use sip_types::{Fields, HeaderName};

const ASK: TimerTerms =
    TimerTerms { part: TimerPart::Ask, expires: 1_800, least: 90, refresher: None, alone: false };

fn ua(terms: TimerTerms) -> Ua {
    let mut listener = listener(Transport::Udp);
    (listener.session_timers, listener.reliable) = (terms, true);
    Ua::with(Settings { listeners: vec![listener], ..Settings::default() })
}

fn seconds(n: u64) -> u64 {
    n * 1_000
}

fn description() -> Parts {
    let mut fields = Fields::default();
    fields.push(HeaderName::ContentType, "application/sdp");
    Parts { body: Some(Body { fields, bytes: super::message::SDP.into() }), ..Parts::default() }
}

/// Bob's 2xx, with that Session-Expires.
fn accepted(invite: &str, expires: &str) -> Msg {
    let ok = Msg::response(invite, 200, "b1").contact(PEER);
    if expires.is_empty() { ok } else { ok.with("Require", "timer").with("Session-Expires", expires) }
}

/// A call of ours that bob answered so.
fn called(ua: &mut Ua, expires: &str) -> (SessionId, String) {
    let (sid, invite) = ua.call();
    ua.hear(&accepted(&invite, expires));
    assert!(matches!(ua.event(), Event::Answered { .. }));
    ua.act(|e, now| e.acknowledge(now, sid, Parts::default())).unwrap();
    ua.one();
    (sid, invite)
}

/// Bob's INVITE, with these fields.
fn invited(more: &[(&str, &str)]) -> Msg {
    more.iter().fold(Msg::request("INVITE", 1).sdp(), |invite, (name, value)| invite.with(name, value))
}

/// A call of bob's with that INVITE; our 200.
fn answered(ua: &mut Ua, invite: &Msg) -> (SessionId, String) {
    let sid = ua.invited_by(invite);
    let ok = ua.answer(sid);
    ua.hear(&Msg::inside("ACK", 1, &ok));
    assert!(matches!(ua.event(), Event::Acknowledged { .. }));
    (sid, ok)
}

fn timer(ua: &Ua, sid: SessionId) -> Option<TimerView> {
    ua.endpoint.session(sid).unwrap().timer
}

/// The refresh that is due now.
fn refresh(ua: &mut Ua, sid: SessionId) -> String {
    assert!(matches!(ua.event(), Event::RefreshDue { session } if session == sid));
    assert!(ua.take().is_empty());
    ua.act(|e, now| e.refresh(now, sid, description())).unwrap();
    ua.one().text
}

fn supported(text: &str) -> bool {
    fields(text).iter().any(|(name, value)| name == "Supported" && value.contains("timer"))
}

// conforms: RFC4028-7.1-1,2 RFC4028-7.2-4
#[test]
fn rfc4028_7_our_call_asks_for_a_timer_and_we_refresh_at_half_of_it() {
    let mut ua = ua(ASK);
    let (sid, invite) = called(&mut ua, "1800;refresher=uac");
    assert_snapshot!(super::call::show(&invite), @"
    INVITE sip:bob@example.com SIP/2.0
    Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKb8j54q3j6cg37;rport
    Max-Forwards: 69
    From: <sip:alice@example.net>;tag=16q4g4jxdh229
    To: <sip:bob@example.com>
    Call-ID: 73vxrj5mdwtxbyan4kxvx2x4hf
    CSeq: 1 INVITE
    Contact: <sip:192.0.2.1:5060>
    Supported: timer
    Session-Expires: 1800
    Content-Length: 0
    ");
    ua.wait(seconds(899));
    assert!(ua.events.is_empty() && ua.take().is_empty());
    ua.wait(seconds(1));
    let again = refresh(&mut ua, sid);
    assert_eq!(field(&again, "Session-Expires"), "1800;refresher=uac");
    assert!(supported(&again) && again.ends_with(super::message::SDP), "{again}");
    ua.hear(&accepted(&again, "600;refresher=uac"));
    assert!(matches!(ua.event(), Event::ReinviteAnswered { .. }));
    ua.act(|e, now| e.acknowledge(now, sid, Parts::default())).unwrap();
    let ack = ua.one().text;
    assert!(!supported(&ack), "{ack}");
    ua.wait(seconds(299));
    assert!(ua.events.is_empty());
    ua.wait(seconds(1));
    assert_eq!(
        field(&refresh(&mut ua, sid), "Session-Expires"),
        "600;refresher=uac",
        "the interval that stands"
    );
    assert_eq!(ua.endpoint.counters().refreshes, 2);
}

#[test]
fn rfc4028_7_1_every_request_but_ack_says_that_we_know_of_timers() {
    let mut ua = ua(TimerTerms { part: TimerPart::Accept, ..ASK });
    let (sid, invite) = called(&mut ua, "");
    assert!(supported(&invite) && find(&invite, "Session-Expires").is_none(), "{invite}");
    let (_, info) = ua.info(sid);
    ua.end(sid);
    let bye = ua.one().text;
    assert!(supported(&info) && supported(&bye), "{info}{bye}");
    let (sid, invite) = ua.call();
    ua.hear(&Msg::response(&invite, 180, "b1").contact(PEER).with("Require", "100rel").with("RSeq", "7"));
    ua.act(|e, now| e.prack(now, sid, crate::dialog::DialogNo(0), 7, Parts::default())).unwrap();
    ua.end(sid);
    let sent = ua.take();
    assert_eq!(
        sent.iter().map(|sent| start(&sent.text).split(' ').next().unwrap()).collect::<Vec<_>>(),
        ["PRACK", "CANCEL"]
    );
    assert!(sent.iter().all(|sent| supported(&sent.text)), "{sent:?}");
}

#[test]
fn rfc4028_7_2_a_2xx_without_session_expires_leaves_no_timer() {
    let mut ua = ua(ASK);
    let (sid, _) = called(&mut ua, "");
    assert_eq!(timer(&ua, sid), None);
    ua.wait(seconds(7_200));
    assert!(ua.take().is_empty() && ua.events.is_empty());
    // One that there was is switched off in the same way.
    let mut ua = self::ua(ASK);
    let (sid, _) = called(&mut ua, "90;refresher=uac");
    ua.wait(seconds(45));
    let again = refresh(&mut ua, sid);
    ua.hear(&accepted(&again, ""));
    ua.act(|e, now| e.acknowledge(now, sid, Parts::default())).unwrap();
    assert_eq!(timer(&ua, sid), None);
    (ua.events, ua.sent) = (Vec::new(), Vec::new());
    ua.wait(seconds(7_200));
    assert!(ua.take().is_empty() && ua.events.is_empty());
}

// conforms: RFC4028-7.2-1
#[test]
fn rfc4028_10_without_the_peers_refresh_the_session_ends_slightly_before_it_expires() {
    for (expires, end) in [("90;refresher=uas", 60), ("1800;refresher=uas", 1_768)] {
        let mut ua = ua(ASK);
        let (sid, _) = called(&mut ua, expires);
        assert_eq!(timer(&ua, sid).unwrap().refresher, Refresher::Peer);
        ua.wait(seconds(end) - 1);
        assert!(ua.take().is_empty() && ua.events.is_empty());
        ua.wait(1);
        let bye = ua.one().text;
        assert_eq!(field(&bye, "Reason"), "SIP;cause=408;text=\"Session expired\"");
        assert!(matches!(ua.event(), Event::Ended { why: End::SessionExpired, .. }));
        assert_eq!(ua.endpoint.counters().sessions_expired, 1);
        ua.must_forget();
    }
}

// conforms: RFC4028-7.4-3 RFC4028-7.1-4
#[test]
fn rfc4028_7_3_a_422_is_tried_again_with_its_min_se_at_the_same_target() {
    let mut ua = ua(ASK);
    let (sid, invite) = ua.call();
    ua.hear(&Msg::response(&invite, 422, "p1").with("Min-SE", "3600"));
    let [ack, second] = ua.take().try_into().unwrap();
    assert_eq!((ack.what(), &ack.to), ("ACK", &second.to));
    let rows = ["Call-ID", "From", "To"].map(|name| (field(&invite, name), field(&second.text, name)));
    assert!(rows.iter().all(|(one, other)| one == other), "{rows:?}");
    assert_eq!(field(&second.text, "CSeq"), "2 INVITE");
    assert_eq!(
        (field(&second.text, "Session-Expires"), field(&second.text, "Min-SE")),
        ("3600".into(), "3600".into())
    );
    ua.hear(&Msg::response(&second.text, 422, "p2").with("Min-SE", "4000"));
    let third = ua.take().remove(1).text;
    assert_eq!((field(&third, "Session-Expires"), field(&third, "Min-SE")), ("4000".into(), "4000".into()));
    assert!(ua.events.is_empty(), "nobody hears of it");
    ua.hear(&accepted(&third, "4000;refresher=uac"));
    ua.event();
    ua.act(|e, now| e.acknowledge(now, sid, Parts::default())).unwrap();
    ua.take();
    ua.wait(seconds(2_000));
    let again = refresh(&mut ua, sid);
    assert_eq!(
        (field(&again, "Session-Expires"), find(&again, "Min-SE")),
        ("4000;refresher=uac".into(), None)
    );
    assert_eq!(ua.endpoint.counters().intervals_raised, 2);
}

// conforms: RFC4028-7.4-2,4
#[test]
fn rfc4028_7_4_the_largest_min_se_of_the_dialog_goes_on() {
    let mut ua = ua(ASK);
    let (sid, _) = called(&mut ua, "200;refresher=uac");
    ua.wait(seconds(100));
    let again = refresh(&mut ua, sid);
    ua.hear(&Msg::response(&again, 422, "").with("Min-SE", "300"));
    let raised = ua.take().remove(1).text;
    assert_eq!(
        (field(&raised, "Session-Expires"), field(&raised, "Min-SE")),
        ("300;refresher=uac".into(), "300".into())
    );
    assert!(raised.ends_with(super::message::SDP));
    ua.hear(&accepted(&raised, "300;refresher=uac"));
    ua.event();
    ua.act(|e, now| e.acknowledge(now, sid, Parts::default())).unwrap();
    ua.take();
    ua.wait(seconds(150));
    let third = refresh(&mut ua, sid);
    assert_eq!(field(&third, "Min-SE"), "300");
    // What comes in the peer's requests counts as well.
    let asked = invited(&[("Supported", "timer"), ("Session-Expires", "700"), ("Min-SE", "500")]);
    let (sid, _) = answered(&mut ua, &asked);
    ua.act(|e, now| e.reinvite(now, sid, 70, Parts::default())).unwrap();
    assert_eq!(field(&ua.one().text, "Min-SE"), "500");
}

#[test]
fn a_peer_that_no_interval_is_long_enough_for_is_asked_for_none() {
    for endless in [false, true] {
        let mut ua = ua(ASK);
        let (_, mut invite) = ua.call();
        let mut tries = 0;
        while find(&invite, "Session-Expires").is_some() {
            let asked: u32 = field(&invite, "Session-Expires").parse().unwrap();
            let least = if endless { asked + 1 } else { asked };
            ua.hear(&Msg::response(&invite, 422, "p1").with("Min-SE", &least.to_string()));
            invite = ua.take().remove(1).text;
            tries += 1;
        }
        assert_eq!(tries, if endless { u32::from(ua.endpoint.settings().limits.rounds) + 1 } else { 1 });
        assert!(supported(&invite) && ua.events.is_empty(), "{invite}");
        ua.hear(&Msg::response(&invite, 422, "p1").with("Min-SE", "1"));
        let Event::Ended { why: End::Rejected(Failure::Response(response)), .. } = ua.event() else {
            panic!()
        };
        assert_eq!(response.status().as_u16(), 422, "who was not asked for a timer cannot mean it");
    }
}

// conforms: RFC4028-9-1,7 RFC4028-6-1 RFC3261-8.2.4-1,2,3,4
#[test]
fn rfc4028_9_what_we_answer() {
    let strict = TimerTerms { least: 600, ..ASK };
    let mut ua = ua(strict);
    let sid = ua.invited_by(&invited(&[("Supported", "timer"), ("Session-Expires", "500")]));
    let refusal = ua.endpoint.interval_refusal(sid).unwrap();
    ua.act(|e, now| e.reject(now, sid, &refusal)).unwrap();
    let refused = ua.one().text;
    assert_eq!(
        (start(&refused), field(&refused, "Min-SE")),
        ("SIP/2.0 422 Session Interval Too Small", "600".into())
    );
    let rows: [(&[(&str, &str)], _, _); 5] = [
        (&[("Supported", "timer"), ("x", "900;refresher=uac")], Some("900;refresher=uac"), Some("timer")),
        (
            &[("k", "timer"), ("Session-Expires", "900;refresher=uas")],
            Some("900;refresher=uas"),
            Some("timer"),
        ),
        (&[("Supported", "timer")], Some("1800;refresher=uas"), Some("timer")),
        // A proxy wants one, and whoever calls does not know of timers.
        (&[("Session-Expires", "900")], Some("900;refresher=uas"), None),
        (&[], None, None),
    ];
    for (more, expires, require) in rows {
        let mut ua = self::ua(strict);
        let (sid, ok) = answered(&mut ua, &invited(more));
        assert_eq!(find(&ok, "Session-Expires").as_deref(), expires, "{more:?}");
        assert_eq!(find(&ok, "Require").as_deref(), require, "{more:?}");
        assert!(supported(&ok) && find(&ok, "Min-SE").is_none(), "{ok}");
        assert_eq!(timer(&ua, sid).is_some(), expires.is_some());
    }
}

// conforms: RFC4028-5-2 RFC4028-9-9
#[test]
fn rfc4028_9_we_refresh_where_we_were_called_and_a_small_interval_in_a_refresh_gets_422() {
    let mut ua = ua(ASK);
    let (sid, ok) =
        answered(&mut ua, &invited(&[("Supported", "timer"), ("Session-Expires", "120;refresher=uas")]));
    ua.wait(seconds(60));
    let ours = refresh(&mut ua, sid);
    assert_eq!(field(&ours, "Session-Expires"), "120;refresher=uac", "who asks is the client");
    ua.hear(&accepted(&ours, "120;refresher=uac"));
    ua.event();
    ua.act(|e, now| e.acknowledge(now, sid, Parts::default())).unwrap();
    ua.take();
    let small = Msg::inside("INVITE", 2, &ok).sdp().with("Supported", "timer").with("Session-Expires", "89");
    ua.hear(&small);
    let refused = ua.one().text;
    assert!(start(&refused).contains("422") && field(&refused, "Min-SE") == "90", "{refused}");
    assert!(ua.events.is_empty());
}

#[test]
fn rfc4028_7_2_any_2xx_to_a_reinvite_begins_the_interval_anew() {
    let mut ua = ua(ASK);
    let (sid, ok) =
        answered(&mut ua, &invited(&[("Supported", "timer"), ("Session-Expires", "90;refresher=uac")]));
    for seq in 2..5 {
        ua.wait(seconds(59));
        let again = Msg::inside("INVITE", seq, &ok).sdp().with("Supported", "timer");
        ua.hear(&again.with("Session-Expires", "90;refresher=uac"));
        ua.act(|e, now| e.answer_reinvite(now, sid, Parts::default())).unwrap();
        let ok = ua.take().remove(1).text;
        assert_eq!(field(&ok, "Session-Expires"), "90;refresher=uac");
        ua.hear(&Msg::inside("ACK", seq, &ok));
        ua.events.clear();
    }
    // One of ours does too, whoever refreshes.
    ua.wait(seconds(59));
    ua.act(|e, now| e.reinvite(now, sid, 70, Parts::default())).unwrap();
    let ours = ua.one().text;
    assert_eq!(field(&ours, "Session-Expires"), "90;refresher=uas");
    ua.hear(&accepted(&ours, "90;refresher=uas"));
    ua.act(|e, now| e.acknowledge(now, sid, Parts::default())).unwrap();
    (ua.events, ua.sent) = (Vec::new(), Vec::new());
    ua.wait(seconds(59));
    assert!(ua.take().is_empty());
    // A refused one does not.
    ua.hear(&Msg::inside("INVITE", 5, &ok).sdp());
    ua.act(|e, now| e.reject_reinvite(now, sid, &Ua::reply(488))).unwrap();
    (ua.events, ua.sent) = (Vec::new(), Vec::new());
    ua.wait(seconds(1));
    assert!(matches!(ua.event(), Event::Ended { why: End::SessionExpired, .. }));
}

#[test]
fn rfc4028_10_a_refresh_that_finds_no_session_ends_ours() {
    for status in [408, 481, 0] {
        let mut ua = ua(ASK);
        let (sid, _) = called(&mut ua, "90;refresher=uac");
        ua.wait(seconds(45));
        let again = refresh(&mut ua, sid);
        match status {
            0 => ua.wait(T64),
            status => ua.hear(&Msg::response(&again, status, "")),
        }
        let last = ua.take().pop().unwrap();
        assert!(last.what() == "BYE" && last.at < seconds(90), "{last:?}");
        assert!(matches!(ua.event(), Event::Ended { why: End::Lost(_), .. }));
        ua.must_forget();
    }
}

#[test]
fn rfc4028_10_a_refused_refresh_is_tried_again_but_not_without_end() {
    let mut ua = ua(ASK);
    let (sid, _) = called(&mut ua, "600;refresher=uac");
    let mut at = Vec::new();
    while ua.ms < seconds(568) {
        ua.wait(1_000);
        match ua.events.pop() {
            Some(Event::RefreshDue { .. }) => {
                at.push(ua.ms / 1_000);
                ua.act(|e, now| e.refresh(now, sid, description())).unwrap();
                let again = ua.take().remove(0).text;
                ua.hear(&Msg::response(&again, 500, ""));
                assert!(matches!(ua.events.pop(), Some(Event::ReinviteFailed { .. })));
                ua.take();
            }
            Some(Event::Ended { why: End::SessionExpired, .. }) => break,
            None => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(at, [300, 434, 501, 535, 552, 560]);
    assert_eq!((ua.ms, ua.take().pop().unwrap().what().to_owned()), (seconds(568), "BYE".to_owned()));
    assert_eq!(ua.endpoint.counters().refreshes_failed, 6);
}

#[test]
fn a_refresh_that_collides_waits_and_asks_again_for_what_stands() {
    let mut ua = ua(ASK);
    let (sid, _) = called(&mut ua, "90;refresher=uac");
    ua.wait(seconds(45));
    let again = refresh(&mut ua, sid);
    ua.hear(&Msg::inside("INVITE", 7, &again).sdp());
    assert!(ua.take().iter().any(|sent| sent.what() == "491 Request Pending"));
    ua.hear(&Msg::response(&again, 491, ""));
    assert!(matches!(ua.event(), Event::ReinviteFailed { .. }));
    ua.take();
    let from = ua.ms;
    while ua.events.is_empty() {
        ua.wait(10);
    }
    assert!(
        (2_100..=4_000).contains(&(ua.ms - from)),
        "the Call-ID is ours (RFC 3261 §14.1): {}",
        ua.ms - from
    );
    ua.take();
    let second = refresh(&mut ua, sid);
    ua.hear(&accepted(&second, "90;refresher=uac"));
    assert!(matches!(ua.event(), Event::ReinviteAnswered { .. }));
}

#[test]
fn a_refresh_that_something_is_in_the_way_of_is_asked_for_soon_again() {
    let mut ua = ua(ASK);
    let (sid, ok) =
        answered(&mut ua, &invited(&[("Supported", "timer"), ("Session-Expires", "90;refresher=uas")]));
    ua.wait(seconds(44));
    ua.hear(&Msg::inside("INVITE", 2, &ok).sdp());
    ua.events.clear();
    ua.take();
    ua.wait(seconds(10));
    assert!(ua.take().is_empty() && ua.events.is_empty(), "the peer's re-INVITE comes first");
    assert_eq!(ua.act(|e, now| e.refresh(now, sid, description())), Err(IntentError::WrongState));
    ua.act(|e, now| e.reject_reinvite(now, sid, &Ua::reply(488))).unwrap();
    ua.take();
    ua.wait(seconds(2));
    assert!(matches!(ua.event(), Event::RefreshDue { .. }));
    // An owner that has no time is asked again, until the session is over.
    ua.wait(seconds(2));
    assert!(matches!(ua.event(), Event::RefreshDue { .. }));
    ua.wait(seconds(2));
    assert!(
        ua.events.pop().is_some_and(|event| matches!(event, Event::Ended { why: End::SessionExpired, .. }))
    );
    assert_eq!((ua.ms, ua.take().pop().unwrap().what().to_owned()), (seconds(60), "BYE".to_owned()));
}

#[test]
fn rfc4028_7_2_who_refreshes_alone_takes_any_answer_for_a_sign_of_life() {
    let alone = TimerTerms { alone: true, ..ASK };
    let mut ua = ua(alone);
    let (sid, _) = called(&mut ua, "");
    assert!(timer(&ua, sid).unwrap().alone);
    for status in [200, 488, 501] {
        ua.wait(seconds(899));
        assert!(ua.events.is_empty() && ua.take().is_empty());
        ua.wait(seconds(1));
        let again = refresh(&mut ua, sid);
        ua.hear(&Msg::response(&again, status, "").contact(PEER));
        let _ = ua.act(|e, now| e.acknowledge(now, sid, Parts::default()));
        (ua.events, ua.sent) = (Vec::new(), Vec::new());
    }
    ua.wait(seconds(900));
    let again = refresh(&mut ua, sid);
    ua.hear(&Msg::response(&again, 481, ""));
    assert!(matches!(ua.event(), Event::Ended { why: End::Lost(_), .. }));
    let mut ua = self::ua(alone);
    let (_, ok) = answered(&mut ua, &invited(&[]));
    assert_eq!((field(&ok, "Session-Expires"), find(&ok, "Require")), ("1800;refresher=uas".into(), None));
}

#[test]
fn who_takes_no_part_does_not_know_the_extension() {
    let mut ua = Ua::udp();
    ua.hear(&Msg::request("INVITE", 1).sdp().with("Require", "timer"));
    let refused = ua.one().text;
    assert!(start(&refused).contains("420") && field(&refused, "Unsupported") == "timer", "{refused}");
    let mut ua = self::ua(ASK);
    ua.invited_by(&Msg::request("INVITE", 1).sdp().with("Require", "timer"));
}

/// A call of ours to a peer that takes UPDATE, with 90 s that we refresh.
fn updatable(ua: &mut Ua) -> SessionId {
    let (sid, invite) = ua.call();
    ua.hear(&accepted(&invite, "90;refresher=uac").with("Allow", "INVITE, ACK, BYE, UPDATE"));
    ua.act(|e, now| e.acknowledge(now, sid, Parts::default())).unwrap();
    (ua.events, ua.sent) = (Vec::new(), Vec::new());
    sid
}

#[test]
fn rfc4028_7_4_a_peer_that_takes_update_is_refreshed_by_one_without_an_offer() {
    let mut ua = ua(ASK);
    let sid = updatable(&mut ua);
    for _ in 0..3 {
        ua.wait(seconds(45));
        let update = ua.one().text;
        assert!(start(&update).starts_with("UPDATE ") && supported(&update), "{update}");
        assert_eq!(
            (field(&update, "Session-Expires"), field(&update, "Content-Length")),
            ("90;refresher=uac".into(), "0".into())
        );
        ua.hear(&accepted(&update, "90;refresher=uac"));
        assert!(ua.events.is_empty() && ua.take().is_empty(), "it concerns nobody else");
    }
    // One that collides is sent again as it is.
    ua.wait(seconds(45));
    let update = ua.one().text;
    ua.hear(&Msg::response(&update, 491, ""));
    ua.wait(seconds(4));
    let again = ua.take().remove(0).text;
    assert!(start(&again).starts_with("UPDATE "));
    ua.hear(&Msg::response(&again, 422, "").with("Min-SE", "120"));
    let raised = ua.one().text;
    assert_eq!(
        (field(&raised, "Session-Expires"), field(&raised, "Min-SE")),
        ("120;refresher=uac".into(), "120".into())
    );
    ua.hear(&accepted(&raised, "120;refresher=uac"));
    assert_eq!(timer(&ua, sid).unwrap().interval, 120);
    ua.wait(seconds(60));
    let last = ua.one().text;
    ua.hear(&Msg::response(&last, 481, ""));
    assert_eq!(ua.one().what(), "BYE");
    assert!(matches!(ua.event(), Event::Ended { why: End::Lost(_), .. }));
}

#[test]
fn a_peer_that_does_not_take_update_after_all_is_refreshed_by_reinvite_at_once() {
    for status in [405, 501] {
        let mut ua = ua(ASK);
        let sid = updatable(&mut ua);
        ua.wait(seconds(45));
        let update = ua.one().text;
        ua.hear(&Msg::response(&update, status, ""));
        ua.wait(1);
        let reinvite = refresh(&mut ua, sid);
        ua.hear(&accepted(&reinvite, "90;refresher=uac"));
        assert!(matches!(ua.event(), Event::ReinviteAnswered { .. }));
    }
}

#[test]
fn rfc4028_9_an_update_of_the_peer_refreshes_as_well() {
    let mut ua = ua(ASK);
    let (sid, ok) =
        answered(&mut ua, &invited(&[("Supported", "timer"), ("Session-Expires", "90;refresher=uac")]));
    for seq in 2..5 {
        ua.wait(seconds(59));
        let update = Msg::inside("UPDATE", seq, &ok).with("Supported", "timer");
        ua.hear(&update.with("Session-Expires", "90;refresher=uac"));
        let Event::Updated { id, .. } = ua.event() else { panic!() };
        ua.act(|e, now| e.respond(now, sid, id, &Ua::reply(200))).unwrap();
        let refreshed = ua.one().text;
        assert_eq!(field(&refreshed, "Session-Expires"), "90;refresher=uac");
        assert_eq!(field(&refreshed, "Require"), "timer");
    }
    let small = Msg::inside("UPDATE", 5, &ok).with("Supported", "timer").with("Session-Expires", "89");
    ua.hear(&small);
    assert_eq!(field(&ua.one().text, "Min-SE"), "90");
    ua.wait(seconds(60));
    assert!(
        ua.events.pop().is_some_and(|event| matches!(event, Event::Ended { why: End::SessionExpired, .. }))
    );
}
