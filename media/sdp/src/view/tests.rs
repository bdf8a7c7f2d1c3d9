use std::time::Duration;

use super::*;

#[test]
fn rfc8866_5_2_origin_is_read_from_its_end() {
    let origin = Origin::parse(b"J. Doe 289 290 IN IP6 2001:db8::1").unwrap();
    assert_eq!(origin.username, b"J. Doe");
    assert_eq!((origin.session_id, origin.version, origin.address), ("289", "290", "2001:db8::1"));
    assert_eq!(Origin::parse(b"289 290 IN IP6 2001:db8::1"), None);
    assert_eq!(Origin::parse(b"- 289  IN IP4 10.0.0.1"), None);
}

#[test]
fn rfc8866_5_7_connection_gives_addresses_of_the_internet_only() {
    let ip = |value| Connection::parse(value).and_then(|connection| connection.ip());
    assert_eq!(ip("IN IP4 192.0.2.1"), Some([192, 0, 2, 1].into()));
    assert_eq!(ip("IN IP4 233.252.0.1/127/3"), Some([233, 252, 0, 1].into()));
    assert_eq!(ip("IN IP4 host.example"), None);
    assert_eq!(ip("PSTN E164 +441134960123"), None);
    assert_eq!(Connection::parse("IN IP4"), None);
    assert_eq!(Connection::parse("IN IP4 a b"), None);
}

#[test]
fn rfc8866_5_14_media_line() {
    let line = MediaLine::parse(b"video 49170/2 RTP/AVP 31 99").unwrap();
    assert_eq!((line.media, line.port, line.port_count, line.proto), ("video", 49_170, Some(2), "RTP/AVP"));
    assert_eq!(line.formats().collect::<Vec<_>>(), ["31", "99"]);
    assert_eq!(MediaLine::parse(b"message 7394 TCP/MSRP *").unwrap().formats, "*");
}

#[test]
fn rfc8866_6_6_rtpmap_keeps_its_encoding_parameters() {
    let map = RtpMap::parse("111 opus/48000/2").unwrap();
    assert_eq!((map.payload, map.encoding, map.clock_rate, map.parameters), (111, "opus", 48_000, Some("2")));
    assert_eq!(RtpMap::parse("0 PCMU/8000").unwrap().parameters, None);
    for broken in ["", "96", "96 opus", "128 x/8000", "96 /8000", "96 x/many"] {
        assert_eq!(RtpMap::parse(broken), None, "{broken}");
    }
}

#[test]
fn rfc3605_2_1_rtcp_attribute() {
    assert_eq!(RtcpAddress::parse("53020").unwrap(), RtcpAddress { port: 53_020, connection: None });
    let stated = RtcpAddress::parse("53020 IN IP6 2001:2345:6789:abcd:ef01:2345:6789:abcd").unwrap();
    assert_eq!(stated.connection.unwrap().addr_type, "IP6");
    assert_eq!(RtcpAddress::parse("53020 IN"), None);
    assert_eq!(RtcpAddress::parse("x"), None);
}

#[test]
fn rfc8866_6_7_directions_form_pairs() {
    use Direction::*;
    for (direction, reversed) in
        [(SendRecv, SendRecv), (SendOnly, RecvOnly), (RecvOnly, SendOnly), (Inactive, Inactive)]
    {
        assert_eq!(direction.reversed(), reversed);
        assert_eq!(Direction::parse(direction.name().as_bytes()), Some(direction));
    }
    assert_eq!(SendOnly.and(RecvOnly), Inactive);
    assert_eq!(Direction::parse(b"sendonly:1"), None);
}

#[test]
fn rfc8866_5_13_attributes_split_at_the_first_colon() {
    let attribute = Attribute::parse(b"candidate:1 1 UDP 1 2001:db8::1 1 typ host").unwrap();
    assert_eq!((attribute.name, attribute.text()), ("candidate", Some("1 1 UDP 1 2001:db8::1 1 typ host")));
    assert_eq!(Attribute::parse(b"x:").unwrap().value, Some(b"".as_slice()));
    assert_eq!(Attribute::parse(b"x").unwrap().value, None);
}

#[test]
fn rfc8866_6_4_packet_times_may_have_fractions() {
    assert_eq!(packet_time("20"), Some(Duration::from_millis(20)));
    assert_eq!(packet_time("20.0"), Some(Duration::from_millis(20)));
    assert_eq!(packet_time("2.5"), Some(Duration::from_micros(2_500)));
    assert_eq!(packet_time("20ms"), None);
    assert_eq!(packet_time("-1"), None);
    assert_eq!(packet_time("1.x"), None);
}

#[test]
fn rfc8866_5_8_bandwidths() {
    assert_eq!(Bandwidth::parse("TIAS:64000"), Some(Bandwidth { kind: "TIAS", value: 64_000 }));
    assert_eq!(Bandwidth::parse("AS:64.5"), None);
}
