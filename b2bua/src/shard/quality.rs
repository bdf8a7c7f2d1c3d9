//! What the streams of calls that are over were like.

use media::{Quality, Snapshot};

/// The bounds of mean opinion scores, in hundredths.
pub const SCORES: [u32; 7] = [200, 250, 300, 330, 360, 380, 400];
/// Of losses, in millionths.
pub const LOSSES: [u32; 7] = [0, 1_000, 5_000, 10_000, 20_000, 50_000, 100_000];
/// Of jitter, in microseconds.
pub const JITTERS: [u32; 7] = [1_000, 5_000, 10_000, 20_000, 30_000, 50_000, 100_000];
/// Of round trips, in microseconds.
pub const ROUND_TRIPS: [u32; 7] = [10_000, 25_000, 50_000, 100_000, 200_000, 400_000, 800_000];

/// Observations by seven bounds, and those above them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spread {
    /// How many were within each bound and not within the one before, those above all last.
    pub counts: [u64; 8],
    /// Their sum.
    pub sum: u64,
}

impl Spread {
    fn observe(&mut self, bounds: &[u32; 7], value: u32) {
        let at = bounds.iter().position(|bound| value <= *bound).unwrap_or(bounds.len());
        if let Some(count) = self.counts.get_mut(at) {
            *count += 1;
        }
        self.sum = self.sum.saturating_add(value.into());
    }

    /// Both.
    #[must_use]
    pub fn with(mut self, other: &Self) -> Self {
        self.counts.iter_mut().zip(other.counts).for_each(|(count, more)| *count += more);
        self.sum = self.sum.saturating_add(other.sum);
        self
    }
}

/// Streams of RTP of calls that are over, each direction of a leg by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Qualities {
    /// Mean opinion scores of what peers sent, in hundredths.
    pub received_mos: Spread,
    /// Of what they got.
    pub sent_mos: Spread,
    /// The share of packets that did not come from peers, in millionths.
    pub received_loss: Spread,
    /// Of ours that did not come to them.
    pub sent_loss: Spread,
    /// Jitter of what peers sent, in microseconds.
    pub received_jitter: Spread,
    /// Of what they got.
    pub sent_jitter: Spread,
    /// The time to peers and back, in microseconds.
    pub round_trip: Spread,
    /// Streams that became poor by the bounds of a profile.
    pub poor: u64,
    /// Those that were so no more.
    pub good_again: u64,
}

impl Qualities {
    /// A stream of a call that is over.
    pub(crate) fn observe(&mut self, counted: &Snapshot, quality: &Quality) {
        let micros = |span: std::time::Duration| u32::try_from(span.as_micros()).unwrap_or(u32::MAX);
        for (spread, bounds, value) in [
            (&mut self.received_mos, &SCORES, quality.received_mos.map(u32::from)),
            (&mut self.sent_mos, &SCORES, quality.sent_mos.map(u32::from)),
            (&mut self.received_loss, &LOSSES, quality.received_loss),
            (&mut self.sent_loss, &LOSSES, quality.sent_loss),
            (
                &mut self.received_jitter,
                &JITTERS,
                quality.received_loss.map(|_| micros(counted.jitter)).filter(|micros| *micros > 0),
            ),
            (
                &mut self.sent_jitter,
                &JITTERS,
                counted.told.map(|told| micros(told.jitter)).filter(|micros| *micros > 0),
            ),
            (&mut self.round_trip, &ROUND_TRIPS, counted.told.and_then(|told| told.round_trip).map(micros)),
        ] {
            value.into_iter().for_each(|value| spread.observe(bounds, value));
        }
    }

    /// A stream has become poor, or good again.
    pub(crate) fn turned(&mut self, poor: bool) {
        *(if poor { &mut self.poor } else { &mut self.good_again }) += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use media::Told;
    use std::time::Duration;

    #[test]
    fn each_stream_is_counted_where_it_belongs() {
        let told = Told { round_trip: Some(Duration::from_millis(40)), blocks: 1, ..Told::default() };
        let counted = Snapshot { jitter: Duration::from_secs(9), told: Some(told), ..Snapshot::default() };
        let quality = Quality { received_loss: Some(0), received_mos: Some(441), ..Quality::default() };
        let mut all = Qualities::default();
        all.observe(&counted, &quality);
        assert_eq!((all.received_mos.counts, all.received_mos.sum), ([0, 0, 0, 0, 0, 0, 0, 1], 441));
        assert_eq!(all.received_loss.counts, [1, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(all.round_trip.with(&all.round_trip).counts, [0, 0, 2, 0, 0, 0, 0, 0]);
        assert_eq!((all.sent_mos, all.sent_loss, all.sent_jitter), Default::default());
    }
}
