//! Username fragments and passwords (RFC 8445 §5.3).

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// Our side of an ICE session: what a check has to know.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The username fragment: 4 to 256 characters.
    pub ufrag: Box<str>,
    /// The password: 22 to 256 characters.
    pub password: Box<str>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("ufrag", &self.ufrag).finish_non_exhaustive()
    }
}

/// What the credentials of one call are derived from: 128 bits of a cryptographic source, which is what a password must have
/// at the least (RFC 8445 §5.3).
#[derive(Clone, Copy)]
pub struct Secret([u8; 16]);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// `ice-char` (RFC 8839 §5.1).
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// 48 bits, where 24 are asked for.
const UFRAG: usize = 8;
/// 144 bits, where 128 are asked for.
const PASSWORD: usize = 24;

impl Secret {
    /// From 128 random bits.
    #[must_use]
    pub fn new(bits: [u64; 2]) -> Self {
        let mut secret = [0; 16];
        for (to, from) in secret.iter_mut().zip(bits.into_iter().flat_map(u64::to_be_bytes)) {
            *to = from;
        }
        Self(secret)
    }

    /// The credentials of what is named by all these texts together: the same ones each time, unrelated to all others.
    #[must_use]
    pub fn credentials(&self, name: &[&[u8]]) -> Credentials {
        Credentials { ufrag: self.text(b'u', UFRAG, name), password: self.text(b'p', PASSWORD, name) }
    }

    fn text(&self, purpose: u8, length: usize, name: &[&[u8]]) -> Box<str> {
        #[expect(clippy::expect_used, reason = "HMAC takes keys of any length (RFC 2104 §2)")]
        let mut mac = Hmac::<Sha1>::new_from_slice(&self.0).expect("a key of any length");
        mac.update(&[purpose]);
        for part in name {
            mac.update(&part.len().to_be_bytes());
            mac.update(part);
        }
        let digit = |six: u8| DIGITS.get(usize::from(six & 63)).copied().map_or('A', char::from);
        let hash = mac.finalize().into_bytes();
        let text = hash.chunks(3).flat_map(|three| {
            let bits = three.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte));
            [18, 12, 6, 0].map(|shift| digit(u8::try_from(bits >> shift & 63).unwrap_or_default()))
        });
        text.take(length).collect()
    }
}
