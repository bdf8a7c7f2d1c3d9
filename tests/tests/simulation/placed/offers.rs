//! Placed calls where a profile says whether an INVITE of ours has an offer (`offers`).

use super::super::common::{ALICE, BOB, INSIDE, OUTSIDE, World, answer, by_hand, document};
use super::{end, first_answers, order, place, shown, then_answers, try_to_place};
use admin_api::control::{CallDetail, CallState};
use liaison_tests::message::{Msg, audio, body, find, line};

/// With `offers` of Alice's side and of Bob's.
fn offering(alice: &str, bob: &str) -> World {
    let more = format!("\n[profiles.a]\noffers = \"{alice}\"\n[profiles.b]\noffers = \"{bob}\"\n");
    by_hand(&document("profile = \"a\"", "profile = \"b\"", &more), 1)
}

fn both_talk(world: &mut World, call: &CallDetail) {
    assert_eq!(shown(world, call).summary.state, CallState::Established);
    assert_eq!(world.lent(), 2);
    end(world, call);
    for (at, to) in [(ALICE, OUTSIDE), (BOB, INSIDE)] {
        let bye = world.expect(at, "BYE");
        world.ok(at, to, &bye);
    }
    world.must_forget("a placed call");
}

#[test]
fn a_first_party_that_must_have_an_offer_answers_ours() {
    for then in ["make", "ask", "carry"] {
        let mut world = offering("make", then);
        let call = place(&mut world, order());
        let first = world.expect(ALICE, "INVITE");
        assert!(line(body(&first), 'm').starts_with("audio 2000"), "{first}");
        assert!(find(&first, "Supported").is_none_or(|tags| !tags.contains("100rel")), "{first}");
        let chosen = audio(ALICE, 4000);
        world.post(ALICE, OUTSIDE, &Msg::response(&first, 183, "alice").contact(ALICE).sdp(&chosen));
        world.post(ALICE, OUTSIDE, &Msg::response(&first, 200, "alice").contact(ALICE).sdp(&chosen));
        let acked = world.expect(ALICE, "ACK");
        assert_eq!(body(&acked), "", "it has had our offer");
        let invited = world.expect(BOB, "INVITE");
        assert!(body(&invited).contains("PCMA"), "what she can do: {invited}");
        world.post(BOB, INSIDE, &answer(&invited));
        world.expect(BOB, "ACK");
        // What she was offered is told anew where he has answered something else.
        let told = world.expect(ALICE, "INVITE");
        world.post(ALICE, OUTSIDE, &Msg::response(&told, 200, "").contact(ALICE).sdp(&chosen));
        world.expect(ALICE, "ACK");
        both_talk(&mut world, &call);
    }
}

#[test]
fn a_first_party_that_answers_our_offer_with_nothing_is_let_go() {
    let mut world = offering("make", "carry");
    place(&mut world, order());
    let first = world.expect(ALICE, "INVITE");
    world.post(ALICE, OUTSIDE, &Msg::response(&first, 200, "alice").contact(ALICE));
    world.expect(ALICE, "ACK");
    let bye = world.expect(ALICE, "BYE");
    world.ok(ALICE, OUTSIDE, &bye);
    world.expect_no(BOB, "INVITE");
    world.must_forget("a first party without media");
}

#[test]
fn who_makes_the_offer_in_any_case_is_asked_for_it_first_and_then_gets_one() {
    for (first, then) in [("ask", "ask"), ("ask", "make"), ("carry", "make")] {
        let mut world = offering(first, then);
        let call = place(&mut world, order());
        let (invited, acked) = first_answers(&mut world);
        assert!(body(&invited).is_empty() && !body(&acked).is_empty(), "{invited}{acked}");
        let (invited, _) = then_answers(&mut world);
        assert!(body(&invited).contains("PCMA"), "{invited}");
        both_talk(&mut world, &call);
    }
}

/// Who has ordered the call does not wait to hear of it any more, and may order it again.
#[test]
fn an_order_that_nobody_waits_for_is_not_carried_out() {
    let mut world = offering("carry", "carry");
    let (ask, placed) = tokio::sync::oneshot::channel();
    drop(placed);
    world.command(b2bua::shard::Command::Place(Box::new(order()), ask));
    world.expect_no(ALICE, "INVITE");
    assert_eq!((world.gauges().calls, world.core.counters().placed), (0, 0));
    assert!(try_to_place(&mut world, order()).is_ok());
    world.expect(ALICE, "INVITE");
}
