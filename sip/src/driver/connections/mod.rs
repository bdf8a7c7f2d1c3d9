//! Connections, without I/O: which there are, which one a message goes by, what has come on each, and when it ends.
//!
//! A [`Table`] works on [`Wires`]: the driver's are sockets, a simulation has its own. After each call its owner drains it:
//! [`flush`](Table::flush) writes what is queued, [`events`](Table::events) come before what was received with them,
//! [`connected`](Table::connected) and [`ends`](Table::ends) after it. [`poll_timeout`](Table::poll_timeout) says when
//! [`handle_timeout`](Table::handle_timeout) is to be called next.

mod connecting;
mod connection;
mod directory;
mod displacing;
mod ending;
mod event;
mod framing;
mod reading;
mod shared;
mod wire;
mod writing;

pub use event::ConnectionEvent;
pub(super) use shared::Shared;
pub use wire::{OpenError, Wire, Wires};

use super::Map;
use super::counters::Counters;
use super::exchange::Census;
use super::settings::Limits;
use super::tls::Peer;
use super::websocket::Rules;
use crate::action::{Transmit, TransmitId};
use crate::flow::{ConnectionId, Destination, Flow, ListenerId, Transport};
use crate::home::ShardNo;
use crate::time::Now;
use crate::timers::TimerQueue;
use bytes::Bytes;
use connecting::{Connecting, Way};
use connection::{Connection, Start};
use directory::{Directory, Leads};
use ending::Ending;
use ipnet::IpNet;
use reading::Reader;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// Bytes read at once.
const READ: usize = 65_536;

/// What several shards have in common, and which of them this one is.
pub(super) struct Place {
    pub(super) shard: ShardNo,
    pub(super) census: Arc<Census>,
    pub(super) shared: Option<Arc<Shared>>,
}

/// All the connections of a driver.
pub struct Table<W: Wires> {
    wires: W,
    limits: Limits,
    message: sip_types::Limits,
    counters: Arc<Counters>,
    connections: Map<ConnectionId, Connection<W::Wire>>,
    /// The connections to use for an address.
    directory: Directory,
    /// How many there are, over all shards.
    census: Arc<Census>,
    /// Where known peers are.
    known: Arc<[IpNet]>,
    /// Connections that peers have opened, the oldest first, but for those known to have proved something.
    unproven: BTreeSet<ConnectionId>,
    /// Messages that were lost with a connection that had to go.
    lost: Vec<TransmitId>,
    shard: ShardNo,
    timers: TimerQueue<ConnectionId>,
    connecting: Connecting,
    /// Connections that have something to write.
    dirty: Vec<ConnectionId>,
    /// What became of connections since the core was told; ends apart, for they come after what was received.
    events: Vec<ConnectionEvent>,
    ends: Vec<ConnectionId>,
    /// The last number given.
    last: u64,
    scratch: Box<[u8]>,
}

impl<W: Wires> Table<W> {
    /// The connections of a driver that is alone. `message` are the limits of one message, for framing.
    pub fn new(
        wires: W,
        limits: Limits,
        message: sip_types::Limits,
        counters: Arc<Counters>,
        hasher: &ahash::RandomState,
    ) -> Self {
        let place = Place { shard: ShardNo(0), census: Arc::new(Census::new(hasher)), shared: None };
        Self::at(place, wires, limits, message, counters, hasher)
    }

    /// Those of one of several shards.
    pub(super) fn at(
        place: Place,
        wires: W,
        limits: Limits,
        message: sip_types::Limits,
        counters: Arc<Counters>,
        hasher: &ahash::RandomState,
    ) -> Self {
        Self {
            wires,
            limits,
            message,
            counters,
            connections: Map::with_hasher(hasher.clone()),
            directory: Directory::new(hasher, place.shared),
            census: place.census,
            known: Arc::default(),
            unproven: BTreeSet::new(),
            lost: Vec::new(),
            shard: place.shard,
            timers: TimerQueue::default(),
            connecting: Connecting::default(),
            dirty: Vec::new(),
            events: Vec::new(),
            ends: Vec::new(),
            last: 0,
            scratch: vec![0; READ].into_boxed_slice(),
        }
    }

    /// What the connections run over.
    pub fn wires(&mut self) -> &mut W {
        &mut self.wires
    }

