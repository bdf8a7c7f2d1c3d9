//! What an operator does to calls: ends them, loads another configuration, lets the node run dry.

use super::common::{
    ALICE, BOB, Call, INSIDE, NUMBER, OUTSIDE, TWO_SIDES, World, answer, by_hand, document, invite, ms, s,
};
use b2bua::shard::Command;
use b2bua::snapshot::Secrets;
use liaison_tests::message::{Msg, audio, field};
use sip::driver::Core as _;
use std::ops::ControlFlow;
use tokio::sync::oneshot;

/// Both phones answer the BYE that Liaison sends them: its Reason.
fn both_hang_up(world: &mut World) -> [String; 2] {
    [(ALICE, OUTSIDE), (BOB, INSIDE)].map(|(at, from)| {
        let bye = world.expect_within(at, "BYE", s(1));
        world.ok(at, from, &bye);
        field(&bye, "Reason")
    })
}

/// The name of the only call.
fn only_call(world: &mut World) -> String {
    let (ask, mut answer) = oneshot::channel();
    let query = admin_api::control::CallQuery { after: None, limit: 10, filter: Default::default() };
    world.command(Command::Calls(query, ask));
    let (calls, more) = answer.try_recv().unwrap();
    assert!(!more);
    assert_eq!(calls.len(), 1);
    calls[0].1.id.to_string()
}

/// The only call, with its legs.
pub(super) fn only_call_in_full(world: &mut World) -> admin_api::control::CallDetail {
    let id = only_call(world);
    let (ask, mut told) = oneshot::channel();
    world.command(Command::Call(id.into(), ask));
    told.try_recv().unwrap().unwrap()
}

#[test]
fn a_call_tells_what_policy_decided_about_it() {
    let mut world = by_hand(TWO_SIDES, 5);
    let asserting = invite().with("P-Asserted-Identity", "<sip:forged@carrier.example>");
    let call = Call::establish_with(&mut world, asserting, answer);
    let steps = only_call_in_full(&mut world).policy_trail;
    let steps: Vec<_> = steps.iter().map(|step| (&*step.subject, &*step.decision)).collect();
    let expected = [
        ("peer", "trunk provider"),
        ("route", "inbound: to pbx"),
        ("header", "P-Asserted-Identity does not cross"),
    ];
    assert_eq!(steps, expected);
    call.hang_up(&mut world, 2);
    world.must_forget("a trail");
}

/// Requirement S6-0: what part we have in a call, in the API while it stands and in its record.
#[test]
fn rfc7092_a_call_and_its_record_say_what_part_we_have_between_the_two() {
    let around = "[profiles.default]\nmedia = \"bypass\"\n";
    let bare = || Msg::request("INVITE", NUMBER, ALICE, 1);
    let mute = |invite: &str| Msg::response(invite, 200, "bob").contact(BOB);
    for (more, describes, role) in
        [("", true, "media-relay"), (around, true, "sdp-modifying"), ("", false, "signalling-only")]
    {
        let mut world = by_hand(&document("", "", more), 8);
        let call = match describes {
            true => Call::establish(&mut world),
            false => Call::establish_with(&mut world, bare(), mute),
        };
        let shown = only_call_in_full(&mut world);
        assert_eq!(serde_json::to_value(shown.role).unwrap(), role);
        let since: Vec<_> =
            shown.roles.iter().map(|since| serde_json::to_value(since.role).unwrap()).collect();
        assert_eq!(since, [role]);
        call.hang_up(&mut world, 2);
        let records = world.records.lock().unwrap();
        assert_eq!((records[0].role, records[0].roles.len()), (role, 0), "it has not changed");
        drop(records);
        world.must_forget(role);
    }
}

