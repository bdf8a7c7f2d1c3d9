//! Connections: accepted, opened, used again, limited.

mod connecting;
mod connection;
mod directory;
mod ending;
mod event;
mod framing;
mod socket;

use super::Map;
use super::counters::Counters;
use super::exchange::{Census, Directory as SharedDirectory, Exchange, Full};
use super::ready::{Kind, ReadyList, Source};
use super::security::Security;
use super::settings::Limits;
use super::sockets::Bind;
use crate::action::{Transmit, TransmitId};
use crate::flow::{ConnectionId, Destination, Domain, Flow, ListenerId, NetworkId, Transport};
use crate::home::ShardNo;
use crate::time::Now;
use crate::timers::TimerQueue;
use bytes::Bytes;
use connecting::Connecting;
use connection::{Connection, Reader, Start, Stream};
use directory::{Directory, Leads};
use ending::Ending;
use socket::Socket;
use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};

pub use event::ConnectionEvent;

/// Connections accepted from one listener before others have their turn.
const ACCEPTS: usize = 64;
/// How long accepting rests when the system has no descriptors or memory for more.
const REST: Duration = Duration::from_millis(100);
/// Bytes read with one system call.
const READ: usize = 65_536;

struct Listener {
    socket: TcpListener,
    source: Arc<Source>,
    waker: Waker,
    local: IpAddr,
    network: NetworkId,
    transport: Transport,
}

/// Who waits for a deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    Connection(ConnectionId),
    Accept(ListenerId),
}

/// All that a driver has of TCP, and of what runs over it.
pub(crate) struct Tcp {
    limits: Limits,
    message: sip_types::Limits,
    counters: Arc<Counters>,
    list: Arc<ReadyList>,
    listeners: BTreeMap<ListenerId, Listener>,
    connections: Map<ConnectionId, Connection>,
    /// The connections to use for an address.
    directory: Directory,
    /// How many there are, over all shards.
    census: Arc<Census>,
    /// What other shards know of ours.
    shared: Option<Arc<SharedDirectory>>,
    shard: ShardNo,
    timers: TimerQueue<Timer>,
    connecting: Connecting,
    /// Connections that have something to write.
    dirty: Vec<ConnectionId>,
    security: Arc<Security>,
    /// What became of connections since the core was told; ends apart, for they come after what was received.
    events: Vec<ConnectionEvent>,
    ends: Vec<ConnectionId>,
    /// The last number given.
    last: u64,
    scratch: Box<[u8]>,
}

impl Tcp {
    pub(crate) fn new(
        settings: &super::Settings,
        list: &Arc<ReadyList>,
        exchange: Option<&Exchange>,
    ) -> Self {
        let hasher = &settings.hasher;
        Self {
            limits: settings.limits,
            message: settings.message,
            counters: Arc::clone(&settings.counters),
            list: Arc::clone(list),
            listeners: BTreeMap::new(),
            connections: Map::with_hasher(hasher.clone()),
            directory: Directory::new(hasher),
            census: exchange.map_or_else(|| Arc::new(Census::new(hasher)), |e| Arc::clone(e.census())),
            shared: exchange.map(|e| Arc::clone(e.directory())),
            shard: exchange.map_or(ShardNo(0), Exchange::here),
            timers: TimerQueue::default(),
            connecting: Connecting::default(),
            dirty: Vec::new(),
            security: Arc::clone(&settings.security),
            events: Vec::new(),
            ends: Vec::new(),
            last: 0,
            scratch: vec![0; READ].into_boxed_slice(),
        }
    }

    /// Registers a bound socket with the runtime; it is on the list from the start.
    pub(crate) fn register(
        &mut self,
        id: ListenerId,
        bind: &Bind,
        socket: std::net::TcpListener,
    ) -> io::Result<()> {
        let local = socket.local_addr()?.ip();
        let source = Source::new(Kind::Listener(id), &self.list);
        source.requeue();
        let waker = Waker::from(Arc::clone(&source));
        let socket = TcpListener::from_std(socket)?;
        let Bind { network, transport, .. } = *bind;
        self.listeners.insert(id, Listener { socket, source, waker, local, network, transport });
        Ok(())
    }

    /// From now on handshakes begin with these settings.
    pub(crate) fn adopt(&mut self, security: Arc<Security>) {
        self.security = security;
    }

