//! One thread's pairs of ports: bound ahead, lent, in quarantine.

use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;

use super::context::{Component, Context};
use super::gauges::Shared;
use super::sockets::{Poller, bind};
use crate::ports::even_ports;
use crate::{MediaNetwork, PairId, PortPair, ThreadId};

/// Ports that other programs hold are passed over; so many in a row make one attempt.
const BIND_TRIES: usize = 32;
/// After a failed attempt the next one waits, so that a lack of files or ports does not slow packets down.
const BIND_PAUSE_MILLIS: u64 = 100;

/// A bound pair.
pub(super) struct Pair {
    rtp: UdpSocket,
    rtcp: UdpSocket,
    network: usize,
    port: u16,
    pub(super) contexts: Vec<Context>,
}

impl Pair {
    pub(super) fn socket(&self, component: Component) -> &UdpSocket {
        match component {
            Component::Rtp => &self.rtp,
            Component::Rtcp => &self.rtcp,
        }
    }

    pub(super) fn context(&mut self, remote: u8) -> Option<&mut Context> {
        self.contexts.iter_mut().find(|context| context.remote == remote)
    }
}

/// A place for a pair. The generation goes up each time the pair comes back, so that late orders miss.
#[derive(Default)]
struct Slot {
    generation: u32,
    lent: bool,
    pair: Option<Pair>,
}

struct Network {
    network: MediaNetwork,
    unbound: VecDeque<u16>,
    ready: VecDeque<u32>,
}

pub(super) struct Pool {
    thread: ThreadId,
    slots: Vec<Slot>,
    vacant: Vec<u32>,
    networks: Vec<Network>,
    /// Slots and when they may be lent again, in order.
    quarantine: VecDeque<(u64, u32)>,
    quarantine_millis: u64,
    bound: u32,
    max_bound: u32,
    keep: usize,
    /// No pair is bound before that, after a failure.
    bind_again: Option<u64>,
    gauges: Arc<Shared>,
}

/// What one thread's pool may hold.
pub(super) struct Share {
    pub(super) thread: ThreadId,
    pub(super) threads: u16,
    pub(super) max_bound: u32,
    pub(super) keep: usize,
    pub(super) quarantine_millis: u64,
}

impl Pool {
    /// Each thread gets every so-manieth pair of each range.
    pub(super) fn new(networks: &[MediaNetwork], share: &Share, gauges: Arc<Shared>) -> Self {
        let own_ports = |network: &MediaNetwork| {
            even_ports(network).skip(share.thread.0.into()).step_by(share.threads.max(1).into()).collect()
        };
        let networks = networks.iter().map(|network| Network {
            network: network.clone(),
            unbound: own_ports(network),
            ready: VecDeque::new(),
        });
        Self {
            thread: share.thread,
            slots: Vec::new(),
            vacant: Vec::new(),
            networks: networks.collect(),
            quarantine: VecDeque::new(),
            quarantine_millis: share.quarantine_millis,
            bound: 0,
            max_bound: share.max_bound,
            keep: share.keep,
            bind_again: None,
            gauges,
        }
    }

    pub(super) fn pair(&mut self, slot: u32) -> Option<&mut Pair> {
        self.slots.get_mut(slot as usize)?.pair.as_mut()
    }

    /// The pair while it is lent to whoever knows this generation.
    pub(super) fn lent(&mut self, id: PairId) -> Option<&mut Pair> {
        let slot = self.slots.get_mut(id.slot as usize)?;
        if slot.lent && slot.generation == id.generation { slot.pair.as_mut() } else { None }
    }

    /// A free pair of a network, bound now when none is at hand; `None` when there is none to be had.
    pub(super) fn take(&mut self, network: usize, poller: &Poller, now_millis: u64) -> Option<PortPair> {
        let ready = self.networks.get_mut(network)?.ready.pop_front();
        let slot = ready.or_else(|| self.bind_now(network, poller, now_millis))?;
        let entry = self.slots.get_mut(slot as usize)?;
        entry.lent = true;
        let port = entry.pair.as_ref()?.port;
        Some(PortPair { id: PairId { thread: self.thread, slot, generation: entry.generation }, port })
    }

    fn bind_now(&mut self, network: usize, poller: &Poller, now_millis: u64) -> Option<u32> {
        if self.bind_again.is_some() {
            return None;
        }
        self.bind(network, poller).unwrap_or_else(|_| {
            self.gauges.bind_failed();
            self.bind_again = Some(now_millis + BIND_PAUSE_MILLIS);
            None
        })
    }

