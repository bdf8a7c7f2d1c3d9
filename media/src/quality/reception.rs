//! Loss and jitter of received RTP (RFC 3550 §A.1, §A.3, §A.8).

use std::time::Duration;

use crate::rtp::Header;

/// A forward jump of more than this is a restart of the sender (RFC 3550 §A.1).
const MAX_DROPOUT: u16 = 3_000;
/// A packet older than this is a restart too.
const MAX_MISORDER: u16 = 100;

/// The state of one source's sequence numbers and of the jitter estimate.
#[derive(Debug, Default)]
pub(crate) struct Reception {
    ssrc: u32,
    base: u32,
    highest: u16,
    cycles: u32,
    received: u32,
    /// The next number after a jump; a second packet in sequence proves a restart.
    after_jump: Option<u16>,
    /// Lost under earlier sources and before restarts.
    lost_before: u64,
    clock: Option<u32>,
    payload: Option<u8>,
    transit: Option<u32>,
    /// In timestamp units, times 16.
    jitter: u32,
    started: bool,
}

impl Reception {
    /// Counts a packet that came at `now` since some fixed moment; `clock_of` tells the clock rate of a payload type.
    pub(crate) fn packet(&mut self, header: Header, now: Duration, clock_of: impl FnOnce(u8) -> Option<u32>) {
        if !self.started || header.ssrc != self.ssrc {
            self.restart(header);
        } else if !self.sequence(header) {
            return;
        }
        self.received = self.received.wrapping_add(1);
        if self.payload != Some(header.payload) {
            let clock = clock_of(header.payload);
            if clock != self.clock {
                self.transit = None;
                self.jitter = 0;
            }
            (self.payload, self.clock) = (Some(header.payload), clock);
        }
        self.estimate_jitter(header.timestamp, now);
    }

    fn restart(&mut self, header: Header) {
        if self.started {
            self.lost_before = self.lost();
        }
        self.ssrc = header.ssrc;
        self.base = header.sequence.into();
        self.highest = header.sequence;
        (self.cycles, self.received, self.after_jump, self.transit) = (0, 0, None, None);
        self.started = true;
    }

    /// RFC 3550 §A.1; false for a packet that must not count.
    fn sequence(&mut self, header: Header) -> bool {
        let ahead = header.sequence.wrapping_sub(self.highest);
        if ahead < MAX_DROPOUT {
            if header.sequence < self.highest {
                self.cycles = self.cycles.wrapping_add(1 << 16);
            }
            self.highest = header.sequence;
        } else if ahead <= u16::MAX - MAX_MISORDER {
            if self.after_jump != Some(header.sequence) {
                self.after_jump = Some(header.sequence.wrapping_add(1));
                return false;
            }
            self.restart(header);
        }
        self.after_jump = None;
        true
    }

    /// RFC 3550 §A.8, in integers.
    fn estimate_jitter(&mut self, timestamp: u32, now: Duration) {
        let Some(clock) = self.clock else { return };
        let ticks = now.as_secs().wrapping_mul(clock.into())
            + u64::from(now.subsec_micros()) * u64::from(clock) / 1_000_000;
        let arrival = u32::try_from(ticks & u64::from(u32::MAX)).unwrap_or_default();
        let transit = arrival.wrapping_sub(timestamp);
        if let Some(before) = self.transit.replace(transit) {
            let forward = transit.wrapping_sub(before);
            let distance = forward.min(before.wrapping_sub(transit));
            self.jitter =
                self.jitter.saturating_add(distance).saturating_sub((self.jitter.saturating_add(8)) >> 4);
        }
    }

    /// The source that was there last.
    pub(crate) fn source(&self) -> Option<u32> {
        self.started.then_some(self.ssrc)
    }

    /// Packets expected and not received, never below zero (RFC 3550 §A.3).
    pub(crate) fn lost(&self) -> u64 {
        if !self.started {
            return 0;
        }
        let expected = self.cycles.wrapping_add(self.highest.into()).wrapping_sub(self.base).wrapping_add(1);
        self.lost_before + u64::from(expected.saturating_sub(self.received))
    }

    /// The clock rate of what came last, where it is known.
    pub(crate) fn clock(&self) -> Option<u32> {
        self.clock
    }

    /// The jitter in microseconds; 0 while the clock rate is unknown.
    pub(crate) fn jitter_micros(&self) -> u64 {
        let clock = self.clock.unwrap_or_default();
        (u64::from(self.jitter >> 4) * 1_000_000).checked_div(clock.into()).unwrap_or_default()
    }
}
