//! Packets of RTP with header extensions, whatever they are, given to the sections of a transport.

use std::sync::Arc;

use super::{Share, Tags, assign};
use crate::relay::context::Context;
use crate::relay::demux::{Kind, kind};
use crate::relay::senders::Senders;
use crate::relay::{Settings, Sources};
use crate::rtp::{self, extension};
use crate::{ContextId, PairId, ThreadId};

/// Two sections of one transport, told by a tag, a source and payload types.
fn sections() -> Vec<Context> {
    let address = std::net::SocketAddr::from(([192, 0, 2, 1], 9));
    let context = |remote: u8, mid: &str, payload: u8, source: u32| {
        let section = Tags {
            mid: mid.into(),
            extension: Some(4),
            blank: false,
            payloads: [payload].into(),
            sources: [source].into(),
        };
        let settings = Settings {
            remote: address,
            remote_rtcp: address,
            sources: Sources::Any,
            send: true,
            mux: true,
            rtp: true,
            dtls: false,
            ice: None,
            peer: None,
            clocks: Box::default(),
            payloads: None,
            rate: None,
            ssrcs: None,
            srtp: None,
            dtmf: None,
            veil: None,
            transcode: None,
            share: Some(Box::new(Share { transport: 0, section: Some(section) })),
        };
        let pair = PairId { thread: ThreadId(0), slot: 0, generation: 0 };
        Context::new(ContextId { pair, remote }, settings, Arc::default(), &mut Senders::default())
    };
    vec![context(0, "a", 0, 7), context(1, "v", 96, 8)]
}

/// Reads a packet, behind the number of an extension; true where a payload or an extension lies
/// beyond the packet, one that was taken out is still there or anything else is gone with it, or a section that is none has it.
pub(crate) fn fuzzed(input: &[u8]) -> bool {
    let [number, packet @ ..] = input else { return false };
    let is_media = kind(packet) == Kind::Media;
    let parts = rtp::parts(packet);
    if parts
        .as_ref()
        .is_some_and(|(_, _, body)| !is_media || body.start < 12 || packet.get(body.clone()).is_none())
    {
        return true;
    }
    let mut blanked = packet.to_vec();
    if let Some(octets) = extension::element(packet, *number) {
        let is_inside = octets.start > 16 && packet.get(octets).is_some();
        extension::blank(&mut blanked, *number);
        let elements = |packet: &[u8]| packet.iter().filter(|octet| **octet != 0).count();
        if !is_inside || elements(&blanked) >= elements(packet) {
            return true;
        }
    }
    let body = |packet: &[u8]| {
        rtp::parts(packet)
            .map(|(header, marker, body)| (header, marker, packet.get(body).map(<[u8]>::to_vec)))
    };
    // Of a packet that says of itself that it is longer than it is there is nothing that could stay.
    if blanked.len() != packet.len() || parts.is_some() && body(&blanked) != body(packet) {
        return true;
    }
    let mut contexts = sections();
    // The second of the same source goes where the first has gone, or by its tag; of RTCP, the first may have said what the second is read by.
    let assigned = [assign(&mut contexts, 0, packet), assign(&mut contexts, 0, packet)];
    let is_odd =
        |of: super::Assigned| of.section > 1 || of.others & !3 != 0 || of.others >> of.section & 1 == 1;
    assigned.iter().flatten().any(|of| is_odd(*of)) || !rtp::is_rtcp(packet) && assigned[0] != assigned[1]
}
