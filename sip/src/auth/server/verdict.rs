//! What a check comes to.

use super::accepted::Accepted;
use crate::auth::kind::Kind;
use sip_types::StatusCode;

/// The outcome for one request.
#[derive(Debug)]
#[must_use]
pub enum Verdict {
    /// Nothing for our realm: challenge. Not a failure.
    Absent,
    /// The user is who it says.
    Accepted(Accepted),
    /// The secret is right and the nonce no longer good, or it is none of ours for that source: challenge with `stale=true`
    /// (RFC 7616 §3.3). Not a failed guess.
    Stale(StaleCause),
    /// Not accepted. The reason is for the log; the peer must not learn more than [`Refusal::status`] tells.
    Rejected(Refusal),
}

/// Why a nonce is no longer good. All are answered alike; those that were good once, only to who knows the secret (RFC 2617
/// §3.2.1 `stale`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StaleCause {
    /// Older than [`super::Settings::lifetime`].
    Expired,
    /// Its counts are no longer known: evicted, or from before a restart.
    Forgotten,
    /// The count was used before: a replay, or a client that does not count. The request is not accepted; who replays
    /// cannot answer the next challenge, who cannot count goes on with a nonce for each request.
    Replayed,
    /// Not signed by us with this key for this realm and source: forged, of an earlier process, given to another address, or of
    /// another server of the realm.
    Unknown,
}

/// Whose doing a refusal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The field breaks the protocol: 400.
    Malformed,
    /// Something that we did not offer: a new challenge.
    NotOffered,
    /// A wrong guess: counts against (source prefix, user), and gets a new challenge or 403.
    Guess,
}

/// Why credentials are not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A parameter that RFC 7616 §3.4 requires is missing or empty.
    #[error("no {0}")]
    Missing(&'static str),
    /// `response` is not the digits that the algorithm makes.
    #[error("a response of the wrong form")]
    BadResponse,
    /// `nc` is not eight hexadecimal digits, or 0.
    #[error("a nonce count of the wrong form")]
    BadCount,
    /// The digest-uri is another resource than the Request-URI (RFC 7616 §3.4.6: 400).
    #[error("the digest-uri is not the Request-URI")]
    UriMismatch,
    /// An algorithm that we did not offer, perhaps a weaker one.
    #[error("an algorithm that was not offered")]
    Algorithm,
    /// A qop that we did not offer.
    #[error("a qop that was not offered")]
    Qop,
    /// No qop, and [`super::Settings::allow_without_qop`] is false.
    #[error("no qop")]
    WithoutQop,
    /// `username` and `username*` together, or one that cannot be read (RFC 7616 §3.4).
    #[error("a username of the wrong form")]
    BadUsername,
    /// A hashed username (RFC 7616 §3.4.4).
    #[error("a hashed username, which was not offered")]
    Userhash,
    /// No such user.
    #[error("unknown user")]
    UnknownUser,
    /// The user's secret is stored as hashes, none of them for this algorithm.
    #[error("no stored hash of the secret for this algorithm")]
    NoHash,
    /// The response is not the one that the secret makes.
    #[error("wrong response")]
    WrongResponse,
}

impl Refusal {
    /// Whose doing it is.
    pub const fn fault(self) -> Fault {
        match self {
            Refusal::Missing(_)
            | Refusal::BadResponse
            | Refusal::BadCount
            | Refusal::BadUsername
            | Refusal::UriMismatch => Fault::Malformed,
            Refusal::Algorithm | Refusal::Qop | Refusal::WithoutQop | Refusal::Userhash => Fault::NotOffered,
            Refusal::UnknownUser | Refusal::NoHash | Refusal::WrongResponse => Fault::Guess,
        }
    }

    /// 400 for what breaks the protocol (RFC 7616 §3.4), else the status of a new challenge.
    pub const fn status(self, kind: Kind) -> StatusCode {
        match self.fault() {
            Fault::Malformed => StatusCode::BAD_REQUEST,
            Fault::NotOffered | Fault::Guess => kind.status(),
        }
    }
}
