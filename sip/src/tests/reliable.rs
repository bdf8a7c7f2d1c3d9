//! Reliable provisional responses (RFC 3262), in both roles.

use super::message::{Msg, field, find, tag};
use super::ua::{PEER, T64, Ua, listener};
use crate::dialog::DialogNo;
use crate::flow::Transport;
use crate::session::{Body, IntentError, Parts, Reply, SessionId};
use crate::{End, Event, Settings};
use insta::assert_snapshot;
use sip_types::{Fields, HeaderName};

/// An endpoint that takes part.
pub(super) fn ua() -> Ua {
    let mut listener = listener(Transport::Udp);
    listener.reliable = true;
    Ua::with(Settings { listeners: vec![listener], ..Settings::default() })
}

fn description() -> Option<Body> {
    let mut fields = Fields::default();
    fields.push(HeaderName::ContentType, "application/sdp");
    Some(Body { fields, bytes: super::message::SDP.into() })
}

fn ringing() -> Reply {
    Ua::reply(180)
}

/// 183 with a session description.
pub(super) fn described() -> Reply {
    Reply { parts: Parts { body: description(), ..Parts::default() }, ..Ua::reply(183) }
}

fn invite(name: &str) -> Msg {
    Msg::request("INVITE", 1).with(name, "100rel").sdp()
}

/// Bob's INVITE that says so in that field, and our early dialog.
pub(super) fn invited(ua: &mut Ua, name: &str) -> (SessionId, DialogNo) {
    let sid = ua.invited_by(&invite(name));
    (sid, ua.endpoint.open_dialog(sid).unwrap())
}

fn prack(of: &str, seq: u32) -> Msg {
    Msg::inside("PRACK", seq, of).with("RAck", &format!("{} 1 INVITE", field(of, "RSeq")))
}

pub(super) fn send(ua: &mut Ua, sid: SessionId, no: DialogNo, reply: &Reply) -> String {
    ua.act(|e, now| e.progress_reliably(now, sid, no, reply)).unwrap();
    ua.one().text
}

