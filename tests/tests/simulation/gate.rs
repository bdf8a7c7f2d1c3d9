//! The challenge that the requests of a trunk must answer.

use super::common::{
    ALICE, BOB, INSIDE, OUTSIDE, World, answer, credential, document, invite, ms, trunk, with_secrets,
};
use b2bua::snapshot::{IssuerKeys, Protected, Secrets};
use liaison_tests::message::{Msg, field, fields};
use liaison_tests::network::Fate;
use md5::Md5;
use sha2::{Digest, Sha256};
use sip::auth::bearer::KeySet;
use std::collections::BTreeMap;
use std::sync::Arc;

fn world(seed: u64) -> World {
    sharded(1, seed)
}

fn sharded(shards: u8, seed: u64) -> World {
    let challenge =
        "challenge = { realm = \"sbc\", users = [{ username = \"alice\", password = { env = \"X\" } }] }";
    let mut secrets = Secrets::default();
    let known = [("alice".into(), credential("alice", "wonderland"))];
    secrets.inbound.insert(Protected::Trunk(trunk("provider")), BTreeMap::from(known));
    let calm = Box::new(|_: &_| Fate::Arrives);
    World::sharded(shards, &document(challenge, "", ""), secrets, Vec::new(), calm, seed)
}

/// A parameter of a challenge or of credentials, without its quotes.
pub fn parameter(value: &str, name: &str) -> Option<String> {
    let (_, parameters) = value.split_once(' ')?;
    let found = parameters.split(',').filter_map(|p| p.trim().split_once('='));
    found.into_iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.trim_matches('"').to_owned())
}

fn hash(sha256: bool, text: &str) -> String {
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect();
    if sha256 { hex(&Sha256::digest(text)) } else { hex(&Md5::digest(text)) }
}

/// The response of RFC 7616 §3.4.1 with qop=auth, for the parameters in `credentials`.
pub fn digest(sha256: bool, credentials: &str, password: &str, method: &str) -> String {
    let get = |name: &str| parameter(credentials, name).unwrap_or_default();
    let ha1 = hash(sha256, &format!("{}:{}:{password}", get("username"), get("realm")));
    let ha2 = hash(sha256, &format!("{method}:{}", get("uri")));
    let middle = format!("{}:{}:{}:{}", get("nonce"), get("nc"), get("cnonce"), get("qop"));
    hash(sha256, &format!("{ha1}:{middle}:{ha2}"))
}

/// What answers the challenge of that algorithm.
pub fn answer_to(
    challenges: &[String],
    sha256: bool,
    user: &str,
    password: &str,
    method: &str,
    uri: &str,
) -> String {
    let algorithm = if sha256 { "SHA-256" } else { "MD5" };
    let challenge = challenges.iter().find(|c| parameter(c, "algorithm").as_deref() == Some(algorithm));
    let challenge = challenge.unwrap_or_else(|| panic!("no {algorithm} in {challenges:?}"));
    assert_eq!(parameter(challenge, "realm").as_deref(), Some("sbc"));
    let nonce = parameter(challenge, "nonce").unwrap();
    let opaque = parameter(challenge, "opaque").map(|o| format!(", opaque=\"{o}\"")).unwrap_or_default();
    let start = format!(
        "Digest username=\"{user}\", realm=\"sbc\", nonce=\"{nonce}\", uri=\"{uri}\", algorithm={algorithm}, \
         qop=auth, nc=00000001, cnonce=\"c1\"{opaque}"
    );
    let response = digest(sha256, &start, password, method);
    format!("{start}, response=\"{response}\"")
}

/// Alice's INVITE is challenged: the values of the challenges.
fn challenged(world: &mut World, invite: &Msg) -> Vec<String> {
    world.post(ALICE, OUTSIDE, invite);
    let asked = world.expect(ALICE, "401");
    world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", invite).set("To", &field(&asked, "To")));
    fields(&asked).into_iter().filter(|(n, _)| n == "WWW-Authenticate").map(|(_, v)| v).collect()
}

/// The INVITE again, with credentials.
fn again(seq: u32, credentials: &str) -> Msg {
    invite()
        .set("CSeq", &format!("{seq} INVITE"))
        .branch(&format!("again-{seq}"))
        .with("Authorization", credentials)
}

