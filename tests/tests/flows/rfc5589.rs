//! Transfers of RFC 5589, done here (`refer = "handle"`): Alice is the transferee, Bob the transferor, Carol the target. Where the
//! RFC has the transferee call the target, Liaison does it for her, and tells her of the new media.

use super::parts::{
    ALICE, BOB, CAROL, DAVE, Flow, NUMBER, Played, Side, Stage, Stuck, TARGET, World, accepts, answer,
    answers, bye, call, changes, failed, flows, house, invite, is_asked, is_left, leaves, notifies,
    number_of_dave, printed, refers, rings, s, subscribes, three, three_with, told, world,
};
use liaison_tests::message::{Msg, field, seq, uri_in};
use liaison_tests::network::Weather;
use std::time::Duration;

flows! {
    rfc5589_6_1_transfer_in_a_dialog_of_its_own in three,
    rfc5589_6_2_transfer_with_dialog_reuse in three,
    rfc5589_6_2_the_transferor_leaves_at_once in three,
    rfc5589_6_3_1_the_target_is_busy in three,
    rfc5589_6_3_2_the_target_does_not_answer in impatient,
    rfc5589_7_1_exposing_the_target in three,
    rfc5589_7_2_protecting_the_target in three,
    rfc5589_7_3_attended in three,
    rfc5589_7_5_attended_by_the_address_of_record in three,
    rfc5589_7_6_semi_attended in three,
    rfc5589_7_6_semi_attended_as_blind in three,
    rfc5589_7_6_the_target_answers_as_it_is_cancelled in three,
    rfc5589_7_7_the_target_lacks_replaces in three,
    rfc5589_7_7_attended_falls_back_to_basic in three,
    rfc5589_8_with_referred_by_and_its_token in three,
    rfc5589_9_as_an_ad_hoc_conference in three,
    rfc5589_10_with_multiple_parties in house,
}

fn impatient(weather: Weather) -> World {
    world(&three_with("[profiles.default]\nring_limit = \"20s\"\n"), weather)
}

/// Alice has called Bob, who has her on hold.
fn held(stage: &mut Stage) -> Result<(Side, Side), Stuck> {
    let (mut alice, mut bob) = call(stage, ALICE, NUMBER, BOB)?;
    changes(stage, &mut bob, &mut alice, "a=sendonly\r\n")?;
    Ok((alice, bob))
}

/// Carol, called for Alice, answers, and Alice is told of her media.
fn carol_takes(stage: &mut Stage, invited: &str, alice: &mut Side) -> Result<Side, Stuck> {
    stage.send(CAROL, &answer(CAROL, invited));
    stage.get(CAROL, "ACK")?;
    is_asked(stage, alice)?;
    Ok(Side::called(CAROL, invited, "carol"))
}

/// Bob hears that it is done and leaves, and Carol ends it with Alice.
fn talk_on(stage: &mut Stage, mut bob: Side, (mut carol, alice): (Side, Side)) -> Played {
    told(stage, &bob, "200")?;
    leaves(stage, &mut bob)?;
    bye(stage, &mut carol, &alice)
}

/// Bob transfers Alice to Carol without having asked her.
fn blindly(stage: &mut Stage, (mut alice, mut bob): (Side, Side)) -> Played {
    refers(stage, &mut bob, &format!("<{TARGET}>"))?;
    let invited = stage.get(CAROL, "INVITE")?;
    let carol = carol_takes(stage, &invited, &mut alice)?;
    talk_on(stage, bob, (carol, alice))
}

/// Figure 1: the REFER names the dialog that it is about (RFC 4538).
fn rfc5589_6_1_transfer_in_a_dialog_of_its_own(stage: &mut Stage) -> Played {
    let (mut alice, mut bob) = held(stage)?;
    let number = stage.number();
    let refer = Msg::request("REFER", &bob.target, BOB, number).with("Refer-To", &format!("<{TARGET}>"));
    stage.send(BOB, &refer.with("Target-Dialog", &bob.as_target()).with("Require", "tdialog"));
    let (_, accepted) = stage.get_any(&[(BOB, "200 REFER"), (BOB, "202 REFER")])?;
    let subscription = Side::calling(BOB, &accepted);
    told(stage, &subscription, "100")?;
    let invited = stage.get(CAROL, "INVITE")?;
    let mut carol = carol_takes(stage, &invited, &mut alice)?;
    told(stage, &subscription, "200")?;
    leaves(stage, &mut bob)?;
    bye(stage, &mut carol, &alice)
}

