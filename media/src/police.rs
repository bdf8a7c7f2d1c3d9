//! What of a stream's packets is not what was negotiated: payload types that no description has (RFC 3264 §6.1), and more than was said.

mod ssrcs;
#[cfg(test)]
mod tests;
mod together;

use std::sync::Arc;

use sdp::{Media, Section};

use crate::rtp::static_name;
pub(crate) use ssrcs::Crowd;
pub use ssrcs::Ssrcs;
pub use together::Together;

/// What is done about packets that were not negotiated, of one party. Default: they go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Police {
    /// RTP with payload types that the party's descriptions do not have is dropped and counted.
    pub payload_types: bool,
    /// RTP beyond the rate of the descriptions is dropped and counted.
    pub rate: bool,
    /// RTP of more sources than a stream has is dropped; counted it is in any case.
    pub sources: bool,
}

/// How much RTP is taken of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rate {
    /// Of it alone, in octets a second with IP and UDP; `None` where any is.
    pub own: Option<u32>,
    /// Of all streams of its party.
    pub together: Option<Arc<Together>>,
}

/// A set of payload types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Payloads(u128);

/// Comfort noise (RFC 3389 §4): sent by many that have not described it.
const NOISE: u8 = 13;

impl Payloads {
    /// Those of a section. Speech may be comfort noise, whoever says so.
    pub(crate) fn of(media: &Media<'_>) -> Self {
        let speech = (media.line().media == "audio").then_some(NOISE);
        let stated = media.line().formats().filter_map(|format| format.parse::<u8>().ok());
        stated.chain(speech).collect()
    }

    /// Those of both.
    #[must_use]
    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether it is one of them.
    #[must_use]
    pub const fn has(self, payload: u8) -> bool {
        payload < 128 && self.0 >> payload & 1 == 1
    }
}

impl FromIterator<u8> for Payloads {
    /// Of numbers above 127, which no payload type has, nothing is kept.
    fn from_iter<T: IntoIterator<Item = u8>>(payloads: T) -> Self {
        let bit = |payload: u8| 1u128.checked_shl(payload.into()).unwrap_or_default();
        Self(payloads.into_iter().fold(0, |all, payload| all | bit(payload)))
    }
}

/// What a stream may be by its descriptions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Allowed {
    /// The payload types of those that stand, ours and the party's: one that numbers what it sends as it is said to it, and one that does
    /// as it has said itself, are both heard.
    standing: Payloads,
    /// Those that stood before: what was under way when they changed is still that (RFC 3264 §8.3.2).
    before: Payloads,
    /// Those of an offer of ours that has no answer yet, which may come later than what it allows (RFC 3264 §5.1).
    offered: Payloads,
    /// In octets a second, IP and UDP included; `None` where nothing is known of it.
    pub(crate) rate: Option<u32>,
}

impl Allowed {
    /// By our description, and by the party's.
    pub(crate) fn of(ours: &Media<'_>, theirs: &Media<'_>) -> Self {
        let standing = Payloads::of(ours).and(Payloads::of(theirs));
        Self { standing, rate: rate(ours), ..Self::default() }
    }

    /// What it was before.
    #[must_use]
    pub(crate) fn after(self, before: Self) -> Self {
        let same = self.standing == before.standing;
        Self { before: if same { before.before } else { before.standing }, ..self }
    }

    /// An offer of ours is on its way.
    pub(crate) fn offer(&mut self, payloads: Payloads) {
        self.offered = payloads;
    }

    /// The payload types that may come.
    pub(crate) const fn payloads(self) -> Payloads {
        self.standing.and(self.before).and(self.offered)
    }
}

/// Octets before the RTP header: IPv6 and UDP.
pub(crate) const HEADERS: usize = 48;
/// Nobody is held to less, in bit/s: twice G.711 in packets of 10 ms with all headers. What descriptions say of so little is often without
/// headers, or of longer packets.
const LEAST: u32 = 200_000;

