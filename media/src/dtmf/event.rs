//! Events as packets have them (RFC 4733 §2.3).

use super::Digit;

/// One event report: four octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Event {
    /// The event code.
    pub(crate) code: u8,
    /// The E bit.
    pub(crate) end: bool,
    /// The power in dBm0, its sign dropped: 0 to 63.
    pub(crate) volume: u8,
    /// In units of the timestamp.
    pub(crate) duration: u16,
}

impl Event {
    /// The reports of a payload: several where they follow one another without a pause (§2.5.1.5). What is left of them is ignored.
    pub(crate) fn all(payload: &[u8]) -> impl Iterator<Item = Self> {
        payload.chunks_exact(4).filter_map(|report| {
            let [code, flags, high, low] = *report else { return None };
            let duration = u16::from_be_bytes([high, low]);
            Some(Self { code, end: flags & 0x80 != 0, volume: flags & 0x3f, duration })
        })
    }

    /// As it is written; the reserved bit is 0.
    pub(crate) fn write(self) -> [u8; 4] {
        let [high, low] = self.duration.to_be_bytes();
        [self.code, (u8::from(self.end) << 7) | (self.volume & 0x3f), high, low]
    }

    /// The key that it reports, if it is one.
    pub(crate) fn digit(self) -> Option<Digit> {
        Digit::of_code(self.code)
    }
}
