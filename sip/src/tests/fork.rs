//! INVITEs of ours that a proxy forks (RFC 3261 §13.2.2.4).

use super::message::{Msg, field, tag};
use super::ua::{PEER, T64, Ua};
use crate::session::Parts;
use crate::{Event, Settings};

fn progress(ua: &mut Ua) -> Option<crate::dialog::DialogNo> {
    match ua.event() {
        Event::Progress { dialog, .. } => dialog,
        other => panic!("{other:?}"),
    }
}

// conforms: RFC3261-12.1.2-10
#[test]
fn rfc3261_12_1_2_each_to_tag_is_an_early_dialog() {
    let mut ua = Ua::udp();
    let (sid, invite) = ua.call();
    let mut dialogs = Vec::new();
    for to in ["b1", "b2", "B1", "b3"] {
        ua.hear(&Msg::response(&invite, 180, to).contact(PEER));
        dialogs.push(progress(&mut ua).unwrap().0);
    }
    assert_eq!(dialogs, [0, 1, 0, 2], "tags are tokens: case does not matter");
    assert_eq!(ua.gauges().dialogs, 3);
    ua.hear(&Msg::response(&invite, 200, "b2").contact("198.51.100.12:5062"));
    let Event::Answered { dialog, .. } = ua.event() else { panic!() };
    assert_eq!(dialog.0, 1);
    ua.act(|e, now| e.acknowledge(now, sid, Parts::default())).unwrap();
    let ack = ua.one();
    assert_eq!(
        (tag(&ack.text, "To").as_str(), ack.to.peer().to_string().as_str()),
        ("b2", "198.51.100.12:5062")
    );
    ua.wait(T64);
    assert_eq!(ua.gauges().dialogs, 1, "64*T1 after the 2xx the early dialogs are over");
}

// conforms: RFC3261-13.2.2.4-2,9 RFC6026-7.2-2
#[test]
fn rfc3261_13_2_2_4_a_second_2xx_gets_ack_and_bye() {
    let mut ua = Ua::udp();
    let (sid, invite) = ua.called();
    let late = Msg::response(&invite, 200, "b2").contact("198.51.100.12:5062");
    ua.hear(&late);
    let sent = ua.take();
    assert_eq!([sent[0].what(), sent[1].what()], ["ACK", "BYE"]);
    for one in &sent {
        assert_eq!(tag(&one.text, "To"), "b2");
        assert_eq!(one.to.peer().to_string(), "198.51.100.12:5062");
    }
    assert_eq!(field(&sent[1].text, "Reason"), "SIP;cause=200;text=\"Call completed elsewhere\"");
    assert!(ua.events.is_empty());
    ua.hear(&late);
    assert_eq!(ua.one().text, sent[0].text);
    ua.hear(&Msg::response(&sent[1].text, 200, ""));
    assert_eq!((ua.gauges().dialogs, ua.endpoint.counters().forks_released), (1, 1));
    ua.end(sid);
    assert_eq!(tag(&ua.one().text, "To"), "b1");
    ua.must_forget();
}

#[test]
fn rfc3261_13_2_2_4_a_fork_that_answers_after_the_end_is_released_too() {
    let mut ua = Ua::udp();
    let (sid, invite) = ua.called();
    ua.end(sid);
    let bye = ua.one().text;
    ua.hear(&Msg::response(&bye, 200, ""));
    assert!(matches!(ua.event(), Event::Ended { .. }));
    ua.hear(&Msg::response(&invite, 200, "b2").contact(PEER));
    let sent = ua.take();
    assert_eq!([sent[0].what(), sent[1].what()], ["ACK", "BYE"]);
    assert!(ua.events.is_empty());
    ua.must_forget();
}

