//! Files that are damaged: put aside, never a panic, never silence.

use crate::store::{Backend, Embedded, Store, StoreError, Table, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::mpsc::channel;
use std::time::Duration;

fn write(n: u32) -> Write {
    let key = n.to_be_bytes().into();
    Write { table: Table::Registrations, key, value: Some(vec![b'v'; 300].into()) }
}

/// A file with a few pages of rows, as bytes.
fn file() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("liaison.redb");
    let mut store = Embedded::open(&path).unwrap();
    store
        .commit(&[Write { table: Table::Node, key: Box::from(*b"k"), value: Some(Box::from(*b"v")) }])
        .unwrap();
    store.commit(&(0..100).map(write).collect::<Vec<_>>()).unwrap();
    drop(store);
    std::fs::read(path).unwrap()
}

fn aside(folder: &Path) -> Vec<PathBuf> {
    let all = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    all.filter(|path| path.to_str().unwrap().contains(".redb.damaged-")).collect()
}

/// Starts on such a file, writes until that works, and starts again: which rows there were at first and whether it was damaged.
fn survives(bytes: &[u8]) -> (usize, bool) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("liaison.redb");
    std::fs::write(&path, bytes).unwrap();
    let backend = Box::new(Embedded::open(&path).unwrap());
    let (store, kept) = Store::retrying(backend, 64, Duration::from_millis(1)).unwrap();
    let before = kept.iter().map(|(_, rows)| rows.len()).sum();
    let handle = store.handle().unwrap();
    let (told, tidings) = channel();
    let mut attempts = 0;
    loop {
        let told = told.clone();
        handle
            .write((200..260).map(write).collect(), Box::new(move |kept| told.send(kept).unwrap()))
            .unwrap();
        if tidings.recv().unwrap() {
            break;
        }
        attempts += 1;
        assert!(attempts < 10, "{:?}", store.condition().failing());
    }
    let damaged = store.condition().damaged.load(Ordering::Relaxed) > 0;
    assert_eq!(damaged, store.condition().aside().is_some());
    assert_eq!(damaged, !aside(folder.path()).is_empty(), "what is put aside is told");
    drop((handle, store));
    if damaged {
        let mut again = Embedded::open(&path).unwrap();
        assert!(again.rows(Table::Registrations).unwrap().len() >= 60);
    }
    (before, damaged)
}

#[test]
fn junk_and_half_a_file_are_put_aside() {
    let whole = file();
    assert_eq!(survives(&whole), (101, false));
    assert_eq!(survives(b"not a store"), (0, true));
    assert_eq!(survives(&whole[..whole.len() / 2]), (0, true));
    assert_eq!(survives(&vec![0xa5; 70_000]), (0, true));
}

#[test]
fn whatever_page_is_gone_the_store_begins_and_goes_on() {
    let whole = file();
    let found = whole.chunks(4096).enumerate().filter(|(_, page)| page.iter().any(|byte| *byte != 0)).map(
        |(n, _)| {
            let mut bytes = whole.clone();
            bytes[n * 4096..].iter_mut().take(4096).for_each(|byte| *byte = 0);
            survives(&bytes)
        },
    );
    let damaged = found.filter(|(_, damaged)| *damaged).count();
    assert!(damaged >= 3, "{damaged}");
}

#[test]
fn damage_shows_while_it_runs_and_what_can_be_read_is_saved() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("liaison.redb");
    std::fs::write(&path, file()).unwrap();
    let mut store = Embedded::open(&path).unwrap();
    let why = store.damage("somebody says so");
    assert!(matches!(why, StoreError::Damaged { .. }));
    let damage = store.recover().unwrap().unwrap();
    assert_eq!((damage.lost.len(), damage.why.as_str()), (0, "somebody says so"));
    assert_eq!(store.rows(Table::Registrations).unwrap().len(), 100);
    assert_eq!(aside(folder.path()), [damage.aside]);
}

#[test]
fn few_damaged_files_stay() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("liaison.redb");
    for _ in 0..5 {
        std::fs::write(&path, "junk").unwrap();
        let mut store = Embedded::open(&path).unwrap();
        assert!(matches!(store.rows(Table::Node), Err(StoreError::Damaged { .. })));
        assert!(store.recover().unwrap().is_some());
    }
    assert_eq!(aside(folder.path()).len(), 3);
}
