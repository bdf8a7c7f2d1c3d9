//! STUN messages (RFC 8489), as ICE and TURN have them: read in place, written once.

mod address;
mod integrity;
mod message;
#[cfg(test)]
mod tests;
mod writer;

pub(crate) use address::{Masked, unmask};
pub(crate) use integrity::{
    Key, Key256, Proof, fingerprint, integrity, integrity_sha256, is_whole, key, key_of, key256_of,
};
pub(crate) use message::{Attributes, Broken, header, is_stun};
pub(crate) use writer::Writer;

/// Bytes of a header.
pub(crate) const HEADER: usize = 20;
/// Bytes of MESSAGE-INTEGRITY, MESSAGE-INTEGRITY-SHA256 and FINGERPRINT, their headers included.
pub(crate) const INTEGRITY_LENGTH: usize = 24;
pub(crate) const INTEGRITY_SHA256_LENGTH: usize = 36;
pub(crate) const FINGERPRINT_LENGTH: usize = 8;
pub(crate) const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];

/// Types of the method Binding (RFC 8489 §18.2).
pub(crate) const REQUEST: u16 = 0x0001;
pub(crate) const INDICATION: u16 = 0x0011;
pub(crate) const SUCCESS: u16 = 0x0101;
pub(crate) const ERROR: u16 = 0x0111;
/// What makes a request the response to it: success, and error (RFC 8489 §5).
pub(crate) const TO_SUCCESS: u16 = 0x0100;
pub(crate) const TO_ERROR: u16 = 0x0110;

pub(crate) const USERNAME: u16 = 0x0006;
pub(crate) const MESSAGE_INTEGRITY: u16 = 0x0008;
pub(crate) const ERROR_CODE: u16 = 0x0009;
pub(crate) const UNKNOWN_ATTRIBUTES: u16 = 0x000a;
pub(crate) const REALM: u16 = 0x0014;
pub(crate) const NONCE: u16 = 0x0015;
pub(crate) const MESSAGE_INTEGRITY_SHA256: u16 = 0x001c;
pub(crate) const PASSWORD_ALGORITHM: u16 = 0x001d;
pub(crate) const XOR_MAPPED_ADDRESS: u16 = 0x0020;
pub(crate) const SOFTWARE: u16 = 0x8022;
pub(crate) const PASSWORD_ALGORITHMS: u16 = 0x8002;
/// RFC 8445 §16.1.
pub(crate) const PRIORITY: u16 = 0x0024;
pub(crate) const USE_CANDIDATE: u16 = 0x0025;
pub(crate) const ICE_CONTROLLED: u16 = 0x8029;
pub(crate) const ICE_CONTROLLING: u16 = 0x802a;
pub(crate) const FINGERPRINT: u16 = 0x8028;
/// Attributes below must be understood (RFC 8489 §14).
pub(crate) const COMPREHENSION_OPTIONAL: u16 = 0x8000;
