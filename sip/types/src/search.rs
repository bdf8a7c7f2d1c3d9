//! Looking for one byte. The texts of SIP are short: choosing an implementation at run time, as `memchr` does, would cost more
//! than the search.

/// `byte` sixteen times.
#[inline]
pub(crate) const fn repeat(byte: u8) -> u128 {
    u128::from_ne_bytes([byte; 16])
}

/// Where `byte` is first in `bytes`.
#[inline]
pub(crate) fn find(bytes: &[u8], byte: u8) -> Option<usize> {
    let (chunks, tail) = bytes.as_chunks();
    let mut at = 0;
    for chunk in chunks {
        if let Some(found) = first(u128::from_le_bytes(*chunk), byte) {
            return Some(at + found);
        }
        at += 16;
    }
    tail.iter().position(|&b| b == byte).map(|found| at + found)
}

/// Where `byte` is first in sixteen bytes, of which the lowest is the first.
#[inline]
pub(crate) fn first(bytes: u128, byte: u8) -> Option<usize> {
    let zero_where_found = bytes ^ repeat(byte);
    // a borrow makes the highest bit of a zero byte; bytes above the lowest zero byte may have it wrongly
    let found = zero_where_found.wrapping_sub(repeat(1)) & !zero_where_found & repeat(0x80);
    (found != 0).then(|| found.trailing_zeros() as usize / 8)
}
