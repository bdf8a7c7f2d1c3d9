//! The numbers of a stream into which packets are put and out of which others are taken (RFC 3550 §7.2).

use crate::rtp::Header;

/// What is later than by so many packets is none that anybody waits for.
const LATEST: u16 = 4_096;

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
                self.shift = self.shift.wrapping_sub(1);
                self.floor = Some(self.highest);
            }
        }
    }

    /// The name of a packet of our own with so many octets of payload, after all that went.
    pub(crate) fn put_in(&mut self, octets: usize) -> Name {
        self.shift = self.shift.wrapping_add(1);
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
        self.shift == 0 && self.packets == 0
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
        each(compound, |kind, packet| {
            let ssrc = packet.get(4..8).and_then(word);
            if kind == SENDER_REPORT && ssrc == Some(self.ssrc) {
                add(packet, 20, self.packets);
                add(packet, 24, self.octets);
            }
        });
    }

    /// Makes of a compound RTCP packet of the receiver what is true of what the source has sent.
    pub(crate) fn tell_back(&self, compound: &mut [u8]) {
        each(compound, |kind, packet| {
            let first = match kind {
                SENDER_REPORT => 28,
                RECEIVER_REPORT => 8,
                _ => return,
            };
            let count = packet.first().map_or(0, |first| usize::from(first & 31));
            for block in 0..count {
                let at = first + block * 24;
                if packet.get(at..at + 4).and_then(word) == Some(self.ssrc) {
                    add(packet, at + 8, self.shift.wrapping_neg().cast_unsigned());
                }
            }
        });
    }
}

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;

fn word(octets: &[u8]) -> Option<u32> {
    octets.try_into().ok().map(u32::from_be_bytes)
}

/// Adds to a word of a packet, where it has that.
fn add(packet: &mut [u8], at: usize, amount: u32) {
    let Some(place) = packet.get_mut(at..at + 4) else { return };
    if let Some(before) = word(place) {
        place.copy_from_slice(&before.wrapping_add(amount).to_be_bytes());
    }
}

/// Each packet of a compound, as far as their lengths are right (RFC 3550 §6.1).
fn each(compound: &mut [u8], mut act: impl FnMut(u8, &mut [u8])) {
    let mut rest = compound;
    while let [first, kind, high, low, ..] = *rest {
        let length = (usize::from(u16::from_be_bytes([high, low])) + 1) * 4;
        if first >> 6 != 2 || length > rest.len() {
            return;
        }
        let (packet, after) = rest.split_at_mut(length);
        act(kind, packet);
        rest = after;
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
