//! STUN on the ports of SIP (RFC 8489, as RFC 5626 §8 uses it): a Binding request tells its sender the address that it
//! is seen from, and keeps the way through a NAT open. Pure functions over datagrams, for both sides.
//!
//! No credentials are asked for or shown (RFC 5626 §8 uses none). Clients of RFC 3489 are answered too
//! (RFC 8489 §11).

mod answer;
mod attributes;
mod meter;
mod request;

pub use answer::{Refused, answer};
pub use meter::Meter;
pub use request::{Heard, TransactionId, hear, request};

/// Bytes of a header (RFC 8489 §5).
const HEADER: usize = 20;
/// What tells STUN from RFC 3489 on (RFC 8489 §5).
const COOKIE: u32 = 0x2112_a442;
/// Types of the one method, Binding (RFC 8489 §18.2).
const REQUEST: u16 = 0x0001;
const INDICATION: u16 = 0x0011;
const SUCCESS: u16 = 0x0101;
const ERROR: u16 = 0x0111;

/// Whether a datagram is STUN and no SIP: its first byte is 0 or 1, which begins no message of SIP (RFC 5626 §8), and
/// its length is as its header says. The zero bytes that some phones send as a keepalive are too few.
#[must_use]
pub fn is_stun(datagram: &[u8]) -> bool {
    matches!(datagram.first(), Some(0 | 1)) && Header::read(datagram).is_some()
}

/// Whether a datagram is a Binding request, or the indication that is a keepalive without an answer.
#[must_use]
pub fn asks(datagram: &[u8]) -> bool {
    Header::read(datagram).is_some_and(|header| matches!(header.kind, REQUEST | INDICATION))
}

/// The header of a STUN message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Header {
    kind: u16,
    /// Whether it has the magic cookie; without, it is of RFC 3489.
    current: bool,
    /// The cookie's place and the transaction ID.
    id: [u8; 16],
}

impl Header {
    /// Reads it; `None` if the length of the datagram is another one than it says.
    fn read(datagram: &[u8]) -> Option<Self> {
        let (kind, rest) = datagram.split_first_chunk::<2>()?;
        let (length, rest) = rest.split_first_chunk::<2>()?;
        let (id, attributes) = rest.split_first_chunk::<16>()?;
        let length = usize::from(u16::from_be_bytes(*length));
        if length != attributes.len() || length % 4 != 0 {
            return None;
        }
        let current = id.starts_with(&COOKIE.to_be_bytes());
        Some(Self { kind: u16::from_be_bytes(*kind), current, id: *id })
    }

    /// Writes a message with these attributes. `fingerprint` adds one (RFC 8489 §14.7).
    fn write(self, attributes: &[u8], fingerprint: bool) -> Vec<u8> {
        let extra = if fingerprint { attributes::FINGERPRINT_LENGTH } else { 0 };
        let length = u16::try_from(attributes.len() + extra).unwrap_or(u16::MAX);
        let mut out = Vec::with_capacity(HEADER + usize::from(length));
        out.extend_from_slice(&self.kind.to_be_bytes());
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(&self.id);
        out.extend_from_slice(attributes);
        if fingerprint {
            let sum = attributes::fingerprint(&out);
            attributes::push(&mut out, attributes::FINGERPRINT, &sum.to_be_bytes());
        }
        out
    }
}

#[cfg(test)]
mod tests;
