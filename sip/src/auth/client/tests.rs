use super::*;
use crate::auth::tests::{INVITE, PEER, alice, challenge, demand, grant};
use crate::auth::{Algorithm, Covered, Credential, Hash, Kind, Secret};
use crate::ids::tests::Seeded;
use sip_types::{HeaderName, Message, StatusCode};
use std::sync::Arc;

mod card;

const MD5: &str = r#"Digest realm="a.com", nonce="n1", qop="auth", algorithm=MD5"#;
const SHA: &str = r#"Digest realm="a.com", nonce="n1", qop="auth", algorithm=SHA-256"#;
const SHA512: &str = r#"Digest realm="a.com", nonce="n1", qop="auth", algorithm=SHA-512-256"#;

fn read(texts: &[&str], acceptance: &Acceptance) -> Demand {
    let texts: Vec<String> = texts.iter().map(|&text| text.to_owned()).collect();
    demand(Kind::User, &texts, acceptance)
}

fn plain(texts: &[&str]) -> Demand {
    read(texts, &Acceptance::default())
}

fn why(texts: &[&str], acceptance: &Acceptance) -> Vec<Unacceptable> {
    read(texts, acceptance).unusable().iter().map(|unusable| unusable.why).collect()
}

/// A leg with one attempt at its INVITE.
struct Leg {
    authorizer: Authorizer,
    attempt: Attempt,
    ids: Seeded,
}

impl Leg {
    fn new() -> Self {
        Self { authorizer: Authorizer::default(), attempt: Attempt::new(PEER), ids: Seeded(1) }
    }

    fn answer(&mut self, demand: &Demand, grants: &[Grant]) -> Answer {
        self.authorizer.answer(&mut self.attempt, demand, grants, &mut self.ids)
    }

    fn send(&mut self) -> Vec<(HeaderName, String)> {
        self.authorizer.authorize(&mut self.attempt, &INVITE)
    }

    fn text(&mut self) -> String {
        self.send().into_iter().map(|(name, value)| format!("{}: {value}\n", name.as_str())).collect()
    }
}

/// One parameter a line.
fn lines(text: &str) -> String {
    text.replace(", ", ",\n ")
}

fn retry() -> Answer {
    Answer::Retry { denied: vec![] }
}

fn give_up(kind: Kind, realm: &str, why: Denial) -> Answer {
    Answer::GiveUp { denied: vec![Denied { kind, realm: realm.into(), why }] }
}

fn chosen(texts: &[&str]) -> Vec<Algorithm> {
    plain(texts).asked().iter().flat_map(|asked| asked.algorithms().next()).collect()
}

// conforms: RFC3310-5.3-4 RFC7616-5.6-1
#[test]
fn the_strongest_is_chosen_and_the_topmost_among_equals() {
    assert_eq!(chosen(&[MD5, SHA]), [Algorithm::SHA_256]);
    assert_eq!(chosen(&[SHA, SHA512, MD5]), [Algorithm::SHA_256]);
    assert_eq!(chosen(&[MD5, SHA512, SHA]), [Algorithm::SHA_512_256]);
}

