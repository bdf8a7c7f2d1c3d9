//! The races of RFC 5407 with Liaison between the two that race: what each of them gets, whole messages kept as snapshots.

use super::common::{ALICE, BOB, Call, INSIDE, OUTSIDE, TWO_SIDES, World, answer, by_hand, invite, ms, s};
use liaison_tests::message::{Msg, audio, field, seq, start};

/// Everything that Liaison has sent to each of them, in order.
fn seen(world: &World) -> String {
    let of = |at: &str| {
        let texts: Vec<_> = world.sent_to(at).iter().map(|text| text.replace("\r\n", "\n")).collect();
        texts.join("--------\n")
    };
    format!("=== to Alice\n{}\n=== to Bob\n{}", of(ALICE), of(BOB))
}

/// Alice's call rings at Bob: the INVITE that he got.
fn ringing(world: &mut World) -> String {
    world.post(ALICE, OUTSIDE, &invite());
    let invited = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&invited, 180, "bob").contact(BOB));
    invited
}

/// Bob has answered, and Alice has not acknowledged yet: her 200.
fn answered(world: &mut World) -> (String, String, String) {
    let invited = ringing(world);
    world.post(BOB, INSIDE, &answer(&invited));
    let ok = world.expect(ALICE, "200");
    let acked = world.expect(BOB, "ACK");
    (ok, invited, acked)
}

fn over(world: &mut World, what: &str) {
    world.must_forget(what);
    assert_eq!(world.records.lock().unwrap().len(), 1, "{what}");
}

fn bobs_target(invited: &str) -> String {
    liaison_tests::message::uri_in(&field(invited, "Contact"))
}

// conforms: RFC5407-3.1.1-1,2
#[test]
fn rfc5407_3_1_1_an_invite_that_comes_again_after_its_answer_is_the_same_one() {
    let mut world = by_hand(TWO_SIDES, 311);
    let (ok, ..) = answered(&mut world);
    world.post(ALICE, OUTSIDE, &invite());
    world.run_for(ms(20));
    assert!(world.unread(BOB).is_empty(), "Bob is not called again");
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, &ok));
    world.post(ALICE, OUTSIDE, &Msg::inside("BYE", ALICE, 2, &ok));
    let bye = world.expect(BOB, "BYE");
    world.ok(BOB, INSIDE, &bye);
    over(&mut world, "3.1.1");
    insta::assert_snapshot!("3_1_1", seen(&world));
}

#[test]
fn rfc5407_3_1_2_a_cancel_after_the_answer_changes_nothing() {
    let mut world = by_hand(TWO_SIDES, 312);
    let (ok, ..) = answered(&mut world);
    world.post(ALICE, OUTSIDE, &Msg::of_invite("CANCEL", &invite()));
    assert!(field(&world.expect(ALICE, "200"), "CSeq").ends_with("CANCEL"));
    world.expect_no(BOB, "BYE");
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, &ok));
    world.post(ALICE, OUTSIDE, &Msg::inside("BYE", ALICE, 2, &ok));
    let bye = world.expect(BOB, "BYE");
    world.ok(BOB, INSIDE, &bye);
    over(&mut world, "3.1.2");
    insta::assert_snapshot!("3_1_2", seen(&world));
}

#[test]
fn rfc5407_3_1_3_a_bye_of_the_early_dialog_that_meets_the_answer_ends_both_legs() {
    let mut world = by_hand(TWO_SIDES, 313);
    let (ok, ..) = answered(&mut world);
    // She has sent it before she had the 200, which she acknowledges all the same.
    world.post(ALICE, OUTSIDE, &Msg::inside("BYE", ALICE, 2, &ok));
    assert!(field(&world.expect(ALICE, "200"), "CSeq").ends_with("BYE"));
    let bye = world.expect(BOB, "BYE");
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, &ok));
    world.ok(BOB, INSIDE, &bye);
    over(&mut world, "3.1.3");
    insta::assert_snapshot!("3_1_3", seen(&world));
}

#[test]
fn rfc5407_3_1_4_a_reinvite_before_the_ack_waits() {
    let mut world = by_hand(TWO_SIDES, 314);
    let (ok, ..) = answered(&mut world);
    let reinvite = Msg::inside("INVITE", ALICE, 2, &ok).sdp(&audio(ALICE, 4002));
    world.post(ALICE, OUTSIDE, &reinvite);
    world.expect(ALICE, "491");
    world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &reinvite));
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, &ok));
    world.run_for(ms(20));
    assert!(world.unread(BOB).is_empty());
    world.post(ALICE, OUTSIDE, &Msg::inside("BYE", ALICE, 3, &ok));
    let bye = world.expect(BOB, "BYE");
    world.ok(BOB, INSIDE, &bye);
    over(&mut world, "3.1.4");
    insta::assert_snapshot!("3_1_4", seen(&world));
}

