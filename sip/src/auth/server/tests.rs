use super::*;
use crate::auth::client::{Acceptance, Attempt, Authorizer};
use crate::auth::tests::{INVITE, PEER, SOURCE, alice, at, credentials, demand, grant};
use crate::auth::{Algorithm, Covered, Credential, Hash, Kind, Qop, Secret};
use crate::ids::tests::Seeded;
use crate::time::{Now, Wall};
use sip_types::Message;
use std::sync::Arc;
use std::time::Duration;

const REALM: &str = "atlanta.com";

struct Server {
    challenger: Challenger,
    windows: NonceWindows,
    ids: Seeded,
}

impl Server {
    fn new(settings: Settings) -> Self {
        Self {
            challenger: Challenger::new(&[7; 32], at(0), settings).unwrap(),
            windows: NonceWindows::new(at(0).wall, 4),
            ids: Seeded(9),
        }
    }

    fn challenge(&mut self, now: Now) -> Vec<String> {
        self.challenger.challenge(now, SOURCE, false, &mut self.ids)
    }

    /// Alice's right answer to a challenge made now.
    fn answer(&mut self, now: Now) -> String {
        let demand = demand(Kind::User, &self.challenge(now), &Acceptance::default());
        let mut attempt = Attempt::new(PEER);
        let mut client = Authorizer::default();
        let _ = client.answer(&mut attempt, &demand, &[grant(REALM)], &mut self.ids);
        client.authorize(&mut attempt, &INVITE).remove(0).1
    }

    fn verify(&mut self, now: Now, texts: &[&str]) -> Verdict {
        let list: Vec<_> = texts.iter().map(|text| credentials(text)).collect();
        self.challenger.verify(now, (SOURCE, &INVITE), &list, &mut self.windows, |claimant| {
            (claimant.text() == "alice").then(alice)
        })
    }

    fn refusal(&mut self, text: &str) -> Refusal {
        match self.verify(at(1), &[text]) {
            Verdict::Rejected(refusal) => refusal,
            other => panic!("{other:?}"),
        }
    }
}

fn server() -> Server {
    Server::new(Settings::new(REALM))
}

/// `text` with the value of the parameter `name` replaced; the parameter is dropped without `value`.
fn with(text: &str, name: &str, value: Option<&str>) -> String {
    let params = text.strip_prefix("Digest ").unwrap().split(", ");
    let params =
        params.filter_map(|param| match param.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')) {
            Some(_) => value.map(|value| format!("{name}={value}")),
            None => Some(param.to_owned()),
        });
    format!("Digest {}", params.collect::<Vec<_>>().join(", "))
}

