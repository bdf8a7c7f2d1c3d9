//! A caller that ends one early dialog with BYE, and not its INVITE (RFC 3261 §15, RFC 5407 Appendix A).

use super::common::{
    ALICE, BOB, Call, INSIDE, OUTSIDE, TWO_SIDES, World, answer, by_hand, document, invite, ms,
};
use super::devices::{fails, invited};
use super::users::{self, DESK, DOCUMENT, MOBILE, REGISTRAR, bind, says};
use liaison_tests::message::{Msg, audio, field, find, tag};

const REASON: &str = "SIP;cause=600;text=\"Busy Everywhere\"";

/// A branch of the fork beyond Bob.
fn branch(invited: &str, status: u16, tag: &str) -> Msg {
    Msg::response(invited, status, tag).contact(BOB).sdp(&audio(BOB, if tag == "left" { 6000 } else { 7000 }))
}

/// Alice calls, and those branches ring: what Bob was asked, and what she got of each.
fn rings<const N: usize>(world: &mut World, tags: [&str; N]) -> (String, [String; N]) {
    world.post(ALICE, OUTSIDE, &invite());
    let invited = world.expect(BOB, "INVITE");
    let heard = tags.map(|tag| {
        world.post(BOB, INSIDE, &branch(&invited, 183, tag));
        world.expect(ALICE, "183")
    });
    (invited, heard)
}

/// Alice ends that early dialog.
fn leaves(world: &mut World, heard: &str) {
    world.post(ALICE, OUTSIDE, &Msg::inside("BYE", ALICE, 2, heard).with("Reason", REASON));
    assert_eq!(field(&world.expect(ALICE, "200"), "CSeq"), "2 BYE");
}

/// The BYE that the branch gets.
fn is_left(world: &mut World, branch: &str) -> String {
    let bye = world.expect(BOB, "BYE");
    assert_eq!((tag(&bye, "To").as_str(), field(&bye, "Reason").as_str()), (branch, REASON));
    bye
}

/// Alice's INVITE is over, and nothing is left.
fn is_refused(world: &mut World, status: &str) {
    let refused = world.expect(ALICE, status);
    world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &invite()).set("To", &field(&refused, "To")));
    world.must_forget("a call whose early dialogs were left");
}

// conforms: RFC3261-15-2 RFC5407-2-1 RFC5407-A-1
#[test]
fn rfc5407_a_of_several_early_dialogs_one_ends_and_another_answers() {
    for (gone, other) in [(0, 1), (1, 0)] {
        let mut world = by_hand(TWO_SIDES, 1);
        let tags = ["left", "right"];
        let (asked, heard) = rings(&mut world, tags);
        assert_eq!(world.lent(), 3);
        leaves(&mut world, &heard[gone]);
        let bye = is_left(&mut world, tags[gone]);
        // A further one of the leg, or its answer, would go on with the ports of its first.
        assert_eq!(world.lent(), if gone == 0 { 3 } else { 2 });
        world.ok(BOB, INSIDE, &bye);
        // It is over on both sides.
        world.post(BOB, INSIDE, &branch(&asked, 180, tags[gone]));
        world.expect_no(ALICE, "180");
        world.post(ALICE, OUTSIDE, &Msg::inside("INFO", ALICE, 3, &heard[gone]));
        world.expect(ALICE, "481");
        world.expect_no(BOB, "CANCEL");
        world.post(BOB, INSIDE, &branch(&asked, 200, tags[other]));
        let ok = world.expect(ALICE, "200");
        assert_eq!(tag(&ok, "To"), tag(&heard[other], "To"));
        let acked = world.expect(BOB, "ACK");
        assert_eq!(tag(&acked, "To"), tags[other]);
        world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, &ok));
        world.run_for(ms(20));
        assert_eq!((world.lent(), world.core.counters().early_dialogs_left), (2, 1));
        Call { ok, invited: asked, acked }.hang_up(&mut world, 4);
        world.must_forget("a call with an early dialog that was left");
    }
}

