//! The services that name servers know SIP transports by (RFC 3263 §4.1).

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

/// How name servers call this transport. None for a WebSocket, although RFC 7118 §6 has names for it (`SIP+D2W`,
/// `SIPS+D2W`): we are its server only, and never call anybody over it.
pub(crate) fn of(transport: Transport) -> Option<Service> {
    match transport {
        Transport::Udp => Some(Service { naptr: "SIP+D2U", srv: "_sip._udp", secure: false }),
        Transport::Tcp => Some(Service { naptr: "SIP+D2T", srv: "_sip._tcp", secure: false }),
        Transport::Tls => Some(Service { naptr: "SIPS+D2T", srv: "_sips._tcp", secure: true }),
        Transport::Ws | Transport::Wss => None,
    }
}
