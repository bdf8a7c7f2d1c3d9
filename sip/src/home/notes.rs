//! Where INVITEs have gone that name a dialog of another shard than their Call-ID's: the CANCEL of one names none.

use super::ShardNo;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

/// Notes with the same place, of which the oldest makes room.
const WAYS: usize = 8;
/// Places.
const SETS: usize = 1024;

/// The last 8192 such INVITEs: of each the upper 56 bits of a keyed hash, and the shard. A note that had to make room is found no
/// more: that CANCEL gets 481, and the INVITE ends by its own times.
pub(super) struct Notes {
    slots: Box<[[AtomicU64; WAYS]]>,
    next: Box<[AtomicU8]>,
}

impl Notes {
    pub(super) fn new() -> Self {
        Self {
            slots: std::iter::repeat_with(Default::default).take(SETS).collect(),
            next: std::iter::repeat_with(AtomicU8::default).take(SETS).collect(),
        }
    }

    /// The INVITE with that hash has gone to that shard.
    pub(super) fn note(&self, hash: u64, shard: ShardNo) {
        let (Some(set), Some(next)) = (self.slots.get(place(hash)), self.next.get(place(hash))) else {
            return;
        };
        let value = (hash & !0xff) | (u64::from(shard.0) + 1);
        if set.iter().any(|slot| slot.load(Ordering::Relaxed) == value) {
            return;
        }
        let at = usize::from(next.fetch_add(1, Ordering::Relaxed)) % WAYS;
        set.get(at).into_iter().for_each(|slot| slot.store(value, Ordering::Relaxed));
    }

    /// Where the INVITE with that hash has gone, if that is known.
    pub(super) fn find(&self, hash: u64) -> Option<ShardNo> {
        let values = self.slots.get(place(hash))?.iter().map(|slot| slot.load(Ordering::Relaxed));
        let found = values.filter(|value| *value & 0xff != 0).find(|value| (value ^ hash) & !0xff == 0)?;
        let [.., shard] = found.to_be_bytes();
        shard.checked_sub(1).map(ShardNo)
    }
}

/// The lowest bits are not kept in a note.
fn place(hash: u64) -> usize {
    usize::try_from(hash >> 8).unwrap_or_default() % SETS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_ones_are_found_and_the_oldest_of_a_place_makes_room() {
        let notes = Notes::new();
        let nth = |n: u64| (n << 32) | 0x4200;
        assert_eq!(notes.find(nth(1)), None);
        for n in 1..=8 {
            notes.note(nth(n), ShardNo(u8::try_from(n).unwrap()));
            // Sent again, it is the same.
            notes.note(nth(n), ShardNo(u8::try_from(n).unwrap()));
        }
        assert!((1..=8).all(|n| notes.find(nth(n)) == Some(ShardNo(u8::try_from(n).unwrap()))));
        notes.note(nth(9), ShardNo(0));
        assert_eq!((notes.find(nth(1)), notes.find(nth(2))), (None, Some(ShardNo(2))));
        assert_eq!(notes.find(nth(9)), Some(ShardNo(0)), "the first shard is one");
    }
}