fn rfc5589_6_2_transfer_with_dialog_reuse(stage: &mut Stage) -> Played {
    let (mut alice, mut bob) = held(stage)?;
    refers(stage, &mut bob, &format!("<{TARGET}>"))?;
    let invited = stage.get(CAROL, "INVITE")?;
    stage.send(CAROL, &Msg::response(&invited, 180, "carol").phrase("Ringing").contact(CAROL));
    stage.pass(Duration::from_millis(20));
    let carol = carol_takes(stage, &invited, &mut alice)?;
    talk_on(stage, bob, (carol, alice))
}

/// §6: the transferor need not wait for what comes of it.
fn rfc5589_6_2_the_transferor_leaves_at_once(stage: &mut Stage) -> Played {
    let (mut alice, mut bob) = held(stage)?;
    refers(stage, &mut bob, &format!("<{TARGET}>"))?;
    leaves(stage, &mut bob)?;
    let invited = stage.get(CAROL, "INVITE")?;
    let mut carol = carol_takes(stage, &invited, &mut alice)?;
    bye(stage, &mut carol, &alice)
}

/// Bob takes Alice back, and hangs up.
fn taken_back(stage: &mut Stage, mut alice: Side, mut bob: Side) -> Played {
    changes(stage, &mut bob, &mut alice, "")?;
    bye(stage, &mut bob, &alice)
}

fn rfc5589_6_3_1_the_target_is_busy(stage: &mut Stage) -> Played {
    let (alice, mut bob) = held(stage)?;
    refers(stage, &mut bob, &format!("<{TARGET}>"))?;
    let invited = stage.get(CAROL, "INVITE")?;
    stage.send(CAROL, &Msg::response(&invited, 486, "carol").phrase("Busy Here"));
    stage.get(CAROL, "ACK")?;
    told(stage, &bob, "486")?;
    taken_back(stage, alice, bob)
}

/// It is Liaison that gets tired of waiting.
fn rfc5589_6_3_2_the_target_does_not_answer(stage: &mut Stage) -> Played {
    let (alice, mut bob) = held(stage)?;
    refers(stage, &mut bob, &format!("<{TARGET}>"))?;
    let invited = stage.get(CAROL, "INVITE")?;
    stage.send(CAROL, &Msg::response(&invited, 180, "carol").phrase("Ringing").contact(CAROL));
    let cancel = stage.get_within(CAROL, "CANCEL", s(21))?;
    stage.ok(CAROL, &cancel);
    stage.send(CAROL, &Msg::response(&invited, 487, "carol").phrase("Request Terminated"));
    stage.get(CAROL, "ACK")?;
    told(stage, &bob, "4")?;
    taken_back(stage, alice, bob)
}

/// The consultation is over before the transfer.
fn rfc5589_7_1_exposing_the_target(stage: &mut Stage) -> Played {
    let (alice, bob) = held(stage)?;
    let (mut asks, asked) = call(stage, BOB, TARGET, CAROL)?;
    bye(stage, &mut asks, &asked)?;
    blindly(stage, (alice, bob))
}

/// Bob asks Carol, and has both on hold.
fn consulted(stage: &mut Stage) -> Result<[Side; 4], Stuck> {
    let (alice, bob) = held(stage)?;
    let (mut asks, mut carol) = call(stage, BOB, TARGET, CAROL)?;
    changes(stage, &mut asks, &mut carol, "a=sendonly\r\n")?;
    Ok([alice, bob, asks, carol])
}

