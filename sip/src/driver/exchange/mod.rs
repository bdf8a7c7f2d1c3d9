//! Several drivers behind the same addresses: what comes to one and is another's.
//!
//! Between every two shards there is a bounded ring each way. What crosses is given while a driver works and the taker
//! is woken once per batch. Where a ring is full, or the other shard is gone:
//!
//! - a datagram is dropped and counted; whoever sent it sends it again;
//! - a connection's messages wait, and nothing is read from it until they have gone: the peer's TCP holds the rest;
//! - a message to send fails, as if its connection were full;
//! - what has failed, and what is to be closed, waits. It is no more than was in flight, and than there are connections.

mod census;
mod lane;

pub(crate) use census::{Census, Full};
pub(crate) use lane::Parcel;

use super::connections::{ConnectionEvent, Shared};
use super::counters::Counters;
use super::letter::Letter;
use super::ready::{Kind, Source, Waker};
use crate::action::{Transmit, TransmitId};
use crate::flow::{ConnectionId, Flow, ListenerId};
use crate::home::{Homes, ShardNo};
use bytes::Bytes;
use lane::{Inbound, Outbound, lane};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// Parcels that fit between two shards: 200 kB each way when full.
const ROOM: usize = 1024;

/// Where a driver stands: alone, or as one of several.
pub struct Place {
    pub(super) waker: Waker,
    pub(super) exchange: Option<Box<Exchange>>,
}

impl From<Waker> for Place {
    /// Alone.
    fn from(waker: Waker) -> Self {
        Self { waker, exchange: None }
    }
}

impl Place {
    /// One place for each of the shards, in their order; a single one is alone. There must be as many wakers: shards
    /// without one get no place. `hasher` is for the tables that they share.
    pub fn among(homes: &Arc<Homes>, wakers: &[Waker], hasher: &ahash::RandomState) -> Vec<Self> {
        Self::with_room(homes, wakers, hasher, ROOM)
    }

    pub(super) fn with_room(
        homes: &Arc<Homes>,
        wakers: &[Waker],
        hasher: &ahash::RandomState,
        room: usize,
    ) -> Vec<Self> {
        if let [only] = wakers {
            return vec![only.clone().into()];
        }
        let (census, directory) = (Arc::new(Census::new(hasher)), Arc::new(Shared::new(hasher)));
        let shards = homes.shards().zip(wakers).map(|(here, waker)| Exchange {
            homes: Arc::clone(homes),
            here,
            census: Arc::clone(&census),
            directory: Arc::clone(&directory),
            outbound: Vec::new(),
            inbound: Vec::new(),
            source: Source::new(Kind::Exchange, waker.list()),
            held: BTreeSet::new(),
        });
        let mut exchanges: Vec<Exchange> = shards.collect();
        let sources: Vec<_> = exchanges.iter().map(|exchange| Arc::clone(&exchange.source)).collect();
        for (from, giver) in sources.iter().enumerate() {
            for (to, taker) in sources.iter().enumerate() {
                let (outbound, inbound) = lane(if from == to { 0 } else { room }, giver, taker);
                if let Some(exchange) = exchanges.get_mut(from) {
                    exchange.outbound.push(outbound);
                }
                if let Some(exchange) = exchanges.get_mut(to) {
                    exchange.inbound.push(inbound);
                }
            }
        }
        let place = |(exchange, waker): (_, &Waker)| Self {
            waker: waker.clone(),
            exchange: Some(Box::new(exchange)),
        };
        exchanges.into_iter().zip(wakers).map(place).collect()
    }
}

/// A shard's part in what crosses.
pub(super) struct Exchange {
    homes: Arc<Homes>,
    here: ShardNo,
    census: Arc<Census>,
    directory: Arc<Shared>,
    /// By shard. The one to itself has no room and is never used.
    outbound: Vec<Outbound>,
    inbound: Vec<Inbound>,
    source: Arc<Source>,
    /// Connections that are not read because messages of theirs wait.
    held: BTreeSet<ConnectionId>,
}

impl Exchange {
    /// Which shard this is.
    pub(super) fn here(&self) -> ShardNo {
        self.here
    }

    pub(super) fn census(&self) -> &Arc<Census> {
        &self.census
    }

    pub(super) fn directory(&self) -> &Arc<Shared> {
        &self.directory
    }

    /// Gives a message to the shard that is its home; back if that is this one.
    pub(super) fn divert(&mut self, flow: Flow, bytes: Bytes, counters: &Counters) -> Option<Bytes> {
        let Some(home) = self.homes.of(&bytes).filter(|home| *home != self.here) else { return Some(bytes) };
        let Some(lane) = self.outbound.get_mut(usize::from(home.0)) else { return Some(bytes) };
        let parcel = Parcel::Input(flow, bytes);
        let gone = match flow.connection {
            Some(connection) if !lane.is_abandoned() => {
                if !lane.insist(parcel) && self.held.insert(connection) {
                    counters.connections_held.add(1);
                }
                true
            }
            _ => lane.offer(parcel),
        };
        counters.crossings.add(u64::from(gone));
        counters.crossings_dropped.add(u64::from(!gone));
        None
    }

