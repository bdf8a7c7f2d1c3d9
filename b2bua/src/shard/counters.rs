//! What a shard counts.

/// What has happened since the shard began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Calls that were routed.
    pub calls: u64,
    /// Calls that were answered.
    pub answered: u64,
    /// Calls that are over.
    pub ended: u64,
    /// INVITEs that no route was found for, or that a route refuses.
    pub unroutable: u64,
    /// INVITEs from addresses that no trunk knows.
    pub strangers: u64,
    /// INVITEs that were challenged, or failed a challenge.
    pub challenged: u64,
    /// Right answers to a challenge of ours whose nonce was too old, or forgotten by its limit.
    pub stale_nonces: u64,
    /// INVITEs refused because the node drains.
    pub draining: u64,
    /// INVITEs refused because there were as many calls as may be.
    pub overloaded: u64,
    /// Legs refused because their trunk had as many calls as it may.
    pub trunk_full: u64,
    /// Session descriptions that could not be taken.
    pub descriptions_refused: u64,
    /// Legs that rang for too long.
    pub rung_out: u64,
    /// Calls that lasted too long.
    pub too_long: u64,
    /// Calls ended because their media fell silent.
    pub media_silent: u64,
    /// Challenges for a realm that we have no credentials for, or from a wrong place.
    pub secrets_refused: u64,
}

/// What a shard holds at this moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gauges {
    /// Calls.
    pub calls: usize,
    /// Deadlines of calls, given-up ones included until their time.
    pub call_timers: usize,
    /// Call detail records that wait to be written.
    pub records: usize,
    /// Pairs of media ports that calls have borrowed.
    pub media_pairs: usize,
    /// What the endpoint holds.
    pub sip: sip::Gauges,
}
