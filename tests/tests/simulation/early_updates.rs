//! Changes of an early session, in UPDATEs and PRACKs.

use super::common::{ALICE, BOB, INSIDE, NUMBER, OUTSIDE, TWO_SIDES, World, by_hand, invite, ms, s};
use super::update::{TAKES, held};
use liaison_tests::message::{Msg, audio, body, field, start};

/// A call whose called side has answered reliably; each has acknowledged. What Alice and Bob have of it.
pub fn early(world: &mut World, alice: bool, bob: bool) -> (String, String) {
    let allow = |msg: Msg, takes: bool| if takes { msg.with("Allow", TAKES) } else { msg };
    let calling =
        Msg::request("INVITE", NUMBER, ALICE, 1).sdp(&audio(ALICE, 4000)).with("Supported", "100rel");
    world.post(ALICE, OUTSIDE, &allow(calling, alice));
    let invited = world.expect(BOB, "INVITE");
    let progress =
        Msg::response(&invited, 183, "bob").contact(BOB).with("Require", "100rel").with("RSeq", "7");
    world.post(BOB, INSIDE, &allow(progress, bob).sdp(&audio(BOB, 6000)));
    let early = world.expect(ALICE, "183");
    let acknowledged = world.expect(BOB, "PRACK");
    world.ok(BOB, INSIDE, &acknowledged);
    world.post(ALICE, OUTSIDE, &prack(&early, 2));
    world.expect(ALICE, "200");
    (early, invited)
}

fn prack(of: &str, seq: u32) -> Msg {
    Msg::inside("PRACK", ALICE, seq, of).with("RAck", &format!("{} 1 INVITE", field(of, "RSeq")))
}

/// A request of Bob's in his early dialog.
fn of_bob(method: &str, seq: u32, invited: &str) -> Msg {
    let to = format!("{};tag=bob", field(invited, "To"));
    Msg::inside(method, BOB, seq, invited).set("From", &to)
}

/// Bob answers the INVITE, Alice acknowledges and hangs up.
pub fn finish(world: &mut World, invited: &str) {
    world.post(BOB, INSIDE, &Msg::response(invited, 200, "bob").contact(BOB));
    let ok = world.expect(ALICE, "200");
    assert!(field(&ok, "CSeq").ends_with("INVITE") && body(&ok).is_empty(), "{ok}");
    world.expect(BOB, "ACK");
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, &ok));
    world.run_for(ms(20));
    world.post(ALICE, OUTSIDE, &Msg::inside("BYE", ALICE, 9, &ok));
    world.expect(ALICE, "200");
    let bye = world.expect(BOB, "BYE");
    world.ok(BOB, INSIDE, &bye);
    world.must_forget("a call with early changes");
}

#[test]
fn rfc3311_8_an_early_session_is_changed_from_both_sides() {
    let mut world = by_hand(TWO_SIDES, 9);
    let (early, invited) = early(&mut world, true, true);
    world.post(ALICE, OUTSIDE, &Msg::inside("UPDATE", ALICE, 3, &early).sdp(&held(ALICE, 4000)));
    let asked = world.expect(BOB, "UPDATE");
    assert!(body(&asked).contains("a=sendonly"), "{asked}");
    world.post(
        BOB,
        INSIDE,
        &Msg::response(&asked, 200, "").contact(BOB).sdp(&format!("{}a=recvonly\r\n", audio(BOB, 6000))),
    );
    assert!(body(&world.expect(ALICE, "200")).contains("a=recvonly"));
    world.post(BOB, INSIDE, &of_bob("UPDATE", 1, &invited).sdp(&audio(BOB, 6002)));
    let asked = world.expect(ALICE, "UPDATE");
    world.post(ALICE, OUTSIDE, &Msg::response(&asked, 200, "").contact(ALICE).sdp(&audio(ALICE, 4000)));
    assert_eq!(field(&world.expect(BOB, "200"), "CSeq"), "1 UPDATE");
    finish(&mut world, &invited);
}

#[test]
fn rfc6337_3_2_an_early_session_whose_other_side_takes_no_update_stays_as_it_is() {
    for caller in [true, false] {
        let mut world = by_hand(TWO_SIDES, 10);
        let (early, invited) = early(&mut world, caller, !caller);
        if caller {
            world.post(ALICE, OUTSIDE, &Msg::inside("UPDATE", ALICE, 3, &early).sdp(&held(ALICE, 4000)));
            world.expect(ALICE, "504");
        } else {
            world.post(BOB, INSIDE, &of_bob("UPDATE", 1, &invited).sdp(&audio(BOB, 6002)));
            world.expect(BOB, "504");
        }
        finish(&mut world, &invited);
    }
}

