//! Subscriptions carried from one side to the other (RFC 6665): Alice subscribes, Bob tells.

use super::common::{ALICE, BOB, INSIDE, NUMBER, OUTSIDE, TWO_SIDES, World, by_hand, document, ms, s};
use super::users::{self, DESK, MOBILE, REGISTRAR};
use b2bua::shard::Command;
use b2bua::snapshot::Secrets;
use liaison_tests::message::{Msg, body, field, find, seq, start, tag, uri_in};
use liaison_tests::network::Fate;

const PIDF: &str = "<?xml version=\"1.0\"?>\r\n<presence entity=\"pres:bob@example.com\"><tuple id=\"\u{3c0}\"/></presence>\n";

pub fn subscribe(n: u32) -> Msg {
    Msg::request("SUBSCRIBE", NUMBER, ALICE, n)
        .with("Event", "presence")
        .with("Accept", "application/pidf+xml")
        .with("Expires", "600")
}

/// A subscription under way.
pub struct Watch {
    /// What Bob was asked.
    asked: String,
    /// What Alice got for it.
    ok: String,
    /// What she was told first, if anything.
    told: String,
    /// The number of Bob's last request.
    count: u32,
}

impl Watch {
    /// Alice's SUBSCRIBE as it comes to Bob.
    pub fn ask(world: &mut World, request: &Msg) -> Self {
        world.post(ALICE, OUTSIDE, request);
        let asked = world.expect(BOB, "SUBSCRIBE");
        Self { asked, ok: String::new(), told: String::new(), count: 0 }
    }

    /// Bob accepts, tells, and Alice has heard it.
    fn begin(world: &mut World) -> Self {
        Self::begin_with(world, &subscribe(1))
    }

    fn begin_with(world: &mut World, request: &Msg) -> Self {
        let mut watch = Self::ask(world, request);
        watch.accept(world, "600");
        watch.tell(world, "active;expires=600");
        assert_eq!(world.gauges().subscriptions_carried, 1);
        watch
    }

    /// Bob's 200.
    pub fn accept(&mut self, world: &mut World, expires: &str) {
        let ok = Msg::response(&self.asked, 200, "bob").contact(BOB).with("Expires", expires);
        world.post(BOB, INSIDE, &ok);
        self.ok = world.expect(ALICE, "200");
    }

    /// A NOTIFY of Bob's.
    pub fn notify(&mut self, state: &str) -> Msg {
        self.count += 1;
        let from = format!("{};tag=bob", field(&self.asked, "To").split(";tag=").next().unwrap());
        let notify = Msg::inside("NOTIFY", BOB, self.count, &self.asked).set("From", &from);
        let notify = notify.branch(&format!("notify-{}-{}", field(&self.asked, "Call-ID"), self.count));
        notify
            .with("Event", &field(&self.asked, "Event"))
            .with("Subscription-State", state)
            .body("application/pidf+xml", PIDF)
    }

    /// Bob tells Alice, who takes it.
    pub fn tell(&mut self, world: &mut World, state: &str) -> String {
        let notify = self.notify(state);
        world.post(BOB, INSIDE, &notify);
        let told = world.expect(ALICE, "NOTIFY");
        world.ok(ALICE, OUTSIDE, &told);
        assert!(start(&world.expect(BOB, "200")).starts_with("200"));
        self.told.clone_from(&told);
        told
    }

    /// A SUBSCRIBE of Alice's in the dialog, and what came of it at Bob.
    pub fn again(&mut self, world: &mut World, n: u32, expires: &str) -> String {
        world.post(ALICE, OUTSIDE, &self.inside(n, expires));
        world.expect(BOB, "SUBSCRIBE")
    }

    fn inside(&self, n: u32, expires: &str) -> Msg {
        Msg::inside("SUBSCRIBE", ALICE, n, &self.ok)
            .with("Event", &field(&self.asked, "Event"))
            .with("Expires", expires)
    }
}

/// Bob's answer to a refresh.
fn granted(asked: &str, expires: &str) -> Msg {
    Msg::response(asked, 200, "").contact(BOB).with("Expires", expires)
}

