//! Several answers to one INVITE: each early dialog of the called side is one towards the caller.

use super::common::{ALICE, BOB, Call, INSIDE, OUTSIDE, TWO_SIDES, World, by_hand, invite, ms};
use liaison_tests::message::{Msg, audio, body, field, line, tag};

/// A branch of the fork answers.
fn branch(invited: &str, status: u16, tag: &str, port: u16) -> Msg {
    let sdp = audio(BOB, port);
    // Each answers for itself: the right one takes no telephone-event.
    let sdp = if tag == "right" {
        sdp.replace(" 8 101", " 8").replace("a=rtpmap:101 telephone-event/8000\r\n", "")
    } else {
        sdp
    };
    Msg::response(invited, status, tag).contact(BOB).sdp(&sdp)
}

/// Alice calls, and two branches ring with early media: what she gets of each.
fn forked(world: &mut World) -> (String, String, String) {
    world.post(ALICE, OUTSIDE, &invite());
    let invited = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &branch(&invited, 183, "left", 6000));
    let left = world.expect(ALICE, "183");
    world.post(BOB, INSIDE, &branch(&invited, 183, "right", 7000));
    let right = world.expect(ALICE, "183");
    (invited, left, right)
}

// conforms: RFC3261-8.1.3.2-3
#[test]
fn rfc3261_12_1_forked_answers_stay_apart() {
    let mut world = by_hand(TWO_SIDES, 1);
    let (invited, left, right) = forked(&mut world);
    assert_ne!(tag(&left, "To"), tag(&right, "To"));
    assert_eq!(tag(&left, "From"), tag(&right, "From"));
    let ports = [&left, &right].map(|response| line(body(response), 'm'));
    assert!(ports[0].ends_with(" RTP/AVP 8 101") && ports[1].ends_with(" RTP/AVP 8"), "{ports:?}");
    let [left_port, right_port] = ports.map(|line| line.split(' ').nth(1).unwrap().to_owned());
    assert_ne!(left_port, right_port, "each early dialog has media of its own");
    let ids = [&left, &right].map(|response| line(body(response), 'o'));
    assert_ne!(ids[0], ids[1], "each early dialog is a session of its own (RFC 8866 §5.2)");
    assert_eq!(world.lent(), 3, "one pair towards the fork, one for each early dialog towards the caller");

    // The first branch rings on: its dialog is the one that it was.
    world.post(BOB, INSIDE, &Msg::response(&invited, 180, "left").contact(BOB));
    assert_eq!(tag(&world.expect(ALICE, "180"), "To"), tag(&left, "To"));

    world.post(BOB, INSIDE, &branch(&invited, 200, "right", 7000));
    let ok = world.expect(ALICE, "200");
    assert_eq!(tag(&ok, "To"), tag(&right, "To"));
    assert_eq!(body(&ok), body(&right), "the answer is the one that it was (RFC 3261 §13.2.1)");
    let acked = world.expect(BOB, "ACK");
    assert_eq!(tag(&acked, "To"), "right");
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, &ok));
    world.run_for(ms(20));
    assert_eq!(world.lent(), 2, "the loser's media is given back");

    // A branch that answers later is acknowledged and released (RFC 3261 §13.2.2.4).
    world.post(BOB, INSIDE, &branch(&invited, 200, "left", 6000));
    assert_eq!(tag(&world.expect(BOB, "ACK"), "To"), "left");
    let bye = world.expect(BOB, "BYE");
    assert_eq!(tag(&bye, "To"), "left");
    world.ok(BOB, INSIDE, &bye);
    world.expect_no(ALICE, "BYE");
    assert_eq!(world.gauges().calls, 1);

    let call = Call { ok, invited, acked };
    call.hang_up(&mut world, 2);
    world.must_forget("a fork");
}

#[test]
fn a_fork_that_fails_ends_all_its_early_dialogs() {
    let mut world = by_hand(TWO_SIDES, 2);
    let (invited, ..) = forked(&mut world);
    world.post(BOB, INSIDE, &Msg::response(&invited, 603, "none"));
    world.expect(BOB, "ACK");
    let refused = world.expect(ALICE, "603");
    world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &invite()).set("To", &field(&refused, "To")));
    world.run_for(ms(20));
    assert_eq!((world.gauges().calls, world.lent()), (0, 0));
    world.must_forget("a fork that fails");
}

#[test]
fn early_dialogs_beyond_the_limit_are_not_shown() {
    let mut world = by_hand(&format!("{TWO_SIDES}\n[limits]\nearly_dialogs = 2\n"), 3);
    let (invited, ..) = forked(&mut world);
    world.post(BOB, INSIDE, &branch(&invited, 183, "third", 8000));
    world.expect_no(ALICE, "183");
    assert_eq!(world.core.sip_counters().early_dialogs_refused, 1);
    world.post(BOB, INSIDE, &branch(&invited, 200, "left", 6000));
    let ok = world.expect(ALICE, "200");
    let acked = world.expect(BOB, "ACK");
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, &ok));
    Call { ok, invited, acked }.hang_up(&mut world, 2);
    world.must_forget("more branches than may be");
}

#[test]
fn a_branch_beyond_the_limit_that_answers_is_released_and_the_call_fails() {
    let mut world = by_hand(&format!("{TWO_SIDES}\n[limits]\nearly_dialogs = 2\n"), 4);
    let (invited, ..) = forked(&mut world);
    world.post(BOB, INSIDE, &branch(&invited, 200, "third", 8000));
    assert_eq!(tag(&world.expect(BOB, "ACK"), "To"), "third");
    let bye = world.expect(BOB, "BYE");
    assert_eq!(tag(&bye, "To"), "third");
    world.ok(BOB, INSIDE, &bye);
    let refused = world.expect(ALICE, "503");
    world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &invite()).set("To", &field(&refused, "To")));
    world.must_forget("an answer beyond the limit");
}

#[test]
fn who_has_rung_without_a_tag_goes_on_in_the_dialog_that_the_caller_knows() {
    let mut world = by_hand(TWO_SIDES, 21);
    world.post(ALICE, OUTSIDE, &invite());
    let invited = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&invited, 180, ""));
    let first = world.expect(ALICE, "180");
    world.post(BOB, INSIDE, &branch(&invited, 183, "left", 6000));
    assert_eq!(tag(&world.expect(ALICE, "183"), "To"), tag(&first, "To"));
}
