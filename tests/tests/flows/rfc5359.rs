//! Services of RFC 5359 in which a middle takes part: Alice is outside, Bob inside, and so are the servers and colleagues whom he
//! talks with without us. Transfers (§2.4, §2.5) are those of RFC 5589, one with another side transferring. Who is in the house finds each
//! other's dialogs without us (§2.3, §2.15, §2.18), and uses the names that they have here.

use super::parts::{
    ALICE, BOB, CAROL, DAVE, ERIN, Flow, Insist, NUMBER, Played, Side, Stage, Stuck, TARGET, World, accepts,
    answer, answers, bye, call, changes, flows, house, invite, is_left, leaves, notifies, number_of_dave,
    printed, refers, refuses, rings, subscribes, three, told, two,
};
use liaison_tests::message::{Msg, body, field, seq};

flows! {
    rfc5359_2_1_call_hold in two,
    rfc5359_2_2_consultation_hold in three,
    rfc5359_2_3_music_on_hold in house,
    rfc7088_2_music_on_hold_by_an_offer_of_the_source in two,
    rfc5359_2_4_transfer_unattended in three,
    rfc5359_2_5_transfer_attended in three,
    rfc5359_2_6_transfer_by_instant_message in house,
    rfc5359_2_10_three_way_conference_third_party_is_added in three,
    rfc5359_2_11_three_way_conference_third_party_joins in beside_alice,
    rfc5359_2_15_call_park in house,
    rfc5359_2_16_call_pickup in house,
    rfc5359_2_17_automatic_redial in two,
    rfc5359_2_18_click_to_dial in three,
}

fn rfc5359_2_1_call_hold(stage: &mut Stage) -> Played {
    let (mut alice, mut bob) = call(stage, ALICE, NUMBER, BOB)?;
    changes(stage, &mut bob, &mut alice, "a=sendonly\r\n")?;
    changes(stage, &mut bob, &mut alice, "")?;
    bye(stage, &mut alice, &bob)
}

fn rfc5359_2_2_consultation_hold(stage: &mut Stage) -> Played {
    let (mut alice, mut bob) = call(stage, ALICE, NUMBER, BOB)?;
    changes(stage, &mut bob, &mut alice, "a=sendonly\r\n")?;
    let (mut asks, carol) = call(stage, BOB, TARGET, CAROL)?;
    bye(stage, &mut asks, &carol)?;
    changes(stage, &mut bob, &mut alice, "")?;
    bye(stage, &mut alice, &bob)
}

/// One of the house takes a place in the call with Alice.
fn takes_over(stage: &mut Stage, at: &'static str, replaced: &Side, alice: &mut Side) -> Result<Side, Stuck> {
    let asked = stage.insist_anew(at, &replaced.target, &replaced.named(), alice.at)?;
    accepts(stage, alice, &asked);
    stage.get(alice.at, "ACK")?;
    let ok = stage.get(at, "200 INVITE")?;
    let side = Side::calling(at, &ok);
    stage.send(at, &side.ack(seq(&ok)));
    is_left(stage, replaced)?;
    Ok(side)
}

/// Dave is the music server, whom Bob has referred to the call; then Bob takes Alice back.
fn rfc5359_2_3_music_on_hold(stage: &mut Stage) -> Played {
    let (mut alice, mut bob) = call(stage, ALICE, NUMBER, BOB)?;
    changes(stage, &mut bob, &mut alice, "a=sendonly\r\n")?;
    let music = takes_over(stage, DAVE, &bob, &mut alice)?;
    let bob = takes_over(stage, BOB, &music, &mut alice)?;
    bye(stage, &mut alice, &bob)
}

/// Alice makes an offer for the source of music, whose answer comes in the ACK (RFC 7088 §2.1); then Bob is back.
fn rfc7088_2_music_on_hold_by_an_offer_of_the_source(stage: &mut Stage) -> Played {
    let (mut alice, mut bob) = call(stage, ALICE, NUMBER, BOB)?;
    let asked = stage.insist(BOB, || bob.request("INVITE"), (ALICE, "INVITE"))?;
    assert!(body(&asked).is_empty(), "{asked}");
    let offer = alice.sdp("");
    stage.send(ALICE, &Msg::response(&asked, 200, "").phrase("OK").contact(ALICE).sdp(&offer));
    let ok = stage.get(BOB, "200 INVITE")?;
    let music = bob.sdp("a=sendonly\r\n").replace("10.1.0.2", "10.1.0.3");
    stage.send(BOB, &bob.ack(seq(&ok)).sdp(&music));
    let ack = stage.get(ALICE, "ACK")?;
    assert!(body(&ack).contains("a=sendonly"), "{ack}");
    changes(stage, &mut bob, &mut alice, "")?;
    bye(stage, &mut alice, &bob)
}

