//! Via (RFC 3261 §20.42, RFC 3581).

mod stamped;

use std::{
    fmt::{self, Write},
    net::IpAddr,
};

pub use stamped::Stamped;

use super::TypedHeader;
use crate::{
    ByteString, HeaderName, Host, Params, SharedText, SyntaxError,
    chars::{is_word, is_wsp},
    cursor::Cursor,
    span::Span,
    text::trim,
    uri::{HostKind, host_at, ipv4, ipv6},
};

/// One hop. `branch`, `received` and `rport` may appear once; other parameters are not looked into.
#[derive(Clone)]
pub struct Via {
    text: ByteString,
    layout: Layout,
}

/// Where the parts lie in the text.
#[derive(Clone, Copy)]
struct Layout {
    /// `SIP/2.0`, whatever space is inside.
    sip_2_0: bool,
    protocol: Span,
    version: Span,
    transport: Span,
    host: Span,
    host_kind: HostKind,
    port: Option<u16>,
    params: Span,
    branch: Option<Span>,
    received: Option<Span>,
    rport: Option<Option<u16>>,
    maddr: bool,
    overload: bool,
}

impl Via {
    /// `SIP/2.0/<transport> <host>[:<port>];branch=<branch>`. Text that has no place there is an error.
    ///
    /// # Errors
    /// The parts do not make a Via.
    pub fn new<'h>(
        transport: &str,
        host: impl Into<Host<'h>>,
        port: Option<u16>,
        branch: &str,
    ) -> Result<Self, SyntaxError> {
        let mut text = format!("SIP/2.0/{transport} {}", host.into());
        if let Some(port) = port {
            let _ = write!(text, ":{port}");
        }
        let _ = write!(text, ";branch={branch}");
        Self::parse(&text.into())
    }

    /// The name of the protocol, `SIP`.
    #[must_use]
    pub fn protocol(&self) -> &str {
        self.layout.protocol.of(&self.text)
    }

    /// The version of the protocol, `2.0`.
    #[must_use]
    pub fn version(&self) -> &str {
        self.layout.version.of(&self.text)
    }

    /// Whether protocol and version are SIP/2.0.
    #[must_use]
    pub fn is_sip_2_0(&self) -> bool {
        self.layout.sip_2_0
    }

    /// The transport token as received: `UDP`, `TCP`, `TLS`, `WS`, `WSS`, …; compare without case.
    #[must_use]
    pub fn transport(&self) -> &str {
        self.layout.transport.of(&self.text)
    }

    /// The host of sent-by.
    #[must_use]
    pub fn host(&self) -> Host<'_> {
        self.layout.host_kind.host(self.layout.host.of(&self.text))
    }

    /// The port of sent-by, if it is stated.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.layout.port
    }

    /// `host[:port]`, in canonical form.
    #[must_use]
    pub fn sent_by(&self) -> String {
        match self.layout.port {
            Some(port) => format!("{}:{port}", self.host()),
            None => self.host().to_string(),
        }
    }

    /// The transaction's identifier (RFC 3261 §8.1.1.7); never empty.
    #[must_use]
    pub fn branch(&self) -> Option<&str> {
        self.layout.branch.map(|s| s.of(&self.text))
    }

    /// The branch after the magic cookie `z9hG4bK`; `None` from an RFC 2543 element or without anything after it.
    #[must_use]
    pub fn branch_after_cookie(&self) -> Option<&str> {
        self.branch()?.strip_prefix("z9hG4bK").filter(|id| !id.is_empty())
    }

    /// The address that the request came from; IPv6 with or without brackets (RFC 5118 §4.5).
    #[must_use]
    pub fn received(&self) -> Option<IpAddr> {
        self.layout.received.and_then(|s| received(s.of(&self.text).as_bytes()))
    }

    /// RFC 3581 §3: `Some(None)` asks for the port, `Some(Some(port))` states it.
    #[must_use]
    pub fn rport(&self) -> Option<Option<u16>> {
        self.layout.rport
    }

    /// Where to send responses over multicast (RFC 3261 §18.2.2), if it is a host.
    #[must_use]
    pub fn maddr(&self) -> Option<Host<'_>> {
        // Hardly any Via has one, and every response asks for it.
        let maddr = self.layout.maddr.then(|| self.param("maddr"))?;
        maddr.flatten().and_then(|text| Host::parse(text).ok())
    }

    /// Time to live of multicast packets; `None` if absent or above 255.
    #[must_use]
    pub fn ttl(&self) -> Option<u8> {
        self.param("ttl").flatten().and_then(|text| text.parse().ok())
    }

    /// Whether there may be parameters of overload control (RFC 7339 §4, RFC 7415 §5): one whose name begins with `oc`.
    #[must_use]
    pub fn may_control_overload(&self) -> bool {
        self.layout.overload
    }

    /// The connection may carry requests back (RFC 5923 §5.1).
    #[must_use]
    pub fn alias(&self) -> bool {
        self.param("alias").is_some()
    }

    /// All parameters.
    #[must_use]
    pub fn params(&self) -> Params<'_> {
        Params::new(self.layout.params.of(&self.text))
    }

    /// The first parameter of that name: absent, without value, or its value as received.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<Option<&str>> {
        self.params().get(name)
    }

    /// Whether sent-by is that `host[:port]` in canonical form.
    #[must_use]
    pub fn is_sent_by(&self, sent_by: &str) -> bool {
        if self.layout.host_kind == HostKind::V6 {
            return self.sent_by().eq_ignore_ascii_case(sent_by);
        }
        let host = self.layout.host.of(&self.text);
        let Some((ours, port)) = sent_by.split_at_checked(host.len()) else { return false };
        ours.eq_ignore_ascii_case(host)
            && match port.strip_prefix(':') {
                Some(port) => port.parse().ok() == self.layout.port,
                None => port.is_empty() && self.layout.port.is_none(),
            }
    }

    /// As the server writes the topmost Via into a response: with `received` (RFC 3261 §18.2.1; IPv6 without brackets,
    /// RFC 5118 §4.5) and with the port that `rport` asked for (RFC 3581 §4), each in place of what stood there; and with
    /// seconds for a `keep` that has none (RFC 6223 §4.4). `overload` has the parameters of overload control, each with its
    /// leading `;`, which come in place of the client's (RFC 7339 §4).
    #[must_use]
    pub fn stamped<'v>(
        &'v self,
        received: Option<IpAddr>,
        rport: Option<u16>,
        keep: Option<u64>,
        overload: Option<&'v dyn fmt::Display>,
    ) -> Stamped<'v> {
        Stamped { via: self, received, rport, keep, overload }
    }
}

