//! From one rate to another: a polyphase filter (Crochiere and Rabiner, "Multirate Digital Signal Processing", §3.3).

use std::f64::consts::PI;

use super::codec::Pcm;

/// Samples of the lower rate that the filter sees at a time: half of them is its delay, 3 ms at 8 kHz.
const SPAN: u32 = 48;
/// Where it lets half of the sound pass, in parts of the lower rate: at 8 kHz 3,400 Hz pass whole, above 4,100 Hz nothing.
const EDGE: f64 = 0.47;
/// The shape of its window (Kaiser): what should not pass is 70 dB less.
const BETA: f64 = 6.76;

/// A filter with what it remembers.
#[derive(Debug)]
pub(super) struct Resampler {
    up: usize,
    down: usize,
    /// The coefficients of one phase after the other.
    phases: Box<[f32]>,
    taps: usize,
    /// The last samples, the newest last.
    history: Box<[f32]>,
    phase: usize,
}

impl Resampler {
    /// From one rate in Hz to another, of 8,000, 16,000 and 48,000; `None` where they are the same.
    pub(super) fn new(from: u32, to: u32) -> Option<Self> {
        let divisor = greatest_common_divisor(from, to);
        if from == to || divisor == 0 {
            return None;
        }
        let (up, down) = (to / divisor, from / divisor);
        let low = f64::from(from.min(to));
        // At the rate that both are parts of.
        let high = f64::from(from) * f64::from(up);
        let taps = SPAN * from / from.min(to);
        let length = taps * up;
        let middle = f64::from(length - 1) / 2.0;
        let cutoff = EDGE * low / high;
        let tap = |number: u32| {
            let at = f64::from(number) - middle;
            let sinc = if at == 0.0 { 2.0 * cutoff } else { (2.0 * PI * cutoff * at).sin() / (PI * at) };
            let place = at / (middle + 1.0);
            sinc * bessel(BETA * (1.0 - place * place).max(0.0).sqrt()) / bessel(BETA) * f64::from(up)
        };
        let phases = (0..up).flat_map(|phase| (0..taps).rev().map(move |nth| nth * up + phase));
        let phases = phases.map(|number| single(tap(number))).collect();
        let size = |number: u32| usize::try_from(number).unwrap_or(1);
        let history = vec![0.0; size(taps)].into();
        Some(Self { up: size(up), down: size(down), phases, taps: size(taps), history, phase: 0 })
    }

    /// Adds what samples become.
    pub(super) fn run(&mut self, samples: &[i16], pcm: &mut Pcm) {
        for next in samples {
            self.history.rotate_left(1);
            if let Some(last) = self.history.last_mut() {
                *last = f32::from(*next);
            }
            while self.phase < self.up {
                let start = self.phase * self.taps;
                let phase = self.phases.get(start..start + self.taps).unwrap_or_default();
                let sum: f32 = phase.iter().zip(&self.history).map(|(by, of)| by * of).sum();
                pcm.push(sample(sum));
                self.phase += self.down;
            }
            self.phase -= self.up;
        }
    }
}

fn greatest_common_divisor(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

/// The modified Bessel function of the first kind and order 0.
fn bessel(x: f64) -> f64 {
    let (mut sum, mut term) = (1.0, 1.0);
    for number in 1..40 {
        let half = x / (2.0 * f64::from(number));
        term *= half * half;
        sum += term;
    }
    sum
}

#[expect(clippy::cast_possible_truncation, reason = "coefficients need no more than 24 bits")]
fn single(number: f64) -> f32 {
    number as f32
}

/// As a sample of 16 bits.
#[expect(clippy::cast_possible_truncation, reason = "a cast of floats saturates")]
pub(super) fn sample(number: f32) -> i16 {
    number.round() as i16
}
