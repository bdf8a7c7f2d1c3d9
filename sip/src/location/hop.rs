//! What a URI says about the next hop (RFC 3263 §4, TARGET).

use super::service;
use crate::event::Unreachable;
use crate::flow::Transport;
use sip_types::{Host, Scheme, Uri};
use std::net::IpAddr;

/// What a URI says about the next hop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NextHop {
    /// A numeric address, or the name to look up: `maddr` before host.
    pub(crate) host: HopHost,
    /// The port, if one is written.
    pub(crate) port: Option<u16>,
    /// The transport, if the URI asks for one.
    pub(crate) transport: Option<Transport>,
    /// Whether only secure transports will do: the URI is a `sips:` one.
    pub(crate) secure: bool,
}

/// The host of a next hop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HopHost {
    Address(IpAddr),
    Name(Box<str>),
}

impl NextHop {
    /// Reads the next hop of a SIP or SIPS URI.
    ///
    /// # Errors
    /// [`Unreachable::Transport`] for another scheme or a transport that we lack, [`Unreachable::NoAddress`] for a
    /// URI without host.
    pub(crate) fn of(uri: &Uri) -> Result<Self, Unreachable> {
        let secure = match uri.scheme() {
            Scheme::Sip => false,
            Scheme::Sips => true,
            _ => return Err(Unreachable::Transport),
        };
        let transport = match uri.transport() {
            None => None,
            Some(token) => Some(Transport::from_token(token).ok_or(Unreachable::Transport)?),
        };
        let transport = match transport {
            // RFC 5630 §3.1.3: `transport=tcp` of a SIPS URI means TLS over TCP.
            Some(transport) if secure => Some(service::secured(transport).ok_or(Unreachable::Transport)?),
            transport => transport,
        };
        let host = match uri.maddr().or(uri.host()) {
            Some(Host::V4(address)) => HopHost::Address(IpAddr::V4(address)),
            Some(Host::V6(address)) => HopHost::Address(IpAddr::V6(address)),
            Some(Host::Name(name)) => HopHost::Name(name.into()),
            None => return Err(Unreachable::NoAddress),
        };
        Ok(Self { host, port: uri.port(), transport, secure })
    }

    /// The transport where neither the URI nor a name server names one (RFC 3263 §4.1).
    ///
    /// # Errors
    /// We have no secure transport, and the URI wants one.
    pub(crate) fn default_transport(&self) -> Result<Transport, Unreachable> {
        match (self.transport, self.secure) {
            (Some(transport), _) => Ok(transport),
            (None, false) => Ok(Transport::Udp),
            (None, true) => service::secured(Transport::Tcp).ok_or(Unreachable::Transport),
        }
    }
}

/// The address that a request for this URI goes to, if its host is one: no look-up is needed then.
pub fn numeric_hop(uri: &Uri) -> Option<IpAddr> {
    match NextHop::of(uri).ok()?.host {
        HopHost::Address(address) => Some(address),
        HopHost::Name(_) => None,
    }
}
