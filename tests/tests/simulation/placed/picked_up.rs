//! Placed calls that somebody else picks up for one of the parties while that one rings (RFC 3891 §3).

use super::super::common::{ALICE, BOB, INSIDE, OUTSIDE, TWO_SIDES, World, answer, by_hand, ms, s};
use super::super::transfer::is_quiet;
use super::{first_answers, order, place, shown, voice};
use admin_api::control::CallState;
use liaison_tests::message::{Msg, audio, body, field, line, tag};

/// Another phone beside Alice, and one beside Bob.
const ANN: &str = "10.0.0.3:5060";
const BILL: &str = "10.1.0.3:5060";

/// Both trunks have two phones.
fn two_each() -> String {
    let text = TWO_SIDES.replacen("from = [\"10.0.0.2\"]", "from = [\"10.0.0.2\", \"10.0.0.3\"]", 1);
    text.replacen("from = [\"10.1.0.2\"]", "from = [\"10.1.0.2\", \"10.1.0.3\"]", 1)
}

/// A phone's INVITE in the place of one that rings, by the dialog which that one has answered in.
fn picking_up((at, to): (&str, &str), invited: &str, tagged: &str) -> Msg {
    let value = format!("{};to-tag={};from-tag={tagged}", field(invited, "Call-ID"), tag(invited, "From"));
    let uri = format!("sip:{to}");
    Msg::request("INVITE", &uri, at, 30).with("Replaces", &value).with("Require", "replaces")
}

/// The phone that rang is cancelled.
fn cancelled(world: &mut World, (at, to): (&str, &str), invited: &str, tagged: &str) {
    let cancel = world.expect(at, "CANCEL");
    assert_eq!(field(&cancel, "Reason"), "SIP;cause=200;text=\"Call completed elsewhere\"");
    world.ok(at, to, &cancel);
    world.post(at, to, &Msg::response(invited, 487, tagged));
    world.expect(at, "ACK");
}

/// Alice rings.
fn first_rings(world: &mut World) -> String {
    let invited = world.expect(ALICE, "INVITE");
    world.post(ALICE, OUTSIDE, &Msg::response(&invited, 180, "alice").contact(ALICE));
    world.run_for(ms(20));
    invited
}

/// Alice has answered, and Bob rings.
fn then_rings(world: &mut World) -> String {
    first_answers(world);
    let invited = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&invited, 180, "bob").contact(BOB));
    world.run_for(ms(20));
    invited
}

#[test]
fn who_picks_up_for_the_first_is_the_first_and_the_other_is_called_for_it() {
    let mut world = by_hand(&two_each(), 1);
    let call = place(&mut world, order());
    let rang = first_rings(&mut world);
    let picking = picking_up((ANN, OUTSIDE), &rang, "alice").sdp(&audio(ANN, 8000));
    world.post(ANN, OUTSIDE, &picking);
    let ok = world.expect(ANN, "200");
    assert!(line(body(&ok), 'm').starts_with("audio 2000"), "media of our own is there at once: {ok}");
    world.post(ANN, OUTSIDE, &Msg::inside("ACK", ANN, 30, &ok));
    cancelled(&mut world, (ALICE, OUTSIDE), &rang, "alice");
    let invited = world.expect(BOB, "INVITE");
    assert!(line(body(&invited), 'm').ends_with("RTP/AVP 8 101"), "what she has described: {invited}");
    world.post(BOB, INSIDE, &answer(&invited));
    world.expect(BOB, "ACK");
    world.expect_no(ANN, "INVITE");
    let standing = shown(&mut world, &call);
    assert_eq!(standing.summary.state, CallState::Established);
    let roles: Vec<_> = standing.legs.iter().map(|leg| format!("{:?} {:?}", leg.role, leg.state)).collect();
    assert_eq!(roles, ["Calling Terminated", "Calling Confirmed", "Called Confirmed"]);
    assert_eq!(world.lent(), 2);
    world.post(ANN, OUTSIDE, &Msg::inside("BYE", ANN, 31, &ok));
    world.expect(ANN, "200");
    let bye = world.expect(BOB, "BYE");
    world.ok(BOB, INSIDE, &bye);
    world.must_forget("a placed call whose first party was picked up for");
    let records = world.records.lock().unwrap();
    assert_eq!((records[0].released_by, records[0].answered.is_some()), (Some("calling"), true));
    let counters = world.core.counters();
    assert_eq!((counters.takeovers, counters.placed_answered, counters.answered_elsewhere), (1, 1, 1));
}

