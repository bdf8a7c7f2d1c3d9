//! Where in a packet things are (RFC 3550 §5.1, §5.3.1, §6.4). An extension is as long as it says, whatever is in it.

use super::Failure;

/// What of an RTP packet is not encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    /// Its length in octets.
    pub(super) length: usize,
    pub(super) sequence: u16,
    pub(super) ssrc: u32,
}

impl Head {
    pub(super) fn of_rtp(packet: &[u8]) -> Result<Self, Failure> {
        let [first, _, s0, s1, _, _, _, _, r0, r1, r2, r3, ..] = *packet else {
            return Err(Failure::Malformed);
        };
        if first >> 6 != 2 {
            return Err(Failure::Malformed);
        }
        let mut length = 12 + 4 * usize::from(first & 0x0f);
        if first & 0x10 != 0 {
            let [_, _, high, low, ..] = *packet.get(length..).unwrap_or_default() else {
                return Err(Failure::Malformed);
            };
            length += 4 + 4 * usize::from(u16::from_be_bytes([high, low]));
        }
        if length > packet.len() {
            return Err(Failure::Malformed);
        }
        let (sequence, ssrc) = (u16::from_be_bytes([s0, s1]), u32::from_be_bytes([r0, r1, r2, r3]));
        Ok(Self { length, sequence, ssrc })
    }
}

/// What of an RTCP packet is not encrypted: its first eight octets.
pub(super) const RTCP_HEAD: usize = 8;

/// The source of the first packet of an RTCP compound.
pub(super) fn rtcp_source(packet: &[u8]) -> Result<u32, Failure> {
    match *packet {
        [first, _, _, _, r0, r1, r2, r3, ..] if first >> 6 == 2 => Ok(u32::from_be_bytes([r0, r1, r2, r3])),
        _ => Err(Failure::Malformed),
    }
}
