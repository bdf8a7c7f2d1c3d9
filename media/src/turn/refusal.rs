//! What a request is refused with.

/// Why, and so with which code (RFC 8489 §14.8, RFC 8656 §19).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Refusal {
    BadRequest,
    Unauthenticated(Unproven),
    Forbidden,
    UnknownAttribute,
    Mismatch,
    StaleNonce,
    FamilyNotSupported,
    WrongCredentials,
    TransportNotSupported,
    FamilyMismatch,
    Quota,
    Capacity,
}

/// What a credential lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Unproven {
    /// There is none.
    Absent,
    /// It is none of ours, or the password is wrong.
    Wrong,
    /// It was good once.
    Expired,
}

impl Refusal {
    /// Every code that there is.
    pub(super) const CODES: [&str; 12] =
        ["400", "401", "403", "420", "437", "438", "440", "441", "442", "443", "486", "508"];

    pub(super) fn code(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::Unauthenticated(_) => 401,
            Self::Forbidden => 403,
            Self::UnknownAttribute => 420,
            Self::Mismatch => 437,
            Self::StaleNonce => 438,
            Self::FamilyNotSupported => 440,
            Self::WrongCredentials => 441,
            Self::TransportNotSupported => 442,
            Self::FamilyMismatch => 443,
            Self::Quota => 486,
            Self::Capacity => 508,
        }
    }

    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::BadRequest => "Bad Request",
            Self::Unauthenticated(_) => "Unauthenticated",
            Self::Forbidden => "Forbidden",
            Self::UnknownAttribute => "Unknown Attribute",
            Self::Mismatch => "Allocation Mismatch",
            Self::StaleNonce => "Stale Nonce",
            Self::FamilyNotSupported => "Address Family not Supported",
            Self::WrongCredentials => "Wrong Credentials",
            Self::TransportNotSupported => "Unsupported Transport Protocol",
            Self::FamilyMismatch => "Peer Address Family Mismatch",
            Self::Quota => "Allocation Quota Reached",
            Self::Capacity => "Insufficient Capacity",
        }
    }
}
