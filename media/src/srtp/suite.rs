//! Crypto suites.

/// A crypto suite of SDES (RFC 4568 §6.2, RFC 6188 §4, RFC 7714 §14.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Suite {
    /// AES-128 in counter mode, HMAC-SHA1 with a tag of 80 bits.
    AesCm128Sha1Tag80,
    /// The same with a tag of 32 bits for SRTP, of 80 bits for SRTCP.
    AesCm128Sha1Tag32,
    /// AES-256 in counter mode, HMAC-SHA1 with a tag of 80 bits.
    AesCm256Sha1Tag80,
    /// The same with a tag of 32 bits for SRTP, of 80 bits for SRTCP.
    AesCm256Sha1Tag32,
    /// AES-128 in Galois/counter mode.
    AeadAes128Gcm,
    /// AES-256 in Galois/counter mode.
    AeadAes256Gcm,
}

impl Suite {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::AeadAes256Gcm,
        Self::AeadAes128Gcm,
        Self::AesCm256Sha1Tag80,
        Self::AesCm128Sha1Tag80,
        Self::AesCm256Sha1Tag32,
        Self::AesCm128Sha1Tag32,
    ];

    /// Its name in SDP.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::AesCm128Sha1Tag80 => "AES_CM_128_HMAC_SHA1_80",
            Self::AesCm128Sha1Tag32 => "AES_CM_128_HMAC_SHA1_32",
            Self::AesCm256Sha1Tag80 => "AES_256_CM_HMAC_SHA1_80",
            Self::AesCm256Sha1Tag32 => "AES_256_CM_HMAC_SHA1_32",
            Self::AeadAes128Gcm => "AEAD_AES_128_GCM",
            Self::AeadAes256Gcm => "AEAD_AES_256_GCM",
        }
    }

    /// The suite of a name; `None` for one that is not known.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|suite| suite.name().eq_ignore_ascii_case(name))
    }

    /// The length of the master key in octets.
    #[must_use]
    pub fn key_length(self) -> usize {
        match self {
            Self::AesCm128Sha1Tag80 | Self::AesCm128Sha1Tag32 | Self::AeadAes128Gcm => 16,
            Self::AesCm256Sha1Tag80 | Self::AesCm256Sha1Tag32 | Self::AeadAes256Gcm => 32,
        }
    }

    /// The length of the master salt in octets.
    #[must_use]
    pub fn salt_length(self) -> usize {
        if self.is_aead() { 12 } else { 14 }
    }

    /// Whether encryption and authentication are one (RFC 7714).
    #[must_use]
    pub fn is_aead(self) -> bool {
        match self {
            Self::AeadAes128Gcm | Self::AeadAes256Gcm => true,
            Self::AesCm128Sha1Tag80
            | Self::AesCm128Sha1Tag32
            | Self::AesCm256Sha1Tag80
            | Self::AesCm256Sha1Tag32 => false,
        }
    }

    /// The length of an SRTP tag in octets; that of SRTCP is 10 where this is 4.
    #[must_use]
    pub fn tag_length(self) -> usize {
        match self {
            Self::AesCm128Sha1Tag80 | Self::AesCm256Sha1Tag80 => 10,
            Self::AesCm128Sha1Tag32 | Self::AesCm256Sha1Tag32 => 4,
            Self::AeadAes128Gcm | Self::AeadAes256Gcm => 16,
        }
    }
}