#[test]
fn the_called_side_changes_what_the_caller_has_not_been_told_for_good() {
    let mut world = by_hand(TWO_SIDES, 11);
    world.post(ALICE, OUTSIDE, &invite());
    let invited = world.expect(BOB, "INVITE");
    let progress =
        Msg::response(&invited, 183, "bob").contact(BOB).with("Require", "100rel").with("RSeq", "7");
    world.post(BOB, INSIDE, &progress.with("Allow", TAKES).sdp(&audio(BOB, 6000)));
    world.expect(ALICE, "183");
    let acknowledged = world.expect(BOB, "PRACK");
    world.ok(BOB, INSIDE, &acknowledged);
    let held = format!("{}a=sendonly\r\n", audio(BOB, 6000).replace(" 1 IN", " 2 IN"));
    world.post(BOB, INSIDE, &of_bob("UPDATE", 1, &invited).sdp(&held));
    let answered = world.expect(BOB, "200");
    assert!(body(&answered).contains("a=recvonly") && field(&answered, "CSeq") == "1 UPDATE", "{answered}");
    world.expect_no(ALICE, "UPDATE");
    world.post(BOB, INSIDE, &Msg::response(&invited, 200, "bob").contact(BOB));
    let ok = world.expect(ALICE, "200");
    assert!(body(&ok).contains("a=sendonly"), "it hears of it with its answer: {ok}");
    world.expect(BOB, "ACK");
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, &ok));
    world.run_for(ms(20));
    assert_eq!(world.gauges().calls, 1);
}

#[test]
fn rfc3262_5_an_offer_in_a_prack_crosses_in_an_update() {
    let mut world = by_hand(TWO_SIDES, 12);
    let calling =
        Msg::request("INVITE", NUMBER, ALICE, 1).sdp(&audio(ALICE, 4000)).with("Supported", "100rel");
    world.post(ALICE, OUTSIDE, &calling);
    let invited = world.expect(BOB, "INVITE");
    let progress =
        Msg::response(&invited, 183, "bob").contact(BOB).with("Require", "100rel").with("RSeq", "7");
    world.post(BOB, INSIDE, &progress.with("Allow", TAKES).sdp(&audio(BOB, 6000)));
    let early = world.expect(ALICE, "183");
    let acknowledged = world.expect(BOB, "PRACK");
    world.ok(BOB, INSIDE, &acknowledged);
    world.post(ALICE, OUTSIDE, &prack(&early, 2).sdp(&held(ALICE, 4000)));
    let asked = world.expect(BOB, "UPDATE");
    assert!(body(&asked).contains("a=sendonly"), "{asked}");
    world.expect_no(ALICE, "200");
    // Bob answers the call before that: the caller's 2xx waits for what it has asked before.
    world.post(BOB, INSIDE, &Msg::response(&invited, 200, "bob").contact(BOB));
    world.expect(BOB, "ACK");
    world.post(
        BOB,
        INSIDE,
        &Msg::response(&asked, 200, "").contact(BOB).sdp(&format!("{}a=recvonly\r\n", audio(BOB, 6000))),
    );
    let answered = world.expect(ALICE, "200");
    assert!(body(&answered).contains("a=recvonly") && field(&answered, "CSeq") == "2 PRACK", "{answered}");
    let ok = world.expect(ALICE, "200");
    assert_eq!((field(&ok, "CSeq").as_str(), body(&ok)), ("1 INVITE", ""));
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, &ok));
    world.run_for(ms(20));
    assert_eq!(world.gauges().calls, 1);
}

