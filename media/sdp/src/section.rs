//! Views of the session section and of media sections.

use crate::{
    Attribute, Bandwidth, Connection, Description, Direction, Fmtp, Group, Line, MediaLine, RtcpAddress,
    RtpMap,
};

/// A run of lines: the session section, or one media section with its `m=` line.
#[derive(Debug, Clone, Copy)]
pub struct Section<'a> {
    description: &'a Description,
    start: usize,
    end: usize,
}

impl<'a> Section<'a> {
    pub(crate) fn new(description: &'a Description, start: usize, end: usize) -> Self {
        Self { description, start, end }
    }

    /// The index of its first line in the description.
    #[must_use]
    pub fn start(&self) -> usize {
        self.start
    }

    /// The index after its last line.
    #[must_use]
    pub fn end(&self) -> usize {
        self.end
    }

    /// Its lines in order.
    #[must_use = "iterators do nothing unless used"]
    pub fn lines(&self) -> impl Iterator<Item = Line<'a>> + Clone + use<'a> {
        let description = self.description;
        (self.start..self.end).filter_map(move |index| description.line(index))
    }

    fn of_kind(&self, kind: u8) -> impl Iterator<Item = Line<'a>> + Clone + use<'a> {
        self.lines().filter(move |line| line.kind() == kind)
    }

    /// Its attributes (RFC 8866 §5.13) in order; lines that are none are left out.
    #[must_use = "iterators do nothing unless used"]
    pub fn attributes(&self) -> impl Iterator<Item = Attribute<'a>> + Clone + use<'a> {
        self.of_kind(b'a').filter_map(|line| Attribute::parse(line.value()))
    }

    /// The first attribute called `name`.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<Attribute<'a>> {
        self.attributes().find(|attribute| attribute.name == name)
    }

    /// The values of its attributes called `name`, where they are UTF-8.
    fn texts(&self, name: &'static str) -> impl Iterator<Item = &'a str> + Clone + use<'a> {
        self.of_kind(b'a').filter_map(move |line| {
            let value = line.value().strip_prefix(name.as_bytes())?.strip_prefix(b":")?;
            std::str::from_utf8(value).ok()
        })
    }

    /// Its first `c=` line (RFC 8866 §5.7).
    #[must_use]
    pub fn connection(&self) -> Option<Connection<'a>> {
        self.of_kind(b'c').next().and_then(|line| Connection::parse(line.text()?))
    }

    /// Its `b=` lines (RFC 8866 §5.8).
    #[must_use = "iterators do nothing unless used"]
    pub fn bandwidths(&self) -> impl Iterator<Item = Bandwidth<'a>> + Clone + use<'a> {
        self.of_kind(b'b').filter_map(|line| Bandwidth::parse(line.text()?))
    }

    /// The direction that this section itself states (RFC 8866 §6.7).
    #[must_use]
    pub fn own_direction(&self) -> Option<Direction> {
        self.of_kind(b'a').find_map(|line| Direction::parse(line.value()))
    }

    /// Its groups (RFC 5888 §5; session section only).
    #[must_use = "iterators do nothing unless used"]
    pub fn groups(&self) -> impl Iterator<Item = Group<'a>> + Clone + use<'a> {
        self.texts("group").filter_map(Group::parse)
    }
}

/// One media section and what it inherits from the session section.
#[derive(Debug, Clone, Copy)]
pub struct Media<'a> {
    line: MediaLine<'a>,
    section: Section<'a>,
    session: Section<'a>,
}

impl<'a> Media<'a> {
    pub(crate) fn new(line: MediaLine<'a>, section: Section<'a>, session: Section<'a>) -> Self {
        Self { line, section, session }
    }

    /// The `m=` line.
    #[must_use]
    pub fn line(&self) -> MediaLine<'a> {
        self.line
    }

    /// Its lines, the `m=` line among them.
    #[must_use]
    pub fn section(&self) -> Section<'a> {
        self.section
    }

    /// Its `c=` line, or that of the session (RFC 8866 §5.7).
    #[must_use]
    pub fn connection(&self) -> Option<Connection<'a>> {
        self.section.connection().or_else(|| self.session.connection())
    }

    /// Its direction, or that of the session, or sendrecv (RFC 8866 §6.7, RFC 3264 §5.1).
    #[must_use]
    pub fn direction(&self) -> Direction {
        self.section.own_direction().or_else(|| self.session.own_direction()).unwrap_or_default()
    }

    /// What its payload types mean (RFC 8866 §6.6).
    #[must_use = "iterators do nothing unless used"]
    pub fn rtp_maps(&self) -> impl Iterator<Item = RtpMap<'a>> + Clone + use<'a> {
        self.section.texts("rtpmap").filter_map(RtpMap::parse)
    }

    /// Parameters of its formats (RFC 8866 §6.15).
    #[must_use = "iterators do nothing unless used"]
    pub fn format_parameters(&self) -> impl Iterator<Item = Fmtp<'a>> + Clone + use<'a> {
        self.section.texts("fmtp").filter_map(Fmtp::parse)
    }

    /// The stated place for RTCP (RFC 3605 §2.1).
    #[must_use]
    pub fn rtcp(&self) -> Option<RtcpAddress<'a>> {
        self.section.attribute("rtcp").and_then(|a| RtcpAddress::parse(a.text()?))
    }

    /// RTP and RTCP share a port (RFC 5761 §5.1.1).
    #[must_use]
    pub fn rtcp_mux(&self) -> bool {
        self.section.attribute("rtcp-mux").is_some()
    }

    /// The first attribute called `name` of its own, or else of the session.
    #[must_use]
    pub fn inherited(&self, name: &str) -> Option<Attribute<'a>> {
        self.section.attribute(name).or_else(|| self.session.attribute(name))
    }

    /// The session section.
    #[must_use]
    pub fn session(&self) -> Section<'a> {
        self.session
    }

    /// The first attribute called `name` of the session.
    #[must_use]
    pub fn of_session(&self, name: &str) -> Option<Attribute<'a>> {
        self.session.attribute(name)
    }

    /// Its identification tag (RFC 5888 §4).
    #[must_use]
    pub fn mid(&self) -> Option<&'a str> {
        self.section.attribute("mid").and_then(Attribute::text)
    }
}
