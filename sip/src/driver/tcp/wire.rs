//! A connection's stream, with the waker that puts the connection on the list.

use super::super::connections::{OpenError, Wire, Wires};
use super::super::ready::{Kind, Source};
use super::super::tls::Peer;
use super::socket::{self, Opening, Socket, bound_socket};
use super::{Listener, Streams};
use crate::flow::{ConnectionId, Domain, ListenerId, Transport};
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use tokio::io::ReadBuf;
use tokio::net::TcpStream;

/// A stream, or what will be one.
enum Stream {
    Opening(Opening),
    Open(Socket),
}

/// A stream on the list of its driver.
pub(crate) struct SocketWire {
    stream: Stream,
    waker: Waker,
    source: Arc<Source>,
}

impl Streams {
    pub(super) fn transport_of(&self, listener: ListenerId) -> Option<Transport> {
        self.listeners.get(&listener).map(|listener| listener.transport)
    }

    /// The wire of a connection that a peer has opened; `None` where there is no certificate for it.
    pub(super) fn accepted(
        &self,
        id: ConnectionId,
        listener: ListenerId,
        transport: Transport,
        stream: TcpStream,
    ) -> Option<SocketWire> {
        let stream = if transport.is_secure() {
            let server = self.security.tls.server(listener)?;
            Stream::Opening(socket::take(stream, Arc::clone(server)))
        } else {
            Stream::Open(Socket::Plain(stream))
        };
        Some(self.wire(id, stream))
    }

    fn wire(&self, id: ConnectionId, stream: Stream) -> SocketWire {
        let source = Source::new(Kind::Connection(id), &self.list);
        SocketWire { stream, waker: Arc::clone(&source).into(), source }
    }
}

impl Wires for Streams {
    type Wire = SocketWire;

    fn transport(&self, listener: ListenerId) -> Option<Transport> {
        self.transport_of(listener)
    }

    fn open(
        &mut self,
        id: ConnectionId,
        listener: ListenerId,
        peer: SocketAddr,
        domain: Option<&Domain>,
    ) -> Option<SocketWire> {
        let Listener { local, network, dscp, .. } = *self.listeners.get(&listener)?;
        let client = match domain {
            Some(domain) => Some((Arc::clone(self.security.tls.client(network)?), domain.clone())),
            None => None,
        };
        let socket = bound_socket((local, dscp), peer).ok()?;
        let opening = match client {
            Some((client, domain)) => socket::connect_securely(socket, peer, client, domain),
            None => socket::connect(socket, peer),
        };
        Some(self.wire(id, Stream::Opening(opening)))
    }
}

impl Wire for SocketWire {
    fn poll_open(&mut self) -> Poll<Result<Option<Peer>, OpenError>> {
        let Stream::Opening(opening) = &mut self.stream else { return Poll::Ready(Ok(None)) };
        opening.as_mut().poll(&mut Context::from_waker(&self.waker)).map_ok(|(socket, peer)| {
            self.stream = Stream::Open(socket);
            peer
        })
    }

    fn poll_read(&mut self, into: &mut [u8]) -> Poll<io::Result<usize>> {
        let Stream::Open(socket) = &mut self.stream else { return Poll::Pending };
        let mut buffer = ReadBuf::new(into);
        let polled = socket.poll_read(&mut Context::from_waker(&self.waker), &mut buffer);
        polled.map_ok(|()| buffer.filled().len())
    }

    fn poll_write(&mut self, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let Stream::Open(socket) = &mut self.stream else { return Poll::Pending };
        socket.poll_write_vectored(&mut Context::from_waker(&self.waker), slices)
    }

    fn poll_flush(&mut self) -> Poll<io::Result<()>> {
        let Stream::Open(socket) = &mut self.stream else { return Poll::Pending };
        socket.poll_flush(&mut Context::from_waker(&self.waker))
    }

    fn shut_down(&mut self) {
        if let Stream::Open(socket) = &mut self.stream {
            socket.shut_down(&mut Context::from_waker(&self.waker));
        }
    }

    fn requeue(&self) {
        self.source.requeue();
    }
}