// conforms: RFC3261-7.3.1-2 RFC3261-22.1-4,5 RFC3261-22.2-1
#[test]
fn rfc8760_the_challenge_offers_both_algorithms_and_either_answer_passes() {
    for sha256 in [true, false] {
        let mut world = world(1);
        let challenges = challenged(&mut world, &invite());
        let offered: Vec<_> = challenges.iter().filter_map(|c| parameter(c, "algorithm")).collect();
        assert_eq!(offered, ["SHA-256", "MD5"], "the stronger one first (RFC 8760 §2.3)");
        world.expect_no(BOB, "INVITE");
        let credentials =
            answer_to(&challenges, sha256, "alice", "wonderland", "INVITE", super::common::NUMBER);
        world.post(ALICE, OUTSIDE, &again(2, &credentials));
        let invited = world.expect(BOB, "INVITE");
        assert!(!invited.contains("wonderland") && !invited.contains("Authorization"), "{invited}");
        world.post(BOB, INSIDE, &answer(&invited));
        let ok = world.expect(ALICE, "200");
        world.expect(BOB, "ACK");
        world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 2, &ok));
        world.post(ALICE, OUTSIDE, &Msg::inside("BYE", ALICE, 3, &ok));
        world.expect(ALICE, "200");
        let bye = world.expect(BOB, "BYE");
        world.ok(BOB, INSIDE, &bye);
        world.must_forget("a challenged trunk");
    }
}

// conforms: RFC3261-22.1-6
#[test]
fn rfc3261_22_1_a_cancel_is_never_challenged() {
    let mut world = world(4);
    let challenges = challenged(&mut world, &invite());
    let credentials = answer_to(&challenges, true, "alice", "wonderland", "INVITE", super::common::NUMBER);
    let second = again(2, &credentials);
    world.post(ALICE, OUTSIDE, &second);
    let invited = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&invited, 180, "bob").contact(BOB));
    world.expect(ALICE, "180");
    world.post(ALICE, OUTSIDE, &Msg::of_invite("CANCEL", &second));
    world.expect(ALICE, "200");
    let refused = world.expect(ALICE, "487");
    world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &second).set("To", &field(&refused, "To")));
    let cancel = world.expect(BOB, "CANCEL");
    world.ok(BOB, INSIDE, &cancel);
    world.post(BOB, INSIDE, &Msg::response(&invited, 487, "bob"));
    world.expect(BOB, "ACK");
    world.must_forget("a cancelled call of a challenged trunk");
}

#[test]
fn a_wrong_answer_is_refused() {
    let wrong = [
        ("alice", "looking-glass", "INVITE"),
        ("eve", "wonderland", "INVITE"),
        ("alice", "wonderland", "BYE"),
    ];
    for (n, (user, password, method)) in wrong.into_iter().enumerate() {
        let mut world = world(2);
        let challenges = challenged(&mut world, &invite());
        let credentials = answer_to(&challenges, true, user, password, method, super::common::NUMBER);
        let second = again(2, &credentials);
        let asked = challenged(&mut world, &second);
        assert_eq!(parameter(&asked[0], "stale"), None, "case {n}: it is wrong, not old");
        world.expect_no(BOB, "INVITE");
        assert_eq!(world.core.counters().challenged, 2);
        world.must_forget("a wrong answer");
    }
}

#[test]
fn rfc7616_5_5_a_right_answer_is_good_once() {
    let mut world = world(3);
    let challenges = challenged(&mut world, &invite());
    let credentials = answer_to(&challenges, true, "alice", "wonderland", "INVITE", super::common::NUMBER);
    world.post(ALICE, OUTSIDE, &again(2, &credentials));
    let invited = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&invited, 486, "bob"));
    world.expect(BOB, "ACK");
    let refused = world.expect(ALICE, "486");
    world.post(
        ALICE,
        OUTSIDE,
        &Msg::of_invite("ACK", &again(2, &credentials)).set("To", &field(&refused, "To")),
    );
    world.run_for(ms(20));
    // Somebody who has listened calls with the same credentials.
    let replayed =
        again(3, &credentials).set("Call-ID", "replayed").set("From", "<sip:eve@10.0.0.2>;tag=eve");
    challenged(&mut world, &replayed);
    world.expect_no(BOB, "INVITE");
    world.must_forget("a replayed answer");
}

