//! How good the media of a call is, by the bounds of its legs' profiles.

use super::{CallKey, CallTimer, State};
use crate::shard::Core;
use config::Quality;
use media::{Bounds, Judged, PartyId};
use sip::time::Now;
use std::time::Duration;

impl Core {
    /// Judges the media of an established call now and then, where a profile has bounds.
    pub(crate) fn watch_quality(&mut self, now: Now, key: CallKey) {
        let Some(call) = self.calls.get(key) else { return };
        if let Some(every) = call.judged_every() {
            self.timers.arm(now, every, (key, CallTimer::Quality));
        }
    }

    pub(super) fn quality_due(&mut self, now: Now, key: CallKey) {
        let Some(call) = self.calls.get_mut(key).filter(|call| call.state == State::Established) else {
            return;
        };
        let legs: Vec<(u8, PartyId, Bounds)> = call
            .legs()
            .filter(|leg| call.takes_part(leg) && leg.profile.quality.is_bounded())
            .map(|leg| (leg.no.0, call.party(leg.no).unwrap_or(leg.party), bounds(&leg.profile.quality)))
            .collect();
        for (leg, party, bounds) in legs {
            for judged in call.media.judge(party, &bounds) {
                self.counters.quality.turned(judged.poor);
                tell(&call.id, leg, &judged);
            }
        }
        self.watch_quality(now, key);
    }
}

fn tell(call: &str, leg: u8, judged: &Judged) {
    let percent = |share: Option<u32>| share.map(|share| f64::from(share) / 1e4);
    let score = |score: Option<u16>| score.map(|score| f64::from(score) / 1e2);
    let (media, quality) = (judged.media.as_str(), &judged.quality);
    if judged.poor {
        tracing::warn!(
            call,
            leg,
            media,
            received_loss_percent = percent(quality.received_loss),
            sent_loss_percent = percent(quality.sent_loss),
            received_mos = score(quality.received_mos),
            sent_mos = score(quality.sent_mos),
            received_jitter_seconds = judged.received_jitter.as_secs_f64(),
            sent_jitter_seconds = judged.sent_jitter.as_secs_f64(),
            round_trip_seconds = judged.round_trip.map(|span| span.as_secs_f64()),
            "a stream is poor"
        );
    } else {
        tracing::info!(call, leg, media, "a stream is no longer poor");
    }
}

fn bounds(quality: &Quality) -> Bounds {
    Bounds {
        loss: quality.loss.map(|percent| u32::from(percent) * 10_000),
        jitter: quality.jitter,
        round_trip: quality.round_trip,
        mos: quality.mos.map(config::Score::hundredths),
    }
}

impl super::Call {
    /// The shorter time of both legs, of those that have bounds.
    fn judged_every(&self) -> Option<Duration> {
        let legs = self.legs().filter(|leg| self.takes_part(leg) && leg.profile.quality.is_bounded());
        legs.map(|leg| leg.profile.quality.every).min()
    }
}
