//! A virtual network: endpoints with owners, virtual time, and faults from a seed.

use super::ua::listener;
use crate::flow::{ConnectionId, Flow, ListenerId, NetworkId, Transport};
use crate::ids::tests::Seeded;
use crate::ids::{Ids, below};
use crate::session::{Invite, Parts, Patience, Reply, SessionId, SessionStage};
use crate::settings::Settings;
use crate::time::{Mono, Now};
use crate::{Action, Answer, Endpoint, Event, Gauges};
use bytes::Bytes;
use sip_types::{Fields, StatusCode};
use std::net::SocketAddr;
use std::time::Duration;

/// What the network does to messages.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Faults {
    /// The message with that number, counted from 0, is lost.
    pub(super) lose: Option<usize>,
    /// The message with that number comes twice.
    pub(super) double: Option<usize>,
    /// Percentage of messages that are lost.
    pub(super) loss: u32,
    /// Percentage of messages that come twice.
    pub(super) doubling: u32,
    /// Messages take up to so many milliseconds more than 20, each for itself.
    pub(super) jitter: u32,
}

/// A message on its way.
#[derive(Clone, Debug)]
pub(super) struct Packet {
    at: u64,
    pub(super) to: usize,
    pub(super) flow: Flow,
    pub(super) bytes: Bytes,
}

/// An endpoint and what its owner was told.
pub(super) struct Node {
    pub(super) endpoint: Endpoint,
    pub(super) events: Vec<Event>,
}

/// Endpoint 0 is at 192.0.2.1, endpoint 1 at 192.0.2.2 and so on.
pub(super) struct Net {
    pub(super) ms: u64,
    pub(super) nodes: Vec<Node>,
    pub(super) wire: Vec<Packet>,
    pub(super) sent: usize,
    pub(super) faults: Faults,
    pub(super) chance: Seeded,
    transport: Transport,
    /// How long a callee rings.
    pub(super) ring: u64,
    answers: Vec<(u64, usize, SessionId)>,
}

fn address(node: usize) -> SocketAddr {
    format!("192.0.2.{}:5060", node + 1).parse().unwrap()
}

impl Net {
    /// That many endpoints on one transport.
    pub(super) fn new(nodes: usize, transport: Transport, seed: u64, faults: Faults) -> Self {
        let nodes = (0..nodes).map(|n| {
            let mut one = listener(transport);
            one.address = address(n);
            one.sent_by = address(n).to_string().into();
            let settings = Settings { listeners: vec![one], ..Settings::default() };
            let hasher = ahash::RandomState::with_seeds(seed, n as u64, 3, 4);
            let ids = Box::new(Seeded(seed ^ (n as u64) << 32));
            Node { endpoint: Endpoint::new(settings, ids, hasher), events: Vec::new() }
        });
        let nodes = nodes.collect();
        let chance = Seeded(!seed);
        Self {
            ms: 0,
            nodes,
            wire: Vec::new(),
            sent: 0,
            faults,
            chance,
            transport,
            ring: 1_000,
            answers: Vec::new(),
        }
    }

    pub(super) fn now(&self) -> Now {
        Now { mono: Mono::from_epoch(Duration::from_millis(self.ms)), ..Now::default() }
    }

    /// Does something at a node and carries out what follows from it.
    pub(super) fn act<R>(&mut self, at: usize, act: impl FnOnce(&mut Endpoint, Now) -> R) -> R {
        let now = self.now();
        let result = act(&mut self.nodes[at].endpoint, now);
        self.drain(at);
        result
    }

    /// Node `from` calls node `to`.
    pub(super) fn call(&mut self, from: usize, to: usize) -> SessionId {
        let uri = format!("sip:{};transport={}", address(to), self.transport.uri_param());
        let invite = Invite {
            label: 0,
            conduct: None,
            network: NetworkId(0),
            request_uri: uri.parse().unwrap(),
            next_hop: uri.parse().unwrap(),
            routes: Box::default(),
            flow: None,
            outbound: false,
            gruu: None,
            speaks_for: None,
            from: "<sip:alice@example.net>".into(),
            to: "<sip:bob@example.com>".into(),
            max_forwards: 70,
            patience: Patience::default(),
            parts: Parts::default(),
        };
        self.act(from, |e, now| e.invite(now, invite)).unwrap()
    }

    fn drain(&mut self, at: usize) {
        while let Some(action) = self.nodes[at].endpoint.poll_action() {
            match action {
                Action::Transmit(t) => self.transmit(at, t.to.peer(), &t.bytes, t.id),
                Action::Resolve(query) => {
                    let now = self.now();
                    self.nodes[at].endpoint.handle_resolved(now, query.id, Answer::Silent);
                }
                Action::Connect(connect) => {
                    let now = self.now();
                    self.nodes[at].endpoint.handle_connected(now, connect.id, true);
                }
                Action::SecretNeeded(needed) => {
                    let now = self.now();
                    self.nodes[at].endpoint.handle_secret(now, needed.id, Vec::new());
                }
                Action::CloseConnection(_)
                | Action::Disconnect(_)
                | Action::Ping(_)
                | Action::Alias { .. } => {}
                Action::Event(event) => self.told(at, *event),
            }
        }
    }

