//! Limits in time: ringing, the length of a call, silence of its media.

use super::exchange::Ask;
use super::{CallKey, Leg, LegNo, State, decide};
use crate::shard::Core;
use config::Excess;
use sip::session::Reply;
use sip::time::Now;
use sip_types::StatusCode;
use std::time::Duration;

/// How long a re-INVITE may wait for its final response: nobody is asked to pick up, a user agent answers by itself.
const EXCHANGE: Duration = Duration::from_secs(32);

/// How long an UPDATE may, which has to be answered at once: well within timer F of who sent it (RFC 3311 §5.2).
const PROMPT: Duration = Duration::from_secs(20);
/// Silence of media is seen within this.
const PATIENCE: Duration = Duration::from_secs(30);

/// Names a deadline of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum CallTimer {
    /// The legs of that group of the fork have rung for as long as they may.
    Ring(u16),
    /// The call has lasted for as long as it may.
    Length,
    /// Time to see whether media still flows.
    Media,
    /// Time to see how good it is.
    Quality,
    /// The change with that number has waited for as long as it may.
    Exchange(u32),
    /// A transfer has something left to do.
    Transfer,
    /// Time to look whether the two legs are apart still.
    Agreement,
    /// The peer of that leg, whose connection was lost, has had time to come back.
    Flow(LegNo),
}

impl Core {
    /// Limits how long the group that has just begun to ring may do so; the legs that join it change nothing.
    pub(crate) fn watch_ringing(&mut self, now: Now, key: CallKey, limit: Duration) {
        let Some(call) = self.calls.get_mut(key) else { return };
        if call.fork.due.is_none() {
            call.fork.due = Some(now.mono + limit);
            self.timers.arm(now, limit, (key, CallTimer::Ring(call.fork.group())));
        }
    }

    /// Limits how long an established call may last, and be silent.
    pub(crate) fn watch_established(&mut self, now: Now, key: CallKey) {
        let Some(call) = self.calls.get(key) else { return };
        self.timers.arm(now, call.longest(), (key, CallTimer::Length));
        if let Some(every) = call.media_check() {
            self.timers.arm(now, every, (key, CallTimer::Media));
        }
        self.watch_quality(now, key);
    }

    /// A deadline of a call has come.
    pub(crate) fn call_due(&mut self, now: Now, key: CallKey, timer: CallTimer) {
        match timer {
            CallTimer::Ring(group) => self.rung_out(now, key, group),
            CallTimer::Length => self.length_due(now, key),
            CallTimer::Media => self.media_due(now, key),
            CallTimer::Quality => self.quality_due(now, key),
            CallTimer::Exchange(nth) => self.exchange_due(now, key, nth),
            CallTimer::Transfer => self.transfer_due(now, key),
            CallTimer::Agreement => self.agreement_due(now, key),
            CallTimer::Flow(no) => self.flow_due(now, key, no),
        }
    }

    fn rung_out(&mut self, now: Now, key: CallKey, group: u16) {
        let Some(call) = self.calls.get_mut(key) else { return };
        if !call.seeks() || call.fork.group() != group || !call.rings() {
            return;
        }
        let Some(due) = call.fork.due else { return };
        if due > now.mono {
            return self.timers.arm_at(now, due, (key, CallTimer::Ring(group)));
        }
        call.fork.end_group();
        let ringing = call.callees.iter().filter(|leg| leg.rings());
        let ringing: Vec<_> = ringing.map(|leg| (leg.no, leg.session, leg.device)).collect();
        let mut ended = Vec::new();
        for (no, session, device) in ringing {
            // The session goes on by itself until the far side has confirmed the CANCEL.
            self.end_leg(now, key, no, session, decide::reason(480, "Ring limit"));
            ended.extend(self.forget_media_of(now, key, no));
            self.counters.rung_out += 1;
            let Some(call) = self.calls.get_mut(key) else { return };
            if let Some(leg) = call.leg_mut(no) {
                leg.close(now, None, "ring limit", None);
            }
            call.explain_end(no);
            call.fork.note(Reply::new(StatusCode::TEMPORARILY_UNAVAILABLE), device);
        }
        self.dial_more(now, key);
        self.tell_ended(now, key, &ended, &decide::reason(480, "Ring limit"));
    }

