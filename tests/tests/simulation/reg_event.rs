//! Users subscribe to what is registered (RFC 3680).

use super::common::{World, s};
use super::users::{
    ALICE, BOB, DESK, DOCUMENT, MOBILE, REGISTRAR, answered_as, bind, on_shards, register, world,
};
use b2bua::shard::Command;
use b2bua::snapshot::Secrets;
use liaison_tests::message::{Msg, body, field, find, start};
use sip::driver::Core as _;
use std::time::Duration;
use tokio::sync::oneshot;

/// A SUBSCRIBE to Bob's registrations, before it is challenged.
fn subscribe(device: &str, seq: u32) -> Msg {
    Msg::request("SUBSCRIBE", BOB, device, seq)
        .set("From", "<sip:bob@example.com>;tag=watch")
        .set("Call-ID", &format!("watch-of-{device}-{seq}"))
        .with("Event", "reg")
}

/// A subscription of a device of Bob's: its 200 and its first NOTIFY, which it has answered.
fn watch(world: &mut World, device: &str, request: &Msg) -> (String, String) {
    let ok = answered_as(world, device, request, "bob");
    assert!(start(&ok).starts_with("200"), "{ok}");
    (ok, told(world, device))
}

/// The next NOTIFY for a device, which answers it.
fn told(world: &mut World, device: &str) -> String {
    told_within(world, device, Duration::from_millis(60))
}

fn told_within(world: &mut World, device: &str, patience: Duration) -> String {
    let notify = world.expect_within(device, "NOTIFY", patience);
    world.ok(device, REGISTRAR, &notify);
    notify
}

/// The value of the first attribute of that name after `from`.
fn attribute(text: &str, from: &str, name: &str) -> String {
    let (_, rest) = text.split_once(from).unwrap_or_else(|| panic!("no {from} in {text}"));
    let (_, rest) = rest.split_once(&format!(" {name}=\"")).unwrap_or_else(|| panic!("no {name} in {text}"));
    rest.split('"').next().unwrap().to_owned()
}

/// Version, extent, state of the registration, and each contact with its event.
fn news(notify: &str) -> (String, String, String, Vec<String>) {
    let text = body(notify);
    let contacts = text.split("<contact ").skip(1).map(|one| {
        let uri = one.split("<uri>").nth(1).unwrap().split("</uri>").next().unwrap();
        format!("{uri} {}", attribute(&format!("<contact {one}"), "<contact", "event"))
    });
    (
        attribute(text, "<reginfo", "version"),
        attribute(text, "<reginfo", "state"),
        attribute(text, "<registration", "state"),
        contacts.collect(),
    )
}

fn is(version: u32, extent: &str, state: &str, contacts: &[&str]) -> (String, String, String, Vec<String>) {
    (version.to_string(), extent.into(), state.into(), contacts.iter().map(|c| (*c).to_owned()).collect())
}

