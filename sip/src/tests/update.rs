//! UPDATE in both directions, in early dialogs and in those that stand (RFC 3311), and its glare (RFC 6337 §4).

use super::message::{Msg, field, find, tag};
use super::ua::{PEER, T64, Ua, listener};
use crate::dialog::DialogNo;
use crate::flow::Transport;
use crate::session::{Body, IntentError, Parts, Reply, RequestId, SessionId};
use crate::{End, Event, Failure, Settings};
use sip_types::{Fields, HeaderName};

/// An endpoint that takes part in reliable provisional responses.
fn ua() -> Ua {
    let mut listener = listener(Transport::Udp);
    listener.reliable = true;
    Ua::with(Settings { listeners: vec![listener], ..Settings::default() })
}

fn offer() -> Parts {
    let mut fields = Fields::default();
    fields.push(HeaderName::ContentType, "application/sdp");
    Parts { body: Some(Body { fields, bytes: super::message::SDP.into() }), ..Parts::default() }
}

fn update(ua: &mut Ua, sid: SessionId, parts: Parts) -> String {
    ua.act(|e, now| e.update(now, sid, None, 70, parts)).unwrap();
    ua.one().text
}

/// The UPDATE that was told of, and its dialog.
fn updated(ua: &mut Ua) -> (RequestId, DialogNo) {
    match ua.event() {
        Event::Updated { id, dialog, .. } => (id, dialog),
        other => panic!("{other:?}"),
    }
}

fn respond(ua: &mut Ua, sid: SessionId, id: RequestId, status: u16) -> String {
    let parts = if status == 200 { offer() } else { Parts::default() };
    let reply = Reply { parts, ..Ua::reply(status) };
    ua.act(|e, now| e.respond(now, sid, id, &reply)).unwrap();
    ua.one().text
}

fn moved(msg: Msg) -> Msg {
    msg.contact("198.51.100.10:5060")
}

/// 500 with Retry-After of 0 to 10 s.
fn is_later(text: &str) -> bool {
    let wait = find(text, "Retry-After").and_then(|wait| wait.parse::<u32>().ok());
    text.starts_with("SIP/2.0 500 ") && wait.is_some_and(|wait| wait <= 10)
}

// conforms: RFC3311-5.3-1
#[test]
fn rfc3311_5_our_update_changes_the_session_and_the_peers_target() {
    let mut ua = Ua::udp();
    let (sid, _) = ua.called();
    let sent = update(&mut ua, sid, offer());
    assert!(sent.starts_with("UPDATE sip:bob@198.51.100.9:5060 SIP/2.0\r\n"), "{sent}");
    assert_eq!(
        (field(&sent, "CSeq").as_str(), field(&sent, "Contact").as_str()),
        ("2 UPDATE", "<sip:192.0.2.1:5060>")
    );
    assert_eq!(sent.split_once("\r\n\r\n").unwrap().1, super::message::SDP);
    ua.hear(&moved(Msg::response(&sent, 200, "").with("Allow", "INVITE, UPDATE")).sdp());
    assert!(matches!(ua.event(), Event::Responded { outcome: Ok(_), .. }));
    assert!(ua.take().is_empty(), "it has no ACK");
    assert!(ua.endpoint.takes_update(sid));
    let next = update(&mut ua, sid, Parts::default());
    assert!(next.starts_with("UPDATE sip:bob@198.51.100.10:5060 "), "{next}");
    // What is refused changes nothing.
    ua.hear(&Msg::response(&next, 488, "").contact("198.51.100.11:5060"));
    assert!(matches!(ua.event(), Event::Responded { outcome: Err(Failure::Response(_)), .. }));
    let next = update(&mut ua, sid, Parts::default());
    assert!(next.starts_with("UPDATE sip:bob@198.51.100.10:5060 "), "{next}");
    ua.hear(&Msg::response(&next, 405, "").with("Allow", "INVITE"));
    assert!(!ua.endpoint.takes_update(sid), "it does not know the method");
}