/// Somebody else may still be called beyond the only one that is known.
#[test]
fn rfc5407_a_the_only_early_dialog_ends_and_one_that_is_heard_of_later_answers() {
    let mut world = by_hand(TWO_SIDES, 2);
    let (asked, [heard]) = rings(&mut world, ["left"]);
    leaves(&mut world, &heard);
    let bye = is_left(&mut world, "left");
    world.ok(BOB, INSIDE, &bye);
    world.expect_no(ALICE, "487");
    world.post(BOB, INSIDE, &branch(&asked, 200, "right"));
    let ok = world.expect(ALICE, "200");
    assert_ne!(tag(&ok, "To"), tag(&heard, "To"));
    let acked = world.expect(BOB, "ACK");
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, &ok));
    world.run_for(ms(20));
    assert_eq!(world.lent(), 2);
    Call { ok, invited: asked, acked }.hang_up(&mut world, 3);
    world.must_forget("a call whose first early dialog was left");
}

#[test]
fn rfc3261_15_1_2_where_there_is_no_other_the_called_side_says_how_the_invite_ends() {
    let mut world = by_hand(TWO_SIDES, 3);
    let (asked, [heard]) = rings(&mut world, ["left"]);
    leaves(&mut world, &heard);
    let bye = is_left(&mut world, "left");
    world.ok(BOB, INSIDE, &bye);
    world.post(BOB, INSIDE, &Msg::response(&asked, 487, "left"));
    world.expect(BOB, "ACK");
    world.expect_no(BOB, "CANCEL");
    is_refused(&mut world, "487");
}

/// What ends the INVITE of who rings here where it is not told by a final response.
#[test]
fn a_called_phone_that_takes_no_bye_yet_is_cancelled() {
    let mut world = by_hand(TWO_SIDES, 4);
    let (asked, [heard]) = rings(&mut world, ["left"]);
    leaves(&mut world, &heard);
    let bye = is_left(&mut world, "left");
    world.post(BOB, INSIDE, &Msg::response(&bye, 481, ""));
    let cancel = world.expect(BOB, "CANCEL");
    assert_eq!(field(&cancel, "Reason"), REASON);
    world.ok(BOB, INSIDE, &cancel);
    world.post(BOB, INSIDE, &Msg::response(&asked, 487, "left"));
    is_refused(&mut world, "487");
    let records = world.records.lock().unwrap();
    assert_eq!(records[0].legs[1].status, Some(487));
}

#[test]
fn rfc5407_3_1_3_the_answer_crosses_the_bye() {
    let mut world = by_hand(TWO_SIDES, 5);
    let (asked, [heard]) = rings(&mut world, ["left"]);
    leaves(&mut world, &heard);
    let bye = is_left(&mut world, "left");
    world.post(BOB, INSIDE, &branch(&asked, 200, "left"));
    world.expect(BOB, "ACK");
    world.ok(BOB, INSIDE, &bye);
    is_refused(&mut world, "487");
}

/// Who answers without a tag has no dialog that a BYE could name.
#[test]
fn a_far_side_without_a_tag_is_cancelled() {
    let mut world = by_hand(TWO_SIDES, 6);
    world.post(ALICE, OUTSIDE, &invite());
    let asked = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&asked, 180, ""));
    let heard = world.expect(ALICE, "180");
    leaves(&mut world, &heard);
    let cancel = world.expect(BOB, "CANCEL");
    assert_eq!(field(&cancel, "Reason"), REASON);
    world.ok(BOB, INSIDE, &cancel);
    world.post(BOB, INSIDE, &Msg::response(&asked, 487, "left"));
    is_refused(&mut world, "487");
}

