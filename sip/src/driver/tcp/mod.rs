//! Connections: accepted, opened, used again, limited.

mod connecting;
mod connection;

use super::Map;
use super::counters::Counters;
use super::ready::{Kind, ReadyList, Source};
use super::settings::Limits;
use crate::action::{Transmit, TransmitId};
use crate::flow::{ConnectionId, Destination, Flow, ListenerId};
use crate::time::{Mono, Now};
use crate::timers::TimerQueue;
use bytes::Bytes;
use connecting::Connecting;
use connection::{Connection, Ending, Reader, Stream};
use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, TcpStream};

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
}

/// Who waits for a deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    Connection(ConnectionId),
    Accept(ListenerId),
}

/// All that a driver has of TCP.
pub(crate) struct Tcp {
    limits: Limits,
    message: sip_types::Limits,
    counters: Arc<Counters>,
    list: Arc<ReadyList>,
    listeners: BTreeMap<ListenerId, Listener>,
    connections: Map<ConnectionId, Connection>,
    /// The connection to use for an address.
    by_peer: Map<(ListenerId, SocketAddr), ConnectionId>,
    /// Connections by peer address.
    held: Map<IpAddr, usize>,
    timers: TimerQueue<Timer>,
    connecting: Connecting,
    /// Connections that have something to write.
    dirty: Vec<ConnectionId>,
    /// The last number given.
    last: u64,
    scratch: Box<[u8]>,
}

impl Tcp {
    pub(crate) fn new(settings: &super::Settings, list: &Arc<ReadyList>) -> Self {
        let hasher = &settings.hasher;
        Self {
            limits: settings.limits,
            message: settings.message,
            counters: Arc::clone(&settings.counters),
            list: Arc::clone(list),
            listeners: BTreeMap::new(),
            connections: Map::with_hasher(hasher.clone()),
            by_peer: Map::with_hasher(hasher.clone()),
            held: Map::with_hasher(hasher.clone()),
            timers: TimerQueue::default(),
            connecting: Connecting::default(),
            dirty: Vec::new(),
            last: 0,
            scratch: vec![0; READ].into_boxed_slice(),
        }
    }

    /// Registers a bound socket with the runtime; it is on the list from the start.
    pub(crate) fn register(&mut self, id: ListenerId, socket: std::net::TcpListener) -> io::Result<()> {
        let local = socket.local_addr()?.ip();
        let source = Source::new(Kind::Listener(id), &self.list);
        source.requeue();
        let waker = Waker::from(Arc::clone(&source));
        let socket = TcpListener::from_std(socket)?;
        self.listeners.insert(id, Listener { socket, source, waker, local });
        Ok(())
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
        if !self.has_room(peer) {
            // Dropped, and so closed.
            return;
        }
        // Without it messages would only be slower.
        let _ = stream.set_nodelay(true);
        self.counters.connections_accepted.add(1);
        self.insert(now, listener, peer, Stream::Open(stream));
    }

    fn has_room(&self, peer: SocketAddr) -> bool {
        let held = self.held.get(&peer.ip()).copied().unwrap_or_default();
        let room =
            self.connections.len() < self.limits.connections && held < self.limits.connections_per_peer;
        if !room {
            self.counters.connections_refused.add(1);
        }
        room
    }

    fn insert(&mut self, now: Now, listener: ListenerId, peer: SocketAddr, stream: Stream) -> ConnectionId {
        self.last += 1;
        let id = ConnectionId(self.last);
        let connection = Connection::new(id, listener, peer, stream, &self.list, now.mono);
        self.connections.insert(id, connection);
        self.by_peer.insert((listener, peer), id);
        *self.held.entry(peer.ip()).or_default() += 1;
        self.counters.connections.add(1);
        self.rearm(now, id);
        id
    }

