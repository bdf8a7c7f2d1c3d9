//! What an endpoint tells of itself in numbers.

use super::{Refusals, Unreadable};

/// What an endpoint has counted since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Messages that no message could be made of.
    pub malformed: u64,
    /// Messages beyond a limit or cut off.
    pub unreadable: Unreadable,
    /// Requests that were refused with 400 because of a defect.
    pub defective: u64,
    /// Responses that no transaction waited for.
    pub stray_responses: u64,
    /// Requests that a transaction had already had.
    pub repeated_requests: u64,
    /// ACKs that belonged to nothing.
    pub stray_acks: u64,
    /// Requests for dialogs that are not there.
    pub unknown_dialogs: u64,
    /// Requests with the identifiers of a dialog, and CANCELs of an INVITE, of another network (481).
    pub foreign_requests: u64,
    /// Requests that came twice by different ways (482).
    pub merged_requests: u64,
    /// Requests that a limit refused (503).
    pub overloaded: u64,
    /// Early dialogs beyond the limit.
    pub early_dialogs_refused: u64,
    /// Early dialogs that a peer has ended by 199 (RFC 6228).
    pub early_dialogs_ended: u64,
    /// 199s that we have sent.
    pub early_dialogs_told: u64,
    /// Reliable provisional responses that came again, or before one that is missing (RFC 3262 §4).
    pub progress_out_of_order: u64,
    /// Late answers of forks that were acknowledged and released.
    pub forks_released: u64,
    /// REFERs of peers that could be acted upon.
    pub refers: u64,
    /// REFERs of ours whose sender of NOTIFYs has fallen silent (timer N, RFC 6665 §4.1.2.4).
    pub refers_untold: u64,
    /// Challenges that no credentials were given for.
    pub challenges_refused: u64,
    /// Next hops that were looked up.
    pub lookups: u64,
    /// Look-ups that led nowhere.
    pub lookups_failed: u64,
    /// Requests that went on to another target.
    pub failovers: u64,
    /// Targets that were given up because they were silent for too long.
    pub targets_given_up: u64,
    /// Requests of either side beyond what a session may have pending.
    pub pending_full: u64,
    /// Challenges and 491s that stood because their request had been repeated as often as may be.
    pub rounds_spent: u64,
    /// Refreshes of sessions that we sent (RFC 4028 §10).
    pub refreshes: u64,
    /// Those that failed, and left the session.
    pub refreshes_failed: u64,
    /// Sessions that nobody refreshed in time.
    pub sessions_expired: u64,
    /// Requests of ours that went out again because the session interval was too small for somebody (422).
    pub intervals_raised: u64,
    /// Requests of peers that we refused because their session interval is too small (422).
    pub intervals_refused: u64,
    /// Requests of peers that collided with what was under way in their dialog (491, or 500 with Retry-After).
    pub glares: u64,
    /// Responses whose Authentication-Info shows that their sender does not know the secret (RFC 7616 §3.5).
    pub impostors: u64,
    /// Failures that we have answered with.
    pub refusals: Refusals,
    /// Failures of ours to an INVITE whose ACK never came (RFC 3261 §17.2.1).
    pub failures_unacknowledged: u64,
    /// Requests that were not sent because their server had asked for fewer (RFC 7339 §5.5).
    pub withheld: u64,
    /// New requests that were refused because we were overloaded (503, RFC 7339 §5.10.2).
    pub shed: u64,
    /// Responses with overload control of their sender.
    pub loads_heard: u64,
    /// Responses with overload control that breaks its grammar.
    pub loads_malformed: u64,
    /// Responses of ours with overload control.
    pub loads_told: u64,
    /// Those of them that asked for fewer requests.
    pub restrictions_told: u64,
    /// Keepalives that were sent, repetitions of Binding requests included (RFC 5626 §4.4).
    pub keepalives_sent: u64,
    /// Those of them that were answered.
    pub keepalives_answered: u64,
    /// Flows with keepalives that have failed.
    pub flows_lost: u64,
}

/// What an endpoint holds at this moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gauges {
    /// Sessions, those that only wait for late forks included.
    pub sessions: usize,
    /// Dialogs that are not ended.
    pub dialogs: usize,
    /// Client transactions.
    pub client_transactions: usize,
    /// Server transactions.
    pub server_transactions: usize,
    /// Deadlines, given-up ones included until their time.
    pub timers: usize,
    /// Look-ups, connections and challenges that the shell has not answered.
    pub questions: usize,
    /// Requests outside a dialog that the owner has not answered.
    pub asked: usize,
    /// Flows that keepalives are sent on.
    pub kept: usize,
}
