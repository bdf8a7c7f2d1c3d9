//! Why an offer or an answer was refused, sorted by fault.

use sdp::ParseError;

use crate::PortsError;

/// A description that cannot be taken, or one that cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The peer's description cannot be read.
    #[error("the session description cannot be read")]
    Malformed(#[source] ParseError),
    /// The peer's stream has neither a `c=` line nor one of the session (RFC 8866 §5.7).
    #[error("media section {section} has no connection address")]
    NoConnection {
        /// The media section, from 0.
        section: usize,
    },
    /// The peer's answer has another number of media sections than our offer (RFC 3264 §6), or its offer has fewer
    /// than the session (RFC 3264 §8).
    #[error("{has} media sections where {needed} are needed")]
    Sections {
        /// How many it has.
        has: usize,
        /// How many it needs.
        needed: usize,
    },
    /// A host name where media is expected, or an address of the family that the network does not have.
    #[error("media section {section} has an address of a kind that is not available here")]
    Address {
        /// The media section, from 0.
        section: usize,
    },
    /// A multicast address.
    #[error("media section {section} is multicast")]
    Multicast {
        /// The media section, from 0.
        section: usize,
    },
    /// Nothing but streams over connections, which we neither relay nor let go around us.
    #[error("media section {section} needs a connection, which is not carried here, and there is no other")]
    Transport {
        /// The first such media section, from 0.
        section: usize,
    },
    /// Nothing but streams that are not protected as this leg wants them to be, or by keys that it does not take.
    #[error("media section {section} is not protected as it must be here, and there is no other")]
    Protection {
        /// The first such media section, from 0.
        section: usize,
    },
    /// The peer's answer does not answer our keys (RFC 4568 §7.1.3).
    #[error("media section {section} has no key that answers ours")]
    Keys {
        /// The media section, from 0.
        section: usize,
    },
    /// A stream's keys are to come from a handshake, and there is no fingerprint of a certificate that can be gone by (RFC 8122 §5).
    #[error("media section {section} has no fingerprint that can be gone by")]
    Fingerprint {
        /// The media section, from 0.
        section: usize,
    },
    /// A stream has to be protected, and its keys may not be told in the clear (RFC 4568 §8.3).
    #[error("the keys of protected media may not be told in the clear")]
    Clear,
    /// The two who are to talk have no format in common.
    #[error("the two sides have no media format in common")]
    Formats,
    /// More early dialogs answer one offer than its ports can tell apart ([`crate::MAX_CONTEXTS`]).
    #[error("too many early dialogs share the media ports of one offer")]
    TooManyDialogs,
    /// No media ports are to be had.
    #[error("no media ports")]
    Ports(#[source] PortsError),
    /// The caller of this crate did what offer/answer does not allow.
    #[error("offer/answer was used wrongly")]
    Misuse(#[source] Misuse),
}

/// What the caller of this crate did wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Misuse {
    /// There is no such party.
    #[error("no such party")]
    UnknownParty,
    /// An offer while another one of either side is pending (RFC 3264 §4).
    #[error("an offer is pending already")]
    OfferPending,
    /// An answer without an offer.
    #[error("there is no offer to answer")]
    NoOffer,
    /// The party that a description shall be made from has not sent one.
    #[error("the other party has not described its media")]
    NothingDescribed,
}

/// A warning for the response (RFC 3261 §20.43).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Warning {
    /// The warn-code.
    pub code: u16,
    /// The warn-text.
    pub text: &'static str,
}

impl Refusal {
    /// The status of the response that refuses (RFC 3261 §21).
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::Malformed(_) | Self::NoConnection { .. } => 400,
            Self::Sections { .. }
            | Self::Address { .. }
            | Self::Multicast { .. }
            | Self::Transport { .. }
            | Self::Protection { .. }
            | Self::Keys { .. }
            | Self::Fingerprint { .. }
            | Self::Clear
            | Self::Formats => 488,
            Self::TooManyDialogs | Self::Ports(_) => 503,
            Self::Misuse(_) => 500,
        }
    }

    /// The warning that goes with it.
    #[must_use]
    pub fn warning(&self) -> Option<Warning> {
        let (code, text) = match self {
            Self::Malformed(_) => (399, "The session description cannot be read"),
            Self::NoConnection { .. } => (399, "A media section has no connection address"),
            Self::Sections { .. } => (399, "The number of media sections does not match the session"),
            Self::Address { .. } => (301, "Incompatible network address format"),
            Self::Transport { .. } => (302, "Incompatible transport protocol"),
            Self::Protection { .. } => (302, "Incompatible transport protocol: SRTP"),
            Self::Keys { .. } => (399, "The keys of SRTP are not answered"),
            Self::Fingerprint { .. } => {
                (399, "The fingerprint of a certificate is missing, or cannot be read")
            }
            Self::Clear => (399, "The keys of SRTP need secure signalling"),
            Self::Formats => (305, "Incompatible media format"),
            Self::Multicast { .. } => (330, "Multicast not available"),
            Self::TooManyDialogs | Self::Ports(_) | Self::Misuse(_) => return None,
        };
        Some(Warning { code, text })
    }
}
