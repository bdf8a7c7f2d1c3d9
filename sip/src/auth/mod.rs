//! Digest authentication in both roles, without I/O (RFC 3261 §22 as updated by RFC 8760; RFC 7616).
//!
//! [`client`] answers the challenges that our requests get, [`server`] makes challenges and checks what comes back.
//! MD5, SHA-256 and SHA-512-256, each also as `-sess`; qop `auth` and `auth-int`. Basic is neither asked nor answered (§22).
//! [`aka`] is the part of a smart card, for challenges that ask for one. [`bearer`] checks tokens (RFC 8898), and
//! [`guesses`] slows down who guesses.
//!
//! Neither role touches ACK or CANCEL (§22.1): the ACK of a 2xx repeats the fields of its INVITE (§13.2.2.4), and a
//! server calls nothing here for the two methods.

pub mod aka;
mod algorithm;
pub mod bearer;
pub mod client;
mod digest;
pub mod guesses;
mod kind;
mod params;
mod secret;
pub mod server;

pub use algorithm::{Aka, Algorithm, Hash, Qop};
pub use digest::Covered;
pub use kind::Kind;
pub use secret::{Credential, Secret, SecretError};

#[cfg(test)]
mod tests;