// conforms: RFC3261-22.4-5 RFC7616-3.3-3,5,6 RFC7616-3.7-1,2 RFC8760-2.3-1,2 RFC8760-2.6-5
#[test]
fn rfc8760_2_3_one_field_per_algorithm_strongest_first() {
    let algorithms = vec![Algorithm::MD5, Algorithm::SHA_512_256, Algorithm::SHA_256];
    let settings = Settings { algorithms, qop: vec![Qop::Auth, Qop::AuthInt], ..Settings::new(REALM) };
    let mut server = Server::new(settings);
    insta::assert_snapshot!(server.challenge(at(0)).join("\n"), @r#"
    Digest realm="atlanta.com", nonce="0000018bcfe56800aeaf52febe706064e2eb8c49dfb5444789ab6deaa7d6bd0a", qop="auth,auth-int", algorithm=SHA-512-256
    Digest realm="atlanta.com", nonce="0000018bcfe56800aeaf52febe706064e2eb8c49dfb5444789ab6deaa7d6bd0a", qop="auth,auth-int", algorithm=SHA-256
    Digest realm="atlanta.com", nonce="0000018bcfe56800aeaf52febe706064e2eb8c49dfb5444789ab6deaa7d6bd0a", qop="auth,auth-int", algorithm=MD5
    "#);
    let stale = server.challenger.challenge(at(0), SOURCE, true, &mut server.ids);
    assert!(
        stale[0].starts_with("Digest realm=\"atlanta.com\", nonce=") && stale[0].ends_with(", stale=true")
    );
}

#[test]
fn settings_that_make_no_challenge_are_refused() {
    let error = |change: fn(&mut Settings)| {
        let mut settings = Settings::new(REALM);
        change(&mut settings);
        Challenger::new(&[0; 32], at(0), settings).err()
    };
    assert_eq!(error(|settings| settings.algorithms.clear()), Some(SettingsError::NoAlgorithm));
    assert_eq!(
        error(|settings| settings.algorithms.push(Algorithm::MD5)),
        Some(SettingsError::Twice(Algorithm::MD5))
    );
    assert_eq!(error(|settings| settings.qop.clear()), Some(SettingsError::NoQop));
    assert_eq!(error(|settings| settings.realm = "".into()), Some(SettingsError::NoRealm));
    assert_eq!(error(|_| ()), None);
}

#[test]
fn the_right_answer_is_accepted_once() {
    let mut server = server();
    let text = server.answer(at(0));
    assert!(matches!(server.verify(at(1), &[&text]), Verdict::Accepted(_)));
    assert!(matches!(server.verify(at(1), &[&text]), Verdict::Stale(StaleCause::Replayed)));
}

// conforms: RFC3261-22-1 RFC3261-22.4-2 RFC8760-2.6-1
#[test]
fn nothing_for_our_realm_is_absent() {
    let mut server = server();
    assert!(matches!(server.verify(at(0), &[]), Verdict::Absent));
    let text = server.answer(at(0));
    let other = with(&text, "realm", Some("\"ATLANTA.com\""));
    let basic = r#"Basic realm="atlanta.com""#;
    assert!(matches!(server.verify(at(0), &[&other, basic]), Verdict::Absent));
    assert!(matches!(server.verify(at(0), &[&other, &text]), Verdict::Accepted(_)));
}

#[test]
fn rfc8760_2_7_an_empty_response_before_the_first_challenge_is_no_failure() {
    let mut server = server();
    let text =
        r#"Digest username="alice", realm="atlanta.com", nonce="", uri="sip:atlanta.com", response="""#;
    assert!(matches!(server.verify(at(0), &[text]), Verdict::Absent));
}

#[test]
fn credentials_are_read_field_by_field() {
    let raw = concat!(
        "REGISTER sip:atlanta.com SIP/2.0\r\n",
        "Authorization: Digest realm=\"a\r\n",
        "Authorization: Digest realm=\"a\"\r\n",
        "Proxy-Authorization: Digest realm=\"b\"\r\n",
        "Content-Length: 0\r\n\r\n",
    );
    let message = Message::parse(raw.into(), &sip_types::Limits::default()).unwrap();
    let realms = |kind| -> Vec<String> {
        super::credentials(message.headers(), kind)
            .iter()
            .filter_map(|one| Some(one.realm()?.into()))
            .collect()
    };
    assert_eq!((realms(Kind::User), realms(Kind::Proxy)), (vec!["a".into()], vec!["b".into()]));
}

#[test]
fn rfc3261_22_3_of_several_for_one_realm_the_one_with_our_nonce_counts() {
    let mut server = server();
    let text = server.answer(at(0));
    let theirs = with(&text, "nonce", Some("\"theirs\""));
    assert!(matches!(server.verify(at(0), &[&theirs, &text]), Verdict::Accepted(_)));
    assert!(matches!(server.verify(at(0), &[&theirs]), Verdict::Stale(StaleCause::Unknown)));
}

// conforms: RFC7616-3.4-3,4 RFC7616-3.4.6-1,2,3 RFC7616-3.6-1 RFC8760-2.6-3,4
#[test]
fn every_refusal() {
    let mut server = server();
    let text = server.answer(at(0));
    let mut refusal = |name, value| server.refusal(&with(&text, name, value));
    assert_eq!(refusal("username", None), Refusal::Missing("username"));
    assert_eq!(refusal("username", Some("\"\"")), Refusal::Missing("username"));
    assert_eq!(refusal("nonce", None), Refusal::Missing("nonce"));
    assert_eq!(refusal("uri", None), Refusal::Missing("uri"));
    assert_eq!(refusal("response", None), Refusal::Missing("response"));
    assert_eq!(refusal("cnonce", None), Refusal::Missing("cnonce"));
    assert_eq!(refusal("nc", None), Refusal::Missing("nc"));
    assert_eq!(refusal("nc", Some("1")), Refusal::BadCount);
    assert_eq!(refusal("nc", Some("+0000001")), Refusal::BadCount);
    assert_eq!(refusal("nc", Some("00000000")), Refusal::BadCount);
    assert_eq!(refusal("response", Some("\"d41d8cd98f00b204e9800998ecf8427e\"")), Refusal::BadResponse);
    assert_eq!(refusal("uri", Some("\"sip:carol@biloxi.com\"")), Refusal::UriMismatch);
    assert_eq!(refusal("algorithm", Some("SHA-512-256")), Refusal::Algorithm);
    assert_eq!(refusal("algorithm", Some("ROT13")), Refusal::Algorithm);
    assert_eq!(refusal("qop", Some("auth-int")), Refusal::Qop);
    assert_eq!(refusal("qop", Some("auth-conf")), Refusal::Qop);
    assert_eq!(refusal("qop", None), Refusal::WithoutQop);
    assert_eq!(refusal("username", Some("\"alice\", userhash=true")), Refusal::Userhash);
    assert_eq!(refusal("username", Some("\"mallory\"")), Refusal::UnknownUser);
    assert_eq!(refusal("nc", Some("00000002")), Refusal::WrongResponse);
    assert_eq!(refusal("cnonce", Some("\"x\"")), Refusal::WrongResponse);
}

#[test]
fn a_refusal_is_sorted_by_fault() {
    assert_eq!(Refusal::UriMismatch.status(Kind::User).as_u16(), 400);
    assert_eq!(Refusal::WithoutQop.status(Kind::Proxy).as_u16(), 407);
    assert_eq!(Refusal::UnknownUser.status(Kind::User), Refusal::WrongResponse.status(Kind::User));
    assert_eq!(Refusal::UnknownUser.fault(), Fault::Guess);
}

#[test]
fn a_nonce_that_we_never_issued_is_stale_and_no_guess_whatever_the_response() {
    let mut server = server();
    let text = server.answer(at(0));
    let nonce = text.split("nonce=\"").nth(1).unwrap().split('"').next().unwrap();
    for forged in [
        // One millisecond or more later.
        nonce.replacen("0000018b", "0000018c", 1),
        nonce.to_uppercase() + "0",
        "0".repeat(64),
        String::from("\u{4e2d}\u{4e2d}\u{4e2d}\u{4e2d}\u{4e2d}\u{4e2d}"),
    ] {
        let forged = with(&text, "nonce", Some(&format!("\"{forged}\"")));
        assert!(matches!(server.verify(at(1), &[&forged]), Verdict::Stale(StaleCause::Unknown)), "{forged}");
    }
    assert!(server.windows.is_empty());
}

#[test]
fn a_nonce_of_another_key_or_realm_is_unknown_even_with_the_right_secret() {
    let mut other = server();
    other.challenger = Challenger::new(&[8; 32], at(0), Settings::new(REALM)).unwrap();
    let text = other.answer(at(0));
    let mut server = server();
    assert!(matches!(server.verify(at(1), &[&text]), Verdict::Stale(StaleCause::Unknown)));
    assert!(server.windows.is_empty());
}

#[test]
fn a_nonce_is_good_for_the_address_that_it_was_given_to() {
    let mut server = server();
    let text = server.answer(at(0));
    let list = [credentials(&text)];
    let mut from = |source: &str| {
        let place = (source.parse().unwrap(), &INVITE);
        server.challenger.verify(at(1), place, &list, &mut server.windows, |_| Some(alice()))
    };
    for other in ["192.0.2.8", "198.51.100.7", "2001:db8::7"] {
        assert!(matches!(from(other), Verdict::Stale(StaleCause::Unknown)), "{other}");
    }
    assert!(matches!(from("::ffff:192.0.2.7"), Verdict::Accepted(_)));
}

#[test]
fn a_nonce_lives_up_to_its_lifetime_by_the_monotonic_clock() {
    let mut server = server();
    let (early, late) = (server.answer(at(0)), server.answer(at(0)));
    let jumped = Now { wall: Wall(0), ..at(300) };
    assert!(matches!(server.verify(jumped, &[&early]), Verdict::Accepted(_)));
    assert!(matches!(server.verify(at(301), &[&late]), Verdict::Stale(StaleCause::Expired)));
}

#[test]
fn a_nonce_of_the_future_is_not_ours() {
    let mut server = server();
    let text = server.answer(at(10));
    assert!(matches!(server.verify(at(9), &[&text]), Verdict::Stale(StaleCause::Unknown)));
}

#[test]
fn an_evicted_nonce_becomes_stale() {
    let mut server = server();
    let texts: Vec<String> = (0..5).map(|second| server.answer(at(second))).collect();
    for text in &texts {
        assert!(matches!(server.verify(at(9), &[text]), Verdict::Accepted(_)));
    }
    assert_eq!(server.windows.len(), 4);
    assert!(matches!(server.verify(at(9), &[&texts[0]]), Verdict::Stale(StaleCause::Forgotten)));
    assert!(matches!(server.verify(at(9), &[&texts[4]]), Verdict::Stale(StaleCause::Replayed)));
}

#[test]
fn wrong_answers_never_enter_the_table() {
    let mut server = server();
    for second in 0..9 {
        let text = with(&server.answer(at(second)), "cnonce", Some("\"x\""));
        assert!(matches!(server.verify(at(9), &[&text]), Verdict::Rejected(Refusal::WrongResponse)));
    }
    assert!(server.windows.is_empty());
}

#[test]
fn without_qop_a_nonce_is_good_for_one_request() {
    let settings =
        Settings { allow_without_qop: true, algorithms: vec![Algorithm::MD5], ..Settings::new(REALM) };
    let mut server = Server::new(settings);
    let old: Vec<String> = server.challenge(at(0)).iter().map(|text| with(text, "qop", None)).collect();
    let acceptance = Acceptance { allow_without_qop: true, ..Acceptance::default() };
    let mut attempt = Attempt::new(PEER);
    let mut client = Authorizer::default();
    let demand = demand(Kind::User, &old, &acceptance);
    let _ = client.answer(&mut attempt, &demand, &[grant(REALM)], &mut server.ids);
    let text = client.authorize(&mut attempt, &INVITE).remove(0).1;
    let Verdict::Accepted(accepted) = server.verify(at(0), &[&text]) else { panic!() };
    assert_eq!((accepted.qop(), accepted.authentication_info(b"", None)), (None, None));
    assert!(matches!(server.verify(at(0), &[&text]), Verdict::Stale(StaleCause::Replayed)));
}

#[test]
fn a_user_with_a_hash_of_another_function_cannot_log_in() {
    let mut server = server();
    let list = [credentials(&server.answer(at(0)))];
    let secret = Secret::ha1(Hash::Md5, "939e7578ed9e3c518a452acee763bce9").unwrap();
    let verdict = server.challenger.verify(at(0), (SOURCE, &INVITE), &list, &mut server.windows, |_| {
        Some(Arc::new(Credential::new("alice", secret)))
    });
    assert!(matches!(verdict, Verdict::Rejected(Refusal::NoHash)));
}

#[test]
fn the_secret_may_come_later() {
    let mut server = server();
    let list = [credentials(&server.answer(at(0)))];
    let Reading::Presented(presented) = server.challenger.read(SOURCE, &INVITE, &list) else { panic!() };
    assert_eq!((presented.user().text(), presented.algorithm()), ("alice", Algorithm::SHA_256));
    let verdict = server.challenger.settle(at(2), *presented, Some(&alice()), &mut server.windows);
    assert!(matches!(verdict, Verdict::Accepted(_)));
}

#[test]
fn the_request_uri_may_be_left_unchecked() {
    let mut server = Server::new(Settings { uri: UriCheck::Any, ..Settings::new(REALM) });
    let list = [credentials(&server.answer(at(0)))];
    let covered = Covered { uri: "sip:bob@192.0.2.4", ..INVITE };
    let secret = |_: &Claimant| Some(alice());
    let verdict = server.challenger.verify(at(0), (SOURCE, &covered), &list, &mut server.windows, secret);
    assert!(matches!(verdict, Verdict::Accepted(_)));
}

#[test]
fn debug_shows_no_user_and_no_key() {
    let mut server = server();
    let text = server.answer(at(0));
    let Reading::Presented(presented) = server.challenger.read(SOURCE, &INVITE, &[credentials(&text)]) else {
        panic!()
    };
    assert!(!format!("{presented:?}").contains("alice"));
    let verdict = server.verify(at(0), &[&text]);
    assert!(!format!("{verdict:?}").contains("alice"));
    assert_eq!(server.challenger.realm(), REALM);
    assert_eq!(Settings::new(REALM).lifetime, Duration::from_secs(300));
}
