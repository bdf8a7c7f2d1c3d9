//! Who asks: the long-term credential mechanism (RFC 8489 §9.2), with credentials that carry their own end.

use super::credentials::{ALGORITHMS, Algorithm, Login};
use super::nonce::Nonces;
use super::refusal::{Refusal, Unproven};
use super::request::Request;
use super::{Client, Settings};
use crate::stun::{Key, Key256, key_of, key256_of};

/// Somebody who has the password.
pub(super) struct Proven<'a> {
    pub(super) login: Login<'a>,
    pub(super) key: AnswerKey,
}

/// What the answer is sealed with (RFC 8489 §9.2.4).
pub(super) enum AnswerKey {
    Sha1(Key),
    Sha256(Key256),
}

/// Whom a request is from, in the order of RFC 8489 §9.2.4.
///
/// # Errors
/// Nobody that we know, or with a nonce that is not good (any more).
pub(super) fn prove<'a>(
    request: &Request<'a>,
    (settings, nonces): (&Settings, &Nonces),
    client: Client,
    unix: u64,
) -> Result<Proven<'a>, Refusal> {
    let proof = request.proof().ok_or(Refusal::Unauthenticated(Unproven::Absent))?;
    let (Some(username), Some(_), Some(nonce)) = (request.username, request.realm, request.nonce) else {
        return Err(Refusal::BadRequest);
    };
    let (algorithm, chosen) = algorithm(request, nonce)?;
    let wrong = Refusal::Unauthenticated(Unproven::Wrong);
    let login = Login::read(username).ok_or(wrong)?;
    // The realm that the client believes in is in its key: another one than ours is a wrong password.
    let keys = settings.secrets.iter().map(|secret| algorithm.key(secret, login.name, &settings.realm));
    let key = keys.into_iter().find(|key| proof.holds(key, request.datagram())).ok_or(wrong)?;
    if !nonces.is_fresh(nonce, client, unix, settings.nonce_lifetime) {
        return Err(Refusal::StaleNonce);
    }
    let key = if chosen { AnswerKey::Sha256(key256_of(&key)) } else { AnswerKey::Sha1(key_of(&key)) };
    Ok(Proven { login, key })
}

/// The algorithm of the key, and whether the client has chosen it.
fn algorithm(request: &Request<'_>, nonce: &[u8]) -> Result<(Algorithm, bool), Refusal> {
    match (request.algorithms, request.algorithm) {
        (None, None) => Ok((Algorithm::Md5, false)),
        // A client that is given another nonce than ours by somebody between cannot be told what to choose from.
        _ if !Nonces::offers_algorithms(nonce) => Ok((Algorithm::Md5, false)),
        (Some(offered), Some(chosen)) if *offered == ALGORITHMS => {
            Algorithm::read(chosen).map(|algorithm| (algorithm, true)).ok_or(Refusal::BadRequest)
        }
        _ => Err(Refusal::BadRequest),
    }
}
