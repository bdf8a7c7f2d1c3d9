//! A store under virtual time: what it has committed outlives the node.

use b2bua::registrar::{Keeper, Keeping, News};
use b2bua::store::{Backend, Memory, Table, Write};
use sip::time::Now;
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc;

/// Rows, and those that wait for the next commit.
#[derive(Default)]
struct Shelf {
    rows: Memory,
    waiting: Vec<(Write, Option<u64>)>,
    /// Which life of the node may write.
    life: u64,
}

/// The store of a node that may crash.
#[derive(Clone, Default)]
pub struct Disk(Arc<Mutex<Shelf>>);

/// What one life of the node writes with.
struct Pen {
    disk: Disk,
    life: u64,
}

impl Disk {
    /// What the next life of the node begins with. What the last one had not committed is lost.
    pub fn open(&self, now: Now) -> (Keeping, mpsc::Sender<News>) {
        let mut shelf = self.0.lock().unwrap();
        shelf.life += 1;
        shelf.waiting.clear();
        let (mut keeping, told) = Keeping::with(shelf.rows.rows(Table::Registrations).unwrap(), now);
        keeping.keeper = Some(Box::new(Pen { disk: self.clone(), life: shelf.life }));
        (keeping, told)
    }

    /// Writes that wait.
    pub fn waiting(&self) -> usize {
        self.0.lock().unwrap().waiting.len()
    }

    /// Commits what waits, as one group: all of it or nothing. What there is to tell.
    pub fn commit(&self, works: bool) -> Vec<News> {
        let mut shelf = self.0.lock().unwrap();
        let (writes, tickets): (Vec<Write>, Vec<Option<u64>>) = shelf.waiting.drain(..).unzip();
        if works {
            shelf.rows.commit(&writes).unwrap();
        }
        tickets.into_iter().flatten().map(|ticket| (ticket, works)).collect()
    }
}

impl Keeper for Pen {
    fn keep(&mut self, write: Write, ticket: Option<u64>) -> bool {
        let mut shelf = self.disk.0.lock().unwrap();
        if shelf.life == self.life {
            shelf.waiting.push((write, ticket));
        }
        true
    }
}
