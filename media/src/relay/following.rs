//! What a relay thread does as the desk of paths says.

use std::sync::Arc;

use super::dtls;
use super::paths::{self, Came, Told};
use super::worker::{ANSWERS_PER_TURN, Clock, Worker};
use crate::ice::full::Via;
use crate::ice::reach::Reach;
use crate::{PairId, PortPair};

impl Worker {
    /// Does what the desk of paths says; true when there may be more.
    pub(super) fn follow(&mut self, clock: Clock) -> bool {
        for _ in 0..ANSWERS_PER_TURN {
            let Some(answer) = self.paths.answer() else { return false };
            match paths::obey(&mut self.pool, answer, clock) {
                Told::Nothing => {}
                Told::Moved(id) => {
                    if let Some(pair) = self.pool.lent(id) {
                        dtls::direct(pair, clock.millis, &mut self.desk);
                    }
                }
                Told::Lend(id, reach) => self.lend_gathered(id, reach),
                Told::Packet(id, component, source, octets) => {
                    let Some(room) = self.buffer.get_mut(..octets.len()) else { continue };
                    room.copy_from_slice(&octets);
                    if self.pool.lent(id).is_some() {
                        let came = Came { source, via: Via::Relayed, length: octets.len(), unknown: false };
                        self.take_in(id.slot, component, came, clock);
                    }
                }
            }
        }
        true
    }

    /// A pair whose addresses are known goes to the shard that waits for it.
    fn lend_gathered(&mut self, id: PairId, reach: Arc<Reach>) {
        let Some(pair) = self.pool.lent(id) else { return };
        let Some((shard, network)) = pair.paths.as_mut().and_then(|paths| paths.waiting.take()) else {
            return;
        };
        let port = pair.port();
        let stock = self.shards.get_mut(shard).and_then(|shard| shard.free.get_mut(network));
        let Some(stock) = stock else { return };
        stock.gathering = stock.gathering.saturating_sub(1);
        // There is room: it was kept when the pair was taken.
        let _ = stock.pairs.push(PortPair { id, port, reach: Some(reach) });
    }
}
