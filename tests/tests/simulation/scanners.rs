//! Who scans gets no answers any more; trunks, calls in being, users and their neighbours go on.

use super::common::{ALICE, BOB, Call, INSIDE, NUMBER, OUTSIDE, TWO_SIDES, World, answer, by_hand, ms, s};
use super::users::{self, DESK, DOCUMENT, REGISTRAR, answered_as, bind, register};
use b2bua::shard::Command;
use liaison_tests::message::{Msg, audio, start};
use sip::driver::Core as _;
use sip::{Flow, ListenerId};
use tokio::sync::oneshot;

/// Nobody's.
const EVE: &str = "10.0.0.9:5060";
/// Refusals that are sent: the one that is as many as the default of `refusals`, 50, is not.
const ANSWERED: u32 = 49;

fn asks(from: &str, n: u32) -> Msg {
    Msg::request("OPTIONS", "sip:10.0.0.1", from, n)
        .set("Call-ID", &format!("sweep-{from}-{n}"))
        .branch(&format!("sweep-{from}-{n}"))
}

/// An OPTIONS sweep that is cut off in the end.
fn sweep(world: &mut World, from: &str) {
    for n in 1..=ANSWERED {
        world.post(from, OUTSIDE, &asks(from, n));
        world.expect(from, "403");
    }
    world.post(from, OUTSIDE, &asks(from, ANSWERED + 1));
}

/// A response comes to nobody, whatever time passes.
fn hears_nothing(world: &mut World, at: &str) {
    let before = world.sent_to(at).len();
    world.run_for(s(40));
    assert_eq!(world.sent_to(at).len(), before, "{:?}", world.sent_to(at));
}

/// Whether who asks for STUN from there is answered.
fn pings(world: &mut World, from: &str) -> bool {
    let flow = Flow { listener: ListenerId(0), peer: from.parse().unwrap(), connection: None };
    let now = world.now;
    world.core.hears_stun(now, &flow)
}

fn lift(world: &mut World, source: &str) -> bool {
    let (answer, mut answered) = oneshot::channel();
    world.command(Command::LiftQuarantine(source.into(), answer));
    answered.try_recv().unwrap()
}

#[test]
fn a_scanner_of_options_gets_no_answer_after_the_threshold_until_its_time_is_over() {
    let mut world = by_hand(TWO_SIDES, 1);
    sweep(&mut world, EVE);
    // Nor does anything else that comes from its address, whether or not it can be read.
    let invite = Msg::request("INVITE", NUMBER, "10.0.0.9:7777", 1).sdp(&audio(EVE, 4000));
    world.post("10.0.0.9:7777", OUTSIDE, &invite);
    world.post_text(
        EVE,
        OUTSIDE,
        "OPTIONS sip:10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.9:5060\r\nCSeq\r\n\r\n",
    );
    hears_nothing(&mut world, EVE);
    hears_nothing(&mut world, "10.0.0.9:7777");
    let counters = world.core.counters();
    assert_eq!((counters.quarantined, counters.refusals_withheld, counters.messages_unheard), (1, 1, 2));
    // STUN, which the driver answers if the core wants that.
    assert!(!pings(&mut world, "10.0.0.9:9999") && pings(&mut world, ALICE));
    assert_eq!(world.core.counters().messages_unheard, 3);
    // A trunk calls meanwhile.
    let call = Call::establish(&mut world);
    call.hang_up(&mut world, 2);
    world.run_for(s(600));
    world.post(EVE, OUTSIDE, &asks(EVE, 100));
    world.expect(EVE, "403");
    world.must_forget("a scanner");
}

#[test]
fn a_quarantine_is_listed_and_lifted() {
    let mut world = by_hand(TWO_SIDES, 2);
    sweep(&mut world, EVE);
    hears_nothing(&mut world, EVE);
    let (answer, mut answered) = oneshot::channel();
    world.command(Command::Quarantine(answer));
    let sources = answered.try_recv().unwrap().sources;
    assert_eq!((sources.len(), &*sources[0].source, sources[0].refusals), (1, "10.0.0.9", ANSWERED + 1));
    assert!(lift(&mut world, "10.0.0.9") && !lift(&mut world, "10.0.0.9"));
    world.post(EVE, OUTSIDE, &asks(EVE, 100));
    world.expect(EVE, "403");
}

#[test]
fn messages_that_cannot_be_read_are_counted_and_a_trunk_is_never_cut_off() {
    for (from, cut) in [(EVE, true), (ALICE, false)] {
        let mut world = by_hand(TWO_SIDES, 3);
        for _ in 0..=ANSWERED {
            world.post_text(from, OUTSIDE, "BREAK sip:10.0.0.1\r\n\r\n");
        }
        world.post(from, OUTSIDE, &asks(from, 1));
        match cut {
            true => hears_nothing(&mut world, from),
            false => assert!(start(&world.expect(from, "")).starts_with("200")),
        }
    }
}

