//! Which lines describe a transport endpoint, and so belong to one leg.

use sdp::{Attribute, Group};

/// Whether an attribute describes the transport endpoint of whoever wrote it and never crosses an anchored call.
/// Keying lines (`crypto`, `fingerprint`, `setup`, `tls-id`, `zrtp-hash`, `key-mgmt`) are not among these: secure
/// streams are relayed end to end (RFC 7879). What speaks within them (`sctp-port`, `dcsa`) crosses as well.
pub(crate) fn is_transport(mut attribute: Attribute<'_>) -> bool {
    while let Some(inner) = capability(attribute) {
        attribute = inner;
    }
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
        // RFC 6284 §4, RFC 6128 §3
        "portmapping-req" | "multicast-rtcp" => true,
        // URIs of the writer's host: MSRP (RFC 4975 §6), BFCP and MSRP over WebSocket (RFC 8124 §3), RTSP (RFC 7826
        // §D.1.1)
        "path" | "websocket-uri" | "control" => true,
        // Of no RFC: alternatives before ICE and of 3GPP TS 26.234 §5.3.3, what NAT helpers leave behind of the
        // addresses that they replaced
        "alt" | "alt-default-id" | "alt-group" | "originator" | "oldmediaip" | "oldcip" | "oldoip" => true,
        name => ["ice-", "omr-", "x-candidate"].iter().any(|family| name.starts_with(family)),
    }
}

/// The attribute that a capability stands for: `a=acap:<number> <attribute>` (RFC 5939 §3.4.2), `a=cpar: a=<attribute>`
/// (RFC 3407 §3). Without its attribute a potential configuration is one that cannot be used (RFC 5939 §3.5.1).
fn capability(attribute: Attribute<'_>) -> Option<Attribute<'_>> {
    let text = attribute.value?.trim_ascii_start();
    match attribute.name {
        "acap" => {
            let number = text.iter().position(|byte| *byte == b' ')?;
            Attribute::parse(text.get(number..)?.trim_ascii_start())
        }
        "cpar" => Attribute::parse(text.strip_prefix(b"a=")?),
        _ => None,
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

/// Whether a transport protocol is over TCP (RFC 4145).
pub(crate) fn is_tcp(proto: &str) -> bool {
    proto.split('/').next().is_some_and(|first| first.eq_ignore_ascii_case("TCP"))
}

/// Whether it is that of MSRP (RFC 4975 §8.1), with TLS or without.
pub(crate) fn is_msrp(proto: &str) -> bool {
    is_plain_msrp(proto) || proto.eq_ignore_ascii_case("TCP/TLS/MSRP")
}

/// The same without TLS, so that its messages can be read.
pub(crate) fn is_plain_msrp(proto: &str) -> bool {
    proto.eq_ignore_ascii_case("TCP/MSRP")
}

/// SRTP with keys of the peers: `RTP/SAVP`, `RTP/SAVPF`, `UDP/TLS/RTP/SAVP`…
pub(crate) fn is_secure(proto: &str) -> bool {
    proto
        .rsplit('/')
        .next()
        .is_some_and(|profile| profile.eq_ignore_ascii_case("SAVP") || profile.eq_ignore_ascii_case("SAVPF"))
}
