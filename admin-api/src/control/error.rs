//! What goes wrong behind the port.

use std::fmt;
use std::time::Duration;

use super::configuration::ConfigurationFault;
use super::values::{CallId, Cursor};

/// Why [`Control`](super::Control) did not do what was asked, sorted by fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// The client's: the call does not exist, or not any more.
    #[error("there is no call {0}")]
    CallNotFound(CallId),
    /// The client's: an order of a call that cannot be meant, and why.
    #[error("{0}")]
    InvalidOrder(String),
    /// Nobody's: a caller would have been refused at this moment, and with what.
    #[error("{0}")]
    OrderRefused(String),
    /// The client's: nothing is registered for that address-of-record.
    #[error("nothing is registered for {0}")]
    RegistrationNotFound(String),
    /// The client's: the configuration in force has no such trunk.
    #[error("there is no trunk {0}")]
    TrunkNotFound(String),
    /// The client's: no network has a TURN server that is meant, and why.
    #[error("{0}")]
    TurnServerNotFound(String),
    /// The client's: credentials that cannot be made, and why.
    #[error("{0}")]
    InvalidTurnCredentials(String),
    /// The client's: that source is not in quarantine, or not any more.
    #[error("{0} is not in quarantine")]
    SourceNotFound(String),
    /// The client's: the cursor names a shard that this process does not have.
    #[error("the cursor {0} belongs to no shard of this process")]
    UnknownCursor(Cursor),
    /// The client's: another reload has not ended.
    #[error("another reload is under way")]
    ReloadUnderWay,
    /// The operator's: the document has faults; the version in force stays.
    #[error("the configuration has {} fault{} and is not applied", .0.len(), if .0.len() == 1 { "" } else { "s" })]
    InvalidConfiguration(Vec<ConfigurationFault>),
    /// The environment's: a part of the process cannot answer now.
    #[error("{component} {why}")]
    Unavailable {
        /// The part, as an operator knows it: `shard 2`.
        component: String,
        /// What keeps it from answering.
        why: Unavailability,
        /// When to ask again, rounded up to whole seconds; `None` when that is not known.
        retry_after: Option<Duration>,
    },
}

/// What keeps a component from answering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unavailability {
    /// It did not answer within its time: 2 s for a shard.
    TimedOut,
    /// It has not started yet.
    Starting,
    /// It is shutting down and takes nothing new.
    Draining,
    /// Its queue is full.
    Overloaded,
    /// It has ended.
    Stopped,
    /// It does not do what it is there for, such as a disk that takes nothing.
    Failing,
}

impl fmt::Display for Unavailability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TimedOut => "did not answer in time",
            Self::Starting => "is starting",
            Self::Draining => "is draining",
            Self::Overloaded => "is overloaded",
            Self::Stopped => "has stopped",
            Self::Failing => "fails",
        })
    }
}