#[test]
fn a_trunk_known_by_an_address_that_may_be_anybodys_is_cut_off_as_strangers_are() {
    for (from, cut) in [("0.0.0.0/0", true), ("0.0.0.0/1", true), ("10.0.0.0/7", true), ("10.0.0.0/8", false)]
    {
        let mut world =
            by_hand(&TWO_SIDES.replace("from = [\"10.0.0.2\"]", &format!("from = [{from:?}]")), 6);
        world.post(ALICE, OUTSIDE, &asks(ALICE, 1));
        assert!(start(&world.expect(ALICE, "")).starts_with("200"), "it is a trunk's all the same");
        for _ in 0..=ANSWERED {
            world.post_text(ALICE, OUTSIDE, "BREAK sip:10.0.0.1\r\n\r\n");
        }
        world.post(ALICE, OUTSIDE, &asks(ALICE, 2));
        match cut {
            true => hears_nothing(&mut world, ALICE),
            false => assert!(start(&world.expect(ALICE, "")).starts_with("200")),
        }
    }
}

#[test]
fn a_call_of_a_stranger_who_scans_goes_on_and_is_hung_up() {
    let routed = TWO_SIDES.replace("[networks.carrier]", "[networks.carrier]\nstrangers = \"route\"");
    let mut world = by_hand(&routed, 4);
    let invite = Msg::request("INVITE", NUMBER, EVE, 1).sdp(&audio(EVE, 4000));
    world.post(EVE, OUTSIDE, &invite);
    let invited = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &answer(&invited));
    let ok = world.expect(EVE, "200");
    world.post(EVE, OUTSIDE, &Msg::inside("ACK", EVE, 1, &ok));
    world.expect(BOB, "ACK");
    for _ in 0..=ANSWERED {
        world.post_text(EVE, OUTSIDE, "BREAK sip:10.0.0.1\r\n\r\n");
    }
    world.post(EVE, OUTSIDE, &asks(EVE, 100));
    hears_nothing(&mut world, EVE);
    world.post(EVE, OUTSIDE, &Msg::inside("BYE", EVE, 2, &ok));
    world.expect(EVE, "200");
    let bye = world.expect(BOB, "BYE");
    world.ok(BOB, INSIDE, &bye);
    world.must_forget("a call of a scanner");
}

#[test]
fn refusals_are_not_repeated_to_who_is_cut_off() {
    let mut world = by_hand(TWO_SIDES, 5);
    for n in 1..=ANSWERED + 1 {
        let invite = Msg::request("INVITE", NUMBER, EVE, n)
            .set("Call-ID", &format!("scan-{n}"))
            .branch(&format!("scan-{n}"))
            .sdp(&audio(EVE, 4000));
        world.post(EVE, OUTSIDE, &invite);
    }
    world.run_for(ms(100));
    // None is acknowledged; each was sent once (RFC 3261 §26.3.2.4), and the last one not at all.
    hears_nothing(&mut world, EVE);
    assert_eq!(world.core.counters().refusals_withheld, 1);
    world.must_forget("INVITEs of a scanner");
}

#[test]
fn a_scanner_beside_users_is_cut_off_alone_and_they_register_and_refresh() {
    let mut world = users::world(DOCUMENT);
    bind(&mut world, "bob", DESK, "");
    for scanner in ["10.0.0.3:6666", "10.0.0.9:6666"] {
        // What nobody answers counts after the grace.
        for n in 1..=60 {
            let probe = register(&format!("user{n}"), scanner, n).branch(&format!("probe-{n}"));
            world.post(scanner, REGISTRAR, &probe);
            world.expect(scanner, "401");
        }
        world.run_for(s(5));
        world.post(scanner, REGISTRAR, &register("bob", scanner, 100).branch("probe-100"));
        hears_nothing(&mut world, scanner);
    }
    // The phone that is registered, and a new one at the same address as the scanner.
    let refresh = register("bob", DESK, 10).set("Contact", &users::contact(DESK, ""));
    assert!(start(&answered_as(&mut world, DESK, &refresh, "bob")).starts_with("200"));
    bind(&mut world, "alice", "10.0.0.3:7777", "");
    world.post("10.0.0.9:7777", REGISTRAR, &register("alice", "10.0.0.9:7777", 1));
    hears_nothing(&mut world, "10.0.0.9:7777");
    let (answer, mut answered) = oneshot::channel();
    world.command(Command::Quarantine(answer));
    let sources = answered.try_recv().unwrap().sources;
    let names: Vec<_> = sources.iter().map(|one| &*one.source).collect();
    assert_eq!(names, ["10.0.0.9", "10.0.0.3:6666"]);
}
