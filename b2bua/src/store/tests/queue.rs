//! The thread: group commit, a full queue, a backend that fails.

use crate::store::{Backend, Full, Memory, Row, Store, StoreError, Table, Write};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

/// A backend whose commits wait for leave, and report how many rows they had.
struct Slow {
    leave: Receiver<bool>,
    sizes: Sender<usize>,
    memory: Memory,
}

impl Backend for Slow {
    fn rows(&mut self, table: Table) -> Result<Vec<Row>, StoreError> {
        self.memory.rows(table)
    }

    fn commit(&mut self, writes: &[Write]) -> Result<(), StoreError> {
        self.sizes.send(writes.len()).unwrap();
        match self.leave.recv() {
            Ok(true) => self.memory.commit(writes),
            _ => Err(StoreError::Write("no room".into())),
        }
    }
}

fn row(n: u8) -> Vec<Write> {
    vec![Write { table: Table::Node, key: Box::new([n]), value: Some(Box::new([])) }]
}

#[test]
fn what_comes_during_a_commit_shares_the_next_and_failures_are_told() {
    let ((leave, leaves), (sizes, reports), (told, tidings)) = (channel(), channel(), channel());
    let slow = Slow { leave: leaves, sizes, memory: Memory::default() };
    let (store, kept) = Store::start(Box::new(slow), 3).unwrap();
    assert!(kept.iter().all(|(_, rows)| rows.is_empty()));
    let handle = store.handle().unwrap();
    let write = |n: u8| {
        let told = told.clone();
        handle.write(row(n), Box::new(move |kept| told.send((n, kept)).unwrap()))
    };
    write(0).unwrap();
    assert_eq!(reports.recv(), Ok(1));
    (1..4).for_each(|n| write(n).unwrap());
    assert_eq!(write(4), Err(Full));
    leave.send(true).unwrap();
    assert_eq!(tidings.recv(), Ok((0, true)));
    assert_eq!(reports.recv(), Ok(3), "one commit for all that waited");
    leave.send(false).unwrap();
    for n in 1..4 {
        assert_eq!(tidings.recv(), Ok((n, false)));
    }
    let counters = store.condition();
    let read = |c: &std::sync::atomic::AtomicU64| c.load(Ordering::Relaxed);
    assert_eq!((read(&counters.commits), read(&counters.rows)), (1, 1));
    assert_eq!((read(&counters.failures), read(&counters.refused)), (1, 1));
    drop(handle);
}

#[test]
fn what_was_handed_over_is_kept_when_the_store_ends() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("liaison.redb");
    let (store, _) = Store::start(Box::new(crate::store::Embedded::open(&path).unwrap()), 64).unwrap();
    let handle = store.handle().unwrap();
    (0..50).for_each(|n| handle.write(row(n), Box::new(|kept| assert!(kept))).unwrap());
    drop(handle);
    drop(store);
    let (_store, kept) = Store::start(Box::new(crate::store::Embedded::open(&path).unwrap()), 1).unwrap();
    let rows = kept.iter().find(|(table, _)| *table == Table::Node).map(|(_, rows)| rows.len());
    assert_eq!(rows, Some(50));
}

/// An engine that refuses everything after an error until it is opened again, as redb does.
struct Stubborn {
    /// What the disk says next.
    full: std::sync::Arc<std::sync::atomic::AtomicBool>,
    closed: bool,
    attempts: Sender<&'static str>,
    memory: Memory,
}

impl Backend for Stubborn {
    fn rows(&mut self, table: Table) -> Result<Vec<Row>, StoreError> {
        self.memory.rows(table)
    }

    fn commit(&mut self, writes: &[Write]) -> Result<(), StoreError> {
        self.attempts.send("commit").unwrap();
        if self.closed || self.full.load(Ordering::SeqCst) {
            self.closed = true;
            return Err(StoreError::Write("no space left on device".into()));
        }
        self.memory.commit(writes)
    }

    fn recover(&mut self) -> Result<Option<crate::store::Damage>, StoreError> {
        self.attempts.send("recover").unwrap();
        self.closed = false;
        Ok(None)
    }
}

fn stubborn(
    retry: Duration,
) -> (Store, std::sync::Arc<std::sync::atomic::AtomicBool>, Receiver<&'static str>) {
    let (attempts, tried) = channel();
    let full = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let backend = Stubborn { full: full.clone(), closed: false, attempts, memory: Memory::default() };
    let (store, _) = Store::retrying(Box::new(backend), 64, retry).unwrap();
    (store, full, tried)
}

fn kept(store: &Store) -> bool {
    let (told, tidings) = channel();
    store.handle().unwrap().write(row(1), Box::new(move |kept| told.send(kept).unwrap())).unwrap();
    tidings.recv().unwrap()
}

#[test]
fn what_has_failed_is_opened_again_and_works_once_there_is_room_though_nobody_orders_anything() {
    let (store, full, tried) = stubborn(Duration::from_millis(20));
    assert!(!kept(&store));
    let why = store.condition().failing().unwrap();
    assert_eq!(why, "cannot write to the store: no space left on device");
    full.store(false, Ordering::SeqCst);
    // The first commit, then those that find out by themselves.
    let recovered = tried.iter().skip_while(|what| *what != "recover");
    assert_eq!(recovered.take(2).collect::<Vec<_>>(), ["recover", "commit"]);
    // It says so after that commit, and may have tried nothing else by then.
    while store.condition().failing().is_some() {
        std::thread::yield_now();
    }
    assert!(kept(&store));
    assert_eq!(store.condition().recovered.load(Ordering::Relaxed), 1);
}

#[test]
fn soon_after_a_failure_nothing_is_tried() {
    let (store, full, tried) = stubborn(Duration::from_secs(3600));
    assert!(!kept(&store));
    full.store(false, Ordering::SeqCst);
    assert!((0..20).all(|_| !kept(&store)));
    assert_eq!(tried.try_iter().collect::<Vec<_>>(), ["commit"]);
    assert_eq!(store.condition().failures.load(Ordering::Relaxed), 21);
}
