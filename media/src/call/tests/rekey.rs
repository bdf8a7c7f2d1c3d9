//! Other keys in the middle of a call.

use super::srtp::{KEY, OTHER, call, keys, octets, plain, protection_at, secure};
use super::*;
use crate::SrtpUse;

/// Who comes with another key may be another endpoint, which knows nothing of the roll-overs of ours (RFC 4568 §7.1.4).
#[test]
fn a_new_key_of_the_peer_is_answered_with_a_new_one_of_ours() {
    let mut call = call(SrtpUse::Required, SrtpUse::Off);
    let offer = secure(&[&format!("1 AES_CM_128_HMAC_SHA1_80 {KEY}")]);
    call.offer(A, B, &offer).unwrap();
    let first = call.answer(B, A, &plain()).unwrap();
    assert!(call.media.is_unchanged(A, wire(&offer).as_bytes()));
    let renewed = offer.replace(KEY, OTHER);
    assert!(!call.media.is_unchanged(A, wire(&renewed).as_bytes()));
    let before = protection_at(&call, 5_000).unwrap();
    call.commands.clear();
    call.offer(A, B, &renewed).unwrap();
    let second = call.answer(B, A, &plain()).unwrap();
    let after = protection_at(&call, 5_000).unwrap();
    assert_ne!(before.send, after.send);
    assert_ne!(before.receive, after.receive);
    assert_eq!(after.send.octets(), octets(&keys(&second)[0]));
    assert_eq!(call.answer(B, A, &plain()).unwrap(), second, "the same answer again has the same key");
    assert!(call.media.knows(A, B));
    // Elsewhere with the key that it has, it is the same endpoint still.
    let moved = renewed.replace("5000", "5002");
    call.offer(A, B, &moved).unwrap();
    assert_eq!(keys(&call.answer(B, A, &plain()).unwrap()), keys(&second));
    assert_ne!(keys(&first), keys(&second));
}

/// As above, where the offer was ours and had our standing key: another one is offered.
#[test]
fn a_new_key_of_the_peer_in_an_answer_has_us_offer_another_one_of_ours() {
    let mut call = call(SrtpUse::Required, SrtpUse::Off);
    call.offer(A, B, &secure(&[&format!("1 AES_CM_128_HMAC_SHA1_80 {KEY}")])).unwrap();
    let told = keys(&call.answer(B, A, &plain()).unwrap());
    let answer = secure(&[&format!("1 AES_CM_128_HMAC_SHA1_80 {OTHER}")]);
    let offered = keys(&call.offer(B, A, &format!("{}a=sendrecv\n", plain())).unwrap());
    assert_eq!(offered, told);
    call.answer(A, B, &answer).unwrap();
    assert!(!call.media.knows(A, B));
    // One that fails tells no other than the next.
    let failed = keys(&call.media.compose_offer(A, B, &mut call.ports).unwrap());
    call.media.offer_failed(A);
    let offered = keys(&call.media.offer_again(A, B, &mut call.ports).unwrap());
    assert_eq!(offered, failed);
    assert!(offered != told && offered.len() == 1, "{offered:?}");
    call.answer(A, B, &answer).unwrap();
    assert!(call.media.knows(A, B));
    assert_eq!(protection_at(&call, 5_000).unwrap().send.octets(), octets(&offered[0]));
    assert_eq!(keys(&call.offer(B, A, &format!("{}a=sendonly\n", plain())).unwrap()), offered);
}

// conforms: RFC7714-13.1-6
#[test]
fn another_suite_gets_another_key_and_so_does_the_first_one_again() {
    let mut call = call(SrtpUse::Required, SrtpUse::Off);
    let of = |suite: &str, key: &str| secure(&[&format!("1 {suite} {key}")]);
    let cm = of("AES_CM_128_HMAC_SHA1_80", KEY);
    let gcm = of("AEAD_AES_128_GCM", "inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw");
    let mut seen = std::collections::BTreeSet::new();
    for offer in [&cm, &gcm, &cm] {
        call.offer(A, B, offer).unwrap();
        let answer = call.answer(B, A, &plain()).unwrap();
        assert!(seen.insert(keys(&answer)), "a key again");
    }
}

// What stood before holds again with the keys that stand: in the clear it would be open, and a key is not begun anew.
#[test]
fn rfc6141_3_what_is_put_back_is_still_protected() {
    let mut call = call(SrtpUse::Required, SrtpUse::Off);
    let offer = secure(&[&format!("1 AES_CM_128_HMAC_SHA1_80 {KEY}")]);
    call.offer(A, B, &offer).unwrap();
    call.answer(B, A, &plain()).unwrap();
    let then = call.media.standing(A).unwrap();
    let before = protection_at(&call, 5_000).unwrap();
    let moved = offer.replace("o=secure 1 1", "o=secure 1 2").replace("m=audio 5000", "m=audio 7000");
    call.offer(A, B, &moved).unwrap();
    call.answer(B, A, &plain()).unwrap();
    assert_eq!(protection_at(&call, 7_000), Some(before.clone()));
    call.media.put_back(A, &then).unwrap();
    call.commands.clear();
    call.drain();
    assert_eq!(protection_at(&call, 5_000), Some(before));
}

