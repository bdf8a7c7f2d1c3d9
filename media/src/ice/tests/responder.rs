//! RFC 8445 §7.3, RFC 8489 §6.3, §9.1.3.

use std::net::SocketAddr;

use super::peer::{Answer, Asking, read};
use crate::ice::{Component, Credentials, Heard, Known, Responder, Secret, Session, Unanswered};

const PASSWORD: &str = "a password of ours, 24 c";

fn responder() -> Responder {
    Responder::new(&Credentials { ufrag: "ours".into(), password: PASSWORD.into() })
}

fn source() -> SocketAddr {
    "198.51.100.7:40000".parse().unwrap()
}

fn check() -> Asking {
    Asking::new("ours", "them", PASSWORD)
}

/// What is done about a datagram, and the answer.
fn hear(
    responder: &mut Responder,
    datagram: &[u8],
    known: bool,
    now: u64,
) -> (Result<bool, Unanswered>, Option<Vec<u8>>) {
    match responder.hear(datagram, source(), known, now) {
        Heard::Check(check) => {
            assert_eq!(check.remote, b"them");
            (Ok(check.nominates), Some(check.response().to_vec()))
        }
        Heard::Alive => (Ok(false), None),
        Heard::Refused(why, refusal) => (Err(why), refusal.map(|refusal| refusal.as_bytes().to_vec())),
    }
}

// conforms: RFC8445-7.3-3
#[test]
fn rfc8445_7_3_a_check_is_answered_with_its_source_under_our_password() {
    let (heard, answer) = hear(&mut responder(), &check().bytes(), false, 0);
    assert_eq!(heard, Ok(false));
    assert_eq!(read(&answer.unwrap(), Some(PASSWORD)), Answer::Mapped(source()));
    assert_eq!(hear(&mut responder(), &check().nominating().bytes(), false, 0).0, Ok(true));
}

// conforms: RFC8445-7.3-2,4
#[test]
fn rfc8489_9_1_3_who_does_not_know_user_or_password_is_told_401_and_who_names_none_400() {
    let wrong = Asking { password: Some("another password of 24 c".into()), ..check() };
    let stranger = Asking { user: Some("oursx:them".into()), ..check() };
    let (nobody, open) = (Asking { user: None, ..check() }, Asking { password: None, ..check() });
    let odd = Asking { user: Some("ours".into()), ..check() };
    for (asking, why, code) in [
        (wrong, Unanswered::Unauthorized, 401),
        (stranger, Unanswered::Unauthorized, 401),
        (nobody, Unanswered::Malformed, 400),
        (open, Unanswered::Malformed, 400),
        (odd, Unanswered::Malformed, 400),
    ] {
        let (heard, answer) = hear(&mut responder(), &asking.bytes(), false, 0);
        assert_eq!(heard, Err(why));
        assert_eq!(read(&answer.unwrap(), None), Answer::Refused(code, vec![]));
    }
    let none = Asking { priority: None, ..check() };
    let (heard, answer) = hear(&mut responder(), &none.bytes(), false, 0);
    assert_eq!(heard, Err(Unanswered::Malformed));
    assert_eq!(read(&answer.unwrap(), Some(PASSWORD)), Answer::Refused(400, vec![]));
}

#[test]
fn rfc8489_6_3_1_attributes_that_must_be_known_are_named_in_a_420() {
    let more = vec![(0x7001, vec![1, 2, 3]), (0x9001, vec![4]), (0x7002, vec![]), (0x7001, vec![])];
    let (heard, answer) = hear(&mut responder(), &Asking { more, ..check() }.bytes(), false, 0);
    assert_eq!(heard, Err(Unanswered::Unknown));
    assert_eq!(read(&answer.unwrap(), Some(PASSWORD)), Answer::Refused(420, vec![0x7001, 0x7002]));
    let more = (0x7001..0x7030).map(|kind| (kind, vec![])).collect();
    let (_, answer) = hear(&mut responder(), &Asking { more, ..check() }.bytes(), false, 0);
    let answer = answer.unwrap();
    assert!(answer.len() <= 128);
    assert_eq!(read(&answer, Some(PASSWORD)), Answer::Refused(420, vec![0x7001, 0x7002, 0x7003, 0x7004]));
}

// conforms: RFC8445-6.1.1-2 RFC8445-7.3.1.1-2,3 RFC8445-7.3.1.5-2
#[test]
fn rfc8445_7_3_1_1_a_peer_that_is_controlled_is_told_487() {
    let asking = Asking { controlling: false, controlled: true, ..check() };
    let (heard, answer) = hear(&mut responder(), &asking.nominating().bytes(), false, 0);
    assert_eq!(heard, Err(Unanswered::Conflict));
    assert_eq!(read(&answer.unwrap(), Some(PASSWORD)), Answer::Refused(487, vec![]));
}

