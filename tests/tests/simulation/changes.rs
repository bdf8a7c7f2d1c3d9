//! Fifty changes of either side, crossing, refused and given up: on each leg the rules of RFC 3264 §8 hold at every message, and
//! once they are at rest, both have agreed to the same.
//!
//! `LIAISON_SEEDS` says how many runs there are.

use super::common::{ALICE, BOB, NUMBER, OUTSIDE, World, ms, s};
use liaison_tests::ids::Seeded;
use liaison_tests::message::{field, line, start};
use liaison_tests::network::Fate;
use liaison_tests::peer::{Manner, Peer};
use liaison_tests::whims::{Whims, described, streams};
use sip_types::{Fields, HeaderName};
use std::collections::{HashMap, HashSet};
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicU64, Ordering};

/// Changes that each side asks for.
const CHANGES: usize = 50;

fn seeds() -> u64 {
    std::env::var("LIAISON_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(1_000)
}

/// A call between two telephones with whims; which of them take UPDATE is the seed's.
fn talk(seed: u64, rash: bool) -> World {
    let mut chance = Seeded(seed ^ 0x5eed);
    let weather = Box::new(move |_: &_| Fate::Late(ms(chance.below(30))));
    let mut world = World::two_sides(Manner::Answers, weather, seed);
    for (n, at) in [ALICE, BOB].into_iter().enumerate() {
        let updates = seed >> n & 1 == 0 || seed.is_multiple_of(5);
        let ip = at.split(':').next().unwrap();
        let mut whims = Whims::new(seed * 2 + n as u64, ip, updates);
        whims.rash = rash;
        world.peers[n].whims = Some(Box::new(whims));
    }
    let now = world.now;
    world.peers[0].call_at_whim(now, NUMBER, OUTSIDE.parse().unwrap());
    world.run_for(s(1));
    assert!(world.peers.iter().all(Peer::is_established), "seed {seed}");
    world
}

/// Both change what they like, when they like, and then come to rest.
fn quarrel(world: &mut World, seed: u64) {
    let mut chance = Seeded(seed ^ 0xc4a06e);
    for _ in 0..100 * CHANGES {
        let asked = |peer: &Peer| peer.whims.as_ref().is_some_and(|whims| whims.asked >= CHANGES);
        if world.peers.iter().all(|peer| asked(peer) || !peer.is_established()) {
            break;
        }
        let by = usize::try_from(chance.below(2)).unwrap();
        let now = world.now;
        world.peers[by].change(now);
        let wait = [0, 5, 20, 60, 400, 2_500][usize::try_from(chance.below(6)).unwrap()];
        world.run_for(ms(chance.below(wait + 1)));
        let now = world.now;
        world.peers.iter_mut().for_each(|peer| peer.have_whims(now));
    }
    for peer in &mut world.peers {
        peer.whims.as_mut().unwrap().calm = true;
    }
    // Longer than any exchange may take, with what puts it back.
    for _ in 0..80 {
        world.run_for(s(2));
        let now = world.now;
        world.peers.iter_mut().for_each(|peer| peer.have_whims(now));
    }
}

/// The messages up to one of them, a line each: for whom looks for what went wrong.
fn trace(world: &World, nth: u64) -> String {
    let last = world.network.log.last().map_or(0, |d| d.nth);
    let until = world.network.log.iter().filter(|d| d.nth <= nth && d.nth + 150 > nth.min(last));
    let lines = until.map(|d| {
        let text = d.text();
        let version = described(&text).map(|sdp| line(sdp, 'o').split(' ').nth(2).unwrap().to_owned());
        let what = start(&text).chars().take(30).collect::<String>();
        format!("{:?} {} > {} {what} | {} {version:?}\n", d.at, d.from, d.to, field(&text, "CSeq"))
    });
    lines.collect()
}

/// RFC 3264 §8 on all that was sent to one side; and each answer has a section for each of its offer's (§6).
fn check_leg(world: &World, at: &str, seed: u64) {
    let address: std::net::SocketAddr = at.parse().unwrap();
    let mut seen: Option<String> = None;
    let version = |sdp: &str| line(sdp, 'o').split(' ').nth(2).unwrap().parse::<u64>().unwrap();
    let session = |sdp: &str| line(sdp, 'o').split(' ').nth(1).unwrap().to_owned();
    let rest = |sdp: &str| sdp.lines().filter(|l| !l.starts_with("o=")).collect::<Vec<_>>().join("\n");
    // Offers of the peer's requests, which our responses answer; and how many streams those of ours have, which count once they
    // are taken.
    let mut offers: HashMap<(String, String), String> = HashMap::new();
    let (mut offered, mut agreed) = (HashMap::new(), 0);
    let mut said = HashSet::new();
    for datagram in &world.network.log {
        let text = datagram.text();
        if !said.insert((datagram.to, text.clone())) {
            // It is sent again.
            continue;
        }
        let name = |text: &str| (field(text, "Call-ID"), field(text, "CSeq"));
        let is_response = start(&text).starts_with(|c: char| c.is_ascii_digit());
        if datagram.from == address && is_response && start(&text).starts_with('2') {
            agreed = offered.remove(&name(&text)).unwrap_or(agreed);
        }
        let Some(sdp) = described(&text) else { continue };
        if datagram.from == address && !is_response {
            offers.insert(name(&text), sdp.to_owned());
        }
        if datagram.to != address {
            continue;
        }
        let count = streams(sdp).len();
        assert!(count >= agreed, "seed {seed}, {at}: {agreed} streams\n{text}");
        if is_response {
            agreed = count;
        } else {
            offered.insert(name(&text), count);
        }
        if is_response && let Some(offer) = offers.get(&name(&text)) {
            let (offered, answered) = (streams(offer), streams(sdp));
            assert_eq!(offered.len(), answered.len(), "seed {seed}, {at}\n{offer}\n{text}");
            let revived = offered.iter().zip(&answered).any(|(offer, answer)| !offer.open && answer.open);
            assert!(!revived, "seed {seed}, {at}: what was offered with port 0\n{offer}\n{text}");
        }
        if let Some(before) = seen.filter(|before| before != sdp) {
            assert_eq!(session(sdp), session(&before), "seed {seed}, {at}");
            assert_eq!(
                version(sdp),
                version(&before) + 1,
                "seed {seed}, {at}\n{}",
                trace(world, datagram.nth)
            );
            assert_ne!(
                rest(sdp),
                rest(&before),
                "seed {seed}, {at}: the version says that something changed"
            );
        }
        seen = Some(sdp.to_owned());
    }
}

/// What one has said is what the other was told.
fn check_agreement(world: &World, seed: u64) {
    let [alice, bob] = [0, 1].map(|n| &world.peers[n].whims.as_ref().unwrap().agreed);
    for (said, told) in [(&alice.0, &bob.1), (&bob.0, &alice.1)] {
        let (said, told) = (streams(said), streams(told));
        let open =
            |n: usize, of: &[_]| of.get(n).is_some_and(|stream: &liaison_tests::whims::Stream| stream.open);
        for n in 0..said.len().max(told.len()) {
            assert_eq!(open(n, &said), open(n, &told), "seed {seed}, stream {n}\n{}", trace(world, u64::MAX));
            if open(n, &said) {
                assert_eq!(
                    said[n].direction,
                    told[n].direction,
                    "seed {seed}, stream {n}\n{}",
                    trace(world, u64::MAX)
                );
            }
        }
    }
}

/// Runs each seed, on as many threads as there are cores; the sums of what they count.
fn run(seeds: u64, one: impl Fn(u64) -> [usize; 2] + Sync) -> [usize; 2] {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicU64::new(0);
    let work = || {
        let mut sums = [0, 0];
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds {
                return sums;
            }
            let [first, second] = one(seed);
            sums = [sums[0] + first, sums[1] + second];
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let sums = threads.into_iter().map(|thread| thread.join().unwrap_or_else(|why| resume_unwind(why)));
        sums.fold([0, 0], |[a, b], [c, d]| [a + c, b + d])
    })
}