/// Whoever was on hold hears the other one: both are asked.
fn resumed(stage: &mut Stage, alice: &mut Side, carol: &mut Side) -> Played {
    for _ in 0..2 {
        let (which, asked) = stage.get_any(&[(ALICE, "INVITE"), (CAROL, "INVITE")])?;
        let side = if which == 0 { &mut *alice } else { &mut *carol };
        accepts(stage, side, &asked);
        stage.get(side.at, "ACK")?;
    }
    Ok(())
}

/// It is the target that is referred to the transferee, whose address it may know; here the transferee's identity with Bob.
fn rfc5589_7_2_protecting_the_target(stage: &mut Stage) -> Played {
    let [mut alice, bob, mut asks, mut carol] = consulted(stage)?;
    let to = bob.replacing(&bob.target);
    refers(stage, &mut asks, &to)?;
    resumed(stage, &mut alice, &mut carol)?;
    is_left(stage, &bob)?;
    told(stage, &asks, "200")?;
    leaves(stage, &mut asks)?;
    bye(stage, &mut alice, &carol)
}

/// Bob joins the two, in the dialog with Alice, which he ends then.
fn joined(stage: &mut Stage, parties: [Side; 4], to: &str) -> Played {
    let [mut alice, mut bob, asks, mut carol] = parties;
    refers(stage, &mut bob, to)?;
    resumed(stage, &mut alice, &mut carol)?;
    is_left(stage, &asks)?;
    talk_on(stage, bob, (carol, alice))
}

fn rfc5589_7_3_attended(stage: &mut Stage) -> Played {
    let parties = consulted(stage)?;
    let to = parties[2].replacing(&parties[2].target);
    joined(stage, parties, &to)
}

fn rfc5589_7_5_attended_by_the_address_of_record(stage: &mut Stage) -> Played {
    let parties = consulted(stage)?;
    let to = parties[2].replacing(TARGET).replace('>', "&Require=replaces>");
    joined(stage, parties, &to)
}

/// Figure 11: Bob has hung up, and his telephone goes on.
fn rfc5589_7_6_semi_attended(stage: &mut Stage) -> Played {
    let (mut alice, mut bob) = held(stage)?;
    let (asks, carol) = call(stage, BOB, TARGET, CAROL)?;
    refers(stage, &mut bob, &asks.replacing(TARGET))?;
    is_asked(stage, &mut alice)?;
    is_left(stage, &asks)?;
    talk_on(stage, bob, (carol, alice))
}

/// Bob gives up asking Carol, and transfers blindly: what became of her INVITE, and whether she answers it so or so.
fn gives_up(stage: &mut Stage, crosses: bool) -> Played {
    let (alice, bob) = held(stage)?;
    let invite = invite(stage, BOB, TARGET);
    stage.send(BOB, &invite);
    let invited = stage.get(CAROL, "INVITE")?;
    rings(stage, CAROL, BOB, &invited)?;
    stage.send(BOB, &Msg::of_invite("CANCEL", &invite));
    stage.get(BOB, "200 CANCEL")?;
    failed(stage, &invite, "487")?;
    let cancel = stage.get(CAROL, "CANCEL")?;
    if crosses {
        stage.send(CAROL, &answer(CAROL, &invited));
        stage.ok(CAROL, &cancel);
        stage.get(CAROL, "ACK")?;
        is_left(stage, &Side::called(CAROL, &invited, "carol"))?;
    } else {
        stage.ok(CAROL, &cancel);
        stage.send(CAROL, &Msg::response(&invited, 487, "carol").phrase("Request Terminated"));
        stage.get(CAROL, "ACK")?;
    }
    blindly(stage, (alice, bob))
}

/// Figure 12.
fn rfc5589_7_6_semi_attended_as_blind(stage: &mut Stage) -> Played {
    gives_up(stage, false)
}

/// Figure 13, in which a middle has taken the answer already: Bob has his 487, and transfers blindly.
fn rfc5589_7_6_the_target_answers_as_it_is_cancelled(stage: &mut Stage) -> Played {
    gives_up(stage, true)
}

