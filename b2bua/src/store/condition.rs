//! How a store is doing, for who looks at the node from outside.

use super::Damage;
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a store has counted, and what is wrong with it.
#[derive(Debug, Default)]
pub struct Condition {
    /// Commits that succeeded.
    pub commits: AtomicU64,
    /// Rows that they wrote.
    pub rows: AtomicU64,
    /// Commits that failed, and those not tried so soon after one; their rows are not kept.
    pub failures: AtomicU64,
    /// Orders refused because the queue was full.
    pub refused: AtomicU64,
    /// Times that it could write again after a failure.
    pub recovered: AtomicU64,
    /// Times that it was damaged, and begun anew.
    pub damaged: AtomicU64,
    /// Why nothing can be written, while that lasts.
    failing: Mutex<Option<String>>,
    /// Where the last damaged file is.
    aside: Mutex<Option<PathBuf>>,
}

impl Condition {
    /// Why nothing can be written now; `None` where that works, as far as anybody has tried.
    #[must_use]
    pub fn failing(&self) -> Option<String> {
        lock(&self.failing).clone()
    }

    /// The damaged file of this process's time that nobody has taken away.
    #[must_use]
    pub fn aside(&self) -> Option<PathBuf> {
        lock(&self.aside).clone().filter(|path| path.exists())
    }

    /// Notes whether it can write, and tells whether that is new.
    pub(super) fn note(&self, failing: Option<String>) -> bool {
        let mut before = lock(&self.failing);
        let is_new = before.is_some() != failing.is_some();
        *before = failing;
        is_new
    }

    /// Notes damage, and says it to whoever reads the log.
    pub(super) fn note_damage(&self, damage: Damage) {
        let Damage { why, aside, lost } = damage;
        let lost: Vec<_> = lost.iter().map(|table| table.name()).collect();
        tracing::error!(why, aside = %aside.display(), ?lost, "the store was damaged, and has begun anew");
        self.damaged.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        *lock(&self.aside) = Some(aside);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing in here can be half done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
