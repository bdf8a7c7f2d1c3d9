//! Several shards behind one address: whichever a message comes to, its call converges and leaves nothing.

use super::common::{ALICE, BOB, INSIDE, NUMBER, OUTSIDE, TWO_SIDES, World, document, ms, s};
use b2bua::shard::{Command, Core};
use b2bua::snapshot::Secrets;
use liaison_tests::ids::Seeded;
use liaison_tests::message::{Msg, audio, field, start};
use liaison_tests::network::{Fate, Weather};
use liaison_tests::peer::{Manner, Peer};
use sip::driver::Core as _;
use sip_types::Fields;
use std::ops::ControlFlow;

fn world(shards: u8, document: &str, peers: Vec<Peer>, weather: Weather, seed: u64) -> World {
    World::sharded(shards, document, Secrets::default(), peers, weather, seed)
}

fn calm() -> Weather {
    Box::new(|_| Fate::Arrives)
}

/// One in five lost, one in five doubled, one in five late.
fn storm(seed: u64) -> Weather {
    let mut chance = Seeded(seed ^ 0x5707);
    Box::new(move |_| match chance.below(100) {
        0..20 => Fate::Lost,
        20..40 => Fate::Doubled,
        40..60 => Fate::Late(ms(chance.below(800))),
        _ => Fate::Arrives,
    })
}

/// How many calls each shard has taken.
fn taken(world: &World) -> Vec<u64> {
    world.cores().map(|core| core.counters().calls).collect()
}

/// Alice calls, changes her media and hangs up.
fn whole_call(shards: u8, weather: Weather, seed: u64) -> World {
    let peers = vec![
        Peer::new(ALICE.parse().unwrap(), Manner::Answers, seed + 1),
        Peer::new(BOB.parse().unwrap(), Manner::Answers, seed + 2),
    ];
    let mut world = world(shards, TWO_SIDES, peers, weather, seed);
    let now = world.now;
    world.peers[0].call(now, NUMBER, OUTSIDE.parse().unwrap(), Fields::default());
    world.run_for(s(3));
    for peer in [0, 1] {
        let now = world.now;
        if world.peers[peer].is_established() {
            world.peers[peer].reinvite(now, true);
        }
        world.run_for(s(3));
    }
    world
}

#[test]
fn calls_in_a_storm_converge_with_any_number_of_shards() {
    let mut homes = [0; 3];
    for shards in [2, 3] {
        for seed in 0..60 {
            let what = format!("{shards} shards, seed {seed}");
            let mut world = whole_call(shards, storm(seed), seed);
            world.run_for(s(110));
            let standing = world.peers[0].is_established();
            assert_eq!(world.peers[1].is_established(), standing, "{what}: the legs differ");
            assert_eq!(world.gauges().calls, usize::from(standing), "{what}");
            if standing {
                let now = world.now;
                world.peers[0].hang_up(now);
            }
            world.run_for(s(75));
            world.must_forget(&what);
            assert!(world.peers.iter().all(Peer::is_free), "{what}");
            let unknown: u64 = world.cores().map(|core| core.sip_counters().unknown_dialogs).sum();
            assert!(standing || unknown < 4, "{what}: {unknown} requests did not find their dialog");
            for (home, calls) in homes.iter_mut().zip(taken(&world)) {
                *home += calls;
            }
        }
    }
    assert!(homes.iter().all(|calls| *calls >= 10), "{homes:?}");
}

#[test]
fn without_loss_every_message_finds_its_own() {
    for seed in 0..20 {
        let mut world = whole_call(3, calm(), seed);
        assert!(world.peers.iter().all(Peer::is_established), "seed {seed}");
        let now = world.now;
        world.peers[1].hang_up(now);
        world.must_forget("a call");
        for core in world.cores() {
            let counters = core.sip_counters();
            let strays = [counters.stray_responses, counters.stray_acks, counters.unknown_dialogs];
            assert_eq!((strays, counters.repeated_requests), ([0; 3], 0), "seed {seed}");
        }
    }
}

/// An INVITE of a call of its own.
fn nth_invite(n: u32) -> Msg {
    Msg::request("INVITE", NUMBER, ALICE, 100 + n).sdp(&audio(ALICE, 4000))
}

