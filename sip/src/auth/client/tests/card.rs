//! Challenges for a card (RFC 3310, RFC 4169).

use super::*;
use crate::auth::aka::{Card, Operator};
use crate::auth::{Qop, digest};

/// Test set 1 of TS 35.207: its K, OP, RAND, AUTN and SQN.
fn card(sqn: u64) -> Arc<Credential> {
    let k = digest::read_hex("465b5ce8b199b49faa5f0a2ee238a6bc").unwrap();
    let op = Operator::Op(digest::read_hex("cdc202d5123e20f62b6d676ac72cb318").unwrap());
    Arc::new(Credential::new("jon.dough@mobile.biz", Secret::card(Arc::new(Card::new(k, op, sqn)))))
}

const AKA_NONCE: &str = "I1U8vpY3qJ0hiuZNrke/NVXzKLQ1d7m5Sp/6w1Tfr7M=";

fn aka(algorithm: &str) -> String {
    format!(r#"Digest realm="a.com", nonce="{AKA_NONCE}", qop="auth", algorithm={algorithm}"#)
}

/// The home network's side: the response that this password makes.
fn expected(hash: Hash, sent: &str, password: &[u8]) -> String {
    let sent = sip_types::header::auth::Credentials::parse(&sip_types::ByteString::from(sent)).unwrap();
    let ha1 = digest::ha1(hash, "jon.dough@mobile.biz", "a.com", password);
    let ha2 = digest::ha2(hash, Some(Qop::Auth), &INVITE);
    let cnonce = sent.cnonce().unwrap();
    let with = digest::Protection { qop: Qop::Auth, nc: "00000001", cnonce: &cnonce };
    digest::response(hash, &ha1, AKA_NONCE, Some(with), &ha2).to_string()
}

// conforms: RFC3310-5.3-1,2,3,4 RFC4169-2.2-2 RFC4169-4.1-1
#[test]
fn rfc3310_3_3_a_card_answers_with_res() {
    let grants = [Grant::new(PEER, "a.com", card(0))];
    let cases = [
        ("AKAv1-MD5", Hash::Md5, b"\xa5\x42\x11\xd5\xe3\xba\x50\xbf".to_vec()),
        ("AKAv2-MD5", Hash::Md5, b"shzt3q8CWaZnCAWqs3WmEQ==".to_vec()),
        ("AKAv2-SHA-256", Hash::Sha256, b"wpC+5dv/7kC35JEI2hluv8XcBd+vf8XcfedJBan1buk=".to_vec()),
    ];
    for (algorithm, hash, password) in cases {
        let mut leg = Leg::new();
        let grants = [Grant::new(PEER, "a.com", card(0))];
        assert_eq!(leg.answer(&plain(&[MD5, &aka(algorithm)]), &grants), retry());
        let sent = leg.send().remove(0).1;
        assert!(sent.contains(&format!("algorithm={algorithm}")) && !sent.contains("auts"), "{sent}");
        let response = format!("response=\"{}\"", expected(hash, &sent, &password));
        assert!(sent.contains(&response), "{sent}");
    }
    // Of several the strongest; a password never answers for a card, nor a card for a password.
    let mut leg = Leg::new();
    let all = [aka("AKAv1-MD5"), SHA.to_owned(), aka("AKAv2-SHA-256"), aka("AKAv2-MD5")];
    assert_eq!(leg.answer(&demand(Kind::User, &all, &Acceptance::default()), &grants), retry());
    assert!(leg.text().contains("algorithm=AKAv2-SHA-256"));
    // The second version before the first, wherever it stands.
    for order in [["AKAv1-MD5", "AKAv2-MD5"], ["AKAv2-MD5", "AKAv1-MD5"]] {
        let both = order.map(aka);
        let grants = [Grant::new(PEER, "a.com", card(0))];
        let mut leg = Leg::new();
        assert_eq!(leg.answer(&demand(Kind::User, &both, &Acceptance::default()), &grants), retry());
        assert!(leg.text().contains("algorithm=AKAv2-MD5"));
    }
    // A scheme that shows the password gets nothing, alone or beside one that does not.
    let basic = r#"Basic realm="a.com""#;
    assert!(matches!(Leg::new().answer(&plain(&[basic]), &grants), Answer::GiveUp { .. }));
    let fresh = [Grant::new(PEER, "a.com", card(0))];
    let mut leg = Leg::new();
    assert_eq!(leg.answer(&plain(&[basic, &aka("AKAv1-MD5")]), &fresh), retry());
    let sent = leg.send();
    assert!(sent.len() == 1 && sent[0].1.starts_with("Digest "), "{sent:?}");
    let none = give_up(Kind::User, "a.com", Denial::NoHash);
    assert_eq!(Leg::new().answer(&plain(&[SHA]), &grants), none);
    assert_eq!(Leg::new().answer(&plain(&[&aka("AKAv1-MD5")]), &[grant("a.com")]), none);
    // What is known of MD5 does not count for a password that is used once.
    let strict = Acceptance { weakest: Hash::Sha256, ..Acceptance::default() };
    assert_eq!(read(&[&aka("AKAv1-MD5")], &strict).asked().len(), 1);
}

// conforms: RFC3310-3.4-1
#[test]
fn rfc3310_3_4_a_challenge_that_is_old_is_answered_with_auts_and_an_empty_password_once() {
    let mut leg = Leg::new();
    let grants = [Grant::new(PEER, "a.com", card(0xffff_ffff_ffff))];
    let old = plain(&[&aka("AKAv1-MD5")]);
    assert_eq!(leg.answer(&old, &grants), retry());
    let sent = leg.send().remove(0).1;
    assert!(sent.contains("auts=\""), "{sent}");
    assert!(sent.contains(&expected(Hash::Md5, &sent, b"")), "{sent}");
    // The home network has learned our number, and challenges again.
    assert_eq!(leg.answer(&old, &grants), retry());
    leg.send();
    assert_eq!(leg.answer(&old, &grants), give_up(Kind::User, "a.com", Denial::Refused));
}

#[test]
fn rfc3310_3_3_a_challenge_of_another_network_gets_nothing() {
    let mut leg = Leg::new();
    let grants = [Grant::new(PEER, "a.com", card(0))];
    let forged = aka("AKAv1-MD5").replace("I1U8", "J1U8");
    assert_eq!(leg.answer(&plain(&[&forged]), &grants), give_up(Kind::User, "a.com", Denial::NotOurs));
    let short = aka("AKAv1-MD5").replace(AKA_NONCE, "bm9uY2U=");
    assert_eq!(leg.answer(&plain(&[&short]), &grants), give_up(Kind::User, "a.com", Denial::BadNonce));
    assert!(leg.send().is_empty());
}
