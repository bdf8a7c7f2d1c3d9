//! What connections run over.

use super::super::tls::Peer;
use crate::flow::{ConnectionId, Domain, ListenerId, Transport};
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::task::Poll;

/// The wires that a [`Table`](super::Table) is given: sockets, or those of a simulation.
pub trait Wires {
    /// One of them.
    type Wire: Wire;

    /// What a listener's connections speak; `None` for one that takes no connections.
    fn transport(&self, listener: ListenerId) -> Option<Transport>;

    /// Begins to open a wire from the address of a listener to a peer, over TLS to whom the domain belongs to. `None` if
    /// that cannot even begin.
    fn open(
        &mut self,
        id: ConnectionId,
        listener: ListenerId,
        peer: SocketAddr,
        domain: Option<&Domain>,
    ) -> Option<Self::Wire>;
}

/// One stream of bytes. Nothing waits: what cannot be done now is [`Pending`](Poll::Pending), and the wire sees to it that
/// [`Table::proceed`](super::Table::proceed) is called once it can. A wire that is dropped is closed.
pub trait Wire {
    /// Makes progress with opening. Ready once bytes can travel, with what the handshake has proved over TLS.
    fn poll_open(&mut self) -> Poll<Result<Option<Peer>, OpenError>>;

    /// Reads what has come; nothing at all is the end.
    fn poll_read(&mut self, into: &mut [u8]) -> Poll<io::Result<usize>>;

    /// Writes as much as is taken, and tells how much.
    fn poll_write(&mut self, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>>;

    /// Hands to the network what the wire still holds.
    fn poll_flush(&mut self) -> Poll<io::Result<()>>;

    /// Closes our side, as far as that needs no waiting; over TLS the peer is told (RFC 5246 §7.2.1).
    fn shut_down(&mut self);

    /// Has [`Table::proceed`](super::Table::proceed) called again although nothing new has come.
    fn requeue(&self);
}

/// Why a wire did not open.
#[derive(Debug)]
pub enum OpenError {
    /// The peer takes no connection.
    Connect,
    /// The TLS handshake failed.
    Handshake(io::Error),
}
