//! What a datagram on a media port is, by its first byte (RFC 7983 §7).

use crate::ice::is_stun;

/// The protocols that share a port with RTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// For the ICE agent.
    Stun,
    /// A handshake, or data under its keys.
    Dtls,
    /// RTP and RTCP, and whatever else a stream is made of.
    Media,
}

pub(super) fn kind(datagram: &[u8]) -> Kind {
    match datagram.first() {
        Some(0..=3) if is_stun(datagram) => Kind::Stun,
        Some(20..=63) => Kind::Dtls,
        _ => Kind::Media,
    }
}
