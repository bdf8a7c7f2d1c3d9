//! What a server is told by the configuration.

use std::fmt;
use std::net::IpAddr;
use std::ops::RangeInclusive;

use zeroize::Zeroizing;

use super::Reach;
use super::meter::Rate;

/// How a server behaves.
pub struct Settings {
    /// The realm that it names (RFC 8489 §9.2).
    pub realm: Box<str>,
    /// What credentials are made with; further ones are those of before, and still taken.
    pub secrets: Vec<Zeroizing<String>>,
    /// Where allocations are.
    pub relayed: Relayed,
    /// Whom they reach.
    pub reach: Reach,
    /// How long an allocation lasts without a refresh that asks for something else, in seconds.
    pub lifetime: u32,
    /// How long it may be asked to last, in seconds.
    pub longest_lifetime: u32,
    /// How long a nonce is good, in seconds.
    pub nonce_lifetime: u32,
    /// How long a port rests before another allocation gets it, in seconds.
    pub quarantine: u32,
    /// Whether channels may have the numbers that only RFC 5766 permits, too: those from 0x5000 to 0x7FFF.
    pub old_channels: bool,
    /// What it takes on.
    pub limits: Limits,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("realm", &self.realm).finish_non_exhaustive()
    }
}

/// Where relayed transport addresses are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relayed {
    /// The address that ports are bound on.
    pub bind: IpAddr,
    /// The address that clients are told, of the same family.
    pub told: IpAddr,
    /// The ports.
    pub ports: RangeInclusive<u16>,
}

/// What a server takes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Allocations at a time; one more is answered 508.
    pub allocations: usize,
    /// Allocations and reservations of one user at a time; one more is answered 486.
    /// It may begin twice as many at once, and a tenth of it, but at least one, in each second; one more is answered 486, too.
    pub per_user: usize,
    /// Permissions of one allocation, and as many channels; one more is answered 508.
    pub permissions: usize,
    /// Bytes a second that a user may send and get, all its allocations together; what is more is dropped. `None` for any.
    pub rate: Option<u64>,
    /// Answers in a second over UDP to an address that has not proved itself.
    pub unproven: u32,
}

impl Limits {
    /// How many allocations and reservations a user may begin: ports that rest are lost to others.
    pub(super) fn begun(&self) -> Rate {
        let most = u64::try_from(self.per_user).unwrap_or(u64::MAX);
        Rate { each_second: (most / 10).max(1), at_once: most.saturating_mul(2) }
    }

    /// How many bytes a user may send and get.
    pub(super) fn bytes(&self) -> Option<Rate> {
        self.rate.map(|rate| Rate { each_second: rate, at_once: rate })
    }
}
