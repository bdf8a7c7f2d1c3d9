//! Which octets are whose (RFC 5764 §4.2).

use zeroize::Zeroizing;

use crate::dtls::engine::Exported;
use crate::dtls::keys::{exported_length, protection};
use crate::dtls::standing::{packed, unpacked};
use crate::dtls::{Agreed, Cipher, Failure, Role, Standing, Version};
use crate::srtp::Suite;

fn exported(suite: Suite) -> Exported {
    let material: Vec<u8> = (0..).take(exported_length(suite)).collect();
    let agreed = Agreed { suite, version: Version::V1_2, cipher: Cipher(0xc02b) };
    Exported { agreed, material: Zeroizing::new(material) }
}

// conforms: RFC5764-4.2-1,2
#[test]
fn keys_come_before_salts_and_the_clients_before_the_servers() {
    let exported = exported(Suite::AesCm128Sha1Tag80);
    let at_client = protection(&exported, Role::Client).unwrap();
    let at_server = protection(&exported, Role::Server).unwrap();
    let of_client: Vec<u8> = (0..16).chain(32..46).collect();
    let of_server: Vec<u8> = (16..32).chain(46..60).collect();
    assert_eq!(at_client.send.octets(), of_client);
    assert_eq!(at_client.receive[0].octets(), of_server);
    assert_eq!(at_server.send.octets(), of_server);
    assert_eq!(at_server.receive[0].octets(), of_client);
}

#[test]
fn each_suite_has_the_length_that_it_wants() {
    let lengths = [
        (Suite::AesCm128Sha1Tag80, 60),
        (Suite::AesCm128Sha1Tag32, 60),
        (Suite::AeadAes128Gcm, 56),
        (Suite::AeadAes256Gcm, 88),
    ];
    for (suite, length) in lengths {
        assert_eq!(exported_length(suite), length);
        let mut exported = exported(suite);
        assert!(protection(&exported, Role::Client).is_some());
        exported.material.push(0);
        assert!(protection(&exported, Role::Client).is_none());
    }
}

#[test]
fn a_standing_is_the_same_after_it_was_a_number() {
    let failures = (0..=9).map(|index| match index {
        0 => Failure::Fingerprint,
        1 => Failure::NoCertificate,
        2 => Failure::NoProfile,
        3 => Failure::NoCipher,
        4 => Failure::NoVersion,
        5 => Failure::Timeout,
        6 => Failure::Alert(42),
        7 => Failure::Protocol,
        8 => Failure::Limit,
        _ => Failure::Internal,
    });
    let keyed = Suite::ALL
        .map(|suite| Standing::Keyed(Agreed { suite, version: Version::V1_2, cipher: Cipher(0xcca8) }));
    let all = [Standing::Waiting, Standing::Handshaking, Standing::Closed].into_iter();
    for standing in all.chain(keyed).chain(failures.map(Standing::Failed)) {
        assert_eq!(unpacked(packed(Some(standing))), Some(standing));
    }
    assert_eq!(unpacked(packed(None)), None);
}
