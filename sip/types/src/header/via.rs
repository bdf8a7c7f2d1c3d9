//! Via (RFC 3261 §20.42, RFC 3581).

use std::{
    fmt::{self, Write},
    net::IpAddr,
};

use super::TypedHeader;
use crate::{
    ByteString, HeaderName, Host, Params, SyntaxError,
    cursor::Cursor,
    span::Span,
    text::trim,
    uri::{HostRepr, host_at, ipv4, ipv6},
};

/// One hop. `branch`, `received` and `rport` may appear once; other parameters are not looked into.
#[derive(Clone)]
pub struct Via {
    text: ByteString,
    /// `SIP/2.0`, whatever space is inside.
    sip_2_0: bool,
    protocol: Span,
    version: Span,
    transport: Span,
    host: HostRepr,
    host_span: Span,
    port: Option<u16>,
    params: Span,
    branch: Option<Span>,
    received: Option<IpAddr>,
    rport: Option<Option<u16>>,
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
        self.protocol.of(&self.text)
    }

    /// The version of the protocol, `2.0`.
    #[must_use]
    pub fn version(&self) -> &str {
        self.version.of(&self.text)
    }

    /// Whether protocol and version are SIP/2.0.
    #[must_use]
    pub fn is_sip_2_0(&self) -> bool {
        self.sip_2_0
    }

    /// The transport token as received: `UDP`, `TCP`, `TLS`, `WS`, `WSS`, …; compare without case.
    #[must_use]
    pub fn transport(&self) -> &str {
        self.transport.of(&self.text)
    }

    /// The host of sent-by.
    #[must_use]
    pub fn host(&self) -> Host<'_> {
        self.host.host(self.host_span.of(&self.text))
    }

    /// The port of sent-by, if it is stated.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// `host[:port]`, in canonical form.
    #[must_use]
    pub fn sent_by(&self) -> String {
        match self.port {
            Some(port) => format!("{}:{port}", self.host()),
            None => self.host().to_string(),
        }
    }

    /// The transaction's identifier (RFC 3261 §8.1.1.7); never empty.
    #[must_use]
    pub fn branch(&self) -> Option<&str> {
        self.branch.map(|s| s.of(&self.text))
    }

    /// The branch after the magic cookie `z9hG4bK`; `None` from an RFC 2543 element or without anything after it.
    #[must_use]
    pub fn branch_after_cookie(&self) -> Option<&str> {
        self.branch()?.strip_prefix("z9hG4bK").filter(|id| !id.is_empty())
    }

    /// The address that the request came from; IPv6 with or without brackets (RFC 5118 §4.5).
    #[must_use]
    pub fn received(&self) -> Option<IpAddr> {
        self.received
    }

    /// RFC 3581 §3: `Some(None)` asks for the port, `Some(Some(port))` states it.
    #[must_use]
    pub fn rport(&self) -> Option<Option<u16>> {
        self.rport
    }

    /// Where to send responses over multicast (RFC 3261 §18.2.2), if it is a host.
    #[must_use]
    pub fn maddr(&self) -> Option<Host<'_>> {
        self.param("maddr").flatten().and_then(|text| Host::parse(text).ok())
    }

    /// Time to live of multicast packets; `None` if absent or above 255.
    #[must_use]
    pub fn ttl(&self) -> Option<u8> {
        self.param("ttl").flatten().and_then(|text| text.parse().ok())
    }

    /// The connection may carry requests back (RFC 5923 §5.1).
    #[must_use]
    pub fn alias(&self) -> bool {
        self.param("alias").is_some()
    }

    /// All parameters.
    #[must_use]
    pub fn params(&self) -> Params<'_> {
        Params::new(self.params.of(&self.text))
    }

    /// The first parameter of that name: absent, without value, or its value as received.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<Option<&str>> {
        self.params().get(name)
    }

    /// With `received` set (RFC 3261 §18.2.1); IPv6 without brackets (RFC 5118 §4.5).
    #[must_use]
    pub fn with_received(&self, ip: IpAddr) -> Self {
        self.with("received", Some(&ip.to_string()))
    }

    /// With `rport` set: without value to ask, with one to answer (RFC 3581).
    #[must_use]
    pub fn with_rport(&self, port: Option<u16>) -> Self {
        self.with("rport", port.map(|p| p.to_string()).as_deref())
    }

    /// With that parameter in place of any of the same name; unchanged if the name or value cannot stand there.
    #[must_use]
    pub fn with(&self, name: &str, value: Option<&str>) -> Self {
        let mut text = self.text.get(..self.params.start()).unwrap_or_default().trim_end().to_owned();
        let mut done = false;
        let push = |text: &mut String, name: &str, value: Option<&str>| {
            text.push(';');
            text.push_str(name);
            if let Some(value) = value {
                text.push('=');
                text.push_str(value);
            }
        };
        for (n, v) in self.params() {
            if !n.eq_ignore_ascii_case(name) {
                push(&mut text, n, v);
            } else if !done {
                push(&mut text, name, value);
                done = true;
            }
        }
        if !done {
            push(&mut text, name, value);
        }
        Self::parse(&text.into()).unwrap_or_else(|_| self.clone())
    }
}

