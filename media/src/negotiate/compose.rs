//! Our own description on one leg, made from the other leg's.

mod section;

use std::io::Write;
use std::net::IpAddr;
use std::ops::Range;

use sdp::{Attribute, Description, Direction, Line, Media};

use super::bundle::{extension, free_extension};
use super::transport::{is_tcp, is_transport};
use super::{Bundle, IceLines, Place, Setup};

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
}

fn push_number(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}
