//! The node dies in the middle of a call and begins anew. Nothing tells it of the call any more: what comes for it gets 481
//! (RFC 3261 §12.2.2), so that whoever still has a leg loses it when it next speaks, and nothing stays behind.

use super::common::{World, s};
use super::loss::{PLOTS, Plot, cast, ladder, play};
use liaison_tests::network::Fate;

/// A plot in which the node dies once `count` datagrams have been sent; whether there were so many, and whether anybody was told
/// that a dialog is gone.
fn dies(plot: Plot, count: usize) -> (bool, bool) {
    let what = format!("{plot:?}, dead after {count}");
    let mut world = cast(plot, Box::new(|_| Fate::Arrives), 7);
    world.dies_after = Some(count);
    play(plot, &mut world);
    // What is repeated ends, and what nobody acknowledges.
    world.run_for(s(110));
    let now = world.now;
    world.peers.iter_mut().for_each(|peer| peer.leave(now));
    world.run_for(s(75));
    forgotten(&mut world, &what);
    (world.dies_after.is_none(), world.network.log.iter().any(|d| d.text().starts_with("SIP/2.0 481")))
}

fn forgotten(world: &mut World, what: &str) {
    world.must_forget(what);
    for peer in &world.peers {
        assert_eq!(
            peer.endpoint.gauges(),
            sip::Gauges::default(),
            "{what}: {}\n{}",
            peer.address,
            ladder(world)
        );
    }
}

#[test]
fn rfc3261_12_2_2_a_node_may_die_after_each_message_of_a_call() {
    for plot in PLOTS {
        let deaths = (1..).map(|count| dies(plot, count)).take_while(|(died, _)| *died);
        let told: Vec<_> = deaths.map(|(_, told)| told).collect();
        let (lives, gone) = (told.len(), told.iter().filter(|told| **told).count());
        assert!(lives >= 8 && gone > 2, "{plot:?}: of {lives} deaths {gone} were heard of");
    }
}
