use bytes::Bytes;
use proptest::prelude::*;

use crate::{
    Framing, HeaderError, HeaderName, Limits, Message, Method, ParseErrorKind, Request, StatusCode,
    UriErrorKind,
    header::{CSeq, CallId, Contact, ContentLength, From, MaxForwards, Route, Supported, To, Via},
};

fn parse(text: &str) -> Message {
    Message::parse(Bytes::copy_from_slice(text.as_bytes()), &Limits::default()).unwrap()
}

fn fault(bytes: &[u8]) -> (ParseErrorKind, usize) {
    let error = Message::parse(Bytes::copy_from_slice(bytes), &Limits::default()).unwrap_err();
    (error.kind, error.at)
}

const INVITE: &str = "INVITE sip:bob@b.example SIP/2.0\r\n\
    Via: SIP/2.0/UDP a.example;branch=z9hG4bK1, SIP/2.0/TCP b.example;branch=z9hG4bK2\r\n\
    v: SIP/2.0/UDP c.example;branch=z9hG4bK3\r\n\
    From: \"A, \\\"x\\\"\" <sip:a@a.example>\r\n ;tag=1\r\n\
    To: sip:bob@b.example\r\n\
    X-Odd:\t a\r\n\t b \r\n\
    Call-ID: c1@a\r\n\
    CSeq: 7 INVITE\r\n\
    Supported:\r\n\
    k: 100rel,, timer\r\n\
    Content-Length: 4\r\n\r\nbody";

// conforms: RFC3261-7.3.1-1,3 RFC3261-7.3.3-1
#[test]
fn a_request_is_read_in_one_piece() {
    let message = parse(INVITE);
    let request = message.as_request().unwrap();
    assert_eq!((request.method(), request.uri_text()), (&Method::Invite, "sip:bob@b.example"));
    assert_eq!(request.uri().unwrap().user(), Some("bob"));
    assert!(request.version_supported());
    assert_eq!((&request.body()[..], request.framing()), (&b"body"[..], Framing::Exact));
    assert_eq!(request.to_bytes(), INVITE.as_bytes());
    let headers = request.headers();
    assert_eq!(headers.len(), 10);
    let branches: Vec<_> =
        headers.list::<Via>().unwrap().iter().map(|v| v.branch().unwrap().to_owned()).collect();
    assert_eq!(branches, ["z9hG4bK1", "z9hG4bK2", "z9hG4bK3"]);
    assert_eq!(headers.first_of::<Via>().unwrap().unwrap().branch(), Some("z9hG4bK1"));
    let from: From = headers.require().unwrap();
    assert_eq!((from.display().unwrap().as_ref(), from.tag()), ("A, \"x\"", Some("1")));
    assert_eq!(headers.require::<CallId>().unwrap().as_str(), "c1@a");
    assert_eq!(headers.require::<CSeq>().unwrap(), CSeq::new(7, Method::Invite));
    let supported: Vec<_> = headers.list::<Supported>().unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(supported, ["100rel", "timer"]);
    assert_eq!(headers.require::<ContentLength>(), Ok(ContentLength(4)));
    assert!(headers.list::<Route>().unwrap().is_empty());
    assert_eq!(headers.get::<MaxForwards>(), Ok(None));
    assert_eq!(headers.require::<MaxForwards>(), Err(HeaderError::Missing(HeaderName::MaxForwards)));
}

#[test]
fn unknown_fields_stay_as_received() {
    let message = parse(INVITE);
    let field = message.headers().first(HeaderName::Unknown).unwrap();
    assert_eq!((field.name_text(), field.value()), ("X-Odd", &b"a\r\n\t b"[..]));
    assert_eq!(field.unfolded(), "a b");
    let owned = field.to_owned();
    assert_eq!((owned.name_text(), &owned.value()[..]), ("X-Odd", &b"a\r\n\t b"[..]));
    assert_eq!(message.headers().named("x-odd").count(), 1);
    assert_eq!(message.headers().named("VIA").count(), 2);
}

#[test]
fn a_text_is_mentioned_in_any_field_of_a_name_and_in_any_case() {
    let message = parse("OPTIONS SIPS:a SIP/2.0\r\nSupported: 100rel\r\nk: x, From-Change\r\n\r\n");
    let headers = message.headers();
    assert!(headers.mentions(HeaderName::Supported, "from-change"));
    assert!(headers.mentions(HeaderName::Supported, "100REL"));
    assert!(!headers.mentions(HeaderName::Supported, "100rel, x"), "each field by itself");
    assert!(!headers.mentions(HeaderName::Require, "100rel"));
    assert!(message.as_request().is_some_and(Request::is_sips));
    let plain = parse("OPTIONS sip:sips:a SIP/2.0\r\n\r\n");
    assert!(!plain.as_request().is_some_and(Request::is_sips));
}

