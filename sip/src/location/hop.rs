//! What a URI says about the next hop (RFC 3263 §4, TARGET).

use crate::event::Unreachable;
use crate::flow::{Domain, Transport};
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
    /// Whether only secure transports will do.
    pub(crate) secure: bool,
    /// Whom a connection over TLS must lead to, where there may be one: the domain of the URI, whatever hosts it is
    /// served by (RFC 5922 §4).
    pub(crate) domain: Option<Domain>,
}

/// The host of a next hop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HopHost {
    Address(IpAddr),
    Name(Box<str>),
}

impl NextHop {
    /// Reads the next hop of a SIP or SIPS URI. `secure` says that it must be reached over TLS although its scheme be
    /// `sip` (RFC 5630 §5.1.1).
    ///
    /// # Errors
    /// [`Unreachable::Transport`] for another scheme or a transport that we lack, [`Unreachable::NotSecure`] for one
    /// without TLS where only TLS will do, [`Unreachable::NoAddress`] for a URI without host.
    pub(crate) fn of(uri: &Uri, secure: bool) -> Result<Self, Unreachable> {
        let secure = match uri.scheme() {
            Scheme::Sip => secure,
            Scheme::Sips => true,
            Scheme::Tel | Scheme::Other => return Err(Unreachable::Transport),
        };
        let lacking = if secure { Unreachable::NotSecure } else { Unreachable::Transport };
        let transport = match uri.transport() {
            None => None,
            Some(token) => Some(Transport::asked_by(secure, token).ok_or(lacking)?),
        };
        let host = match uri.maddr().or(uri.host()) {
            Some(Host::V4(address)) => HopHost::Address(IpAddr::V4(address)),
            Some(Host::V6(address)) => HopHost::Address(IpAddr::V6(address)),
            Some(Host::Name(name)) => HopHost::Name(name.into()),
            None => return Err(Unreachable::NoAddress),
        };
        let mut hop = Self { host, port: uri.port(), transport, secure, domain: None };
        if hop.may_be_secure() {
            hop.domain = uri.host().map(domain);
        }
        Ok(hop)
    }

    /// The transport where neither the URI nor a name server names one (RFC 3263 §4.1).
    pub(crate) fn default_transport(&self) -> Transport {
        match (self.transport, self.secure) {
            (Some(transport), _) => transport,
            (None, false) => Transport::Udp,
            (None, true) => Transport::Tls,
        }
    }

    /// Why it cannot be reached where no listener reaches it.
    pub(crate) fn without_listener(&self) -> Unreachable {
        if self.secure { Unreachable::NotSecure } else { Unreachable::Listener }
    }

    /// Whether TLS may come of it: it is asked for, or a name server may choose it.
    fn may_be_secure(&self) -> bool {
        let open = self.transport.is_none() && self.port.is_none() && matches!(self.host, HopHost::Name(_));
        open || self.default_transport().is_secure()
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

/// Whether a request for this URI goes over TLS whatever name servers say: its scheme or its `transport` parameter
/// asks for it.
pub fn is_secure_hop(uri: &Uri) -> bool {
    hop_transport(uri).is_some_and(Transport::is_secure)
}

/// The transport that a next hop is reached by, as far as its URI says.
#[must_use]
pub fn hop_transport(uri: &Uri) -> Option<Transport> {
    NextHop::of(uri, false).ok().map(|hop| hop.default_transport())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hop(uri: &str, secure: bool) -> Result<(Transport, u16, Option<String>), Unreachable> {
        let hop = NextHop::of(&uri.parse().unwrap(), secure)?;
        let transport = hop.default_transport();
        let port = hop.port.unwrap_or(transport.default_port());
        Ok((transport, port, hop.domain.map(|d| d.as_str().to_owned())))
    }

    #[test]
    fn rfc3263_4_1_scheme_and_parameter_choose_transport_and_port() {
        use Transport::{Tcp, Tls, Udp, Ws, Wss};
        let named = || Some("a.example".to_owned());
        let rows = [
            ("sip:a.example:5060", Udp, 5060, None),
            ("sip:192.0.2.1", Udp, 5060, None),
            ("sip:a.example;transport=TCP", Tcp, 5060, None),
            ("sip:A.example.;transport=tls", Tls, 5061, named()),
            ("sips:a.example", Tls, 5061, named()),
            ("sips:a.example;transport=tcp", Tls, 5061, named()),
            ("sips:u@a.example:5071", Tls, 5071, named()),
            ("sip:a.example;transport=ws", Ws, 80, None),
            ("sips:a.example;transport=ws", Wss, 443, named()),
            ("sips:[2001:db8::1]", Tls, 5061, Some("2001:db8::1".to_owned())),
            ("sips:a.example;maddr=192.0.2.1", Tls, 5061, named()),
            // Its NAPTR records may say TLS.
            ("sip:a.example", Udp, 5060, named()),
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
