//! Our own certificates, and how long they are good for.

use admin_api::control::Timestamp;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A certificate of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OwnCertificate {
    /// The setting that names it.
    pub(crate) path: String,
    /// When it, or one of its chain, expires, in seconds since 1970.
    pub(crate) expires: i64,
}

impl OwnCertificate {
    /// Seconds until then; negative afterwards.
    pub(crate) fn left(&self, now: SystemTime) -> i64 {
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        self.expires.saturating_sub(i64::try_from(now).unwrap_or(i64::MAX))
    }

    /// When that is, as people write it.
    pub(crate) fn expires_at(&self) -> String {
        let span = Duration::from_secs(self.expires.unsigned_abs());
        let at = if self.expires < 0 { UNIX_EPOCH.checked_sub(span) } else { UNIX_EPOCH.checked_add(span) };
        Timestamp::from(at.unwrap_or(UNIX_EPOCH)).to_string()
    }
}
