//! One thread's pairs of ports: bound ahead, lent, in quarantine, idle.
//!
//! ```text
//!              bind                    take                  release
//!   unbound ──────────► idle ────────────────────► lent ──────────────► resting
//!      ▲                 │ ▲                         ▲                    │ │
//!      └── not needed ───┘ └────── quarantine over ──┼────────────────────┘ │
//!                                                    └── none other left ───┘
//! ```
//!
//! How many pairs are bound follows what calls need, quarantine included: pairs that were idle through a whole period
//! are closed little by little, so that no call opens or closes sockets but while the need grows.
//!
//! At the limit (no port left to bind, no socket left to open) an idle pair of another network gives up its sockets;
//! then the pair that has rested longest is lent early, at the least after [`LEAST_REST_MILLIS`].

mod connected;
mod pair;
mod reserve;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use super::context::Component;
use super::gauges::Shared;
use super::senders::Senders;
use super::sockets::Poller;
use crate::ice::desk::Input;
use crate::ports::even_ports;
use crate::{MediaNetwork, PairId, PortPair, ThreadId};
use pair::Slot;
pub(super) use pair::{Pair, Way};
use reserve::Reserve;

/// Ports that other programs hold are passed over; so many in a row make one attempt.
const BIND_TRIES: usize = 32;
/// After a failed attempt the next one waits, so that a lack of files or ports does not slow packets down.
const BIND_PAUSE_MILLIS: u64 = 100;
/// Pairs that were idle for so long, all the time, are more than is needed.
pub(super) const PERIOD_MILLIS: u64 = 30_000;
/// Pairs closed before packets get their turn again: one takes some 20 µs.
const CLOSED_PER_TURN: usize = 16;
/// No pair is lent again earlier, unless the quarantine is shorter: a round trip, and a BYE that was lost once
/// (T1 is 500 ms, RFC 3261 §17.1.1.1).
pub(super) const LEAST_REST_MILLIS: u64 = 1_000;

pub(super) struct Pool {
    thread: ThreadId,
    slots: Vec<Slot>,
    vacant: Vec<u32>,
    reserves: Vec<Reserve>,
    resting: usize,
    quarantine_millis: u64,
    bound: u32,
    max_bound: u32,
    keep: usize,
    /// No pair is bound before that, after a failure.
    bind_again: Option<u64>,
    /// When the period ends; none while no network has more idle pairs than it keeps.
    period_end: Option<u64>,
    /// Pairs with a stream that has lasted.
    lasting: Vec<PairId>,
    /// Sockets connected to whom streams go, beside those of pairs.
    connected: u32,
    next_to_give_way: usize,
    /// Packets for connections to TURN servers, until the end of the turn.
    pub(super) wrapped: Vec<Input>,
    /// Whether the marks of what comes are read: some network has them copied.
    reads: bool,
    /// The octet of the packet that is under way, where it is read.
    pub(super) came: Option<u8>,
    gauges: Arc<Shared>,
}

/// What one thread's pool may hold.
pub(super) struct Share {
    pub(super) thread: ThreadId,
    pub(super) threads: u16,
    pub(super) max_bound: u32,
    /// Idle pairs of each network that stay bound for ever.
    pub(super) keep: usize,
    pub(super) quarantine_millis: u64,
}

/// How much a pair is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Want {
    /// To have it at hand: nobody else has to do without it.
    Spare,
    /// For the next call.
    Need,
}