/// What our description lets a party send, in octets a second: half as much again as the `b=` of the section (RFC 8866 §5.8, RFC 3890);
/// without such, twice what its codecs take at the most. `None` where one of them is not known.
fn rate(ours: &Media<'_>) -> Option<u32> {
    let most = match stated(ours.section(), &[("TIAS", 1), ("AS", 1_000)]) {
        Some(stated) => stated.saturating_add(stated / 2),
        None => u64::from(of_codecs(ours)?).saturating_mul(2),
    };
    let most = u32::try_from(most / 8).unwrap_or(u32::MAX);
    Some(most.max(LEAST / 8))
}

/// The greatest `b=` of these kinds, each with its unit in bit/s.
fn stated(section: Section<'_>, kinds: &[(&str, u64)]) -> Option<u64> {
    let unit = |stated: &str| {
        kinds.iter().find(|(kind, _)| stated.eq_ignore_ascii_case(kind)).map(|(_, unit)| *unit)
    };
    section.bandwidths().filter_map(|of| Some(of.value.saturating_mul(unit(of.kind)?))).max()
}

/// What the codecs of a section take at the most, in bit/s, in packets of 10 ms with all headers.
fn of_codecs(media: &Media<'_>) -> Option<u32> {
    let maps: Vec<_> = media.rtp_maps().collect();
    let mut most = 0;
    for format in media.line().formats() {
        let payload: u8 = format.parse().ok()?;
        let map = maps.iter().find(|map| map.payload == payload);
        let name = map.map(|map| map.encoding).or_else(|| static_name(payload))?;
        let (_, rate) = RATES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        most = most.max(*rate);
    }
    Some(most + OVERHEAD)
}

/// Headers of a hundred packets a second: IPv6, UDP, RTP.
const OVERHEAD: u32 = 100 * (48 + 12) * 8;

/// Codecs of which it is known what they take at the most, in bit/s of payload.
const RATES: [(&str, u32); 15] = [
    ("PCMU", 64_000),
    ("PCMA", 64_000),
    ("G722", 64_000),
    ("GSM", 13_200),
    ("GSM-EFR", 12_200),
    ("G723", 6_400),
    ("G726-32", 32_000),
    ("G728", 16_000),
    ("G729", 8_000),
    ("iLBC", 15_200),
    ("AMR", 12_800),
    ("AMR-WB", 24_600),
    ("opus", 510_000),
    // Between words, and beside them.
    ("telephone-event", 0),
    ("CN", 0),
];

/// So much of its rate may come at once: what a network has held up for some seconds comes all together.
const BURST_MILLIS: u64 = 5_000;

/// A token bucket.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bucket {
    /// In octets a second.
    rate: u32,
    /// What may come now, in thousandths of an octet.
    level: u64,
    at_millis: u64,
}

impl Bucket {
    /// A full one.
    pub(crate) fn new(rate: u32) -> Self {
        Self { rate, level: u64::from(rate) * BURST_MILLIS, at_millis: 0 }
    }

    /// The same, or a full one of another rate.
    pub(crate) fn change(before: Option<Self>, rate: Option<u32>) -> Option<Self> {
        let rate = rate?;
        Some(before.filter(|before| before.rate == rate).unwrap_or_else(|| Self::new(rate)))
    }

    /// Takes so many octets of UDP payload out; false, and nothing taken, where there are not so many.
    pub(crate) fn take(&mut self, octets: usize, now_millis: u64) -> bool {
        let passed = now_millis.saturating_sub(self.at_millis).min(BURST_MILLIS);
        let rate = u64::from(self.rate);
        self.level = (self.level + rate * passed).min(rate * BURST_MILLIS);
        self.at_millis = self.at_millis.max(now_millis);
        let wanted = (octets as u64).saturating_add(HEADERS as u64).saturating_mul(1_000);
        match self.level.checked_sub(wanted) {
            Some(left) => {
                self.level = left;
                true
            }
            None => false,
        }
    }
}
