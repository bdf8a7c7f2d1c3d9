//! Re-INVITEs in both directions, and their glare (RFC 3261 §14, RFC 5407 §3).

use super::call::show;
use super::message::{Msg, field, tag};
use super::ua::{PEER, T64, Ua};
use crate::session::{Parts, Reply, SessionId};
use crate::{End, Event, Failure};
use insta::assert_snapshot;
use sip_types::StatusCode;

fn reinvite(ua: &mut Ua, sid: SessionId) -> String {
    ua.act(|e, now| e.reinvite(now, sid, 70, Parts::default())).unwrap();
    ua.one().text
}

#[test]
fn rfc3261_13_2_2_4_a_2xx_that_comes_again_is_acknowledged_again_after_another_invite() {
    let mut ua = Ua::udp();
    let (sid, _) = ua.called();
    let mut answered = Vec::new();
    for _ in 0..2 {
        let asked = reinvite(&mut ua, sid);
        let ok = Msg::response(&asked, 200, "").contact(PEER);
        ua.hear(&ok);
        assert!(matches!(ua.event(), Event::ReinviteAnswered { .. }));
        ua.act(|e, now| e.acknowledge(now, sid, Parts::default())).unwrap();
        answered.push((ok, ua.one().text));
    }
    for (ok, ack) in answered {
        ua.hear(&ok);
        assert_eq!(ua.one().text, ack);
    }
}

