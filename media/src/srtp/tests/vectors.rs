//! The test vectors of RFC 3711 appendix B, RFC 6188 §7 and RFC 7714 §16, §17.

use super::*;
use crate::srtp::cipher::{Cipher, Place};
use crate::srtp::ctr::Aes;
use crate::srtp::derive::{Label, derive};
use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, LessSafeKey, UnboundKey};

/// The key stream from an offset on, at these blocks.
fn stream(key: &str, blocks: &[(usize, &str)]) {
    let mut data = vec![0; 1_044_512];
    let vector = hex("f0f1f2f3f4f5f6f7f8f9fafbfcfd0000").try_into().unwrap();
    Aes::new(&hex(key)).unwrap().apply(vector, &mut data);
    for (block, expected) in blocks {
        assert_eq!(data[block * 16..][..16], hex(expected), "block {block:x}");
    }
}

// conforms: RFC3711-4.1.1-1,2
#[test]
fn rfc3711_b_2_aes_cm() {
    let blocks = [
        (0, "E03EAD0935C95E80E166B16DD92B4EB4"),
        (1, "D23513162B02D0F72A43A2FE4A5F97AB"),
        (2, "41E95B3BB0A2E8DD477901E4FCA894C0"),
        (0xfeff, "EC8CDF7398607CB0F2D21675EA9EA1E4"),
        (0xff00, "362B7C3C6773516318A077D7FC5073AE"),
        (0xff01, "6A2CC3787889374FBEB4C81B17BA6C44"),
    ];
    stream("2B7E151628AED2A6ABF7158809CF4F3C", &blocks);
}

#[test]
fn rfc6188_7_1_aes_256_cm() {
    let blocks = [
        (0, "92bdd28a93c3f52511c677d08b5515a4"),
        (1, "9da71b2378a854f67050756ded165bac"),
        (2, "63c4868b7096d88421b563b8c94c9a31"),
        (0xfeff, "cea518c90fd91ced9cbb18c078a54711"),
        (0xff00, "3dbc4814f4da5f00a08772b63c6a046d"),
        (0xff01, "6eb246913062a16891433e97dd01a57f"),
    ];
    stream("57f82fe3613fd170a85ec93c40b1f0922ec4cb0dc025b58272147cc438944a98", &blocks);
}

// conforms: RFC3711-4.3.1-1,2,5,6,7,8,9,11 RFC3711-4.3.3-1
#[test]
fn rfc3711_b_3_key_derivation() {
    let octets = hex("E1F97A0D3E018BE0D64FA32C06DE4139 0EC675AD498AFEEBB6960B3AABE6");
    let key = MasterKey::new(Suite::AesCm128Sha1Tag80, &octets).unwrap();
    assert_eq!(*derive::<16>(&key, Label::RtpEncryption).unwrap(), *hex("C61E7A93744F39EE10734AFE3FF7A087"));
    assert_eq!(*derive::<14>(&key, Label::RtpSalt).unwrap(), *hex("30CBBC08863D8C85D49DB34A9AE1"));
    let authentication = "CEBE321F6FF7716B6FD4AB49AF256A15 6D38BAA48F0A0ACF3C34E2359E6CDBCE
        E049646C43D9327AD175578EF7227098 6371C10C9A369AC2F94A8C5FBCDDDC25
        6D6E919A48B610EF17C2041E47403576 6B68642C59BBFC2F34DB60DBDFB2";
    assert_eq!(*derive::<94>(&key, Label::RtpAuthentication).unwrap(), *hex(authentication));
}

