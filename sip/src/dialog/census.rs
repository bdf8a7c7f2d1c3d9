//! How many dialogs live, without a walk over them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts the dialogs of an endpoint that are not ended.
#[derive(Debug, Default)]
pub(crate) struct Census(Arc<AtomicUsize>);

/// Held by a dialog for as long as it lives.
#[derive(Debug)]
pub(crate) struct Alive(Arc<AtomicUsize>);

impl Census {
    /// Counts a dialog in, until what is returned is dropped.
    pub(crate) fn enter(&self) -> Alive {
        self.0.fetch_add(1, Ordering::Relaxed);
        Alive(Arc::clone(&self.0))
    }

    /// Dialogs that live.
    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
