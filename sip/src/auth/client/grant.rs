//! Permission to show a credential.

use crate::auth::secret::Credential;
use std::sync::Arc;

/// A peer, as the caller tells peers apart: a trunk with its resolved addresses, TLS identity and flows, or the home
/// network of an access. Two next hops have one id exactly when a credential meant for one may be shown to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PeerId(pub u64);

/// The caller's word that `credential` may be shown to `peer` for `realm`, and to nobody else.
///
/// This is the only way in which a credential gets here. [`super::Authorizer`] shows it only in a request whose
/// [`super::Attempt`] goes to that very peer, in answer to a challenge with that very realm. So a redirect's target, a
/// remote target outside the peer, or another trunk that claims the right realm gets nothing, provided that the caller
/// made the `PeerId` from where the request really goes and the response really came from.
#[derive(Clone, Debug)]
pub struct Grant {
    pub(super) peer: PeerId,
    pub(super) realm: Box<str>,
    pub(super) credential: Arc<Credential>,
}

impl Grant {
    /// Binds a credential to a peer and a realm. Realms are compared byte for byte (RFC 7235 §2.2).
    pub fn new(peer: PeerId, realm: impl Into<Box<str>>, credential: Arc<Credential>) -> Self {
        Self { peer, realm: realm.into(), credential }
    }

    /// True if it answers `realm` from `peer`.
    pub fn covers(&self, peer: PeerId, realm: &str) -> bool {
        self.peer == peer && *self.realm == *realm
    }
}
