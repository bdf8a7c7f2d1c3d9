//! What our descriptions say of ICE (RFC 8839, RFC 7584 §4.2).

use std::io::Write;
use std::net::{IpAddr, SocketAddr};

use sdp::Media;

use super::{Transport, transport};
use crate::ice::full::{CandidateKind, foundation, priority};
use crate::ice::reach::Beyond;
use crate::ice::{Component, Credentials};

/// The lines of ICE in a description of ours.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct IceLines {
    /// Those of each media section, in order.
    sections: Vec<Vec<u8>>,
    /// Where each is told to be, where that is not our own address.
    places: Vec<Option<Place>>,
    /// Some section has candidates.
    any: bool,
    /// We make checks.
    full: bool,
}

/// One of our ports: its own address, and those that it has beyond the NAT that it is behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) host: SocketAddr,
    pub(crate) beyond: Beyond,
}

impl End {
    /// The address that a peer is most likely to reach (RFC 8445 §5.1.4).
    pub(crate) fn told(&self) -> SocketAddr {
        self.beyond.relayed.or(self.beyond.reflexive).unwrap_or(self.host)
    }
}

/// Both ports of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ends {
    pub(crate) rtp: End,
    pub(crate) rtcp: End,
}

/// What a section says in `m=` and `c=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// Where RTP is taken.
    pub(crate) rtp: SocketAddr,
    /// Where RTCP is, where it has a port of its own that is to be stated (RFC 3605).
    pub(crate) rtcp: Option<SocketAddr>,
}

/// How a section of ours takes part in ICE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum IceSection {
    /// Not at all.
    Without,
    /// The offer's addresses are not among its candidates, so that ICE is not used (RFC 8839 §4.2.5).
    Mismatch,
    /// With one candidate for each component.
    Lite {
        local: Credentials,
        /// Where RTP is taken; RTCP on the next port.
        address: SocketAddr,
        /// RTCP has a candidate of its own.
        rtcp: bool,
        /// The offer has `rtcp-mux` and may be answered without, so that the port of RTCP is stated (RFC 5761 §5.1.3).
        fallback: bool,
        /// The peer trickles: it is told that nothing more comes (RFC 8840 §4.3).
        end: bool,
    },
    /// With all candidates that we have.
    Full {
        local: Credentials,
        ends: Ends,
        /// RTCP has candidates of its own.
        rtcp: bool,
        /// The peer trickles.
        end: bool,
    },
}

/// Priorities of host candidates on the one address that we have (RFC 8445 §5.1.2.1): type preference 126, local
/// preference 65,535, and 256 less the component.
const PRIORITY: [u32; 2] = [2_130_706_431, 2_130_706_430];

impl IceLines {
    pub(crate) fn push(&mut self, section: &IceSection) {
        let mut lines = Vec::new();
        match section {
            IceSection::Without => {}
            IceSection::Mismatch => lines.extend_from_slice(b"a=ice-mismatch\r\n"),
            IceSection::Lite { local, address, rtcp, fallback, end } => {
                self.any = true;
                let SocketAddrParts { ip, port, next } = SocketAddrParts::of(*address);
                let [first, second] = PRIORITY;
                // Writing to a Vec cannot fail.
                let _ = write!(lines, "a=ice-ufrag:{}\r\na=ice-pwd:{}\r\n", local.ufrag, local.password);
                let _ = write!(lines, "a=candidate:1 1 UDP {first} {ip} {port} typ host\r\n");
                if *rtcp {
                    let _ = write!(lines, "a=candidate:1 2 UDP {second} {ip} {next} typ host\r\n");
                }
                if *fallback {
                    let _ = write!(lines, "a=rtcp:{next}\r\n");
                }
                if *end {
                    lines.extend_from_slice(b"a=end-of-candidates\r\n");
                }
            }
            IceSection::Full { local, ends, rtcp, end } => {
                (self.any, self.full) = (true, true);
                let _ = write!(lines, "a=ice-ufrag:{}\r\na=ice-pwd:{}\r\n", local.ufrag, local.password);
                candidates(&mut lines, Component::Rtp, &ends.rtp);
                if *rtcp {
                    candidates(&mut lines, Component::Rtcp, &ends.rtcp);
                }
                if *end {
                    lines.extend_from_slice(b"a=end-of-candidates\r\n");
                }
            }
        }
        self.sections.push(lines);
    }

