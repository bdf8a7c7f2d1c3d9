//! Trunks that register by several flows (RFC 5626), and keepalives that a first hop wants (RFC 6223).

use super::common::{BOB, INSIDE, OUTSIDE, World, document, ms, s, with_secrets};
use super::trunk_registration::{granted, registering, secrets};
use b2bua::shard::Command;
use liaison_tests::message::{Msg, audio, field, find, start};
use liaison_tests::network::Fate;
use liaison_tests::world::INSTANCE;
use sip::driver::Core as _;
use sip::{ListenerId, stun};
use std::net::SocketAddr;
use std::time::Duration;

const ONE: &str = "10.0.0.7:5060";
const TWO: &str = "10.0.0.8:5060";
const OUTBOUND: &str = "outbound = { proxies = [\"sip:10.0.0.7\", \"sip:10.0.0.8;lr\"] }";

fn by_flows(more: &str) -> String {
    registering(&format!(", {OUTBOUND}{more}"))
}

fn world(document: &str) -> World {
    with_secrets(document, secrets(), 1)
}

fn register(world: &mut World, at: &str, patience: Duration) -> String {
    world.expect_within(at, "REGISTER", patience)
}

/// The registrar grants it, with outbound.
fn grant(world: &mut World, at: &str, register: &str) {
    world.post(at, OUTSIDE, &granted(register).with("Require", "outbound"));
    world.run_for(ms(20));
}

/// Registered by two flows.
fn two_flows(more: &str) -> World {
    let mut world = world(&by_flows(more));
    for at in [ONE, TWO] {
        let first = register(&mut world, at, s(1));
        grant(&mut world, at, &first);
    }
    world
}

/// Lets time pass, while the edges answer keepalives; those at `seen` tell us another address than the true one.
fn answer_keepalives(world: &mut World, length: Duration, edges: &[(&str, &str)]) -> usize {
    let (mut left, mut answered) = (length, 0);
    while !left.is_zero() {
        let step = left.min(ms(100));
        world.run_for(step);
        left -= step;
        let asked: Vec<_> = world.mail.extract_if(.., |d| stun::is_stun(&d.bytes)).collect();
        for datagram in asked {
            let Some((_, seen)) =
                edges.iter().find(|(at, _)| datagram.to == at.parse::<SocketAddr>().unwrap())
            else {
                continue;
            };
            let answer = stun::answer(&datagram.bytes, seen.parse().unwrap()).unwrap();
            world.network.send(world.now.mono, datagram.to, datagram.from, answer.into());
            answered += 1;
        }
    }
    answered
}

fn is_silent(world: &World, since: usize) -> bool {
    !world.network.log[since..].iter().any(|d| stun::is_stun(&d.bytes))
}

fn call(world: &mut World, seq: u32) {
    let invite = Msg::request("INVITE", "sip:+4940@10.1.0.1", BOB, seq).sdp(&audio(BOB, 4000));
    world.post(BOB, INSIDE, &invite);
}

// conforms: RFC5626-4.2.1-1,2,3,4,5,6,7
#[test]
fn rfc5626_4_2_1_a_trunk_is_registered_by_a_flow_to_each_edge_proxy() {
    let mut numbers = Vec::new();
    for _ in 0..2 {
        let mut world = world(&by_flows(""));
        let first = register(&mut world, ONE, s(1));
        assert_eq!(start(&first), "REGISTER sip:carrier.example SIP/2.0");
        assert_eq!(
            (field(&first, "Route"), field(&first, "Supported")),
            ("<sip:10.0.0.7;lr>".into(), "path, outbound, gruu".into())
        );
        world.expect_no(TWO, "REGISTER");
        grant(&mut world, ONE, &first);
        let second = register(&mut world, TWO, s(1));
        assert_eq!(field(&second, "Route"), "<sip:10.0.0.8;lr>");
        assert_ne!(field(&first, "Call-ID"), field(&second, "Call-ID"));
        let contact = |number| {
            format!(
                "<sip:provider@10.0.0.1:5060;ob>;expires=3600;+sip.instance=\"<{INSTANCE}>\";reg-id={number}"
            )
        };
        assert_eq!([field(&first, "Contact"), field(&second, "Contact")], [contact(1), contact(2)]);
        grant(&mut world, TWO, &second);
        let gauges = world.gauges();
        assert_eq!((gauges.trunks_registering, gauges.trunks_registered), (1, 1));
        assert_eq!((gauges.trunk_flows, gauges.trunk_flows_up, gauges.sip.kept), (2, 2, 2));
        numbers.push([field(&first, "Contact"), field(&second, "Contact")]);
    }
    assert_eq!(numbers[0], numbers[1], "the same after a restart");
}

