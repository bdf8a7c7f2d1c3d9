//! Tones, and what is heard of them.

use std::f64::consts::TAU;

/// A tone of so many samples; `peak` is its largest.
pub(super) fn tone(rate: u32, frequency: f64, peak: f64, samples: usize) -> Vec<i16> {
    let time = |at: usize| at as f64 / f64::from(rate);
    (0..samples).map(|at| rounded(peak * (TAU * frequency * time(at)).sin())).collect()
}

#[expect(clippy::cast_possible_truncation, reason = "a cast of floats saturates")]
fn rounded(sample: f64) -> i16 {
    sample.round() as i16
}

/// How much there is of a frequency, as the peak of a tone that has it.
pub(super) fn heard(samples: &[i16], rate: u32, frequency: f64) -> f64 {
    let (mut real, mut imaginary) = (0.0, 0.0);
    for (at, sample) in samples.iter().enumerate() {
        // Hann's window, so that nothing but neighbours is heard with it.
        let window = 1.0 - (TAU * at as f64 / samples.len() as f64).cos();
        let angle = TAU * frequency * at as f64 / f64::from(rate);
        real += f64::from(*sample) * window * angle.cos();
        imaginary += f64::from(*sample) * window * angle.sin();
    }
    2.0 * real.hypot(imaginary) / samples.len() as f64
}

/// The frequency of which there is most, between two, in Hz.
pub(super) fn loudest(samples: &[i16], rate: u32, (from, to): (u32, u32)) -> f64 {
    let candidates = (from..=to).map(f64::from);
    candidates.max_by(|a, b| heard(samples, rate, *a).total_cmp(&heard(samples, rate, *b))).unwrap()
}

/// The level of samples as that of a tone with such a peak.
pub(super) fn level(samples: &[i16]) -> f64 {
    let power: f64 = samples.iter().map(|sample| f64::from(*sample).powi(2)).sum();
    (2.0 * power / samples.len() as f64).sqrt()
}

/// How one level is to another, in dB.
pub(super) fn decibels(level: f64, to: f64) -> f64 {
    20.0 * (level / to).log10()
}

/// A packet of RTP.
pub(super) fn rtp(
    payload: u8,
    marker: bool,
    sequence: u16,
    timestamp: u32,
    ssrc: u32,
    body: &[u8],
) -> Vec<u8> {
    let mut packet = vec![0x80, u8::from(marker) << 7 | payload];
    packet.extend(sequence.to_be_bytes());
    packet.extend(timestamp.to_be_bytes());
    packet.extend(ssrc.to_be_bytes());
    packet.extend(body);
    packet
}
