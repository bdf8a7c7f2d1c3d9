//! The server's side.

use super::attributes::{self, ERROR_CODE, MAPPED_ADDRESS, UNKNOWN_ATTRIBUTES, XOR_MAPPED_ADDRESS};
use super::{ERROR, Header, REQUEST, SUCCESS};
use std::net::SocketAddr;

/// Unknown attributes that a refusal names: it stays short, whatever was sent.
const NAMED: usize = 4;

/// Why a datagram of STUN has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It asks nothing: an indication, or an answer (RFC 8489 §6.3.2).
    NoRequest,
    /// It is not whole (RFC 8489 §6.3).
    Malformed,
}

/// The answer to a Binding request from `peer`: the address that it came from, or 420 for attributes that must be
/// known and are not (RFC 8489 §6.3.1). It has nothing else in it, so that it is at most 24 bytes longer than what
/// it answers: nobody is flooded by way of us.
///
/// # Errors
/// There is no answer.
pub fn answer(datagram: &[u8], peer: SocketAddr) -> Result<Vec<u8>, Refused> {
    let header = Header::read(datagram).ok_or(Refused::Malformed)?;
    if header.kind != REQUEST {
        return Err(Refused::NoRequest);
    }
    let attributes = attributes::read(datagram).ok_or(Refused::Malformed)?;
    let fingerprint = attributes.last().is_some_and(|(kind, _)| *kind == attributes::FINGERPRINT);
    if fingerprint && attributes::is_whole(datagram) != Some(true) {
        return Err(Refused::Malformed);
    }
    let unknown = attributes.iter().filter(|(kind, value)| attributes::is_unknown(*kind, value));
    let unknown: Vec<u8> = unknown.take(NAMED).flat_map(|(kind, _)| kind.to_be_bytes()).collect();
    let mut out = Vec::new();
    if !unknown.is_empty() {
        attributes::push(&mut out, ERROR_CODE, &[0, 0, 4, 20]);
        attributes::push(&mut out, UNKNOWN_ATTRIBUTES, &unknown);
        return Ok(Header { kind: ERROR, ..header }.write(&out, fingerprint));
    }
    let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
    let address = attributes::address(peer);
    match header.current {
        true => attributes::push(&mut out, XOR_MAPPED_ADDRESS, &attributes::xor(address, &header.id)),
        false => attributes::push(&mut out, MAPPED_ADDRESS, &address),
    }
    Ok(Header { kind: SUCCESS, ..header }.write(&out, fingerprint))
}
