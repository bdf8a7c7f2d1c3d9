//! One subscription as its notifier has it (RFC 6665 §4.2).
//!
//! ```text
//!   SUBSCRIBE, 2xx ──► Pending ──grant──► Active
//!                         └────────┬────────┘
//!     time over, ended by us, a NOTIFY that ends it, Expires: 0
//!                                  ▼
//!                       Terminated ──last NOTIFY done──► over
//! ```
//! At most one NOTIFY is under way; what changes meanwhile is told by the next one.

use crate::event::{Failure, Unreachable};
use crate::time::{Mono, Now};
use sip_types::Response;
use std::time::Duration;

/// Why a subscription ends (RFC 6665 §4.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EndReason {
    /// The subscriber may try again at once.
    Deactivated,
    /// It may try again after a while.
    Probation,
    /// It is not to try again.
    Rejected,
    /// It was not refreshed, or it asked for its end.
    Timeout,
    /// No decision could be had.
    Giveup,
    /// There is no such resource any more.
    Noresource,
    /// The state cannot change any more.
    Invariant,
}

impl EndReason {
    /// The value of the `reason` parameter.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deactivated => "deactivated",
            Self::Probation => "probation",
            Self::Rejected => "rejected",
            Self::Timeout => "timeout",
            Self::Giveup => "giveup",
            Self::Noresource => "noresource",
            Self::Invariant => "invariant",
        }
    }
}

/// How far a subscription has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Whether it may be is not decided.
    Pending,
    /// It is told of changes.
    Active,
    /// It is told of its end, or was.
    Terminated(EndReason, Option<Duration>),
}

/// A NOTIFY to send now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notify {
    /// The value of Subscription-State.
    pub state: String,
    /// Whether it has to tell everything, not only what changed: it answers a SUBSCRIBE (RFC 6665 §4.4.1).
    pub full: bool,
    /// Whether the subscription is over once it is done.
    pub last: bool,
}

/// One subscription.
#[derive(Clone, Debug)]
pub struct Subscription {
    state: State,
    ends: Mono,
    /// The least time between two NOTIFYs that nobody asked for.
    pace: Duration,
    /// When the next of them may go out.
    next: Mono,
    /// What the next one has to do.
    wanted: Want,
    under_way: bool,
    /// Its last NOTIFY is out, or it has ended without one.
    done: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Want {
    Nothing,
    Changes,
    Everything,
}

impl Subscription {
    /// A subscription that was accepted for that long; a NOTIFY follows at once. `Duration::ZERO` asks for the state
    /// once (RFC 6665 §4.4.3).
    #[must_use]
    pub fn new(now: Now, lifetime: Duration, active: bool, pace: Duration) -> Self {
        let mut subscription = Self {
            state: if active { State::Active } else { State::Pending },
            ends: now.mono,
            pace,
            next: now.mono,
            wanted: Want::Nothing,
            under_way: false,
            done: false,
        };
        subscription.refresh(now, lifetime);
        subscription
    }

    /// How far it has come.
    #[must_use]
    pub fn state(&self) -> State {
        self.state
    }

    /// Whether nothing more comes of it.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.done && !self.under_way
    }

    /// A SUBSCRIBE in it was accepted for that long: a NOTIFY with everything follows at once (RFC 6665 §4.2.1.2).
    pub fn refresh(&mut self, now: Now, lifetime: Duration) {
        if matches!(self.state, State::Terminated(..)) {
            return;
        }
        self.ends = now.mono + lifetime;
        self.next = now.mono;
        self.wanted = Want::Everything;
        if lifetime.is_zero() {
            self.state = State::Terminated(EndReason::Timeout, None);
        }
    }

    /// It may be.
    pub fn grant(&mut self) {
        if self.state == State::Pending {
            self.state = State::Active;
            self.wanted = Want::Everything;
        }
    }

    /// What it tells of has changed.
    pub fn changed(&mut self) {
        if self.state == State::Active {
            self.wanted = self.wanted.max(Want::Changes);
        }
    }

    /// Ends it; the subscriber is told, perhaps with the time after which it may try again.
    pub fn end(&mut self, now: Now, why: EndReason, retry_after: Option<Duration>) {
        if !matches!(self.state, State::Terminated(..)) {
            self.state = State::Terminated(why, retry_after);
            self.wanted = self.wanted.max(Want::Changes);
            self.next = now.mono;
        }
    }

    /// The outcome of the NOTIFY under way. The failures that end the subscription are those of RFC 6665 §4.2.2; it
    /// then ends without another word.
    pub fn handle_outcome(&mut self, outcome: &Result<Response, Failure>) {
        self.under_way = false;
        if matches!(outcome, Err(why) if ends(why)) {
            if !matches!(self.state, State::Terminated(..)) {
                self.state = State::Terminated(EndReason::Giveup, None);
            }
            self.done = true;
        }
    }

    /// The NOTIFY of the last [`poll`](Self::poll) was not sent, or nothing is known of it: what comes next is told as if it had been.
    pub fn not_sent(&mut self) {
        self.under_way = false;
    }

    /// Whether it has ended, and its subscriber is still to be told so.
    #[must_use]
    pub fn owes_last_word(&self) -> bool {
        matches!(self.state, State::Terminated(..)) && !self.done && self.wanted != Want::Nothing
    }

    /// When [`poll`](Self::poll) wants to be called though nothing happens.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Mono> {
        if self.done {
            return None;
        }
        let notify = (self.wanted != Want::Nothing && !self.under_way).then_some(self.next);
        let end = (!matches!(self.state, State::Terminated(..))).then_some(self.ends);
        notify.into_iter().chain(end).min()
    }

    /// The NOTIFY that is to go out now. Called after every change and when [`poll_timeout`](Self::poll_timeout) says.
    pub fn poll(&mut self, now: Now) -> Option<Notify> {
        if self.ends <= now.mono {
            self.end(now, EndReason::Timeout, None);
        }
        if self.done || self.under_way || self.wanted == Want::Nothing || self.next > now.mono {
            return None;
        }
        let full = self.wanted == Want::Everything;
        (self.under_way, self.wanted, self.next) = (true, Want::Nothing, now.mono + self.pace);
        let last = matches!(self.state, State::Terminated(..));
        self.done = last;
        Some(Notify { state: self.header(now), full, last })
    }

    fn header(&self, now: Now) -> String {
        let left = self.ends.since(now.mono).as_secs();
        match self.state {
            State::Pending => format!("pending;expires={left}"),
            State::Active => format!("active;expires={left}"),
            State::Terminated(why, None) => format!("terminated;reason={}", why.as_str()),
            State::Terminated(why, Some(after)) => {
                format!("terminated;reason={};retry-after={}", why.as_str(), after.as_secs())
            }
        }
    }
}

/// Whether a NOTIFY that failed so ends its subscription (RFC 6665 §4.2.2).
#[must_use]
pub fn ends(why: &Failure) -> bool {
    match why {
        Failure::Response(response) => super::ends(response.status()),
        // Not sent, for reasons that are not the subscriber's.
        Failure::Challenged(_) | Failure::Full | Failure::Unreachable(Unreachable::Overloaded) => false,
        Failure::Timeout | Failure::Unreachable(_) => true,
    }
}

#[cfg(test)]
mod tests;
