//! Hosts in URIs, Via and elsewhere.

use std::{
    fmt,
    hash::{Hash, Hasher},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use crate::{
    ByteString,
    chars::{self, LABEL},
    search,
};

/// A host as it stands in a text (RFC 3261 §25.1 `host`). Names compare without case; a name never equals an address.
#[derive(Clone, Copy, Debug)]
pub enum Host<'a> {
    /// A domain name.
    Name(&'a str),
    /// An IPv4 address.
    V4(Ipv4Addr),
    /// An IPv6 address; brackets in text.
    V6(Ipv6Addr),
}

/// A text is not a host name, IPv4 address or bracketed IPv6 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a host")]
pub struct InvalidHost;

impl<'a> Host<'a> {
    /// Reads a host name, an IPv4 address, or an IPv6 address in brackets.
    ///
    /// # Errors
    /// `text` is none of these.
    pub fn parse(text: &'a str) -> Result<Self, InvalidHost> {
        match host_at(text.as_bytes()) {
            Some((kind, len)) if len == text.len() => Ok(kind.host(text)),
            _ => Err(InvalidHost),
        }
    }

    /// The address, if it is one.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        match *self {
            Self::Name(_) => None,
            Self::V4(ip) => Some(IpAddr::V4(ip)),
            Self::V6(ip) => Some(IpAddr::V6(ip)),
        }
    }

    /// The name, if it is one.
    #[must_use]
    pub fn name(&self) -> Option<&'a str> {
        match *self {
            Self::Name(name) => Some(name),
            Self::V4(_) | Self::V6(_) => None,
        }
    }

    /// An owned copy.
    #[must_use]
    pub fn to_buf(&self) -> HostBuf {
        match *self {
            Self::Name(name) => HostBuf::Name(name.into()),
            Self::V4(ip) => HostBuf::V4(ip),
            Self::V6(ip) => HostBuf::V6(ip),
        }
    }
}

impl PartialEq for Host<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Name(a), Self::Name(b)) => a.eq_ignore_ascii_case(b),
            (Self::V4(a), Self::V4(b)) => a == b,
            (Self::V6(a), Self::V6(b)) => a == b,
            (Self::Name(_) | Self::V4(_) | Self::V6(_), _) => false,
        }
    }
}

impl Eq for Host<'_> {}

impl Hash for Host<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Name(name) => name.bytes().for_each(|b| state.write_u8(b.to_ascii_lowercase())),
            Self::V4(ip) => ip.hash(state),
            Self::V6(ip) => ip.hash(state),
        }
    }
}

impl fmt::Display for Host<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::V4(ip) => Dotted(*ip).write(f),
            Self::V6(ip) => write!(f, "[{ip}]"),
        }
    }
}

/// An address in dotted decimals. Every message has several, and formatting four numbers one by one costs more than the
/// rest of a Via.
pub(crate) struct Dotted(pub(crate) Ipv4Addr);

impl Dotted {
    /// Writes it; see [`Stamped::write`](crate::header::Stamped::write) for why not only as `Display`.
    pub(crate) fn write(&self, f: &mut impl fmt::Write) -> fmt::Result {
        let mut text = [0; 15];
        let mut digits = text.iter_mut();
        let mut put = |byte| {
            if let Some(digit) = digits.next() {
                *digit = byte;
            }
        };
        for (at, octet) in self.0.octets().into_iter().enumerate() {
            if at > 0 {
                put(b'.');
            }
            if octet >= 100 {
                put(b'0' + octet / 100);
            }
            if octet >= 10 {
                put(b'0' + octet / 10 % 10);
            }
            put(b'0' + octet % 10);
        }
        let len = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
        f.write_str(text.get(..len).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default())
    }
}

impl From<IpAddr> for Host<'_> {
    fn from(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(ip) => Self::V4(ip),
            IpAddr::V6(ip) => Self::V6(ip),
        }
    }
}

impl<'a> From<&Host<'a>> for Host<'a> {
    fn from(host: &Host<'a>) -> Self {
        *host
    }
}

impl<'a> From<&'a HostBuf> for Host<'a> {
    fn from(host: &'a HostBuf) -> Self {
        host.as_host()
    }
}

