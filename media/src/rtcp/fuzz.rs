//! For the fuzz target.

use std::sync::Arc;

use super::{CNAME_LENGTH, Names, Whose, hide, is_compound, reports, translate};
use crate::veil::{Veil, Veiled};

/// Other names and numbers, and back again.
struct Mirror {
    back: bool,
}

const MASK: u32 = 0x5a00_00a5;
const SHIFT: u16 = 40_000;

impl Names for Mirror {
    fn ssrc(&mut self, _: Whose, ssrc: u32) -> u32 {
        // Zero is none.
        if ssrc == 0 || ssrc == MASK { ssrc } else { ssrc ^ MASK }
    }

    fn timestamp(&self, _: u32, timestamp: u32) -> u32 {
        if self.back { timestamp.wrapping_sub(MASK) } else { timestamp.wrapping_add(MASK) }
    }

    fn sent(&self, _: u32) -> (u32, u32) {
        if self.back { (u32::MAX, 0u32.wrapping_sub(160)) } else { (1, 160) }
    }

    fn sequence(&self, _: u32, sequence: u16) -> u16 {
        if self.back { sequence.wrapping_sub(SHIFT) } else { sequence.wrapping_add(SHIFT) }
    }

    fn extended(&self, _: u32, sequence: u32) -> u32 {
        let shift = u32::from(SHIFT);
        if self.back { sequence.wrapping_sub(shift) } else { sequence.wrapping_add(shift) }
    }
}

/// Room beyond what comes.
const ROOM: usize = 1_024;

/// Translates a compound packet there and back, hides whom it is from, and reads it; true where it is not what it was, or more than it
/// may be.
pub(crate) fn fuzzed(input: &[u8]) -> bool {
    let mut packet = input.to_vec();
    translate(&mut packet, &mut Mirror { back: false });
    translate(&mut packet, &mut Mirror { back: true });
    if packet != input {
        return true;
    }
    let mut told = 0;
    reports(input, |_| told += 1);
    packet.resize(input.len() + ROOM, 0);
    let hidden = hide(&mut packet, input.len(), |_| [b'x'; CNAME_LENGTH]);
    if let Some(length) = hidden {
        let once = packet.get(..length).unwrap_or_default().to_vec();
        let twice = hide(&mut packet, length, |_| [b'x'; CNAME_LENGTH]);
        let is_same = twice == Some(length) && packet.get(..length) == Some(&once);
        // Eight octets are the least that a chunk has.
        if !is_same || length > input.len() * 4 || is_compound(input) && !is_compound(&once) {
            return true;
        }
    }
    let mut veiled = Veiled::new(&Arc::new(Veil::new([7; 32], true)));
    let mut buffer = input.to_vec();
    buffer.resize(input.len() + ROOM, 0);
    veiled.packet(&mut buffer, Some(1));
    let told_on = veiled.tell(&mut buffer, input.len());
    veiled.tell_back(&mut buffer);
    told_on.is_some_and(|length| length > buffer.len()) || told > input.len()
}
