//! Calls from addresses that no trunk knows, and requests that come in by the wrong door.

use super::common::{ALICE, BOB, Call, INSIDE, NUMBER, OUTSIDE, TWO_SIDES, by_hand, ms};
use liaison_tests::message::{Msg, audio, field, find};

/// Somebody beside Alice.
const EVE: &str = "10.0.0.9:5060";

fn call_of_eve() -> Msg {
    Msg::request("INVITE", NUMBER, EVE, 1).sdp(&audio(EVE, 4000))
}

#[test]
fn a_stranger_is_refused_and_counted() {
    let mut world = by_hand(TWO_SIDES, 1);
    let invite = call_of_eve();
    world.post(EVE, OUTSIDE, &invite);
    let refused = world.expect(EVE, "403");
    world.post(EVE, OUTSIDE, &Msg::of_invite("ACK", &invite).set("To", &field(&refused, "To")));
    world.expect_no(BOB, "INVITE");
    assert_eq!((world.core.counters().strangers, world.core.counters().calls), (1, 0));
    world.must_forget("a stranger");
}

#[test]
fn a_stranger_is_routed_where_the_network_says_so() {
    let text = TWO_SIDES.replace("[networks.carrier]", "[networks.carrier]\nstrangers = \"route\"");
    let mut world = by_hand(&text, 2);
    let invite = call_of_eve();
    world.post(EVE, OUTSIDE, &invite);
    let invited = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&invited, 486, "bob"));
    world.expect(BOB, "ACK");
    let refused = world.expect(EVE, "486");
    world.post(EVE, OUTSIDE, &Msg::of_invite("ACK", &invite).set("To", &field(&refused, "To")));
    assert_eq!((world.core.counters().strangers, world.core.counters().calls), (0, 1));
    world.must_forget("a stranger that is let in");
}

#[test]
fn a_bye_on_another_networks_listener_ends_nothing() {
    let mut world = by_hand(TWO_SIDES, 3);
    let call = Call::establish(&mut world);
    world.post(BOB, INSIDE, &call.alice("BYE", 2).set("Via", &format!("SIP/2.0/UDP {BOB};branch=z9hG4bK-x")));
    world.expect(BOB, "481");
    let bye = call.bob("BYE", 1).set("Via", &format!("SIP/2.0/UDP {ALICE};branch=z9hG4bK-y"));
    world.post(ALICE, OUTSIDE, &bye);
    world.expect(ALICE, "481");
    for at in [ALICE, BOB] {
        world.expect_no(at, "BYE");
    }
    world.run_for(ms(20));
    assert_eq!((world.gauges().calls, world.lent()), (1, 2));
    call.hang_up(&mut world, 3);
    world.must_forget("a BYE at the wrong door");
}

#[test]
fn rfc3325_the_identity_in_an_untrusted_sides_refusal_of_a_reinvite_does_not_cross() {
    let mut world = by_hand(TWO_SIDES, 4);
    let call = Call::establish(&mut world);
    world.post(BOB, INSIDE, &call.bob("INVITE", 1).sdp(&audio(BOB, 6000).replace(" 1 IN", " 2 IN")));
    let offered = world.expect(ALICE, "INVITE");
    let refusal = Msg::response(&offered, 488, "")
        .with("P-Asserted-Identity", "<sip:forged@carrier.example>")
        .with("X-Keep", "yes");
    world.post(ALICE, OUTSIDE, &refusal);
    world.expect(ALICE, "ACK");
    let refused = world.expect(BOB, "488");
    assert_eq!(find(&refused, "P-Asserted-Identity"), None, "{refused}");
    assert_eq!(field(&refused, "X-Keep"), "yes");
    world.post(BOB, INSIDE, &call.bob("ACK", 1).set("Via", &field(&refused, "Via")));
    call.hang_up(&mut world, 2);
    world.must_forget("a forged identity");
}

#[test]
fn where_strangers_may_call_wrong_numbers_are_no_offence() {
    let text = TWO_SIDES.replace("[networks.carrier]", "[networks.carrier]\nstrangers = \"route\"");
    let text =
        text.replace("networks = [\"carrier\"]\nto", "networks = [\"carrier\"]\ncalled = [\"+49*\"]\nto");
    let mut world = by_hand(&text, 3);
    for n in 1..=60 {
        let wrong = Msg::request("INVITE", "sip:nobody@elsewhere.example", EVE, n)
            .set("Call-ID", &format!("wrong-{n}"))
            .branch(&format!("wrong-{n}"));
        world.post(EVE, OUTSIDE, &wrong);
        let refused = world.expect(EVE, "404");
        world.post(EVE, OUTSIDE, &Msg::of_invite("ACK", &wrong).set("To", &field(&refused, "To")));
    }
    assert_eq!(world.core.counters().quarantined, 0);
    world.post(EVE, OUTSIDE, &call_of_eve());
    world.expect(BOB, "INVITE");
}
