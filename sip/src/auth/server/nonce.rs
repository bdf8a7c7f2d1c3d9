//! Signed nonces: the server knows its own without keeping them (RFC 7616 §3.3, §5.12).

use crate::auth::digest::{push_hex, read_hex};
use crate::ids::Ids;
use crate::time::{Mono, Now, Wall};
use aes::cipher::{BlockCipherEncrypt, KeyInit};
use aes::{Aes256, Block};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::net::IpAddr;
use std::time::Duration;
use subtle::ConstantTimeEq;

/// Bytes of a nonce: time, chance, signature.
const LENGTH: usize = 8 + 8 + 16;

/// Which nonce it is; in order of issue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NonceId {
    /// When it was issued, by the clock of [`Clock`].
    pub(super) issued: Wall,
    /// Tells apart those of one millisecond.
    random: u64,
}

impl NonceId {
    /// When the nonce was issued.
    pub fn issued(self) -> Wall {
        self.issued
    }

    #[cfg(test)]
    pub(super) fn of(issued: u64, random: u64) -> Self {
        Self { issued: Wall(issued), random }
    }
}

/// Wall time that runs from the start of the process by the monotonic clock, so that no nonce changes its age when the
/// wall clock is set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    started: Now,
}

impl Clock {
    pub(super) fn new(started: Now) -> Self {
        Self { started }
    }

    pub(super) fn read(self, mono: Mono) -> Wall {
        earlier_or_later(self.started.wall, mono.since(self.started.mono))
    }
}

fn earlier_or_later(start: Wall, after: Duration) -> Wall {
    Wall(start.0.saturating_add(u64::try_from(after.as_millis()).unwrap_or(u64::MAX)))
}

/// Makes nonces for one realm and knows them again.
///
/// A nonce's time and chance are just one block, and its signature is that block under AES with a key of the realm: a
/// pseudo-random function of inputs of that one length, for which HMAC would hash twice.
///
/// A nonce is good for the address that it was given to (of IPv6, the /64): who has one cannot spend it under another's name.
pub(super) struct Signer {
    cipher: Aes256,
    places: [u64; 2],
}

impl Signer {
    pub(super) fn new(key: &[u8; 32], realm: &str) -> Self {
        #[expect(clippy::expect_used, reason = "HMAC takes a key of any length (RFC 2104 §2)")]
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
        mac.update(realm.as_bytes());
        let derived = mac.clone().finalize().into_bytes();
        mac.update(b"places");
        let places = mac.finalize().into_bytes();
        let half =
            |from: usize| places.iter().skip(from).take(8).fold(0, |all, byte| all << 8 | u64::from(*byte));
        Self { cipher: Aes256::new(&derived), places: [half(0), half(8) | 1] }
    }

    fn sign(&self, id: NonceId, source: IpAddr) -> [u8; 16] {
        // Milliseconds take 48 bits for some thousands of years.
        let issued = id.issued.0 ^ self.place(source) << 48;
        let whole = u128::from(issued) << 64 | u128::from(id.random);
        let mut block = Block::from(whole.to_be_bytes());
        self.cipher.encrypt_block(&mut block);
        block.into()
    }

    /// 16 bits that tell sources apart. Who finds another one with the same, which the key hides, has gained a nonce for it and
    /// nothing else.
    fn place(&self, source: IpAddr) -> u64 {
        let [add, times] = self.places;
        let prefix = match source.to_canonical() {
            IpAddr::V4(v4) => u64::from(v4.to_bits()),
            IpAddr::V6(v6) => u64::try_from(v6.to_bits() >> 64).unwrap_or_default(),
        };
        (prefix ^ prefix >> 32 ^ add).wrapping_mul(times) >> 48
    }

    /// 64 hexadecimal digits.
    pub(super) fn mint(&self, issued: Wall, source: IpAddr, ids: &mut dyn Ids) -> String {
        let id = NonceId { issued, random: ids.next_u64() };
        let mut text = String::with_capacity(LENGTH * 2);
        push_hex(&mut text, &id.issued.0.to_be_bytes());
        push_hex(&mut text, &id.random.to_be_bytes());
        push_hex(&mut text, &self.sign(id, source));
        text
    }

    /// The id of a nonce of ours for that source; `None` for any other text. In constant time for texts of the right form.
    pub(super) fn open(&self, text: &str, source: IpAddr) -> Option<NonceId> {
        let (issued, rest) = text.split_at_checked(16)?;
        let (random, signature) = rest.split_at_checked(16)?;
        let id = NonceId {
            issued: Wall(u64::from_be_bytes(read_hex(issued)?)),
            random: u64::from_be_bytes(read_hex(random)?),
        };
        let signature: [u8; 16] = read_hex(signature)?;
        bool::from(self.sign(id, source).ct_eq(&signature)).then_some(id)
    }
}
