//! `a=crypto` (RFC 4568 §9).

use super::super::*;
use crate::srtp::Suite;
use proptest::prelude::*;

const KEY: &str = "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";

fn parse(value: &str) -> Option<CryptoLine> {
    CryptoLine::parse(&value.replace("KEY", KEY))
}

#[test]
fn rfc4568_6_1_key_lifetime_and_mki() {
    let line = parse("1 AES_CM_128_HMAC_SHA1_80 inline:KEY|2^20|1:4").unwrap();
    let key = &line.keys[0];
    assert_eq!((line.tag, line.suite()), (1, Some(Suite::AesCm128Sha1Tag80)));
    assert_eq!((key.lifetime(), key.mki().unwrap().octets()), (Some(1 << 20), [0, 0, 0, 1].as_slice()));
    let line = parse("1 AES_CM_128_HMAC_SHA1_80 inline:KEY|1066:4").unwrap();
    assert_eq!((line.keys[0].lifetime(), line.keys[0].mki().unwrap().value()), (None, 1_066));
    let line = parse("999999999\tAES_CM_128_HMAC_SHA1_32  inline:KEY|42").unwrap();
    assert_eq!((line.tag, line.keys[0].lifetime()), (999_999_999, Some(42)));
    let two = "1 AES_CM_128_HMAC_SHA1_80 inline:KEY|2^20|1:4;inline:KEY|2^20|2:4 -IGNORED WSH=64";
    assert_eq!(parse(two).unwrap().keys.len(), 2);
}

// conforms: RFC4568-4.1-1 RFC4568-5.1.3-4 RFC4568-6.1-3,6,7,8,9,10,11,12,13,14 RFC4568-6.2.1-1
// conforms: RFC4568-6.2.2-1 RFC4568-6.3.6-1 RFC4568-6.3.7-1 RFC4568-7.1.2-3
#[test]
fn rfc4568_7_1_2_what_cannot_be_gone_by_is_not_accepted() {
    for value in [
        "",
        "1",
        "1 AES_CM_128_HMAC_SHA1_80",
        "x AES_CM_128_HMAC_SHA1_80 inline:KEY",
        "01 AES_CM_128_HMAC_SHA1_80 inline:KEY",
        "1234567890 AES_CM_128_HMAC_SHA1_80 inline:KEY",
        "1 F8_128_HMAC_SHA1_80 inline:KEY",
        "1 AES_CM_128_HMAC_SHA1_80 uri:KEY",
        "1 AES_CM_128_HMAC_SHA1_80 KEY",
        "1 AES_CM_128_HMAC_SHA1_80 inline:KEYQUJD",
        "1 AES_256_CM_HMAC_SHA1_80 inline:KEY",
        "1 AES_CM_128_HMAC_SHA1_80 inline:!KEY",
        "1 AES_CM_128_HMAC_SHA1_80 inline:KEY|0",
        "1 AES_CM_128_HMAC_SHA1_80 inline:KEY|2^49",
        "1 AES_CM_128_HMAC_SHA1_80 inline:KEY|2^64",
        "1 AES_CM_128_HMAC_SHA1_80 inline:KEY|2^x",
        "1 AES_CM_128_HMAC_SHA1_80 inline:KEY|020",
        "1 AES_CM_128_HMAC_SHA1_80 inline:KEY|1:",
        "1 AES_CM_128_HMAC_SHA1_80 inline:KEY|1:129",
        "1 AES_CM_128_HMAC_SHA1_80 inline:KEY|1:04",
        "1 AES_CM_128_HMAC_SHA1_80 inline:KEY|01:4",
        "1 AES_CM_128_HMAC_SHA1_80 inline:KEY|256:1",
        "1 AES_CM_128_HMAC_SHA1_80 inline:KEY|1:4|2^20",
        "1 AES_CM_128_HMAC_SHA1_80 inline:KEY;inline:KEY",
        "1 AES_CM_128_HMAC_SHA1_80 inline:KEY|1:4;inline:KEY|2:2",
        "1 AES_CM_128_HMAC_SHA1_80 inline:KEY UNENCRYPTED_SRTP",
        "1 AES_CM_128_HMAC_SHA1_80 inline:KEY UNENCRYPTED_SRTCP",
        "1 AES_CM_128_HMAC_SHA1_80 inline:KEY UNAUTHENTICATED_SRTP",
        "1 AES_CM_128_HMAC_SHA1_80 inline:KEY KDR=1",
        "1 AES_CM_128_HMAC_SHA1_80 inline:KEY FEC_ORDER=FEC_SRTP",
        "1 AES_CM_128_HMAC_SHA1_80 inline:KEY WSH=x",
        "1 AES_CM_128_HMAC_SHA1_80 inline:KEY WSH=064",
        "1 AES_CM_128_HMAC_SHA1_80 inline:KEY NEW",
    ] {
        assert_eq!(parse(value), None, "{value}");
    }
}

#[test]
fn padding_is_written_and_not_asked_for() {
    let mut mint = Mint::new([7; 32]);
    for suite in Suite::ALL {
        let key = mint.key(suite).unwrap();
        let value = written(3, &key);
        let value = value.strip_prefix("crypto:").unwrap();
        let expected = CryptoLine { tag: 3, keys: [key].into() };
        assert_eq!(CryptoLine::parse(value), Some(expected.clone()), "{value}");
        assert_eq!(CryptoLine::parse(value.trim_end_matches('=')), Some(expected));
    }
}

// conforms: RFC4568-6.1-2,4 RFC3711-3.2.1-2,3 RFC3711-4.3.1-10 RFC3711-9.2-1
#[test]
fn no_key_is_made_twice() {
    let mut mint = Mint::new([7; 32]);
    let mut split = mint.split().unwrap();
    let made: std::collections::BTreeSet<_> = (0..100)
        .flat_map(|_| [&mut mint, &mut split].map(|mint| mint.key(Suite::AeadAes128Gcm).unwrap()))
        .map(|key| key.octets().to_vec())
        .collect();
    assert_eq!(made.len(), 200);
}

proptest! {
    /// What is read is written so that it is read again the same.
    #[test]
    fn lines_are_read_as_they_are_written(
        tag in 0u32..1_000_000_000,
        suite in 0..Suite::ALL.len(),
        octets in prop::collection::vec(any::<u8>(), 46),
        lifetime in prop::option::of(1u64..=1 << 48),
        mki in prop::option::of((0u128..=u128::from(u32::MAX), 4usize..=128)),
    ) {
        let suite = Suite::ALL[suite];
        let length = suite.key_length() + suite.salt_length();
        let mut key = crate::srtp::MasterKey::new(suite, &octets[..length]).unwrap();
        if let Some(lifetime) = lifetime {
            key = key.with_lifetime(lifetime).unwrap();
        }
        if let Some((value, length)) = mki {
            key = key.with_mki(crate::srtp::Mki::new(value, length).unwrap());
        }
        let value = written(tag, &key);
        prop_assert_eq!(CryptoLine::parse(value.trim_start_matches("crypto:")), Some(CryptoLine { tag, keys: [key].into() }));
    }

    #[test]
    fn garbage_is_no_line(value in "[ -~]{0,80}") {
        prop_assert_eq!(CryptoLine::parse(&value), None);
    }
}