/// Requirement S6-0: and when that changes, which is news.
#[test]
fn rfc7092_another_part_than_before_is_told_with_its_time() {
    let mut world = by_hand(TWO_SIDES, 9);
    let bare = Msg::request("INVITE", NUMBER, ALICE, 1);
    let call =
        Call::establish_with(&mut world, bare, |invite| Msg::response(invite, 200, "bob").contact(BOB));
    assert_eq!(world.core.counters().roles_changed, 0);
    world.run_for(s(5));
    for (seq, media) in [(2, true), (3, true)] {
        assert!(media);
        world.post(ALICE, OUTSIDE, &call.alice("INVITE", seq).sdp(&audio(ALICE, 4000)));
        let asked = world.expect(BOB, "INVITE");
        world.post(BOB, INSIDE, &Msg::response(&asked, 200, "").contact(BOB).sdp(&audio(BOB, 6000)));
        world.expect(ALICE, "200");
        world.expect(BOB, "ACK");
        world.post(ALICE, OUTSIDE, &call.alice("ACK", seq));
        world.run_for(ms(20));
        assert_eq!(world.core.counters().roles_changed, 1, "once");
    }
    let shown = only_call_in_full(&mut world);
    let since: Vec<_> = shown
        .roles
        .iter()
        .map(|since| (serde_json::to_value(since.role).unwrap(), since.calling_leg, since.called_leg))
        .collect();
    assert_eq!(since, [("signalling-only".into(), 0, 1), ("media-relay".into(), 0, 1)]);
    call.hang_up(&mut world, 4);
    let records = world.records.lock().unwrap();
    let since: Vec<_> =
        records[0].roles.iter().map(|since| (since.role, since.calling, since.called)).collect();
    assert_eq!(since, [("signalling-only", 0, 1), ("media-relay", 0, 1)]);
    assert!(records[0].roles[0].at < records[0].roles[1].at);
    drop(records);
    world.must_forget("a call whose part has changed");
}

#[test]
fn an_operator_ends_a_call() {
    let mut world = by_hand(TWO_SIDES, 1);
    Call::establish(&mut world);
    let id = only_call(&mut world);
    let (ask, mut answer) = oneshot::channel();
    world.command(Command::EndCall(id.clone().into(), Some("Fraud \"suspected\"".into()), ask));
    assert!(answer.try_recv().unwrap());
    let reason = r#"SIP;cause=480;text="Fraud \"suspected\"""#.to_owned();
    assert_eq!(both_hang_up(&mut world), [reason.clone(), reason]);
    world.run_for(ms(20));
    let (ask, mut answer) = oneshot::channel();
    world.command(Command::EndCall(id.into(), None, ask));
    assert!(!answer.try_recv().unwrap(), "it is gone");
    assert_eq!(world.records.lock().unwrap()[0].cause, "ended by the operator");
    world.must_forget("a call that an operator ended");
}

#[test]
fn another_configuration_touches_no_call() {
    let mut world = by_hand(TWO_SIDES, 2);
    let call = Call::establish(&mut world);
    let before = world.network.log.len();
    // Bob's trunk is elsewhere from now on, and the way back is closed.
    let text = TWO_SIDES.replace("sip:10.1.0.2:5060", "sip:10.1.0.9:5060");
    let text = text.replace("to = [\"provider\"]", "reject = { status = 403 }");
    world.reload(&text, Secrets::default());
    world.run_for(s(10));
    assert_eq!(world.network.log.len(), before, "nobody hears of it");
    assert_eq!((world.gauges().calls, world.lent()), (1, 2));

    // The call goes on as it is: a re-INVITE goes to Bob, where he was.
    world.post(ALICE, OUTSIDE, &call.alice("INVITE", 2).sdp(&audio(ALICE, 4100)));
    let reinvited = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&reinvited, 200, "").contact(BOB).sdp(&audio(BOB, 6000)));
    world.expect(ALICE, "200");
    world.post(ALICE, OUTSIDE, &call.alice("ACK", 2));
    world.expect(BOB, "ACK");

    // The next call goes by the new one.
    let second = Msg::request("INVITE", NUMBER, ALICE, 50).sdp(&audio(ALICE, 4200));
    world.post(ALICE, OUTSIDE, &second);
    let moved = world.expect("10.1.0.9:5060", "INVITE");
    world.post("10.1.0.9:5060", INSIDE, &Msg::response(&moved, 486, "no"));
    world.expect("10.1.0.9:5060", "ACK");
    let refused = world.expect(ALICE, "486");
    world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &second).set("To", &field(&refused, "To")));
    let back = Msg::request("INVITE", "sip:+4940@10.1.0.1", BOB, 51).sdp(&audio(BOB, 6002));
    world.post(BOB, INSIDE, &back);
    let refused = world.expect(BOB, "403");
    world.post(BOB, INSIDE, &Msg::of_invite("ACK", &back).set("To", &field(&refused, "To")));

    call.hang_up(&mut world, 3);
    world.must_forget("a reload");
}

