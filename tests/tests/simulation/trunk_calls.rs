//! Calls to and from trunks that we register with.

use super::common::{ALICE, BOB, INSIDE, OUTSIDE, World, ms, s, with_secrets};
use super::trunk_registration::{REGISTRAR, granted, registering, secrets};
use liaison_tests::message::{Msg, audio, field, find, start};

/// The proxy of the Service-Route.
const EDGE: &str = "10.0.0.5:5060";
const ROUTE: &str = "<sip:10.0.0.5;lr>, <sip:core.carrier.example;lr>";
const CONTACT: &str = "sip:provider@10.0.0.1:5060";

/// Registered, with more settings of that, and with that Service-Route.
fn registered(more: &str, route: &str) -> World {
    let mut world = with_secrets(&registering(more), secrets(), 1);
    let register = world.expect_within(REGISTRAR, "REGISTER", s(1));
    let ok = granted(&register);
    world.post(REGISTRAR, OUTSIDE, &if route.is_empty() { ok } else { ok.with("Service-Route", route) });
    world.run_for(ms(20));
    world
}

fn call_out(seq: u32) -> Msg {
    Msg::request("INVITE", "sip:+4940@10.1.0.1", BOB, seq).sdp(&audio(BOB, 4000))
}

fn call_in(from: &str, seq: u32) -> Msg {
    Msg::request("INVITE", CONTACT, from, seq)
        .set("To", "<sip:+4930777@carrier.example>")
        .sdp(&audio(from, 4000))
}

// conforms: RFC3261-8.1.1.1-1 RFC3261-10.2-1,2 RFC3608-6.1-1
#[test]
fn rfc3608_6_1_calls_take_the_service_route() {
    let mut world = registered("", ROUTE);
    world.post(BOB, INSIDE, &call_out(1));
    let invite = world.expect(EDGE, "INVITE");
    assert_eq!(start(&invite), "INVITE sip:+4940@10.0.0.2:5060 SIP/2.0");
    let routes: Vec<&str> = invite.lines().filter(|line| line.starts_with("Route: ")).collect();
    assert_eq!(routes, ["Route: <sip:10.0.0.5;lr>", "Route: <sip:core.carrier.example;lr>"]);
    world.expect_no(ALICE, "INVITE");
    // Without one, calls go to the trunk's target: Record-Route means nothing here.
    let mut world = with_secrets(&registering(""), secrets(), 1);
    let register = world.expect_within(REGISTRAR, "REGISTER", s(1));
    world.post(REGISTRAR, OUTSIDE, &granted(&register).with("Record-Route", "<sip:10.0.0.5;lr>"));
    world.run_for(ms(20));
    world.post(BOB, INSIDE, &call_out(1));
    let invite = world.expect(ALICE, "INVITE");
    assert_eq!(find(&invite, "Route"), None);
}

#[test]
fn an_unregistered_trunk_is_not_called_unless_it_is_to_be() {
    for (more, called) in [("", false), (", unregistered = \"call\"", true)] {
        let mut world = with_secrets(&registering(more), secrets(), 1);
        let register = world.expect_within(REGISTRAR, "REGISTER", s(1));
        world.post(REGISTRAR, OUTSIDE, &Msg::response(&register, 403, "r"));
        world.run_for(ms(20));
        world.post(BOB, INSIDE, &call_out(1));
        if called {
            world.expect(ALICE, "INVITE");
            continue;
        }
        world.expect(BOB, "503");
        world.expect_no(ALICE, "INVITE");
        assert_eq!(world.core.counters().trunks_unregistered, 1);
    }
}

#[test]
fn a_binding_that_ran_out_is_none() {
    let mut world = registered("", "");
    // Nobody answers the refreshes.
    world.run_for(s(3700));
    world.post(BOB, INSIDE, &call_out(1));
    world.expect(BOB, "503");
}

#[test]
fn a_call_to_the_contact_is_the_trunks_and_for_the_address_of_record() {
    let mut world = registered("", "");
    world.post(REGISTRAR, OUTSIDE, &call_in(REGISTRAR, 1));
    let invite = world.expect(BOB, "INVITE");
    assert_eq!(start(&invite), "INVITE sip:+4930123456@10.1.0.2:5060 SIP/2.0");
    // By the trunk's own address as well.
    world.post(ALICE, OUTSIDE, &call_in(ALICE, 2));
    let invite = world.expect(BOB, "INVITE");
    assert_eq!(start(&invite), "INVITE sip:+4930123456@10.1.0.2:5060 SIP/2.0");
    // Whoever else knows the contact is a stranger.
    world.post("10.0.0.9:5060", OUTSIDE, &call_in("10.0.0.9:5060", 3));
    world.expect("10.0.0.9:5060", "403");
    // And what the registrar sends to another user is not the trunk's.
    world.post(REGISTRAR, OUTSIDE, &call_in(REGISTRAR, 4).uri("sip:someone@10.0.0.1:5060"));
    let refused = world.expect(REGISTRAR, "403");
    assert_eq!(field(&refused, "CSeq"), "4 INVITE");
}

#[test]
fn a_call_to_the_contact_may_be_for_the_party_in_to() {
    let mut world = registered(", called = \"to\"", "");
    world.post(REGISTRAR, OUTSIDE, &call_in(REGISTRAR, 1));
    let invite = world.expect(BOB, "INVITE");
    assert_eq!(start(&invite), "INVITE sip:+4930777@10.1.0.2:5060 SIP/2.0");
}