// conforms: RFC5626-4.4.2-2
#[test]
fn rfc5626_4_4_flows_are_kept_and_refreshes_and_calls_take_them() {
    let mut world = two_flows("");
    let here = "10.0.0.1:5060";
    let answered = answer_keepalives(&mut world, s(300), &[(ONE, here), (TWO, here)]);
    assert!((20..=26).contains(&answered), "{answered}");
    call(&mut world, 1);
    let invite = world.expect(ONE, "INVITE");
    assert_eq!(start(&invite), "INVITE sip:+4940@10.0.0.2:5060 SIP/2.0");
    assert_eq!(
        (field(&invite, "Contact"), field(&invite, "Route")),
        ("<sip:10.0.0.1:5060;ob>".into(), "<sip:10.0.0.7;lr>".into())
    );
    assert!(field(&invite, "Supported").split(", ").any(|tag| tag == "outbound"), "{invite}");
    // Nobody says a word there: the other flow is taken.
    let second = world.expect_within(TWO, "INVITE", s(10));
    let other =
        Msg::response(&second, 200, "far").contact("10.9.9.9:5060").sdp(&audio("10.9.9.9:5060", 6000));
    world.post(TWO, OUTSIDE, &other);
    let ok = world.expect(BOB, "200");
    let ack = world.expect(TWO, "ACK");
    assert!(
        ack.starts_with("ACK sip:phone@10.9.9.9:5060"),
        "by its flow, not where its Contact leads: {ack}"
    );
    world.post(BOB, INSIDE, &Msg::inside("ACK", BOB, 1, &ok));
    world.post(BOB, INSIDE, &Msg::inside("BYE", BOB, 2, &ok));
    let bye = world.expect(TWO, "BYE");
    world.ok(TWO, OUTSIDE, &bye);
    answer_keepalives(&mut world, s(3200), &[(ONE, here), (TWO, here)]);
    for at in [ONE, TWO] {
        let refresh = world.expect(at, "REGISTER");
        assert!(field(&refresh, "Contact").contains(";reg-id="), "{refresh}");
    }
}

// conforms: RFC5626-4.5-1
#[test]
fn rfc5626_4_5_a_flow_that_fails_is_made_anew_with_its_number_and_calls_take_the_other() {
    let mut world = two_flows("");
    let here = "10.0.0.1:5060";
    answer_keepalives(&mut world, s(60), &[(ONE, here), (TWO, here)]);
    // The NAT has forgotten us.
    answer_keepalives(&mut world, s(31), &[(ONE, "10.0.0.1:9"), (TWO, here)]);
    let anew = world.expect(ONE, "REGISTER");
    assert!(field(&anew, "Contact").ends_with(";reg-id=1"), "{anew}");
    assert_eq!(world.gauges().trunk_flows_up, 1);
    call(&mut world, 1);
    let invite = world.expect(TWO, "INVITE");
    world.post(TWO, OUTSIDE, &Msg::response(&invite, 486, "far"));
    world.expect(BOB, "486");
    // It fails, and the wait is that of a trunk with another flow.
    world.post(ONE, OUTSIDE, &Msg::response(&anew, 503, "r"));
    world.run_for(ms(20));
    world.mail.clear();
    let before = world.now.mono;
    answer_keepalives(&mut world, s(85), &[(TWO, here)]);
    assert!(
        world.unread(ONE).iter().all(|text| !text.starts_with("REGISTER")),
        "no sooner than half of 2 * 90 s"
    );
    let later = register(&mut world, ONE, s(100));
    assert!(world.now.mono.since(before) >= s(90));
    grant(&mut world, ONE, &later);
    assert_eq!(world.gauges().trunk_flows_up, 2);
}

