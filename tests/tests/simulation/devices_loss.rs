//! Lost, doubled and late messages while several devices ring: one call or none, and nothing stays behind.

use super::common::{World, ms, s};
use super::users::{ALICE, DESK, DOCUMENT, MOBILE, REGISTRAR, TABLET, bind};
use liaison_tests::ids::Seeded;
use liaison_tests::network::{Fate, Network};
use liaison_tests::peer::{Manner, Peer};
use sip_types::{Fields, StatusCode};

/// Bob's three devices behave so; Alice calls in a storm, and gives up after a while or hangs up at the end.
fn storm(manners: [Manner; 3], sequence: bool, gives_up: Option<u64>, seed: u64) -> World {
    let ring = if sequence { "ring = \"sequence\"\nring_turn = \"3s\"\n" } else { "" };
    let document = DOCUMENT
        .replace("domains", &format!("{ring}domains"))
        .replace("media =", "strangers = \"route\"\nmedia =");
    let mut world = super::users::world(&document);
    let devices = [DESK, MOBILE, TABLET];
    devices.iter().for_each(|device| drop(bind(&mut world, "bob", device, ";expires=7200")));
    let mut chance = Seeded(seed ^ 0x5707);
    let weather = move |_: &_| match chance.below(100) {
        0..20 => Fate::Lost,
        20..40 => Fate::Doubled,
        40..60 => Fate::Late(ms(chance.below(800))),
        _ => Fate::Arrives,
    };
    world.network = Network::new(ms(5), Box::new(weather));
    world.mail.clear();
    world.peers.push(Peer::new(ALICE.parse().unwrap(), Manner::Answers, seed + 1));
    for (nth, (device, manner)) in (2..).zip(devices.iter().zip(manners)) {
        world.peers.push(Peer::new(device.parse().unwrap(), manner, seed + nth));
    }
    let now = world.now;
    world.peers[0].call(now, "sip:bob@example.com", REGISTRAR.parse().unwrap(), Fields::default());
    world.run_for(gives_up.map_or(s(60), ms));
    let now = world.now;
    world.peers[0].hang_up(now);
    world.run_for(s(110));
    world
}

fn whole(what: &str, manners: [Manner; 3], sequence: bool, gives_up: Option<u64>, seed: u64) {
    let what = format!("{what}, seed {seed}");
    let mut world = storm(manners, sequence, gives_up, seed);
    // Devices that answered while nothing of Liaison reached them give up by themselves: it has all been told by now.
    world.must_forget(&what);
    // A caller none of whose INVITEs arrived, for which there is no call, leaves no record.
    let records = world.records.lock().unwrap();
    assert!(records.len() <= 1, "{what}");
    for record in records.iter() {
        let joined = record.legs.iter().skip(1).filter(|leg| !leg.streams.is_empty()).count();
        assert!(record.answered.is_none() || joined <= 1, "{what}: {joined} legs with media at the end");
    }
}

#[test]
fn devices_answer_at_once_in_a_storm() {
    for seed in 0..100 {
        let manners = || [Manner::Answers, Manner::Answers, Manner::Rings];
        whole("two answer", manners(), false, None, seed);
        whole("two answer, the caller gives up", manners(), false, Some(10 + seed), seed);
    }
}

#[test]
fn devices_refuse_and_answer_in_a_storm() {
    for seed in 0..100 {
        let busy = || Manner::Refuses(StatusCode::BUSY_HERE);
        whole("one answers", [busy(), Manner::Answers, busy()], false, None, seed);
        whole(
            "declined",
            [Manner::Refuses(StatusCode::DECLINE), Manner::Rings, Manner::Answers],
            false,
            None,
            seed,
        );
        whole("in turn", [Manner::Rings, busy(), Manner::Rings], true, None, seed);
    }
}
