//! What counts of the profile of a trunk, where the trunk is known.

use super::common::{
    ALICE, BOB, Call, INSIDE, NUMBER, OUTSIDE, World, credential, document, invite, ms, trunk, with_secrets,
};
use b2bua::snapshot::Secrets;
use liaison_tests::message::{Msg, audio, field, find};
use std::collections::BTreeMap;

/// The provider may ask for `alpha`; towards the PBX T1 is 100 ms, a pending call hears of itself each second, and MD5 is
/// not answered. The networks have neither.
fn world(seed: u64) -> World {
    let credentials = "credentials = [{ realm = \"office\", username = \"u\", password = { env = \"X\" } }]";
    let profiles = "\n[profiles.a]\ntransparent = [\"alpha\"]\nprovisional_interval = \"1s\"\n\
        [profiles.b]\ntimers = { t1 = \"100ms\" }\ndigest = { algorithms = [\"SHA-256\"] }\n";
    let text = document("profile = \"a\"", &format!("profile = \"b\"\n{credentials}"), profiles);
    let mut secrets = Secrets::default();
    secrets.outbound.insert(trunk("pbx"), BTreeMap::from([("office".into(), credential("u", "p"))]));
    with_secrets(&text, secrets, seed)
}

#[test]
fn the_timers_towards_a_trunk_are_those_of_its_profile() {
    let mut world = world(1);
    world.post(ALICE, OUTSIDE, &invite());
    world.run_for(ms(750));
    // At 0, 100, 300 and 700 ms (RFC 3261 §17.1.1.2).
    let invites = world.unread(BOB).iter().filter(|text| text.starts_with("INVITE")).count();
    assert_eq!(invites, 4);
}

#[test]
fn rfc3261_13_3_1_1_a_pending_caller_hears_of_its_call_as_often_as_its_trunks_profile_says() {
    let mut world = world(2);
    world.post(ALICE, OUTSIDE, &invite());
    let invited = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&invited, 180, "bob").contact(BOB));
    world.run_for(ms(3_500));
    let rings = world.unread(ALICE).iter().filter(|text| text.starts_with("SIP/2.0 180")).count();
    assert_eq!(rings, 4, "once, and again each second");
}

#[test]
fn rfc3261_8_2_2_3_each_trunk_may_ask_for_what_its_own_profile_lets_pass() {
    let mut world = world(3);
    let call = Call::establish_with(&mut world, invite().with("Require", "alpha"), super::common::answer);
    // Bob's profile does not know it, in a dialog and outside.
    world.post(BOB, INSIDE, &call.bob("INVITE", 1).with("Require", "alpha").sdp(&audio(BOB, 6000)));
    let refused = world.expect(BOB, "420");
    assert_eq!(field(&refused, "Unsupported"), "alpha");
    world.post(BOB, INSIDE, &call.bob("ACK", 1).set("Via", &field(&refused, "Via")));
    world.post(BOB, INSIDE, &call.bob("INFO", 2).with("Require", "alpha"));
    world.expect(BOB, "420");
    let other =
        Msg::request("INVITE", &NUMBER.replace("10.0.0.1", "10.1.0.1"), BOB, 1).sdp(&audio(BOB, 6000));
    world.post(BOB, INSIDE, &other.with("Require", "alpha").branch("other"));
    world.expect(BOB, "420");
    let unknown = invite().set("Call-ID", "unknown").branch("unknown").with("Require", "beta");
    world.post(ALICE, OUTSIDE, &unknown);
    world.expect(ALICE, "420");
    call.hang_up(&mut world, 2);
}

#[test]
fn a_challenge_weaker_than_the_trunks_profile_asks_for_gets_nothing() {
    for (algorithm, answered) in [("MD5", false), ("SHA-256", true)] {
        let mut world = world(4);
        let call = Call::establish(&mut world);
        world.post(ALICE, OUTSIDE, &call.alice("BYE", 2));
        let bye = world.expect(BOB, "BYE");
        let challenge = format!("Digest realm=\"office\", nonce=\"n\", qop=\"auth\", algorithm={algorithm}");
        world.post(BOB, INSIDE, &Msg::response(&bye, 401, "").with("WWW-Authenticate", &challenge));
        if answered {
            let again = world.expect(BOB, "BYE");
            assert!(find(&again, "Authorization").is_some());
            world.ok(BOB, INSIDE, &again);
        } else {
            world.expect_no(BOB, "BYE");
        }
        world.must_forget(algorithm);
    }
}
