//! The flows of a device that registers several (RFC 5626): one is tried, the others instead of it.

use super::common::{World, s};
use super::devices::fails;
use super::users::{
    ALICE, BOB, DESK, DOCUMENT, MOBILE, REGISTRAR, answered_as, bind, call, contact, register, says, world,
};
use liaison_tests::message::{Msg, field, start};
use sip::ListenerId;
use sip::driver::Core as _;

/// One more flow of bob's device, from that address.
fn flow(world: &mut World, from: &str, number: u32) {
    let numbered = format!(";reg-id={number};+sip.instance=\"<urn:uuid:1>\"");
    let request = register("bob", from, 1)
        .set("Contact", &contact("192.168.1.5:5060", &numbered))
        .with("Supported", "outbound");
    let ok = answered_as(world, from, &request, "bob");
    assert_eq!(field(&ok, "Require"), "outbound");
}

/// Bob's device with two flows, the second of which was refreshed last.
fn two_flows() -> World {
    let mut world = world(DOCUMENT);
    flow(&mut world, DESK, 1);
    world.run_for(s(2));
    flow(&mut world, MOBILE, 2);
    world
}

// conforms: RFC5626-7-1
#[test]
fn rfc5626_7_one_flow_of_a_device_is_tried_and_the_other_when_that_one_fails() {
    for status in [430, 408] {
        let mut world = two_flows();
        call(&mut world, BOB);
        let first = world.expect(MOBILE, "INVITE");
        world.expect_no(DESK, "INVITE");
        says(&mut world, MOBILE, &first, status);
        let second = world.expect(DESK, "INVITE");
        assert!(start(&second).starts_with("INVITE sip:line@192.168.1.5:5060 "), "{second}");
        says(&mut world, DESK, &second, 200);
        world.expect(ALICE, "200");
    }
}

#[test]
fn rfc5626_7_a_flow_that_is_silent_gives_way_to_the_other() {
    let mut world = two_flows();
    call(&mut world, BOB);
    world.expect(MOBILE, "INVITE");
    let second = world.expect_within(DESK, "INVITE", s(10));
    says(&mut world, DESK, &second, 200);
    world.expect(ALICE, "200");
}

// conforms: RFC5626-7-2
#[test]
fn rfc5626_7_what_a_device_answers_on_one_flow_it_is_not_asked_on_another() {
    for (status, heard) in [(486, "486"), (503, "500")] {
        let mut world = two_flows();
        call(&mut world, BOB);
        let first = world.expect(MOBILE, "INVITE");
        says(&mut world, MOBILE, &first, status);
        fails(&mut world, heard);
        assert!(!world.sent_to(DESK).iter().any(|text| text.starts_with("INVITE")));
    }
}

#[test]
fn rfc5626_11_5_a_caller_hears_nothing_of_flows() {
    let mut world = two_flows();
    call(&mut world, BOB);
    for device in [MOBILE, DESK] {
        let invite = world.expect(device, "INVITE");
        says(&mut world, device, &invite, 430);
    }
    fails(&mut world, "480");
}

// conforms: RFC5626-7-4
#[test]
fn rfc5626_7_icmp_ends_the_bindings_on_its_flow_once_it_answers_nothing() {
    let mut world = two_flows();
    let now = world.now;
    world.core.handle_unreachable(now, ListenerId(0), MOBILE.parse().unwrap());
    world.run_for(s(9));
    assert_eq!((world.gauges().bindings, world.core.counters().flows_lost), (2, 0));
    assert!(world.sent_to(MOBILE).iter().any(|text| text.starts_with("OPTIONS")));
    world.run_for(s(2));
    assert_eq!((world.gauges().bindings, world.core.counters().flows_lost), (1, 1));
    call(&mut world, BOB);
    let only = world.expect(DESK, "INVITE");
    says(&mut world, DESK, &only, 430);
    fails(&mut world, "480");
}

#[test]
fn a_flow_that_answers_stands_however_much_icmp_says_that_it_does_not() {
    let mut world = two_flows();
    let peer: std::net::SocketAddr = MOBILE.parse().unwrap();
    for _ in 0..40 {
        let now = world.now;
        world.core.handle_unreachable(now, ListenerId(0), peer);
        world.run_for(s(1) / 2);
        let asked: Vec<_> =
            world.sent_to(MOBILE).into_iter().filter(|text| text.starts_with("OPTIONS")).collect();
        // Its transaction has been ended by the next packet before the answer comes.
        let now = world.now;
        world.core.handle_unreachable(now, ListenerId(0), peer);
        if let Some(options) = asked.last() {
            says(&mut world, MOBILE, options, 200);
        }
    }
    assert_eq!((world.gauges().bindings, world.core.counters().flows_lost), (2, 0));
    assert!(world.core.counters().flows_questioned >= 20);
}

#[test]
fn a_binding_with_a_path_is_reached_along_it_whatever_its_flow() {
    let mut world = world(DOCUMENT);
    let request = register("bob", DESK, 1)
        .set("Contact", &contact("192.168.1.5:5060", ";reg-id=1;+sip.instance=\"<urn:uuid:1>\""))
        .with("Supported", "path, outbound")
        .with("Path", "<sip:token@10.0.0.4:5060;lr;ob>");
    answered_as(&mut world, DESK, &request, "bob");
    call(&mut world, BOB);
    let invited = world.expect(MOBILE, "INVITE");
    assert_eq!(field(&invited, "Route"), "<sip:token@10.0.0.4:5060;lr;ob>");
    world.post(MOBILE, REGISTRAR, &Msg::response(&invited, 486, "m"));
    fails(&mut world, "486");
}

#[test]
fn a_device_that_is_gone_makes_its_user_unavailable_and_is_no_failure_of_ours() {
    let mut world = world(DOCUMENT);
    bind(&mut world, "bob", DESK, "");
    call(&mut world, BOB);
    world.expect(DESK, "INVITE");
    let now = world.now;
    world.core.handle_unreachable(now, ListenerId(0), DESK.parse().unwrap());
    fails(&mut world, "480");
}