    /// What became of connections since the last call; the ends are told by [`ends`](Self::ends).
    pub(crate) fn events(&mut self) -> impl Iterator<Item = ConnectionEvent> {
        self.events.drain(..)
    }

    /// Connections that are over since the last call, of those that were told as secured.
    pub(crate) fn ends(&mut self) -> impl Iterator<Item = ConnectionEvent> {
        self.ends.drain(..).map(ConnectionEvent::Closed)
    }

    /// Uses a connection for another port of its peer too (RFC 5923 §8.2).
    pub(crate) fn alias(&mut self, id: ConnectionId, port: u16) {
        self.directory.alias(id, port);
    }

    /// Tells of the end of a connection, which may be silent for that long from now on.
    pub(crate) fn watch(&mut self, now: Now, id: ConnectionId, silence: Option<Duration>) {
        match self.connections.get_mut(&id) {
            Some(connection) => {
                connection.watch(silence);
                self.rearm(now, id);
            }
            None => self.ends.push(id),
        }
    }

    /// Takes the connections that have come.
    pub(crate) fn accept(&mut self, now: Now, id: ListenerId) {
        for _ in 0..ACCEPTS {
            let Some(listener) = self.listeners.get(&id) else { return };
            match listener.socket.poll_accept(&mut Context::from_waker(&listener.waker)) {
                Poll::Pending => return,
                Poll::Ready(Ok((stream, peer))) => self.admit(now, id, stream, peer),
                Poll::Ready(Err(error)) if is_the_peers(&error) => {}
                Poll::Ready(Err(_)) => {
                    self.counters.accept_failures.add(1);
                    self.timers.arm(now, REST, Timer::Accept(id));
                    return;
                }
            }
        }
        if let Some(listener) = self.listeners.get(&id) {
            listener.source.requeue();
        }
    }

    fn admit(&mut self, now: Now, listener: ListenerId, stream: TcpStream, peer: SocketAddr) {
        let Some(transport) = self.listeners.get(&listener).map(|l| l.transport) else { return };
        if !self.enter(peer) {
            // Dropped, and so closed.
            return;
        }
        // Without it messages would only be slower.
        let _ = stream.set_nodelay(true);
        let stream = match (transport.is_secure(), self.security.tls.server(listener)) {
            (true, Some(config)) => Stream::Opening(socket::take(stream, config.clone())),
            (false, _) => Stream::Open(Socket::Plain(stream)),
            (true, None) => {
                self.counters.handshakes_failed.add(1);
                return self.census.leave(peer.ip());
            }
        };
        self.counters.connections_accepted.add(1);
        let leads = if transport == Transport::Tcp { Leads::Anyone } else { Leads::Itself };
        let websocket = transport.is_websocket().then(|| self.security.websocket(listener));
        let start = Start { id: self.name(), listener, peer, stream, accepted: true, websocket };
        self.insert(now, start, leads);
    }

    /// Counts a connection in, unless a limit refuses it.
    fn enter(&self, peer: SocketAddr) -> bool {
        let full = match self.census.enter(peer.ip(), &self.limits) {
            Ok(()) => return true,
            Err(Full::Node) => &self.counters.connections_refused,
            Err(Full::Peer) => &self.counters.connections_refused_by_peer,
        };
        full.add(1);
        false
    }

    fn name(&mut self) -> ConnectionId {
        self.last += 1;
        ConnectionId::new(self.shard, self.last)
    }

    /// Keeps a connection that was counted in. Other shards may use one that leads to anyone; over TLS each has its own.
    fn insert(&mut self, now: Now, start: Start, leads: Leads) -> ConnectionId {
        let (id, listener, peer) = (start.id, start.listener, start.peer);
        self.connections.insert(id, Connection::new(start, &self.list, now.mono));
        if let Some(shared) = self.shared.as_ref().filter(|_| matches!(leads, Leads::Anyone)) {
            shared.enter(listener, peer, id);
        }
        self.directory.insert(id, listener, peer, leads);
        self.counters.connections.add(1);
        self.rearm(now, id);
        id
    }

