//! A network as its media sees it.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::sync::Arc;

use crate::ice::traversal::Traversal;
use crate::{Ice, NetworkId};

/// Where media of a network is bound, what is told to peers, and whose packets are taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaNetwork {
    /// The network.
    pub id: NetworkId,
    /// The address that ports are bound on.
    pub bind: IpAddr,
    /// The address that descriptions state, when it is another one (a static NAT in front of us). Same family as
    /// `bind`. Default: `bind`.
    pub advertised: Option<IpAddr>,
    /// The ports to bind; used in pairs of an even port for RTP and the next odd one for RTCP (RFC 3550 §11).
    pub ports: RangeInclusive<u16>,
    /// Whose packets are taken.
    pub latching: Latching,
    /// What is done about ICE.
    pub ice: Ice,
    /// What its packets of media are marked with.
    pub marks: Marks,
    /// How the NAT is crossed that its ports are behind; ICE is that of a full agent then. Default: they are behind none.
    pub traversal: Option<Arc<Traversal>>,
}

impl MediaNetwork {
    /// The address that descriptions state.
    #[must_use]
    pub fn address(&self) -> IpAddr {
        self.advertised.unwrap_or(self.bind)
    }
}

/// Whose packets a stream takes, where neither ICE nor SRTP decides (RFC 7362).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Latching {
    /// Peers are not behind NAT: only the address of their description, and media goes there. The default.
    #[default]
    Described,
    /// Peers are behind NAT: only the address that their signalling comes from, from any port; media goes where
    /// theirs came from.
    SignallingSource,
    /// Peers that are reached on their flow, whatever made them so: as with [`Self::SignallingSource`] where the address of
    /// their description is private, or that of their signalling; else as with [`Self::Described`], since their media is
    /// somewhere else.
    SignallingIfPrivate,
    /// Any address at all. Whoever sends first, gets the media: only for networks that are closed otherwise.
    AnySource,
}

/// What packets of media are marked with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Marks {
    /// Their DSCP.
    pub dscp: Dscp,
    /// Whether ECN is that of the packet that they are made of (RFC 3168 §5); else they are not ECN-capable.
    pub ecn: bool,
}

/// The differentiated services code point of packets (RFC 2474 §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dscp {
    /// That one, of six bits.
    Stated(u8),
    /// That of the packet that they are made of.
    Copied,
}

impl Default for Dscp {
    /// Best effort.
    fn default() -> Self {
        Self::Stated(0)
    }
}
