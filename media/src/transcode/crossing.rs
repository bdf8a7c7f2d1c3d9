//! One direction by itself, without a relay: to be measured.

use std::sync::Arc;

use super::direction::{Direction, Now};
use super::{Coding, Fate, OpusTerms, Outgoing, Plan, Tally};

/// Packets of one codec that become those of another.
#[derive(Debug)]
pub struct Crossing(Direction);

impl Crossing {
    /// From packets with payload type 96 to such with 97 that have so many ms.
    #[must_use]
    pub fn new(from: Coding, to: Coding, millis: u32) -> Self {
        let plan = Plan {
            inputs: [(96, Fate::Coded(from))].into(),
            output: Outgoing { payload: 97, coding: to, opus: OpusTerms::default(), millis },
            events: None,
            noise: None,
            ssrc: 1,
            tally: Arc::new(Tally::default()),
        };
        Self(Direction::new(&Arc::new(plan), Now(0)))
    }

    /// Takes a packet of RTP at that millisecond and gives those that are made of it.
    pub fn packet(&mut self, packet: &[u8], millis: u64, mut made: impl FnMut(&[u8])) {
        self.0.packet(packet, Now(millis), &mut made);
    }
}
