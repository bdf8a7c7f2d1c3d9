//! Requests with the right Call-ID and tags of a call that come from elsewhere than its parties.

use super::common::{
    ALICE, BOB, Call, INSIDE, NUMBER, OUTSIDE, TWO_SIDES, World, answer, by_hand, invite, ms,
};
use super::gate::answer_to;
use super::users;
use b2bua::shard::Counters;
use bytes::Bytes;
use liaison_tests::message::{Msg, audio, body, field, line, start, tag};
use sip::driver::tls::{Identity, Peer, Source};
use sip::driver::{ConnectionEvent, Core as _};
use sip::{ConnectionId, Domain, Flow, ListenerId};
use std::sync::Arc;

/// Somebody beside Alice, and beside Bob.
const EVE: &str = "10.0.0.9:5060";
const MALLORY: &str = "10.1.0.9:5060";

/// Admitted, challenged, refused.
fn strays(world: &World) -> (u64, u64, u64) {
    let Counters { strays_admitted, strays_challenged, strays_refused, .. } = world.core.counters();
    (strays_admitted, strays_challenged, strays_refused)
}

/// Nobody has heard of an end, and the call is hung up in order.
fn goes_on(world: &mut World, call: &Call, seq: u32) {
    for at in [ALICE, BOB] {
        world.expect_no(at, "BYE");
    }
    assert_eq!((world.gauges().calls, world.lent()), (1, 2));
    call.hang_up(world, seq);
    world.must_forget("a call with strays");
}

#[test]
fn a_bye_of_somebody_else_in_the_same_network_ends_nothing() {
    let mut world = by_hand(TWO_SIDES, 1);
    let call = Call::establish(&mut world);
    world.post(EVE, OUTSIDE, &Msg::inside("BYE", EVE, 700, &call.ok));
    world.expect(EVE, "403");
    let target = liaison_tests::message::uri_in(&field(&call.invited, "Contact"));
    world.post(MALLORY, INSIDE, &Msg::inside("BYE", MALLORY, 700, &call.acked).uri(&target));
    world.expect(MALLORY, "403");
    assert_eq!(strays(&world), (0, 0, 2));
    // Its number counts for nothing: Alice's own requests are not late now (RFC 3261 §12.2.2).
    goes_on(&mut world, &call, 2);
}

#[test]
fn no_other_request_of_somebody_else_changes_a_call_either() {
    let mut world = by_hand(TWO_SIDES, 2);
    let call = Call::establish(&mut world);
    for (n, method) in (2..).zip(["INVITE", "INFO", "MESSAGE", "OPTIONS", "PRACK", "FANCY"]) {
        let request = Msg::inside(method, EVE, n, &call.ok).sdp(&audio(EVE, 4444));
        world.post(EVE, OUTSIDE, &request);
        world.expect(EVE, "403");
        if method == "INVITE" {
            world.post(EVE, OUTSIDE, &Msg::of_invite("ACK", &request));
        }
    }
    world.run_for(ms(20));
    assert!(world.unread(BOB).is_empty(), "{:?}", world.unread(BOB));
    assert_eq!(strays(&world), (0, 0, 6));
    goes_on(&mut world, &call, 2);
}

#[test]
fn with_the_identifiers_of_another_call_nothing_is_reached() {
    let mut world = by_hand(TWO_SIDES, 3);
    let call = Call::establish(&mut world);
    let spoofed = Msg::inside("BYE", ALICE, 2, &call.ok);
    for (name, value) in [
        ("Call-ID", "guessed@10.0.0.2".to_owned()),
        ("From", field(&call.ok, "From").replace("tag=", "tag=x")),
        ("To", field(&call.ok, "To").replace("tag=", "tag=x")),
    ] {
        world.post(ALICE, OUTSIDE, &spoofed.clone().set(name, &value).branch(name));
        world.expect(ALICE, "481");
    }
    assert_eq!(strays(&world), (0, 0, 0));
    goes_on(&mut world, &call, 3);
}

