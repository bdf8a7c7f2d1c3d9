//! What is counted of transcoding.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};

/// Of what one party sends. One thread writes.
#[derive(Debug, Default)]
pub struct Tally {
    coded: AtomicU64,
    concealed: AtomicU64,
    late: AtomicU64,
    unknown: AtomicU64,
    patience: AtomicU32,
    refused: AtomicBool,
}

/// What was counted of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CodedView {
    /// Packets that were made.
    pub coded: u64,
    /// Lost packets in whose place something was made.
    pub concealed: u64,
    /// Packets that came after others were made in their place, or twice.
    pub late: u64,
    /// Packets of formats that were not agreed on, or that are none of their codec.
    pub unknown: u64,
    /// How long a packet waits at the moment for one that is missing before it, in ms.
    pub patience: u32,
}

fn add(counter: &AtomicU64, more: u64) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(more), Ordering::Relaxed);
}

impl Tally {
    pub(super) fn coded(&self) {
        add(&self.coded, 1);
    }

    pub(super) fn concealed(&self, packets: u16) {
        add(&self.concealed, packets.into());
    }

    pub(super) fn late(&self) {
        add(&self.late, 1);
    }

    pub(super) fn unknown(&self) {
        add(&self.unknown, 1);
    }

    pub(super) fn waits(&self, millis: u64) {
        self.patience.store(u32::try_from(millis).unwrap_or(u32::MAX), Ordering::Relaxed);
    }

    /// There is room for it, or none.
    pub(crate) fn refuse(&self, refused: bool) {
        self.refused.store(refused, Ordering::Relaxed);
    }

    /// Whether nothing becomes of it, because the thread has no room.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.refused.load(Ordering::Relaxed)
    }

    /// What it is now.
    #[must_use]
    pub fn read(&self) -> CodedView {
        CodedView {
            coded: self.coded.load(Ordering::Relaxed),
            concealed: self.concealed.load(Ordering::Relaxed),
            late: self.late.load(Ordering::Relaxed),
            unknown: self.unknown.load(Ordering::Relaxed),
            patience: self.patience.load(Ordering::Relaxed),
        }
    }
}

/// Transcoding in the relay as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TranscodingGauges {
    /// Directions of streams that are transcoded now.
    pub directions: u64,
    /// Legs that were offered no other codec, and directions that were not coded, because there was no room, since the start.
    pub refused: u64,
    /// Packets that were made, since the start.
    pub coded: u64,
    /// Lost packets in whose place something was made, since the start.
    pub concealed: u64,
    /// Packets that were dropped because a coding thread or a relay thread was behind, since the start.
    pub dropped: u64,
}

/// The same of one thread.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    /// Those for which room is kept, by all shards.
    promised: AtomicUsize,
    directions: AtomicU64,
    refused: AtomicU64,
    coded: AtomicU64,
    concealed: AtomicU64,
    /// By the coding thread, and by the relay thread.
    dropped: AtomicU64,
    unheard: AtomicU64,
}

impl Totals {
    pub(super) fn directions(&self, number: usize) {
        self.directions.store(u64::try_from(number).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// How many directions there are now.
    pub(crate) fn now(&self) -> usize {
        usize::try_from(self.directions.load(Ordering::Relaxed)).unwrap_or(usize::MAX)
    }

    /// Keeps room for so many more, if they are no more than `most` then.
    pub(super) fn promise(&self, more: usize, most: usize) -> bool {
        let sum = |promised: usize| promised.checked_add(more).filter(|sum| *sum <= most);
        self.promised.fetch_update(Ordering::Relaxed, Ordering::Relaxed, sum).is_ok()
    }

    pub(super) fn give_back(&self, directions: usize) {
        self.promised.fetch_sub(directions, Ordering::Relaxed);
    }

    /// By shards and by the thread.
    pub(super) fn refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn coded(&self, packets: u64) {
        add(&self.coded, packets);
    }

    pub(super) fn concealed(&self, packets: u64) {
        add(&self.concealed, packets);
    }

    /// The coding thread has dropped one that it has made.
    pub(crate) fn dropped(&self) {
        add(&self.dropped, 1);
    }

    /// The relay thread has dropped one that it could not hand over.
    pub(crate) fn unheard(&self) {
        add(&self.unheard, 1);
    }

    pub(crate) fn add_to(&self, sum: &mut TranscodingGauges) {
        sum.directions += self.directions.load(Ordering::Relaxed);
        sum.refused += self.refused.load(Ordering::Relaxed);
        sum.coded += self.coded.load(Ordering::Relaxed);
        sum.concealed += self.concealed.load(Ordering::Relaxed);
        sum.dropped += self.dropped.load(Ordering::Relaxed) + self.unheard.load(Ordering::Relaxed);
    }
}
