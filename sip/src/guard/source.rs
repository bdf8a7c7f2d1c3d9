//! What counts as one source.

use crate::flow::{Flow, ListenerId};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The bits of an address that make its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefixes {
    /// Of an IPv4 address.
    pub ipv4: u8,
    /// Of an IPv6 address: a subscriber has a /64.
    pub ipv6: u8,
}

impl Prefixes {
    /// The first address of the source that an address is of. An IPv4 address in IPv6 is IPv4.
    #[must_use]
    pub fn of(self, address: IpAddr) -> IpAddr {
        match address.to_canonical() {
            IpAddr::V4(ip) => {
                let mask = u32::MAX.checked_shl(32_u32.saturating_sub(self.ipv4.into())).unwrap_or(0);
                IpAddr::V4(Ipv4Addr::from_bits(ip.to_bits() & mask))
            }
            IpAddr::V6(ip) => {
                let mask = u128::MAX.checked_shl(128_u32.saturating_sub(self.ipv6.into())).unwrap_or(0);
                IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & mask))
            }
        }
    }
}

/// Whom the guard holds to account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Suspect {
    /// All of a source.
    Source {
        /// Its first address.
        address: IpAddr,
        /// The bits that make it.
        bits: u8,
    },
    /// One address and port, at a listener, of a source that somebody shares who has proved to be a user.
    Flow(ListenerId, SocketAddr),
}

impl Suspect {
    pub(super) fn source(prefixes: Prefixes, flow: &Flow) -> Self {
        let address = prefixes.of(flow.peer.ip());
        let bits = if address.is_ipv4() { prefixes.ipv4 } else { prefixes.ipv6 };
        Self::Source { address, bits }
    }

    pub(super) fn flow(flow: &Flow) -> Self {
        Self::Flow(flow.listener, flow.peer)
    }
}

/// `192.0.2.66`, `2001:db8:0:1::/64`, and of a flow `192.0.2.66:5060`.
impl fmt::Display for Suspect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source { address, bits } if *bits == if address.is_ipv4() { 32 } else { 128 } => {
                write!(f, "{address}")
            }
            Self::Source { address, bits } => write!(f, "{address}/{bits}"),
            Self::Flow(_, peer) => write!(f, "{peer}"),
        }
    }
}
