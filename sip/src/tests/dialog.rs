//! Dialogs: route sets, targets, numbers (RFC 3261 §12).

use super::message::{Msg, field, fields, start};
use super::ua::{PEER, Ua};
use crate::session::Parts;
use crate::{End, Event};

fn routes(text: &str) -> Vec<String> {
    fields(text).into_iter().filter(|(n, _)| n == "Route").map(|(_, v)| v).collect()
}

const GONE: &str = "481 Call/Transaction Does Not Exist";

// conforms: RFC3261-12.1.2-4 RFC3261-12.2.1.1-13
#[test]
fn rfc3261_12_1_2_the_route_set_of_a_caller_is_reversed() {
    let mut ua = Ua::udp();
    let (sid, invite) = ua.call();
    let ok = Msg::response(&invite, 200, "b1")
        .contact("10.0.0.5:5080")
        .with("Record-Route", "<sip:203.0.113.2;lr>, <sip:203.0.113.1:5070;lr>");
    ua.hear(&ok);
    ua.act(|e, now| e.acknowledge(now, sid, Parts::default())).unwrap();
    let ack = ua.one();
    assert_eq!(start(&ack.text), "ACK sip:bob@10.0.0.5:5080 SIP/2.0");
    assert_eq!(routes(&ack.text), ["<sip:203.0.113.1:5070;lr>", "<sip:203.0.113.2;lr>"]);
    assert_eq!(ack.to.peer().to_string(), "203.0.113.1:5070");
}

// conforms: RFC3261-12.1.1-1,6,12,14 RFC3261-12.2.1.1-13
#[test]
fn rfc3261_12_1_1_the_route_set_of_a_callee_is_in_order_and_the_2xx_copies_it() {
    let mut ua = Ua::udp();
    let invite = Msg::request("INVITE", 1)
        .with("Record-Route", "<sip:203.0.113.2;lr>")
        .with("Record-Route", "<sip:203.0.113.1;lr>");
    let sid = ua.invited_by(&invite);
    let ok = ua.answer(sid);
    let copied: Vec<_> =
        fields(&ok).into_iter().filter(|(n, _)| n == "Record-Route").map(|(_, v)| v).collect();
    assert_eq!(copied, ["<sip:203.0.113.2;lr>", "<sip:203.0.113.1;lr>"]);
    ua.hear(&Msg::inside("ACK", 1, &ok));
    ua.end(sid);
    let bye = ua.one();
    assert_eq!(field(&bye.text, "From"), field(&ok, "To"));
    assert_eq!(field(&bye.text, "To"), field(&ok, "From"));
    assert_eq!(routes(&bye.text), copied);
    assert_eq!(bye.to.peer().to_string(), "203.0.113.2:5060");
}

// conforms: RFC3261-12.1.1-9,13 RFC3261-12.2.1.1-5
#[test]
fn rfc3261_12_1_1_a_caller_without_a_tag_has_a_dialog_too() {
    let mut ua = Ua::udp();
    let sid = ua.invited_by(&Msg::request("INVITE", 5).set("From", "<sip:bob@example.com>"));
    let ok = ua.answer(sid);
    ua.hear(&Msg::inside("ACK", 5, &ok));
    assert!(matches!(ua.event(), Event::Acknowledged { .. }));
    assert_eq!(field(&ua.info(sid).1, "To"), "<sip:bob@example.com>");
    ua.hear(&Msg::inside("OPTIONS", 4, &ok));
    assert_eq!(ua.one().what(), "500 CSeq Out of Order");
    ua.hear(&Msg::inside("BYE", 6, &ok));
    assert_eq!(ua.one().what(), "200 OK");
    ua.must_forget();
}

// conforms: RFC3261-8.1.2-2 RFC3261-12.1.1-8 RFC3261-12.2.1.1-14,15,16
#[test]
fn rfc3261_12_2_1_1_a_strict_router_gets_itself_as_request_uri() {
    let mut ua = Ua::udp();
    let invite = Msg::request("INVITE", 1).with("Record-Route", "<sip:203.0.113.2>, <sip:203.0.113.1;lr>");
    let sid = ua.invited_by(&invite);
    let ok = ua.answer(sid);
    ua.hear(&Msg::inside("ACK", 1, &ok));
    ua.end(sid);
    let bye = ua.one();
    assert_eq!(start(&bye.text), "BYE sip:203.0.113.2 SIP/2.0");
    assert_eq!(routes(&bye.text), ["<sip:203.0.113.1;lr>", "<sip:bob@198.51.100.9:5060>"]);
    assert_eq!(bye.to.peer().to_string(), "203.0.113.2:5060");
}