#[test]
fn a_draining_node_takes_no_call_and_ends_what_is_left() {
    let mut world = by_hand(TWO_SIDES, 3);
    let _ = Call::establish(&mut world);
    world.command(Command::Drain(s(60)));
    let second = Msg::request("INVITE", NUMBER, ALICE, 50).sdp(&audio(ALICE, 4002));
    world.post(ALICE, OUTSIDE, &second);
    let refused = world.expect(ALICE, "503");
    assert_eq!(field(&refused, "Retry-After"), "10");
    world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &second).set("To", &field(&refused, "To")));
    assert_eq!(world.core.counters().draining, 1);
    world.post(ALICE, OUTSIDE, &Msg::request("OPTIONS", NUMBER, ALICE, 60));
    // RFC 3261 §11.2: what an INVITE would get.
    assert!(!field(&world.expect(ALICE, "503"), "Retry-After").is_empty());
    world.run_for(s(58));
    assert_eq!(world.gauges().calls, 1, "the call may go on until the deadline");
    assert!(world.core.handle_wake(world.now) == ControlFlow::Continue(()));
    let ours = "SIP;cause=503;text=\"Shutting down\"".to_owned();
    world.run_for(s(2));
    assert_eq!(both_hang_up(&mut world), [ours.clone(), ours]);
    world.must_forget("a drain");
    assert!(world.core.handle_wake(world.now) == ControlFlow::Break(()), "the shard is over");
}

// conforms: RFC3261-15.1.1-1
#[test]
fn rfc3261_15_1_1_media_is_over_as_soon_as_a_bye_is_sent() {
    let mut world = by_hand(TWO_SIDES, 5);
    let _ = Call::establish(&mut world);
    assert_eq!(world.lent(), 2);
    world.command(Command::Drain(s(1)));
    world.run_for(s(2));
    let [to_alice, to_bob] = [world.expect(ALICE, "BYE"), world.expect(BOB, "BYE")];
    assert_eq!(world.lent(), 0, "no response to the BYE is waited for");
    world.ok(ALICE, OUTSIDE, &to_alice);
    world.ok(BOB, INSIDE, &to_bob);
    world.must_forget("BYEs of ours");
}

#[test]
fn a_draining_node_ends_as_soon_as_its_last_call() {
    let mut world = by_hand(TWO_SIDES, 4);
    let call = Call::establish(&mut world);
    world.command(Command::Drain(s(600)));
    call.hang_up(&mut world, 2);
    world.must_forget("a drain that runs dry");
    assert!(world.core.handle_wake(world.now) == ControlFlow::Break(()));
}

#[test]
fn a_call_that_rings_tells_the_last_status_of_each_early_dialog() {
    let mut world = by_hand(TWO_SIDES, 21);
    world.post(ALICE, OUTSIDE, &invite());
    let invited = world.expect(BOB, "INVITE");
    for status in [183, 180] {
        world.post(BOB, INSIDE, &Msg::response(&invited, status, "bob").contact(BOB));
        world.expect(ALICE, &status.to_string());
        for leg in only_call_in_full(&mut world).legs {
            let told: Vec<u16> = leg.early_dialogs.iter().map(|dialog| dialog.last_status).collect();
            assert_eq!(told, [status]);
        }
    }
}
