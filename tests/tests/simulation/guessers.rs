//! Who guesses passwords shuts out neither the devices that are registered nor the other users of its address.

use super::common::{World, s};
use super::gate::answer_to;
use super::users::{ALICE, DESK, DOCUMENT, REGISTRAR, bind, challenges, register, world};
use liaison_tests::message::{Msg, audio, field, start};
use std::time::Duration;

/// Beside Bob's desk phone, at its address.
const GUESSER: &str = "10.0.0.3:6666";
/// So is Alice here.
const NEIGHBOUR: &str = "10.0.0.3:7777";

fn guessing() -> World {
    world(&(DOCUMENT.to_owned() + "\n[guessing]\nfree = 3\nrefuse_after = 8\n[guard]\nenabled = false\n"))
}

/// What a REGISTER for Bob with that password comes to.
fn guess(world: &mut World, challenges: &[String], from: &str, seq: u32, password: &str) -> String {
    let credentials = answer_to(challenges, true, "bob", password, "REGISTER", "sip:example.com");
    let cnonce = format!("cnonce=\"c{seq}\"");
    let credentials = match password {
        "wonderland" => credentials,
        _ => credentials.replace("cnonce=\"c1\"", &cnonce),
    };
    let attempt =
        register("bob", from, seq).branch(&format!("guess-{seq}")).with("Authorization", &credentials);
    world.post(from, REGISTRAR, &attempt);
    let heard = world.expect(from, "");
    start(&heard).split(' ').next().unwrap_or_default().to_owned()
}

fn challenged(world: &mut World, from: &str) -> Vec<String> {
    world.post(from, REGISTRAR, &register("bob", from, 1));
    challenges(&world.expect(from, "401"))
}

/// An OPTIONS of a user's, which is asked for a password as a call is.
fn asks(world: &mut World, from: &str, user: &str, seq: u32) {
    let options = Msg::request("OPTIONS", "sip:example.com", from, seq)
        .set("From", &format!("<sip:{user}@example.com>;tag=o"))
        .set("Call-ID", &format!("ask-{from}-{seq}"));
    super::users::answered_as(world, from, &options, user);
}

#[test]
fn ten_thousand_guesses_leave_bindings_their_refreshes_and_other_users_of_the_address_alone() {
    let mut world = guessing();
    bind(&mut world, "bob", DESK, "");
    let asked = challenged(&mut world, GUESSER);
    for n in 0..10_000 {
        // At first it has patience, and waits for what each costs.
        world.run_for(if n < 8 { s(64) } else { Duration::ZERO });
        let status = guess(&mut world, &asked, GUESSER, n + 2, &format!("guess{n}"));
        assert_eq!(status, if n < 8 { "401" } else { "403" }, "{n}");
        if n % 1_000 == 999 {
            asks(&mut world, NEIGHBOUR, "alice", 100 + n);
        }
        world.network.log.clear();
    }
    let again = challenged(&mut world, GUESSER);
    assert_eq!(
        guess(&mut world, &again, GUESSER, 20_000, "wonderland"),
        "403",
        "the right one is no help there"
    );
    assert_eq!(world.gauges().bindings, 1);
    // The phone itself goes on: it refreshes, and is called.
    let refresh = register("bob", DESK, 10).set("Contact", &format!("<sip:line@{DESK}>"));
    let ok = super::users::answered_as(&mut world, DESK, &refresh, "bob");
    assert!(start(&ok).starts_with("200"), "{ok}");
    asks(&mut world, DESK, "bob", 30);
    let invite = Msg::request("INVITE", "sip:bob@example.com", ALICE, 1)
        .set("From", "<sip:alice@example.com>;tag=a")
        .sdp(&audio(ALICE, 4000));
    world.post(ALICE, REGISTRAR, &invite);
    let challenge = world.expect(ALICE, "401");
    world.post(ALICE, REGISTRAR, &Msg::of_invite("ACK", &invite).set("To", &field(&challenge, "To")));
    let credentials =
        answer_to(&challenges(&challenge), true, "alice", "wonderland", "INVITE", "sip:bob@example.com");
    world.post(
        ALICE,
        REGISTRAR,
        &invite.set("CSeq", "2 INVITE").branch("call-2").with("Authorization", &credentials),
    );
    world.expect(DESK, "INVITE");
    world.run_for(s(1));
}
