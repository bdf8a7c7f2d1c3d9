//! Where bytes come from and go to: transports, listeners, flows.

use crate::home::ShardNo;
use std::net::SocketAddr;
use std::sync::Arc;

/// A transport protocol as the Via header field names it (RFC 3261 §18, RFC 7118 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Transport {
    /// Datagrams; every transaction retransmits.
    Udp,
    /// A stream of messages framed by Content-Length.
    Tcp,
    /// The same over TLS (RFC 3261 §26.2.1).
    Tls,
    /// One message in each WebSocket message (RFC 7118); taken, never opened by us.
    Ws,
    /// The same over TLS.
    Wss,
}

impl Transport {
    /// Every transport.
    pub const ALL: [Self; 5] = [Self::Udp, Self::Tcp, Self::Tls, Self::Ws, Self::Wss];

    /// The token of the Via header field (RFC 3261 §20.42, RFC 7118 §5.1).
    pub fn via_token(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::Ws => "WS",
            Self::Wss => "WSS",
        }
    }

    /// The token in small letters: its name in configuration and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Ws => "ws",
            Self::Wss => "wss",
        }
    }

    /// The value of the `transport` URI parameter (RFC 3261 §19.1.1). That of a secure WebSocket is `ws` too
    /// (RFC 7118 §5.2).
    pub fn uri_param(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Ws | Self::Wss => "ws",
        }
    }

    /// Reads a Via token, ignoring case; `None` for a transport that we lack.
    pub fn from_token(token: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|t| t.via_token().eq_ignore_ascii_case(token))
    }

    /// The transport that a SIP or SIPS URI asks for by its scheme and `transport` parameter (RFC 3261 §26.2.2,
    /// RFC 7118 §5.5): `sips` adds TLS to what runs over TCP. The deprecated `transport=tls`, and `wss`, are
    /// understood. `None` for a transport that we lack, and for `sips` over UDP.
    pub fn asked_by(secure: bool, parameter: &str) -> Option<Self> {
        match (Self::from_token(parameter)?, secure) {
            (Self::Udp, true) => None,
            (Self::Tcp, true) => Some(Self::Tls),
            (Self::Ws, true) => Some(Self::Wss),
            (transport, _) => Some(transport),
        }
    }

    /// Whether the transport itself repeats what is lost, so that transactions do not (RFC 3261 §17).
    pub fn is_reliable(self) -> bool {
        !matches!(self, Self::Udp)
    }

    /// Whether it runs over TLS.
    pub fn is_secure(self) -> bool {
        matches!(self, Self::Tls | Self::Wss)
    }

    /// Whether messages travel in WebSocket messages.
    pub fn is_websocket(self) -> bool {
        matches!(self, Self::Ws | Self::Wss)
    }

    /// The port that is meant where none is written (RFC 3261 §18.2.2, §19.1.2, RFC 7118 §5.5).
    pub fn default_port(self) -> u16 {
        match self {
            Self::Udp | Self::Tcp => 5060,
            Self::Tls => 5061,
            Self::Ws => 80,
            Self::Wss => 443,
        }
    }
}

/// The SIP domain that the other end of a connection has to prove (RFC 5922 §7.3): the host of the URI that the
/// target was found by, whatever address it has. In small letters, without a dot at the end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Domain(Arc<str>);

impl Domain {
    /// The domain of a host.
    pub fn new(host: &str) -> Self {
        let host = host.strip_suffix('.').unwrap_or(host);
        Self(host.to_ascii_lowercase().into())
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
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
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Destination {
    /// On this flow only.
    Flow(Flow),
    /// On any connection of the listener to that address: one that is open, else a new one.
    Open {
        /// The listener of ours whose network and transport are used.
        listener: ListenerId,
        /// The address to reach.
        peer: SocketAddr,
        /// Over TLS: whom the connection must lead to.
        domain: Option<Domain>,
    },
    /// On the flow while it lasts, else on a connection opened to the address: how a response travels over
    /// a stream (RFC 3261 §18.2.2).
    FlowOr {
        /// The flow that the request came on.
        flow: Flow,
        /// Where to connect once the flow is gone.
        peer: SocketAddr,
        /// Over TLS: whom the new connection must lead to.
        domain: Option<Domain>,
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

    /// Whom a connection that is opened for it must lead to.
    pub fn domain(&self) -> Option<&Domain> {
        match self {
            Self::Flow(_) => None,
            Self::Open { domain, .. } | Self::FlowOr { domain, .. } => domain.as_ref(),
        }
    }

    /// The connection that it goes on, where it is for one.
    pub fn connection(&self) -> Option<ConnectionId> {
        match self {
            Self::Flow(flow) | Self::FlowOr { flow, .. } => flow.connection,
            Self::Open { .. } => None,
        }
    }
}
