//! Both roles against each other, and what their tests share.

use super::client::{Acceptance, Answer, Attempt, Authorizer, Demand, Grant, Informed, PeerId};
use super::server::{Challenger, NonceWindows, Settings, StaleCause, UserHashes, Verdict};
use super::*;
use crate::ids::tests::Seeded;
use crate::time::{Mono, Now, Wall};
use proptest::prelude::*;
use sip_types::header::auth::{Challenge, Credentials};
use sip_types::{ByteString, HeaderName};
use std::sync::Arc;
use std::time::Duration;

pub(super) const PEER: PeerId = PeerId(1);

/// Where requests come from.
pub(super) const SOURCE: std::net::IpAddr = std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));

pub(super) const INVITE: Covered<'static> =
    Covered { method: "INVITE", uri: "sip:bob@biloxi.com", body: b"v=0\r\n" };

pub(super) fn challenge(text: &str) -> Challenge {
    Challenge::parse(&ByteString::from(text)).unwrap()
}

pub(super) fn credentials(text: &str) -> Credentials {
    Credentials::parse(&ByteString::from(text)).unwrap()
}

/// `seconds` after the start.
pub(super) fn at(seconds: u64) -> Now {
    let mono = Mono::from_epoch(Duration::from_secs(5 + seconds));
    Now { mono, wall: Wall(1_700_000_000_000 + seconds * 1000) }
}

pub(super) fn alice() -> Arc<Credential> {
    Arc::new(Credential::new("alice", Secret::password("wonderland")))
}

pub(super) fn grant(realm: &str) -> Grant {
    Grant::new(PEER, realm, alice())
}

pub(super) fn demand(kind: Kind, texts: &[String], acceptance: &Acceptance) -> Demand {
    let list: Vec<_> = texts.iter().map(|text| challenge(text)).collect();
    Demand::read(list.iter().map(|one| (kind, one)), acceptance)
}

/// A client and a server of one realm.
struct Pair {
    client: Authorizer,
    server: Challenger,
    windows: NonceWindows,
    ids: Seeded,
    /// What the client knows.
    grant: Grant,
    /// What the server knows.
    user: Credential,
    acceptance: Acceptance,
}

impl Pair {
    fn new(settings: Settings, credential: Credential) -> Self {
        let grant = Grant::new(PEER, settings.realm.clone(), Arc::new(credential.clone()));
        Self {
            client: Authorizer::default(),
            server: Challenger::new(&[7; 32], at(0), settings).unwrap(),
            windows: NonceWindows::new(at(0).wall, 16),
            ids: Seeded(3),
            grant,
            user: credential,
            acceptance: Acceptance::default(),
        }
    }

    fn send(&mut self, attempt: &mut Attempt, covered: &Covered<'_>, now: Now) -> Verdict {
        let fields = self.client.authorize(attempt, covered);
        let list: Vec<_> = fields.iter().map(|(_, text)| credentials(text)).collect();
        let user = &self.user;
        self.server.verify(now, (SOURCE, covered), &list, &mut self.windows, |claimant| {
            (claimant.text() == &*user.username).then(|| Arc::new(user.clone()))
        })
    }

    fn challenged(&mut self, attempt: &mut Attempt, stale: bool, now: Now) -> Answer {
        let texts = self.server.challenge(now, SOURCE, stale, &mut self.ids);
        let demand = demand(Kind::User, &texts, &self.acceptance);
        self.client.answer(attempt, &demand, std::slice::from_ref(&self.grant), &mut self.ids)
    }
}

fn secret_pair() -> Pair {
    Pair::new(Settings::new("atlanta.com"), (*alice()).clone())
}

#[test]
fn rfc3261_22_2_a_challenge_is_answered_and_later_requests_go_out_authenticated() {
    let mut pair = secret_pair();
    let mut attempt = Attempt::new(PEER);
    assert!(matches!(pair.send(&mut attempt, &INVITE, at(1)), Verdict::Absent));
    assert_eq!(pair.challenged(&mut attempt, false, at(1)), Answer::Retry { denied: vec![] });
    let Verdict::Accepted(accepted) = pair.send(&mut attempt, &INVITE, at(1)) else { panic!() };
    assert_eq!((accepted.username(), accepted.algorithm()), ("alice", Algorithm::SHA_256));
    let bye = Covered { method: "BYE", uri: "sip:bob@192.0.2.4", body: b"" };
    assert!(matches!(pair.send(&mut Attempt::new(PEER), &bye, at(9)), Verdict::Accepted(_)));
}

