//! Header extensions of RTP (RFC 8285 §4).

use std::ops::Range;

/// The fixed header (RFC 3550 §5.1).
const HEADER: usize = 12;
/// A number of one-byte elements that says that no more are to be read (RFC 8285 §4.2).
const STOP: u8 = 15;

/// Where the element of that number has its octets; `None` where the packet has none.
pub(crate) fn element(packet: &[u8], number: u8) -> Option<Range<usize>> {
    find(packet, number).map(|(_, octets)| octets)
}

/// Makes padding of the element of that number.
pub(crate) fn blank(packet: &mut [u8], number: u8) {
    if let Some((start, octets)) = find(packet, number)
        && let Some(element) = packet.get_mut(start..octets.end)
    {
        element.fill(0);
    }
}

/// Where the element of that number begins, and its octets.
fn find(packet: &[u8], number: u8) -> Option<(usize, Range<usize>)> {
    let first = *packet.first()?;
    if first >> 6 != 2 || first & 0x10 == 0 || number == 0 {
        return None;
    }
    let start = HEADER + 4 * usize::from(first & 0x0f);
    let [p0, p1, l0, l1] = *packet.get(start..start + 4)? else { return None };
    let one = (p0, p1) == (0xbe, 0xde);
    if !one && (p0, p1 & 0xf0) != (0x10, 0x00) {
        return None;
    }
    let end = start + 4 + 4 * usize::from(u16::from_be_bytes([l0, l1]));
    packet.get(..end)?;
    let mut at = start + 4;
    while at < end {
        let head = *packet.get(at)?;
        if head == 0 {
            at += 1;
            continue;
        }
        let (of, octets) = if one {
            if head >> 4 == STOP {
                return None;
            }
            (head >> 4, at + 1..at + 2 + usize::from(head & 0x0f))
        } else {
            (head, at + 2..at + 2 + usize::from(*packet.get(at + 1)?))
        };
        if octets.end > end {
            return None;
        }
        if of == number {
            return Some((at, octets));
        }
        at = octets.end;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn packet(profile: [u8; 2], elements: &[u8]) -> Vec<u8> {
        let mut packet = vec![0x91, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 9, 9, 9, 9];
        packet.extend(profile);
        packet.extend(u16::try_from(elements.len() / 4).unwrap().to_be_bytes());
        packet.extend(elements);
        packet.extend([0xaa; 4]);
        packet
    }

    #[test]
    fn rfc8285_elements_of_either_form_are_found_and_blanked() {
        for (profile, elements) in [
            ([0xbe, 0xde], &[0x10, 7, 0x31, b'a', b'b', 0, 0, 0][..]),
            ([0x10, 0x05], &[1, 1, 7, 3, 2, b'a', b'b', 0][..]),
        ] {
            let mut packet = packet(profile, elements);
            let found = element(&packet, 3).unwrap();
            assert_eq!(&packet[found], b"ab");
            assert_eq!(element(&packet, 4), None);
            blank(&mut packet, 3);
            assert_eq!(element(&packet, 3), None);
            let other = element(&packet, 1).unwrap();
            assert_eq!((&packet[other], packet.last()), (&[7][..], Some(&0xaa)));
        }
    }

    #[test]
    fn nothing_is_read_behind_the_extension_or_after_a_stop() {
        assert_eq!(element(&packet([0xbe, 0xde], &[0xf0, 0x30, 1, 0]), 3), None);
        assert_eq!(element(&packet([0xbe, 0xde], &[0x10, 1, 0x3f, 0]), 3), None);
        assert_eq!(element(&packet([0xab, 0xcd], &[0x30, 1, 0, 0]), 3), None);
    }

    proptest! {
        #[test]
        fn any_octets(octets in proptest::collection::vec(any::<u8>(), 0..80), number in any::<u8>()) {
            let mut changed = octets.clone();
            blank(&mut changed, number);
            let found = element(&octets, number);
            prop_assert!(found.is_none_or(|found| found.end <= octets.len()));
            prop_assert_eq!(changed.len(), octets.len());
        }
    }
}
