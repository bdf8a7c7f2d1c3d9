//! What was agreed on an association.

use std::sync::Arc;

use super::{Fingerprint, Identity, Version};
use crate::srtp::Suite;

/// Who we are in a handshake (RFC 8842 §5.3: whose answer says `active` is the client).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// We begin.
    Client,
    /// We wait for the peer to begin.
    Server,
}

/// An association that descriptions have agreed on. Other terms are another association, but for the fingerprints: more of them may
/// come, and those that were good stay good for the handshake that was checked by them.
#[derive(Debug, Clone)]
pub struct Terms {
    /// Tells one association of a stream from the next: it counts up when a new one is due (RFC 8842 §3.1), and not when descriptions
    /// say the same again.
    pub association: u32,
    /// Ours.
    pub role: Role,
    /// Whom the peer takes us for.
    pub identity: Arc<Identity>,
    /// Whom we take the peer for: its certificate has one of these. Never empty.
    pub fingerprints: Box<[Fingerprint]>,
    /// The suites that we take (`use_srtp`, RFC 5764 §4.1.2, RFC 7714 §14.2), in the order of our choice. Those without a DTLS profile are
    /// passed over.
    pub suites: Arc<[Suite]>,
    /// The newest version that we speak, and those before it. 1.3 takes suites that have [`Version::takes`].
    pub newest: Version,
}

impl PartialEq for Terms {
    fn eq(&self, other: &Self) -> bool {
        (self.association, self.role, &self.fingerprints, &self.suites, self.newest)
            == (other.association, other.role, &other.fingerprints, &other.suites, other.newest)
            && Arc::ptr_eq(&self.identity, &other.identity)
    }
}

impl Eq for Terms {}
