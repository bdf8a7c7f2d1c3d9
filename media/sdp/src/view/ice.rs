//! What a description says of ICE (RFC 8839 §5).

use std::net::{IpAddr, SocketAddr};

use crate::{Attribute, Media};

/// The credentials that hold for a media section (RFC 8839 §5.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IceCredentials<'a> {
    /// The username fragment: 4 to 256 characters.
    pub ufrag: &'a str,
    /// The password: 22 to 256 characters.
    pub password: &'a str,
}

/// `a=candidate:<foundation> <component> <transport> <priority> <address> <port> typ <type> …` (RFC 8839 §5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate<'a> {
    /// What it has in common with others that are likely to fare as it does.
    pub foundation: &'a str,
    /// 1 for RTP, 2 for RTCP.
    pub component: u16,
    /// `UDP`, or an extension's; compared without case.
    pub transport: &'a str,
    /// Greater is better.
    pub priority: u32,
    /// An address, or a name, which is no address to anybody (RFC 8839 §5.1).
    pub address: &'a str,
    /// The port.
    pub port: u16,
    /// `host`, `srflx`, `prflx`, `relay` or an extension's.
    pub kind: &'a str,
}

impl<'a> Candidate<'a> {
    /// Reads the attribute's value.
    #[must_use]
    pub fn parse(value: &'a str) -> Option<Self> {
        let mut words = value.split_ascii_whitespace();
        let foundation = words.next()?;
        if !is_ice_text(foundation, 1..=32) {
            return None;
        }
        let component = words.next()?.parse().ok().filter(|component| (1..=256).contains(component))?;
        let transport = words.next()?;
        let priority = words.next()?.parse().ok().filter(|priority| *priority > 0)?;
        let (address, port) = (words.next()?, words.next()?.parse().ok()?);
        let kind = words.next().filter(|word| *word == "typ").and_then(|_| words.next())?;
        Some(Self { foundation, component, transport, priority, address, port, kind })
    }

    /// Where it is, when it is over UDP and its address is one.
    #[must_use]
    pub fn socket_address(&self) -> Option<SocketAddr> {
        let ip: IpAddr = self.address.parse().ok().filter(|_| self.transport.eq_ignore_ascii_case("UDP"))?;
        Some(SocketAddr::new(ip, self.port))
    }
}

impl<'a> Media<'a> {
    /// The ICE credentials that hold for it: its own, or those of the session; `None` when there are none that the grammar
    /// allows, or ICE is not used for it since its addresses did not match (`a=ice-mismatch`, RFC 8839 §5.3).
    #[must_use]
    pub fn ice(&self) -> Option<IceCredentials<'a>> {
        let text = |name| self.inherited(name).and_then(Attribute::text).map(str::trim_ascii_end);
        let ufrag = text("ice-ufrag").filter(|text| is_ice_text(text, 4..=256))?;
        let password = text("ice-pwd").filter(|text| is_ice_text(text, 22..=256))?;
        let mismatch = self.section().attribute("ice-mismatch").is_some();
        (!mismatch).then_some(IceCredentials { ufrag, password })
    }

    /// Whoever wrote it answers connectivity checks and makes none (RFC 8839 §5.3).
    #[must_use]
    pub fn ice_lite(&self) -> bool {
        self.of_session("ice-lite").is_some()
    }

    /// Whether an ICE option is among those of the section, or of the session (RFC 8839 §5.6).
    #[must_use]
    pub fn ice_option(&self, option: &str) -> bool {
        let options = self.inherited("ice-options").and_then(Attribute::text);
        options.is_some_and(|options| options.split_ascii_whitespace().any(|stated| stated == option))
    }

    /// Its candidates, those that cannot be read left out.
    #[must_use = "iterators do nothing unless used"]
    pub fn candidates(&self) -> impl Iterator<Item = Candidate<'a>> + Clone + use<'a> {
        let candidates = self.section().attributes().filter(|attribute| attribute.name == "candidate");
        candidates.filter_map(|attribute| Candidate::parse(attribute.text()?))
    }
}

/// Whether a text is so many `ice-char` (RFC 8839 §5.1).
fn is_ice_text(text: &str, length: std::ops::RangeInclusive<usize>) -> bool {
    let is_char = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    length.contains(&text.len()) && text.bytes().all(is_char)
}
