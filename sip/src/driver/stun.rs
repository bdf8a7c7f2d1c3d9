//! STUN among the datagrams of a listener.

use super::counters::Counters;
use super::settings::Settings;
use crate::stun::{self, Meter};
use crate::time::Now;
use bytes::Bytes;
use std::net::SocketAddr;

/// Takes Binding requests from what comes in, whatever shard they reach, and has their answers.
pub(super) struct Desk {
    meter: Meter,
    /// Of one batch of datagrams, and so no more than that has.
    answers: Vec<(SocketAddr, Bytes)>,
}

impl Desk {
    pub(super) fn new(settings: &Settings) -> Self {
        Self { meter: Meter::new(settings.limits.stun_rate, settings.hasher.clone()), answers: Vec::new() }
    }

    /// Whether a datagram asks for STUN; then it is no message for the core. What answers a request of ours is one.
    pub(super) fn asks(bytes: &[u8]) -> bool {
        stun::is_stun(bytes) && stun::asks(bytes)
    }

    /// Answers a datagram that asks.
    pub(super) fn answer(&mut self, now: Now, peer: SocketAddr, bytes: &[u8], counters: &Counters) {
        if !self.meter.admit(now.mono, peer.ip()) {
            counters.stun_limited.add(1);
            return;
        }
        match stun::answer(bytes, peer) {
            Ok(answer) => {
                counters.stun_answered.add(1);
                self.answers.push((peer, answer.into()));
            }
            Err(_) => counters.stun_ignored.add(1),
        }
    }

    /// The answers since the last call.
    pub(super) fn answers(&mut self) -> impl Iterator<Item = (SocketAddr, Bytes)> {
        self.answers.drain(..)
    }
}
