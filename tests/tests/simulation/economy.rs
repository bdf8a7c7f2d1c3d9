//! A basic call takes on each leg the messages that RFC 3261 asks for, and none more.

use super::common::{ALICE, BOB, Call, INSIDE, OUTSIDE, TWO_SIDES, World, by_hand, ms};
use liaison_tests::ladder::arrows;
use liaison_tests::network::Datagram;

/// What went between two addresses.
fn between(world: &World, one: &str, other: &str) -> String {
    let (one, other) = (one.parse().unwrap(), other.parse().unwrap());
    let of = |d: &&Datagram| [(one, other), (other, one)].contains(&(d.from, d.to));
    let log: Vec<Datagram> = world.network.log.iter().filter(of).cloned().collect();
    let names = [(ALICE, "Alice"), (OUTSIDE, "Liaison"), (INSIDE, "Liaison"), (BOB, "Bob")];
    arrows(&log, &names)
}

#[test]
fn a_basic_call_takes_the_least_messages_on_each_leg() {
    let mut world = by_hand(TWO_SIDES, 1);
    let call = Call::establish(&mut world);
    // What is not needed would come within a minute.
    world.run_for(ms(60_000));
    call.hang_up(&mut world, 2);
    insta::assert_snapshot!(between(&world, ALICE, OUTSIDE), @r"
    F1  Alice -> Liaison  INVITE  (1 INVITE)
    F2  Liaison -> Alice  100 Trying  (1 INVITE)
    F3  Liaison -> Alice  180 Whatever  (1 INVITE)
    F4  Liaison -> Alice  200 OK  (1 INVITE)
    F5  Alice -> Liaison  ACK  (1 ACK)
    F6  Alice -> Liaison  BYE  (2 BYE)
    F7  Liaison -> Alice  200 OK  (2 BYE)
    ");
    // This one sends no 100.
    insta::assert_snapshot!(between(&world, BOB, INSIDE), @r"
    F1  Liaison -> Bob  INVITE  (1 INVITE)
    F2  Bob -> Liaison  180 Whatever  (1 INVITE)
    F3  Bob -> Liaison  200 Whatever  (1 INVITE)
    F4  Liaison -> Bob  ACK  (1 ACK)
    F5  Liaison -> Bob  BYE  (2 BYE)
    F6  Bob -> Liaison  200 Whatever  (2 BYE)
    ");
    world.must_forget("a basic call");
}
