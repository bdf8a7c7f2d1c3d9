//! A media section of our own, as it is relayed, goes around us, or is rejected.

use std::net::IpAddr;

use sdp::{Attribute, Direction, Line, Media};

use super::{DISCARD, LINE_END, Stated, Writer, push_number};
use crate::msrp::own_path;
use crate::negotiate::Setup;
use crate::negotiate::bundle::is_extension;
use crate::negotiate::transport::{is_msrp, is_plain_msrp, is_tcp, is_transport};

impl Writer<'_> {
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
    pub(super) fn relayed(
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
    pub(super) fn around(&mut self, media: &Media<'_>) {
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

    pub(super) fn rejected(&mut self, media: &Media<'_>) {
        self.media_line(media, 0, None);
        for line in media.section().lines().skip(1) {
            if !(self.drops(line) || self.composition.anchored && line.kind() == b'c') {
                self.copy(line);
            }
        }
    }

    pub(super) fn port_zero(&mut self, media: &Media<'_>) {
        self.media_line(media, 0, None);
        // RFC 8866 §5.7 asks for a c= in each section when the session has none.
        if !self.composition.anchored && self.composition.source.session().connection().is_none() {
            self.own_connection();
        }
    }
}