#[test]
fn who_picks_up_for_the_other_talks_with_the_first() {
    let mut world = by_hand(&two_each(), 2);
    let call = place(&mut world, order());
    let rang = then_rings(&mut world);
    let picking = picking_up((BILL, INSIDE), &rang, "bob").sdp(&voice(BILL, 8000));
    world.post(BILL, INSIDE, &picking);
    let ok = world.expect(BILL, "200");
    let media = line(body(&ok), 'm');
    assert!(media.starts_with("audio 2000") && media.ends_with("RTP/AVP 8"), "what both know: {ok}");
    cancelled(&mut world, (BOB, INSIDE), &rang, "bob");
    // The first hears of what it was not told in our ACK.
    let told = world.expect(ALICE, "INVITE");
    assert!(!body(&told).contains("telephone-event"), "{told}");
    world.post(ALICE, OUTSIDE, &Msg::response(&told, 200, "").contact(ALICE).sdp(&voice(ALICE, 4000)));
    world.expect(ALICE, "ACK");
    world.post(BILL, INSIDE, &Msg::inside("ACK", BILL, 30, &ok));
    world.run_for(ms(500));
    let standing = shown(&mut world, &call);
    assert_eq!(standing.summary.state, CallState::Established);
    let roles: Vec<_> = standing.legs.iter().map(|leg| format!("{:?} {:?}", leg.role, leg.state)).collect();
    assert_eq!(roles, ["Calling Confirmed", "Called Terminated", "Called Confirmed"]);
    assert_eq!(world.lent(), 2);
    world.post(BILL, INSIDE, &Msg::inside("INFO", BILL, 31, &ok).body("text/plain", "hello"));
    let info = world.expect(ALICE, "INFO");
    world.ok(ALICE, OUTSIDE, &info);
    world.expect(BILL, "200");
    world.post(BILL, INSIDE, &Msg::inside("BYE", BILL, 32, &ok));
    world.expect(BILL, "200");
    let bye = world.expect(ALICE, "BYE");
    world.ok(ALICE, OUTSIDE, &bye);
    world.must_forget("a placed call whose other party was picked up for");
    let counters = world.core.counters();
    assert_eq!((counters.takeovers, counters.placed_answered, counters.placed_then_failed), (1, 1, 0));
}

#[test]
fn who_cannot_or_may_not_pick_up_changes_nothing() {
    let other = "\n[trunks.other]\nnetwork = \"enterprise\"\ntargets = [\"sip:10.1.0.4:5060\"]\nfrom = [\"10.1.0.4\"]\n";
    let mut world = by_hand(&(two_each() + other), 3);
    place(&mut world, order());
    let rang = then_rings(&mut world);
    let stranger = picking_up(("10.1.0.4:5060", INSIDE), &rang, "bob").sdp(&audio("10.1.0.4:5060", 8000));
    world.post("10.1.0.4:5060", INSIDE, &stranger);
    world.expect("10.1.0.4:5060", "403");
    let nothing = audio(BILL, 8000).replace("RTP/AVP 8", "RTP/AVP 18");
    let nothing: String =
        nothing.lines().filter(|line| !line.starts_with("a=")).map(|l| l.to_owned() + "\r\n").collect();
    let rows = [("one", Some(nothing)), ("two", None)];
    for (name, sdp) in rows {
        let picking = picking_up((BILL, INSIDE), &rang, "bob").set("Call-ID", name).branch(name);
        world.post(BILL, INSIDE, &sdp.map_or(picking.clone(), |sdp| picking.sdp(&sdp)));
        world.expect(BILL, "488");
    }
    assert!(is_quiet(&world, BOB) && is_quiet(&world, ALICE));
    world.post(BOB, INSIDE, &answer(&rang));
    world.expect(BOB, "ACK");
    world.run_for(ms(50));
    assert_eq!((world.gauges().calls, world.lent()), (1, 2));
    // Nobody rings any more.
    let late = picking_up((BILL, INSIDE), &rang, "bob").sdp(&audio(BILL, 8000));
    let early = late.get("Replaces") + ";early-only";
    world.post(BILL, INSIDE, &late.set("Replaces", &early).branch("late").set("Call-ID", "late"));
    world.expect(BILL, "486");
}

#[test]
fn who_picks_up_and_never_acknowledges_is_let_go_with_the_call() {
    let mut world = by_hand(&two_each(), 4);
    place(&mut world, order());
    let rang = first_rings(&mut world);
    world.post(ANN, OUTSIDE, &picking_up((ANN, OUTSIDE), &rang, "alice").sdp(&audio(ANN, 8000)));
    world.expect(ANN, "200");
    cancelled(&mut world, (ALICE, OUTSIDE), &rang, "alice");
    let invited = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&invited, 180, "bob").contact(BOB));
    let cancel = world.expect_within(BOB, "CANCEL", s(33));
    world.ok(BOB, INSIDE, &cancel);
    world.post(BOB, INSIDE, &Msg::response(&invited, 487, "bob"));
    world.expect(BOB, "ACK");
    let bye = world.expect(ANN, "BYE");
    world.ok(ANN, OUTSIDE, &bye);
    world.must_forget("a placed call that was picked up in vain");
}
