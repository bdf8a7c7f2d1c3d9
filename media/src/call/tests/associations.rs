//! Which DTLS association goes on, and which is another one.

use super::dtls::{OTHER, SHA1, TRUNK, media, required, secure, setup, terms_at, tls_id};
use super::*;
use crate::dtls::Role;

// conforms: RFC5763-6.6-1 RFC8842-1-1 RFC8842-4-1,4 RFC8842-5.3-2
#[test]
fn rfc8842_3_1_another_name_certificate_role_or_address_is_another_association() {
    let standing = secure("actpass", SHA1, "1");
    let unnamed = secure("actpass", SHA1, "");
    let moved = |text: &str| text.replace("IN IP4 198.51.100.1", "IN IP4 198.51.100.2");
    for (first, then, another) in [
        (&standing, secure("actpass", SHA1, "2"), true),
        (&standing, secure("actpass", OTHER, "1"), true),
        (&standing, secure("active", SHA1, "1"), true),
        (&standing, secure("passive", SHA1, "1"), false),
        (&standing, moved(&standing), false),
        (&unnamed, moved(&unnamed), true),
        (&unnamed, unnamed.replace("198.51.100.1", "0.0.0.0"), false),
    ] {
        let mut call = required();
        call.offer(A, B, first).unwrap();
        let before = call.answer(B, A, TRUNK).unwrap();
        call.offer(A, B, &then).unwrap();
        let after = call.answer(B, A, TRUNK).unwrap();
        let terms = terms_at(&call, 5_000).unwrap();
        assert_eq!(terms.association, if another { 2 } else { 1 }, "{then}");
        if tls_id(&before).is_some() {
            assert_eq!(tls_id(&before) != tls_id(&after), another, "{then}");
        }
    }
}

// conforms: RFC8842-5.5-3,4 RFC8842-8-2,3,4
#[test]
fn rfc8842_5_5_offers_of_ours_leave_the_choice_and_keep_the_name() {
    let mut call = required();
    call.offer(A, B, &secure("actpass", SHA1, "1")).unwrap();
    let answered = call.answer(B, A, TRUNK).unwrap();
    let offered = call.offer(B, A, &format!("{TRUNK}a=sendonly\n")).unwrap();
    assert_eq!((setup(&offered).as_str(), tls_id(&offered)), ("actpass", tls_id(&answered)));
    assert!(media(&offered).starts_with("m=audio 20000 UDP/TLS/RTP/SAVP 8\n"));
    let terms = terms_at(&call, 5_000);
    call.answer(A, B, &secure("passive", SHA1, "1")).unwrap();
    assert_eq!(terms_at(&call, 5_000), terms);
    // Who does not say in an answer who begins leaves it as it is.
    call.offer(B, A, TRUNK).unwrap();
    call.answer(A, B, &secure("actpass", SHA1, "1")).unwrap();
    assert_eq!(terms_at(&call, 5_000), terms);
    call.offer(B, A, TRUNK).unwrap();
    call.answer(A, B, &secure("passive", SHA1, "2")).unwrap();
    assert_eq!(terms_at(&call, 5_000).unwrap().association, 2);
    // Nobody has made the offer: it is ours, with what stands.
    let again = call.media.compose_offer(A, B, &mut call.ports).unwrap();
    assert_eq!((setup(&again).as_str(), tls_id(&again)), ("actpass", tls_id(&answered)));
}

#[test]
fn rfc8842_8_each_early_dialog_has_an_association_of_its_own() {
    let mut call = required();
    let offered = call.offer(B, A, TRUNK).unwrap();
    call.media.fork_party(A, A2).unwrap();
    call.media.receive_answer(A, wire(&secure("active", SHA1, "1")).as_bytes()).unwrap();
    let other = secure("passive", OTHER, "2").replace("5000", "6000");
    call.media.receive_answer(A2, wire(&other).as_bytes()).unwrap();
    call.drain();
    let (one, two) = (terms_at(&call, 5_000).unwrap(), terms_at(&call, 6_000).unwrap());
    assert_eq!((one.role, two.role), (Role::Server, Role::Client));
    assert_ne!(one.fingerprints, two.fingerprints);
    // What either is offered from then on has the name that both were told.
    call.media.confirm(A2);
    let again = call.media.compose_offer(A2, B, &mut call.ports).unwrap();
    assert_eq!(tls_id(&again), tls_id(&offered));
}

