//! Trunks whose registration another configuration has in another form: with outbound or without, as another instance, under
//! another name, by other registrars.

use super::common::{BOB, Call, INSIDE, OUTSIDE, World, document, ms, s, with_secrets};
use super::trunk_registration::{challenge, check_credentials, granted, registering, secrets};
use liaison_tests::message::{Msg, audio, field, find, start};
use liaison_tests::network::Fate;
use liaison_tests::world::INSTANCE;

/// The registrar, and the first edge.
const ONE: &str = "10.0.0.7:5060";
const TWO: &str = "10.0.0.8:5060";
const OUTBOUND: &str = "outbound = { proxies = [\"sip:10.0.0.7\", \"sip:10.0.0.8\"] }";
/// What is bound by flows.
const BY_FLOW: &str = "<sip:provider@10.0.0.1:5060;ob>";

fn by_flows() -> String {
    registering(&format!(", {OUTBOUND}"))
}

/// A contact of ours without outbound.
fn plain(expires: u32) -> String {
    format!("<sip:provider@10.0.0.1:5060>;expires={expires};+sip.instance=\"<{INSTANCE}>\"")
}

/// A contact of ours with outbound.
fn numbered(number: u32) -> String {
    format!(";+sip.instance=\"<{INSTANCE}>\";reg-id={number}")
}

/// The next REGISTER there.
fn register(world: &mut World, at: &str) -> String {
    world.expect(at, "REGISTER")
}

/// The next one, which asks for that lifetime.
fn asks(world: &mut World, at: &str, expires: &str) -> String {
    let register = register(world, at);
    assert_eq!(field(&register, "Expires"), expires, "{register}");
    register
}

/// It is granted as it was asked for.
fn grant(world: &mut World, at: &str, register: &str) {
    let granted = granted(register);
    let by_flow = field(register, "Contact").contains("reg-id");
    let granted = if by_flow { granted.with("Require", "outbound") } else { granted };
    world.post(at, OUTSIDE, &granted);
    world.run_for(ms(20));
}

/// The binding is gone.
fn removed(world: &mut World, at: &str, register: &str) {
    world.post(at, OUTSIDE, &Msg::response(register, 200, "r"));
}

/// Nothing is registered for now.
fn must_be_silent(world: &mut World) {
    world.expect_no(ONE, "REGISTER");
    world.expect_no(TWO, "REGISTER");
}

/// Registered by that document, by one flow or two.
fn registered(document: &str) -> World {
    let mut world = with_secrets(document, secrets(), 1);
    let first = asks(&mut world, ONE, "3600");
    grant(&mut world, ONE, &first);
    if document.contains("proxies") {
        let second = asks(&mut world, TWO, "3600");
        grant(&mut world, TWO, &second);
    }
    world
}

/// Both flows are made, one after the other.
fn must_make_both_flows(world: &mut World) {
    for (at, number) in [(ONE, 1), (TWO, 2)] {
        let made = asks(world, at, "3600");
        assert!(field(&made, "Contact").ends_with(&numbered(number)), "{made}");
        grant(world, at, &made);
    }
    must_be_silent(world);
    let gauges = world.gauges();
    assert_eq!((gauges.trunks_registered, gauges.trunk_flows, gauges.trunk_flows_up), (1, 2, 2));
}

#[test]
fn outbound_switched_on_removes_the_binding_before_the_flows_are_made() {
    let mut world = registered(&registering(""));
    let call = Call::establish(&mut world);
    world.reload(&by_flows(), secrets());
    let removal = asks(&mut world, ONE, "0");
    assert_eq!(field(&removal, "Contact"), plain(0));
    let gauges = world.gauges();
    assert_eq!((gauges.trunks_registering, gauges.trunks_registered, gauges.trunk_flows), (1, 0, 2));
    // A registrar without outbound would take a flow for the binding that is removed.
    must_be_silent(&mut world);
    world.post(ONE, OUTSIDE, &challenge(&removal, "n"));
    let removal = asks(&mut world, ONE, "0");
    check_credentials(&removal);
    must_be_silent(&mut world);
    removed(&mut world, ONE, &removal);
    must_make_both_flows(&mut world);
    call.hang_up(&mut world, 2);
}

