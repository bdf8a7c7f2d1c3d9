//! One subscription as its subscriber has it (RFC 6665 §4.1.2).
//!
//! ```text
//!   SUBSCRIBE ──► NotifyWait ──NOTIFY──► Pending ◄──► Active
//!                     └───────────┬─────────┴───────────┘
//!     a NOTIFY that ends it, a refusal that does, Timer N, its time
//!                                 ▼
//!                             Terminated
//! ```
//! It neither refreshes itself nor subscribes again: that is its owner's to decide.

use super::ends;
use crate::event::Failure;
use crate::time::{Mono, Now};
use sip_types::header::{Expires, SubscriptionState};
use sip_types::{Response, StatusCode};
use std::time::Duration;

/// What a notifier has beyond the end of a subscription to tell of it: as long as a NOTIFY may be sent again.
const GRACE: Duration = Duration::from_secs(32);

/// How far a subscription has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// No NOTIFY has come.
    NotifyWait,
    /// Whether it may be is not decided.
    Pending,
    /// It may be.
    Active,
    /// It is over.
    Terminated(Over),
}

/// Why a subscription of ours is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// A NOTIFY said so.
    Notified,
    /// A refresh was refused in a way that ends it (RFC 6665 §4.1.2.2).
    Refused,
    /// No NOTIFY came after a SUBSCRIBE (Timer N, RFC 6665 §4.1.2.4).
    NoNotify,
    /// It was not refreshed, and nothing was told of its end.
    Expired,
}

/// One subscription.
#[derive(Clone, Debug)]
pub struct Subscriber {
    state: State,
    /// 64*T1.
    wait: Duration,
    /// Timer N.
    notify_by: Option<Mono>,
    ends: Mono,
}

impl Subscriber {
    /// A SUBSCRIBE was sent, which asks for that long; `wait` is 64*T1.
    #[must_use]
    pub fn new(now: Now, asked: Duration, wait: Duration) -> Self {
        let notify_by = Some(now.mono + wait);
        Self { state: State::NotifyWait, wait, notify_by, ends: now.mono + asked }
    }

    /// How far it has come.
    #[must_use]
    pub fn state(&self) -> State {
        self.state
    }

    /// How long it lasts without a refresh.
    #[must_use]
    pub fn left(&self, now: Now) -> Duration {
        self.ends.since(now.mono)
    }

    /// Another SUBSCRIBE was sent in its dialog (RFC 6665 §4.1.2.2).
    pub fn handle_refresh(&mut self, now: Now) {
        if !self.is_over() {
            self.notify_by = Some(now.mono + self.wait);
        }
    }

    /// The outcome of a SUBSCRIBE; a success grants some time. One that says that no NOTIFY follows is not waited for
    /// (RFC 5839 §5).
    pub fn handle_outcome(&mut self, now: Now, outcome: &Result<Response, Failure>) {
        if self.is_over() {
            return;
        }
        match outcome {
            Ok(response) => {
                if let Some(expires) = response.headers().get::<Expires>().ok().flatten() {
                    self.ends = now.mono + Duration::from_secs(expires.0.into());
                }
                if response.status() == StatusCode::NO_NOTIFICATION {
                    self.notify_by = None;
                }
            }
            Err(Failure::Response(response)) if ends(response.status()) => {
                self.state = State::Terminated(Over::Refused);
            }
            // It is valid for as long as was granted (RFC 6665 §4.1.2.2); no NOTIFY follows this SUBSCRIBE.
            Err(_) => self.notify_by = None,
        }
    }

    /// A NOTIFY has come. The time that it tells is the one that counts (RFC 6665 §4.1.3).
    pub fn handle_notify(&mut self, now: Now, state: &SubscriptionState) {
        if self.is_over() {
            return;
        }
        self.notify_by = None;
        if state.is("terminated") {
            self.state = State::Terminated(Over::Notified);
            return;
        }
        self.state = if state.is("pending") { State::Pending } else { State::Active };
        if let Some(expires) = state.expires() {
            self.ends = now.mono + Duration::from_secs(expires.into());
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Mono> {
        if self.is_over() {
            return None;
        }
        self.notify_by.into_iter().chain([self.ends + GRACE]).min()
    }

    /// Its time may be over, or that for a NOTIFY.
    pub fn handle_timeout(&mut self, now: Now) {
        if self.is_over() {
            return;
        }
        if self.notify_by.is_some_and(|by| by <= now.mono) {
            self.state = State::Terminated(Over::NoNotify);
        } else if self.ends + GRACE <= now.mono {
            self.state = State::Terminated(Over::Expired);
        }
    }

    /// Whether it is over.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Terminated(_))
    }
}

#[cfg(test)]
mod tests;