#[test]
fn a_cancel_of_somebody_else_stops_no_ringing() {
    let mut world = by_hand(TWO_SIDES, 4);
    let invite = invite();
    world.post(ALICE, OUTSIDE, &invite);
    let invited = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&invited, 180, "bob").contact(BOB));
    world.expect(ALICE, "180");
    world.post(EVE, OUTSIDE, &Msg::of_invite("CANCEL", &invite));
    world.expect(EVE, "403");
    world.post(MALLORY, INSIDE, &Msg::of_invite("CANCEL", &invite));
    world.expect_no(BOB, "CANCEL");
    assert_eq!((strays(&world), world.core.sip_counters().foreign_requests), ((0, 0, 1), 1));
    world.post(BOB, INSIDE, &answer(&invited));
    let ok = world.expect(ALICE, "200");
    let acked = world.expect(BOB, "ACK");
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, &ok));
    goes_on(&mut world, &Call { ok, invited, acked }, 2);
}

#[test]
fn whose_call_it_is_can_give_it_up_after_somebody_else_has_tried() {
    let mut world = by_hand(TWO_SIDES, 11);
    let invite = invite();
    world.post(ALICE, OUTSIDE, &invite);
    let invited = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&invited, 180, "bob").contact(BOB));
    let cancel = Msg::of_invite("CANCEL", &invite);
    world.post(EVE, OUTSIDE, &cancel);
    world.expect(EVE, "403");
    world.post(ALICE, OUTSIDE, &cancel);
    assert!(field(&world.expect(ALICE, "200"), "CSeq").ends_with("CANCEL"));
    world.expect(ALICE, "487");
    world.expect(BOB, "CANCEL");
}

#[test]
fn an_ack_of_somebody_else_answers_no_offer() {
    let mut world = by_hand(TWO_SIDES, 5);
    world.post(ALICE, OUTSIDE, &Msg::request("INVITE", NUMBER, ALICE, 1));
    let invited = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &answer(&invited));
    let ok = world.expect(ALICE, "200");
    world.post(EVE, OUTSIDE, &Msg::inside("ACK", EVE, 1, &ok).sdp(&audio(EVE, 4444)));
    world.expect_no(BOB, "ACK");
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, &ok).sdp(&audio(ALICE, 4000)).branch("real"));
    let acked = world.expect(BOB, "ACK");
    assert!(line(body(&acked), 'm').starts_with("audio"), "{acked}");
    assert_eq!(strays(&world), (0, 0, 1));
    goes_on(&mut world, &Call { ok, invited, acked }, 2);
}

#[test]
fn a_bye_of_another_network_is_counted_too() {
    let mut world = by_hand(TWO_SIDES, 6);
    let call = Call::establish(&mut world);
    world.post(
        MALLORY,
        INSIDE,
        &call.alice("BYE", 2).set("Via", &format!("SIP/2.0/UDP {MALLORY};branch=z9hG4bK-x")),
    );
    world.expect(MALLORY, "481");
    assert_eq!(world.core.sip_counters().foreign_requests, 1);
    goes_on(&mut world, &call, 2);
}

/// Alice's BYE from that address ends the call.
fn ends_from(document: &str, alice: impl FnOnce(Msg) -> Msg, address: &str, expected: (u64, u64, u64)) {
    let mut world = by_hand(document, 7);
    let call = Call::establish_with(&mut world, alice(invite()), answer);
    world.post(address, OUTSIDE, &Msg::inside("BYE", address, 2, &call.ok));
    world.expect(address, "200");
    let bye = world.expect(BOB, "BYE");
    world.ok(BOB, INSIDE, &bye);
    world.must_forget(address);
    assert_eq!(strays(&world), expected, "{address}");
}