// conforms: RFC3261-22-1 RFC3261-22.4-2 RFC8760-2.6-1
#[test]
fn each_unusable_challenge_has_its_reason() {
    let strict = Acceptance { weakest: Hash::Sha256, allow_without_qop: false };
    let lax = Acceptance { weakest: Hash::Md5, allow_without_qop: true };
    assert_eq!(why(&[MD5], &strict), [Unacceptable::Weaker]);
    assert_eq!(why(&[MD5, SHA], &strict), [Unacceptable::Weaker]);
    assert_eq!(why(&[r#"Digest realm="a", nonce="n", qop="auth""#], &strict), [Unacceptable::Weaker]);
    assert_eq!(why(&[r#"Basic realm="a""#], &lax), [Unacceptable::Scheme]);
    assert_eq!(why(&[r#"Digest realm="a", nonce="n""#], &strict.with_md5()), [Unacceptable::WithoutQop]);
    assert_eq!(why(&[r#"Digest realm="a", nonce="n""#], &lax), []);
    assert_eq!(
        why(&[r#"Digest realm="a", nonce="n", algorithm=MD5-sess"#], &lax),
        [Unacceptable::SessionWithoutQop]
    );
    assert_eq!(why(&[r#"Digest realm="a", nonce="n", qop="auth-conf""#], &lax), [Unacceptable::Qop]);
    assert_eq!(
        why(&[r#"Digest realm="a", nonce="n", qop="auth", algorithm=AKAv3-MD5"#], &lax),
        [Unacceptable::Algorithm]
    );
    assert_eq!(why(&[r#"Digest nonce="n", qop="auth""#], &lax), [Unacceptable::NoRealm]);
    assert_eq!(why(&[r#"Digest realm="a", qop="auth""#], &lax), [Unacceptable::NoNonce]);
}

// conforms: RFC7616-3.3-4
#[test]
fn rfc7616_3_3_an_unknown_quality_of_protection_is_passed_over() {
    let mut leg = Leg::new();
    let text = r#"Digest realm="a.com", nonce="n1", qop="auth-conf, x-new,auth", algorithm=SHA-256"#;
    assert_eq!(leg.answer(&plain(&[text]), &[grant("a.com")]), retry());
    assert!(leg.text().contains("qop=auth,"));
}

// conforms: RFC7616-3.3-1
#[test]
fn rfc7616_3_3_the_domain_of_a_proxy_is_passed_over() {
    let answer_to = |domain: &str| {
        let mut leg = Leg::new();
        let proxy = challenge(&(SHA.to_owned() + domain));
        let demand = Demand::read([(Kind::Proxy, &proxy)], &Acceptance::default());
        assert_eq!(leg.answer(&demand, &[grant("a.com")]), retry());
        leg.send();
        // The next request, to whatever URI of that peer, has them too; one to another peer has not.
        leg.attempt = Attempt::new(PEER);
        let text = leg.text();
        leg.attempt = Attempt::new(PeerId(2));
        assert!(leg.send().is_empty());
        text
    };
    let with = answer_to(r#", domain="sip:elsewhere.example sip:b.example""#);
    assert_eq!(with, answer_to(""));
    assert!(with.starts_with("Proxy-Authorization: ") && !with.contains("elsewhere"), "{with}");
}

impl Acceptance {
    fn with_md5(self) -> Self {
        Self { weakest: Hash::Md5, ..self }
    }
}

// conforms: RFC8760-2.4-1
#[test]
fn rfc8760_2_4_a_challenge_that_is_not_understood_hides_no_other() {
    let raw = concat!(
        "SIP/2.0 401 Unauthorized\r\n",
        "WWW-Authenticate: Digest realm=\"a\r\n",
        "WWW-Authenticate: Bearer scope=\"sip\"\r\n",
        "Proxy-Authenticate: Digest realm=\"b.com\", nonce=\"n2\", qop=\"auth\"\r\n",
        "WWW-Authenticate: Digest realm=\"a.com\",\r\n nonce=\"n1\", qop=\"auth\"\r\n",
        "Content-Length: 0\r\n\r\n",
    );
    let message = Message::parse(raw.into(), &sip_types::Limits::default()).unwrap();
    let demand = Demand::of(message.headers(), &Acceptance::default());
    let asked: Vec<_> = demand.asked().iter().map(|asked| (asked.kind(), asked.realm())).collect();
    assert_eq!(asked, [(Kind::Proxy, "b.com"), (Kind::User, "a.com")]);
    let why: Vec<_> = demand.unusable().iter().map(|unusable| unusable.why).collect();
    assert_eq!(why, [Unacceptable::Malformed, Unacceptable::Scheme]);
}

#[test]
fn challenges_of_one_response_are_bounded() {
    let texts: Vec<String> =
        (0..40).map(|n| format!(r#"Digest realm="r{n}", nonce="n", qop="auth""#)).collect();
    let demand = demand(Kind::Proxy, &texts, &Acceptance::default());
    assert_eq!((demand.asked().len(), demand.unusable().len()), (32, 1));
    assert_eq!(demand.unusable()[0].why, Unacceptable::TooMany);
}

// conforms: RFC3261-22.4-3,6 RFC7616-3.4-2,3,4,5,6 RFC8760-2.6-2,4,5
#[test]
fn rfc3261_22_4_the_field_as_it_is_written() {
    let mut leg = Leg::new();
    let text = r#"Digest realm="biloxi.com", qop="auth,auth-int", nonce="dcd98b71", opaque="5ccc\"069c""#;
    assert_eq!(leg.answer(&plain(&[text]), &[grant("biloxi.com")]), retry());
    insta::assert_snapshot!(lines(&leg.text()), @r#"
    Authorization: Digest username="alice",
     realm="biloxi.com",
     nonce="dcd98b71",
     uri="sip:bob@biloxi.com",
     response="c269bcbe150c4b26e8ab03e832aa11de",
     cnonce="910a2dec89025cc1beeb8da1658eec67",
     qop=auth,
     nc=00000001,
     opaque="5ccc\"069c"
    "#);
    assert!(leg.text().contains("nc=00000002"));
}

// conforms: RFC3261-22.4-4
#[test]
fn rfc2617_3_2_2_1_without_qop_neither_cnonce_nor_count_is_sent() {
    let mut leg = Leg::new();
    let lax = Acceptance { allow_without_qop: true, ..Acceptance::default() };
    let demand = read(&[r#"Digest realm="a.com", nonce="n1""#], &lax);
    assert_eq!(leg.answer(&demand, &[grant("a.com")]), retry());
    insta::assert_snapshot!(lines(&leg.text()), @r#"
    Authorization: Digest username="alice",
     realm="a.com",
     nonce="n1",
     uri="sip:bob@biloxi.com",
     response="fed6902faa498e657cf570a8dd60209d"
    "#);
}

// conforms: RFC7616-3.4.4-1
#[test]
fn rfc7616_3_4_4_a_hashed_username_is_sent_where_it_is_asked_for() {
    let mut leg = Leg::new();
    let text = r#"Digest realm="a.com", nonce="n1", qop="auth-int", algorithm=sha-256, userhash=true"#;
    assert_eq!(leg.answer(&plain(&[text]), &[grant("a.com")]), retry());
    insta::assert_snapshot!(lines(&leg.text()), @r#"
    Authorization: Digest username="1fa94115eb6d28a40fcd20974b7648510e5e0b2be258f61a40516215d3092990",
     realm="a.com",
     nonce="n1",
     uri="sip:bob@biloxi.com",
     response="0aac6820777f48b7fa291c229fc6d3ed543848ae412db0d038672e1715ade017",
     algorithm=sha-256,
     cnonce="910a2dec89025cc1beeb8da1658eec67",
     qop=auth-int,
     nc=00000001,
     userhash=true
    "#);
}

#[test]
fn rfc3261_22_3_several_realms_and_kinds_are_answered_at_once() {
    let mut leg = Leg::new();
    let user = challenge(r#"Digest realm="a.com", nonce="n1", qop="auth""#);
    let proxy = challenge(r#"Digest realm="a.com", nonce="n2", qop="auth""#);
    let other = challenge(r#"Digest realm="b.com", nonce="n3", qop="auth""#);
    let demand = Demand::read(
        [(Kind::User, &user), (Kind::Proxy, &proxy), (Kind::Proxy, &other)],
        &Acceptance::default(),
    );
    let answer = leg.answer(&demand, &[grant("a.com")]);
    let denied = vec![Denied { kind: Kind::Proxy, realm: "b.com".into(), why: Denial::NoGrant }];
    assert_eq!(answer, Answer::Retry { denied });
    let names: Vec<HeaderName> = leg.send().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, [HeaderName::Authorization, HeaderName::ProxyAuthorization]);
}

// conforms: RFC3261-20.7-1 RFC3261-20.28-1
#[test]
fn rfc3261_22_3_two_challengers_of_one_realm_get_an_answer_each() {
    let mut leg = Leg::new();
    let first = MD5.replace("n1", "one");
    let second = MD5.replace("n1", "two");
    assert_eq!(leg.answer(&plain(&[SHA, &first, &second]), &[grant("a.com")]), retry());
    let text = leg.text();
    assert!(text.contains(r#"nonce="n1""#) && text.contains(r#"nonce="two""#), "{text}");
    assert!(!text.contains(r#"nonce="one""#), "{text}");
}

#[test]
fn no_credential_for_a_foreign_realm_or_another_peer() {
    let mut leg = Leg::new();
    let foreign = Grant::new(PeerId(2), "a.com", alice());
    let answer = leg.answer(&plain(&[SHA]), &[grant("b.com"), foreign]);
    assert_eq!(answer, give_up(Kind::User, "a.com", Denial::NoGrant));
    assert!(leg.send().is_empty());
}

#[test]
fn a_request_that_goes_elsewhere_carries_nothing() {
    let mut leg = Leg::new();
    assert_eq!(leg.answer(&plain(&[SHA]), &[grant("a.com")]), retry());
    assert_eq!(leg.send().len(), 1);
    leg.attempt = Attempt::new(PeerId(2));
    assert!(leg.send().is_empty());
    let answer = leg.answer(&plain(&[SHA]), &[grant("a.com")]);
    assert_eq!(answer, give_up(Kind::User, "a.com", Denial::NoGrant));
}

#[test]
fn rfc3261_22_1_ack_and_cancel_get_no_fields() {
    let mut leg = Leg::new();
    assert_eq!(leg.answer(&plain(&[SHA]), &[grant("a.com")]), retry());
    for method in ["ACK", "CANCEL"] {
        let covered = Covered { method, ..INVITE };
        assert!(leg.authorizer.authorize(&mut Attempt::new(PEER), &covered).is_empty());
    }
}

// conforms: RFC3261-22.1-7 RFC7616-3.3-2
#[test]
fn rfc3261_22_1_refused_credentials_are_not_sent_again() {
    let mut leg = Leg::new();
    assert_eq!(leg.answer(&plain(&[SHA]), &[grant("a.com")]), retry());
    assert_eq!(leg.send().len(), 1);
    let again = SHA.replace("n1", "n2");
    let refused = give_up(Kind::User, "a.com", Denial::Refused);
    assert_eq!(leg.answer(&plain(&[&again]), &[grant("a.com")]), refused);
    assert_eq!(leg.answer(&plain(&[&again]), &[grant("a.com")]), refused);
    assert!(leg.send().is_empty());
}

#[test]
fn another_credential_gets_its_own_try() {
    let mut leg = Leg::new();
    assert_eq!(leg.answer(&plain(&[SHA]), &[grant("a.com")]), retry());
    leg.send();
    let changed = Credential::new("alice", Secret::password("new"));
    assert_eq!(leg.answer(&plain(&[SHA]), &[Grant::new(PEER, "a.com", Arc::new(changed))]), retry());
}

#[test]
fn rfc7616_3_3_stale_is_no_refusal() {
    let mut leg = Leg::new();
    assert_eq!(leg.answer(&plain(&[SHA]), &[grant("a.com")]), retry());
    leg.send();
    let stale = SHA.replace("n1", "n2") + ", stale=TRUE";
    assert_eq!(leg.answer(&plain(&[&stale]), &[grant("a.com")]), retry());
    let text = leg.text();
    assert!(text.contains(r#"nonce="n2""#) && text.contains("nc=00000001"), "{text}");
}

#[test]
fn a_server_that_is_always_stale_ends_the_rounds() {
    let mut leg = Leg::new();
    let stale = plain(&[&(SHA.to_owned() + ", stale=true")]);
    for _ in 0..6 {
        assert_eq!(leg.answer(&stale, &[grant("a.com")]), retry());
        leg.send();
    }
    assert_eq!(leg.answer(&stale, &[grant("a.com")]), give_up(Kind::User, "a.com", Denial::TooManyRounds));
}

#[test]
fn a_nonce_that_was_accepted_may_end_without_stale_once() {
    let mut leg = Leg::new();
    assert_eq!(leg.answer(&plain(&[SHA]), &[grant("a.com")]), retry());
    leg.send();
    leg.authorizer.settled(&leg.attempt, StatusCode::OK);
    leg.attempt = Attempt::new(PEER);
    leg.send();
    let next = plain(&[&SHA.replace("n1", "n2")]);
    assert_eq!(leg.answer(&next, &[grant("a.com")]), retry());
    leg.send();
    assert_eq!(leg.answer(&next, &[grant("a.com")]), give_up(Kind::User, "a.com", Denial::Refused));
}

#[test]
fn a_forbidden_proves_nothing() {
    let mut leg = Leg::new();
    assert_eq!(leg.answer(&plain(&[SHA]), &[grant("a.com")]), retry());
    leg.send();
    for status in [StatusCode::FORBIDDEN, StatusCode::UNAUTHORIZED, StatusCode::RINGING] {
        leg.authorizer.settled(&leg.attempt, status);
    }
    assert_eq!(leg.answer(&plain(&[SHA]), &[grant("a.com")]), give_up(Kind::User, "a.com", Denial::Refused));
}

#[test]
fn requests_in_flight_together_do_not_refuse_each_other() {
    let mut leg = Leg::new();
    let mut second = Attempt::new(PEER);
    leg.send();
    leg.authorizer.authorize(&mut second, &INVITE);
    assert_eq!(leg.answer(&plain(&[SHA]), &[grant("a.com")]), retry());
    leg.send();
    let next = plain(&[&SHA.replace("n1", "n2")]);
    let answer = leg.authorizer.answer(&mut second, &next, &[grant("a.com")], &mut leg.ids);
    assert_eq!(answer, retry());
}

#[test]
fn a_stored_hash_decides_which_challenge_is_answered() {
    let stored = Secret::ha1(Hash::Md5, "939e7578ed9e3c518a452acee763bce9").unwrap();
    let credential = Arc::new(Credential::new("alice", stored));
    let grants = [Grant::new(PEER, "a.com", credential)];
    let mut leg = Leg::new();
    assert_eq!(leg.answer(&plain(&[SHA]), &grants), give_up(Kind::User, "a.com", Denial::NoHash));
    assert_eq!(leg.answer(&plain(&[SHA, MD5]), &grants), retry());
    assert!(leg.text().contains("algorithm=MD5"));
}

#[test]
fn sessions_are_bounded_and_can_be_forgotten() {
    let mut leg = Leg::new();
    leg.authorizer = Authorizer::new(Limits { rounds: 6, sessions: 1 });
    let texts = [SHA.to_owned(), SHA.replace("a.com", "b.com")];
    let demand = demand(Kind::User, &texts, &Acceptance::default());
    let denied = vec![Denied { kind: Kind::User, realm: "b.com".into(), why: Denial::TooManySessions }];
    assert_eq!(leg.answer(&demand, &[grant("a.com"), grant("b.com")]), Answer::Retry { denied });
    assert_eq!(leg.send().len(), 1);
    leg.authorizer.forget();
    assert!(leg.send().is_empty());
}

#[test]
fn a_response_without_a_usable_challenge_ends_it() {
    let mut leg = Leg::new();
    assert_eq!(leg.answer(&plain(&[]), &[grant("a.com")]), Answer::GiveUp { denied: vec![] });
}

// conforms: RFC7616-3.5-1
#[test]
fn rfc7616_3_5_the_next_nonce_is_used_and_shares_the_acceptance() {
    let mut leg = Leg::new();
    assert_eq!(leg.answer(&plain(&[SHA]), &[grant("a.com")]), retry());
    leg.send();
    leg.authorizer.settled(&leg.attempt, StatusCode::OK);
    let next = r#"nextnonce="n7""#;
    assert_eq!(leg.authorizer.informed(&leg.attempt, Kind::User, next, b"", &mut leg.ids), Informed::Nothing);
    assert_eq!(
        leg.authorizer.informed(&leg.attempt, Kind::Proxy, next, b"", &mut leg.ids),
        Informed::Nothing
    );
    leg.attempt = Attempt::new(PEER);
    let text = leg.text();
    assert!(text.contains(r#"nonce="n7""#) && text.contains("nc=00000001"), "{text}");
    assert_eq!(leg.answer(&plain(&[SHA]), &[grant("a.com")]), retry(), "forgot to say stale");
}

#[test]
fn a_credential_may_ask_for_more_than_its_network() {
    let strict = Credential { weakest: Hash::Sha256, ..Credential::new("alice", Secret::password("w")) };
    let grants = [Grant::new(PEER, "a.com", Arc::new(strict))];
    assert_eq!(Leg::new().answer(&plain(&[MD5]), &grants), give_up(Kind::User, "a.com", Denial::Weaker));
    let mut leg = Leg::new();
    assert_eq!(leg.answer(&plain(&[MD5, SHA]), &grants), retry());
    assert!(leg.text().contains("algorithm=SHA-256"));
}
