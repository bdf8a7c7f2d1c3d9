//! Challenges of the far side: answered with the leg's own credentials, and nowhere else.

use super::common::{
    ALICE, BOB, Call, INSIDE, OUTSIDE, World, answer, credential, document, invite, ms, trunk, with_secrets,
};
use super::gate::{digest, parameter};
use b2bua::snapshot::Secrets;
use liaison_tests::message::{Msg, audio, branch, field, find, seq, start, tag};
use std::collections::BTreeMap;

const ELSEWHERE: &str = "10.1.0.66:5060";

/// Liaison knows a password for each trunk, each for a realm of its own.
fn world(seed: u64) -> World {
    let credentials = |realm: &str| {
        format!(
            "credentials = [{{ realm = \"{realm}\", username = \"{realm}-user\", password = {{ env = \"X\" }} }}]"
        )
    };
    let mut secrets = Secrets::default();
    for (name, realm) in [("provider", "carrier"), ("pbx", "office")] {
        let known = [(realm.into(), credential(&format!("{realm}-user"), &format!("{realm}-secret")))];
        secrets.outbound.insert(trunk(name), BTreeMap::from(known));
    }
    with_secrets(&document(&credentials("carrier"), &credentials("office"), ""), secrets, seed)
}

/// A challenge for that realm.
fn demand(realm: &str) -> String {
    format!("Digest realm=\"{realm}\", nonce=\"n-{realm}\", qop=\"auth\", algorithm=SHA-256, opaque=\"o\"")
}

/// Checks that `credentials` answer the challenge of `realm` for the request.
fn check(credentials: &str, realm: &str, request: &str) {
    let get = |name: &str| parameter(credentials, name).unwrap_or_default();
    let uri = start(request).split(' ').nth(1).unwrap();
    assert_eq!(get("uri"), uri);
    assert_eq!(get("realm"), realm);
    assert_eq!(get("username"), format!("{realm}-user"));
    assert_eq!(get("opaque"), "o");
    let method = start(request).split(' ').next().unwrap();
    let expected = digest(true, credentials, &format!("{realm}-secret"), method);
    assert_eq!(get("response"), expected);
}

/// The fields of a challenge and of its answer.
const FIELDS: [(u16, &str, &str); 2] =
    [(401, "WWW-Authenticate", "Authorization"), (407, "Proxy-Authenticate", "Proxy-Authorization")];

/// A call whose BYE reaches the phone at `far`: the BYE and where its answers go.
fn bye_for(world: &mut World, far: &str) -> (String, &'static str) {
    let call = Call::establish(world);
    let to = if far == BOB {
        world.post(ALICE, OUTSIDE, &call.alice("BYE", 2));
        INSIDE
    } else {
        world.post(BOB, INSIDE, &call.bob("BYE", 1));
        OUTSIDE
    };
    (world.expect(far, "BYE"), to)
}

#[test]
fn the_bye_of_either_leg_survives_a_challenge() {
    for (far, realm) in [(BOB, "office"), (ALICE, "carrier")] {
        for (status, asks, answers) in FIELDS {
            let mut world = world(1);
            let (first, to) = bye_for(&mut world, far);
            assert_eq!(find(&first, answers), None, "nothing is shown unasked");
            world.post(far, to, &Msg::response(&first, status, "").with(asks, &demand(realm)));
            let second = world.expect(far, "BYE");
            assert_eq!(seq(&second), seq(&first) + 1);
            assert_ne!(branch(&second), branch(&first));
            for same in ["Call-ID", "From", "To"] {
                assert_eq!(field(&second, same), field(&first, same));
            }
            check(&field(&second, answers), realm, &second);
            world.ok(far, to, &second);
            world.run_for(ms(20));
            let records = world.records.lock().unwrap().clone();
            let (ours, theirs) = (usize::from(far == BOB), usize::from(far != BOB));
            let legs = &records[0].legs;
            assert_eq!(legs[ours].cause, Some("ended by us"));
            assert_eq!(legs[ours].release, Some("released, authenticated"));
            assert_eq!(legs[theirs].release, Some("released by the peer"));
            assert_eq!(records[0].released_by, Some(if far == BOB { "calling" } else { "called" }));
            world.must_forget(&format!("a BYE challenged with {status} at {far}"));
        }
    }
}

