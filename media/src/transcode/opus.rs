//! Opus (RFC 6716, RFC 7587), with one channel: what comes with two is mixed, and one is sent.
//!
//! It codes and decodes at the rate that the other side of the crossing has, so that nothing is coded that the other side cannot have.

use opus_pure::{Application, OpusDecoder, OpusEncoder, RateControl};

use super::OpusTerms;
use super::codec::{Decode, Encode, Pcm};

/// The work that is spent, of 10: half of it costs a third, and speech sounds the same.
const COMPLEXITY: i32 = 5;
/// The loss in percent that we code for where the peer takes advantage of it.
const EXPECTED_LOSS: i32 = 10;
/// Milliseconds of a packet at the most (RFC 6716 §2.1.4).
const LONGEST: u32 = 120;

/// Rates that Opus has; another one becomes the highest.
fn known(rate: u32) -> u32 {
    if matches!(rate, 8_000 | 12_000 | 16_000 | 24_000) { rate } else { 48_000 }
}

/// The highest rate up to what a peer plays (RFC 7587 §7.1) that other codecs have too.
fn played(playback: u32) -> u32 {
    match playback {
        ..16_000 => 8_000,
        16_000..48_000 => 16_000,
        _ => 48_000,
    }
}

/// The decoder.
pub(super) struct Decoder {
    rate: u32,
    decoder: Option<OpusDecoder>,
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoder").field("rate", &self.rate).finish_non_exhaustive()
    }
}

impl Decoder {
    pub(super) fn new(rate: u32) -> Self {
        let rate = known(rate);
        // All of these rates are Opus's.
        let decoder = OpusDecoder::new(rate.cast_signed(), 1).ok();
        Self { rate, decoder }
    }

    /// Has something decoded into so many samples at the most, and keeps what came of it.
    fn into(
        &mut self,
        pcm: &mut Pcm,
        samples: usize,
        decode: impl FnOnce(&mut OpusDecoder, usize, &mut [i16]) -> opus_pure::Result<usize>,
    ) -> usize {
        let start = pcm.len();
        let room = pcm.grow(samples);
        let samples = room.len();
        let decoded = self.decoder.as_mut().and_then(|decoder| decode(decoder, samples, room).ok());
        let decoded = decoded.unwrap_or_default();
        pcm.truncate(start + decoded);
        decoded
    }
}

impl Decode for Decoder {
    fn rate(&self) -> u32 {
        self.rate
    }

    fn decode(&mut self, payload: &[u8], pcm: &mut Pcm) -> bool {
        let most = usize::try_from(self.rate * LONGEST / 1_000).unwrap_or_default();
        // Nothing at all would be taken for a packet that was lost.
        !payload.is_empty()
            && self.into(pcm, most, |decoder, most, room| decoder.decode_s16(payload, most, room)) > 0
    }

    fn conceal(&mut self, samples: usize, pcm: &mut Pcm) {
        let made = self.into(pcm, samples, |decoder, samples, room| decoder.decode_s16(&[], samples, room));
        pcm.grow(samples.saturating_sub(made));
    }

    fn recover(&mut self, samples: usize, next: &[u8], pcm: &mut Pcm) {
        if next.is_empty() {
            return self.conceal(samples, pcm);
        }
        let made =
            self.into(pcm, samples, |decoder, samples, room| decoder.decode_fec_s16(next, samples, room));
        if made == 0 {
            self.conceal(samples, pcm);
        }
    }
}

/// The encoder.
pub(super) struct Encoder {
    rate: u32,
    encoder: Option<OpusEncoder>,
}

impl std::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Encoder").field("rate", &self.rate).finish_non_exhaustive()
    }
}

impl Encoder {
    pub(super) fn new(rate: u32, terms: OpusTerms) -> Self {
        let rate = known(rate).min(played(terms.playback.unwrap_or(48_000)));
        let mut encoder = OpusEncoder::new(rate.cast_signed(), 1, Application::Voip).ok();
        if let Some(encoder) = &mut encoder {
            // RFC 7587 §3.1.1: where each bandwidth sounds well.
            let usual = match rate {
                8_000 | 12_000 => 16_000,
                16_000 | 24_000 => 28_000,
                _ => 40_000,
            };
            let stated = terms.bitrate.and_then(|stated| i32::try_from(stated).ok());
            encoder.bitrate_bps = stated.map_or(usual, |stated| usual.min(stated.max(6_000)));
            encoder.complexity = COMPLEXITY;
            encoder.use_inband_fec = terms.fec;
            encoder.packet_loss_perc = if terms.fec { EXPECTED_LOSS } else { 0 };
            if terms.constant {
                encoder.rate_control = RateControl::Cbr;
            }
        }
        Self { rate, encoder }
    }
}

impl Encode for Encoder {
    fn rate(&self) -> u32 {
        self.rate
    }

    fn encode(&mut self, pcm: &[i16], out: &mut [u8]) -> Option<usize> {
        self.encoder.as_mut()?.encode_s16(pcm, pcm.len(), out).ok().filter(|length| *length > 0)
    }
}
