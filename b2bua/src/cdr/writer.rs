//! Appending records to a file, in batches, on a thread of its own.

use super::Record;
use super::file::RecordFile;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long a record waits for others that share its sync: on a disk one sync costs more than a call, and a shard that
/// finds this thread asleep has no system call to make.
const GATHER: Duration = Duration::from_millis(100);

/// A batch takes no further record once it is that long, in bytes.
const BATCH: usize = 4 << 20;

/// The file of records and the thread that writes it.
pub struct Writer {
    queue: Option<SyncSender<Box<[u8]>>>,
    lost: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

/// Why there is no file of records.
#[derive(Debug, thiserror::Error)]
#[error("cannot open {path} for call detail records")]
pub struct WriterError {
    path: PathBuf,
    #[source]
    source: std::io::Error,
}

impl Writer {
    /// Opens the file, made when absent, and starts the thread. `queue` records may wait; those beyond are counted
    /// as lost.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn start(path: &Path, queue: usize) -> Result<Self, WriterError> {
        let failed = |source| WriterError { path: path.to_owned(), source };
        let file = RecordFile::open(path).map_err(failed)?;
        let (queue, records) = sync_channel(queue);
        let lost = Arc::new(AtomicU64::new(0));
        let counted = lost.clone();
        let thread = std::thread::Builder::new()
            .name("liaison-cdr".to_owned())
            .spawn(move || write_all(file, &records, &counted))
            .map_err(failed)?;
        Ok(Self { queue: Some(queue), lost, thread: Some(thread) })
    }

    /// A handle for a shard: hands a record over, as its line, without waiting. So the many pieces of a record are given
    /// back by the thread that took them.
    #[must_use]
    pub fn handle(&self) -> Box<dyn FnMut(Record) + Send> {
        let queue = self.queue.clone();
        let lost = self.lost.clone();
        let mut line = Vec::new();
        Box::new(move |record| {
            line.clear();
            record.write(&mut line);
            let sent = queue.as_ref().is_some_and(|queue| queue.try_send(line.as_slice().into()).is_ok());
            if !sent {
                lost.fetch_add(1, Ordering::Relaxed);
            }
        })
    }

    /// Records that were not written.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

impl Drop for Writer {
    /// Waits until what was handed over is on disk; all other handles must be gone.
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // A panic of that thread has been reported where it happened.
            let _ = thread.join();
        }
    }
}

/// Writes what comes, and syncs once for all that came within [`GATHER`].
#[expect(clippy::disallowed_methods, reason = "a thread of its own, which nothing waits for")]
fn write_all(mut file: RecordFile, records: &Receiver<Box<[u8]>>, lost: &AtomicU64) {
    let mut batch = Batch::default();
    while let Ok(first) = records.recv() {
        std::thread::sleep(GATHER);
        batch.add(&first);
        while batch.lines.len() < BATCH
            && let Ok(record) = records.try_recv()
        {
            batch.add(&record);
        }
        if let Err(error) = file.append(&batch.lines) {
            lost.fetch_add(batch.held, Ordering::Relaxed);
            tracing::error!(records = batch.held, %error, "call detail records could not be written");
        }
        batch.clear();
    }
}

/// Records that share a sync, as lines.
#[derive(Default)]
struct Batch {
    lines: Vec<u8>,
    /// Records in `lines`.
    held: u64,
}

impl Batch {
    fn add(&mut self, line: &[u8]) {
        self.lines.extend_from_slice(line);
        self.held += 1;
    }

    fn clear(&mut self) {
        self.lines.clear();
        self.held = 0;
    }
}
