//! The client's side.

use super::attributes::{self, ERROR_CODE, MAPPED_ADDRESS, XOR_MAPPED_ADDRESS};
use super::{COOKIE, ERROR, Header, REQUEST, SUCCESS};
use crate::ids::Ids;
use std::net::SocketAddr;

/// Names a request for its answer: 96 bits, of which at least 72 are random and the others look so (RFC 8489 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransactionId([u8; 12]);

impl TransactionId {
    /// One that nobody can guess. It says whose it is, as a branch does: the answer comes to any shard.
    pub fn new(ids: &mut dyn Ids) -> Self {
        let mut id = [0; 12];
        let chance = ids.next_u64();
        let identifier = ids.identifier(chance);
        let chance = identifier.to_be_bytes().into_iter().chain(ids.next_u64().to_be_bytes());
        for (to, from) in id.iter_mut().zip(chance) {
            *to = from;
        }
        Self(id)
    }

    /// What says whose it is.
    pub(crate) fn bits(self) -> u64 {
        self.0.first_chunk().map_or(0, |bits| u64::from_be_bytes(*bits))
    }

    /// The name in a datagram of STUN.
    pub(crate) fn of(datagram: &[u8]) -> Option<Self> {
        let header = Header::read(datagram).filter(|header| header.current)?;
        let (_, id) = header.id.split_last_chunk::<12>()?;
        Some(Self(*id))
    }

    fn header(self, kind: u16) -> Header {
        let mut id = [0; 16];
        for (to, from) in id.iter_mut().zip(COOKIE.to_be_bytes().into_iter().chain(self.0)) {
            *to = from;
        }
        Header { kind, current: true, id }
    }
}

/// What an answer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// The address that the request came from (RFC 8489 §14.2).
    Mapped(SocketAddr),
    /// The server refuses, with this code (RFC 8489 §14.8).
    Refused(u16),
}

/// A Binding request, without attributes, as keepalives are sent (RFC 5626 §8).
#[must_use]
pub fn request(id: TransactionId) -> Vec<u8> {
    id.header(REQUEST).write(&[], false)
}

/// Reads an answer; `None` for what is none (RFC 8489 §6.3.3): whoever waits for the answer to a request compares
/// the name, and then where it came from.
#[must_use]
pub fn hear(datagram: &[u8]) -> Option<(TransactionId, Heard)> {
    let id = TransactionId::of(datagram)?;
    let header = Header::read(datagram)?;
    let attributes = attributes::read(datagram)?;
    if attributes.last().is_some_and(|(kind, _)| *kind == attributes::FINGERPRINT)
        && attributes::is_whole(datagram) != Some(true)
    {
        return None;
    }
    let value = |wanted| attributes.iter().find(|(kind, _)| *kind == wanted).map(|(_, value)| *value);
    let heard = match header.kind {
        SUCCESS => {
            let plain = || value(XOR_MAPPED_ADDRESS).map(|v| attributes::xor(v.to_vec(), &header.id));
            let plain = plain().or_else(|| value(MAPPED_ADDRESS).map(<[u8]>::to_vec))?;
            Heard::Mapped(attributes::read_address(&plain)?)
        }
        ERROR => {
            let [_, _, class, number] = *value(ERROR_CODE)?.first_chunk::<4>()?;
            Heard::Refused(u16::from(class & 7) * 100 + u16::from(number))
        }
        _ => return None,
    };
    Some((id, heard))
}
