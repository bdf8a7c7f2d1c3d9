use super::*;

#[test]
fn rfc3550_5_1_the_fixed_header() {
    let packet = [0x80, 0x80 | 96, 0x12, 0x34, 0, 0, 0, 160, 0xde, 0xad, 0xbe, 0xef, 0xff];
    let header = Header::read(&packet).unwrap();
    assert_eq!(header, Header { payload: 96, sequence: 0x1234, timestamp: 160, ssrc: 0xdead_beef });
    assert_eq!(Header::read(&packet[..11]), None);
}

#[test]
fn rfc7983_7_other_protocols_are_no_rtp() {
    for first in [0u8, 20, 63, 64, 79, 192, 255] {
        assert_eq!(Header::read(&[first; 20]), None, "{first}");
    }
}

#[test]
fn rfc5761_4_packet_types_from_192_to_223_are_rtcp() {
    for (second, expected) in
        [(191u8, false), (192, true), (200, true), (223, true), (224, false), (96, false)]
    {
        assert_eq!(is_rtcp(&[0x80, second, 0, 0]), expected, "{second}");
    }
    assert!(!is_rtcp(&[0x16, 200]));
    assert!(!is_rtcp(&[0x80]));
}

/// Tables 4 and 5, whole: what they reserve and leave unassigned has no clock. That of G.722 is not the rate of its samples (§4.5.2).
#[test]
fn rfc3551_6_static_payload_types() {
    let audio = [
        (0, "PCMU", 8_000),
        (3, "GSM", 8_000),
        (4, "G723", 8_000),
        (5, "DVI4", 8_000),
        (6, "DVI4", 16_000),
        (7, "LPC", 8_000),
        (8, "PCMA", 8_000),
        (9, "G722", 8_000),
        (10, "L16", 44_100),
        (11, "L16", 44_100),
        (12, "QCELP", 8_000),
        (13, "CN", 8_000),
        (14, "MPA", 90_000),
        (15, "G728", 8_000),
        (16, "DVI4", 11_025),
        (17, "DVI4", 22_050),
        (18, "G729", 8_000),
    ];
    let video =
        [(25, "CelB"), (26, "JPEG"), (28, "nv"), (31, "H261"), (32, "MPV"), (33, "MP2T"), (34, "H263")];
    let video = video.map(|(payload, name)| (payload, name, 90_000));
    let known: Vec<_> = audio.into_iter().chain(video).collect();
    for payload in 0..=127 {
        let expected = known.iter().find(|(of, ..)| *of == payload).map(|(_, name, clock)| (*name, *clock));
        assert_eq!(static_name(payload).zip(static_clock(payload)), expected, "{payload}");
    }
}