/// The calling side transfers, and is gone before anybody answers.
fn rfc5359_2_4_transfer_unattended(stage: &mut Stage) -> Played {
    let (mut alice, mut bob) = call(stage, ALICE, NUMBER, BOB)?;
    refers(stage, &mut alice, "<sip:+4940@10.0.0.1>")?;
    leaves(stage, &mut alice)?;
    let invited = stage.get(CAROL, "INVITE")?;
    stage.send(CAROL, &Msg::response(&invited, 180, "carol").phrase("Ringing").contact(CAROL));
    stage.send(CAROL, &answer(CAROL, &invited));
    stage.get(CAROL, "ACK")?;
    bye(stage, &mut bob, &Side::called(CAROL, &invited, "carol"))
}

/// The calling side has asked Carol, and joins her and Bob.
fn rfc5359_2_5_transfer_attended(stage: &mut Stage) -> Played {
    let (mut alice, mut bob) = call(stage, ALICE, NUMBER, BOB)?;
    changes(stage, &mut alice, &mut bob, "a=sendonly\r\n")?;
    let (mut asks, mut carol) = call(stage, ALICE, "sip:+4940@10.0.0.1", CAROL)?;
    changes(stage, &mut asks, &mut carol, "a=sendonly\r\n")?;
    refers(stage, &mut alice, &asks.replacing(&asks.target))?;
    for _ in 0..2 {
        let (which, asked) = stage.get_any(&[(BOB, "INVITE"), (CAROL, "INVITE")])?;
        let side = if which == 0 { &mut bob } else { &mut carol };
        accepts(stage, side, &asked);
        stage.get(side.at, "ACK")?;
    }
    is_left(stage, &asks)?;
    told(stage, &alice, "200")?;
    leaves(stage, &mut alice)?;
    bye(stage, &mut bob, &carol)
}

/// Bob sends Dave what he needs to take the call: the dialog is one of ours, as Bob knows it.
fn rfc5359_2_6_transfer_by_instant_message(stage: &mut Stage) -> Played {
    let (mut alice, bob) = call(stage, ALICE, NUMBER, BOB)?;
    let number = stage.number();
    let text = bob.replacing(&bob.target);
    let message = Msg::request("MESSAGE", &number_of_dave(BOB), BOB, number).without("Contact");
    stage.send(BOB, &message.body("text/plain", &text));
    let told = stage.get(DAVE, "MESSAGE")?;
    assert_eq!(body(&told), text);
    stage.send(DAVE, &Msg::response(&told, 200, "dave").phrase("OK"));
    stage.get(BOB, "200 MESSAGE")?;
    let dave = takes_over(stage, DAVE, &bob, &mut alice)?;
    bye(stage, &mut alice, &dave)
}

/// Bob says that he is the focus of a conference.
fn is_focus(stage: &mut Stage, bob: &mut Side, other: &mut Side) -> Played {
    let sdp = bob.sdp("");
    let reinvite = || bob.request("INVITE").sdp(&sdp).set("Contact", "<sip:conf-1@10.1.0.2:5060>;isfocus");
    let asked = stage.insist(BOB, reinvite, (other.at, "INVITE"))?;
    accepts(stage, other, &asked);
    let ok = stage.get(BOB, "200 INVITE")?;
    stage.send(BOB, &bob.ack(seq(&ok)));
    stage.get(other.at, "ACK").map(drop)
}

fn rfc5359_2_10_three_way_conference_third_party_is_added(stage: &mut Stage) -> Played {
    let (mut alice, mut bob) = call(stage, ALICE, NUMBER, BOB)?;
    is_focus(stage, &mut bob, &mut alice)?;
    let adds = invite(stage, BOB, TARGET).set("Contact", "<sip:conf-1@10.1.0.2:5060>;isfocus");
    stage.send(BOB, &adds);
    let invited = stage.get(CAROL, "INVITE")?;
    rings(stage, CAROL, BOB, &invited)?;
    let (mut adds, carol) = answers(stage, CAROL, BOB, &invited)?;
    bye(stage, &mut adds, &carol)?;
    bye(stage, &mut alice, &bob)
}

/// Carol is of Alice's trunk, and may join what is Alice's.
fn beside_alice(weather: liaison_tests::network::Weather) -> World {
    let text = super::parts::three_with("").replacen(
        "from = [\"10.0.0.2\"]",
        "from = [\"10.0.0.2\", \"10.0.0.3\"]",
        1,
    );
    super::parts::world(&text.replace("\nfrom = [\"10.0.0.3\"]\n", "\n"), weather)
}

fn rfc5359_2_11_three_way_conference_third_party_joins(stage: &mut Stage) -> Played {
    let (mut alice, mut bob) = call(stage, ALICE, NUMBER, BOB)?;
    let joins = invite(stage, CAROL, NUMBER).with("Require", "join").with("Join", &alice.named());
    stage.send(CAROL, &joins);
    let invited = stage.get(BOB, "INVITE")?;
    assert_eq!(field(&invited, "Join"), bob.known(), "the dialog that he knows");
    rings(stage, BOB, CAROL, &invited)?;
    is_focus(stage, &mut bob, &mut alice)?;
    let (mut carol, joined) = answers(stage, BOB, CAROL, &invited)?;
    bye(stage, &mut carol, &joined)?;
    bye(stage, &mut alice, &bob)
}

