//! Sessions of RFC 3665 §3. A middle takes the place of the proxies: what they do by Record-Route, it does by being both ends.

use super::parts::{
    ALICE, BOB, Flow, NUMBER, Played, Side, Stage, World, accepts, answer, answers, bye, call, described,
    failed, flows, invite, leaves, printed, refuses, rings, s, two, world,
};
use b2bua::snapshot::Secrets;
use config::{Config, TrunkName};
use liaison_tests::message::{Msg, body, field, seq};
use liaison_tests::network::Weather;
use liaison_tests::world::TWO_SIDES;
use sip::auth::{Credential, Secret};
use std::collections::BTreeMap;
use std::sync::Arc;

flows! {
    rfc3665_3_1_successful_session_establishment in two,
    rfc3665_3_2_session_establishment_through_two_proxies in two,
    rfc3665_3_3_session_establishment_with_a_proxy_that_authenticates in authenticating,
    rfc3665_3_4_session_with_a_failure_of_the_first_proxy in with_a_dead_proxy,
    rfc3665_3_5_session_through_an_alg in two,
    rfc3665_3_6_session_by_redirection_with_the_description_in_the_ack in two,
    rfc3665_3_7_session_with_another_address in two,
    rfc3665_3_8_unsuccessful_no_answer in two,
    rfc3665_3_9_unsuccessful_busy in two,
    rfc3665_3_10_unsuccessful_no_response_from_the_user_agent in two,
    rfc3665_3_11_unsuccessful_temporarily_unavailable in two,
}

fn rfc3665_3_1_successful_session_establishment(stage: &mut Stage) -> Played {
    let (alice, mut bob) = call(stage, ALICE, NUMBER, BOB)?;
    bye(stage, &mut bob, &alice)
}

/// A proxy before each phone, which stays in the dialog; the nearer one of two is that of the phone's address.
fn rfc3665_3_2_session_establishment_through_two_proxies(stage: &mut Stage) -> Played {
    let ours = |msg: Msg| msg.with("Record-Route", "<sip:10.0.0.2:5060;lr>");
    let theirs = |msg: Msg| msg.with("Record-Route", "<sip:10.1.0.2:5060;lr>");
    let invite = ours(invite(stage, ALICE, NUMBER)).contact("client.atlanta.example.com");
    stage.send(ALICE, &invite);
    let invited = stage.get(BOB, "INVITE")?;
    let ringing = Msg::response(&invited, 180, "bob").phrase("Ringing").contact("client.biloxi.example.com");
    stage.send(BOB, &theirs(ringing));
    stage.hear(ALICE, "180")?;
    stage.send(BOB, &theirs(answer(BOB, &invited).contact("client.biloxi.example.com")));
    let ok = stage.get(ALICE, "200 INVITE")?;
    let alice = Side::calling(ALICE, &ok);
    stage.send(ALICE, &alice.ack(seq(&ok)));
    let ack = stage.get(BOB, "ACK")?;
    assert_eq!(field(&ack, "Route"), "<sip:10.1.0.2:5060;lr>");
    assert!(ack.starts_with("ACK sip:phone@client.biloxi.example.com SIP/2.0"), "{ack}");
    let mut bob = Side::called(BOB, &invited, "bob");
    bye(stage, &mut bob, &alice)
}

/// The trunk of that name: names come from configurations only.
fn trunk(name: &str) -> TrunkName {
    let config = Config::parse("names.toml", TWO_SIDES).unwrap_or_else(|errors| panic!("{errors}"));
    config.trunks.keys().find(|trunk| trunk.as_str() == name).unwrap().clone()
}

fn authenticating(weather: Weather) -> World {
    let lines = "from = [\"10.1.0.2\"]\ncredentials = [{ realm = \"biloxi.example.com\", username = \"liaison\", password = { env = \"X\" } }]";
    let document = TWO_SIDES.replace("from = [\"10.1.0.2\"]", lines);
    let credential = Arc::new(Credential::new("liaison", Secret::password("wf84f1")));
    let mut secrets = Secrets::default();
    secrets.outbound.insert(trunk("pbx"), BTreeMap::from([("biloxi.example.com".into(), credential)]));
    World::with_secrets(&document, secrets, Vec::new(), weather, 3)
}

fn rfc3665_3_3_session_establishment_with_a_proxy_that_authenticates(stage: &mut Stage) -> Played {
    let invite = invite(stage, ALICE, NUMBER);
    stage.send(ALICE, &invite);
    let invited = stage.get(BOB, "INVITE")?;
    let challenge = "Digest realm=\"biloxi.example.com\", qop=\"auth\", nonce=\"f84f1cec41e6cbe5aea9c8e88d359\", opaque=\"\", stale=FALSE, algorithm=MD5";
    let asked = Msg::response(&invited, 407, "ss2").phrase("Proxy Authorization Required");
    stage.send(BOB, &asked.with("Proxy-Authenticate", challenge));
    stage.get(BOB, "ACK")?;
    let invited = stage.get(BOB, "INVITE")?;
    rings(stage, BOB, ALICE, &invited)?;
    let (mut alice, bob) = answers(stage, BOB, ALICE, &invited)?;
    bye(stage, &mut alice, &bob)
}

