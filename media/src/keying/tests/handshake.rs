//! What sections say of a DTLS association.

use super::super::handshake::{Handshake, Lacking, Setup};
use crate::dtls::Hash;
use proptest::prelude::*;
use sdp::{Description, Limits};

const SHA1: &str = "sha-1 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB";
const SHA256: &str =
    "SHA-256 12:DF:3E:5D:49:6B:19:E5:7C:AB:4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB:4A:AD";

fn read(session: &str, section: &str) -> Result<Handshake, Lacking> {
    let text = format!(
        "v=0\no=- 1 1 IN IP4 h\ns=-\nt=0 0\n{session}m=audio 9 UDP/TLS/RTP/SAVP 0\nc=IN IP4 192.0.2.1\n{section}"
    );
    let description = Description::parse(text.into_bytes().into(), &Limits::default()).unwrap();
    Handshake::of(&description.media().next().unwrap(), Setup::Active)
}

#[test]
fn rfc8122_5_a_fingerprint_of_the_session_is_for_sections_that_have_none() {
    let of_session = format!("a=fingerprint:{SHA1}\na=setup:actpass\n");
    let read_1 = read(&of_session, "a=tls-id:abc3de65cddef001be82\n").unwrap();
    assert_eq!((read_1.fingerprints[0].hash, read_1.setup), (Hash::Sha1, Setup::ActPass));
    assert_eq!(read_1.tls_id.as_deref(), Some("abc3de65cddef001be82"));
    let read_2 = read(&of_session, &format!("a=fingerprint:{SHA256}\na=setup:passive\n")).unwrap();
    assert_eq!(read_2.fingerprints.iter().map(|one| one.hash).collect::<Vec<_>>(), [Hash::Sha256]);
    assert_eq!((read_2.setup, read_2.tls_id), (Setup::Passive, None));
}

#[test]
fn rfc8122_5_1_all_fingerprints_count_and_those_of_other_functions_do_not() {
    let lines = format!(
        "a=fingerprint:{SHA256}\na=fingerprint:md5 00:11\na=fingerprint:{SHA1}\na=fingerprint:{SHA1}\n"
    );
    let hashes: Vec<_> = read("", &lines).unwrap().fingerprints.iter().map(|one| one.hash).collect();
    assert_eq!(hashes, [Hash::Sha1, Hash::Sha256]);
    assert_eq!(read("", "a=fingerprint:md5 00:11\n"), Err(Lacking::Fingerprint));
    assert_eq!(
        read("", &format!("a=fingerprint:{SHA1}\na=fingerprint:sha-256 00:11\n")),
        Err(Lacking::Fingerprint)
    );
    assert_eq!(read("", "a=setup:active\n"), Err(Lacking::Nothing));
    let many = format!("a=fingerprint:{SHA1}\n").repeat(17);
    assert_eq!(read("", &many), Err(Lacking::Fingerprint));
}

// conforms: RFC8842-5.1-4
#[test]
fn rfc4145_4_who_begins_is_read_and_nobody_is_no_answer() {
    let setup = |line: &str| read("", &format!("a=fingerprint:{SHA1}\n{line}")).map(|one| one.setup);
    assert_eq!(setup(""), Ok(Setup::Active));
    assert_eq!(setup("a=setup:Passive \n"), Ok(Setup::Passive));
    assert_eq!(setup("a=setup:holdconn\n"), Err(Lacking::Setup));
    assert_eq!(setup("a=setup\n"), Err(Lacking::Setup));
}

#[test]
fn rfc8842_3_1_what_makes_another_association() {
    let named = |id: &str| read("", &format!("a=fingerprint:{SHA1}\na=tls-id:{id}\n")).unwrap();
    let (one, other) = (named("abc3de65cddef001be82"), named("abc3de65cddef001be83"));
    let unnamed = read("", &format!("a=fingerprint:{SHA1}\n")).unwrap();
    let changed = Handshake {
        fingerprints: read("", &format!("a=fingerprint:{SHA256}\n")).unwrap().fingerprints,
        ..one.clone()
    };
    assert!(!one.is_another(&one, true), "with a name the address is no sign");
    assert!(one.is_another(&other, false));
    assert!(changed.is_another(&one, false));
    assert!(!unnamed.is_another(&unnamed, false));
    assert!(unnamed.is_another(&unnamed, true), "without a name the address is");
}

// conforms: RFC8842-4-2
#[test]
fn rfc8842_4_a_name_is_new_each_time_and_of_192_bits() {
    let mut mint = super::super::Mint::new([3; 32]);
    let names: std::collections::BTreeSet<_> = (0..100).map(|_| mint.tls_id().unwrap()).collect();
    assert_eq!(names.len(), 100);
    assert!(names.iter().all(|name| name.len() == 32));
    let is_tls_id = |byte: u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte);
    assert!(names.iter().all(|name| name.bytes().all(is_tls_id)), "{names:?}");
}

proptest! {
    #[test]
    fn any_lines_are_read_or_refused(values in proptest::collection::vec("[ -~]{0,60}", 0..4), setup in "[a-z]{0,9}") {
        let lines: String = values.iter().map(|value| format!("a=fingerprint:{value}\n")).collect();
        let _ = read("", &format!("{lines}a=setup:{setup}\na=tls-id:{setup}\n"));
    }
}