impl TypedHeader for Via {
    const NAME: HeaderName = HeaderName::Via;

    fn parse(text: &ByteString) -> Result<Self, SyntaxError> {
        Self::parse_part(text.into())
    }

    fn parse_part(text: SharedText<'_>) -> Result<Self, SyntaxError> {
        Ok(Self { layout: Layout::read(&text)?, text: text.share() })
    }
}

impl Layout {
    fn read(text: &str) -> Result<Self, SyntaxError> {
        let mut c = Cursor::new(text)?;
        c.skip_space();
        let Protocol { sip_2_0, name: protocol, version } = protocol(&mut c)?;
        let transport = c.token("a transport")?;
        if !c.skip_space() {
            return c.fail("a space");
        }
        let Some((host_kind, len)) = host_at(c.rest()) else { return c.fail("a host") };
        let host = Span::new(c.at(), c.at() + len);
        c.seek(c.at() + len);
        let port = if c.eat_spaced(b':') { u16::try_from(c.number32(65_535, "a port")?).ok() } else { None };
        let params = Span::new(c.at(), text.len());
        let Known { branch, received, rport, maddr, overload } = read_params(&mut c)?;
        Ok(Self {
            sip_2_0,
            protocol,
            version,
            transport,
            host,
            host_kind,
            port,
            params,
            branch,
            received,
            rport,
            maddr,
            overload,
        })
    }
}

