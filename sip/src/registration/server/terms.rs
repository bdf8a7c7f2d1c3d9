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

impl Terms {
    /// The lifetime that is granted, in seconds, where so many were asked for (RFC 3261 §10.3 step 7; RFC 6665
    /// §4.2.1.1).
    ///
    /// # Errors
    /// That is too brief; in seconds the least.
    pub fn grant(&self, asked: Option<u32>) -> Result<u32, u32> {
        let seconds = |d: Duration| u32::try_from(d.as_secs()).unwrap_or(u32::MAX);
        let least = seconds(self.min_expires);
        match asked {
            Some(0) => Ok(0),
            Some(asked) if asked < 3600 && asked < least => Err(least),
            asked => Ok(asked.unwrap_or(seconds(self.default_expires)).min(seconds(self.max_expires))),
        }
    }
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
