//! Placed calls that come to nothing, or are given up.

use super::super::admin::only_call_in_full;
use super::super::common::{ALICE, BOB, INSIDE, OUTSIDE, TWO_SIDES, World, answer, by_hand, ms, s};
use super::{FIRST, end, first_answers, inside, order, party, place, try_to_place};
use admin_api::control::{CallOrder, ControlError, Unavailability};
use b2bua::shard::Command;
use liaison_tests::message::{Msg, audio, body, field};

/// Somebody is sent a CANCEL, and the INVITE is over.
fn is_cancelled(world: &mut World, (at, to): (&str, &str), invited: &str) -> String {
    let cancel = world.expect(at, "CANCEL");
    world.ok(at, to, &cancel);
    world.post(at, to, &Msg::response(invited, 487, "late"));
    world.expect(at, "ACK");
    field(&cancel, "Reason")
}

fn hears_bye(world: &mut World, (at, to): (&str, &str)) -> String {
    let bye = world.expect(at, "BYE");
    world.ok(at, to, &bye);
    field(&bye, "Reason")
}

#[test]
fn where_the_first_is_busy_nobody_else_is_rung() {
    let mut world = by_hand(TWO_SIDES, 1);
    place(&mut world, order());
    let invited = world.expect(ALICE, "INVITE");
    world.post(ALICE, OUTSIDE, &Msg::response(&invited, 486, "alice"));
    world.expect(ALICE, "ACK");
    world.expect_no(BOB, "INVITE");
    world.must_forget("a first party that is busy");
    let records = world.records.lock().unwrap();
    assert!(records[0].placed && records[0].answered.is_none());
    assert_eq!((records[0].legs[0].role, records[0].legs[0].status), ("calling", Some(486)));
    assert_eq!((&*records[0].cause, records[0].released_by), ("INVITE failed", None));
    assert_eq!(world.core.counters().placed_first_failed, 1);
}

// RFC 3725 §6: a BYE whose Reason has the status.
#[test]
fn rfc3725_6_where_the_other_is_busy_the_first_is_told_so() {
    let mut world = by_hand(TWO_SIDES, 2);
    place(&mut world, order());
    first_answers(&mut world);
    let invited = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&invited, 486, "bob").with("Reason", "Q.850;cause=17"));
    world.expect(BOB, "ACK");
    let bye = world.expect(ALICE, "BYE");
    let reasons: Vec<_> = bye.lines().filter(|line| line.starts_with("Reason")).collect();
    assert_eq!(reasons, ["Reason: SIP;cause=486;text=\"Busy Here\"", "Reason: Q.850;cause=17"]);
    world.ok(ALICE, OUTSIDE, &bye);
    world.must_forget("another party that is busy");
    let records = world.records.lock().unwrap();
    assert_eq!((&*records[0].cause, records[0].released_by), ("second party not reached", Some("liaison")));
    assert!(records[0].answered.is_none(), "they have never talked");
    assert_eq!(world.core.counters().placed_then_failed, 1);
}

#[test]
fn an_operator_gives_up_while_the_first_rings() {
    let mut world = by_hand(TWO_SIDES, 3);
    let call = place(&mut world, order());
    let invited = world.expect(ALICE, "INVITE");
    world.post(ALICE, OUTSIDE, &Msg::response(&invited, 180, "alice").contact(ALICE));
    world.run_for(ms(20));
    end(&mut world, &call);
    let reason = is_cancelled(&mut world, (ALICE, OUTSIDE), &invited);
    assert_eq!(reason, "SIP;cause=480;text=\"Ended by the operator\"");
    world.expect_no(BOB, "INVITE");
    world.must_forget("a first party that is given up");
    assert_eq!(world.records.lock().unwrap()[0].cause, "ended by the operator");
}

#[test]
fn an_operator_gives_up_while_the_other_rings() {
    let mut world = by_hand(TWO_SIDES, 4);
    let call = place(&mut world, order());
    first_answers(&mut world);
    let invited = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&invited, 180, "bob").contact(BOB));
    world.run_for(ms(20));
    end(&mut world, &call);
    let reason = is_cancelled(&mut world, (BOB, INSIDE), &invited);
    assert_eq!(hears_bye(&mut world, (ALICE, OUTSIDE)), reason);
    world.must_forget("a placed call that is given up");
}