// conforms: RFC3680-4.5-1 RFC3680-5.1-1,2,3,5,6,8,13 RFC5627-4.3-1 RFC5627-5.5-1 RFC6665-3.1.1-2
// conforms: RFC6665-3.2.1-1,2,3 RFC6665-4.1.3-2 RFC6665-4.2.1-1 RFC6665-4.2.1.1-1 RFC6665-8.2.1-3 RFC6665-8.2.3-1 RFC6665-4.2.1.2-1 RFC6665-4.2.2-1,3,4 RFC6665-4.5.1-1
// conforms: RFC6665-8.3.1-1,2
#[test]
fn rfc3680_a_user_is_told_at_once_what_is_bound() {
    for shards in [1, 4] {
        let mut world = on_shards(shards, DOCUMENT);
        bind(&mut world, "bob", DESK, ";q=0.5;+sip.instance=\"<urn:uuid:1>\"");
        let (ok, notify) = watch(&mut world, MOBILE, &subscribe(MOBILE, 1));
        assert_eq!(field(&ok, "Expires"), "3761");
        assert_eq!(field(&ok, "Allow-Events"), "reg");
        assert!(find(&ok, "Event").is_none() && find(&ok, "Subscription-State").is_none(), "{ok}");
        assert_eq!(field(&ok, "Contact"), "<sip:10.0.0.1:5060;gr>");
        assert!(notify.starts_with("NOTIFY sip:phone@10.0.0.4:5060 SIP/2.0\r\n"), "{notify}");
        assert_eq!(field(&notify, "Contact"), "<sip:10.0.0.1:5060;gr>");
        assert_eq!(field(&notify, "Event"), "reg");
        assert_eq!(field(&notify, "Subscription-State"), "active;expires=3761");
        assert_eq!(field(&notify, "Content-Type"), "application/reginfo+xml");
        assert_eq!(field(&notify, "To"), "<sip:bob@example.com>;tag=watch");
        let text = body(&notify);
        let (id, temporary) = (attribute(text, "<contact", "id"), attribute(text, "<gr:temp-gruu", "uri"));
        let expected = format!(
            "<?xml version=\"1.0\"?>\n\
             <reginfo xmlns=\"urn:ietf:params:xml:ns:reginfo\" xmlns:gr=\"urn:ietf:params:xml:ns:gruuinfo\" \
             version=\"0\" state=\"full\">\n\
             \x20 <registration aor=\"sip:bob@example.com\" id=\"r1\" state=\"active\">\n\
             \x20   <contact id=\"{id}\" state=\"active\" event=\"registered\" duration-registered=\"0\" \
             expires=\"3600\" q=\"0.500\" callid=\"registration-of-10.0.0.3:5060\" cseq=\"2\">\n\
             \x20     <uri>sip:line@10.0.0.3:5060</uri>\n\
             \x20     <unknown-param name=\"+sip.instance\">&lt;urn:uuid:1&gt;</unknown-param>\n\
             \x20     <gr:pub-gruu uri=\"sip:bob@example.com;gr=urn:uuid:1\"/>\n\
             \x20     <gr:temp-gruu uri=\"{temporary}\" first-cseq=\"2\"/>\n\
             \x20   </contact>\n\
             \x20 </registration>\n\
             </reginfo>\n"
        );
        assert_eq!(text.replace("&quot;", ""), expected);
        assert_eq!(world.gauges().subscriptions, 1);
    }
}

// conforms: RFC3680-5.1-9,11,14,15 RFC6665-4.2.2-5
#[test]
fn rfc3680_4_10_changes_are_told_in_part_and_no_more_often_than_every_five_seconds() {
    for shards in [1, 4] {
        let mut world = on_shards(shards, DOCUMENT);
        let (_, first) = watch(&mut world, ALICE, &subscribe(ALICE, 1));
        assert_eq!(news(&first), is(0, "full", "init", &[]));
        bind(&mut world, "bob", DESK, "");
        bind(&mut world, "bob", MOBILE, ";expires=60");
        world.expect_no(ALICE, "NOTIFY");
        let second = told_within(&mut world, ALICE, s(5));
        let (desk, mobile) = ("sip:line@10.0.0.3:5060", "sip:line@10.0.0.4:5060");
        let both = [format!("{desk} registered"), format!("{mobile} registered")];
        assert_eq!(news(&second), is(1, "partial", "active", &[&both[0], &both[1]]));
        assert_eq!(attribute(body(&second), "<registration", "id"), "r1");
        // Whose time is over.
        let third = told_within(&mut world, ALICE, s(61));
        assert_eq!(news(&third), is(2, "partial", "active", &[&format!("{mobile} expired")]));
        // The last one goes.
        world.run_for(s(5));
        let gone = register("bob", DESK, 10).set("Contact", "*").with("Expires", "0");
        answered_as(&mut world, DESK, &gone, "bob");
        let fourth = told(&mut world, ALICE);
        assert_eq!(news(&fourth), is(3, "partial", "terminated", &[&format!("{desk} unregistered")]));
        let ids = |text: &str| attribute(body(text), "<contact", "id");
        assert_eq!(ids(&second), ids(&fourth), "a contact keeps its name");
        assert_eq!(world.cores().map(|core| core.counters().notifies).sum::<u64>(), 4);
    }
}

