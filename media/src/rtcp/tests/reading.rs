//! What peers say of quality.

use super::super::{Block, Reported, VoiceMetrics, reports};
use super::compound;

fn all(packet: &[u8]) -> Vec<Reported> {
    let mut all = Vec::new();
    reports(packet, |reported| all.push(reported));
    all
}

#[test]
fn rfc3550_6_4_reports() {
    let packet = compound(&[
        (200, 1, &[1, 0xaaaa_1111, 0x2222_bbbb, 1_000, 5, 500, 100, 0x4000_0009, 0x1_0005, 3, 4, 5]),
        (201, 1, &[1, 101, 0x00ff_ffff, 20, 3, 0, 0]),
    ]);
    let first = Block { ssrc: 100, fraction: 64, lost: 9, jitter: 3, last: 4, since: 5 };
    // More came than were sent: nothing is lost.
    let second = Block { ssrc: 101, fraction: 0, lost: 0, jitter: 3, last: 0, since: 0 };
    assert_eq!(
        all(&packet),
        [Reported::Sent(0x1111_2222), Reported::Received(first), Reported::Received(second)]
    );
}

#[test]
fn rfc3611_4_extended_reports() {
    let packet = compound(&[(
        207,
        0,
        &[
            1,
            4 << 24 | 2,
            0xaaaa_1111,
            0x2222_bbbb,
            5 << 24 | 3,
            100,
            7,
            8,
            7 << 24 | 8,
            100,
            0x0a05_0000,
            0,
            120 << 16 | 60,
            0,
            u32::from_be_bytes([93, 127, 41, 127]),
            0,
            0,
        ],
    )]);
    let voice = VoiceMetrics {
        loss: 10,
        discard: 5,
        round_trip: 120,
        end_system: 60,
        r_factor: Some(93),
        mos_lq: Some(41),
        mos_cq: None,
    };
    assert_eq!(all(&packet), [Reported::Clock(0x1111_2222), Reported::Echo(7, 8), Reported::Voice(voice)]);
}

#[test]
fn what_is_cut_off_says_nothing() {
    assert_eq!(all(&compound(&[(201, 2, &[1, 2, 3])])), []);
    assert_eq!(all(&compound(&[(207, 0, &[1, 7 << 24 | 9])])), []);
    assert_eq!(all(&[0x81, 201, 0, 7, 1]), []);
}
