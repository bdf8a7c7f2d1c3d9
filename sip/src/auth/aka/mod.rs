//! Digest AKA as client (RFC 3310; RFC 4169; AKAv2-SHA-256 as 3GPP TS 33.203 uses it): the part of the smart card.
//!
//! A challenge carries RAND and AUTN in its nonce. The card checks that they come from who shares its key, and that they
//! are new; then its RES takes the place of the password. A challenge that is not new gets AUTS instead, from which the
//! server learns our sequence number (TS 33.102 §6.3.5).

mod milenage;

use super::algorithm::{Aka, Hash};
use base64::Engine as _;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use milenage::{Milenage, xor};
use sha2::{Digest as _, Sha256, Sha512_256};
use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// The highest sequence number: they have 48 bits (TS 33.102 §6.3.7).
const SQN_MAX: u64 = (1 << 48) - 1;

/// Reads base64 with or without its padding: the nonces of RFC 3310 §4 have one equals sign too many.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What the operator gives beside K.
#[derive(Clone, Copy)]
pub enum Operator {
    /// OP, the operator's own.
    Op([u8; 16]),
    /// OPc, made of OP for this K (TS 35.206 §4.1).
    Opc([u8; 16]),
}

/// Is told each sequence number that a card takes, by whichever thread it answers on: it hands the number on and returns.
pub type Keep = Box<dyn Fn(u64) + Send + Sync>;

/// A subscriber's keys with the sequence number of the last challenge that was taken.
///
/// Several legs and shards may share one; it takes no lock. What it has to know after a restart is told by
/// [`Card::keep_with`].
pub struct Card {
    milenage: Milenage,
    k: Zeroizing<[u8; 16]>,
    sqn: AtomicU64,
    keep: OnceLock<Keep>,
}

impl Card {
    /// `sqn`: the highest sequence number taken so far, 48 bits; 0 for a new card.
    pub fn new(k: [u8; 16], operator: Operator, sqn: u64) -> Self {
        let milenage = match operator {
            Operator::Op(op) => Milenage::with_op(&k, &op),
            Operator::Opc(opc) => Milenage::with_opc(&k, &opc),
        };
        let sqn = AtomicU64::new(sqn.min(SQN_MAX));
        Self { milenage, k: Zeroizing::new(k), sqn, keep: OnceLock::new() }
    }

    /// Names the subscriber's keys without telling them, the same in every process.
    pub fn fingerprint(&self) -> [u8; 32] {
        let hash =
            Sha256::new().chain_update(b"card").chain_update(*self.k).chain_update(self.milenage.opc());
        hash.finalize().into()
    }

    /// Goes on where an earlier process was: no number up to `sqn` is taken any more. `keep` hears of each that is; only the
    /// first one that is given does.
    pub fn keep_with(&self, sqn: u64, keep: Keep) {
        self.sqn.fetch_max(sqn.min(SQN_MAX), Ordering::Relaxed);
        // Somebody keeps it already.
        let _ = self.keep.set(keep);
    }

    /// The highest sequence number taken so far.
    pub fn sqn(&self) -> u64 {
        self.sqn.load(Ordering::Relaxed)
    }

    /// Checks a challenge and computes what answers it (TS 33.102 §6.3.3).
    ///
    /// A sequence number is new if it is above all that came before. Challenges that overtook one another are then asked
    /// for anew, which annex C.3.2 allows.
    ///
    /// # Errors
    /// [`NotOurs`] if it does not come from who shares our key.
    pub fn answer(&self, challenge: &Challenge) -> Result<Reply, NotOurs> {
        let Challenge { rand, hidden_sqn, amf, mac } = challenge;
        let vector = self.milenage.vector(rand);
        let sqn = xor(hidden_sqn, &vector.ak);
        let (expected, _) = self.milenage.f1(rand, &sqn, amf);
        if !bool::from(expected.ct_eq(mac)) {
            return Err(NotOurs);
        }
        let [a, b, c, d, e, f] = sqn;
        let number = u64::from_be_bytes([0, 0, a, b, c, d, e, f]);
        let before = self.sqn.fetch_max(number, Ordering::Relaxed);
        if number > before {
            if let Some(keep) = self.keep.get() {
                keep(number);
            }
            return Ok(Reply::Keys(Keys { res: vector.res, ck: vector.ck, ik: vector.ik }));
        }
        let [_, _, ours @ ..] = before.to_be_bytes();
        // The AMF of AUTS is zero (TS 33.102 §6.3.3).
        let (_, mac_s) = self.milenage.f1(rand, &ours, &[0; 2]);
        Ok(Reply::Resynchronise(Auts { hidden_sqn: xor(&ours, &vector.ak_resync), mac_s }))
    }
}

