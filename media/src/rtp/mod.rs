//! What the relay reads of a packet (RFC 3550 §5.1, RFC 5761 §4, RFC 3551 §6).

pub(crate) mod extension;
#[cfg(test)]
mod tests;

/// The fixed header of an RTP packet, as far as statistics need it; the same in SRTP (RFC 3711 §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) payload: u8,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    pub(crate) ssrc: u32,
}

impl Header {
    /// Reads it; `None` when the packet is no RTP of version 2 (STUN, DTLS and ZRTP start otherwise, RFC 7983 §7).
    pub(crate) fn read(packet: &[u8]) -> Option<Self> {
        let [first, second, s0, s1, t0, t1, t2, t3, r0, r1, r2, r3, ..] = *packet else { return None };
        (first >> 6 == 2).then_some(Self {
            payload: second & 0x7f,
            sequence: u16::from_be_bytes([s0, s1]),
            timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
            ssrc: u32::from_be_bytes([r0, r1, r2, r3]),
        })
    }
}

/// The header of a packet, its marker bit, and where its payload is, without extension and padding (RFC 3550 §5.1, §5.3.1).
pub(crate) fn parts(packet: &[u8]) -> Option<(Header, bool, std::ops::Range<usize>)> {
    let header = Header::read(packet)?;
    let (first, second) = (*packet.first()?, *packet.get(1)?);
    let mut start = 12 + 4 * usize::from(first & 15);
    if first & 0x10 != 0 {
        let [high, low] = *packet.get(start + 2..start + 4)? else { return None };
        start += 4 + 4 * usize::from(u16::from_be_bytes([high, low]));
    }
    let padding = if first & 0x20 == 0 { 0 } else { usize::from(*packet.last()?) };
    let end = packet.len().checked_sub(padding)?;
    (start <= end).then_some((header, second & 0x80 != 0, start..end))
}

/// Whether a packet on a shared port is RTCP: packet types 192 to 223 (RFC 5761 §4).
pub(crate) fn is_rtcp(packet: &[u8]) -> bool {
    matches!(packet, [first, 192..=223, ..] if first >> 6 == 2)
}

/// The clock rate of a static payload type in Hz (RFC 3551 §6, tables 4 and 5).
pub(crate) fn static_clock(payload: u8) -> Option<u32> {
    static_payload(payload).map(|(_, clock)| clock)
}

/// The encoding name of a static payload type (RFC 3551 §6).
pub(crate) fn static_name(payload: u8) -> Option<&'static str> {
    static_payload(payload).map(|(name, _)| name)
}

fn static_payload(payload: u8) -> Option<(&'static str, u32)> {
    Some(match payload {
        0 => ("PCMU", 8_000),
        3 => ("GSM", 8_000),
        4 => ("G723", 8_000),
        5 => ("DVI4", 8_000),
        6 => ("DVI4", 16_000),
        7 => ("LPC", 8_000),
        8 => ("PCMA", 8_000),
        9 => ("G722", 8_000),
        10 | 11 => ("L16", 44_100),
        12 => ("QCELP", 8_000),
        13 => ("CN", 8_000),
        14 => ("MPA", 90_000),
        15 => ("G728", 8_000),
        16 => ("DVI4", 11_025),
        17 => ("DVI4", 22_050),
        18 => ("G729", 8_000),
        25 => ("CelB", 90_000),
        26 => ("JPEG", 90_000),
        28 => ("nv", 90_000),
        31 => ("H261", 90_000),
        32 => ("MPV", 90_000),
        33 => ("MP2T", 90_000),
        34 => ("H263", 90_000),
        _ => return None,
    })
}