// conforms: RFC6141-4.2-1,2 RFC6141-4.6-1,2 RFC6141-4.7-1,2
#[test]
fn rfc6141_4_what_refreshes_the_peers_target_and_what_does_not() {
    let target = |text: &str| text.split(' ').nth(1).unwrap().to_owned();
    let mut ua = ua();
    let (sid, invite) = ua.call();
    ua.hear(&Msg::response(&invite, 183, "b1").contact("198.51.100.9:5060"));
    ua.hear(&Msg::response(&invite, 183, "b1").contact("198.51.100.20:5060"));
    let reliable = Msg::response(&invite, 183, "b1").with("Require", "100rel").with("RSeq", "7");
    ua.events.clear();
    ua.hear(&reliable.contact("198.51.100.21:5060").sdp());
    let Event::Progress { dialog: Some(no), reliable: Some(7), .. } = ua.event() else { panic!() };
    ua.act(|e, now| e.prack(now, sid, no, 7, Parts::default())).unwrap();
    let prack = ua.one().text;
    assert_eq!(target(&prack), "sip:bob@198.51.100.21:5060");
    ua.hear(&Msg::response(&prack, 200, ""));
    ua.events.clear();
    ua.hear(&Msg::response(&invite, 180, "b1").contact("198.51.100.22:5060"));
    ua.events.clear();
    // In an early dialog, an UPDATE of the peer's does with the 2xx that we give it, and with no other response.
    let ours = |ua: &mut Ua| {
        ua.act(|e, now| e.update(now, sid, Some(no), 70, Parts::default())).unwrap();
        let sent = ua.one().text;
        ua.hear(&Msg::response(&sent, 200, ""));
        ua.events.clear();
        target(&sent)
    };
    assert_eq!(ours(&mut ua), "sip:bob@198.51.100.21:5060", "what is not reliable refreshes nothing");
    ua.hear(&Msg::inside("UPDATE", 1, &prack).contact("198.51.100.23:5060"));
    let (id, in_dialog) = updated(&mut ua);
    assert_eq!(in_dialog, no);
    respond(&mut ua, sid, id, 504);
    assert_eq!(ours(&mut ua), "sip:bob@198.51.100.21:5060");
    ua.hear(&Msg::inside("UPDATE", 2, &prack).contact("198.51.100.24:5060"));
    let (id, _) = updated(&mut ua);
    respond(&mut ua, sid, id, 200);
    assert_eq!(ours(&mut ua), "sip:bob@198.51.100.24:5060");
    ua.hear(&Msg::response(&invite, 200, "b1").contact("198.51.100.25:5060"));
    ua.act(|e, now| e.acknowledge(now, sid, Parts::default())).unwrap();
    assert_eq!(target(&ua.one().text), "sip:bob@198.51.100.25:5060");
}

#[test]
fn rfc3311_5_2_an_update_of_the_peer_is_answered_with_our_contact() {
    let mut ua = Ua::udp();
    let (sid, ok) = ua.answered();
    let update = moved(Msg::inside("UPDATE", 2, &ok)).with("Allow", "UPDATE").sdp();
    ua.hear(&update);
    let (id, _) = updated(&mut ua);
    ua.hear(&update);
    assert!(ua.take().is_empty(), "a repetition waits as well");
    let answer = respond(&mut ua, sid, id, 200);
    assert_eq!(
        (field(&answer, "Contact"), field(&answer, "CSeq")),
        (field(&ok, "Contact"), "2 UPDATE".to_owned())
    );
    assert!(ua.endpoint.takes_update(sid));
    ua.info(sid);
}

