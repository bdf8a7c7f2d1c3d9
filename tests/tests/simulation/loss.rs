//! Lost, doubled and reordered messages: every call ends established or cleanly failed on both legs, and nothing
//! stays behind.

use super::common::{NUMBER, OUTSIDE, World, ms, s};
use liaison_tests::ids::Seeded;
use liaison_tests::network::{Datagram, Fate, Weather};
use liaison_tests::peer::Manner;
use sip_types::{Fields, StatusCode};

/// What happens in a call.
#[derive(Clone, Copy, Debug)]
enum Plot {
    Plain,
    Changes,
    Cancelled,
    Refused,
}

const PLOTS: [Plot; 4] = [Plot::Plain, Plot::Changes, Plot::Cancelled, Plot::Refused];

/// Plays a plot until all that was sent has been heard or given up.
fn play(plot: Plot, weather: Weather, seed: u64) -> World {
    let manner = match plot {
        Plot::Plain | Plot::Changes => Manner::Answers,
        Plot::Cancelled => Manner::Rings,
        Plot::Refused => Manner::Refuses(StatusCode::BUSY_HERE),
    };
    let mut world = World::two_sides(manner, weather, seed);
    let now = world.now;
    world.peers[0].call(now, NUMBER, OUTSIDE.parse().unwrap(), Fields::default());
    world.run_for(s(3));
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
        Plot::Cancelled => hang_up(&mut world),
    }
    world
}

fn hang_up(world: &mut World) {
    let now = world.now;
    world.peers[0].hang_up(now);
}

/// Both legs agree on whether there is a call.
fn agree(world: &World, what: &str) {
    let [alice, bob] = [&world.peers[0], &world.peers[1]];
    assert_eq!(alice.is_established(), bob.is_established(), "{what}: the legs differ");
    assert_eq!(world.gauges().calls, usize::from(alice.is_established()), "{what}");
    if !alice.is_established() {
        assert_eq!(alice.ended, 1, "{what}: the caller was not told");
        assert_eq!(bob.ended, usize::from(bob.session.is_some()), "{what}: the called side was not told");
    }
}

/// A plot in which one message meets another fate.
fn one(plot: Plot, fate: Fate) {
    let sent = play(plot, Box::new(|_| Fate::Arrives), 7);
    let count = sent.network.log.len();
    assert!(count >= 12, "{plot:?}");
    for nth in 1..=u64::try_from(count).unwrap() {
        let what = format!("{plot:?}, message {nth}: {fate:?}");
        let weather = move |d: &Datagram| if d.nth == nth { fate } else { Fate::Arrives };
        let mut world = play(plot, Box::new(weather), 7);
        world.run_for(s(40));
        agree(&world, &what);
        let answers = matches!(plot, Plot::Plain | Plot::Changes);
        assert_eq!(world.peers[0].is_established(), answers, "{what}");
        if answers {
            hang_up(&mut world);
        }
        world.must_forget(&what);
        agree(&world, &what);
        assert_eq!(world.records.lock().unwrap().len(), 1, "{what}");
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
fn storm(seed: u64) -> Weather {
    let mut chance = Seeded(seed ^ 0x5707);
    Box::new(move |_| match chance.below(100) {
        0..20 => Fate::Lost,
        20..40 => Fate::Doubled,
        40..60 => Fate::Late(ms(chance.below(800))),
        _ => Fate::Arrives,
    })
}

#[test]
fn calls_in_a_storm_end_the_same_way_on_both_legs() {
    let mut established = 0;
    for seed in 0..200 {
        for plot in PLOTS {
            let what = format!("{plot:?}, seed {seed}");
            let mut world = play(plot, storm(seed), seed);
            // No ACK comes for 64*T1, then no answer to BYE for as long.
            world.run_for(s(110));
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
    assert!(established > 300, "only {established} of 400 calls came about");
}