#[test]
fn outbound_switched_off_removes_each_flow_before_the_binding_is_made() {
    let mut world = registered(&by_flows());
    let invite = Msg::request("INVITE", "sip:+4940@10.1.0.1", BOB, 1).sdp(&audio(BOB, 4000));
    world.post(BOB, INSIDE, &invite);
    let invited = world.expect(ONE, "INVITE");
    let answer = Msg::response(&invited, 200, "far").contact("10.9.9.9:5060").sdp(&audio(ONE, 6000));
    world.post(ONE, OUTSIDE, &answer);
    let ok = world.expect(BOB, "200");
    world.post(BOB, INSIDE, &Msg::inside("ACK", BOB, 1, &ok));
    world.reload(&registering(""), secrets());
    let first = asks(&mut world, ONE, "0");
    assert_eq!(field(&first, "Contact"), format!("{BY_FLOW};expires=0{}", numbered(1)));
    let second = asks(&mut world, TWO, "0");
    assert_eq!(field(&second, "Contact"), format!("{BY_FLOW};expires=0{}", numbered(2)));
    removed(&mut world, ONE, &first);
    world.expect_no(ONE, "REGISTER");
    assert_eq!(world.gauges().trunks_registered, 0);
    removed(&mut world, TWO, &second);
    let made = asks(&mut world, ONE, "3600");
    assert_eq!(field(&made, "Contact"), plain(3600));
    grant(&mut world, ONE, &made);
    must_be_silent(&mut world);
    let gauges = world.gauges();
    assert_eq!((gauges.trunks_registered, gauges.trunk_flows, gauges.sip.kept), (1, 0, 0));
    // The call goes on, by the flow that it was made on.
    world.post(BOB, INSIDE, &Msg::inside("BYE", BOB, 2, &ok));
    let bye = world.expect(ONE, "BYE");
    world.ok(ONE, OUTSIDE, &bye);
    world.run_for(ms(20));
    assert_eq!(world.gauges().calls, 0);
}

#[test]
fn what_is_under_way_when_outbound_is_switched_is_removed_once_it_is_known() {
    let mut world = with_secrets(&registering(""), secrets(), 1);
    let first = asks(&mut world, ONE, "3600");
    world.reload(&by_flows(), secrets());
    must_be_silent(&mut world);
    world.post(ONE, OUTSIDE, &granted(&first));
    let removal = asks(&mut world, ONE, "0");
    must_be_silent(&mut world);
    removed(&mut world, ONE, &removal);
    must_make_both_flows(&mut world);
    // What was refused needs no removal.
    let mut world = with_secrets(&registering(""), secrets(), 1);
    let first = asks(&mut world, ONE, "3600");
    world.reload(&by_flows(), secrets());
    world.post(ONE, OUTSIDE, &Msg::response(&first, 403, "r"));
    must_make_both_flows(&mut world);
}

#[test]
fn a_removal_that_nobody_answers_is_waited_for_until_it_is_given_up() {
    let mut world = registered(&registering(""));
    world.reload(&by_flows(), secrets());
    asks(&mut world, ONE, "0");
    world.run_for(s(5));
    world.mail.retain(|datagram| !datagram.text().contains("Expires: 0\r\n"));
    must_be_silent(&mut world);
    let made = loop {
        let next = world.expect_within(ONE, "REGISTER", s(40));
        if field(&next, "Expires") != "0" {
            break next;
        }
    };
    grant(&mut world, ONE, &made);
    assert_eq!(world.gauges().trunk_flows_up, 1);
}

#[test]
fn a_trunk_that_comes_back_waits_for_its_own_removal() {
    let mut world = registered(&registering(", contact_user = \"gw\""));
    world.reload(&document("", "", ""), secrets());
    let removal = asks(&mut world, ONE, "0");
    let renamed = |text: String| {
        text.replace("trunks.provider", "trunks.renamed").replace("\"provider\"", "\"renamed\"")
    };
    // Whatever its name is by now.
    world.reload(&renamed(registering(", contact_user = \"gw\"")), secrets());
    must_be_silent(&mut world);
    world.post(ONE, OUTSIDE, &challenge(&removal, "n"));
    let removal = asks(&mut world, ONE, "0");
    must_be_silent(&mut world);
    removed(&mut world, ONE, &removal);
    let made = asks(&mut world, ONE, "3600");
    grant(&mut world, ONE, &made);
    assert_eq!(world.gauges().trunks_registered, 1);
}

#[test]
fn a_name_with_another_shard_by_its_hash_still_waits() {
    for seed in 0..4 {
        let text = registering(", contact_user = \"gw\"");
        let weather = Box::new(|_: &_| Fate::Arrives);
        let mut world = World::sharded(3, &text, secrets(), Vec::new(), weather, seed);
        let first = asks(&mut world, ONE, "3600");
        grant(&mut world, ONE, &first);
        world.reload(&document("", "", ""), secrets());
        let removal = asks(&mut world, ONE, "0");
        for name in ["a", "b", "c", "d"] {
            let renamed = text.replace("trunks.provider", &format!("trunks.{name}"));
            world.reload(&renamed.replace("\"provider\"", &format!("\"{name}\"")), secrets());
            world.expect_no(ONE, "REGISTER");
        }
        removed(&mut world, ONE, &removal);
        let made = asks(&mut world, ONE, "3600");
        grant(&mut world, ONE, &made);
        let gauges = world.gauges();
        assert_eq!((gauges.trunks_registering, gauges.trunks_registered), (1, 1));
    }
}

