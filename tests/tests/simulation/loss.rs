//! Lost, doubled and reordered messages: every call ends established or cleanly failed on both legs, and nothing
//! stays behind.

use super::common::{BOB, NUMBER, OUTSIDE, World, ms, s};
use liaison_tests::ids::Seeded;
use liaison_tests::message::{field, start};
use liaison_tests::network::{Datagram, Fate, Weather};
use liaison_tests::peer::Manner;
use sip_types::{Fields, StatusCode};
use std::ops::Range;

/// What happens in a call.
#[derive(Clone, Copy, Debug)]
pub(super) enum Plot {
    Plain,
    Changes,
    /// Both sides offer a change at once.
    Glare,
    /// A change is given up as it is answered.
    GivenUp,
    Cancelled,
    /// The caller gives up as the called side answers.
    Race,
    Refused,
    /// Both sides hang up at once.
    BothEnd,
}

impl Plot {
    /// Whether the call stands at the end, if all goes well.
    fn stands(self) -> bool {
        matches!(self, Self::Plain | Self::Changes | Self::Glare | Self::GivenUp)
    }
}

pub(super) const PLOTS: [Plot; 8] = [
    Plot::Plain,
    Plot::Changes,
    Plot::Glare,
    Plot::GivenUp,
    Plot::Cancelled,
    Plot::Race,
    Plot::Refused,
    Plot::BothEnd,
];

/// Who plays a plot.
pub(super) fn cast(plot: Plot, weather: Weather, seed: u64) -> World {
    let manner = match plot {
        Plot::Cancelled => Manner::Rings,
        Plot::Refused => Manner::Refuses(StatusCode::BUSY_HERE),
        _ => Manner::Answers,
    };
    World::two_sides(manner, weather, seed)
}

/// Plays a plot until all that was sent has been heard or given up.
pub(super) fn play(plot: Plot, world: &mut World) {
    let now = world.now;
    world.peers[0].call(now, NUMBER, OUTSIDE.parse().unwrap(), Fields::default());
    // The called side answers at 10 ms, which the caller hears 10 ms later.
    world.run_for(if matches!(plot, Plot::Race) { ms(12) } else { s(3) });
    match plot {
        Plot::Plain | Plot::Refused => {}
        Plot::Changes => {
            let media = world.peers[0].media.clone();
            for (peer, media) in [(0, format!("{media}a=sendonly\r\n")), (0, media.clone()), (1, media)] {
                world.peers[peer].media = media;
                let now = world.now;
                world.peers[peer].reinvite(now, true);
                world.run_for(s(3));
            }
        }
        Plot::Glare => {
            let now = world.now;
            world.peers.iter_mut().for_each(|peer| {
                peer.reinvite(now, true);
            });
            world.run_for(s(20));
        }
        Plot::GivenUp => {
            let now = world.now;
            world.peers[0].reinvite(now, true);
            world.run_for(ms(12));
            let now = world.now;
            world.peers[0].give_up(now);
            world.run_for(s(10));
        }
        Plot::Cancelled | Plot::Race => hang_up(world),
        Plot::BothEnd => {
            let now = world.now;
            world.peers.iter_mut().filter(|peer| peer.session.is_some()).for_each(|peer| peer.hang_up(now));
        }
    }
}

fn hang_up(world: &mut World) {
    let now = world.now;
    world.peers[0].hang_up(now);
}

/// Every message that was sent, one a line.
pub(super) fn ladder(world: &World) -> String {
    let start = |d: &Datagram| start(&d.text()).to_owned();
    let lines = world.network.log.iter();
    lines.map(|d| format!("{:?} {} -> {} {}\n", d.at, d.from, d.to, start(d))).collect()
}

/// Both legs agree on whether there is a call.
fn agree(world: &World, what: &str) {
    let [alice, bob] = [&world.peers[0], &world.peers[1]];
    assert_eq!(alice.is_established(), bob.is_established(), "{what}: the legs differ\n{}", ladder(world));
    assert_eq!(world.gauges().calls, usize::from(alice.is_established()), "{what}");
    if !alice.is_established() {
        let left: Vec<_> =
            world.peers.iter().filter(|peer| !peer.is_free()).map(|peer| peer.address).collect();
        assert!(left.is_empty(), "{what}: {left:?} still have a leg\n{}", ladder(world));
    }
}

/// A plot from its beginning to its end, and whether the call was established.
fn whole(plot: Plot, weather: Weather, what: &str) -> (World, bool) {
    let mut world = cast(plot, weather, 7);
    play(plot, &mut world);
    world.run_for(s(40));
    agree(&world, what);
    let established = world.peers[0].is_established();
    if established {
        hang_up(&mut world);
    }
    world.must_forget(what);
    agree(&world, what);
    assert_eq!(world.records.lock().unwrap().len(), 1, "{what}");
    (world, established)
}