// conforms: RFC6665-3.1.1-3 RFC6665-4.2.1.1-2 RFC6665-4.2.1.4-1
#[test]
fn rfc6665_4_2_1_2_a_refresh_is_proved_and_tells_everything_and_the_end_is_told() {
    let mut world = world(DOCUMENT);
    bind(&mut world, "bob", DESK, "");
    let (ok, _) = watch(&mut world, MOBILE, &subscribe(MOBILE, 1).with("Expires", "600"));
    assert_eq!(field(&ok, "Expires"), "600");
    let inside = |seq: u32, expires: &str| {
        let request = Msg::inside("SUBSCRIBE", MOBILE, seq, &ok).with("Event", "reg");
        request.with("Expires", expires).contact("10.0.0.4:5062")
    };
    let refreshed = answered_as(&mut world, MOBILE, &inside(10, "900"), "bob");
    assert!(start(&refreshed).starts_with("200") && field(&refreshed, "Expires") == "900", "{refreshed}");
    let moved = told(&mut world, "10.0.0.4:5062");
    assert_eq!(news(&moved), is(1, "full", "active", &["sip:line@10.0.0.3:5060 registered"]));
    assert_eq!(field(&moved, "Subscription-State"), "active;expires=900");
    // Somebody else in the same dialog, another package, another id.
    let stolen = answered_as(&mut world, MOBILE, &inside(20, "900"), "alice");
    assert!(start(&stolen).starts_with("403"), "{stolen}");
    for (seq, event, status) in [(30, "presence", "489"), (31, "reg;id=2", "403")] {
        world.post(MOBILE, REGISTRAR, &inside(seq, "900").set("Event", event).branch(&format!("e{seq}")));
        world.expect(MOBILE, status);
    }
    let ended = answered_as(&mut world, MOBILE, &inside(40, "0"), "bob");
    assert_eq!(field(&ended, "Expires"), "0");
    let last = told(&mut world, "10.0.0.4:5062");
    assert_eq!(field(&last, "Subscription-State"), "terminated;reason=timeout");
    world.post(MOBILE, REGISTRAR, &inside(50, "900"));
    world.expect(MOBILE, "481");
    assert_eq!(world.gauges().subscriptions, 0);
    world.must_forget("an ended subscription");
}

// conforms: RFC6665-4.1.3-1
#[test]
fn rfc6665_4_1_3_a_notify_that_belongs_to_nothing_ends_nothing() {
    let mut world = world(DOCUMENT);
    let (ok, _) = watch(&mut world, MOBILE, &subscribe(MOBILE, 1));
    let notify = |seq: u32| {
        let notify = Msg::request("NOTIFY", BOB, MOBILE, seq).with("Event", "reg");
        notify.with("Subscription-State", "terminated;reason=rejected")
    };
    world.post(MOBILE, REGISTRAR, &notify(30).set("To", "<sip:bob@example.com>;tag=nobody"));
    world.expect(MOBILE, "481");
    // Outside a dialog nobody here takes any.
    world.post(MOBILE, REGISTRAR, &notify(31));
    world.expect(MOBILE, "481");
    // In that of a subscription to us neither.
    let inside = Msg::inside("NOTIFY", MOBILE, 32, &ok).with("Event", "reg");
    world.post(MOBILE, REGISTRAR, &inside.with("Subscription-State", "terminated"));
    world.expect(MOBILE, "405");
    assert_eq!(world.gauges().subscriptions, 1);
}

#[test]
fn rfc6665_4_4_3_the_state_is_fetched_once() {
    let mut world = world(DOCUMENT);
    bind(&mut world, "bob", DESK, "");
    let (ok, notify) = watch(&mut world, MOBILE, &subscribe(MOBILE, 1).with("Expires", "0"));
    assert_eq!(field(&ok, "Expires"), "0");
    assert_eq!(field(&notify, "Subscription-State"), "terminated;reason=timeout");
    assert_eq!(news(&notify), is(0, "full", "active", &["sip:line@10.0.0.3:5060 registered"]));
    world.run_for(s(1));
    assert_eq!(world.gauges().subscriptions, 0);
    world.must_forget("a fetch");
}

// conforms: RFC6665-4.5.2-2
#[test]
fn rfc6665_4_2_1_4_what_is_not_refreshed_ends() {
    let mut world = world(DOCUMENT);
    watch(&mut world, MOBILE, &subscribe(MOBILE, 1).with("Expires", "120").set("Event", "reg;id=7"));
    world.run_for(s(119));
    assert_eq!(world.gauges().subscriptions, 1);
    let last = told_within(&mut world, MOBILE, s(2));
    assert_eq!(field(&last, "Subscription-State"), "terminated;reason=timeout");
    assert_eq!(field(&last, "Event"), "reg;id=7");
    world.run_for(s(1));
    assert_eq!(world.gauges().subscriptions, 0);
    world.must_forget("an expired subscription");
}

