//! A registered user whom another shard has called stays that user: another device of its own may take its place.

use super::common::{World, ms, s};
use super::transfer::{accepted, notified};
use super::users::{self, ALICE, DESK, DOCUMENT, MOBILE, REGISTRAR, bind};
use b2bua::shard::Core;
use liaison_tests::message::{Msg, audio, field, tag};

/// Whom Alice calls, of a trunk.
const DAVE: &str = "10.0.0.8:5060";

fn document() -> String {
    let trunk =
        "\n[trunks.dave]\nnetwork = \"phones\"\ntargets = [\"sip:10.0.0.8:5060\"]\nfrom = [\"10.0.0.8\"]\n";
    let route = "[[routes]]\nname = \"dave\"\ncalled = [\"+4940*\"]\nto = [\"dave\"]\n\n[[routes]]";
    DOCUMENT.replacen("[[routes]]", route, 1) + trunk
}

/// Bob calls Alice from his desk, and she calls Dave, in another shard: what she was asked, and her 200; what Bob got.
fn apart() -> (World, String, String, String) {
    for n in 0.. {
        let mut world = users::on_shards(2, &document());
        bind(&mut world, "alice", ALICE, "");
        let invite = Msg::request("INVITE", "sip:alice@example.com", DESK, 50)
            .set("From", "<sip:bob@example.com>;tag=bob")
            .set("Call-ID", &format!("bob-{n}"))
            .sdp(&audio(DESK, 6000));
        users::prove_as(&mut world, DESK, &invite, "bob");
        let rang = world.expect(ALICE, "INVITE");
        let answer = Msg::response(&rang, 200, "alice").contact(ALICE).sdp(&audio(ALICE, 4002));
        world.post(ALICE, REGISTRAR, &answer);
        let bobs = world.expect(DESK, "200");
        world.post(DESK, REGISTRAR, &Msg::inside("ACK", DESK, 51, &bobs));
        world.expect(ALICE, "ACK");
        users::call(&mut world, "sip:+4940@example.com");
        let called = world.expect(DAVE, "INVITE");
        let answer = Msg::response(&called, 200, "dave").contact(DAVE).sdp(&audio(DAVE, 7000));
        world.post(DAVE, REGISTRAR, &answer);
        world.expect(DAVE, "ACK");
        let ok = world.expect(ALICE, "200");
        world.post(ALICE, REGISTRAR, &Msg::inside("ACK", ALICE, 2, &ok));
        world.run_for(ms(20));
        if world.cores().map(Core::call_count).collect::<Vec<_>>() == [1, 1] {
            return (world, rang, ok, bobs);
        }
    }
    unreachable!()
}

/// Phones answer what they are asked, for as long as that.
fn settle(world: &mut World, phones: &[&str]) {
    for _ in 0..40 {
        world.run_for(ms(100));
        for at in phones {
            let heard = world.unread(at);
            for method in ["INVITE", "BYE", "NOTIFY"] {
                if heard.iter().any(|text| text.starts_with(method)) {
                    let asked = world.expect(at, method);
                    let ok = Msg::response(&asked, 200, "").contact(at);
                    let ok = if method == "INVITE" { ok.sdp(&audio(at, 7000)) } else { ok };
                    world.post(at, REGISTRAR, &ok);
                }
            }
        }
    }
}

#[test]
fn rfc3891_8_another_device_of_a_user_takes_its_place_whom_another_shard_has_called() {
    let (mut world, rang, ok, bobs) = apart();
    let call_id = field(&rang, "Call-ID").replace('@', "%40").replace(':', "%3A");
    let replaces = format!("Replaces={call_id}%3Bto-tag%3D{}%3Bfrom-tag%3Dalice", tag(&rang, "From"));
    let refer = Msg::inside("REFER", ALICE, 9, &ok).set("From", "<sip:alice@example.com>;tag=a");
    world.post(ALICE, REGISTRAR, &refer.with("Refer-To", &format!("<sip:bob@example.com?{replaces}>")));
    accepted(&mut world, ALICE, REGISTRAR);
    let invited = world.expect(DESK, "INVITE");
    assert!(field(&invited, "Replaces").starts_with("bob-"), "{invited}");
    world.post(DESK, REGISTRAR, &Msg::response(&invited, 200, "desk").contact(DESK).sdp(&audio(DESK, 6002)));
    world.expect(DESK, "ACK");
    assert_eq!(notified(&mut world, ALICE, REGISTRAR).1, "SIP/2.0 200 OK");
    world.post(DESK, REGISTRAR, &Msg::inside("BYE", DESK, 60, &bobs));
    settle(&mut world, &[ALICE, DAVE, DESK]);
    assert_eq!(world.gauges().calls, 1);
    let value = format!("{};to-tag={};from-tag=desk", field(&invited, "Call-ID"), tag(&invited, "From"));
    let taking = |n: u32| {
        let invite = Msg::request("INVITE", "sip:10.0.0.1:5060", MOBILE, n).sdp(&audio(MOBILE, 6004));
        invite.with("Replaces", &value).with("Require", "replaces")
    };
    // Not Alice's.
    let hers = taking(70).set("From", "<sip:alice@example.com>;tag=mobile");
    users::prove_as(&mut world, MOBILE, &hers, "alice");
    world.expect(MOBILE, "403");
    users::prove_as(&mut world, MOBILE, &taking(80).set("From", "<sip:bob@example.com>;tag=m"), "bob");
    let offered = world.expect(DAVE, "INVITE");
    world.post(DAVE, REGISTRAR, &Msg::response(&offered, 200, "").contact(DAVE).sdp(&audio(DAVE, 7000)));
    world.expect(MOBILE, "200");
    let bye = world.expect_within(DESK, "BYE", s(1));
    assert_eq!(field(&bye, "Call-ID"), field(&invited, "Call-ID"));
}
