//! What a backend promises.

use crate::store::{Backend, Embedded, Memory, StoreError, Table, Write};

fn put(table: Table, key: &str, value: &str) -> Write {
    Write { table, key: key.as_bytes().into(), value: Some(value.as_bytes().into()) }
}

fn gone(table: Table, key: &str) -> Write {
    Write { table, key: key.as_bytes().into(), value: None }
}

fn rows(backend: &mut dyn Backend, table: Table) -> Vec<(String, String)> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    backend.rows(table).unwrap().iter().map(|(k, v)| (text(k), text(v))).collect()
}

fn keeps_rows(backend: &mut dyn Backend) {
    assert!(rows(backend, Table::Node).is_empty());
    backend
        .commit(&[
            put(Table::Node, "b", "1"),
            put(Table::Registrations, "b", "x"),
            put(Table::Node, "a", "2"),
        ])
        .unwrap();
    assert_eq!(rows(backend, Table::Node), [("a".into(), "2".into()), ("b".into(), "1".into())]);
    backend
        .commit(&[gone(Table::Node, "b"), put(Table::Node, "a", "3"), put(Table::Node, "a", "4")])
        .unwrap();
    assert_eq!(rows(backend, Table::Node), [("a".into(), "4".into())]);
    backend.commit(&[gone(Table::Node, "never there")]).unwrap();
    assert_eq!(rows(backend, Table::Registrations), [("b".into(), "x".into())]);
}

#[test]
fn memory_keeps_rows() {
    keeps_rows(&mut Memory::default());
}

#[test]
fn a_file_keeps_rows_also_when_it_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state/liaison.redb");
    keeps_rows(&mut Embedded::open(&path).unwrap());
    let mut again = Embedded::open(&path).unwrap();
    assert_eq!(rows(&mut again, Table::Registrations), [("b".into(), "x".into())]);
}

#[test]
fn a_file_is_for_one_process_and_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("liaison.redb");
    let first = Embedded::open(&path).unwrap();
    assert!(matches!(Embedded::open(&path), Err(StoreError::Open { .. })));
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    drop(first);
}

#[test]
fn a_copy_of_the_open_file_is_whole_as_after_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("liaison.redb");
    let mut store = Embedded::open(&path).unwrap();
    store.commit(&[put(Table::Node, "a", "1")]).unwrap();
    let copy = folder.path().join("copy.redb");
    std::fs::copy(&path, &copy).unwrap();
    assert_eq!(rows(&mut Embedded::open(&copy).unwrap(), Table::Node), [("a".into(), "1".into())]);
}