#[test]
fn rfc7616_3_3_a_stale_nonce_costs_one_more_round() {
    let mut pair = secret_pair();
    let mut attempt = Attempt::new(PEER);
    let _ = pair.challenged(&mut attempt, false, at(0));
    let verdict = pair.send(&mut attempt, &INVITE, at(301));
    assert!(matches!(verdict, Verdict::Stale(StaleCause::Expired)));
    assert_eq!(pair.challenged(&mut attempt, true, at(301)), Answer::Retry { denied: vec![] });
    assert!(matches!(pair.send(&mut attempt, &INVITE, at(301)), Verdict::Accepted(_)));
}

#[test]
fn after_a_restart_of_the_server_the_client_goes_on_without_a_failure() {
    for key in [[7; 32], [8; 32]] {
        let mut pair = secret_pair();
        let mut attempt = Attempt::new(PEER);
        let _ = pair.challenged(&mut attempt, false, at(0));
        assert!(matches!(pair.send(&mut attempt, &INVITE, at(1)), Verdict::Accepted(_)));
        pair.server = Challenger::new(&key, at(10), Settings::new("atlanta.com")).unwrap();
        pair.windows = NonceWindows::new(at(10).wall, 16);
        let mut later = Attempt::new(PEER);
        assert!(matches!(
            pair.send(&mut later, &INVITE, at(11)),
            Verdict::Stale(StaleCause::Forgotten | StaleCause::Unknown)
        ));
        assert_eq!(pair.challenged(&mut later, true, at(11)), Answer::Retry { denied: vec![] });
        assert!(matches!(pair.send(&mut later, &INVITE, at(11)), Verdict::Accepted(_)));
    }
}

// conforms: RFC7616-3.5-2,3,4,5,6
#[test]
fn rfc7616_3_5_the_server_proves_itself_in_authentication_info() {
    let mut pair = secret_pair();
    let mut attempt = Attempt::new(PEER);
    let _ = pair.challenged(&mut attempt, false, at(0));
    let Verdict::Accepted(accepted) = pair.send(&mut attempt, &INVITE, at(1)) else { panic!() };
    insta::assert_snapshot!(accepted.authentication_info(b"", None).unwrap(), @r#"qop=auth, rspauth="eea6d832dfeeef6639104104945c12f0c3b0fc74d905f449083573163778a1c7", cnonce="b3466f8a7b81a9899cebe8a6d050dd01", nc=00000001"#);
}

#[test]
fn rfc7616_3_5_the_client_knows_its_server_and_an_impostor() {
    for qop in [Qop::Auth, Qop::AuthInt] {
        let mut pair =
            Pair::new(Settings { qop: vec![qop], ..Settings::new("atlanta.com") }, (*alice()).clone());
        let mut attempt = Attempt::new(PEER);
        let _ = pair.challenged(&mut attempt, false, at(0));
        let Verdict::Accepted(accepted) = pair.send(&mut attempt, &INVITE, at(1)) else { panic!() };
        // Another request of the leg is on its way when the answer comes.
        let bye = Covered { method: "BYE", uri: "sip:bob@192.0.2.4", body: b"" };
        let _ = pair.client.authorize(&mut Attempt::new(PEER), &bye);
        let next = pair.server.next_nonce(at(1), SOURCE, &mut pair.ids);
        let info = accepted.authentication_info(b"answer", Some(&next)).unwrap();
        let mut informed =
            |info: &str, body: &[u8]| pair.client.informed(&attempt, Kind::User, info, body, &mut pair.ids);
        if qop == Qop::Auth {
            assert_eq!(informed("qop=auth", b""), Informed::Nothing);
            assert_eq!(informed(&info, b"answer"), Informed::Confirmed);
        } else {
            assert_eq!(informed(&info, b"another answer"), Informed::Impostor);
            continue;
        }
        let mut later = Attempt::new(PEER);
        assert!(matches!(pair.send(&mut later, &bye, at(2)), Verdict::Accepted(_)), "with the next nonce");
        for (from, to) in
            [("rspauth=\"", "rspauth=\"0"), ("nc=00000001", "nc=00000002"), ("cnonce=\"", "cnonce=\"0")]
        {
            let mut pair = Pair::new(Settings::new("atlanta.com"), (*alice()).clone());
            let mut attempt = Attempt::new(PEER);
            let _ = pair.challenged(&mut attempt, false, at(0));
            let Verdict::Accepted(accepted) = pair.send(&mut attempt, &INVITE, at(1)) else { panic!() };
            let forged = accepted.authentication_info(b"", None).unwrap().replace(from, to);
            let informed = pair.client.informed(&attempt, Kind::User, &forged, b"", &mut pair.ids);
            assert_eq!(informed, Informed::Impostor, "{to}");
            assert!(
                pair.client.authorize(&mut Attempt::new(PEER), &bye).is_empty(),
                "it is shown nothing more"
            );
        }
    }
}

#[test]
fn rfc7616_3_4_4_a_user_may_go_by_a_hash() {
    let settings = Settings { userhash: true, ..Settings::new("atlanta.com") };
    let mut pair = Pair::new(settings, (*alice()).clone());
    let texts = pair.server.challenge(at(0), SOURCE, false, &mut pair.ids);
    assert!(texts.iter().all(|text| text.contains("charset=UTF-8, userhash=true")), "{texts:?}");
    let mut attempt = Attempt::new(PEER);
    let demand = demand(Kind::User, &texts, &pair.acceptance);
    let grants = [pair.grant.clone()];
    assert_eq!(
        pair.client.answer(&mut attempt, &demand, &grants, &mut pair.ids),
        Answer::Retry { denied: vec![] }
    );
    let field = pair.client.authorize(&mut attempt, &INVITE).remove(0).1;
    assert!(!field.contains("alice"), "{field}");
    let functions = [Hash::Md5, Hash::Sha256];
    let users = UserHashes::new("atlanta.com", &functions, ["bob", "alice"].into_iter());
    let verdict =
        pair.server.verify(at(1), (SOURCE, &INVITE), &[credentials(&field)], &mut pair.windows, |claimant| {
            (users.name(claimant) == Some("alice")).then(alice)
        });
    let Verdict::Accepted(accepted) = verdict else { panic!("{verdict:?}") };
    assert_eq!(accepted.username(), "alice");
}

fn text() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9 \"\\\\:,=;@\u{e4}\u{4e2d}.-]{1,24}"
}