#[test]
fn a_bye_of_another_address_of_the_same_peer_ends_the_call() {
    let of = |from: &str| TWO_SIDES.replace("from = [\"10.0.0.2\"]", &format!("from = [{from}]"));
    // A NAT has given it another port.
    ends_from(TWO_SIDES, |invite| invite, "10.0.0.2:41000", (0, 0, 0));
    // Another host of the trunk.
    ends_from(&of("\"10.0.0.2\", \"10.0.0.9\""), |invite| invite, EVE, (1, 0, 0));
    ends_from(&of("\"10.0.0.0/28\""), |invite| invite, EVE, (1, 0, 0));
    let target = TWO_SIDES.replace("\"sip:10.0.0.2:5060\"", "\"sip:10.0.0.2:5060\", \"sip:10.0.0.9\"");
    ends_from(&target, |invite| invite, EVE, (1, 0, 0));
    // Where its Contact leads, and the proxy that stays before it.
    ends_from(TWO_SIDES, |invite| invite.contact(EVE), EVE, (0, 0, 0));
    ends_from(TWO_SIDES, |invite| invite.with("Record-Route", "<sip:10.0.0.9;lr>"), EVE, (0, 0, 0));
    // Whoever it may be, where the profile says so.
    let open = format!("{TWO_SIDES}\n[profiles.default]\nrequests_from = \"network\"\n");
    ends_from(&open, |invite| invite, EVE, (0, 0, 0));
}

#[test]
fn where_the_flow_counts_no_other_port_is_the_peers() {
    let strict = format!("{TWO_SIDES}\n[profiles.default]\nrequests_from = \"flow\"\n");
    let mut world = by_hand(&strict, 8);
    let call = Call::establish(&mut world);
    let elsewhere = "10.0.0.2:41000";
    world.post(elsewhere, OUTSIDE, &Msg::inside("BYE", elsewhere, 2, &call.ok));
    world.expect(elsewhere, "403");
    assert_eq!(strays(&world), (0, 0, 1));
    goes_on(&mut world, &call, 2);
}

/// The name servers lead the called side's trunk to two addresses; its call went to one, and its BYE comes from the other.
#[test]
fn rfc3263_another_address_of_the_name_that_was_called_is_the_peers() {
    let document = TWO_SIDES
        .replace("\"sip:10.1.0.2:5060\"", "\"sip:pbx.example\"")
        .replace("from = [\"10.1.0.2\"]", "from = [\"10.1.0.77\"]");
    let mut world = by_hand(&document, 9);
    let addresses = ["10.1.0.2", "10.1.0.9"].map(|address| address.parse().unwrap());
    world.names.insert("pbx.example".into(), addresses.into());
    let call = Call::establish(&mut world);
    let target = liaison_tests::message::uri_in(&field(&call.invited, "Contact"));
    world.post(MALLORY, INSIDE, &Msg::inside("BYE", MALLORY, 1, &call.acked).uri(&target));
    world.expect(MALLORY, "200");
    world.expect(ALICE, "BYE");
    assert_eq!(strays(&world), (0, 0, 0));
}

const SECURE: &str = r#"
[networks.carrier]
listeners = [
    { transport = "tls", address = "10.0.0.1:5061", tls = { certificates = [{ chain = "/none", key = "/none" }], clients = "optional" } },
    { transport = "udp", address = "10.0.0.1:5060" },
]
media = { address = "10.0.0.1", ports = "20000-20999" }

[networks.enterprise]
listeners = [{ transport = "udp", address = "10.1.0.1:5060" }]
media = { address = "10.1.0.1", ports = "20000-20999" }

[trunks.provider]
network = "carrier"
identities = ["provider.example"]
[trunks.other]
network = "carrier"
identities = ["other.example"]
[trunks.pbx]
network = "enterprise"
targets = ["sip:10.1.0.2:5060"]
from = ["10.1.0.2"]

[[routes]]
name = "inbound"
networks = ["carrier"]
to = ["pbx"]
"#;

/// A connection over TLS whose far end has proved that it is that domain, or nothing.
fn secured(world: &mut World, id: u64, proves: &str) -> Flow {
    let flow =
        Flow { listener: ListenerId(0), peer: ALICE.parse().unwrap(), connection: Some(ConnectionId(id)) };
    let identities =
        proves.split_whitespace().map(|name| Identity { domain: Domain::new(name), source: Source::Dns });
    let peer = Peer { identities: identities.collect(), domain: None, protocol: "TLS".into() };
    let event = ConnectionEvent::Secured { flow, accepted: true, peer: Arc::new(peer) };
    world.core.handle_connection(world.now, event);
    flow
}

