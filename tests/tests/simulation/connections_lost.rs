//! Calls whose party is reached on its connection only, and loses it (S0-9): it has some time to come back.

use super::common::{World, s};
use super::gate::answer_to;
use super::users::{self, BOB, DESK, REGISTRAR};
use bytes::Bytes;
use liaison_tests::message::{Msg, audio, field, start};
use sip::driver::{ConnectionEvent, Core as _};
use sip::{ConnectionId, Flow, ListenerId};

const ALICE: &str = "10.0.0.2:41000";

/// Alice is in a browser.
fn world() -> World {
    let listeners = "listeners = [{ transport = \"ws\", address = \"10.0.0.1:8080\", websocket = {} }, {";
    let text = users::DOCUMENT
        .replace("listeners = [{", listeners)
        .replace("domains", "require_outbound = \"none\"\ndomains");
    let mut world = users::world(&text);
    users::bind(&mut world, "bob", DESK, "");
    world
}

fn on(id: u64) -> Flow {
    Flow { listener: ListenerId(0), peer: ALICE.parse().unwrap(), connection: Some(ConnectionId(id)) }
}

fn say(world: &mut World, id: u64, msg: &Msg) {
    let branch = msg.get("Via").split("z9hG4bK-").nth(1).unwrap().to_owned();
    let via = format!("SIP/2.0/WS a.invalid;branch=z9hG4bK-{branch}");
    let msg =
        msg.clone().set("Via", &via).set("Contact", "<sip:alice@a.invalid;transport=ws>").branch(&branch);
    world.core.handle_input(world.now, on(id), Bytes::from(msg.text()));
    world.flush();
}

/// Says it, and again with a proof.
fn prove(world: &mut World, id: u64, msg: &Msg, method: &str, uri: &str) {
    say(world, id, msg);
    let asked = world.expect(ALICE, "401");
    if method == "INVITE" {
        say(world, id, &Msg::of_invite("ACK", msg).set("To", &field(&asked, "To")));
    }
    let credentials = answer_to(&users::challenges(&asked), true, "alice", "wonderland", method, uri);
    let seq = liaison_tests::message::seq(&msg.text()) + 1;
    let again = msg.clone().set("CSeq", &format!("{seq} {method}")).branch(&format!("{method}-{id}-{seq}"));
    say(world, id, &again.with("Authorization", &credentials));
}

fn register(world: &mut World, id: u64, seq: u32) {
    let msg = users::register("alice", ALICE, seq).branch(&format!("reg-{id}-{seq}"));
    prove(world, id, &msg, "REGISTER", "sip:example.com");
    assert!(start(&world.expect(ALICE, "200")).starts_with("200"));
}

/// Alice talks to Bob.
fn established(world: &mut World) -> String {
    register(world, 1, 1);
    let invite = Msg::request("INVITE", BOB, ALICE, 1)
        .set("From", "<sip:alice@example.com>;tag=a")
        .sdp(&audio(ALICE, 4000));
    prove(world, 1, &invite, "INVITE", BOB);
    let invited = world.expect(DESK, "INVITE");
    users::says(world, DESK, &invited, 200);
    let ok = world.expect(ALICE, "200");
    world.expect(DESK, "ACK");
    say(world, 1, &Msg::inside("ACK", ALICE, 2, &ok));
    world.run_for(s(1));
    assert_eq!(world.gauges().calls, 1);
    ok
}

fn lose(world: &mut World, id: u64) {
    world.core.handle_connection(world.now, ConnectionEvent::Closed(ConnectionId(id)));
    world.flush();
}

#[test]
fn who_does_not_come_back_ends_the_call_on_both_legs() {
    let mut world = world();
    established(&mut world);
    lose(&mut world, 1);
    world.run_for(s(29));
    world.expect_no(DESK, "BYE");
    let bye = world.expect_within(DESK, "BYE", s(2));
    assert_eq!(field(&bye, "Reason"), "SIP;cause=503;text=\"Connection lost\"");
    world.ok(DESK, REGISTRAR, &bye);
    assert_eq!(world.core.counters().flows_of_calls_lost, 1);
    // Alice's own cannot be told: her BYE waits for as long as its transaction.
    world.run_for(s(40));
    assert_eq!(world.gauges().calls, 0);
    let records = world.records.lock().unwrap();
    assert_eq!(records[0].cause, "connection lost");
}

#[test]
fn who_registers_again_goes_on_and_is_reached_there() {
    let mut world = world();
    established(&mut world);
    lose(&mut world, 1);
    world.run_for(s(5));
    register(&mut world, 2, 7);
    world.run_for(s(40));
    world.expect_no(DESK, "BYE");
    assert_eq!((world.gauges().calls, world.core.counters().flows_of_calls_lost), (1, 0));
    // It may be lost again.
    lose(&mut world, 2);
    world.expect_within(DESK, "BYE", s(32));
}

#[test]
fn who_changes_the_call_on_another_connection_is_reached_there() {
    let mut world = world();
    let ok = established(&mut world);
    lose(&mut world, 1);
    register(&mut world, 2, 7);
    let again = Msg::inside("INVITE", ALICE, 5, &ok).sdp(&audio(ALICE, 4002));
    say(&mut world, 2, &again);
    let at_bob = world.expect(DESK, "INVITE");
    users::says(&mut world, DESK, &at_bob, 200);
    let answered = world.expect(ALICE, "200");
    world.expect(DESK, "ACK");
    say(&mut world, 2, &Msg::inside("ACK", ALICE, 5, &answered));
    world.run_for(s(40));
    world.expect_no(DESK, "BYE");
    assert_eq!(world.core.counters().strays_admitted, 1);
}
