//! One check and its answer at a time, the peer's written by the test.

use std::net::SocketAddr;

use super::super::{Agent, Asked, Candidate, CandidateKind, Datagram, Event, Via, priority};
use super::{candidate, credentials, terms};
use crate::ice::Component;
use crate::ice::full::pairs::State;
use crate::stun::{
    self, Attributes, ERROR, FINGERPRINT, ICE_CONTROLLED, ICE_CONTROLLING, MESSAGE_INTEGRITY, PRIORITY,
    SUCCESS, USE_CANDIDATE, USERNAME, Writer, XOR_MAPPED_ADDRESS, header, is_whole,
};

const OURS: &str = "10.0.0.1:10000";
const THEIRS: &str = "192.0.2.1:20000";

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn agent(controlling: bool, candidates: Vec<Candidate>) -> Agent {
    let mut agent = Agent::new(terms("a", "b", controlling, candidates), &[9; 32], 0);
    agent.local(Component::Rtp, CandidateKind::Host, at(OURS));
    agent.begin();
    agent
}

fn host() -> Vec<Candidate> {
    vec![candidate(CandidateKind::Host, Component::Rtp, THEIRS)]
}

fn sent(agent: &mut Agent, now: u64) -> Vec<Datagram> {
    agent.handle_timeout(now);
    std::iter::from_fn(|| agent.poll_transmit()).collect()
}

fn kinds(datagram: &Datagram) -> Vec<u16> {
    Attributes::of(&datagram.octets).map(|attribute| attribute.unwrap().0).collect()
}

fn value(datagram: &Datagram, wanted: u16) -> Vec<u8> {
    let mut all = Attributes::of(&datagram.octets).map(Result::unwrap);
    all.find(|(kind, ..)| *kind == wanted).unwrap().1.to_vec()
}

/// The peer's answer; with a code it is an error.
fn answer(to: &Datagram, code: Option<u16>, password: &str) -> Vec<u8> {
    let mut octets = Vec::new();
    let id = header(&to.octets).unwrap().1;
    let mut writer = Writer::new(&mut octets, if code.is_some() { ERROR } else { SUCCESS }, id);
    match code {
        Some(code) => drop(writer.error(code, "")),
        None => drop(writer.address(XOR_MAPPED_ADDRESS, at(OURS))),
    }
    writer.integrity(&stun::key(password)).fingerprint();
    octets
}

fn right() -> String {
    credentials("b").password.into()
}

// conforms: RFC8445-7.1.1-1 RFC8445-7.1.2-2 RFC8445-7.1.3-1,2 RFC8445-7.2.2-1 RFC8445-7.2.4-2 RFC8445-16.1-1,2
#[test]
fn rfc8445_7_1_what_a_check_says() {
    for controlling in [true, false] {
        let told = vec![
            host().remove(0),
            Candidate {
                foundation: "9".into(),
                ..candidate(CandidateKind::Host, Component::Rtp, "192.0.2.9:5")
            },
        ];
        let mut agent = agent(controlling, told);
        let mut checks = sent(&mut agent, 0);
        checks.extend(sent(&mut agent, 50));
        assert_eq!(checks.len(), 2);
        let role = if controlling { ICE_CONTROLLING } else { ICE_CONTROLLED };
        for check in &checks {
            assert_eq!(kinds(check), [USERNAME, PRIORITY, role, MESSAGE_INTEGRITY, FINGERPRINT]);
            assert!(is_whole(&check.octets));
            assert_eq!(value(check, USERNAME), b"bfragment:afragment");
            let would_be = priority(CandidateKind::PeerReflexive, Component::Rtp);
            assert_eq!(value(check, PRIORITY), would_be.to_be_bytes());
            assert_eq!(value(check, role), value(&checks[0], role), "one tie-breaker for all");
        }
        assert_ne!(header(&checks[0].octets), header(&checks[1].octets));
    }
}