#[test]
fn rfc5407_3_1_6_a_bye_whose_ack_was_lost_is_taken() {
    let mut world = by_hand(TWO_SIDES, 316);
    let (ok, ..) = answered(&mut world);
    world.post(ALICE, OUTSIDE, &Msg::inside("BYE", ALICE, 2, &ok));
    world.expect(ALICE, "200");
    let bye = world.expect(BOB, "BYE");
    world.ok(BOB, INSIDE, &bye);
    // The 200 to the INVITE is not sent again after that.
    world.run_for(s(2));
    let left: Vec<_> =
        world.unread(ALICE).into_iter().filter(|text| start(text).starts_with("200")).collect();
    assert!(left.is_empty(), "{left:?}");
    over(&mut world, "3.1.6");
    insta::assert_snapshot!("3_1_6", seen(&world));
}

#[test]
fn rfc5407_3_2_1_byes_that_cross_are_both_answered() {
    let mut world = by_hand(TWO_SIDES, 321);
    let call = Call::establish(&mut world);
    world.post(ALICE, OUTSIDE, &call.alice("BYE", 2));
    world.post(BOB, INSIDE, &call.bob("BYE", 1));
    world.expect(ALICE, "200");
    let to_bob = world.expect(BOB, "BYE");
    assert!(field(&world.expect(BOB, "200"), "CSeq").ends_with("1 BYE"));
    world.ok(BOB, INSIDE, &to_bob);
    world.expect_no(ALICE, "BYE");
    over(&mut world, "3.2.1");
    insta::assert_snapshot!("3_2_1", seen(&world));
}

// conforms: RFC5407-2-2
#[test]
fn rfc5407_3_2_2_a_reinvite_that_meets_a_bye_is_refused() {
    let mut world = by_hand(TWO_SIDES, 322);
    let call = Call::establish(&mut world);
    world.post(ALICE, OUTSIDE, &call.alice("BYE", 2));
    world.expect(ALICE, "200");
    let bye = world.expect(BOB, "BYE");
    let reinvite = call.bob("INVITE", 1).sdp(&audio(BOB, 6002));
    world.post(BOB, INSIDE, &reinvite);
    world.expect(BOB, "481");
    world.post(BOB, INSIDE, &Msg::of_invite("ACK", &reinvite));
    world.ok(BOB, INSIDE, &bye);
    world.run_for(ms(20));
    assert!(
        world.unread(ALICE).iter().all(|text| start(text).starts_with("100")),
        "Alice hears nothing more"
    );
    over(&mut world, "3.2.2");
    insta::assert_snapshot!("3_2_2", seen(&world));
}

#[test]
fn rfc5407_3_2_3_an_answer_to_a_reinvite_that_meets_a_bye_is_acknowledged() {
    let mut world = by_hand(TWO_SIDES, 323);
    let call = Call::establish(&mut world);
    let reinvite = call.alice("INVITE", 2).sdp(&audio(ALICE, 4002));
    world.post(ALICE, OUTSIDE, &reinvite);
    let at_bob = world.expect(BOB, "INVITE");
    world.post(ALICE, OUTSIDE, &call.alice("BYE", 3));
    // RFC 3261 §15.1.2: what she waits for is answered.
    world.expect(ALICE, "487");
    world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &reinvite));
    let bye = world.expect(BOB, "BYE");
    world.post(BOB, INSIDE, &Msg::response(&at_bob, 200, "").contact(BOB).sdp(&audio(BOB, 6002)));
    let ack = world.expect(BOB, "ACK");
    assert_eq!(seq(&ack), seq(&at_bob));
    world.ok(BOB, INSIDE, &bye);
    over(&mut world, "3.2.3");
    insta::assert_snapshot!("3_2_3", seen(&world));
}

/// We are the callee of Alice's leg, and Bob hangs up before her ACK: our BYE waits for that (§3.2.4, RFC 3261 §15).
#[test]
fn rfc5407_3_2_4_our_bye_waits_for_the_ack_of_our_answer() {
    let mut world = by_hand(TWO_SIDES, 324);
    let (ok, invited, acked) = answered(&mut world);
    let bye = Msg::inside("BYE", BOB, 1, &acked).uri(&bobs_target(&invited));
    world.post(BOB, INSIDE, &bye);
    world.expect(BOB, "200");
    world.expect_no(ALICE, "BYE");
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, &ok));
    let bye = world.expect(ALICE, "BYE");
    world.ok(ALICE, OUTSIDE, &bye);
    over(&mut world, "3.2.4");
    insta::assert_snapshot!("3_2_4", seen(&world));
}