// conforms: RFC3311-5.2-1 RFC6337-4-1
#[test]
fn rfc3311_5_2_one_after_another() {
    let mut ua = Ua::udp();
    let (sid, ok) = ua.answered();
    ua.hear(&Msg::inside("UPDATE", 2, &ok));
    let (id, _) = updated(&mut ua);
    for msg in [Msg::inside("UPDATE", 3, &ok), Msg::inside("UPDATE", 4, &ok).sdp()] {
        ua.hear(&msg);
        assert!(is_later(&ua.one().text));
    }
    respond(&mut ua, sid, id, 200);
    ua.hear(&Msg::inside("UPDATE", 5, &ok).sdp());
    let (id, _) = updated(&mut ua);
    // A re-INVITE while an offer waits for our answer (RFC 6337 §4.3, UAS-UsI).
    ua.hear(&Msg::inside("INVITE", 6, &ok));
    let refused = ua.one().text;
    assert!(is_later(&refused));
    ua.hear(&Msg::inside("ACK", 6, &ok).set("Via", &field(&refused, "Via")));
    assert!(ua.act(|e, now| e.reinvite(now, sid, 70, Parts::default())).is_err());
    assert!(ua.act(|e, now| e.update(now, sid, None, 70, offer())).is_err());
    respond(&mut ua, sid, id, 200);
    assert_eq!(ua.endpoint.counters().glares, 3);
}

// conforms: RFC3311-5.2-2 RFC6337-4-2
#[test]
fn rfc3311_5_2_glare_of_two_updates_and_of_an_update_and_a_reinvite() {
    let mut ua = Ua::udp();
    let (sid, ok) = ua.answered();
    let ours = update(&mut ua, sid, offer());
    ua.hear(&Msg::inside("UPDATE", 2, &ok).sdp());
    assert_eq!(ua.one().what(), "491 Request Pending");
    ua.hear(&Msg::inside("INVITE", 3, &ok));
    let refused = ua.one();
    assert_eq!(refused.what(), "491 Request Pending");
    ua.hear(&Msg::inside("ACK", 3, &ok).set("Via", &field(&refused.text, "Via")));
    // Without an offer nothing collides.
    ua.hear(&Msg::inside("UPDATE", 4, &ok));
    let (id, _) = updated(&mut ua);
    respond(&mut ua, sid, id, 200);
    ua.hear(&Msg::response(&ours, 200, "").sdp());
    ua.events.clear();
    let again = ua.act(|e, now| e.reinvite(now, sid, 70, offer()));
    assert!(again.is_ok());
    let again = ua.one().text;
    ua.hear(&Msg::inside("UPDATE", 5, &ok).sdp());
    assert_eq!(ua.one().what(), "491 Request Pending");
    assert!(ua.act(|e, now| e.update(now, sid, None, 70, offer())).is_err(), "UAC-IU");
    ua.hear(&Msg::response(&again, 200, "").contact(PEER).sdp());
    ua.hear(&Msg::inside("UPDATE", 6, &ok).sdp());
    assert_eq!(ua.one().what(), "491 Request Pending", "before our ACK");
    ua.act(|e, now| e.acknowledge(now, sid, Parts::default())).unwrap();
    ua.take();
    ua.events.clear();
    ua.hear(&Msg::inside("UPDATE", 7, &ok).sdp());
    updated(&mut ua);
}

// conforms: RFC3311-5.2-3
#[test]
fn rfc6337_4_3_an_update_within_a_reinvite_that_asks_for_our_offer() {
    let mut ua = Ua::udp();
    let (sid, ok) = ua.answered();
    ua.hear(&Msg::inside("INVITE", 2, &ok));
    ua.take();
    ua.events.clear();
    ua.hear(&Msg::inside("UPDATE", 3, &ok).sdp());
    assert!(is_later(&ua.one().text));
    ua.act(|e, now| e.answer_reinvite(now, sid, offer())).unwrap();
    ua.take();
    ua.hear(&Msg::inside("UPDATE", 4, &ok).sdp());
    assert!(is_later(&ua.one().text), "the ACK has the answer");
    ua.hear(&Msg::inside("ACK", 2, &ok).sdp());
    ua.events.clear();
    ua.hear(&Msg::inside("UPDATE", 5, &ok).sdp());
    updated(&mut ua);
}

