//! Where bytes come from and go to: transports, listeners, flows.

use crate::home::ShardNo;
use std::net::SocketAddr;

/// A transport protocol as the Via header field names it (RFC 3261 §18).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Transport {
    /// Datagrams; every transaction retransmits.
    Udp,
    /// A stream of messages framed by Content-Length.
    Tcp,
}

impl Transport {
    /// The token of the Via header field (RFC 3261 §20.42).
    pub fn via_token(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
        }
    }

    /// The value of the `transport` URI parameter (RFC 3261 §19.1.1).
    pub fn uri_param(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
        }
    }

    /// Reads a Via token or a `transport` parameter, ignoring case; `None` for a transport that we lack.
    pub fn from_token(token: &str) -> Option<Self> {
        [Self::Udp, Self::Tcp].into_iter().find(|t| t.via_token().eq_ignore_ascii_case(token))
    }

    /// Whether the transport itself repeats what is lost, so that transactions do not (RFC 3261 §17).
    pub fn is_reliable(self) -> bool {
        match self {
            Self::Udp => false,
            Self::Tcp => true,
        }
    }

    /// The port that is meant where none is written (RFC 3261 §18.2.2, §19.1.2).
    pub fn default_port(self) -> u16 {
        5060
    }
}

/// One socket address and transport in a network; an index into [`Settings::listeners`](crate::Settings).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ListenerId(pub u16);

/// A side of the border: the listeners that share it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NetworkId(pub u16);

/// A connection of a driver: which shard's it is, and its number there. The same is never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub u64);

impl ConnectionId {
    /// Bits of the number, below those of the shard: at a million connections a second they last for two thousand years.
    const NUMBER: u32 = 56;

    /// The connection with that number of that shard.
    pub(crate) fn new(shard: ShardNo, number: u64) -> Self {
        Self((u64::from(shard.0) << Self::NUMBER) | number)
    }

    /// The shard that owns it.
    pub fn shard(self) -> ShardNo {
        let [shard, ..] = self.0.to_be_bytes();
        ShardNo(shard)
    }
}

/// An association between one of our listeners and a peer (RFC 5626 §2): a connection, or the datagrams
/// that two addresses exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Flow {
    /// The listener of ours; it also names network and transport.
    pub listener: ListenerId,
    /// The address that the peer's bytes come from.
    pub peer: SocketAddr,
    /// The connection, on a stream transport.
    pub connection: Option<ConnectionId>,
}

/// Where to send a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Destination {
    /// On this flow only.
    Flow(Flow),
    /// On any connection of the listener to that address: one that is open, else a new one.
    Open {
        /// The listener of ours whose network and transport are used.
        listener: ListenerId,
        /// The address to reach.
        peer: SocketAddr,
    },
    /// On the flow while it lasts, else on a connection opened to the address: how a response travels over
    /// a stream (RFC 3261 §18.2.2).
    FlowOr {
        /// The flow that the request came on.
        flow: Flow,
        /// Where to connect once the flow is gone.
        peer: SocketAddr,
    },
}

impl Destination {
    /// The listener of ours.
    pub fn listener(&self) -> ListenerId {
        match self {
            Self::Flow(flow) | Self::FlowOr { flow, .. } => flow.listener,
            Self::Open { listener, .. } => *listener,
        }
    }

    /// The peer's address.
    pub fn peer(&self) -> SocketAddr {
        match self {
            Self::Flow(flow) | Self::FlowOr { flow, .. } => flow.peer,
            Self::Open { peer, .. } => *peer,
        }
    }
}
