//! The numbers of a stream of ours.

use crate::rtp::Header;

/// What a packet of ours is called.
#[derive(Debug)]
pub(super) struct Out {
    ssrc: u32,
    /// The next number.
    sequence: u16,
    /// The timestamp of what is next, in ticks of the codec.
    pub(super) timestamp: u32,
    /// Ticks a second.
    pub(super) clock: u32,
    /// When the last packet went, in ms.
    at: Option<u64>,
    packet: Box<[u8]>,
    /// For reports: packets and octets of payload that went, and the timestamp of the last.
    pub(super) packets: u32,
    pub(super) octets: u32,
    last: u32,
}

/// A header of RTP (RFC 3550 §5.1).
const HEADER: usize = 12;

impl Out {
    pub(super) fn new(ssrc: u32, clock: u32, largest: usize) -> Self {
        let [high, low, ..] = ssrc.rotate_left(7).to_be_bytes();
        Self {
            ssrc,
            sequence: u16::from_be_bytes([high & 0x7f, low]),
            timestamp: ssrc.rotate_left(13),
            clock,
            at: None,
            packet: vec![0; HEADER + largest].into(),
            packets: 0,
            octets: 0,
            last: 0,
        }
    }

    pub(super) fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// Goes by that name from now on: that of whom it comes from, which descriptions may have told (RFC 3550 §7.1, RFC 5576).
    pub(super) fn go_by(&mut self, ssrc: u32) {
        if self.ssrc != ssrc {
            (self.ssrc, self.packets, self.octets) = (ssrc, 0, 0);
        }
    }

    /// Goes on with a stream that went on as it came until now, or might have: by its name, and from that packet on by its numbers, which for
    /// whoever hears it are those that follow (RFC 3550 §5.1). One of ours by that name stays as it is.
    pub(super) fn follow(&mut self, header: Header) {
        if self.ssrc != header.ssrc {
            self.go_by(header.ssrc);
            (self.sequence, self.timestamp, self.at) = (header.sequence, header.timestamp, None);
        }
    }

    pub(super) fn next(&self) -> u16 {
        self.sequence
    }

    /// Where the payload of the next packet is to be written.
    pub(super) fn room(&mut self) -> &mut [u8] {
        self.packet.get_mut(HEADER..).unwrap_or_default()
    }

    /// The timestamp of that moment, after what went last.
    pub(super) fn timestamp_at(&self, now: u64) -> u32 {
        let Some(at) = self.at else { return self.timestamp };
        let passed = now.saturating_sub(at).min(3_600_000);
        let ticks = passed * u64::from(self.clock) / 1_000;
        let then = self.last.wrapping_add(u32::try_from(ticks).unwrap_or_default());
        // It never goes back behind what is next.
        if then.wrapping_sub(self.timestamp) < 0x8000_0000 { then } else { self.timestamp }
    }

    /// Sends what is in the room, by the next number.
    pub(super) fn send(&mut self, what: Sent, now: u64, send: &mut dyn FnMut(&[u8])) {
        let sequence = self.sequence;
        self.send_as(sequence, what, now, send);
    }

    /// The same by that number.
    pub(super) fn send_as(&mut self, sequence: u16, what: Sent, now: u64, send: &mut dyn FnMut(&[u8])) {
        let Sent { payload, marker, timestamp, length } = what;
        let [s0, s1] = sequence.to_be_bytes();
        let [t0, t1, t2, t3] = timestamp.to_be_bytes();
        let [r0, r1, r2, r3] = self.ssrc.to_be_bytes();
        let header = [0x80, u8::from(marker) << 7 | payload, s0, s1, t0, t1, t2, t3, r0, r1, r2, r3];
        if let Some(place) = self.packet.first_chunk_mut() {
            *place = header;
        }
        if sequence.wrapping_sub(self.sequence) < 0x8000 {
            self.sequence = sequence.wrapping_add(1);
            (self.at, self.last) = (Some(now), timestamp);
        }
        self.packets = self.packets.wrapping_add(1);
        self.octets = self.octets.wrapping_add(u32::try_from(length).unwrap_or_default());
        send(self.packet.get(..HEADER + length).unwrap_or_default());
    }
}

/// A packet whose payload is in the room.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent {
    pub(super) payload: u8,
    pub(super) marker: bool,
    pub(super) timestamp: u32,
    pub(super) length: usize,
}