/// The one early dialog stands for all of the called side, and with it the INVITE of a user agent that has no other.
#[test]
fn rfc3261_15_1_2_the_one_early_dialog_ends_and_all_that_ring_are_cancelled() {
    let one = document("profile = \"one\"", "", "\n[profiles.one]\nearly_dialogs = \"one\"\n");
    let mut world = by_hand(&one, 7);
    let (asked, [left, right]) = rings(&mut world, ["left", "right"]);
    assert_eq!(tag(&left, "To"), tag(&right, "To"));
    leaves(&mut world, &left);
    let cancel = world.expect(BOB, "CANCEL");
    assert_eq!(field(&cancel, "Reason"), REASON);
    world.ok(BOB, INSIDE, &cancel);
    world.post(BOB, INSIDE, &Msg::response(&asked, 487, "left"));
    world.expect_no(BOB, "BYE");
    is_refused(&mut world, "487");
    let records = world.records.lock().unwrap();
    assert_eq!(records[0].cause, "BYE from the peer");
}

/// What was asked in it is answered, on both sides.
#[test]
fn what_waits_in_an_early_dialog_that_ends_is_answered() {
    let mut world = by_hand(TWO_SIDES, 8);
    let takes = |msg: Msg| msg.with("Allow", "INVITE, ACK, CANCEL, BYE, UPDATE, PRACK");
    world.post(ALICE, OUTSIDE, &takes(invite().with("Supported", "100rel")));
    let asked = world.expect(BOB, "INVITE");
    let reliable = takes(branch(&asked, 183, "left")).with("Require", "100rel").with("RSeq", "7");
    world.post(BOB, INSIDE, &reliable);
    let prack = world.expect(BOB, "PRACK");
    world.ok(BOB, INSIDE, &prack);
    let heard = world.expect(ALICE, "183");
    let rack = format!("{} 1 INVITE", field(&heard, "RSeq"));
    world.post(ALICE, OUTSIDE, &Msg::inside("PRACK", ALICE, 2, &heard).with("RAck", &rack));
    world.expect(ALICE, "200");
    world.post(ALICE, OUTSIDE, &Msg::inside("UPDATE", ALICE, 3, &heard).sdp(&audio(ALICE, 4002)));
    let update = world.expect(BOB, "UPDATE");
    world.post(ALICE, OUTSIDE, &Msg::inside("BYE", ALICE, 4, &heard));
    assert_eq!(field(&world.expect(ALICE, "200"), "CSeq"), "4 BYE");
    assert_eq!(field(&world.expect(ALICE, "487"), "CSeq"), "3 UPDATE");
    let bye = world.expect(BOB, "BYE");
    world.post(BOB, INSIDE, &Msg::response(&update, 481, ""));
    world.ok(BOB, INSIDE, &bye);
    world.expect_no(BOB, "CANCEL");
    world.post(BOB, INSIDE, &branch(&asked, 200, "right"));
    let ok = world.expect(ALICE, "200");
    let acked = world.expect(BOB, "ACK");
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, &ok));
    Call { ok, invited: asked, acked }.hang_up(&mut world, 5);
    world.must_forget("an early dialog in which something was asked");
}

/// Two devices of one user: each has a leg of its own.
#[test]
fn of_two_devices_one_is_left_and_the_other_rings_on() {
    let mut world = users::world(DOCUMENT);
    for device in [DESK, MOBILE] {
        bind(&mut world, "bob", device, "");
    }
    users::call(&mut world, users::BOB);
    let invites = invited(&mut world, &[DESK, MOBILE]);
    let heard = [(); 2].map(|()| world.expect(users::ALICE, "180"));
    world.post(users::ALICE, REGISTRAR, &Msg::inside("BYE", users::ALICE, 3, &heard[0]));
    world.expect(users::ALICE, "200");
    let bye = world.expect(DESK, "BYE");
    world.ok(DESK, REGISTRAR, &bye);
    says(&mut world, DESK, &invites[0], 487);
    world.expect_no(users::ALICE, "487");
    assert!(find(&bye, "Reason").is_none(), "she has said nothing: {bye}");
    says(&mut world, MOBILE, &invites[1], 603);
    fails(&mut world, "603");
}

/// After the answer there is one dialog only: a BYE in it is the end.
#[test]
fn a_bye_after_the_answer_ends_the_call() {
    let mut world = by_hand(TWO_SIDES, 9);
    Call::establish_with(&mut world, invite(), answer).hang_up(&mut world, 2);
    world.must_forget("a call");
}
