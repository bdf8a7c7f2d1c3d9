//! The services that name servers know SIP transports by (RFC 3263 §4.1, RFC 7118 §6).

use crate::flow::Transport;

/// How name servers call a transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Service {
    /// The service field of its NAPTR records.
    pub(crate) naptr: &'static str,
    /// The prefix of the owner name of its SRV records.
    pub(crate) srv: &'static str,
    /// Whether it will do for a SIPS URI.
    pub(crate) secure: bool,
}

/// How name servers call this transport.
pub(crate) fn of(transport: Transport) -> Service {
    match transport {
        Transport::Udp => Service { naptr: "SIP+D2U", srv: "_sip._udp", secure: false },
        Transport::Tcp => Service { naptr: "SIP+D2T", srv: "_sip._tcp", secure: false },
    }
}

/// The secure transport that a `transport` parameter means in a SIPS URI (RFC 5630 §3.1.3); `None` if we have none.
pub(crate) fn secured(transport: Transport) -> Option<Transport> {
    match transport {
        Transport::Udp | Transport::Tcp => None,
    }
}
