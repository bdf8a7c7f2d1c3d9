mod audio;
mod bench;
mod events;
mod numbers;
mod reports;
mod translation;
mod words;

use super::receiver::Heard;
use super::{Digit, Law};

/// All keys in the order of a keypad's test.
pub(super) const KEYS: &str = "1234567890*#ABCD";

pub(super) fn digit(name: char) -> Digit {
    Digit::of_name(name).unwrap()
}

/// What was heard, each key with its milliseconds.
pub(super) fn keys(heard: &[Heard]) -> Vec<(char, u32)> {
    heard
        .iter()
        .filter_map(|heard| match heard {
            Heard::Ended { digit, millis } => Some((digit.name(), *millis)),
            Heard::Began { .. } | Heard::Lasts { .. } => None,
        })
        .collect()
}

/// So many milliseconds of a sound, each sample by its number.
pub(super) fn sound(law: Law, millis: usize, sample: impl Fn(f32) -> f32) -> Vec<u8> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "a sound of a test")]
    (0..millis * 8).map(|at| law.encode(sample(at as f32 / 8_000.0) as i16)).collect()
}

/// A sine of that frequency and peak.
pub(super) fn sine(frequency: f32, peak: f32) -> impl Fn(f32) -> f32 {
    move |at| peak * (std::f32::consts::TAU * frequency * at).sin()
}
