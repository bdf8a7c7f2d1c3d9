//! What the registrar allows.

use std::time::Duration;

/// How long bindings last, and what else depends on where a REGISTER came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// What a contact gets that asks for nothing, in whole seconds.
    pub default_expires: Duration,
    /// The least that is granted; a shorter wish below an hour is answered 423 (RFC 3261 §10.3 step 7).
    pub min_expires: Duration,
    /// The most that is granted.
    pub max_expires: Duration,
    /// Bindings of one address-of-record; 403 beyond.
    pub bindings: usize,
}

/// Bounds of what peers can make a registrar keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Addresses-of-record with bindings; 503 beyond.
    pub aors: usize,
    /// Path values of one binding; 513 beyond.
    pub path: usize,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            default_expires: Duration::from_secs(3600),
            min_expires: Duration::from_secs(60),
            max_expires: Duration::from_secs(7200),
            bindings: 10,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { aors: 100_000, path: 16 }
    }
}