fn say(world: &mut World, flow: Flow, msg: &Msg) {
    let via = msg.get("Via").replace("UDP", if flow.connection.is_some() { "TLS" } else { "UDP" });
    let branch = via.split("z9hG4bK-").nth(1).unwrap().to_owned();
    let text = msg.clone().set("Via", &via).branch(&branch).text();
    world.core.handle_input(world.now, flow, Bytes::from(text));
    world.flush();
}

#[test]
fn rfc5922_of_a_trunk_that_proves_who_it_is_only_that_counts() {
    let mut world = by_hand(SECURE, 10);
    let own = secured(&mut world, 1, "provider.example");
    let invite =
        Msg::request("INVITE", "sip:+4930@10.0.0.1:5061;transport=tls", ALICE, 1).sdp(&audio(ALICE, 4000));
    say(&mut world, own, &invite);
    let invited = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &answer(&invited));
    let ok = world.expect(ALICE, "200");
    world.expect(BOB, "ACK");
    say(&mut world, own, &Msg::inside("ACK", ALICE, 1, &ok));
    // All from the very address of Alice: nobody, another trunk, and without TLS.
    for (n, proves) in [(2, ""), (3, "other.example")] {
        let flow = secured(&mut world, n, proves);
        say(&mut world, flow, &Msg::inside("BYE", ALICE, 2, &ok).branch(&format!("bye-{n}")));
        world.expect(ALICE, "403");
    }
    let plain = Flow { listener: ListenerId(1), peer: ALICE.parse().unwrap(), connection: None };
    say(&mut world, plain, &Msg::inside("BYE", ALICE, 2, &ok).branch("plain"));
    world.expect(ALICE, "403");
    world.expect_no(BOB, "BYE");
    assert_eq!((strays(&world), world.gauges().calls), ((0, 0, 3), 1));
    let again = secured(&mut world, 4, "x.example provider.example");
    say(&mut world, again, &Msg::inside("BYE", ALICE, 2, &ok).branch("again"));
    world.expect(ALICE, "200");
    let bye = world.expect(BOB, "BYE");
    world.ok(BOB, INSIDE, &bye);
    assert_eq!(strays(&world), (1, 0, 3));
    world.must_forget("a trunk with an identity");
}

/// A user's BYE from a new address is challenged, and counts once it is proved, or once the new address is registered.
#[test]
fn who_can_prove_it_is_asked_to() {
    const AWAY: &str = "10.0.0.99:5060";
    for proves in [true, false] {
        let mut world = users::world(users::DOCUMENT);
        users::bind(&mut world, "bob", users::DESK, "");
        users::call(&mut world, users::BOB);
        let invited = world.expect(users::DESK, "INVITE");
        users::says(&mut world, users::DESK, &invited, 200);
        let ok = world.expect(users::ALICE, "200");
        world.expect(users::DESK, "ACK");
        world.post(users::ALICE, users::REGISTRAR, &Msg::inside("ACK", users::ALICE, 2, &ok));
        let bye = Msg::inside("BYE", AWAY, 3, &ok);
        world.post(AWAY, users::REGISTRAR, &bye);
        let asked = world.expect(AWAY, "401");
        assert_eq!((strays(&world), world.gauges().calls), ((0, 1, 0), 1));
        world.expect_no(users::DESK, "BYE");
        if proves {
            let uri = bye.text().split(' ').nth(1).unwrap().to_owned();
            let as_bob = answer_to(&users::challenges(&asked), true, "bob", "wonderland", "BYE", &uri);
            let of_bob = bye.clone().set("CSeq", "4 BYE").branch("of-bob").with("Authorization", &as_bob);
            world.post(AWAY, users::REGISTRAR, &of_bob);
            world.expect(AWAY, "403");
            world.post(AWAY, users::REGISTRAR, &bye.clone().set("CSeq", "5 BYE").branch("asks"));
            let asked = world.expect(AWAY, "401");
            let as_alice = answer_to(&users::challenges(&asked), true, "alice", "wonderland", "BYE", &uri);
            let of_alice = bye.set("CSeq", "6 BYE").branch("of-alice").with("Authorization", &as_alice);
            world.post(AWAY, users::REGISTRAR, &of_alice);
        } else {
            let register = users::register("alice", AWAY, 1).set("Contact", &users::contact(AWAY, ""));
            let ok = users::answered_as(&mut world, AWAY, &register, "alice");
            assert!(start(&ok).starts_with("200"), "{ok}");
            world.post(AWAY, users::REGISTRAR, &bye.set("CSeq", "4 BYE").branch("registered"));
        }
        world.expect(AWAY, "200");
        let bye = world.expect(users::DESK, "BYE");
        world.ok(users::DESK, users::REGISTRAR, &bye);
        world.run_for(ms(50));
        assert_eq!((strays(&world).0, world.gauges().calls), (1, 0));
        assert!(!tag(&bye, "To").is_empty());
    }
}

