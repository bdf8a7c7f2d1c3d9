//! What every part of an endpoint writes to: actions, deadlines, chance.

use crate::action::Action;
use crate::event::Event;
use crate::ids::Ids;
use crate::keepalive::KeepId;
use crate::session::{SessionId, SessionTimer};
use crate::timers::TimerQueue;
use crate::transaction::TransactionTimer;
use std::collections::VecDeque;

/// Whose deadline it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// A transaction's.
    Transaction(TransactionTimer),
    /// A session's.
    Session(SessionId, SessionTimer),
    /// A kept flow's.
    Keepalive(KeepId),
}

impl From<TransactionTimer> for Timer {
    fn from(timer: TransactionTimer) -> Self {
        Self::Transaction(timer)
    }
}

/// The outward side of an endpoint.
pub(crate) struct Io {
    /// Actions that wait to be polled.
    pub(crate) actions: VecDeque<Action>,
    /// All deadlines.
    pub(crate) timers: TimerQueue<Timer>,
    /// The source of identifiers.
    pub(crate) ids: Box<dyn Ids + Send>,
}

impl Io {
    /// Adds an action.
    pub(crate) fn push(&mut self, action: Action) {
        self.actions.push_back(action);
    }

    /// Adds an event.
    pub(crate) fn tell(&mut self, event: Event) {
        self.actions.push_back(Action::Event(Box::new(event)));
    }
}
