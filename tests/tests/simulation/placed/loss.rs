//! A placed call in which messages are lost, doubled and late: both legs agree on its end, and nothing stays behind.

use super::super::common::{World, ms, s};
use super::super::loss::{ladder, storm};
use super::{end, order, place};
use liaison_tests::network::{Datagram, Fate, Weather};
use liaison_tests::peer::Manner;
use sip_types::StatusCode;

/// How the one who is rung then behaves, and who ends the call.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Plot {
    FirstEnds,
    ThenEnds,
    OperatorEnds,
    Refused,
    GivenUp,
}

const PLOTS: [Plot; 5] = [Plot::FirstEnds, Plot::ThenEnds, Plot::OperatorEnds, Plot::Refused, Plot::GivenUp];

/// Plays it, and whether both talked.
fn whole(plot: Plot, weather: Weather, seed: u64, what: &str) -> (World, bool) {
    let manner = match plot {
        Plot::Refused => Manner::Refuses(StatusCode::BUSY_HERE),
        Plot::GivenUp => Manner::Rings,
        _ => Manner::Answers,
    };
    let mut world = World::two_sides(manner, weather, seed);
    let call = place(&mut world, order());
    world.run_for(s(40));
    let both = [0, 1].map(|n| world.peers[n].is_established());
    assert_eq!(
        both[0],
        both[1] || plot == Plot::GivenUp && world.gauges().calls == 1,
        "{what}\n{}",
        ladder(&world)
    );
    let talked = both == [true, true];
    assert_eq!(world.gauges().calls, usize::from(both[0]), "{what}\n{}", ladder(&world));
    let now = world.now;
    match plot {
        _ if !both[0] => {}
        Plot::FirstEnds => world.peers[0].hang_up(now),
        Plot::ThenEnds => world.peers[1].hang_up(now),
        Plot::OperatorEnds | Plot::Refused | Plot::GivenUp => end(&mut world, &call),
    }
    world.run_for(s(75));
    let now = world.now;
    // Nobody may cancel what has had no provisional response (RFC 3261 §9.1): it gives up by itself.
    world.peers[1].stop_ringing(now);
    world.must_forget(what);
    for peer in &world.peers {
        assert!(peer.is_free(), "{what}: {} still has a leg\n{}", peer.address, ladder(&world));
    }
    assert_eq!(world.records.lock().unwrap().len(), 1, "{what}");
    (world, talked)
}

fn one(plot: Plot, fate: Fate) {
    let (calm, talked) = whole(plot, Box::new(|_| Fate::Arrives), 7, "calm");
    assert_eq!(talked, !matches!(plot, Plot::Refused | Plot::GivenUp));
    let count = u64::try_from(calm.network.log.len()).unwrap();
    assert!(count >= 10, "{plot:?}: {count}");
    for nth in 1..=count {
        let what = format!("{plot:?}, message {nth}: {fate:?}");
        let weather = move |d: &Datagram| if d.nth == nth { fate } else { Fate::Arrives };
        let (_, as_well) = whole(plot, Box::new(weather), 7, &what);
        assert_eq!(as_well, talked, "{what}");
    }
}

#[test]
fn each_message_of_a_placed_call_may_be_lost_once() {
    PLOTS.iter().for_each(|plot| one(*plot, Fate::Lost));
}

#[test]
fn each_message_of_a_placed_call_may_come_twice() {
    PLOTS.iter().for_each(|plot| one(*plot, Fate::Doubled));
}

#[test]
fn each_message_of_a_placed_call_may_be_overtaken() {
    PLOTS.iter().for_each(|plot| one(*plot, Fate::Late(ms(700))));
}

#[test]
fn placed_calls_in_a_storm_leave_nothing_behind() {
    let mut talked = 0;
    for seed in 0..60 {
        for plot in [Plot::FirstEnds, Plot::ThenEnds, Plot::OperatorEnds] {
            let what = format!("{plot:?}, seed {seed}");
            let mut world = World::two_sides(Manner::Answers, storm(seed), seed);
            let call = place(&mut world, order());
            world.run_for(s(110));
            talked += u32::from(world.peers.iter().all(|peer| peer.is_established()));
            if world.gauges().calls > 0 {
                end(&mut world, &call);
            }
            world.run_for(s(75));
            let now = world.now;
            world.peers.iter_mut().for_each(|peer| peer.leave(now));
            world.run_for(s(75));
            world.must_forget(&what);
        }
    }
    assert!(talked > 120, "only {talked} of 180 calls came about");
}