proptest! {
    // conforms: RFC7616-3.6-1 RFC7616-4-1,2
    #[test]
    fn what_the_client_answers_the_server_verifies(
        algorithm in prop::sample::select(Algorithm::ALL.to_vec()),
        qop in prop::sample::select(vec![Qop::Auth, Qop::AuthInt]),
        realm in text(),
        username in text(),
        password in text(),
        method in prop::sample::select(vec!["INVITE", "REGISTER", "BYE", "x-unknown"]),
        body in prop::collection::vec(any::<u8>(), 0..64),
        wrong in any::<bool>(),
    ) {
        let settings =
            Settings { algorithms: vec![algorithm], qop: vec![qop], ..Settings::new(realm.trim().to_owned() + "r") };
        let credential = Credential::new(username.trim(), Secret::password(password.clone()));
        prop_assume!(!credential.username.is_empty());
        let mut pair = Pair::new(settings, credential);
        let covered = Covered { method, uri: "sip:bob@biloxi.com;transport=tcp", body: &body };
        let mut attempt = Attempt::new(PEER);
        prop_assert_eq!(pair.challenged(&mut attempt, false, at(1)), Answer::Retry { denied: vec![] });
        if wrong {
            pair.user.secret = Secret::password(password + "!");
        }
        for _ in 0..3 {
            let verdict = pair.send(&mut attempt, &covered, at(1));
            prop_assert_eq!(matches!(verdict, Verdict::Accepted(_)), !wrong, "{:?}", verdict);
        }
    }

    #[test]
    fn no_text_makes_either_side_panic(text in "\\PC{0,120}", params in "(Digest )?([a-z]{2,9}=(\"[^\"]{0,9}\"|[a-zA-Z0-9-]{0,9}),? ?){0,9}") {
        for text in [text, params] {
            let text = ByteString::from(text);
            let mut pair = secret_pair();
            if let Ok(challenge) = Challenge::parse(&text) {
                let acceptance = Acceptance { allow_without_qop: true, ..Acceptance::default() };
                let demand = Demand::read([(Kind::Proxy, &challenge)], &acceptance);
                let _ = pair.client.answer(&mut Attempt::new(PEER), &demand, &[], &mut pair.ids);
            }
            if let Ok(credentials) = Credentials::parse(&text) {
                let _ = pair.server.verify(at(1), (SOURCE, &INVITE), &[credentials], &mut pair.windows, |_| None);
            }
        }
    }
}

#[test]
fn fields_follow_the_kind() {
    assert_eq!(Kind::User.credentials(), HeaderName::Authorization);
    assert_eq!(Kind::User.challenge(), HeaderName::WwwAuthenticate);
    assert_eq!(Kind::Proxy.credentials(), HeaderName::ProxyAuthorization);
    assert_eq!(Kind::Proxy.challenge(), HeaderName::ProxyAuthenticate);
    assert_eq!(Kind::Proxy.status().as_u16(), 407);
}
