//! Making the tones of a key (ITU-T Q.23, Q.24).

use super::{Digit, Law};

/// Samples a second of what is made and heard.
pub(crate) const RATE: u32 = 8_000;

/// How long a tone takes to reach its level, and to leave it: without that it clicks.
const RAMP: u32 = RATE * 3 / 1_000;

/// The level of each of the two frequencies in dBm0, its sign dropped, where nothing is said of it: the high one is 2 dB above the
/// low one, as telephones send them (ETSI ES 201 235-2 §4.2.3).
const NOMINAL: u8 = 9;

/// What one sine of 0 dBm0 has as its peak: full load is +3.14 dBm0 in A-law, +3.17 dBm0 in µ-law (ITU-T G.711).
const PEAK: f32 = 32_768.0 * 0.696;

/// Two frequencies that go on from packet to packet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tone {
    low: Oscillator,
    high: Oscillator,
}

/// A sine by its recurrence: the sample before, and the one before that.
#[derive(Debug, Clone, Copy)]
struct Oscillator {
    factor: f32,
    last: f32,
    before: f32,
}

impl Oscillator {
    fn new(frequency: u16, peak: f32) -> Self {
        let step = std::f32::consts::TAU * f32::from(frequency) / 8_000.0;
        Self { factor: 2.0 * step.cos(), last: 0.0, before: -peak * step.sin() }
    }

    fn next(&mut self) -> f32 {
        let next = self.factor * self.last - self.before;
        (self.before, self.last) = (self.last, next);
        self.before
    }
}

/// The part of full power that so many dB below it are.
fn below(decibel: u8) -> f32 {
    10f32.powf(-f32::from(decibel) / 20.0)
}

impl Tone {
    /// The tone of a key, with the power of both frequencies together that an event has (RFC 4733 §2.3.5); 0 is nothing that was
    /// said. `None` for the hook flash, which is none.
    pub(crate) fn new(digit: Digit, volume: u8) -> Option<Self> {
        let (low, high) = digit.frequencies()?;
        // Louder ones would be clipped, quieter ones not be heard (ITU-T Q.24 table 1).
        let each = if volume == 0 { NOMINAL } else { (volume + 3).clamp(6, 25) };
        let peak = PEAK * below(each);
        Some(Self { low: Oscillator::new(low, peak * below(2)), high: Oscillator::new(high, peak) })
    }

    /// Writes samples of it, of which the first is the one of that number and all together are `length`; silence after that.
    pub(crate) fn write(&mut self, law: Law, (mut at, length): (u32, u32), out: &mut [u8]) {
        for code in out {
            let sample = self.low.next() + self.high.next();
            let ramp = at.min(length.saturating_sub(at)).min(RAMP);
            *code = if at < length { law.encode(rounded(sample, ramp)) } else { law.silence() };
            at = at.saturating_add(1);
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "saturates, which is what a converter does")]
fn rounded(sample: f32, ramp: u32) -> i16 {
    let ramp = u16::try_from(ramp).map_or(1.0, |ramp| f32::from(ramp) * 1_000.0 / (8_000.0 * 3.0));
    (sample * ramp) as i16
}