#[test]
fn rfc3311_5_3_the_back_off_depends_on_who_made_the_call_id() {
    for (caller, waits) in [(true, 2_100..=4_000), (false, 0..=2_000)] {
        let mut ua = Ua::udp();
        let sid = if caller { ua.called().0 } else { ua.answered().0 };
        let mut seen = Vec::new();
        for _ in 0..12 {
            let sent = update(&mut ua, sid, offer());
            ua.hear(&Msg::response(&sent, 491, ""));
            assert!(ua.events.is_empty());
            let from = ua.ms;
            while ua.sent.is_empty() {
                ua.wait(1);
            }
            seen.push(ua.ms - from);
            let again = ua.one().text;
            assert_ne!(field(&again, "CSeq"), field(&sent, "CSeq"));
            ua.hear(&Msg::response(&again, 200, "").sdp());
            ua.events.clear();
        }
        assert!(seen.iter().all(|wait| waits.contains(wait)), "{seen:?}");
        assert!(seen.iter().max().unwrap() - seen.iter().min().unwrap() > 300, "{seen:?}");
    }
}

#[test]
fn rfc3311_5_3_a_back_off_ends_with_its_session() {
    let mut ua = Ua::udp();
    let (sid, _) = ua.called();
    let sent = update(&mut ua, sid, offer());
    ua.hear(&Msg::response(&sent, 491, ""));
    ua.end(sid);
    let bye = ua.one().text;
    ua.hear(&Msg::response(&bye, 200, ""));
    ua.must_forget();
    assert!(ua.take().is_empty());
}

#[test]
fn rfc3311_5_3_481_and_408_and_silence_end_the_session() {
    for status in [481, 408, 0] {
        let mut ua = Ua::udp();
        let (sid, _) = ua.called();
        let sent = update(&mut ua, sid, offer());
        match status {
            0 => ua.wait(T64),
            _ => ua.hear(&Msg::response(&sent, status, "")),
        }
        assert!(matches!(ua.events.remove(0), Event::Responded { outcome: Err(_), .. }), "{status}");
        assert!(matches!(ua.event(), Event::Ended { why: End::Lost(_), .. }), "{status}");
        let bye = ua.take().pop().unwrap();
        assert_eq!(bye.what(), "BYE");
        ua.hear(&Msg::response(&bye.text, 481, ""));
        ua.must_forget();
    }
}

/// Bob's INVITE with an offer, our reliable answer, and its early dialog.
fn early(ua: &mut Ua) -> (SessionId, DialogNo, String) {
    let sid =
        ua.invited_by(&Msg::request("INVITE", 1).with("Supported", "100rel").with("Allow", "UPDATE").sdp());
    let no = ua.endpoint.open_dialog(sid).unwrap();
    assert!(ua.endpoint.takes_update_in(sid, no));
    let answer = Reply { parts: offer(), ..Ua::reply(183) };
    ua.act(|e, now| e.progress_reliably(now, sid, no, &answer)).unwrap();
    let text = ua.one().text;
    (sid, no, text)
}

fn prack(of: &str, seq: u32) -> Msg {
    Msg::inside("PRACK", seq, of).with("RAck", &format!("{} 1 INVITE", field(of, "RSeq")))
}

