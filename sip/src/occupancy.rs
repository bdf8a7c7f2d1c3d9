//! What several endpoints hold together, so that a limit holds for all of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What all endpoints of a process hold. Each counts in and out for itself; as they do not wait for each other, a limit
/// can be passed by one for each endpoint.
#[derive(Debug, Default)]
pub struct Occupancy {
    sessions: AtomicUsize,
    clients: AtomicUsize,
    servers: AtomicUsize,
}

impl Occupancy {
    pub(crate) fn sessions(&self) -> &AtomicUsize {
        &self.sessions
    }

    pub(crate) fn clients(&self) -> &AtomicUsize {
        &self.clients
    }

    pub(crate) fn servers(&self) -> &AtomicUsize {
        &self.servers
    }
}

/// Which of the counts.
type Count = fn(&Occupancy) -> &AtomicUsize;

/// One table's share of it; nothing for a table that is the only one.
#[derive(Default)]
pub(crate) struct Share(Option<(Arc<Occupancy>, Count)>);

impl Share {
    /// A share of one of the counts.
    pub(crate) fn of(occupancy: &Arc<Occupancy>, count: Count) -> Self {
        Self(Some((Arc::clone(occupancy), count)))
    }

    /// Counts one in.
    pub(crate) fn enter(&self) {
        if let Some((occupancy, count)) = &self.0 {
            count(occupancy).fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts one out.
    pub(crate) fn leave(&self) {
        if let Some((occupancy, count)) = &self.0 {
            count(occupancy).fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// What there is in all tables, where this one has `own`.
    pub(crate) fn total(&self, own: usize) -> usize {
        self.0.as_ref().map_or(own, |(occupancy, count)| count(occupancy).load(Ordering::Relaxed))
    }
}