    /// How many connections there are, those that are being opened or closed included.
    pub fn len(&self) -> usize {
        self.connections.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.connections.is_empty()
    }

    /// What became of connections since the last call: what was proved over TLS, and pongs. The ends are told by [`ends`](Self::ends).
    pub fn events(&mut self) -> impl Iterator<Item = ConnectionEvent> {
        self.events.drain(..)
    }

    /// Connections that are over since the last call, of those that were told as secured, or that are watched.
    pub fn ends(&mut self) -> impl Iterator<Item = ConnectionEvent> {
        self.ends.drain(..).map(ConnectionEvent::Closed)
    }

    /// Uses a connection for another port of its peer too (RFC 5923 §8.2).
    pub fn alias(&mut self, id: ConnectionId, port: u16) {
        self.directory.alias(id, port);
    }

    /// Tells of the end of a connection, which may be silent for that long from now on.
    pub fn watch(&mut self, now: Now, id: ConnectionId, silence: Option<Duration>) {
        self.watch_for(now, self.shard, id, silence);
    }

    /// The same for any shard: each has its own word on how long, and the least holds.
    pub(super) fn watch_for(&mut self, now: Now, by: ShardNo, id: ConnectionId, silence: Option<Duration>) {
        match self.connections.get_mut(&id) {
            Some(connection) => {
                connection.watch(by, silence);
                self.rearm(now, id);
            }
            None => self.ends.push(id),
        }
    }

    /// Takes the connection that a peer opens to a listener, over the wire that `wire` makes for its number; on a WebSocket
    /// with the rules of who may. `None` where a limit refuses it, or there is no wire.
    pub fn admit(
        &mut self,
        now: Now,
        listener: ListenerId,
        peer: SocketAddr,
        websocket: Option<Arc<Rules>>,
        wire: impl FnOnce(&mut W, ConnectionId) -> Option<W::Wire>,
    ) -> Option<ConnectionId> {
        let transport = self.wires.transport(listener)?;
        let known = self.knows(peer);
        if !self.enter(now, peer, known) {
            return None;
        }
        let id = self.name();
        let Some(wire) = wire(&mut self.wires, id) else {
            self.counters.handshakes_failed.add(1);
            self.census.leave(peer.ip(), &self.limits);
            return None;
        };
        self.counters.connections_accepted.add(1);
        let leads = if transport == Transport::Tcp { Leads::Anyone } else { Leads::Itself };
        self.directory.insert(id, listener, peer, leads);
        self.keep(now, Start { id, listener, peer, wire, accepted: true, known, websocket });
        if !known {
            self.unproven.insert(id);
        }
        Some(id)
    }

    fn name(&mut self) -> ConnectionId {
        self.last += 1;
        ConnectionId::new(self.shard, self.last)
    }

    /// Keeps a connection that was counted in and is in the directory.
    fn keep(&mut self, now: Now, start: Start<W::Wire>) {
        let id = start.id;
        self.connections.insert(id, Connection::new(start, now.mono));
        self.counters.connections.add(1);
        self.rearm(now, id);
    }

    /// Queues a message on the connection that its destination means, which is opened if need be. Whoever cannot be sent goes
    /// to `failed`. A message for the connection of another shard is given back with its number.
    pub fn transmit(
        &mut self,
        now: Now,
        transmit: Transmit,
        failed: &mut Vec<TransmitId>,
    ) -> Option<(ConnectionId, Transmit)> {
        let own = |flow: &Flow| flow.connection.filter(|id| self.is_usable(*id)).map(Way::Own);
        let way = match &transmit.to {
            Destination::Flow(flow) => own(flow),
            Destination::Open { listener, peer, domain } => {
                self.towards(now, *listener, *peer, domain.as_ref())
            }
            Destination::FlowOr { flow, peer, domain } => {
                own(flow).or_else(|| self.towards(now, flow.listener, *peer, domain.as_ref()))
            }
        };
        let id = match way {
            Some(Way::Elsewhere { id, .. }) => return Some((id, transmit)),
            Some(Way::Own(id)) => Some(id),
            None => None,
        };
        let Some((id, connection)) = id.and_then(|id| Some((id, self.connections.get_mut(&id)?))) else {
            failed.push(transmit.id);
            return None;
        };
        if let Err(refused) = connection.enqueue(transmit.id, transmit.bytes, self.limits.write_queue) {
            self.counters.write_queue_full.add(1);
            failed.push(refused);
        } else if !connection.dirty {
            connection.dirty = true;
            self.dirty.push(id);
        }
        None
    }

