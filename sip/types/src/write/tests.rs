use bytes::Bytes;
use proptest::prelude::*;

use crate::{Fields, Framing, HeaderName, Limits, Message, MessageWriter, Method, OwnedField, StatusCode};

fn parse(bytes: &Bytes) -> Message {
    Message::parse(bytes.clone(), &Limits::default()).unwrap()
}

#[test]
fn a_request_is_written() {
    let mut w = MessageWriter::request(&Method::Invite, "sip:bob@b.example");
    w.header(HeaderName::MaxForwards, 70).header(HeaderName::Subject, "hello");
    w.unknown("X-Odd", b"1");
    let text = String::from_utf8(w.finish(b"body").to_vec()).unwrap().replace('\r', "");
    insta::assert_snapshot!(text, @r"
    INVITE sip:bob@b.example SIP/2.0
    Max-Forwards: 70
    Subject: hello
    X-Odd: 1
    Content-Length: 4

    body
    ");
}

#[test]
fn a_response_is_written_with_its_phrase() {
    let line = |status, reason| {
        let bytes = MessageWriter::response(status, reason).finish(b"");
        String::from_utf8(bytes.to_vec()).unwrap().lines().next().unwrap().to_owned()
    };
    assert_eq!(line(StatusCode::BUSY_HERE, ""), "SIP/2.0 486 Busy Here");
    assert_eq!(line(StatusCode::OK, "Yes\r\nX: y"), "SIP/2.0 200 Yes  X: y");
}

// conforms: RFC3261-7-1,2 RFC3261-7.1-1
#[test]
fn no_value_can_start_a_header_field() {
    let mut w = MessageWriter::request(&Method::Bye, "sip:a b\r\nX: y");
    w.header(HeaderName::Subject, "a\r\nVia: b\nVia: c\rVia: d\r\n\r\n");
    w.unknown("X\r\nVia", b"\n\nVia: e");
    let bytes = w.finish(b"");
    insta::assert_snapshot!(String::from_utf8_lossy(&bytes).replace("\r\n", "|"),
        @"BYE sip:a%20b%0D%0AX:%20y SIP/2.0|Subject: a  Via: b Via: c Via: d|X--Via: Via: e|Content-Length: 0||");
    assert!(!parse(&bytes).headers().contains(HeaderName::Via));
}

#[test]
fn folds_are_kept() {
    let mut w = MessageWriter::request(&Method::Bye, "sip:a");
    w.unknown("X", b"a\r\n b\r\n\tc\r\n ");
    assert!(w.finish(b"").starts_with(b"BYE sip:a SIP/2.0\r\nX: a\r\n b\r\n\tc\r\nContent-Length"));
}

// conforms: RFC3261-18.3-3 RFC3261-20-1 RFC3261-20.14-1
#[test]
fn content_length_is_written_once() {
    let mut w = MessageWriter::request(&Method::Bye, "sip:a");
    w.header(HeaderName::ContentLength, 99).unknown("l", b"99").unknown("content-length", b"99");
    w.field(&OwnedField::new(HeaderName::ContentLength, "99"));
    let message = parse(&w.finish(b"12"));
    assert_eq!((message.headers().len(), message.framing()), (1, Framing::Exact));
}

#[test]
fn fields_of_a_message_are_copied_as_received() {
    let raw = "BYE sip:a SIP/2.0\r\nx-ODD  :  a\r\n  b\r\nt: <sip:a@b>\r\n\r\n";
    let message = parse(&Bytes::from_static(raw.as_bytes()));
    let mut fields = Fields::new();
    let mut w = MessageWriter::request(&Method::Bye, "sip:a");
    for field in message.headers().iter() {
        w.copy(field);
        fields.push_field(field.to_owned());
    }
    let copied = w.finish(b"");
    assert!(copied.starts_with(b"BYE sip:a SIP/2.0\r\nx-ODD: a\r\n  b\r\nt: <sip:a@b>\r\n"));
    let mut w = MessageWriter::request(&Method::Bye, "sip:a");
    w.fields(&fields);
    assert_eq!(w.finish(b""), copied);
}

#[test]
fn what_cannot_be_written_becomes_harmless() {
    let mut w = MessageWriter::request(&Method::Extension("".into()), "");
    w.header(HeaderName::Unknown, "x").unknown("", b"x").header(HeaderName::Subject, "");
    let message = parse(&w.finish(b""));
    let request = message.as_request().unwrap();
    assert_eq!((request.method().as_str(), request.uri_text()), ("-", "sip:anonymous.invalid"));
    assert_eq!(message.headers().len(), 2);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn everything_written_reads_back(
        method in ".{0,8}", uri in "(.|\r|\n){0,20}",
        fields in prop::collection::vec(("(.|\r|\n){1,12}", prop::collection::vec(any::<u8>(), 0..30)), 0..8),
        values in prop::collection::vec((0..HeaderName::ALL.len(), "([a-z\\PC]|\r\n |\r|\n){0,30}"), 0..8),
        body in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let mut w = MessageWriter::request(&Method::Extension(method.into()), &uri);
        let mut expected = 1;
        for (name, value) in &fields {
            expected += usize::from(HeaderName::from_bytes(name.as_bytes()) != HeaderName::ContentLength);
            w.unknown(name, value);
        }
        for (name, value) in &values {
            expected += usize::from(HeaderName::ALL[*name] != HeaderName::ContentLength);
            w.header(HeaderName::ALL[*name], value);
        }
        let bytes = w.finish(&body);
        let message = parse(&bytes);
        prop_assert_eq!(&message.body()[..], &body[..]);
        prop_assert_eq!(message.framing(), Framing::Exact);
        prop_assert_eq!(message.headers().len(), expected);
        prop_assert_eq!(message.headers().malformed(), None);
        // A copy of the copy is the same, field by field.
        let mut again = MessageWriter::request(message.as_request().unwrap().method(), message.as_request().unwrap().uri_text());
        for field in message.headers().iter() {
            again.copy(field);
        }
        prop_assert_eq!(again.finish(&body), bytes);
    }

    #[test]
    fn any_response_written_reads_back(code in 100u16..700, reason in "(.|\r|\n){0,20}") {
        let bytes = MessageWriter::response(StatusCode::new(code).unwrap(), &reason).finish(b"");
        let message = parse(&bytes);
        prop_assert_eq!(message.as_response().unwrap().status().as_u16(), code);
    }
}