/// The caller's PRACK comes while Bob has not answered ours.
#[test]
fn rfc6337_4_3_an_offer_in_a_prack_waits_until_the_far_side_can_be_asked() {
    for answers_first in [false, true] {
        let mut world = by_hand(TWO_SIDES, 14);
        let calling =
            Msg::request("INVITE", NUMBER, ALICE, 1).sdp(&audio(ALICE, 4000)).with("Supported", "100rel");
        world.post(ALICE, OUTSIDE, &calling);
        let invited = world.expect(BOB, "INVITE");
        let progress =
            Msg::response(&invited, 183, "bob").contact(BOB).with("Require", "100rel").with("RSeq", "7");
        world.post(BOB, INSIDE, &progress.with("Allow", TAKES).sdp(&audio(BOB, 6000)));
        let early = world.expect(ALICE, "183");
        let acknowledged = world.expect(BOB, "PRACK");
        world.post(ALICE, OUTSIDE, &prack(&early, 2).sdp(&held(ALICE, 4000)));
        world.expect_no(ALICE, "200");
        world.post(ALICE, OUTSIDE, &Msg::inside("UPDATE", ALICE, 3, &early).sdp(&audio(ALICE, 4000)));
        assert_eq!(field(&world.expect(ALICE, "500"), "CSeq"), "3 UPDATE");
        if answers_first {
            world.post(BOB, INSIDE, &Msg::response(&invited, 200, "bob").contact(BOB));
            world.expect(BOB, "ACK");
        } else {
            world.expect_no(BOB, "UPDATE");
            world.ok(BOB, INSIDE, &acknowledged);
        }
        let asked = world.expect(BOB, "UPDATE");
        assert!(body(&asked).contains("a=sendonly"), "{asked}");
        let held = format!("{}a=recvonly\r\n", audio(BOB, 6000));
        world.post(BOB, INSIDE, &Msg::response(&asked, 200, "").contact(BOB).sdp(&held));
        let answered = world.expect(ALICE, "200");
        assert!(body(&answered).contains("a=recvonly"), "{answered}");
        assert_eq!(field(&answered, "CSeq"), "2 PRACK");
        if answers_first {
            let ok = world.expect(ALICE, "200");
            assert_eq!((field(&ok, "CSeq").as_str(), body(&ok)), ("1 INVITE", ""));
            world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, &ok));
            world.run_for(ms(20));
            assert_eq!(world.gauges().calls, 1);
        } else {
            finish(&mut world, &invited);
        }
    }
}

#[test]
fn a_branch_that_fails_answers_what_was_asked_in_its_early_dialog() {
    let mut world = by_hand(TWO_SIDES, 13);
    let (early, invited) = early(&mut world, true, true);
    world.post(ALICE, OUTSIDE, &Msg::inside("UPDATE", ALICE, 3, &early).sdp(&held(ALICE, 4000)));
    world.expect(BOB, "UPDATE");
    world.post(BOB, INSIDE, &Msg::response(&invited, 486, "bob"));
    world.expect(BOB, "ACK");
    let mut seen = Vec::new();
    for _ in 0..2 {
        let next = world.expect(ALICE, "4");
        seen.push((field(&next, "CSeq"), start(&next).split(' ').next().unwrap().to_owned()));
    }
    seen.sort();
    assert_eq!(seen, [("1 INVITE".to_owned(), "486".to_owned()), ("3 UPDATE".to_owned(), "481".to_owned())]);
}

#[test]
fn an_early_session_that_was_changed_and_failed_leaves_the_callers_offer_to_the_next_target() {
    const CAROL: &str = "10.1.0.3:5060";
    let both = "[\"sip:10.1.0.2:5060\", \"sip:10.1.0.3:5060\"]";
    let document =
        TWO_SIDES.replace("[\"sip:10.1.0.2:5060\"]", both) + "\n[profiles.default]\nfailover = [486]\n";
    for is_answered in [true, false] {
        let mut world = by_hand(&document, 14);
        let (_, invited) = early(&mut world, true, true);
        world.post(BOB, INSIDE, &of_bob("UPDATE", 1, &invited).sdp(&held(BOB, 6000)));
        let asked = world.expect(ALICE, "UPDATE");
        let agreed = format!("{}a=recvonly\r\n", audio(ALICE, 4000));
        if is_answered {
            world.post(ALICE, OUTSIDE, &Msg::response(&asked, 200, "").contact(ALICE).sdp(&agreed));
            world.expect(BOB, "200");
        }
        world.post(BOB, INSIDE, &Msg::response(&invited, 486, "bob"));
        world.expect(BOB, "ACK");
        let again = world.expect(CAROL, "INVITE");
        assert!(!body(&again).contains("a=recvonly"), "{again}");
        world.post(
            CAROL,
            INSIDE,
            &Msg::response(&again, 200, "carol").contact(CAROL).sdp(&audio(CAROL, 7000)),
        );
        let ok = world.expect(ALICE, "200");
        assert!(field(&ok, "CSeq").ends_with("INVITE") && body(&ok).contains("m=audio 2"), "{ok}");
        assert!(!body(&ok).contains("a=recvonly") && !body(&ok).contains("a=sendonly"), "{ok}");
        world.expect(CAROL, "ACK");
        world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, &ok));
        world.run_for(ms(20));
        world.post(ALICE, OUTSIDE, &Msg::inside("BYE", ALICE, 9, &ok));
        world.expect(ALICE, "200");
        let bye = world.expect(CAROL, "BYE");
        world.ok(CAROL, INSIDE, &bye);
        world.must_forget("a call by the second target");
    }
}