// conforms: RFC6665-3.1.2-1 RFC6665-4.1.3-2 RFC6665-4.5.1-1 RFC6665-4.5.2-2,3
#[test]
fn rfc6665_a_subscription_is_one_of_each_side_and_what_is_told_crosses() {
    let mut world = by_hand(TWO_SIDES, 1);
    let request = subscribe(1)
        .set("Event", "presence;id=7;x=y")
        .with("X-Keep", "yes")
        .body("application/x-filter", "f");
    let mut watch = Watch::ask(&mut world, &request);
    insta::assert_snapshot!(watch.asked.replace('\r', ""), @r#"
    SUBSCRIBE sip:+4930@10.1.0.2:5060 SIP/2.0
    Via: SIP/2.0/UDP 10.1.0.1:5060;branch=z9hG4bKb8j54q3j6cg37;rport;oc;oc-algo="loss"
    Max-Forwards: 69
    From: <sip:phone@10.0.0.2:5060>;tag=16q4g4jxdh229
    To: <sip:+4930@10.0.0.1>
    Call-ID: 73vxrj5mdwtxbyan4kxvx2x4hf
    CSeq: 1 SUBSCRIBE
    Contact: <sip:10.1.0.1:5060>
    User-Agent: Liaison
    Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, REFER, NOTIFY, INFO, MESSAGE, PUBLISH, SUBSCRIBE
    Accept: application/pidf+xml
    Expires: 600
    Event: presence;id=7;x=y
    X-Keep: yes
    Max-Breadth: 60
    Supported: timer
    Content-Type: application/x-filter
    Content-Length: 1

    f
    "#);
    watch.accept(&mut world, "300");
    insta::assert_snapshot!(watch.ok.replace('\r', ""), @r"
    SIP/2.0 200 OK
    Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bK-1-subscribe
    From: <sip:phone@10.0.0.2:5060>;tag=phone-1
    To: <sip:+4930@10.0.0.1>;tag=sdd3g83vmte37
    Call-ID: call-1@10.0.0.2:5060
    CSeq: 1 SUBSCRIBE
    Contact: <sip:10.0.0.1:5060;gr>
    Server: Liaison
    Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, REFER, NOTIFY, INFO, MESSAGE, PUBLISH, SUBSCRIBE
    Expires: 300
    Content-Length: 0
    ");
    let told = watch.tell(&mut world, "active;expires=299");
    insta::assert_snapshot!(told.replace('\r', ""), @r#"
    NOTIFY sip:phone@10.0.0.2:5060 SIP/2.0
    Via: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK0m0a18yzb8k6c;rport;oc;oc-algo="loss"
    Max-Forwards: 69
    From: <sip:+4930@10.0.0.1>;tag=sdd3g83vmte37
    To: <sip:phone@10.0.0.2:5060>;tag=phone-1
    Call-ID: call-1@10.0.0.2:5060
    CSeq: 1 NOTIFY
    Contact: <sip:10.0.0.1:5060;gr>
    User-Agent: Liaison
    Event: presence;id=7;x=y
    Subscription-State: active;expires=299
    Content-Type: application/pidf+xml
    Content-Length: 91

    <?xml version="1.0"?>
    <presence entity="pres:bob@example.com"><tuple id="π"/></presence>
    "#);
    assert_eq!(body(&told), PIDF);
    // The next ones, in order, each in its dialog.
    let next = watch.tell(&mut world, "active;expires=200");
    assert_eq!(seq(&next), seq(&told) + 1);
    assert_eq!((tag(&next, "To"), tag(&next, "From")), (tag(&told, "To"), tag(&told, "From")));
    // A refresh.
    let asked = watch.again(&mut world, 2, "500");
    assert_eq!((seq(&asked), &*field(&asked, "Expires")), (seq(&watch.asked) + 1, "500"));
    assert_eq!(field(&asked, "Event"), "presence;id=7;x=y");
    assert_eq!(tag(&asked, "To"), "bob");
    world.post(BOB, INSIDE, &granted(&asked, "400"));
    let ok = world.expect(ALICE, "200");
    assert_eq!(
        (&*field(&ok, "Expires"), uri_in(&field(&ok, "Contact"))),
        ("400", "sip:10.0.0.1:5060;gr".into())
    );
    watch.tell(&mut world, "active;expires=400");
    // Its end.
    let asked = watch.again(&mut world, 3, "0");
    world.post(BOB, INSIDE, &granted(&asked, "0"));
    assert_eq!(field(&world.expect(ALICE, "200"), "Expires"), "0");
    let last = watch.tell(&mut world, "terminated;reason=timeout");
    assert_eq!(field(&last, "Subscription-State"), "terminated;reason=timeout");
    assert_eq!(world.gauges().subscriptions_carried, 0);
    assert_eq!(world.core.counters().subscribes_carried, 1);
    assert_eq!(world.core.counters().notifies, 4);
    world.must_forget("a subscription that was ended");
}

// conforms: RFC6665-4.1.2.4-2 RFC6665-4.1.4-1
#[test]
fn rfc6665_4_1_2_4_the_notify_may_come_first_and_of_a_fork_the_first_one_counts() {
    let mut world = by_hand(TWO_SIDES, 2);
    let mut watch = Watch::ask(&mut world, &subscribe(1));
    let first = watch.notify("active;expires=90").with("Record-Route", "<sip:10.1.0.2:5060;lr;p>");
    world.post(BOB, INSIDE, &first);
    watch.ok = world.expect(ALICE, "200");
    assert_eq!(field(&watch.ok, "Expires"), "90");
    let told = world.expect(ALICE, "NOTIFY");
    world.ok(ALICE, OUTSIDE, &told);
    world.expect(BOB, "200");
    // Of another one the SUBSCRIBE has come to, and of the response, nobody has to hear.
    let other = watch.notify("active;expires=80");
    let from = other.get("From").replace("tag=bob", "tag=other");
    world.post(BOB, INSIDE, &other.set("From", &from));
    world.expect(BOB, "481");
    world.post(BOB, INSIDE, &Msg::response(&watch.asked, 200, "other").contact(BOB).with("Expires", "600"));
    world.expect_no(ALICE, "");
    // The route set is that of the NOTIFY.
    let asked = watch.again(&mut world, 2, "60");
    assert_eq!(field(&asked, "Route"), "<sip:10.1.0.2:5060;lr;p>");
    assert_eq!(tag(&asked, "To"), "bob");
    world.post(BOB, INSIDE, &granted(&asked, "60"));
    world.expect(ALICE, "200");
    let last = watch.tell(&mut world, "terminated;reason=giveup;retry-after=5");
    assert_eq!(field(&last, "Subscription-State"), "terminated;reason=giveup;retry-after=5");
    world.must_forget("a NOTIFY that was first");

    // The 2xx is of one notifier, the first NOTIFY of another.
    let mut world = by_hand(TWO_SIDES, 3);
    let mut watch = Watch::ask(&mut world, &subscribe(1));
    let ok = Msg::response(&watch.asked, 200, "other").contact(BOB).with("Expires", "600");
    world.post(BOB, INSIDE, &ok);
    watch.ok = world.expect(ALICE, "200");
    watch.tell(&mut world, "active;expires=600");
    let asked = watch.again(&mut world, 2, "60");
    assert_eq!(tag(&asked, "To"), "bob");
    world.post(BOB, INSIDE, &granted(&asked, "60"));
    world.expect(ALICE, "200");
    watch.tell(&mut world, "terminated");
    world.must_forget("a fork");
}

// conforms: RFC6665-8.3.1-1,2
#[test]
fn rfc6665_8_3_1_202_is_200_and_what_was_not_granted_is_not_told() {
    let mut world = by_hand(TWO_SIDES, 4);
    let mut watch = Watch::ask(&mut world, &subscribe(1));
    let ok = Msg::response(&watch.asked, 202, "bob").contact(BOB).with("Expires", "9999");
    world.post(BOB, INSIDE, &ok);
    watch.ok = world.expect(ALICE, "200");
    assert_eq!(field(&watch.ok, "Expires"), "600", "never more than was asked for");
    // A peer that says nothing of the time, or too much.
    let told = watch.tell(&mut world, "pending");
    assert!(field(&told, "Subscription-State").starts_with("pending;expires="), "{told}");
    let asked = watch.again(&mut world, 2, "60");
    world.post(BOB, INSIDE, &granted(&asked, "60"));
    world.expect(ALICE, "200");
    let told = watch.tell(&mut world, "active;expires=9999;x=y");
    assert_eq!(field(&told, "Subscription-State"), "active;expires=59;x=y");
    watch.tell(&mut world, "terminated;reason=noresource");
    world.must_forget("202");
}

#[test]
fn rfc6665_4_4_3_state_is_fetched_once() {
    let mut world = by_hand(TWO_SIDES, 5);
    let mut watch = Watch::ask(&mut world, &subscribe(1).set("Expires", "0"));
    watch.accept(&mut world, "0");
    let told = watch.tell(&mut world, "terminated;reason=timeout");
    assert_eq!(body(&told), PIDF);
    world.must_forget("a fetch");
}

// conforms: RFC6665-4.1.3-3
#[test]
fn rfc6665_4_1_3_each_reason_crosses_and_ends_both_sides() {
    let mut world = by_hand(TWO_SIDES, 6);
    for (n, reason) in (1..).zip([
        "terminated;reason=deactivated",
        "terminated;reason=probation;retry-after=60",
        "terminated;reason=rejected",
        "terminated;reason=timeout",
        "terminated;reason=giveup",
        "terminated;reason=noresource",
        "terminated;reason=invariant",
        "terminated;reason=unheard-of",
        "terminated",
    ]) {
        let mut watch = Watch::begin_with(&mut world, &subscribe(n));
        assert_eq!(field(&watch.tell(&mut world, reason), "Subscription-State"), reason);
        world.run_for(ms(20));
        assert_eq!(world.gauges().subscriptions_carried, 0, "{reason}");
        assert_eq!(world.gauges().sip.dialogs, 0, "{reason}");
        world.post(ALICE, OUTSIDE, &watch.inside(90, "60"));
        world.expect(ALICE, "481");
        let late = watch.notify("active");
        world.post(BOB, INSIDE, &late);
        world.expect(BOB, "481");
    }
    world.must_forget("subscriptions that were terminated");
}

#[test]
fn what_refuses_a_subscription_crosses() {
    let mut world = by_hand(TWO_SIDES, 7);
    for (n, status, name, value) in [
        (1, 489, "Allow-Events", "dialog, message-summary"),
        (2, 423, "Min-Expires", "3600"),
        (3, 403, "X-Why", "no"),
        (4, 406, "Accept", "application/pidf+xml"),
    ] {
        let watch = Watch::ask(&mut world, &subscribe(n));
        world.post(BOB, INSIDE, &Msg::response(&watch.asked, status, "bob").with(name, value));
        let refused = world.expect(ALICE, &status.to_string());
        assert_eq!(find(&refused, name).as_deref(), Some(value), "{refused}");
    }
    // What needs no far side.
    world.post(ALICE, OUTSIDE, &subscribe(11).without("Event"));
    world.expect(ALICE, "489");
    world.post(ALICE, OUTSIDE, &subscribe(12).set("Event", ";"));
    world.expect(ALICE, "400");
    world.post(ALICE, OUTSIDE, &subscribe(13).set("Max-Forwards", "0"));
    world.expect(ALICE, "483");
    world.expect_no(BOB, "SUBSCRIBE");
    // Where it can make no dialog there is none on the other side either.
    let watch = Watch::ask(&mut world, &subscribe(14).set("Contact", "*"));
    world.post(BOB, INSIDE, &Msg::response(&watch.asked, 200, "bob").contact(BOB).with("Expires", "60"));
    world.expect(ALICE, "400");
    let mut watch = watch;
    let late = watch.notify("active");
    world.post(BOB, INSIDE, &late);
    world.expect(BOB, "481");
    world.must_forget("refused subscriptions");
}

// conforms: RFC6665-4.1.2.2-1
#[test]
fn rfc6665_4_1_2_2_a_refresh_that_is_refused_ends_it_or_does_not() {
    let mut world = by_hand(TWO_SIDES, 8);
    let mut watch = Watch::begin(&mut world);
    let asked = watch.again(&mut world, 2, "5");
    world.post(BOB, INSIDE, &Msg::response(&asked, 423, "").with("Min-Expires", "60"));
    assert_eq!(field(&world.expect(ALICE, "423"), "Min-Expires"), "60");
    watch.tell(&mut world, "active;expires=500");
    // One to something else has no place in the dialog.
    world.post(ALICE, OUTSIDE, &watch.inside(3, "60").set("Event", "dialog"));
    assert!(start(&world.expect(ALICE, "403")).contains("Dialog Sharing"));
    let asked = watch.again(&mut world, 4, "60");
    world.post(BOB, INSIDE, &Msg::response(&asked, 481, ""));
    world.expect(ALICE, "481");
    assert_eq!(world.gauges().subscriptions_carried, 0);
    world.must_forget("a subscription that the notifier forgot");
}

#[test]
fn a_subscriber_that_is_gone_is_gone_on_the_other_side_too() {
    let mut world = by_hand(TWO_SIDES, 9);
    let mut watch = Watch::begin(&mut world);
    // It knows no such subscription.
    let notify = watch.notify("active;expires=500");
    world.post(BOB, INSIDE, &notify);
    let told = world.expect(ALICE, "NOTIFY");
    world.post(ALICE, OUTSIDE, &Msg::response(&told, 481, ""));
    world.expect(BOB, "481");
    assert_eq!(world.gauges().subscriptions_carried, 0);
    world.must_forget("a subscriber without a subscription");

    // It is silent.
    let mut watch = Watch::begin_with(&mut world, &subscribe(2));
    let notify = watch.notify("active;expires=500");
    world.post(BOB, INSIDE, &notify);
    world.expect(ALICE, "NOTIFY");
    let mut ended = world.expect_within(BOB, "SUBSCRIBE", s(40));
    while field(&ended, "Expires") != "0" {
        ended = world.expect(BOB, "SUBSCRIBE");
    }
    assert_eq!(field(&ended, "Event"), "presence");
    world.post(BOB, INSIDE, &granted(&ended, "0"));
    let last = watch.notify("terminated;reason=timeout");
    world.post(BOB, INSIDE, &last);
    world.expect(BOB, "200");
    assert_eq!(world.gauges().subscriptions_carried, 0);
    assert_eq!(world.core.counters().notifies_failed, 2);
    world.must_forget("a silent subscriber");
    world.mail.clear();

    // What it cannot do with one NOTIFY ends nothing.
    let mut watch = Watch::begin_with(&mut world, &subscribe(3));
    let notify = watch.notify("active;expires=500");
    world.post(BOB, INSIDE, &notify);
    let told = world.expect(ALICE, "NOTIFY");
    world.post(ALICE, OUTSIDE, &Msg::response(&told, 415, ""));
    world.expect(BOB, "415");
    watch.tell(&mut world, "terminated;reason=noresource");
    world.must_forget("a NOTIFY that was refused");
}

#[test]
fn rfc6665_4_1_2_4_a_notifier_that_tells_nothing_has_no_subscription() {
    let mut world = by_hand(TWO_SIDES, 10);
    let mut watch = Watch::ask(&mut world, &subscribe(1));
    watch.accept(&mut world, "600");
    let told = world.expect_within(ALICE, "NOTIFY", s(33));
    assert_eq!(field(&told, "Subscription-State"), "terminated;reason=probation;retry-after=10");
    assert_eq!((&*field(&told, "Event"), body(&told)), ("presence", ""));
    world.ok(ALICE, OUTSIDE, &told);
    let late = watch.notify("active");
    world.post(BOB, INSIDE, &late);
    world.expect(BOB, "481");
    world.must_forget("a notifier that tells nothing");

    // It has gone silent: the time is over without a word.
    let mut watch = Watch::begin_with(&mut world, &subscribe(2));
    let told = world.expect_within(ALICE, "NOTIFY", s(600 + 33));
    assert_eq!(field(&told, "Subscription-State"), "terminated;reason=timeout");
    world.ok(ALICE, OUTSIDE, &told);
    let _ = watch.notify("active");
    world.must_forget("a notifier that is gone");
}

#[test]
fn as_many_as_may_be_and_a_node_that_goes() {
    let mut world = by_hand(&document("", "", "[limits]\nsubscriptions = 1\n"), 11);
    let mut watch = Watch::begin(&mut world);
    world.post(ALICE, OUTSIDE, &subscribe(2));
    assert_eq!(field(&world.expect(ALICE, "503"), "Retry-After"), "10");
    assert_eq!(world.core.counters().subscribes_over_limit, 1);
    world.command(Command::Drain(s(60)));
    let told = world.expect(ALICE, "NOTIFY");
    assert_eq!(field(&told, "Subscription-State"), "terminated;reason=deactivated");
    world.ok(ALICE, OUTSIDE, &told);
    let ended = world.expect(BOB, "SUBSCRIBE");
    assert_eq!(field(&ended, "Expires"), "0");
    world.post(BOB, INSIDE, &granted(&ended, "0"));
    let last = watch.notify("terminated;reason=timeout");
    world.post(BOB, INSIDE, &last);
    world.expect(BOB, "200");
    assert_eq!(world.gauges().subscriptions_carried, 0);
    world.post(ALICE, OUTSIDE, &subscribe(3));
    world.expect(ALICE, "503");
}

/// What Bob tells of a dialog that he has by these names.
pub fn dialog_info(call_id: &str, local: &str, remote: &str, state: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?>\r\n<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"1\" state=\"full\" \
         entity=\"sip:bob@10.1.0.2\">\r\n<dialog id=\"1\" call-id='{call_id}' local-tag=\"{local}\" remote-tag=\"{remote}\" \
         direction=\"recipient\"><state>{state}</state>\r\n <local><target uri=\"LOCAL\"/></local>\
         <remote><identity>sip:alice@example.com</identity><target uri=\"REMOTE\"><param pname=\"x\" pval=\"y\"/></target></remote>\
         </dialog></dialog-info>\r\n"
    )
}

// conforms: RFC4235-4-1 RFC4235-4.1.6.2-2
#[test]
fn rfc4235_our_dialogs_have_the_names_of_the_side_that_is_told_and_all_others_their_own() {
    let mut world = by_hand(TWO_SIDES, 12);
    let event = subscribe(70).set("Event", "dialog").set("Accept", "application/dialog-info+xml");
    let mut watch = Watch::ask(&mut world, &event);
    watch.accept(&mut world, "600");
    let mut tell = |world: &mut World, document: &str| {
        let notify = watch.notify("active;expires=500").body("application/dialog-info+xml", document);
        world.post(BOB, INSIDE, &notify);
        let told = world.expect(ALICE, "NOTIFY");
        world.ok(ALICE, OUTSIDE, &told);
        world.expect(BOB, "200");
        body(&told).to_owned()
    };
    let other = dialog_info("nobody's", "bob", "x", "confirmed");
    assert_eq!(tell(&mut world, &other), other);
    world.post(ALICE, OUTSIDE, &super::common::invite());
    let invited = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&invited, 180, "bob").contact(BOB));
    let ringing = world.expect(ALICE, "180");
    let at_bob = |state| dialog_info(&field(&invited, "Call-ID"), "bob", &tag(&invited, "From"), state);
    let at_alice = |state| {
        let names =
            dialog_info(&field(&ringing, "Call-ID"), &tag(&ringing, "To"), &tag(&ringing, "From"), state);
        names.replace("LOCAL", "sip:10.0.0.1:5060").replace("REMOTE", "sip:phone@10.0.0.2:5060")
    };
    let targets =
        |text: String| text.replace("LOCAL", "sip:phone@10.1.0.2").replace("REMOTE", "sip:10.1.0.1:5060");
    assert_eq!(tell(&mut world, &targets(at_bob("early"))), at_alice("early"));
    world.post(BOB, INSIDE, &super::common::answer(&invited));
    let ok = world.expect(ALICE, "200");
    let acked = world.expect(BOB, "ACK");
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, &ok));
    world.run_for(ms(20));
    assert_eq!(tell(&mut world, &targets(at_bob("confirmed"))), at_alice("confirmed"));
    let call = super::common::Call { ok, invited: invited.clone(), acked };
    call.hang_up(&mut world, 2);
    // It is over, and nothing is known of it any more.
    let over = targets(at_bob("terminated"));
    assert_eq!(tell(&mut world, &over), over);
}

