//! What two agents find through NATs.

use super::super::{CandidateKind, Event, Progress, Via};
use super::net::{Nat, OPEN, Place, World};
use crate::ice::Component;

fn behind(nat: Nat) -> Place {
    Place { nat: Some(nat), controlling: false, ..OPEN }
}

fn completed(world: &World) {
    for (at, side) in world.sides.iter().enumerate() {
        assert_eq!(side.progress(), Some(Progress::Completed), "{}: {:?}", world.name(at), side.agent);
    }
}

// conforms: RFC8445-6.1.1-1 RFC8445-7.3.1.5-1
#[test]
fn rfc8445_6_without_a_nat_the_hosts_find_one_another() {
    let mut world = World::new(&[OPEN, Place { controlling: false, ..OPEN }], true);
    world.run(3_000);
    completed(&world);
    for component in [Component::Rtp, Component::Rtcp] {
        let (via, to, local, remote) = world.sides[0].selected(component).unwrap();
        assert_eq!((via, local, remote), (Via::Direct, CandidateKind::Host, CandidateKind::Host));
        assert!(to.to_string().starts_with("198.51.100.2:"));
    }
}

// conforms: RFC8445-7.2.5.3.1-1
#[test]
fn rfc8445_7_3_1_3_a_symmetric_nat_makes_a_peer_reflexive_candidate() {
    let mut world = World::new(&[OPEN, behind(Nat::Symmetric)], true);
    world.run(5_000);
    completed(&world);
    let (via, _, _, remote) = world.sides[0].selected(Component::Rtp).unwrap();
    assert_eq!((via, remote), (Via::Direct, CandidateKind::PeerReflexive));
    let (_, _, local, remote) = world.sides[1].selected(Component::Rtp).unwrap();
    assert_eq!((local, remote), (CandidateKind::PeerReflexive, CandidateKind::Host));
}

#[test]
fn two_nats_with_endpoint_independent_mappings_are_crossed() {
    for nats in [[Nat::Full, Nat::Full], [Nat::Restricted, Nat::Restricted], [Nat::Full, Nat::Symmetric]] {
        let left = Place { nat: Some(nats[0]), ..OPEN };
        let mut world = World::new(&[left, behind(nats[1])], false);
        world.run(8_000);
        completed(&world);
        assert_eq!(world.sides[0].selected(Component::Rtp).unwrap().0, Via::Direct, "{nats:?}");
    }
}

#[test]
fn two_symmetric_nats_need_a_relay() {
    let left = Place { nat: Some(Nat::Symmetric), relay: true, ..OPEN };
    let mut world = World::new(&[left, behind(Nat::Symmetric)], true);
    world.run(8_000);
    completed(&world);
    let (via, _, local, _) = world.sides[0].selected(Component::Rtp).unwrap();
    assert_eq!((via, local), (Via::Relayed, CandidateKind::Relayed));
    let (_, to, _, remote) = world.sides[1].selected(Component::Rtcp).unwrap();
    assert_eq!((to.to_string().as_str(), remote), ("203.0.113.1:50001", CandidateKind::Relayed));
}

// conforms: RFC8445-7.2.5.2.3-1
#[test]
fn rfc8863_4_without_a_way_it_fails_once_patience_is_over() {
    let left = Place { nat: Some(Nat::Symmetric), ..OPEN };
    let mut world = World::new(&[left, behind(Nat::Symmetric)], false);
    world.run(39_000);
    assert_eq!(world.sides[0].progress(), None);
    world.run(60_000);
    assert_eq!(world.sides[0].progress(), Some(Progress::Failed));
    let sent = world.sent;
    world.run(60_000);
    assert_eq!(world.sent, sent, "a session that has failed sends nothing");
}

#[test]
fn rfc8489_6_2_1_what_is_lost_is_sent_again() {
    for percent in [10, 25, 40] {
        let left = Place { nat: Some(Nat::Restricted), ..OPEN };
        let mut world = World::new(&[left, behind(Nat::Full)], true);
        world.loss = Some(percent);
        world.run(25_000);
        completed(&world);
    }
}

#[test]
fn rfc8445_2_5_towards_a_lite_agent_we_choose() {
    // We are not told to control, and do so all the same (RFC 8445 §6.1.1).
    let left = Place { nat: Some(Nat::Symmetric), controlling: false, ..OPEN };
    let lite = Place { controlling: false, lite: true, ..OPEN };
    let mut world = World::new(&[left, lite], true);
    world.run(4_000);
    assert_eq!(world.sides[0].progress(), Some(Progress::Completed));
}

// conforms: RFC7675-5.1-2,3,4 RFC8445-11-2
#[test]
fn rfc7675_5_1_consent_is_asked_for_and_ends_after_30_s() {
    let mut world = World::new(&[OPEN, Place { controlling: false, ..OPEN }], true);
    world.run(3_000);
    let before = world.sent;
    world.run(60_000);
    completed(&world);
    // Each side asks for each component every 4 to 6 s, and is answered.
    let asked = (world.sent - before) / 4 / 2;
    assert!((9..=15).contains(&asked), "{asked} in a minute");
    world.cut = true;
    world.run(24_000);
    completed(&world);
    world.run(10_000);
    for side in &world.sides {
        assert_eq!(side.progress(), Some(Progress::Failed));
        assert!(side.events.contains(&Event::Lost(Component::Rtp)));
        assert!(side.events.contains(&Event::Lost(Component::Rtcp)));
    }
}

// conforms: RFC8445-8.1.2-2 RFC8839-4.4.3.1-1 RFC8839-4.4.3.1.1-1,2
#[test]
fn rfc8445_9_a_restart_keeps_the_old_pair_until_the_new_one_stands() {
    let mut world = World::new(&[OPEN, Place { controlling: false, ..OPEN }], false);
    world.run(3_000);
    world.sides.iter_mut().for_each(|side| side.events.clear());
    world.cut = true;
    world.restart("2");
    world.run(10_000);
    assert!(world.sides.iter().all(|side| side.events.is_empty()), "the old pair carries media still");
    world.cut = false;
    world.run(20_000);
    completed(&world);
    assert!(world.sides.iter().all(|side| !side.events.contains(&Event::Lost(Component::Rtp))));
    assert!(world.sides[0].agent.before.is_none());
}

// conforms: RFC7675-5.1-8
#[test]
fn rfc7675_5_1_the_old_pair_is_given_up_where_neither_works() {
    let mut world = World::new(&[OPEN, Place { controlling: false, ..OPEN }], false);
    world.run(3_000);
    world.cut = true;
    world.restart("2");
    world.run(40_000);
    assert!(world.sides.iter().all(|side| side.events.contains(&Event::Lost(Component::Rtp))));
}
