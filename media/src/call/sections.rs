//! Reading stored descriptions again: they are kept as text, which costs less than a parsed form would.

use bytes::Bytes;
use sdp::{Description, Limits};

use crate::negotiate::Refusal;

pub(super) fn parse(text: &Bytes, limits: &Limits) -> Result<Description, Refusal> {
    Description::parse(text.clone(), limits).map_err(Refusal::Malformed)
}

/// The number of media sections of a description that was read before.
pub(super) fn count(text: &Bytes, limits: &Limits) -> usize {
    parse(text, limits).map_or(0, |description| description.media().count())
}

/// The version in the `o=` line of a description of ours.
pub(super) fn version(text: &Bytes) -> Option<u64> {
    let line = text.split(|byte| *byte == b'\n').nth(1)?;
    std::str::from_utf8(line).ok()?.split(' ').nth(2)?.parse().ok()
}
