//! The thread that owns the backend.

use super::{Backend, Condition, Row, StoreError, Table, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Orders that one commit takes at the most, so that no order waits for an endless batch.
const BATCH: usize = 1024;

/// How long the first order of a commit waits for others: a commit costs as much for many rows as for one.
const GATHER: Duration = Duration::from_millis(10);

/// How long after a failure nothing is tried: an engine that has to be opened again costs more than a commit.
const RETRY: Duration = Duration::from_secs(1);

/// What is written to see whether writing works again, in bytes, and removed: as much as a few dozen registrations.
const PROBE: usize = 65_536;

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

/// A backend with its thread.
pub struct Store {
    queue: Option<SyncSender<Order>>,
    condition: Arc<Condition>,
    thread: Option<JoinHandle<()>>,
}

/// A way to write, for a shard.
#[derive(Clone)]
pub struct Handle {
    queue: SyncSender<Order>,
    condition: Arc<Condition>,
}

/// Everything that a backend held when its store began.
pub type Kept = Vec<(Table, Vec<Row>)>;

impl Store {
    /// Reads what is kept, then starts the thread. `queue` orders may wait. What is damaged begins anew.
    ///
    /// # Errors
    /// The backend cannot be read, or the thread not started.
    pub fn start(backend: Box<dyn Backend>, queue: usize) -> Result<(Self, Kept), StoreError> {
        Self::retrying(backend, queue, RETRY)
    }

    /// The same, with the time after a failure in which nothing is tried.
    pub(super) fn retrying(
        mut backend: Box<dyn Backend>,
        queue: usize,
        retry: Duration,
    ) -> Result<(Self, Kept), StoreError> {
        let condition = Arc::new(Condition::default());
        let kept = match read(&mut *backend) {
            Err(StoreError::Damaged { .. }) => {
                if let Some(damage) = backend.recover()? {
                    condition.note_damage(damage);
                }
                read(&mut *backend)?
            }
            read => read?,
        };
        let (queue, orders) = sync_channel(queue);
        let server = Server { backend, condition: condition.clone(), retry, failed: None };
        let thread = std::thread::Builder::new()
            .name("liaison-store".to_owned())
            .spawn(move || server.serve(&orders))
            .map_err(StoreError::Thread)?;
        Ok((Self { queue: Some(queue), condition, thread: Some(thread) }, kept))
    }

    /// A way to write; `None` once the store ends.
    #[must_use]
    pub fn handle(&self) -> Option<Handle> {
        let queue = self.queue.clone()?;
        Some(Handle { queue, condition: self.condition.clone() })
    }

    /// What it has counted, and how it stands.
    #[must_use]
    pub fn condition(&self) -> &Arc<Condition> {
        &self.condition
    }
}

fn read(backend: &mut dyn Backend) -> Result<Kept, StoreError> {
    Table::ALL.into_iter().map(|table| Ok((table, backend.rows(table)?))).collect()
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
                self.condition.refused.fetch_add(1, Ordering::Relaxed);
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

/// What the thread works with.
struct Server {
    backend: Box<dyn Backend>,
    condition: Arc<Condition>,
    retry: Duration,
    /// When writing was last tried, if that failed.
    failed: Option<Instant>,
}

impl Server {
    fn serve(mut self, orders: &Receiver<Order>) {
        loop {
            let next = match self.failed {
                None => orders.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(failed) => orders.recv_timeout(self.retry.saturating_sub(since(failed))),
            };
            match next {
                Ok(first) => self.take(first, orders),
                Err(RecvTimeoutError::Timeout) => self.probe(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// One commit for an order and those that come with it.
    fn take(&mut self, first: Order, orders: &Receiver<Order>) {
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
        let kept = self.keep(&writes);
        for done in waiting {
            done(kept);
        }
    }

    /// Writes rows, unless that failed a moment ago; whether they are kept.
    fn keep(&mut self, writes: &[Write]) -> bool {
        let written = match self.failed {
            None => self.backend.commit(writes),
            Some(failed) if since(failed) < self.retry => {
                self.condition.failures.fetch_add(1, Ordering::Relaxed);
                return false;
            }
            Some(_) => self.recovered().and_then(|()| self.backend.commit(writes)),
        };
        let kept = written.is_ok();
        if kept {
            self.condition.commits.fetch_add(1, Ordering::Relaxed);
            let rows = u64::try_from(writes.len()).unwrap_or(u64::MAX);
            self.condition.rows.fetch_add(rows, Ordering::Relaxed);
        } else {
            self.condition.failures.fetch_add(1, Ordering::Relaxed);
        }
        self.conclude(written);
        kept
    }

    /// Looks whether writing works again: nobody might order anything while it is known not to.
    fn probe(&mut self) {
        let row = |value| Write { table: Table::Node, key: Box::from(*b"probe"), value };
        let written = self.recovered();
        let written = written.and_then(|()| self.backend.commit(&[row(Some(vec![0; PROBE].into()))]));
        let written = written.and_then(|()| self.backend.commit(&[row(None)]));
        self.conclude(written);
    }

    fn recovered(&mut self) -> Result<(), StoreError> {
        if let Some(damage) = self.backend.recover()? {
            self.condition.note_damage(damage);
        }
        Ok(())
    }

    /// Notes whether writing works, and logs that where it is new.
    fn conclude(&mut self, written: Result<(), StoreError>) {
        match written {
            Ok(()) => {
                self.failed = None;
                if self.condition.note(None) {
                    self.condition.recovered.fetch_add(1, Ordering::Relaxed);
                    tracing::warn!("rows are kept again");
                }
            }
            Err(error) => {
                self.failed = Some(now());
                let why = error.chain();
                if self.condition.note(Some(why.clone())) {
                    tracing::error!(why, "rows cannot be kept: nobody registers until they can");
                }
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this thread is part of the shell")]
fn now() -> Instant {
    Instant::now()
}

fn since(then: Instant) -> Duration {
    now().saturating_duration_since(then)
}
