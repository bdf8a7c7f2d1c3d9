//! The values of `algorithm` and `qop`.

use std::fmt;

/// A hash function of the "Hash Algorithms for HTTP Digest Authentication" registry (RFC 7616 §6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Hash {
    /// MD5: for peers that know nothing better (RFC 8760 §3 does not recommend it).
    Md5,
    /// SHA-256.
    Sha256,
    /// SHA-512/256 of FIPS 180-4. The example of RFC 7616 §3.9.2 shows a truncated SHA-512, which is another function (erratum 4897).
    Sha512_256,
}

impl Hash {
    /// All of them, weakest first.
    pub const ALL: [Hash; 3] = [Hash::Md5, Hash::Sha256, Hash::Sha512_256];

    /// Bits of output: 128 or 256. The two SHA-2 functions count as equally strong, so that the peer's order decides
    /// between them (RFC 8760 §2.4).
    pub const fn bits(self) -> u16 {
        match self {
            Hash::Md5 => 128,
            Hash::Sha256 | Hash::Sha512_256 => 256,
        }
    }

    /// Number of hexadecimal digits of a digest: 32 or 64 (RFC 8760 §2.2).
    pub const fn hex_digits(self) -> usize {
        match self {
            Hash::Md5 => 32,
            Hash::Sha256 | Hash::Sha512_256 => 64,
        }
    }
}

/// Where the password of a digest comes from, when it is a card that makes one for each challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Aka {
    /// RES itself (RFC 3310).
    V1,
    /// A key derived from RES, IK and CK (RFC 4169).
    V2,
}

/// A value of the `algorithm` parameter: a hash function, plain or with a session key (RFC 7616 §3.4.2), and where the
/// password comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Algorithm {
    /// The hash function.
    pub hash: Hash,
    /// True for the `-sess` variant, whose A1 takes in nonce and cnonce.
    pub session: bool,
    /// The version of AKA; `None` where the user has a password.
    pub aka: Option<Aka>,
}

impl Algorithm {
    /// `MD5`, also the meaning of an absent parameter (RFC 7616 §3.3).
    pub const MD5: Self = Self { hash: Hash::Md5, session: false, aka: None };
    /// `MD5-sess`.
    pub const MD5_SESS: Self = Self { session: true, ..Self::MD5 };
    /// `SHA-256`.
    pub const SHA_256: Self = Self { hash: Hash::Sha256, ..Self::MD5 };
    /// `SHA-256-sess`.
    pub const SHA_256_SESS: Self = Self { session: true, ..Self::SHA_256 };
    /// `SHA-512-256`.
    pub const SHA_512_256: Self = Self { hash: Hash::Sha512_256, ..Self::MD5 };
    /// `SHA-512-256-sess`.
    pub const SHA_512_256_SESS: Self = Self { session: true, ..Self::SHA_512_256 };
    /// `AKAv1-MD5` (RFC 3310).
    pub const AKA_V1_MD5: Self = Self { aka: Some(Aka::V1), ..Self::MD5 };
    /// `AKAv2-MD5` (RFC 4169).
    pub const AKA_V2_MD5: Self = Self { aka: Some(Aka::V2), ..Self::MD5 };
    /// `AKAv2-SHA-256` (3GPP TS 33.203), made as RFC 4169 says for any hash function.
    pub const AKA_V2_SHA_256: Self = Self { aka: Some(Aka::V2), ..Self::SHA_256 };

    /// Every algorithm for a password, weakest first.
    pub const ALL: [Self; 6] = [
        Self::MD5,
        Self::MD5_SESS,
        Self::SHA_256,
        Self::SHA_256_SESS,
        Self::SHA_512_256,
        Self::SHA_512_256_SESS,
    ];

    /// Every algorithm for a card, weakest first. Those with `-sess` should not be used (RFC 3310 §3.1).
    pub const AKA: [Self; 3] = [Self::AKA_V1_MD5, Self::AKA_V2_MD5, Self::AKA_V2_SHA_256];

