use crate::declare::Text;

/// Ports for RTP and RTCP, in pairs: an even first port and the odd one after it (RFC 3550 §11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortRange {
    start: u16,
    end: u16,
}

impl PortRange {
    /// The first port; even.
    #[must_use]
    pub const fn start(self) -> u16 {
        self.start
    }

    /// The last port; odd.
    #[must_use]
    pub const fn end(self) -> u16 {
        self.end
    }

    /// How many pairs there are, at least 1.
    #[must_use]
    pub const fn pairs(self) -> u16 {
        (self.end - self.start) / 2 + 1
    }

    /// Whether `port` is in the range.
    #[must_use]
    pub fn contains(self, port: u16) -> bool {
        (self.start..=self.end).contains(&port)
    }

    /// Whether the ranges share a port.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        self.start <= other.end && other.start <= self.end
    }
}

impl Text for PortRange {
    const EXPECTED: &'static str = "a range of ports from 1024 to 65535, first even and last odd";
    const PATTERN: Option<&'static str> = Some("^[0-9]+-[0-9]+$");

    fn parse(text: &str) -> Option<Self> {
        let (start, end) = text.split_once('-')?;
        let range = Self { start: start.parse().ok()?, end: end.parse().ok()? };
        let paired = range.start.is_multiple_of(2) && !range.end.is_multiple_of(2);
        (paired && range.start >= 1024 && range.start < range.end).then_some(range)
    }

    fn print(&self) -> String {
        format!("{}-{}", self.start, self.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3550_11_ranges_hold_whole_pairs() {
        let range = PortRange::parse("20000-20003").unwrap();
        assert_eq!((range.start(), range.end(), range.pairs()), (20000, 20003, 2));
        for text in ["20001-20004", "20000-20002", "20000", "20000-19999", "80-99", "20000-70001", "a-b"] {
            assert_eq!(PortRange::parse(text), None, "{text}");
        }
    }
}
