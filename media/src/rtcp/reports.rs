//! What a peer says of the quality of what it gets.

use super::packets::{half, length, word};
use super::{kind, xr};

/// A report block (RFC 3550 §6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Block {
    /// Which source it is about.
    pub(crate) ssrc: u32,
    /// In 1/256 since the report before.
    pub(crate) fraction: u8,
    /// Never below zero here, though it may be there.
    pub(crate) lost: u32,
    /// In units of the timestamp.
    pub(crate) jitter: u32,
    /// The middle of the NTP timestamp of the last sender report, zero where there was none, and how long ago that was in 1/65536 s.
    pub(crate) last: u32,
    pub(crate) since: u32,
}

/// The quality of a call as a receiver judges it (RFC 3611 §4.7); what it does not know is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct VoiceMetrics {
    /// In 1/256: lost on the way, and come too late or too early.
    pub(crate) loss: u8,
    pub(crate) discard: u8,
    /// In milliseconds: there and back, and what the two ends take.
    pub(crate) round_trip: u16,
    pub(crate) end_system: u16,
    /// From 0 to 100.
    pub(crate) r_factor: Option<u8>,
    /// From 10 to 50: of listening, and of conversation.
    pub(crate) mos_lq: Option<u8>,
    pub(crate) mos_cq: Option<u8>,
}

/// One thing that is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reported {
    /// Of what it has sent: by which the answer to it is told, the middle of its NTP timestamp.
    Sent(u32),
    /// Of what has come.
    Received(Block),
    /// Its clock, though it sends nothing (RFC 3611 §4.4), the same way.
    Clock(u32),
    /// The answer to that (RFC 3611 §4.5): the middle of the timestamp, and how long ago in 1/65536 s.
    Echo(u32, u32),
    /// Of a conversation.
    Voice(VoiceMetrics),
}

/// Tells of all reports in a compound packet.
pub(crate) fn reports(compound: &[u8], mut tell: impl FnMut(Reported)) {
    let mut rest = compound;
    while let Some((length, padding)) = length(rest) {
        let packet = rest.get(..length - padding).unwrap_or_default();
        rest = rest.get(length..).unwrap_or_default();
        let [first, number, ..] = *packet else { return };
        let count = usize::from(first & 31);
        match number {
            kind::SENDER_REPORT => {
                if let Some(moment) = word(packet, 10) {
                    tell(Reported::Sent(moment));
                }
                blocks(packet, 28, count, &mut tell);
            }
            kind::RECEIVER_REPORT => blocks(packet, 8, count, &mut tell),
            kind::EXTENDED_REPORT => {
                for (kind, start, end) in xr::each(packet) {
                    extended(kind, packet.get(start..end).unwrap_or_default(), &mut tell);
                }
            }
            _ => {}
        }
    }
}

fn blocks(packet: &[u8], first: usize, count: usize, tell: &mut impl FnMut(Reported)) {
    for at in (first..packet.len()).step_by(24).take(count) {
        let word = |more| word(packet, at + more);
        let all = (word(0), word(4), word(12), word(16), word(20));
        let (Some(ssrc), Some(lost), Some(jitter), Some(last), Some(since)) = all else { return };
        let [fraction, high, middle, low] = lost.to_be_bytes();
        // 24 bits with a sign: duplicates count against loss.
        let lost = if high & 0x80 == 0 { u32::from_be_bytes([0, high, middle, low]) } else { 0 };
        tell(Reported::Received(Block { ssrc, fraction, lost, jitter, last, since }));
    }
}

fn extended(kind: u8, block: &[u8], tell: &mut impl FnMut(Reported)) {
    match kind {
        4 => word(block, 6).into_iter().for_each(|moment| tell(Reported::Clock(moment))),
        5 => (4..block.len()).step_by(12).for_each(|at| {
            if let (Some(last), Some(since)) = (word(block, at + 4), word(block, at + 8)) {
                tell(Reported::Echo(last, since));
            }
        }),
        7 if block.len() == 36 => {
            let octet = |at: usize| block.get(at).copied().unwrap_or_default();
            let known = |at: usize| Some(octet(at)).filter(|value| *value != 127);
            let short = |at| half(block, at).unwrap_or_default();
            tell(Reported::Voice(VoiceMetrics {
                loss: octet(8),
                discard: octet(9),
                round_trip: short(16),
                end_system: short(18),
                r_factor: known(24).filter(|r| *r <= 100),
                mos_lq: known(26).filter(|mos| (10..=50).contains(mos)),
                mos_cq: known(27).filter(|mos| (10..=50).contains(mos)),
            }));
        }
        _ => {}
    }
}
