//! Dialog information (RFC 4235) of calls that another shard has: its dialogs have the names of the side that is told there too.

use super::common::{ALICE, BOB, INSIDE, OUTSIDE, TWO_SIDES, World, answer, ms, s};
use super::subscriptions::{Watch, dialog_info, subscribe};
use super::transfer::is_quiet;
use b2bua::snapshot::Secrets;
use liaison_tests::message::{Msg, audio, body, field, tag};
use liaison_tests::network::Fate;

/// Alice subscribes to Bob's dialogs.
fn watching(world: &mut World) -> Watch {
    let event = subscribe(70).set("Event", "dialog").set("Accept", "application/dialog-info+xml");
    let mut watch = Watch::ask(world, &event);
    watch.accept(world, "600");
    watch
}

/// Alice calls Bob, who rings: what he got, and what she heard.
fn rings(world: &mut World, n: u32) -> (String, String) {
    world.post(
        ALICE,
        OUTSIDE,
        &Msg::request("INVITE", "sip:+4930@10.0.0.1", ALICE, n).sdp(&audio(ALICE, 4000)),
    );
    let invited = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&invited, 180, "bob").contact(BOB));
    let ringing = world.expect(ALICE, "180");
    (invited, ringing)
}

/// A world of two shards in which one has the subscription, and the other one the call.
fn apart() -> (World, Watch, (String, String)) {
    for seed in 0.. {
        let mut world =
            World::sharded(2, TWO_SIDES, Secrets::default(), Vec::new(), Box::new(|_| Fate::Arrives), seed);
        let watch = watching(&mut world);
        let call = rings(&mut world, 20);
        let both =
            world.cores().any(|core| core.gauges().subscriptions_carried == 1 && core.call_count() == 1);
        if !both {
            return (world, watch, call);
        }
    }
    unreachable!()
}

fn at_bob(invited: &str, state: &str) -> String {
    let names = dialog_info(&field(invited, "Call-ID"), "bob", &tag(invited, "From"), state);
    names.replace("LOCAL", "sip:phone@10.1.0.2").replace("REMOTE", "sip:10.1.0.1:5060")
}

fn at_alice(heard: &str, state: &str) -> String {
    let names = dialog_info(&field(heard, "Call-ID"), &tag(heard, "To"), &tag(heard, "From"), state);
    names.replace("LOCAL", "sip:10.0.0.1:5060").replace("REMOTE", "sip:phone@10.0.0.2:5060")
}

fn telling(watch: &mut Watch, state: &str, document: &str) -> Msg {
    watch.notify(state).body("application/dialog-info+xml", document)
}

fn takes(world: &mut World) -> String {
    let told = world.expect(ALICE, "NOTIFY");
    world.ok(ALICE, OUTSIDE, &told);
    world.expect(BOB, "200");
    body(&told).to_owned()
}

#[test]
fn rfc4235_dialogs_of_another_shard_have_the_names_of_the_side_that_is_told() {
    let (mut world, mut watch, (invited, ringing)) = apart();
    world.post(BOB, INSIDE, &telling(&mut watch, "active;expires=500", &at_bob(&invited, "early")));
    assert_eq!(takes(&mut world), at_alice(&ringing, "early"));
    world.post(BOB, INSIDE, &answer(&invited));
    let ok = world.expect(ALICE, "200");
    world.expect(BOB, "ACK");
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 20, &ok));
    world.run_for(ms(20));
    world.post(BOB, INSIDE, &telling(&mut watch, "active;expires=500", &at_bob(&invited, "confirmed")));
    assert_eq!(takes(&mut world), at_alice(&ok, "confirmed"));
    // One that the other shard does not know crosses as it is, at once.
    let unknown = at_bob(&invited, "confirmed").replace("local-tag=\"bob\"", "local-tag=\"bill\"");
    world.post(BOB, INSIDE, &telling(&mut watch, "active;expires=500", &unknown));
    assert_eq!(takes(&mut world), unknown);
    assert_eq!(world.cores().map(|core| core.counters().notifies_unnamed).sum::<u64>(), 0);
}

#[test]
fn rfc4235_what_another_shard_does_not_say_in_time_crosses_as_it_is_and_in_its_order() {
    let (mut world, mut watch, (invited, _)) = apart();
    world.letters_are_lost = true;
    let told = at_bob(&invited, "early");
    world.post(BOB, INSIDE, &telling(&mut watch, "active;expires=500", &told));
    // It names nothing that anybody would have to be asked for, but comes later.
    let other = dialog_info("nobody's", "bob", "x", "confirmed");
    world.post(BOB, INSIDE, &telling(&mut watch, "active;expires=400", &other));
    world.run_for(ms(1900));
    assert!(is_quiet(&world, ALICE), "it waits for the other shard");
    world.run_for(ms(200));
    assert_eq!(takes(&mut world), told);
    assert_eq!(takes(&mut world), other);
    assert_eq!(world.cores().map(|core| core.counters().notifies_unnamed).sum::<u64>(), 1);
}

#[test]
fn a_last_notify_that_waits_for_another_shard_ends_the_subscription_once_it_has_crossed() {
    let (mut world, mut watch, (invited, ringing)) = apart();
    world.letters_are_lost = true;
    world.post(BOB, INSIDE, &telling(&mut watch, "terminated;reason=noresource", &at_bob(&invited, "early")));
    world.run_for(ms(100));
    assert_eq!(world.gauges().subscriptions_carried, 1);
    world.run_for(s(2));
    assert_eq!(takes(&mut world), at_bob(&invited, "early"));
    world.run_for(ms(50));
    assert_eq!(world.gauges().subscriptions_carried, 0);
    drop(ringing);
}

#[test]
fn a_subscriber_that_goes_while_a_notify_waits_leaves_nothing() {
    let (mut world, mut watch, (invited, _)) = apart();
    world.letters_are_lost = true;
    world.post(BOB, INSIDE, &telling(&mut watch, "active;expires=500", &at_bob(&invited, "early")));
    world.run_for(ms(100));
    let asked = watch.again(&mut world, 90, "0");
    world.post(BOB, INSIDE, &Msg::response(&asked, 200, "").contact(BOB).with("Expires", "0"));
    world.expect(ALICE, "200");
    world.run_for(s(2));
    takes(&mut world);
    let last = telling(&mut watch, "terminated;reason=timeout", &at_bob(&invited, "early"));
    world.post(BOB, INSIDE, &last);
    world.run_for(s(2));
    takes(&mut world);
    world.run_for(ms(50));
    assert_eq!(world.gauges().subscriptions_carried, 0);
}
