//! Streams over TCP (RFC 4145): connections that are taken and made in place of datagrams, and what comes by the one of one leg goes by
//! that of the other. TLS within them is between the peers (RFC 8122), and goes through unread.
//!
//! All of it is on a thread of its own: the one that relays datagrams never waits for a connection. A stream has the port number of the
//! pair that is borrowed for it. What is not taken by one side is not read from the other: neither has more than [`MOST_WAITING`] octets
//! here.

mod connection;
mod end;
mod gauges;
mod link;
mod poller;
mod worker;

use std::net::SocketAddr;
use std::sync::Arc;

use super::Sources;
use crate::msrp::Paths;
use crate::{ContextId, Counters, NetworkId, PairId};
pub(super) use gauges::Shared;
pub use gauges::TcpGauges;
pub(super) use link::{Errand, ToTcp, connect};
pub(super) use worker::Worker;

/// Octets for one side that wait until it takes them, at which nothing more is read from the other side.
const MOST_WAITING: usize = 65_536;

/// Who makes the connection of a stream (RFC 4145 §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// The peer.
    Theirs,
    /// We do.
    Ours,
    /// Nobody for now (`holdconn`).
    Nobodys,
}

/// One leg's end of a stream over TCP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// Where its description says that it is.
    pub remote: SocketAddr,
    /// Whose connections are taken.
    pub sources: Sources,
    /// Who makes them.
    pub opening: Opening,
    /// Counts up when descriptions agree on another connection in place of the one that there is (RFC 4145 §5).
    pub connection: u32,
    /// The end that what comes by it goes to.
    pub peer: Option<ContextId>,
    /// The paths that messages of MSRP get that go to it.
    pub paths: Option<Paths>,
}

/// What the thread is to do.
#[derive(Debug, Clone)]
pub enum Order {
    /// Takes connections at a port, of whomever its end is by what comes later; or sets up that end, or changes it.
    Set {
        /// Which.
        context: ContextId,
        /// The port, and the network that it is of.
        at: (NetworkId, u16),
        /// The end.
        stream: Option<Box<Stream>>,
        /// Where its octets are counted: what is read or written at a time as a packet.
        counters: Arc<Counters>,
    },
    /// Forgets an end.
    Clear {
        /// Which.
        context: ContextId,
    },
    /// Forgets all ends at a port, and takes no more connections there.
    Release {
        /// Which.
        pair: PairId,
    },
}

impl Order {
    /// The ports that it is about.
    #[must_use]
    pub fn pair(&self) -> PairId {
        match self {
            Self::Set { context, .. } | Self::Clear { context } => context.pair,
            Self::Release { pair } => *pair,
        }
    }
}