/// A plot in which one message meets another fate, for each message in turn.
fn one(plot: Plot, fate: Fate) {
    let (calm, _) = whole(plot, Box::new(|_| Fate::Arrives), "calm");
    let count = u64::try_from(calm.network.log.len()).unwrap();
    assert!(count >= 8, "{plot:?}: {count}");
    for nth in 1..=count {
        let what = format!("{plot:?}, message {nth}: {fate:?}");
        let weather = move |d: &Datagram| if d.nth == nth { fate } else { Fate::Arrives };
        let (_, established) = whole(plot, Box::new(weather), &what);
        assert_eq!(established, plot.stands(), "{what}");
    }
}

#[test]
fn each_message_of_a_call_may_be_lost_once() {
    PLOTS.iter().for_each(|plot| one(*plot, Fate::Lost));
}

#[test]
fn each_message_of_a_call_may_come_twice() {
    PLOTS.iter().for_each(|plot| one(*plot, Fate::Doubled));
}

#[test]
fn each_message_of_a_call_may_be_overtaken() {
    PLOTS.iter().for_each(|plot| one(*plot, Fate::Late(ms(700))));
}

/// One in five lost, one in five doubled, one in five late.
pub fn storm(seed: u64) -> Weather {
    let mut chance = Seeded(seed ^ 0x5707);
    Box::new(move |_| match chance.below(100) {
        0..20 => Fate::Lost,
        20..40 => Fate::Doubled,
        40..60 => Fate::Late(ms(chance.below(800))),
        _ => Fate::Arrives,
    })
}

/// `SIMULATION_SEEDS=0..10000` makes more storms than CI has time for.
fn seeds() -> Range<u64> {
    let Ok(text) = std::env::var("SIMULATION_SEEDS") else { return 0..200 };
    let (first, end) = text.split_once("..").unwrap();
    first.parse().unwrap()..end.parse().unwrap()
}

/// Whether a response of the called side to the INVITE has reached Liaison.
fn bob_was_heard(world: &World) -> bool {
    let bob: std::net::SocketAddr = BOB.parse().unwrap();
    let of_invite = |text: &str| text.starts_with("SIP/2.0") && field(text, "CSeq").ends_with(" INVITE");
    world.network.arrived.iter().any(|d| d.from == bob && of_invite(&d.text()))
}

#[test]
fn rfc3261_14_1_of_two_changes_at_once_both_are_made_after_their_back_off() {
    for seed in 0..40 {
        let what = format!("glare, seed {seed}");
        let mut world = World::two_sides(Manner::Answers, Box::new(|_| Fate::Arrives), seed);
        for peer in &mut world.peers {
            // The RFC sets no limit, and in the way of ours a try of the called side may fail as often as it likes.
            let mut settings = peer.endpoint.settings().clone();
            settings.limits.rounds = u8::MAX;
            peer.endpoint.adopt(settings);
        }
        let now = world.now;
        world.peers[0].call(now, NUMBER, OUTSIDE.parse().unwrap(), Fields::default());
        world.run_for(s(3));
        let now = world.now;
        world.peers.iter_mut().for_each(|peer| assert!(peer.reinvite(now, true), "{what}"));
        world.run_for(s(20));
        let refusals = world.network.log.iter().filter(|d| d.text().starts_with("SIP/2.0 491")).count();
        assert!(refusals > 0, "{what}: there was no glare");
        for peer in &world.peers {
            assert_eq!((peer.reinvited, peer.refused), (1, 0), "{what}\n{}", ladder(&world));
        }
        hang_up(&mut world);
        world.must_forget(&what);
    }
}

#[test]
fn calls_in_a_storm_end_the_same_way_on_both_legs() {
    let mut established = 0;
    let seeds = seeds();
    for seed in seeds.clone() {
        for plot in PLOTS {
            let what = format!("{plot:?}, seed {seed}");
            let mut world = cast(plot, storm(seed), seed);
            play(plot, &mut world);
            // No ACK comes for 64*T1, then no answer to BYE for as long.
            world.run_for(s(110));
            if !bob_was_heard(&world) {
                // Nobody may cancel what has had no provisional response (RFC 3261 §9.1): it gives up by itself.
                let now = world.now;
                world.peers[1].stop_ringing(now);
            }
            agree(&world, &what);
            if world.peers[0].is_established() {
                established += 1;
                hang_up(&mut world);
            }
            world.run_for(s(75));
            world.must_forget(&what);
            agree(&world, &what);
        }
    }
    let most = (seeds.end - seeds.start) * 4;
    assert!(established * 10 > most * 8, "only {established} of {most} calls came about");
}
