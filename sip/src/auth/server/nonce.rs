//! Signed nonces: the server knows its own without keeping them (RFC 7616 §3.3, §5.12).

use crate::auth::digest::{push_hex, read_hex};
use crate::ids::Ids;
use crate::time::{Mono, Now, Wall};
use aes::cipher::{BlockCipherEncrypt, KeyInit};
use aes::{Aes256, Block};
use hmac::{Hmac, Mac};
use sha2::Sha256;
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
pub(super) struct Signer(Aes256);

impl Signer {
    pub(super) fn new(key: &[u8; 32], realm: &str) -> Self {
        #[expect(clippy::expect_used, reason = "HMAC takes a key of any length (RFC 2104 §2)")]
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
        mac.update(realm.as_bytes());
        Self(Aes256::new(&mac.finalize().into_bytes()))
    }

    fn sign(&self, id: NonceId) -> [u8; 16] {
        let whole = u128::from(id.issued.0) << 64 | u128::from(id.random);
        let mut block = Block::from(whole.to_be_bytes());
        self.0.encrypt_block(&mut block);
        block.into()
    }

    /// 64 hexadecimal digits.
    pub(super) fn mint(&self, issued: Wall, ids: &mut dyn Ids) -> String {
        let id = NonceId { issued, random: ids.next_u64() };
        let mut text = String::with_capacity(LENGTH * 2);
        push_hex(&mut text, &id.issued.0.to_be_bytes());
        push_hex(&mut text, &id.random.to_be_bytes());
        push_hex(&mut text, &self.sign(id));
        text
    }

    /// The id of a nonce of ours; `None` for any other text. In constant time for texts of the right form.
    pub(super) fn open(&self, text: &str) -> Option<NonceId> {
        let (issued, rest) = text.split_at_checked(16)?;
        let (random, signature) = rest.split_at_checked(16)?;
        let id = NonceId {
            issued: Wall(u64::from_be_bytes(read_hex(issued)?)),
            random: u64::from_be_bytes(read_hex(random)?),
        };
        let signature: [u8; 16] = read_hex(signature)?;
        bool::from(self.sign(id).ct_eq(&signature)).then_some(id)
    }
}