#[test]
fn rfc3261_7_3_1_folds_read_as_one_space() {
    let message =
        parse("OPTIONS sip:a SIP/2.0\r\nTo\t: \r\n sip:b@c\r\n\t;tag=x\r\nCSeq: 1\r\n  OPTIONS\r\n\r\n");
    assert_eq!(message.headers().require::<To>().unwrap().tag(), Some("x"));
    assert_eq!(message.headers().require::<CSeq>().unwrap().method, Method::Options);
}

// conforms: RFC3261-7.5-1
#[test]
fn rfc3261_7_5_line_ends_before_the_start_line_are_passed_over() {
    let message = parse("\r\n\r\nSIP/2.0 200 OK\r\n\r\n");
    assert_eq!(&message.to_bytes()[..], b"SIP/2.0 200 OK\r\n\r\n");
    assert_eq!(message.as_response().unwrap().status(), StatusCode::OK);
}

#[test]
fn lone_line_feeds_end_lines() {
    let message = parse("BYE sip:a SIP/2.0\nCall-ID: x\nl: 1\n\nz");
    assert_eq!(message.headers().require::<CallId>().unwrap().as_str(), "x");
    assert_eq!((&message.body()[..], message.framing()), (&b"z"[..], Framing::Exact));
}

#[test]
fn rfc3261_18_3_content_length_decides_where_the_body_ends() {
    let framing = |length: &str| {
        let message = parse(&format!("BYE sip:a SIP/2.0\r\n{length}\r\n1234"));
        (message.body().len(), message.framing())
    };
    assert_eq!(framing(""), (4, Framing::Exact));
    assert_eq!(framing("Content-Length: 4\r\n"), (4, Framing::Exact));
    assert_eq!(framing("Content-Length: 1\r\n"), (1, Framing::Excess(3)));
    assert_eq!(framing("l: 9\r\n"), (4, Framing::Short { missing: 5 }));
    assert_eq!(framing("l: 4\r\nContent-Length: 004\r\n"), (4, Framing::Exact));
    for bad in [
        "l: -4",
        "l:",
        "l: four",
        "l: 4, 4",
        "l: 4\r\nl: 5",
        "l: 99999999999999999999999",
        "l: +4",
        "l: 4\r\nl: x",
    ] {
        assert_eq!(framing(&format!("{bad}\r\n")), (4, Framing::Invalid), "{bad}");
    }
}

#[test]
fn bytes_after_the_body_leave_the_raw_message() {
    let message = parse("BYE sip:a SIP/2.0\r\nl: 1\r\n\r\n1234");
    assert_eq!(&message.to_bytes()[..], b"BYE sip:a SIP/2.0\r\nl: 1\r\n\r\n1");
}

#[test]
fn a_missing_empty_line_shows_in_the_framing() {
    let message = parse("BYE sip:a SIP/2.0\r\nCall-ID: x\r\n");
    assert_eq!(message.framing(), Framing::Short { missing: 2 });
    assert!(message.headers().contains(HeaderName::CallId));
    let message = parse("BYE sip:a SIP/2.0\r\nl: 3\r\n");
    assert_eq!(message.framing(), Framing::Short { missing: 5 });
}

#[test]
fn a_line_that_is_no_header_field_is_left_out_and_reported() {
    for line in ["garbage", "a b: c", ": c", "\u{e9}: c", " folded start line"] {
        let head = "BYE sip:a SIP/2.0\r\n";
        let message = parse(&format!("{head}{line}\r\nCall-ID: x\r\n\r\n"));
        assert_eq!((message.headers().len(), message.headers().malformed()), (1, Some(head.len())), "{line}");
    }
}

#[test]
fn rfc4475_3_1_2_9_extra_spaces_in_the_start_line_are_let_through() {
    let message = parse("INVITE   sip:a@b  SIP/2.0  \r\n\r\n");
    assert_eq!(message.as_request().unwrap().uri_text(), "sip:a@b");
}

#[test]
fn rfc4475_3_1_2_8_a_space_in_the_request_uri_fails_when_the_uri_is_read() {
    let message = parse("INVITE sip:user@example.com; lr SIP/2.0\r\n\r\n");
    let request = message.as_request().unwrap();
    assert_eq!(request.uri_text(), "sip:user@example.com; lr");
    assert_eq!(request.uri().unwrap_err().kind, UriErrorKind::Param);
}