/// Dave is the park server, and Erin fetches the call from there.
fn rfc5359_2_15_call_park(stage: &mut Stage) -> Played {
    let (mut alice, bob) = call(stage, ALICE, NUMBER, BOB)?;
    let parked = takes_over(stage, DAVE, &bob, &mut alice)?;
    let erin = takes_over(stage, ERIN, &parked, &mut alice)?;
    bye(stage, &mut alice, &erin)
}

/// Dave of Bob's group answers in his place, as long as he rings only; he knows of it by Bob's dialog package.
fn rfc5359_2_16_call_pickup(stage: &mut Stage) -> Played {
    let asks = invite(stage, ALICE, NUMBER);
    stage.send(ALICE, &asks);
    let invited = stage.get(BOB, "INVITE")?;
    rings(stage, BOB, ALICE, &invited)?;
    let dialog = Side::called(BOB, &invited, "bob");
    let picks = invite(stage, DAVE, &dialog.target)
        .with("Require", "replaces")
        .with("Replaces", &format!("{};early-only", dialog.named()));
    stage.send(DAVE, &picks);
    let ok = stage.get(DAVE, "200 INVITE")?;
    let dave = Side::calling(DAVE, &ok);
    stage.send(DAVE, &dave.ack(seq(&ok)));
    let ok = stage.get(ALICE, "200 INVITE")?;
    let mut alice = Side::calling(ALICE, &ok);
    stage.send(ALICE, &alice.ack(seq(&ok)));
    let cancel = stage.get(BOB, "CANCEL")?;
    stage.ok(BOB, &cancel);
    stage.send(BOB, &Msg::response(&invited, 487, "bob").phrase("Request Terminated"));
    stage.get(BOB, "ACK")?;
    bye(stage, &mut alice, &dave)
}

/// Bob's NOTIFY of his dialogs.
fn tells(stage: &mut Stage, bob: &mut Side, (state, version): (&str, u32), dialog: &str) -> Played {
    let text = format!(
        "<?xml version=\"1.0\"?>\r\n<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"{version}\" state=\"full\" entity=\"sip:+4930@10.1.0.2\">{dialog}</dialog-info>\r\n"
    );
    notifies(stage, (bob, ALICE), ("dialog", state), ("application/dialog-info+xml", &text))
}

fn rfc5359_2_17_automatic_redial(stage: &mut Stage) -> Played {
    let busy = invite(stage, ALICE, NUMBER);
    stage.send(ALICE, &busy);
    let invited = stage.get(BOB, "INVITE")?;
    refuses(stage, BOB, &invited, (486, "Busy Here"), &busy)?;
    let (mut watches, mut bobs) = subscribes(stage, ALICE, (NUMBER, "dialog"), BOB)?;
    let talks = "<dialog id=\"1\"><state>confirmed</state></dialog>";
    tells(stage, &mut bobs, ("active;expires=60", 0), talks)?;
    let is_over = "<dialog id=\"1\"><state>terminated</state></dialog>";
    tells(stage, &mut bobs, ("active;expires=50", 1), is_over)?;
    let (mut alice, bob) = call(stage, ALICE, NUMBER, BOB)?;
    tells(stage, &mut bobs, ("active;expires=50", 2), "<dialog id=\"2\"><state>confirmed</state></dialog>")?;
    let end = watches.request("SUBSCRIBE").with("Event", "dialog").with("Expires", "0");
    stage.send(ALICE, &end);
    let ended = stage.get(BOB, "SUBSCRIBE")?;
    stage.send(BOB, &Msg::response(&ended, 200, "").phrase("OK").contact(BOB).with("Expires", "0"));
    stage.get(ALICE, "200 SUBSCRIBE")?;
    tells(stage, &mut bobs, ("terminated;reason=timeout", 3), "")?;
    bye(stage, &mut alice, &bob)
}

/// Bob's desk has referred his telephone to Carol: what crosses is the call that comes of it.
fn rfc5359_2_18_click_to_dial(stage: &mut Stage) -> Played {
    let invite = invite(stage, BOB, TARGET).with("Referred-By", "<sip:bob@desk.10.1.0.2.example>");
    stage.send(BOB, &invite);
    let invited = stage.get(CAROL, "INVITE")?;
    assert_eq!(field(&invited, "Referred-By"), "<sip:bob@desk.10.1.0.2.example>");
    rings(stage, CAROL, BOB, &invited)?;
    let (mut bob, carol) = answers(stage, CAROL, BOB, &invited)?;
    bye(stage, &mut bob, &carol)
}