/// Figure 14, in which it is we who know of Replaces: Carol need not, and refuses to be called so.
fn rfc5589_7_7_the_target_lacks_replaces(stage: &mut Stage) -> Played {
    let (mut alice, mut bob) = call(stage, ALICE, NUMBER, BOB)?;
    asks_what_it_can(stage, &mut bob)?;
    changes(stage, &mut bob, &mut alice, "a=sendonly\r\n")?;
    let invite = invite(stage, BOB, TARGET).with("Require", "replaces");
    stage.send(BOB, &invite);
    let invited = stage.get(CAROL, "INVITE")?;
    let bad = Msg::response(&invited, 420, "carol").phrase("Bad Extension").with("Unsupported", "replaces");
    stage.send(CAROL, &bad);
    stage.get(CAROL, "ACK")?;
    failed(stage, &invite, "420")?;
    blindly(stage, (alice, bob))
}

/// The second figure: what the two can do is asked for by OPTIONS, which each leg answers for itself.
fn rfc5589_7_7_attended_falls_back_to_basic(stage: &mut Stage) -> Played {
    let (mut alice, mut bob) = call(stage, ALICE, NUMBER, BOB)?;
    asks_what_it_can(stage, &mut bob)?;
    changes(stage, &mut bob, &mut alice, "a=sendonly\r\n")?;
    let (mut asks, asked) = call(stage, BOB, TARGET, CAROL)?;
    asks_what_it_can(stage, &mut asks)?;
    bye(stage, &mut asks, &asked)?;
    blindly(stage, (alice, bob))
}

fn asks_what_it_can(stage: &mut Stage, side: &mut Side) -> Played {
    let options = side.request("OPTIONS");
    stage.send(side.at, &options);
    let can = stage.get(side.at, "200 OPTIONS")?;
    assert!(field(&can, "Allow").contains("REFER") && field(&can, "Supported").contains("replaces"), "{can}");
    Ok(())
}

/// What Bob has signed gets to Carol as it is.
fn rfc5589_8_with_referred_by_and_its_token(stage: &mut Stage) -> Played {
    let (mut alice, mut bob) = held(stage)?;
    let token = "Date: Thu, 18 Sep 2003 13:07:43 GMT\r\nRefer-To: <sip:+4940@10.1.0.1>\r\nReferred-By: <sip:bob@10.1.0.2>\r\n";
    let refer = || {
        let refer = bob.request("REFER").with("Refer-To", &format!("<{TARGET}>"));
        refer
            .with("Referred-By", "<sip:bob@10.1.0.2>;cid=\"20398823.2UWQFN309shb3@10.1.0.2\"")
            .with("Content-ID", "<20398823.2UWQFN309shb3@10.1.0.2>")
            .with("Content-Disposition", "aib;handling=optional")
            .body("message/sipfrag", token)
    };
    stage.insist(BOB, refer, (BOB, "200 REFER"))?;
    told(stage, &bob, "100")?;
    let invited = stage.get(CAROL, "INVITE")?;
    assert!(invited.contains(token), "{invited}");
    assert_eq!(uri_in(&field(&invited, "Referred-By")), "sip:bob@10.1.0.2");
    let carol = carol_takes(stage, &invited, &mut alice)?;
    talk_on(stage, bob, (carol, alice))
}

const FOCUS: &str = "<sip:conf-1@10.1.0.2:5060>;isfocus";

/// Bob's focus tells a subscriber who is there.
fn confers(stage: &mut Stage, (bob, to): (&mut Side, &str), state: &str, users: &str) -> Played {
    let text = format!(
        "<?xml version=\"1.0\"?>\r\n<conference-info xmlns=\"urn:ietf:params:xml:ns:conference-info\" entity=\"sip:conf-1@10.1.0.2\" state=\"full\" version=\"{}\"><users>{users}</users></conference-info>\r\n",
        users.len()
    );
    notifies(stage, (bob, to), ("conference", state), ("application/conference-info+xml", &text))
}

const ALICE_HOLDS: &str = "<user entity=\"sip:alice@10.0.0.2\"/>";
const BOTH_HOLD: &str = "<user entity=\"sip:alice@10.0.0.2\"/><user entity=\"sip:carol@10.0.0.3\"/>";

