//! RFC 5769.

use hmac::Mac;

use super::peer::{Answer, read};
use crate::ice::request::Request;
use crate::ice::response::Response;
use crate::ice::{Credentials, Heard, Responder, Unanswered, is_stun};
use crate::stun;

/// §2.1, §2.2, §2.3.
const REQUEST: &str = "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74002400046e00\
                       01ff80290008932ff9b151263b36000600096576746a3a68367659202020000800149aeaa70cbfd8cb56781ef2b5\
                       b2d3f249c1b571a280280004e57a3bcf";
const V4: &str = "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000080001a147e112a643000\
                  800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96";
const V6: &str = "010100482112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000140002a1470113a9faa5d3\
                  f179bc25f4b5bed2b9d900080014a382954e4be67bf11784c97c8292c275bfe3ed4180280004c8fb0b4c";
const PASSWORD: &str = "VOkJxbRl1RmTxUk/WvJxBt";

pub(super) fn bytes(hex: &str) -> Vec<u8> {
    let pairs = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

// conforms: RFC8445-7-1
#[test]
fn rfc5769_2_1_the_request_is_read_and_proves_its_password() {
    let datagram = bytes(REQUEST);
    assert!(is_stun(&datagram) && stun::is_whole(&datagram));
    let request = Request::read(&datagram).unwrap();
    assert_eq!(request.users, Some((b"evtj".as_slice(), b"h6vY".as_slice())));
    assert_eq!((request.priority, request.controlled, request.nominates), (Some(0x6e00_01ff), true, false));
    assert_eq!(request.unknown, [0; 4]);
    let (at, hash) = request.integrity.unwrap();
    let verify =
        |password| stun::integrity(&stun::key(password), &datagram, at).unwrap().verify_slice(hash).is_ok();
    assert!(verify(PASSWORD) && !verify("VOkJxbRl1RmTxUk/WvJxBT"));
}

#[test]
fn rfc5769_2_1_its_sender_believes_to_be_controlled_and_is_told_that_we_are() {
    let datagram = bytes(REQUEST);
    let mut responder = Responder::new(&Credentials { ufrag: "evtj".into(), password: PASSWORD.into() });
    let source = "192.0.2.1:32853".parse().unwrap();
    let Heard::Refused(Unanswered::Conflict, Some(refusal)) = responder.hear(&datagram, source, false, 0)
    else {
        panic!("no conflict");
    };
    assert_eq!(read(refusal.as_bytes(), Some(PASSWORD)), Answer::Refused(487, vec![]));
}

#[test]
fn rfc5769_2_2_and_2_3_the_answers_are_read_and_their_addresses_written_alike() {
    for (hex, source) in [(V4, "192.0.2.1:32853"), (V6, "[2001:db8:1234:5678:11:2233:4455:6677]:32853")] {
        let (datagram, source) = (bytes(hex), source.parse().unwrap());
        assert_eq!(read(&datagram, Some(PASSWORD)), Answer::Mapped(source));
        let (_, id) = stun::header(&datagram).unwrap();
        let ours = Response::success(id, source).seal(Some(&stun::key(PASSWORD)));
        assert_eq!(read(ours.as_bytes(), Some(PASSWORD)), Answer::Mapped(source));
        let mapped = |of: &[u8]| {
            stun::Attributes::of(of)
                .map(Result::unwrap)
                .find(|(kind, ..)| *kind == 0x0020)
                .unwrap()
                .1
                .to_vec()
        };
        assert_eq!(mapped(ours.as_bytes()), mapped(&datagram));
    }
}
