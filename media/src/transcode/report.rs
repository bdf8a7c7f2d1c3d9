//! RTCP of our own on each leg: what we send to it, and how we receive it (RFC 3550 §6.4, §7.2).

use super::out::Out;
use super::reception::Reception;

/// Octets of the longest: a sender report with one block, and our CNAME.
pub(super) const LONGEST: usize = 28 + 24 + 4 + 4 + 2 + 16 + 2;

/// Compound packets of one leg.
#[derive(Debug)]
pub(super) struct Reports {
    /// When the next one is due, in ms.
    due: u64,
    chance: u32,
    /// How many packets had gone when the last one was made.
    told: u32,
}

/// The least interval in ms (RFC 3550 §6.2); it is spread over half of it to one and a half (§6.3.1).
const INTERVAL: u32 = 5_000;

impl Reports {
    pub(super) fn new(seed: u32, now: u64) -> Self {
        let mut reports = Self { due: 0, chance: seed | 1, told: 0 };
        reports.schedule(now);
        reports
    }

    /// The next one is due in a while.
    pub(super) fn schedule(&mut self, now: u64) {
        self.chance ^= self.chance << 13;
        self.chance ^= self.chance >> 17;
        self.chance ^= self.chance << 5;
        self.due = now + u64::from(INTERVAL / 2 + self.chance % INTERVAL);
    }

    pub(super) fn due(&self) -> u64 {
        self.due
    }

    /// Makes the next one, of what goes to the leg and what comes from it; its length.
    pub(super) fn make(
        &mut self,
        out: &Out,
        reception: &mut Reception,
        now: u64,
        to: &mut [u8; LONGEST],
    ) -> usize {
        self.schedule(now);
        let block = reception.block(now);
        let sends = out.packets != self.told;
        self.told = out.packets;
        let mut writer = Writer { to, length: 0 };
        let blocks = u8::from(block.is_some());
        let words = if sends { 6 } else { 1 } + 6 * u16::from(blocks);
        writer.put(&[0x80 | blocks, if sends { 200 } else { 201 }]);
        writer.put(&words.to_be_bytes());
        writer.put(&out.ssrc().to_be_bytes());
        if sends {
            // The time is that since the start, which is all that the source is told apart by (RFC 3550 §4).
            writer.put(&ntp(now).to_be_bytes());
            writer.put(&out.timestamp_at(now).to_be_bytes());
            writer.put(&out.packets.to_be_bytes());
            writer.put(&out.octets.to_be_bytes());
        }
        block.iter().for_each(|block| writer.put(block));
        // SDES with a CNAME that says nothing of us (RFC 7022 §4.2), padded by zeros.
        writer.put(&[0x81, 202, 0, 6]);
        writer.put(&out.ssrc().to_be_bytes());
        writer.put(&[1, 16]);
        let name = u64::from(out.ssrc()).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for shift in (0..64).step_by(4) {
            let digit =
                u32::try_from((name >> shift) & 15).ok().and_then(|digit| char::from_digit(digit, 16));
            writer.put(&[digit.and_then(|digit| u8::try_from(digit).ok()).unwrap_or(b'0')]);
        }
        writer.put(&[0, 0]);
        writer.length
    }
}

/// An NTP timestamp of milliseconds.
fn ntp(millis: u64) -> u64 {
    ((millis / 1_000) << 32) | (((millis % 1_000) << 32) / 1_000)
}

struct Writer<'a> {
    to: &'a mut [u8; LONGEST],
    length: usize,
}

impl Writer<'_> {
    fn put(&mut self, octets: &[u8]) {
        if let Some(place) = self.to.get_mut(self.length..self.length + octets.len()) {
            place.copy_from_slice(octets);
            self.length += octets.len();
        }
    }
}

/// Reads the sender reports of a compound: of whom, and the middle of the NTP timestamp.
pub(super) fn sender_reports(compound: &[u8], mut each: impl FnMut(u32, u32)) {
    let mut rest = compound;
    while let [first, kind, high, low, ..] = *rest {
        let length = (usize::from(u16::from_be_bytes([high, low])) + 1) * 4;
        let Some((packet, after)) = rest.split_at_checked(length).filter(|_| first >> 6 == 2) else { return };
        if kind == 200
            && let [_, _, _, _, r0, r1, r2, r3, _, _, m0, m1, m2, m3, ..] = *packet
        {
            each(u32::from_be_bytes([r0, r1, r2, r3]), u32::from_be_bytes([m0, m1, m2, m3]));
        }
        rest = after;
    }
}
