//! Whom a source description tells of.

use super::super::{hide, is_compound};
use super::compound;

/// The items of a chunk, each its type and its text.
type Items<'a> = &'a [(u8, &'a [u8])];

/// A source description of chunks, each of a source and its items.
fn description(chunks: &[(u32, Items<'_>)]) -> Vec<u8> {
    let mut body = Vec::new();
    for (ssrc, items) in chunks {
        body.extend(ssrc.to_be_bytes());
        for (kind, text) in *items {
            body.extend([*kind, u8::try_from(text.len()).unwrap()]);
            body.extend(*text);
        }
        body.push(0);
        body.resize(body.len().next_multiple_of(4), 0);
    }
    let [high, low] = u16::try_from(body.len() / 4).unwrap().to_be_bytes();
    let mut out = vec![0x80 | u8::try_from(chunks.len()).unwrap(), 202, high, low];
    out.extend(body);
    out
}

const OURS: &[u8; 16] = b"ABCDEFGHIJKLMNOP";

fn hidden(packet: &[u8]) -> Option<Vec<u8>> {
    let mut buffer = packet.to_vec();
    buffer.resize(packet.len() + 600, 0xee);
    let length = hide(&mut buffer, packet.len(), |theirs| {
        assert!(theirs.starts_with(b"alice"));
        *OURS
    })?;
    buffer.truncate(length);
    Some(buffer)
}

#[test]
fn a_cname_becomes_ours_and_nothing_else_of_anybody_stays() {
    let report = compound(&[(201, 0, &[1])]);
    let bye = compound(&[(203, 1, &[1])]);
    let before = description(&[
        (1, &[(1, b"alice@192.168.1.7"), (2, b"Alice"), (6, b"phone 1.0"), (15, b"0")]),
        (2, &[(8, b"secret"), (1, b"alice")]),
    ]);
    let after = description(&[(1, &[(1, OURS), (15, b"0")]), (2, &[(1, OURS)])]);
    let whole = [&report[..], &before, &bye].concat();
    let expected = [&report[..], &after, &bye].concat();
    assert_eq!(hidden(&whole).unwrap(), expected);
    assert!(is_compound(&expected));
    // A short one grows.
    let short = description(&[(1, &[(1, b"alice")])]);
    assert_eq!(hidden(&short).unwrap(), description(&[(1, &[(1, OURS)])]));
}

#[test]
fn one_that_is_not_whole_is_taken_out() {
    let report = compound(&[(201, 0, &[1])]);
    let mut broken = description(&[(1, &[(1, b"alice")])]);
    broken[0] = 0x82;
    assert_eq!(hidden(&[&report[..], &broken].concat()).unwrap(), report);
    assert_eq!(hidden(&broken), None);
    let mut endless = description(&[(1, &[(1, b"alice12")])]);
    endless[9] = 200;
    assert_eq!(hidden(&endless), None);
    // More than there is room for.
    let long: Items<'_> = &[(15, &[b'm'; 60])];
    let many: Vec<_> = (0..31).map(|ssrc| (ssrc, long)).collect();
    assert_eq!(hidden(&[&report[..], &description(&many)].concat()).unwrap(), report);
}

#[test]
fn where_there_is_no_room_there_is_none() {
    let mut short = description(&[(1, &[(1, b"alice")])]);
    let length = short.len();
    assert_eq!(hide(&mut short, length, |_| *OURS), None);
}
