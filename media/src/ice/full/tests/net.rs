//! A network with NATs and relays.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;

use super::super::{Agent, Asked, Candidate, CandidateKind, Datagram, Event, Progress, Terms, Via};
use super::{candidate, credentials};
use crate::ice::{Component, Heard, Responder};

/// How a NAT maps and filters (RFC 4787 §4.1, §5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nat {
    /// Endpoint-independent mapping and filtering.
    Full,
    /// Endpoint-independent mapping, address- and port-dependent filtering.
    Restricted,
    /// Address- and port-dependent mapping and filtering.
    Symmetric,
}

#[derive(Debug, Default)]
pub(super) struct Box_ {
    mappings: BTreeMap<(SocketAddr, Option<SocketAddr>), SocketAddr>,
    open: BTreeSet<(SocketAddr, SocketAddr)>,
    next: u16,
}

/// One side.
pub(super) struct Side {
    pub(super) agent: Agent,
    name: &'static str,
    responder: Responder,
    hosts: Vec<(Component, SocketAddr)>,
    relayed: Vec<(Component, SocketAddr)>,
    nat: Option<Nat>,
    nats: Box_,
    public: String,
    pub(super) events: Vec<Event>,
    pub(super) refused: usize,
}

impl Side {
    pub(super) fn progress(&self) -> Option<Progress> {
        self.events.iter().rev().find_map(|event| match event {
            Event::Progress(progress) => Some(*progress),
            _ => None,
        })
    }

    pub(super) fn selected(&self, of: Component) -> Option<(Via, SocketAddr, CandidateKind, CandidateKind)> {
        self.events.iter().rev().find_map(|event| match event {
            Event::Selected(component, via, to, (local, remote)) if *component == of => {
                Some((*via, *to, *local, *remote))
            }
            _ => None,
        })
    }
}

pub(super) struct World {
    pub(super) now: u64,
    pub(super) sides: [Side; 2],
    wire: VecDeque<(u64, SocketAddr, SocketAddr, Vec<u8>)>,
    /// So many of a hundred datagrams are lost.
    pub(super) loss: Option<u64>,
    pub(super) cut: bool,
    pub(super) sent: u64,
}

/// Who is behind what.
pub(super) struct Place {
    pub(super) nat: Option<Nat>,
    pub(super) relay: bool,
    pub(super) controlling: bool,
    pub(super) lite: bool,
}

pub(super) const OPEN: Place = Place { nat: None, relay: false, controlling: true, lite: false };

fn host(side: usize, component: Component, nat: bool) -> SocketAddr {
    let port = if component == Component::Rtp { 10_000 } else { 10_001 };
    let text = if nat { format!("10.{side}.0.2:{port}") } else { format!("198.51.100.{}:{port}", side + 1) };
    text.parse().unwrap()
}

/// The candidates that a side tells the other one.
fn candidates(side: usize, place: &Place, nats: &mut Box_, two: bool) -> Vec<Candidate> {
    let components = [Component::Rtp, Component::Rtcp].into_iter().take(if two { 2 } else { 1 });
    let mut told = Vec::new();
    for component in components {
        let host = host(side, component, place.nat.is_some());
        told.push(candidate(CandidateKind::Host, component, &host.to_string()));
        if let Some(nat) = place.nat {
            let server = "203.0.113.99:3478".parse().unwrap();
            let mapped = nats.out(nat, &format!("192.0.2.{}", side + 1), host, server);
            told.push(candidate(CandidateKind::ServerReflexive, component, &mapped.to_string()));
        }
        if place.relay {
            let port = if component == Component::Rtp { 50_000 } else { 50_001 };
            let relayed = format!("203.0.113.{}:{port}", side + 1);
            told.push(candidate(CandidateKind::Relayed, component, &relayed));
        }
    }
    told
}

