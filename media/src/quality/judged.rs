//! What the numbers of a stream amount to.

use std::time::Duration;

use super::Snapshot;
use super::emodel::{rating, robustness, score};

/// How good a stream is in both directions, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quality {
    /// The share of packets from the peer that did not come, in millionths; `None` before any did.
    pub received_loss: Option<u32>,
    /// The share of our packets that the peer says it has not got, in millionths; `None` where it says nothing.
    pub sent_loss: Option<u32>,
    /// How what the peer sends sounds, in hundredths of a mean opinion score; `None` where it is no audio, or of a codec that nobody
    /// has measured.
    pub received_mos: Option<u16>,
    /// The same of what it gets, by its reports.
    pub sent_mos: Option<u16>,
}

/// A whole.
const MILLION: u64 = 1_000_000;

impl Quality {
    /// Of all that was counted of a stream with that codec.
    #[must_use]
    pub fn of(counted: &Snapshot, encoding: Option<&str>) -> Self {
        Self::between(&Snapshot::default(), counted, encoding)
    }

    /// Of what was counted since those earlier numbers.
    #[must_use]
    pub fn between(before: &Snapshot, now: &Snapshot, encoding: Option<&str>) -> Self {
        let received = now.received.packets.saturating_sub(before.received.packets);
        let received_loss = share(now.lost.saturating_sub(before.lost), received);
        let sent = now.sent.packets.saturating_sub(before.sent.packets);
        let told = now.told.filter(|told| told.blocks > before.told.map_or(0, |told| told.blocks));
        let sent_loss = told.and_then(|told| {
            let lost = told.lost.saturating_sub(before.told.map_or(0, |told| told.lost));
            // What it reports lost is of what we have sent.
            share(lost.min(sent), sent.saturating_sub(lost))
        });
        let codec = encoding.and_then(robustness);
        let way = now.told.and_then(|told| told.round_trip).unwrap_or_default() / 2;
        let judged = |loss: Option<u32>, jitter: Duration| {
            let (loss, codec) = loss.zip(codec)?;
            // A buffer that takes up jitter is about twice as long.
            Some(score(rating(codec, way + jitter * 2, f64::from(loss) / 1e6)))
        };
        Self {
            received_loss,
            sent_loss,
            received_mos: judged(received_loss, now.jitter),
            sent_mos: judged(sent_loss, told.map_or(Duration::ZERO, |told| told.jitter)),
        }
    }
}

fn share(lost: u64, came: u64) -> Option<u32> {
    let share = lost.saturating_mul(MILLION).checked_div(lost.saturating_add(came))?;
    u32::try_from(share).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Flow, Told};

    fn counted(received: u64, lost: u64, sent: u64, told: Option<Told>) -> Snapshot {
        let flow = |packets| Flow { packets, ..Flow::default() };
        Snapshot { received: flow(received), lost, sent: flow(sent), told, ..Snapshot::default() }
    }

    #[test]
    fn each_direction_is_judged_by_what_is_known_of_it() {
        assert_eq!(Quality::of(&Snapshot::default(), Some("PCMA")), Quality::default());
        let told =
            Told { blocks: 1, lost: 30, round_trip: Some(Duration::from_millis(200)), ..Told::default() };
        let quality = Quality::of(&counted(990, 10, 1_000, Some(told)), Some("PCMA"));
        assert_eq!((quality.received_loss, quality.sent_loss), (Some(10_000), Some(30_000)));
        assert!(quality.received_mos > quality.sent_mos && quality.sent_mos > Some(350));
        assert!(quality.received_mos < Quality::of(&counted(990, 10, 0, None), Some("PCMA")).received_mos);
        let quality = Quality::of(&counted(990, 10, 1_000, Some(told)), Some("VP8"));
        assert_eq!(
            (quality.received_loss, quality.received_mos, quality.sent_mos),
            (Some(10_000), None, None)
        );
    }

    #[test]
    fn what_was_before_does_not_count() {
        let told = |blocks, lost| Some(Told { blocks, lost, ..Told::default() });
        let before = counted(1_000, 500, 1_000, told(1, 100));
        let quality = Quality::between(&before, &counted(1_500, 500, 1_500, told(2, 105)), Some("PCMA"));
        assert_eq!(
            (quality.received_loss, quality.sent_loss, quality.received_mos),
            (Some(0), Some(10_000), Some(441))
        );
        let quality = Quality::between(&before, &counted(1_500, 500, 1_500, told(1, 100)), Some("PCMA"));
        assert_eq!((quality.sent_loss, quality.sent_mos), (None, None));
    }
}