    /// Queues a message on the connection that its destination means, which is opened if need be. Whoever cannot
    /// be sent goes to `failed`.
    pub(crate) fn transmit(&mut self, now: Now, transmit: Transmit, failed: &mut Vec<TransmitId>) {
        let id = match transmit.to {
            Destination::Flow(flow) => self.on_flow(flow),
            Destination::Open { listener, peer } => self.towards(now, listener, peer),
            Destination::FlowOr { flow, peer } => {
                self.on_flow(flow).or_else(|| self.towards(now, flow.listener, peer))
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
        flow.connection.filter(|id| self.connections.contains_key(id))
    }

    fn towards(&mut self, now: Now, listener: ListenerId, peer: SocketAddr) -> Option<ConnectionId> {
        if let Some(id) = self.by_peer.get(&(listener, peer)) {
            return Some(*id);
        }
        let local = self.listeners.get(&listener)?.local;
        if !self.has_room(peer) {
            return None;
        }
        let Ok(socket) = bound_socket(local, peer) else {
            self.counters.connect_failures.add(1);
            return None;
        };
        Some(self.insert(now, listener, peer, Stream::Opening(Box::pin(socket.connect(peer)))))
    }

    /// Makes progress with a connection that has work. What has come on it is appended to `inbox`.
    pub(crate) fn proceed(
        &mut self,
        now: Now,
        id: ConnectionId,
        inbox: &mut Vec<Bytes>,
        failed: &mut Vec<TransmitId>,
    ) -> Option<Flow> {
        let connection = self.connections.get_mut(&id)?;
        let flow = connection.flow;
        let mut reader = Reader {
            scratch: &mut self.scratch,
            message: &self.message,
            limits: &self.limits,
            counters: &self.counters,
        };
        let opening = !connection.is_open();
        let proceeded = connection.proceed(now.mono, &mut reader, inbox);
        if opening && connection.is_open() {
            self.connecting.tell(id, true);
        }
        if connection.wants_flush() && !connection.dirty {
            connection.dirty = true;
            self.dirty.push(id);
        }
        match proceeded {
            Ok(()) => self.rearm(now, id),
            Err(ending) => self.end(id, ending, failed),
        }
        Some(flow)
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
        self.flush_one(now, id, failed);
        self.end(id, Ending::Wanted, failed);
    }

    fn end(&mut self, id: ConnectionId, ending: Ending, failed: &mut Vec<TransmitId>) {
        let Some(connection) = self.connections.remove(&id) else { return };
        self.connecting.tell(id, false);
        let (listener, peer) = (connection.flow.listener, connection.flow.peer);
        if self.by_peer.get(&(listener, peer)) == Some(&id) {
            self.by_peer.remove(&(listener, peer));
        }
        if let Some(held) = self.held.get_mut(&peer.ip()) {
            *held = held.saturating_sub(1);
            if *held == 0 {
                self.held.remove(&peer.ip());
            }
        }
        self.counters.connections.sub(1);
        match ending {
            Ending::NotOpened => self.counters.connect_failures.add(1),
            Ending::Unframed => self.counters.connections_unframed.add(1),
            Ending::Stalled => self.counters.connections_stalled.add(1),
            Ending::Dawdling => self.counters.connections_dawdling.add(1),
            Ending::Idle => self.counters.connections_idle.add(1),
            Ending::Closed | Ending::Broken | Ending::Wanted => {}
        }
        failed.extend(connection.unsent());
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called.
    pub(crate) fn poll_timeout(&self) -> Option<Mono> {
        self.timers.next()
    }

    /// Ends what has come to its deadline.
    pub(crate) fn handle_timeout(&mut self, now: Now, failed: &mut Vec<TransmitId>) {
        while let Some(timer) = self.timers.pop_due(now) {
            match timer {
                Timer::Accept(id) => self.listeners.get(&id).into_iter().for_each(|l| l.source.requeue()),
                Timer::Connection(id) => self.deadline_heard(now, id, failed),
            }
        }
    }

    fn deadline_heard(&mut self, now: Now, id: ConnectionId, failed: &mut Vec<TransmitId>) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        // An earlier one than the last that was set was heard before.
        if connection.armed.is_some_and(|at| at > now.mono) {
            return;
        }
        connection.armed = None;
        match connection.deadline(&self.limits) {
            (at, ending) if at <= now.mono => self.end(id, ending, failed),
            _ => self.rearm(now, id),
        }
    }

    /// Sets the timer of a connection, unless it will be heard early enough.
    fn rearm(&mut self, now: Now, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let (at, _) = connection.deadline(&self.limits);
        let heard = at.min(now.mono + TimerQueue::<Timer>::HOP);
        if connection.armed.is_none_or(|armed| heard < armed) {
            connection.armed = Some(heard);
            self.timers.arm_at(now, heard, Timer::Connection(id));
        }
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

/// A socket that leaves by the address of the listener, so that the peer sees the network that it belongs to.
fn bound_socket(local: IpAddr, peer: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if local.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_nodelay(true)?;
    if !local.is_unspecified() && local.is_ipv4() == peer.is_ipv4() {
        socket.bind(SocketAddr::new(local, 0))?;
    }
    Ok(socket)
}
