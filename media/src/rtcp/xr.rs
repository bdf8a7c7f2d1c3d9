//! Extended reports (RFC 3611 §3, §4, and the block types that came later).

use super::packets::{half, word};
use super::translate::{Names, Whose, extended, name, sequence};

/// Each block of an extended report: its type, where it begins and where it ends.
pub(super) fn each(octets: &[u8]) -> impl Iterator<Item = (u8, usize, usize)> + '_ {
    let mut at = 8;
    std::iter::from_fn(move || {
        let kind = *octets.get(at)?;
        let words = half(octets, at + 2)?;
        let (start, end) = (at, at + 4 * (usize::from(words) + 1));
        at = end;
        (end <= octets.len()).then_some((kind, start, end))
    })
}

/// The sources and sequence numbers that blocks are about, which are the reader's.
pub(super) fn translate(octets: &mut [u8], names: &mut impl Names) {
    let mut at = 8;
    while let Some((kind, start, end)) = next(octets, at) {
        at = end;
        let Some(block) = octets.get_mut(start..end) else { return };
        one(kind, block, names);
    }
}

fn next(octets: &[u8], at: usize) -> Option<(u8, usize, usize)> {
    let end = at + 4 * (usize::from(half(octets, at + 2)?) + 1);
    (end <= octets.len()).then_some((*octets.get(at)?, at, end))
}

fn one(kind: u8, block: &mut [u8], names: &mut impl Names) {
    match kind {
        // Of the writer's clock, without a source (§4.4).
        4 => {}
        // To each receiver whose clock it has seen (§4.5).
        5 => (4..block.len()).step_by(12).for_each(|at| {
            name(block, at, Whose::Reader, names);
        }),
        // Loss and duplicates, by packet, and receipt times, which have an offset of the writer's own (§4.1 to §4.3); statistics (§4.6);
        // RFC 5725 §4, RFC 7097 §3, RFC 7509 §4.
        1..=3 | 6 | 10 | 25 | 33 => {
            if let Some(ssrc) = name(block, 4, Whose::Reader, names)
                && word(block, 8).is_some()
            {
                sequence(block, 8, ssrc, names);
                sequence(block, 10, ssrc, names);
            }
        }
        // From which packet on other blocks are about (RFC 6776 §4.1).
        14 => {
            if let Some(ssrc) = name(block, 4, Whose::Reader, names) {
                sequence(block, 10, ssrc, names);
                extended(block, 12, ssrc, names);
                extended(block, 16, ssrc, names);
            }
        }
        // VoIP metrics (§4.7) and all others that there are: the source comes first.
        _ => {
            name(block, 4, Whose::Reader, names);
        }
    }
}
