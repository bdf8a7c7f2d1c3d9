//! Which of many sources has work, so that a wake-up costs what is ready and not what exists.
//!
//! Every socket and future of a driver is polled with a waker of its own, which puts it on one list and wakes
//! the driver's task. All but the [`Waker`] of the owner and the ends of the lanes from other shards are woken on the
//! driver's thread; those two come once a batch and hold the list for a push, so that nobody waits for it.

use crate::flow::{ConnectionId, ListenerId};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task;

/// What can have work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Somebody called [`Waker::wake`].
    Outside,
    /// Another shard has given something, or made room.
    Exchange,
    /// The timer.
    Alarm,
    /// An answer of the resolver.
    Resolver,
    /// A listener: datagrams, or connections to accept.
    Listener(ListenerId),
    /// A connection.
    Connection(ConnectionId),
}

/// One entry of the list; it is on it at most once.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) kind: Kind,
    queued: AtomicBool,
    list: Arc<ReadyList>,
}

impl Source {
    pub(crate) fn new(kind: Kind, list: &Arc<ReadyList>) -> Arc<Self> {
        Arc::new(Self { kind, queued: AtomicBool::new(false), list: Arc::clone(list) })
    }

    /// Puts it on the list without waking the task, which is running.
    pub(crate) fn requeue(self: &Arc<Self>) {
        if !self.queued.swap(true, Ordering::AcqRel) {
            self.list.lock().sources.push(Arc::clone(self));
        }
    }

    /// Off the list: what happens from now on puts it there again. It is a swap, so that who finds it still queued has
    /// put what it is about where it will be seen: a store could be overtaken by the look that follows it.
    pub(crate) fn taken(&self) {
        self.queued.swap(false, Ordering::AcqRel);
    }
}

impl task::Wake for Source {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.queued.swap(true, Ordering::AcqRel) {
            return;
        }
        let mut list = self.list.lock();
        let first = list.sources.is_empty();
        list.sources.push(Arc::clone(self));
        let task = first.then(|| list.task.clone()).flatten();
        drop(list);
        if let Some(task) = task {
            task.wake();
        }
    }
}

/// Sources that have work, and the task that does it.
#[derive(Debug, Default)]
pub(crate) struct ReadyList(Mutex<List>);

#[derive(Debug, Default)]
struct List {
    sources: Vec<Arc<Source>>,
    task: Option<task::Waker>,
}

impl ReadyList {
    fn lock(&self) -> MutexGuard<'_, List> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Names the task to wake.
    pub(crate) fn attend(&self, waker: &task::Waker) {
        let mut list = self.lock();
        match &mut list.task {
            Some(task) => task.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
    }

    /// Whether no source has work.
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().sources.is_empty()
    }

    /// Takes the sources that have work; `into` is empty and lends its memory.
    pub(crate) fn take(&self, into: &mut Vec<Arc<Source>>) {
        std::mem::swap(&mut self.lock().sources, into);
    }
}

/// Wakes a driver from any thread, to have [`Core::handle_wake`](super::Core::handle_wake) called. Calls that
/// come before that happens are one; the first of them costs a system call, the others an atomic swap.
#[derive(Clone, Debug)]
pub struct Waker(Arc<Source>);

impl Default for Waker {
    fn default() -> Self {
        Self::new()
    }
}

impl Waker {
    /// A handle for one [`drive`](super::drive). Calling it earlier is not lost.
    pub fn new() -> Self {
        Self(Source::new(Kind::Outside, &Arc::default()))
    }

    /// Wakes the driver.
    pub fn wake(&self) {
        task::Wake::wake_by_ref(&self.0);
    }

    pub(crate) fn list(&self) -> &Arc<ReadyList> {
        &self.0.list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_on_the_list_once_until_it_is_taken() {
        let waker = Waker::new();
        let mut taken = Vec::new();
        waker.wake();
        waker.clone().wake();
        waker.list().take(&mut taken);
        assert_eq!(taken.iter().map(|s| s.kind).collect::<Vec<_>>(), [Kind::Outside]);
        waker.wake();
        assert!(waker.list().lock().sources.is_empty(), "not taken yet, so still to be served");
        taken.drain(..).for_each(|s| s.taken());
        waker.wake();
        assert_eq!(waker.list().lock().sources.len(), 1);
    }
}