#[test]
fn dialogs_that_answer_one_offer_of_theirs_have_names_of_their_own() {
    let mut call = required();
    call.media.receive_offer(A, wire(&secure("actpass", SHA1, "1")).as_bytes()).unwrap();
    call.media.fork_party(A, A2).unwrap();
    call.media.compose_offer(B, A, &mut call.ports).unwrap();
    call.media.receive_answer(B, wire(TRUNK).as_bytes()).unwrap();
    let one = call.media.compose_answer(A, B, &mut call.ports).unwrap();
    let two = call.media.compose_answer(A2, B, &mut call.ports).unwrap();
    assert_ne!(tls_id(&one).unwrap(), tls_id(&two).unwrap());
}

#[test]
fn what_fails_or_is_put_back_leaves_the_association_as_it_is() {
    let mut call = required();
    let offer = secure("actpass", SHA1, "1");
    call.offer(A, B, &offer).unwrap();
    let answered = call.answer(B, A, TRUNK).unwrap();
    let (then, before) = (call.media.standing(A).unwrap(), terms_at(&call, 5_000).unwrap());
    call.commands.clear();
    call.offer(A, B, &secure("actpass", OTHER, "2")).unwrap();
    call.media.offer_failed(B);
    call.media.offer_failed(A);
    call.drain();
    assert!(call.commands.is_empty(), "{:?}", call.commands);
    assert_eq!(call.media.compose_answer(A, B, &mut call.ports).unwrap(), answered);
    call.offer(A, B, &offer.replace("5000", "7000")).unwrap();
    call.answer(B, A, TRUNK).unwrap();
    call.media.put_back(A, &then).unwrap();
    call.drain();
    assert_eq!(terms_at(&call, 5_000), Some(before));
}

/// Nothing is left of one that has given way. What asks for another one has another port (RFC 8842 §5.1).
// conforms: RFC8842-5.1-2
#[test]
fn where_an_association_that_is_no_more_stands_again_another_one_is_offered_at_another_port() {
    let mut call = required();
    call.offer(A, B, &secure("actpass", SHA1, "1")).unwrap();
    let told = tls_id(&call.answer(B, A, TRUNK).unwrap());
    let then = call.media.standing(A).unwrap();
    call.offer(A, B, &secure("actpass", OTHER, "2")).unwrap();
    call.answer(B, A, TRUNK).unwrap();
    call.media.put_back(A, &then).unwrap();
    call.drain();
    assert_eq!(terms_at(&call, 5_000), None);
    let fed = call.commands.iter().rev().find_map(|command| match command {
        Command::Set { settings, .. } if settings.remote.port() == 5_000 => Some(settings.peer),
        _ => None,
    });
    assert_eq!(fed, Some(None), "nothing flows in the clear");
    let offered = call.media.compose_offer(A, B, &mut call.ports).unwrap();
    assert!(media(&offered).starts_with("m=audio 20002 UDP/TLS/RTP/SAVP"), "{}", media(&offered));
    assert!(tls_id(&offered).is_some() && tls_id(&offered) != told);
    // One that fails leaves it so.
    call.media.offer_failed(A);
    call.media.compose_offer(A, B, &mut call.ports).unwrap();
    call.media.receive_answer(A, wire(&secure("active", SHA1, "3")).as_bytes()).unwrap();
    call.drain();
    let terms = terms_at(&call, 5_000).unwrap();
    assert!(terms.fingerprints.iter().any(|print| print.to_string().eq_ignore_ascii_case(SHA1)));
    call.media.close();
    call.drain();
    assert_eq!(call.ports.lent(), 0);
}
