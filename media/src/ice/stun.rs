//! The format of STUN messages (RFC 8489 §5, §14).

use hmac::{Hmac, Mac};
use sha1::Sha1;

/// Bytes of a header.
pub(super) const HEADER: usize = 20;
/// Bytes of MESSAGE-INTEGRITY and of FINGERPRINT, their headers included.
pub(super) const INTEGRITY_LENGTH: usize = 24;
pub(super) const FINGERPRINT_LENGTH: usize = 8;
pub(super) const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];

/// Types of the one method, Binding (RFC 8489 §18.2).
pub(super) const REQUEST: u16 = 0x0001;
pub(super) const INDICATION: u16 = 0x0011;
pub(super) const SUCCESS: u16 = 0x0101;
pub(super) const ERROR: u16 = 0x0111;

pub(super) const USERNAME: u16 = 0x0006;
pub(super) const MESSAGE_INTEGRITY: u16 = 0x0008;
pub(super) const ERROR_CODE: u16 = 0x0009;
pub(super) const UNKNOWN_ATTRIBUTES: u16 = 0x000a;
pub(super) const MESSAGE_INTEGRITY_SHA256: u16 = 0x001c;
pub(super) const XOR_MAPPED_ADDRESS: u16 = 0x0020;
/// RFC 8445 §16.1.
pub(super) const PRIORITY: u16 = 0x0024;
pub(super) const USE_CANDIDATE: u16 = 0x0025;
pub(super) const ICE_CONTROLLED: u16 = 0x8029;
pub(super) const ICE_CONTROLLING: u16 = 0x802a;
pub(super) const FINGERPRINT: u16 = 0x8028;
/// Attributes below must be understood (RFC 8489 §14).
pub(super) const COMPREHENSION_OPTIONAL: u16 = 0x8000;

pub(super) type Key = Hmac<Sha1>;

/// Whether a datagram on a media port is STUN: by its first byte (RFC 7983 §7), and since that alone is not enough on ports
/// where other protocols than RTP are spoken, by cookie and length too (RFC 8489 §6.3).
#[must_use]
pub(crate) fn is_stun(datagram: &[u8]) -> bool {
    header(datagram).is_some()
}

/// The type and the transaction ID.
pub(super) fn header(datagram: &[u8]) -> Option<(u16, &[u8; 12])> {
    let (head, attributes) = datagram.split_first_chunk::<HEADER>()?;
    let ([k0, k1, l0, l1], rest) = head.split_first_chunk::<4>()?;
    let (cookie, id) = rest.split_first_chunk::<4>()?;
    let length = usize::from(u16::from_be_bytes([*l0, *l1]));
    let right = *k0 < 4 && *cookie == COOKIE && length == attributes.len() && length.is_multiple_of(4);
    Some((u16::from_be_bytes([*k0, *k1]), id.first_chunk()?)).filter(|_| right)
}

/// The attributes of a message whose header is right: type, value, and where the attribute begins. The last is `Err` when
/// they do not fill the message.
pub(super) struct Attributes<'a> {
    datagram: &'a [u8],
    at: usize,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Broken;

impl<'a> Attributes<'a> {
    pub(super) fn of(datagram: &'a [u8]) -> Self {
        Self { datagram, at: HEADER }
    }

    fn read(&self) -> Option<(u16, &'a [u8], usize)> {
        let rest = self.datagram.get(self.at..)?;
        let ([k0, k1, l0, l1], rest) = rest.split_first_chunk::<4>()?;
        let length = usize::from(u16::from_be_bytes([*l0, *l1]));
        // Padding is in the message too, whatever its value (RFC 8489 §14).
        rest.get(..length.next_multiple_of(4))?;
        Some((u16::from_be_bytes([*k0, *k1]), rest.get(..length)?, self.at))
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Result<(u16, &'a [u8], usize), Broken>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.datagram.len() {
            return None;
        }
        match self.read() {
            Some((kind, value, at)) => {
                self.at = at + 4 + value.len().next_multiple_of(4);
                Some(Ok((kind, value, at)))
            }
            None => {
                self.at = self.datagram.len();
                Some(Err(Broken))
            }
        }
    }
}

/// The keyed hash that MESSAGE-INTEGRITY is checked and made with (RFC 8489 §9.1.1, §14.5); ICE characters are themselves
/// under OpaqueString.
pub(super) fn key(password: &str) -> Key {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length (RFC 2104 §2)")]
    <Key as hmac::KeyInit>::new_from_slice(password.as_bytes()).expect("a key of any length")
}

/// The hash over a message up to its MESSAGE-INTEGRITY at `at`, with the length as if that were its last attribute.
pub(super) fn integrity(key: &Key, datagram: &[u8], at: usize) -> Option<Key> {
    let length = u16::try_from(at.checked_sub(HEADER)? + INTEGRITY_LENGTH).ok()?;
    let mut mac = key.clone();
    mac.update(datagram.get(..2)?);
    mac.update(&length.to_be_bytes());
    mac.update(datagram.get(4..at)?);
    Some(mac)
}

/// The value of the FINGERPRINT of what comes before it, whose length counts it already (RFC 8489 §14.7): CRC-32 of ITU V.42.
pub(super) fn fingerprint(message: &[u8]) -> u32 {
    let crc = message.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    });
    !crc ^ 0x5354_554e
}

/// Whether a message ends in a FINGERPRINT that is right.
pub(super) fn is_whole(datagram: &[u8]) -> bool {
    let Some((message, last)) = datagram.split_last_chunk::<FINGERPRINT_LENGTH>() else { return false };
    let [kind, length] = [FINGERPRINT, 4].map(u16::to_be_bytes);
    let [k0, k1, l0, l1, sum @ ..] = last;
    [*k0, *k1] == kind && [*l0, *l1] == length && *sum == fingerprint(message).to_be_bytes()
}
