//! Chance, passed in: the source of every identifier that we mint.

use crate::home::ShardNo;
use std::fmt;

/// A source of unpredictable bits. The shell gives a cryptographic one, a simulation a seeded one.
pub trait Ids {
    /// 64 fresh bits.
    fn next_u64(&mut self) -> u64;

    /// 128 fresh bits for a key. A simulation gives such as leave the sequence of its identifiers as it is.
    fn key(&mut self) -> [u64; 2] {
        [self.next_u64(), self.next_u64()]
    }

    /// An identifier of ours made of this chance: where there are several shards, it says whose it is
    /// ([`HomeIds`](crate::home::HomeIds)).
    fn identifier(&self, chance: u64) -> u64 {
        chance
    }

    /// The shard that has made an identifier, if that is another one of this node.
    fn elsewhere(&self, identifier: u64) -> Option<ShardNo> {
        let _ = identifier;
        None
    }
}

/// Digits of lower-case base 32: tokens in every grammar of RFC 3261, with no two that look alike.
const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// What each byte is as a digit in either case; 32 for those that are none.
const VALUES: [u8; 256] = {
    let mut values = [32; 256];
    let mut value = 0;
    while value < DIGITS.len() {
        #[expect(
            clippy::indexing_slicing,
            clippy::cast_possible_truncation,
            reason = "bounds are checked when compiled"
        )]
        {
            values[DIGITS[value] as usize] = value as u8;
            values[DIGITS[value].to_ascii_uppercase() as usize] = value as u8;
        }
        value += 1;
    }
    values
};

/// The 13 base-32 digits of 64 bits, least significant first.
fn digits(bits: u64) -> [u8; 13] {
    let mut text = [b'0'; 13];
    for (n, digit) in text.iter_mut().enumerate() {
        let [low, ..] = (bits >> (5 * n)).to_le_bytes();
        *digit = DIGITS.get(usize::from(low & 31)).copied().unwrap_or(b'0');
    }
    text
}

/// Reads what [`digits`] wrote, ignoring case; `None` for all else.
fn read_digits(text: &str) -> Option<u64> {
    if text.len() != 13 {
        return None;
    }
    let mut bits = 0u64;
    for (n, byte) in text.bytes().enumerate() {
        let digit = VALUES.get(usize::from(byte)).copied().filter(|digit| *digit < 32)?;
        if n == 12 && digit > 15 {
            return None;
        }
        bits |= u64::from(digit) << (5 * n);
    }
    Some(bits)
}

/// A tag of ours, 64 bits of which at least 40 are random (RFC 3261 §19.3 asks for 32).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(u64);

impl Tag {
    /// A fresh tag.
    pub fn new(ids: &mut dyn Ids) -> Self {
        let chance = ids.next_u64();
        Self::of(ids, chance)
    }

    /// The tag made of this chance.
    pub(crate) fn of(ids: &dyn Ids, chance: u64) -> Self {
        Self(ids.identifier(chance))
    }

    /// What it is made of.
    pub(crate) fn bits(self) -> u64 {
        self.0
    }

    /// How it is spelt.
    pub(crate) fn digits(self) -> [u8; 13] {
        digits(self.0)
    }

    /// The tag that `text` spells, if it can be one of ours.
    pub fn parse(text: &str) -> Option<Self> {
        read_digits(text).map(Self)
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.digits()).unwrap_or_default())
    }
}

/// A branch of ours, 64 bits behind the magic cookie, of which at least 40 are random (RFC 3261 §8.1.1.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Branch(u64);

impl Branch {
    /// The cookie that every branch of an RFC 3261 element begins with.
    pub const COOKIE: &'static str = "z9hG4bK";

    /// A fresh branch.
    pub fn new(ids: &mut dyn Ids) -> Self {
        let chance = ids.next_u64();
        Self(ids.identifier(chance))
    }

    /// What it is made of.
    pub(crate) fn bits(self) -> u64 {
        self.0
    }

    /// How what follows the cookie is spelt.
    pub(crate) fn digits(self) -> [u8; 13] {
        digits(self.0)
    }

    /// The branch that `text` spells, if it can be one of ours.
    pub fn parse(text: &str) -> Option<Self> {
        text.strip_prefix(Self::COOKIE).and_then(read_digits).map(Self)
    }
}

impl fmt::Display for Branch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::COOKIE)?;
        f.write_str(std::str::from_utf8(&self.digits()).unwrap_or_default())
    }
}

/// A Call-ID with 128 random bits and no host part (RFC 3261 §8.1.1.4 lets it be a bare word).
pub fn call_id(ids: &mut dyn Ids) -> Box<str> {
    let mut text = String::with_capacity(26);
    for _ in 0..2 {
        text.extend(digits(ids.next_u64()).map(char::from));
    }
    text.into_boxed_str()
}

/// A number in `0..bound`, close enough to even for back-off and weights; 0 where `bound` is 0.
pub fn below(ids: &mut dyn Ids, bound: u32) -> u32 {
    let high = (u128::from(ids.next_u64()) * u128::from(bound)) >> 64;
    u32::try_from(high).unwrap_or(0)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// SplitMix64: a seeded source for tests.
    pub(crate) struct Seeded(pub(crate) u64);

    impl Ids for Seeded {
        fn next_u64(&mut self) -> u64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        }
    }

    #[test]
    fn identifiers_are_tokens_that_read_back() {
        let mut ids = Seeded(1);
        let tag = Tag::new(&mut ids);
        assert_eq!(tag.to_string().len(), 13);
        assert_eq!(Tag::parse(&tag.to_string().to_uppercase()), Some(tag));
        assert!(tag.to_string().bytes().all(|b| b.is_ascii_alphanumeric()));
        let branch = Branch::new(&mut ids);
        assert_eq!(Branch::parse(&branch.to_string()), Some(branch));
        assert_eq!(call_id(&mut ids).len(), 26);
    }

    #[test]
    fn foreign_identifiers_are_not_ours() {
        for text in ["", "0", "000000000000u", "zzzzzzzzzzzzz", "0000000000000é", "00000000000000"] {
            assert_eq!(Tag::parse(text), None, "{text}");
        }
        assert_eq!(Branch::parse("0000000000000"), None);
    }

    #[test]
    fn below_stays_below() {
        let mut ids = Seeded(2);
        assert!((0..1000).all(|_| below(&mut ids, 7) < 7));
        assert_eq!(below(&mut ids, 0), 0);
    }
}
