//! One early dialog towards a caller that does not understand several (`early_dialogs` of a profile).

use super::common::{ALICE, BOB, INSIDE, OUTSIDE, World, by_hand, document, invite, ms, s};
use liaison_tests::message::{Msg, audio, body, field, find, line, tag};

fn one() -> String {
    document("profile = \"one\"", "", "\n[profiles.one]\nearly_dialogs = \"one\"\n")
}

/// A branch of the fork answers; the right one takes no telephone-event.
fn branch(invited: &str, status: u16, tag: &str) -> Msg {
    let sdp = audio(BOB, if tag == "left" { 6000 } else { 7000 });
    let sdp = match tag {
        "right" => sdp.replace(" 8 101", " 8").replace("a=rtpmap:101 telephone-event/8000\r\n", ""),
        _ => sdp,
    };
    Msg::response(invited, status, tag).contact(BOB).sdp(&sdp)
}

/// Alice calls, and two branches ring with early media: what Bob was asked, and what she heard first.
fn forked(world: &mut World, invite: &Msg) -> (String, String) {
    world.post(ALICE, OUTSIDE, invite);
    let invited = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &branch(&invited, 183, "left"));
    let left = world.expect(ALICE, "183");
    world.post(BOB, INSIDE, &branch(&invited, 183, "right"));
    let right = world.expect(ALICE, "183");
    assert_eq!(tag(&left, "To"), tag(&right, "To"), "one dialog");
    assert!(!body(&left).is_empty() && body(&right).is_empty(), "she hears the first: {right}");
    (invited, left)
}

/// Alice acknowledges.
fn acks(world: &mut World, ok: &str) {
    world.expect(BOB, "ACK");
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, ok));
    world.run_for(ms(20));
}

fn hangs_up(world: &mut World, ok: &str) {
    world.post(ALICE, OUTSIDE, &Msg::inside("BYE", ALICE, 9, ok));
    let bye = world.expect(BOB, "BYE");
    world.ok(BOB, INSIDE, &bye);
    world.must_forget("a call with one early dialog");
}

#[test]
fn who_was_heard_first_answers() {
    let mut world = by_hand(&one(), 1);
    let (invited, heard) = forked(&mut world, &invite());
    world.post(BOB, INSIDE, &branch(&invited, 200, "left"));
    let ok = world.expect(ALICE, "200");
    assert_eq!((tag(&ok, "To"), body(&ok)), (tag(&heard, "To"), body(&heard)));
    acks(&mut world, &ok);
    world.expect_no(ALICE, "INVITE");
    assert_eq!(world.lent(), 2);
    hangs_up(&mut world, &ok);
}

#[test]
fn rfc3261_13_2_1_another_one_answers_and_the_caller_is_offered_what_differs() {
    let mut world = by_hand(&one(), 2);
    let (invited, heard) = forked(&mut world, &invite());
    world.post(BOB, INSIDE, &branch(&invited, 200, "right"));
    let ok = world.expect(ALICE, "200");
    assert_eq!(
        (tag(&ok, "To"), body(&ok)),
        (tag(&heard, "To"), body(&heard)),
        "the answer is the one that it was"
    );
    world.expect_no(ALICE, "INVITE");
    acks(&mut world, &ok);
    let offered = world.expect(ALICE, "INVITE");
    assert!(line(body(&heard), 'm').ends_with(" RTP/AVP 8 101"));
    assert!(line(body(&offered), 'm').ends_with(" RTP/AVP 8"), "{offered}");
    let port = |text: &str| line(body(text), 'm').split(' ').nth(1).map(str::to_owned);
    assert_eq!(port(&offered), port(&heard));
    world.post(ALICE, OUTSIDE, &Msg::response(&offered, 200, "").contact(ALICE).sdp(&audio(ALICE, 4000)));
    world.expect(ALICE, "ACK");
    world.expect_no(BOB, "INVITE");
    assert_eq!(world.lent(), 2);
    // The late answer of the other one is ended.
    world.post(BOB, INSIDE, &branch(&invited, 200, "left"));
    assert_eq!(tag(&world.expect(BOB, "ACK"), "To"), "left");
    let bye = world.expect(BOB, "BYE");
    assert_eq!(tag(&bye, "To"), "left");
    world.ok(BOB, INSIDE, &bye);
    hangs_up(&mut world, &ok);
}

