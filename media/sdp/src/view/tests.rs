use std::time::Duration;

use super::*;
use crate::{Description, Limits};

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

fn description(session: &str, section: &str) -> Description {
    let text = format!(
        "v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n{session}m=audio 4 RTP/AVP 8\r\n{section}"
    );
    Description::parse(text.into_bytes().into(), &Limits::default()).unwrap()
}

const UFRAG: &str = "a=ice-ufrag:8hhY\r\n";
const PASSWORD: &str = "a=ice-pwd:asd88fgpdd777uzjYhagZg\r\n";

#[test]
fn rfc8839_5_4_credentials_of_the_session_hold_where_a_section_has_none() {
    let ice = |session: &str, section: &str| {
        let description = description(session, section);
        let media = description.media().next().unwrap();
        media.ice().map(|ice| (ice.ufrag.to_owned(), ice.password.to_owned()))
    };
    let pair = |ufrag: &str| Some((ufrag.to_owned(), "asd88fgpdd777uzjYhagZg".to_owned()));
    let both = format!("{UFRAG}{PASSWORD}");
    assert_eq!(ice(&both, ""), pair("8hhY"));
    assert_eq!(ice("", &both), pair("8hhY"));
    assert_eq!(ice(&both, "a=ice-ufrag:9uB6\r\n"), pair("9uB6"));
    assert_eq!(ice(UFRAG, ""), None);
    assert_eq!(ice(&both, "a=ice-mismatch\r\n"), None);
    let longest = "x".repeat(256);
    assert_eq!(ice(PASSWORD, &format!("a=ice-ufrag:{longest}\r\n")), pair(&longest));
    for broken in ["abc", "ab-d", &format!("{longest}x")] {
        assert_eq!(ice(PASSWORD, &format!("a=ice-ufrag:{broken}\r\n")), None, "{broken}");
    }
}

#[test]
fn rfc8839_5_3_and_5_6_flags_and_options() {
    let description = description("a=ice-lite\r\na=ice-options:ice2 trickle\r\n", "");
    let media = description.media().next().unwrap();
    assert!(media.ice_lite() && media.ice_option("trickle") && !media.ice_option("ice"));
}

// conforms: RFC8839-5.1-2,10
#[test]
fn rfc8839_5_1_candidates_that_are_none_are_left_out() {
    let lines = "a=candidate:2 1 UDP 1694498815 192.0.2.3 45664 typ srflx raddr 10.0.1.1 rport 8998\r\n\
                 a=candidate:1 2 udp 1 2001:db8::1 9 typ host generation 0\r\n\
                 a=candidate:3 1 TCP 1 192.0.2.3 9 typ host tcptype active\r\n\
                 a=candidate:4 1 UDP 1 host.local 9 typ host\r\n\
                 a=candidate:5 0 UDP 1 192.0.2.3 9 typ host\r\na=candidate:6 1 UDP 0 192.0.2.3 9 typ host\r\n\
                 a=candidate:7 1 UDP 1 192.0.2.3 99999 typ host\r\na=candidate:8 1 UDP 1 192.0.2.3 9\r\n\
                 a=candidate:9! 1 UDP 1 192.0.2.3 9 typ host\r\na=candidate:\r\n";
    let description = description("", lines);
    let media = description.media().next().unwrap();
    let found: Vec<_> =
        media.candidates().map(|one| (one.component, one.kind, one.socket_address())).collect();
    let at = |text: &str| Some(text.parse().unwrap());
    assert_eq!(
        found,
        [
            (1, "srflx", at("192.0.2.3:45664")),
            (2, "host", at("[2001:db8::1]:9")),
            (1, "host", None),
            (1, "host", None)
        ]
    );
}
