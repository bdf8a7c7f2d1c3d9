//! BYE on early dialogs (RFC 3261 §15, RFC 5407 Appendix A).

use super::message::{Msg, field, tag};
use super::reliable;
use super::ua::{PEER, T64, Ua};
use crate::dialog::DialogNo;
use crate::session::{IntentError, Parts, SessionId};
use crate::{End, Event};

/// An INVITE of ours that rings under those tags, and its dialogs.
fn ringing<const N: usize>(ua: &mut Ua, tags: [&str; N]) -> (SessionId, String, [DialogNo; N]) {
    let (sid, invite) = ua.call();
    let dialogs = tags.map(|tag| {
        ua.hear(&Msg::response(&invite, 180, tag).contact(PEER));
        match ua.event() {
            Event::Progress { dialog: Some(no), .. } => no,
            other => panic!("{other:?}"),
        }
    });
    (sid, invite, dialogs)
}

/// Our BYE in one of them.
fn left(ua: &mut Ua, sid: SessionId, no: DialogNo) -> String {
    ua.act(|e, now| e.end_dialog(now, sid, no, Default::default())).unwrap();
    let bye = ua.one();
    assert_eq!(bye.what(), "BYE");
    bye.text
}

/// An INVITE of the peer's that rings in so many dialogs: the responses.
fn rung(ua: &mut Ua, dialogs: usize) -> (SessionId, Vec<String>) {
    let sid = ua.invited();
    let mut ring = || {
        let no = ua.endpoint.open_dialog(sid).unwrap();
        ua.act(|e, now| e.progress(now, sid, no, &Ua::reply(180))).unwrap();
        ua.one().text
    };
    let rings = (0..dialogs).map(|_| ring()).collect();
    (sid, rings)
}

// conforms: RFC3261-15.1.2-2,3
#[test]
fn rfc3261_15_1_2_a_bye_of_the_caller_ends_one_early_dialog() {
    let mut ua = Ua::udp();
    let (sid, rings) = rung(&mut ua, 2);
    ua.hear(&Msg::inside("INFO", 2, &rings[0]));
    ua.requested();
    ua.hear(&Msg::inside("BYE", 3, &rings[0]));
    let mut sent = ua.take();
    sent.sort_by_key(|sent| field(&sent.text, "CSeq"));
    assert_eq!([sent[0].what(), sent[1].what()], ["487 Request Terminated", "200 OK"]);
    assert_eq!(field(&sent[0].text, "CSeq"), "2 INFO", "what waits there is answered");
    assert!(matches!(ua.event(), Event::EarlyBye { dialog: DialogNo(0), .. }));
    // It is no dialog any more; the other one is.
    ua.hear(&Msg::inside("BYE", 4, &rings[0]));
    assert_eq!(ua.one().what(), "481 Call/Transaction Does Not Exist");
    ua.act(|e, now| e.answer(now, sid, DialogNo(1), Parts::default())).unwrap();
    let ok = ua.one();
    assert_eq!((ok.what(), tag(&ok.text, "To")), ("200 OK", tag(&rings[1], "To")));
    ua.hear(&Msg::inside("ACK", 1, &ok.text));
    ua.hear(&Msg::inside("BYE", 5, &ok.text));
    ua.must_forget();
}

// conforms: RFC3261-15.1.2-3
#[test]
fn rfc3261_15_1_2_where_nothing_is_left_the_owner_answers_487() {
    let mut ua = Ua::udp();
    let (sid, rings) = rung(&mut ua, 1);
    ua.hear(&Msg::inside("BYE", 2, &rings[0]));
    assert_eq!(ua.one().what(), "200 OK");
    assert!(matches!(ua.event(), Event::EarlyBye { .. }));
    ua.act(|e, now| e.reject(now, sid, &Ua::reply(487))).unwrap();
    let refused = ua.one();
    assert_eq!((refused.what(), tag(&refused.text, "To")), ("487 Request Terminated", tag(&rings[0], "To")));
    ua.must_forget();
}

#[test]
fn rfc3262_3_a_bye_in_the_dialog_whose_answer_waits_for_its_prack_ends_the_call() {
    let mut ua = reliable::ua();
    let (sid, no) = reliable::invited(&mut ua, "Require");
    let rung = reliable::send(&mut ua, sid, no, &reliable::described());
    ua.act(|e, now| e.answer(now, sid, no, Parts::default())).unwrap();
    assert!(ua.take().is_empty(), "it waits");
    ua.hear(&Msg::inside("BYE", 2, &rung));
    let sent = ua.take();
    assert_eq!([sent[0].what(), sent[1].what()], ["200 OK", "487 Request Terminated"]);
    assert!(matches!(ua.event(), Event::Ended { why: End::Bye(_), .. }));
    ua.must_forget();
}