#[test]
fn a_bye_that_two_ask_about_answers_both() {
    for (far, realm) in [(BOB, "office"), (ALICE, "carrier")] {
        let mut world = world(2);
        let (first, to) = bye_for(&mut world, far);
        let both = Msg::response(&first, 401, "")
            .with("WWW-Authenticate", &demand(realm))
            .with("Proxy-Authenticate", &demand(realm));
        world.post(far, to, &both);
        let second = world.expect(far, "BYE");
        assert_eq!(seq(&second), seq(&first) + 1);
        for (_, _, answers) in FIELDS {
            check(&field(&second, answers), realm, &second);
        }
        world.ok(far, to, &second);
        world.must_forget("a BYE that two ask about");
    }
}

#[test]
fn a_bye_that_is_challenged_twice_answers_twice() {
    let mut world = world(3);
    let (first, to) = bye_for(&mut world, BOB);
    world.post(BOB, to, &Msg::response(&first, 407, "").with("Proxy-Authenticate", &demand("office")));
    let second = world.expect(BOB, "BYE");
    world.post(BOB, to, &Msg::response(&second, 401, "").with("WWW-Authenticate", &demand("office")));
    let third = world.expect(BOB, "BYE");
    assert_eq!(seq(&third), seq(&first) + 2);
    for (_, _, answers) in FIELDS {
        check(&field(&third, answers), "office", &third);
    }
    world.ok(BOB, to, &third);
    world.must_forget("a BYE that is challenged twice");
}

#[test]
fn the_invite_survives_a_challenge() {
    let mut world = world(4);
    world.post(ALICE, OUTSIDE, &invite());
    let first = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&first, 407, "q").with("Proxy-Authenticate", &demand("office")));
    world.expect(BOB, "ACK");
    let second = world.expect(BOB, "INVITE");
    assert_eq!(seq(&second), seq(&first) + 1);
    check(&field(&second, "Proxy-Authorization"), "office", &second);
    world.post(BOB, INSIDE, &answer(&second));
    let ok = world.expect(ALICE, "200");
    world.expect(BOB, "ACK");
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, &ok));
    world.post(ALICE, OUTSIDE, &Msg::inside("BYE", ALICE, 2, &ok));
    world.expect(ALICE, "200");
    let bye = world.expect(BOB, "BYE");
    world.ok(BOB, INSIDE, &bye);
    world.must_forget("a challenged INVITE");
}

#[test]
fn a_foreign_realm_gets_nothing_and_the_call_ends() {
    // The realm of the other trunk is as foreign as an unheard-of one.
    let foreign =
        [(BOB, "carrier"), (BOB, "Office"), (BOB, "nowhere"), (ALICE, "office"), (ALICE, "nowhere")];
    for (far, realm) in foreign {
        for (status, asks, _) in FIELDS {
            let mut world = world(5);
            let (first, to) = bye_for(&mut world, far);
            world.post(far, to, &Msg::response(&first, status, "").with(asks, &demand(realm)));
            world.expect_no(far, "BYE");
            nothing_shown(&world);
            assert_eq!(world.core.counters().secrets_refused, 1);
            assert_eq!(world.gauges().calls, 0);
            world.must_forget(&format!("a challenge of the foreign realm {realm} at {far}"));
        }
    }
}

#[test]
fn one_of_two_realms_is_not_enough_to_show_the_other() {
    let mut world = world(8);
    let (first, to) = bye_for(&mut world, BOB);
    let both = Msg::response(&first, 401, "")
        .with("WWW-Authenticate", &demand("office"))
        .with("Proxy-Authenticate", &demand("carrier"));
    world.post(BOB, to, &both);
    world.run_for(ms(60));
    for text in world.network.log.iter().map(|d| d.text()) {
        assert!(!text.contains("carrier-user"), "{text}");
    }
    // What came of the half that it may answer is answered like any other BYE.
    for bye in world.unread(BOB).iter().filter(|text| start(text).starts_with("BYE")) {
        world.ok(BOB, to, bye);
    }
    world.must_forget("a foreign realm beside our own");
}

