//! Room for directions at a thread that codes.

use std::sync::Arc;

use super::Totals;

/// Room that is kept for directions of a leg, from when it is offered another codec until it is gone. Who gets none offers none.
#[derive(Debug)]
pub struct Room {
    totals: Arc<Totals>,
    directions: usize,
}

impl Room {
    /// Room for so many more, where the thread then has no more than `most`; else it is counted that there was none.
    pub(crate) fn take(totals: &Arc<Totals>, directions: usize, most: usize) -> Option<Self> {
        if !totals.promise(directions, most) {
            totals.refused();
            return None;
        }
        Some(Self { totals: Arc::clone(totals), directions })
    }

    /// Room that nobody counts.
    pub(crate) fn anywhere(directions: usize) -> Self {
        let totals = Arc::<Totals>::default();
        totals.promise(directions, usize::MAX);
        Self { totals, directions }
    }

    /// For how many it is.
    pub(crate) fn directions(&self) -> usize {
        self.directions
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.totals.give_back(self.directions);
    }
}
