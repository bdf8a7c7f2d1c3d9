//! Early dialogs that end while their call goes on (199, RFC 6228).

use super::common::{ALICE, BOB, INSIDE, OUTSIDE, TWO_SIDES, World, by_hand, invite, ms};
use liaison_tests::message::{Msg, audio, body, field, fields, find, start, tag};

/// Another phone on Bob's side.
const CAROL: &str = "10.1.0.3:5060";

/// Alice's INVITE, from who takes 199.
fn taking() -> Msg {
    invite().with("Supported", "199")
}

/// Alice calls, and two branches ring with early media: what Bob was asked, what she got of each.
fn forked(world: &mut World, invite: &Msg) -> (String, String, String) {
    world.post(ALICE, OUTSIDE, invite);
    let invited = world.expect(BOB, "INVITE");
    let mut rings = |tag: &str, port: u16| {
        world.post(BOB, INSIDE, &Msg::response(&invited, 183, tag).contact(BOB).sdp(&audio(BOB, port)));
        world.expect(ALICE, "183")
    };
    let (left, right) = (rings("left", 6000), rings("right", 7000));
    (invited, left, right)
}

/// 199 of a branch.
fn over(invited: &str, tag: &str) -> Msg {
    Msg::response(invited, 199, tag).contact(BOB).with("Reason", "SIP;cause=486")
}

/// The branch answers, and Alice hangs up.
fn finishes(world: &mut World, invited: &str, tag: &str) {
    world.post(BOB, INSIDE, &Msg::response(invited, 200, tag).contact(BOB).sdp(&audio(BOB, 7000)));
    let ok = world.expect(ALICE, "200");
    world.expect(BOB, "ACK");
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, &ok));
    world.run_for(ms(20));
    assert_eq!(world.lent(), 2);
    world.post(ALICE, OUTSIDE, &Msg::inside("BYE", ALICE, 2, &ok));
    let bye = world.expect(BOB, "BYE");
    world.ok(BOB, INSIDE, &bye);
    world.must_forget("a call with an early dialog that ended");
}

// conforms: RFC6228-4-1,2,3 RFC6228-5-2,3,4
#[test]
fn rfc6228_4_a_branch_that_is_over_is_let_go_and_the_caller_hears_of_it() {
    for ends in ["left", "right"] {
        let mut world = by_hand(TWO_SIDES, 1);
        let (invited, left, right) = forked(&mut world, &taking());
        let supported: Vec<_> =
            fields(&invited).into_iter().filter(|(name, _)| name == "Supported").collect();
        assert!(supported.iter().any(|(_, tags)| tags.contains("199")), "{invited}");
        assert_eq!(world.lent(), 3);
        let before = world.ways();
        world.post(BOB, INSIDE, &over(&invited, ends));
        let ended = world.expect(ALICE, "199");
        assert!(world.ways() < before, "what plays there is not heard any more");
        let (gone, other) = if ends == "left" { (&left, "right") } else { (&right, "left") };
        assert_eq!((tag(&ended, "To"), field(&ended, "Reason")), (tag(gone, "To"), "SIP;cause=486".into()));
        assert!(body(&ended).is_empty() && find(&ended, "RSeq").is_none(), "{ended}");
        let tags = [find(&ended, "Supported"), find(&ended, "Require")].map(Option::unwrap_or_default);
        assert!(tags.iter().all(|tags| !tags.contains("199")), "{ended}");
        // What is sent in it finds nobody, on either side.
        world.post(ALICE, OUTSIDE, &Msg::inside("INFO", ALICE, 2, gone));
        world.expect(ALICE, "481");
        world.post(BOB, INSIDE, &over(&invited, ends));
        world.expect_no(ALICE, "199");
        finishes(&mut world, &invited, other);
    }
}

// conforms: RFC6228-3-1 RFC6228-4-5 RFC6228-5-1
#[test]
fn rfc6228_5_a_caller_that_does_not_take_it_hears_nothing() {
    let mut world = by_hand(TWO_SIDES, 2);
    let (invited, ..) = forked(&mut world, &invite());
    world.post(BOB, INSIDE, &over(&invited, "right"));
    world.expect_no(ALICE, "199");
    assert_eq!(world.lent(), 2, "but what stood for it is free");
    // One that nobody knows is nothing.
    world.post(BOB, INSIDE, &over(&invited, "nobody"));
    world.expect_no(ALICE, "199");
    finishes(&mut world, &invited, "left");
    let off = format!("{TWO_SIDES}\n[profiles.default]\nearly_dialog_terminated = false\n");
    let mut world = by_hand(&off, 3);
    let (invited, ..) = forked(&mut world, &taking());
    assert!(!find(&invited, "Supported").unwrap_or_default().contains("199"), "{invited}");
    world.post(BOB, INSIDE, &over(&invited, "right"));
    world.expect_no(ALICE, "199");
    finishes(&mut world, &invited, "left");
}