impl PartialEq for Card {
    /// Whether both are cards of one subscriber; in constant time, the sequence number aside.
    fn eq(&self, other: &Self) -> bool {
        (self.k.ct_eq(&*other.k) & self.milenage.opc().ct_eq(other.milenage.opc())).into()
    }
}

impl Eq for Card {}

impl fmt::Debug for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Card(redacted)")
    }
}

/// RAND and AUTN, as a nonce carries them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Challenge {
    rand: [u8; 16],
    hidden_sqn: [u8; 6],
    amf: [u8; 2],
    mac: [u8; 8],
}

impl Challenge {
    /// Reads a nonce: base64 of RAND, AUTN and data of the server's own (RFC 3310 §3.2); `None` if it is too short, or no
    /// base64.
    pub fn of_nonce(nonce: &str) -> Option<Self> {
        let bytes = LENIENT.decode(nonce.trim_end_matches('=')).ok()?;
        let (rand, rest) = bytes.split_first_chunk()?;
        let (hidden_sqn, rest) = rest.split_first_chunk()?;
        let (amf, rest) = rest.split_first_chunk()?;
        let mac = rest.first_chunk()?;
        Some(Self { rand: *rand, hidden_sqn: *hidden_sqn, amf: *amf, mac: *mac })
    }
}

/// The challenge was not made with our key: its MAC-A is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the challenge was not made with the key of our card")]
pub struct NotOurs;

/// What a card says to a challenge.
#[derive(Debug)]
pub enum Reply {
    /// It is from our network, and new.
    Keys(Keys),
    /// It is from our network, but its sequence number is not above ours.
    Resynchronise(Auts),
}

/// RES, CK and IK of one challenge; wiped when dropped, never printed.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Keys {
    res: [u8; 8],
    ck: [u8; 16],
    ik: [u8; 16],
}

impl Keys {
    /// The cipher key, for protection below (TS 33.203 §7); never for AKAv2 (RFC 4169 §2.2).
    pub fn ck(&self) -> &[u8; 16] {
        &self.ck
    }

    /// The integrity key, for protection below (TS 33.203 §7); never for AKAv2 (RFC 4169 §2.2).
    pub fn ik(&self) -> &[u8; 16] {
        &self.ik
    }

    /// What takes the place of the password: RES as it is (RFC 3310 §3.3), or base64 of PRF(RES || IK || CK) (RFC 4169 §2.1).
    pub(super) fn password(&self, version: Aka, hash: Hash) -> Zeroizing<Vec<u8>> {
        match version {
            Aka::V1 => Zeroizing::new(self.res.to_vec()),
            Aka::V2 => {
                let key = Zeroizing::new([self.res.as_slice(), &self.ik, &self.ck].concat());
                Zeroizing::new(STANDARD.encode(&*prf(hash, &key, b"http-digest-akav2-password")).into_bytes())
            }
        }
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(redacted)")
    }
}

/// AUTS: our sequence number, hidden, and the proof that it is ours (TS 33.102 §6.3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Auts {
    hidden_sqn: [u8; 6],
    mac_s: [u8; 8],
}

impl fmt::Display for Auts {
    /// The value of the parameter `auts` (RFC 3310 §3.4).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode([self.hidden_sqn.as_slice(), &self.mac_s].concat()))
    }
}

/// HMAC with the hash function of the algorithm (RFC 4169 §2.1).
fn prf(hash: Hash, key: &[u8], text: &[u8]) -> Zeroizing<Vec<u8>> {
    match hash {
        Hash::Md5 => hmac::<Hmac<Md5>>(key, text),
        Hash::Sha256 => hmac::<Hmac<Sha256>>(key, text),
        Hash::Sha512_256 => hmac::<Hmac<Sha512_256>>(key, text),
    }
}

fn hmac<M: Mac + KeyInit>(key: &[u8], text: &[u8]) -> Zeroizing<Vec<u8>> {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length (RFC 2104 §2)")]
    let mut mac = <M as KeyInit>::new_from_slice(key).expect("a key of any length");
    mac.update(text);
    Zeroizing::new(mac.finalize().into_bytes().to_vec())
}

#[cfg(test)]
mod tests;