/// Figure 17: Bob is the focus of a conference, and who subscribes to it knows of each step.
fn rfc5589_9_as_an_ad_hoc_conference(stage: &mut Stage) -> Played {
    let (mut alice, mut bob) = call(stage, ALICE, NUMBER, BOB)?;
    let sdp = bob.sdp("a=sendonly\r\n");
    let holds = || bob.request("INVITE").set("Contact", FOCUS).sdp(&sdp);
    let asked = stage.insist(BOB, holds, (ALICE, "INVITE"))?;
    assert!(field(&asked, "Contact").ends_with(";isfocus"), "{asked}");
    accepts(stage, &mut alice, &asked);
    let ok = stage.get(BOB, "200 INVITE")?;
    stage.send(BOB, &bob.ack(seq(&ok)));
    stage.get(ALICE, "ACK")?;
    let focus = ("sip:conf-1@10.0.0.1", "conference");
    let (_, mut for_alice) = subscribes(stage, ALICE, focus, BOB)?;
    confers(stage, (&mut for_alice, ALICE), "active;expires=60", ALICE_HOLDS)?;

    let invite = invite(stage, BOB, TARGET).set("Contact", FOCUS);
    stage.send(BOB, &invite);
    let invited = stage.get(CAROL, "INVITE")?;
    rings(stage, CAROL, BOB, &invited)?;
    let (mut asks, mut carol) = answers(stage, CAROL, BOB, &invited)?;
    let (_, for_carol) = subscribes(stage, CAROL, focus, BOB)?;
    let mut for_carol = for_carol.beside();
    confers(stage, (&mut for_carol, CAROL), "active;expires=60", BOTH_HOLD)?;
    confers(stage, (&mut for_alice, ALICE), "active;expires=50", BOTH_HOLD)?;
    changes(stage, &mut asks, &mut carol, "a=sendonly\r\n")?;

    refers(stage, &mut bob, &asks.replacing(&asks.target))?;
    resumed(stage, &mut alice, &mut carol)?;
    is_left(stage, &asks)?;
    told(stage, &bob, "200")?;
    leaves(stage, &mut bob)?;
    confers(stage, (&mut for_carol, CAROL), "terminated;reason=noresource", "")?;
    confers(stage, (&mut for_alice, ALICE), "terminated;reason=noresource", "")?;
    bye(stage, &mut carol, &alice)
}

/// Figure 18: Alice is the originator, Bob the facilitator, Carol the screener, Dave the recipient, whom Bob talks to before Alice does.
fn rfc5589_10_with_multiple_parties(stage: &mut Stage) -> Played {
    let (mut alice, mut bob) = held(stage)?;
    let (mut asks, mut carol) = call(stage, BOB, TARGET, CAROL)?;
    changes(stage, &mut carol, &mut asks, "a=sendonly\r\n")?;
    let (mut screens, mut screened) = call(stage, CAROL, &number_of_dave(CAROL), DAVE)?;
    changes(stage, &mut screens, &mut screened, "a=sendonly\r\n")?;
    // Bob is put through to Dave.
    refers(stage, &mut carol, &format!("<{}>", number_of_dave(CAROL)))?;
    let invited = stage.get(DAVE, "INVITE")?;
    stage.send(DAVE, &answer(DAVE, &invited));
    stage.get(DAVE, "ACK")?;
    is_asked(stage, &mut asks)?;
    let mut dave = Side::called(DAVE, &invited, "dave");
    told(stage, &carol, "200")?;
    leaves(stage, &mut carol)?;
    bye(stage, &mut screens, &screened)?;
    changes(stage, &mut asks, &mut dave, "a=sendonly\r\n")?;
    // Then Alice is.
    refers(stage, &mut bob, &format!("<{}>", number_of_dave(BOB)))?;
    let invited = stage.get(DAVE, "INVITE")?;
    stage.send(DAVE, &answer(DAVE, &invited));
    stage.get(DAVE, "ACK")?;
    is_asked(stage, &mut alice)?;
    told(stage, &bob, "200")?;
    leaves(stage, &mut bob)?;
    bye(stage, &mut asks, &dave)?;
    bye(stage, &mut Side::called(DAVE, &invited, "dave"), &alice)
}
