//! What is known of a user.

use super::Limits;
use super::meter::Bucket;

/// A user that has ports, or has had some a moment ago.
pub(super) struct User {
    /// Those of its allocations and reservations.
    pub(super) ports: usize,
    /// Ports that it may still begin to have.
    pub(super) begun: Bucket,
    /// Bytes that it may still send and get.
    bytes: Option<Bucket>,
}

impl User {
    pub(super) fn new(limits: &Limits, millis: u64) -> Self {
        let bytes = limits.bytes().map(|rate| Bucket::full(rate, millis));
        Self { ports: 0, begun: Bucket::full(limits.begun(), millis), bytes }
    }

    /// Whether so many bytes more may go.
    pub(super) fn carries(&mut self, bytes: usize, limits: &Limits, millis: u64) -> bool {
        let Some(rate) = limits.bytes() else { return true };
        let bucket = self.bytes.get_or_insert_with(|| Bucket::full(rate, millis));
        bucket.take(u64::try_from(bytes).unwrap_or(u64::MAX), rate, millis)
    }

    /// Whether it may be forgotten: it has nothing, and has no more to begin with once it comes back.
    pub(super) fn is_over(&mut self, limits: &Limits, millis: u64) -> bool {
        let bytes = |bucket: &mut Bucket| limits.bytes().is_none_or(|rate| bucket.is_full(rate, millis));
        self.ports == 0 && self.begun.is_full(limits.begun(), millis) && self.bytes.as_mut().is_none_or(bytes)
    }
}
