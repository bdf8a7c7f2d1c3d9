//! The public keys that tokens are signed with: a JWK set (RFC 7517), or one PEM.

use super::Fault;
use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, Validation, decode, decode_header};
use serde_json::{Map, Value};
use std::fmt;

/// Keys of one set that are taken; an issuer has a few, for the change from one to the next.
const MAX_KEYS: usize = 64;

/// Why a text holds no keys.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// Neither the JSON of a JWK set nor the PEM of a public key.
    #[error("neither a JWK set nor a public key in PEM: {0}")]
    Unreadable(String),
    /// None in it verifies signatures: those for encryption and shared secrets don't count.
    #[error("no public key for signatures in it")]
    NoKey,
    /// More keys than are taken.
    #[error("more than {MAX_KEYS} keys")]
    TooMany,
}

#[derive(Clone)]
struct Key {
    id: Option<String>,
    key: DecodingKey,
    algorithms: Vec<Algorithm>,
}

/// Public keys for signatures: RSA (PKCS1 and PSS), P-256 and P-384, Ed25519. Shared secrets are never taken, so a public key
/// cannot be used as one.
#[derive(Clone)]
pub struct KeySet {
    keys: Vec<Key>,
}

impl KeySet {
    /// Reads a JWK set, or one public key in PEM.
    ///
    /// # Errors
    /// [`KeysError`] if there is no key in the text.
    pub fn read(text: &str) -> Result<Self, KeysError> {
        let keys = if text.trim_start().starts_with('{') {
            let set: JwkSet =
                serde_json::from_str(text).map_err(|error| KeysError::Unreadable(error.to_string()))?;
            if set.keys.len() > MAX_KEYS {
                return Err(KeysError::TooMany);
            }
            set.keys.iter().filter_map(Key::of_jwk).collect()
        } else {
            vec![Key::of_pem(text.as_bytes())?]
        };
        if keys.is_empty() { Err(KeysError::NoKey) } else { Ok(Self { keys }) }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Never true.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The claims of a token with a right signature. Neither times nor names in it have been looked at.
    pub(super) fn open(&self, token: &str) -> Result<Map<String, Value>, Fault> {
        if token.split('.').count() != 3 {
            return Err(Fault::Malformed);
        }
        let header = decode_header(token).map_err(|_| Fault::Malformed)?;
        if header.crit.is_some() {
            return Err(Fault::Critical);
        }
        let fits = |key: &&Key| {
            let named = match (&header.kid, &key.id) {
                (Some(wanted), Some(id)) => wanted == id,
                (Some(_) | None, None) | (None, Some(_)) => true,
            };
            named && key.algorithms.contains(&header.alg)
        };
        let mut fault = Fault::NoKey;
        for key in self.keys.iter().filter(fits) {
            match decode(token, &key.key, &key.validation()) {
                Ok(data) => return Ok(data.claims),
                Err(error) => {
                    fault = match error.kind() {
                        jsonwebtoken::errors::ErrorKind::Json(_) => Fault::Malformed,
                        _ => Fault::Signature,
                    };
                }
            }
        }
        Err(fault)
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeySet").field("keys", &self.keys.len()).finish_non_exhaustive()
    }
}

impl Key {
    /// `None` for a key that verifies no signatures.
    fn of_jwk(jwk: &Jwk) -> Option<Self> {
        if matches!(jwk.common.public_key_use, Some(PublicKeyUse::Encryption)) {
            return None;
        }
        let key = DecodingKey::from_jwk(jwk).ok().filter(|key| key.family() != AlgorithmFamily::Hmac)?;
        let mut algorithms = key.family().algorithms().to_vec();
        if let Some(only) = jwk.common.key_algorithm {
            // `None` for one that is no algorithm for signatures.
            let only: Option<Algorithm> = only.to_string().parse().ok();
            algorithms.retain(|algorithm| only == Some(*algorithm));
        }
        Some(Self { id: jwk.common.key_id.clone(), key, algorithms }).filter(|key| !key.algorithms.is_empty())
    }

    fn of_pem(text: &[u8]) -> Result<Self, KeysError> {
        let key = DecodingKey::from_rsa_pem(text)
            .or_else(|_| DecodingKey::from_ec_pem(text))
            .or_else(|_| DecodingKey::from_ed_pem(text))
            .map_err(|error| KeysError::Unreadable(error.to_string()))?;
        let algorithms = key.family().algorithms().to_vec();
        Ok(Self { id: None, key, algorithms })
    }

    /// The signature only: what the claims say is compared with the time that is passed in.
    fn validation(&self) -> Validation {
        let mut validation = Validation::new_for_family(self.key.family());
        validation.algorithms.clone_from(&self.algorithms);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.validate_aud = false;
        validation
    }
}