// conforms: RFC8445-7.1.2-1 RFC8445-8.1.1-2,3 RFC8839-4.3.4-4
#[test]
fn rfc8445_8_1_1_one_pair_is_nominated_by_a_check_of_its_own_and_no_other() {
    let told =
        vec![host().remove(0), candidate(CandidateKind::ServerReflexive, Component::Rtp, "192.0.2.9:5")];
    let mut agent = agent(true, told);
    let first = sent(&mut agent, 0).remove(0);
    assert!(agent.answered((Component::Rtp, Via::Direct), first.to, &answer(&first, None, &right()), 10));
    // No better pair is left to be waited for.
    let checks: Vec<_> = (10..400).flat_map(|now| sent(&mut agent, now)).collect();
    let nominating: Vec<_> = checks.iter().filter(|check| kinds(check).contains(&USE_CANDIDATE)).collect();
    assert_eq!(nominating.len(), 1);
    assert_eq!(nominating[0].to, first.to);
    agent.answered((Component::Rtp, Via::Direct), first.to, &answer(nominating[0], None, &right()), 400);
    // Another one works, too, and even better were it: it changes nothing.
    if let Some(other) = checks.iter().find(|check| check.to != first.to) {
        agent.answered((Component::Rtp, Via::Direct), other.to, &answer(other, None, &right()), 410);
    }
    let later: Vec<_> = (410..3_000).flat_map(|now| sent(&mut agent, now)).collect();
    assert!(later.iter().all(|check| !kinds(check).contains(&USE_CANDIDATE)));
    let selected: Vec<_> = std::iter::from_fn(|| agent.poll_event())
        .filter_map(|event| match event {
            Event::Selected(_, _, to, _) => Some(to),
            _ => None,
        })
        .collect();
    assert_eq!(selected, [at(THEIRS)]);
}

// conforms: RFC8445-8.1.2-1
#[test]
fn rfc8445_8_1_2_what_was_not_begun_when_a_pair_is_nominated_never_is() {
    let told = (0..9u16).map(|number| Candidate {
        foundation: number.to_string().into(),
        ..candidate(CandidateKind::Host, Component::Rtp, &format!("192.0.2.{}:20000", number + 1))
    });
    let mut agent = agent(false, told.collect());
    let first = sent(&mut agent, 0).remove(0);
    agent.asked(
        &Asked {
            component: Component::Rtp,
            via: Via::Direct,
            source: first.to,
            priority: 1,
            nominates: true,
            role: None,
        },
        1,
    );
    agent.answered((Component::Rtp, Via::Direct), first.to, &answer(&first, None, &right()), 2);
    let others = (2..500).flat_map(|now| sent(&mut agent, now)).filter(|check| check.to != first.to);
    assert_eq!(others.count(), 0);
}

// conforms: RFC8445-7.2.5.2.1-1,2,3
#[test]
fn rfc8445_7_2_5_2_1_an_answer_from_elsewhere_fails_the_pair() {
    let mut agent = agent(true, host());
    let check = sent(&mut agent, 0).remove(0);
    let elsewhere = at("192.0.2.66:20000");
    assert!(agent.answered((Component::Rtp, Via::Direct), elsewhere, &answer(&check, None, &right()), 10));
    assert_eq!(agent.pairs.pairs[0].state, State::Failed);
    assert!(agent.poll_event().is_none());
}

#[test]
fn an_answer_without_the_peers_proof_is_none() {
    let mut agent = agent(true, host());
    let check = sent(&mut agent, 0).remove(0);
    for (code, password) in
        [(None, "a guess of 22 letters.."), (Some(487), "a guess of 22 letters.."), (Some(400), "x")]
    {
        let forged = answer(&check, code, password);
        assert!(!agent.answered((Component::Rtp, Via::Direct), check.to, &forged, 10));
    }
    assert_eq!(agent.pairs.pairs[0].state, State::InProgress);
    assert!(agent.controlling);
}

// conforms: RFC8445-7.2.5.1-4
#[test]
fn rfc8445_7_2_5_1_who_is_told_of_a_conflict_changes_its_role_and_its_tie_breaker_and_asks_again() {
    let mut agent = agent(true, host());
    let check = sent(&mut agent, 0).remove(0);
    let tie = value(&check, ICE_CONTROLLING);
    agent.answered((Component::Rtp, Via::Direct), check.to, &answer(&check, Some(487), &right()), 60);
    let again = sent(&mut agent, 60).remove(0);
    assert_ne!(value(&again, ICE_CONTROLLED), tie);
    // Another code fails the pair.
    agent.answered((Component::Rtp, Via::Direct), check.to, &answer(&again, Some(400), &right()), 70);
    assert_eq!(agent.pairs.pairs[0].state, State::Failed);
}