    fn is_usable(&self, id: ConnectionId) -> bool {
        self.connections.get(&id).is_some_and(Connection::is_usable)
    }

    /// Makes progress with a connection whose wire has something. What has come on it is appended to `inbox`.
    pub fn proceed(
        &mut self,
        now: Now,
        id: ConnectionId,
        inbox: &mut Vec<Bytes>,
        failed: &mut Vec<TransmitId>,
    ) -> Option<Flow> {
        let connection = self.connections.get_mut(&id)?;
        let flow = connection.flow;
        if !connection.is_open() && !self.open(now, id, failed) {
            return Some(flow);
        }
        let connection = self.connections.get_mut(&id)?;
        let mut reader = Reader {
            scratch: &mut self.scratch,
            message: &self.message,
            limits: &self.limits,
            counters: &self.counters,
        };
        let proceeded = connection.proceed(now.mono, &mut reader, inbox);
        if connection.take_pong() {
            self.events.push(ConnectionEvent::Ponged(id));
        }
        self.write_on(id);
        match proceeded {
            Ok(()) => self.rearm(now, id),
            Err(ending) => self.end(id, ending, failed),
        }
        Some(flow)
    }

    /// Makes progress with the opening of a connection, and tells whether it is open.
    fn open(&mut self, now: Now, id: ConnectionId, failed: &mut Vec<TransmitId>) -> bool {
        let Some(connection) = self.connections.get_mut(&id) else { return false };
        let (flow, accepted) = (connection.flow, connection.accepted);
        match connection.open(now.mono) {
            Ok((false, _)) => false,
            Ok((true, peer)) => {
                self.counters.connections_opened.add(u64::from(!accepted));
                self.connecting.tell(id, true);
                let peer = peer.map(Arc::new);
                connection.told |= peer.is_some();
                connection.proven |= peer.as_ref().is_some_and(|peer| !peer.identities.is_empty());
                self.directory.opened(id, peer.clone());
                if let Some(peer) = peer {
                    self.counters.handshakes.add(1);
                    self.events.push(ConnectionEvent::Secured { flow, accepted, peer });
                }
                true
            }
            Err((ending, why)) => {
                let (listener, peer) = (flow.listener, flow.peer);
                self.events.extend(why.map(|why| ConnectionEvent::Insecure {
                    listener,
                    peer,
                    accepted,
                    why,
                }));
                self.end(id, ending, failed);
                false
            }
        }
    }

    /// Sends a ping on a connection; the pong is told (RFC 5626 §4.4.1).
    pub fn ping(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.ping(self.limits.write_queue);
        }
        self.write_on(id);
    }

    /// Has a connection written to that has something for it.
    pub fn write_on(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        if connection.wants_flush() && !connection.dirty {
            connection.dirty = true;
            self.dirty.push(id);
        }
    }

    /// Writes what was queued.
    pub fn flush(&mut self, now: Now, failed: &mut Vec<TransmitId>) {
        failed.append(&mut self.lost);
        let mut dirty = std::mem::take(&mut self.dirty);
        for id in dirty.drain(..) {
            self.flush_one(now, id, failed);
        }
        self.dirty = dirty;
    }

    fn flush_one(&mut self, now: Now, id: ConnectionId, failed: &mut Vec<TransmitId>) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        connection.dirty = false;
        match connection.flush(now.mono, &self.counters) {
            Ok(()) => self.rearm(now, id),
            Err(ending) => self.end(id, ending, failed),
        }
    }

    /// Closes a connection for the core, after what it has sent on it. From now on it leads nowhere.
    pub fn close(&mut self, now: Now, id: ConnectionId, failed: &mut Vec<TransmitId>) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        if !connection.is_open() {
            return self.end(id, Ending::Wanted, failed);
        }
        connection.close(now.mono);
        self.directory.remove(id);
        self.flush_one(now, id, failed);
    }
}