#[test]
fn a_cancel_finds_its_invite_and_the_ack_its_failure() {
    let mut world = world(3, TWO_SIDES, Vec::new(), calm(), 5);
    for n in 0..30 {
        let invite = nth_invite(n);
        world.post(ALICE, OUTSIDE, &invite);
        let invited = world.expect(BOB, "INVITE");
        world.post(BOB, INSIDE, &Msg::response(&invited, 180, "bob").contact(BOB));
        world.expect(ALICE, "180");
        world.post(ALICE, OUTSIDE, &Msg::of_invite("CANCEL", &invite));
        assert!(start(&world.expect(ALICE, "200")).contains("200"));
        let refused = world.expect(ALICE, "487");
        world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &invite).set("To", &field(&refused, "To")));
        let cancel = world.expect(BOB, "CANCEL");
        world.ok(BOB, INSIDE, &cancel);
        world.post(BOB, INSIDE, &Msg::response(&invited, 487, "bob"));
        world.expect(BOB, "ACK");
        world.mail.clear();
    }
    world.expect_no(ALICE, "487");
    world.must_forget("calls that were given up");
    assert!(taken(&world).iter().all(|calls| *calls > 0), "{:?}", taken(&world));
}

/// So many INVITEs, none answered; the statuses that came back.
fn ring(world: &mut World, count: u32) -> Vec<String> {
    for n in 0..count {
        world.post(ALICE, OUTSIDE, &nth_invite(n));
    }
    world.run_for(ms(40));
    let finals = |text: &String| text.starts_with("SIP/2.0 5").then(|| start(text).to_owned());
    world.unread(ALICE).iter().filter_map(finals).collect()
}

#[test]
fn limits_are_those_of_all_shards_together() {
    for (more, provider) in [
        ("[limits]\ncalls = 5\n", ""),
        ("", "max_calls = 5"),
        // Each call has two sessions.
        ("[limits]\nsessions = 10\n", ""),
    ] {
        let mut world = world(3, &document(provider, "", more), Vec::new(), calm(), 6);
        assert_eq!(ring(&mut world, 30).len(), 25, "{more}{provider}");
        assert_eq!(world.gauges().calls, 5, "{more}{provider}");
        assert!(world.cores().filter(|core| core.call_count() > 0).count() > 1, "{:?}", taken(&world));
    }
    let mut world = world(3, &document("", "", "[limits]\ntransactions = 20\n"), Vec::new(), calm(), 6);
    assert_eq!(ring(&mut world, 40).len(), 20);
}

#[test]
fn what_a_limit_counted_is_given_back_by_whoever_had_it() {
    let mut world = world(3, &document("max_calls = 2", "", ""), Vec::new(), calm(), 8);
    for round in 0..6 {
        let invites = [nth_invite(2 * round), nth_invite(2 * round + 1)];
        invites.iter().for_each(|invite| world.post(ALICE, OUTSIDE, invite));
        for _ in &invites {
            let invited = world.expect(BOB, "INVITE");
            world.post(BOB, INSIDE, &Msg::response(&invited, 486, "bob"));
        }
        for invite in &invites {
            let refused = world.expect(ALICE, "486");
            world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", invite).set("To", &field(&refused, "To")));
        }
        world.run_for(s(40));
        world.mail.clear();
    }
}

#[test]
fn a_drain_is_over_when_every_shard_has_nothing_left() {
    let mut world = world(3, TWO_SIDES, Vec::new(), calm(), 9);
    ring(&mut world, 6);
    let busy = world.cores().filter(|core| core.call_count() > 0).count();
    assert!(busy > 1);
    let orders = [&[world.commands.clone()], &*world.orders.clone()].concat();
    orders.iter().for_each(|shard| assert!(shard.try_send(Command::Drain(s(20))).is_ok()));
    let now = world.now;
    let over = |core: &mut Core, now| core.handle_wake(now) == ControlFlow::Break(());
    assert_eq!(world.cores_mut().filter_map(|core| over(core, now).then_some(())).count(), 0);
    world.run_for(s(100));
    assert_eq!(world.gauges().calls, 0);
    // Only who asks last knows that all are done; then all do.
    let now = world.now;
    let first: Vec<bool> = world.cores_mut().map(|core| over(core, now)).collect();
    assert_eq!(first, [false, false, true]);
    assert!(world.cores_mut().all(|core| over(core, now)));
}