#[test]
fn a_nonce_of_one_shard_is_good_at_another_and_once_in_all() {
    let mut elsewhere = 0;
    for seed in 0..8 {
        let mut world = sharded(3, seed);
        let challenges = challenged(&mut world, &invite());
        let asked = world.cores().position(|core| core.counters().challenged == 1).unwrap();
        let credentials =
            answer_to(&challenges, true, "alice", "wonderland", "INVITE", super::common::NUMBER);
        let second = again(2, &credentials).set("Call-ID", &format!("second-{seed}"));
        world.post(ALICE, OUTSIDE, &second);
        let invited = world.expect(BOB, "INVITE");
        elsewhere += usize::from(world.cores().nth(asked).unwrap().call_count() == 0);
        world.post(BOB, INSIDE, &Msg::response(&invited, 486, "bob"));
        world.expect(BOB, "ACK");
        let refused = world.expect(ALICE, "486");
        world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &second).set("To", &field(&refused, "To")));
        for n in 3..6 {
            let replayed = again(n, &credentials).set("Call-ID", &format!("replayed-{n}-{seed}"));
            let asked = challenged(&mut world, &replayed);
            assert_eq!(parameter(&asked[0], "stale").as_deref(), Some("true"), "it is right, but used");
        }
        world.expect_no(BOB, "INVITE");
        world.must_forget("a nonce");
    }
    assert!(elsewhere > 0, "a call of another shard than the challenge");
}

/// An INVITE of Alice's by that user, with an answer to a challenge; the status that it gets.
fn guess(world: &mut World, challenges: &[String], n: u32, user: &str, password: &str) -> String {
    let id = format!("guess-{n}");
    let credentials = answer_to(challenges, true, user, password, "INVITE", super::common::NUMBER);
    let invite = invite().set("Call-ID", &id).branch(&id).with("Authorization", &credentials);
    world.post(ALICE, OUTSIDE, &invite);
    world.run_for(ms(5));
    let refused = world.sent_to(ALICE).into_iter().rfind(|text| field(text, "Call-ID") == id);
    let Some(refused) = refused.filter(|text| text.starts_with("SIP/2.0 4")) else {
        return "passed".to_owned();
    };
    world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &invite).set("To", &field(&refused, "To")));
    refused.split(' ').nth(1).unwrap_or_default().to_owned()
}

#[test]
fn ten_thousand_guesses_are_slowed_and_refused_while_another_user_of_the_source_calls() {
    let users =
        ["alice", "bob"].map(|user| format!("{{ username = \"{user}\", password = {{ env = \"X\" }} }}"));
    let challenge = format!("challenge = {{ realm = \"sbc\", users = [{}] }}", users.join(", "));
    let mut secrets = Secrets::default();
    let known = ["alice", "bob"].map(|user| (user.into(), credential(user, "wonderland")));
    secrets.inbound.insert(Protected::Trunk(trunk("provider")), BTreeMap::from(known));
    let text = document(&challenge, "", "\n[guessing]\nfree = 3\nrefuse_after = 8\n");
    let mut world = with_secrets(&text, secrets, 4);
    let challenges = challenged(&mut world, &invite());
    let mut statuses = BTreeMap::<String, u32>::new();
    for n in 0..10_000 {
        let status = guess(&mut world, &challenges, n, "alice", &format!("guess{n}"));
        *statuses.entry(status).or_default() += 1;
        world.network.log.clear();
    }
    let counters = world.core.counters();
    assert_eq!((counters.guesses, statuses.get("401")), (8, Some(&8)), "{statuses:?}");
    assert_eq!(statuses.get("403"), Some(&9_992));
    assert_eq!(counters.guesses_slowed + counters.guesses_refused, 9_992);
    assert!(counters.guesses_slowed > 0 && counters.guesses_refused > 0);
    // The right one does not help her from here any more; Bob, at the same address, calls.
    assert_eq!(guess(&mut world, &challenges, 10_001, "alice", "wonderland"), "403");
    assert_eq!(guess(&mut world, &challenges, 10_002, "bob", "wonderland"), "passed");
    world.expect(BOB, "INVITE");
}

