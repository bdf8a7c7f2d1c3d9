use super::{Heard, Meter, Refused, TransactionId, answer, asks, hear, is_stun, request};
use crate::ids::tests::Seeded;
use crate::time::Mono;
use proptest::prelude::*;
use std::net::SocketAddr;
use std::time::Duration;

/// RFC 5769 §2.1, §2.2, §2.3.
const REQUEST: &str = "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74002400046e00\
                       01ff80290008932ff9b151263b36000600096576746a3a68367659202020000800149aeaa70cbfd8cb56781ef2b5\
                       b2d3f249c1b571a280280004e57a3bcf";
const V4: &str = "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000080001a147e112a643000\
                  800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96";
const V6: &str = "010100482112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000140002a1470113a9faa5d3\
                  f179bc25f4b5bed2b9d900080014a382954e4be67bf11784c97c8292c275bfe3ed4180280004c8fb0b4c";

fn bytes(hex: &str) -> Vec<u8> {
    let pairs = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

fn id() -> TransactionId {
    TransactionId::new(&mut Seeded(1))
}

/// A request of RFC 8489 with these attributes.
fn with(attributes: &[u8]) -> Vec<u8> {
    let mut datagram = request(id());
    datagram[2..4].copy_from_slice(&u16::try_from(attributes.len()).unwrap().to_be_bytes());
    datagram.extend_from_slice(attributes);
    datagram
}

#[test]
fn rfc5769_2_the_examples_are_read() {
    let mapped = |hex| hear(&bytes(hex)).map(|(_, heard)| heard);
    assert_eq!(mapped(V4), Some(Heard::Mapped("192.0.2.1:32853".parse().unwrap())));
    let v6 = "[2001:db8:1234:5678:11:2233:4455:6677]:32853".parse().unwrap();
    assert_eq!(mapped(V6), Some(Heard::Mapped(v6)));
    let mut changed = bytes(V4);
    changed[40] ^= 1;
    assert_eq!(hear(&changed), None, "the fingerprint is another one");
    // PRIORITY is for ICE, and must be known.
    let refusal = answer(&bytes(REQUEST), "192.0.2.1:5060".parse().unwrap()).unwrap();
    assert_eq!(hear(&refusal).map(|(_, heard)| heard), Some(Heard::Refused(420)));
    assert_eq!(refusal[refusal.len() - 8..][..4], [0x80, 0x28, 0, 4], "a fingerprint answers one");
}

// conforms: RFC5626-8-1
#[test]
fn rfc5626_8_a_binding_request_is_told_its_source() {
    for peer in ["198.51.100.7:40000", "[2001:db8::7]:40000"] {
        let peer: SocketAddr = peer.parse().unwrap();
        let request = request(id());
        assert!(is_stun(&request) && asks(&request));
        let answer = answer(&request, peer).unwrap();
        assert!(is_stun(&answer) && !asks(&answer));
        assert_eq!(hear(&answer), Some((id(), Heard::Mapped(peer))));
        assert!(answer.len() <= request.len() + 24);
    }
}

#[test]
fn rfc8489_11_a_client_of_rfc_3489_gets_its_address_plain() {
    let mut request = request(id());
    request[4..8].copy_from_slice(&[1, 2, 3, 4]);
    let answer = answer(&request, "198.51.100.7:4660".parse().unwrap()).unwrap();
    assert_eq!(answer[20..], [0, 1, 0, 8, 0, 1, 0x12, 0x34, 198, 51, 100, 7]);
    assert_eq!(answer[4..20], request[4..20]);
}

#[test]
fn rfc8489_6_3_1_what_must_be_known_and_is_not_is_named() {
    let peer = "198.51.100.7:4660".parse().unwrap();
    let change = |flags| answer(&with(&[0, 3, 0, 4, 0, 0, 0, flags]), peer).unwrap();
    assert_eq!(hear(&change(6)).unwrap().1, Heard::Refused(420));
    assert_eq!(change(6)[20..], [0, 9, 0, 4, 0, 0, 4, 20, 0, 10, 0, 2, 0, 3, 0, 0]);
    assert_eq!(hear(&change(0)).unwrap().1, Heard::Mapped(peer), "it asks for no other source");
    let software = answer(&with(&[0x80, 0x22, 0, 1, b'x', 0, 0, 0]), peer).unwrap();
    assert_eq!(hear(&software).unwrap().1, Heard::Mapped(peer));
    let many = with(&[0x7f, 0, 0, 0].repeat(300));
    assert!(answer(&many, peer).unwrap().len() < 64);
}

#[test]
fn what_asks_nothing_has_no_answer() {
    let peer = "198.51.100.7:4660".parse().unwrap();
    let mut indication = request(id());
    indication[1] = 0x11;
    assert!(asks(&indication));
    assert_eq!(answer(&indication, peer), Err(Refused::NoRequest));
    assert_eq!(answer(&answer(&request(id()), peer).unwrap(), peer), Err(Refused::NoRequest));
    assert_eq!(answer(&with(&[0, 1, 0, 8]), peer), Err(Refused::Malformed));
    let mut forged = with(&[0x80, 0x28, 0, 4, 0, 0, 0, 0]);
    assert_eq!(answer(&forged, peer), Err(Refused::Malformed));
    forged.pop();
    assert!(!is_stun(&forged));
}

#[test]
fn sip_and_keepalives_are_no_stun() {
    for datagram in ["OPTIONS sip:a SIP/2.0\r\n\r\n", "\r\n\r\n", "\0\0\0\0", ""] {
        assert!(!is_stun(datagram.as_bytes()), "{datagram:?}");
    }
}

#[test]
fn a_source_has_no_more_than_its_share_of_a_second() {
    let mut meter = Meter::new(3, ahash::RandomState::with_seeds(1, 2, 3, 4));
    let at = |ms| Mono::from_epoch(Duration::from_millis(ms));
    let one = "198.51.100.7".parse().unwrap();
    let admitted = (0..5).filter(|_| meter.admit(at(1500), one)).count();
    assert_eq!(admitted, 3);
    assert!(meter.admit(at(1500), "198.51.100.8".parse().unwrap()));
    assert!(meter.admit(at(2000), one));
}

proptest! {
    #[test]
    fn no_bytes_are_followed_too_far(mut datagram in proptest::collection::vec(any::<u8>(), 0..120)) {
        let peer = "198.51.100.7:4660".parse().unwrap();
        if datagram.len() >= 4 {
            (datagram[0], datagram[1]) = (0, 1);
            let length = u16::try_from(datagram.len().saturating_sub(20)).unwrap();
            datagram[2..4].copy_from_slice(&length.to_be_bytes());
        }
        if let Ok(answer) = answer(&datagram, peer) {
            prop_assert!(answer.len() <= datagram.len() + 24);
        }
        let _ = hear(&datagram);
    }
}
