//! Hearing events (RFC 4733 §2.5.2): each once, whatever of its packets is lost or comes again.

use super::{Digit, Event};

/// An event of which nothing comes any more ends after so long where it is said at the same time: three packet intervals of 50 ms (RFC
/// 4733 §2.5.2.2).
pub(crate) const PATIENCE_MILLIS: u64 = 150;
/// The same where it is only told of once it is over: what is wrong then is not how long a tone is, but a key that is told too early.
pub(crate) const PATIENCE_TO_TELL_MILLIS: u64 = 500;

/// A report that is no more than this behind the last event, in seconds, is of that or of one before it.
const MEMORY_SECONDS: u32 = 10;

/// The longest duration that a report can have.
const SEGMENT: u32 = 0xffff;

/// What is heard of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heard {
    /// It is pressed. `lead` says for how many milliseconds it has been so before it was noticed.
    Began { digit: Digit, volume: u8, lead: u32 },
    /// It has been pressed for so many milliseconds.
    Lasts { millis: u32 },
    /// It is let go after so many milliseconds.
    Ended { digit: Digit, millis: u32 },
}

/// The events of one source.
#[derive(Debug)]
pub(crate) struct Receiver {
    clock: u32,
    patience: u64,
    ssrc: Option<u32>,
    playing: Option<Playing>,
    /// The timestamp of the last segment of the last event that is over.
    over: Option<u32>,
}

#[derive(Debug, Clone, Copy)]
struct Playing {
    digit: Digit,
    /// The timestamp of the segment that is being reported.
    segment: u32,
    /// What the segments before it lasted.
    before: u32,
    /// How long it lasts so far.
    duration: u32,
    heard_at: u64,
}

impl Receiver {
    /// For events with that clock rate in Hz, of which one is over after so many milliseconds without a packet of it.
    pub(crate) fn new(clock: u32, patience: u64) -> Self {
        Self { clock: clock.max(1), patience, ssrc: None, playing: None, over: None }
    }

    /// A packet of events.
    pub(crate) fn packet(
        &mut self,
        (ssrc, timestamp, marker): (u32, u32, bool),
        payload: &[u8],
        now_millis: u64,
        heard: &mut impl FnMut(Heard),
    ) {
        if self.ssrc.replace(ssrc).is_some_and(|before| before != ssrc) {
            self.end(heard);
            self.over = None;
        }
        let mut at = timestamp;
        for event in Event::all(payload) {
            self.report(at, marker, event, now_millis, heard);
            at = at.wrapping_add(event.duration.into());
        }
    }

    fn report(&mut self, at: u32, marker: bool, event: Event, now: u64, heard: &mut impl FnMut(Heard)) {
        let Some(digit) = event.digit() else { return };
        let duration = u32::from(event.duration);
        match &mut self.playing {
            Some(playing) if playing.digit == digit && playing.segment == at => {
                playing.duration = playing.duration.max(duration);
                playing.heard_at = now;
            }
            // The next segment of a long one (§2.5.2.3).
            Some(playing)
                if playing.digit == digit && !marker && at == playing.segment.wrapping_add(SEGMENT) =>
            {
                playing.before = playing.before.saturating_add(SEGMENT);
                (playing.segment, playing.duration, playing.heard_at) = (at, duration, now);
            }
            Some(playing) if is_behind(self.clock, at, playing.segment) => return,
            None if self.over.is_some_and(|over| is_behind(self.clock, at, over)) => return,
            _ => {
                self.end(heard);
                self.playing = Some(Playing { digit, segment: at, before: 0, duration, heard_at: now });
                heard(Heard::Began { digit, volume: event.volume, lead: 0 });
            }
        }
        if event.end {
            self.end(heard);
        } else if let Some(playing) = self.playing {
            heard(Heard::Lasts { millis: self.millis(playing) });
        }
    }

    /// When [`pass_time`](Self::pass_time) has something to do.
    pub(crate) fn deadline(&self) -> Option<u64> {
        self.playing.map(|playing| playing.heard_at + self.patience)
    }

    /// Ends an event of which nothing comes any more.
    pub(crate) fn pass_time(&mut self, now_millis: u64, heard: &mut impl FnMut(Heard)) {
        if self.deadline().is_some_and(|deadline| deadline <= now_millis) {
            self.end(heard);
        }
    }

    fn end(&mut self, heard: &mut impl FnMut(Heard)) {
        let Some(playing) = self.playing.take() else { return };
        self.over = Some(playing.segment);
        heard(Heard::Ended { digit: playing.digit, millis: self.millis(playing) });
    }

    fn millis(&self, playing: Playing) -> u32 {
        let ticks = u64::from(playing.before) + u64::from(playing.duration);
        u32::try_from(ticks * 1_000 / u64::from(self.clock)).unwrap_or(u32::MAX)
    }
}

/// Whether a timestamp is that one, or one before it that may still come.
fn is_behind(clock: u32, at: u32, of: u32) -> bool {
    of.wrapping_sub(at) <= clock.saturating_mul(MEMORY_SECONDS)
}
