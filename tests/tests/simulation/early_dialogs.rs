//! One early dialog towards a caller that does not understand several (`early_dialogs` of a profile).

use super::common::{ALICE, BOB, INSIDE, OUTSIDE, World, by_hand, document, invite, ms, s};
use liaison_tests::message::{Msg, audio, body, field, find, line, tag};

fn one() -> String {
    document("profile = \"one\"", "", "\n[profiles.one]\nearly_dialogs = \"one\"\n")
}

/// A branch of the fork answers; the right one takes no telephone-event.
fn branch(invited: &str, status: u16, tag: &str) -> Msg {
    let sdp = audio(BOB, if tag == "left" { 6000 } else { 7000 });
    let sdp = match tag {
        "right" => sdp.replace(" 8 101", " 8").replace("a=rtpmap:101 telephone-event/8000\r\n", ""),
        _ => sdp,
    };
    Msg::response(invited, status, tag).contact(BOB).sdp(&sdp)
}

/// Alice calls, and two branches ring with early media: what Bob was asked, and what she heard first.
fn forked(world: &mut World, invite: &Msg) -> (String, String) {
    world.post(ALICE, OUTSIDE, invite);
    let invited = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &branch(&invited, 183, "left"));
    let left = world.expect(ALICE, "183");
    world.post(BOB, INSIDE, &branch(&invited, 183, "right"));
    let right = world.expect(ALICE, "183");
    assert_eq!(tag(&left, "To"), tag(&right, "To"), "one dialog");
    assert!(!body(&left).is_empty() && body(&right).is_empty(), "she hears the first: {right}");
    (invited, left)
}

/// Alice acknowledges.
fn acks(world: &mut World, ok: &str) {
    world.expect(BOB, "ACK");
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, ok));
    world.run_for(ms(20));
}

fn hangs_up(world: &mut World, ok: &str) {
    world.post(ALICE, OUTSIDE, &Msg::inside("BYE", ALICE, 9, ok));
    let bye = world.expect(BOB, "BYE");
    world.ok(BOB, INSIDE, &bye);
    world.must_forget("a call with one early dialog");
}

#[test]
fn who_was_heard_first_answers() {
    let mut world = by_hand(&one(), 1);
    let (invited, heard) = forked(&mut world, &invite());
    world.post(BOB, INSIDE, &branch(&invited, 200, "left"));
    let ok = world.expect(ALICE, "200");
    assert_eq!((tag(&ok, "To"), body(&ok)), (tag(&heard, "To"), body(&heard)));
    acks(&mut world, &ok);
    world.expect_no(ALICE, "INVITE");
    assert_eq!(world.lent(), 2);
    hangs_up(&mut world, &ok);
}

#[test]
fn rfc3261_13_2_1_another_one_answers_and_the_caller_is_offered_what_differs() {
    let mut world = by_hand(&one(), 2);
    let (invited, heard) = forked(&mut world, &invite());
    world.post(BOB, INSIDE, &branch(&invited, 200, "right"));
    let ok = world.expect(ALICE, "200");
    assert_eq!(
        (tag(&ok, "To"), body(&ok)),
        (tag(&heard, "To"), body(&heard)),
        "the answer is the one that it was"
    );
    world.expect_no(ALICE, "INVITE");
    acks(&mut world, &ok);
    let offered = world.expect(ALICE, "INVITE");
    assert!(line(body(&heard), 'm').ends_with(" RTP/AVP 8 101"));
    assert!(line(body(&offered), 'm').ends_with(" RTP/AVP 8"), "{offered}");
    let port = |text: &str| line(body(text), 'm').split(' ').nth(1).map(str::to_owned);
    assert_eq!(port(&offered), port(&heard));
    world.post(ALICE, OUTSIDE, &Msg::response(&offered, 200, "").contact(ALICE).sdp(&audio(ALICE, 4000)));
    world.expect(ALICE, "ACK");
    world.expect_no(BOB, "INVITE");
    assert_eq!(world.lent(), 2);
    // The late answer of the other one is ended.
    world.post(BOB, INSIDE, &branch(&invited, 200, "left"));
    assert_eq!(tag(&world.expect(BOB, "ACK"), "To"), "left");
    let bye = world.expect(BOB, "BYE");
    assert_eq!(tag(&bye, "To"), "left");
    world.ok(BOB, INSIDE, &bye);
    hangs_up(&mut world, &ok);
}

#[test]
fn another_one_that_says_the_same_needs_no_offer() {
    let mut world = by_hand(&one(), 3);
    let (invited, heard) = forked(&mut world, &invite());
    world.post(BOB, INSIDE, &branch(&invited, 200, "third"));
    let ok = world.expect(ALICE, "200");
    assert_eq!(body(&ok), body(&heard));
    acks(&mut world, &ok);
    world.expect_no(ALICE, "INVITE");
    hangs_up(&mut world, &ok);
}

#[test]
fn an_answer_that_was_given_reliably_is_not_given_again() {
    let mut world = by_hand(&one(), 4);
    world.post(ALICE, OUTSIDE, &invite().with("Supported", "100rel, 199"));
    let invited = world.expect(BOB, "INVITE");
    for (seq, branch_tag, number) in [(2, "left", 7), (3, "right", 900)] {
        let reliable = branch(&invited, 183, branch_tag).with("Require", "100rel");
        world.post(BOB, INSIDE, &reliable.with("RSeq", &number.to_string()));
        let prack = world.expect(BOB, "PRACK");
        assert_eq!(tag(&prack, "To"), branch_tag, "each is acknowledged apart");
        world.ok(BOB, INSIDE, &prack);
        let progress = world.expect(ALICE, "183");
        let rack = format!("{} 1 INVITE", field(&progress, "RSeq"));
        world.post(ALICE, OUTSIDE, &Msg::inside("PRACK", ALICE, seq, &progress).with("RAck", &rack));
        world.expect(ALICE, "200");
    }
    // The one that was heard is over; the dialog is not.
    world.post(BOB, INSIDE, &Msg::response(&invited, 199, "left").contact(BOB));
    world.expect_no(ALICE, "199");
    world.post(BOB, INSIDE, &Msg::response(&invited, 200, "right").contact(BOB));
    let ok = world.expect(ALICE, "200");
    assert!(body(&ok).is_empty(), "{ok}");
    acks(&mut world, &ok);
    let offered = world.expect(ALICE, "INVITE");
    assert!(line(body(&offered), 'm').ends_with(" RTP/AVP 8"), "{offered}");
    world.post(ALICE, OUTSIDE, &Msg::response(&offered, 488, ""));
    world.run_for(s(1));
    hangs_up(&mut world, &ok);
}

#[test]
fn without_an_offer_of_the_callers_the_answer_brings_the_only_one() {
    let mut world = by_hand(&one(), 5);
    let delayed = Msg::request("INVITE", super::common::NUMBER, ALICE, 1).with("Supported", "100rel");
    world.post(ALICE, OUTSIDE, &delayed);
    let invited = world.expect(BOB, "INVITE");
    assert!(!find(&invited, "Supported").unwrap_or_default().contains("100rel"), "{invited}");
}