// conforms: RFC3261-13.2.2.4-5
#[test]
fn rfc3261_13_2_2_4_a_challenged_fork_gets_the_credentials_in_its_ack_and_survives_the_first_transaction() {
    for tcp in [false, true] {
        let mut ua = if tcp { Ua::tcp() } else { Ua::udp() };
        let transport = if tcp { ";transport=tcp" } else { "" };
        ua.invite(&format!("sip:bob@{PEER}{transport}"), Parts::default());
        let invite = super::challenge::pass(&mut ua);
        ua.hear(&Msg::response(&invite, 100, ""));
        ua.wait(T64);
        ua.hear(&Msg::response(&invite, 180, "b1").contact(PEER));
        ua.events.clear();
        ua.wait(T64);
        let contact = format!("<sip:bob@{PEER}{transport}>");
        ua.take();
        ua.hear(&Msg::response(&invite, 200, "b1").with("Contact", &contact));
        ua.hear(&Msg::response(&invite, 200, "b2").with("Contact", &contact));
        let sent = ua.take();
        assert_eq!([sent[0].what(), sent[1].what()], ["ACK", "BYE"]);
        assert_eq!(field(&sent[0].text, "Authorization"), field(&invite, "Authorization"));
    }
}

#[test]
fn early_dialogs_have_a_limit() {
    let mut settings =
        Settings { listeners: vec![super::ua::listener(crate::Transport::Udp)], ..Settings::default() };
    settings.limits.early_dialogs = 2;
    let mut ua = Ua::with(settings);
    let (_, invite) = ua.call();
    for n in 0..5 {
        ua.hear(&Msg::response(&invite, 180, &format!("b{n}")).contact(PEER));
    }
    assert_eq!((ua.events.len(), ua.gauges().dialogs), (2, 2));
    assert_eq!(ua.endpoint.counters().early_dialogs_refused, 3);
    ua.hear(&Msg::response(&invite, 200, "b4").contact(PEER));
    assert!(matches!(ua.events.last(), Some(Event::Answered { .. })), "a 2xx is taken all the same");
    for n in 10..30 {
        ua.hear(&Msg::response(&invite, 200, &format!("b{n}")).contact(PEER));
    }
    assert!(ua.gauges().dialogs <= 5, "answers have a limit too");
    let sid = ua.endpoint.sessions.keys().next().unwrap();
    ua.end(sid);
    ua.must_forget();
}

#[test]
fn rfc3261_12_1_1_we_open_an_early_dialog_for_each_fork_of_the_other_side() {
    let mut ua = Ua::udp();
    let sid = ua.invited();
    let mut tags = Vec::new();
    for _ in 0..3 {
        let no = ua.endpoint.open_dialog(sid).unwrap();
        ua.act(|e, now| e.progress(now, sid, no, &Ua::reply(180))).unwrap();
        tags.push((no, tag(&ua.one().text, "To")));
    }
    let (no, to) = tags[1].clone();
    ua.act(|e, now| e.answer(now, sid, no, Parts::default())).unwrap();
    let ok = ua.one().text;
    assert_eq!(tag(&ok, "To"), to);
    assert_eq!(ua.gauges().dialogs, 1);
    let other = ok.replace(&to, &tags[0].1);
    ua.hear(&Msg::inside("INFO", 2, &other));
    assert_eq!(ua.one().what(), "481 Call/Transaction Does Not Exist");
    ua.hear(&Msg::inside("ACK", 1, &ok));
    ua.hear(&Msg::inside("BYE", 2, &ok));
    ua.must_forget();
}

#[test]
fn rfc3261_15_a_bye_of_the_callee_on_an_early_dialog_ends_nothing() {
    let mut ua = Ua::udp();
    let (_, invite) = ua.call();
    ua.hear(&Msg::response(&invite, 180, "b1").contact(PEER));
    ua.events.clear();
    ua.hear(&Msg::inside("BYE", 1, &invite).set("From", "<sip:bob@example.com>;tag=b1"));
    assert_eq!(ua.one().what(), "200 OK");
    assert!(ua.events.is_empty());
    ua.hear(&Msg::response(&invite, 200, "b1").contact(PEER));
    assert!(matches!(ua.event(), Event::Answered { .. }));
    ua.hear(&Msg::inside("BYE", 2, &invite).set("From", "<sip:bob@example.com>;tag=b1"));
    assert!(matches!(ua.event(), Event::Ended { .. }));
}
