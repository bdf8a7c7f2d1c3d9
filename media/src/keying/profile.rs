//! The profile of RTP that a transport protocol names.

use super::Keying;
use crate::negotiate::is_secure;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// `RTP/AVP` (RFC 3551) or `RTP/AVPF` (RFC 4585).
    Plain { feedback: bool },
    /// `RTP/SAVP` (RFC 3711) or `RTP/SAVPF` (RFC 5124), with keys by means of the descriptions.
    Secure { feedback: bool },
    /// `UDP/TLS/RTP/SAVP` or `UDP/TLS/RTP/SAVPF` (RFC 5764 §8).
    Dtls { feedback: bool },
    /// SRTP over something else.
    Foreign,
    /// No RTP over UDP.
    Other,
}

impl Profile {
    pub(crate) fn of(proto: &str) -> Self {
        let is = |name: &str| proto.eq_ignore_ascii_case(name);
        match () {
            () if is("RTP/AVP") => Self::Plain { feedback: false },
            () if is("RTP/AVPF") => Self::Plain { feedback: true },
            () if is("RTP/SAVP") => Self::Secure { feedback: false },
            () if is("RTP/SAVPF") => Self::Secure { feedback: true },
            () if is("UDP/TLS/RTP/SAVP") => Self::Dtls { feedback: false },
            () if is("UDP/TLS/RTP/SAVPF") => Self::Dtls { feedback: true },
            () if is_secure(proto) => Self::Foreign,
            () => Self::Other,
        }
    }

    /// Whether it has the feedback of RFC 4585; `None` for what is not ours to protect.
    pub(crate) fn feedback(self) -> Option<bool> {
        match self {
            Self::Plain { feedback } | Self::Secure { feedback } | Self::Dtls { feedback } => Some(feedback),
            Self::Foreign | Self::Other => None,
        }
    }

    /// The plain one that a secure one is without its keys (RFC 3711 §12, RFC 5124 §3).
    pub(super) fn plain(self) -> Option<&'static str> {
        match self {
            Self::Secure { feedback } | Self::Dtls { feedback } => Some(plain(feedback)),
            Self::Plain { .. } | Self::Foreign | Self::Other => None,
        }
    }
}

/// The plain profile with or without feedback.
pub(crate) fn plain(feedback: bool) -> &'static str {
    if feedback { "RTP/AVPF" } else { "RTP/AVP" }
}

/// The secure one, with keys from there.
pub(crate) fn secure(keying: Keying, feedback: bool) -> &'static str {
    match (keying, feedback) {
        (Keying::Sdes, false) => "RTP/SAVP",
        (Keying::Sdes, true) => "RTP/SAVPF",
        (Keying::Dtls, false) => "UDP/TLS/RTP/SAVP",
        (Keying::Dtls, true) => "UDP/TLS/RTP/SAVPF",
    }
}
