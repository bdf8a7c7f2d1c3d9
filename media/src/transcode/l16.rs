//! Linear samples of 16 bits, in network order (RFC 3551 §4.5.11).

use super::codec::{Decode, Encode, Pcm};
use super::conceal::Concealer;

/// The decoder.
#[derive(Debug)]
pub(super) struct Decoder {
    rate: u32,
    concealer: Concealer,
}

impl Decoder {
    pub(super) fn new(rate: u32) -> Self {
        Self { rate, concealer: Concealer::new(rate) }
    }
}

impl Decode for Decoder {
    fn rate(&self) -> u32 {
        self.rate
    }

    fn decode(&mut self, payload: &[u8], pcm: &mut Pcm) -> bool {
        let (samples, rest) = payload.as_chunks::<2>();
        if !rest.is_empty() {
            return false;
        }
        let start = pcm.len();
        samples.iter().for_each(|sample| pcm.push(i16::from_be_bytes(*sample)));
        self.concealer.good(pcm.since(start));
        true
    }

    fn conceal(&mut self, samples: usize, pcm: &mut Pcm) {
        self.concealer.conceal(samples, pcm);
    }
}

/// The encoder.
#[derive(Debug)]
pub(super) struct Encoder {
    rate: u32,
}

impl Encoder {
    pub(super) fn new(rate: u32) -> Self {
        Self { rate }
    }
}

impl Encode for Encoder {
    fn rate(&self) -> u32 {
        self.rate
    }

    fn encode(&mut self, pcm: &[i16], out: &mut [u8]) -> Option<usize> {
        let out = out.get_mut(..2 * pcm.len())?;
        let (places, _) = out.as_chunks_mut::<2>();
        places.iter_mut().zip(pcm).for_each(|(place, sample)| *place = sample.to_be_bytes());
        Some(2 * pcm.len())
    }
}