#[test]
fn the_first_hangs_up_while_the_other_rings() {
    let mut world = by_hand(TWO_SIDES, 5);
    place(&mut world, order());
    let (first, _) = first_answers(&mut world);
    let invited = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&invited, 180, "bob").contact(BOB));
    world.run_for(ms(20));
    let bye = inside("BYE", (ALICE, "alice"), 1, &first).with("Reason", "SIP;cause=480;text=\"Tired\"");
    world.post(ALICE, OUTSIDE, &bye);
    world.expect(ALICE, "200");
    assert_eq!(is_cancelled(&mut world, (BOB, INSIDE), &invited), "SIP;cause=480;text=\"Tired\"");
    world.must_forget("a first party that does not wait");
    assert_eq!(world.records.lock().unwrap()[0].released_by, Some("calling"));
}

#[test]
fn the_other_answers_as_the_first_hangs_up() {
    let mut world = by_hand(TWO_SIDES, 6);
    place(&mut world, order());
    let (first, _) = first_answers(&mut world);
    let invited = world.expect(BOB, "INVITE");
    world.post(ALICE, OUTSIDE, &inside("BYE", (ALICE, "alice"), 1, &first));
    world.post(BOB, INSIDE, &answer(&invited));
    world.expect(ALICE, "200");
    world.expect(BOB, "ACK");
    hears_bye_of_any(&mut world);
    world.must_forget("a race");
}

fn hears_bye_of_any(world: &mut World) {
    let bye = world.expect(BOB, "BYE");
    world.ok(BOB, INSIDE, &bye);
}

// RFC 3725 §6, Figure 5.
#[test]
fn rfc3725_6_a_reinvite_of_the_first_while_the_other_rings_gets_491() {
    let mut world = by_hand(TWO_SIDES, 7);
    let call = place(&mut world, order());
    let (first, _) = first_answers(&mut world);
    let invited = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&invited, 180, "bob").contact(BOB));
    let again = inside("INVITE", (ALICE, "alice"), 1, &first).contact(ALICE).sdp(&audio(ALICE, 4002));
    world.post(ALICE, OUTSIDE, &again);
    let refused = world.expect(ALICE, "491");
    world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &again).set("To", &field(&refused, "To")));
    end(&mut world, &call);
    is_cancelled(&mut world, (BOB, INSIDE), &invited);
    hears_bye(&mut world, (ALICE, OUTSIDE));
    world.must_forget("a re-INVITE that comes too early");
}

#[test]
fn a_first_party_without_an_offer_is_let_go() {
    let mut world = by_hand(TWO_SIDES, 8);
    place(&mut world, order());
    let invited = world.expect(ALICE, "INVITE");
    world.post(ALICE, OUTSIDE, &Msg::response(&invited, 200, "alice").contact(ALICE));
    assert_eq!(body(&world.expect(ALICE, "ACK")), "");
    assert!(hears_bye(&mut world, (ALICE, OUTSIDE)).contains("Session description refused"));
    world.expect_no(BOB, "INVITE");
    world.must_forget("a 200 that describes nothing");
}

#[test]
fn redirections_of_both_are_followed() {
    let mut world = by_hand(&format!("{TWO_SIDES}\n[profiles.default]\nredirects = \"follow\"\n"), 9);
    place(&mut world, order());
    let (carol, dave) = ("10.0.0.7:5060", "10.1.0.7:5060");
    for (at, to, from) in [(ALICE, carol, OUTSIDE), (BOB, dave, INSIDE)] {
        let invited = world.expect(at, "INVITE");
        world.post(at, from, &Msg::response(&invited, 302, "moved").contact(to));
        world.expect(at, "ACK");
        let invited = world.expect(to, "INVITE");
        world.post(to, from, &Msg::response(&invited, 200, "new").contact(to).sdp(&audio(to, 6000)));
        world.expect(to, "ACK");
    }
    let call = only_call_in_full(&mut world);
    let roles: Vec<_> = call.legs.iter().map(|leg| format!("{:?}", leg.role)).collect();
    assert_eq!(roles, ["Calling", "Calling", "Called", "Called"]);
    end(&mut world, &call);
    for at in [(carol, OUTSIDE), (dave, INSIDE)] {
        hears_bye(&mut world, at);
    }
    world.must_forget("redirections");
}