#[test]
fn another_one_that_says_the_same_needs_no_offer() {
    let mut world = by_hand(&one(), 3);
    let (invited, heard) = forked(&mut world, &invite());
    world.post(BOB, INSIDE, &branch(&invited, 200, "third"));
    let ok = world.expect(ALICE, "200");
    assert_eq!(body(&ok), body(&heard));
    acks(&mut world, &ok);
    world.expect_no(ALICE, "INVITE");
    hangs_up(&mut world, &ok);
}

#[test]
fn an_answer_that_was_given_reliably_is_not_given_again() {
    let mut world = by_hand(&one(), 4);
    world.post(ALICE, OUTSIDE, &invite().with("Supported", "100rel, 199"));
    let invited = world.expect(BOB, "INVITE");
    for (seq, branch_tag, number) in [(2, "left", 7), (3, "right", 900)] {
        let reliable = branch(&invited, 183, branch_tag).with("Require", "100rel");
        world.post(BOB, INSIDE, &reliable.with("RSeq", &number.to_string()));
        let prack = world.expect(BOB, "PRACK");
        assert_eq!(tag(&prack, "To"), branch_tag, "each is acknowledged apart");
        world.ok(BOB, INSIDE, &prack);
        let progress = world.expect(ALICE, "183");
        let rack = format!("{} 1 INVITE", field(&progress, "RSeq"));
        world.post(ALICE, OUTSIDE, &Msg::inside("PRACK", ALICE, seq, &progress).with("RAck", &rack));
        world.expect(ALICE, "200");
    }
    // The one that was heard is over; the dialog is not.
    world.post(BOB, INSIDE, &Msg::response(&invited, 199, "left").contact(BOB));
    world.expect_no(ALICE, "199");
    world.post(BOB, INSIDE, &Msg::response(&invited, 200, "right").contact(BOB));
    let ok = world.expect(ALICE, "200");
    assert!(body(&ok).is_empty(), "{ok}");
    acks(&mut world, &ok);
    let offered = world.expect(ALICE, "INVITE");
    assert!(line(body(&offered), 'm').ends_with(" RTP/AVP 8"), "{offered}");
    world.post(ALICE, OUTSIDE, &Msg::response(&offered, 488, ""));
    world.run_for(s(1));
    hangs_up(&mut world, &ok);
}

#[test]
fn without_an_offer_of_the_callers_the_answer_brings_the_only_one() {
    let mut world = by_hand(&one(), 5);
    let delayed = Msg::request("INVITE", super::common::NUMBER, ALICE, 1).with("Supported", "100rel");
    world.post(ALICE, OUTSIDE, &delayed);
    let invited = world.expect(BOB, "INVITE");
    assert!(!find(&invited, "Supported").unwrap_or_default().contains("100rel"), "{invited}");
}

/// Both branches ring reliably in Alice's one dialog, and each side takes UPDATE: what Bob was asked, and what Alice heard.
fn reliably(world: &mut World) -> (String, String) {
    let takes = |msg: Msg| msg.with("Allow", "INVITE, ACK, CANCEL, BYE, UPDATE, PRACK");
    world.post(ALICE, OUTSIDE, &takes(invite().with("Supported", "100rel")));
    let invited = world.expect(BOB, "INVITE");
    let heard = ["left", "right"].map(|tag| {
        let progress = takes(branch(&invited, 183, tag)).with("Require", "100rel").with("RSeq", "7");
        world.post(BOB, INSIDE, &progress);
        let acknowledged = world.expect(BOB, "PRACK");
        world.ok(BOB, INSIDE, &acknowledged);
        let heard = world.expect(ALICE, "183");
        let rack = format!("{} 1 INVITE", field(&heard, "RSeq"));
        let seq = if tag == "left" { 2 } else { 3 };
        world.post(ALICE, OUTSIDE, &Msg::inside("PRACK", ALICE, seq, &heard).with("RAck", &rack));
        world.expect(ALICE, "200");
        heard
    });
    let [left, right] = heard;
    assert!(!body(&left).is_empty() && body(&right).is_empty() && tag(&left, "To") == tag(&right, "To"));
    (invited, left)
}

/// A request of one of the branches.
fn of_branch(tag: &str, invited: &str) -> Msg {
    let update = Msg::inside("UPDATE", BOB, 1, invited).branch(&format!("update-{tag}"));
    update.set("From", &format!("{};tag={tag}", field(invited, "To")))
}