// conforms: RFC6665-4.2.2-2
#[test]
fn rfc6665_4_2_2_a_notify_that_fails_ends_what_it_must() {
    for (status, ends) in [(481, true), (405, true), (0, true), (500, false), (403, false)] {
        let mut world = world(DOCUMENT);
        let ok = answered_as(&mut world, MOBILE, &subscribe(MOBILE, 1), "bob");
        assert!(start(&ok).starts_with("200"));
        let notify = world.expect(MOBILE, "NOTIFY");
        if status > 0 {
            world.post(MOBILE, REGISTRAR, &Msg::response(&notify, status, ""));
        }
        world.run_for(s(40));
        assert_eq!(world.gauges().subscriptions, usize::from(!ends), "{status}");
        assert_eq!(world.core.counters().notifies_failed, 1, "{status}");
        if ends {
            world.must_forget("a failed NOTIFY");
            continue;
        }
        // It has missed a document: the next one has everything.
        bind(&mut world, "bob", DESK, "");
        let next = told(&mut world, MOBILE);
        assert_eq!(news(&next), is(1, "full", "active", &["sip:line@10.0.0.3:5060 registered"]));
    }
}

// conforms: RFC3680-4.5-3 RFC6665-8.2.1-2
#[test]
fn rfc6665_4_2_1_1_every_refusal_has_its_status() {
    // Where nothing is carried, what is registered is all that there is.
    let alone = "[profiles.default]\ncarry = { forbid_methods = [\"SUBSCRIBE\"] }\n";
    let mut world = world(&format!("{DOCUMENT}{alone}"));
    let plain = |seq| subscribe(MOBILE, seq).branch(&format!("plain-{seq}"));
    world.post(MOBILE, REGISTRAR, &plain(1).uri("sip:bob@example.net"));
    world.expect(MOBILE, "404");
    for (seq, event) in [(2, "presence"), (3, "reg.winfo")] {
        world.post(MOBILE, REGISTRAR, &plain(seq).set("Event", event));
        assert_eq!(field(&world.expect(MOBILE, "489"), "Allow-Events"), "reg");
    }
    world.post(MOBILE, REGISTRAR, &plain(4).without("Event"));
    world.expect(MOBILE, "489");
    let cases = [
        ("alice", plain(5), "403"),
        ("bob", plain(6).uri("sip:eve@example.com"), "403"),
        ("bob", plain(7).uri("sip:bob@example.com;gr=urn:uuid:1"), "404"),
        ("bob", plain(8).with("Accept", "application/pidf+xml"), "406"),
        ("bob", plain(9).with("Expires", "5"), "423"),
        ("bob", plain(10).set("Contact", "*"), "400"),
    ];
    for (user, request, status) in cases {
        let answer = answered_as(&mut world, MOBILE, &request, user);
        assert!(start(&answer).starts_with(status), "{status}: {answer}");
        if status == "423" {
            assert_eq!(field(&answer, "Min-Expires"), "60");
        }
    }
    assert_eq!(world.gauges().subscriptions, 0);
    world.expect_no(MOBILE, "NOTIFY");
    let counters = world.core.counters();
    assert_eq!(
        (counters.subscribes, counters.subscribes_refused, counters.subscribes_challenged),
        (0, 10, 6)
    );
    world.must_forget("refused subscriptions");
}

#[test]
fn as_many_subscribe_as_may() {
    let of_one = DOCUMENT.replace("domains", "subscriptions = 2\ndomains");
    let of_all = format!("{DOCUMENT}\n[limits]\nsubscriptions = 2\n");
    for document in [of_one, of_all] {
        let mut world = world(&document);
        let (ok, _) = watch(&mut world, MOBILE, &subscribe(MOBILE, 1).with("Expires", "100"));
        watch(&mut world, DESK, &subscribe(DESK, 1));
        let refused = answered_as(&mut world, ALICE, &subscribe(ALICE, 1), "bob");
        assert!(start(&refused).starts_with("503"), "{refused}");
        assert_eq!(field(&refused, "Retry-After"), "10");
        assert_eq!(world.core.counters().subscribes_over_limit, 1);
        // One that is there is refreshed all the same, and another's end makes room.
        let inside = Msg::inside("SUBSCRIBE", MOBILE, 10, &ok).with("Event", "reg").with("Expires", "0");
        let ended = answered_as(&mut world, MOBILE, &inside, "bob");
        assert!(start(&ended).starts_with("200"), "{ended}");
        told(&mut world, MOBILE);
        world.run_for(s(1));
        watch(&mut world, ALICE, &subscribe(ALICE, 20));
        assert_eq!(world.gauges().subscriptions, 2);
    }
}

#[test]
fn a_watcher_of_the_configuration_sees_all_but_temporary_gruus() {
    let mut world = world(&DOCUMENT.replace("domains", "watchers = [\"alice\"]\ndomains"));
    bind(&mut world, "bob", DESK, ";+sip.instance=\"<urn:uuid:1>\"");
    let ok = answered_as(&mut world, ALICE, &subscribe(ALICE, 1), "alice");
    assert!(start(&ok).starts_with("200"), "{ok}");
    let notify = told(&mut world, ALICE);
    assert!(notify.contains("<gr:pub-gruu ") && !notify.contains("temp-gruu"), "{notify}");
}

