//! Character classes of the SIP grammar (RFC 3261 §25.1), one table look-up each.

use crate::search;

/// `token`.
pub(crate) const TOKEN: u16 = 1;
/// `user` without escapes; `#` too, since feature codes are dialled unescaped.
pub(crate) const USER: u16 = 1 << 1;
/// `password` without escapes.
pub(crate) const PASSWORD: u16 = 1 << 2;
/// `paramchar` without escapes.
pub(crate) const PARAM_NAME: u16 = 1 << 3;
/// `paramchar` without escapes; `=` too, which gateways put inside values.
pub(crate) const PARAM_VALUE: u16 = 1 << 4;
/// `hvalue` without escapes.
pub(crate) const HEADER_VALUE: u16 = 1 << 5;
/// Letters, digits and (against the grammar of `hostname`, but common) `_`.
pub(crate) const LABEL: u16 = 1 << 6;
/// `gen-value` that is not a quoted string: any visible ASCII that ends nothing.
pub(crate) const GEN_VALUE: u16 = 1 << 7;
/// Unquoted `display-name` without the characters that start something else.
pub(crate) const DISPLAY: u16 = 1 << 8;
/// `uric` without escapes, with the RFC 3986 additions.
pub(crate) const URIC: u16 = 1 << 9;
/// `scheme` after its first letter.
pub(crate) const SCHEME: u16 = 1 << 10;
/// `phonedigit-hex` (RFC 3966 §3).
pub(crate) const PHONE: u16 = 1 << 11;
/// `word` and `@` (Call-ID).
pub(crate) const WORD: u16 = 1 << 12;
/// Anything but `;`, `=` and `"`, which structure parameters.
pub(crate) const PARAM_TEXT: u16 = 1 << 13;
/// What stands for itself in a quoted string: anything but `"`, `\`, CR, LF and NUL.
pub(crate) const QUOTED: u16 = 1 << 14;

static TABLE: [u16; 256] = build();

#[expect(clippy::indexing_slicing, reason = "evaluated at compile time only")]
const fn add(table: &mut [u16; 256], chars: &[u8], class: u16) {
    let mut i = 0;
    while i < chars.len() {
        table[chars[i] as usize] |= class;
        i += 1;
    }
}

#[expect(clippy::indexing_slicing, reason = "evaluated at compile time only")]
const fn build() -> [u16; 256] {
    let mut t = [0u16; 256];
    let mut c: u8 = 0;
    loop {
        let b = c as usize;
        if c.is_ascii_alphanumeric() {
            t[b] = !(PHONE);
        }
        if !matches!(c, b';' | b'=' | b'"') {
            t[b] |= PARAM_TEXT;
        }
        if !matches!(c, b'"' | b'\\' | b'\r' | b'\n' | 0) {
            t[b] |= QUOTED;
        }
        if c.is_ascii_hexdigit() {
            t[b] |= PHONE;
        }
        if c > b' ' && c < 0x7f {
            t[b] |= GEN_VALUE;
        }
        if c >= 0x80 {
            t[b] |= DISPLAY;
        }
        if c == u8::MAX {
            break;
        }
        c += 1;
    }
    add(&mut t, b"-.!%*_+`'~", TOKEN | DISPLAY);
    add(&mut t, b" \t()[]{}/@?=&#$^|", DISPLAY);
    add(&mut t, b"-_.!~*'()", USER | PASSWORD | PARAM_NAME | PARAM_VALUE | HEADER_VALUE | URIC);
    add(&mut t, b"&=+$,;?/#", USER);
    add(&mut t, b"&=+$,", PASSWORD);
    add(&mut t, b"[]/:&+$", PARAM_NAME | PARAM_VALUE);
    add(&mut t, b"=", PARAM_VALUE);
    add(&mut t, b"[]/?:+$", HEADER_VALUE);
    add(&mut t, b";/?:@&=+$,#[]", URIC);
    add(&mut t, b"_", LABEL);
    add(&mut t, b"+-.", SCHEME);
    add(&mut t, b"-.()*#", PHONE);
    add(&mut t, b"-.!%*_+`'~()<>:\\\"/[]?{}@", WORD);
    t[b',' as usize] &= !GEN_VALUE;
    t[b';' as usize] &= !GEN_VALUE;
    t[b'"' as usize] &= !GEN_VALUE;
    t[b'<' as usize] &= !GEN_VALUE;
    t[b'>' as usize] &= !GEN_VALUE;
    t[b'\\' as usize] &= !GEN_VALUE;
    t
}

/// Whether `byte` is in any of the classes `of`.
#[inline]
pub(crate) fn is(byte: u8, of: u16) -> bool {
    classes(byte) & of != 0
}

/// The classes of `byte`.
#[inline]
#[expect(clippy::indexing_slicing, reason = "the table has an entry for every byte value")]
fn classes(byte: u8) -> u16 {
    TABLE[byte as usize]
}

/// How many bytes at the start of `bytes` are in the class `of`. Unrolled: most of the parser's time is spent here.
#[inline]
pub(crate) fn run(bytes: &[u8], of: u16) -> usize {
    let mut at = 0;
    let (chunks, tail) = bytes.as_chunks::<4>();
    for &[a, b, c, d] in chunks {
        if !is(a, of) {
            return at;
        }
        if !is(b, of) {
            return at + 1;
        }
        if !is(c, of) {
            return at + 2;
        }
        if !is(d, of) {
            return at + 3;
        }
        at += 4;
    }
    at + tail.iter().position(|&b| !is(b, of)).unwrap_or(tail.len())
}

/// As [`run`], of a text that is often long: passes over whole blocks of letters, digits, `-` and `.`, which `of` must have.
#[inline]
pub(crate) fn long_run(bytes: &[u8], of: u16) -> usize {
    let common = |b: u8| b.is_ascii_alphanumeric() | (b == b'-') | (b == b'.');
    let (blocks, _) = bytes.as_chunks::<16>();
    let passed =
        blocks.iter().take_while(|block| block.iter().fold(true, |all, &b| all & common(b))).count() * 16;
    passed + run(bytes.get(passed..).unwrap_or_default(), of)
}

/// SP or HTAB.
#[inline]
pub(crate) fn is_wsp(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// Whether `text` is `word`, at most eight lower-case letters, in any case.
#[inline]
pub(crate) fn is_word<const N: usize>(text: &[u8], word: &[u8; N]) -> bool {
    <&[u8; N]>::try_from(text).is_ok_and(|text| lower(text) == lower(word))
}

/// The letters of `text` in lower case, followed by spaces.
#[inline]
fn lower<const N: usize>(text: &[u8; N]) -> u64 {
    let mut word = [b' '; 8];
    if let Some(start) = word.first_chunk_mut::<N>() {
        *start = *text;
    }
    u64::from_le_bytes(word) | search::repeat(b' ')
}

/// Whether `text` is a `token` (not empty).
pub(crate) fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && run(text, TOKEN) == text.len()
}