#[test]
fn rfc3261_21_5_6_an_unsupported_version_is_still_a_request() {
    let message = parse("OPTIONS sip:a SIP/7.0\r\n\r\n");
    assert!(!message.as_request().unwrap().version_supported());
    assert!(parse("OPTIONS sip:a sip/2.0\r\n\r\n").as_request().unwrap().version_supported());
}

#[test]
fn a_request_uri_that_is_not_utf8_fails_when_it_is_read() {
    let raw = b"BYE sip:\xff@b SIP/2.0\r\nCall-ID: x\r\n\r\n";
    let message = Message::parse(Bytes::from_static(raw), &Limits::default()).unwrap();
    let request = message.as_request().unwrap();
    assert_eq!(request.uri_text(), "sip:");
    assert_eq!(request.uri().unwrap_err().kind, UriErrorKind::NotUtf8);
    assert_eq!(message.headers().require::<CallId>().unwrap().as_str(), "x");
}

#[test]
fn a_value_that_is_not_utf8_is_kept_and_fails_when_read_as_text() {
    let raw = b"BYE sip:a SIP/2.0\r\nX-Y: \xff\r\nTo: \xff\r\n\r\n";
    let message = Message::parse(Bytes::from_static(raw), &Limits::default()).unwrap();
    assert_eq!(message.headers().first(HeaderName::Unknown).unwrap().value(), b"\xff");
    assert_eq!(message.headers().require::<To>().unwrap_err(), HeaderError::NotUtf8(HeaderName::To));
    let field = message.headers().first(HeaderName::Unknown).unwrap();
    assert_eq!((field.unfolded().as_ref(), &field.to_owned().value()[..]), ("\u{fffd}", &b"\xff"[..]));
}

#[test]
fn reason_phrases_are_kept() {
    let reason = |line: &str| {
        let message = parse(&format!("{line}\r\n\r\n"));
        message.as_response().unwrap().reason().to_owned()
    };
    assert_eq!(reason("SIP/2.0 200 = 2**3 \u{43d}\u{43e}  x "), "= 2**3 \u{43d}\u{43e}  x ");
    assert_eq!((reason("SIP/2.0 100 "), reason("SIP/2.0 100")), (String::new(), String::new()));
    let raw = Bytes::from_static(b"SIP/2.0 486 a\xffb\r\n\r\n");
    let message = Message::parse(raw, &Limits::default()).unwrap();
    let response = message.as_response().unwrap();
    assert_eq!((response.reason(), response.reason_bytes()), ("a", &b"a\xffb"[..]));
}

#[test]
fn what_is_no_message_is_refused_where_it_fails() {
    use ParseErrorKind as K;
    assert_eq!(fault(b""), (K::Empty, 0));
    assert_eq!(fault(b"\r\n\r\n"), (K::Empty, 0));
    assert_eq!(fault(b"INVITE"), (K::Truncated, 6));
    assert_eq!(fault(b"\r\nGET / HTTP/1.1\r\n\r\n"), (K::StartLine, 8));
    assert_eq!(fault(b"IN(V sip:a SIP/2.0\r\n\r\n"), (K::StartLine, 0));
    assert_eq!(fault(b"INVITE SIP/2.0\r\n\r\n").0, K::StartLine);
    assert_eq!(fault(b"INVITE  SIP/2.0\r\n\r\n").0, K::StartLine);
    assert_eq!(fault(b"INVITE sip:a\r\n\r\n").0, K::StartLine);
    assert_eq!(fault(b"SIP/3.0 200 OK\r\n\r\n"), (K::Version, 0));
    for line in [
        "SIP/2.0",
        "SIP/2.0 ",
        "SIP/2.0 20",
        "SIP/2.0 099 x",
        "SIP/2.0 700 x",
        "SIP/2.0 2000 x",
        "SIP/2.0 -20 x",
    ] {
        assert_eq!(fault(format!("{line}\r\n\r\n").as_bytes()).0, K::StatusCode, "{line}");
    }
    assert_eq!(fault(b"BYE sip:a SIP/2.0\r\nTo: x"), (K::Truncated, 19));
    assert_eq!(fault(b"BYE sip:a SIP/2.0\r\nTo: x\r\n y"), (K::Truncated, 19));
}

