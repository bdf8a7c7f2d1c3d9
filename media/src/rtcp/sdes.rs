//! Source descriptions (RFC 3550 §6.5).

use super::kind;
use super::packets::{length, word};

/// The length of a CNAME of ours: 96 bits in base64 (RFC 7022 §5).
pub(crate) const CNAME_LENGTH: usize = 16;
const CNAME_OCTETS: u8 = 16;

/// The canonical name of an endpoint.
const CNAME: u8 = 1;
/// Those of a stream, which descriptions know of (RFC 8852 §3, RFC 9143 §15), and the identifier of a capture (RFC 8849 §9).
const OF_STREAM: std::ops::RangeInclusive<u8> = 12..=15;
/// The longest source description that is made anew.
const LONGEST: usize = 1_024;

/// Each chunk of a source description, by where it begins.
pub(super) fn chunks(octets: &mut [u8], count: usize, mut act: impl FnMut(&mut [u8], usize)) {
    let mut at = 4;
    for _ in 0..count {
        if word(octets, at).is_none() {
            return;
        }
        let Some(end) = items(octets, at + 4, |_, _| {}) else { return };
        act(octets, at);
        at = end;
    }
}

/// Each item of a chunk whose items begin there, its type and its text; answers where the next chunk begins, `None` where it is not whole.
fn items<'a>(octets: &'a [u8], mut at: usize, mut act: impl FnMut(u8, &'a [u8])) -> Option<usize> {
    loop {
        let kind = *octets.get(at)?;
        if kind == 0 {
            // At least one octet of zero, up to the next word.
            let end = (at + 1).next_multiple_of(4);
            return (end <= octets.len()).then_some(end);
        }
        let length = usize::from(*octets.get(at + 1)?);
        act(kind, octets.get(at + 2..at + 2 + length)?);
        at += 2 + length;
    }
}

/// Leaves of each source description in the compound only what has to be there: a CNAME, which becomes another one, and what descriptions
/// say of the stream as well; nobody's name, address or program. One that is not whole, or too long, is taken out. Answers the length of
/// the compound, which may be shorter or longer than before by no more than 16 octets a chunk; `None` where the buffer has no room, or
/// nothing is left.
pub(crate) fn hide(
    buffer: &mut [u8],
    mut end: usize,
    cname: impl Fn(&[u8]) -> [u8; CNAME_LENGTH],
) -> Option<usize> {
    let mut at = 0;
    while let Some((was, padding)) = buffer.get(at..end).and_then(length) {
        let packet = buffer.get(at..at + was - padding)?;
        let [first, number, ..] = *packet else { return None };
        if number != kind::SOURCE_DESCRIPTION {
            at += was;
            continue;
        }
        let mut room = [0; LONGEST];
        let anew = describe(packet, usize::from(first & 31), &mut room, &cname).unwrap_or_default();
        let whole = end - was + anew.len();
        if whole > buffer.len() {
            return None;
        }
        buffer.copy_within(at + was..end, at + anew.len());
        buffer.get_mut(at..at + anew.len())?.copy_from_slice(anew);
        (end, at) = (whole, at + anew.len());
    }
    (end > 0).then_some(end)
}

/// Writes it anew; `None` where it is not whole, or has no room.
fn describe<'a>(
    packet: &[u8],
    count: usize,
    room: &'a mut [u8],
    cname: impl Fn(&[u8]) -> [u8; CNAME_LENGTH],
) -> Option<&'a [u8]> {
    let (mut from, mut to, mut full) = (4, 4, false);
    let mut write =
        |room: &mut [u8], to: &mut usize, octets: &[u8]| match room.get_mut(*to..*to + octets.len()) {
            Some(place) => {
                place.copy_from_slice(octets);
                *to += octets.len();
            }
            None => full = true,
        };
    for _ in 0..count {
        write(room, &mut to, packet.get(from..from + 4)?);
        from = items(packet, from + 4, |kind, text| {
            if kind == CNAME {
                write(room, &mut to, &[kind, CNAME_OCTETS]);
                write(room, &mut to, &cname(text));
            } else if OF_STREAM.contains(&kind) {
                write(room, &mut to, &[kind, u8::try_from(text.len()).unwrap_or_default()]);
                write(room, &mut to, text);
            }
        })?;
        let zeros = (to + 1).next_multiple_of(4) - to;
        write(room, &mut to, [0; 4].get(..zeros)?);
    }
    let words = u16::try_from(to / 4 - 1).ok().filter(|_| !full)?;
    let [high, low] = words.to_be_bytes();
    let first = 0x80 | u8::try_from(count).ok()?;
    room.get_mut(..4)?.copy_from_slice(&[first, kind::SOURCE_DESCRIPTION, high, low]);
    room.get(..to)
}
