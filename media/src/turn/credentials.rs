//! Credentials that carry their own end: the username is `SECONDS:USER`, the password a keyed hash of it (the "REST API for
//! access to TURN services", draft-uberti-behave-turn-rest-00 §2.2). Whoever has the secret can make and check them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::Mac;
use md5::{Digest, Md5};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::stun::key;

/// The longest USERNAME (RFC 8489 §14.3), in bytes.
const LONGEST: usize = 508;

/// A credential to hand out.
pub struct Minted {
    /// The username.
    pub username: String,
    /// The password.
    pub password: Zeroizing<String>,
}

/// Makes a credential for a user that ends at `expires`, in seconds since 1970. `None` for a user that no username can name:
/// empty, too long, or with characters other than printable ASCII without `"` and `\`.
#[must_use]
pub fn mint(secret: &str, user: &str, expires: u64) -> Option<Minted> {
    let username = format!("{expires}:{user}");
    Login::read(username.as_bytes())?;
    let password = password(secret, &username);
    Some(Minted { username, password })
}

/// A username, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Login<'a> {
    /// The whole of it.
    pub(super) name: &'a str,
    /// Who it is, whose quotas count.
    pub(super) user: &'a str,
    /// When it ends, in seconds since 1970.
    pub(super) expires: u64,
}

impl<'a> Login<'a> {
    /// What OpaqueString (RFC 8265) would change is not taken.
    pub(super) fn read(username: &'a [u8]) -> Option<Self> {
        let name = std::str::from_utf8(username).ok().filter(|name| name.len() <= LONGEST)?;
        let (expires, user) = name.split_once(':')?;
        let digits = !expires.is_empty() && expires.bytes().all(|b| b.is_ascii_digit());
        let plain = |b: u8| matches!(b, b' '..=b'~') && b != b'"' && b != b'\\';
        let expires = expires.parse().ok().filter(|_| digits)?;
        (!user.is_empty() && user.bytes().all(plain)).then_some(Self { name, user, expires })
    }
}

fn password(secret: &str, username: &str) -> Zeroizing<String> {
    let mut mac = key(secret);
    mac.update(username.as_bytes());
    Zeroizing::new(STANDARD.encode(mac.finalize().into_bytes()))
}

/// How the password becomes a key (RFC 8489 §18.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    Md5,
    Sha256,
}

/// The algorithms that we offer, as PASSWORD-ALGORITHMS has them: SHA-256 first, no parameters.
pub(super) const ALGORITHMS: [u8; 8] = [0, 2, 0, 0, 0, 1, 0, 0];

impl Algorithm {
    /// The value of PASSWORD-ALGORITHM.
    pub(super) fn read(value: &[u8]) -> Option<Self> {
        match value {
            [0, 1, 0, 0] => Some(Self::Md5),
            [0, 2, 0, 0] => Some(Self::Sha256),
            _ => None,
        }
    }

    /// The key of a user under a secret (RFC 8489 §9.2.2).
    pub(super) fn key(self, secret: &str, username: &str, realm: &str) -> Zeroizing<Vec<u8>> {
        let password = password(secret, username);
        self.key_of(username, realm, &password)
    }

    pub(super) fn key_of(self, username: &str, realm: &str, password: &str) -> Zeroizing<Vec<u8>> {
        let parts = [username, ":", realm, ":", password];
        Zeroizing::new(match self {
            Self::Md5 => digest::<Md5>(&parts),
            Self::Sha256 => digest::<Sha256>(&parts),
        })
    }
}

fn digest<D: Digest>(parts: &[&str]) -> Vec<u8> {
    let mut digest = D::new();
    parts.iter().for_each(|part| digest.update(part.as_bytes()));
    digest.finalize().to_vec()
}
