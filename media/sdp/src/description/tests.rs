use bytes::Bytes;
use proptest::prelude::*;

use crate::{Description, Direction, Limits, LineFault, ParseError};

const CALL: &str = "v=0\r\no=jdoe 3724394400 3724394405 IN IP4 198.51.100.1\r\ns=Call to John Smith\r\n\
    c=IN IP4 198.51.100.1\r\nt=0 0\r\na=group:LS 1 2\r\nm=audio 49170 RTP/AVP 0 96\r\na=rtpmap:96 opus/48000/2\r\n\
    a=fmtp:96 useinbandfec=1\r\na=mid:1\r\nm=video 51372 RTP/AVP 99\r\nc=IN IP6 2001:db8::2\r\na=recvonly\r\n";

fn parse(text: &str) -> Result<Description, ParseError> {
    Description::parse(Bytes::copy_from_slice(text.as_bytes()), &Limits::default())
}

fn fault(text: &str) -> (usize, LineFault) {
    match parse(text) {
        Err(ParseError::Line { line, fault }) => (line, fault),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_line_goes_out_as_it_came() {
    for text in [
        CALL,
        &CALL.replace("\r\n", "\n"),
        CALL.trim_end(),
        "v=0\no=a b c 1 2 IN IP4 h\r\nx=what?\na=late:1\nt=0 0\ns= \nz=0 -9223372036854775808\nm=\u{e4}udio 0 RTP/AVP\n\n\n",
    ] {
        let description = parse(text).unwrap();
        let mut out = Vec::new();
        description.write(&mut out);
        assert_eq!(out, text.as_bytes());
        assert_eq!(description.to_bytes(), text.as_bytes());
        let again = Description::reread(description.to_bytes());
        assert!(again.lines().eq(description.lines()));
    }
}

#[test]
fn lines_that_are_not_utf8_are_kept() {
    let text = b"v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=caf\xe9\r\nt=0 0\r\na=x:\xff\r\n".as_slice();
    let description = Description::parse(Bytes::from_static(text), &Limits::default()).unwrap();
    assert_eq!(description.to_bytes(), text);
    assert_eq!(description.session().attribute("x").unwrap().value, Some(b"\xff".as_slice()));
    assert_eq!(description.session().attribute("x").unwrap().text(), None);
}

#[test]
fn rfc8866_5_7_media_sections_inherit_the_connection_of_the_session() {
    let description = parse(CALL).unwrap();
    let addresses: Vec<_> = description.media().map(|media| media.connection().unwrap().address).collect();
    assert_eq!(addresses, ["198.51.100.1", "2001:db8::2"]);
}

#[test]
fn rfc8866_6_7_a_direction_of_the_section_overrides_that_of_the_session() {
    let text = CALL.replace("t=0 0\r\n", "t=0 0\r\na=inactive\r\n");
    let directions: Vec<_> = parse(&text).unwrap().media().map(|media| media.direction()).collect();
    assert_eq!(directions, [Direction::Inactive, Direction::RecvOnly]);
    let directions: Vec<_> = parse(CALL).unwrap().media().map(|media| media.direction()).collect();
    assert_eq!(directions, [Direction::SendRecv, Direction::RecvOnly]);
}

#[test]
fn views_of_a_section_read_its_own_lines_only() {
    let description = parse(CALL).unwrap();
    let media: Vec<_> = description.media().collect();
    assert_eq!(media[0].mid(), Some("1"));
    assert_eq!(media[1].mid(), None);
    assert_eq!(media[0].rtp_maps().next().unwrap().clock_rate, 48_000);
    assert_eq!(media[0].format_parameters().next().unwrap().parameters, "useinbandfec=1");
    let group = description.session().groups().next().unwrap();
    assert_eq!((group.semantics, group.members().collect::<Vec<_>>()), ("LS", vec!["1", "2"]));
}

#[test]
fn errors_name_the_line_and_the_fault() {
    let head = "v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\n";
    assert_eq!(parse("").unwrap_err(), ParseError::Empty);
    assert_eq!(fault("v=1\r\n"), (1, LineFault::Version));
    assert_eq!(fault("\r\nv=0\r\n"), (1, LineFault::Version));
    assert_eq!(parse("v=0\r\ns=-\r\n").unwrap_err(), ParseError::NoOrigin);
    assert_eq!(fault("v=0\r\no=- 1 IN IP4 10.0.0.1\r\n"), (2, LineFault::Origin));
    assert_eq!(fault(&format!("{head}o=- 1 1 IN IP4 10.0.0.1\r\n")), (4, LineFault::SecondOrigin));
    assert_eq!(fault(&format!("{head}t 0 0\r\n")), (4, LineFault::Shape));
    assert_eq!(fault(&format!("{head}T=0 0\r\n")), (4, LineFault::Shape));
    assert_eq!(fault(&format!("{head}\r\nt=0 0\r\n")), (4, LineFault::Blank));
    assert_eq!(fault(&format!("{head}a=x\0y\r\n")), (4, LineFault::ControlByte));
    assert_eq!(fault(&format!("{head}a=x\ry\r\n")), (4, LineFault::ControlByte));
    assert_eq!(fault(&format!("{head}m=audio 70000 RTP/AVP 0\r\n")), (4, LineFault::Port));
    assert_eq!(fault(&format!("{head}m=audio +7 RTP/AVP 0\r\n")), (4, LineFault::Port));
    assert_eq!(fault(&format!("{head}m=audio 7/0 RTP/AVP 0\r\n")), (4, LineFault::Port));
    assert_eq!(fault(&format!("{head}m=audio 7 RTP/AVP\r\n")), (4, LineFault::Media));
    assert_eq!(fault(&format!("{head}m=audio 7\r\n")), (4, LineFault::Media));
    assert!(parse(&format!("{head}m=audio 0 RTP/AVP\r\n")).is_ok());
}

#[test]
fn limits_are_reached_exactly() {
    let lines = CALL.lines().count();
    let at = Limits { bytes: CALL.len(), lines, media: 2 };
    let parse = |limits: Limits| Description::parse(Bytes::from_static(CALL.as_bytes()), &limits);
    assert!(parse(at).is_ok());
    let too_long = ParseError::TooLong { bytes: CALL.len(), limit: CALL.len() - 1 };
    assert_eq!(parse(Limits { bytes: CALL.len() - 1, ..at }).unwrap_err(), too_long);
    assert_eq!(
        parse(Limits { lines: lines - 1, ..at }).unwrap_err(),
        ParseError::TooManyLines { limit: lines - 1 }
    );
    assert_eq!(
        parse(Limits { media: 1, ..at }).unwrap_err(),
        ParseError::TooManyMedia { line: 11, limit: 1 }
    );
}

#[test]
fn whole_lines_are_replaced_inserted_and_removed() {
    let mut description = parse("v=0\no=- 1 1 IN IP4 10.0.0.1\ns=-\nt=0 0\na=last").unwrap();
    assert!(description.replace(2, b's', b"Hello"));
    assert!(description.remove(3));
    assert!(description.insert(2, b'x', b"new"));
    assert!(description.insert(5, b'a', b"end"));
    assert_eq!(description.to_bytes(), "v=0\no=- 1 1 IN IP4 10.0.0.1\nx=new\ns=Hello\na=last\na=end\n");
    description.retain(|line| line.kind() != b'a');
    assert_eq!(description.to_bytes(), "v=0\no=- 1 1 IN IP4 10.0.0.1\nx=new\ns=Hello\n");
}

#[test]
fn edits_that_would_break_the_line_structure_are_refused() {
    let mut description = parse(CALL).unwrap();
    for value in [b"a\r\nb".as_slice(), b"a\nb", b"a\0b"] {
        assert!(!description.insert(0, b'a', value));
        assert!(!description.replace(0, b'a', value));
    }
    assert!(!description.insert(0, b'=', b""));
    assert!(!description.insert(99, b'a', b""));
    assert!(!description.replace(99, b'a', b""));
    assert!(!description.remove(99));
    assert_eq!(description.to_bytes(), CALL);
}

#[test]
fn an_unchanged_description_is_given_out_without_a_copy() {
    let text = Bytes::from_static(CALL.as_bytes());
    let description = Description::parse(text.clone(), &Limits::default()).unwrap();
    assert_eq!(description.to_bytes().as_ptr(), text.as_ptr());
}

/// Lines as a peer might write them: mostly in shape, now and then not.
fn line() -> impl Strategy<Value = Vec<u8>> {
    let value = prop_oneof![
        8 => "[ -~]{0,40}".prop_map(String::into_bytes),
        1 => proptest::collection::vec(any::<u8>(), 0..20),
        2 => "(audio|video|x) [0-9]{1,5}(/[0-9])? (RTP/AVP|TCP/MSRP|udptl)( [0-9]{1,3}){0,3}".prop_map(String::into_bytes),
        2 => "(rtpmap|fmtp|rtcp|group|mid|ptime):[ -~]{0,20}".prop_map(String::into_bytes),
    ];
    ("[a-z]", value, "(\r\n|\n)").prop_map(|(kind, value, end)| {
        let kind = if kind == "o" { "a" } else { &kind };
        [kind.as_bytes(), b"=", &value, end.as_bytes()].concat()
    })
}

proptest! {
    #[test]
    fn whatever_parses_is_written_back_byte_for_byte(lines in proptest::collection::vec(line(), 0..40)) {
        let mut text = b"v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\n".to_vec();
        text.extend(lines.concat());
        let text = Bytes::from(text);
        if let Ok(description) = Description::parse(text.clone(), &Limits::default()) {
            let mut out = Vec::new();
            description.write(&mut out);
            prop_assert_eq!(&out, &text);
            read_everything(&description);
        }
    }

    #[test]
    fn lines_end_at_line_feeds(text in proptest::collection::vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..100)) {
        let lines = Description::reread(text.clone().into());
        let expected: Vec<_> = text.split_inclusive(|byte| *byte == b'\n').collect();
        prop_assert_eq!(lines.lines().map(|line| line.bytes()).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn no_bytes_panic(text in proptest::collection::vec(any::<u8>(), 0..300), head in any::<bool>()) {
        let mut bytes = if head { b"v=0\no=- 1 1 IN IP4 h\n".to_vec() } else { Vec::new() };
        bytes.extend(text);
        if let Ok(description) = Description::parse(bytes.into(), &Limits::default()) {
            read_everything(&description);
        }
    }
}

fn read_everything(description: &Description) {
    let _ = description.origin();
    let sections = description.media().map(|media| media.section()).chain([description.session()]);
    for section in sections {
        let _ = (
            section.attributes().count(),
            section.connection(),
            section.bandwidths().count(),
            section.groups().count(),
        );
    }
    for media in description.media() {
        let _ = (
            media.direction(),
            media.connection().and_then(|c| c.ip()),
            media.rtcp(),
            media.mid(),
            media.rtcp_mux(),
        );
        let _ = (media.rtp_maps().count(), media.format_parameters().count(), media.line().formats().count());
        let times = media.section().attributes().filter_map(|a| crate::packet_time(a.text()?));
        let _ = times.count();
    }
}

#[test]
fn nothing_stands_behind_the_empty_lines_at_the_end() {
    let text = "v=0\r\no=a 1 1 IN IP4 h\r\ns=-\r\nt=0 0\r\nm=audio 4 RTP/AVP 0\r\n\r\n\n";
    let mut description = Description::parse(Bytes::from(text), &Limits::default()).unwrap();
    let media = description.media().next().unwrap();
    assert_eq!((media.section().start(), media.section().end()), (4, 5));
    assert!(description.insert(7, b'a', b"sendonly"));
    assert_eq!(description.to_bytes(), text.replace("\r\n\r\n\n", "\r\na=sendonly\r\n\r\n\n"));
}
