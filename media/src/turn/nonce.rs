//! Nonces that need no table: when they were made, and a keyed hash of that and of whom they are for (RFC 8489 §9.2).

use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use hmac::Mac;
use subtle::ConstantTimeEq;

use super::Client;
use crate::stun::{Key256, key256_of};

/// The nonce cookie with the security feature "Password algorithms", bit 0 (RFC 8489 §9.2, §18.1). Not "Username anonymity":
/// whom a USERHASH is of could only be looked up in a table of users.
const COOKIE: &str = "obMatJos2gAAA";

/// Makes nonces and knows them again.
pub(super) struct Nonces(Key256);

impl Nonces {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        Self(key256_of(key))
    }

    /// One for that client.
    pub(super) fn make(&self, client: Client, unix: u64) -> String {
        let proof = STANDARD_NO_PAD.encode(self.hash(client, unix));
        format!("{COOKIE}{unix:016x}{proof}")
    }

    /// Whether it is one of that client's and still good.
    pub(super) fn is_fresh(&self, nonce: &[u8], client: Client, unix: u64, lifetime: u32) -> bool {
        let rest = std::str::from_utf8(nonce).ok().and_then(|text| text.strip_prefix(COOKIE));
        let Some((made, proof)) = rest.and_then(|rest| rest.split_at_checked(16)) else { return false };
        let Ok(made) = u64::from_str_radix(made, 16) else { return false };
        let age = unix.saturating_sub(made);
        let ours = STANDARD_NO_PAD.encode(self.hash(client, made));
        age < lifetime.into() && bool::from(ours.as_bytes().ct_eq(proof.as_bytes()))
    }

    /// Whether it says that password algorithms may be chosen.
    pub(super) fn offers_algorithms(nonce: &[u8]) -> bool {
        nonce.starts_with(COOKIE.as_bytes())
    }

    fn hash(&self, client: Client, unix: u64) -> [u8; 12] {
        let mut mac = self.0.clone();
        mac.update(&unix.to_be_bytes());
        mac.update(&client.listener.to_be_bytes());
        mac.update(&client.connection.map_or(0, |number| number.wrapping_add(1)).to_be_bytes());
        match client.address.ip() {
            IpAddr::V4(ip) => mac.update(&ip.octets()),
            IpAddr::V6(ip) => mac.update(&ip.octets()),
        }
        mac.update(&client.address.port().to_be_bytes());
        let hash: [u8; 32] = mac.finalize().into_bytes().into();
        hash.first_chunk().copied().unwrap_or_default()
    }
}
