//! Finding a header field's name in the bytes of a message.

use super::HeaderName;
use crate::search;

const SLOTS: usize = 1024;

/// Perfect hash of the first bytes: at most one known name per slot (a test checks it).
static BY_HASH: [HeaderName; SLOTS] = by_hash();
/// The first bytes of each name.
static WINDOWS: [u128; HeaderName::ALL.len() + 1] = windows();
/// Compact forms by letter, `a` first.
static BY_LETTER: [HeaderName; 26] = by_letter();

/// Up to 16 bytes, the first lowest, letters in lower case, zeros after their end.
const fn window(bytes: u128, len: usize) -> u128 {
    let kept = if len < 16 { bytes & ((1 << (8 * len)) - 1) } else { bytes };
    // bit 6 tells letters from digits and `-`
    kept | ((kept & search::repeat(0x40)) >> 1)
}

/// The factor was searched so that known names don't collide.
#[expect(clippy::cast_possible_truncation, reason = "both halves are taken")]
const fn hash(window: u128) -> usize {
    let folded = window as u64 ^ (window >> 64) as u64;
    (folded.wrapping_mul(0xd2d2_aa02_d7c8_0919) >> 54) as usize
}

#[expect(clippy::indexing_slicing, reason = "evaluated at compile time only")]
const fn windows() -> [u128; HeaderName::ALL.len() + 1] {
    let mut table = [0; HeaderName::ALL.len() + 1];
    let mut i = 0;
    while i < HeaderName::ALL.len() {
        let text = HeaderName::ALL[i].as_str().as_bytes();
        let mut bytes = 0;
        let mut at = 0;
        while at < text.len() && at < 16 {
            bytes |= (text[at] as u128) << (8 * at);
            at += 1;
        }
        table[HeaderName::ALL[i] as usize] = window(bytes, at);
        i += 1;
    }
    table
}

#[expect(clippy::indexing_slicing, reason = "evaluated at compile time only")]
const fn by_hash() -> [HeaderName; SLOTS] {
    let windows = windows();
    let mut table = [HeaderName::Unknown; SLOTS];
    let mut i = 0;
    while i < HeaderName::ALL.len() {
        table[hash(windows[i])] = HeaderName::ALL[i];
        i += 1;
    }
    table
}

#[expect(clippy::indexing_slicing, reason = "evaluated at compile time only")]
const fn by_letter() -> [HeaderName; 26] {
    let mut table = [HeaderName::Unknown; 26];
    let mut i = 0;
    while i < HeaderName::ALL.len() {
        if let Some(letter) = HeaderName::ALL[i].compact() {
            table[(letter as u8 - b'a') as usize] = HeaderName::ALL[i];
        }
        i += 1;
    }
    table
}

impl HeaderName {
    /// The name spelt `text`, long or compact form, in any case (RFC 3261 §7.3.1, §7.3.3).
    #[must_use]
    pub fn from_bytes(text: &[u8]) -> Self {
        let start = match text.first_chunk() {
            Some(&start) => start,
            None => {
                let mut start = [0; 16];
                start.iter_mut().zip(text).for_each(|(to, &from)| *to = from);
                start
            }
        };
        match by_start(u128::from_le_bytes(start), text.len()) {
            name if text.len() <= 16 || text.eq_ignore_ascii_case(name.as_str().as_bytes()) => name,
            _ => Self::Unknown,
        }
    }

    /// The name that a colon follows at the start of `line`, and its length; `None` if that is not so, if a space is
    /// before the colon or if the name has more than 15 bytes.
    #[inline]
    pub(crate) fn before_colon(line: &[u8]) -> Option<(Self, usize)> {
        let start = u128::from_le_bytes(*line.first_chunk()?);
        let colon = search::first(start, b':')?;
        match by_start(start, colon) {
            Self::Unknown => None,
            name => Some((name, colon)),
        }
    }
}

/// The name of `len` bytes that starts with `start`; bytes after the sixteenth are not looked at.
#[inline]
fn by_start(start: u128, len: usize) -> HeaderName {
    let window = window(start, len);
    if len == 1 {
        let letter = u8::try_from(window).unwrap_or_default();
        return BY_LETTER.get(usize::from(letter.wrapping_sub(b'a'))).copied().unwrap_or(HeaderName::Unknown);
    }
    let name = BY_HASH.get(hash(window)).copied().unwrap_or(HeaderName::Unknown);
    let same = WINDOWS.get(name as usize) == Some(&window) && name.as_str().len() == len;
    if same { name } else { HeaderName::Unknown }
}
