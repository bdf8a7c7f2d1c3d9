//! Candidates, and what they are worth (RFC 8445 §5.1).

use std::net::SocketAddr;

use crate::ice::Component;

/// How a candidate was found (RFC 8445 §5.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CandidateKind {
    /// An address of the host's own.
    Host,
    /// Found by a connectivity check.
    PeerReflexive,
    /// Found by asking a STUN server.
    ServerReflexive,
    /// An address at a TURN server.
    Relayed,
}

impl CandidateKind {
    /// As descriptions have it (RFC 8839 §5.1).
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::PeerReflexive => "prflx",
            Self::ServerReflexive => "srflx",
            Self::Relayed => "relay",
        }
    }

    /// RFC 8445 §5.1.2.2.
    const fn preference(self) -> u32 {
        match self {
            Self::Host => 126,
            Self::PeerReflexive => 110,
            Self::ServerReflexive => 100,
            Self::Relayed => 0,
        }
    }

    /// A number for it, from 1.
    pub(crate) fn number(self) -> u32 {
        match self {
            Self::Host => 1,
            Self::PeerReflexive => 2,
            Self::ServerReflexive => 3,
            Self::Relayed => 4,
        }
    }

    /// The kind of that number.
    pub(crate) fn of(number: u32) -> Option<Self> {
        let all = [Self::Host, Self::PeerReflexive, Self::ServerReflexive, Self::Relayed];
        all.into_iter().find(|kind| kind.number() == number)
    }

    /// The kind of that name.
    #[must_use]
    pub(crate) fn named(name: &str) -> Option<Self> {
        let all = [Self::Host, Self::PeerReflexive, Self::ServerReflexive, Self::Relayed];
        all.into_iter().find(|kind| kind.name().eq_ignore_ascii_case(name))
    }
}

/// A candidate of the peer's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// Which component it is for.
    pub(crate) component: Component,
    /// How it was found.
    pub(crate) kind: CandidateKind,
    /// Where it is.
    pub(crate) address: SocketAddr,
    /// What the peer thinks of it.
    pub(crate) priority: u32,
    /// What it has in common with others.
    pub(crate) foundation: Box<str>,
}

/// The priority of a candidate of ours (RFC 8445 §5.1.2.1): there is one address of each kind.
#[must_use]
pub(crate) const fn priority(kind: CandidateKind, component: Component) -> u32 {
    let component = match component {
        Component::Rtp => 1,
        Component::Rtcp => 2,
    };
    (kind.preference() << 24) + (65_535 << 8) + (256 - component)
}

/// The foundation of a candidate of ours (RFC 8445 §5.1.1.3): each kind has one base and one server.
#[must_use]
pub(crate) const fn foundation(kind: CandidateKind) -> &'static str {
    match kind {
        CandidateKind::Host => "1",
        CandidateKind::ServerReflexive => "2",
        CandidateKind::Relayed => "3",
        CandidateKind::PeerReflexive => "4",
    }
}
