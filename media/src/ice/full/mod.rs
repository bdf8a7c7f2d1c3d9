//! ICE as a full agent (RFC 8445), for a network where we stand behind a NAT ourselves: we make connectivity checks too, and as the
//! controlling agent we choose the pair. No I/O, no clock, no threads.
//!
//! ```text
//!               a pair of each component is valid        nominated            no answer for 30 s
//!   Checking ────────────────────────────────► Connected ─────────► Completed ──────────────────► Failed
//!       └────────────── no pair is left (RFC 8863) ────────────────────────────────────────────────► Failed
//! ```
//! An [`Agent`] has what one peer's session with us needs. A restart makes another one, [`Agent::after`] the first, whose pairs
//! carry media until those of the new one stand (RFC 8445 §9). What all sessions on a pair of ports share, the credentials and
//! the [`crate::turn::Client`]s, is with whoever drives it.
//!
//! Candidates of ours with the same base are one here (RFC 8445 §6.1.2.4): checks go from the port itself, or by way of its relayed
//! address, and nothing else.

mod agent;
mod candidate;
mod checking;
mod consent;
mod pairs;
mod requests;
mod responses;
#[cfg(test)]
pub(crate) mod tests;

pub use agent::Progress;
pub(crate) use agent::{Agent, Datagram, Event, Terms};
pub use candidate::CandidateKind;
pub(crate) use candidate::{Candidate, foundation, priority};
pub(crate) use requests::Asked;

/// By which of our transport addresses something comes or goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Via {
    /// The port itself.
    Direct,
    /// Its relayed address, on a TURN server.
    Relayed,
}
