//! Attributes of STUN (RFC 8489 §14).

use super::{COOKIE, HEADER};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

pub(super) const MAPPED_ADDRESS: u16 = 0x0001;
pub(super) const CHANGE_REQUEST: u16 = 0x0003;
pub(super) const ERROR_CODE: u16 = 0x0009;
pub(super) const UNKNOWN_ATTRIBUTES: u16 = 0x000a;
pub(super) const XOR_MAPPED_ADDRESS: u16 = 0x0020;
pub(super) const FINGERPRINT: u16 = 0x8028;
/// Of the attribute, its header included.
pub(super) const FINGERPRINT_LENGTH: usize = 8;
/// Attributes whose meaning must be known (RFC 8489 §14); those above may be passed over.
const COMPREHENSION_OPTIONAL: u16 = 0x8000;
/// Those that mean something to servers with credentials only, and nothing here: USERNAME, MESSAGE-INTEGRITY, REALM,
/// NONCE, MESSAGE-INTEGRITY-SHA256, PASSWORD-ALGORITHM, USERHASH, and RFC 3489's RESPONSE-ADDRESS, which is
/// deprecated, and would send the answer to whoever it names.
const PASSED_OVER: [u16; 8] = [0x0006, 0x0008, 0x0014, 0x0015, 0x001c, 0x001d, 0x001e, 0x0002];

/// The attributes of a message whose length is right; `None` if they do not fill it.
pub(super) fn read(datagram: &[u8]) -> Option<Vec<(u16, &[u8])>> {
    let mut rest = datagram.get(HEADER..)?;
    let mut found = Vec::new();
    while !rest.is_empty() {
        let (kind, after) = rest.split_first_chunk::<2>()?;
        let (length, after) = after.split_first_chunk::<2>()?;
        let length = usize::from(u16::from_be_bytes(*length));
        found.push((u16::from_be_bytes(*kind), after.get(..length)?));
        rest = after.get(length.next_multiple_of(4)..)?;
    }
    Some(found)
}

/// Adds an attribute, padded.
pub(super) fn push(out: &mut Vec<u8>, kind: u16, value: &[u8]) {
    out.extend_from_slice(&kind.to_be_bytes());
    out.extend_from_slice(&u16::try_from(value.len()).unwrap_or(u16::MAX).to_be_bytes());
    out.extend_from_slice(value);
    out.resize(out.len().next_multiple_of(4), 0);
}

/// Whether its meaning must be known, and is not. CHANGE-REQUEST asks for nothing unless a flag is set
/// (RFC 5780 §7.2).
pub(super) fn is_unknown(kind: u16, value: &[u8]) -> bool {
    kind < COMPREHENSION_OPTIONAL
        && !PASSED_OVER.contains(&kind)
        && !(kind == CHANGE_REQUEST && value.iter().all(|byte| *byte == 0))
}

/// The value of MAPPED-ADDRESS (RFC 8489 §14.1).
pub(super) fn address(address: SocketAddr) -> Vec<u8> {
    let mut out = match address.ip() {
        IpAddr::V4(_) => vec![0, 1],
        IpAddr::V6(_) => vec![0, 2],
    };
    out.extend_from_slice(&address.port().to_be_bytes());
    match address.ip() {
        IpAddr::V4(ip) => out.extend_from_slice(&ip.octets()),
        IpAddr::V6(ip) => out.extend_from_slice(&ip.octets()),
    }
    out
}

/// The address that such a value has.
pub(super) fn read_address(value: &[u8]) -> Option<SocketAddr> {
    let (head, ip) = value.split_first_chunk::<4>()?;
    let [_, family, high, low] = *head;
    let ip: IpAddr = match family {
        1 => Ipv4Addr::from(<[u8; 4]>::try_from(ip).ok()?).into(),
        2 => Ipv6Addr::from(<[u8; 16]>::try_from(ip).ok()?).into(),
        _ => return None,
    };
    Some(SocketAddr::new(ip, u16::from_be_bytes([high, low])))
}

/// The value of XOR-MAPPED-ADDRESS from that of MAPPED-ADDRESS, and back (RFC 8489 §14.2). `id` is the cookie and the
/// transaction ID.
pub(super) fn xor(mut value: Vec<u8>, id: &[u8; 16]) -> Vec<u8> {
    let cookie = COOKIE.to_be_bytes();
    for (byte, mask) in value.iter_mut().skip(2).zip(cookie.iter().take(2).chain(id)) {
        *byte ^= mask;
    }
    value
}

/// The value of the FINGERPRINT of a message, whose length counts it already (RFC 8489 §14.7): CRC-32 of ITU V.42.
pub(super) fn fingerprint(message: &[u8]) -> u32 {
    let crc = message.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    });
    !crc ^ 0x5354_554e
}

/// Whether a message that ends in a FINGERPRINT is as it was sent; `None` if it has none at its end.
pub(super) fn is_whole(datagram: &[u8]) -> Option<bool> {
    let (message, last) = datagram.split_last_chunk::<FINGERPRINT_LENGTH>()?;
    let value = last.strip_prefix(&[0x80, 0x28, 0, 4])?;
    Some(value == fingerprint(message).to_be_bytes())
}
