//! What a codec does.

use super::{Coding, OpusTerms, g711, g722, l16, opus};

/// The longest that is decoded of one packet, in samples: 120 ms at 48 kHz (RFC 6716 §2.1.4).
pub(super) const MOST_SAMPLES: usize = 5_760;
/// What waits to be coded beside that: a packet of 60 ms that is not full.
const MOST_WAITING: usize = 2_880;

/// Linear samples of 16 bits, in room that is made once: what does not fit is left out.
#[derive(Debug)]
pub(super) struct Pcm {
    samples: Box<[i16]>,
    length: usize,
}

impl Pcm {
    pub(super) fn new() -> Self {
        Self { samples: vec![0; MOST_SAMPLES + MOST_WAITING].into(), length: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.length
    }

    pub(super) fn clear(&mut self) {
        self.length = 0;
    }

    pub(super) fn push(&mut self, sample: i16) {
        if let Some(place) = self.samples.get_mut(self.length) {
            *place = sample;
            self.length += 1;
        }
    }

    /// So many samples more, as far as there is room.
    pub(super) fn grow(&mut self, samples: usize) -> &mut [i16] {
        let start = self.length;
        self.length = (start + samples).min(self.samples.len());
        let grown = self.samples.get_mut(start..self.length).unwrap_or_default();
        grown.fill(0);
        grown
    }

    pub(super) fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length);
    }

    pub(super) fn all(&self) -> &[i16] {
        self.samples.get(..self.length).unwrap_or_default()
    }

    /// Those from a place on.
    pub(super) fn since(&mut self, start: usize) -> &mut [i16] {
        self.samples.get_mut(start..self.length).unwrap_or_default()
    }

    /// Takes so many away at the front.
    pub(super) fn take(&mut self, samples: usize) {
        let samples = samples.min(self.length);
        self.samples.copy_within(samples..self.length, 0);
        self.length -= samples;
    }
}

/// From packets to samples.
pub(super) trait Decode: Send + std::fmt::Debug {
    /// Samples a second.
    fn rate(&self) -> u32;

    /// Adds the samples of a packet; false where it is none of the codec's, and nothing is added.
    fn decode(&mut self, payload: &[u8], pcm: &mut Pcm) -> bool;

    /// Adds what might have been in so many lost samples.
    fn conceal(&mut self, samples: usize, pcm: &mut Pcm);

    /// The same right before a packet that has come, which may have something of it.
    fn recover(&mut self, samples: usize, _next: &[u8], pcm: &mut Pcm) {
        self.conceal(samples, pcm);
    }
}

/// From samples to packets.
pub(super) trait Encode: Send + std::fmt::Debug {
    /// Samples a second.
    fn rate(&self) -> u32;

    /// Writes the payload of one packet; `None` where there is none.
    fn encode(&mut self, pcm: &[i16], out: &mut [u8]) -> Option<usize>;
}

/// A decoder. `rate` is that of whoever takes the samples: a codec that has more than one adopts it.
pub(super) fn decoder(coding: Coding, rate: u32) -> Box<dyn Decode> {
    match coding {
        Coding::G711(law) => Box::new(g711::Decoder::new(law)),
        Coding::G722 => Box::new(g722::Decoder::new()),
        Coding::L16(clock) => Box::new(l16::Decoder::new(clock.hertz())),
        Coding::Opus => Box::new(opus::Decoder::new(rate)),
    }
}

/// An encoder; `rate` as with decoders.
pub(super) fn encoder(coding: Coding, rate: u32, terms: OpusTerms) -> Box<dyn Encode> {
    match coding {
        Coding::G711(law) => Box::new(g711::Encoder::new(law)),
        Coding::G722 => Box::new(g722::Encoder::new()),
        Coding::L16(clock) => Box::new(l16::Encoder::new(clock.hertz())),
        Coding::Opus => Box::new(opus::Encoder::new(rate, terms)),
    }
}
