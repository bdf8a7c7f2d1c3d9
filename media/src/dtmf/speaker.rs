//! Saying keys: as events (RFC 4733 §2.5.1) or as tones, one packet in 20 ms.

use std::collections::VecDeque;

use super::tone::{RATE, Tone};
use super::{Digit, Event, Law};

/// Between two packets.
pub(crate) const INTERVAL_MILLIS: u64 = 20;
/// The same as a number of milliseconds that were said.
const INTERVAL: u32 = 20;
/// Samples of a packet of tones.
const SAMPLES: u32 = RATE / 50;
/// How often the end of an event is said again (§2.5.1.4).
const AGAIN: u8 = 2;
/// The pause after a key, in packets: with the repetitions of its end, 60 ms are between two events.
const EVENT_PAUSE: u8 = 1;
/// The same between two tones (ITU-T Q.24 §2.5 asks for 40 ms).
const TONE_PAUSE: u8 = 3;
/// A tone is no shorter, in milliseconds.
const LEAST_TONE: u32 = 50;
/// The end of a tone that turns out to be over, in samples: it fades.
const FADE: u32 = 24;
/// Keys that wait for others to be said.
pub(crate) const MOST_WAITING: usize = 32;
/// The longest duration that one packet can report.
const SEGMENT: u32 = 0xffff;
/// The power of an event where nothing is known of it, in dBm0, its sign dropped.
const VOLUME: u8 = 10;

/// In which form keys are said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Voice {
    /// As events of that payload type and clock rate; `events` are those that the receiver takes, one bit each.
    Events { payload: u8, clock: u32, events: u32 },
    /// As tones in G.711.
    Tones { payload: u8, law: Law },
}

/// A packet to be sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Spoken<'a> {
    pub(crate) marker: bool,
    pub(crate) payload: u8,
    pub(crate) timestamp: u32,
    pub(crate) body: &'a [u8],
}

/// Why a key is not said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unsaid {
    /// As many wait as may.
    Full,
    /// The form has nothing for it.
    Unsayable,
}

/// What is said in one direction of a stream.
#[derive(Debug)]
pub(crate) struct Speaker {
    voice: Voice,
    waiting: VecDeque<Key>,
    current: Option<Current>,
    due: u64,
}

/// A key to be said.
#[derive(Debug, Clone, Copy)]
struct Key {
    digit: Digit,
    volume: u8,
    lead: u32,
    /// For how long it has been pressed for certain.
    sure: u32,
    /// `None` while it is still pressed.
    millis: Option<u32>,
}

#[derive(Debug)]
struct Current {
    key: Key,
    /// The timestamp of its beginning.
    start: u32,
    /// Milliseconds that have been said.
    said: u32,
    begun: bool,
    /// Where its segment begins, in units of the timestamp after `start`.
    segment: u32,
    /// A segment that is over and how often that is still to be said.
    over: (u32, u8),
    tone: Option<Tone>,
    samples: u32,
    stage: Stage,
}

#[derive(Debug, Clone, Copy)]
enum Stage {
    Speaking,
    /// The end is said so many times more.
    Ending(u8),
    /// So many packets of silence.
    Pause(u8),
}

impl Speaker {
    pub(crate) fn new(voice: Voice) -> Self {
        Self { voice, waiting: VecDeque::with_capacity(MOST_WAITING), current: None, due: 0 }
    }

    pub(crate) fn voice(&self) -> Voice {
        self.voice
    }

    /// Says a key from now on, after those before it: for so many milliseconds, or until it is [let go](Self::let_go). `lead` is for how
    /// long it has been pressed already.
    pub(crate) fn say(
        &mut self,
        digit: Digit,
        volume: u8,
        lead: u32,
        millis: Option<u32>,
        now_millis: u64,
    ) -> Result<(), Unsaid> {
        let sayable = match self.voice {
            Voice::Events { events, .. } => events >> digit.code() & 1 == 1,
            Voice::Tones { .. } => digit != Digit::FLASH,
        };
        if !sayable {
            return Err(Unsaid::Unsayable);
        }
        if self.waiting.len() >= MOST_WAITING {
            return Err(Unsaid::Full);
        }
        if !self.is_busy() {
            self.due = now_millis;
        }
        self.waiting.push_back(Key { digit, volume, lead, sure: lead, millis });
        Ok(())
    }

    /// The key that is pressed has been so for that many milliseconds: no event says more before it is let go.
    pub(crate) fn lasts(&mut self, millis: u32) {
        if let Some(key) = self.pressed() {
            key.sure = key.sure.max(millis);
        }
    }

    /// The key that is pressed is let go, after so many milliseconds.
    pub(crate) fn let_go(&mut self, millis: u32) {
        if let Some(key) = self.pressed() {
            key.millis = Some(millis);
        }
    }

    fn pressed(&mut self) -> Option<&mut Key> {
        let is_pressed = |key: &&mut Key| key.millis.is_none();
        let waiting = self.waiting.iter_mut().rev().find(is_pressed);
        waiting.or(self.current.as_mut().map(|current| &mut current.key).filter(is_pressed))
    }

    /// Whether there is something to be said: other audio waits then.
    pub(crate) fn is_busy(&self) -> bool {
        self.current.is_some() || !self.waiting.is_empty()
    }