#[test]
fn rfc5626_4_5_a_flow_without_an_answered_keepalive_waits_and_with_no_other_left_less() {
    let mut world = two_flows(", refused_wait = \"1m\"");
    let since = world.now.mono;
    world.run_for(s(29 + 40));
    assert_eq!(world.gauges().trunk_flows_up, 0, "no keepalive was answered");
    assert_eq!(world.core.sip_counters().flows_lost, 2);
    world.run_for(s(61));
    let again = world.mail.iter().find(|d| d.text().starts_with("REGISTER")).unwrap();
    let after = again.at.since(since);
    assert!((s(24 + 39 + 30)..=s(30 + 40 + 61)).contains(&after), "{after:?}");
}

#[test]
fn icmp_fails_a_flow_at_once() {
    let mut world = two_flows("");
    let here = "10.0.0.1:5060";
    answer_keepalives(&mut world, s(60), &[(ONE, here), (TWO, here)]);
    let (now, edge) = (world.now, ONE.parse::<SocketAddr>().unwrap());
    world.core.handle_unreachable(now, ListenerId(0), edge);
    register(&mut world, ONE, s(1));
    call(&mut world, 1);
    world.expect(TWO, "INVITE");
}

#[test]
fn rfc5626_11_5_430_to_a_call_leads_to_the_other_flow_and_has_this_one_looked_at() {
    let mut world = two_flows("");
    call(&mut world, 1);
    let invite = world.expect(ONE, "INVITE");
    let since = world.network.log.len();
    world.post(ONE, OUTSIDE, &Msg::response(&invite, 430, "edge"));
    let second = world.expect(TWO, "INVITE");
    assert!(!is_silent(&world, since), "a keepalive now");
    world.post(TWO, OUTSIDE, &Msg::response(&second, 430, "edge"));
    world.expect(BOB, "480");
}

#[test]
fn rfc5626_11_5_430_to_a_call_of_another_shard_has_the_flow_looked_at_by_the_one_that_registers() {
    let arrives = Box::new(|_: &_| Fate::Arrives);
    let mut world = World::sharded(3, &by_flows(""), secrets(), Vec::new(), arrives, 1);
    for at in [ONE, TWO] {
        let first = register(&mut world, at, s(1));
        grant(&mut world, at, &first);
    }
    let edges = [(ONE, "10.0.0.1:5060"), (TWO, "10.0.0.1:5060")];
    let mut shards = std::collections::BTreeSet::new();
    for n in 0..8 {
        let invite = Msg::request("INVITE", "sip:+4940@10.1.0.1", BOB, 1);
        let invite = invite.set("Call-ID", &format!("c{n}")).branch(&format!("b{n}")).sdp(&audio(BOB, 4000));
        world.post(BOB, INSIDE, &invite);
        let invite = world.expect(ONE, "INVITE");
        let busy = world.cores().position(|core| core.gauges().calls == 1).unwrap();
        shards.insert(busy);
        let since = world.network.log.len();
        world.post(ONE, OUTSIDE, &Msg::response(&invite, 430, "edge"));
        let second = world.expect(TWO, "INVITE");
        let asked: Vec<_> = world.network.log[since..].iter().filter(|d| stun::is_stun(&d.bytes)).collect();
        assert!(
            asked.iter().any(|d| d.to == ONE.parse::<SocketAddr>().unwrap()),
            "a keepalive now, of shard {busy}'s call"
        );
        world.post(TWO, OUTSIDE, &Msg::response(&second, 486, "far"));
        world.expect(BOB, "486");
        answer_keepalives(&mut world, s(3), &edges);
    }
    assert_eq!(shards.len(), 3, "calls of every shard");
    assert_eq!(world.gauges().trunk_flows_up, 2, "the flow works");
}