impl Box_ {
    fn out(&mut self, nat: Nat, public: &str, from: SocketAddr, to: SocketAddr) -> SocketAddr {
        let key = (from, (nat == Nat::Symmetric).then_some(to));
        self.next += 1;
        let next = 20_000 + self.next;
        let mapped = *self.mappings.entry(key).or_insert_with(|| format!("{public}:{next}").parse().unwrap());
        self.open.insert((mapped, to));
        mapped
    }

    fn back(&self, nat: Nat, from: SocketAddr, to: SocketAddr) -> Option<SocketAddr> {
        let (key, _) = self.mappings.iter().find(|(_, mapped)| **mapped == to)?;
        (nat == Nat::Full || self.open.contains(&(to, from))).then_some(key.0)
    }
}

impl World {
    pub(super) fn new(places: &[Place; 2], two: bool) -> Self {
        let mut nats = [Box_::default(), Box_::default()];
        let told = [0, 1].map(|side| candidates(side, &places[side], &mut nats[side], two));
        let names = ["left", "right"];
        let mut side = |at: usize| {
            let (place, other) = (&places[at], 1 - at);
            let terms = Terms {
                local: credentials(names[at]),
                remote: credentials(names[other]),
                controlling: place.controlling,
                lite: places[other].lite,
                two,
                candidates: told[other].clone(),
            };
            let responder = Responder::full(&terms.local);
            let mut agent = Agent::new(terms, &[u8::try_from(at).unwrap() + 1; 32], 0);
            let (mut hosts, mut relayed) = (Vec::new(), Vec::new());
            for ours in &told[at] {
                agent.local(ours.component, ours.kind, ours.address);
                match ours.kind {
                    CandidateKind::Host => hosts.push((ours.component, ours.address)),
                    CandidateKind::Relayed => relayed.push((ours.component, ours.address)),
                    CandidateKind::ServerReflexive | CandidateKind::PeerReflexive => {}
                }
            }
            if !place.lite {
                agent.begin();
            }
            Side {
                agent,
                name: names[at],
                responder,
                hosts,
                relayed,
                nat: place.nat,
                nats: std::mem::take(&mut nats[at]),
                public: format!("192.0.2.{}", at + 1),
                events: Vec::new(),
                refused: 0,
            }
        };
        let sides = [side(0), side(1)];
        Self { now: 0, sides, wire: VecDeque::new(), loss: None, cut: false, sent: 0 }
    }

    pub(super) fn restart(&mut self, suffix: &str) {
        let now = self.now;
        let known: Vec<Terms> = self.sides.iter().map(|side| side.agent.terms().clone()).collect();
        let told: Vec<Vec<Candidate>> = (0..2).map(|at| self.told(at)).collect();
        for (at, side) in self.sides.iter_mut().enumerate() {
            let other = 1 - at;
            let mut terms = known[at].clone();
            terms.local.ufrag = format!("{}{suffix}", known[at].local.ufrag).into();
            terms.remote.ufrag = format!("{}{suffix}", known[other].local.ufrag).into();
            terms.candidates = told[other].clone();
            side.responder.learn(&terms.local);
            let mut agent = Agent::new(terms, &[u8::try_from(at).unwrap() + 7; 32], now);
            for (component, address) in &side.hosts {
                agent.local(*component, CandidateKind::Host, *address);
            }
            for (component, address) in &side.relayed {
                agent.local(*component, CandidateKind::Relayed, *address);
            }
            agent.begin();
            let fresh = Agent::new(known[at].clone(), &[0; 32], now);
            side.agent = agent.after(std::mem::replace(&mut side.agent, fresh));
        }
    }

    fn told(&self, at: usize) -> Vec<Candidate> {
        let side = &self.sides[at];
        let hosts = side
            .hosts
            .iter()
            .map(|(component, address)| candidate(CandidateKind::Host, *component, &address.to_string()));
        let relayed = side
            .relayed
            .iter()
            .map(|(component, address)| candidate(CandidateKind::Relayed, *component, &address.to_string()));
        hosts.chain(relayed).collect()
    }

