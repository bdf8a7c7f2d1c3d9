//! What a core is told of connections.

use super::super::tls::Peer;
use crate::flow::{ConnectionId, Flow, ListenerId};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

/// What becomes of connections, for whoever decides by it.
#[derive(Debug)]
pub enum ConnectionEvent {
    /// A handshake has shown who the other end is, before anything else came of it.
    Secured {
        /// The connection.
        flow: Flow,
        /// Whether the peer opened it.
        accepted: bool,
        /// The other end.
        peer: Arc<Peer>,
    },
    /// A handshake failed.
    Insecure {
        /// The listener of ours.
        listener: ListenerId,
        /// The address of the other end.
        peer: SocketAddr,
        /// Whether the peer opened it.
        accepted: bool,
        /// What TLS says.
        why: io::Error,
    },
    /// A connection has brought the pong to a ping of ours.
    Ponged(ConnectionId),
    /// A connection that was told as secured, or that is watched, is over.
    Closed(ConnectionId),
}

impl ConnectionEvent {
    /// The same for other shards, where it concerns them: failures don't.
    pub(crate) fn shared(&self) -> Option<Self> {
        match self {
            Self::Secured { flow, accepted, peer } => {
                Some(Self::Secured { flow: *flow, accepted: *accepted, peer: Arc::clone(peer) })
            }
            Self::Ponged(id) => Some(Self::Ponged(*id)),
            Self::Closed(id) => Some(Self::Closed(*id)),
            Self::Insecure { .. } => None,
        }
    }
}