#[test]
fn the_right_realm_in_the_wrong_place_gets_nothing_and_the_call_ends() {
    for (caller, elsewhere, from, realm) in
        [(true, "10.1.0.66:5060", INSIDE, "office"), (false, "10.0.0.66:5060", OUTSIDE, "carrier")]
    {
        for (status, asks, _) in FIELDS {
            let mut world = world(6);
            let call = Call::establish_with(&mut world, invite().contact("10.0.0.66:5060"), |invited| {
                answer(invited).contact("10.1.0.66:5060")
            });
            if caller {
                world.post(ALICE, OUTSIDE, &call.alice("BYE", 2));
            } else {
                world.post(BOB, INSIDE, &call.bob("BYE", 1));
            }
            let bye = world.expect(elsewhere, "BYE");
            world.post(elsewhere, from, &Msg::response(&bye, status, "").with(asks, &demand(realm)));
            world.expect_no(elsewhere, "BYE");
            nothing_shown(&world);
            assert_eq!(world.gauges().calls, 0);
            world.must_forget("a challenge from the wrong place");
        }
    }
}

#[test]
fn a_redirection_target_gets_nothing() {
    let mut world = {
        let text = document(
            "",
            "credentials = [{ realm = \"office\", username = \"u\", password = { env = \"X\" } }]",
            "\n[profiles.default]\nredirects = \"follow\"\n",
        );
        let mut secrets = Secrets::default();
        let known = [("office".into(), credential("u", "p"))];
        secrets.outbound.insert(trunk("pbx"), BTreeMap::from(known));
        with_secrets(&text, secrets, 7)
    };
    world.post(ALICE, OUTSIDE, &invite());
    let invited = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&invited, 302, "moved").contact(ELSEWHERE));
    let moved = world.expect(ELSEWHERE, "INVITE");
    let challenge = Msg::response(&moved, 401, "x").with("WWW-Authenticate", &demand("office"));
    world.post(ELSEWHERE, INSIDE, &challenge);
    world.expect(ELSEWHERE, "ACK");
    let refused = world.expect(ALICE, "403");
    assert_eq!(find(&refused, "WWW-Authenticate"), None, "the challenge was not for the caller");
    world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &invite()).set("To", &field(&refused, "To")));
    nothing_shown(&world);
    world.must_forget("a challenge of a redirection target");
}

/// As [`world`], where Bob is known by name.
fn named_world(seed: u64) -> World {
    let secret = [("office".into(), credential("office-user", "office-secret"))];
    let mut secrets = Secrets::default();
    secrets.outbound.insert(trunk("pbx"), BTreeMap::from(secret));
    let credentials =
        "credentials = [{ realm = \"office\", username = \"office-user\", password = { env = \"X\" } }]";
    let text = document("", credentials, "").replace("sip:10.1.0.2:5060", "sip:pbx.example:5060");
    // Nothing but the name says where Bob is.
    let text = text.replace("from = [\"10.1.0.2\"]", "from = [\"10.1.0.200\"]");
    let mut world = with_secrets(&text, secrets, seed);
    world.names.insert("pbx.example".into(), vec!["10.1.0.2".parse().unwrap()]);
    world
}

/// Alice calls, Bob challenges the INVITE and then answers with that Contact: the call.
fn challenged_call(world: &mut World, contact: &str) -> Call {
    world.post(ALICE, OUTSIDE, &invite());
    let first = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&first, 401, "q").with("WWW-Authenticate", &demand("office")));
    world.expect(BOB, "ACK");
    let invited = world.expect(BOB, "INVITE");
    check(&field(&invited, "Authorization"), "office", &invited);
    world.post(BOB, INSIDE, &answer(&invited).contact(contact));
    let ok = world.expect(ALICE, "200");
    let acked = world.expect(contact, "ACK");
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, &ok));
    world.run_for(ms(20));
    Call { ok, invited, acked }
}