impl TypedHeader for Via {
    const NAME: HeaderName = HeaderName::Via;

    fn parse(text: &ByteString) -> Result<Self, SyntaxError> {
        let mut c = Cursor::new(text)?;
        c.skip_space();
        let protocol = c.token("a protocol name")?;
        if !c.eat_spaced(b'/') {
            return c.fail("a slash");
        }
        let version = c.token("a protocol version")?;
        if !c.eat_spaced(b'/') {
            return c.fail("a slash");
        }
        let transport = c.token("a transport")?;
        if !c.skip_space() {
            return c.fail("a space");
        }
        let Some((host, len)) = host_at(c.rest()) else { return c.fail("a host") };
        let host_span = Span::new(c.at(), c.at() + len);
        c.seek(c.at() + len);
        let port = if c.eat_spaced(b':') {
            u16::try_from(c.number32(65_535, "a port")?).ok()
        } else {
            None
        };
        let sip_2_0 = c.slice(protocol).eq_ignore_ascii_case(b"SIP") && c.slice(version) == b"2.0";
        let mut via = Self {
            text: text.clone(),
            sip_2_0,
            protocol,
            version,
            transport,
            host,
            host_span,
            port,
            params: Span::new(c.at(), text.len()),
            branch: None,
            received: None,
            rport: None,
        };
        via.read_params(&mut c)?;
        Ok(via)
    }
}

