//! Which sections a compound packet of RTCP is for (RFC 9143 §9.2).

use super::super::context::Context;
use super::table::Tables;
use super::{Assigned, sections};

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const DESCRIPTION: u8 = 202;
const GOODBYE: u8 = 203;
const TRANSPORT_FEEDBACK: u8 = 205;
const PAYLOAD_FEEDBACK: u8 = 206;
const EXTENDED_REPORT: u8 = 207;

/// The item of a source's description that has the identification tag (RFC 9143 §15.1).
const MID: u8 = 15;
/// A block of a report (RFC 3550 §6.4.1), and what is before the blocks of a sender's: its SSRC and what it has sent.
const BLOCK: usize = 24;
const SENDER_INFO: usize = 24;
/// Packets in a compound that are looked at; none has more that means something.
const MOST_PACKETS: usize = 32;

struct Sorter<'a> {
    contexts: &'a [Context],
    transport: u8,
    tables: &'a mut Tables,
    found: u16,
}

/// The sections that a compound says something of; what is of none is given to the first one, for it is of the session that all share
/// (RFC 9143 §9.1).
pub(super) fn assign(
    contexts: &[Context],
    transport: u8,
    tables: &mut Tables,
    packet: &[u8],
) -> Option<Assigned> {
    let mut sorter = Sorter { contexts, transport, tables, found: 0 };
    let mut rest = packet;
    for _ in 0..MOST_PACKETS {
        let Some([first, kind, l0, l1]) = rest.first_chunk::<4>().copied() else { break };
        let length = 4 * (usize::from(u16::from_be_bytes([l0, l1])) + 1);
        let Some((one, behind)) = rest.split_at_checked(length) else { break };
        sorter.packet(first & 0x1f, kind, one);
        rest = behind;
    }
    let alive = sections(contexts, transport).fold(0u16, |mask, (section, _)| mask | bit(section));
    let found = sorter.found & alive;
    let section = match found {
        0 => sections(contexts, transport).next()?.0,
        found => u8::try_from(found.trailing_zeros()).ok()?,
    };
    Some(Assigned { section, others: found & !bit(section) })
}

fn bit(section: u8) -> u16 {
    1u16.checked_shl(section.into()).unwrap_or_default()
}

fn word(octets: &[u8], at: usize) -> Option<u32> {
    octets.get(at..)?.first_chunk().map(|word| u32::from_be_bytes(*word))
}

impl Sorter<'_> {
    fn packet(&mut self, count: u8, kind: u8, packet: &[u8]) {
        match kind {
            SENDER_REPORT => {
                self.incoming(word(packet, 4));
                self.blocks(count, packet.get(4 + SENDER_INFO..));
            }
            RECEIVER_REPORT => self.blocks(count, packet.get(8..)),
            DESCRIPTION => self.description(count, packet.get(4..).unwrap_or_default()),
            GOODBYE => (0..usize::from(count)).for_each(|at| self.incoming(word(packet, 4 + 4 * at))),
            TRANSPORT_FEEDBACK | PAYLOAD_FEEDBACK => self.feedback(kind, count, packet),
            EXTENDED_REPORT => {
                self.incoming(word(packet, 4));
                self.extended(packet.get(8..).unwrap_or_default());
            }
            _ => self.incoming(word(packet, 4)),
        }
    }

    fn incoming(&mut self, ssrc: Option<u32>) {
        if let Some(section) = ssrc.and_then(|ssrc| self.tables.incoming.get(ssrc)) {
            self.found |= bit(section);
        }
    }

    fn outgoing(&mut self, ssrc: Option<u32>) {
        if let Some(section) = ssrc.and_then(|ssrc| self.tables.outgoing.get(ssrc)) {
            self.found |= bit(section);
        }
    }

    fn blocks(&mut self, count: u8, blocks: Option<&[u8]>) {
        let blocks = blocks.unwrap_or_default();
        (0..usize::from(count)).for_each(|at| self.outgoing(word(blocks, at * BLOCK)));
    }

    /// Chunks of sources, each with its items (RFC 3550 §6.5); one that names its section is known by that from then on.
    fn description(&mut self, count: u8, chunks: &[u8]) {
        let mut at = 0;
        for _ in 0..count {
            let Some(ssrc) = word(chunks, at) else { return };
            at += 4;
            while let Some(kind) = chunks.get(at).copied().filter(|kind| *kind != 0) {
                let Some(length) = chunks.get(at + 1).copied().map(usize::from) else { return };
                let Some(value) = chunks.get(at + 2..at + 2 + length) else { return };
                let mut named = sections(self.contexts, self.transport);
                if kind == MID
                    && let Some((section, _)) = named.find(|(_, tags)| tags.mid.as_bytes() == value)
                {
                    self.tables.incoming.learn(ssrc, section);
                }
                at += 2 + length;
            }
            // One zero at the least, and then up to the next word.
            at = (at / 4 + 1) * 4;
            self.incoming(Some(ssrc));
        }
    }

    /// Feedback names the source that it is about, or it has targets behind that (RFC 4585 §6.1, RFC 5104 §4).
    fn feedback(&mut self, kind: u8, format: u8, packet: &[u8]) {
        let targets = |size: usize| {
            let entries = packet.get(12..).unwrap_or_default().chunks_exact(size);
            entries.map(|entry| word(entry, 0))
        };
        match (kind, format) {
            // TMMBR; FIR, TSTR, VBCM, LRR.
            (TRANSPORT_FEEDBACK, 3) | (PAYLOAD_FEEDBACK, 4 | 5 | 10) => {
                targets(8).for_each(|target| self.outgoing(target));
            }
            (PAYLOAD_FEEDBACK, 7) => self.outgoing(word(packet, 12)),
            // TMMBN, TSTN.
            (TRANSPORT_FEEDBACK, 4) | (PAYLOAD_FEEDBACK, 6) => {
                targets(8).for_each(|target| self.incoming(target));
            }
            // Of the application layer: REMB (draft-alvestrand-rmcat-remb §2.2) has its sources behind its bit rate.
            (PAYLOAD_FEEDBACK, 15) if packet.get(12..16) == Some(b"REMB") => {
                let sources = packet.get(20..).unwrap_or_default().chunks_exact(4);
                sources.for_each(|source| self.outgoing(word(source, 0)));
            }
            _ => self.outgoing(word(packet, 8)),
        }
    }

    /// Blocks of RFC 3611 §3: those that are about a source have it first (§4.1 to §4.3, §4.6, §4.7).
    fn extended(&mut self, blocks: &[u8]) {
        let mut rest = blocks;
        while let Some([kind, _, l0, l1]) = rest.first_chunk::<4>().copied() {
            let length = 4 * (usize::from(u16::from_be_bytes([l0, l1])) + 1);
            let Some((block, behind)) = rest.split_at_checked(length) else { return };
            if matches!(kind, 1..=3 | 6 | 7) {
                self.outgoing(word(block, 4));
            }
            rest = behind;
        }
    }
}
