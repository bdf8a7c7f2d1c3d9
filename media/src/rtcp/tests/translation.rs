//! Packet type by packet type (RFC 8079 §3.2).

use super::super::{is_compound, translate};
use super::{Shifted, compound};

#[track_caller]
fn check(kind: u8, count: u8, before: &[u32], after: &[u32]) {
    let mut packet = compound(&[(kind, count, before)]);
    translate(&mut packet, &mut Shifted);
    let words: Vec<_> =
        packet[4..].chunks(4).map(|word| u32::from_be_bytes(word.try_into().unwrap())).collect();
    assert_eq!(words, after);
    assert_eq!(packet[..2], [0x80 | count, kind]);
}

// conforms: RFC8079-3.2-2,3,4
#[test]
fn rfc8079_3_2_a_sender_report() {
    check(
        200,
        2,
        &[1, 10, 11, 1_000, 5, 500, 100, 9, 0x1_0005, 3, 4, 5, 107, 9, 70, 3, 4, 5, 0xfeed],
        &[1_001, 10, 11, 1_050, 8, 512, 2_100, 9, 0xfffe, 3, 4, 5, 2_107, 9, 63, 3, 4, 5, 0xfeed],
    );
}

#[test]
fn rfc8079_3_2_a_receiver_report() {
    check(201, 1, &[2, 101, 9, 20, 3, 4, 5], &[1_002, 2_101, 9, 13, 3, 4, 5]);
    check(201, 0, &[2], &[1_002]);
}

// conforms: RFC8079-3.2-6,7
#[test]
fn rfc8079_3_2_bye_and_app_and_what_is_not_known() {
    check(203, 2, &[1, 2, 0x0461_6263], &[1_001, 1_002, 0x0461_6263]);
    check(204, 5, &[1, 0x4142_4344, 1, 100], &[1_001, 0x4142_4344, 1, 100]);
    check(222, 1, &[1, 1, 100], &[1_001, 1, 100]);
    // Jitter of each packet has no source (RFC 5450 §4).
    check(195, 2, &[1, 2], &[1, 2]);
}

// conforms: RFC8079-3.2-8,9
#[test]
fn rfc8079_3_2_extended_reports() {
    let sequences = |first: u32, end: u32| first << 16 | end;
    // Losses, duplicates and receipt times; the last ones are times of the writer's own.
    for kind in [1u32, 2, 10, 25] {
        let head = kind << 24 | 3;
        check(
            207,
            0,
            &[1, head, 100, sequences(10, 3), 0x4000_0000],
            &[1_001, head, 2_100, sequences(3, 0xfffc), 0x4000_0000],
        );
    }
    let head = 3 << 24 | 4;
    check(207, 0, &[1, head, 100, sequences(10, 12), 1, 2], &[1_001, head, 2_100, sequences(3, 5), 1, 2]);
    // A clock, what has been seen of clocks, statistics and VoIP metrics.
    check(
        207,
        0,
        &[1, 4 << 24 | 2, 1, 100, 5 << 24 | 6, 100, 1, 100, 101, 1, 101, 6 << 24 | 2, 102, sequences(9, 10)],
        &[
            1_001,
            4 << 24 | 2,
            1,
            100,
            5 << 24 | 6,
            2_100,
            1,
            100,
            2_101,
            1,
            101,
            6 << 24 | 2,
            2_102,
            sequences(2, 3),
        ],
    );
    check(
        207,
        0,
        &[1, 7 << 24 | 8, 100, 1, 2, 3, 4, 5, 6, 7],
        &[1_001, 7 << 24 | 8, 2_100, 1, 2, 3, 4, 5, 6, 7],
    );
    // Since when others measure (RFC 6776 §4.1), and one of a type that is not known.
    check(
        207,
        0,
        &[1, 14 << 24 | 4, 100, 9, 0x1_0009, 0x1_0010, 200 << 24 | 1, 101],
        &[1_001, 14 << 24 | 4, 2_100, 2, 0x1_0002, 0x1_0009, 200 << 24 | 1, 2_101],
    );
}

