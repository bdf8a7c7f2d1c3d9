//! What a server counts: written by its thread, read by others.

use std::sync::atomic::{AtomicU64, Ordering};

use super::refusal::{Refusal, Unproven};

#[derive(Debug, Default)]
struct Counter(AtomicU64);

impl Counter {
    fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Why data was not relayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dropped {
    /// It is no message, or lacks what it must have.
    Unreadable,
    /// There is no allocation, no channel of that number.
    Unallocated,
    /// There is no permission for the peer, it may not be reached, or the client is one of our own ports.
    Forbidden,
    /// More than the user may have in a second.
    OverRate,
    /// The system, or a connection that is full, would not take it.
    Unsent,
}

/// The counters of one server.
#[derive(Debug, Default)]
pub struct Counters {
    allocations: Counter,
    allocated: Counter,
    to_peers: [Counter; 2],
    to_clients: [Counter; 2],
    refused: [Counter; Refusal::CODES.len()],
    unproven: [Counter; 3],
    dropped: [Counter; 5],
    limited: Counter,
    bindings: Counter,
}

/// What a server has counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    /// Allocations that there are.
    pub allocations: u64,
    /// Allocations that there have been.
    pub allocated: u64,
    /// Packets and bytes that went to peers.
    pub to_peers: [u64; 2],
    /// Packets and bytes that went to clients.
    pub to_clients: [u64; 2],
    /// Requests that were refused, by code.
    pub refused: [(&'static str, u64); Refusal::CODES.len()],
    /// Refusals with 401, by what the credential lacked.
    pub unproven: [(&'static str, u64); 3],
    /// Packets and messages that were dropped, by reason.
    pub dropped: [(&'static str, u64); 5],
    /// Requests without proof that were not answered, because their source has had enough.
    pub limited: u64,
    /// Binding requests of STUN that were answered.
    pub bindings: u64,
}

impl Default for Totals {
    fn default() -> Self {
        Counters::default().read()
    }
}

impl Counters {
    /// What has been counted until now.
    #[must_use]
    pub fn read(&self) -> Totals {
        Totals {
            allocations: self.allocations.get(),
            allocated: self.allocated.get(),
            to_peers: self.to_peers.each_ref().map(Counter::get),
            to_clients: self.to_clients.each_ref().map(Counter::get),
            refused: with(Refusal::CODES, &self.refused),
            unproven: with(["absent", "wrong", "expired"], &self.unproven),
            dropped: with(["unreadable", "unallocated", "forbidden", "over_rate", "unsent"], &self.dropped),
            limited: self.limited.get(),
            bindings: self.bindings.get(),
        }
    }

    pub(super) fn allocated(&self, now: usize) {
        self.allocated.add(1);
        self.allocations_are(now);
    }

    pub(super) fn allocations_are(&self, now: usize) {
        self.allocations.0.store(u64::try_from(now).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub(super) fn to_peer(&self, bytes: usize) {
        add(&self.to_peers, bytes);
    }

    pub(super) fn to_client(&self, bytes: usize) {
        add(&self.to_clients, bytes);
    }

    pub(super) fn refused(&self, why: Refusal) {
        let at = Refusal::CODES.iter().position(|code| code.parse() == Ok(why.code()));
        if let Some(counter) = at.and_then(|at| self.refused.get(at)) {
            counter.add(1);
        }
        if let Refusal::Unauthenticated(lacks) = why {
            let [absent, wrong, expired] = &self.unproven;
            match lacks {
                Unproven::Absent => absent.add(1),
                Unproven::Wrong => wrong.add(1),
                Unproven::Expired => expired.add(1),
            }
        }
    }

    pub(super) fn dropped(&self, why: Dropped) {
        let [unreadable, unallocated, forbidden, over_rate, unsent] = &self.dropped;
        match why {
            Dropped::Unreadable => unreadable.add(1),
            Dropped::Unallocated => unallocated.add(1),
            Dropped::Forbidden => forbidden.add(1),
            Dropped::OverRate => over_rate.add(1),
            Dropped::Unsent => unsent.add(1),
        }
    }

    pub(super) fn limited(&self) {
        self.limited.add(1);
    }

    pub(super) fn bound(&self) {
        self.bindings.add(1);
    }
}

fn add([packets, count]: &[Counter; 2], bytes: usize) {
    packets.add(1);
    count.add(u64::try_from(bytes).unwrap_or(u64::MAX));
}

fn with<T: Copy, const N: usize>(names: [T; N], counters: &[Counter; N]) -> [(T, u64); N] {
    let mut counts = counters.iter().map(Counter::get);
    names.map(|name| (name, counts.next().unwrap_or_default()))
}
