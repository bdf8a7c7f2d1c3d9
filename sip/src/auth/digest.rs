//! The computation itself (RFC 7616 §3.4): pure, without allocation.

use super::algorithm::{Algorithm, Hash, Qop};
use md5::Md5;
use sha2::digest::Digest;
use sha2::{Sha256, Sha512_256};
use std::fmt;
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

/// What a digest covers of a request.
#[derive(Clone, Copy, Debug)]
pub struct Covered<'a> {
    /// The method, case kept.
    pub method: &'a str,
    /// The Request-URI as it stands in the request line.
    pub uri: &'a str,
    /// The body, byte for byte; counts under `auth-int` only.
    pub body: &'a [u8],
}

impl<'a> From<&'a sip_types::Request> for Covered<'a> {
    fn from(request: &'a sip_types::Request) -> Self {
        Self { method: request.method().as_str(), uri: request.uri_text(), body: request.body() }
    }
}

/// The 32 or 64 lower-case hexadecimal digits of a digest (RFC 8760 §2.2).
#[derive(Clone)]
pub(super) struct Hex {
    digits: [u8; 64],
    len: usize,
}

impl Hex {
    fn encode(bytes: &[u8]) -> Self {
        let mut digits = [b'0'; 64];
        let mut len = 0;
        for (byte, pair) in bytes.iter().zip(digits.chunks_exact_mut(2)) {
            if let [high, low] = pair {
                *high = nibble(byte >> 4);
                *low = nibble(byte & 15);
                len += 2;
            }
        }
        Self { digits, len }
    }

    /// The digest that `text` spells in either case; `None` unless it has the length that `hash` makes.
    pub(super) fn parse(hash: Hash, text: &str) -> Option<Self> {
        if text.len() != hash.hex_digits() || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let mut digits = [b'0'; 64];
        for (digit, byte) in digits.iter_mut().zip(text.bytes()) {
            *digit = byte.to_ascii_lowercase();
        }
        Some(Self { digits, len: text.len() })
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.digits.get(..self.len).unwrap_or_default()
    }

    pub(super) fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }
}

impl ConstantTimeEq for Hex {
    fn ct_eq(&self, other: &Self) -> subtle::Choice {
        self.as_bytes().ct_eq(other.as_bytes())
    }
}

impl Zeroize for Hex {
    fn zeroize(&mut self) {
        self.digits.zeroize();
    }
}

impl fmt::Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

const fn nibble(value: u8) -> u8 {
    if value < 10 { b'0' + value } else { b'a' + value - 10 }
}

/// Value of a hexadecimal digit in lower case.
const fn value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

/// Appends `bytes` in lower-case hexadecimal.
pub(super) fn push_hex(out: &mut String, bytes: &[u8]) {
    for byte in bytes {
        out.push(char::from(nibble(byte >> 4)));
        out.push(char::from(nibble(byte & 15)));
    }
}

/// Reads exactly `N` bytes of lower-case hexadecimal: one spelling for one value.
pub(super) fn read_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut out = [0; N];
    if text.len() != N * 2 {
        return None;
    }
    for (byte, pair) in out.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let [high, low] = pair else { return None };
        *byte = value(*high)? << 4 | value(*low)?;
    }
    Some(out)
}

/// H(A1), or what stands for it: as good as the password for its realm, so wiped after use.
#[derive(Clone)]
pub(super) struct Ha1(Hex);

impl Ha1 {
    pub(super) fn from_hex(hex: Hex) -> Self {
        Self(hex)
    }

    pub(super) fn hex(&self) -> &Hex {
        &self.0
    }
}

impl Drop for Ha1 {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

fn run<D: Digest>(parts: &[&[u8]]) -> Hex {
    let mut state = D::new();
    for part in parts {
        state.update(part);
    }
    let mut bytes = state.finalize();
    let hex = Hex::encode(&bytes);
    bytes.as_mut_slice().zeroize();
    hex
}

/// H of the parts, put end to end.
fn hash(hash: Hash, parts: &[&[u8]]) -> Hex {
    match hash {
        Hash::Md5 => run::<Md5>(parts),
        Hash::Sha256 => run::<Sha256>(parts),
        Hash::Sha512_256 => run::<Sha512_256>(parts),
    }
}

/// H(username ":" realm ":" password), the H(A1) of an algorithm without session (RFC 7616 §3.4.2). The password
/// of a card is binary (RFC 4169 §3).
pub(super) fn ha1(function: Hash, username: &str, realm: &str, password: &[u8]) -> Ha1 {
    Ha1(hash(function, &[username.as_bytes(), b":", realm.as_bytes(), b":", password]))
}

/// H(A1) of `algorithm`: `ha1` itself, or its hash with nonce and cnonce for `-sess` (RFC 7616 §3.4.2).
pub(super) fn keyed(algorithm: Algorithm, ha1: Ha1, nonce: &str, cnonce: &str) -> Ha1 {
    if algorithm.session {
        Ha1(hash(algorithm.hash, &[ha1.0.as_bytes(), b":", nonce.as_bytes(), b":", cnonce.as_bytes()]))
    } else {
        ha1
    }
}

/// H(A2) (RFC 7616 §3.4.3; an absent body hashes as an empty one, RFC 8760 §2.6). An empty method makes that of `rspauth` (§3.5).
pub(super) fn ha2(function: Hash, qop: Option<Qop>, covered: &Covered<'_>) -> Hex {
    let (method, uri) = (covered.method.as_bytes(), covered.uri.as_bytes());
    match qop {
        Some(Qop::AuthInt) => {
            let body = hash(function, &[covered.body]);
            hash(function, &[method, b":", uri, b":", body.as_bytes()])
        }
        Some(Qop::Auth) | None => hash(function, &[method, b":", uri]),
    }
}

/// What a response covers beside nonce and A2 when there is a qop.
#[derive(Clone, Copy, Debug)]
pub(super) struct Protection<'a> {
    pub(super) qop: Qop,
    /// The count as it was or will be written: eight hexadecimal digits.
    pub(super) nc: &'a str,
    pub(super) cnonce: &'a str,
}

/// The `response` (RFC 7616 §3.4.1); without protection that of RFC 2617 §3.2.2.1, last case.
pub(super) fn response(
    function: Hash,
    ha1: &Ha1,
    nonce: &str,
    with: Option<Protection<'_>>,
    ha2: &Hex,
) -> Hex {
    let (key, nonce) = (ha1.0.as_bytes(), nonce.as_bytes());
    match with {
        Some(Protection { qop, nc, cnonce }) => hash(
            function,
            &[
                key,
                b":",
                nonce,
                b":",
                nc.as_bytes(),
                b":",
                cnonce.as_bytes(),
                b":",
                qop.as_str().as_bytes(),
                b":",
                ha2.as_bytes(),
            ],
        ),
        None => hash(function, &[key, b":", nonce, b":", ha2.as_bytes()]),
    }
}

/// The `username` under `userhash=true` (RFC 7616 §3.4.4).
pub(super) fn userhash(function: Hash, username: &str, realm: &str) -> Hex {
    hash(function, &[username.as_bytes(), b":", realm.as_bytes()])
}

#[cfg(test)]
mod tests;
