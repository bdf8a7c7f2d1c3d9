//! Our own description on one leg, made from the other leg's.

use std::io::Write;
use std::net::IpAddr;
use std::ops::Range;

use sdp::{Attribute, Description, Direction, Line, Media};

use super::bundle::{extension, free_extension, is_extension};
use super::transport::{is_msrp, is_plain_msrp, is_tcp, is_transport};
use super::{Bundle, IceLines, Place, Setup};
use crate::msrp::own_path;

/// What is ours in a description: the `o=` line and the address (RFC 3264 §5, §8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Own {
    pub(crate) session_id: u64,
    pub(crate) version: u64,
    pub(crate) address: IpAddr,
}

/// What becomes of one media section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slot {
    /// Our port in place of the peer's.
    Relayed {
        /// Our RTP port.
        port: u16,
        /// Whether this leg shares it with RTCP.
        mux: bool,
        /// The direction stated.
        direction: Direction,
        /// The profile of RTP, where it is another one than the source's.
        profile: Option<&'static str>,
    },
    /// As it is, with the `c=` that holds for it.
    Around,
    /// Port 0, from the source's section.
    Rejected,
    /// Port 0, from the section of [`Composition::frame`] in the same place, which is not in the source or is
    /// another medium there.
    Padded,
}

/// A description to be made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Composition<'a> {
    /// The other leg's description.
    pub(crate) source: &'a Description,
    /// The offer that is answered, or the last description of ours: gives the sections that must be there.
    pub(crate) frame: Option<&'a Description>,
    /// The frame is an offer, so that our `t=` must equal its (RFC 3264 §6).
    pub(crate) answer: bool,
    /// Transport addresses are ours; else the peers' cross.
    pub(crate) anchored: bool,
    pub(crate) own: Own,
    /// An address in place of ours in `c=`: that of nowhere.
    pub(crate) nowhere: Option<IpAddr>,
    pub(crate) slots: &'a [Slot],
    /// What is said of ICE.
    pub(crate) ice: &'a IceLines,
    /// What is said of bundling.
    pub(crate) bundle: Option<&'a Bundle>,
}

impl Composition<'_> {
    /// Who is to make the connection by an answer, where that is not what the source says: the offer does not let it.
    fn setup(&self, section: usize, media: &Media<'_>) -> Option<Setup> {
        let framed = self.frame.filter(|_| self.answer).and_then(|frame| frame.media().nth(section));
        let (offered, wanted) = (framed.as_ref().and_then(Setup::of)?, Setup::of(media)?);
        let answer = offered.answer(wanted);
        (is_tcp(media.line().proto) && answer != wanted).then_some(answer)
    }

    /// The number of the header extension for tags that a section says, where it does not cross as it is. A section that shares its
    /// transport has one (RFC 9143 §9.1): in an answer that of the offer, in an offer one that is free.
    fn tag_extension(&self, section: usize) -> Option<u8> {
        let of =
            |description: &Description| description.media().nth(section).and_then(|media| extension(&media));
        let shares = self.bundle.is_some_and(|bundle| bundle.is_shared() && bundle.mid(section).is_some());
        let (of_source, framed) = (of(self.source), self.frame.and_then(of));
        if self.answer {
            return framed.filter(|_| shares || of_source.is_some());
        }
        if !shares || of_source.is_some() {
            return None;
        }
        let sections = || self.source.media().chain(self.frame.into_iter().flat_map(Description::media));
        framed
            .or_else(|| sections().find_map(|media| extension(&media)))
            .or_else(|| free_extension(&sections()))
    }
}

/// The text, and where in it the version of the `o=` line is.
pub(crate) struct Text {
    pub(crate) bytes: Vec<u8>,
    pub(crate) version: Range<usize>,
}