#[test]
fn another_instance_is_registered_once_the_first_is_removed() {
    let mut world = registered(&by_flows());
    let other = "urn:uuid:f81d4fae-7dec-41d0-a765-00a0c91e6bf6";
    let outbound = OUTBOUND.replace('{', &format!("{{ instance = \"{other}\","));
    world.reload(&registering(&format!(", {outbound}")), secrets());
    let removals = [asks(&mut world, ONE, "0"), asks(&mut world, TWO, "0")];
    must_be_silent(&mut world);
    for (at, removal) in [ONE, TWO].iter().zip(&removals) {
        assert!(field(removal, "Contact").contains(INSTANCE));
        removed(&mut world, at, removal);
    }
    let made = asks(&mut world, ONE, "3600");
    assert!(field(&made, "Contact").ends_with(&format!("<{other}>\";reg-id=1")), "{made}");
    // With another contact it is the same instance: where outbound is known, a removal would be of the new contact.
    let mut world = registered(&by_flows());
    world.reload(&registering(&format!(", contact_user = \"gw\", {OUTBOUND}")), secrets());
    let removals = [asks(&mut world, ONE, "0"), asks(&mut world, TWO, "0")];
    must_be_silent(&mut world);
    removed(&mut world, ONE, &removals[0]);
    removed(&mut world, TWO, &removals[1]);
    must_make_both_flows(&mut world);
}

#[test]
fn other_proxies_are_asked_at_once_and_after_what_is_under_way() {
    let swapped = by_flows().replace("sip:10.0.0.8", "sip:10.0.0.9");
    let third = "10.0.0.9:5060";
    let mut world = registered(&by_flows());
    world.reload(&swapped, secrets());
    let moved = asks(&mut world, third, "3600");
    assert!(field(&moved, "Contact").ends_with(&numbered(2)), "its registrar puts it in the old one's place");
    grant(&mut world, third, &moved);
    must_be_silent(&mut world);
    assert_eq!(world.gauges().trunk_flows_up, 2);
    // A refresh is under way when its proxy changes.
    let mut world = with_secrets(&by_flows(), secrets(), 1);
    let first = asks(&mut world, ONE, "3600");
    grant(&mut world, ONE, &first);
    let second = asks(&mut world, TWO, "3600");
    world.reload(&swapped, secrets());
    world.expect_no(third, "REGISTER");
    grant(&mut world, TWO, &second);
    assert_eq!(world.gauges().trunk_flows_up, 1, "calls do not take a flow that is no more to be had");
    let moved = asks(&mut world, third, "3600");
    grant(&mut world, third, &moved);
    assert_eq!(world.gauges().trunk_flows_up, 2);
}

#[test]
fn another_transport_is_another_contact() {
    let mut world = registered(&registering(""));
    world.reload(&registering("").replace("sip:10.0.0.7", "sip:10.0.0.7;transport=udp"), secrets());
    let removal = asks(&mut world, ONE, "0");
    must_be_silent(&mut world);
    removed(&mut world, ONE, &removal);
    asks(&mut world, ONE, "3600");
}

#[test]
fn a_flow_that_rests_begins_when_the_one_that_stands_alone_is_dropped() {
    let mut world = with_secrets(&by_flows(), secrets(), 1);
    let first = register(&mut world, ONE);
    world.post(ONE, OUTSIDE, &granted(&first));
    let refresh = world.expect_within(ONE, "REGISTER", s(3000));
    world.post(ONE, OUTSIDE, &Msg::response(&refresh, 503, "r").with("Retry-After", "2000"));
    let second = register(&mut world, TWO);
    world.post(TWO, OUTSIDE, &granted(&second));
    world.run_for(s(2100));
    must_be_silent(&mut world);
    let one = by_flows().replace(", \"sip:10.0.0.8\"", "");
    world.reload(&one, secrets());
    let removal = asks(&mut world, TWO, "0");
    world.expect_no(ONE, "REGISTER");
    removed(&mut world, TWO, &removal);
    let made = asks(&mut world, ONE, "3600");
    world.post(ONE, OUTSIDE, &granted(&made));
    world.run_for(ms(20));
    assert_eq!(world.gauges().trunks_registered, 1);
    // One that comes to it rests.
    world.reload(&by_flows(), secrets());
    must_be_silent(&mut world);
    assert_eq!(world.gauges().trunks_registered, 1);
}

#[test]
fn a_call_of_the_registrar_is_the_trunks_while_outbound_is_switched() {
    let mut world = registered(&registering(""));
    world.reload(&by_flows(), secrets());
    asks(&mut world, ONE, "0");
    let invite = Msg::request("INVITE", "sip:provider@10.0.0.1:5060", ONE, 1)
        .set("From", "<sip:x@carrier.example>;tag=one")
        .sdp(&audio(ONE, 4000));
    world.post(ONE, OUTSIDE, &invite);
    let invited = world.expect(BOB, "INVITE");
    assert!(start(&invited).starts_with("INVITE sip:+4930123456@"), "{invited}");
    assert_eq!(find(&invited, "Route"), None);
}

#[test]
fn a_drain_lets_nothing_begin_that_waits() {
    let mut world = registered(&registering(""));
    world.reload(&by_flows(), secrets());
    let removal = asks(&mut world, ONE, "0");
    world.command(b2bua::shard::Command::Drain(s(60)));
    removed(&mut world, ONE, &removal);
    must_be_silent(&mut world);
    assert_eq!(world.gauges().trunks_registered, 0);
}