// conforms: RFC6228-4-6 RFC6228-7-3
#[test]
fn rfc6228_4_a_reliable_one_is_acknowledged_whether_it_is_known_or_not() {
    let mut world = by_hand(TWO_SIDES, 4);
    let (invited, ..) = forked(&mut world, &taking());
    for (branch, number) in [("right", 7), ("nobody", 9)] {
        let reliable = over(&invited, branch).with("Require", "100rel");
        world.post(BOB, INSIDE, &reliable.with("RSeq", &number.to_string()));
        let prack = world.expect(BOB, "PRACK");
        assert_eq!((tag(&prack, "To"), field(&prack, "RAck")), (branch.into(), format!("{number} 1 INVITE")));
        world.ok(BOB, INSIDE, &prack);
    }
    world.expect(ALICE, "199");
    world.expect_no(ALICE, "199");
    finishes(&mut world, &invited, "left");
}

#[test]
fn all_of_them_may_end_and_others_come() {
    let mut world = by_hand(TWO_SIDES, 5);
    let (invited, left, right) = forked(&mut world, &taking());
    for (branch, dialog) in [("right", &right), ("left", &left)] {
        world.post(BOB, INSIDE, &over(&invited, branch));
        assert_eq!(tag(&world.expect(ALICE, "199"), "To"), tag(dialog, "To"));
    }
    world.post(BOB, INSIDE, &Msg::response(&invited, 183, "third").contact(BOB).sdp(&audio(BOB, 8000)));
    let third = world.expect(ALICE, "183");
    assert!(![&left, &right].map(|dialog| tag(dialog, "To")).contains(&tag(&third, "To")), "{third}");
    finishes(&mut world, &invited, "third");
}

// conforms: RFC6228-7-1,2
#[test]
fn rfc6228_a_target_that_fails_while_others_are_left_is_told() {
    let two = TWO_SIDES.replace(
        "targets = [\"sip:10.1.0.2:5060\"]",
        "targets = [\"sip:10.1.0.2:5060\", \"sip:10.1.0.3:5060\"]",
    );
    for takes in [true, false] {
        let mut world = by_hand(&two, 6);
        world.post(ALICE, OUTSIDE, &if takes { taking() } else { invite() });
        let first = world.expect(BOB, "INVITE");
        world.post(BOB, INSIDE, &Msg::response(&first, 180, "bob").contact(BOB));
        let ringing = world.expect(ALICE, "180");
        world.post(BOB, INSIDE, &Msg::response(&first, 503, "bob").with("Reason", "Q.850;cause=41"));
        world.expect(BOB, "ACK");
        let second = world.expect(CAROL, "INVITE");
        match takes {
            true => {
                let ended = world.expect(ALICE, "199");
                assert_eq!(tag(&ended, "To"), tag(&ringing, "To"));
                let reasons: Vec<_> = fields(&ended)
                    .into_iter()
                    .filter(|(name, _)| name == "Reason")
                    .map(|(_, value)| value)
                    .collect();
                assert_eq!(reasons, ["SIP;cause=503;text=\"Service Unavailable\"", "Q.850;cause=41"]);
                // A late request in it finds nobody.
                world.post(ALICE, OUTSIDE, &Msg::inside("INFO", ALICE, 2, &ringing));
                world.expect(ALICE, "481");
            }
            false => world.expect_no(ALICE, "199"),
        }
        // The last one that fails is the end of the call, and needs none.
        world.post(CAROL, INSIDE, &Msg::response(&second, 180, "carol").contact(CAROL));
        world.expect(ALICE, "180");
        world.post(CAROL, INSIDE, &Msg::response(&second, 486, "carol"));
        let failed = world.expect(ALICE, "486");
        world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &invite()).set("To", &field(&failed, "To")));
        world.expect_no(ALICE, "199");
        assert!(start(&failed).contains("486"));
        world.must_forget("a call that failed");
    }
}

/// Whoever has not said why its branch is over has it said by us: nobody is there (RFC 6228 §5).
#[test]
fn rfc6228_5_an_end_without_a_reason_has_one_for_the_caller() {
    let mut world = by_hand(TWO_SIDES, 21);
    let (invited, ..) = forked(&mut world, &taking());
    world.post(BOB, INSIDE, &over(&invited, "left").without("Reason"));
    let ended = world.expect(ALICE, "199");
    assert_eq!(field(&ended, "Reason"), "SIP;cause=480;text=\"Early dialog terminated\"");
}