#[test]
fn rfc3264_8_fifty_changes_of_each_side_that_cross_and_fail_leave_both_with_the_same() {
    let seeds = seeds();
    let [made, glares] = run(seeds, |seed| {
        let mut world = talk(seed, false);
        quarrel(&mut world, seed);
        [ALICE, BOB].into_iter().for_each(|at| check_leg(&world, at, seed));
        assert!(world.peers.iter().all(Peer::is_established), "seed {seed}: nothing of it ends a call");
        check_agreement(&world, seed);
        let whims = world.peers.iter().map(|peer| peer.whims.as_ref().unwrap());
        let made = whims.map(|whims| whims.made).sum::<usize>();
        let glares = world.network.log.iter().filter(|d| start(&d.text()).starts_with("491")).count();
        let now = world.now;
        world.peers[0].hang_up(now);
        world.run_for(s(1));
        world.must_forget(&format!("fifty changes, seed {seed}"));
        [made, glares]
    });
    let seeds = usize::try_from(seeds).unwrap();
    assert!(
        made > CHANGES * seeds / 2 && glares > CHANGES * seeds / 4,
        "{made} changes were made, {glares} collided"
    );
}

#[test]
fn rfc3311_5_3_changes_that_lose_the_dialog_end_the_call_and_leave_nothing() {
    let [ended, _] = run(seeds() / 4, |seed| {
        let mut world = talk(seed, true);
        quarrel(&mut world, seed);
        [ALICE, BOB].into_iter().for_each(|at| check_leg(&world, at, seed));
        let stands = world.peers.iter().all(Peer::is_established);
        if stands {
            check_agreement(&world, seed);
            let now = world.now;
            world.peers[1].hang_up(now);
        }
        world.run_for(s(70));
        assert!(world.peers.iter().all(|peer| peer.ended == 1), "seed {seed}");
        world.must_forget(&format!("lost dialogs, seed {seed}"));
        [usize::from(!stands), 0]
    });
    assert!(ended > 0, "no call was lost");
}

/// The header field that says that UPDATE is taken crosses nothing by itself.
#[test]
fn what_a_telephone_with_whims_says_of_itself() {
    let whims = Whims::new(1, "10.0.0.2", true);
    let fields: Fields = whims.parts(None).fields;
    assert!(fields.first(HeaderName::Allow).is_some());
}