// conforms: RFC3261-12.1.2-5 RFC3261-12.2.1.1-12 RFC3261-13.2.2.4-1
#[test]
fn rfc3261_13_2_2_4_the_2xx_recomputes_the_route_set_of_its_early_dialog() {
    let mut ua = Ua::udp();
    let (sid, invite) = ua.call();
    ua.hear(&Msg::response(&invite, 180, "b1").contact(PEER).with("Record-Route", "<sip:203.0.113.1;lr>"));
    assert_eq!(ua.endpoint.session(sid).unwrap().dialogs[0].route_set.len(), 1);
    ua.hear(&Msg::response(&invite, 200, "b1").contact("10.0.0.5"));
    ua.act(|e, now| e.acknowledge(now, sid, Parts::default())).unwrap();
    let ack = ua.one();
    assert!(routes(&ack.text).is_empty());
    assert_eq!(ack.to.peer().to_string(), "10.0.0.5:5060");
    let info = ua.info(sid).1;
    assert!(routes(&info).is_empty());
}

// conforms: RFC3261-8.2-1,2 RFC3261-12.2.1.2-1 RFC3261-12.2.2-5 RFC6141-4.2-1,2 RFC6141-4.6-2
#[test]
fn rfc6141_4_targets_follow_2xx_and_reinvites_but_nothing_unreliable() {
    let mut ua = Ua::udp();
    let (sid, invite) = ua.call();
    let target = |ua: &Ua| ua.endpoint.session(sid).unwrap().dialogs[0].remote_target.clone();
    ua.hear(&Msg::response(&invite, 180, "b1").contact("10.0.0.1"));
    assert_eq!(target(&ua), "sip:bob@10.0.0.1");
    ua.hear(&Msg::response(&invite, 183, "b1").contact("10.0.0.2"));
    assert_eq!(target(&ua), "sip:bob@10.0.0.1", "RFC 6141 §4.7");
    ua.hear(&Msg::response(&invite, 200, "b1").contact("10.0.0.3"));
    assert_eq!(target(&ua), "sip:bob@10.0.0.3");
    ua.act(|e, now| e.acknowledge(now, sid, Parts::default())).unwrap();
    ua.take();
    ua.act(|e, now| e.reinvite(now, sid, 70, Parts::default())).unwrap();
    let again = ua.one().text;
    let ok = Msg::response(&again, 200, "").contact("10.0.0.4").with("Record-Route", "<sip:203.0.113.1;lr>");
    ua.hear(&ok);
    assert_eq!(target(&ua), "sip:bob@10.0.0.4");
    assert!(ua.endpoint.session(sid).unwrap().dialogs[0].route_set.is_empty());
    ua.act(|e, now| e.acknowledge(now, sid, Parts::default())).unwrap();
    assert_eq!(ua.one().to.peer().to_string(), "10.0.0.4:5060");
    let reinvite = |seq| Msg::inside("INVITE", seq, &invite).set("From", "<sip:bob@example.com>;tag=b1");
    ua.hear(&reinvite(1).contact("10.0.0.66"));
    ua.act(|e, now| e.reject_reinvite(now, sid, &Ua::reply(488))).unwrap();
    assert_eq!(target(&ua), "sip:bob@10.0.0.4", "a refused re-INVITE moves nothing");
    ua.hear(&reinvite(2).contact("10.0.0.5"));
    ua.act(|e, now| e.answer_reinvite(now, sid, Parts::default())).unwrap();
    assert_eq!(target(&ua), "sip:bob@10.0.0.5");
}

