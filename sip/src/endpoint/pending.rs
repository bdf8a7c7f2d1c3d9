//! Questions to the shell that have no answer yet.

use std::collections::BTreeMap;

/// Questions by number. There is at most one for each request of ours, so the limits of those bound it.
#[derive(Debug)]
pub(crate) struct Pending<T> {
    asked: u64,
    open: BTreeMap<u64, T>,
}

impl<T> Default for Pending<T> {
    fn default() -> Self {
        Self { asked: 0, open: BTreeMap::new() }
    }
}

impl<T> Pending<T> {
    /// Asks; the number is never used again.
    pub(crate) fn add(&mut self, whose: T) -> u64 {
        self.asked += 1;
        self.open.insert(self.asked, whose);
        self.asked
    }

    /// Questions without an answer.
    pub(crate) fn len(&self) -> usize {
        self.open.len()
    }

    /// Whose the answer with that number is; `None` if it was had before, or is not wanted any more.
    pub(crate) fn take(&mut self, number: u64) -> Option<T> {
        self.open.remove(&number)
    }
}
