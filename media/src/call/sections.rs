//! Reading stored descriptions again: they are kept as text, which costs less than a parsed form would.

use bytes::Bytes;
use sdp::{Description, Limits};

use crate::negotiate::Refusal;

pub(super) fn parse(text: &Bytes, limits: &Limits) -> Result<Description, Refusal> {
    Description::parse(text.clone(), limits).map_err(Refusal::Malformed)
}

/// Reads a description of ours: one that was made from a peer's at the limit may be beyond it by the lines we add.
pub(super) fn parse_own(text: &Bytes, limits: &Limits) -> Result<Description, Refusal> {
    let Limits { bytes, lines, media } = *limits;
    parse(text, &Limits { bytes: bytes.saturating_mul(2), lines: lines.saturating_mul(2), media })
}

/// The number of media sections of an offer of ours.
pub(super) fn count(offer: &Bytes, limits: &Limits) -> usize {
    parse_own(offer, limits).map_or(0, |description| description.media().count())
}

/// The version in the `o=` line of a description of ours.
pub(super) fn version(text: &Bytes) -> Option<u64> {
    let line = text.split(|byte| *byte == b'\n').nth(1)?;
    std::str::from_utf8(line).ok()?.split(' ').nth(2)?.parse().ok()
}