impl Via {
    fn read_params(&mut self, c: &mut Cursor<'_>) -> Result<(), SyntaxError> {
        loop {
            let at = c.at();
            let Some(param) = c.param()? else { return Ok(()) };
            let value = param.value.map(|span| c.slice(span));
            let fail = |expected| Err(SyntaxError::new(at, expected));
            match param.name.len() {
                6 if param.name.eq_ignore_ascii_case(b"branch") => {
                    if self.branch.is_some() || value.is_none_or(<[u8]>::is_empty) {
                        return fail("one branch with a value");
                    }
                    self.branch = param.value;
                }
                8 if param.name.eq_ignore_ascii_case(b"received") => {
                    let ip = value.and_then(received);
                    if self.received.is_some() || ip.is_none() {
                        return fail("one received with an IP address");
                    }
                    self.received = ip;
                }
                5 if param.name.eq_ignore_ascii_case(b"rport") => {
                    let port = value.filter(|v| !v.is_empty()).map(decimal);
                    if self.rport.is_some() || port == Some(None) {
                        return fail("one rport, empty or a port");
                    }
                    self.rport = Some(port.flatten());
                }
                _ => {}
            }
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
mod tests {
    use super::{TypedHeader, Via};
    use crate::Host;

    fn via(text: &str) -> Via {
        Via::parse(&text.into()).unwrap()
    }

    #[test]
    fn parts_are_read() {
        let v = via("SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKabc;rport;received=2001:db8::1;maddr=m.example;ttl=16;alias");
        assert_eq!((v.transport(), v.port(), v.branch()), ("UDP", Some(5060), Some("z9hG4bKabc")));
        assert_eq!(v.host(), Host::V4([192, 0, 2, 10].into()));
        assert_eq!(v.rport(), Some(None));
        assert_eq!(v.received(), Some("2001:db8::1".parse().unwrap()));
        assert_eq!(v.maddr(), Some(Host::Name("m.example")));
        assert_eq!((v.ttl(), v.alias(), v.is_sip_2_0()), (Some(16), true, true));
        assert_eq!(v.branch_after_cookie(), Some("abc"));
    }

    #[test]
    fn rfc3261_25_1_space_may_stand_around_every_separator() {
        let v = via("SIP  / 2.0  / TCP     spindle.example.com  : 5061 ;  branch  =   z9hG4bK9ikj8  ");
        assert_eq!((v.transport(), v.host(), v.port()), ("TCP", Host::Name("spindle.example.com"), Some(5061)));
        assert_eq!(v.branch(), Some("z9hG4bK9ikj8"));
        assert!(v.is_sip_2_0());
    }

    #[test]
    fn rfc5118_4_5_received_takes_ipv6_with_and_without_brackets() {
        let ip = Some("2001:db8::9:255".parse().unwrap());
        assert_eq!(via("SIP/2.0/UDP [2001:db8::9:1];received=[2001:db8::9:255];branch=a").received(), ip);
        assert_eq!(via("SIP/2.0/UDP [2001:db8::9:1];received=2001:db8::9:255;branch=a").received(), ip);
    }

    #[test]
    fn what_is_no_via_is_refused() {
        for text in [
            "", "SIP/2.0", "SIP/2.0/UDP", "SIP/2.0/UDP ", "SIP/2.0/UDPhost", "SIP/2.0 UDP host", "SIP/2.0/UDP h:",
            "SIP/2.0/UDP h:65536", "SIP/2.0/UDP h;;", "SIP/2.0/UDP h;", "SIP/2.0/UDP h;branch", "SIP/2.0/UDP h;branch=",
            "SIP/2.0/UDP h;branch=a;branch=b", "SIP/2.0/UDP h;rport=99999", "SIP/2.0/UDP h;rport=a", "SIP/2.0/UDP h x",
            "SIP/2.0/UDP h;received=h", "SIP/2.0/UDP h;a=\"b", "SIP/2.0/UDP 2001:db8::1", "SIP/2.0/UDP h\r\n;a",
        ] {
            assert!(Via::parse(&text.into()).is_err(), "{text}");
        }
    }

    #[test]
    fn rfc3581_4_received_and_rport_are_filled_in_place() {
        let v = via("SIP/2.0/UDP h ;rport;branch=a;x=\"y;z\"");
        let answered = v.with_rport(Some(4000)).with_received([192, 0, 2, 1].into());
        insta::assert_snapshot!(answered, @r#"SIP/2.0/UDP h;rport=4000;branch=a;x="y;z";received=192.0.2.1"#);
        assert_eq!((answered.rport(), answered.branch()), (Some(Some(4000)), Some("a")));
    }

    #[test]
    fn a_via_is_composed_and_reads_back() {
        let v = Via::new("TLS", Host::V6("2001:db8::1".parse().unwrap()), Some(5061), "z9hG4bKx").unwrap();
        insta::assert_snapshot!(v, @"SIP/2.0/TLS [2001:db8::1]:5061;branch=z9hG4bKx");
        assert_eq!(v.sent_by(), "[2001:db8::1]:5061");
        assert!(Via::new("T X", Host::Name("h"), None, "b").is_err());
        assert!(Via::new("UDP", Host::Name("h"), None, "b\r\nX: y").is_err());
    }
}
