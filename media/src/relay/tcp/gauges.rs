//! What the thread of connections shows of itself.

use std::sync::atomic::{AtomicU64, Ordering};

/// Gauges and counters of streams over TCP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TcpGauges {
    /// Connections that are open.
    pub connections: u64,
    /// Connections of peers that were taken, since the start.
    pub accepted: u64,
    /// Connections to peers that were made, since the start.
    pub made: u64,
    /// Connections that were closed at once, since the start: from elsewhere than the peer, a second one, or one too many; and those not made to
    /// addresses of ours or of this host.
    pub refused: u64,
    /// Attempts to connect, or to bind a port, that have failed, since the start.
    pub failed: u64,
    /// Connections that were closed because nothing had come or gone for too long, since the start.
    pub idle: u64,
    /// Connections that were closed because what came by them was no MSRP, since the start.
    pub broken: u64,
}

/// One writer.
#[derive(Debug, Default)]
pub(in crate::relay) struct Shared {
    pub(super) connections: AtomicU64,
    pub(super) accepted: AtomicU64,
    pub(super) made: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) failed: AtomicU64,
    pub(super) idle: AtomicU64,
    pub(super) broken: AtomicU64,
}

pub(super) fn add_one(counter: &AtomicU64) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
}

impl Shared {
    pub(in crate::relay) fn read(&self) -> TcpGauges {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        TcpGauges {
            connections: read(&self.connections),
            accepted: read(&self.accepted),
            made: read(&self.made),
            refused: read(&self.refused),
            failed: read(&self.failed),
            idle: read(&self.idle),
            broken: read(&self.broken),
        }
    }
}
