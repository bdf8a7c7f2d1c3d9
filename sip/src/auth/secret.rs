//! What proves who we are, or who they are.

use super::aka::Card;
use super::algorithm::{Algorithm, Hash};
use super::digest::{self, Ha1, Hex};
use std::fmt;
use std::sync::Arc;
use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

/// A password, or its H(A1) for some hash functions, or a card; wiped when dropped, never printed.
///
/// An H(A1) holds for one username in one realm only: whoever stores it keeps the two together.
#[derive(Clone)]
pub struct Secret {
    password: Option<Zeroizing<Box<str>>>,
    /// One for a hash function at most; few secrets have any.
    stored: Vec<(Hash, Ha1)>,
    card: Option<Arc<Card>>,
}

/// Why a text is no H(A1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// The text has another length than the hash function makes, or other characters than hexadecimal digits.
    #[error("not the {expected} hexadecimal digits of an H(A1)")]
    NotADigest {
        /// How many digits the hash function makes.
        expected: usize,
    },
}

impl Secret {
    const NOTHING: Self = Self { password: None, stored: Vec::new(), card: None };

    /// A password, good for every hash function.
    pub fn password(password: impl Into<Box<str>>) -> Self {
        Self { password: Some(Zeroizing::new(password.into())), ..Self::NOTHING }
    }

    /// A card, good for the algorithms of [`Algorithm::AKA`] only (RFC 3310 §5.3).
    pub fn card(card: Arc<Card>) -> Self {
        Self { card: Some(card), ..Self::NOTHING }
    }

    /// H(username ":" realm ":" password) under `hash`, in hexadecimal; good for that function only.
    ///
    /// # Errors
    /// [`SecretError::NotADigest`] if `hex` does not have the digits that `hash` makes.
    pub fn ha1(hash: Hash, hex: &str) -> Result<Self, SecretError> {
        Self::NOTHING.with_ha1(hash, hex)
    }

    /// The same with the H(A1) of one more hash function.
    ///
    /// # Errors
    /// As [`Secret::ha1`].
    pub fn with_ha1(mut self, hash: Hash, hex: &str) -> Result<Self, SecretError> {
        let parsed = Hex::parse(hash, hex).ok_or(SecretError::NotADigest { expected: hash.hex_digits() })?;
        self.stored.retain(|(known, _)| *known != hash);
        // Room for all of them at once: a list that grows leaves copies behind that nobody wipes.
        self.stored.reserve_exact(Hash::ALL.len() - self.stored.len());
        self.stored.push((hash, Ha1::from_hex(parsed)));
        Ok(self)
    }

    /// True if a response with `algorithm` can be computed.
    pub fn answers(&self, algorithm: Algorithm) -> bool {
        match algorithm.aka {
            Some(_) => self.card.is_some(),
            None => self.password.is_some() || self.stored(algorithm.hash).is_some(),
        }
    }

    /// The card, if that is what we have.
    pub fn of_card(&self) -> Option<&Card> {
        self.card.as_deref()
    }

    /// The H(A1) that was given for `hash`.
    pub(super) fn stored(&self, hash: Hash) -> Option<&Ha1> {
        self.stored.iter().find(|(known, _)| *known == hash).map(|(_, ha1)| ha1)
    }

    /// The password, if that is what we have.
    pub(super) fn cleartext(&self) -> Option<&str> {
        self.password.as_ref().map(|password| &***password)
    }

    /// H(A1) without session, from what is there.
    pub(super) fn ha1_for(&self, hash: Hash, username: &str, realm: &str) -> Option<Ha1> {
        match self.stored(hash) {
            Some(stored) => Some(stored.clone()),
            None => self.cleartext().map(|password| digest::ha1(hash, username, realm, password.as_bytes())),
        }
    }
}

fn same<T>(left: Option<T>, right: Option<T>, eq: impl Fn(T, T) -> Choice) -> Choice {
    match (left, right) {
        (Some(left), Some(right)) => eq(left, right),
        (None, None) => Choice::from(1),
        (Some(_), None) | (None, Some(_)) => Choice::from(0),
    }
}

impl PartialEq for Secret {
    /// In constant time for texts of one length.
    fn eq(&self, other: &Self) -> bool {
        let password = same(self.cleartext(), other.cleartext(), |a, b| a.as_bytes().ct_eq(b.as_bytes()));
        let card = Choice::from(u8::from(self.card == other.card));
        let stored = Hash::ALL.into_iter().fold(password & card, |so_far, hash| {
            so_far & same(self.stored(hash), other.stored(hash), |a, b| a.hex().ct_eq(b.hex()))
        });
        stored.into()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

/// A username with its secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    /// The digest username, as the realm knows it.
    pub username: Box<str>,
    /// What proves it.
    pub secret: Secret,
    /// As a client: shown to no hash function with fewer [bits](Hash::bits) than this one, which can only narrow what
    /// [`client::Acceptance`](super::client::Acceptance) lets through.
    pub weakest: Hash,
}

impl Credential {
    /// Good for every hash function.
    pub fn new(username: impl Into<Box<str>>, secret: Secret) -> Self {
        Self { username: username.into(), secret, weakest: Hash::Md5 }
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MD5: &str = "939e7578ed9e3c518a452acee763bce9";

    #[test]
    fn nothing_is_printed() {
        let credential = Credential::new("alice", Secret::password("wonderland"));
        assert_eq!(
            format!("{credential:?} {:?}", credential.secret),
            "Credential(redacted) Secret(redacted)"
        );
    }

    #[test]
    fn a_stored_hash_is_the_one_of_its_password() {
        let stored = Secret::ha1(Hash::Md5, MD5).unwrap();
        let typed = Secret::password("Circle Of Life");
        let of = |secret: &Secret| {
            secret.ha1_for(Hash::Md5, "Mufasa", "testrealm@host.com").map(|ha1| ha1.hex().to_string())
        };
        assert_eq!(of(&stored).as_deref(), Some(MD5));
        assert_eq!(of(&typed), of(&stored));
        assert!(!stored.answers(Algorithm::SHA_256));
        assert!(typed.answers(Algorithm::SHA_256) && !typed.answers(Algorithm::AKA_V1_MD5));
        let card = Secret::card(Arc::new(Card::new([1; 16], super::super::aka::Operator::Opc([2; 16]), 0)));
        assert!(card.answers(Algorithm::AKA_V2_SHA_256) && !card.answers(Algorithm::MD5));
        assert_ne!(card, typed);
        assert_eq!(card, card.clone());
    }

    #[test]
    fn a_hash_of_another_length_is_refused() {
        assert_eq!(Secret::ha1(Hash::Sha256, MD5).unwrap_err(), SecretError::NotADigest { expected: 64 });
        assert!(Secret::ha1(Hash::Md5, "939e7578ed9e3c518a452acee763bceg").is_err());
    }

    #[test]
    fn equality_sees_every_part() {
        assert_eq!(Secret::password("a"), Secret::password("a"));
        assert_ne!(Secret::password("a"), Secret::password("b"));
        assert_ne!(Secret::password("a"), Secret::ha1(Hash::Md5, MD5).unwrap());
        assert_ne!(Secret::password("a"), Secret::password("a").with_ha1(Hash::Md5, MD5).unwrap());
    }
}
