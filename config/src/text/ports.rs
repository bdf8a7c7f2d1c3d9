use crate::declare::Text;

/// Ports for RTP and RTCP, in pairs: an even first port and the odd one after it (RFC 3550 §11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortRange {
    first: u16,
    last: u16,
}

impl PortRange {
    /// The first port; even.
    #[must_use]
    pub const fn first(self) -> u16 {
        self.first
    }

    /// The last port; odd.
    #[must_use]
    pub const fn last(self) -> u16 {
        self.last
    }

    /// How many pairs there are, at least 1.
    #[must_use]
    pub const fn pairs(self) -> u16 {
        (self.last - self.first) / 2 + 1
    }

    /// Whether `port` is in the range.
    #[must_use]
    pub fn contains(self, port: u16) -> bool {
        (self.first..=self.last).contains(&port)
    }

    /// Whether the ranges share a port.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

impl Text for PortRange {
    const EXPECTED: &'static str = "a range of ports from 1024 to 65535, first even and last odd";
    const PATTERN: Option<&'static str> = Some("^[0-9]+-[0-9]+$");

    fn parse(text: &str) -> Option<Self> {
        let (first, last) = text.split_once('-')?;
        let range = Self { first: first.trim().parse().ok()?, last: last.trim().parse().ok()? };
        let paired = range.first % 2 == 0 && range.last % 2 == 1;
        (paired && range.first >= 1024 && range.first < range.last).then_some(range)
    }

    fn print(&self) -> String {
        format!("{}-{}", self.first, self.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3550_11_ranges_hold_whole_pairs() {
        let range = PortRange::parse("20000-20003").unwrap();
        assert_eq!((range.first(), range.last(), range.pairs()), (20000, 20003, 2));
        for text in ["20001-20004", "20000-20002", "20000", "20000-19999", "80-99", "20000-70001", "a-b"] {
            assert_eq!(PortRange::parse(text), None, "{text}");
        }
    }
}
