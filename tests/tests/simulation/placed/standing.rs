//! Sessions of placed calls: what goes on in them while the other party rings, and once both talk.

use super::super::common::{ALICE, BOB, INSIDE, OUTSIDE, TWO_SIDES, World, by_hand, ms, s};
use super::{end, first_answers, inside, order, place, then_answers};
use admin_api::control::CallDetail;
use liaison_tests::message::{Msg, audio, body, field, find, line};

/// Alice answers with a session timer of 90 s, which that side refreshes; Bob rings.
fn waiting(refresher: &str, seed: u64) -> (World, CallDetail, String, String) {
    let mut world = by_hand(TWO_SIDES, seed);
    let call = place(&mut world, order());
    let invited = world.expect(ALICE, "INVITE");
    let ok = Msg::response(&invited, 200, "alice").contact(ALICE).sdp(&audio(ALICE, 4000));
    let ok = ok.with("Require", "timer").with("Session-Expires", &format!("90;refresher={refresher}"));
    world.post(ALICE, OUTSIDE, &ok);
    world.expect(ALICE, "ACK");
    let rings = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&rings, 180, "bob").contact(BOB));
    (world, call, invited, rings)
}

/// Both are let go, Bob while he rings.
fn is_given_up(world: &mut World, call: &CallDetail, rings: &str) {
    end(world, call);
    let cancel = world.expect(BOB, "CANCEL");
    world.ok(BOB, INSIDE, &cancel);
    world.post(BOB, INSIDE, &Msg::response(rings, 487, "bob"));
    world.expect(BOB, "ACK");
    let bye = world.expect(ALICE, "BYE");
    world.ok(ALICE, OUTSIDE, &bye);
    world.must_forget("a first party that waits");
}

#[test]
fn the_first_refreshes_its_session_while_the_other_rings() {
    let (mut world, call, first, rings) = waiting("uas", 1);
    let mut described = String::new();
    for turn in 0..3 {
        world.run_for(s(45));
        let refresh = inside("INVITE", (ALICE, "alice"), 10 + turn, &first).contact(ALICE);
        let refresh = refresh.with("Supported", "timer").with("Session-Expires", "90;refresher=uac");
        world.post(ALICE, OUTSIDE, &refresh.sdp(&audio(ALICE, 4000)));
        let ok = world.expect(ALICE, "200");
        world.post(ALICE, OUTSIDE, &inside("ACK", (ALICE, "alice"), 10 + turn, &first));
        if turn > 0 {
            assert_eq!(body(&ok), described, "word for word");
        }
        described = body(&ok).to_owned();
    }
    is_given_up(&mut world, &call, &rings);
}

#[test]
fn the_session_of_the_first_is_refreshed_while_the_other_rings() {
    let (mut world, call, _, rings) = waiting("uac", 2);
    for _ in 0..3 {
        let refresh = world.expect_within(ALICE, "INVITE", s(50));
        assert!(line(body(&refresh), 'm').starts_with("audio 20000 "), "{refresh}");
        assert_eq!(line(body(&refresh), 'o').split(' ').nth(2), Some("1"), "nothing has changed");
        assert!(find(&refresh, "Session-Expires").is_some(), "{refresh}");
        let ok = Msg::response(&refresh, 200, "").contact(ALICE).sdp(&audio(ALICE, 4000));
        let ok = ok.with("Require", "timer").with("Session-Expires", &field(&refresh, "Session-Expires"));
        world.post(ALICE, OUTSIDE, &ok);
        world.expect(ALICE, "ACK");
    }
    is_given_up(&mut world, &call, &rings);
}

#[test]
fn the_other_answers_in_the_middle_of_a_refresh_and_is_joined_after_it() {
    let (mut world, call, _, rings) = waiting("uac", 3);
    let refresh = world.expect_within(ALICE, "INVITE", s(50));
    world.post(BOB, INSIDE, &Msg::response(&rings, 200, "bob").contact(BOB).sdp(&super::voice(BOB, 6000)));
    world.expect(BOB, "ACK");
    world.run_for(ms(400));
    world.post(ALICE, OUTSIDE, &Msg::response(&refresh, 200, "").contact(ALICE).sdp(&audio(ALICE, 4000)));
    world.expect(ALICE, "ACK");
    let told = world.expect_within(ALICE, "INVITE", s(1));
    assert!(!body(&told).contains("telephone-event"), "{told}");
    world.post(ALICE, OUTSIDE, &Msg::response(&told, 200, "").contact(ALICE).sdp(&audio(ALICE, 4000)));
    world.expect(ALICE, "ACK");
    end(&mut world, &call);
    for (at, to) in [(ALICE, OUTSIDE), (BOB, INSIDE)] {
        let bye = world.expect(at, "BYE");
        world.ok(at, to, &bye);
    }
    world.must_forget("a refresh that the answer meets");
}

