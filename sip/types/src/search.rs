//! Looking for bytes. The texts of SIP are short: choosing an implementation at run time, as `memchr` does, costs more
//! than the search.

/// `byte` eight times.
#[inline]
pub(crate) const fn repeat(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// Where `byte` is first in `bytes`.
#[inline(always)]
pub(crate) fn find(bytes: &[u8], byte: u8) -> Option<usize> {
    first(bytes, |b| b == byte, |word| hits(word, byte))
}

/// Where the first of `one` and `other` is in `bytes`.
#[inline]
pub(crate) fn find_either(bytes: &[u8], one: u8, other: u8) -> Option<usize> {
    first(bytes, |b| (b == one) | (b == other), |word| hits(word, one) | hits(word, other))
}

/// Whether `one` or `other` is in `bytes`. The last 16 bytes are taken in one step, though some were seen before: byte by
/// byte they cost more than all others.
#[inline]
pub(crate) fn has_either(bytes: &[u8], one: u8, other: u8) -> bool {
    let in_block = |block: &[u8; 16]| block.iter().fold(false, |any, &b| any | (b == one) | (b == other));
    match bytes.last_chunk() {
        Some(last) => bytes.as_chunks().0.iter().any(in_block) || in_block(last),
        None => bytes.iter().any(|&b| (b == one) | (b == other)),
    }
}

/// Where the first byte is that `wanted` is true of; `hits` marks these bytes in a word.
#[inline(always)]
fn first(bytes: &[u8], wanted: impl Fn(u8) -> bool, hits: impl Fn(u64) -> u64) -> Option<usize> {
    let (blocks, rest) = bytes.as_chunks::<16>();
    let mut at = 0;
    for block in blocks {
        // One comparison of 16 bytes.
        if block.iter().fold(false, |any, &b| any | wanted(b)) {
            return first_of_words(block, hits).map(|found| at + found);
        }
        at += block.len();
    }
    if let Some((&word, last)) = rest.split_first_chunk() {
        let hits = hits(u64::from_le_bytes(word));
        if hits != 0 {
            return Some(at + index(hits));
        }
        return last.iter().position(|&b| wanted(b)).map(|found| at + word.len() + found);
    }
    rest.iter().position(|&b| wanted(b)).map(|found| at + found)
}

#[inline]
fn first_of_words(block: &[u8; 16], hits: impl Fn(u64) -> u64) -> Option<usize> {
    let (&[low, high], []) = block.as_chunks() else { return None };
    Some(match hits(u64::from_le_bytes(low)) {
        0 => 8 + index(hits(u64::from_le_bytes(high))),
        hits => index(hits),
    })
}

/// The highest bit of each byte of `word` that is `byte`; bytes after the first hit may be marked wrongly.
#[inline]
pub(crate) fn hits(word: u64, byte: u8) -> u64 {
    let zero_at_hits = word ^ repeat(byte);
    zero_at_hits.wrapping_sub(repeat(1)) & !zero_at_hits & repeat(0x80)
}

/// The number of the first byte marked.
#[inline]
pub(crate) fn index(hits: u64) -> usize {
    hits.trailing_zeros() as usize / 8
}

#[cfg(test)]
mod tests {
    use super::{find, find_either, has_either};

    #[test]
    fn the_first_of_a_byte_is_found_wherever_it_is() {
        for len in 0..70 {
            let mut bytes: Vec<u8> = (0..len).map(|n| if n % 2 == 0 { b';' } else { 0x80 | b':' }).collect();
            assert_eq!(find(&bytes, b':'), None);
            for at in (0..bytes.len()).rev() {
                bytes[at] = b':';
                assert_eq!(find(&bytes, b':'), Some(at));
                assert_eq!(find(&bytes, b'\n'), None);
                assert_eq!(find_either(&bytes, b'\n', b':'), Some(at));
                assert_eq!(find_either(&bytes, b':', b'\n'), Some(at));
                assert!(has_either(&bytes, b':', b'\n') && !has_either(&bytes, b'\r', b'\n'));
            }
        }
    }
}
