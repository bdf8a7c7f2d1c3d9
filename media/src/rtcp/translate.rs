//! Other names and numbers in a compound packet (RFC 8079 §3.2).

use super::packets::{Packet, each, half, put, put_half, word};
use super::{feedback, kind, xr};

/// Whose source a packet names in a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// That of who has written the packet.
    Writer,
    /// That of whom it is written to.
    Reader,
    /// Of either: who knows it translates it.
    Either,
}

/// What sources are called beyond, and by how much their numbers differ. Sources are always named as the packet does before it is
/// changed. What is not known stays.
pub(crate) trait Names {
    /// What a source is called.
    fn ssrc(&mut self, whose: Whose, ssrc: u32) -> u32;
    /// The timestamp of a source of the writer's.
    fn timestamp(&self, ssrc: u32, timestamp: u32) -> u32;
    /// By how much the numbers of packets and of octets that a source of the writer's has sent differ.
    fn sent(&self, ssrc: u32) -> (u32, u32);
    /// A sequence number of a source of the reader's.
    fn sequence(&self, ssrc: u32, sequence: u16) -> u16;
    /// The same with how often it has wrapped around in its upper half (RFC 3550 §6.4.1).
    fn extended(&self, ssrc: u32, sequence: u32) -> u32;
}

/// Makes of a compound packet what is true beyond.
pub(crate) fn translate(compound: &mut [u8], names: &mut impl Names) {
    each(compound, |packet| one(packet, names));
}

fn one(Packet { kind, count, octets }: Packet<'_>, names: &mut impl Names) {
    let count = usize::from(count);
    match kind {
        kind::SENDER_REPORT => {
            sender(octets, names);
            blocks(octets, (28, count), names);
        }
        kind::RECEIVER_REPORT => {
            name(octets, 4, Whose::Writer, names);
            blocks(octets, (8, count), names);
        }
        kind::SOURCE_DESCRIPTION => super::sdes::chunks(octets, count, |octets, at| {
            name(octets, at, Whose::Writer, names);
        }),
        kind::BYE => (0..count).for_each(|source| {
            name(octets, 4 + 4 * source, Whose::Writer, names);
        }),
        kind::TRANSPORT_FEEDBACK => feedback::transport(octets, count, names),
        kind::PAYLOAD_FEEDBACK => feedback::payload(octets, count, names),
        kind::EXTENDED_REPORT => {
            name(octets, 4, Whose::Writer, names);
            xr::translate(octets, names);
        }
        kind::RECEIVER_SUMMARY => summary(octets, names),
        kind::PORT_MAPPING => {
            name(octets, 4, Whose::Writer, names);
            // Responses and refusals name who has asked (RFC 6284 §7).
            if matches!(count, 2 | 4) {
                name(octets, 8, Whose::Reader, names);
            }
        }
        kind::JITTER => {}
        // APP, and what is not known: all but the one above begin with the source that they are from.
        _ => {
            name(octets, 4, Whose::Writer, names);
        }
    }
}

/// Translates the name of a source in its place; answers what it was.
pub(super) fn name(octets: &mut [u8], at: usize, whose: Whose, names: &mut impl Names) -> Option<u32> {
    let before = word(octets, at)?;
    let after = names.ssrc(whose, before);
    if after != before {
        put(octets, at, after);
    }
    Some(before)
}

/// A sequence number of the reader's source in its place.
pub(super) fn sequence(octets: &mut [u8], at: usize, ssrc: u32, names: &impl Names) {
    if let Some(before) = half(octets, at) {
        put_half(octets, at, names.sequence(ssrc, before));
    }
}

/// An extended sequence number of the reader's source in its place.
pub(super) fn extended(octets: &mut [u8], at: usize, ssrc: u32, names: &impl Names) {
    if let Some(before) = word(octets, at) {
        put(octets, at, names.extended(ssrc, before));
    }
}

/// The sender information of a sender report (RFC 3550 §6.4.1). Its NTP timestamp is one of the sender's clock, which nothing changes:
/// so are LSR and DLSR of the answer to it, and the round trip that its sender makes of them.
fn sender(octets: &mut [u8], names: &mut impl Names) {
    let Some(ssrc) = name(octets, 4, Whose::Writer, names) else { return };
    if let Some(timestamp) = word(octets, 16) {
        put(octets, 16, names.timestamp(ssrc, timestamp));
    }
    let (packets, bytes) = names.sent(ssrc);
    for (at, more) in [(20, packets), (24, bytes)] {
        if let Some(before) = word(octets, at).filter(|_| more != 0) {
            put(octets, at, before.wrapping_add(more));
        }
    }
}

/// Report blocks: what the writer says of sources of the reader's.
fn blocks(octets: &mut [u8], (first, count): (usize, usize), names: &mut impl Names) {
    for at in (first..octets.len()).step_by(24).take(count) {
        if octets.len() - at < 24 {
            return;
        }
        if let Some(ssrc) = name(octets, at, Whose::Reader, names) {
            extended(octets, at + 8, ssrc, names);
        }
    }
}

/// The sub-report block of sources that collide (RFC 5760 §7.1.2).
const COLLISION: u8 = 8;

/// A summary of what receivers report (RFC 5760 §7.1): from a distribution source, of one that it distributes.
fn summary(octets: &mut [u8], names: &mut impl Names) {
    name(octets, 4, Whose::Writer, names);
    name(octets, 8, Whose::Either, names);
    let mut at = 20;
    while let (Some(&kind), Some(&words)) = (octets.get(at), octets.get(at + 1)) {
        let end = at + 4 * usize::from(words.max(1));
        if kind == COLLISION && end <= octets.len() {
            (at + 4..end).step_by(4).for_each(|at| {
                name(octets, at, Whose::Either, names);
            });
        }
        at = end;
    }
}
