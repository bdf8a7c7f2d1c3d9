//! The numbers of a stream into which packets are put and out of which others are taken (RFC 3550 §7.2).

use crate::rtcp::{self, Whose};
use crate::rtp::Header;

/// What is later than by so many packets is none that anybody waits for.
const LATEST: u16 = 4_096;

/// Changes of the numbers that are remembered, for reports of what went before them: a key is one.
const MOST_SHIFTS: usize = 8;

/// From that number on, as it went out, numbers are shifted by so much.
#[derive(Debug, Clone, Copy, Default)]
struct Since {
    first: u16,
    shift: i32,
}

/// The outgoing side of a stream.
#[derive(Debug)]
pub(crate) struct Lane {
    ssrc: u32,
    /// Whether a packet of the source was there.
    begun: bool,
    /// The highest number that came.
    highest: u16,
    /// What is added to numbers.
    shift: i32,
    /// Since when they are, the last change last; and what was added before the first of them.
    since: [Since; MOST_SHIFTS],
    kept: usize,
    base: i32,
    /// Numbers up to here were given out otherwise.
    floor: Option<u16>,
    timestamp: u32,
    clock: u32,
    at_micros: u64,
    /// By how much the numbers of packets and of octets that a sender report has differ from ours.
    packets: u32,
    octets: u32,
}

/// What a packet of ours is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) ssrc: u32,
    pub(crate) sequence: u16,
}

impl Lane {
    /// A stream of which nothing has come: what we send by ourselves is called that.
    pub(crate) fn new(ssrc: u32, clock: u32) -> Self {
        let [high, low, ..] = ssrc.rotate_left(7).to_be_bytes();
        Self {
            ssrc,
            begun: false,
            highest: u16::from_be_bytes([high & 0x7f, low]),
            shift: 0,
            since: [Since::default(); MOST_SHIFTS],
            kept: 0,
            base: 0,
            floor: None,
            timestamp: ssrc.rotate_left(13),
            clock: clock.max(1),
            at_micros: 0,
            packets: 0,
            octets: 0,
        }
    }

    /// A packet came; false where it is too late to have a number.
    fn came(&mut self, header: Header, now_micros: u64) -> bool {
        if !self.begun || header.ssrc != self.ssrc {
            (self.begun, self.ssrc, self.highest) = (true, header.ssrc, header.sequence);
            (self.shift, self.floor, self.packets, self.octets) = (0, None, 0, 0);
            (self.kept, self.base) = (0, 0);
        } else if is_after(header.sequence, self.highest) {
            self.highest = header.sequence;
            let is_far = |floor: &u16| header.sequence.wrapping_sub(*floor) > LATEST;
            self.floor = self.floor.filter(|floor| !is_far(floor));
        } else {
            return self.floor.is_none_or(|floor| is_after(header.sequence, floor));
        }
        (self.timestamp, self.at_micros) = (header.timestamp, now_micros);
        true
    }

    /// The number of a packet that goes on; `None` where it is too late.
    pub(crate) fn pass(&mut self, header: Header, now_micros: u64) -> Option<u16> {
        self.came(header, now_micros).then(|| shifted(header.sequence, self.shift))
    }

    /// A packet that does not go on, with so many octets of payload.
    pub(crate) fn take_out(&mut self, header: Header, octets: usize, now_micros: u64) {
        let newest = !self.begun || header.ssrc != self.ssrc || is_after(header.sequence, self.highest);
        if self.came(header, now_micros) {
            self.count(u32::MAX, 0u32.wrapping_sub(u32::try_from(octets).unwrap_or_default()));
            if newest {
                self.shift(-1);
                self.floor = Some(self.highest);
            }
        }
    }

    /// The name of a packet of our own with so many octets of payload, after all that went.
    pub(crate) fn put_in(&mut self, octets: usize) -> Name {
        self.shift(1);
        self.floor = Some(self.highest);
        self.count(1, u32::try_from(octets).unwrap_or_default());
        Name { ssrc: self.ssrc, sequence: shifted(self.highest, self.shift) }
    }

    fn count(&mut self, packets: u32, octets: u32) {
        self.packets = self.packets.wrapping_add(packets);
        self.octets = self.octets.wrapping_add(octets);
    }

    /// Whether numbers are as they came.
    pub(crate) fn is_untouched(&self) -> bool {
        self.shift == 0 && self.packets == 0 && self.kept == 0
    }

    /// What is told of a stream of our own, of which we have sent something: its name, how many packets and octets; `None` of others'.
    pub(crate) fn own(&self) -> Option<(u32, u32, u32)> {
        (!self.begun && self.packets > 0).then_some((self.ssrc, self.packets, self.octets))
    }

