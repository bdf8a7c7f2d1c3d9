//! Master keys.

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{Aes, Suite};

/// The longest master key with its salt: 32 and 14 octets.
const LONGEST: usize = 46;

/// Most packets of SRTP under one master key, of all its sources together (RFC 3711 §9.2).
pub(super) const MOST_RTP: u64 = 1 << 48;
/// Most packets of SRTCP.
pub(super) const MOST_RTCP: u64 = 1 << 31;

/// A master key and its salt, how long it may be used, and how packets name it. It is wiped when it is dropped, and never shown.
#[derive(Clone)]
pub struct MasterKey {
    suite: Suite,
    octets: Zeroizing<[u8; LONGEST]>,
    lifetime: Option<u64>,
    mki: Option<Mki>,
}

/// A master key identifier as it stands in packets (RFC 3711 §3.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mki {
    value: u128,
    octets: Box<[u8]>,
}

/// Why there is no such key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Key and salt are not as long as the suite's.
    #[error("the key and its salt have the wrong length")]
    Length,
    /// A lifetime of no packets, or of more than any key may have.
    #[error("the lifetime is out of range")]
    Lifetime,
    /// An MKI that is longer than 128 octets, or has no room in its length.
    #[error("the MKI is out of range")]
    Mki,
}

impl MasterKey {
    /// The key of these octets, the salt behind it (RFC 4568 §6.1).
    ///
    /// # Errors
    /// [`KeyError::Length`].
    pub fn new(suite: Suite, octets: &[u8]) -> Result<Self, KeyError> {
        if octets.len() != suite.key_length() + suite.salt_length() {
            return Err(KeyError::Length);
        }
        let mut kept = Zeroizing::new([0; LONGEST]);
        kept.iter_mut().zip(octets).for_each(|(kept, octet)| *kept = *octet);
        Ok(Self { suite, octets: kept, lifetime: None, mki: None })
    }

    /// The same for so many packets of SRTP, and so many of SRTCP.
    ///
    /// # Errors
    /// [`KeyError::Lifetime`].
    pub fn with_lifetime(self, packets: u64) -> Result<Self, KeyError> {
        if packets == 0 || packets > MOST_RTP {
            return Err(KeyError::Lifetime);
        }
        Ok(Self { lifetime: Some(packets), ..self })
    }

    /// The same with an identifier in each packet.
    #[must_use]
    pub fn with_mki(self, mki: Mki) -> Self {
        Self { mki: Some(mki), ..self }
    }

    /// What it is for.
    #[must_use]
    pub fn suite(&self) -> Suite {
        self.suite
    }

    /// How many packets it is for, where that is stated.
    #[must_use]
    pub fn lifetime(&self) -> Option<u64> {
        self.lifetime
    }

    /// How packets name it.
    #[must_use]
    pub fn mki(&self) -> Option<&Mki> {
        self.mki.as_ref()
    }

    /// Key and salt.
    pub(crate) fn octets(&self) -> &[u8] {
        self.octets.get(..self.suite.key_length() + self.suite.salt_length()).unwrap_or_default()
    }

    /// What it is known by without being told: a block of its cipher that is in none of its key streams (RFC 3711 §4.3.1). `None` never,
    /// for the length is that of the suite.
    pub(crate) fn name(&self) -> Option<[u8; 16]> {
        let (key, salt) = self.split();
        let (mut block, mut name) = ([0xff; 16], [0; 16]);
        block.iter_mut().zip(salt).for_each(|(octet, salt)| *octet = *salt);
        Aes::new(key)?.apply(block, &mut name);
        Some(name)
    }

    /// Whether it is the same key, whatever its lifetime and its name.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let octets: bool = self.octets.ct_eq(&*other.octets).into();
        octets && self.suite == other.suite
    }

    pub(super) fn split(&self) -> (&[u8], &[u8]) {
        self.octets().split_at_checked(self.suite.key_length()).unwrap_or_default()
    }
}

impl PartialEq for MasterKey {
    fn eq(&self, other: &Self) -> bool {
        self.is_same(other) && (self.lifetime, &self.mki) == (other.lifetime, &other.mki)
    }
}

impl Eq for MasterKey {}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MasterKey").field("suite", &self.suite).finish_non_exhaustive()
    }
}

impl Mki {
    /// The identifier of this number in so many octets.
    ///
    /// # Errors
    /// [`KeyError::Mki`].
    pub fn new(value: u128, length: usize) -> Result<Self, KeyError> {
        let number = value.to_be_bytes();
        let significant = number.len() - value.leading_zeros() as usize / 8;
        if length == 0 || length > 128 || significant > length {
            return Err(KeyError::Mki);
        }
        let mut octets = vec![0; length];
        octets.iter_mut().rev().zip(number.iter().rev()).for_each(|(octet, of)| *octet = *of);
        Ok(Self { value, octets: octets.into() })
    }

    /// The number.
    #[must_use]
    pub fn value(&self) -> u128 {
        self.value
    }

    /// As it stands in packets.
    #[must_use]
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }
}
