//! What a master key may be, and how packets name it.

use super::*;

#[test]
fn key_and_salt_have_the_length_of_the_suite() {
    for (suite, length) in Suite::ALL.into_iter().zip([44, 28, 46, 30, 46, 30]) {
        assert!(MasterKey::new(suite, &vec![1; length]).is_ok(), "{suite:?}");
        assert_eq!(MasterKey::new(suite, &vec![1; length - 1]), Err(KeyError::Length));
        assert_eq!(MasterKey::new(suite, &vec![1; length + 1]), Err(KeyError::Length));
        assert_eq!(Suite::named(suite.name()), Some(suite));
    }
    assert_eq!(Suite::named("F8_128_HMAC_SHA1_80"), None);
}

// conforms: RFC7714-13.1-2
#[test]
fn a_key_is_never_shown() {
    let shown = format!("{:?}", key(Suite::AesCm128Sha1Tag80, 7));
    assert_eq!(shown, "MasterKey { suite: AesCm128Sha1Tag80, .. }");
}

#[test]
fn rfc4568_6_1_an_mki_is_a_big_endian_number_of_its_length() {
    assert_eq!(Mki::new(1, 4).unwrap().octets(), [0, 0, 0, 1]);
    assert_eq!(Mki::new(1_066, 2).unwrap().octets(), [4, 42]);
    assert_eq!(Mki::new(1_066, 1), Err(KeyError::Mki));
    assert_eq!(Mki::new(1, 0), Err(KeyError::Mki));
    assert_eq!(Mki::new(1, 129), Err(KeyError::Mki));
    assert_eq!(Mki::new(1, 128).unwrap().octets().len(), 128);
}

// conforms: RFC3711-3.2.1-1 RFC3711-5.2-3
#[test]
fn the_mki_is_where_each_rfc_has_it_and_the_tag_does_not_cover_it() {
    for suite in Suite::ALL {
        let named = key(suite, 3).with_mki(Mki::new(0xabcd, 2).unwrap());
        for (kind, packet) in [(Kind::Rtp, rtp(1, 1)), (Kind::Rtcp, rtcp(1))] {
            let without = protect(&mut context(&key(suite, 3)), kind, &packet).unwrap();
            let with = protect(&mut context(&named), kind, &packet).unwrap();
            let tag = match (suite, kind) {
                (Suite::AeadAes128Gcm | Suite::AeadAes256Gcm, _) => 0,
                (Suite::AesCm128Sha1Tag32 | Suite::AesCm256Sha1Tag32, Kind::Rtp) => 4,
                _ => 10,
            };
            let (head, tail) = without.split_at(without.len() - tag);
            assert_eq!(with, [head, &[0xab, 0xcd], tail].concat(), "{suite:?} {kind:?}");
            assert_eq!(unprotect(&mut context(&named), kind, &with).unwrap(), packet);
            let other = key(suite, 3).with_mki(Mki::new(0xabce, 2).unwrap());
            assert_eq!(unprotect(&mut context(&other), kind, &with), Err(Failure::Unauthentic));
        }
    }
}
