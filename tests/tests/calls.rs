//! Calls through the whole core, under virtual time.

use liaison_tests::network::Fate;
use liaison_tests::peer::Manner;
use liaison_tests::world::{OUTSIDE, World};
use sip_types::{Fields, StatusCode};
use std::time::Duration;

#[test]
fn a_call_is_established_and_ended() {
    let mut world = World::two_sides(Manner::Answers, Box::new(|_| Fate::Arrives), 1);
    let now = world.now;
    world.peers[0].call(now, "sip:+4930@10.0.0.1", OUTSIDE.parse().unwrap(), Fields::default());
    world.run_for(Duration::from_secs(1));
    for d in &world.network.log {
        println!("{} -> {}\n{}", d.from, d.to, d.text());
    }
    assert!(world.peers.iter().all(|peer| peer.is_established()));
    assert_eq!(world.gauges().calls, 1);
    let now = world.now;
    world.peers[0].hang_up(now);
    world.run_for(Duration::from_secs(1));
    assert!(world.peers.iter().all(|peer| peer.ended == 1));
    assert_eq!(world.gauges().calls, 0);
    assert_eq!(world.records.lock().unwrap().len(), 1);
    world.run_for(Duration::from_secs(40));
    assert_eq!(world.gauges().sip, sip::Gauges::default());
}

#[test]
fn a_refusal_crosses() {
    let mut world = World::two_sides(Manner::Refuses(StatusCode::BUSY_HERE), Box::new(|_| Fate::Arrives), 2);
    let now = world.now;
    world.peers[0].call(now, "sip:+4930@10.0.0.1", OUTSIDE.parse().unwrap(), Fields::default());
    world.run_for(Duration::from_secs(1));
    let text: String = world.network.log.iter().map(|d| d.text()).collect();
    assert!(text.contains("SIP/2.0 486"));
    assert_eq!(world.gauges().calls, 0);
}
