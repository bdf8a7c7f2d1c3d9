use std::fmt;

use crate::declare::Text;
use crate::text::HostPort;

/// The URI of a STUN or TURN server (RFC 7064 §3.1, RFC 7065 §3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerUri {
    turn: bool,
    transport: ServerTransport,
    host: HostPort,
}

/// What such a server is reached by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerTransport {
    /// `stun:`, and `turn:` without a transport or with `transport=udp`.
    Udp,
    /// `turn:` with `transport=tcp`.
    Tcp,
    /// `turns:`, over TCP.
    Tls,
}

impl ServerUri {
    /// Whether it is a TURN server.
    #[must_use]
    pub const fn is_turn(&self) -> bool {
        self.turn
    }

    /// What it is reached by.
    #[must_use]
    pub const fn transport(&self) -> ServerTransport {
        self.transport
    }

    /// The host, without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        self.host.host().trim_matches(['[', ']'])
    }

    /// The port: the one given, else 3478, or 5349 over TLS (RFC 8489 §18.6, RFC 8656 §3.1).
    #[must_use]
    pub fn port(&self) -> u16 {
        let default = if self.transport == ServerTransport::Tls { 5_349 } else { 3_478 };
        self.host.port().unwrap_or(default)
    }
}

impl fmt::Display for ServerUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match (self.turn, self.transport) {
            (false, _) => "stun",
            (true, ServerTransport::Tls) => "turns",
            (true, ServerTransport::Udp | ServerTransport::Tcp) => "turn",
        };
        write!(f, "{scheme}:{}", self.host)?;
        if self.transport == ServerTransport::Tcp { f.write_str("?transport=tcp") } else { Ok(()) }
    }
}

impl Text for ServerUri {
    const EXPECTED: &'static str =
        "\"stun:HOST[:PORT]\", \"turn:HOST[:PORT][?transport=udp|tcp]\" or \"turns:HOST[:PORT]\"";

    fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once(':')?;
        let (host, transport) = match rest.split_once("?transport=") {
            Some((host, transport)) => (host, Some(transport)),
            None => (rest, None),
        };
        let is = |name: &str| scheme.eq_ignore_ascii_case(name);
        let said = |name: &str| transport.is_none_or(|said| said.eq_ignore_ascii_case(name));
        let (turn, transport) = match transport {
            None if is("stun") => (false, ServerTransport::Udp),
            Some(_) if is("turn") && said("tcp") => (true, ServerTransport::Tcp),
            _ if is("turn") && said("udp") => (true, ServerTransport::Udp),
            _ if is("turns") && said("tcp") => (true, ServerTransport::Tls),
            _ => return None,
        };
        Some(Self { turn, transport, host: HostPort::parse(host)? })
    }

    fn print(&self) -> String {
        self.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::{ServerTransport, ServerUri};
    use crate::declare::Text;

    #[test]
    fn rfc7064_and_rfc7065_uris() {
        for (text, turn, transport, host, port) in [
            ("stun:stun.example.com", false, ServerTransport::Udp, "stun.example.com", 3_478),
            ("stun:192.0.2.1:19302", false, ServerTransport::Udp, "192.0.2.1", 19_302),
            ("turn:[2001:db8::1]", true, ServerTransport::Udp, "2001:db8::1", 3_478),
            ("turn:turn.example.com:80?transport=tcp", true, ServerTransport::Tcp, "turn.example.com", 80),
            ("turns:turn.example.com", true, ServerTransport::Tls, "turn.example.com", 5_349),
        ] {
            let uri = ServerUri::parse(text).unwrap();
            assert_eq!(
                (uri.is_turn(), uri.transport(), uri.host(), uri.port()),
                (turn, transport, host, port)
            );
            assert_eq!(uri.print(), text);
        }
        let same = ServerUri::parse("turn:turn.example.com?transport=udp").unwrap();
        assert_eq!(same.print(), "turn:turn.example.com");
    }

    #[test]
    fn what_is_none() {
        for text in [
            "stun.example.com",
            "http:a.example",
            "stun:a.example?transport=udp",
            "turns:a.example?transport=udp",
            "turn:a.example?transport=sctp",
            "turn:",
            "turn:a.example:0",
        ] {
            assert_eq!(ServerUri::parse(text), None, "{text}");
        }
    }
}