    /// The algorithm of that name in any case (RFC 3261 §7.3.1); `None` for one that we do not compute.
    pub fn from_token(token: &str) -> Option<Self> {
        let known = Self::ALL.into_iter().chain(Self::AKA);
        known.into_iter().find(|known| known.as_str().eq_ignore_ascii_case(token))
    }

    /// The name as RFC 8760 §2.7, RFC 3310 §3.1 and RFC 4169 §2 write it.
    pub const fn as_str(self) -> &'static str {
        match (self.aka, self.hash, self.session) {
            (None, Hash::Md5, false) => "MD5",
            (None, Hash::Md5, true) => "MD5-sess",
            (None, Hash::Sha256, false) => "SHA-256",
            (None, Hash::Sha256, true) => "SHA-256-sess",
            (None, Hash::Sha512_256, false) => "SHA-512-256",
            (None, Hash::Sha512_256, true) => "SHA-512-256-sess",
            (Some(Aka::V1), Hash::Md5, false) => "AKAv1-MD5",
            (Some(Aka::V1), Hash::Md5, true) => "AKAv1-MD5-sess",
            (Some(Aka::V1), Hash::Sha256, false) => "AKAv1-SHA-256",
            (Some(Aka::V1), Hash::Sha256, true) => "AKAv1-SHA-256-sess",
            (Some(Aka::V1), Hash::Sha512_256, false) => "AKAv1-SHA-512-256",
            (Some(Aka::V1), Hash::Sha512_256, true) => "AKAv1-SHA-512-256-sess",
            (Some(Aka::V2), Hash::Md5, false) => "AKAv2-MD5",
            (Some(Aka::V2), Hash::Md5, true) => "AKAv2-MD5-sess",
            (Some(Aka::V2), Hash::Sha256, false) => "AKAv2-SHA-256",
            (Some(Aka::V2), Hash::Sha256, true) => "AKAv2-SHA-256-sess",
            (Some(Aka::V2), Hash::Sha512_256, false) => "AKAv2-SHA-512-256",
            (Some(Aka::V2), Hash::Sha512_256, true) => "AKAv2-SHA-512-256-sess",
        }
    }

    /// What the stronger algorithm has more of: a card before a password (RFC 3310 §5.3), then [bits](Hash::bits), then the
    /// version of AKA. Equal for the two SHA-2 functions.
    pub(super) const fn strength(self) -> (bool, u16, bool) {
        (self.aka.is_some(), self.hash.bits(), matches!(self.aka, Some(Aka::V2)))
    }

    /// Whether it is at least as strong as this hash function. A card's password is used once, so that what is known of a hash
    /// function counts for passwords only.
    pub(super) const fn reaches(self, weakest: Hash) -> bool {
        self.aka.is_some() || self.hash.bits() >= weakest.bits()
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Quality of protection: what a response covers (RFC 7616 §3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Qop {
    /// `auth`: method and digest-uri.
    Auth,
    /// `auth-int`: the body as well.
    AuthInt,
}

impl Qop {
    /// The value of that name in any case; `None` for another, which is ignored (RFC 7616 §3.3).
    pub fn from_token(token: &str) -> Option<Self> {
        [Qop::Auth, Qop::AuthInt].into_iter().find(|known| known.as_str().eq_ignore_ascii_case(token))
    }

    /// `auth` or `auth-int`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Qop::Auth => "auth",
            Qop::AuthInt => "auth-int",
        }
    }
}

impl fmt::Display for Qop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_in_any_case() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::from_token(&algorithm.as_str().to_lowercase()), Some(algorithm));
        }
        assert_eq!(Algorithm::from_token("akav2-sha-256"), Some(Algorithm::AKA_V2_SHA_256));
        for unknown in ["AKAv1-MD5-sess", "AKAv1-SHA-256", "AKAv3-MD5", "SHA-1", "", "MD5-"] {
            assert_eq!(Algorithm::from_token(unknown), None, "{unknown}");
        }
        assert_eq!(Qop::from_token("AUTH-INT"), Some(Qop::AuthInt));
        assert_eq!(Qop::from_token("auth-conf"), None);
    }
}
