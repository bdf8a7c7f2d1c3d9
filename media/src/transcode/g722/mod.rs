//! G.722 at 64 kbit/s: two bands of 8,000 samples a second each, by ADPCM (ITU-T G.722, RFC 3551 §4.5.2).

mod band;

use band::{Band, saturate};

use super::codec::{Decode, Encode, Pcm};
use super::conceal::Concealer;

/// Samples a second; the RTP clock says 8,000 (RFC 3551 §4.5.2).
const RATE: u32 = 16_000;
/// Coefficients of the filters that split bands and join them (G.722 table 11), every second one.
const MIRROR: [i32; 12] = [3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11];

/// What a filter remembers: two samples for each coefficient, the oldest first.
#[derive(Debug)]
struct Mirror([[i32; 2]; 12]);

impl Mirror {
    fn new() -> Self {
        Self([[0; 2]; 12])
    }

    /// The sums over the even and the odd places, after these two samples.
    fn turn(&mut self, pair: [i32; 2]) -> (i32, i32) {
        self.0.rotate_left(1);
        if let Some(last) = self.0.last_mut() {
            *last = pair;
        }
        let even = self.0.iter().zip(MIRROR).map(|([first, _], by)| first * by).sum();
        let odd = self.0.iter().zip(MIRROR.iter().rev()).map(|([_, second], by)| second * by).sum();
        (even, odd)
    }
}

/// The encoder.
#[derive(Debug)]
pub(super) struct Encoder {
    mirror: Mirror,
    low: Band,
    high: Band,
}

impl Encoder {
    pub(super) fn new() -> Self {
        Self { mirror: Mirror::new(), low: Band::low(), high: Band::high() }
    }
}

impl Encode for Encoder {
    fn rate(&self) -> u32 {
        RATE
    }

    fn encode(&mut self, pcm: &[i16], out: &mut [u8]) -> Option<usize> {
        let (pairs, _) = pcm.as_chunks::<2>();
        if out.len() < pairs.len() {
            return None;
        }
        for (place, pair) in out.iter_mut().zip(pairs) {
            let (even, odd) = self.mirror.turn(pair.map(i32::from));
            let low = self.low.code_low((odd + even) >> 14);
            let high = self.high.code_high((odd - even) >> 14);
            *place = high << 6 | low;
        }
        Some(pairs.len())
    }
}

/// The decoder.
#[derive(Debug)]
pub(super) struct Decoder {
    mirror: Mirror,
    low: Band,
    high: Band,
    concealer: Concealer,
}

impl Decoder {
    pub(super) fn new() -> Self {
        let (mirror, low, high) = (Mirror::new(), Band::low(), Band::high());
        Self { mirror, low, high, concealer: Concealer::new(RATE) }
    }
}

impl Decode for Decoder {
    fn rate(&self) -> u32 {
        RATE
    }

    fn decode(&mut self, payload: &[u8], pcm: &mut Pcm) -> bool {
        let start = pcm.len();
        for code in payload {
            let low = self.low.decode_low(code & 63);
            let high = self.high.decode_high(code >> 6);
            let (even, odd) = self.mirror.turn([low + high, low - high]);
            pcm.push(saturate(odd >> 11));
            pcm.push(saturate(even >> 11));
        }
        self.concealer.good(pcm.since(start));
        true
    }

    fn conceal(&mut self, samples: usize, pcm: &mut Pcm) {
        self.concealer.conceal(samples, pcm);
    }
}