    fn transmit(&mut self, from: usize, peer: SocketAddr, bytes: &Bytes, id: crate::TransmitId) {
        let Some(to) = (0..self.nodes.len()).find(|n| address(*n) == peer) else {
            let now = self.now();
            return self.nodes[from].endpoint.handle_send_failed(now, id);
        };
        let nth = self.sent;
        self.sent += 1;
        let percent = |chance: &mut Seeded, share| below(chance, 100) < share;
        if self.faults.lose == Some(nth) || percent(&mut self.chance, self.faults.loss) {
            return;
        }
        let connection = self.transport.is_reliable().then_some(ConnectionId(1));
        let flow = Flow { listener: ListenerId(0), peer: address(from), connection };
        let twice = self.faults.double == Some(nth) || percent(&mut self.chance, self.faults.doubling);
        for _ in 0..=usize::from(twice) {
            let at = self.ms + 20 + u64::from(below(&mut self.chance, self.faults.jitter + 1));
            self.wire.push(Packet { at, to, flow, bytes: bytes.clone() });
        }
    }

    /// The owner of each node rings, answers and acknowledges.
    fn told(&mut self, at: usize, event: Event) {
        let now = self.now();
        let endpoint = &mut self.nodes[at].endpoint;
        match &event {
            Event::Invited { session, .. } => {
                if let Ok(no) = endpoint.open_dialog(*session) {
                    endpoint.progress(now, *session, no, &Reply::new(StatusCode::RINGING)).unwrap();
                }
                self.answers.push((self.ms + self.ring, at, *session));
            }
            Event::Answered { session, .. } | Event::ReinviteAnswered { session, .. } => {
                endpoint.acknowledge(now, *session, Parts::default()).unwrap();
            }
            Event::Reinvited { session, .. } => {
                endpoint.answer_reinvite(now, *session, Parts::default()).unwrap();
            }
            Event::Requested { session, id, .. } => {
                endpoint.respond(now, *session, *id, &Reply::new(StatusCode::OK)).unwrap();
            }
            _ => {}
        }
        self.nodes[at].events.push(event);
    }

    /// Lets time pass: deadlines, messages and answers each at their time.
    pub(super) fn wait(&mut self, ms: u64) {
        let end = self.ms + ms;
        loop {
            let due = |n: &Node| n.endpoint.poll_timeout().map(|d| d.as_nanos().div_ceil(1_000_000));
            let timer = self.nodes.iter().filter_map(due).min();
            let packet = self.wire.iter().map(|p| p.at).min();
            let answer = self.answers.iter().map(|a| a.0).min();
            let next = [timer, packet, answer].into_iter().flatten().min();
            let Some(next) = next.filter(|at| *at <= end) else { break };
            self.ms = self.ms.max(next);
            self.step();
        }
        self.ms = end;
    }

    fn step(&mut self) {
        let ms = self.ms;
        for packet in self.wire.extract_if(.., |p| p.at <= ms).collect::<Vec<_>>() {
            self.act(packet.to, |e, now| e.handle_input(now, packet.flow, packet.bytes));
        }
        for (_, at, sid) in self.answers.extract_if(.., |a| a.0 <= ms).collect::<Vec<_>>() {
            let no = crate::dialog::DialogNo(0);
            // The caller may have given up.
            let _ = self.act(at, |e, now| e.answer(now, sid, no, Parts::default()));
        }
        for at in 0..self.nodes.len() {
            self.act(at, |e, now| e.handle_timeout(now));
        }
    }

    /// Every session that is still there is ended by its owner.
    pub(super) fn end_all(&mut self) {
        for at in 0..self.nodes.len() {
            for sid in self.nodes[at].endpoint.sessions.keys().collect::<Vec<_>>() {
                let called =
                    self.nodes[at].endpoint.session(sid).map(|s| s.stage) == Some(SessionStage::Called);
                let busy = Reply::new(StatusCode::BUSY_HERE);
                // It may be over, and wait for late forks only.
                let _ = self.act(at, |e, now| match called {
                    true => e.reject(now, sid, &busy),
                    false => e.end(now, sid, Fields::default()),
                });
            }
        }
    }

    /// Nothing is left at any node: 64*T1 + 5 s for what is alive, a minute for given-up deadlines.
    pub(super) fn must_forget(&mut self, what: &str) {
        self.wait(37_000);
        for node in &self.nodes {
            let gauges = node.endpoint.gauges();
            assert_eq!(Gauges { timers: 0, ..gauges }, Gauges::default(), "{what}");
        }
        self.wait(64_000);
        for node in &self.nodes {
            assert_eq!(node.endpoint.gauges(), Gauges::default(), "{what}");
            assert!(node.endpoint.by_tag.is_empty(), "{what}");
        }
    }

    /// Ends that the owner of a node was told of.
    pub(super) fn ends(&self, at: usize) -> usize {
        self.nodes[at].events.iter().filter(|e| matches!(e, Event::Ended { .. })).count()
    }
}

/// A number below `bound`.
pub(super) fn pick(chance: &mut dyn Ids, bound: usize) -> usize {
    below(chance, u32::try_from(bound).unwrap()) as usize
}