    /// The shard that owns a connection, if it is not this one.
    pub(super) fn owner(&self, connection: ConnectionId) -> Option<ShardNo> {
        Some(connection.shard()).filter(|owner| *owner != self.here)
    }

    /// Has another shard send a message; what fails here is given back, what fails there comes back.
    pub(super) fn send(
        &mut self,
        owner: ShardNo,
        transmit: Transmit,
        counters: &Counters,
    ) -> Result<(), TransmitId> {
        let id = transmit.id;
        // One that has come from another shard already is still that one's.
        let home = id.home.or(Some(self.here));
        let crossing = Transmit { id: TransmitId { home, ..id }, ..transmit };
        let lane = self.outbound.get_mut(usize::from(owner.0)).ok_or(id)?;
        if !lane.offer(Parcel::Transmit(crossing)) {
            return Err(id);
        }
        counters.crossings.add(1);
        Ok(())
    }

    /// Has another shard close a connection.
    pub(super) fn close(&mut self, owner: ShardNo, connection: ConnectionId) {
        if let Some(lane) = self.outbound.get_mut(usize::from(owner.0)) {
            lane.insist(Parcel::Close(connection));
        }
    }

    /// Has another shard use a connection for another port of its peer too.
    pub(super) fn alias(&mut self, owner: ShardNo, connection: ConnectionId, port: u16) {
        if let Some(lane) = self.outbound.get_mut(usize::from(owner.0)) {
            lane.insist(Parcel::Alias(connection, port));
        }
    }

    /// Has another shard send a ping.
    pub(super) fn ping(&mut self, owner: ShardNo, connection: ConnectionId) {
        if let Some(lane) = self.outbound.get_mut(usize::from(owner.0)) {
            lane.insist(Parcel::Ping(connection));
        }
    }

    /// Has another shard watch a connection.
    pub(super) fn watch(&mut self, owner: ShardNo, connection: ConnectionId, silence: Option<Duration>) {
        if let Some(lane) = self.outbound.get_mut(usize::from(owner.0)) {
            lane.insist(Parcel::Watch(connection, self.here, silence));
        }
    }

    /// Tells the other shards whom a connection leads to, as messages on it may have their home there; and its end.
    pub(super) fn spread(&mut self, event: &ConnectionEvent) {
        let others = self.homes.shards().filter(|shard| *shard != self.here);
        for shard in others {
            let (Some(lane), Some(event)) = (self.outbound.get_mut(usize::from(shard.0)), event.shared())
            else {
                continue;
            };
            lane.insist(Parcel::Connection(event));
        }
    }

    /// Tells the other shards, as far as there is room, that datagrams do not arrive: ICMP comes to any of them.
    pub(super) fn unreachable(&mut self, listener: ListenerId, peer: SocketAddr) {
        let others = self.homes.shards().filter(|shard| *shard != self.here);
        for shard in others {
            if let Some(lane) = self.outbound.get_mut(usize::from(shard.0)) {
                lane.offer(Parcel::Unreachable(listener, peer));
            }
        }
    }

    /// Tells a shard, if there is room, that something on a flow has failed: keepalives find out later without that.
    pub(super) fn doubt(&mut self, shard: ShardNo, flow: Flow) {
        if let Some(lane) = self.outbound.get_mut(usize::from(shard.0)) {
            lane.offer(Parcel::Doubt(flow));
        }
    }

    /// Gives a shard what another core tells it, if there is room.
    pub(super) fn tell(&mut self, shard: ShardNo, letter: Letter, counters: &Counters) {
        let gone = self
            .outbound
            .get_mut(usize::from(shard.0))
            .is_some_and(|lane| lane.offer(Parcel::Letter(letter)));
        counters.crossings.add(u64::from(gone));
        counters.crossings_dropped.add(u64::from(!gone));
    }

    /// Tells the shard that a message came from of its failure.
    pub(super) fn send_failed(&mut self, home: ShardNo, id: TransmitId) {
        if let Some(lane) = self.outbound.get_mut(usize::from(home.0)) {
            lane.insist(Parcel::SendFailed(TransmitId { home: None, ..id }));
        }
    }

    /// Whether a connection is not to be read.
    pub(super) fn holds(&self, connection: ConnectionId) -> bool {
        self.held.contains(&connection)
    }

    /// Appends what has come from other shards.
    pub(super) fn take(&mut self, into: &mut Vec<Parcel>) {
        let mut more = false;
        for lane in &mut self.inbound {
            more |= lane.take(into);
        }
        if more {
            self.source.requeue();
        }
    }

    /// Hands over what waits. Once nothing does, the connections that were not read are given back.
    pub(super) fn pass_on(&mut self) -> BTreeSet<ConnectionId> {
        let mut all = true;
        for lane in &mut self.outbound {
            all &= lane.pass_on();
        }
        if all { std::mem::take(&mut self.held) } else { BTreeSet::new() }
    }

    /// Wakes the shards that were given something.
    pub(super) fn flush(&mut self) {
        self.outbound.iter_mut().for_each(Outbound::flush);
    }
}