struct Protocol {
    sip_2_0: bool,
    name: Span,
    version: Span,
}

/// `protocol-name SLASH protocol-version SLASH`.
#[inline]
fn protocol(c: &mut Cursor<'_>) -> Result<Protocol, SyntaxError> {
    let at = c.at();
    if c.rest().starts_with(b"SIP/2.0/") && !c.rest().get(8).copied().is_some_and(is_wsp) {
        c.seek(at + 8);
        return Ok(Protocol {
            sip_2_0: true,
            name: Span::new(at, at + 3),
            version: Span::new(at + 4, at + 7),
        });
    }
    unusual_protocol(c)
}

/// As [`protocol`]: of another version, or with space inside.
#[cold]
fn unusual_protocol(c: &mut Cursor<'_>) -> Result<Protocol, SyntaxError> {
    let name = c.token("a protocol name")?;
    if !c.eat_spaced(b'/') {
        return c.fail("a slash");
    }
    let version = c.token("a protocol version")?;
    if !c.eat_spaced(b'/') {
        return c.fail("a slash");
    }
    let sip_2_0 = c.slice(name).eq_ignore_ascii_case(b"SIP") && c.slice(version) == b"2.0";
    Ok(Protocol { sip_2_0, name, version })
}

#[derive(Default)]
struct Known {
    branch: Option<Span>,
    received: Option<Span>,
    rport: Option<Option<u16>>,
    maddr: bool,
    overload: bool,
}

#[inline(always)]
fn read_params(c: &mut Cursor<'_>) -> Result<Known, SyntaxError> {
    let mut known = Known::default();
    loop {
        let at = c.at();
        let Some(param) = c.param()? else { return Ok(known) };
        let value = param.value;
        let fail = |expected| Err(SyntaxError::new(at, expected));
        if is_word(param.name, b"branch") {
            if known.branch.is_some() || value.is_none_or(<[u8]>::is_empty) {
                return fail("one branch with a value");
            }
            known.branch = param.span();
        } else if is_word(param.name, b"rport") {
            let port = value.filter(|v| !v.is_empty()).map(decimal);
            if known.rport.is_some() || port == Some(None) {
                return fail("one rport, empty or a port");
            }
            known.rport = Some(port.flatten());
        } else if is_word(param.name, b"received") {
            if known.received.is_some() || value.and_then(received).is_none() {
                return fail("one received with an IP address");
            }
            known.received = param.span();
        } else if is_word(param.name, b"maddr") {
            known.maddr = true;
        } else if matches!(param.name, [b'o' | b'O', b'c' | b'C', ..]) {
            known.overload = true;
        } else if param.name.contains(&b'%') {
            // An escaped name may be any.
            (known.maddr, known.overload) = (true, true);
        }
    }
}

fn received(value: &[u8]) -> Option<IpAddr> {
    let v6 = || {
        let bare = value.strip_prefix(b"[").and_then(|v| v.strip_suffix(b"]")).unwrap_or(value);
        std::str::from_utf8(bare).ok().and_then(ipv6).map(IpAddr::V6)
    };
    ipv4(value).map(IpAddr::V4).or_else(v6)
}

fn decimal(value: &[u8]) -> Option<u16> {
    value.iter().try_fold(0u16, |n, b| {
        let digit = b.is_ascii_digit().then(|| u16::from(b - b'0'))?;
        n.checked_mul(10)?.checked_add(digit)
    })
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(trim(&self.text))
    }
}

impl fmt::Debug for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Via({:?})", &*self.text)
    }
}

#[cfg(test)]
mod tests;