// conforms: RFC3261-12.1.1-10 RFC3261-12.2.1.1-7,8,9
#[test]
fn rfc3261_12_2_1_1_each_side_numbers_its_own_requests() {
    let mut ua = Ua::udp();
    let (sid, ok) = ua.answered();
    let numbers: Vec<_> = (0..2).map(|_| field(&ua.info(sid).1, "CSeq")).collect();
    assert_eq!(numbers, ["1 INFO", "2 INFO"]);
    ua.hear(&Msg::inside("OPTIONS", 900, &ok));
    ua.take();
    assert_eq!(field(&ua.info(sid).1, "CSeq"), "3 INFO");
    let (sid, _) = Ua::called(&mut ua);
    assert_eq!(field(&ua.info(sid).1, "CSeq"), "2 INFO", "goes on from the INVITE");
}

// conforms: RFC3261-12.2.2-3,4
#[test]
fn rfc3261_12_2_2_a_number_lower_than_the_last_is_500_and_gaps_are_fine() {
    let mut ua = Ua::udp();
    let (_, ok) = ua.answered();
    ua.hear(&Msg::inside("OPTIONS", 10, &ok));
    assert_eq!(ua.one().what(), "200 OK");
    ua.hear(&Msg::inside("OPTIONS", 9, &ok));
    assert_eq!(ua.one().what(), "500 CSeq Out of Order");
    ua.hear(&Msg::inside("BYE", 11, &ok));
    assert_eq!(ua.one().what(), "200 OK");
    assert!(matches!(ua.event(), Event::Ended { why: End::Bye(_), .. }));
}

// conforms: RFC3261-12.1.1-11,12 RFC3261-12.2.2-1
#[test]
fn rfc3261_12_2_2_requests_of_unknown_dialogs_get_481() {
    let mut ua = Ua::udp();
    let (_, ok) = ua.answered();
    let inside = |method| Msg::inside(method, 7, &ok);
    let strangers = [
        inside("BYE").set("Call-ID", "another"),
        inside("INFO").set("Call-ID", "PEER-CALL"),
        inside("INVITE").set("From", "<sip:bob@example.com>;tag=other"),
        inside("OPTIONS").set("To", "<sip:alice@example.net>;tag=0000000000000"),
        inside("UPDATE").set("To", "<sip:alice@example.net>;tag=x"),
        inside("BYE").set("From", "<sip:bob@example.com>"),
        Msg::request("BYE", 9),
    ];
    for (n, stranger) in strangers.into_iter().enumerate() {
        let via = format!("SIP/2.0/UDP 198.51.100.9:5060;branch=z9hG4bKstranger{n}");
        ua.hear(&stranger.set("Via", &via));
        assert_eq!(ua.one().what(), GONE);
    }
    assert!(ua.events.is_empty());
    assert_eq!(ua.endpoint.counters().unknown_dialogs, 7);
}

#[test]
fn rfc3261_7_3_1_tags_and_branches_ignore_case() {
    let mut ua = Ua::udp();
    let (_, ok) = ua.answered();
    let upper = field(&ok, "To").replace("<sip:alice@example.net>;tag=", "").to_uppercase();
    let bye = Msg::inside("BYE", 2, &ok)
        .set("To", &format!("<sip:alice@example.net>;tag={upper}"))
        .set("From", "<sip:bob@example.com>;tag=BOB1");
    ua.hear(&bye);
    assert_eq!(ua.one().what(), "200 OK");
}

#[test]
fn rfc3261_8_1_1_8_an_invite_without_usable_contact_is_400() {
    for invite in [
        Msg::request("INVITE", 1).without("Contact"),
        Msg::request("INVITE", 1).set("Contact", "*"),
        Msg::request("INVITE", 1).with("Contact", "<sip:other@example.com>"),
        Msg::request("INVITE", 1).set("Record-Route", "nonsense<"),
    ] {
        let mut ua = Ua::udp();
        ua.hear(&invite);
        assert_eq!(ua.one().what(), "400 Missing or Malformed Contact");
        ua.must_forget();
    }
}

#[test]
fn rfc3261_12_1_2_a_response_without_contact_leaves_the_next_hop() {
    let mut ua = Ua::udp();
    let (sid, invite) = ua.call();
    ua.hear(&Msg::response(&invite, 200, "b1"));
    ua.act(|e, now| e.acknowledge(now, sid, Parts::default())).unwrap();
    let ack = ua.one();
    assert_eq!(ack.to.peer().to_string(), PEER);
}
