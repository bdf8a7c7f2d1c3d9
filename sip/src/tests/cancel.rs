//! CANCEL in both roles (RFC 3261 §9).

use super::call::show;
use super::message::{Msg, field, start, tag};
use super::ua::{PEER, T64, Ua};
use crate::{End, Event};
use insta::assert_snapshot;
use sip_types::{Fields, HeaderName};

#[test]
fn rfc3261_9_1_cancel_after_a_provisional_response() {
    let mut ua = Ua::udp();
    let (sid, invite) = ua.call();
    ua.hear(&Msg::response(&invite, 180, "b1").contact(PEER));
    ua.events.clear();
    let mut reason = Fields::default();
    reason.push(HeaderName::Reason, "SIP;cause=200;text=\"Call completed elsewhere\"");
    ua.act(|e, now| e.end(now, sid, reason)).unwrap();
    let cancel = ua.one().text;
    assert_snapshot!(show(&cancel), @r#"
    CANCEL sip:bob@example.com SIP/2.0
    Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKb8j54q3j6cg37;rport
    Max-Forwards: 70
    From: <sip:alice@example.net>;tag=16q4g4jxdh229
    Call-ID: 73vxrj5mdwtxbyan4kxvx2x4hf
    CSeq: 1 CANCEL
    To: <sip:bob@example.com>
    Reason: SIP;cause=200;text="Call completed elsewhere"
    Content-Length: 0
    "#);
    assert_eq!(field(&cancel, "Via"), field(&invite, "Via"));
    ua.hear(&Msg::response(&cancel, 200, "b1"));
    assert!(ua.events.is_empty());
    ua.hear(&Msg::response(&invite, 487, "b1"));
    assert_eq!(ua.one().what(), "ACK");
    assert!(
        matches!(ua.event(), Event::Ended { why: End::HungUp(Some(r)), .. } if r.status().as_u16() == 487)
    );
    ua.must_forget();
}

#[test]
fn rfc3261_9_1_cancel_waits_for_a_provisional_response() {
    let mut ua = Ua::udp();
    let (sid, invite) = ua.call();
    ua.end(sid);
    assert!(ua.take().is_empty());
    ua.wait(600);
    assert_eq!(ua.times("INVITE"), [500], "the INVITE has still to arrive");
    ua.hear(&Msg::response(&invite, 100, ""));
    assert_eq!(ua.one().what(), "CANCEL");
    ua.hear(&Msg::response(&invite, 180, "b1").contact(PEER));
    assert!(ua.take().is_empty() && ua.events.is_empty(), "a given-up call tells of no progress");
    ua.hear(&Msg::response(&invite, 487, "b1"));
    assert!(matches!(ua.event(), Event::Ended { why: End::HungUp(Some(_)), .. }));
    ua.must_forget();
}

#[test]
fn rfc3261_9_1_a_call_that_nobody_hears_ends_with_timer_b() {
    let mut ua = Ua::udp();
    let (sid, _) = ua.call();
    ua.wait(1_000);
    ua.end(sid);
    ua.wait(T64 - 1_000);
    assert!(matches!(ua.event(), Event::Ended { why: End::HungUp(None), .. }));
    ua.must_forget();
}

#[test]
fn rfc3261_9_1_a_cancelled_invite_without_final_response_is_over_after_64_t1() {
    let mut ua = Ua::udp();
    let (sid, invite) = ua.call();
    ua.hear(&Msg::response(&invite, 180, "b1").contact(PEER));
    ua.events.clear();
    ua.wait(5_000);
    ua.end(sid);
    let cancel = ua.one().text;
    ua.hear(&Msg::response(&cancel, 200, "b1"));
    ua.wait(T64 - 1);
    ua.hear(&Msg::response(&invite, 180, "b1").contact(PEER));
    assert!(ua.events.is_empty());
    ua.wait(1);
    assert!(matches!(ua.event(), Event::Ended { why: End::HungUp(None), .. }));
    ua.must_forget();
}

#[test]
fn rfc3261_9_1_a_cancel_is_repeated_by_timer_e() {
    let mut ua = Ua::udp();
    let (sid, invite) = ua.call();
    ua.hear(&Msg::response(&invite, 100, ""));
    ua.end(sid);
    ua.wait(T64);
    assert_eq!(ua.times("CANCEL"), [0, 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500]);
    ua.must_forget();
}

#[test]
fn rfc3261_9_1_a_2xx_that_crosses_cancel_gets_ack_and_bye() {
    let mut ua = Ua::udp();
    let (sid, invite) = ua.call();
    ua.hear(&Msg::response(&invite, 180, "b1").contact(PEER));
    ua.events.clear();
    ua.end(sid);
    ua.take();
    ua.hear(&Msg::response(&invite, 200, "b1").contact(PEER));
    let sent = ua.take();
    assert_eq!([sent[0].what(), sent[1].what()], ["ACK", "BYE"]);
    assert!(ua.events.is_empty());
    ua.hear(&Msg::response(&sent[1].text, 200, ""));
    assert!(matches!(ua.event(), Event::Ended { why: End::HungUp(Some(_)), .. }));
    ua.hear(&Msg::response(&invite, 200, "b1").contact(PEER));
    assert_eq!(ua.one().text, sent[0].text);
    ua.must_forget();
}

#[test]
fn rfc3261_9_2_the_caller_gives_up() {
    let mut ua = Ua::udp();
    let sid = ua.invited();
    let no = ua.endpoint.open_dialog(sid).unwrap();
    ua.act(|e, now| e.progress(now, sid, no, &Ua::reply(180))).unwrap();
    let ringing = ua.one().text;
    let via = field(&ringing, "Via");
    ua.hear(&Msg::request("CANCEL", 1).set("Via", &via).without("Contact"));
    let sent = ua.take();
    assert_snapshot!(show(&sent[0].text), @r#"
    SIP/2.0 200 OK
    Via: SIP/2.0/UDP 198.51.100.9:5060;branch=z9hG4bKpeer1invite
    From: <sip:bob@example.com>;tag=bob1
    To: <sip:alice@example.net>;tag=16q4g4jxdh229
    Call-ID: peer-call
    CSeq: 1 CANCEL
    Content-Length: 0
    "#);
    assert_snapshot!(show(&sent[1].text), @r#"
    SIP/2.0 487 Request Terminated
    Via: SIP/2.0/UDP 198.51.100.9:5060;branch=z9hG4bKpeer1invite
    From: <sip:bob@example.com>;tag=bob1
    To: <sip:alice@example.net>;tag=16q4g4jxdh229
    Call-ID: peer-call
    CSeq: 1 INVITE
    Content-Length: 0
    "#);
    assert_eq!(tag(&sent[0].text, "To"), tag(&sent[1].text, "To"));
    assert_eq!(tag(&sent[0].text, "To"), tag(&ringing, "To"));
    assert!(matches!(ua.event(), Event::Ended { why: End::Cancelled(_), .. }));
    let ack = Msg::inside("ACK", 1, &sent[1].text).set("Via", &via);
    ua.hear(&ack);
    ua.must_forget();
}

#[test]
fn rfc3261_13_3_1_an_invite_is_over_when_its_expires_has_passed() {
    let mut ua = Ua::udp();
    let sid = ua.invited_by(&Msg::request("INVITE", 1).set("Expires", "100"));
    let no = ua.endpoint.open_dialog(sid).unwrap();
    ua.act(|e, now| e.progress(now, sid, no, &Ua::reply(180))).unwrap();
    ua.wait(99_999);
    assert!(ua.take().iter().all(|sent| sent.what() == "180 Ringing"));
    assert!(ua.events.is_empty());
    ua.wait(1);
    let terminated = ua.one();
    assert_eq!(terminated.what(), "487 Request Terminated");
    assert!(matches!(ua.event(), Event::Ended { why: End::Expired, .. }));
    ua.hear(&Msg::inside("ACK", 1, &terminated.text).set("Via", &field(&terminated.text, "Via")));
    ua.must_forget();
}

#[test]
fn rfc3261_9_2_cancel_after_the_answer_changes_nothing() {
    let mut ua = Ua::udp();
    let sid = ua.invited();
    let ok = ua.answer(sid);
    ua.hear(&Msg::request("CANCEL", 1).set("Via", &field(&ok, "Via")));
    let answer = ua.one();
    assert_eq!((start(&answer.text), tag(&answer.text, "To")), ("SIP/2.0 200 OK", tag(&ok, "To")));
    assert!(ua.events.is_empty());
    ua.hear(&Msg::inside("ACK", 1, &ok));
    assert!(matches!(ua.event(), Event::Acknowledged { .. }));
}

#[test]
fn rfc3261_9_2_cancel_for_an_unknown_invite_is_481() {
    let mut ua = Ua::udp();
    ua.hear(&Msg::request("CANCEL", 1));
    assert_eq!(ua.one().what(), "481 Call/Transaction Does Not Exist");
    ua.invited();
    ua.hear(&Msg::request("CANCEL", 1).set("Via", "SIP/2.0/UDP 198.51.100.9:5060;branch=z9hG4bKother"));
    assert_eq!(ua.one().what(), "481 Call/Transaction Does Not Exist");
    assert!(ua.events.is_empty());
}

#[test]
fn rfc3261_9_1_a_challenge_to_a_given_up_call_is_not_taken_up() {
    let mut ua = Ua::udp();
    let (sid, invite) = ua.call();
    ua.end(sid);
    let challenge = "Digest realm=\"r\", nonce=\"n\", qop=\"auth\"";
    ua.hear(&Msg::response(&invite, 407, "p").with("Proxy-Authenticate", challenge));
    assert_eq!(ua.one().what(), "ACK");
    assert!(ua.secrets.is_empty());
    assert!(matches!(ua.event(), Event::Ended { why: End::HungUp(None), .. }));
    ua.must_forget();
}

#[test]
fn a_given_up_call_is_not_sent_to_another_address() {
    let mut ua = Ua::udp();
    let sid = ua.invite("sip:bob@example.com", Default::default());
    ua.resolve("example.com A 198.51.100.9\n example.com A 198.51.100.10");
    let id = ua.one().id;
    ua.end(sid);
    ua.act(|e, now| e.handle_send_failed(now, id));
    assert!(ua.take().is_empty());
    assert!(matches!(ua.event(), Event::Ended { why: End::HungUp(None), .. }));
    ua.must_forget();
}