/// Neither the peer's new key nor ours stays where what they came with is undone.
#[test]
fn rfc6141_3_what_is_put_back_has_the_keys_that_it_had() {
    let mut call = call(SrtpUse::Required, SrtpUse::Off);
    let offer = secure(&[&format!("1 AES_CM_128_HMAC_SHA1_80 {KEY}")]);
    call.offer(A, B, &offer).unwrap();
    call.answer(B, A, &plain()).unwrap();
    let then = call.media.standing(A).unwrap();
    let before = protection_at(&call, 5_000).unwrap();
    call.offer(A, B, &offer.replace(KEY, OTHER)).unwrap();
    call.answer(B, A, &plain()).unwrap();
    let after = protection_at(&call, 5_000).unwrap();
    assert!(before.send != after.send && before.receive != after.receive);
    call.media.put_back(A, &then).unwrap();
    call.drain();
    assert_eq!(protection_at(&call, 5_000), Some(before.clone()));
    assert!(call.media.is_unchanged(A, wire(&offer).as_bytes()));
    let offered = keys(&call.offer(B, A, &format!("{}a=sendonly\n", plain())).unwrap());
    assert_eq!(octets(&offered[0]), before.send.octets());
}

/// Of a fork: what no other dialog needs goes with the 200, and all with the end of a dialog.
#[test]
fn keys_are_wiped_once_they_are_good_for_nothing() {
    let mut call = call(SrtpUse::Off, SrtpUse::Required);
    let ours = keys(&call.offer(A, B, &plain()).unwrap());
    call.media.fork_party(B, B2).unwrap();
    let answer = secure(&[&format!("2 AES_CM_128_HMAC_SHA1_80 {KEY}")]);
    call.media.receive_answer(B2, wire(&answer).as_bytes()).unwrap();
    call.answer(B, A, &answer).unwrap();
    assert_eq!(ours.len(), 2);
    call.media.remove_party(B2);
    call.media.confirm(B);
    let party = call.media.party(B).unwrap();
    assert!(party.first_keyed.is_empty() && party.first_lines.is_empty());
    let kept: Vec<_> = party.streams[0].keys.iter().map(|key| key.octets().to_vec()).collect();
    assert_eq!(kept, [octets(&ours[1])]);
    // Nothing new is told for that.
    let offered = keys(&call.media.offer_again(B, A, &mut call.ports).unwrap());
    assert_eq!(offered, ours);
    call.media.offer_failed(B);
    let before = call.media.view(B).unwrap().streams[0].guarded;
    call.media.retire(B);
    let party = call.media.party(B).unwrap();
    assert!(party.ours.standing.is_empty() && party.streams[0].keys.is_empty() && party.mint.is_none());
    assert!(party.streams[0].link.as_ref().unwrap().srtp.is_none());
    assert_eq!(call.media.view(B).unwrap().streams[0].guarded, before);
}

/// Two dialogs have one key of ours, by which one of them is spoken to; the other one may answer before that or after.
#[test]
fn rfc3711_3_3_1_who_has_heard_nothing_of_a_roll_over_gets_another_key() {
    let answer = |line: &str| secure(&[&format!("2 AES_CM_128_HMAC_SHA1_80 {line}")]);
    for (late, rolls, heard) in
        [(false, true, false), (true, true, false), (true, false, false), (false, true, true)]
    {
        let mut call = call(SrtpUse::Off, SrtpUse::Required);
        let ours = keys(&call.offer(A, B, &plain()).unwrap());
        call.media.fork_party(B, B2).unwrap();
        let other = answer(OTHER).replace("5000", "6000");
        if !late {
            call.media.receive_answer(B2, wire(&other).as_bytes()).unwrap();
        }
        call.answer(B, A, &answer(KEY)).unwrap();
        let counters =
            |call: &Call, party| call.media.party(party).unwrap().streams[0].counters.clone().unwrap();
        if rolls {
            counters(&call, B).rolled();
        }
        if heard {
            let sent = crate::quality::Tally { bytes: 172, rtcp: false, now_millis: 1 };
            counters(&call, B2).sent(sent);
        }
        if late {
            call.media.receive_answer(B2, wire(&other).as_bytes()).unwrap();
        }
        call.media.connect(A, B2);
        call.media.remove_party(B);
        let is_due = rolls && !heard;
        assert_eq!(call.media.knows(B2, A), !is_due, "{late} {rolls} {heard}");
        if is_due {
            let offered = keys(&call.media.offer_again(B2, A, &mut call.ports).unwrap());
            assert!(offered.len() == 1 && !ours.contains(&offered[0]), "{offered:?}");
            let other = secure(&[&format!("1 AES_CM_128_HMAC_SHA1_80 {OTHER}")]).replace("5000", "6000");
            call.media.receive_answer(B2, wire(&other).as_bytes()).unwrap();
            call.drain();
            assert!(call.media.knows(B2, A));
            assert_eq!(protection_at(&call, 6_000).unwrap().send.octets(), octets(&offered[0]));
        }
    }
}
