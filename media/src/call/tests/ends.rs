//! A leg that leaves its keys to the peers beside one whose keys end with us.

use super::srtp::{KEY, OTHER, keys, media, plain, protection_at, secure, security};
use super::*;
use crate::{Guarded, SrtpUse};

const C: PartyId = PartyId(5);

/// A call of one that leaves it open and one of that kind.
fn beside(b: SrtpUse) -> Call {
    let mut call = Call::new(Mode::Anchored);
    open(&mut call, A);
    match b {
        SrtpUse::Auto => open(&mut call, B),
        SrtpUse::EndToEnd => {}
        _ => call.media.protect(B, security(b), [2; 32]),
    }
    call
}

fn open(call: &mut Call, party: PartyId) {
    call.media.protect_alike(party, security(SrtpUse::Auto));
}

fn sdes(key: &str) -> String {
    secure(&[&format!("1 AES_CM_128_HMAC_SHA1_80 {key}")])
}

fn answer_of(b: SrtpUse) -> String {
    let secure = secure(&[&format!("2 AES_CM_128_HMAC_SHA1_80 {OTHER}")]).replace("5000", "6000");
    if b == SrtpUse::Off { plain().replace("4000", "6000") } else { secure }
}

fn guarded(call: &Call, party: PartyId) -> Guarded {
    call.media.view(party).unwrap().streams[0].guarded
}

#[test]
fn keys_of_a_leg_that_leaves_it_open_end_beside_a_leg_whose_keys_do() {
    for b in [SrtpUse::Required, SrtpUse::Preferred, SrtpUse::Off] {
        let mut call = beside(b);
        let offered = call.offer(A, B, &sdes(KEY)).unwrap();
        assert!(!shown(&offered).contains(KEY), "{b:?} {}", shown(&offered));
        let answered = call.answer(B, A, &answer_of(b)).unwrap();
        assert!(media(&answered).starts_with("m=audio 20000 RTP/SAVP 0\n"), "{b:?} {}", media(&answered));
        assert_eq!(keys(&answered).len(), 1);
        assert!(!shown(&answered).contains(KEY) && !shown(&answered).contains(OTHER));
        let (a, b_keys) = (protection_at(&call, 5_000).unwrap(), protection_at(&call, 6_000));
        assert_eq!(b_keys.is_some(), b != SrtpUse::Off);
        assert!(b_keys.is_none_or(|of_b| of_b.send != a.send && of_b.receive != a.receive));
        assert!(matches!(guarded(&call, A), Guarded::Sdes(_)));
    }
}

/// The first offer that the other side makes in the middle of the call.
#[test]
fn an_offer_of_either_side_later_has_the_keys_that_stand() {
    let mut call = beside(SrtpUse::Required);
    call.offer(A, B, &sdes(KEY)).unwrap();
    let told = keys(&call.answer(B, A, &answer_of(SrtpUse::Required)).unwrap());
    let hold = format!("{}a=sendonly\n", answer_of(SrtpUse::Required));
    let offered = call.offer(B, A, &hold).unwrap();
    assert!(media(&offered).starts_with("m=audio 20000 RTP/SAVP 0\n"), "{}", media(&offered));
    assert_eq!(keys(&offered), told);
    call.answer(A, B, &sdes(KEY).replace("a=rtcp-mux", "a=recvonly")).unwrap();
    let offered = call.offer(A, B, &format!("{}a=sendonly\n", sdes(KEY))).unwrap();
    assert!(media(&offered).starts_with("m=audio 30000 RTP/SAVP 0\n"));
    assert!(call.media.knows(A, B));
}

#[test]
fn a_called_leg_that_leaves_it_open_is_offered_plain_rtp_and_may_turn_to_keys_later() {
    let mut call = Call::new(Mode::Anchored);
    call.media.protect(A, security(SrtpUse::Required), [1; 32]);
    open(&mut call, B);
    let offered = call.offer(A, B, &sdes(KEY)).unwrap();
    assert_eq!(media(&offered), "m=audio 30000 RTP/AVP 0\na=rtcp-mux\n");
    call.answer(B, A, &plain().replace("4000", "6000")).unwrap();
    assert_eq!(guarded(&call, B), Guarded::No);
    let offered = call.offer(B, A, &answer_of(SrtpUse::Required)).unwrap();
    assert!(!shown(&offered).contains(OTHER));
    let answered = call.answer(A, B, &sdes(KEY)).unwrap();
    assert!(keys(&answered)[0].starts_with("2 AES_CM_128_HMAC_SHA1_80") && !shown(&answered).contains(KEY));
    assert!(protection_at(&call, 6_000).is_some());
}