// conforms: RFC3311-5.1-1
#[test]
fn rfc3311_5_1_the_called_side_offers_once_its_answer_is_acknowledged() {
    let mut ua = ua();
    let (sid, no, progress) = early(&mut ua);
    let tried = ua.act(|e, now| e.update(now, sid, Some(no), 70, offer()));
    assert_eq!(tried, Err(IntentError::WrongState), "its PRACK has not come");
    ua.hear(&prack(&progress, 2));
    ua.take();
    ua.events.clear();
    ua.act(|e, now| e.update(now, sid, Some(no), 70, offer())).unwrap();
    let sent = ua.one().text;
    assert_eq!(
        (tag(&sent, "From"), field(&sent, "Contact")),
        (tag(&progress, "To"), field(&progress, "Contact"))
    );
    // The caller's collides with it; one without an offer does not.
    ua.hear(&Msg::inside("UPDATE", 3, &progress).sdp());
    assert_eq!(ua.one().what(), "491 Request Pending");
    ua.hear(&Msg::response(&sent, 200, "").contact(PEER).sdp());
    ua.events.clear();
    ua.hear(&Msg::inside("UPDATE", 4, &progress).sdp());
    let (id, _) = updated(&mut ua);
    // The 2xx waits for the answer that is owed.
    ua.act(|e, now| e.answer(now, sid, no, Parts::default())).unwrap();
    assert!(ua.take().is_empty());
    let answer = Reply { parts: offer(), ..Ua::reply(200) };
    ua.act(|e, now| e.respond(now, sid, id, &answer)).unwrap();
    let sent = ua.take();
    assert_eq!(field(&sent[0].text, "CSeq"), "4 UPDATE");
    assert_eq!(field(&sent[1].text, "CSeq"), "1 INVITE");
    // RFC 3311 §5.1: the target that the UPDATE and its response said is that of the 2xx.
    assert_eq!(field(&sent[1].text, "Contact"), field(&sent[0].text, "Contact"));
}

// conforms: RFC3311-5.2-3
#[test]
fn rfc3311_5_1_nobody_offers_before_the_first_answer_is_certain() {
    let mut ua = ua();
    let sid = ua.invited_by(&Msg::request("INVITE", 1).with("Supported", "100rel").sdp());
    let no = ua.endpoint.open_dialog(sid).unwrap();
    ua.act(|e, now| e.progress_reliably(now, sid, no, &Ua::reply(180))).unwrap();
    let ringing = ua.one().text;
    ua.hear(&prack(&ringing, 2));
    ua.take();
    ua.events.clear();
    assert_eq!(ua.act(|e, now| e.update(now, sid, Some(no), 70, offer())), Err(IntentError::WrongState));
    assert!(ua.act(|e, now| e.update(now, sid, Some(no), 70, Parts::default())).is_ok());
    ua.take();
    ua.hear(&Msg::inside("UPDATE", 3, &ringing).sdp());
    assert!(is_later(&ua.one().text), "its INVITE has an offer without answer");
}

/// Our INVITE with an offer, bob's reliable answer.
fn calling(ua: &mut Ua) -> (SessionId, DialogNo, String) {
    let sid = ua.invite(&format!("sip:bob@{PEER}"), offer());
    let invite = ua.one().text;
    let progress =
        Msg::response(&invite, 183, "b1").contact(PEER).with("Require", "100rel").with("RSeq", "7");
    ua.hear(&progress.with("Allow", "UPDATE").sdp());
    let Event::Progress { dialog: Some(no), .. } = ua.event() else { panic!() };
    (sid, no, invite)
}

// conforms: RFC3311-5.2-2
#[test]
fn rfc3311_5_1_the_caller_offers_once_the_answer_is_acknowledged() {
    let mut ua = ua();
    let (sid, no, invite) = calling(&mut ua);
    assert!(ua.endpoint.takes_update_in(sid, no));
    let offers = |ua: &mut Ua| ua.act(|e, now| e.update(now, sid, Some(no), 70, offer()));
    assert!(offers(&mut ua).is_err());
    ua.act(|e, now| e.prack(now, sid, no, 7, Parts::default())).unwrap();
    let prack = ua.one().text;
    assert!(offers(&mut ua).is_err(), "RFC 6337 §4.3, UAC-IU: its PRACK is not over");
    ua.hear(&Msg::inside("UPDATE", 1, &prack).sdp());
    assert_eq!(ua.one().what(), "491 Request Pending", "UAS-IcU");
    ua.hear(&Msg::response(&prack, 200, ""));
    ua.events.clear();
    assert!(offers(&mut ua).is_ok());
    let sent = ua.one().text;
    ua.hear(&Msg::inside("UPDATE", 2, &prack).sdp());
    assert_eq!(ua.one().what(), "491 Request Pending", "UAS-UcU");
    ua.hear(&Msg::response(&sent, 200, "").contact(PEER).sdp());
    ua.events.clear();
    ua.hear(&Msg::inside("UPDATE", 3, &prack).sdp());
    let (id, _) = updated(&mut ua);
    respond(&mut ua, sid, id, 200);
    // Given up, nothing of it can be changed any more.
    ua.end(sid);
    ua.take();
    ua.hear(&Msg::inside("UPDATE", 4, &prack));
    assert_eq!(ua.one().what(), "481 Call/Transaction Does Not Exist");
    ua.hear(&Msg::response(&invite, 487, "b1"));
    ua.take();
    ua.must_forget();
}