pub(crate) fn compose(composition: &Composition<'_>) -> Text {
    let mut writer = Writer {
        out: Vec::with_capacity(1_024),
        composition,
        connection_due: composition.anchored,
        place: None,
        times_due: composition.answer
            || !composition.source.session().lines().any(|line| line.kind() == b't'),
    };
    let version = writer.head();
    writer.session();
    let mut media = composition.source.media();
    let mut frame = composition.frame.into_iter().flat_map(Description::media);
    for (section, slot) in composition.slots.iter().enumerate() {
        let (source, framed) = (media.next(), frame.next());
        match (slot, source, framed) {
            (Slot::Relayed { port, mux, direction, profile }, Some(media), _) => {
                writer.place = composition.ice.placed(section).filter(|_| composition.nowhere.is_none());
                let stated = Stated { port: *port, mux: *mux, direction: *direction, profile: *profile };
                let mid = composition.bundle.and_then(|bundle| bundle.mid(section));
                let setup = composition.setup(section, &media);
                writer.relayed(&media, stated, (mid, composition.tag_extension(section), setup));
                writer.out.extend_from_slice(composition.ice.section(section));
            }
            (Slot::Around, Some(media), _) => writer.around(&media),
            (Slot::Rejected, Some(media), _) => writer.rejected(&media),
            (_, _, Some(media)) | (Slot::Padded, Some(media), None) => writer.port_zero(&media),
            (_, None, None) => {}
        }
    }
    Text { bytes: writer.out, version }
}

/// What a section on ports of ours states.
#[derive(Clone, Copy)]
struct Stated {
    port: u16,
    mux: bool,
    direction: Direction,
    profile: Option<&'static str>,
}

/// The port of who takes no connections.
const DISCARD: u16 = 9;

/// Whatever the source has: what we write is by RFC 8866 §5.
const LINE_END: &[u8] = b"\r\n";

struct Writer<'a> {
    out: Vec<u8>,
    composition: &'a Composition<'a>,
    connection_due: bool,
    times_due: bool,
    /// Where the section is told to be that is being written.
    place: Option<Place>,
}

