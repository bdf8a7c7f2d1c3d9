//! Re-INVITEs that are refused after their offer and answer were settled by a reliable provisional response (RFC 6141 §3): what stood before
//! stands again on each leg.

use super::admin::only_call_in_full;
use super::common::{ALICE, BOB, Call, INSIDE, OUTSIDE, TWO_SIDES, World, answer, by_hand, invite, ms, s};
use super::reliable_reinvites::{TAKES, bobs, call, change, ends, prack, pracked, reliable, same_streams};
use super::transfer::is_quiet;
use liaison_tests::message::{Msg, audio, body, field, line};

/// Alice holds, at another port.
fn held() -> String {
    format!("{}a=sendonly\r\n", audio(ALICE, 4400))
}

/// Bob's answer to that.
fn taken(port: u16) -> String {
    format!("{}a=recvonly\r\n", bobs(port))
}

/// Alice holds, Bob answers so in a reliable response, and she acknowledges that: what Bob was asked.
fn executed(world: &mut World, call: &Call) -> String {
    let invited = change(world, call, 2, "Supported", Some(&held()));
    world.post(BOB, INSIDE, &reliable(&invited, 183, 70).sdp(&taken(6600)));
    let progress = world.expect(ALICE, "183");
    assert!(body(&progress).contains("a=recvonly"), "{progress}");
    pracked(world, &invited, 70);
    world.post(ALICE, OUTSIDE, &prack(call, &progress, 3));
    assert_eq!(field(&world.expect(ALICE, "200"), "CSeq"), "3 PRACK");
    invited
}

/// Bob refuses it after all.
fn refuses(world: &mut World, invited: &str, status: u16) {
    world.post(BOB, INSIDE, &Msg::response(invited, status, ""));
    world.expect(BOB, "ACK");
}

fn version(sdp: &str) -> u64 {
    line(sdp, 'o').split(' ').nth(2).unwrap().parse().unwrap()
}

/// Where Bob is sent media.
fn bobs_port(world: &mut World) -> u16 {
    only_call_in_full(world).legs[1].streams[0].remote_address.unwrap().port()
}

/// Bob is offered what stood before, and has his own old description.
fn bob_is_told(world: &mut World) {
    let told = world.expect(BOB, "INVITE");
    assert!(!body(&told).contains("a=sendonly"), "what stood before the change: {told}");
    same_streams(body(&told), &audio(ALICE, 4000));
    world.post(BOB, INSIDE, &Msg::response(&told, 200, "").contact(BOB).sdp(&bobs(6000)));
    world.expect(BOB, "ACK");
}

/// Alice is offered it in an UPDATE, before her re-INVITE has its 2xx.
fn alice_is_told(world: &mut World) -> String {
    let update = world.expect(ALICE, "UPDATE");
    assert!(!body(&update).contains("a=recvonly"), "what stood before the change: {update}");
    same_streams(body(&update), &bobs(6000));
    assert!(is_quiet(world, ALICE), "no final response yet");
    update
}

/// Alice's re-INVITE has a 2xx without a description.
fn alice_is_answered(world: &mut World, call: &Call) {
    let ok = world.expect(ALICE, "200");
    assert_eq!((field(&ok, "CSeq").as_str(), body(&ok)), ("2 INVITE", ""));
    world.post(ALICE, OUTSIDE, &call.alice("ACK", 2));
}

#[test]
fn rfc6141_3_3_who_has_executed_a_change_is_told_what_stood_before_and_answered_with_200() {
    for status in [488, 500] {
        let mut world = by_hand(TWO_SIDES, 1);
        let call = call(&mut world);
        let before = version(body(&call.ok));
        let invited = executed(&mut world, &call);
        refuses(&mut world, &invited, status);
        let update = alice_is_told(&mut world);
        assert!(version(body(&update)) > before + 1, "it is another description: {update}");
        world.expect_no(BOB, "INVITE");
        world.post(ALICE, OUTSIDE, &Msg::response(&update, 200, "").contact(ALICE).sdp(&audio(ALICE, 4000)));
        alice_is_answered(&mut world, &call);
        bob_is_told(&mut world);
        world.expect_no(ALICE, "INVITE");
        world.expect_no(ALICE, "UPDATE");
        assert_eq!(world.lent(), 2);
        ends(&mut world, &call, 4, "a change that was executed and refused");
    }
}

