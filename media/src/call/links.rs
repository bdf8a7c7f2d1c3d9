//! What two accepted sections make of a stream.

use std::sync::Arc;

use sdp::{Media, RtpMap};

use super::coding::Speech;
use super::dtmf::Keypad;
use super::party::Link;
use super::veil::is_bare;
use crate::negotiate::{Endpoint, has_rtcp, is_secure};
use crate::police::{Allowed, Ssrcs};
use crate::relay::IceSettings;
use crate::rtp::static_clock;

/// The link that two accepted sections make. RTP and RTCP share a port when both say so (RFC 8035 §3.1).
pub(super) fn link(
    (ours, theirs): (&Media<'_>, &Media<'_>),
    endpoint: &Endpoint,
    agent: (bool, bool),
) -> Link {
    Link {
        remote: endpoint.remote,
        remote_rtcp: endpoint.remote_rtcp,
        send: !endpoint.silenced,
        mux: endpoint.mux && ours.rtcp_mux(),
        rtp: endpoint.rtp,
        dtls: is_secure(ours.line().proto) && is_secure(theirs.line().proto),
        ice: ice(ours, theirs, agent),
        clocks: clocks(ours),
        allowed: Allowed::of(ours, theirs),
        ssrcs: Ssrcs::of(theirs),
        srtp: None,
        association: None,
        keypad: Keypad::of(ours, theirs),
        bare: is_bare(ours) && is_bare(theirs),
        speech: Speech::of(ours, theirs),
        tcp: None,
    }
}

/// Both have ICE, and the peer is one that makes checks.
fn ice(ours: &Media<'_>, theirs: &Media<'_>, (full, offered): (bool, bool)) -> Option<IceSettings> {
    let (local, remote) = (ours.ice()?, theirs.ice().filter(|_| full || !theirs.ice_lite())?);
    let muxed = ours.rtcp_mux() && theirs.rtcp_mux();
    // Who has none for RTCP has one component only; who has none at all finds them by the checks.
    let mut candidates = theirs.candidates().peekable();
    let of_rtcp = candidates.peek().is_none() || candidates.any(|candidate| candidate.component == 2);
    let rtcp = has_rtcp(ours) && !muxed && of_rtcp;
    let full = if full { super::ice::terms(ours, theirs, rtcp, offered).map(Arc::new) } else { None };
    Some(IceSettings { local: local.into(), remote: remote.ufrag.into(), full, rtcp })
}

/// Clock rates of the payload types that the peer sends, which are those of our description (RFC 3264 §6.1).
fn clocks(ours: &Media<'_>) -> Box<[(u8, u32)]> {
    let dynamic = |map: &RtpMap<'_>| static_clock(map.payload) != Some(map.clock_rate);
    ours.rtp_maps().filter(dynamic).map(|map| (map.payload, map.clock_rate)).take(MAX_CLOCKS).collect()
}

/// More payload types than this are relayed without a jitter estimate.
const MAX_CLOCKS: usize = 32;

/// Whether our answer can let RTCP share the RTP port, when the offer wants it. For plain RTP that is this leg's own
/// affair, unless a payload type could be taken for RTCP (RFC 5761 §4). A secure stream is relayed end to end, and
/// DTLS handshakes per port: both legs have to be alike.
pub(super) fn shares_port(answer: &Media<'_>, far: &Endpoint) -> bool {
    if is_secure(answer.line().proto) {
        return far.mux;
    }
    can_share(answer)
}

/// Whether no payload type of a stream could be taken for RTCP on a port that both share (RFC 5761 §4).
pub(super) fn can_share(media: &Media<'_>) -> bool {
    let mut payloads = media.line().formats().filter_map(|format| format.parse::<u8>().ok());
    !payloads.any(|payload| (64..=95).contains(&payload))
}
