//! Reading stored descriptions again: they are kept as text, which costs less than a parsed form would.

use bytes::Bytes;
use sdp::{Description, Limits};

use crate::negotiate::Refusal;

/// Reads a description that has come.
pub(super) fn parse(text: &Bytes, limits: &Limits) -> Result<Description, Refusal> {
    Description::parse(text.clone(), limits).map_err(Refusal::Malformed)
}

/// Reads one again that has come before, or that we made.
pub(super) fn reread(text: &Bytes) -> Description {
    Description::reread(text.clone())
}

/// The number of media sections of an offer of ours.
pub(super) fn count(offer: &Bytes) -> usize {
    reread(offer).media_count()
}

/// The version in the `o=` line of a description of ours.
pub(super) fn version(text: &Bytes) -> Option<u64> {
    let line = text.split(|byte| *byte == b'\n').nth(1)?;
    std::str::from_utf8(line).ok()?.split(' ').nth(2)?.parse().ok()
}
