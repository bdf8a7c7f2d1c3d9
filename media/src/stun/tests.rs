//! RFC 5769 and RFC 8489 Appendix B; the vectors of ICE are in its own tests.

use md5::{Digest, Md5};
use sha2::Sha256;

use super::*;

/// RFC 5769 §2.4.
const LONG_TERM: &str = "000100602112a44278ad3433c6ad72c029da412e00060012e3839ee38388e383aae38383e382afe382b900000015001c\
                         662f2f3439396b393534643\
                         64f4c33346f4c394653547679363473410014000b6578616d706c652e6f7267000008\
                         0014f67024656dd64a3e02b8e0712e85c9a28ca89666";
/// RFC 8489 §B.1, as erratum 6268 corrects it.
const SHA256: &str = "000100902112a44278ad3433c6ad72c029da412e001e00204a3cf38fef6992bda952c6780417da0f24819415569e60b205c4\
                      6e41407f1704001500296f624d61744a6f733241414143662f2f3439396b39353464364f4c33346f4c394653547679363473\
                      410000000014000b6578616d706c652e6f726700001d000400020000001c0020b5c7bf005b6c52a21c51c5e892f819241362\
                      96cb927c43149309278cc6518e65";
const USER: &str = "\u{30DE}\u{30C8}\u{30EA}\u{30C3}\u{30AF}\u{30B9}";
const PASSWORD: &str = "TheMatrIX";

fn bytes(hex: &str) -> Vec<u8> {
    let pairs = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

fn attribute(message: &[u8], kind: u16) -> (usize, Vec<u8>) {
    let found = Attributes::of(message).map(Result::unwrap).find(|(its, ..)| *its == kind).unwrap();
    (found.2, found.1.to_vec())
}

fn key_for<D: Digest>(password: &str) -> Vec<u8> {
    D::digest(format!("{USER}:example.org:{password}")).to_vec()
}

#[test]
fn rfc5769_2_4_a_request_with_a_long_term_credential_is_proven() {
    let message = bytes(LONG_TERM);
    assert!(header(&message).is_some_and(|(kind, _)| kind == REQUEST));
    assert_eq!(attribute(&message, USERNAME).1, USER.as_bytes());
    assert_eq!(attribute(&message, NONCE).1, b"f//499k954d6OL34oL9FSTvy64sA");
    assert_eq!(attribute(&message, REALM).1, b"example.org");
    let (at, value) = attribute(&message, MESSAGE_INTEGRITY);
    assert!(Proof::Sha1(at, &value).holds(&key_for::<Md5>(PASSWORD), &message));
    assert!(!Proof::Sha1(at, &value).holds(&key_for::<Md5>("TheMatrix"), &message));
}

#[test]
fn rfc8489_b_1_a_request_with_message_integrity_sha256_is_proven() {
    let message = bytes(SHA256);
    assert!(header(&message).is_some_and(|(kind, _)| kind == REQUEST));
    assert_eq!(attribute(&message, NONCE).1, b"obMatJos2AAACf//499k954d6OL34oL9FSTvy64sA");
    assert_eq!(attribute(&message, PASSWORD_ALGORITHM).1, [0, 2, 0, 0]);
    let (at, value) = attribute(&message, MESSAGE_INTEGRITY_SHA256);
    assert!(Proof::Sha256(at, &value).holds(&key_for::<Sha256>(PASSWORD), &message));
    assert!(!Proof::Sha256(at, &value).holds(&key_for::<Sha256>("TheMatrix"), &message));
    let mut other = message;
    other[30] ^= 1;
    assert!(!Proof::Sha256(at, &value).holds(&key_for::<Sha256>(PASSWORD), &other));
}

#[test]
fn rfc8489_14_6_a_truncated_hash_has_16_bytes_at_least_and_whole_words() {
    let key = key_for::<Md5>(PASSWORD);
    let mut out = Vec::new();
    Writer::new(&mut out, REQUEST, b"twelve bytes").attribute(USERNAME, b"alice");
    let at = out.len();
    for length in [12, 16, 18, 20, 32] {
        let mac = integrity_sha256(&key256_of(&key), &out, at, length).unwrap();
        let value = hmac::Mac::finalize(mac).into_bytes();
        let proof = Proof::Sha256(at, &value[..length]);
        assert_eq!(proof.holds(&key, &out), length >= 16 && length != 18, "{length}");
    }
}

#[test]
fn what_is_written_is_read_again_and_proven() {
    let (key, id) = (key_for::<Md5>(PASSWORD), b"twelve bytes");
    for address in ["192.0.2.1:32853", "[2001:db8::7]:1"].map(|text| text.parse().unwrap()) {
        let mut out = b"what was there before".to_vec();
        let mut writer = Writer::new(&mut out, ERROR, id);
        writer.error(420, "Unknown Attribute").unknown([0x7fff, 0x1a].into_iter());
        writer.address(XOR_MAPPED_ADDRESS, address).integrity(&key_of(&key));
        writer.integrity_sha256(&key256_of(&key)).fingerprint();
        assert!(is_whole(&out) && is_stun(&out));
        assert_eq!(attribute(&out, ERROR_CODE).1, b"\0\0\x04\x14Unknown Attribute");
        assert_eq!(attribute(&out, UNKNOWN_ATTRIBUTES).1, [0x7f, 0xff, 0, 0x1a]);
        assert_eq!(unmask(id, &attribute(&out, XOR_MAPPED_ADDRESS).1), Some(address));
        let (at, value) = attribute(&out, MESSAGE_INTEGRITY);
        assert!(Proof::Sha1(at, &value).holds(&key, &out));
        let (at, value) = attribute(&out, MESSAGE_INTEGRITY_SHA256);
        assert!(Proof::Sha256(at, &value).holds(&key, &out));
    }
    assert_eq!(unmask(id, &[0, 3, 0, 0, 1, 2, 3, 4]), None);
    assert_eq!(unmask(id, &[0, 1, 0, 0, 1, 2, 3]), None);
}