#[test]
fn every_limit_holds_at_its_bound() {
    let text = "BYE sip:a SIP/2.0\r\nAb: c\r\nDe: f\r\n\r\n12345";
    let exact = Limits { message: text.len(), start_line: 17, header_count: 2, header_length: 5, body: 5 };
    let with = |limits: Limits| {
        Message::parse(Bytes::from_static(text.as_bytes()), &limits).map_err(|e| e.kind).err()
    };
    assert_eq!(with(exact), None);
    assert_eq!(with(Limits { message: exact.message - 1, ..exact }), Some(ParseErrorKind::MessageTooLong));
    assert_eq!(with(Limits { start_line: 16, ..exact }), Some(ParseErrorKind::StartLineTooLong));
    assert_eq!(with(Limits { header_count: 1, ..exact }), Some(ParseErrorKind::TooManyHeaders));
    assert_eq!(with(Limits { header_length: 4, ..exact }), Some(ParseErrorKind::HeaderTooLong));
    assert_eq!(with(Limits { body: 4, ..exact }), Some(ParseErrorKind::BodyTooLong));
}

#[test]
fn rfc3261_7_3_1_a_single_valued_field_that_comes_twice_is_an_error() {
    let message = parse("BYE sip:a SIP/2.0\r\nCSeq: 1 BYE\r\nCSeq: 1 BYE\r\n\r\n");
    assert_eq!(message.headers().get::<CSeq>(), Err(HeaderError::Duplicate(HeaderName::CSeq)));
}

#[test]
fn faults_name_field_place_and_expectation() {
    let message = parse("BYE sip:a SIP/2.0\r\nm: <sip:a@b>, <sip:c@d>;;\r\n\r\n");
    let error = message.headers().list::<Contact>().unwrap_err();
    assert_eq!(error.to_string(), "Contact: expected a parameter name at byte 11");
    assert_eq!(error.name(), HeaderName::Contact);
}

/// Touches everything that reads bytes.
fn read_all(message: &Message) {
    use crate::header::*;
    let headers = message.headers();
    macro_rules! touch {
        ($($type:ty),*) => {$(
            if let Ok(values) = headers.list::<$type>() {
                values.iter().for_each(|v| assert!(!v.to_string().contains(['\r', '\n'])));
            }
            let _ = headers.first_of::<$type>();
            let _ = headers.get::<$type>();
        )*};
    }
    touch!(
        Accept,
        Allow,
        AllowEvents,
        Authorization,
        CallId,
        Contact,
        ContentDisposition,
        ContentEncoding,
        ContentLength,
        ContentType,
        CSeq,
        Date,
        Diversion,
        Event,
        Expires,
        From,
        HistoryInfo,
        Join,
        MaxForwards,
        MinSE,
        PAssertedIdentity,
        ProxyAuthenticate,
        RAck,
        RSeq,
        Reason,
        ReferTo,
        Replaces,
        Require,
        RetryAfter,
        Route,
        SessionExpires,
        SubscriptionState,
        Supported,
        TargetDialog,
        Timestamp,
        To,
        Via,
        Warning,
        WwwAuthenticate
    );
    for field in headers.iter() {
        let owned = field.to_owned();
        assert_eq!((owned.name(), &owned.value()[..]), (field.name(), field.value()));
        let _ = (field.unfolded(), field.text(), owned.unfolded());
        // Any value must be safe to read as any other field's.
        let _ = (
            field.parse::<Via>(),
            field.parse::<Contact>(),
            field.parse::<Authorization>(),
            field.parse::<Date>(),
        );
    }
    if let Message::Request(request) = message {
        let _ = (request.uri_text(), request.uri());
    }
}

fn field_text() -> impl Strategy<Value = String> {
    let alphabet = "[ -~]|[\t;,:@<>\"=?%/\\[\\]\\\\]|\u{e9}|\r\n |\r|\n\t|[0-9a-f.]";
    proptest::string::string_regex(&format!("({alphabet}){{0,60}}")).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(message) = Message::parse(bytes.into(), &Limits::default()) {
            read_all(&message);
        }
    }

    #[test]
    fn any_fields_are_read_or_refused(
        values in prop::collection::vec((0..HeaderName::ALL.len(), field_text()), 0..12),
        tail in prop::collection::vec(any::<u8>(), 0..20),
    ) {
        let mut bytes = b"INVITE sip:a@b SIP/2.0\r\n".to_vec();
        for (name, value) in values {
            bytes.extend_from_slice(format!("{}: {value}\r\n", HeaderName::ALL[name]).as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&tail);
        let message = Message::parse(bytes.into(), &Limits::default()).unwrap();
        read_all(&message);
    }

    #[test]
    fn damaged_messages_are_read_or_refused(at in 0..INVITE.len(), byte in any::<u8>(), cut in 0..INVITE.len()) {
        let mut bytes = INVITE.as_bytes().to_vec();
        bytes[at] = byte;
        bytes.truncate(cut.max(at));
        if let Ok(message) = Message::parse(bytes.into(), &Limits::default()) {
            read_all(&message);
        }
    }
}
