//! Connections that we open, for a message or before the core has anything to send on them: those of a race
//! (RFC 8305 §5).

use super::Table;
use super::connection::Start;
use super::directory::Leads;
use super::ending::Ending;
use super::wire::Wires;
use crate::action::{Connect, TransmitId};
use crate::flow::{ConnectionId, Domain, ListenerId, Transport};
use crate::location::ConnectId;
use crate::time::Now;
use std::net::SocketAddr;

/// Who waits for which connection, and what is to be told.
#[derive(Debug, Default)]
pub(super) struct Connecting {
    /// One for each rival of a race; the core bounds them.
    waiting: Vec<(ConnectId, ConnectionId)>,
    told: Vec<(ConnectId, bool)>,
}

impl Connecting {
    /// A connection is open, or has ended.
    pub(super) fn tell(&mut self, id: ConnectionId, open: bool) {
        if !self.waiting.is_empty() {
            let ours = self.waiting.extract_if(.., |(_, connection)| *connection == id);
            self.told.extend(ours.map(|(connect, _)| (connect, open)));
        }
    }
}

/// The connection to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// One of this shard.
    Own(ConnectionId),
    /// One of another shard, and whether it is open.
    Elsewhere {
        /// Its number.
        id: ConnectionId,
        /// Whether messages can travel on it.
        open: bool,
    },
}

impl<W: Wires> Table<W> {
    /// Opens a connection, unless there is one. It counts as open once messages can travel on it: over TLS, after the
    /// handshake. What is still being opened by another shard tells this one nothing: it is opened here too.
    pub fn connect(&mut self, now: Now, connect: &Connect) {
        let Connect { id, listener, peer, domain } = connect;
        let way = match self.directory.find(*listener, *peer, domain.as_ref()) {
            Some(Way::Elsewhere { open: false, .. }) | None => {
                self.begin(now, *listener, *peer, domain.as_ref(), false)
            }
            known => known,
        };
        match way {
            None => self.connecting.told.push((*id, false)),
            Some(Way::Elsewhere { .. }) => self.connecting.told.push((*id, true)),
            Some(Way::Own(own)) if self.connections.get(&own).is_some_and(|c| c.is_open()) => {
                self.connecting.told.push((*id, true));
            }
            Some(Way::Own(own)) => self.connecting.waiting.push((*id, own)),
        }
    }

    /// Gives a connection up that is still being opened, if nobody else waits for it and nothing is to be sent on it.
    pub fn disconnect(&mut self, connect: ConnectId, failed: &mut Vec<TransmitId>) {
        let Some(at) = self.connecting.waiting.iter().position(|(waiting, _)| *waiting == connect) else {
            return;
        };
        let (_, id) = self.connecting.waiting.swap_remove(at);
        let shared = self.connecting.waiting.iter().any(|(_, waiting)| *waiting == id);
        if !shared && self.connections.get(&id).is_some_and(|c| !c.is_open() && c.is_unused()) {
            self.end(id, Ending::Wanted, failed);
        }
    }

    /// What has become of the connections that were wanted.
    pub fn connected(&mut self) -> Vec<(ConnectId, bool)> {
        std::mem::take(&mut self.connecting.told)
    }

    /// The connection to use for an address, which is opened if need be.
    pub(super) fn towards(
        &mut self,
        now: Now,
        listener: ListenerId,
        peer: SocketAddr,
        domain: Option<&Domain>,
    ) -> Option<Way> {
        let known = self.directory.find(listener, peer, domain);
        known.or_else(|| self.begin(now, listener, peer, domain, true))
    }

    /// Begins to open a connection; where `only` is set, unless another shard has begun meanwhile.
    fn begin(
        &mut self,
        now: Now,
        listener: ListenerId,
        peer: SocketAddr,
        domain: Option<&Domain>,
        only: bool,
    ) -> Option<Way> {
        // Nobody is called over a WebSocket; over TLS it must be known whom.
        let (leads, domain) = match (self.wires.transport(listener)?, domain) {
            (Transport::Tls, Some(domain)) => (Leads::Towards(domain.clone()), Some(domain)),
            (Transport::Tcp, _) => (Leads::Anyone, None),
            (Transport::Udp | Transport::Tls | Transport::Ws | Transport::Wss, _) => return None,
        };
        if !self.enter(now, peer, true) {
            return None;
        }
        let id = self.name();
        if !only {
            self.directory.insert(id, listener, peer, leads);
        } else if let Err(known) = self.directory.claim(id, listener, peer, leads, domain) {
            self.census.leave(peer.ip(), &self.limits);
            return Some(known);
        }
        let Some(wire) = self.wires.open(id, listener, peer, domain) else {
            self.directory.remove(id);
            self.census.leave(peer.ip(), &self.limits);
            self.counters.connect_failures.add(1);
            return None;
        };
        self.keep(now, Start { id, listener, peer, wire, accepted: false, known: true, websocket: None });
        Some(Way::Own(id))
    }
}
