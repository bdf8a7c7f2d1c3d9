use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bytestring::ByteString;

use crate::declare::Text;

/// Whether `text` is a `hostname` (RFC 3261 §25.1): labels of letters, digits and inner hyphens, the last one
/// beginning with a letter.
fn is_hostname(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let text = text.strip_suffix('.').unwrap_or(text);
    text.len() <= 253
        && text.split('.').all(label)
        && text.rsplit('.').next().is_some_and(|top| top.starts_with(|c: char| c.is_ascii_alphabetic()))
}

/// A host name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Domain(ByteString);

impl Domain {
    /// The name as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as names are compared (RFC 4343): in small letters, without a dot at the end.
    #[must_use]
    pub fn comparable(&self) -> String {
        self.0.strip_suffix('.').unwrap_or(&self.0).to_ascii_lowercase()
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Text for Domain {
    const EXPECTED: &'static str = "a host name";

    fn parse(text: &str) -> Option<Self> {
        is_hostname(text).then(|| Self(text.into()))
    }

    fn print(&self) -> String {
        self.to_string()
    }
}

/// Whom a certificate stands for: a host name, or an address without brackets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerHost(ByteString);

impl PeerHost {
    /// The name as written, or the address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Text for PeerHost {
    const EXPECTED: &'static str = "a host name or IP address";

    fn parse(text: &str) -> Option<Self> {
        let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
        match bare.parse::<IpAddr>() {
            Ok(address) if address.is_ipv6() || bare == text => Some(Self(address.to_string().into())),
            Ok(_) => None,
            Err(_) => is_hostname(text).then(|| Self(text.into())),
        }
    }

    fn print(&self) -> String {
        self.0.to_string()
    }
}

/// `host[:port]` as it goes into a Via or a URI: an IPv6 address keeps its brackets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPort {
    host: ByteString,
    port: Option<u16>,
}

impl HostPort {
    /// The host: a name, an IPv4 address, or an IPv6 address in brackets.
    #[must_use]
    pub fn host(&self) -> &ByteString {
        &self.host
    }

    /// The port, when one is given; not 0.
    #[must_use]
    pub const fn port(&self) -> Option<u16> {
        self.port
    }

    /// The host when it is an address.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        self.host.trim_matches(['[', ']']).parse().ok()
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => write!(f, "{}:{port}", self.host),
            None => f.write_str(&self.host),
        }
    }
}

impl Text for HostPort {
    const EXPECTED: &'static str = "a host name or IP address (IPv6 in brackets) with an optional port";

    fn parse(text: &str) -> Option<Self> {
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (text, None),
        };
        let valid = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(v6) => v6.parse::<Ipv6Addr>().is_ok(),
            None => host.parse::<Ipv4Addr>().is_ok() || is_hostname(host),
        };
        let digits = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
        let port = match port {
            Some(port) => Some(port.parse().ok().filter(|number| *number != 0 && digits(port))?),
            None => None,
        };
        valid.then(|| Self { host: host.into(), port })
    }

    fn print(&self) -> String {
        self.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whom_a_certificate_stands_for_is_a_name_or_an_address() {
        for (text, read) in [
            ("pbx.example.com", Some("pbx.example.com")),
            ("192.0.2.1", Some("192.0.2.1")),
            ("2001:DB8:0::1", Some("2001:db8::1")),
            ("[2001:db8::1]", Some("2001:db8::1")),
            ("[192.0.2.1]", None),
            ("192.0.2.1:5061", None),
            ("a_b", None),
            ("", None),
        ] {
            assert_eq!(PeerHost::parse(text).map(|host| host.print()).as_deref(), read, "{text:?}");
        }
    }

    #[test]
    fn host_ports_print_as_they_parse() {
        for text in [
            "sbc.example.com",
            "sbc.example.com:5060",
            "192.0.2.1",
            "192.0.2.1:5070",
            "[2001:db8::1]",
            "[::1]:5060",
        ] {
            assert_eq!(HostPort::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(HostPort::parse("[::1]:5060").unwrap().address(), Some("::1".parse().unwrap()));
    }

    #[test]
    fn rfc3261_25_1_host_names_are_checked() {
        for text in [
            "",
            ":5060",
            "a:0",
            "a:65536",
            "a:+5",
            "::1",
            "2001:db8::1",
            "a b",
            "-a.com",
            "a..b",
            "1.2.3",
            "1.2.3.4.5",
            "[::g]",
        ] {
            assert_eq!(HostPort::parse(text), None, "{text}");
        }
    }
}