// conforms: RFC3262-3-7,8,10,11,13
#[test]
fn rfc3262_3_it_is_sent_again_in_intervals_that_double_until_its_prack_comes() {
    let mut ua = ua();
    let (sid, no) = invited(&mut ua, "Supported");
    let first = send(&mut ua, sid, no, &ringing());
    assert_snapshot!(super::call::show(&first), @"
    SIP/2.0 180 Ringing
    Via: SIP/2.0/UDP 198.51.100.9:5060;branch=z9hG4bKpeer1invite
    From: <sip:bob@example.com>;tag=bob1
    To: <sip:alice@example.net>;tag=16q4g4jxdh229
    Call-ID: peer-call
    CSeq: 1 INVITE
    Contact: <sip:192.0.2.1:5060>
    Require: 100rel
    RSeq: 1601554128
    Content-Length: 0
    ");
    ua.wait(7_000);
    let sent = ua.take();
    assert_eq!(sent.iter().map(|s| s.at).collect::<Vec<_>>(), [500, 1_500, 3_500]);
    assert!(sent.iter().all(|s| s.text == first));
    ua.hear(&prack(&first, 2));
    let ok = ua.one().text;
    assert!(ok.starts_with("SIP/2.0 200 OK\r\n") && field(&ok, "CSeq") == "2 PRACK", "{ok}");
    assert!(matches!(ua.event(), Event::Pracked { id: None, .. }));
    ua.wait(30_000);
    assert!(ua.take().is_empty());
    let second = send(&mut ua, sid, no, &Ua::reply(183));
    let number = |text: &str| field(text, "RSeq").parse::<u32>().unwrap();
    assert!((1..1 << 31).contains(&number(&first)));
    assert_eq!(number(&second), number(&first) + 1);
}

// conforms: RFC3262-3-9
#[test]
fn rfc3262_3_a_prack_that_matches_nothing_gets_481() {
    let mut ua = ua();
    let (sid, no) = invited(&mut ua, "Supported");
    let first = send(&mut ua, sid, no, &ringing());
    let number: u32 = field(&first, "RSeq").parse().unwrap();
    let rows = [
        (Some(format!("{} 1 INVITE", number + 1)), "481"),
        (Some(format!("{number} 2 INVITE")), "481"),
        (Some(format!("{number} 1 UPDATE")), "481"),
        (Some("x".to_owned()), "400"),
        (None, "400"),
        (Some(format!("{number} 1 INVITE")), "200"),
        (Some(format!("{number} 1 INVITE")), "481"),
    ];
    for (seq, (rack, status)) in (2..).zip(rows) {
        let mut prack = Msg::inside("PRACK", seq, &first);
        if let Some(rack) = &rack {
            prack = prack.with("RAck", rack);
        }
        ua.hear(&prack);
        assert_eq!(ua.one().what().split(' ').next(), Some(status), "{rack:?}");
    }
    ua.hear(&prack(&first, 7));
    assert!(ua.one().text.starts_with("SIP/2.0 200"), "the same PRACK again has its response again");
}

// conforms: RFC3262-3-12
#[test]
fn rfc3262_3_the_next_one_waits_for_the_prack_of_the_one_before() {
    let mut ua = ua();
    let (sid, no) = invited(&mut ua, "Supported");
    let first = send(&mut ua, sid, no, &ringing());
    for _ in 0..8 {
        ua.act(|e, now| e.progress_reliably(now, sid, no, &described())).unwrap();
    }
    assert!(ua.take().is_empty());
    let full = ua.act(|e, now| e.progress_reliably(now, sid, no, &described()));
    assert_eq!(full, Err(IntentError::Full));
    ua.hear(&prack(&first, 2));
    let sent = ua.take();
    assert_eq!([sent[0].what(), sent[1].what()], ["200 OK", "183 Session Progress"]);
}

// conforms: RFC3262-3-1 RFC3262-8.1-1 RFC3261-8.2.4-2,3
#[test]
fn rfc3262_3_where_it_is_required_each_provisional_response_is_reliable() {
    let mut ua = ua();
    let (sid, no) = invited(&mut ua, "Require");
    ua.act(|e, now| e.progress(now, sid, no, &ringing())).unwrap();
    let first = ua.one().text;
    assert_eq!((field(&first, "Require").as_str(), find(&first, "RSeq").is_some()), ("100rel", true));
    ua.hear(&prack(&first, 2));
    ua.take();
    ua.wait(61_000);
    let again = ua.take();
    assert_ne!(
        field(&again[0].text, "RSeq"),
        field(&first, "RSeq"),
        "a minute later comes one with its own number"
    );
}

// conforms: RFC3262-3-2,3,4 RFC3261-8.2.4-1,4
#[test]
fn rfc3262_3_who_takes_no_part_refuses_it_and_nobody_gets_what_he_does_not_support() {
    let mut ua = Ua::udp();
    ua.hear(&invite("Require"));
    let refused = ua.one().text;
    assert_eq!(
        (super::message::start(&refused), field(&refused, "Unsupported").as_str()),
        ("SIP/2.0 420 Bad Extension", "100rel")
    );
    let mut ua = self::ua();
    let sid = ua.invited();
    let no = ua.endpoint.open_dialog(sid).unwrap();
    let not_supported = ua.act(|e, now| e.progress_reliably(now, sid, no, &ringing()));
    assert_eq!(not_supported, Err(IntentError::WrongState));
    let trying = ua.act(|e, now| e.progress_reliably(now, sid, no, &Ua::reply(100)));
    assert_eq!(trying, Err(IntentError::Status));
    ua.act(|e, now| e.progress(now, sid, no, &ringing())).unwrap();
    assert_eq!(find(&ua.one().text, "RSeq"), None);
}

#[test]
fn rfc3262_3_without_a_prack_the_invite_is_refused() {
    let mut ua = ua();
    let (sid, no) = invited(&mut ua, "Supported");
    send(&mut ua, sid, no, &ringing());
    ua.wait(T64);
    let log = ua.log();
    assert_eq!(log.last().map(String::as_str), Some("32000 504 No PRACK Came"), "{log:?}");
    assert_eq!(log.len(), 7, "at 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 s: {log:?}");
    assert!(matches!(ua.event(), Event::Ended { why: End::NoPrack, .. }));
    ua.must_forget();
}

// conforms: RFC3262-3-15 RFC3262-5-4
#[test]
fn rfc3262_3_a_2xx_waits_for_the_prack_of_a_description() {
    let mut ua = ua();
    let (sid, no) = invited(&mut ua, "Supported");
    let first = send(&mut ua, sid, no, &described());
    ua.act(|e, now| e.answer(now, sid, no, Parts::default())).unwrap();
    assert!(ua.take().is_empty());
    let late = ua.act(|e, now| e.progress(now, sid, no, &ringing()));
    assert_eq!(late, Err(IntentError::WrongState));
    ua.hear(&prack(&first, 2));
    let sent = ua.take();
    assert_eq!([&*field(&sent[0].text, "CSeq"), &*field(&sent[1].text, "CSeq")], ["2 PRACK", "1 INVITE"]);
    assert_eq!(sent[1].what(), "200 OK");
    ua.hear(&Msg::inside("ACK", 1, &sent[1].text));
    ua.end(sid);
    assert_eq!(ua.one().what(), "BYE");
}

#[test]
fn rfc3262_5_a_2xx_waits_for_the_answer_that_a_prack_is_owed() {
    let mut ua = ua();
    let (sid, no) = invited(&mut ua, "Supported");
    let first = send(&mut ua, sid, no, &ringing());
    ua.hear(&prack(&first, 2).sdp());
    let Event::Pracked { id: Some(id), .. } = ua.event() else { panic!() };
    assert!(ua.take().is_empty());
    ua.act(|e, now| e.answer(now, sid, no, Parts::default())).unwrap();
    assert!(ua.take().is_empty());
    let answer = Reply { parts: Parts { body: description(), ..Parts::default() }, ..Ua::reply(200) };
    ua.act(|e, now| e.respond(now, sid, id, &answer)).unwrap();
    let sent = ua.take();
    assert_eq!([&*field(&sent[0].text, "CSeq"), &*field(&sent[1].text, "CSeq")], ["2 PRACK", "1 INVITE"]);
    assert!(sent[0].text.ends_with(super::message::SDP));
}

// conforms: RFC3262-3-16,17
#[test]
fn rfc3262_3_after_a_final_response_a_prack_is_taken_and_nothing_sent_again() {
    for accepted in [true, false] {
        let mut ua = ua();
        let (sid, no) = invited(&mut ua, "Supported");
        let first = send(&mut ua, sid, no, &ringing());
        ua.act(|e, now| e.progress_reliably(now, sid, no, &ringing())).unwrap();
        if accepted {
            ua.act(|e, now| e.answer(now, sid, no, Parts::default())).unwrap();
            let ok = ua.one().text;
            ua.hear(&Msg::inside("ACK", 1, &ok));
        } else {
            ua.act(|e, now| e.reject(now, sid, &Ua::reply(486))).unwrap();
            let busy = ua.one().text;
            ua.hear(&Msg::request("ACK", 1).set("To", &field(&busy, "To")).set("Via", &field(&first, "Via")));
        }
        ua.wait(4_000);
        assert!(ua.sent.iter().all(|sent| find(&sent.text, "RSeq").is_none()), "{:#?}", ua.sent);
        ua.take();
        ua.hear(&prack(&first, 2));
        assert_eq!(ua.one().what(), "200 OK");
        let late = ua.act(|e, now| e.progress_reliably(now, sid, no, &ringing()));
        assert!(late.is_err());
    }
}

#[test]
fn a_session_that_waits_for_a_prack_in_vain_is_let_go() {
    let mut ua = ua();
    let (sid, no) = invited(&mut ua, "Supported");
    send(&mut ua, sid, no, &ringing());
    ua.hear(&Msg::request("CANCEL", 1).set("Via", "SIP/2.0/UDP 198.51.100.9:5060;branch=z9hG4bKpeer1invite"));
    assert!(matches!(ua.event(), Event::Ended { why: End::Cancelled(_), .. }));
    ua.must_forget();
}

/// A reliable response of bob's to our INVITE.
fn reliable(invite: &str, status: u16, tag: &str, number: u32) -> Msg {
    let response = Msg::response(invite, status, tag).contact(PEER);
    response.with("Require", "100rel").with("RSeq", &number.to_string())
}

fn progress(ua: &mut Ua) -> (DialogNo, Option<u32>) {
    match ua.event() {
        Event::Progress { dialog: Some(no), reliable, .. } => (no, reliable),
        other => panic!("{other:?}"),
    }
}

// conforms: RFC3262-4-4,5,6,7,8,9,10
#[test]
fn rfc3262_4_each_is_acknowledged_once_and_in_order() {
    let mut ua = ua();
    let (sid, invite) = ua.call();
    ua.hear(&reliable(&invite, 183, "b1", 7));
    let (no, number) = progress(&mut ua);
    assert_eq!(number, Some(7));
    ua.act(|e, now| e.prack(now, sid, no, 7, Parts::default())).unwrap();
    let prack = ua.one().text;
    assert_snapshot!(super::call::show(&prack), @"
    PRACK sip:bob@198.51.100.9:5060 SIP/2.0
    Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKsdd3g83vmte37;rport
    Max-Forwards: 70
    From: <sip:alice@example.net>;tag=16q4g4jxdh229
    To: <sip:bob@example.com>;tag=b1
    Call-ID: 73vxrj5mdwtxbyan4kxvx2x4hf
    CSeq: 2 PRACK
    RAck: 7 1 INVITE
    Content-Length: 0
    ");
    for (number, taken) in [(7, false), (9, false), (8, true), (8, false), (9, true)] {
        ua.hear(&reliable(&invite, 180, "b1", number));
        assert_eq!(!ua.events.is_empty(), taken, "{number}");
        ua.events.clear();
    }
    assert!(ua.take().is_empty());
    assert_eq!(ua.endpoint.counters().progress_out_of_order, 3);
    ua.hear(&Msg::response(&prack, 200, ""));
    assert!(matches!(ua.event(), Event::Responded { outcome: Ok(_), .. }));
    let twice = ua.act(|e, now| e.prack(now, sid, no, 7, Parts::default()));
    assert_eq!(twice.unwrap_err(), IntentError::WrongState);
    ua.act(|e, now| e.prack(now, sid, no, 8, Parts::default())).unwrap();
    assert_eq!(field(&ua.one().text, "RAck"), "8 1 INVITE");
}

#[test]
fn rfc3262_4_forks_have_numbers_of_their_own() {
    let mut ua = ua();
    let (sid, invite) = ua.call();
    for (to, number) in [("b1", 7), ("b2", 900), ("b1", 8), ("b2", 901), ("b3", 1)] {
        ua.hear(&reliable(&invite, 183, to, number));
        let (no, reliable) = progress(&mut ua);
        assert_eq!(reliable, Some(number));
        ua.act(|e, now| e.prack(now, sid, no, number, Parts::default())).unwrap();
        let prack = ua.one().text;
        assert_eq!((tag(&prack, "To").as_str(), field(&prack, "RAck")), (to, format!("{number} 1 INVITE")));
    }
}

// conforms: RFC3262-4-3
#[test]
fn rfc3262_4_what_is_not_reliable_is_not_acknowledged() {
    let mut ua = ua();
    let (_, invite) = ua.call();
    let plain = |status| Msg::response(&invite, status, "b1").contact(PEER);
    ua.hear(&plain(100).with("Require", "100rel").with("RSeq", "7"));
    assert!(ua.events.is_empty() && ua.take().is_empty());
    for response in [plain(180).with("RSeq", "7"), plain(180).with("Require", "100rel"), plain(180)] {
        ua.hear(&response);
        assert_eq!(progress(&mut ua).1, None);
    }
    ua.hear(&Msg::response(&invite, 183, "").with("Require", "100rel").with("RSeq", "7"));
    assert!(ua.events.is_empty(), "without a tag it makes no dialog to send PRACK in");
}

#[test]
fn a_call_that_was_given_up_acknowledges_all_the_same() {
    let mut ua = ua();
    let (sid, invite) = ua.call();
    ua.hear(&Msg::response(&invite, 180, "b1").contact(PEER));
    ua.events.clear();
    ua.end(sid);
    assert_eq!(ua.one().what(), "CANCEL");
    ua.hear(&reliable(&invite, 183, "b1", 7));
    let prack = ua.one();
    assert_eq!((prack.what(), field(&prack.text, "RAck").as_str()), ("PRACK", "7 1 INVITE"));
    ua.hear(&Msg::response(&prack.text, 200, ""));
    assert!(ua.events.is_empty(), "nobody asked for it");
    ua.hear(&Msg::response(&invite, 487, "b1"));
    assert!(matches!(ua.event(), Event::Ended { .. }));
    ua.must_forget();
}

#[test]
fn a_challenged_prack_is_sent_again_and_its_end_is_told() {
    let mut ua = ua();
    let (sid, invite) = ua.call();
    ua.hear(&reliable(&invite, 183, "b1", 7));
    let (no, _) = progress(&mut ua);
    let id = ua.act(|e, now| e.prack(now, sid, no, 7, Parts::default())).unwrap();
    let prack = ua.one().text;
    let challenge = "Digest realm=\"example.com\", nonce=\"n\", algorithm=MD5, qop=\"auth\"";
    ua.hear(&Msg::response(&prack, 401, "").with("WWW-Authenticate", challenge));
    assert_eq!(ua.secrets.len(), 1);
    let needed = ua.secrets.remove(0);
    ua.act(|e, now| e.handle_secret(now, needed.id, Vec::new()));
    let Event::Responded { id: over, outcome, .. } = ua.event() else { panic!() };
    assert!(over == id && outcome.is_err());
    ua.hear(&Msg::response(&invite, 200, "b1").contact(PEER));
    assert!(matches!(ua.event(), Event::Answered { .. }), "the INVITE goes on");
}

#[test]
fn a_prack_takes_the_way_of_the_invite_where_the_peer_is_behind_a_nat() {
    for (nat, expected) in [(crate::Nat::On, PEER), (crate::Nat::Off, "10.9.9.9:5060")] {
        let mut ua = ua();
        let mut settings = ua.endpoint.settings().clone();
        settings.listeners[0].nat = nat;
        ua.endpoint.adopt(settings);
        let (sid, invite) = ua.call();
        ua.hear(&reliable(&invite, 183, "b1", 7).contact("10.9.9.9:5060"));
        let (no, _) = progress(&mut ua);
        ua.act(|e, now| e.prack(now, sid, no, 7, Parts::default())).unwrap();
        assert_eq!(ua.one().to.peer().to_string(), expected);
    }
}

/// Our re-INVITE, and a reliable response to it that says that the peer has moved, acknowledged.
fn moved(ua: &mut Ua, sid: SessionId) -> String {
    ua.act(|e, now| e.reinvite(now, sid, 70, Parts::default())).unwrap();
    let again = ua.one().text;
    let progress = Msg::response(&again, 183, "").contact("198.51.100.77:5060");
    ua.hear(&progress.with("Require", "100rel").with("RSeq", "9"));
    let Event::ReinviteProgress { dialog, reliable: Some(9), .. } = ua.event() else { panic!("no progress") };
    ua.act(|e, now| e.prack(now, sid, dialog, 9, Parts::default())).unwrap();
    let prack = ua.one().text;
    assert_eq!(field(&prack, "RAck"), format!("9 {}", field(&again, "CSeq")));
    assert!(prack.starts_with("PRACK sip:bob@198.51.100.77:5060 "), "{prack}");
    ua.hear(&Msg::response(&prack, 200, ""));
    assert!(matches!(ua.event(), Event::Responded { .. }));
    again
}

// conforms: RFC6141-4.7-1 RFC6141-5.3-1
#[test]
fn rfc6141_5_3_the_ack_of_a_refused_reinvite_that_does_not_reach_who_has_moved_ends_nothing() {
    let mut ua = ua();
    let (sid, _) = ua.called();
    let again = moved(&mut ua, sid);
    ua.hear(&Msg::response(&again, 488, ""));
    let ack = ua.one();
    assert_eq!(field(&ack.text, "CSeq"), field(&again, "CSeq").replace("INVITE", "ACK"));
    assert!(matches!(ua.event(), Event::ReinviteFailed { .. }));
    ua.act(|e, now| e.handle_send_failed(now, ack.id));
    ua.wait(T64);
    assert!(ua.take().is_empty() && ua.events.is_empty(), "no BYE, and nobody hears of an end");
    ua.act(|e, now| e.reinvite(now, sid, 70, Parts::default())).unwrap();
    assert!(ua.one().text.starts_with("INVITE sip:bob@198.51.100.77:5060 "), "the target stays refreshed");
}

#[test]
fn rfc3262_3_a_reinvite_has_a_numbering_of_its_own_and_its_2xx_waits_for_the_prack() {
    let mut ua = ua();
    let (sid, ok) = ua.answered();
    ua.hear(&Msg::inside("INVITE", 2, &ok).with("Supported", "100rel").sdp());
    ua.take();
    assert!(matches!(ua.event(), Event::Reinvited { .. }));
    let no = ua.endpoint.standing_dialog(sid).unwrap();
    let progress = send(&mut ua, sid, no, &described());
    ua.act(|e, now| e.answer_reinvite(now, sid, Parts::default())).unwrap();
    assert!(ua.take().is_empty(), "what it describes is not acknowledged yet");
    let rack = |seq: u32| format!("{} {seq} INVITE", field(&progress, "RSeq"));
    ua.hear(&Msg::inside("PRACK", 3, &ok).with("RAck", &rack(1)));
    assert_eq!(ua.one().what(), "481 Call/Transaction Does Not Exist", "of another INVITE");
    ua.hear(&Msg::inside("PRACK", 4, &ok).with("RAck", &rack(2)));
    let sent: Vec<_> = ua.take().iter().map(|sent| field(&sent.text, "CSeq")).collect();
    assert_eq!(sent, ["4 PRACK", "2 INVITE"]);
    ua.hear(&Msg::inside("ACK", 2, &ok));
    ua.events.clear();
    ua.end(sid);
}

#[test]
fn rfc6141_3_8_a_reinvite_that_is_executed_is_not_cancelled() {
    for held in [false, true] {
        let mut ua = ua();
        let (sid, ok) = ua.answered();
        let again = Msg::inside("INVITE", 2, &ok).with("Supported", "100rel").sdp();
        ua.hear(&again);
        ua.take();
        ua.events.clear();
        let no = ua.endpoint.standing_dialog(sid).unwrap();
        let progress = send(&mut ua, sid, no, &described());
        let rack = |progress: &str| format!("{} 2 INVITE", field(progress, "RSeq"));
        ua.hear(&Msg::inside("PRACK", 3, &ok).with("RAck", &rack(&progress)));
        ua.take();
        ua.events.clear();
        let ringing = held.then(|| {
            let more = described();
            let ringing = send(&mut ua, sid, no, &more);
            ua.act(|e, now| e.answer_reinvite(now, sid, Parts::default())).unwrap();
            ringing
        });
        ua.hear(&Msg::inside("CANCEL", 2, &ok).set("Via", &field(&again.text(), "Via")));
        assert_eq!(ua.one().what(), "200 OK", "and no 487");
        match &ringing {
            None => {
                assert!(matches!(ua.event(), Event::ReinviteCancelled { executed: true, .. }));
                ua.act(|e, now| e.answer_reinvite(now, sid, Parts::default())).unwrap();
            }
            // Its 2xx waits for a PRACK already.
            Some(ringing) => {
                assert!(ua.events.is_empty());
                ua.hear(&Msg::inside("PRACK", 4, &ok).with("RAck", &rack(ringing)));
                assert_eq!(field(&ua.take().remove(0).text, "CSeq"), "4 PRACK");
                continue;
            }
        }
        assert_eq!(field(&ua.one().text, "CSeq"), "2 INVITE");
    }
}

#[test]
fn rfc3262_3_a_reinvite_whose_response_nobody_acknowledges_is_refused_and_the_session_stands() {
    let mut ua = ua();
    let (sid, ok) = ua.answered();
    ua.hear(&Msg::inside("INVITE", 2, &ok).with("Require", "100rel").sdp());
    ua.take();
    ua.events.clear();
    let no = ua.endpoint.standing_dialog(sid).unwrap();
    send(&mut ua, sid, no, &described());
    ua.wait(T64 + 100);
    assert_eq!(ua.take().last().unwrap().what(), "504 No PRACK Came");
    assert!(matches!(ua.event(), Event::ReinviteCancelled { .. }));
    assert!(ua.act(|e, now| e.reinvite(now, sid, 70, Parts::default())).is_ok());
}
