//! Packet indices: which one a sequence number stands for, and which ones have been there.

use super::Failure;

/// How many indices back a packet may come (RFC 3711 §3.3.2 asks for 64 at least).
pub(super) const WINDOW: u64 = 128;

/// What has been seen of one source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Window {
    highest: Option<u64>,
    /// Bit n: the index `highest - n`.
    seen: u128,
}

impl Window {
    /// Where that was the highest index, and all before it has been there, or is as if it had.
    pub(super) fn after(highest: Option<u64>) -> Self {
        Self { highest, seen: if highest.is_some() { u128::MAX } else { 0 } }
    }

    /// The highest index there was.
    pub(super) fn highest(&self) -> Option<u64> {
        self.highest
    }

    /// The index that a sequence number stands for (RFC 3711 §3.3.1, appendix A); `None` before the first. There is no roll-over
    /// before the first one, whatever the distance.
    pub(super) fn estimate(&self, sequence: u16) -> Option<u64> {
        let highest = self.highest?;
        let (rolled, last) = (highest >> 16, highest & 0xffff);
        let sequence = u64::from(sequence);
        let rolled = if last < 0x8000 && sequence > last + 0x8000 {
            rolled.checked_sub(1).unwrap_or(rolled)
        } else if last >= 0x8000 && sequence + 0x8000 < last {
            rolled + 1
        } else {
            rolled
        };
        Some(rolled << 16 | sequence)
    }

    /// Whether a packet of this index may be taken.
    pub(super) fn check(&self, index: u64) -> Result<(), Failure> {
        let Some(behind) = self.highest.and_then(|highest| highest.checked_sub(index)) else { return Ok(()) };
        if behind >= WINDOW || self.seen >> behind & 1 == 1 { Err(Failure::Replayed) } else { Ok(()) }
    }

    /// A packet of this index was taken.
    pub(super) fn mark(&mut self, index: u64) {
        let highest = self.highest.unwrap_or(index);
        if let Some(ahead) = index.checked_sub(highest) {
            let shifted = u32::try_from(ahead).ok().and_then(|ahead| self.seen.checked_shl(ahead));
            (self.seen, self.highest) = (shifted.unwrap_or_default() | 1, Some(index));
        } else if let Some(bit) =
            u32::try_from(highest - index).ok().and_then(|behind| 1u128.checked_shl(behind))
        {
            self.seen |= bit;
        }
    }
}
