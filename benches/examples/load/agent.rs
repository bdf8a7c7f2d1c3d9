//! One user agent: what it does now.

use crate::digest::Challenge;
use std::time::Instant;

/// A user agent; its number names it.
#[derive(Debug, Default)]
pub(crate) struct Agent {
    pub(crate) cseq: u32,
    /// What it was challenged with last.
    pub(crate) challenge: Option<Challenge>,
    /// The request that it waits for an answer to.
    pub(crate) waiting: Option<Waiting>,
}

/// A request that is not answered yet.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) kind: Kind,
    /// When its turn was.
    pub(crate) since: Instant,
    /// What was sent.
    pub(crate) bytes: Vec<u8>,
    /// How often it was sent again.
    pub(crate) repeated: u32,
    /// Whether the answer to a challenge is in it that came for it.
    pub(crate) challenged: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Register,
    Query,
    Ping,
}
