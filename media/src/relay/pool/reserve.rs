//! What a network has that nobody borrows: ports without sockets, idle pairs, pairs in quarantine.

use std::collections::VecDeque;
use std::net::SocketAddr;

use crate::{Marks, MediaNetwork};

/// One network's reserve. Each queue is used from its front, so that a port rests as long as it can.
pub(super) struct Reserve {
    network: MediaNetwork,
    /// Ports that have no sockets, those closed longest ago first.
    unbound: VecDeque<u16>,
    /// Slots of bound pairs that may be lent, those idle longest first.
    idle: VecDeque<u32>,
    /// Slots of pairs in quarantine and since when, in order.
    resting: VecDeque<(u64, u32)>,
    /// How few pairs were idle at a moment of this period: more than these were never needed in it.
    least_idle: usize,
    /// Idle pairs that are to be closed.
    surplus: usize,
    /// A pair was asked for in this turn, and all there are have rested too shortly.
    pub(super) wanting: bool,
}

/// Of the pairs that were idle all through a period, one in so many is closed at its end.
const SHARE_CLOSED: usize = 4;

impl Reserve {
    pub(super) fn new(network: &MediaNetwork, ports: impl Iterator<Item = u16>) -> Self {
        Self {
            network: network.clone(),
            unbound: ports.collect(),
            idle: VecDeque::new(),
            resting: VecDeque::new(),
            least_idle: 0,
            surplus: 0,
            wanting: false,
        }
    }

    /// The next port to bind a pair at.
    pub(super) fn next_unbound(&mut self) -> Option<SocketAddr> {
        self.unbound.pop_front().map(|port| SocketAddr::new(self.network.bind, port))
    }

    /// What its packets are marked with.
    pub(super) fn marks(&self) -> Marks {
        self.network.marks
    }

    /// How many ports have no sockets.
    pub(super) fn unbound(&self) -> usize {
        self.unbound.len()
    }

    pub(super) fn has_unbound(&self) -> bool {
        !self.unbound.is_empty()
    }

    /// A port has no sockets (any more).
    pub(super) fn closed(&mut self, port: u16) {
        self.unbound.push_back(port);
    }

    pub(super) fn idle(&self) -> usize {
        self.idle.len()
    }

    pub(super) fn add_idle(&mut self, slot: u32) {
        self.idle.push_back(slot);
    }

    pub(super) fn take_idle(&mut self) -> Option<u32> {
        let slot = self.idle.pop_front();
        self.least_idle = self.least_idle.min(self.idle.len());
        slot
    }

    pub(super) fn rest(&mut self, now_millis: u64, slot: u32) {
        self.resting.push_back((now_millis, slot));
    }

    /// Since when the pair has rested that has rested longest.
    pub(super) fn resting_since(&self) -> Option<u64> {
        self.resting.front().map(|(since, _)| *since)
    }

    /// The pair that has rested longest, if that is since `since` or longer.
    pub(super) fn take_rested(&mut self, since: u64) -> Option<u32> {
        self.resting.pop_front_if(|(began, _)| *began <= since).map(|(_, slot)| slot)
    }

    pub(super) fn begin_period(&mut self) {
        self.least_idle = self.idle.len();
    }

    /// Marks a share of what stood idle all through the period, beyond `keep`, to be closed.
    pub(super) fn end_period(&mut self, keep: usize) {
        self.surplus = self.least_idle.saturating_sub(keep).div_ceil(SHARE_CLOSED);
    }

    pub(super) fn has_surplus(&self) -> bool {
        self.surplus > 0
    }

    /// An idle pair that is to be closed.
    pub(super) fn take_surplus(&mut self, keep: usize) -> Option<u32> {
        self.surplus = self.surplus.min(self.idle.len().saturating_sub(keep));
        self.surplus = self.surplus.checked_sub(1)?;
        self.take_idle()
    }
}