// conforms: RFC8079-3.2-14,17
#[test]
fn rfc8079_3_2_nack() {
    // 20, and of the next those with 1, 2 and 16 more.
    check(205, 1, &[1, 100, 20 << 16 | 0x8003, 6 << 16], &[1_001, 2_100, 13 << 16 | 0x8003, 0xffff << 16]);
}

// conforms: RFC8079-3.2-15,18
#[test]
fn rfc8079_3_2_codec_control() {
    for (kind, format) in [(205, 3), (205, 4), (206, 4), (206, 5), (206, 6)] {
        check(kind, format, &[1, 0, 100, 0x0100_0064, 101, 7], &[1_001, 0, 2_100, 0x0100_0064, 2_101, 7]);
    }
    // VBCM has a text of five octets, then another one.
    check(206, 7, &[1, 0, 100, 5, 1, 2, 101, 0], &[1_001, 0, 2_100, 5, 1, 2, 2_101, 0]);
    // PLI and SLI.
    check(206, 1, &[1, 100], &[1_001, 2_100]);
    check(206, 2, &[1, 100, 101], &[1_001, 2_100, 101]);
}

#[test]
fn rfc8079_3_2_remb_and_other_feedback() {
    let remb = u32::from_be_bytes(*b"REMB");
    check(206, 15, &[1, 0, remb, 2 << 24, 100, 101, 102], &[1_001, 0, remb, 2 << 24, 2_100, 2_101, 102]);
    check(206, 15, &[1, 0, 0x4142_4344, 1 << 24, 100], &[1_001, 0, 0x4142_4344, 1 << 24, 100]);
    // The numbers of transport-wide feedback are its own.
    check(205, 15, &[1, 100, 20 << 16 | 1, 0], &[1_001, 2_100, 20 << 16 | 1, 0]);
    // ECN (RFC 6679 §5.1).
    check(205, 8, &[1, 100, 0x1_0008, 100], &[1_001, 2_100, 0x1_0001, 100]);
    // RFC 8888 §3.1: three reports, one, and a time.
    check(
        205,
        11,
        &[1, 100, 10 << 16 | 3, 0, 0, 101, 8 << 16 | 1, 0, 100],
        &[1_001, 2_100, 3 << 16 | 3, 0, 0, 2_101, 1 << 16 | 1, 0, 100],
    );
}

// conforms: RFC8079-3.2-10,11,12,13
#[test]
fn rfc8079_3_2_summaries_and_port_mapping() {
    check(
        209,
        0,
        &[1, 100, 0, 0, 0x0402_0000, 100, 0x0803_0000, 2, 101],
        &[1_001, 2_100, 0, 0, 0x0402_0000, 100, 0x0803_0000, 1_002, 2_101],
    );
    check(210, 1, &[1, 100, 5], &[1_001, 100, 5]);
    check(210, 2, &[1, 100, 5], &[1_001, 2_100, 5]);
}

#[test]
fn each_packet_of_a_compound_without_its_padding() {
    let mut packet = compound(&[(201, 0, &[1]), (205, 1, &[1, 100, 20 << 16, 0x0000_0004])]);
    packet[8] |= 0x20;
    translate(&mut packet, &mut Shifted);
    let after = compound(&[(201, 0, &[1_001]), (205, 1, &[1_001, 2_100, 13 << 16, 0x0000_0004])]);
    assert_eq!((packet[8], &packet[9..]), (0xa1, &after[9..]));
}

#[test]
fn what_is_no_rtcp_stays_as_it_is() {
    for octets in [&[][..], &[0x80], &[0x9f, 201, 0, 1, 0, 0, 0, 1, 7], &[0x81, 200, 255, 255, 1], &[0; 64]] {
        assert!(
            !is_compound(octets)
                && super::super::hide(&mut octets.to_vec(), octets.len(), |_| [0; 16])
                    .is_none_or(|length| length == octets.len())
        );
    }
    let mut short = compound(&[(200, 31, &[1, 2]), (207, 0, &[1, 1 << 24 | 9, 100]), (205, 1, &[1])]);
    let length = short.len();
    translate(&mut short, &mut Shifted);
    assert_eq!(short.len(), length);
}
