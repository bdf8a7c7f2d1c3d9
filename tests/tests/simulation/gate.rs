//! The challenge that the requests of a trunk must answer.

use super::common::{ALICE, BOB, INSIDE, OUTSIDE, World, answer, credential, document, invite, ms, trunk};
use b2bua::snapshot::Secrets;
use liaison_tests::message::{Msg, field, fields};
use liaison_tests::network::Fate;
use md5::Md5;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

fn world(seed: u64) -> World {
    sharded(1, seed)
}

fn sharded(shards: u8, seed: u64) -> World {
    let challenge =
        "challenge = { realm = \"sbc\", users = [{ username = \"alice\", password = { env = \"X\" } }] }";
    let mut secrets = Secrets::default();
    let known = [("alice".into(), credential("alice", "wonderland"))];
    secrets.inbound.insert(trunk("provider"), BTreeMap::from(known));
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
fn answer_to(
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
