//! A shard's end of the relay.

use std::collections::VecDeque;
use std::sync::Arc;

use rtrb::{Consumer, Producer, PushError};

use super::coding::MOST;
use super::dtmf::Bell;
use super::sockets::Waker;
use super::tcp::ToTcp;
use super::{Command, Report};
use crate::transcode::{Room, Totals};
use crate::{NetworkId, PortPair, Ports, PortsError, ThreadId};

/// So many orders may wait for room in a ring before no more ports are lent. Orders for ports that are lent already
/// still queue up behind, so that none is lost: each is bounded by the calls there are.
const MOST_WAITING: usize = 1_024;

/// A shard's way to the relay threads: ports to borrow, orders to give. It belongs to one thread.
pub struct Link {
    networks: Vec<NetworkId>,
    threads: Vec<ToThread>,
    tcp: ToTcp,
}

pub(super) struct ToThread {
    pub(super) commands: Producer<Command>,
    /// Orders that found the ring full.
    pub(super) waiting: VecDeque<Command>,
    /// Free pairs, for each network.
    pub(super) free: Vec<Consumer<PortPair>>,
    pub(super) waker: Arc<Waker>,
    /// Keys that were heard.
    pub(super) reports: Consumer<Report>,
    pub(super) bell: Arc<Bell>,
    /// What is transcoded beside it.
    pub(super) coding: Arc<Totals>,
    pub(super) low_water: usize,
    pub(super) lent: usize,
    pub(super) stirred: bool,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link")
            .field("networks", &self.networks)
            .field("lent", &self.lent())
            .finish_non_exhaustive()
    }
}

impl Link {
    pub(super) fn new(networks: Vec<NetworkId>, threads: Vec<ToThread>, tcp: ToTcp) -> Self {
        Self { networks, threads, tcp }
    }

    /// Gives an order to the thread that it is for. It is not looked at before [`Self::flush`], at the latest.
    pub fn carry_out(&mut self, command: Command) {
        let command = match command {
            Command::Tcp(order) => return self.tcp.order(order),
            command => command,
        };
        let Some(thread) = self.threads.get_mut(usize::from(command.thread().0)) else { return };
        if matches!(command, Command::Release { .. }) {
            thread.lent = thread.lent.saturating_sub(1);
        }
        thread.stirred = true;
        thread.waiting.push_back(command);
        thread.pass_on();
    }

    /// Has the shard woken by that whenever there is something to [report](Self::poll_report). What is given later counts for nothing.
    pub fn wake_by(&mut self, wake: impl Fn() + Send + Sync + Clone + 'static) {
        for thread in &self.threads {
            thread.bell.hang(wake.clone());
        }
    }

    /// The next key that was heard.
    pub fn poll_report(&mut self) -> Option<Report> {
        self.threads.iter_mut().find_map(|thread| thread.reports.pop().ok())
    }

    /// Wakes the threads that have something to do. To be called once after each batch of orders and borrowed ports.
    pub fn flush(&mut self) {
        for thread in &mut self.threads {
            let waited = !thread.waiting.is_empty();
            thread.pass_on();
            if std::mem::take(&mut thread.stirred) || waited {
                thread.waker.wake();
            }
        }
        self.tcp.flush();
    }

    /// Orders still wait for room: call [`Self::flush`] again soon.
    #[must_use]
    pub fn is_behind(&self) -> bool {
        self.tcp.is_behind() || self.threads.iter().any(|thread| !thread.waiting.is_empty())
    }

    /// How many pairs this shard has borrowed and not ordered to be released.
    #[must_use]
    pub fn lent(&self) -> usize {
        self.threads.iter().map(|thread| thread.lent).sum()
    }

    /// How many directions of streams are transcoded, whichever shard they are of.
    #[must_use]
    pub fn transcoded(&self) -> usize {
        self.threads.iter().map(|thread| thread.coding.now()).sum()
    }

    /// How many free pairs of a network this shard has at hand.
    #[must_use]
    pub fn free(&self, network: NetworkId) -> usize {
        let Some(index) = self.network(network) else { return 0 };
        self.threads.iter().filter_map(|thread| thread.free.get(index)).map(Consumer::slots).sum()
    }

    fn network(&self, network: NetworkId) -> Option<usize> {
        self.networks.iter().position(|candidate| *candidate == network)
    }
}

impl ToThread {
    fn pass_on(&mut self) {
        if self.commands.is_abandoned() {
            // The relay was stopped: nothing is left to be done.
            return self.waiting.clear();
        }
        while let Some(command) = self.waiting.pop_front() {
            if let Err(PushError::Full(command)) = self.commands.push(command) {
                return self.waiting.push_front(command);
            }
        }
        if self.waiting.capacity() > MOST_WAITING {
            self.waiting.shrink_to(MOST_WAITING);
        }
    }

    fn take(&mut self, network: usize, id: NetworkId) -> Result<PortPair, PortsError> {
        if self.waiting.len() > MOST_WAITING {
            return Err(PortsError::Overloaded);
        }
        let free = self.free.get_mut(network).ok_or(PortsError::NoSuchNetwork(id))?;
        let pair = free.pop().map_err(|_| PortsError::Exhausted(id));
        if free.slots() < self.low_water.min(free.buffer().capacity()) {
            self.waker.wake();
        }
        self.lent += usize::from(pair.is_ok());
        pair
    }
}

impl Ports for Link {
    fn room(&mut self, thread: Option<ThreadId>, directions: usize) -> Option<Room> {
        let thread = match thread {
            Some(ThreadId(thread)) => self.threads.get(usize::from(thread)),
            None => self.threads.iter().min_by_key(|thread| thread.lent),
        };
        Room::take(&thread?.coding, directions, MOST)
    }

    fn take(&mut self, network: NetworkId, thread: Option<ThreadId>) -> Result<PortPair, PortsError> {
        let index = self.network(network).ok_or(PortsError::NoSuchNetwork(network))?;
        if let Some(ThreadId(thread)) = thread {
            let to = self.threads.get_mut(usize::from(thread)).ok_or(PortsError::Exhausted(network))?;
            return to.take(index, network);
        }
        let stocked = |thread: &ToThread| thread.free.get(index).is_some_and(|free| !free.is_empty());
        let least = self.threads.iter_mut().filter(|thread| stocked(thread)).min_by_key(|thread| thread.lent);
        match least {
            Some(thread) => thread.take(index, network),
            None => {
                // None has a pair at hand: have them look whether they can bind more.
                self.threads.iter().for_each(|thread| thread.waker.wake());
                Err(PortsError::Exhausted(network))
            }
        }
    }
}
