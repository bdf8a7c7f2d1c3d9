use bytes::Bytes;
use proptest::prelude::*;

use super::{Multipart, MultipartError, Part, is_boundary_free, join, split};
use crate::{Fields, HeaderName, TypedHeader, header::ContentType};

fn mixed(boundary: &str) -> ContentType {
    ContentType::parse(&format!("multipart/mixed;boundary=\"{boundary}\"").into()).unwrap()
}

const BODY: &str = "preamble\r\n--a  \r\nContent-Type: application/sdp\r\nContent-Disposition: session;\r\n  handling=optional\r\n\
    \r\nv=0\r\n\r\n--a\r\n\r\nno fields\r\n--ab\r\n--a\r\nContent-ID: <x>\r\n--a-- \r\nepilogue --a";

#[test]
fn rfc2046_5_1_1_parts_lie_between_delimiter_lines() {
    let parts = split(&mixed("a"), &Bytes::from_static(BODY.as_bytes())).unwrap();
    assert_eq!(parts.len(), 3);
    assert!(parts[0].headers.get::<ContentType>().unwrap().unwrap().is("application", "sdp"));
    assert_eq!(parts[0].headers.len(), 2);
    assert_eq!(&parts[0].body[..], b"v=0\r\n");
    assert_eq!((parts[1].headers.len(), &parts[1].body[..]), (0, &b"no fields\r\n--ab"[..]));
    assert_eq!(parts[2].headers.first(HeaderName::ContentId).unwrap().value(), &b"<x>"[..]);
    assert!(parts[2].body.is_empty());
}

#[test]
fn what_is_split_is_joined_byte_for_byte() {
    let body = Bytes::from_static(BODY.replace("--a  \r\n", "--a\r\n").leak().as_bytes());
    let multipart = Multipart::parse(&mixed("a"), &body).unwrap();
    assert_eq!(&multipart.preamble[..], b"preamble\r\n");
    assert_eq!(&multipart.epilogue[..], b" \r\nepilogue --a");
    assert_eq!(multipart.join("a"), body);
}

#[test]
fn parts_are_made_and_joined() {
    let mut headers = Fields::new();
    headers.push(HeaderName::ContentType, "text/plain\r\nX: y");
    let part = Part::new(headers, Bytes::from_static(b"hi"));
    assert!(is_boundary_free("b", [&part]));
    assert!(!is_boundary_free("b ", [&part]) && !is_boundary_free("", [&part]));
    insta::assert_snapshot!(String::from_utf8_lossy(&join("b", [&part])).replace("\r\n", "|"),
        @"--b|Content-Type: text/plain  X: y||hi|--b--");
    let dashed = Part::new(Fields::new(), Bytes::from_static(b"x --b y"));
    assert!(!is_boundary_free("b", [&dashed]));
}

#[test]
fn faults_are_told_apart() {
    let fault = |boundary: &str, body: &str| {
        split(&mixed(boundary), &Bytes::copy_from_slice(body.as_bytes())).unwrap_err()
    };
    let plain = ContentType::parse(&"text/plain".into()).unwrap();
    assert_eq!(split(&plain, &Bytes::new()), Err(MultipartError::NotMultipart));
    let none = ContentType::parse(&"multipart/mixed".into()).unwrap();
    assert_eq!(split(&none, &Bytes::new()), Err(MultipartError::Boundary));
    assert_eq!(fault(&"a".repeat(71), ""), MultipartError::Boundary);
    assert_eq!(fault("a", ""), MultipartError::NoPart);
    assert_eq!(fault("a", "x--a\r\n"), MultipartError::NoPart);
    assert_eq!(fault("a", "--a--"), MultipartError::NoPart);
    assert_eq!(fault("a", "--a\r\n\r\nx"), MultipartError::Unclosed);
    assert_eq!(fault("a", "--a\r\nnot a field\r\n\r\nx\r\n--a--"), MultipartError::Header);
    assert_eq!(fault("a", &format!("{}--a--", "--a\r\n\r\n".repeat(65))), MultipartError::TooManyParts);
    let many = "x: y\r\n".repeat(66);
    assert_eq!(fault("a", &format!("--a\r\n{many}\r\n--a--")), MultipartError::TooManyHeaders);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn any_body_is_split_or_refused(body in "(--b|--|b|\r\n|\n|\r| |x: y|.){0,40}") {
        let body = Bytes::from(body);
        if let Ok(multipart) = Multipart::parse(&mixed("b"), &body) {
            let again = Multipart::parse(&mixed("b"), &multipart.join("b")).unwrap();
            prop_assert_eq!(again.parts, multipart.parts);
        }
    }

    #[test]
    fn any_parts_read_back(bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..5)) {
        let parts: Vec<_> = bodies.iter().map(|b| Part::new(Fields::new(), Bytes::copy_from_slice(b))).collect();
        prop_assume!(is_boundary_free("b-1", &parts));
        prop_assert_eq!(split(&mixed("b-1"), &join("b-1", &parts)).unwrap(), parts);
    }
}
