//! A call from INVITE to BYE, in both roles (RFC 3261 §13, §15).

use super::message::{Msg, field, find, tag};
use super::ua::{PEER, T64, Ua, address};
use crate::session::{Body, Parts, SessionStage};
use crate::{End, Event};
use insta::assert_snapshot;
use sip_types::{Fields, HeaderName, StatusCode};

/// A message as a snapshot shows it.
pub(super) fn show(text: &str) -> String {
    text.replace("\r\n", "\n")
}

fn offer() -> Parts {
    let mut fields = Fields::default();
    fields.push(HeaderName::ContentType, "application/sdp");
    let body = Body { fields, bytes: super::message::SDP.into() };
    Parts { body: Some(body), ..Parts::default() }
}

// conforms: RFC3261-7.1-2,3 RFC3261-7.4.1-1 RFC3261-8.1.1-1 RFC3261-8.1.1.2-3 RFC3261-8.1.1.3-1
// conforms: RFC3261-8.1.1.4-1 RFC3261-8.1.1.5-1 RFC3261-8.1.1.6-1 RFC3261-8.1.1.7-1,2,3,5 RFC3261-8.1.1.8-1
// conforms: RFC3261-8.1.3.2-3 RFC3261-12.1-1 RFC3261-12.1.2-1,3,6,7,9,10,12
// conforms: RFC3261-12.2.1.1-1,2,3,4,6,8,10,11,12 RFC3261-13.2.2.4-3,4 RFC3261-17.1.1.2-1,2,9
// conforms: RFC3261-17.1.1.3-1 RFC3261-17.1.2.2-1 RFC3261-18.1.1-5 RFC3261-20.14-2 RFC3261-20.15-1
// conforms: RFC3261-20.42-1 RFC3581-3-1 RFC6026-7.2-3 RFC6026-8.4-8,9
#[test]
fn rfc3261_13_2_a_call_of_ours_from_invite_to_bye() {
    let mut ua = Ua::udp();
    let sid = ua.invite(&format!("sip:bob@{PEER}"), offer());
    let invite = ua.one().text;
    assert_snapshot!(show(&invite), @r#"
    INVITE sip:bob@example.com SIP/2.0
    Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKb8j54q3j6cg37;rport
    Max-Forwards: 69
    From: <sip:alice@example.net>;tag=16q4g4jxdh229
    To: <sip:bob@example.com>
    Call-ID: 73vxrj5mdwtxbyan4kxvx2x4hf
    CSeq: 1 INVITE
    Contact: <sip:192.0.2.1:5060>
    Content-Type: application/sdp
    Content-Length: 46

    v=0
    o=- 1 1 IN IP4 198.51.100.9
    s=-
    t=0 0
    "#);
    ua.hear(&Msg::response(&invite, 100, ""));
    assert!(ua.events.is_empty());
    ua.hear(&Msg::response(&invite, 180, "b1").contact(PEER));
    assert!(matches!(ua.event(), Event::Progress { dialog: Some(_), .. }));
    ua.hear(&Msg::response(&invite, 200, "b1").contact("198.51.100.10:5070"));
    assert!(matches!(ua.event(), Event::Answered { .. }));
    assert_eq!(ua.endpoint.session(sid).unwrap().stage, SessionStage::Confirmed);
    assert!(ua.take().is_empty(), "the ACK waits for its owner");
    ua.act(|e, now| e.acknowledge(now, sid, Parts::default())).unwrap();
    assert_snapshot!(show(&ua.one().text), @r#"
    ACK sip:bob@198.51.100.10:5070 SIP/2.0
    Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKsdd3g83vmte37;rport
    Max-Forwards: 70
    From: <sip:alice@example.net>;tag=16q4g4jxdh229
    To: <sip:bob@example.com>;tag=b1
    Call-ID: 73vxrj5mdwtxbyan4kxvx2x4hf
    CSeq: 1 ACK
    Content-Length: 0
    "#);
    let mut reason = Fields::default();
    reason.push(HeaderName::Reason, "Q.850;cause=16");
    ua.act(|e, now| e.end(now, sid, reason)).unwrap();
    let bye = ua.one();
    assert_snapshot!(show(&bye.text), @r#"
    BYE sip:bob@198.51.100.10:5070 SIP/2.0
    Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK0m0a18yzb8k6c;rport
    Max-Forwards: 70
    From: <sip:alice@example.net>;tag=16q4g4jxdh229
    To: <sip:bob@example.com>;tag=b1
    Call-ID: 73vxrj5mdwtxbyan4kxvx2x4hf
    CSeq: 2 BYE
    Reason: Q.850;cause=16
    Content-Length: 0
    "#);
    assert!(ua.events.is_empty());
    ua.hear(&Msg::response(&bye.text, 200, ""));
    assert!(matches!(ua.event(), Event::Ended { why: End::HungUp(Some(_)), .. }));
    ua.must_forget();
}

// conforms: RFC3261-8.1.1.4-1 RFC3261-8.2.6.1-1 RFC3261-8.2.6.2-1,2,3,5,6 RFC3261-12.1-1 RFC3261-12.1.1-2,3,5
// conforms: RFC3261-13.1-1 RFC3261-13.3.1.1-1 RFC3261-15.1.2-1,2 RFC3261-17.2.1-1,2,3,5
#[test]
fn rfc3261_13_3_a_call_to_us_from_invite_to_bye() {
    let mut ua = Ua::udp();
    ua.hear(&Msg::request("INVITE", 1).sdp().with("Timestamp", "54"));
    assert_snapshot!(show(&ua.one().text), @r#"
    SIP/2.0 100 Trying
    Via: SIP/2.0/UDP 198.51.100.9:5060;branch=z9hG4bKpeer1invite
    From: <sip:bob@example.com>;tag=bob1
    To: <sip:alice@example.net>
    Call-ID: peer-call
    CSeq: 1 INVITE
    Timestamp: 54
    Content-Length: 0
    "#);
    let Event::Invited { session: sid, .. } = ua.event() else { panic!() };
    let no = ua.endpoint.open_dialog(sid).unwrap();
    ua.act(|e, now| e.progress(now, sid, no, &Ua::reply(180))).unwrap();
    let ringing = ua.one().text;
    assert_snapshot!(show(&ringing), @r#"
    SIP/2.0 180 Ringing
    Via: SIP/2.0/UDP 198.51.100.9:5060;branch=z9hG4bKpeer1invite
    From: <sip:bob@example.com>;tag=bob1
    To: <sip:alice@example.net>;tag=16q4g4jxdh229
    Call-ID: peer-call
    CSeq: 1 INVITE
    Timestamp: 54
    Contact: <sip:192.0.2.1:5060>
    Content-Length: 0
    "#);
    ua.act(|e, now| e.answer(now, sid, no, offer())).unwrap();
    let ok = ua.one().text;
    assert_snapshot!(show(&ok), @r#"
    SIP/2.0 200 OK
    Via: SIP/2.0/UDP 198.51.100.9:5060;branch=z9hG4bKpeer1invite
    From: <sip:bob@example.com>;tag=bob1
    To: <sip:alice@example.net>;tag=16q4g4jxdh229
    Call-ID: peer-call
    CSeq: 1 INVITE
    Contact: <sip:192.0.2.1:5060>
    Content-Type: application/sdp
    Content-Length: 46

    v=0
    o=- 1 1 IN IP4 198.51.100.9
    s=-
    t=0 0
    "#);
    assert_eq!(tag(&ok, "To"), tag(&ringing, "To"));
    assert_eq!(ua.endpoint.session(sid).unwrap().stage, SessionStage::Answered);
    ua.hear(&Msg::inside("ACK", 1, &ok));
    assert!(matches!(ua.event(), Event::Acknowledged { .. }));
    ua.hear(&Msg::inside("BYE", 2, &ok));
    assert_snapshot!(show(&ua.one().text), @r#"
    SIP/2.0 200 OK
    Via: SIP/2.0/UDP 198.51.100.9:5060;branch=z9hG4bKpeer2bye
    From: <sip:bob@example.com>;tag=bob1
    To: <sip:alice@example.net>;tag=16q4g4jxdh229
    Call-ID: peer-call
    CSeq: 2 BYE
    Content-Length: 0
    "#);
    assert!(matches!(ua.event(), Event::Ended { why: End::Bye(_), .. }));
    ua.must_forget();
}

// conforms: RFC3261-13.2.2.4-3,4,8 RFC6026-7.2-2 RFC6026-8.4-10,11
#[test]
fn rfc3261_13_2_2_4_each_repetition_of_the_2xx_gets_the_same_ack() {
    let mut ua = Ua::udp();
    let (sid, invite) = ua.call();
    let ok = Msg::response(&invite, 200, "b1").contact(PEER);
    ua.hear(&ok);
    ua.hear(&ok);
    assert!(ua.take().is_empty());
    ua.act(|e, now| e.acknowledge(now, sid, Parts::default())).unwrap();
    let ack = ua.one();
    assert_eq!(field(&ack.text, "CSeq"), "1 ACK");
    assert_ne!(field(&ack.text, "Via"), field(&invite, "Via"), "an ACK of a 2xx has a branch of its own");
    for _ in 0..3 {
        ua.wait(4_000);
        ua.hear(&ok);
        let again = ua.one();
        assert_eq!((again.text, again.to), (ack.text.clone(), ack.to.clone()));
    }
    assert_eq!(ua.events.len(), 1);
}

// conforms: RFC6026-8.9-2
#[test]
fn rfc6026_8_4_after_64_t1_a_2xx_finds_no_transaction() {
    let mut ua = Ua::udp();
    let (_, invite) = ua.called();
    ua.wait(T64 + 1);
    ua.hear(&Msg::response(&invite, 200, "b1").contact(PEER));
    assert!(ua.take().is_empty());
    assert_eq!(ua.endpoint.counters().stray_responses, 1);
}

// conforms: RFC6026-7.1-3,4 RFC6026-8.7-1
#[test]
fn rfc3261_13_3_1_4_a_lost_ack_is_made_up_by_the_next() {
    let mut ua = Ua::udp();
    let sid = ua.invited();
    let ok = ua.answer(sid);
    ua.wait(1_000);
    assert_eq!(ua.times("200 OK"), [500]);
    ua.hear(&Msg::inside("ACK", 1, &ok));
    assert!(matches!(ua.event(), Event::Acknowledged { .. }));
    ua.hear(&Msg::inside("ACK", 1, &ok));
    assert!(ua.events.is_empty());
    ua.wait(T64);
    assert!(ua.take().is_empty());
}

// conforms: RFC3261-15-3
#[test]
fn rfc3261_13_3_1_4_a_2xx_without_ack_ends_in_bye() {
    for (mut ua, contact) in [(Ua::udp(), ""), (Ua::tcp(), ";transport=tcp")] {
        let sid = ua.invited_by(&Msg::request("INVITE", 1).contact(&format!("{PEER}{contact}")));
        ua.answer(sid);
        ua.wait(T64 - 1);
        assert_eq!(ua.times("200 OK"), [500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500]);
        ua.wait(1);
        let bye = ua.one();
        assert_eq!(bye.what(), "BYE");
        assert_eq!(field(&bye.text, "Reason"), "SIP;cause=408;text=\"No ACK\"");
        assert!(matches!(ua.event(), Event::Ended { why: End::NoAck, .. }));
        ua.hear(&Msg::response(&bye.text, 200, ""));
        ua.must_forget();
    }
}

#[test]
fn rfc3261_13_3_1_4_an_ack_for_another_invite_stops_nothing() {
    let mut ua = Ua::udp();
    let sid = ua.invited();
    let ok = ua.answer(sid);
    ua.hear(&Msg::inside("ACK", 2, &ok));
    ua.hear(&Msg::inside("ACK", 1, &ok).set("Call-ID", "another"));
    assert!(ua.events.is_empty());
    ua.wait(500);
    assert_eq!(ua.times("200 OK"), [500]);
    assert_eq!(ua.endpoint.counters().stray_acks, 1);
}

// conforms: RFC3261-13.3.1.1-2
#[test]
fn rfc3261_13_3_1_1_a_pending_call_is_kept_up_every_minute() {
    let mut ua = Ua::udp();
    let sid = ua.invited();
    ua.wait(60_000);
    assert_eq!(ua.log(), ["60000 183 Session Progress"], "a 100 does not cross proxies");
    ua.wait(30_000);
    let no = crate::dialog::DialogNo(0);
    ua.act(|e, now| e.progress(now, sid, no, &Ua::reply(180))).unwrap();
    ua.wait(121_000);
    assert_eq!(ua.log(), ["90000 180 Ringing", "150000 180 Ringing", "210000 180 Ringing"]);
}

// conforms: RFC3261-17.2.1-7,9
#[test]
fn rfc3261_13_3_1_3_a_refusal_is_repeated_until_its_ack() {
    let mut ua = Ua::udp();
    let sid = ua.invited();
    ua.act(|e, now| e.reject(now, sid, &Ua::reply(486))).unwrap();
    let busy = ua.one().text;
    ua.wait(600);
    assert_eq!(ua.times("486 Busy Here"), [500]);
    let ack = Msg::inside("ACK", 1, &busy).set("Via", &field(&Msg::request("INVITE", 1).text(), "Via"));
    ua.hear(&ack);
    assert!(ua.endpoint.session(sid).is_none());
    ua.wait(T64);
    assert!(ua.take().is_empty() && ua.events.is_empty());
    ua.must_forget();
}

// conforms: RFC3261-17.1.1.2-12,13 RFC3261-17.1.1.3-2,3,4,5 RFC6026-8.4-1,2
#[test]
fn rfc3261_13_2_2_3_a_refused_call_of_ours_is_acknowledged_by_the_transaction() {
    let mut ua = Ua::udp();
    let (_, invite) = ua.call();
    ua.hear(&Msg::response(&invite, 486, "b1"));
    let ack = ua.one().text;
    assert_snapshot!(show(&ack), @r#"
    ACK sip:bob@example.com SIP/2.0
    Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKb8j54q3j6cg37;rport
    Max-Forwards: 70
    From: <sip:alice@example.net>;tag=16q4g4jxdh229
    Call-ID: 73vxrj5mdwtxbyan4kxvx2x4hf
    CSeq: 1 ACK
    To: <sip:bob@example.com>;tag=b1
    Content-Length: 0
    "#);
    assert_eq!(field(&ack, "Via"), field(&invite, "Via"));
    assert!(matches!(ua.event(), Event::Ended { why: End::Rejected(crate::Failure::Response(r)), .. }
        if r.status() == StatusCode::BUSY_HERE));
    ua.must_forget();
}

#[test]
fn rfc3261_13_2_2_4_bye_of_the_callee_before_our_ack_still_gets_the_ack() {
    let mut ua = Ua::udp();
    let (sid, invite) = ua.call();
    ua.hear(&Msg::response(&invite, 200, "b1").contact(PEER));
    ua.events.clear();
    ua.hear(&Msg::inside("BYE", 1, &invite).set("From", "<sip:bob@example.com>;tag=b1"));
    assert_eq!(ua.log(), ["0 200 OK", "0 ACK"]);
    assert!(matches!(ua.event(), Event::Ended { why: End::Bye(_), .. }));
    assert!(ua.act(|e, now| e.acknowledge(now, sid, Parts::default())).is_err());
    assert!(ua.act(|e, now| e.end(now, sid, Fields::default())).is_err());
    ua.must_forget();
}

// conforms: RFC3261-12.1.2-11 RFC3261-12.2.1.1-5
#[test]
fn rfc3261_8_2_6_2_a_response_without_to_tag_makes_a_dialog_too() {
    let mut ua = Ua::udp();
    let (sid, invite) = ua.call();
    ua.hear(&Msg::response(&invite, 200, "").contact(PEER));
    ua.events.clear();
    ua.act(|e, now| e.acknowledge(now, sid, Parts::default())).unwrap();
    assert_eq!(field(&ua.one().text, "To"), "<sip:bob@example.com>");
    ua.hear(&Msg::inside("BYE", 1, &invite).set("From", "<sip:bob@example.com>"));
    assert_eq!(ua.one().what(), "200 OK");
    assert!(find(&invite, "Reason").is_none());
    ua.must_forget();
}

#[test]
fn rfc3261_13_2_2_4_an_ack_without_a_way_is_looked_up_again_at_each_repetition_of_the_2xx() {
    let mut ua = Ua::udp();
    let (sid, invite) = ua.call();
    let ok = Msg::response(&invite, 200, "b1").contact("gone.example.com:5066");
    ua.hear(&ok);
    ua.act(|e, now| e.acknowledge(now, sid, Parts::default())).unwrap();
    ua.hear(&ok);
    assert_eq!(ua.queries.len(), 1, "one look-up is under way");
    for _ in 0..2 {
        ua.resolve("");
        assert!(ua.take().is_empty() && ua.queries.is_empty());
        ua.hear(&ok);
        assert_eq!(&*ua.queries[0].question.name, "gone.example.com");
    }
    ua.resolve("gone.example.com A 198.51.100.1\n gone.example.com A 198.51.100.2");
    let first = ua.one();
    assert_eq!((first.what(), first.to.peer()), ("ACK", address("198.51.100.1:5066")));
    assert_eq!(field(&first.text, "CSeq"), "1 ACK");
    ua.act(|e, now| e.handle_send_failed(now, first.id));
    let second = ua.one();
    assert_eq!((second.what(), second.to.peer()), ("ACK", address("198.51.100.2:5066")));
    ua.hear(&ok);
    assert_eq!(ua.one().text, second.text, "as it was sent");
    ua.act(|e, now| e.handle_send_failed(now, second.id));
    assert!(ua.take().is_empty());
    ua.hear(&ok);
    assert_eq!(ua.one().to.peer(), address("198.51.100.1:5066"), "what the name server said holds still");
    ua.end(sid);
    let bye = ua.one().text;
    ua.hear(&Msg::response(&bye, 200, ""));
    ua.must_forget();
}
