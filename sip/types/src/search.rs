//! Looking for one byte. The texts of SIP are short: choosing an implementation at run time, as `memchr` does, costs more
//! than the search.

/// `byte` eight times.
#[inline]
pub(crate) const fn repeat(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// Where `byte` is first in `bytes`.
pub(crate) fn find(bytes: &[u8], byte: u8) -> Option<usize> {
    let (chunks, tail) = bytes.as_chunks::<16>();
    let mut at = 0;
    for chunk in chunks {
        if chunk.iter().fold(false, |any, &b| any | (b == byte)) {
            return find_in_words(chunk, byte).map(|found| at + found);
        }
        at += chunk.len();
    }
    find_in_words(tail, byte).map(|found| at + found)
}

#[inline]
fn find_in_words(bytes: &[u8], byte: u8) -> Option<usize> {
    let (words, tail) = bytes.as_chunks();
    let mut at = 0;
    for word in words {
        let hits = hits(u64::from_le_bytes(*word), byte);
        if hits != 0 {
            return Some(at + index(hits));
        }
        at += word.len();
    }
    tail.iter().position(|&b| b == byte).map(|found| at + found)
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
    use super::find;

    #[test]
    fn the_first_of_a_byte_is_found_wherever_it_is() {
        for len in 0..70 {
            let mut bytes: Vec<u8> = (0..len).map(|n| if n % 2 == 0 { b';' } else { 0x80 | b':' }).collect();
            assert_eq!(find(&bytes, b':'), None);
            for at in (0..bytes.len()).rev() {
                bytes[at] = b':';
                assert_eq!(find(&bytes, b':'), Some(at));
                assert_eq!(find(&bytes, b'\n'), None);
            }
        }
    }
}
