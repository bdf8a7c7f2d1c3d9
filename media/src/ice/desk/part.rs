//! One port of a pair, and the servers that it is known by.

use std::net::SocketAddr;

use super::{Output, Shared, Wire};
use crate::PairId;
use crate::ice::Component;
use crate::ice::reach::Beyond;
use crate::ice::traversal::Transport;
use crate::turn::client::{Client, Event, Failure};

/// How soon servers are tried again when none was of use.
const RETRY_MILLIS: u64 = 30_000;

/// Two kinds of servers are asked at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Stun,
    Turn,
}

/// A server that was chosen.
#[derive(Debug)]
pub(super) struct Chosen {
    pub(super) server: usize,
    pub(super) address: SocketAddr,
    pub(super) transport: Transport,
    /// None while its connection is being made.
    pub(super) client: Option<Client>,
}

/// A port.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) pair: PairId,
    pub(super) network: usize,
    pub(super) component: Component,
    pub(super) host: SocketAddr,
    pub(super) stun: Option<Chosen>,
    pub(super) turn: Option<Chosen>,
    /// When servers are tried again.
    again: [Option<u64>; 2],
    /// Servers that have failed in this round.
    tried: [Vec<usize>; 2],
    pub(super) beyond: Beyond,
    /// What others know it by, as it was told.
    known_by: Beyond,
    /// Peers that the relayed address is to reach.
    wanted: Vec<SocketAddr>,
    /// Whether `beyond` was not told yet.
    pub(super) news: bool,
}

/// Peers of one port's relayed address.
const MOST_WANTED: usize = 32;

impl Part {
    pub(super) fn new(pair: PairId, network: usize, component: Component, host: SocketAddr) -> Self {
        Self {
            pair,
            network,
            component,
            host,
            stun: None,
            turn: None,
            again: [None; 2],
            tried: [Vec::new(), Vec::new()],
            beyond: Beyond::default(),
            known_by: Beyond::default(),
            wanted: Vec::new(),
            news: false,
        }
    }

    fn slot(&mut self, kind: Kind) -> (&mut Option<Chosen>, &mut Option<u64>, &mut Vec<usize>) {
        let ([stun, turn], [stuns, turns]) = (&mut self.again, &mut self.tried);
        match kind {
            Kind::Stun => (&mut self.stun, stun, stuns),
            Kind::Turn => (&mut self.turn, turn, turns),
        }
    }

    /// Takes the next server of a kind that has not failed.
    pub(super) fn choose(&mut self, kind: Kind, shared: &mut Shared<'_>) {
        let host = self.host;
        let servers = &*shared.servers;
        let (_, _, tried) = self.slot(kind);
        let fits = |(at, server): &(usize, &crate::ice::traversal::Server)| {
            (kind == Kind::Turn) == server.auth.is_some()
                && server.address.is_ipv6() == host.is_ipv6()
                && !tried.contains(at)
        };
        let mut fitting = servers.traversal.servers.iter().enumerate().filter(fits).peekable();
        let none = fitting.peek().is_none() && tried.is_empty();
        let found = fitting.find(|(at, _)| !servers.is_down(*at, shared.now));
        let found = found.map(|(at, server)| (at, server.address, server.transport, server.auth.as_ref()));
        let Some((at, address, transport, auth)) = found else {
            let (_, again, tried) = self.slot(kind);
            tried.clear();
            *again = (!none).then_some(shared.now + RETRY_MILLIS);
            return;
        };
        let is_turn = auth.is_some();
        let login = shared.login(at);
        let client = match (transport, kind) {
            // Credentials that cannot be made are none that the server would take.
            (_, Kind::Turn) if is_turn && login.is_none() => None,
            (Transport::Udp, _) => Some(Client::new(login, false, &shared.seed(), shared.now)),
            (Transport::Tcp | Transport::Tls, _) => {
                shared.wires.push_back(Wire::Connect(self.pair, self.component, self.network, at));
                None
            }
        };
        let (slot, again, _) = self.slot(kind);
        *again = None;
        *slot = Some(Chosen { server: at, address, transport, client });
    }

    /// The connection to the TURN server stands.
    pub(super) fn connected(&mut self, shared: &mut Shared<'_>) {
        let seed = shared.seed();
        let Some(server) = self.turn.as_ref().map(|turn| turn.server) else { return };
        let login = shared.login(server);
        if let Some(turn) = &mut self.turn {
            turn.client = Some(Client::new(login, true, &seed, shared.now));
        }
    }

    /// It is gone, or was never made.
    pub(super) fn disconnected(&mut self, shared: &mut Shared<'_>) {
        match self.turn.as_mut().filter(|turn| turn.transport != Transport::Udp) {
            Some(Chosen { client: Some(client), .. }) => client.disconnected(),
            Some(_) => self.failed(Kind::Turn, Failure::Disconnected, shared),
            None => {}
        }
    }

    /// The chosen server of a kind is of no use: the next one is tried.
    fn failed(&mut self, kind: Kind, failure: Failure, shared: &mut Shared<'_>) {
        let (slot, _, tried) = self.slot(kind);
        let Some(chosen) = slot.take() else { return };
        tried.push(chosen.server);
        if chosen.transport != Transport::Udp {
            shared.wires.push_back(Wire::Close(self.pair, self.component));
        }
        // What it answers to one allocation, sense or not, says nothing of the others.
        match failure {
            Failure::Refused(_) | Failure::Malformed => shared.servers.refused(chosen.server),
            _ if shared.servers.failed(chosen.server, shared.now) => {
                shared.notice(chosen.server, Some(failure));
            }
            _ => {}
        }
        if kind == Kind::Turn && self.beyond.relayed.take().is_some() {
            self.news = true;
            shared.outputs.push_back(Output::NoTunnel(self.pair, self.component));
        }
        self.choose(kind, shared);
    }

