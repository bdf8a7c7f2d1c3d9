//! How the targets of a call were found, for people who ask.

use super::message::Msg;
use super::ua::{Ua, address};
use crate::location::{Fate, Found, Trouble};
use crate::session::{Parts, Patience};
use crate::{End, Event, NetworkId, Unreachable};
use std::time::Duration;

const ZONE: &str = "
    _sip._udp.example.com SRV 1 10 5060 one.example.com
    _sip._udp.example.com SRV 2 10 5060 two.example.com
    _sip._udp.example.com SRV 2 90 5060 three.example.com
    one.example.com A 198.51.100.1
    two.example.com A 198.51.100.2
    three.example.com A 198.51.100.3";

const PATIENCE: Patience = Patience { target: Some(Duration::from_secs(3)), last_resort: true };

fn read(found: &Found) -> String {
    let questions = found.questions.iter().map(ToString::to_string);
    let open = found.open.iter().map(|question| format!("{} {}?", question.kind.name(), question.name));
    let targets = found.targets.iter().map(ToString::to_string);
    questions.chain(open).chain(targets).collect::<Vec<_>>().join("\n")
}

fn expected(ua: &Ua, uri: &str) -> Result<String, Unreachable> {
    let uri = uri.parse().unwrap();
    ua.endpoint.expected(ua.now(), NetworkId(0), &uri).map(|found| read(&found))
}

#[test]
fn a_call_by_name_tells_what_was_asked_and_how_each_target_fared() {
    let mut ua = Ua::udp();
    assert_eq!(expected(&ua, "sip:bob@example.com").unwrap(), "NAPTR example.com?", "nobody has asked yet");
    let sid = ua.invite_with("sip:bob@example.com", Parts::default(), PATIENCE);
    assert!(ua.endpoint.session(sid).unwrap().found.is_none(), "not found yet");
    ua.resolve(ZONE);
    let first = ua.one();
    let fates = |ua: &Ua| -> Vec<Fate> {
        ua.endpoint.session(sid).unwrap().found.unwrap().targets.iter().map(|tried| tried.fate).collect()
    };
    assert_eq!(fates(&ua), [Fate::Tried, Fate::Waiting, Fate::Waiting]);
    ua.act(|e, now| e.handle_send_failed(now, first.id));
    assert_eq!(fates(&ua), [Fate::Failed(Trouble::OutOfReach), Fate::Tried, Fate::Waiting]);
    ua.wait(3_000);
    let last = ua.take().pop().unwrap();
    let third = last.to.peer();
    ua.hear(&Msg::response(&last.text, 100, ""));
    ua.hear(&Msg::response(&last.text, 486, "x"));
    let Event::Ended { why: End::Rejected(_), found: Some(found), .. } = ua.event() else { panic!() };
    // By chance and weight either of the two of priority 2 comes first.
    let (silent, answered) = match third == address("198.51.100.3:5060") {
        true => (2, 3),
        false => (3, 2),
    };
    let lines = read(&found);
    let tail = format!(
        "udp 198.51.100.1:5060: out of reach\n\
         udp 198.51.100.{silent}:5060: silent\n\
         udp 198.51.100.{answered}:5060: answered 486"
    );
    assert!(lines.ends_with(&tail), "{lines}");
    let head = "NAPTR example.com: none (told, for 0 s)\n\
                SRV _sip._udp.example.com: 1 10 5060 one.example.com., 2 10 5060 two.example.com., \
                2 90 5060 three.example.com. (told, for 60 s)\n\
                A one.example.com: 198.51.100.1 (told, for 60 s)\n";
    assert!(lines.starts_with(head), "{lines}");
    ua.take();
    ua.must_forget();
}

#[test]
fn what_follows_in_the_dialog_of_a_call_changes_nothing_of_how_it_was_found() {
    let mut ua = Ua::udp();
    let sid = ua.invite_with("sip:bob@one.example.com:5060", Parts::default(), PATIENCE);
    ua.resolve(ZONE);
    let invite = ua.one();
    ua.hear(&Msg::response(&invite.text, 200, "b").contact("198.51.100.77:5060"));
    ua.act(|e, now| e.acknowledge(now, sid, Parts::default()).unwrap());
    ua.act(|e, now| e.end(now, sid, sip_types::Fields::default()).unwrap());
    let bye = ua.take().pop().unwrap();
    assert_eq!((bye.what(), bye.to.peer()), ("BYE", address("198.51.100.77:5060")));
    let lines = read(&ua.endpoint.session(sid).unwrap().found.unwrap());
    assert_eq!(
        lines,
        "A one.example.com: 198.51.100.1 (told, for 60 s)\nudp 198.51.100.1:5060: answered 200"
    );
    ua.hear(&Msg::response(&bye.text, 200, "b"));
    ua.take();
    ua.must_forget();
}

#[test]
fn what_a_next_call_would_find_is_told_without_asking_anybody() {
    let mut ua = Ua::udp();
    let uri = "sip:bob@example.com;transport=udp";
    ua.invite_with(uri, Parts::default(), PATIENCE);
    ua.resolve(ZONE);
    let first = ua.one();
    ua.act(|e, now| e.handle_send_failed(now, first.id));
    ua.take();
    insta::assert_snapshot!(expected(&ua, uri).unwrap(), @r"
    SRV _sip._udp.example.com: 1 10 5060 one.example.com., 2 10 5060 two.example.com., 2 90 5060 three.example.com. (remembered, for 60 s)
    A one.example.com: 198.51.100.1 (remembered, for 60 s)
    A three.example.com: 198.51.100.3 (remembered, for 60 s)
    A two.example.com: 198.51.100.2 (remembered, for 60 s)
    udp 198.51.100.1:5060: passed over, as it was out of reach
    udp 198.51.100.3:5060: not needed
    udp 198.51.100.2:5060: not needed
    ");
    assert!(ua.take().is_empty(), "nothing is sent");
    assert_eq!(
        expected(&ua, "sip:198.51.100.1").unwrap(),
        "udp 198.51.100.1:5060: passed over, as it was out of reach"
    );
    assert_eq!(expected(&ua, "sip:198.51.100.9").unwrap(), "udp 198.51.100.9:5060: not needed");
    assert_eq!(
        expected(&ua, "sip:198.51.100.9;transport=tcp").unwrap(),
        "tcp 198.51.100.9:5060: no listener leads there"
    );
    assert_eq!(expected(&ua, "sips:example.com;transport=tcp"), Err(Unreachable::NotSecure));
    ua.wait(61_000);
    assert_eq!(expected(&ua, uri).unwrap(), "SRV _sip._udp.example.com?", "its time is over");
}
