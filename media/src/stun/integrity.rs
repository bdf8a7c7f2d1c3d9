//! What proves a STUN message: keyed hashes and the fingerprint (RFC 8489 §9, §14.5 to §14.7).

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::Sha256;

use super::{FINGERPRINT, FINGERPRINT_LENGTH, HEADER, INTEGRITY_LENGTH, INTEGRITY_SHA256_LENGTH};

pub(crate) type Key = Hmac<Sha1>;
pub(crate) type Key256 = Hmac<Sha256>;

/// The keyed hash that MESSAGE-INTEGRITY is checked and made with (RFC 8489 §9.1.1, §14.5); ICE characters are themselves
/// under OpaqueString.
pub(crate) fn key(password: &str) -> Key {
    key_of(password.as_bytes())
}

/// The same with the key of a long-term credential (RFC 8489 §9.2.2).
#[expect(clippy::expect_used, reason = "HMAC takes keys of any length (RFC 2104 §2)")]
pub(crate) fn key_of(bytes: &[u8]) -> Key {
    <Key as KeyInit>::new_from_slice(bytes).expect("a key of any length")
}

/// The keyed hash of MESSAGE-INTEGRITY-SHA256 (RFC 8489 §14.6).
#[expect(clippy::expect_used, reason = "HMAC takes keys of any length (RFC 2104 §2)")]
pub(crate) fn key256_of(bytes: &[u8]) -> Key256 {
    <Key256 as KeyInit>::new_from_slice(bytes).expect("a key of any length")
}

/// The hash over a message up to its MESSAGE-INTEGRITY at `at`, with the length as if that were its last attribute.
pub(crate) fn integrity(key: &Key, datagram: &[u8], at: usize) -> Option<Key> {
    covered(key.clone(), datagram, (at, INTEGRITY_LENGTH))
}

/// The hash over a message up to its MESSAGE-INTEGRITY-SHA256 at `at`, whose value has so many bytes.
pub(crate) fn integrity_sha256(key: &Key256, datagram: &[u8], at: usize, value: usize) -> Option<Key256> {
    covered(key.clone(), datagram, (at, INTEGRITY_SHA256_LENGTH - 32 + value))
}

fn covered<M: Mac>(mut mac: M, datagram: &[u8], (at, more): (usize, usize)) -> Option<M> {
    let length = u16::try_from(at.checked_sub(HEADER)? + more).ok()?;
    mac.update(datagram.get(..2)?);
    mac.update(&length.to_be_bytes());
    mac.update(datagram.get(4..at)?);
    Some(mac)
}

/// Where a message has its keyed hash, and which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof<'a> {
    /// MESSAGE-INTEGRITY.
    Sha1(usize, &'a [u8]),
    /// MESSAGE-INTEGRITY-SHA256, of 16 to 32 bytes.
    Sha256(usize, &'a [u8]),
}

impl Proof<'_> {
    /// Whether it was made with that key.
    pub(crate) fn holds(&self, key: &[u8], datagram: &[u8]) -> bool {
        match *self {
            Self::Sha1(at, value) => {
                integrity(&key_of(key), datagram, at).is_some_and(|mac| mac.verify_slice(value).is_ok())
            }
            Self::Sha256(at, value) => {
                let sized = (16..=32).contains(&value.len()) && value.len().is_multiple_of(4);
                let mac = integrity_sha256(&key256_of(key), datagram, at, value.len());
                sized && mac.is_some_and(|mac| mac.verify_truncated_left(value).is_ok())
            }
        }
    }
}

/// The value of the FINGERPRINT of what comes before it, whose length counts it already (RFC 8489 §14.7): CRC-32 of ITU V.42.
pub(crate) fn fingerprint(message: &[u8]) -> u32 {
    let crc = message.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    });
    !crc ^ 0x5354_554e
}

/// Whether a message ends in a FINGERPRINT that is right.
pub(crate) fn is_whole(datagram: &[u8]) -> bool {
    let Some((message, last)) = datagram.split_last_chunk::<FINGERPRINT_LENGTH>() else { return false };
    let [kind, length] = [FINGERPRINT, 4].map(u16::to_be_bytes);
    let [k0, k1, l0, l1, sum @ ..] = last;
    [*k0, *k1] == kind && [*l0, *l1] == length && *sum == fingerprint(message).to_be_bytes()
}