#[test]
fn rfc6141_3_3_who_takes_no_update_hears_of_it_after_the_200() {
    let mut world = by_hand(TWO_SIDES, 2);
    let call =
        Call::establish_with(&mut world, invite().with("Allow", &TAKES.replace(" UPDATE,", "")), |i| {
            answer(i).with("Allow", TAKES)
        });
    let invited = executed(&mut world, &call);
    refuses(&mut world, &invited, 488);
    alice_is_answered(&mut world, &call);
    bob_is_told(&mut world);
    let told = world.expect_within(ALICE, "INVITE", s(3));
    assert!(!body(&told).contains("a=recvonly"), "{told}");
    world.post(ALICE, OUTSIDE, &Msg::response(&told, 200, "").contact(ALICE).sdp(&audio(ALICE, 4000)));
    world.expect(ALICE, "ACK");
    world.expect_no(BOB, "");
    ends(&mut world, &call, 3, "a change that was executed and refused without UPDATE");
}

#[test]
fn rfc6141_3_2_who_refuses_to_go_back_is_answered_and_told_again() {
    let mut world = by_hand(TWO_SIDES, 3);
    let call = call(&mut world);
    let invited = executed(&mut world, &call);
    refuses(&mut world, &invited, 488);
    let update = alice_is_told(&mut world);
    world.post(ALICE, OUTSIDE, &Msg::response(&update, 488, ""));
    alice_is_answered(&mut world, &call);
    bob_is_told(&mut world);
    let told = world.expect_within(ALICE, "INVITE", s(5));
    assert!(!body(&told).contains("a=recvonly"), "{told}");
    world.post(ALICE, OUTSIDE, &Msg::response(&told, 200, "").contact(ALICE).sdp(&audio(ALICE, 4000)));
    world.expect(ALICE, "ACK");
    ends(&mut world, &call, 3, "a change that is kept");
}

#[test]
fn rfc6141_3_4_who_has_refused_is_told_until_it_takes_it() {
    let mut world = by_hand(TWO_SIDES, 4);
    let call = call(&mut world);
    let invited = executed(&mut world, &call);
    refuses(&mut world, &invited, 488);
    let update = alice_is_told(&mut world);
    world.post(ALICE, OUTSIDE, &Msg::response(&update, 200, "").contact(ALICE).sdp(&audio(ALICE, 4000)));
    alice_is_answered(&mut world, &call);
    let told = world.expect(BOB, "INVITE");
    // He is busy with something else: he is told again, after a back-off (RFC 3261 §14.1).
    refuses(&mut world, &told, 500);
    world.expect_no(BOB, "INVITE");
    let told = world.expect_within(BOB, "INVITE", s(5));
    assert!(!body(&told).contains("a=sendonly"), "{told}");
    world.post(BOB, INSIDE, &Msg::response(&told, 200, "").contact(BOB).sdp(&bobs(6000)));
    world.expect(BOB, "ACK");
    ends(&mut world, &call, 4, "a change whose refusal is told of twice");
}

#[test]
fn rfc6141_3_1_an_update_within_the_reinvite_is_undone_with_it() {
    let mut world = by_hand(TWO_SIDES, 5);
    let call = call(&mut world);
    let invited = executed(&mut world, &call);
    world.post(ALICE, OUTSIDE, &call.alice("UPDATE", 4).sdp(&held().replace("4400", "4600")));
    let update = world.expect(BOB, "UPDATE");
    world.post(BOB, INSIDE, &Msg::response(&update, 200, "").contact(BOB).sdp(&taken(6800)));
    world.expect(ALICE, "200");
    refuses(&mut world, &invited, 488);
    let update = alice_is_told(&mut world);
    world.post(ALICE, OUTSIDE, &Msg::response(&update, 200, "").contact(ALICE).sdp(&audio(ALICE, 4000)));
    alice_is_answered(&mut world, &call);
    bob_is_told(&mut world);
    ends(&mut world, &call, 5, "an UPDATE within a refused change");
}

