//! RTCP that is for several sections.

use super::super::context::{Component, Context, Onward};
use super::super::pool::Pool;
use super::super::worker::{Worker, send_on};
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
    /// Sends a packet of RTCP that is for several sections to whom those `others` go: each place once, and not where the first one goes.
    /// It is counted as received with that one alone.
    pub(in crate::relay) fn send_copies(
        &mut self,
        (slot, others): (u32, u16),
        (onward, length): (Onward, usize),
        own: bool,
        now_millis: u64,
    ) {
        let mut served = [None; MAX_CONTEXTS as usize];
        if let (Some(first), Some(peer)) = (served.first_mut(), onward.peer) {
            *first = place(&mut self.pool, peer);
        }
        for section in (0..MAX_CONTEXTS).filter(|section| others >> section & 1 != 0) {
            let pair = self.pool.pair(slot);
            let Some(peer) = pair.and_then(|pair| pair.context(section)?.peer()) else { continue };
            let to = place(&mut self.pool, peer);
            if to.is_none() || served.contains(&to) {
                continue;
            }
            if let Some(free) = served.iter_mut().find(|place| place.is_none()) {
                *free = to;
            }
            let Some(packet) = self.buffer.get(..length) else { return };
            let Some(room) = self.copy.get_mut(..length) else { return };
            room.copy_from_slice(packet);
            let barred = own.then_some(&self.own);
            let onward = Onward { peer: Some(peer), ..onward };
            // What is not sent is counted there.
            let _ = send_on(&mut self.pool, (onward, barred), (&mut self.copy, length), now_millis);
        }
    }
}

/// The transport that a remote is reached by.
fn place(pool: &mut Pool, peer: ContextId) -> Option<(PairId, u8)> {
    let transport = pool.lent(peer.pair)?.context(peer.remote)?.transport();
    Some((peer.pair, transport))
}