#[test]
fn a_target_that_is_a_name_is_answered_where_the_name_leads() {
    let mut world = named_world(9);
    let call = challenged_call(&mut world, BOB);
    world.post(ALICE, OUTSIDE, &call.alice("BYE", 2));
    let first = world.expect(BOB, "BYE");
    // A nonce that has gone stale is asked for again.
    let stale = format!("{}, stale=true", demand("office").replace("n-office", "n-next"));
    world.post(BOB, INSIDE, &Msg::response(&first, 401, "").with("WWW-Authenticate", &stale));
    let second = world.expect(BOB, "BYE");
    let credentials = field(&second, "Authorization");
    assert_eq!(parameter(&credentials, "nonce").as_deref(), Some("n-next"));
    check(&credentials, "office", &second);
    world.ok(BOB, INSIDE, &second);
    world.must_forget("a trunk that is a name");
}

#[test]
fn a_target_that_is_a_name_is_not_answered_elsewhere() {
    let mut world = named_world(10);
    let call = challenged_call(&mut world, ELSEWHERE);
    world.post(ALICE, OUTSIDE, &call.alice("BYE", 2));
    let first = world.expect(ELSEWHERE, "BYE");
    let next = demand("office").replace("n-office", "n-elsewhere");
    world.post(ELSEWHERE, INSIDE, &Msg::response(&first, 401, "").with("WWW-Authenticate", &next));
    world.expect_no(ELSEWHERE, "BYE");
    for text in world.sent_to(ELSEWHERE) {
        assert!(!text.contains("n-elsewhere"), "{text}");
    }
    assert_eq!(world.core.counters().secrets_refused, 1);
    world.must_forget("a name that does not lead there");
}

#[test]
fn a_challenge_of_the_invite_that_comes_from_elsewhere_shows_nothing_there() {
    let mut world = named_world(12);
    world.post(ALICE, OUTSIDE, &invite());
    let first = world.expect(BOB, "INVITE");
    let challenge = Msg::response(&first, 401, "q").with("WWW-Authenticate", &demand("office"));
    world.post(ELSEWHERE, INSIDE, &challenge);
    // What answers it goes where the name leads.
    world.expect(BOB, "ACK");
    let second = world.expect(BOB, "INVITE");
    assert_eq!(world.sent_to(ELSEWHERE), Vec::<String>::new());
    world.post(BOB, INSIDE, &Msg::response(&second, 486, "bob"));
    world.expect(BOB, "ACK");
    let refused = world.expect(ALICE, "486");
    world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &invite()).set("To", &field(&refused, "To")));
    world.must_forget("a challenge that comes from elsewhere");
}

#[test]
fn the_bye_of_a_late_branch_survives_a_challenge_after_the_call() {
    // The branch answers before the call is over, and after.
    for late in [false, true] {
        let mut world = world(11);
        let call = Call::establish(&mut world);
        if late {
            call.hang_up(&mut world, 2);
        }
        let other = Msg::response(&call.invited, 200, "late").contact(BOB);
        world.post(BOB, INSIDE, &other.sdp(&audio(BOB, 7000)));
        world.expect(BOB, "ACK");
        let first = world.expect(BOB, "BYE");
        if !late {
            call.hang_up(&mut world, 2);
        }
        assert_eq!(world.gauges().calls, 0);
        world.post(BOB, INSIDE, &Msg::response(&first, 401, "").with("WWW-Authenticate", &demand("office")));
        let second = world.expect(BOB, "BYE");
        assert_eq!(tag(&second, "To"), "late");
        assert_eq!(seq(&second), seq(&first) + 1);
        check(&field(&second, "Authorization"), "office", &second);
        world.ok(BOB, INSIDE, &second);
        world.must_forget("a late branch that challenges");
    }
}

/// No credentials were sent to anybody.
fn nothing_shown(world: &World) {
    for text in world.network.log.iter().map(|d| d.text()) {
        assert_eq!(find(&text, "Authorization").or(find(&text, "Proxy-Authorization")), None, "{text}");
    }
}
