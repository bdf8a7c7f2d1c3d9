//! RTP: the fixed header, and what a receiver reckons (RFC 3550 §5.1, §A.1, §6.4.1).

use super::tone::RATE;
use sip::time::Mono;

/// The payload type of PCMA (RFC 3551 §6).
pub(super) const PCMA: u8 = 8;
/// Length of the fixed header.
const HEADER: usize = 12;

/// One packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Packet<'a> {
    /// Whether it begins a talkspurt (RFC 3551 §4.1).
    pub(super) marker: bool,
    /// The payload type.
    pub(super) payload_type: u8,
    /// The sequence number.
    pub(super) sequence: u16,
    /// When its first sample was taken, in samples.
    pub(super) timestamp: u32,
    /// Who sent it.
    pub(super) ssrc: u32,
    /// The sound.
    pub(super) payload: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Reads a packet; `None` for what is none, and for one with padding or an extension, which our telephones never
    /// send.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let (header, rest) = bytes.split_first_chunk::<HEADER>()?;
        let [first, second, s0, s1, t0, t1, t2, t3, c0, c1, c2, c3] = *header;
        if first & 0xf0 != 0x80 {
            return None;
        }
        Some(Self {
            marker: second & 0x80 != 0,
            payload_type: second & 0x7f,
            sequence: u16::from_be_bytes([s0, s1]),
            timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
            ssrc: u32::from_be_bytes([c0, c1, c2, c3]),
            payload: rest.get(usize::from(first & 15) * 4..)?,
        })
    }

    /// Writes it.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.clear();
        out.extend_from_slice(&[0x80, self.payload_type | u8::from(self.marker) << 7]);
        out.extend_from_slice(&self.sequence.to_be_bytes());
        out.extend_from_slice(&self.timestamp.to_be_bytes());
        out.extend_from_slice(&self.ssrc.to_be_bytes());
        out.extend_from_slice(self.payload);
    }
}

/// What came, as sequence numbers and times of arrival tell it.
#[derive(Debug, Default)]
pub(super) struct Reception {
    packets: u32,
    /// From the first to the highest sequence number, both included.
    expected: u32,
    highest: u16,
    transit: Option<i64>,
    /// In samples.
    jitter: f64,
}

impl Reception {
    /// Takes a packet.
    pub(super) fn arrived(&mut self, packet: &Packet<'_>, at: Mono) {
        let ahead = packet.sequence.wrapping_sub(self.highest);
        if self.packets == 0 {
            (self.expected, self.highest) = (1, packet.sequence);
        } else if ahead < 0x8000 {
            self.expected = self.expected.saturating_add(u32::from(ahead));
            self.highest = packet.sequence;
        }
        self.packets = self.packets.saturating_add(1);
        let arrival = u128::from(at.as_nanos()) * u128::from(RATE) / 1_000_000_000;
        let transit = i64::try_from(arrival).unwrap_or(i64::MAX).saturating_sub(i64::from(packet.timestamp));
        if let Some(before) = self.transit.replace(transit) {
            let difference = u32::try_from(before.abs_diff(transit)).unwrap_or(u32::MAX);
            self.jitter += (f64::from(difference) - self.jitter) / 16.0;
        }
    }

    /// Packets that came.
    pub(super) fn packets(&self) -> u32 {
        self.packets
    }

    /// Packets that did not (RFC 3550 §A.3); negative where some came twice.
    pub(super) fn lost(&self) -> i64 {
        i64::from(self.expected) - i64::from(self.packets)
    }

    /// Interarrival jitter, in seconds (RFC 3550 §6.4.1).
    pub(super) fn jitter_seconds(&self) -> f64 {
        self.jitter / f64::from(RATE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn packet(sequence: u16, timestamp: u32) -> Packet<'static> {
        Packet { marker: true, payload_type: PCMA, sequence, timestamp, ssrc: 7, payload: b"sound" }
    }

    #[test]
    fn rfc3550_5_1_a_packet_reads_back() {
        let mut bytes = Vec::new();
        packet(0xfffe, 160).write(&mut bytes);
        assert_eq!(Packet::read(&bytes), Some(packet(0xfffe, 160)));
        assert_eq!(Packet::read(&bytes[..11]), None);
        bytes[0] = 0x40;
        assert_eq!(Packet::read(&bytes), None, "version 1");
    }

    #[test]
    fn rfc3550_a_3_loss_is_counted_across_the_wrap() {
        let mut heard = Reception::default();
        for (n, sequence) in [65_534u16, 65_535, 1, 0, 4].into_iter().enumerate() {
            let at = Mono::from_epoch(Duration::from_millis(20 * n as u64));
            heard.arrived(&packet(sequence, 160 * u32::try_from(n).unwrap()), at);
        }
        assert_eq!((heard.packets(), heard.lost()), (5, 2), "2 and 3 are missing");
        assert!(heard.jitter_seconds().abs() < 1e-9);
    }

    #[test]
    fn rfc3550_6_4_1_a_late_packet_is_jitter() {
        let mut heard = Reception::default();
        heard.arrived(&packet(1, 0), Mono::from_epoch(Duration::ZERO));
        heard.arrived(&packet(2, 160), Mono::from_epoch(Duration::from_millis(36)));
        assert!((heard.jitter_seconds() - 0.001).abs() < 1e-9);
    }
}