// conforms: RFC8445-7.3-7,8
#[test]
fn what_is_not_whole_or_asks_nothing_has_no_answer() {
    let mut broken = check().bytes();
    *broken.last_mut().unwrap() ^= 1;
    assert_eq!(hear(&mut responder(), &broken, false, 0), (Err(Unanswered::Malformed), None));
    let bare = Asking { fingerprint: false, ..check() };
    assert_eq!(hear(&mut responder(), &bare.bytes(), false, 0), (Err(Unanswered::Malformed), None));
    let mut before_rfc5389 = check().bytes();
    before_rfc5389[4] ^= 1;
    assert_eq!(hear(&mut responder(), &before_rfc5389, false, 0), (Err(Unanswered::Malformed), None));
    for kind in [0x0101, 0x0111, 0x0003] {
        let other = Asking { kind, ..check() };
        assert_eq!(hear(&mut responder(), &other.bytes(), false, 0), (Err(Unanswered::Unexpected), None));
    }
    let keepalive = Asking { kind: 0x0011, ..check() };
    assert_eq!(hear(&mut responder(), &keepalive.bytes(), false, 0), (Ok(false), None));
}

#[test]
fn rfc8489_14_5_what_comes_after_the_integrity_counts_for_nothing() {
    let plain = check().bytes();
    let cut = plain.len() - 8;
    let mut longer = plain[..cut].to_vec();
    longer.extend([0x00, 0x25, 0, 0]);
    let length = u16::try_from(longer.len() - 20 + 8).unwrap();
    longer[2..4].copy_from_slice(&length.to_be_bytes());
    let sum = crate::stun::fingerprint(&longer);
    longer.extend([0x80, 0x28, 0, 4]);
    longer.extend(sum.to_be_bytes());
    assert_eq!(hear(&mut responder(), &longer, false, 0).0, Ok(false), "it nominates nothing");
}

#[test]
fn a_flood_of_strangers_leaves_those_who_have_proved_themselves_their_answers() {
    let mut responder = responder();
    let wrong = Asking { user: Some("none:them".into()), ..check() }.bytes();
    let answers = (0..1_000).filter(|_| hear(&mut responder, &wrong, false, 0).1.is_some()).count();
    assert_eq!(answers, 10);
    let guess = Asking { password: Some("guess".into()), ..check() }.bytes();
    let answers = (0..1_000).filter(|_| hear(&mut responder, &guess, false, 0).1.is_some()).count();
    assert_eq!(answers, 100);
    let checks = check().bytes();
    assert_eq!(hear(&mut responder, &checks, false, 0).0, Err(Unanswered::Limited));
    assert_eq!(hear(&mut responder, &checks, true, 0).0, Ok(false));
    assert_eq!(
        hear(&mut responder, &checks, false, 20).0,
        Ok(false),
        "a fiftieth of a second later there is room for two"
    );
}

#[test]
fn rfc8445_9_the_credentials_before_a_restart_are_good_for_a_while() {
    let mut responder = responder();
    let next = |ufrag: &str| Credentials { ufrag: ufrag.into(), password: PASSWORD.into() };
    responder.learn(&next("second"));
    responder.learn(&next("third"));
    responder.learn(&next("third"));
    assert_eq!(hear(&mut responder, &check().bytes(), false, 0).0, Ok(false));
    responder.learn(&next("fourth"));
    assert_eq!(hear(&mut responder, &check().bytes(), false, 0).0, Err(Unanswered::Unauthorized));
}

// conforms: RFC8445-7.3-5
#[test]
fn rfc8445_7_3_checks_before_the_answer_count_once_it_has_come() {
    let mut responder = responder();
    let datagram = check().nominating().bytes();
    let Heard::Check(early) = responder.hear(&datagram, source(), false, 5) else { panic!("no check") };
    responder.remember(&early, Component::Rtp, source(), 5);
    let mut other = Session::new("ours".into(), "else".into(), false);
    responder.hand_over(&mut other);
    assert!(!other.standing().completed);
    let mut session = Session::new("ours".into(), "them".into(), false);
    responder.hand_over(&mut session);
    assert_eq!(session.destination(Component::Rtp, 5), Some(source()));
    assert_eq!(session.knows(Component::Rtcp, source()), Known::Not);
}

// conforms: RFC8445-5.3-2
#[test]
fn rfc8445_5_3_credentials_are_long_enough_and_unlike_one_another() {
    let secret = Secret::new([1, 2]);
    let first = secret.credentials(&[b"a", b"bc"]);
    assert_eq!((first.ufrag.len(), first.password.len()), (8, 24));
    let is_char = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    assert!(first.ufrag.bytes().chain(first.password.bytes()).all(is_char));
    assert_eq!(first, secret.credentials(&[b"a", b"bc"]));
    for other in [secret.credentials(&[b"ab", b"c"]), Secret::new([1, 3]).credentials(&[b"a", b"bc"])] {
        assert!(first.ufrag != other.ufrag && first.password != other.password);
    }
    assert!(!format!("{first:?}").contains(&*first.password));
}
