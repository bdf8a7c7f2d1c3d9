//! Which lines describe a transport endpoint, and so belong to one leg.

use sdp::{Attribute, Group};

/// Whether an attribute describes the transport endpoint of whoever wrote it and never crosses an anchored call.
/// Keying lines (`crypto`, `fingerprint`, `setup`, `tls-id`, `zrtp-hash`, `key-mgmt`) are not among these: secure
/// streams are relayed end to end (RFC 7879).
pub(super) fn is_transport(attribute: Attribute<'_>) -> bool {
    match attribute.name {
        // RFC 8839 §5, RFC 8840 §4
        "candidate" | "remote-candidates" | "end-of-candidates" => true,
        // RFC 3605; RFC 5761 and RFC 8858, which each leg negotiates for itself
        "rtcp" | "rtcp-mux" | "rtcp-mux-only" => true,
        // RFC 9143 §6: several sections on one transport; each of ours has its own
        "bundle-only" => true,
        "group" => attribute.text().and_then(Group::parse).is_some_and(|group| group.semantics == "BUNDLE"),
        // Addresses by other means: RFC 4570, RFC 6947, RFC 7006, TS 24.229 §7.5
        "source-filter" | "altc" | "ccap" | "visited-realm" | "secondary-realm" => true,
        name => name.starts_with("ice-") || name.starts_with("omr-"),
    }
}

/// How packets of a transport protocol travel (the `proto` field of `m=`, RFC 8866 §5.14).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    /// RTP or SRTP over UDP.
    Rtp,
    /// Anything else over UDP, unknown protocols among it: relayed unread.
    Datagrams,
    /// Over a connection of the peers' own (TCP, SCTP, DCCP, the telephone network).
    Connection,
}

pub(crate) fn transport(proto: &str) -> Transport {
    let mut parts = proto.split('/');
    let first = parts.next().unwrap_or_default();
    let is = |name: &str| first.eq_ignore_ascii_case(name);
    if ["TCP", "SCTP", "DCCP", "PSTN", "MSRP"].into_iter().any(is) {
        Transport::Connection
    } else if is("RTP") || parts.any(|part| part.eq_ignore_ascii_case("RTP")) {
        Transport::Rtp
    } else {
        Transport::Datagrams
    }
}

/// SRTP with keys of the peers: `RTP/SAVP`, `RTP/SAVPF`, `UDP/TLS/RTP/SAVP`…
pub(crate) fn is_secure(proto: &str) -> bool {
    proto
        .rsplit('/')
        .next()
        .is_some_and(|profile| profile.eq_ignore_ascii_case("SAVP") || profile.eq_ignore_ascii_case("SAVPF"))
}