    /// Limits how long a leg may leave what it was asked last unanswered.
    pub(crate) fn watch_exchange(&mut self, now: Now, key: CallKey, ask: Ask) {
        let Some(call) = self.calls.get(key) else { return };
        let limit = match ask {
            Ask::Reinvite => EXCHANGE,
            Ask::Update(_) | Ask::Prack(_) => PROMPT,
        };
        self.timers.arm(now, limit, (key, CallTimer::Exchange(call.exchanges)));
    }

    /// The same of what a leg is told by a re-INVITE of ours that no other leg has asked for.
    pub(crate) fn watch_telling(&mut self, now: Now, key: CallKey) {
        let Some(call) = self.calls.get_mut(key) else { return };
        call.exchanges = call.exchanges.wrapping_add(1);
        self.timers.arm(now, EXCHANGE, (key, CallTimer::Exchange(call.exchanges)));
    }

    fn length_due(&mut self, now: Now, key: CallKey) {
        let Some(call) = self.calls.get(key).filter(|c| c.state == State::Established) else { return };
        let Some(answered) = call.answered else { return };
        let due = answered.mono + call.longest();
        if due > now.mono {
            return self.timers.arm_at(now, due, (key, CallTimer::Length));
        }
        self.counters.too_long += 1;
        self.end_call(now, key, &decide::reason(480, "Maximum duration"), "maximum duration");
    }

    fn media_due(&mut self, now: Now, key: CallKey) {
        let Some(call) = self.calls.get(key).filter(|c| c.state == State::Established) else { return };
        let (Some(every), Some(answered)) = (call.media_check(), call.answered) else { return };
        if call.floods() {
            self.counters.media_excessive += 1;
            return self.end_call(now, key, &decide::reason(480, "Media rate"), "media rate");
        }
        if call.media.is_muted() {
            self.counters.media_uncoded += 1;
            return self.end_call(
                now,
                key,
                &decide::reason(503, "No room to transcode"),
                "no room to transcode",
            );
        }
        let silence = |limit| {
            let silence = call.media.silence(self.instant(now), self.instant(answered));
            silence.is_some_and(|silence| silence.lasting >= limit)
        };
        if !call.silence_limit().is_some_and(silence) {
            return self.timers.arm(now, every, (key, CallTimer::Media));
        }
        self.counters.media_silent += 1;
        self.end_call(now, key, &decide::reason(480, "Media inactivity"), "media inactivity");
    }
}

impl super::Call {
    /// The shorter `max_duration` of both legs.
    fn longest(&self) -> Duration {
        let legs = self.legs().filter(|leg| self.takes_part(leg));
        legs.map(|leg| leg.profile.max_duration).min().unwrap_or(Duration::MAX)
    }

    /// The shorter `media_inactivity` of both legs, of those that have one.
    fn silence_limit(&self) -> Option<Duration> {
        let legs = self.legs().filter(|leg| self.takes_part(leg));
        let limits = legs.map(|leg| leg.profile.media_inactivity);
        limits.filter(|limit| !limit.is_zero()).min()
    }

    /// How often media is looked at: four times within its limit, so that silence is seen within a quarter of it; every second where
    /// excess ends the call, or codecs may be changed, for which a thread may have no room.
    fn media_check(&self) -> Option<Duration> {
        let silence =
            self.silence_limit().map(|limit| (limit / 4).clamp(Duration::from_millis(250), PATIENCE));
        let mut coded = self.legs().filter(|leg| self.takes_part(leg) && !leg.profile.transcode.is_empty());
        let excess = self.bounded().next().or_else(|| coded.next()).map(|_| Duration::from_secs(1));
        silence.into_iter().chain(excess).min()
    }

    /// The legs whose excess ends the call.
    fn bounded(&self) -> impl Iterator<Item = &Leg> {
        self.legs().filter(|leg| self.takes_part(leg) && leg.profile.police.rate == Excess::End)
    }

    /// Whether one of them has sent more than was negotiated.
    fn floods(&self) -> bool {
        let party = |leg: &Leg| self.party(leg.no);
        self.bounded().filter_map(party).any(|party| self.media.excess(party) > 0)
    }
}