fn held(sdp: &str) -> String {
    format!("{sdp}a=sendonly\r\n")
}

#[test]
fn rfc3311_an_update_in_the_one_dialog_is_for_whom_the_caller_hears() {
    let mut world = by_hand(&one(), 20);
    let (invited, heard) = reliably(&mut world);
    // By Alice.
    world.post(ALICE, OUTSIDE, &Msg::inside("UPDATE", ALICE, 4, &heard).sdp(&held(&audio(ALICE, 4000))));
    let asked = world.expect(BOB, "UPDATE");
    assert!(field(&asked, "To").ends_with("tag=left") && body(&asked).contains("a=sendonly"), "{asked}");
    let answer = format!("{}a=recvonly\r\n", audio(BOB, 6000));
    world.post(BOB, INSIDE, &Msg::response(&asked, 200, "").contact(BOB).sdp(&answer));
    assert!(body(&world.expect(ALICE, "200")).contains("a=recvonly"));
    // By the branch that she hears.
    world.post(BOB, INSIDE, &of_branch("left", &invited).sdp(&audio(BOB, 6002)));
    let asked = world.expect(ALICE, "UPDATE");
    world.post(ALICE, OUTSIDE, &Msg::response(&asked, 200, "").contact(ALICE).sdp(&audio(ALICE, 4000)));
    assert_eq!(field(&world.expect(BOB, "200"), "CSeq"), "1 UPDATE");
    // By the one that she does not: nobody can be asked.
    world.post(BOB, INSIDE, &of_branch("right", &invited).sdp(&audio(BOB, 7002)));
    world.expect(BOB, "504");
    world.expect_no(ALICE, "UPDATE");
    world.post(BOB, INSIDE, &Msg::response(&invited, 200, "left").contact(BOB));
    let ok = world.expect(ALICE, "200");
    assert_eq!((tag(&ok, "To"), body(&ok)), (tag(&heard, "To"), ""));
    acks(&mut world, &ok);
    world.expect_no(ALICE, "INVITE");
    hangs_up(&mut world, &ok);
}

#[test]
fn rfc6141_3_4_another_branch_than_the_changed_one_answers_and_both_are_told() {
    for pending in [false, true] {
        let mut world = by_hand(&one(), 21);
        let (invited, heard) = reliably(&mut world);
        world.post(ALICE, OUTSIDE, &Msg::inside("UPDATE", ALICE, 4, &heard).sdp(&held(&audio(ALICE, 4000))));
        let asked = world.expect(BOB, "UPDATE");
        if !pending {
            let answer = format!("{}a=recvonly\r\n", audio(BOB, 6000));
            world.post(BOB, INSIDE, &Msg::response(&asked, 200, "").contact(BOB).sdp(&answer));
            world.expect(ALICE, "200");
        }
        world.post(BOB, INSIDE, &Msg::response(&invited, 200, "right").contact(BOB));
        if pending {
            // Whom it was for has lost: she may ask who has answered.
            world.expect(ALICE, "491");
        }
        let ok = world.expect(ALICE, "200");
        assert_eq!((field(&ok, "CSeq").as_str(), body(&ok)), ("1 INVITE", ""));
        acks(&mut world, &ok);
        let mut told = 0;
        for (at, to, port) in [(BOB, INSIDE, 7000), (ALICE, OUTSIDE, 4000)] {
            world.run_for(ms(100));
            let Some(asked) = world
                .unread(at)
                .into_iter()
                .find(|text| text.starts_with("INVITE") && !body(text).is_empty())
            else {
                continue;
            };
            if at == BOB && field(&asked, "CSeq") == field(&invited, "CSeq") {
                continue;
            }
            let asked = world.expect(at, asked.split("\r\n").next().unwrap());
            let sdp = audio(at, port);
            let sdp = match body(&asked).contains("a=sendonly") {
                true => format!("{sdp}a=recvonly\r\n"),
                false => sdp,
            };
            world.post(at, to, &Msg::response(&asked, 200, "").contact(at).sdp(&sdp));
            world.expect(at, "ACK");
            told += 1;
        }
        assert!(told > 0, "pending {pending}: what differs is told");
        world.run_for(ms(100));
        world.post(ALICE, OUTSIDE, &Msg::inside("BYE", ALICE, 9, &ok));
        let bye = world.expect(BOB, "BYE");
        world.ok(BOB, INSIDE, &bye);
        world.run_for(s(1));
    }
}