#[test]
fn rfc5626_4_2_1_without_outbound_one_flow_stands_alone_and_the_other_takes_over() {
    for refusal in [Some(439), None] {
        let mut world = world(&by_flows(""));
        let mut first = register(&mut world, ONE, s(1));
        if let Some(status) = refusal {
            world.post(ONE, OUTSIDE, &Msg::response(&first, status, "edge"));
            first = register(&mut world, ONE, s(1));
            assert_eq!(field(&first, "Supported"), "path, gruu");
            assert!(
                field(&first, "Contact").ends_with(&format!(";+sip.instance=\"<{INSTANCE}>\"")),
                "{first}"
            );
        }
        let since = world.network.log.len();
        world.post(ONE, OUTSIDE, &granted(&first));
        world.run_for(s(600));
        assert!(is_silent(&world, since), "nobody has said that STUN is taken");
        assert!(world.sent_to(TWO).is_empty(), "it would be another device");
        let gauges = world.gauges();
        assert_eq!((gauges.trunks_registered, gauges.trunk_flows_up), (1, 0));
        call(&mut world, 1);
        let invite = world.expect(ONE, "INVITE");
        assert_eq!(field(&invite, "Contact"), "<sip:10.0.0.1:5060>");
        world.post(ONE, OUTSIDE, &Msg::response(&invite, 486, "far"));
        world.expect(BOB, "486");
        // It answers no refresh: the other one begins, and this one rests.
        let refresh = register(&mut world, ONE, s(3000));
        world.post(ONE, OUTSIDE, &Msg::response(&refresh, 503, "r").with("Retry-After", "2000"));
        let second = register(&mut world, TWO, s(1));
        world.post(TWO, OUTSIDE, &granted(&second));
        world.run_for(s(2500));
        let tries = world.unread(ONE).iter().filter(|text| text.starts_with("REGISTER")).count();
        assert_eq!(tries, 0, "another one stands alone");
        assert_eq!(world.gauges().trunks_registered, 1);
    }
}

#[test]
fn an_edge_without_outbound_beside_one_with_it_is_left_alone() {
    let mut world = world(&by_flows(""));
    let first = register(&mut world, ONE, s(1));
    grant(&mut world, ONE, &first);
    let second = register(&mut world, TWO, s(1));
    world.post(TWO, OUTSIDE, &Msg::response(&second, 439, "edge"));
    world.run_for(s(10));
    assert!(world.unread(TWO).iter().all(|text| !text.starts_with("REGISTER")), "not without outbound");
    // One that does not say so is taken back.
    let mut world = self::world(&by_flows(""));
    let first = register(&mut world, ONE, s(1));
    grant(&mut world, ONE, &first);
    let second = register(&mut world, TWO, s(1));
    world.post(TWO, OUTSIDE, &granted(&second));
    let removal = register(&mut world, TWO, s(1));
    assert_eq!(field(&removal, "Expires"), "0");
    world.post(TWO, OUTSIDE, &Msg::response(&removal, 200, "r"));
    world.run_for(ms(20));
    assert_eq!((world.gauges().trunks_registered, world.gauges().trunk_flows_up), (1, 1));
}

#[test]
fn rfc3261_8_2_2_2_a_call_that_comes_on_both_flows_rings_once() {
    let mut world = two_flows("");
    let invite = |via: &str| {
        Msg::request("INVITE", "sip:provider@10.0.0.1:5060", ONE, 1)
            .set("From", "<sip:x@carrier.example>;tag=one")
            .set("Call-ID", "forked")
            .branch(via)
            .sdp(&audio(ONE, 4000))
    };
    world.post(ONE, OUTSIDE, &invite("by-one"));
    world.expect(BOB, "INVITE");
    world.post(TWO, OUTSIDE, &invite("by-two").set("Via", "SIP/2.0/UDP 10.0.0.8:5060;branch=z9hG4bKby-two"));
    world.expect(TWO, "482");
    world.expect_no(BOB, "INVITE");
    // By itself it is a call of the trunk's too.
    let other =
        invite("other").set("Call-ID", "other").set("Via", "SIP/2.0/UDP 10.0.0.8:5060;branch=z9hG4bKother");
    world.post(TWO, OUTSIDE, &other);
    world.expect(BOB, "INVITE");
}