/// An owned [`Host`].
#[derive(Clone, Debug)]
pub enum HostBuf {
    /// A domain name.
    Name(ByteString),
    /// An IPv4 address.
    V4(Ipv4Addr),
    /// An IPv6 address.
    V6(Ipv6Addr),
}

impl HostBuf {
    /// The borrowed form.
    #[must_use]
    pub fn as_host(&self) -> Host<'_> {
        match self {
            Self::Name(name) => Host::Name(name),
            Self::V4(ip) => Host::V4(*ip),
            Self::V6(ip) => Host::V6(*ip),
        }
    }

    /// The address, if it is one.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        self.as_host().ip()
    }
}

impl PartialEq for HostBuf {
    fn eq(&self, other: &Self) -> bool {
        self.as_host() == other.as_host()
    }
}

impl Eq for HostBuf {}

impl Hash for HostBuf {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_host().hash(state);
    }
}

impl fmt::Display for HostBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_host().fmt(f)
    }
}

impl FromStr for HostBuf {
    type Err = InvalidHost;

    fn from_str(text: &str) -> Result<Self, InvalidHost> {
        Host::parse(text).map(|host| host.to_buf())
    }
}

impl From<IpAddr> for HostBuf {
    fn from(ip: IpAddr) -> Self {
        Host::from(ip).to_buf()
    }
}

/// What kind of host a text is. IPv6 is read again when asked for, which keeps typed values small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HostKind {
    Name,
    V4(Ipv4Addr),
    V6,
}

impl HostKind {
    /// `text` is the one that [`host_at`] found.
    pub(crate) fn host(self, text: &str) -> Host<'_> {
        match self {
            Self::Name => Host::Name(text),
            Self::V4(ip) => Host::V4(ip),
            Self::V6 => ipv6(text.trim_matches(['[', ']'])).map_or(Host::Name(text), Host::V6),
        }
    }
}

/// The host at the start of `bytes` and its length.
pub(crate) fn host_at(bytes: &[u8]) -> Option<(HostKind, usize)> {
    if bytes.first() == Some(&b'[') {
        let end = search::find(bytes, b']')?;
        let text = std::str::from_utf8(bytes.get(1..end)?).ok()?;
        return ipv6(text).map(|_| (HostKind::V6, end + 1));
    }
    if bytes.first().is_some_and(u8::is_ascii_digit)
        && let Some((ip, len)) = ipv4_at(bytes)
        && !bytes.get(len).is_some_and(|&b| chars::is(b, LABEL) || b == b'.' || b == b'-')
    {
        return Some((HostKind::V4(ip), len));
    }
    let len = hostname(bytes)?;
    (!is_numeric(bytes.get(..len)?)).then_some((HostKind::Name, len))
}

/// Length of the dot-separated labels at the start of `bytes`; each starts and ends with a letter, a digit or (against
/// the grammar, but common) `_`. The last may end with a dot.
fn hostname(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let label = chars::run(bytes.get(at..)?, LABEL);
        if label == 0 {
            let ended =
                at > 0 && bytes.get(at - 1) == Some(&b'.') && !matches!(bytes.get(at), Some(b'.' | b'-'));
            return ended.then_some(at);
        }
        at += label;
        match bytes.get(at) {
            Some(b'.') => at += 1,
            Some(b'-') => at += bytes.iter().skip(at).take_while(|&&b| b == b'-').count(),
            _ => return Some(at),
        }
    }
}

/// Whether the last label is of digits only, which no domain name has (RFC 3261 §25.1 `toplabel`).
fn is_numeric(name: &[u8]) -> bool {
    let name = name.strip_suffix(b".").unwrap_or(name);
    name.last().is_some_and(u8::is_ascii_digit)
        && name.iter().rev().take_while(|&&b| b != b'.').all(u8::is_ascii_digit)
}