#[test]
fn a_subscriber_with_a_gruu_of_ours_is_told_on_the_flow_of_its_subscribe() {
    let mut world = world(DOCUMENT);
    let request = subscribe(MOBILE, 1).set("Contact", "<sip:bob@example.com;gr=urn:uuid:1>");
    let (ok, notify) = watch(&mut world, MOBILE, &request);
    assert!(notify.starts_with("NOTIFY sip:bob@example.com;gr=urn:uuid:1 SIP/2.0\r\n"), "{notify}");
    let moved = "10.0.0.5:5060";
    let inside = Msg::inside("SUBSCRIBE", moved, 10, &ok).with("Event", "reg");
    let inside = inside.set("Contact", "<sip:bob@example.com;gr=urn:uuid:1>");
    answered_as(&mut world, moved, &inside, "bob");
    told(&mut world, moved);
}

#[test]
fn an_operator_ends_what_is_bound_and_the_subscriber_hears_it() {
    let mut world = world(DOCUMENT);
    bind(&mut world, "bob", DESK, "");
    watch(&mut world, MOBILE, &subscribe(MOBILE, 1));
    world.run_for(s(6));
    let aor = sip::registration::server::Aor::from_kept("bob@example.com");
    let (ask, mut list) = oneshot::channel();
    world.command(Command::Subscriptions(aor.clone(), ask));
    let list = list.try_recv().unwrap();
    assert_eq!((list.len(), &*list[0].user, list[0].notifications), (1, "bob", 1));
    assert_eq!(list[0].source.to_string(), MOBILE);
    let (ask, _answer) = oneshot::channel();
    world.command(Command::EndRegistration(aor, ask));
    let notify = told(&mut world, MOBILE);
    assert_eq!(news(&notify), is(1, "partial", "terminated", &["sip:line@10.0.0.3:5060 deactivated"]));
}

#[test]
fn a_node_that_drains_sends_its_subscribers_elsewhere() {
    let mut world = world(DOCUMENT);
    watch(&mut world, MOBILE, &subscribe(MOBILE, 1));
    watch(&mut world, DESK, &subscribe(DESK, 1));
    world.command(Command::Drain(s(10)));
    let last = told(&mut world, MOBILE);
    assert_eq!(field(&last, "Subscription-State"), "terminated;reason=deactivated");
    world.post(MOBILE, REGISTRAR, &subscribe(MOBILE, 5));
    assert_eq!(field(&world.expect(MOBILE, "503"), "Retry-After"), "10");
    // Who does not answer is waited for no longer than any NOTIFY is.
    world.expect(DESK, "NOTIFY");
    assert_eq!(world.gauges().subscriptions, 1);
    world.run_for(s(33));
    assert_eq!(world.gauges().subscriptions, 0);
    let now = world.now;
    assert!(world.core.handle_wake(now).is_break(), "nothing is left");
}

#[test]
fn who_is_not_in_the_configuration_any_more_is_not_told_any_more() {
    let other = DOCUMENT.replace("users = [\"bob\"]", "users = [\"alice\"]");
    let without = DOCUMENT.replace(", { address = \"bob@example.com\", users = [\"bob\"] }", "");
    for (document, reason) in [(other, "rejected"), (without, "noresource")] {
        let mut world = world(DOCUMENT);
        watch(&mut world, MOBILE, &subscribe(MOBILE, 1));
        world.reload(&document, Secrets::default());
        let last = told(&mut world, MOBILE);
        assert_eq!(field(&last, "Subscription-State"), format!("terminated;reason={reason}"));
        world.run_for(s(1));
        assert_eq!(world.gauges().subscriptions, 0);
    }
}

// conforms: RFC6665-4.4.4-1
#[test]
fn a_registrar_says_what_it_notifies_of() {
    let mut world = world(DOCUMENT);
    let options =
        Msg::request("OPTIONS", "sip:example.com", ALICE, 1).set("From", "<sip:alice@example.com>;tag=a");
    let ok = answered_as(&mut world, ALICE, &options, "alice");
    assert_eq!(field(&ok, "Allow-Events"), "reg");
    assert!(field(&ok, "Allow").ends_with("SUBSCRIBE, REGISTER"), "{ok}");
    assert!(find(&ok, "Contact").is_none(), "{ok}");
}
