//! How good a party's streams are, and whether that is good enough.

use std::time::Duration;

use sdp::Media;

use super::party::{Party, Stream};
use super::{CallMedia, codec, sections};
use crate::PartyId;
use crate::quality::{Quality, Snapshot};

/// From where on a stream is poor; what is not stated is no matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bounds {
    /// The share of packets lost above which it is, in millionths.
    pub loss: Option<u32>,
    /// The jitter above which it is.
    pub jitter: Option<Duration>,
    /// The time to the peer and back above which it is.
    pub round_trip: Option<Duration>,
    /// The mean opinion score below which it is, in hundredths.
    pub mos: Option<u16>,
}

/// How a stream has been since it was judged last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// The media type.
    pub media: String,
    /// Whether it is poor now.
    pub poor: bool,
    /// Loss and how it sounds.
    pub quality: Quality,
    /// The jitter of what the peer sends; zero where it is not known.
    pub received_jitter: Duration,
    /// The jitter of what it gets, as it says.
    pub sent_jitter: Duration,
    /// The time to it and back, where it is known.
    pub round_trip: Option<Duration>,
}

/// What is remembered between two judgements.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    before: Snapshot,
    poor: bool,
    times: u32,
}

impl CallMedia {
    /// Judges a party's streams by what was counted since the last time. Answers those that have become poor, or are so no more.
    pub fn judge(&mut self, party: PartyId, bounds: &Bounds) -> Vec<Judged> {
        let Ok(found) = self.party(party) else { return Vec::new() };
        let names: Vec<_> =
            found.streams.iter().enumerate().map(|(at, of)| encoding(found, at, of)).collect();
        let media: Vec<_> = (0..names.len()).map(|at| media_type(found, at)).collect();
        let Ok(found) = self.party_mut(party) else { return Vec::new() };
        let mut changed = Vec::new();
        for ((stream, encoding), media) in found.streams.iter_mut().zip(names).zip(media) {
            let Some(now) = stream.counters.as_ref().map(|counters| counters.snapshot()) else { continue };
            if stream.link.as_ref().is_none_or(|link| !link.rtp) {
                continue;
            }
            let verdict = stream.verdict.get_or_insert_default();
            let quality = Quality::between(&verdict.before, &now, encoding.as_deref());
            let judged = Judged {
                media,
                poor: false,
                quality,
                received_jitter: if quality.received_loss.is_some() { now.jitter } else { Duration::ZERO },
                sent_jitter: now.told.filter(|_| quality.sent_loss.is_some()).unwrap_or_default().jitter,
                round_trip: now.told.and_then(|told| told.round_trip),
            };
            // Of what nothing came of, nothing is said: silence has a limit of its own.
            let silent = quality.received_loss.is_none() && quality.sent_loss.is_none();
            let poor = if silent { verdict.poor } else { bounds.are_crossed_by(&judged) };
            verdict.before = now;
            if poor != verdict.poor {
                verdict.times += u32::from(poor);
                verdict.poor = poor;
                changed.push(Judged { poor, ..judged });
            }
        }
        changed
    }
}

impl Bounds {
    fn are_crossed_by(&self, judged: &Judged) -> bool {
        let above = |bound: Option<Duration>, span: Duration| bound.is_some_and(|bound| span > bound);
        let quality = &judged.quality;
        let losses = [quality.received_loss, quality.sent_loss].into_iter().flatten();
        let scores = [quality.received_mos, quality.sent_mos].into_iter().flatten();
        self.loss.is_some_and(|bound| losses.clone().any(|loss| loss > bound))
            || self.mos.is_some_and(|bound| scores.clone().any(|score| score < bound))
            || [judged.received_jitter, judged.sent_jitter].into_iter().any(|span| above(self.jitter, span))
            || judged.round_trip.is_some_and(|span| above(self.round_trip, span))
    }
}

impl Stream {
    /// Whether it is poor, as it was judged last, and how often it has become so.
    pub(super) fn poor(&self) -> (bool, u32) {
        self.verdict.as_ref().map_or((false, 0), |verdict| (verdict.poor, verdict.times))
    }
}

/// The encoding of what came last of audio.
pub(super) fn played(theirs: &Media<'_>, payload: Option<u8>) -> Option<String> {
    if theirs.line().media != "audio" {
        return None;
    }
    let payload = payload?.to_string();
    let at = theirs.line().formats().position(|format| format == payload)?;
    codec::names(theirs).into_iter().nth(at)
}

fn encoding(party: &Party, section: usize, stream: &Stream) -> Option<String> {
    let payload = stream.counters.as_ref()?.snapshot().payload;
    let remote = sections::reread(party.remote.as_ref()?);
    played(&remote.media().nth(section)?, payload)
}

fn media_type(party: &Party, section: usize) -> String {
    let remote = party.remote.as_ref().map(sections::reread);
    let media = remote.as_ref().and_then(|remote| remote.media().nth(section));
    media.map(|media| media.line().media.to_owned()).unwrap_or_default()
}