    /// A peer is to be reached by way of the relayed address, now and when there is another one.
    pub(super) fn want(&mut self, peer: SocketAddr, now: u64) {
        if !self.wanted.contains(&peer) && self.wanted.len() < MOST_WANTED {
            self.wanted.push(peer);
        }
        if let Some(client) = self.turn.as_mut().and_then(|turn| turn.client.as_mut()) {
            client.reach(peer, now);
        }
    }

    /// A server's datagram; true where it is for one of the clients.
    pub(super) fn heard(&mut self, source: SocketAddr, octets: &[u8], now: u64) -> bool {
        let chosen = [&mut self.stun, &mut self.turn].into_iter().flatten();
        let mut from = chosen.filter(|chosen| chosen.address == source);
        from.any(|chosen| chosen.client.as_mut().is_some_and(|client| client.handle(octets, now)))
    }

    pub(super) fn pass_time(&mut self, shared: &mut Shared<'_>) {
        for kind in [Kind::Stun, Kind::Turn] {
            let now = shared.now;
            let (slot, again, _) = self.slot(kind);
            if let Some(client) = slot.as_mut().and_then(|chosen| chosen.client.as_mut()) {
                client.handle_timeout(now);
            } else if again.is_some_and(|again| again <= now) {
                self.choose(kind, shared);
            }
        }
    }

    pub(super) fn deadline(&self) -> Option<u64> {
        let chosen = [&self.stun, &self.turn].into_iter().flatten();
        let clients = chosen.filter_map(|chosen| chosen.client.as_ref()?.deadline());
        clients.chain(self.again.into_iter().flatten()).min()
    }

    /// Whether all that can be found at once was found.
    pub(super) fn is_settled(&self) -> bool {
        let stun = self.stun.is_none() || self.beyond.reflexive.is_some();
        let turn = self.turn.is_none() || self.beyond.relayed.is_some();
        stun && turn
    }

    /// It is known by these addresses from now on.
    pub(super) fn known_by(&mut self, beyond: Beyond, shared: &Shared<'_>) {
        let before = std::mem::replace(&mut self.known_by, beyond);
        if before != beyond {
            shared.aliases.change((self.network, self.host.port()), before, beyond);
        }
    }

    /// The pair comes back.
    pub(super) fn end(&mut self, now: u64) {
        self.again = [None; 2];
        self.stun = None;
        match &mut self.turn {
            Some(Chosen { client: Some(client), .. }) => client.end(now),
            // Its connection is closed with the pair.
            Some(Chosen { client: None, transport, .. }) if *transport != Transport::Udp => {}
            turn => *turn = None,
        }
    }

    pub(super) fn is_over(&self) -> bool {
        let client = self.turn.as_ref().and_then(|turn| turn.client.as_ref());
        client.is_none_or(Client::is_over)
    }

    /// Sends what the clients have to say and takes what they have found.
    pub(super) fn deliver(&mut self, shared: &mut Shared<'_>) {
        for kind in [Kind::Stun, Kind::Turn] {
            self.events(kind, shared);
            let (pair, component) = (self.pair, self.component);
            let (slot, _, _) = self.slot(kind);
            let Some(chosen) = slot else { continue };
            let (address, transport) = (chosen.address, chosen.transport);
            let Some(client) = &mut chosen.client else { continue };
            while let Some(octets) = client.poll_transmit() {
                match transport {
                    Transport::Udp => {
                        let octets = octets.into_boxed_slice();
                        shared.outputs.push_back(Output::Datagram(pair, component, address, octets));
                    }
                    Transport::Tcp | Transport::Tls => {
                        shared.wires.push_back(Wire::Send(pair, component, octets));
                    }
                }
            }
        }
    }

    fn events(&mut self, kind: Kind, shared: &mut Shared<'_>) {
        loop {
            let (slot, _, _) = self.slot(kind);
            let Some(chosen) = slot else { return };
            let (server, direct) = (chosen.server, chosen.transport == Transport::Udp);
            let address = chosen.address;
            let Some(event) = chosen.client.as_mut().and_then(Client::poll_event) else { return };
            match event {
                Event::Mapped(mapped) if direct => {
                    self.beyond.reflexive = Some(mapped).filter(|mapped| *mapped != self.host);
                    self.news = true;
                    if kind == Kind::Stun && shared.servers.worked(server) {
                        shared.notice(server, None);
                    }
                }
                Event::Mapped(_) => {}
                Event::Allocated(relayed) => {
                    (self.beyond.relayed, self.news) = (Some(relayed), true);
                    if shared.servers.worked(server) {
                        shared.notice(server, None);
                    }
                    let at = direct.then_some(address);
                    shared.outputs.push_back(Output::Tunnel(self.pair, self.component, at));
                    for peer in self.wanted.clone() {
                        self.want(peer, shared.now);
                    }
                }
                Event::Bound(number, peer) => {
                    shared.outputs.push_back(Output::Channel(self.pair, self.component, number, peer));
                }
                Event::Barred(peer) => {
                    shared.outputs.push_back(Output::Barred(self.pair, self.component, peer));
                }
                Event::Over(failure) => self.failed(kind, failure, shared),
            }
        }
    }

    /// Sends something from the relayed address.
    pub(super) fn send_relayed(&mut self, to: SocketAddr, octets: &[u8], now: u64) {
        if let Some(client) = self.turn.as_mut().and_then(|turn| turn.client.as_mut()) {
            client.send(to, octets, now);
        }
    }

    /// Whom a channel leads to, or a message of a server's that has something of a peer's.
    pub(super) fn peer(&self, number: u16) -> Option<SocketAddr> {
        self.turn.as_ref()?.client.as_ref()?.peer(number)
    }
}