    /// When [`tick`](Self::tick) has something to do.
    pub(crate) fn deadline(&self) -> Option<u64> {
        self.is_busy().then_some(self.due)
    }

    /// Says what is due; `timestamp` is that of now.
    pub(crate) fn tick(&mut self, now_millis: u64, timestamp: u32, emit: &mut impl FnMut(Spoken<'_>)) {
        if self.deadline().is_none_or(|due| due > now_millis) {
            return;
        }
        // After a stall it goes on from here.
        self.due = (self.due + INTERVAL_MILLIS).max(now_millis);
        if self.current.is_none()
            && let Some(key) = self.waiting.pop_front()
        {
            self.current = Some(Current::new(key, self.voice, timestamp));
        }
        let Some(current) = &mut self.current else { return };
        let is_over = match self.voice {
            Voice::Events { payload, clock, .. } => current.event(payload, clock, emit),
            Voice::Tones { payload, law } => current.tone(payload, law, emit),
        };
        if is_over {
            self.current = None;
        }
    }
}

impl Current {
    fn new(key: Key, voice: Voice, timestamp: u32) -> Self {
        let (lead, tone) = match voice {
            Voice::Events { clock, .. } => (ticks(key.lead, clock), None),
            // What was not heard of it is played all the same.
            Voice::Tones { .. } => (0, Tone::new(key.digit, key.volume)),
        };
        Self {
            key,
            start: timestamp.wrapping_sub(lead),
            said: if tone.is_none() { key.lead } else { 0 },
            begun: false,
            segment: 0,
            over: (0, 0),
            tone,
            samples: 0,
            stage: Stage::Speaking,
        }
    }

    /// One packet of an event, and what is to be said again of a segment; whether all is said.
    fn event(&mut self, payload: u8, clock: u32, emit: &mut impl FnMut(Spoken<'_>)) -> bool {
        // Only tones have a power (§2.3.4).
        let volume = match (self.key.digit, self.key.volume) {
            (Digit::FLASH, _) => 0,
            (_, 0) => VOLUME,
            (_, volume) => volume,
        };
        let start = self.start;
        let mut report = |marker, segment: u32, duration: u32, end| {
            let duration = u16::try_from(duration).unwrap_or(u16::MAX);
            let body = Event { code: self.key.digit.code(), end, volume, duration }.write();
            emit(Spoken { marker, payload, timestamp: start.wrapping_add(segment), body: &body });
        };
        if let (segment, again @ 1..) = self.over {
            report(false, segment, SEGMENT, false);
            self.over = (segment, again - 1);
        }
        match self.stage {
            Stage::Speaking => {
                let next = match self.key.millis {
                    Some(_) => self.said.saturating_add(INTERVAL),
                    None => self.said.max(self.key.sure).max(INTERVAL),
                };
                let is_over = self.key.millis.is_some_and(|millis| millis <= next);
                // What has been reported is not taken back.
                let millis = if is_over { self.key.millis.unwrap_or(next).max(self.said) } else { next };
                self.said = millis;
                let total = ticks(millis, clock);
                if total - self.segment > SEGMENT {
                    report(!self.begun, self.segment, SEGMENT, false);
                    self.begun = true;
                    self.over = (self.segment, AGAIN);
                    self.segment = self.segment.saturating_add(SEGMENT);
                }
                // No more than one segment at a time, however far ahead the event is: the others follow.
                if total - self.segment > SEGMENT {
                    return false;
                }
                report(!self.begun, self.segment, total - self.segment, is_over);
                self.begun = true;
                if is_over {
                    self.stage = Stage::Ending(AGAIN);
                }
                false
            }
            Stage::Ending(left) => {
                report(false, self.segment, ticks(self.said, clock) - self.segment, true);
                self.stage = if left > 1 { Stage::Ending(left - 1) } else { Stage::Pause(EVENT_PAUSE) };
                false
            }
            Stage::Pause(left) => {
                self.stage = Stage::Pause(left.saturating_sub(1));
                left <= 1
            }
        }
    }

    /// One packet of a tone, or of the silence after it; whether all is said.
    fn tone(&mut self, payload: u8, law: Law, emit: &mut impl FnMut(Spoken<'_>)) -> bool {
        let mut body = [law.silence(); 160];
        let timestamp = self.start.wrapping_add(self.samples);
        let mut is_over = false;
        match self.stage {
            Stage::Speaking | Stage::Ending(_) => {
                let length =
                    self.key.millis.map(|millis| millis.max(LEAST_TONE).saturating_mul(RATE / 1_000));
                let length = length.map(|length| length.max(self.samples.saturating_add(FADE)));
                let length = length.unwrap_or(u32::MAX);
                if let Some(tone) = &mut self.tone {
                    tone.write(law, (self.samples, length), &mut body);
                }
                if length <= self.samples.saturating_add(SAMPLES) {
                    self.stage = Stage::Pause(TONE_PAUSE);
                }
            }
            Stage::Pause(left) => {
                self.stage = Stage::Pause(left.saturating_sub(1));
                is_over = left <= 1;
            }
        }
        self.samples = self.samples.saturating_add(SAMPLES);
        emit(Spoken { marker: false, payload, timestamp, body: &body });
        is_over
    }
}

fn ticks(millis: u32, clock: u32) -> u32 {
    u32::try_from(u64::from(millis) * u64::from(clock) / 1_000).unwrap_or(u32::MAX)
}
