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

/// A value of the `algorithm` parameter: a hash function, plain or with a session key (RFC 7616 §3.4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Algorithm {
    /// The hash function.
    pub hash: Hash,
    /// True for the `-sess` variant, whose A1 takes in nonce and cnonce.
    pub session: bool,
}

impl Algorithm {
    /// `MD5`, also the meaning of an absent parameter (RFC 7616 §3.3).
    pub const MD5: Self = Self { hash: Hash::Md5, session: false };
    /// `MD5-sess`.
    pub const MD5_SESS: Self = Self { hash: Hash::Md5, session: true };
    /// `SHA-256`.
    pub const SHA_256: Self = Self { hash: Hash::Sha256, session: false };
    /// `SHA-256-sess`.
    pub const SHA_256_SESS: Self = Self { hash: Hash::Sha256, session: true };
    /// `SHA-512-256`.
    pub const SHA_512_256: Self = Self { hash: Hash::Sha512_256, session: false };
    /// `SHA-512-256-sess`.
    pub const SHA_512_256_SESS: Self = Self { hash: Hash::Sha512_256, session: true };

    /// Every algorithm, weakest first.
    pub const ALL: [Self; 6] = [
        Self::MD5,
        Self::MD5_SESS,
        Self::SHA_256,
        Self::SHA_256_SESS,
        Self::SHA_512_256,
        Self::SHA_512_256_SESS,
    ];

    /// The algorithm of that name in any case (RFC 3261 §7.3.1); `None` for one that we do not compute.
    pub fn from_token(token: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str().eq_ignore_ascii_case(token))
    }

    /// The name as RFC 8760 §2.7 writes it.
    pub const fn as_str(self) -> &'static str {
        match (self.hash, self.session) {
            (Hash::Md5, false) => "MD5",
            (Hash::Md5, true) => "MD5-sess",
            (Hash::Sha256, false) => "SHA-256",
            (Hash::Sha256, true) => "SHA-256-sess",
            (Hash::Sha512_256, false) => "SHA-512-256",
            (Hash::Sha512_256, true) => "SHA-512-256-sess",
        }
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
        assert_eq!(Algorithm::from_token("AKAv1-MD5"), None);
        assert_eq!(Qop::from_token("AUTH-INT"), Some(Qop::AuthInt));
        assert_eq!(Qop::from_token("auth-conf"), None);
    }
}
