//! Keys of several early dialogs.

use super::srtp::{KEY, OTHER, call, keys, octets, plain, protection_at, secure};
use super::*;
use crate::SrtpUse;

#[test]
fn each_early_dialog_answers_our_keys_with_its_own() {
    let mut call = call(SrtpUse::Off, SrtpUse::Required);
    let ours = keys(&call.offer(A, B, &plain()).unwrap());
    call.media.fork_party(B, B2).unwrap();
    for (party, port, key) in [(B, "5000", KEY), (B2, "6000", OTHER)] {
        let answer = secure(&[&format!("2 AES_CM_128_HMAC_SHA1_80 {key}")]).replace("5000", port);
        call.media.receive_answer(party, wire(&answer).as_bytes()).unwrap();
        call.media.connect(A, party);
    }
    call.drain();
    let (first, second) = (protection_at(&call, 5_000).unwrap(), protection_at(&call, 6_000).unwrap());
    assert_ne!(first.receive, second.receive);
    assert_eq!((first.send.octets(), &first.send), (octets(&ours[1]).as_slice(), &second.send));
}

/// How many have gone before is no matter: what our key was used for stays known where it is used ([`crate::relay`]).
#[test]
fn early_dialogs_come_and_go_without_end_on_the_ports_of_one_offer() {
    let mut call = call(SrtpUse::Off, SrtpUse::Required);
    call.offer(A, B, &plain()).unwrap();
    for fork in 100..200 {
        call.media.fork_party(B, PartyId(fork)).unwrap();
        let answer = secure(&[&format!("2 AES_CM_128_HMAC_SHA1_80 {KEY}")]);
        call.media.receive_answer(PartyId(fork), wire(&answer).as_bytes()).unwrap();
        call.media.remove_party(PartyId(fork));
    }
    for fork in 0..u32::from(crate::MAX_CONTEXTS) - 1 {
        call.media.fork_party(B, PartyId(1_000 + fork)).unwrap();
    }
    assert_eq!(call.media.fork_party(B, B2), Err(Refusal::TooManyDialogs));
}

// conforms: RFC3711-8-2 RFC3711-9.1-3
#[test]
fn early_dialogs_towards_a_caller_have_keys_of_their_own() {
    let mut call = call(SrtpUse::Required, SrtpUse::Off);
    call.offer(A, B, &secure(&[&format!("1 AES_CM_128_HMAC_SHA1_80 {KEY}")])).unwrap();
    call.media.fork_party(A, A2).unwrap();
    call.media.receive_answer(B, wire(&plain()).as_bytes()).unwrap();
    let first = call.media.compose_answer(A, B, &mut call.ports).unwrap();
    let second = call.media.compose_answer(A2, B, &mut call.ports).unwrap();
    assert_ne!(octets(&keys(&first)[0]), octets(&keys(&second)[0]));
}
