use bytes::Bytes;
use proptest::prelude::*;

use super::{Frame, FrameError, frame};
use crate::{Framing, Limits, Message};

fn at(text: &[u8]) -> Frame {
    frame(text, &Limits::default())
}

const MESSAGE: &[u8] = b"BYE sip:a SIP/2.0\r\nCall-ID: x\r\nContent-Length:\r\n 5\r\n\r\n12345";

#[test]
fn rfc3261_18_3_a_message_ends_where_content_length_says() {
    assert_eq!(at(MESSAGE), Frame::Message { len: MESSAGE.len() });
    let two = [MESSAGE, MESSAGE].concat();
    assert_eq!(at(&two), Frame::Message { len: MESSAGE.len() });
}

#[test]
fn every_beginning_of_a_message_needs_more() {
    for len in 0..MESSAGE.len() {
        assert_eq!(at(&MESSAGE[..len]), Frame::NeedMore, "{len}");
    }
}

#[test]
fn rfc5626_3_5_1_line_ends_between_messages_are_keep_alives() {
    assert_eq!(at(b"\r\n\r\nBYE"), Frame::KeepAlive { len: 4 });
    assert_eq!(at(b"\r\nBYE"), Frame::KeepAlive { len: 2 });
    assert_eq!(at(b"\r\n"), Frame::KeepAlive { len: 2 });
    assert_eq!(at(b"\r\n\r"), Frame::KeepAlive { len: 2 });
    assert_eq!(at(b"\nBYE"), Frame::KeepAlive { len: 1 });
    assert_eq!(at(b"\r"), Frame::NeedMore);
}

#[test]
fn rfc3261_20_14_streams_need_a_good_content_length() {
    let head = |line: &str| at(format!("BYE sip:a SIP/2.0\r\n{line}\r\n").as_bytes());
    assert_eq!(head(""), Frame::Error(FrameError::NoContentLength));
    assert_eq!(head("l: -1\r\n"), Frame::Error(FrameError::InvalidContentLength));
    assert_eq!(head("l: 1\r\nl: 2\r\n"), Frame::Error(FrameError::InvalidContentLength));
    assert_eq!(head("l: 65536\r\n"), Frame::Error(FrameError::TooLong));
    assert_eq!(head("l: 18446744073709551615\r\n"), Frame::Error(FrameError::TooLong));
}

#[test]
fn what_is_not_sip_is_seen_at_its_first_line() {
    assert_eq!(at(b"GET / HTTP/1.1\r\n"), Frame::Error(FrameError::StartLine));
    assert_eq!(at(b"\0\r\n"), Frame::Error(FrameError::StartLine));
    assert_eq!(at(b"SIP/2.0 999 x\r\nl: 0\r\n\r\n"), Frame::Message { len: 23 });
}

#[test]
fn endless_heads_are_cut_off() {
    let limits = Limits { start_line: 30, header_length: 20, header_count: 2, body: 5, message: 90 };
    let with = |text: &str| frame(text.as_bytes(), &limits);
    assert_eq!(with(&"A".repeat(90)), Frame::NeedMore);
    assert_eq!(with(&"A".repeat(91)), Frame::Error(FrameError::TooLong));
    let start = "BYE sip:a SIP/2.0\r\n";
    assert_eq!(with(&format!("{start}{}", "a".repeat(72))), Frame::Error(FrameError::TooLong));
    assert_eq!(with(&format!("{start}a:{}\r\n", " \r\n".repeat(25))), Frame::Error(FrameError::TooLong));
    assert_eq!(with(&format!("{start}l: 6\r\n\r\n")), Frame::Error(FrameError::TooLong));
    assert_eq!(with(&format!("{start}l: 5\r\n\r\n12345")), Frame::Message { len: 32 });
}

#[test]
fn a_limit_of_the_head_is_said_at_its_end_so_that_it_can_be_answered() {
    let limits = Limits { start_line: 20, header_length: 10, header_count: 2, ..Limits::default() };
    let long_line = format!("BYE sip:{} SIP/2.0\r\nl: 0\r\n", "a".repeat(20));
    let long_field = format!("BYE sip:a SIP/2.0\r\na: {}\r\nl: 0\r\n", "b".repeat(20));
    let many = "BYE sip:a SIP/2.0\r\na: b\r\nc: d\r\nl: 0\r\n".to_owned();
    for head in [long_line, long_field, many] {
        assert_eq!(frame(head.as_bytes(), &limits), Frame::NeedMore, "{head}");
        let whole = head + "\r\n";
        assert_eq!(frame(whole.as_bytes(), &limits), Frame::Error(FrameError::TooLong), "{whole}");
        let request = crate::Request::salvage(&Bytes::from(whole.clone()), &limits).unwrap();
        assert_eq!(*request.method(), crate::Method::Bye);
        assert!(Message::parse(Bytes::from(whole), &limits).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn any_bytes_can_be_framed(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = at(&bytes);
    }

    #[test]
    fn a_framed_message_has_exactly_its_body(at_byte in 0..MESSAGE.len(), byte in any::<u8>()) {
        let mut bytes = [MESSAGE, MESSAGE].concat();
        bytes[at_byte] = byte;
        if let Frame::Message { len } = at(&bytes)
            && let Ok(message) = Message::parse(Bytes::copy_from_slice(&bytes[..len]), &Limits::default())
        {
            prop_assert_eq!(message.framing(), Framing::Exact);
        }
    }
}
