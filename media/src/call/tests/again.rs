//! What stands, said again: session refreshes (RFC 4028 §7.4), and dialogs that feed nobody any more.

use super::*;
use crate::negotiate::Misuse;

#[test]
fn rfc4028_7_4_what_stands_is_offered_as_it_was_sent_and_its_answer_changes_nothing() {
    let mut call = Call::new(Mode::Anchored);
    let offered = call.offer(A, B, AUDIO).unwrap();
    let answered = call.answer(B, A, ANSWER).unwrap();
    call.commands.clear();
    for (party, other, sent, theirs) in [(A, B, &answered, AUDIO), (B, A, &offered, ANSWER)] {
        assert_eq!(call.media.described_to(party).as_ref(), Some(sent));
        assert_eq!(call.media.offer_again(party, other, &mut call.ports).as_ref(), Ok(sent));
        let pending = call.media.offer_again(party, other, &mut call.ports);
        assert_eq!(pending, Err(Refusal::Misuse(Misuse::OfferPending)));
        call.media.receive_answer(party, wire(theirs).as_bytes()).unwrap();
    }
    call.drain();
    assert!(call.commands.is_empty(), "{:?}", call.commands);
    assert_eq!(call.ports.lent(), 2);
}

#[test]
fn after_an_offer_that_failed_what_stands_gets_a_version_of_its_own() {
    let mut call = Call::established();
    let stands = call.media.described_to(B).unwrap();
    let refused = call.offer(A, B, &AUDIO.replace("RTP/AVP 0 96", "RTP/AVP 96 0")).unwrap();
    call.media.offer_failed(B);
    call.media.offer_failed(A);
    let again = call.media.offer_again(B, A, &mut call.ports).unwrap();
    let version = |text: &Bytes| shown(text).lines().nth(1).unwrap().split(' ').nth(2).unwrap().to_owned();
    assert_eq!([&stands, &refused, &again].map(version), ["1", "2", "3"]);
    let rest = |text: &Bytes| shown(text).lines().skip(2).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(rest(&again), rest(&stands));
}

#[test]
fn only_the_version_makes_no_change() {
    let call = Call::established();
    assert!(call.media.is_unchanged(A, wire(AUDIO).as_bytes()));
    assert!(call.media.is_unchanged(A, wire(&AUDIO.replace("2890844526 IN", "2890844527 IN")).as_bytes()));
    assert!(!call.media.is_unchanged(A, wire(&AUDIO.replace("49170", "49172")).as_bytes()));
    assert!(!call.media.is_unchanged(B, wire(AUDIO).as_bytes()));
}

#[test]
fn rfc6228_4_who_is_parted_neither_hears_nor_is_heard() {
    let mut call = Call::established();
    call.media.part(B);
    call.drain();
    assert!(!call.commands.is_empty());
    let destination = call.commands.iter().any(|command| match command {
        Command::Set { settings, .. } => settings.peer.is_some(),
        _ => false,
    });
    assert!(!destination, "{:?}", call.commands);
    assert_eq!(call.ports.lent(), 2, "its ports may be needed again");
    call.commands.clear();
    call.media.connect(A, B);
    call.drain();
    assert!(!call.commands.is_empty());
}
