//! Where the keys of a leg's streams come from: from its descriptions (SDES, RFC 4568), or from a handshake that they agree on
//! (DTLS-SRTP, RFC 5763).
//!
//! Between the legs descriptions are plain: [`plain`] takes what a peer says of keys out of what it describes, and
//! [`secure`] puts ours into what it is told. So neither leg's keys, nor that it has any, are seen on the other one.

mod crypto;
mod handshake;
mod judge;
mod mint;
mod plain;
mod policy;
mod profile;
mod secure;
#[cfg(test)]
mod tests;

pub use crypto::CryptoLine;
#[cfg(test)]
pub(crate) use crypto::compose as written;
pub(crate) use handshake::{Handshake, OwnHandshake, Setup};
pub(crate) use mint::Mint;
pub(crate) use plain::{Keyed, Plain, Said, answered, offered, without_keys};
pub use policy::{Keying, Security, SrtpUse};
pub(crate) use profile::{Profile, plain as plain_profile, secure as secure_profile};
pub(crate) use secure::{Own, Secured, secure};