fn with_a_dead_proxy(weather: Weather) -> World {
    let targets = "[\"sip:10.1.0.9:5060\", \"sip:10.1.0.2:5060\"]";
    world(&TWO_SIDES.replace("[\"sip:10.1.0.2:5060\"]", targets), weather)
}

/// The first one is silent for as long as a target may be.
fn rfc3665_3_4_session_with_a_failure_of_the_first_proxy(stage: &mut Stage) -> Played {
    stage.deaf("10.1.0.9:5060");
    let invite = invite(stage, ALICE, NUMBER);
    stage.send(ALICE, &invite);
    let invited = stage.get_within(BOB, "INVITE", s(40))?;
    rings(stage, BOB, ALICE, &invited)?;
    let (alice, mut bob) = answers(stage, BOB, ALICE, &invited)?;
    bye(stage, &mut bob, &alice)
}

/// Alice's way to us is in a Route of hers.
fn rfc3665_3_5_session_through_an_alg(stage: &mut Stage) -> Played {
    let invite = invite(stage, ALICE, "sip:+4930@biloxi.example.com").with("Route", "<sip:10.0.0.1;lr>");
    stage.send(ALICE, &invite);
    let invited = stage.get(BOB, "INVITE")?;
    assert!(!invited.contains("\r\nRoute:"), "{invited}");
    rings(stage, BOB, ALICE, &invited)?;
    let (mut alice, bob) = answers(stage, BOB, ALICE, &invited)?;
    bye(stage, &mut alice, &bob)
}

/// Alice was redirected to us; she describes nothing before the ACK.
fn rfc3665_3_6_session_by_redirection_with_the_description_in_the_ack(stage: &mut Stage) -> Played {
    let number = stage.number();
    stage.send(ALICE, &Msg::request("INVITE", NUMBER, ALICE, number));
    let invited = stage.get(BOB, "INVITE")?;
    assert!(body(&invited).is_empty(), "{invited}");
    rings(stage, BOB, ALICE, &invited)?;
    stage.send(BOB, &answer(BOB, &invited));
    let ok = stage.get(ALICE, "200 INVITE")?;
    let alice = Side::calling(ALICE, &ok);
    stage.send(ALICE, &alice.ack(number).sdp(&described(ALICE, 4010, 1, "")));
    let ack = stage.get(BOB, "ACK")?;
    assert!(body(&ack).contains("m=audio"), "{ack}");
    bye(stage, &mut Side::called(BOB, &invited, "bob"), &alice)
}

/// Bob's media is elsewhere, and so is he: what is sent to him from then on goes to his new Contact.
fn rfc3665_3_7_session_with_another_address(stage: &mut Stage) -> Played {
    let (mut alice, mut bob) = call(stage, ALICE, NUMBER, BOB)?;
    let moved = bob.sdp("").replace("10.1.0.2", "10.1.0.3");
    let asks = || bob.request("INVITE").set("Contact", "<sip:moved@10.1.0.2:5060>").sdp(&moved);
    let asked = stage.insist(BOB, asks, (ALICE, "INVITE"))?;
    accepts(stage, &mut alice, &asked);
    let ok = stage.get(BOB, "200 INVITE")?;
    stage.send(BOB, &bob.ack(seq(&ok)));
    stage.get(ALICE, "ACK")?;
    leaves(stage, &mut alice)?;
    let bye = stage.get_within(BOB, "BYE", s(3))?;
    assert!(bye.starts_with("BYE sip:moved@10.1.0.2:5060 "), "{bye}");
    stage.ok(BOB, &bye);
    Ok(())
}

fn rfc3665_3_8_unsuccessful_no_answer(stage: &mut Stage) -> Played {
    let invite = invite(stage, ALICE, NUMBER);
    stage.send(ALICE, &invite);
    let invited = stage.get(BOB, "INVITE")?;
    rings(stage, BOB, ALICE, &invited)?;
    stage.send(ALICE, &Msg::of_invite("CANCEL", &invite));
    stage.get(ALICE, "200 CANCEL")?;
    failed(stage, &invite, "487")?;
    let cancel = stage.get(BOB, "CANCEL")?;
    stage.ok(BOB, &cancel);
    stage.send(BOB, &Msg::response(&invited, 487, "bob").phrase("Request Terminated"));
    stage.get(BOB, "ACK").map(drop)
}

fn rfc3665_3_9_unsuccessful_busy(stage: &mut Stage) -> Played {
    let invite = invite(stage, ALICE, NUMBER);
    stage.send(ALICE, &invite);
    let invited = stage.get(BOB, "INVITE")?;
    refuses(stage, BOB, &invited, (486, "Busy Here"), &invite)
}

fn rfc3665_3_10_unsuccessful_no_response_from_the_user_agent(stage: &mut Stage) -> Played {
    stage.deaf(BOB);
    let invite = invite(stage, ALICE, NUMBER);
    stage.send(ALICE, &invite);
    failed(stage, &invite, "408")
}

fn rfc3665_3_11_unsuccessful_temporarily_unavailable(stage: &mut Stage) -> Played {
    let invite = invite(stage, ALICE, NUMBER);
    stage.send(ALICE, &invite);
    let invited = stage.get(BOB, "INVITE")?;
    rings(stage, BOB, ALICE, &invited)?;
    refuses(stage, BOB, &invited, (480, "Temporarily Unavailable"), &invite)
}
