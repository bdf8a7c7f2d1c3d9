//! Where a URI is to be reached (RFC 3263, for numeric hosts and A/AAAA records).

use crate::event::Unreachable;
use crate::flow::Transport;
use sip_types::{Host, Scheme, Uri};
use std::net::IpAddr;

/// What a URI says about the next hop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NextHop {
    /// A numeric address, or the name to look up.
    pub(crate) host: HopHost,
    /// The port, written or that of the transport.
    pub(crate) port: u16,
    /// The transport that the URI asks for; UDP where it says nothing (RFC 3263 §4.1).
    pub(crate) transport: Transport,
}

/// The host of a next hop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HopHost {
    Address(IpAddr),
    Name(Box<str>),
}

impl NextHop {
    /// Reads the next hop of a SIP URI: `maddr` before host (RFC 3263 §4).
    pub(crate) fn of(uri: &Uri) -> Result<Self, Unreachable> {
        if uri.scheme() != Scheme::Sip {
            return Err(Unreachable::Transport);
        }
        let transport = match uri.transport() {
            None => Transport::Udp,
            Some(token) => Transport::from_token(token).ok_or(Unreachable::Transport)?,
        };
        let host = match uri.maddr().or(uri.host()) {
            Some(Host::V4(address)) => HopHost::Address(IpAddr::V4(address)),
            Some(Host::V6(address)) => HopHost::Address(IpAddr::V6(address)),
            Some(Host::Name(name)) => HopHost::Name(name.into()),
            None => return Err(Unreachable::NoAddress),
        };
        Ok(Self { host, port: uri.port().unwrap_or(transport.default_port()), transport })
    }
}

/// The address that a request for this URI goes to, if its host is one: no look-up is needed then.
pub fn numeric_hop(uri: &Uri) -> Option<IpAddr> {
    match NextHop::of(uri).ok()?.host {
        HopHost::Address(address) => Some(address),
        HopHost::Name(_) => None,
    }
}
