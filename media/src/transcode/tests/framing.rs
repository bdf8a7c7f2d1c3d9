//! Packets of Opus as they may be framed, and as they may not (RFC 6716 §3).

use super::support::tone;
use crate::transcode::codec::{Pcm, decoder, encoder};
use crate::transcode::{Coding, OpusTerms};

const RATE: u32 = 48_000;
/// Samples of a frame of 20 ms.
const FRAME: usize = 960;

/// What a packet decodes to: samples, or nothing.
fn decoded(packet: &[u8]) -> Option<usize> {
    let mut pcm = Pcm::new();
    decoder(Coding::Opus, RATE).decode(packet, &mut pcm).then_some(pcm.len())
}

/// The first octet of a packet with one frame of 20 ms, and the frame.
fn frame() -> (u8, Vec<u8>) {
    let mut encoder = encoder(Coding::Opus, RATE, OpusTerms::default());
    let mut room = [0; 1_500];
    let length = encoder.encode(&tone(RATE, 440.0, 8_000.0, FRAME), &mut room).unwrap();
    let [toc, frame @ ..] = &room[..length] else { panic!("no packet") };
    assert_eq!(toc & 3, 0, "one frame");
    (*toc, frame.to_vec())
}

fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

// conforms: RFC6716-3-1 RFC6716-3.2.5-5
#[test]
fn rfc6716_3_2_frames_are_found_however_they_are_packed() {
    let (toc, frame) = frame();
    let length = u8::try_from(frame.len()).unwrap();
    assert!(length < 252, "it has its length in one octet");
    assert_eq!(decoded(&join(&[&[toc], &frame])), Some(FRAME));
    assert_eq!(decoded(&join(&[&[toc | 1], &frame, &frame])), Some(2 * FRAME));
    assert_eq!(decoded(&join(&[&[toc | 2, length], &frame, &frame[..frame.len() - 1]])), Some(2 * FRAME));
    assert_eq!(decoded(&join(&[&[toc | 3, 3], &frame, &frame, &frame])), Some(3 * FRAME));
    let each = [toc | 3, 0x80 | 3, length, length];
    assert_eq!(decoded(&join(&[&each, &frame, &frame, &frame[..4]])), Some(3 * FRAME));
    // What it is filled up with may be anything.
    let padded = [toc | 3, 0x40 | 2, 5];
    assert_eq!(decoded(&join(&[&padded, &frame, &frame, &[1, 2, 3, 4, 255]])), Some(2 * FRAME));
    let long = join(&[&[toc | 3, 0x40 | 1, 255, 2], &frame, &[9; 256]]);
    assert_eq!(decoded(&long), Some(FRAME));
}

// conforms: RFC6716-3.1-1 RFC6716-3.2.1-1 RFC6716-3.2.3-1 RFC6716-3.2.4-1,2 RFC6716-3.2.5-1,2,3,6,7,8,9 RFC6716-3.4-1
#[test]
fn rfc6716_3_4_what_breaks_the_rules_of_framing_is_not_decoded() {
    let (toc, frame) = frame();
    let length = u8::try_from(frame.len()).unwrap();
    let odd = if frame.len() % 2 == 1 { frame.clone() } else { frame[..frame.len() - 1].to_vec() };
    let broken: [(&str, Vec<u8>); 14] = [
        ("R1: nothing", Vec::new()),
        ("R2: a frame of 1276 octets", join(&[&[toc], &[1; 1_276]])),
        ("R2: two of 1276", join(&[&[toc | 1], &[1; 2 * 1_276]])),
        ("R3: two of one length, an odd number of octets", join(&[&[toc | 1], &odd])),
        ("R4: no length", vec![toc | 2]),
        ("R4: half a length", vec![toc | 2, 252]),
        ("R4: a length beyond the end", join(&[&[toc | 2, length], &frame[..2]])),
        ("R5: no frames", join(&[&[toc | 3, 0], &frame])),
        ("R5: 140 ms", join(&[&[toc | 3, 7], &[1; 70]])),
        ("R6: no number of frames", vec![toc | 3]),
        ("R6: three of one length, which is no whole number", join(&[&[toc | 3, 3], &[1; 31]])),
        ("R6: filled up with more than there is", vec![toc | 3, 0x40 | 1, 20, 1, 2]),
        ("R7: no length of the first of two", vec![toc | 3, 0x80 | 2]),
        ("R7: lengths beyond the end", join(&[&[toc | 3, 0x80 | 3, length, length], &frame])),
    ];
    for (rule, packet) in broken {
        assert_eq!(decoded(&packet), None, "{rule}");
    }
}