impl Writer<'_> {
    fn line(&mut self, kind: u8, value: &[u8]) {
        self.out.extend_from_slice(&[kind, b'=']);
        self.out.extend_from_slice(value);
        self.out.extend_from_slice(LINE_END);
    }

    fn copy(&mut self, line: Line<'_>) {
        match line.kind() {
            0 => {}
            kind => self.line(kind, line.value()),
        }
    }

    /// `v=` and `o=`: the user name is nobody's, the rest is ours.
    fn head(&mut self) -> Range<usize> {
        let Own { session_id, version, address } = self.composition.own;
        self.out.extend_from_slice(b"v=0\r\no=- ");
        push_number(&mut self.out, session_id);
        self.out.push(b' ');
        let start = self.out.len();
        push_number(&mut self.out, version);
        let range = start..self.out.len();
        self.out.push(b' ');
        self.address(address);
        self.out.extend_from_slice(LINE_END);
        range
    }

    /// The session section, with our `c=` in its place (RFC 8866 §5) and the offer's `t=`.
    fn session(&mut self) {
        let session = self.composition.source.session();
        if !session.lines().any(|line| line.kind() == b's') {
            self.line(b's', b"-");
        }
        for line in session.lines() {
            match line.kind() {
                b'v' | b'o' => {}
                b'c' if self.composition.anchored => self.connection(),
                b't' | b'r' | b'z' if self.composition.answer => {
                    self.connection();
                    self.times();
                }
                b'k' | b'a' | b'b' | b't' => {
                    self.connection();
                    if matches!(line.kind(), b'k' | b'a') {
                        self.times();
                    }
                    if !self.drops(line) {
                        self.copy(line);
                    }
                }
                _ => self.copy(line),
            }
        }
        self.connection();
        self.times();
        if let Some(bundle) = self.composition.bundle {
            let mids: Vec<_> = bundle.members().map(|member| &*member.mid).collect();
            self.line(b'a', format!("group:BUNDLE {}", mids.join(" ")).as_bytes());
        }
        self.out.extend_from_slice(self.composition.ice.session());
    }

    fn connection(&mut self) {
        if std::mem::take(&mut self.connection_due) {
            self.own_connection();
        }
    }

    fn own_connection(&mut self) {
        self.out.extend_from_slice(b"c=");
        self.address(self.composition.nowhere.unwrap_or(self.composition.own.address));
        self.out.extend_from_slice(LINE_END);
    }

    /// `<nettype> <addrtype> <address>` (RFC 8866 §5.7).
    fn address(&mut self, address: IpAddr) {
        match address {
            IpAddr::V4(address) => {
                self.out.extend_from_slice(b"IN IP4 ");
                for (place, octet) in address.octets().into_iter().enumerate() {
                    if place > 0 {
                        self.out.push(b'.');
                    }
                    push_number(&mut self.out, octet.into());
                }
            }
            IpAddr::V6(address) => {
                // Writing to a Vec cannot fail.
                let _ = write!(self.out, "IN IP6 {address}");
            }
        }
    }

    fn times(&mut self) {
        let written = !std::mem::take(&mut self.times_due);
        if written {
            return;
        }
        let Some(offer) = self.composition.frame.filter(|_| self.composition.answer) else {
            return self.line(b't', b"0 0");
        };
        let is_time = |line: &Line<'_>| matches!(line.kind(), b't' | b'r' | b'z');
        let mut any = false;
        for line in offer.session().lines().filter(is_time) {
            any = true;
            self.copy(line);
        }
        if !any {
            self.line(b't', b"0 0");
        }
    }

    fn drops(&self, line: Line<'_>) -> bool {
        self.composition.anchored
            && line.kind() == b'a'
            && Attribute::parse(line.value()).is_some_and(is_transport)
    }

    fn media_line(&mut self, media: &Media<'_>, port: u16, profile: Option<&str>) {
        let line = media.line();
        self.out.extend_from_slice(b"m=");
        self.out.extend_from_slice(line.media.as_bytes());
        self.out.push(b' ');
        push_number(&mut self.out, port.into());
        if let Some(count) = line.port_count.filter(|_| port != 0) {
            self.out.push(b'/');
            push_number(&mut self.out, count.into());
        }
        let formats = if line.formats.is_empty() { "0" } else { line.formats };
        for word in [profile.unwrap_or(line.proto), formats] {
            self.out.push(b' ');
            self.out.extend_from_slice(word.as_bytes());
        }
        self.out.extend_from_slice(LINE_END);
    }

    /// The address of a section that is not at the session's.
    fn elsewhere(&mut self, ip: Option<IpAddr>) {
        if let Some(ip) = ip {
            self.out.extend_from_slice(b"c=");
            self.address(ip);
            self.out.extend_from_slice(LINE_END);
        }
    }

    /// A section on ports of ours: its `c=` is the session's, its direction the one asked for.
    fn relayed(
        &mut self,
        media: &Media<'_>,
        stated: Stated,
        (mid, extension, setup): (Option<&str>, Option<u8>, Option<Setup>),
    ) {
        let Stated { port, mux, direction, profile } = stated;
        // RFC 4145 §4: nobody connects to who connects.
        let connects =
            is_tcp(media.line().proto) && setup.or_else(|| Setup::of(media)) == Some(Setup::Active);
        let place = self.place;
        let port = if connects { DISCARD } else { place.map_or(port, |place| place.rtp.port()) };
        self.media_line(media, port, profile);
        let mut elsewhere =
            place.map(|place| place.rtp.ip()).filter(|ip| *ip != self.composition.own.address);
        let without_feedback = profile.is_some_and(|profile| !profile.ends_with('F'));
        let inherited = self.composition.source.session().own_direction().unwrap_or_default();
        let (mut mux_due, mut direction_due) = (mux, direction != inherited);
        for line in media.section().lines().skip(1) {
            if line.kind() == b'c' {
                continue;
            }
            if matches!(line.kind(), b'b' | b'k' | b'a') {
                self.elsewhere(elsewhere.take());
            }
            let value = Some(line.value()).filter(|_| line.kind() == b'a');
            let attribute = value.and_then(Attribute::parse);
            let is = |name: &str| attribute.is_some_and(|attribute| attribute.name == name);
            // RFC 4585 §4.2, RFC 5506 §5: these are of the profile with feedback.
            let of_tags = self.composition.answer && attribute.as_ref().is_some_and(is_extension);
            if of_tags
                || is("mid") && mid.is_some()
                || without_feedback && (is("rtcp-fb") || is("rtcp-rsize"))
            {
                continue;
            }
            if is("setup")
                && let Some(setup) = setup
            {
                self.line(b'a', format!("setup:{}", setup.name()).as_bytes());
            } else if is("path") && is_msrp(media.line().proto) {
                self.path(media, line, port);
            } else if value.and_then(Direction::parse).is_some() {
                self.line(b'a', direction.name().as_bytes());
                direction_due = false;
            } else if mux_due && attribute.is_some_and(|attribute| attribute.name == "rtcp-mux") {
                self.line(b'a', b"rtcp-mux");
                mux_due = false;
            } else if !attribute.is_some_and(is_transport) {
                self.copy(line);
            }
        }
        self.elsewhere(elsewhere);
        if let Some(rtcp) = place.and_then(|place| place.rtcp) {
            self.out.extend_from_slice(b"a=rtcp:");
            push_number(&mut self.out, rtcp.port().into());
            self.out.push(b' ');
            self.address(rtcp.ip());
            self.out.extend_from_slice(LINE_END);
        }
        if direction_due {
            self.line(b'a', direction.name().as_bytes());
        }
        if mux_due {
            self.line(b'a', b"rtcp-mux");
        }
        if let Some(mid) = mid {
            self.line(b'a', format!("mid:{mid}").as_bytes());
        }
        if let Some(number) = extension {
            self.line(b'a', format!("extmap:{number} urn:ietf:params:rtp-hdrext:sdes:mid").as_bytes());
        }
    }

    /// The path of MSRP: ours in place of the peer's, where we are in the way of its messages; with TLS it is but a name (RFC 6714 §5).
    fn path(&mut self, media: &Media<'_>, line: Line<'_>, port: u16) {
        if !is_plain_msrp(media.line().proto) {
            self.copy(line);
        } else if let Some(path) = own_path(media, (self.composition.own.address, port)) {
            self.line(b'a', format!("path:{path}").as_bytes());
        }
    }

    /// A section whose transport is the peers' own: nothing of it is ours. Where the session's `c=` held for it and
    /// ours now stands there, it gets its own.
    fn around(&mut self, media: &Media<'_>) {
        let mut lines = media.section().lines();
        if let Some(line) = lines.next() {
            self.copy(line);
        }
        let mut connection = media
            .connection()
            .filter(|_| self.composition.anchored && media.section().connection().is_none());
        for line in lines {
            if matches!(line.kind(), b'b' | b'k' | b'a')
                && let Some(own) = connection.take()
            {
                self.line(b'c', format!("{} {} {}", own.net_type, own.addr_type, own.address).as_bytes());
            }
            self.copy(line);
        }
        if let Some(own) = connection {
            self.line(b'c', format!("{} {} {}", own.net_type, own.addr_type, own.address).as_bytes());
        }
    }

    fn rejected(&mut self, media: &Media<'_>) {
        self.media_line(media, 0, None);
        for line in media.section().lines().skip(1) {
            if !(self.drops(line) || self.composition.anchored && line.kind() == b'c') {
                self.copy(line);
            }
        }
    }

    fn port_zero(&mut self, media: &Media<'_>) {
        self.media_line(media, 0, None);
        // RFC 8866 §5.7 asks for a c= in each section when the session has none.
        if !self.composition.anchored && self.composition.source.session().connection().is_none() {
            self.own_connection();
        }
    }
}

fn push_number(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}