/// The dotted decimal address at the start of `bytes` and its length; no leading zeros, which some would read as octal.
#[inline]
fn ipv4_at(bytes: &[u8]) -> Option<(Ipv4Addr, usize)> {
    let mut octets = [0u8; 4];
    let mut rest = bytes;
    for (nth, octet) in octets.iter_mut().enumerate() {
        if nth > 0 {
            rest = rest.strip_prefix(b".")?;
        }
        (*octet, rest) = octet_at(rest)?;
    }
    Some((octets.into(), bytes.len() - rest.len()))
}

/// The number at the start of `bytes` and what follows it; further digits are left to the caller to refuse.
#[inline(always)]
fn octet_at(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let digit = |b: &u8| Some(b.wrapping_sub(b'0')).filter(|&d| d < 10);
    let (first, rest) = bytes.split_first()?;
    let first = digit(first)?;
    let Some((second, after)) = rest.split_first() else { return Some((first, rest)) };
    let Some(second) = digit(second).filter(|_| first > 0) else { return Some((first, rest)) };
    let two = first * 10 + second;
    let Some(third) = after.first().and_then(digit) else { return Some((two, after)) };
    Some((two.checked_mul(10)?.checked_add(third)?, after.get(1..)?))
}

/// `bytes` as a dotted decimal address.
pub(crate) fn ipv4(bytes: &[u8]) -> Option<Ipv4Addr> {
    ipv4_at(bytes).filter(|&(_, len)| len == bytes.len()).map(|(ip, _)| ip)
}

/// RFC 5954 §4.1; an extra colon before an embedded IPv4 address, which the first ABNF produced, is passed over
/// (RFC 5118 §4.10).
pub(crate) fn ipv6(text: &str) -> Option<Ipv6Addr> {
    if let Ok(ip) = text.parse() {
        return Some(ip);
    }
    let (head, tail) = text.split_once(":::")?;
    ipv4(tail.as_bytes())?;
    format!("{head}::{tail}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{Host, HostBuf};
    use std::net::Ipv4Addr;

    #[test]
    fn addresses_are_written_as_the_library_writes_them() {
        for octet in 0..=255 {
            let address = Ipv4Addr::new(octet, 255 - octet, octet / 2, 7);
            assert_eq!(Host::V4(address).to_string(), address.to_string());
        }
    }

    // conforms: RFC5954-4.1-1,2
    #[test]
    fn hosts_are_told_apart() {
        assert_eq!(Host::parse("192.0.2.1"), Ok(Host::V4([192, 0, 2, 1].into())));
        assert!(matches!(Host::parse("[2001:db8::1]"), Ok(Host::V6(_))));
        for name in
            ["example.com", "example.com.", "a", "1a", "x.1.2.com", "host_1.example", "a--b", "1.2.3.a4"]
        {
            assert_eq!(Host::parse(name), Ok(Host::Name(name)), "{name}");
        }
    }

    // conforms: RFC3261-19.1.2-6 RFC5954-4.1-1,2
    #[test]
    fn what_is_no_host_is_refused() {
        for text in [
            "",
            ".",
            "a..b",
            "-a",
            "a-",
            "a.-b",
            "a-.b",
            ".a",
            "256.1.1.1",
            "1.2.3",
            "1.2.3.4.5",
            "1.2.3.04",
            "1.2.3.4.",
            "123",
            "[::1",
            "::1",
            "[]",
            "[1::2::3]",
            "[::1%eth0]",
            "a b",
            "a:5",
            "h\u{f6}st",
            "a%2eexample",
            "[192.0.2.1]",
        ] {
            assert!(Host::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn rfc5118_4_10_an_extra_colon_before_ipv4_is_passed_over() {
        assert_eq!(Host::parse("[2001:db8:::192.0.2.1]"), Host::parse("[2001:db8::192.0.2.1]"));
        assert!(Host::parse("[2001:db8:::1]").is_err());
    }

    #[test]
    fn names_compare_without_case_and_print_as_read() {
        let a: HostBuf = "EXAMPLE.com".parse().unwrap();
        assert_eq!(a, "example.COM".parse().unwrap());
        assert_eq!(a.to_string(), "EXAMPLE.com");
        assert_eq!("[2001:DB8:0::1]".parse::<HostBuf>().unwrap().to_string(), "[2001:db8::1]");
    }
}
