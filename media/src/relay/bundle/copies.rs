//! RTCP that is for several sections.

use super::super::context::{Component, Context, Onward};
use super::super::pool::Pool;
use super::super::worker::{Clock, Worker, send_on};
use crate::rtp::Header;
use crate::{ContextId, MAX_CONTEXTS, PairId};

impl Context {
    /// Notes whose source a packet is of that goes to a section of its.
    pub(in crate::relay) fn sends(&mut self, section: u8, kind: Component, packet: &[u8]) {
        if kind == Component::Rtp
            && let Some(tables) = &mut self.tables
            && let Some(header) = Header::read(packet)
            && tables.outgoing.get(header.ssrc) != Some(section)
        {
            tables.outgoing.learn(header.ssrc, section);
        }
    }
}

impl Worker {
    /// Sends a packet of RTCP that is in the buffer and for several sections to whom those `others` go: each place once, and not where the
    /// first one goes; each as what its section makes of it. It is counted as received with that one alone, and in the buffer afterwards as before.
    pub(in crate::relay) fn send_copies(
        &mut self,
        (slot, others): (u32, u16),
        (first, length): (Onward, usize),
        own: bool,
        clock: Clock,
    ) {
        let (Some(packet), Some(kept)) = (self.buffer.get(..length), self.copy.get_mut(..length)) else {
            return;
        };
        kept.copy_from_slice(packet);
        let mut served = [None; MAX_CONTEXTS as usize];
        // What is coded anew has reports of its own, and ends with the coder: the place is not served by that.
        if let (Some(free), Some(peer), false) = (served.first_mut(), first.peer, first.coded) {
            *free = place(&mut self.pool, peer);
        }
        for section in (0..MAX_CONTEXTS).filter(|section| others >> section & 1 != 0) {
            let context = self.pool.pair(slot).and_then(|pair| pair.context(section));
            let Some(onward) = context.map(|context| context.onward(first.kind)) else { continue };
            let Some(to) = onward.peer.and_then(|peer| place(&mut self.pool, peer)) else { continue };
            if !onward.coded {
                if served.contains(&Some(to)) {
                    continue;
                }
                if let Some(free) = served.iter_mut().find(|place| place.is_none()) {
                    *free = Some(to);
                }
            }
            self.send_copy((slot, section), (onward, length), own, clock);
            self.take_back(length);
        }
    }

    fn send_copy(&mut self, at: (u32, u8), (onward, mut length): (Onward, usize), own: bool, clock: Clock) {
        if onward.translated {
            match self.translate(at, own, (onward.kind, length), clock) {
                Some(translated) => length = translated,
                None => return,
            }
        }
        if onward.coded {
            return self.code(at, own, (onward, length));
        }
        let barred = own.then_some(&self.own);
        // What is not sent is counted there.
        let _ = send_on(&mut self.pool, (onward, barred), (&mut self.buffer, length), clock.millis);
    }

    /// The packet that is kept is in the buffer again.
    fn take_back(&mut self, length: usize) {
        if let (Some(room), Some(kept)) = (self.buffer.get_mut(..length), self.copy.get(..length)) {
            room.copy_from_slice(kept);
        }
    }
}

/// The transport that a remote is reached by.
fn place(pool: &mut Pool, peer: ContextId) -> Option<(PairId, u8)> {
    let transport = pool.lent(peer.pair)?.context(peer.remote)?.transport();
    Some((peer.pair, transport))
}