    /// Says where the last section is to be told to be.
    pub(crate) fn place(&mut self, place: Option<Place>) {
        self.places.resize(self.sections.len().saturating_sub(1), None);
        self.places.push(place);
    }

    /// Where a section is told to be, where that is not our own address.
    pub(super) fn placed(&self, section: usize) -> Option<Place> {
        self.places.get(section).copied().flatten()
    }

    /// The lines of the session (RFC 8839 §4.2.1.4, §4.2.1.5).
    pub(super) fn session(&self) -> &'static [u8] {
        match (self.any, self.full) {
            (true, false) => b"a=ice-lite\r\na=ice-options:ice2\r\n",
            (true, true) => b"a=ice-options:ice2\r\n",
            (false, _) => b"",
        }
    }

    /// The lines of a section.
    pub(super) fn section(&self, section: usize) -> &[u8] {
        self.sections.get(section).map(Vec::as_slice).unwrap_or_default()
    }
}

/// The candidates of one port (RFC 8839 §5.1).
fn candidates(lines: &mut Vec<u8>, component: Component, end: &End) {
    let number = if component == Component::Rtp { 1 } else { 2 };
    let beyond = [
        end.beyond.reflexive.map(|at| (CandidateKind::ServerReflexive, at, end.host)),
        end.beyond.relayed.map(|at| {
            // Where the server sees us (RFC 8839 §5.1).
            (CandidateKind::Relayed, at, end.beyond.reflexive.unwrap_or(end.host))
        }),
    ];
    let all = [Some((CandidateKind::Host, end.host, end.host))].into_iter().chain(beyond).flatten();
    for (kind, at, related) in all {
        let (foundation, priority, name) = (foundation(kind), priority(kind, component), kind.name());
        let (ip, port) = (at.ip(), at.port());
        let _ = write!(lines, "a=candidate:{foundation} {number} UDP {priority} {ip} {port} typ {name}");
        if kind != CandidateKind::Host {
            let _ = write!(lines, " raddr {} rport {}", related.ip(), related.port());
        }
        lines.extend_from_slice(b"\r\n");
    }
}

struct SocketAddrParts {
    ip: IpAddr,
    port: u16,
    next: u16,
}

impl SocketAddrParts {
    fn of(address: SocketAddr) -> Self {
        Self { ip: address.ip(), port: address.port(), next: address.port().saturating_add(1) }
    }
}

/// Whether a stream's RTCP has a place at all.
pub(crate) fn has_rtcp(media: &Media<'_>) -> bool {
    transport(media.line().proto) == Transport::Rtp
}

/// Whether ICE is offered for a stream, and yet its addresses are not among the candidates (RFC 8839 §4.2.5), as when something
/// between us changed them. Names, and the address of nowhere, are no such sign; nor is an offer without any candidates, whose
/// candidates come later or are found by the checks.
pub(crate) fn is_mismatch(media: &Media<'_>) -> bool {
    let Some(ip) = media.connection().and_then(|connection| connection.ip()) else { return false };
    let port = media.line().port;
    if ip.is_unspecified() || port == 9 {
        return false;
    }
    let missing = |component: u16, wanted: SocketAddr| {
        let mut candidates =
            media.candidates().filter(|candidate| candidate.component == component).peekable();
        candidates.peek().is_some() && !candidates.any(|candidate| candidate.socket_address() == Some(wanted))
    };
    let rtcp = match media.rtcp() {
        Some(stated) => {
            let ip = stated.connection.map_or(Some(ip), |connection| connection.ip());
            ip.map(|ip| SocketAddr::new(ip, stated.port))
        }
        None => port.checked_add(1).map(|next| SocketAddr::new(ip, next)),
    };
    let rtcp = rtcp.filter(|rtcp| !media.rtcp_mux() && !rtcp.ip().is_unspecified());
    missing(1, SocketAddr::new(ip, port)) || rtcp.is_some_and(|rtcp| missing(2, rtcp))
}