// conforms: RFC6188-3.1-2
#[test]
fn rfc6188_7_2_key_derivation() {
    let octets = hex("f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6
        3b04803de51ee7c96423ab5b78d2");
    let key = MasterKey::new(Suite::AesCm256Sha1Tag80, &octets).unwrap();
    let encryption = "5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4";
    assert_eq!(*derive::<32>(&key, Label::RtpEncryption).unwrap(), *hex(encryption));
    assert_eq!(*derive::<14>(&key, Label::RtpSalt).unwrap(), *hex("fa31791685ca444a9e07c6c64e93"));
    let authentication = "fd9c32d39ed5fbb5a9dc96b30818454d1313dc05";
    assert_eq!(*derive::<20>(&key, Label::RtpAuthentication).unwrap(), *hex(authentication));
}

/// With these very session keys: the vectors derive none.
fn aead(length: usize) -> Cipher {
    let octets: Vec<u8> = (0..u8::try_from(length).unwrap()).collect();
    let algorithm = if length == 16 { &AES_128_GCM } else { &AES_256_GCM };
    let key = LessSafeKey::new(UnboundKey::new(algorithm, &octets).unwrap());
    let salt: [u8; 12] = b"Quid pro quo".to_owned();
    Cipher::Aead { key, salt: salt.into() }
}

const RTP: &str = "8040f17b8041f8d35501a0b247616c6c696120657374206f6d6e697320646976
    69736120696e20706172746573207472 6573";
const RTP_PLACE: Place = Place { ssrc: 0x5501_a0b2, index: 0xf17b };
const RTCP: &str = "81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61
    deadbeefdeadbeefdeadbeefdeadbeef deadbeef";
const RTCP_PLACE: Place = Place { ssrc: 0x4d61_7273, index: 0x5d4 };

fn both_ways(length: usize, head: usize, sealed: &str) {
    let cipher = aead(length);
    let made = run(&hex(RTP), |buffer, length| cipher.seal_rtp(buffer, (head, length), RTP_PLACE, &[]));
    assert_eq!(made.unwrap(), hex(sealed));
    let opened =
        run(&hex(sealed), |buffer, length| cipher.open_rtp(buffer, (head, length, 0), RTP_PLACE, None));
    assert_eq!(opened.unwrap(), hex(RTP));
}

// conforms: RFC7714-1-1,2 RFC7714-10-7
#[test]
fn rfc7714_16_1_aead_aes_128_gcm() {
    let sealed = "8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e4bcabe633bd5
        0d294e6f42a5f47a51c7d19b36de3adf8833899d7f27beb16a9152cf765ee439 0cce";
    both_ways(16, 12, sealed);
}

#[test]
fn rfc7714_16_1_3_what_is_only_tagged_has_the_same_tag() {
    let tagged = format!("{RTP} 22493f82d2bce397e9d79e3b19aa4216");
    both_ways(16, 50, &tagged);
    both_ways(32, 50, &format!("{RTP} a866d5910f887463067ceefec45215d4"));
}

// conforms: RFC7714-3-1
#[test]
fn rfc7714_16_2_aead_aes_256_gcm() {
    let sealed = "8040f17b8041f8d35501a0b232b1de78a822fe12ef9f78fa332e33aab1801238
        9a58e2f3b50b2a0276ffae0f1ba63799b87b7aa3db36dfffd6b0f9bb7878d7a7 6c13";
    both_ways(32, 12, sealed);
}

#[test]
fn rfc7714_17_1_srtcp_aead_aes_128_gcm() {
    let cipher = aead(16);
    let sealed = hex("81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32d
        c676a5f1730d6fda4ce09b4686303ded0bb9275bc84aa45896cf4d2fc5abf872 45d9eade800005d4");
    let made = run(&hex(RTCP), |buffer, length| cipher.seal_rtcp(buffer, length, RTCP_PLACE, &[]));
    assert_eq!(made.unwrap(), sealed);
    assert_eq!(cipher.rtcp_index(&sealed, 0), Ok(0x5d4));
    let opened = run(&sealed, |buffer, length| cipher.open_rtcp(buffer, (length, 0), RTCP_PLACE, None));
    assert_eq!(opened.unwrap(), hex(RTCP));
}

#[test]
fn rfc7714_17_2_srtcp_aead_aes_256_gcm() {
    let sealed = hex("81c8000d4d617273d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50
        a2eaa5c1110555be8415f658c61de0476f1b6fad1d1eb30c4446839f57ff6f6c b26ac3be800005d4");
    let cipher = aead(32);
    let opened = run(&sealed, |buffer, length| cipher.open_rtcp(buffer, (length, 0), RTCP_PLACE, None));
    assert_eq!(opened.unwrap(), hex(RTCP));
    let made = run(&hex(RTCP), |buffer, length| cipher.seal_rtcp(buffer, length, RTCP_PLACE, &[]));
    assert_eq!(made.unwrap(), sealed);
}

/// The whole of it, with a packet that libsrtp protects so in its own validation (`srtp_validate`).
// conforms: RFC3711-3.1-4 RFC3711-3.2.1-4,5 RFC3711-3.3-1,2 RFC3711-3.4-1,5,6,9,10,11 RFC3711-4.1.1-3,4
// conforms: RFC3711-4.2-1,2,3 RFC3711-4.2.1-1,2,3 RFC3711-4.3.2-1,2 RFC3711-5.1-1,2,3 RFC3711-5.2-1,2
// conforms: RFC3711-5.3-1,2
#[test]
fn aes_cm_128_hmac_sha1_80_as_libsrtp_has_it() {
    let octets = hex("e1f97a0d3e018be0d64fa32c06de41390ec675ad498afeebb6960b3aabe6");
    let key = MasterKey::new(Suite::AesCm128Sha1Tag80, &octets).unwrap();
    let plain = hex("800f1234decafbadcafebabeabababababababababababababababab");
    let sealed = hex("800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb");
    assert_eq!(protect(&mut context(&key), Kind::Rtp, &plain).unwrap(), sealed);
    assert_eq!(unprotect(&mut context(&key), Kind::Rtp, &sealed).unwrap(), plain);
    let report = hex("81c8000bcafebabeabababababababababababababababab");
    let sealed = hex("81c8000bcafebabe7128035be487b9bdbef89041f977a5a880000001993e08cd54d6c1230798");
    let opened = unprotect(&mut context(&key), Kind::Rtcp, &sealed).unwrap();
    assert_eq!(opened, report);
}
