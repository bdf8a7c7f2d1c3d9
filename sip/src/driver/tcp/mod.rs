//! Connections over sockets: listeners that accept, and what the [`Table`] of connections runs over.

mod socket;
mod wire;

use super::connections::{Place, Table};
use super::exchange::{Census, Exchange};
use super::ready::{Kind, ReadyList, Source};
use super::security::Security;
use super::sockets::Bind;
use crate::action::TransmitId;
use crate::flow::{ListenerId, NetworkId, Transport};
use crate::home::ShardNo;
use crate::time::{Mono, Now};
use crate::timers::TimerQueue;
use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};

/// Connections accepted from one listener before others have their turn.
const ACCEPTS: usize = 64;
/// How long accepting rests when the system has no descriptors or memory for more.
const REST: Duration = Duration::from_millis(100);

struct Listener {
    socket: TcpListener,
    source: Arc<Source>,
    waker: Waker,
    local: IpAddr,
    network: NetworkId,
    transport: Transport,
    dscp: u8,
}

/// What makes the wires of connections: the listeners, and whom they are opened for.
pub(crate) struct Streams {
    list: Arc<ReadyList>,
    listeners: BTreeMap<ListenerId, Listener>,
    security: Arc<Security>,
}

/// All that a driver has of TCP, and of what runs over it.
pub(crate) struct Tcp {
    pub(super) table: Table<Streams>,
    counters: Arc<super::counters::Counters>,
    /// Listeners that rest.
    resting: TimerQueue<ListenerId>,
}

impl Tcp {
    pub(crate) fn new(
        settings: &super::Settings,
        list: &Arc<ReadyList>,
        exchange: Option<&Exchange>,
    ) -> Self {
        let hasher = &settings.hasher;
        let place = Place {
            shard: exchange.map_or(ShardNo(0), Exchange::here),
            census: exchange.map_or_else(|| Arc::new(Census::new(hasher)), |e| Arc::clone(e.census())),
            shared: exchange.map(|e| Arc::clone(e.directory())),
        };
        let streams = Streams {
            list: Arc::clone(list),
            listeners: BTreeMap::new(),
            security: Arc::clone(&settings.security),
        };
        let counters = Arc::clone(&settings.counters);
        let mut table = Table::at(place, streams, settings.limits, settings.message, counters, hasher);
        table.know(Arc::clone(&settings.security.peers));
        Self { table, counters: Arc::clone(&settings.counters), resting: TimerQueue::default() }
    }

    /// Registers a bound socket with the runtime; it is on the list from the start.
    pub(crate) fn register(
        &mut self,
        id: ListenerId,
        bind: &Bind,
        socket: std::net::TcpListener,
    ) -> io::Result<()> {
        let local = socket.local_addr()?.ip();
        let streams = self.table.wires();
        let source = Source::new(Kind::Listener(id), &streams.list);
        source.requeue();
        let waker = Waker::from(Arc::clone(&source));
        let socket = TcpListener::from_std(socket)?;
        let Bind { network, transport, dscp, .. } = *bind;
        streams.listeners.insert(id, Listener { socket, source, waker, local, network, transport, dscp });
        Ok(())
    }

    /// From now on handshakes begin with these settings.
    pub(crate) fn adopt(&mut self, security: Arc<Security>) {
        self.table.know(Arc::clone(&security.peers));
        self.table.wires().security = security;
    }

    /// Takes the connections that have come, of those peers that `takes` tells.
    pub(crate) fn accept(&mut self, now: Now, id: ListenerId, mut takes: impl FnMut(SocketAddr) -> bool) {
        for _ in 0..ACCEPTS {
            let Some(listener) = self.table.wires().listeners.get(&id) else { return };
            match listener.socket.poll_accept(&mut Context::from_waker(&listener.waker)) {
                Poll::Pending => return,
                Poll::Ready(Ok((stream, peer))) if takes(peer) => self.admit(now, id, stream, peer),
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(error)) if is_the_peers(&error) => {}
                Poll::Ready(Err(_)) => {
                    self.counters.accept_failures.add(1);
                    self.resting.arm(now, REST, id);
                    return;
                }
            }
        }
        self.requeue(id);
    }

    /// Has a listener looked at again.
    fn requeue(&mut self, id: ListenerId) {
        if let Some(listener) = self.table.wires().listeners.get(&id) {
            listener.source.requeue();
        }
    }

    fn admit(&mut self, now: Now, listener: ListenerId, stream: TcpStream, peer: SocketAddr) {
        // Without it messages would only be slower.
        let _ = stream.set_nodelay(true);
        let streams = self.table.wires();
        let Some(transport) = streams.transport_of(listener) else { return };
        let websocket = transport.is_websocket().then(|| streams.security.websocket(listener));
        // One that is refused is dropped, and so closed.
        self.table.admit(now, listener, peer, websocket, |streams, id| {
            streams.accepted(id, listener, transport, stream)
        });
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called.
    pub(crate) fn poll_timeout(&self) -> Option<Mono> {
        [self.resting.next(), self.table.poll_timeout()].into_iter().flatten().min()
    }

    /// Ends what has come to its deadline, and lets listeners accept that have rested.
    pub(crate) fn handle_timeout(&mut self, now: Now, failed: &mut Vec<TransmitId>) {
        while let Some(id) = self.resting.pop_due(now) {
            self.requeue(id);
        }
        self.table.handle_timeout(now, failed);
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