    fn send(&mut self, at: usize, datagram: &Datagram) {
        self.sent += 1;
        let Datagram { component, via, to, octets } = datagram;
        let side = &mut self.sides[at];
        let of = if *via == Via::Direct { &side.hosts } else { &side.relayed };
        let from = of.iter().find(|(of, _)| of == component).unwrap().1;
        let from = match side.nat.filter(|_| *via == Via::Direct) {
            Some(nat) => side.nats.out(nat, &side.public.clone(), from, *to),
            None => from,
        };
        let drawn = (self.sent.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33) % 100;
        let lost = self.cut || self.loss.is_some_and(|percent| drawn < percent);
        if !lost {
            self.wire.push_back((self.now + 20, from, *to, octets.clone()));
        }
    }

    fn arrive(&mut self, from: SocketAddr, to: SocketAddr, octets: &[u8]) {
        for at in 0..2 {
            let side = &mut self.sides[at];
            let inner = match side.nat {
                Some(nat) => side.nats.back(nat, from, to),
                None => Some(to),
            };
            let direct = inner
                .and_then(|inner| side.hosts.iter().find(|(_, host)| *host == inner))
                .map(|found| found.0);
            let relayed = side.relayed.iter().find(|(_, relayed)| *relayed == to).map(|found| found.0);
            let place = direct.map(|of| (of, Via::Direct)).or(relayed.map(|of| (of, Via::Relayed)));
            let Some((component, via)) = place else { continue };
            self.hear(at, (component, via), from, octets);
            return;
        }
    }

    fn hear(&mut self, at: usize, (component, via): (Component, Via), from: SocketAddr, octets: &[u8]) {
        let now = self.now;
        let side = &mut self.sides[at];
        if side.agent.answered((component, via), from, octets, now) {
            return;
        }
        let mut answer = None;
        let mut asked = None;
        if let Heard::Check(check) = side.responder.hear(octets, from, true, now) {
            let own = check.remote == side.agent.remote_ufrag().as_bytes();
            if own && side.agent.is_in_conflict(check.role) {
                side.refused += 1;
                answer = Some(side.responder.conflict(&check).as_bytes().to_vec());
            } else {
                answer = Some(check.response().to_vec());
                let (priority, nominates, role) = (check.priority, check.nominates, check.role);
                asked = own.then_some(Asked { component, via, source: from, priority, nominates, role });
            }
        }
        if let Some(octets) = answer {
            self.send(at, &Datagram { component, via, to: from, octets });
        }
        if let Some(asked) = asked.filter(|_| !self.sides[1 - at].agent.terms().lite) {
            self.sides[at].agent.asked(&asked, now);
        }
    }

    /// Lets time pass.
    pub(super) fn run(&mut self, millis: u64) {
        let end = self.now + millis;
        let mut turns = 0;
        loop {
            turns += 1;
            assert!(turns < 200_000, "nothing comes to rest");
            for at in 0..2 {
                if !self.sides[1 - at].agent.terms().lite {
                    self.sides[at].agent.handle_timeout(self.now);
                }
                while let Some(datagram) = self.sides[at].agent.poll_transmit() {
                    self.send(at, &datagram);
                }
                while let Some(event) = self.sides[at].agent.poll_event() {
                    self.sides[at].events.push(event);
                }
            }
            let arrival = self.wire.iter().map(|(at, ..)| *at).min();
            let due = self.sides.iter().filter_map(|side| side.agent.deadline());
            let Some(next) =
                due.chain(arrival).min().map(|next| next.max(self.now)).filter(|next| *next <= end)
            else {
                self.now = end;
                return;
            };
            self.now = next;
            if let Some(place) = self.wire.iter().position(|(at, ..)| *at <= self.now) {
                let (_, from, to, octets) = self.wire.remove(place).unwrap();
                self.arrive(from, to, &octets);
            }
        }
    }

    pub(super) fn name(&self, at: usize) -> &'static str {
        self.sides[at].name
    }
}
