//! A tone to send, and the ear that recognises one.

use super::alaw;
use std::f64::consts::TAU;

/// Samples a second.
pub(super) const RATE: u32 = 8000;
/// Samples in one packet of 20 ms, and bytes in PCMA.
pub(super) const FRAME: u16 = 160;
/// How loud a tone is: a quarter of full scale.
const AMPLITUDE: f64 = 8000.0;
/// Samples that the ear looks at together: 50 ms, so that multiples of [`STEP`] don't disturb each other.
const BLOCK: usize = 400;
/// The least distance between two frequencies that the ear tells apart, in Hz.
const STEP: u32 = 20;
/// The frequencies that the ear knows, in steps: 300 Hz to 3400 Hz, what a telephone line carries.
const KNOWN: std::ops::RangeInclusive<u32> = 15..=170;
/// The part of a block's energy that one frequency must have to be its tone.
const DOMINANT: f64 = 0.5;

/// One second of a tone in PCMA; it begins again without a step, as `frequency` is in whole Hz.
pub(super) fn table(frequency: u32) -> Vec<u8> {
    (0..RATE).map(|n| alaw::encode(sample(f64::from(frequency) * f64::from(n) / f64::from(RATE)))).collect()
}

#[expect(clippy::cast_possible_truncation, reason = "the amplitude is within 16 bits")]
fn sample(turns: f64) -> i16 {
    (AMPLITUDE * (TAU * turns).sin()).round() as i16
}

/// What the ear has recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Recognised {
    /// The frequency that most blocks had, in Hz, to the nearest 20.
    pub(crate) frequency: u32,
    /// How many of all blocks had it, in per cent.
    pub(crate) percent: u32,
}

/// Listens to PCMA and says which tone it is.
#[derive(Debug, Default)]
pub(super) struct Ear {
    block: Vec<f64>,
    blocks: u32,
    /// How many blocks had each of the known frequencies.
    votes: Vec<u32>,
}

impl Ear {
    /// Takes the next samples.
    pub(super) fn hear(&mut self, payload: &[u8]) {
        for code in payload {
            self.block.push(f64::from(alaw::decode(*code)));
            if self.block.len() == BLOCK {
                self.vote();
                self.block.clear();
            }
        }
    }

    /// What it was, once a whole block was heard.
    pub(super) fn recognised(&self) -> Option<Recognised> {
        let (step, votes) = KNOWN.zip(&self.votes).max_by_key(|(_, votes)| **votes)?;
        let percent = votes.saturating_mul(100).checked_div(self.blocks)?;
        (percent > 0).then_some(Recognised { frequency: step * STEP, percent })
    }

    fn vote(&mut self) {
        self.blocks = self.blocks.saturating_add(1);
        self.votes.resize(KNOWN.count(), 0);
        let energy: f64 = self.block.iter().map(|s| s * s).sum();
        let strongest = KNOWN
            .zip(&mut self.votes)
            .map(|(step, votes)| (power(&self.block, step * STEP), votes))
            .max_by(|(one, _), (other, _)| one.total_cmp(other));
        // A pure tone has half the block's length times its energy as its power.
        let Some((power, votes)) = strongest else { return };
        if power > DOMINANT * energy * (BLOCK as f64) / 2.0 {
            *votes += 1;
        }
    }
}

/// The power of one frequency in a block (Goertzel's algorithm).
fn power(block: &[f64], frequency: u32) -> f64 {
    let coefficient = 2.0 * (TAU * f64::from(frequency) / f64::from(RATE)).cos();
    let (one, two) = block.iter().fold((0.0, 0.0), |(one, two), s| (s + coefficient * one - two, one));
    one * one + two * two - coefficient * one * two
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(payload: &[u8]) -> Option<Recognised> {
        let mut ear = Ear::default();
        payload.chunks(usize::from(FRAME)).for_each(|frame| ear.hear(frame));
        ear.recognised()
    }

    #[test]
    fn a_tone_is_recognised() {
        for frequency in [300, 440, 620, 1000, 3400] {
            assert_eq!(heard(&table(frequency)), Some(Recognised { frequency, percent: 100 }));
        }
    }

    #[test]
    fn the_frequency_that_lasted_longest_is_the_one() {
        let mut sound = table(440);
        sound.extend_from_slice(table(620).get(..2000).unwrap());
        assert_eq!(heard(&sound), Some(Recognised { frequency: 440, percent: 80 }));
    }

    #[test]
    fn silence_noise_and_nothing_are_no_tone() {
        assert_eq!(heard(&[]), None);
        assert_eq!(heard(&[0xd5; 8000]), None);
        let mut state = 1u32;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        })
        .take(8000)
        .collect();
        assert_eq!(heard(&noise), None);
    }
}