#[test]
fn rfc6141_3_5_an_update_that_crosses_the_refusal_settles_what_stands() {
    let mut world = by_hand(TWO_SIDES, 6);
    let call = call(&mut world);
    let invited = executed(&mut world, &call);
    let hold = held().replace("4400", "4600");
    world.post(ALICE, OUTSIDE, &call.alice("UPDATE", 4).sdp(&hold));
    let update = world.expect(BOB, "UPDATE");
    refuses(&mut world, &invited, 488);
    assert!(is_quiet(&world, ALICE), "her 200 waits for the answer to her offer (RFC 3262 §5)");
    world.post(BOB, INSIDE, &Msg::response(&update, 200, "").contact(BOB).sdp(&taken(6800)));
    assert_eq!(field(&world.expect(ALICE, "200"), "CSeq"), "4 UPDATE");
    alice_is_answered(&mut world, &call);
    let told = world.expect_within(BOB, "INVITE", s(3));
    assert!(body(&told).contains("a=sendonly"), "what both have settled last: {told}");
    world.post(BOB, INSIDE, &Msg::response(&told, 200, "").contact(BOB).sdp(&taken(6800)));
    world.expect(BOB, "ACK");
    world.expect_no(ALICE, "INVITE");
    ends(&mut world, &call, 5, "an UPDATE that crosses a refusal");
}

#[test]
fn rfc6141_3_4_a_stream_that_was_added_and_refused_keeps_its_place_without_media() {
    let mut world = by_hand(TWO_SIDES, 7);
    let call = call(&mut world);
    let video = "m=video 4402 RTP/AVP 31\r\n";
    let invited = change(&mut world, &call, 2, "Supported", Some(&(audio(ALICE, 4000) + video)));
    let both = bobs(6000) + &video.replace("4402", "6602");
    world.post(BOB, INSIDE, &reliable(&invited, 183, 70).sdp(&both));
    let progress = world.expect(ALICE, "183");
    pracked(&mut world, &invited, 70);
    world.post(ALICE, OUTSIDE, &prack(&call, &progress, 3));
    world.expect(ALICE, "200");
    assert_eq!(world.lent(), 4);
    refuses(&mut world, &invited, 488);
    let update = alice_is_told(&mut world);
    assert!(body(&update).contains("m=video 0 "), "{update}");
    let refused = audio(ALICE, 4000) + &video.replace("4402", "0");
    world.post(ALICE, OUTSIDE, &Msg::response(&update, 200, "").contact(ALICE).sdp(&refused));
    alice_is_answered(&mut world, &call);
    let told = world.expect(BOB, "INVITE");
    assert!(body(&told).contains("m=video 0 "), "{told}");
    let refused = bobs(6000) + &video.replace("4402", "0");
    world.post(BOB, INSIDE, &Msg::response(&told, 200, "").contact(BOB).sdp(&refused));
    world.expect(BOB, "ACK");
    world.run_for(ms(50));
    assert_eq!(world.lent(), 2);
    ends(&mut world, &call, 4, "a stream that was refused");
}

/// Alice gives up what has been executed; Bob's CANCEL has come.
fn given_up(world: &mut World) -> (Call, String) {
    let call = call(world);
    let invited = executed(world, &call);
    let again = call.alice("INVITE", 2);
    world.post(ALICE, OUTSIDE, &Msg::of_invite("CANCEL", &again));
    assert!(field(&world.expect(ALICE, "200"), "CSeq").ends_with("CANCEL"));
    let cancel = world.expect(BOB, "CANCEL");
    world.ok(BOB, INSIDE, &cancel);
    assert!(is_quiet(world, ALICE), "no 487");
    (call, invited)
}

#[test]
fn rfc6141_3_8_a_change_that_is_executed_and_given_up_is_undone_and_answered_with_200() {
    let mut world = by_hand(TWO_SIDES, 8);
    let (call, invited) = given_up(&mut world);
    refuses(&mut world, &invited, 487);
    let update = alice_is_told(&mut world);
    world.post(ALICE, OUTSIDE, &Msg::response(&update, 200, "").contact(ALICE).sdp(&audio(ALICE, 4000)));
    alice_is_answered(&mut world, &call);
    bob_is_told(&mut world);
    ends(&mut world, &call, 4, "a change that was executed and given up");
}

#[test]
fn rfc6141_3_8_a_change_that_is_executed_and_given_up_and_taken_stands() {
    let mut world = by_hand(TWO_SIDES, 9);
    let (call, invited) = given_up(&mut world);
    world.post(BOB, INSIDE, &Msg::response(&invited, 200, "").contact(BOB));
    world.expect(BOB, "ACK");
    alice_is_answered(&mut world, &call);
    world.expect_no(BOB, "INVITE");
    world.expect_no(ALICE, "UPDATE");
    ends(&mut world, &call, 4, "a change that was executed, given up and taken");
}