// conforms: RFC8445-7.3.1.4-1,2
#[test]
fn rfc8445_7_3_1_4_a_check_of_the_peers_brings_ours_forward() {
    let mut agent = agent(false, host());
    let asked = Asked {
        component: Component::Rtp,
        via: Via::Direct,
        source: at(THEIRS),
        priority: 1,
        nominates: true,
        role: Some((true, 1)),
    };
    let first = sent(&mut agent, 0).remove(0);
    agent.asked(&asked, 60);
    assert_eq!(agent.pairs.pairs[0].state, State::Waiting);
    let second = sent(&mut agent, 60).remove(0);
    assert_ne!(header(&first.octets), header(&second.octets), "a new transaction");
    agent.failed(0);
    agent.asked(&asked, 200);
    let third = sent(&mut agent, 200).remove(0);
    assert_eq!(third.to, at(THEIRS));
    agent.answered((Component::Rtp, Via::Direct), third.to, &answer(&third, None, &right()), 210);
    assert!(agent.paths[0].nominated, "it was chosen before it worked");
}

// conforms: RFC8445-6.1.2.4-1
#[test]
fn rfc8445_6_1_2_4_a_reflexive_candidate_makes_no_pair_of_its_own() {
    let mut agent = Agent::new(terms("a", "b", true, host()), &[9; 32], 0);
    agent.local(Component::Rtp, CandidateKind::Host, at(OURS));
    agent.local(Component::Rtp, CandidateKind::ServerReflexive, at("203.0.113.5:7000"));
    agent.begin();
    assert_eq!(agent.pairs.pairs.len(), 1);
}

// conforms: RFC8445-14.3-1
#[test]
fn rfc8445_14_3_a_check_is_repeated_after_500_ms_at_the_least_and_seven_times_in_all() {
    let mut agent = agent(true, host());
    let at: Vec<u64> =
        (0..60_000).flat_map(|now| sent(&mut agent, now).into_iter().map(move |_| now)).collect();
    assert_eq!(at, [0, 500, 1_500, 3_500, 7_500, 15_500, 31_500]);
}

// conforms: RFC8445-7.2.5.3.3-1
#[test]
fn rfc8445_7_2_5_3_3_what_is_like_a_pair_that_works_is_checked_next() {
    let mut given = terms("a", "b", true, Vec::new());
    given.two = true;
    given.candidates = vec![
        candidate(CandidateKind::Host, Component::Rtp, THEIRS),
        candidate(CandidateKind::Host, Component::Rtcp, "192.0.2.1:20001"),
    ];
    let mut agent = Agent::new(given, &[9; 32], 0);
    agent.local(Component::Rtp, CandidateKind::Host, at(OURS));
    agent.local(Component::Rtcp, CandidateKind::Host, at("10.0.0.1:10001"));
    agent.begin();
    let first = sent(&mut agent, 0).remove(0);
    assert_eq!(agent.pairs.pairs[1].state, State::Frozen);
    agent.answered((Component::Rtp, Via::Direct), first.to, &answer(&first, None, &right()), 10);
    assert_eq!(agent.pairs.pairs[1].state, State::Waiting);
}

// conforms: RFC7675-5.1-1,5,6,10,11
#[test]
fn rfc7675_5_1_each_request_for_consent_is_new_and_none_counts_once_it_is_over() {
    let mut agent = agent(true, host());
    let first = sent(&mut agent, 0).remove(0);
    let from = (Component::Rtp, Via::Direct);
    assert!(agent.selected(Component::Rtp).is_none(), "nothing is sent before somebody has answered");
    agent.answered(from, first.to, &answer(&first, None, &right()), 10);
    let nominating = sent(&mut agent, 60).remove(0);
    agent.answered(from, first.to, &answer(&nominating, None, &right()), 70);
    let asked: Vec<_> = (70..30_070).flat_map(|now| sent(&mut agent, now)).collect();
    let ids: std::collections::BTreeSet<_> =
        asked.iter().map(|check| *header(&check.octets).unwrap().1).collect();
    assert!((5..=7).contains(&asked.len()) && ids.len() == asked.len(), "{}", asked.len());
    agent.handle_timeout(30_100);
    assert!(agent.selected(Component::Rtp).is_none());
    let late = answer(asked.last().unwrap(), None, &right());
    agent.answered(from, first.to, &late, 30_200);
    assert!(agent.selected(Component::Rtp).is_none(), "only a restart gets it back");
    assert!(sent(&mut agent, 90_000).is_empty());
}