#[test]
fn subscriptions_and_what_is_told_find_their_shard() {
    let mut world =
        World::sharded(4, TWO_SIDES, Secrets::default(), Vec::new(), Box::new(|_| Fate::Arrives), 13);
    let mut watches: Vec<Watch> = (1..=6)
        .map(|n| {
            let uri = format!("sip:+49{n}@10.0.0.1");
            let mut watch = Watch::ask(&mut world, &subscribe(n).uri(&uri).set("To", &format!("<{uri}>")));
            watch.accept(&mut world, "600");
            watch.tell(&mut world, "active;expires=600");
            watch
        })
        .collect();
    assert_eq!(world.gauges().subscriptions_carried, 6);
    let busy = world.cores().filter(|core| core.gauges().subscriptions_carried > 0).count();
    assert!(busy > 1, "they are of several shards");
    for (n, watch) in (90..).zip(&mut watches) {
        let asked = watch.again(&mut world, n, "0");
        world.post(BOB, INSIDE, &granted(&asked, "0"));
        world.expect(ALICE, "200");
        watch.tell(&mut world, "terminated;reason=timeout");
    }
    world.must_forget("subscriptions of several shards");
}

#[test]
fn a_user_is_subscribed_to_at_the_device_that_takes_it() {
    let mut world = users::world(users::DOCUMENT);
    users::bind(&mut world, "bob", DESK, ";q=0.9");
    users::bind(&mut world, "bob", MOBILE, ";q=0.5");
    let request = Msg::request("SUBSCRIBE", users::BOB, users::ALICE, 1).with("Event", "dialog");
    let request = request.set("From", "<sip:alice@example.com>;tag=a").with("Expires", "60");
    users::prove_as(&mut world, users::ALICE, &request, "alice");
    let asked = world.expect(DESK, "SUBSCRIBE");
    world.expect_no(MOBILE, "SUBSCRIBE");
    users::says(&mut world, DESK, &asked, 489);
    let asked = world.expect(MOBILE, "SUBSCRIBE");
    world.post(MOBILE, REGISTRAR, &Msg::response(&asked, 200, "m").contact(MOBILE).with("Expires", "60"));
    let ok = world.expect(users::ALICE, "");
    assert!(start(&ok).starts_with("200"), "{ok}");
    let notify = Msg::inside("NOTIFY", MOBILE, 1, &asked)
        .set("From", &format!("{};tag=m", field(&asked, "To")))
        .with("Event", "dialog")
        .with("Subscription-State", "active;expires=60");
    world.post(MOBILE, REGISTRAR, &notify);
    let told = world.expect(users::ALICE, "NOTIFY");
    assert_eq!(field(&told, "Event"), "dialog");
}

#[test]
fn a_notifier_tells_from_every_address_that_it_is_known_by_and_nobody_else_does() {
    let many = document("", "", "").replace("from = [\"10.1.0.2\"]", "from = [\"10.1.0.2\", \"10.1.0.8\"]");
    let mut world = by_hand(&many, 60);
    let mut watch = Watch::begin(&mut world);
    let notify = watch.notify("active;expires=500");
    world.post("10.1.0.8:5060", INSIDE, &notify);
    let told = world.expect(ALICE, "NOTIFY");
    world.ok(ALICE, OUTSIDE, &told);
    world.expect("10.1.0.8:5060", "200");
    let notify = watch.notify("active;expires=400");
    world.post("10.1.0.9:5060", INSIDE, &notify);
    world.expect("10.1.0.9:5060", "403");
    world.expect_no(ALICE, "NOTIFY");
    // One that comes before the SUBSCRIBE has its answer is its notifier's too.
    let mut watch = Watch::ask(&mut world, &subscribe(1).set("Call-ID", "another").branch("another"));
    let notify = watch.notify("active;expires=600");
    world.post("10.1.0.8:5060", INSIDE, &notify);
    world.expect(ALICE, "NOTIFY");
}
