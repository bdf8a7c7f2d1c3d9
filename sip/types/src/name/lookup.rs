//! Finding a header field's name in the bytes of a message.

use super::HeaderName;
use crate::search;

const SLOTS: usize = 1024;

/// Perfect hash of the windows: at most one known name per slot (a test checks it).
static BY_HASH: [HeaderName; SLOTS] = by_hash();
/// By name; of one that is longer, the first 16 bytes.
static WINDOWS: [Window; HeaderName::ALL.len() + 1] = windows();
/// Compact forms by letter, `a` first.
static BY_LETTER: [HeaderName; 26] = by_letter();

/// The start of a header line: name and colon, letters in lower case, zeros after the colon.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Window {
    low: u64,
    high: u64,
}

impl Window {
    const fn new(low: u64, high: u64) -> Self {
        Self { low: lower(low), high: lower(high) }
    }

    #[expect(clippy::cast_possible_truncation, reason = "both halves are taken")]
    const fn of(text: &[u8]) -> Self {
        let start = match text.first_chunk() {
            Some(&start) => start,
            None => with_colon(text),
        };
        let start = u128::from_le_bytes(start);
        Self::new(start as u64, (start >> 64) as u64)
    }

    /// The factor was searched so that known names don't collide.
    const fn slot(self) -> usize {
        ((self.low ^ self.high).wrapping_mul(0xdc4d_8bb3_0943_5a8d) >> 54) as usize
    }

    #[inline]
    fn name(self) -> HeaderName {
        match BY_HASH.get(self.slot()) {
            Some(&name) if WINDOWS.get(name as usize) == Some(&self) => name,
            _ => HeaderName::Unknown,
        }
    }
}

/// A name of less than 16 bytes, its colon and zeros.
#[expect(clippy::indexing_slicing, reason = "`at` is below 16 and within the name")]
const fn with_colon(name: &[u8]) -> [u8; 16] {
    let mut start = [0; 16];
    let mut at = 0;
    while at < name.len() && at < 15 {
        start[at] = name[at];
        at += 1;
    }
    start[at] = b':';
    start
}

/// Letters in lower case: bit 6 tells them from the other characters of names.
const fn lower(word: u64) -> u64 {
    word | ((word & search::repeat(0x40)) >> 1)
}

#[expect(clippy::indexing_slicing, reason = "evaluated at compile time only")]
const fn windows() -> [Window; HeaderName::ALL.len() + 1] {
    let mut table = [Window::new(0, 0); HeaderName::ALL.len() + 1];
    let mut i = 0;
    while i < HeaderName::ALL.len() {
        table[i] = Window::of(HeaderName::ALL[i].as_str().as_bytes());
        i += 1;
    }
    table
}

#[expect(clippy::indexing_slicing, reason = "evaluated at compile time only")]
const fn by_hash() -> [HeaderName; SLOTS] {
    let mut table = [HeaderName::Unknown; SLOTS];
    let mut i = 0;
    while i < HeaderName::ALL.len() {
        table[WINDOWS[i].slot()] = HeaderName::ALL[i];
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
        if let &[letter] = text {
            return compact(letter);
        }
        match Window::of(text).name() {
            name if text.len() < 16 || text.eq_ignore_ascii_case(name.as_str().as_bytes()) => name,
            _ => Self::Unknown,
        }
    }

    /// The name that a colon follows at the start of `line`, and its length; `None` if that is not so, if a space is
    /// before the colon or if the name has more than 15 bytes.
    #[inline]
    pub(crate) fn before_colon(line: &[u8]) -> Option<(Self, usize)> {
        let (&[low, high], []) = line.first_chunk::<16>()?.as_chunks() else { return None };
        let (low, high) = (u64::from_le_bytes(low), u64::from_le_bytes(high));
        let hits = search::hits(low, b':');
        let (window, len) = if hits != 0 {
            (Window::new(low & up_to(hits), 0), search::index(hits))
        } else {
            let hits = search::hits(high, b':');
            if hits == 0 {
                return None;
            }
            (Window::new(low, high & up_to(hits)), search::index(hits) + 8)
        };
        let name = if len == 1 { compact(line.first().copied().unwrap_or_default()) } else { window.name() };
        (name != Self::Unknown).then_some((name, len))
    }
}

/// The bits up to the lowest one of `hits`.
#[inline]
fn up_to(hits: u64) -> u64 {
    hits ^ hits.wrapping_sub(1)
}

#[inline]
fn compact(letter: u8) -> HeaderName {
    let at = (letter | 0x20).wrapping_sub(b'a');
    match BY_LETTER.get(usize::from(at)) {
        Some(&name) if letter.is_ascii_alphabetic() => name,
        _ => HeaderName::Unknown,
    }
}