/// Two branches answer reliably, and one of them changes what Alice does not know any more: her two early dialogs.
fn loses_one(world: &mut World, silent: bool) -> (String, [String; 2]) {
    let calling =
        Msg::request("INVITE", NUMBER, ALICE, 1).sdp(&audio(ALICE, 4000)).with("Supported", "100rel");
    world.post(ALICE, OUTSIDE, &calling.with("Allow", TAKES));
    let invited = world.expect(BOB, "INVITE");
    let heard = ["left", "right"].map(|tag| {
        let progress = Msg::response(&invited, 183, tag).contact(BOB).with("Allow", TAKES);
        let progress = progress.with("Require", "100rel").with("RSeq", "7");
        world.post(BOB, INSIDE, &progress.sdp(&audio(BOB, if tag == "left" { 6000 } else { 7000 })));
        let heard = world.expect(ALICE, "183");
        let acknowledged = world.expect(BOB, "PRACK");
        world.ok(BOB, INSIDE, &acknowledged);
        world.post(ALICE, OUTSIDE, &prack(&heard, if tag == "left" { 2 } else { 3 }));
        world.expect(ALICE, "200");
        heard
    });
    let from = format!("{};tag=left", field(&invited, "To"));
    let update = Msg::inside("UPDATE", BOB, 1, &invited).set("From", &from).sdp(&audio(BOB, 6002));
    world.post(BOB, INSIDE, &update);
    let asked = world.expect(ALICE, "UPDATE");
    if !silent {
        world.post(ALICE, OUTSIDE, &Msg::response(&asked, 481, ""));
    }
    assert_eq!(field(&world.expect_within(BOB, "504", s(33)), "CSeq"), "1 UPDATE");
    world.run_for(if silent { s(20) } else { ms(20) });
    assert_eq!(world.core.counters().early_dialogs_lost, 1);
    (invited, heard)
}

/// One branch answers, and Alice hangs up: her 200.
fn branch_answers(world: &mut World, invited: &str, tag: &str) -> String {
    world.post(BOB, INSIDE, &Msg::response(invited, 200, tag).contact(BOB).with("Allow", TAKES));
    let ok = world.expect(ALICE, "200");
    assert_eq!(field(&ok, "CSeq"), "1 INVITE");
    world.expect(BOB, "ACK");
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, &ok));
    world.run_for(ms(20));
    assert_eq!((world.gauges().calls, world.lent()), (1, 2));
    world.post(ALICE, OUTSIDE, &Msg::inside("BYE", ALICE, 9, &ok));
    let bye = world.expect(BOB, "BYE");
    world.ok(BOB, INSIDE, &bye);
    world.must_forget("a call that has lost an early dialog");
    ok
}

#[test]
fn rfc5057_5_1_an_early_dialog_that_its_caller_has_lost_takes_no_other_with_it() {
    for silent in [false, true] {
        let mut world = by_hand(TWO_SIDES, 40);
        let (invited, heard) = loses_one(&mut world, silent);
        let ok = branch_answers(&mut world, &invited, "right");
        assert_eq!(
            (field(&ok, "To"), body(&ok)),
            (field(&heard[1], "To"), ""),
            "its answer was given reliably"
        );
    }
}

#[test]
fn rfc5057_5_1_what_rings_behind_a_lost_early_dialog_answers_in_a_new_one() {
    let mut world = by_hand(TWO_SIDES, 41);
    let (invited, heard) = loses_one(&mut world, false);
    let ok = branch_answers(&mut world, &invited, "left");
    assert!(heard.iter().all(|heard| field(heard, "To") != field(&ok, "To")), "{ok}");
    assert!(!body(&ok).is_empty(), "Alice has heard nothing in it yet: {ok}");
}

/// Alice has heard that nothing comes of it, and Bob has taken it after all: he is offered what stood before.
#[test]
fn rfc3311_5_2_an_early_change_that_is_answered_after_it_was_given_up_is_taken_back() {
    let mut world = by_hand(TWO_SIDES, 21);
    let (early, invited) = early(&mut world, true, true);
    world.post(ALICE, OUTSIDE, &Msg::inside("UPDATE", ALICE, 3, &early).sdp(&held(ALICE, 4000)));
    let asked = world.expect(BOB, "UPDATE");
    assert!(body(&asked).contains("a=sendonly"), "{asked}");
    world.expect_within(ALICE, "504", s(21));
    world.mail.clear();
    let taken = format!("{}a=recvonly\r\n", audio(BOB, 6000));
    world.post(BOB, INSIDE, &Msg::response(&asked, 200, "").contact(BOB).sdp(&taken));
    let back = world.expect(BOB, "UPDATE");
    assert!(!body(&back).contains("a=sendonly"), "{back}");
    world.post(BOB, INSIDE, &Msg::response(&back, 200, "").contact(BOB).sdp(&audio(BOB, 6000)));
    finish(&mut world, &invited);
}
