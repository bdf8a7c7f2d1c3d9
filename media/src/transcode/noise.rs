//! Comfort noise (RFC 3389): white, at the level that was stated; the spectrum is left to the listener (§4.2 of it is optional).

use super::codec::Pcm;

/// A source of it.
#[derive(Debug)]
pub(super) struct Noise {
    state: u32,
    /// The largest sample.
    most: i32,
}

impl Noise {
    pub(super) fn new(seed: u32) -> Self {
        Self { state: seed | 1, most: 0 }
    }

    /// Takes the level of a packet, in -dBov (RFC 3389 §3.1); false where it has none.
    pub(super) fn hear(&mut self, payload: &[u8]) -> bool {
        let Some(level) = payload.first() else { return false };
        // Samples that are spread evenly have the square root of 3 times the peak of their mean.
        let peak = 3f32.sqrt() * 32_767.0 * 10f32.powf(-f32::from(level & 0x7f) / 20.0);
        self.most = super::resample::sample(peak).into();
        true
    }

    /// Adds so many samples.
    pub(super) fn make(&mut self, samples: usize, pcm: &mut Pcm) {
        for _ in 0..samples {
            // xorshift32 (Marsaglia)
            self.state ^= self.state << 13;
            self.state ^= self.state >> 17;
            self.state ^= self.state << 5;
            let [high, low, ..] = self.state.to_be_bytes();
            let sample = (i32::from(i16::from_be_bytes([high, low])) * self.most) >> 15;
            pcm.push(i16::try_from(sample).unwrap_or_default());
        }
    }
}
