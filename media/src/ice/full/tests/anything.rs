//! Whatever comes, at whatever time: no panic, nobody is found who has not proved itself, and nothing grows without end.

use proptest::prelude::*;

use super::super::{Agent, CandidateKind, Event, Via};
use super::{candidate, terms};
use crate::ice::Component;
use crate::stun::{ERROR, REQUEST, SUCCESS, Writer};

/// A message of STUN with attributes that mean anything, or nothing.
fn message() -> impl Strategy<Value = Vec<u8>> {
    let kinds = prop_oneof![Just(SUCCESS), Just(ERROR), Just(REQUEST), any::<u16>()];
    let attribute =
        (prop_oneof![Just(8u16), Just(9), Just(0x20), Just(0x24), Just(6), any::<u16>()], any::<Vec<u8>>());
    (kinds, any::<bool>(), proptest::collection::vec(attribute, 0..5)).prop_map(
        |(kind, whole, attributes)| {
            let mut octets = Vec::new();
            let mut writer = Writer::new(&mut octets, kind, &[7; 12]);
            for (kind, value) in &attributes {
                writer.attribute(*kind, value);
            }
            if whole {
                writer.fingerprint();
            }
            octets
        },
    )
}

proptest! {
    #[test]
    fn nothing_that_comes_makes_a_peer(
        inputs in proptest::collection::vec((prop_oneof![message(), any::<Vec<u8>>()], 0..3u8, 0..2_000u64), 0..40),
        answers in any::<bool>(),
    ) {
        let told = vec![candidate(CandidateKind::Host, Component::Rtp, "192.0.2.1:20000")];
        let mut agent = Agent::new(terms("a", "b", answers, told), &[9; 32], 0);
        agent.local(Component::Rtp, CandidateKind::Host, "10.0.0.1:10000".parse().unwrap());
        agent.begin();
        let mut now = 0;
        for (octets, from, later) in inputs {
            now += later;
            let source = format!("192.0.2.{from}:20000").parse().unwrap();
            agent.handle_timeout(now);
            // The ID of a check of ours, where there is one: what comes then is an answer to it without proof.
            let mut octets = octets;
            if let (Some(sent), Some(id)) = (agent.poll_transmit(), octets.get_mut(8..20)) {
                id.copy_from_slice(&sent.octets[8..20]);
            }
            prop_assert!(!agent.answered((Component::Rtp, Via::Direct), source, &octets, now));
            while agent.poll_transmit().is_some() {}
        }
        let found = std::iter::from_fn(|| agent.poll_event());
        prop_assert!(found.into_iter().all(|event| matches!(event, Event::Progress(_))));
    }
}