#[test]
fn keys_that_nobody_was_asked_for_are_no_answer() {
    for b in [SrtpUse::Auto, SrtpUse::EndToEnd, SrtpUse::Preferred] {
        let mut call = Call::new(Mode::Anchored);
        call.media.protect(A, security(SrtpUse::Required), [1; 32]);
        match b {
            SrtpUse::Auto => open(&mut call, B),
            SrtpUse::EndToEnd => {}
            _ => call.media.protect(B, crate::Security { keys: false, ..security(b) }, [2; 32]),
        }
        call.offer(A, B, &sdes(KEY)).unwrap();
        let refused = call.media.receive_answer(B, wire(&answer_of(SrtpUse::Required)).as_bytes());
        assert_eq!(refused, Err(Refusal::Keys { section: 0 }), "{b:?}");
    }
}

#[test]
fn two_legs_that_leave_it_open_leave_the_keys_to_their_peers() {
    let mut call = beside(SrtpUse::Auto);
    assert!(shown(&call.offer(A, B, &sdes(KEY)).unwrap()).contains(KEY));
    let answered = call.answer(B, A, &answer_of(SrtpUse::Required).replace(":2 ", ":1 ")).unwrap();
    assert!(shown(&answered).contains(OTHER));
    assert_eq!((guarded(&call, A), guarded(&call, B)), (Guarded::EndToEnd, Guarded::EndToEnd));
}

/// Of several legs that one offer goes to, each has it in its way, and who answers decides.
#[test]
fn what_a_leg_that_leaves_it_open_offers_goes_to_both_kinds() {
    for ending_answers in [true, false] {
        let mut call = beside(SrtpUse::Required);
        call.media.add_party(C, &call.networks[1].clone());
        open(&mut call, C);
        assert!(!shown(&call.offer(A, B, &sdes(KEY)).unwrap()).contains(KEY));
        let carried = call.media.compose_offer(C, A, &mut call.ports).unwrap();
        assert!(shown(&carried).contains(KEY));
        let (by, answer) = match ending_answers {
            true => (B, answer_of(SrtpUse::Required)),
            false => (C, answer_of(SrtpUse::Required).replace(":2 ", ":1 ")),
        };
        let answered = call.answer(by, A, &answer).unwrap();
        assert_eq!(shown(&answered).contains(OTHER), !ending_answers);
        assert_eq!(guarded(&call, A) == Guarded::EndToEnd, !ending_answers);
    }
}

/// As above in one dialog towards the caller, which has keys of ours by then: who answers in the end is offered others, and until then
/// nothing flows.
#[test]
fn a_leg_that_was_told_the_keys_of_a_peer_whose_keys_end_by_now_is_offered_ours() {
    let mut call = beside(SrtpUse::Required);
    call.media.add_party(C, &call.networks[1].clone());
    open(&mut call, C);
    call.offer(A, B, &sdes(KEY)).unwrap();
    call.media.compose_offer(C, A, &mut call.ports).unwrap();
    call.answer(B, A, &answer_of(SrtpUse::Required)).unwrap();
    call.commands.clear();
    let answer = secure(&[&format!("1 AES_CM_128_HMAC_SHA1_80 {OTHER}")]).replace("5000", "7000");
    let answered = call.answer(C, A, &answer).unwrap();
    assert!(!shown(&answered).contains(OTHER));
    let feeds = |call: &Call, port: u16| {
        let settings = call.commands.iter().rev().find_map(|command| match command {
            Command::Set { settings, .. } if settings.remote.port() == port => Some(settings.clone()),
            _ => None,
        });
        settings.is_some_and(|settings| settings.peer.is_some())
    };
    assert!(!feeds(&call, 7_000) && !feeds(&call, 5_000), "{:?}", call.commands);
    assert!(!call.media.knows(C, A));
    // What it has said already it may say again, in its 200.
    assert_eq!(call.media.receive_answer(C, wire(&answer).as_bytes()), Ok(()));
    let other = call.media.receive_answer(C, wire(&answer.replace(OTHER, KEY)).as_bytes());
    assert_eq!(other, Err(Refusal::Keys { section: 0 }));
    let offered = call.media.compose_offer(C, A, &mut call.ports).unwrap();
    assert!(media(&offered).starts_with("m=audio 30004 RTP/SAVP 0\n") && !shown(&offered).contains(KEY));
    let answer = answer.replace("crypto:1", "crypto:2");
    call.media.receive_answer(C, wire(&answer).as_bytes()).unwrap();
    call.drain();
    assert!(feeds(&call, 7_000) && feeds(&call, 5_000), "{:?}", call.commands);
    assert!(protection_at(&call, 7_000).is_some());
}