    /// Binds pairs ahead until `count` are ready.
    pub(super) fn bind_ahead(
        &mut self,
        network: usize,
        count: usize,
        poller: &Poller,
    ) -> Result<(), BindError> {
        while self.networks.get(network).is_some_and(|network| network.ready.len() < count) {
            let Some(slot) = self.bind(network, poller)? else { break };
            if let Some(network) = self.networks.get_mut(network) {
                network.ready.push_back(slot);
            }
        }
        Ok(())
    }

    /// Binds the next pair that can be; `None` at a limit.
    fn bind(&mut self, network: usize, poller: &Poller) -> Result<Option<u32>, BindError> {
        if self.bound >= self.max_bound {
            return Ok(None);
        }
        let Some(entry) = self.networks.get_mut(network) else { return Ok(None) };
        let mut failure = None;
        for _ in 0..BIND_TRIES {
            let Some(port) = entry.unbound.pop_front() else { break };
            let address = SocketAddr::new(entry.network.bind, port);
            match bind_pair(address) {
                Ok((rtp, rtcp)) => {
                    let pair = Pair { rtp, rtcp, network, port, contexts: Vec::new() };
                    return self
                        .install(pair, poller)
                        .map(Some)
                        .map_err(|source| BindError { address, source });
                }
                Err(source) => {
                    entry.unbound.push_back(port);
                    let in_use = source.kind() == io::ErrorKind::AddrInUse;
                    failure = Some(BindError { address, source });
                    if !in_use {
                        break;
                    }
                }
            }
        }
        failure.map_or(Ok(None), Err)
    }

    fn install(&mut self, pair: Pair, poller: &Poller) -> io::Result<u32> {
        let slot = match self.vacant.pop() {
            Some(slot) => slot,
            None => {
                self.slots.push(Slot::default());
                u32::try_from(self.slots.len() - 1).map_err(io::Error::other)?
            }
        };
        let added = poller
            .add(&pair.rtp, slot, Component::Rtp)
            .and_then(|()| poller.add(&pair.rtcp, slot, Component::Rtcp));
        if let Err(error) = added {
            self.vacant.push(slot);
            if let Some(network) = self.networks.get_mut(pair.network) {
                network.unbound.push_back(pair.port);
            }
            return Err(error);
        }
        if let Some(entry) = self.slots.get_mut(slot as usize) {
            entry.pair = Some(pair);
        }
        self.bound += 1;
        self.gauges.bound(self.bound);
        Ok(slot)
    }

    /// Takes a lent pair back into quarantine; false when the order is late.
    pub(super) fn release(&mut self, id: PairId, now_millis: u64) -> bool {
        let Some(entry) = self.slots.get_mut(id.slot as usize) else { return false };
        if !entry.lent || entry.generation != id.generation {
            return false;
        }
        entry.lent = false;
        entry.generation = entry.generation.wrapping_add(1);
        if let Some(pair) = &mut entry.pair {
            pair.contexts = Vec::new();
        }
        // One more, since both ends are rounded down.
        self.quarantine.push_back((now_millis + self.quarantine_millis + 1, id.slot));
        self.gauges.quarantined(self.quarantine.len());
        true
    }

    /// Lets pairs out of quarantine: back to the stock, or closed when the stock is full.
    pub(super) fn end_quarantine(&mut self, now_millis: u64) {
        self.bind_again = self.bind_again.filter(|again| now_millis < *again);
        while let Some((_, slot)) = self.quarantine.pop_front_if(|(until, _)| *until <= now_millis) {
            let Some(entry) = self.slots.get_mut(slot as usize) else { continue };
            let Some(network) = entry.pair.as_ref().and_then(|pair| self.networks.get_mut(pair.network))
            else {
                continue;
            };
            if network.ready.len() < self.keep {
                network.ready.push_back(slot);
            } else if let Some(pair) = entry.pair.take() {
                network.unbound.push_back(pair.port);
                self.vacant.push(slot);
                self.bound -= 1;
                self.gauges.bound(self.bound);
            }
            self.gauges.quarantined(self.quarantine.len());
        }
    }

    /// When the next pair leaves quarantine, or one may be bound again.
    pub(super) fn next_deadline(&self) -> Option<u64> {
        let released = self.quarantine.front().map(|(until, _)| *until);
        released.into_iter().chain(self.bind_again).min()
    }

    pub(super) fn networks(&self) -> usize {
        self.networks.len()
    }
}

/// Why a pair could not be bound.
pub(super) struct BindError {
    pub(super) address: SocketAddr,
    pub(super) source: io::Error,
}

fn bind_pair(rtp: SocketAddr) -> io::Result<(UdpSocket, UdpSocket)> {
    let next = rtp.port().checked_add(1).ok_or(io::ErrorKind::AddrNotAvailable)?;
    Ok((bind(rtp)?, bind(SocketAddr::new(rtp.ip(), next))?))
}
