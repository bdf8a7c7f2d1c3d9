//! The thread: group commit, a full queue, a backend that fails.

use crate::store::{Backend, Full, Memory, Row, Store, StoreError, Table, Write};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender, channel};

/// A backend whose commits wait for leave, and report how many rows they had.
struct Slow {
    leave: Receiver<bool>,
    sizes: Sender<usize>,
    memory: Memory,
}

impl Backend for Slow {
    fn rows(&self, table: Table) -> Result<Vec<Row>, StoreError> {
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
    let counters = store.counters();
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