/// A transfer: keys that the peers had between them are no good towards somebody whose keys end.
#[test]
fn a_partner_whose_keys_end_has_the_keys_of_the_one_who_stays_end_as_well() {
    let mut call = beside(SrtpUse::Auto);
    call.offer(A, B, &sdes(KEY)).unwrap();
    call.answer(B, A, &answer_of(SrtpUse::Required).replace(":2 ", ":1 ")).unwrap();
    call.media.add_party(C, &call.networks[1].clone());
    call.media.protect(C, security(SrtpUse::Required), [3; 32]);
    let offered = call.media.compose_offer(C, A, &mut call.ports).unwrap();
    assert!(media(&offered).starts_with("m=audio 30002 RTP/SAVP 0\n") && !shown(&offered).contains(KEY));
    let answer = answer_of(SrtpUse::Required).replace("6000", "7000");
    call.media.receive_answer(C, wire(&answer).as_bytes()).unwrap();
    let offered = call.media.compose_offer(A, C, &mut call.ports).unwrap();
    assert!(media(&offered).starts_with("m=audio 20002 RTP/SAVP 0\n"), "{}", media(&offered));
    assert!(!shown(&offered).contains(OTHER) && !keys(&offered).is_empty());
    let tag = keys(&offered).iter().position(|line| line.contains("AES_CM_128_HMAC_SHA1_80")).unwrap() + 1;
    let answer = secure(&[&format!("{tag} AES_CM_128_HMAC_SHA1_80 {KEY}")]);
    call.media.receive_answer(A, wire(&answer).as_bytes()).unwrap();
    call.media.connect(A, C);
    call.drain();
    assert!(protection_at(&call, 5_000).is_some() && protection_at(&call, 7_000).is_some());
}

/// RFC 7879 §3: their lines cross whole, or not at all.
#[test]
fn a_leg_whose_keys_must_not_end_has_nothing_protected_in_common_with_one_whose_keys_do() {
    for b in [SrtpUse::Required, SrtpUse::Preferred, SrtpUse::Off] {
        let mut call = Call::new(Mode::Anchored);
        call.media.protect(B, security(b), [2; 32]);
        assert_eq!(call.offer(A, B, &sdes(KEY)), Err(Refusal::Protection { section: 0 }), "{b:?}");
        call.media.offer_failed(A);
        // What is plain is nobody's to keep.
        let keyed = format!("{}a=crypto:1 AES_CM_128_HMAC_SHA1_80 {KEY}\n", plain());
        let offered = call.offer(A, B, &keyed).unwrap();
        assert!(!shown(&offered).contains(KEY));
        call.answer(B, A, &answer_of(b)).unwrap();
        assert!(call.media.knows(B, A) && call.media.knows(A, B), "{b:?}");
    }
}

#[test]
fn keys_in_the_clear_do_not_end_here() {
    let mut call = Call::new(Mode::Anchored);
    call.media.protect_alike(A, crate::Security { keys: false, ..security(SrtpUse::Auto) });
    call.media.protect(B, security(SrtpUse::Required), [2; 32]);
    assert_eq!(call.offer(A, B, &sdes(KEY)), Err(Refusal::Protection { section: 0 }));
    assert!(call.media.offer_again(B, A, &mut call.ports).is_err());
}