    /// The timestamp of that moment.
    pub(crate) fn timestamp(&self, now_micros: u64) -> u32 {
        let passed = now_micros.saturating_sub(self.at_micros);
        let (seconds, rest) = (passed / 1_000_000, passed % 1_000_000);
        let clock = u64::from(self.clock);
        let ticks = seconds.wrapping_mul(clock).wrapping_add(rest * clock / 1_000_000);
        self.timestamp.wrapping_add(u32::try_from(ticks & u64::from(u32::MAX)).unwrap_or_default())
    }

    /// Makes of a compound RTCP packet of the source what is true of what we send on.
    pub(crate) fn tell(&self, compound: &mut [u8]) {
        if !self.is_untouched() {
            rtcp::translate(compound, &mut There(self));
        }
    }

    /// Makes of a compound RTCP packet of the receiver what is true of what the source has sent.
    pub(crate) fn tell_back(&self, compound: &mut [u8]) {
        if !self.is_untouched() {
            rtcp::translate(compound, &mut Back(self));
        }
    }

    /// Numbers are shifted otherwise than before, from the next one of the source on.
    fn shift(&mut self, by: i32) {
        let before = self.shift;
        self.shift = before.wrapping_add(by);
        let first = shifted(self.highest, self.shift).wrapping_add(1);
        // What is put in has a number, what is taken out has none.
        let last = first.wrapping_sub(if by > 0 { 2 } else { 1 });
        let now = Since { first, shift: self.shift };
        match self.since.get_mut(..self.kept).and_then(<[Since]>::last_mut) {
            // Nothing of the source has gone meanwhile.
            Some(newest) if is_after(newest.first, last) => *newest = now,
            _ => {
                if self.kept == MOST_SHIFTS {
                    self.base = self.since.first().map_or(0, |oldest| oldest.shift);
                    self.since.rotate_left(1);
                    self.kept -= 1;
                }
                if let Some(free) = self.since.get_mut(self.kept) {
                    (*free, self.kept) = (now, self.kept + 1);
                }
            }
        }
    }

    /// By how much a number that went out was shifted.
    fn shift_of(&self, sequence: u16) -> i32 {
        let kept = self.since.get(..self.kept).unwrap_or_default();
        let is_of = |since: &&Since| since.first == sequence || is_after(sequence, since.first);
        kept.iter().rev().find(is_of).map_or(self.base, |since| since.shift)
    }
}

/// What the source is called and what its numbers are, where they go to.
struct There<'a>(&'a Lane);

/// The same the other way round.
struct Back<'a>(&'a Lane);

impl rtcp::Names for There<'_> {
    fn ssrc(&mut self, _: Whose, ssrc: u32) -> u32 {
        ssrc
    }

    fn timestamp(&self, _: u32, timestamp: u32) -> u32 {
        timestamp
    }

    fn sent(&self, ssrc: u32) -> (u32, u32) {
        if ssrc == self.0.ssrc { (self.0.packets, self.0.octets) } else { (0, 0) }
    }

    fn sequence(&self, _: u32, sequence: u16) -> u16 {
        sequence
    }

    fn extended(&self, _: u32, sequence: u32) -> u32 {
        sequence
    }
}

impl rtcp::Names for Back<'_> {
    fn ssrc(&mut self, _: Whose, ssrc: u32) -> u32 {
        ssrc
    }

    fn timestamp(&self, _: u32, timestamp: u32) -> u32 {
        timestamp
    }

    fn sent(&self, _: u32) -> (u32, u32) {
        (0, 0)
    }

    fn sequence(&self, ssrc: u32, sequence: u16) -> u16 {
        if ssrc == self.0.ssrc {
            shifted(sequence, self.0.shift_of(sequence).wrapping_neg())
        } else {
            sequence
        }
    }

    fn extended(&self, ssrc: u32, sequence: u32) -> u32 {
        if ssrc != self.0.ssrc {
            return sequence;
        }
        let [.., high, low] = sequence.to_be_bytes();
        let shift = self.0.shift_of(u16::from_be_bytes([high, low]));
        sequence.wrapping_sub(shift.cast_unsigned())
    }
}

/// Whether a number is one after that, by less than half of all.
fn is_after(sequence: u16, before: u16) -> bool {
    sequence != before && sequence.wrapping_sub(before) < 0x8000
}

fn shifted(sequence: u16, shift: i32) -> u16 {
    let [.., high, low] = (i32::from(sequence)).wrapping_add(shift).to_be_bytes();
    u16::from_be_bytes([high, low])
}
