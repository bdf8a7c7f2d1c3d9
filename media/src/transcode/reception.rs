//! How a source is received, for reports (RFC 3550 §6.4.1, Appendix A.3 and A.8).

use crate::rtp::Header;

#[derive(Debug, Default)]
pub(super) struct Reception {
    source: Option<u32>,
    base: u32,
    highest: u32,
    received: u32,
    expected_before: u32,
    received_before: u32,
    transit: u32,
    /// Sixteenths of a tick.
    jitter: u32,
    /// The middle of the NTP timestamp of the last sender report, and when that came, in ms.
    reported: Option<(u32, u64)>,
}

impl Reception {
    /// A packet has come; `clock` is its rate in Hz, `None` where its timestamp is not that of when it was sent.
    pub(super) fn packet(&mut self, header: Header, clock: Option<u32>, now: u64) {
        let is_timed = clock.is_some();
        let clock = clock.unwrap_or(8_000);
        let number = u32::from(header.sequence);
        let ticks = now.wrapping_mul(u64::from(clock)) / 1_000;
        let arrival = u32::try_from(ticks & u64::from(u32::MAX)).unwrap_or_default();
        let transit = arrival.wrapping_sub(header.timestamp);
        if self.source != Some(header.ssrc) {
            *self =
                Self { source: Some(header.ssrc), base: number, highest: number, transit, ..Self::default() };
        }
        let [.., high, low] = self.highest.to_be_bytes();
        let ahead = header.sequence.wrapping_sub(u16::from_be_bytes([high, low]));
        if ahead < 0x8000 {
            self.highest = self.highest.wrapping_add(ahead.into());
        }
        self.received = self.received.wrapping_add(1);
        if !is_timed {
            return;
        }
        let difference = transit.wrapping_sub(self.transit).cast_signed().unsigned_abs();
        self.transit = transit;
        // What another clock or a new beginning has made of it is no jitter.
        if difference < clock {
            self.jitter = self.jitter.wrapping_add(difference).wrapping_sub((self.jitter + 8) >> 4);
        }
    }

    /// A sender report of the source has come.
    pub(super) fn reported(&mut self, ssrc: u32, middle: u32, now: u64) {
        if self.source == Some(ssrc) {
            self.reported = Some((middle, now));
        }
    }

    /// The report block; `None` where nothing has come.
    pub(super) fn block(&mut self, now: u64) -> Option<[u8; 24]> {
        let source = self.source?;
        let expected = self.highest.wrapping_sub(self.base).wrapping_add(1);
        let lost = expected.wrapping_sub(self.received).cast_signed().clamp(-0x80_0000, 0x7f_ffff);
        let expected_now = expected.wrapping_sub(self.expected_before);
        let received_now = self.received.wrapping_sub(self.received_before);
        (self.expected_before, self.received_before) = (expected, self.received);
        let lost_now = expected_now.saturating_sub(received_now);
        let fraction = (u64::from(lost_now) << 8).checked_div(expected_now.into()).unwrap_or_default();
        let (middle, delay) = self.reported.map_or((0, 0), |(middle, at)| {
            let passed = now.saturating_sub(at).min(60_000);
            (middle, u32::try_from(passed * 65_536 / 1_000).unwrap_or_default())
        });
        let [_, lost @ ..] = lost.to_be_bytes();
        let fraction = u8::try_from(fraction).unwrap_or(u8::MAX);
        let mut block = [0; 24];
        let words = [
            source.to_be_bytes(),
            [fraction, lost[0], lost[1], lost[2]],
            self.highest.to_be_bytes(),
            (self.jitter >> 4).to_be_bytes(),
            middle.to_be_bytes(),
            delay.to_be_bytes(),
        ];
        let (places, _) = block.as_chunks_mut();
        places.iter_mut().zip(words).for_each(|(place, word)| *place = word);
        Some(block)
    }
}