/// The public half of a key that these tokens were signed with (`openssl pkeyutl -sign -rawin`).
const KEY: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAp0LbL1K8fSzuftf2JdscCWBlEQwUXXAgzsAqCkYANKI=
-----END PUBLIC KEY-----";
/// For `alice`, good until 2100.
const TOKEN: &str = "eyJhbGciOiJFZERTQSJ9.eyJpc3MiOiAiaHR0cHM6Ly9hdXRoLmV4YW1wbGUiLCAiYXVkIjogInNiYyIsICJzdWIiOiAiYWxpY2UiLCAic2NvcGUiOiAic2lwIiwgImV4cCI6IDQxMDI0NDQ4MDB9.2DcYEhOD-8zyCpf5Q-LJeISmbZNS6uFNiCk_Q6FKqCOULWcgfAZzuhgp5wF0M3giYqivr3Eoz0EXYHBPUDA2DQ";
/// The same, until 1970.
const OLD: &str = "eyJhbGciOiJFZERTQSJ9.eyJpc3MiOiAiaHR0cHM6Ly9hdXRoLmV4YW1wbGUiLCAiYXVkIjogInNiYyIsICJzdWIiOiAiYWxpY2UiLCAic2NvcGUiOiAic2lwIiwgImV4cCI6IDEwMDB9.uSxdUXONidz18yO6hHWtaz02CvnVzDlkeFdBOC7tqtaIusDRZ5KoVsKpdnwqkrPalZCJgVsHOmyR3-f60_wFDQ";
/// The same, for `mail` only.
const OTHER: &str = "eyJhbGciOiJFZERTQSJ9.eyJpc3MiOiAiaHR0cHM6Ly9hdXRoLmV4YW1wbGUiLCAiYXVkIjogInNiYyIsICJzdWIiOiAiYWxpY2UiLCAic2NvcGUiOiAibWFpbCIsICJleHAiOiA0MTAyNDQ0ODAwfQ.-E4y3chmdsUxTxIcMmlXwQTQ1g3NQVbQWbgcb7iijmKvi-AyZfiEhb--jAlBnpD7ifBjGBJSbl9N5W6how4lAQ";

// conforms: RFC8898-2.2-1,2,3,4 RFC8898-5-1
#[test]
fn rfc8898_a_token_opens_the_gate_and_a_bad_one_is_told_why() {
    let challenge = "challenge = { realm = \"sbc\", bearer = { keys = { env = \"X\" }, authz_server = \"https://auth.example\", \
                     issuer = \"https://auth.example\", audiences = [\"sbc\"], scopes = [\"sip\"] } }";
    let keys = IssuerKeys { text: KEY.into(), set: KeySet::read(KEY).unwrap() };
    let secrets = Secrets {
        issuers: BTreeMap::from([(Protected::Trunk(trunk("provider")), Arc::new(keys))]),
        ..Secrets::default()
    };
    let mut world = with_secrets(&document(challenge, "", ""), secrets, 5);
    let asked = challenged(&mut world, &invite());
    let plain = "Bearer realm=\"sbc\", scope=\"sip\", authz_server=\"https://auth.example\"";
    assert_eq!(asked, [plain]);
    let wrong = [(OLD, "invalid_token"), (OTHER, "invalid_scope"), ("no.real.token", "invalid_token")];
    for (n, (token, error)) in (2..).zip(wrong) {
        let asked = challenged(&mut world, &again(n, &format!("Bearer {token}")));
        assert_eq!(asked, [format!("{plain}, error=\"{error}\"")]);
    }
    assert_eq!(world.core.counters().tokens_refused, 3);
    world.expect_no(BOB, "INVITE");
    world.post(ALICE, OUTSIDE, &again(5, &format!("Bearer {TOKEN}")));
    let invited = world.expect(BOB, "INVITE");
    assert!(!invited.contains("Bearer") && !invited.contains(TOKEN), "{invited}");
    world.post(BOB, INSIDE, &Msg::response(&invited, 486, "bob"));
    let busy = world.expect(ALICE, "486");
    world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &again(5, "")).set("To", &field(&busy, "To")));
    world.must_forget("a call with a token");
    let records = format!("{:?}", world.records.lock().unwrap());
    assert!(records.contains("486") && !records.contains(TOKEN), "a token is for us alone: {records}");
}

#[test]
fn rfc8760_2_3_the_profile_says_what_is_offered() {
    let challenge =
        "challenge = { realm = \"sbc\", users = [{ username = \"alice\", password = { env = \"X\" } }] }";
    let digest = "\n[profiles.default.digest]\nalgorithms = [\"MD5\", \"SHA-512-256\", \"SHA-256\"]\n\
                  qop = [\"auth-int\", \"auth\"]\nuserhash = true\n";
    let mut world = with_secrets(&document(challenge, "", digest), Secrets::default(), 6);
    let asked = challenged(&mut world, &invite());
    let offered: Vec<_> = asked.iter().filter_map(|c| parameter(c, "algorithm")).collect();
    assert_eq!(offered, ["SHA-512-256", "SHA-256", "MD5"]);
    for challenge in &asked {
        assert!(
            challenge.contains("qop=\"auth-int,auth\"") && challenge.contains("userhash=true"),
            "{challenge}"
        );
    }
}