/// The device that is called has moved.
#[test]
fn a_device_that_is_called_may_move() {
    const AWAY: &str = "10.0.0.99:5060";
    let mut world = users::world(users::DOCUMENT);
    users::bind(&mut world, "bob", users::DESK, "");
    users::call(&mut world, users::BOB);
    let invited = world.expect(users::DESK, "INVITE");
    users::says(&mut world, users::DESK, &invited, 200);
    let ok = world.expect(users::ALICE, "200");
    let acked = world.expect(users::DESK, "ACK");
    world.post(users::ALICE, users::REGISTRAR, &Msg::inside("ACK", users::ALICE, 2, &ok));
    let target = liaison_tests::message::uri_in(&field(&invited, "Contact"));
    let bye = Msg::inside("BYE", AWAY, 1, &acked).uri(&target);
    world.post(AWAY, users::REGISTRAR, &bye);
    world.expect(AWAY, "401");
    let register = users::register("bob", AWAY, 1).set("Contact", &users::contact(AWAY, ""));
    assert!(start(&users::answered_as(&mut world, AWAY, &register, "bob")).starts_with("200"));
    world.post(AWAY, users::REGISTRAR, &bye.set("CSeq", "2 BYE").branch("moved"));
    world.expect(AWAY, "200");
    world.expect(users::ALICE, "BYE");
    assert_eq!(strays(&world), (1, 1, 0));
}

/// The device that is subscribed to has moved: what it tells is heard still.
#[test]
fn a_device_that_notifies_may_move() {
    const AWAY: &str = "10.0.0.99:5060";
    let mut world = users::world(users::DOCUMENT);
    users::bind(&mut world, "bob", users::DESK, "");
    let subscribe = Msg::request("SUBSCRIBE", users::BOB, users::ALICE, 60).with("Event", "presence");
    let subscribe = subscribe.set("From", "<sip:alice@example.com>;tag=alice").with("Expires", "600");
    users::prove_as(&mut world, users::ALICE, &subscribe, "alice");
    let asked = world.expect(users::DESK, "SUBSCRIBE");
    let ok = Msg::response(&asked, 200, "bob").contact(users::DESK).with("Expires", "600");
    world.post(users::DESK, users::REGISTRAR, &ok);
    world.expect(users::ALICE, "200");
    users::bind(&mut world, "bob", AWAY, "");
    let from = format!("{};tag=bob", field(&asked, "To"));
    for (seq, at) in [(1, users::DESK), (2, AWAY)] {
        let notify = Msg::inside("NOTIFY", at, seq, &asked).set("From", &from).with("Event", "presence");
        let notify = notify.with("Subscription-State", "active;expires=600");
        world.post(at, users::REGISTRAR, &notify.branch(&format!("tells-{seq}")));
        let told = world.expect(users::ALICE, "NOTIFY");
        world.ok(users::ALICE, users::REGISTRAR, &told);
        world.expect(at, "200");
    }
    assert_eq!(strays(&world), (1, 0, 0));
}
