//! Messages on connections.

use crate::stun::Writer;
use crate::turn::{Frames, Unframed};

fn cut(frames: &mut Frames, bytes: &[u8]) -> Result<Vec<Vec<u8>>, Unframed> {
    let mut found = Vec::new();
    frames.receive(bytes, |message| found.push(message.to_vec()))?;
    Ok(found)
}

#[test]
fn messages_are_found_however_the_bytes_come() {
    let mut stun = Vec::new();
    Writer::new(&mut stun, 1, b"twelve bytes").attribute(0x8022, b"somebody");
    let messages = [
        stun,
        b"\x40\x01\0\x05hello\0\0\0".to_vec(),
        b"\x4f\xff\0\0".to_vec(),
        b"\x40\x02\0\x04full".to_vec(),
    ];
    let stream = messages.concat();
    for size in 1..=stream.len() {
        let mut frames = Frames::default();
        let found = stream.chunks(size).flat_map(|part| cut(&mut frames, part).unwrap());
        assert_eq!(found.collect::<Vec<_>>(), messages, "{size}");
        assert!(!frames.is_within());
    }
}

#[test]
fn the_longest_message_is_found_and_the_rest_is_not_kept() {
    let data = [&b"\x40\x01\xff\xff"[..], &vec![7; 65_536]].concat();
    let mut frames = Frames::default();
    let found: Vec<_> = data.chunks(1_000).flat_map(|part| cut(&mut frames, part).unwrap()).collect();
    assert_eq!(found, [data]);
    assert_eq!(cut(&mut frames, b"\0\x01\xff").unwrap(), Vec::<Vec<u8>>::new());
    assert!(frames.is_within());
}

#[test]
fn what_is_neither_is_not_cut() {
    for first in [4, 0x16, 0x3f, 0x80, 0xff] {
        assert_eq!(cut(&mut Frames::default(), &[first, 0, 0, 0]), Err(Unframed), "{first:x}");
    }
    let mut frames = Frames::default();
    assert_eq!(cut(&mut frames, b"\x40\x01\0\x04data\x16\x03"), Err(Unframed));
}