#[test]
fn the_other_goes_while_it_waits_to_be_joined() {
    let (mut world, _, _, rings) = waiting("uac", 4);
    let refresh = world.expect_within(ALICE, "INVITE", s(50));
    world.post(BOB, INSIDE, &Msg::response(&rings, 200, "bob").contact(BOB).sdp(&audio(BOB, 6000)));
    world.expect(BOB, "ACK");
    world.post(BOB, INSIDE, &inside("BYE", (BOB, "bob"), 1, &rings));
    world.expect(BOB, "200");
    world.post(ALICE, OUTSIDE, &Msg::response(&refresh, 200, "").contact(ALICE).sdp(&audio(ALICE, 4000)));
    world.expect(ALICE, "ACK");
    let bye = world.expect(ALICE, "BYE");
    assert!(field(&bye, "Reason").starts_with("SIP;cause=480;"), "{bye}");
    world.ok(ALICE, OUTSIDE, &bye);
    world.must_forget("another party that goes at once");
}

#[test]
fn the_first_transfers_the_other_to_somebody_else() {
    let mut world = by_hand(TWO_SIDES, 5);
    place(&mut world, order());
    let (first, _) = first_answers(&mut world);
    let (then, _) = then_answers(&mut world);
    let refer = inside("REFER", (ALICE, "alice"), 5, &first).with("Refer-To", "<sip:+4950@10.0.0.1>");
    world.post(ALICE, OUTSIDE, &refer.contact(ALICE));
    world.expect(ALICE, "200");
    let target = world.expect(BOB, "INVITE sip:+4950");
    for status in ["100", "180"] {
        let told = world.expect(ALICE, "NOTIFY");
        assert!(body(&told).starts_with(&format!("SIP/2.0 {status} ")), "{told}");
        world.ok(ALICE, OUTSIDE, &told);
        if status == "100" {
            world.post(BOB, INSIDE, &Msg::response(&target, 180, "dave").contact(BOB));
        }
    }
    world.post(BOB, INSIDE, &Msg::response(&target, 200, "dave").contact(BOB).sdp(&audio(BOB, 7000)));
    world.expect(BOB, "ACK");
    let told = world.expect(ALICE, "NOTIFY");
    assert!(body(&told).starts_with("SIP/2.0 200 "), "{told}");
    world.ok(ALICE, OUTSIDE, &told);
    world.post(ALICE, OUTSIDE, &inside("BYE", (ALICE, "alice"), 6, &first));
    world.expect(ALICE, "200");
    world.run_for(s(1));
    world.post(BOB, INSIDE, &inside("BYE", (BOB, "bob"), 7, &then));
    world.expect(BOB, "200");
    let bye = world.expect(BOB, "BYE");
    assert!(field(&bye, "To").ends_with(";tag=dave"), "{bye}");
    world.ok(BOB, INSIDE, &bye);
    world.must_forget("a placed call that is transferred");
    let records = world.records.lock().unwrap();
    let transfer = &records[0].transfers[0];
    // Places in the list of legs: Alice, Bob, the target.
    assert_eq!((transfer.by, transfer.of, transfer.target, transfer.status), (0, 1, Some(2), Some(200)));
    assert_eq!(records[0].released_by, Some("calling"), "who stayed");
}

#[test]
fn what_the_first_describes_reliably_while_the_other_rings_is_what_that_one_hears() {
    let (mut world, call, _, rings) = waiting("uac", 6);
    let refresh = world.expect_within(ALICE, "INVITE", s(50));
    // She has no tones any more.
    let progress = Msg::response(&refresh, 183, "").contact(ALICE).sdp(&super::voice(ALICE, 4000));
    world.post(ALICE, OUTSIDE, &progress.with("Require", "100rel").with("RSeq", "7"));
    let prack = world.expect(ALICE, "PRACK");
    assert_eq!((field(&prack, "RAck"), body(&prack)), (format!("7 {}", field(&refresh, "CSeq")), ""));
    world.ok(ALICE, OUTSIDE, &prack);
    world.post(ALICE, OUTSIDE, &Msg::response(&refresh, 200, "").contact(ALICE));
    world.expect(ALICE, "ACK");
    world.post(BOB, INSIDE, &Msg::response(&rings, 200, "bob").contact(BOB).sdp(&audio(BOB, 6000)));
    world.expect(BOB, "ACK");
    let told = world.expect(BOB, "INVITE");
    assert!(!body(&told).contains("telephone-event"), "{told}");
    world.post(BOB, INSIDE, &Msg::response(&told, 200, "").contact(BOB).sdp(&super::voice(BOB, 6000)));
    world.expect(BOB, "ACK");
    world.run_for(ms(500));
    end(&mut world, &call);
    for (at, to) in [(ALICE, OUTSIDE), (BOB, INSIDE)] {
        let bye = world.expect(at, "BYE");
        world.ok(at, to, &bye);
    }
    world.must_forget("a first party that has changed meanwhile");
}