impl Pool {
    /// Each thread gets every so-manieth pair of each range.
    pub(super) fn new(networks: &[MediaNetwork], share: &Share, gauges: Arc<Shared>) -> Self {
        let reserve = |network: &MediaNetwork| {
            let ports = even_ports(network).skip(share.thread.0.into()).step_by(share.threads.max(1).into());
            Reserve::new(network, ports)
        };
        Self {
            thread: share.thread,
            slots: Vec::new(),
            vacant: Vec::new(),
            reserves: networks.iter().map(reserve).collect(),
            resting: 0,
            quarantine_millis: share.quarantine_millis,
            bound: 0,
            max_bound: share.max_bound,
            keep: share.keep,
            bind_again: None,
            period_end: None,
            lasting: Vec::new(),
            connected: 0,
            next_to_give_way: 0,
            wrapped: Vec::new(),
            reads: reads(networks),
            came: None,
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

    /// A pair of a network, bound now when none is idle; `None` when there is none to be had.
    pub(super) fn take(
        &mut self,
        network: usize,
        want: Want,
        poller: &Poller,
        now_millis: u64,
    ) -> Option<PortPair> {
        let idle = self.reserves.get_mut(network)?.take_idle();
        let slot = idle.or_else(|| self.bind_now(network, poller, now_millis)).or_else(|| match want {
            Want::Spare => None,
            Want::Need => self.take_at_limit(network, poller, now_millis),
        })?;
        let entry = self.slots.get_mut(slot as usize)?;
        entry.lent = true;
        let port = entry.pair.as_ref()?.port;
        let id = PairId { thread: self.thread, slot, generation: entry.generation };
        Some(PortPair { id, port, reach: None })
    }

    fn bind_now(&mut self, network: usize, poller: &Poller, now_millis: u64) -> Option<u32> {
        if self.bind_again.is_some() {
            return None;
        }
        self.bind(network, poller, BIND_TRIES).unwrap_or_else(|_| {
            self.gauges.bind_failed();
            self.bind_again = Some(now_millis.saturating_add(BIND_PAUSE_MILLIS));
            None
        })
    }

    /// A pair where none is idle and none can be bound: in the place of one that another network does not use, else
    /// early out of quarantine, else in the place of one that rests in another network.
    fn take_at_limit(&mut self, network: usize, poller: &Poller, now_millis: u64) -> Option<u32> {
        let unbound = self.reserves.get(network).is_some_and(Reserve::has_unbound);
        let full = self.bound >= self.max_bound && unbound && self.bind_again.is_none();
        if full && self.close_idle_elsewhere(network) {
            return self.bind_now(network, poller, now_millis);
        }
        let least = self.quarantine_millis.min(LEAST_REST_MILLIS);
        let rested = now_millis.checked_sub(least + 1);
        let reserve = self.reserves.get_mut(network)?;
        if let Some(slot) = rested.and_then(|since| reserve.take_rested(since)) {
            self.rested(1);
            self.gauges.quarantine_cut();
            return Some(slot);
        }
        reserve.wanting = true;
        if full && self.close_resting_elsewhere(network) {
            return self.bind_now(network, poller, now_millis);
        }
        None
    }

    /// Closes a pair of the other network that has most of them idle; false when none has any.
    fn close_idle_elsewhere(&mut self, network: usize) -> bool {
        let others = self.reserves.iter_mut().enumerate().filter(|(other, _)| *other != network);
        let most = others.map(|(_, reserve)| reserve).max_by_key(|reserve| reserve.idle());
        let Some(slot) = most.and_then(Reserve::take_idle) else { return false };
        self.close(slot);
        true
    }

    /// Closes the pair of another network that has rested longest; false when none rests. Nothing reaches a closed port.
    fn close_resting_elsewhere(&mut self, network: usize) -> bool {
        let others = self.reserves.iter_mut().enumerate().filter(|(other, _)| *other != network);
        let resting = others.map(|(_, reserve)| reserve).filter(|reserve| reserve.resting_since().is_some());
        let longest = resting.min_by_key(|reserve| reserve.resting_since());
        let Some(slot) = longest.and_then(|reserve| reserve.take_rested(u64::MAX)) else { return false };
        self.rested(1);
        self.close(slot);
        true
    }

    /// Binds a first pair, wherever in the range it can be.
    pub(super) fn bind_first(&mut self, network: usize, poller: &Poller) -> Result<(), BindError> {
        let slot = self.bind(network, poller, usize::MAX)?;
        if let (Some(slot), Some(reserve)) = (slot, self.reserves.get_mut(network)) {
            reserve.add_idle(slot);
        }
        Ok(())
    }

    /// Binds the next pair that can be, of so many at the most; `None` at a limit.
    fn bind(&mut self, network: usize, poller: &Poller, tries: usize) -> Result<Option<u32>, BindError> {
        if self.bound >= self.max_bound {
            return Ok(None);
        }
        self.give_way();
        let Some(reserve) = self.reserves.get_mut(network) else { return Ok(None) };
        let mut failure = None;
        for _ in 0..tries.min(reserve.unbound()) {
            let Some(address) = reserve.next_unbound() else { break };
            match Pair::bind(network, address, (reserve.marks(), self.reads)) {
                Ok(pair) => {
                    let installed = self.install(pair, poller);
                    return installed.map(Some).map_err(|source| BindError { address, source });
                }
                Err(source) => {
                    reserve.closed(address.port());
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
        let sockets = [Component::Rtp, Component::Rtcp];
        let added = sockets.into_iter().try_for_each(|of| poller.add(pair.socket(of), slot, of.into()));
        if let Err(error) = added {
            self.vacant.push(slot);
            if let Some(reserve) = self.reserves.get_mut(pair.network) {
                reserve.closed(pair.port);
            }
            return Err(error);
        }
        if let Some(entry) = self.slots.get_mut(slot as usize) {
            entry.pair = Some(pair);
        }
        self.bound += 1;
        self.gauges.opened();
        self.gauges.bound(self.bound);
        Ok(slot)
    }

    fn close(&mut self, slot: u32) {
        let Some(pair) = self.slots.get_mut(slot as usize).and_then(|entry| entry.pair.take()) else {
            return;
        };
        if let Some(reserve) = self.reserves.get_mut(pair.network) {
            reserve.closed(pair.port);
        }
        self.vacant.push(slot);
        self.bound -= 1;
        self.gauges.bound(self.bound);
    }

    /// Takes a lent pair back into quarantine; false when the order is late.
    pub(super) fn release(&mut self, id: PairId, now_millis: u64) -> bool {
        let Some(entry) = self.slots.get_mut(id.slot as usize) else { return false };
        if !entry.lent || entry.generation != id.generation {
            return false;
        }
        entry.lent = false;
        entry.generation = entry.generation.wrapping_add(1);
        self.disconnect(id.slot);
        let Some(entry) = self.slots.get_mut(id.slot as usize) else { return true };
        let Some(pair) = &mut entry.pair else { return true };
        (pair.contexts, pair.senders) = (Vec::new(), Senders::default());
        (pair.responder, pair.early, pair.paths) = (None, None, None);
        if let Some(reserve) = self.reserves.get_mut(pair.network) {
            reserve.rest(now_millis, id.slot);
            self.resting += 1;
            self.gauges.quarantined(self.resting);
        }
        true
    }

    /// So many pairs rest no more.
    fn rested(&mut self, pairs: usize) {
        self.resting = self.resting.saturating_sub(pairs);
        self.gauges.quarantined(self.resting);
    }

    /// What time brings, once a turn, before pairs are taken: quarantines end, pairs that nobody needs are closed.
    pub(super) fn pass_time(&mut self, now_millis: u64) {
        self.bind_again = self.bind_again.filter(|again| now_millis < *again);
        // One more, since both ends are rounded down.
        let since = now_millis.checked_sub(self.quarantine_millis.saturating_add(1));
        let mut rested = 0;
        for reserve in &mut self.reserves {
            reserve.wanting = false;
            while let Some(slot) = since.and_then(|since| reserve.take_rested(since)) {
                reserve.add_idle(slot);
                rested += 1;
            }
        }
        if rested > 0 {
            self.rested(rested);
        }
        self.close_surplus(now_millis);
    }

    fn close_surplus(&mut self, now_millis: u64) {
        if self.period_end.is_some_and(|end| end <= now_millis) {
            self.period_end = None;
            self.reserves.iter_mut().for_each(|reserve| reserve.end_period(self.keep));
        }
        for _ in 0..CLOSED_PER_TURN {
            let Some(slot) = self.reserves.iter_mut().find_map(|reserve| reserve.take_surplus(self.keep))
            else {
                break;
            };
            self.close(slot);
        }
        if self.period_end.is_none() && self.reserves.iter().any(|reserve| reserve.idle() > self.keep) {
            self.period_end = Some(now_millis.saturating_add(PERIOD_MILLIS));
            self.reserves.iter_mut().for_each(Reserve::begin_period);
        }
    }

    /// When [`Self::pass_time`] has something to do, or a pair that was wanted may be lent.
    pub(super) fn next_deadline(&self) -> Option<u64> {
        let least = self.quarantine_millis.min(LEAST_REST_MILLIS);
        let of_reserve = |reserve: &Reserve| {
            let rest = if reserve.wanting { least } else { self.quarantine_millis };
            let rested = reserve.resting_since().map(|since| since.saturating_add(rest).saturating_add(1));
            let surplus = reserve.has_surplus().then_some(0);
            surplus.or(rested)
        };
        let of_reserves = self.reserves.iter().filter_map(of_reserve);
        of_reserves.chain(self.bind_again).chain(self.period_end).min()
    }

    pub(super) fn networks(&self) -> usize {
        self.reserves.len()
    }
}

/// Whether some network has marks of what comes in what goes.
pub(super) fn reads(networks: &[MediaNetwork]) -> bool {
    networks.iter().any(|network| network.marks.are_copied())
}

/// Why a pair could not be bound.
pub(super) struct BindError {
    pub(super) address: SocketAddr,
    pub(super) source: io::Error,
}
