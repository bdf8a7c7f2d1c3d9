//! Feedback (RFC 4585 §6.1): who says it, of which source, and what it says of that and of others.

use super::packets::{half, put_half, word};
use super::translate::{Names, Whose, extended, name, sequence};

/// Where what is said begins (FCI).
const SAID: usize = 12;

/// The two sources. That of the media is zero where the message names others (RFC 5104 §4.2.1), and stays so.
fn heads(octets: &mut [u8], names: &mut impl Names) -> Option<u32> {
    name(octets, 4, Whose::Writer, names);
    match word(octets, 8)? {
        0 => Some(0),
        _ => name(octets, 8, Whose::Reader, names),
    }
}

/// Transport layer feedback, by its format.
pub(super) fn transport(octets: &mut [u8], format: usize, names: &mut impl Names) {
    if format == 11 {
        return congestion(octets, names);
    }
    let Some(media) = heads(octets, names) else { return };
    match format {
        // Generic NACK (RFC 4585 §6.2.1); what a third party has lost (RFC 6642 §4.1).
        1 | 7 => (SAID..octets.len()).step_by(4).for_each(|at| lost(octets, at, media, names)),
        // TMMBR and TMMBN (RFC 5104 §4.2.1, §4.2.2), of the sources that are limited or that limit.
        3 | 4 => list(octets, SAID, 8, names),
        // ECN (RFC 6679 §5.1).
        8 => extended(octets, SAID, media, names),
        // Pause and resume (RFC 7728 §8.1): each with a length in words.
        9 => {
            let mut at = SAID;
            while let Some(&words) = octets.get(at + 5) {
                name(octets, at, Whose::Reader, names);
                at += 8 + 4 * usize::from(words);
            }
        }
        // All else says nothing of RTP's own numbers: 15 has a count of its own, which is in a header extension and crosses.
        _ => {}
    }
}

/// Payload-specific feedback, by its format.
pub(super) fn payload(octets: &mut [u8], format: usize, names: &mut impl Names) {
    heads(octets, names);
    match format {
        // FIR (RFC 5104 §4.3.1), TSTR (§4.3.2), TSTN (§4.3.3).
        4..=6 => list(octets, SAID, 8, names),
        // VBCM (§4.3.4): each with a length in octets, padded to words.
        7 => {
            let mut at = SAID;
            while let Some(length) = half(octets, at + 6) {
                name(octets, at, Whose::Reader, names);
                at += 8 + usize::from(length).next_multiple_of(4);
            }
        }
        // Pictures that a third party has lost (RFC 6642 §4.2).
        8 => list(octets, SAID, 4, names),
        // Of an application: REMB, as it is deployed without being a standard.
        15 if octets.get(SAID..SAID + 4) == Some(b"REMB") => {
            let count = octets.get(SAID + 4).map_or(0, |count| usize::from(*count));
            let end = octets.len().min(SAID + 8 + 4 * count);
            (SAID + 8..end).step_by(4).for_each(|at| {
                name(octets, at, Whose::Reader, names);
            });
        }
        // PLI, SLI, RPSI (RFC 4585 §6.3) have no more names and numbers of RTP.
        _ => {}
    }
}

/// Sources of the reader's, each in its place.
fn list(octets: &mut [u8], first: usize, step: usize, names: &mut impl Names) {
    (first..octets.len()).step_by(step).for_each(|at| {
        name(octets, at, Whose::Reader, names);
    });
}

/// A packet that is lost, and which of the next 16 are (RFC 4585 §6.2.1).
fn lost(octets: &mut [u8], at: usize, media: u32, names: &impl Names) {
    let (Some(first), Some(mask)) = (half(octets, at), half(octets, at + 2)) else { return };
    let now = names.sequence(media, first);
    let others = (1u16..=16).filter(|after| mask >> (after - 1) & 1 == 1);
    let others = others.map(|after| names.sequence(media, first.wrapping_add(after)).wrapping_sub(now));
    let others =
        others.filter(|after| (1..=16).contains(after)).fold(0, |mask, after| mask | 1 << (after - 1));
    put_half(octets, at, now);
    put_half(octets, at + 2, others);
}

/// What was received of each source (RFC 8888 §3.1), which has no source of media in its place.
fn congestion(octets: &mut [u8], names: &mut impl Names) {
    name(octets, 4, Whose::Writer, names);
    // The last word is a timestamp.
    let end = octets.len().saturating_sub(4);
    let mut at = 8;
    while at + 8 <= end {
        let Some(ssrc) = name(octets, at, Whose::Reader, names) else { return };
        sequence(octets, at + 4, ssrc, names);
        let reports = half(octets, at + 6).map_or(0, usize::from);
        at += 8 + (2 * reports).next_multiple_of(4);
    }
}
