//! DTLS-SRTP (RFC 5763, 5764): keys of a stream by a handshake on its own port, between us and the peer of a leg.
//!
//! Descriptions have the fingerprints of certificates and who begins (RFC 8122, RFC 8842); what comes of an offer and its answer are
//! the [`Terms`] of an association. The desk has all associations: a core without I/O that is given datagrams, orders and time, and
//! that answers with datagrams, keys and how far each is. A relay thread never works on a handshake: the relay has a thread for the desk.

mod association;
mod attempt;
mod desk;
mod dimpl;
mod engine;
mod fingerprint;
#[cfg(feature = "fuzz")]
mod fuzz;
mod identity;
mod keys;
mod maker;
mod outdated;
mod records;
mod rtc;
mod standing;
mod terms;
#[cfg(test)]
mod tests;
mod verify;

pub(crate) use desk::{Desk, Input, Output, Place, Tallies};
pub use fingerprint::{Fingerprint, Hash};
#[cfg(feature = "fuzz")]
pub(crate) use fuzz::dtls as fuzzed;
pub use identity::{Identity, IdentityError};
pub(crate) use records::{LONGEST, is_hello};
pub use standing::{Agreed, Cipher, Failure, Failures, Standing, Version};
pub(crate) use standing::{packed, unpacked};
pub use terms::{Role, Terms};
