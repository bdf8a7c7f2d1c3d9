//! SRTP (RFC 3711): the protection of RTP and RTCP between us and a peer, in place.
//!
//! No clock, no chance, no I/O. A [`Context`] holds what one master key protects in one direction; nothing is allocated for a
//! packet but where a synchronization source is new. [`Sender`] and [`Receiver`] are what a leg has of them: one for the key
//! that we have told the peer, one for the keys that it has told us, the ones before among them until the first packet of
//! the new.

mod cipher;
mod context;
mod ctr;
mod derive;
mod direction;
mod key;
mod packet;
mod source;
mod suite;
#[cfg(test)]
mod tests;
mod window;

pub use context::{Context, Used};
pub(crate) use ctr::Aes;
pub use direction::{Protection, Receiver, Sender};
pub use key::{KeyError, MasterKey, Mki};
pub use suite::Suite;

/// RTP or RTCP: they have keys and numbers of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// RTP to SRTP and back.
    Rtp,
    /// RTCP to SRTCP and back.
    Rtcp,
}

/// The most that protection adds to a packet: a tag of 16 octets, the SRTCP index, and the longest MKI (RFC 4568 §6.1).
pub const MAX_OVERHEAD: usize = 16 + 4 + 128;

/// Why a packet was not protected or not unprotected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// It is no RTP or RTCP of version 2, too short for what it must have, too long for the room there is, or SRTCP that is not
    /// encrypted (RFC 4568 §6.3.2).
    #[error("no packet that can be protected or unprotected")]
    Malformed,
    /// Its tag is wrong, or it has the MKI of no key.
    #[error("not authentic")]
    Unauthentic,
    /// A packet of that index was there before, or is too old to tell (RFC 3711 §3.3.2).
    #[error("replayed")]
    Replayed,
    /// The key has protected as many packets as it may.
    #[error("the key has expired")]
    Expired,
    /// More synchronization sources than are kept for one key.
    #[error("too many synchronization sources")]
    Sources,
}

/// Protects and unprotects packets with one master key.
///
/// A packet is the first `length` octets of a buffer, and becomes the first ones of the length that comes back. What the
/// buffer has after a failure is nobody's business.
pub trait Transform {
    /// Protects a packet.
    ///
    /// # Errors
    /// [`Failure::Malformed`] also where the buffer has no room, [`Failure::Replayed`] for an index that was protected before,
    /// [`Failure::Expired`], [`Failure::Sources`].
    fn protect(&mut self, kind: Kind, buffer: &mut [u8], length: usize) -> Result<usize, Failure>;

    /// Checks and unprotects a packet.
    ///
    /// # Errors
    /// Why it is to be dropped.
    fn unprotect(&mut self, kind: Kind, buffer: &mut [u8], length: usize) -> Result<usize, Failure>;
}
