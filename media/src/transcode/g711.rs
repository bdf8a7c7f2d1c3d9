//! G.711 with the concealment of its Appendix I.

use super::codec::{Decode, Encode, Pcm};
use super::conceal::Concealer;
use crate::dtmf::Law;

const RATE: u32 = 8_000;

/// The decoder.
#[derive(Debug)]
pub(super) struct Decoder {
    law: Law,
    concealer: Concealer,
}

impl Decoder {
    pub(super) fn new(law: Law) -> Self {
        Self { law, concealer: Concealer::new(RATE) }
    }
}

impl Decode for Decoder {
    fn rate(&self) -> u32 {
        RATE
    }

    fn decode(&mut self, payload: &[u8], pcm: &mut Pcm) -> bool {
        let start = pcm.len();
        payload.iter().for_each(|code| pcm.push(self.law.decode(*code)));
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
    law: Law,
}

impl Encoder {
    pub(super) fn new(law: Law) -> Self {
        Self { law }
    }
}

impl Encode for Encoder {
    fn rate(&self) -> u32 {
        RATE
    }

    fn encode(&mut self, pcm: &[i16], out: &mut [u8]) -> Option<usize> {
        let out = out.get_mut(..pcm.len())?;
        out.iter_mut().zip(pcm).for_each(|(place, sample)| *place = self.law.encode(*sample));
        Some(pcm.len())
    }
}

/// The same sound by the other law, code by code, in place (ITU-T G.711 §3): nothing is lost of it, nor delayed.
pub(super) fn convert(from: Law, to: Law, octets: &mut [u8]) {
    octets.iter_mut().for_each(|octet| *octet = to.encode(from.decode(*octet)));
}