#[test]
fn a_drain_and_another_configuration_take_each_flow_back() {
    let mut world = two_flows("");
    world.command(Command::Drain(s(60)));
    for (at, number) in [(ONE, 1), (TWO, 2)] {
        let last = register(&mut world, at, s(1));
        assert!(
            field(&last, "Contact")
                .ends_with(&format!(";expires=0;+sip.instance=\"<{INSTANCE}>\";reg-id={number}"))
        );
        world.post(at, OUTSIDE, &Msg::response(&last, 200, "r"));
    }
    world.run_for(ms(20));
    assert_eq!((world.gauges().trunks_registered, world.gauges().sip.kept), (0, 0));
    let mut world = two_flows("");
    let one = by_flows("").replace(", \"sip:10.0.0.8;lr\"", "");
    world.reload(&one, secrets());
    let last = register(&mut world, TWO, s(1));
    assert_eq!(field(&last, "Expires"), "0");
    world.expect_no(ONE, "REGISTER");
    world.post(TWO, OUTSIDE, &Msg::response(&last, 200, "r"));
    world.run_for(ms(20));
    world.reload(&by_flows(""), secrets());
    let again = register(&mut world, TWO, s(1));
    grant(&mut world, TWO, &again);
    assert_eq!(world.gauges().trunk_flows_up, 2);
    world.reload(&document("", "", ""), secrets());
    for at in [ONE, TWO] {
        let last = register(&mut world, at, s(1));
        world.post(at, OUTSIDE, &Msg::response(&last, 200, "r"));
    }
    world.must_forget("flows that were removed");
}

#[test]
fn a_trunk_with_another_name_and_the_same_contact_has_no_removal_come_after_its_register() {
    let document = registering(", contact_user = \"gw\"");
    let mut world = world(&document);
    let first = register(&mut world, ONE, s(1));
    world.post(ONE, OUTSIDE, &granted(&first));
    world.run_for(ms(20));
    world.reload(
        &document.replace("trunks.provider", "trunks.renamed").replace("\"provider\"", "\"renamed\""),
        secrets(),
    );
    let anew = register(&mut world, ONE, s(1));
    assert_eq!(field(&anew, "Expires"), "3600");
    world.post(ONE, OUTSIDE, &granted(&anew));
    world.run_for(s(40));
    assert!(world.sent_to(ONE).iter().all(|text| find(text, "Expires").is_none_or(|seconds| seconds != "0")));
    assert_eq!(world.gauges().trunks_registered, 1);
}

/// The 200 to a REGISTER, from a first hop that says so of keepalives.
fn kept(register: &str, keep: &str) -> Msg {
    let via = field(register, "Via");
    granted(register).set("Via", &via.replace(";keep", keep))
}

// conforms: RFC6223-4.2.2-1,2 RFC6223-4.3-2 RFC5626-8-4
#[test]
fn rfc6223_4_keepalives_are_offered_sent_as_the_first_hop_wants_and_negotiated_with_each_refresh() {
    let mut world = world(&registering(", offer_keepalives = true"));
    let first = register(&mut world, ONE, s(1));
    assert!(field(&first, "Via").contains(";keep;oc"), "{first}");
    world.post(ONE, OUTSIDE, &kept(&first, ";keep=60"));
    let answered = answer_keepalives(&mut world, s(610), &[(ONE, "10.0.0.1:5060")]);
    assert!((10..=12).contains(&answered), "{answered}");
    let refresh = loop {
        answer_keepalives(&mut world, s(10), &[(ONE, "10.0.0.1:5060")]);
        if let Some(at) = world.mail.iter().position(|d| d.text().starts_with("REGISTER")) {
            break world.mail.remove(at).text();
        }
    };
    assert!(field(&refresh, "Via").contains(";keep;oc"), "{refresh}");
    world.post(ONE, OUTSIDE, &kept(&refresh, ";keep"));
    world.run_for(ms(20));
    let since = world.network.log.len();
    world.run_for(s(600));
    assert!(is_silent(&world, since), "it does not want them any more");
    assert_eq!(world.gauges().sip.kept, 0);
}

#[test]
fn keepalives_that_were_not_offered_are_not_sent() {
    let mut world = world(&registering(""));
    let first = register(&mut world, ONE, s(1));
    assert!(!field(&first, "Via").contains("keep"));
    let since = world.network.log.len();
    world.post(ONE, OUTSIDE, &granted(&first));
    world.run_for(s(600));
    assert!(is_silent(&world, since));
}
