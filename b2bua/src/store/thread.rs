//! The thread that owns the backend.

use super::{Backend, Row, StoreError, Table, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Orders that one commit takes at the most, so that no order waits for an endless batch.
const BATCH: usize = 1024;

/// How long the first order of a commit waits for others: a commit costs as much for many rows as for one.
const GATHER: Duration = Duration::from_millis(10);

/// Is told once, on the store's thread, whether rows are kept: it hands that on and returns.
pub type Done = Box<dyn FnOnce(bool) + Send>;

/// The queue of the store is full: nothing was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the queue of the store is full")]
pub struct Full;

struct Order {
    writes: Vec<Write>,
    done: Done,
}

/// What a store has counted.
#[derive(Debug, Default)]
pub struct Counters {
    /// Commits that succeeded.
    pub commits: AtomicU64,
    /// Rows that they wrote.
    pub rows: AtomicU64,
    /// Commits that failed; their rows are not kept.
    pub failures: AtomicU64,
    /// Orders refused because the queue was full.
    pub refused: AtomicU64,
}

/// A backend with its thread.
pub struct Store {
    queue: Option<SyncSender<Order>>,
    counters: Arc<Counters>,
    thread: Option<JoinHandle<()>>,
}

/// A way to write, for a shard.
#[derive(Clone)]
pub struct Handle {
    queue: SyncSender<Order>,
    counters: Arc<Counters>,
}

/// Everything that a backend held when its store began.
pub type Kept = Vec<(Table, Vec<Row>)>;

impl Store {
    /// Reads what is kept, then starts the thread. `queue` orders may wait.
    ///
    /// # Errors
    /// The backend cannot be read, or the thread not started.
    pub fn start(backend: Box<dyn Backend>, queue: usize) -> Result<(Self, Kept), StoreError> {
        let kept = Table::ALL.into_iter().map(|table| Ok((table, backend.rows(table)?)));
        let kept = kept.collect::<Result<_, StoreError>>()?;
        let (queue, orders) = sync_channel(queue);
        let counters = Arc::new(Counters::default());
        let counted = counters.clone();
        let thread = std::thread::Builder::new()
            .name("liaison-store".to_owned())
            .spawn(move || serve(backend, &orders, &counted))
            .map_err(StoreError::Thread)?;
        Ok((Self { queue: Some(queue), counters, thread: Some(thread) }, kept))
    }

    /// A way to write; `None` once the store ends.
    #[must_use]
    pub fn handle(&self) -> Option<Handle> {
        let queue = self.queue.clone()?;
        Some(Handle { queue, counters: self.counters.clone() })
    }

    /// What it has counted.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }
}

impl Handle {
    /// Hands rows over: all of them are kept or none. `done` hears which.
    ///
    /// # Errors
    /// The queue is full; `done` is not called.
    pub fn write(&self, writes: Vec<Write>, done: Done) -> Result<(), Full> {
        match self.queue.try_send(Order { writes, done }) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.counters.refused.fetch_add(1, Ordering::Relaxed);
                Err(Full)
            }
        }
    }
}

impl Drop for Store {
    /// Waits until what was handed over is kept; all handles must be gone.
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // A panic of that thread has been reported where it happened.
            let _ = thread.join();
        }
    }
}

fn serve(mut backend: Box<dyn Backend>, orders: &Receiver<Order>, counters: &Counters) {
    while let Ok(first) = orders.recv() {
        #[expect(
            clippy::disallowed_methods,
            reason = "this thread is part of the shell: who ordered does not wait for it"
        )]
        std::thread::sleep(GATHER);
        let mut writes = first.writes;
        let mut waiting = vec![first.done];
        while waiting.len() < BATCH
            && let Ok(next) = orders.try_recv()
        {
            writes.extend(next.writes);
            waiting.push(next.done);
        }
        let kept = backend.commit(&writes);
        match &kept {
            Ok(()) => {
                counters.commits.fetch_add(1, Ordering::Relaxed);
                counters.rows.fetch_add(u64::try_from(writes.len()).unwrap_or(u64::MAX), Ordering::Relaxed);
            }
            Err(error) => {
                counters.failures.fetch_add(1, Ordering::Relaxed);
                tracing::error!(%error, orders = waiting.len(), "rows could not be kept");
            }
        }
        for done in waiting {
            done(kept.is_ok());
        }
    }
}