/// The same where the ACK never comes: BYE 64*T1 after the first 2xx (RFC 3261 §13.3.1.4).
#[test]
fn rfc3261_15_our_bye_waits_for_an_ack_no_longer_than_64_t1() {
    let mut world = by_hand(TWO_SIDES, 325);
    let (_, invited, acked) = answered(&mut world);
    let answered_at = world.now.mono;
    world.post(BOB, INSIDE, &Msg::inside("BYE", BOB, 1, &acked).uri(&bobs_target(&invited)));
    world.expect(BOB, "200");
    let bye = world.expect_within(ALICE, "BYE", s(33));
    let waited = world.now.mono.since(answered_at);
    assert!(waited >= ms(31_900) && waited <= ms(32_100), "{waited:?}");
    world.ok(ALICE, OUTSIDE, &bye);
    over(&mut world, "no ACK at all");
}

/// Both change the call at once: each is told to wait, and we, who made the Call-ID of Bob's leg, wait longer than he does.
#[test]
fn rfc5407_3_3_1_reinvites_that_cross_are_both_told_to_wait() {
    let mut world = by_hand(TWO_SIDES, 331);
    let call = Call::establish(&mut world);
    let of_alice = call.alice("INVITE", 2).sdp(&audio(ALICE, 4002));
    let of_bob = call.bob("INVITE", 1).sdp(&audio(BOB, 6002));
    world.post(ALICE, OUTSIDE, &of_alice);
    world.post(BOB, INSIDE, &of_bob);
    let at_bob = world.expect(BOB, "INVITE");
    world.expect(BOB, "491");
    world.post(BOB, INSIDE, &Msg::of_invite("ACK", &of_bob));
    world.post(BOB, INSIDE, &Msg::response(&at_bob, 491, ""));
    world.expect(BOB, "ACK");
    let began = world.now.mono;
    let again = world.expect_within(BOB, "INVITE", s(5));
    let waited = world.now.mono.since(began);
    assert!(waited >= ms(2_050) && waited <= ms(4_050), "{waited:?}");
    assert_eq!(seq(&again), seq(&at_bob) + 1);
    world.post(BOB, INSIDE, &Msg::response(&again, 200, "").contact(BOB).sdp(&audio(BOB, 6000)));
    world.expect(BOB, "ACK");
    let ok = world.expect(ALICE, "200");
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 2, &ok));
    world.run_for(ms(20));
    call.hang_up(&mut world, 3);
    over(&mut world, "3.3.1");
    insta::assert_snapshot!("3_3_1", seen(&world));
}

/// A REFER, or anything else that would be carried, that meets a BYE (§3.3.3, appendix D).
#[test]
fn rfc5407_3_3_3_a_request_that_meets_a_bye_is_refused() {
    let mut world = by_hand(TWO_SIDES, 333);
    let call = Call::establish(&mut world);
    world.post(ALICE, OUTSIDE, &call.alice("BYE", 2));
    world.expect(ALICE, "200");
    let bye = world.expect(BOB, "BYE");
    world.post(BOB, INSIDE, &call.bob("INFO", 1));
    world.expect(BOB, "481");
    world.ok(BOB, INSIDE, &bye);
    world.run_for(ms(20));
    assert!(world.unread(ALICE).iter().all(|text| start(text).starts_with("100")));
    over(&mut world, "3.3.3");
    insta::assert_snapshot!("3_3_3", seen(&world));
}

// conforms: RFC5407-2-1 RFC5407-A-1
/// Alice gives up in the moment that Bob answers (appendix C): his 200 crosses our CANCEL.
#[test]
fn rfc5407_c_an_answer_that_crosses_the_cancel_is_acknowledged_and_ended() {
    let mut world = by_hand(TWO_SIDES, 340);
    let invited = ringing(&mut world);
    world.expect(ALICE, "180");
    world.post(ALICE, OUTSIDE, &Msg::of_invite("CANCEL", &invite()));
    let cancelled = world.expect(ALICE, "487");
    world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &invite()).set("To", &field(&cancelled, "To")));
    let cancel = world.expect(BOB, "CANCEL");
    world.post(BOB, INSIDE, &answer(&invited));
    world.ok(BOB, INSIDE, &cancel);
    world.expect(BOB, "ACK");
    let bye = world.expect(BOB, "BYE");
    world.ok(BOB, INSIDE, &bye);
    over(&mut world, "200 after CANCEL");
    insta::assert_snapshot!("c_200_after_cancel", seen(&world));
}
