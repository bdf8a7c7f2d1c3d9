//! The packets of a compound one (RFC 3550 §6.1; RFC 5506 §3.4.2: it may be of any).

/// One packet, header and all, without padding.
#[derive(Debug)]
pub(super) struct Packet<'a> {
    pub(crate) kind: u8,
    /// The five bits that are a count of reports, sources or chunks, or say what it is about.
    pub(crate) count: u8,
    pub(crate) octets: &'a mut [u8],
}

/// The length of the first packet, in octets, and how many of these are padding; `None` where it is not whole, or no RTCP.
pub(super) fn length(octets: &[u8]) -> Option<(usize, usize)> {
    let [first, _, high, low, ..] = *octets else { return None };
    let length = (usize::from(u16::from_be_bytes([high, low])) + 1) * 4;
    let whole = octets.get(..length).filter(|_| first >> 6 == 2)?;
    let padding = match (first & 0x20 != 0, whole.last()) {
        (true, Some(padding)) => usize::from(*padding),
        _ => 0,
    };
    // Padding counts itself, and is no part of the header (§6.4.1).
    (padding + 4 <= length && (first & 0x20 == 0 || padding > 0)).then_some((length, padding))
}

/// Whether all of it is RTCP whose lengths are right.
pub(crate) fn is_compound(octets: &[u8]) -> bool {
    let mut rest = octets;
    while let Some((length, _)) = length(rest) {
        rest = rest.get(length..).unwrap_or_default();
        if rest.is_empty() {
            return true;
        }
    }
    false
}

/// Each packet of a compound, as far as their lengths are right.
pub(super) fn each(compound: &mut [u8], mut act: impl FnMut(Packet<'_>)) {
    let mut rest = compound;
    while let Some((length, padding)) = length(rest) {
        let (packet, after) = rest.split_at_mut(length);
        if let ([first, kind, ..], Some(octets)) = (&*packet, length.checked_sub(padding)) {
            let (count, kind) = (first & 31, *kind);
            act(Packet { kind, count, octets: packet.get_mut(..octets).unwrap_or_default() });
        }
        rest = after;
    }
}

pub(super) fn word(octets: &[u8], at: usize) -> Option<u32> {
    let octets = octets.get(at..at.checked_add(4)?)?;
    octets.try_into().ok().map(u32::from_be_bytes)
}

pub(super) fn half(octets: &[u8], at: usize) -> Option<u16> {
    let octets = octets.get(at..at.checked_add(2)?)?;
    octets.try_into().ok().map(u16::from_be_bytes)
}

/// Puts a word into its place, where there is one.
pub(super) fn put(octets: &mut [u8], at: usize, word: u32) {
    if let Some(place) = octets.get_mut(at..at.saturating_add(4)) {
        place.copy_from_slice(&word.to_be_bytes());
    }
}

pub(super) fn put_half(octets: &mut [u8], at: usize, half: u16) {
    if let Some(place) = octets.get_mut(at..at.saturating_add(2)) {
        place.copy_from_slice(&half.to_be_bytes());
    }
}
