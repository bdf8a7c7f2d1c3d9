//! What a relay thread shows of itself.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// Gauges and counters of the relay, summed over its threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Gauges {
    /// Pairs of ports bound: free, lent and in quarantine.
    pub bound: u64,
    /// Pairs in quarantine.
    pub quarantined: u64,
    /// Pairs that were bound, since the start.
    pub opened: u64,
    /// Pairs that were lent before their quarantine was over because no other could be had, since the start.
    pub quarantines_cut: u64,
    /// Attempts to bind a pair that failed, since the start.
    pub bind_failures: u64,
    /// Packets that came to a pair no call used, since the start.
    pub stray_packets: u64,
    /// Orders for a pair that was given back before, since the start.
    pub late_commands: u64,
}

/// One thread's part of it: one writer.
#[derive(Debug, Default)]
pub(super) struct Shared {
    bound: AtomicU32,
    quarantined: AtomicU32,
    opened: AtomicU64,
    quarantines_cut: AtomicU64,
    bind_failures: AtomicU64,
    stray_packets: AtomicU64,
    late_commands: AtomicU64,
}

fn add_one(counter: &AtomicU64) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
}

impl Shared {
    pub(super) fn bound(&self, pairs: u32) {
        self.bound.store(pairs, Ordering::Relaxed);
    }

    pub(super) fn quarantined(&self, pairs: usize) {
        self.quarantined.store(u32::try_from(pairs).unwrap_or(u32::MAX), Ordering::Relaxed);
    }

    pub(super) fn opened(&self) {
        add_one(&self.opened);
    }

    pub(super) fn quarantine_cut(&self) {
        add_one(&self.quarantines_cut);
    }

    pub(super) fn bind_failed(&self) {
        add_one(&self.bind_failures);
    }

    pub(super) fn stray_packet(&self) {
        add_one(&self.stray_packets);
    }

    pub(super) fn late_command(&self) {
        add_one(&self.late_commands);
    }

    pub(super) fn add_to(&self, gauges: &mut Gauges) {
        gauges.bound += u64::from(self.bound.load(Ordering::Relaxed));
        gauges.quarantined += u64::from(self.quarantined.load(Ordering::Relaxed));
        gauges.opened += self.opened.load(Ordering::Relaxed);
        gauges.quarantines_cut += self.quarantines_cut.load(Ordering::Relaxed);
        gauges.bind_failures += self.bind_failures.load(Ordering::Relaxed);
        gauges.stray_packets += self.stray_packets.load(Ordering::Relaxed);
        gauges.late_commands += self.late_commands.load(Ordering::Relaxed);
    }
}
