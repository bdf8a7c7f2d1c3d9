//! One way from a shard to another: a bounded ring, and who is to be woken at its ends.

use super::super::connections::ConnectionEvent;
use super::super::letter::Letter;
use super::super::ready::Source;
use crate::action::{Transmit, TransmitId};
use crate::flow::{ConnectionId, Flow, ListenerId};
use crate::home::ShardNo;
use bytes::Bytes;
use rtrb::{Consumer, Producer, RingBuffer};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::task::Wake;
use std::time::Duration;

/// Parcels taken from one lane before the others have their turn.
const TURN: usize = 128;

/// What crosses.
#[derive(Debug)]
pub(crate) enum Parcel {
    /// A message whose home is there.
    Input(Flow, Bytes),
    /// A message for a connection that is owned there.
    Transmit(Transmit),
    /// A message that came from there and could not be sent.
    SendFailed(TransmitId),
    /// A connection that is owned there is to be closed.
    Close(ConnectionId),
    /// A connection that is owned there is to be used for another port of its peer too.
    Alias(ConnectionId, u16),
    /// A ping is to be sent on a connection that is owned there.
    Ping(ConnectionId),
    /// A connection that is owned there is to be watched, and may be silent for that long as far as this shard says.
    Watch(ConnectionId, ShardNo, Option<Duration>),
    /// Datagrams from that listener to that address do not arrive.
    Unreachable(ListenerId, SocketAddr),
    /// Something on a flow has failed that is kept there.
    Doubt(Flow),
    /// What a core tells another one.
    Letter(Letter),
    /// What a connection that is owned here has proved, or that it is over.
    Connection(ConnectionEvent),
}

/// The end that gives.
pub(super) struct Outbound {
    ring: Producer<Parcel>,
    /// What must not be lost and found no room, in order.
    waiting: VecDeque<Parcel>,
    /// Set when there was no room: the taker then tells when there is.
    starved: Arc<AtomicBool>,
    taker: Arc<Source>,
    /// Something was given since the taker was last woken.
    stirred: bool,
}

/// The end that takes.
pub(super) struct Inbound {
    ring: Consumer<Parcel>,
    starved: Arc<AtomicBool>,
    /// Dropped after the ring.
    giver: Bell,
}

/// Wakes a giver when there is room, and when there will never be any again.
struct Bell(Arc<Source>);

impl Drop for Bell {
    fn drop(&mut self) {
        self.0.wake_by_ref();
    }
}

/// A lane for `room` parcels.
pub(super) fn lane(room: usize, giver: &Arc<Source>, taker: &Arc<Source>) -> (Outbound, Inbound) {
    let (give, take) = RingBuffer::new(room);
    let starved = Arc::new(AtomicBool::new(false));
    let outbound = Outbound {
        ring: give,
        waiting: VecDeque::new(),
        starved: Arc::clone(&starved),
        taker: Arc::clone(taker),
        stirred: false,
    };
    (outbound, Inbound { ring: take, starved, giver: Bell(Arc::clone(giver)) })
}

impl Outbound {
    /// Hands a parcel over; false where there is no room for it or nobody to take it, and it is let go.
    pub(super) fn offer(&mut self, parcel: Parcel) -> bool {
        let can = self.waiting.is_empty() && !self.is_abandoned() && self.has_room();
        if can {
            self.push(parcel);
        }
        can
    }

    /// Hands a parcel over, now or when there is room; false if it has to wait. Without a taker it is let go: what it is
    /// about has ended with its shard.
    pub(super) fn insist(&mut self, parcel: Parcel) -> bool {
        if self.is_abandoned() {
            return true;
        }
        let now = self.waiting.is_empty() && self.has_room();
        if now {
            self.push(parcel);
        } else {
            self.waiting.push_back(parcel);
        }
        now
    }

    /// Hands over what waits; true if nothing waits any more.
    pub(super) fn pass_on(&mut self) -> bool {
        if self.is_abandoned() {
            self.waiting.clear();
        }
        while !self.waiting.is_empty() && self.has_room() {
            if let Some(parcel) = self.waiting.pop_front() {
                self.push(parcel);
            }
        }
        if self.waiting.is_empty() && self.waiting.capacity() > TURN {
            self.waiting = VecDeque::new();
        }
        self.waiting.is_empty()
    }

    /// Whether the other shard has ended.
    pub(super) fn is_abandoned(&self) -> bool {
        self.ring.is_abandoned()
    }

    /// Wakes the taker, once for all that was given.
    pub(super) fn flush(&mut self) {
        if std::mem::take(&mut self.stirred) {
            self.taker.wake_by_ref();
        }
    }

    /// Whether the ring has room; if not, its taker will tell when it has.
    fn has_room(&self) -> bool {
        if !self.ring.is_full() {
            return true;
        }
        self.starved.store(true, Ordering::SeqCst);
        // Either this second look finds the room that was made meanwhile, or its maker finds the flag.
        fence(Ordering::SeqCst);
        !self.ring.is_full()
    }

    /// Gives a parcel that there is room for: nobody else gives.
    fn push(&mut self, parcel: Parcel) {
        self.stirred |= self.ring.push(parcel).is_ok();
    }
}

impl Inbound {
    /// Appends what has come, at most one turn of it; true if there can be more.
    pub(super) fn take(&mut self, into: &mut Vec<Parcel>) -> bool {
        let count = self.ring.slots().min(TURN);
        if count == 0 {
            return false;
        }
        if let Ok(chunk) = self.ring.read_chunk(count) {
            into.extend(chunk);
        }
        fence(Ordering::SeqCst);
        if self.starved.swap(false, Ordering::SeqCst) {
            self.giver.0.wake_by_ref();
        }
        count == TURN
    }
}