    /// Queues a message on the connection that its destination means, which is opened if need be. Whoever cannot
    /// be sent goes to `failed`.
    pub(crate) fn transmit(&mut self, now: Now, transmit: Transmit, failed: &mut Vec<TransmitId>) {
        let id = match &transmit.to {
            Destination::Flow(flow) => self.on_flow(*flow),
            Destination::Open { listener, peer, domain } => {
                self.towards(now, *listener, *peer, domain.as_ref())
            }
            Destination::FlowOr { flow, peer, domain } => {
                self.on_flow(*flow).or_else(|| self.towards(now, flow.listener, *peer, domain.as_ref()))
            }
        };
        let Some((id, connection)) = id.and_then(|id| Some((id, self.connections.get_mut(&id)?))) else {
            return failed.push(transmit.id);
        };
        if let Err(refused) = connection.enqueue(transmit.id, transmit.bytes, self.limits.write_queue) {
            self.counters.write_queue_full.add(1);
            return failed.push(refused);
        }
        if !connection.dirty {
            connection.dirty = true;
            self.dirty.push(id);
        }
    }

    fn on_flow(&self, flow: Flow) -> Option<ConnectionId> {
        flow.connection.filter(|id| self.connections.get(id).is_some_and(Connection::is_usable))
    }

    /// The connection to use for an address, whichever shard's it is; over TLS one of our own.
    pub(crate) fn known(
        &self,
        listener: ListenerId,
        peer: SocketAddr,
        domain: Option<&Domain>,
    ) -> Option<ConnectionId> {
        let own = self.directory.find(listener, peer, domain);
        own.or_else(|| self.shared.as_ref().filter(|_| domain.is_none())?.find(listener, peer))
    }

    /// The connection to use, unless it is being closed.
    fn usable(
        &self,
        listener: ListenerId,
        peer: SocketAddr,
        domain: Option<&Domain>,
    ) -> Option<ConnectionId> {
        let known = self.directory.find(listener, peer, domain);
        known.filter(|id| self.connections.get(id).is_some_and(Connection::is_usable))
    }

    /// Makes progress with a connection that has work. What has come on it is appended to `inbox`.
    pub(crate) fn proceed(
        &mut self,
        now: Now,
        id: ConnectionId,
        inbox: &mut Vec<Bytes>,
        failed: &mut Vec<TransmitId>,
    ) -> Option<Flow> {
        let opening = self.connections.get(&id).is_some_and(Connection::is_opening);
        self.open(now, id, failed);
        let connection = self.connections.get_mut(&id)?;
        if opening && connection.is_open() {
            self.connecting.tell(id, true);
        }
        let flow = connection.flow;
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

    /// Makes progress with the opening of a connection.
    fn open(&mut self, now: Now, id: ConnectionId, failed: &mut Vec<TransmitId>) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let (flow, accepted) = (connection.flow, connection.accepted);
        match connection.open(now.mono, &self.counters) {
            Ok(None) => {}
            Ok(Some(peer)) => {
                let peer = Arc::new(peer);
                connection.told = true;
                self.directory.prove(id, Arc::clone(&peer));
                self.counters.handshakes.add(1);
                self.events.push(ConnectionEvent::Secured { flow, accepted, peer });
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
            }
        }
    }

    /// Sends a ping on a connection.
    pub(crate) fn ping(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.ping(self.limits.write_queue);
        }
        self.write_on(id);
    }

    /// Has a connection written to that has something for it.
    pub(crate) fn write_on(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        if connection.wants_flush() && !connection.dirty {
            connection.dirty = true;
            self.dirty.push(id);
        }
    }

    /// Writes what was queued.
    pub(crate) fn flush(&mut self, now: Now, failed: &mut Vec<TransmitId>) {
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

    /// Closes a connection for the core, after what it has sent on it.
    pub(crate) fn close(&mut self, now: Now, id: ConnectionId, failed: &mut Vec<TransmitId>) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        if connection.is_opening() {
            return self.end(id, Ending::Wanted, failed);
        }
        connection.close(now.mono);
        self.flush_one(now, id, failed);
    }
}

/// Whether accepting failed because of the connection and not because of us (accept(2)).
fn is_the_peers(error: &io::Error) -> bool {
    use io::ErrorKind::{
        ConnectionAborted, ConnectionReset, HostUnreachable, NetworkDown, NetworkUnreachable,
        PermissionDenied,
    };
    matches!(
        error.kind(),
        ConnectionAborted
            | ConnectionReset
            | HostUnreachable
            | NetworkDown
            | NetworkUnreachable
            | PermissionDenied
    )
}