#[test]
fn an_order_that_cannot_be_carried_out_is_refused_with_its_reason() {
    let mut world = by_hand(TWO_SIDES, 10);
    let with = |change: fn(&mut CallOrder)| {
        let mut order = order();
        change(&mut order);
        order
    };
    for (order, why) in [
        (with(|o| o.first.network = Some("moon".into())), "first: there is no network moon"),
        (
            with(|o| (o.then.network, o.then.trunk) = (None, Some("tin".into()))),
            "then: there is no trunk tin",
        ),
        (with(|o| o.then.network = None), "then: neither a network nor a trunk is given"),
        (
            with(|o| o.first.trunk = Some("pbx".into())),
            "first: network and trunk are both given; expected one",
        ),
        (with(|o| o.first.uri = "mailto:a@b".into()), "first.uri: expected a SIP, SIPS or tel URI"),
        (
            with(|o| o.then.uri = "sip:b@c?Subject=x".into()),
            "then.uri: header fields in a URI are not taken over",
        ),
        (with(|o| o.first.ring_seconds = Some(0)), "first.ring_seconds is 0; expected 1 or more"),
    ] {
        match try_to_place(&mut world, order) {
            Err(ControlError::InvalidOrder(said)) => assert_eq!(said, why),
            other => panic!("{why}: {other:?}"),
        }
    }
    assert!(matches!(
        try_to_place(&mut world, with(|o| o.then.uri = "sip:".into())),
        Err(ControlError::InvalidOrder(_))
    ));
    world.run_for(ms(50));
    assert!(world.network.log.is_empty(), "nobody has been rung");
    assert_eq!(world.core.counters().placed_refused, 8);
    world.must_forget("orders that mean nothing");
}

#[test]
fn where_no_route_leads_to_the_other_the_first_is_not_rung() {
    let closed = TWO_SIDES.replace("to = [\"pbx\"]", "reject = { status = 403 }");
    let mut world = by_hand(&closed, 11);
    let refused = try_to_place(&mut world, order());
    let said = "then: a call to sip:+4940@example.net is refused with 403 Forbidden".to_owned();
    assert_eq!(refused, Err(ControlError::OrderRefused(said)));
    let elsewhere = CallOrder { first: party(FIRST, "carrier"), then: party(FIRST, "carrier"), ..order() };
    assert!(matches!(try_to_place(&mut world, elsewhere), Err(ControlError::OrderRefused(_))));
    world.run_for(ms(50));
    assert!(world.network.log.is_empty());
    world.must_forget("no route");
    assert!(world.records.lock().unwrap().is_empty());
}

#[test]
fn limits_and_a_drain_hold_for_placed_calls() {
    let full = TWO_SIDES.replace("from = [\"10.0.0.2\"]", "from = [\"10.0.0.2\"]\nmax_calls = 1");
    let mut world = by_hand(&full, 12);
    let call = place(&mut world, order());
    let invited = world.expect(ALICE, "INVITE");
    match try_to_place(&mut world, order()) {
        Err(ControlError::OrderRefused(said)) => assert!(said.contains("503"), "{said}"),
        other => panic!("{other:?}"),
    }
    world.post(ALICE, OUTSIDE, &Msg::response(&invited, 180, "alice").contact(ALICE));
    world.run_for(ms(20));
    end(&mut world, &call);
    is_cancelled(&mut world, (ALICE, OUTSIDE), &invited);
    world.must_forget("a trunk that is full");
    assert_eq!(world.records.lock().unwrap().len(), 1, "the other one was none");
    let mut world = by_hand(&format!("{TWO_SIDES}\n[limits]\ncalls = 1\n"), 13);
    let call = place(&mut world, order());
    let why = |refused| match refused {
        Err(ControlError::Unavailable { why, .. }) => why,
        other => panic!("{other:?}"),
    };
    assert_eq!(why(try_to_place(&mut world, order())), Unavailability::Overloaded);
    let invited = world.expect(ALICE, "INVITE");
    world.post(ALICE, OUTSIDE, &Msg::response(&invited, 180, "alice").contact(ALICE));
    world.run_for(ms(20));
    end(&mut world, &call);
    is_cancelled(&mut world, (ALICE, OUTSIDE), &invited);
    world.run_for(s(1));
    world.command(Command::Drain(s(60)));
    assert_eq!(why(try_to_place(&mut world, order())), Unavailability::Draining);
    world.must_forget("a drain");
}
