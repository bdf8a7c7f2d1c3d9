//! Where a URI is to be reached (RFC 3263, for numeric hosts and A/AAAA records).

use crate::event::Unreachable;
use crate::flow::{Domain, Transport};
use sip_types::{Host, Scheme, Uri};
use std::net::IpAddr;

/// What a URI says about the next hop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NextHop {
    /// A numeric address, or the name to look up.
    pub(crate) host: HopHost,
    /// The port, written or that of the transport.
    pub(crate) port: u16,
    /// The transport that the URI asks for; where it says nothing, TLS for what must be secure, else UDP
    /// (RFC 3263 §4.1).
    pub(crate) transport: Transport,
    /// Over TLS: whom the connection must lead to.
    pub(crate) domain: Option<Domain>,
}

/// The host of a next hop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HopHost {
    Address(IpAddr),
    Name(Box<str>),
}

impl NextHop {
    /// Reads the next hop of a SIP or SIPS URI: `maddr` before host (RFC 3263 §4). `secure` says that it must be
    /// reached over TLS although its scheme be `sip` (RFC 5630 §5.1.1).
    pub(crate) fn of(uri: &Uri, secure: bool) -> Result<Self, Unreachable> {
        let secure = match uri.scheme() {
            Scheme::Sip => secure,
            Scheme::Sips => true,
            Scheme::Tel | Scheme::Other => return Err(Unreachable::Transport),
        };
        let asked = match uri.transport() {
            None => Some(if secure { Transport::Tls } else { Transport::Udp }),
            Some(token) => Transport::asked_by(secure, token),
        };
        let lacking = if secure { Unreachable::NotSecure } else { Unreachable::Transport };
        let transport = asked.ok_or(lacking)?;
        let host = match uri.maddr().or(uri.host()) {
            Some(Host::V4(address)) => HopHost::Address(IpAddr::V4(address)),
            Some(Host::V6(address)) => HopHost::Address(IpAddr::V6(address)),
            Some(Host::Name(name)) => HopHost::Name(name.into()),
            None => return Err(Unreachable::NoAddress),
        };
        let domain = uri.host().filter(|_| transport.is_secure()).map(domain);
        Ok(Self { host, port: uri.port().unwrap_or(transport.default_port()), transport, domain })
    }
}

/// The domain that a host stands for; an address is written without brackets.
pub(crate) fn domain(host: Host<'_>) -> Domain {
    match host {
        Host::V4(address) => Domain::new(&address.to_string()),
        Host::V6(address) => Domain::new(&address.to_string()),
        Host::Name(name) => Domain::new(name),
    }
}

/// The address that a request for this URI goes to, if its host is one: no look-up is needed then.
pub fn numeric_hop(uri: &Uri) -> Option<IpAddr> {
    match NextHop::of(uri, false).ok()?.host {
        HopHost::Address(address) => Some(address),
        HopHost::Name(_) => None,
    }
}

/// Whether a request for this URI goes over TLS: its scheme or its `transport` parameter asks for it.
pub fn is_secure_hop(uri: &Uri) -> bool {
    NextHop::of(uri, false).is_ok_and(|hop| hop.transport.is_secure())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hop(uri: &str, secure: bool) -> Result<(Transport, u16, Option<String>), Unreachable> {
        let hop = NextHop::of(&uri.parse().unwrap(), secure)?;
        Ok((hop.transport, hop.port, hop.domain.map(|d| d.as_str().to_owned())))
    }

    #[test]
    fn rfc3263_4_1_scheme_and_parameter_choose_transport_and_port() {
        use Transport::{Tcp, Tls, Udp, Ws, Wss};
        let named = || Some("a.example".to_owned());
        let rows = [
            ("sip:a.example", Udp, 5060, None),
            ("sip:a.example;transport=TCP", Tcp, 5060, None),
            ("sip:A.example.;transport=tls", Tls, 5061, named()),
            ("sips:a.example", Tls, 5061, named()),
            ("sips:a.example;transport=tcp", Tls, 5061, named()),
            ("sips:u@a.example:5071", Tls, 5071, named()),
            ("sip:a.example;transport=ws", Ws, 80, None),
            ("sips:a.example;transport=ws", Wss, 443, named()),
            ("sips:[2001:db8::1]", Tls, 5061, Some("2001:db8::1".to_owned())),
            ("sips:a.example;maddr=192.0.2.1", Tls, 5061, named()),
        ];
        for (uri, transport, port, domain) in rows {
            assert_eq!(hop(uri, false), Ok((transport, port, domain)), "{uri}");
        }
    }

    #[test]
    fn rfc5630_5_1_1_what_must_be_secure_is_never_less() {
        assert_eq!(hop("sips:a.example;transport=udp", false), Err(Unreachable::NotSecure));
        assert_eq!(hop("sip:a.example;transport=udp", true), Err(Unreachable::NotSecure));
        assert_eq!(hop("sip:a.example", true).map(|h| h.0), Ok(Transport::Tls));
        assert_eq!(hop("sip:a.example;transport=tcp", true).map(|h| h.0), Ok(Transport::Tls));
        assert_eq!(hop("sip:a.example;transport=sctp", false), Err(Unreachable::Transport));
        assert_eq!(hop("tel:+4940123", false), Err(Unreachable::Transport));
    }
}