// conforms: RFC3261-14.1-1,2
#[test]
fn rfc3261_14_1_our_reinvite_is_answered_and_acknowledged() {
    let mut ua = Ua::udp();
    let (sid, _) = ua.called();
    let again = reinvite(&mut ua, sid);
    assert_snapshot!(show(&again), @r#"
    INVITE sip:bob@198.51.100.9:5060 SIP/2.0
    Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK0m0a18yzb8k6c;rport
    Max-Forwards: 70
    From: <sip:alice@example.net>;tag=16q4g4jxdh229
    To: <sip:bob@example.com>;tag=b1
    Call-ID: 73vxrj5mdwtxbyan4kxvx2x4hf
    CSeq: 2 INVITE
    Contact: <sip:192.0.2.1:5060>
    Content-Length: 0
    "#);
    let ok = Msg::response(&again, 200, "").contact(PEER);
    ua.hear(&ok);
    assert!(matches!(ua.event(), Event::ReinviteAnswered { .. }));
    assert!(ua.act(|e, now| e.reinvite(now, sid, 70, Parts::default())).is_err(), "its ACK is owed");
    ua.act(|e, now| e.acknowledge(now, sid, Parts::default())).unwrap();
    let ack = ua.one().text;
    assert_eq!(field(&ack, "CSeq"), "2 ACK");
    ua.wait(T64 - 1);
    ua.hear(&ok);
    assert_eq!(ua.one().text, ack, "for as long as the re-INVITE's transaction lasts, not the INVITE's");
    ua.end(sid);
    ua.must_forget();
}

#[test]
fn the_end_of_the_first_invite_does_not_forget_the_ack_of_the_second() {
    let mut ua = Ua::udp();
    let (sid, _) = ua.called();
    ua.wait(T64 - 1_000);
    let again = reinvite(&mut ua, sid);
    let ok = Msg::response(&again, 200, "").contact(PEER);
    ua.hear(&ok);
    ua.act(|e, now| e.acknowledge(now, sid, Parts::default())).unwrap();
    ua.take();
    ua.wait(2_000);
    ua.hear(&ok);
    assert_eq!(ua.one().what(), "ACK");
}

#[test]
fn rfc3261_14_2_a_reinvite_of_the_peer() {
    let mut ua = Ua::udp();
    let (sid, ok) = ua.answered();
    ua.hear(&Msg::inside("INVITE", 2, &ok).sdp());
    assert_eq!(ua.one().what(), "100 Trying");
    assert!(matches!(ua.event(), Event::Reinvited { .. }));
    ua.act(|e, now| e.answer_reinvite(now, sid, Parts::default())).unwrap();
    let again = ua.one().text;
    assert_eq!((tag(&again, "To"), field(&again, "CSeq")), (tag(&ok, "To"), "2 INVITE".into()));
    ua.wait(600);
    assert_eq!(ua.times("200 OK"), [500]);
    ua.hear(&Msg::inside("ACK", 2, &ok));
    assert!(matches!(ua.event(), Event::Acknowledged { .. }));
    ua.wait(T64);
    assert!(ua.take().is_empty());
}

#[test]
fn rfc3261_14_2_a_reinvite_answered_without_ack_ends_the_session() {
    let mut ua = Ua::udp();
    let (sid, ok) = ua.answered();
    ua.hear(&Msg::inside("INVITE", 2, &ok));
    ua.act(|e, now| e.answer_reinvite(now, sid, Parts::default())).unwrap();
    ua.events.clear();
    ua.wait(T64);
    assert_eq!(ua.take().last().unwrap().what(), "BYE");
    assert!(matches!(ua.event(), Event::Ended { why: End::NoAck, .. }));
    ua.must_forget();
}

// conforms: RFC3261-14.2-1
#[test]
fn rfc3261_14_2_a_second_reinvite_gets_500_with_retry_after() {
    let mut ua = Ua::udp();
    let (_, ok) = ua.answered();
    ua.hear(&Msg::inside("INVITE", 2, &ok));
    ua.take();
    ua.hear(&Msg::inside("INVITE", 3, &ok));
    let refused = ua.one();
    assert_eq!(refused.what(), "500 Server Internal Error");
    assert!(field(&refused.text, "Retry-After").parse::<u32>().unwrap() <= 10);
}

#[test]
fn rfc3261_14_2_an_invite_within_the_pending_first_one_gets_500_with_retry_after() {
    let mut ua = Ua::udp();
    let sid = ua.invited();
    let no = ua.endpoint.open_dialog(sid).unwrap();
    ua.act(|e, now| e.progress(now, sid, no, &Ua::reply(180))).unwrap();
    let ringing = ua.one().text;
    ua.hear(&Msg::inside("INVITE", 2, &ringing));
    let refused = ua.one();
    assert_eq!(refused.what(), "500 Server Internal Error");
    assert!(field(&refused.text, "Retry-After").parse::<u32>().unwrap() <= 10);
    assert!(ua.events.is_empty());
}

// conforms: RFC3261-14.1-1,3 RFC3261-14.2-2
#[test]
fn rfc3261_14_2_glare_is_491_for_the_peer() {
    let mut ua = Ua::udp();
    let (sid, ok) = ua.answered();
    let ours = reinvite(&mut ua, sid);
    ua.hear(&Msg::inside("INVITE", 2, &ok));
    let pending = ua.one();
    assert_eq!(pending.what(), "491 Request Pending");
    ua.hear(&Msg::inside("ACK", 2, &ok).set("Via", &field(&pending.text, "Via")));
    ua.hear(&Msg::response(&ours, 491, ""));
    assert_eq!(ua.one().what(), "ACK");
    assert!(ua.events.is_empty());
    ua.hear(&Msg::inside("INVITE", 3, &ok));
    assert_eq!(ua.one().what(), "100 Trying", "while we back off the peer has its turn");
    assert!(matches!(ua.event(), Event::Reinvited { .. }));
    ua.wait(2_000);
    assert!(ua.take().is_empty(), "its re-INVITE comes first");
    ua.act(|e, now| e.answer_reinvite(now, sid, Parts::default())).unwrap();
    ua.hear(&Msg::inside("ACK", 3, &ok));
    ua.events.clear();
    ua.take();
    ua.wait(2_000);
    let sent = ua.take();
    assert_eq!(field(&sent[0].text, "CSeq"), "2 INVITE");
    assert!(sent.iter().all(|s| s.text == sent[0].text));
}

#[test]
fn rfc3261_14_1_the_back_off_depends_on_who_made_the_call_id() {
    let mut waits = [Vec::new(), Vec::new()];
    for caller in [true, false] {
        let mut ua = Ua::udp();
        for _ in 0..40 {
            let sid = if caller {
                ua.called().0
            } else {
                let n = ua.ms;
                let invite = Msg::request("INVITE", 1)
                    .set("Call-ID", &format!("c{n}"))
                    .set("Via", &format!("SIP/2.0/UDP 198.51.100.9:5060;branch=z9hG4bKi{n}"));
                let sid = ua.invited_by(&invite);
                let ok = ua.answer(sid);
                ua.hear(&Msg::inside("ACK", 1, &ok));
                ua.events.clear();
                sid
            };
            let again = reinvite(&mut ua, sid);
            ua.hear(&Msg::response(&again, 491, ""));
            ua.take();
            let from = ua.ms;
            while ua.sent.iter().all(|s| s.what() != "INVITE") {
                ua.wait(1);
            }
            waits[usize::from(caller)].push(ua.ms - from);
            ua.take();
            ua.end(sid);
            ua.wait(T64 + 5_000);
            ua.events.clear();
            ua.take();
        }
    }
    assert!(waits[0].iter().all(|w| *w <= 2_000 && (w % 10 == 0 || *w == 1)), "{:?}", waits[0]);
    assert!(waits[1].iter().all(|w| (2_100..=4_000).contains(w) && w % 10 == 0), "{:?}", waits[1]);
    assert!(waits.iter().all(|w| w.iter().max().unwrap() - w.iter().min().unwrap() > 1_000));
}

#[test]
fn rfc3261_14_1_a_491_that_never_ends_is_told_and_keeps_the_session() {
    let mut ua = Ua::udp();
    let (sid, _) = ua.called();
    let mut again = reinvite(&mut ua, sid);
    for _ in 0..ua.endpoint.settings().limits.rounds {
        ua.hear(&Msg::response(&again, 491, ""));
        ua.take();
        assert!(ua.events.is_empty());
        ua.wait(4_000);
        again = ua.take()[0].text.clone();
    }
    ua.hear(&Msg::response(&again, 491, ""));
    assert!(matches!(ua.event(), Event::ReinviteFailed { why: Failure::Response(_), .. }));
    assert_eq!(ua.endpoint.counters().rounds_spent, 1);
    ua.take();
    ua.info(sid);
}

#[test]
fn a_peer_that_keeps_its_own_reinvite_pending_does_not_end_the_session() {
    let mut ua = Ua::udp();
    let (sid, ok) = ua.answered();
    let ours = reinvite(&mut ua, sid);
    ua.hear(&Msg::response(&ours, 491, ""));
    ua.hear(&Msg::inside("INVITE", 2, &ok));
    ua.events.clear();
    ua.wait(30_000);
    assert!(matches!(ua.event(), Event::ReinviteFailed { why: Failure::Response(_), .. }));
    ua.take();
    ua.act(|e, now| e.answer_reinvite(now, sid, Parts::default())).unwrap();
    assert_eq!(ua.one().what(), "200 OK");
}

#[test]
fn rfc3261_14_1_a_refused_reinvite_keeps_the_session() {
    for status in [302, 400, 403, 488, 500, 503, 603] {
        let mut ua = Ua::udp();
        let (sid, _) = ua.called();
        let again = reinvite(&mut ua, sid);
        ua.hear(&Msg::response(&again, status, ""));
        assert_eq!(ua.one().what(), "ACK");
        assert!(matches!(ua.event(), Event::ReinviteFailed { why: Failure::Response(_), .. }));
        assert_eq!(field(&reinvite(&mut ua, sid), "CSeq"), "3 INVITE");
    }
}

#[test]
fn rfc3261_14_1_481_and_408_and_silence_end_the_session() {
    for status in [481, 408, 0] {
        let mut ua = Ua::udp();
        let (sid, _) = ua.called();
        let again = reinvite(&mut ua, sid);
        if status == 0 {
            ua.wait(T64);
        } else {
            ua.hear(&Msg::response(&again, status, ""));
        }
        assert_eq!(ua.take().last().unwrap().what(), "BYE");
        assert!(matches!(ua.event(), Event::Ended { why: End::Lost(_), .. }));
        ua.must_forget();
    }
}

#[test]
fn rfc3261_9_2_a_reinvite_of_the_peer_is_cancelled() {
    let mut ua = Ua::udp();
    let (sid, ok) = ua.answered();
    let again = Msg::inside("INVITE", 2, &ok);
    ua.hear(&again);
    ua.events.clear();
    ua.take();
    let via = field(&again.text(), "Via");
    ua.hear(&Msg::inside("CANCEL", 2, &ok).set("Via", &via));
    assert_eq!(ua.log(), ["0 200 OK", "0 487 Request Terminated"]);
    assert!(matches!(ua.event(), Event::ReinviteCancelled { .. }));
    assert!(ua.act(|e, now| e.answer_reinvite(now, sid, Parts::default())).is_err());
    ua.info(sid);
}

#[test]
fn rfc5407_3_1_5_a_reinvite_before_the_ack_gets_491() {
    let mut ua = Ua::udp();
    let sid = ua.invited();
    let ok = ua.answer(sid);
    ua.hear(&Msg::inside("INVITE", 2, &ok));
    assert_eq!(ua.one().what(), "491 Request Pending");
    ua.hear(&Msg::inside("ACK", 1, &ok));
    assert!(matches!(ua.event(), Event::Acknowledged { .. }));
    ua.hear(&Msg::inside("INVITE", 3, &ok));
    assert_eq!(ua.one().what(), "100 Trying");
}

#[test]
fn rfc5407_3_1_4_a_reinvite_before_the_ack_of_an_answer_is_taken() {
    let mut ua = Ua::udp();
    let sid = ua.invited();
    let ok = ua.answer(sid);
    ua.hear(&Msg::inside("INVITE", 2, &ok).sdp());
    assert_eq!(ua.one().what(), "100 Trying");
    assert!(matches!(ua.event(), Event::Reinvited { .. }));
    // The first 2xx is still sent again, for who may have lost it.
    ua.wait(500);
    assert_eq!(ua.one().text, ok);
    ua.act(|e, now| e.answer_reinvite(now, sid, Parts::default())).unwrap();
    let again = ua.one().text;
    assert_eq!(field(&again, "CSeq"), "2 INVITE");
    // A third is one too many.
    ua.hear(&Msg::inside("INVITE", 3, &ok).sdp());
    assert_eq!(ua.one().what(), "491 Request Pending");
    ua.wait(1_000);
    fn is_ok(sent: &super::ua::Sent) -> bool {
        sent.what() == "200 OK"
    }
    let mut repeated: Vec<_> = ua.take().into_iter().filter(is_ok).map(|sent| sent.text).collect();
    repeated.sort_by_key(|text| field(text, "CSeq"));
    assert_eq!(repeated, [ok.clone(), again], "each at its own time");
    // Each has an ACK of its own, in whatever order.
    ua.hear(&Msg::inside("ACK", 2, &ok));
    assert!(matches!(ua.event(), Event::Acknowledged { .. }));
    ua.end(sid);
    ua.wait(3_000);
    assert!(
        ua.take().iter().filter(|sent| is_ok(sent)).all(|sent| sent.text == ok),
        "the BYE waits for both (RFC 3261 §15)"
    );
    ua.hear(&Msg::inside("ACK", 1, &ok));
    assert_eq!(ua.one().what(), "BYE");
    ua.must_forget();
}

#[test]
fn rfc5407_3_1_4_the_first_ack_never_comes() {
    let mut ua = Ua::udp();
    let sid = ua.invited();
    let ok = ua.answer(sid);
    ua.wait(10_000);
    ua.hear(&Msg::inside("INVITE", 2, &ok).sdp());
    ua.act(|e, now| e.answer_reinvite(now, sid, Parts::default())).unwrap();
    ua.hear(&Msg::inside("ACK", 2, &ok));
    ua.events.clear();
    ua.wait(T64 - 10_000);
    assert_eq!(ua.take().last().unwrap().what(), "BYE");
    assert!(matches!(ua.event(), Event::Ended { why: End::NoAck, .. }));
    ua.must_forget();
}

#[test]
fn a_reinvite_that_progresses_often_is_looked_after_by_one_timer() {
    let mut ua = Ua::udp();
    let (sid, ok) = ua.answered();
    ua.hear(&Msg::inside("INVITE", 2, &ok).sdp());
    let no = ua.endpoint.standing_dialog(sid).unwrap();
    let timers = |ua: &Ua| ua.endpoint.gauges().timers;
    let progress = |ua: &mut Ua| {
        ua.act(|e, now| e.progress(now, sid, no, &Reply::new(StatusCode::RINGING))).unwrap();
    };
    progress(&mut ua);
    let before = timers(&ua);
    (0..50).for_each(|_| progress(&mut ua));
    assert_eq!(timers(&ua), before);
    ua.take();
    // It is kept alive all the same (RFC 3261 §13.3.1.1).
    ua.wait(61_000);
    assert_eq!(ua.times("180 Ringing").len(), 1);
    ua.wait(60_000);
    assert_eq!(ua.times("180 Ringing").len(), 1);
}
