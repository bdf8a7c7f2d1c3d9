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

#[test]
fn rfc3551_6_static_payload_types() {
    assert_eq!((static_clock(9), static_name(9)), (Some(8_000), Some("G722")));
    assert_eq!(static_clock(31), Some(90_000));
    assert_eq!(static_clock(96), None);
}
