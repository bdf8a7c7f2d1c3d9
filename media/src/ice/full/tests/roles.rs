//! Who controls, where both think so or neither does (RFC 8445 §7.2.5.1, §7.3.1.1), and what is bounded.

use super::super::{Agent, Asked, Candidate, CandidateKind, Progress, Via};
use super::net::{OPEN, Place, World};
use super::{candidate, terms};
use crate::ice::Component;

// conforms: RFC8445-7.2.5.1-1,2,3
#[test]
fn rfc8445_7_3_1_1_both_control_or_neither_does() {
    for controlling in [true, false] {
        let place = || Place { controlling, ..OPEN };
        let mut world = World::new(&[place(), place()], true);
        world.run(5_000);
        let controllers = world.sides.iter().filter(|side| side.agent.controlling).count();
        assert_eq!(controllers, 1);
        let refused: usize = world.sides.iter().map(|side| side.refused).sum();
        assert!(refused <= 4, "one change of role is enough: {refused}");
        for side in &world.sides {
            assert_eq!(side.progress(), Some(Progress::Completed));
        }
    }
}

#[test]
fn rfc8445_7_3_1_1_the_greater_tie_breaker_controls() {
    let mut agent = Agent::new(terms("a", "b", true, Vec::new()), &[1; 32], 0);
    let tie = agent.tie;
    assert!(agent.is_in_conflict(Some((true, tie - 1))), "ours is greater: the peer is refused");
    assert!(agent.controlling);
    assert!(agent.is_in_conflict(Some((true, tie))));
    assert!(!agent.is_in_conflict(Some((true, tie + 1))), "we yield");
    assert!(!agent.controlling);
    assert!(!agent.is_in_conflict(Some((true, 0))), "no conflict");
    assert!(agent.is_in_conflict(Some((false, tie + 1))), "both are controlled, and the peer shall control");
    assert!(!agent.is_in_conflict(Some((false, tie - 1))));
    assert!(agent.controlling);
}

// conforms: RFC8445-6.1.2.5-1
#[test]
fn candidates_and_pairs_are_bounded() {
    let mut agent = Agent::new(terms("a", "b", true, Vec::new()), &[1; 32], 0);
    agent.local(Component::Rtp, CandidateKind::Host, "10.0.0.1:10000".parse().unwrap());
    agent.begin();
    for port in 1..=2_000u16 {
        agent.trickled(candidate(CandidateKind::Host, Component::Rtp, &format!("192.0.2.1:{port}")));
        let source = format!("192.0.2.2:{port}").parse().unwrap();
        let (component, via) = (Component::Rtp, Via::Direct);
        agent.asked(&Asked { component, via, source, priority: 1, nominates: true, role: None }, 0);
    }
    assert_eq!(agent.pairs.remotes.len(), 32);
    assert!(agent.pairs.pairs.len() <= 100);
    for millis in 0..60_000 {
        agent.handle_timeout(millis);
        while agent.poll_transmit().is_some() {}
        assert!(agent.checks.len() <= 100);
    }
}

#[test]
fn addresses_that_nobody_is_at_are_no_candidates() {
    let told = ["0.0.0.0:9", "192.0.2.1:0", "224.0.0.1:5000", "[2001:db8::1]:5000"];
    let told = told.map(|address| candidate(CandidateKind::Host, Component::Rtp, address));
    let mut agent = Agent::new(terms("a", "b", true, told.to_vec()), &[1; 32], 0);
    agent.local(Component::Rtp, CandidateKind::Host, "10.0.0.1:10000".parse().unwrap());
    agent.begin();
    assert!(agent.pairs.pairs.is_empty(), "none of the family of our port");
    assert_eq!(agent.pairs.remotes.len(), 1);
}

// conforms: RFC8445-14.2-3
#[test]
fn rfc8445_6_1_4_2_one_check_is_begun_every_50_ms() {
    let told = (1..=20u16).map(|number| Candidate {
        foundation: number.to_string().into(),
        ..candidate(CandidateKind::Host, Component::Rtp, &format!("192.0.2.{number}:5"))
    });
    let mut agent = Agent::new(terms("a", "b", true, told.collect()), &[1; 32], 0);
    agent.local(Component::Rtp, CandidateKind::Host, "10.0.0.1:10000".parse().unwrap());
    agent.begin();
    let mut sent = 0;
    for millis in 0..400 {
        agent.handle_timeout(millis);
        while agent.poll_transmit().is_some() {
            sent += 1;
        }
    }
    assert_eq!(sent, 8);
}