#[test]
fn rfc3311_5_3_an_early_dialog_that_is_lost_takes_its_invite_with_it() {
    let mut ua = ua();
    let (sid, no, invite) = calling(&mut ua);
    ua.act(|e, now| e.prack(now, sid, no, 7, Parts::default())).unwrap();
    let prack = ua.one().text;
    ua.hear(&Msg::response(&prack, 200, ""));
    ua.events.clear();
    ua.act(|e, now| e.update(now, sid, Some(no), 70, offer())).unwrap();
    let sent = ua.one().text;
    ua.hear(&Msg::response(&sent, 481, ""));
    assert!(matches!(ua.events.remove(0), Event::Responded { outcome: Err(_), .. }));
    assert!(matches!(ua.event(), Event::Ended { why: End::Rejected(_), .. }));
    let cancel = ua.one().text;
    assert!(cancel.starts_with("CANCEL "), "{cancel}");
    ua.hear(&Msg::response(&cancel, 200, ""));
    ua.hear(&Msg::response(&invite, 487, "b1"));
    ua.take();
    ua.must_forget();
}

#[test]
fn rfc5057_5_1_an_early_dialog_that_its_caller_has_lost_leaves_the_invite() {
    let mut ua = ua();
    let (sid, no, progress) = early(&mut ua);
    ua.hear(&prack_of(&progress));
    ua.take();
    ua.events.clear();
    ua.act(|e, now| e.update(now, sid, Some(no), 70, offer())).unwrap();
    let sent = ua.one().text;
    ua.hear(&Msg::response(&sent, 481, ""));
    assert!(matches!(ua.events.remove(0), Event::Responded { outcome: Err(_), .. }));
    assert!(matches!(ua.event(), Event::EarlyDialogLost { dialog, .. } if dialog == no));
    assert!(ua.take().is_empty(), "the INVITE waits");
    ua.hear(&Msg::inside("UPDATE", 20, &progress));
    assert_eq!(ua.one().what(), "481 Call/Transaction Does Not Exist");
    let other = ua.endpoint.open_dialog(sid).unwrap();
    ua.act(|e, now| e.answer(now, sid, other, Parts::default())).unwrap();
    let ok = ua.one().text;
    assert_ne!(tag(&ok, "To"), tag(&progress, "To"));
    ua.hear(&Msg::inside("ACK", 1, &ok));
    ua.events.clear();
    ua.end(sid);
}

fn prack_of(progress: &str) -> Msg {
    prack(progress, 2)
}

#[test]
fn an_update_that_waits_is_answered_when_its_session_ends() {
    let mut ua = Ua::udp();
    let (sid, ok) = ua.answered();
    ua.hear(&Msg::inside("UPDATE", 2, &ok).sdp());
    updated(&mut ua);
    ua.end(sid);
    let sent: Vec<String> = ua.take().iter().map(|sent| sent.what().to_owned()).collect();
    assert!(sent.contains(&"487 Request Terminated".to_owned()), "{sent:?}");
}