// conforms: RFC5407-2-1 RFC5407-A-1
#[test]
fn rfc5407_a_an_early_dialog_is_left_and_another_one_answers() {
    let mut ua = Ua::udp();
    let (sid, invite, [one, _]) = ringing(&mut ua, ["b1", "b2"]);
    let bye = left(&mut ua, sid, one);
    assert_eq!((tag(&bye, "To").as_str(), field(&bye, "CSeq").as_str()), ("b1", "2 BYE"));
    let again = ua.act(|e, now| e.end_dialog(now, sid, one, Default::default()));
    assert_eq!(again, Err(IntentError::Gone));
    // What its peer says meanwhile concerns nobody.
    ua.hear(&Msg::response(&invite, 183, "b1").contact(PEER));
    let from = "<sip:bob@example.com>;tag=b1";
    ua.hear(&Msg::inside("INFO", 1, &invite).set("From", from));
    assert_eq!(ua.one().what(), "481 Call/Transaction Does Not Exist");
    ua.hear(&Msg::response(&bye, 200, ""));
    ua.wait(T64);
    assert!(ua.take().is_empty() && ua.events.is_empty());
    assert_eq!(ua.gauges().dialogs, 1);
    ua.hear(&Msg::response(&invite, 200, "b2").contact(PEER));
    assert!(matches!(ua.event(), Event::Answered { dialog: DialogNo(1), .. }));
    ua.act(|e, now| e.acknowledge(now, sid, Parts::default())).unwrap();
    assert_eq!(tag(&ua.one().text, "To"), "b2");
    ua.wait(T64);
    assert_eq!(ua.endpoint.sessions[sid].dialogs.len(), 1, "nothing is kept of it");
    ua.end(sid);
    ua.must_forget();
}

#[test]
fn rfc5407_a_the_final_response_of_one_that_was_left_ends_the_invite() {
    let mut ua = Ua::udp();
    let (sid, invite, [one]) = ringing(&mut ua, ["b1"]);
    let bye = left(&mut ua, sid, one);
    ua.hear(&Msg::response(&bye, 200, ""));
    ua.hear(&Msg::response(&invite, 487, "b1"));
    assert_eq!(ua.one().what(), "ACK");
    assert!(matches!(ua.event(), Event::Ended { why: End::Rejected(_), .. }));
    ua.must_forget();
}

/// Whether its peer had the BYE before it answered or after, it gets its ACK; and another BYE where the first one is over.
#[test]
fn rfc5407_3_1_3_one_that_was_left_answers_all_the_same() {
    for answered in [None, Some(200), Some(481)] {
        let mut ua = Ua::udp();
        let (sid, invite, [one, _]) = ringing(&mut ua, ["b1", "b2"]);
        let bye = left(&mut ua, sid, one);
        if let Some(status) = answered {
            ua.hear(&Msg::response(&bye, status, ""));
        }
        let ok = Msg::response(&invite, 200, "b1").contact(PEER);
        ua.hear(&ok);
        let sent = ua.take();
        let expected: &[&str] = if answered.is_none() { &["ACK"] } else { &["ACK", "BYE"] };
        assert_eq!(sent.iter().map(|sent| sent.what()).collect::<Vec<_>>(), expected);
        assert!(sent.iter().all(|sent| tag(&sent.text, "To") == "b1"));
        assert!(matches!(ua.event(), Event::Ended { why: End::Left, .. }));
        ua.hear(&ok);
        assert_eq!(ua.one().text, sent[0].text, "each time that it is answered");
        // RFC 3261 §13.2.2.4: and so does another one that answers now, which is let go.
        ua.hear(&Msg::response(&invite, 200, "b2").contact(PEER));
        assert_eq!(ua.take().iter().map(|sent| tag(&sent.text, "To")).collect::<Vec<_>>(), ["b2", "b2"]);
        ua.must_forget();
    }
}

/// A called phone that knows no BYE before the answer must not ring for ever.
#[test]
fn who_takes_no_bye_yet_is_cancelled_where_nobody_else_rings() {
    for (answer, others) in [(Some(481), false), (Some(481), true), (None, false)] {
        let mut ua = Ua::udp();
        let (sid, invite, [one]) = ringing(&mut ua, ["b1"]);
        if others {
            ua.hear(&Msg::response(&invite, 180, "b2").contact(PEER));
            ua.events.clear();
        }
        let bye = left(&mut ua, sid, one);
        match answer {
            Some(status) => ua.hear(&Msg::response(&bye, status, "")),
            None => ua.wait(T64),
        }
        let cancelled = ua.take().iter().any(|sent| sent.what() == "CANCEL");
        assert_eq!(cancelled, !others, "{answer:?}");
        assert!(ua.events.is_empty());
        ua.hear(&Msg::response(&invite, 487, "b1"));
        match ua.event() {
            Event::Ended { why: End::Left, .. } => assert!(!others),
            Event::Ended { why: End::Rejected(_), .. } => assert!(others),
            other => panic!("{other:?}"),
        }
        ua.must_forget();
    }
}

#[test]
fn what_waits_in_a_dialog_that_was_left_ends_nothing() {
    let mut ua = Ua::udp();
    let (sid, invite, [one, two]) = ringing(&mut ua, ["b1", "b2"]);
    let info = |e: &mut crate::Endpoint, now| {
        e.request_in(now, sid, Some(one), sip_types::Method::Info, 70, Parts::default())
    };
    ua.act(info).unwrap();
    let asked = ua.one().text;
    let bye = left(&mut ua, sid, one);
    assert_eq!(ua.act(info), Err(IntentError::WrongState));
    ua.hear(&Msg::response(&bye, 200, ""));
    ua.hear(&Msg::response(&asked, 481, ""));
    assert!(matches!(ua.event(), Event::Responded { .. }));
    assert!(ua.take().is_empty(), "no CANCEL");
    ua.hear(&Msg::response(&invite, 200, "b2").contact(PEER));
    let Event::Answered { dialog, .. } = ua.event() else { panic!() };
    assert_eq!(dialog, two);
}