#[test]
fn rfc6141_3_4_an_asker_without_the_answer_is_refused_and_only_who_was_asked_is_told() {
    let mut world = by_hand(TWO_SIDES, 10);
    let call = call(&mut world);
    let invited = change(&mut world, &call, 2, "", Some(&held()));
    world.post(BOB, INSIDE, &reliable(&invited, 183, 70).sdp(&taken(6600)));
    world.expect(ALICE, "183");
    pracked(&mut world, &invited, 70);
    assert_eq!(bobs_port(&mut world), 6600);
    refuses(&mut world, &invited, 488);
    let refused = world.expect(ALICE, "488");
    world.post(ALICE, OUTSIDE, &call.alice("ACK", 2).set("Via", &field(&refused, "Via")));
    assert_eq!(bobs_port(&mut world), 6000, "media goes where it went, whatever Bob has yet to say");
    bob_is_told(&mut world);
    world.expect_no(ALICE, "INVITE");
    world.expect_no(ALICE, "UPDATE");
    ends(&mut world, &call, 3, "a change that only one leg has executed");
}

#[test]
fn rfc3262_3_without_its_prack_what_stood_before_stands() {
    for status in [200, 487] {
        let mut world = by_hand(TWO_SIDES, 11);
        let call = call(&mut world);
        let invited = change(&mut world, &call, 2, "Require", Some(&held()));
        world.post(BOB, INSIDE, &reliable(&invited, 183, 70).sdp(&taken(6600)));
        world.expect(ALICE, "183");
        pracked(&mut world, &invited, 70);
        let refused = world.expect_within(ALICE, "504", s(33));
        world.post(ALICE, OUTSIDE, &call.alice("ACK", 2).set("Via", &field(&refused, "Via")));
        let cancel = world.expect(BOB, "CANCEL");
        world.ok(BOB, INSIDE, &cancel);
        world.post(BOB, INSIDE, &Msg::response(&invited, status, "").contact(BOB));
        world.expect(BOB, "ACK");
        bob_is_told(&mut world);
        ends(&mut world, &call, 3, "a change without its PRACK");
    }
}

#[test]
fn legs_that_are_apart_and_never_free_are_left_as_they_are() {
    let mut world = by_hand(TWO_SIDES, 12);
    let call = call(&mut world);
    // Bob has taken what Alice has given up, and does not go back: they are apart.
    let again = call.alice("INVITE", 2).sdp(&held());
    world.post(ALICE, OUTSIDE, &again);
    let invited = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&invited, 100, ""));
    world.run_for(ms(20));
    world.post(ALICE, OUTSIDE, &Msg::of_invite("CANCEL", &again));
    let given_up = world.expect(ALICE, "487");
    world.post(ALICE, OUTSIDE, &call.alice("ACK", 2).set("Via", &field(&given_up, "Via")));
    let cancel = world.expect(BOB, "CANCEL");
    world.ok(BOB, INSIDE, &cancel);
    world.post(BOB, INSIDE, &Msg::response(&invited, 200, "").contact(BOB).sdp(&taken(6600)));
    world.expect(BOB, "ACK");
    let told = world.expect(BOB, "INVITE");
    refuses(&mut world, &told, 500);
    let mut apart = 0;
    for turn in 0..4 {
        // Alice asks again and again, and Bob asks his user each time.
        let seq = 3 + turn;
        world.post(ALICE, OUTSIDE, &call.alice("INVITE", seq).sdp(&audio(ALICE, 4000)));
        let invited = world.expect(BOB, "INVITE");
        for _ in 0..10 {
            world.post(BOB, INSIDE, &Msg::response(&invited, 180, "").contact(BOB));
            world.run_for(s(58));
        }
        let cancel = world.expect_within(BOB, "CANCEL", s(60));
        world.ok(BOB, INSIDE, &cancel);
        world.post(BOB, INSIDE, &Msg::response(&invited, 487, ""));
        let refused = world.expect(ALICE, "487");
        world.post(ALICE, OUTSIDE, &call.alice("ACK", seq).set("Via", &field(&refused, "Via")));
        apart = world.core.counters().legs_apart;
        assert_eq!(apart, u64::from(turn >= 2), "after {turn} turns of ten minutes");
    }
    assert_eq!(apart, 1);
    world.run_for(s(10));
    assert!(world.unread(BOB).iter().all(|text| !text.starts_with("INVITE")), "he is not asked any more");
    assert_eq!(world.gauges().calls, 1);
}
