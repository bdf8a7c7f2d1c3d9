//! Media before the answer, as P-Early-Media authorizes it (`early_media` of a profile, RFC 5009).

use super::common::{ALICE, BOB, INSIDE, OUTSIDE, World, answer, by_hand, document, invite, ms};
use liaison_tests::message::{Msg, audio, body, field, find};

/// Bob's side treats early media so; Alice's network is trusted or not, Bob's is.
fn world(manner: &str, alice_trusted: bool, seed: u64) -> World {
    let profile = format!("\n[profiles.early]\nearly_media = \"{manner}\"\n");
    let text = document("", "profile = \"early\"", &profile);
    let carrier = format!("[networks.carrier]\ntrusted = {alice_trusted}\n");
    by_hand(&text.replace("[networks.carrier]\n", &carrier), seed)
}

/// Bob's progress, which says that of early media.
fn progress(invited: &str, status: u16, says: &str) -> Msg {
    let response = Msg::response(invited, status, "bob").contact(BOB);
    if says.is_empty() { response } else { response.with("P-Early-Media", says) }
}

/// Bob progresses so: what Alice gets, and how many ways media may go then.
fn progresses(world: &mut World, response: &Msg, status: &str) -> (String, usize) {
    world.post(BOB, INSIDE, response);
    let heard = world.expect(ALICE, status);
    world.run_for(ms(20));
    (heard, world.ways())
}

/// Bob answers, and all flows.
fn answers(world: &mut World, invited: &str) {
    world.post(BOB, INSIDE, &answer(invited));
    let ok = world.expect(ALICE, "200");
    world.expect(BOB, "ACK");
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, &ok));
    world.run_for(ms(20));
    assert_eq!(world.ways(), 2, "with the answer all is authorized");
    world.post(ALICE, OUTSIDE, &Msg::inside("BYE", ALICE, 2, &ok));
    let bye = world.expect(BOB, "BYE");
    world.ok(BOB, INSIDE, &bye);
    world.must_forget("a call with early media");
}

fn calls(world: &mut World) -> String {
    world.post(ALICE, OUTSIDE, &invite());
    world.expect(BOB, "INVITE")
}

#[test]
fn rfc5009_8_media_flows_before_the_answer_as_it_is_authorized_and_revoked() {
    let mut world = world("require", true, 1);
    let invited = calls(&mut world);
    assert_eq!(field(&invited, "P-Early-Media"), "supported");
    let sdp = audio(BOB, 6000);
    let (early, ways) = progresses(&mut world, &progress(&invited, 183, "").sdp(&sdp), "183");
    assert!(body(&early).contains("m=audio"), "what is negotiated has nothing to do with it: {early}");
    assert_eq!(ways, 0, "nothing is authorized");
    let (early, ways) = progresses(&mut world, &progress(&invited, 183, "sendonly, gated"), "183");
    assert_eq!((field(&early, "P-Early-Media").as_str(), ways), ("sendonly, gated", 1), "Bob is heard");
    let (_, ways) = progresses(&mut world, &progress(&invited, 180, ""), "180");
    assert_eq!(ways, 1, "who says nothing changes nothing");
    let (_, ways) = progresses(&mut world, &progress(&invited, 183, "supported"), "183");
    assert_eq!(ways, 1, "without a direction it is no request");
    let (_, ways) = progresses(&mut world, &progress(&invited, 183, "sendrecv"), "183");
    assert_eq!(ways, 2);
    let (_, ways) = progresses(&mut world, &progress(&invited, 183, "inactive"), "183");
    assert_eq!(ways, 0, "revoked");
    answers(&mut world, &invited);
}

#[test]
fn what_is_heeded_flows_until_it_is_revoked() {
    let mut world = world("heed", false, 2);
    let invited = calls(&mut world);
    assert_eq!(field(&invited, "P-Early-Media"), "supported");
    let (_, ways) = progresses(&mut world, &progress(&invited, 183, "").sdp(&audio(BOB, 6000)), "183");
    assert_eq!(ways, 2);
    let (early, ways) = progresses(&mut world, &progress(&invited, 183, "inactive"), "183");
    assert_eq!(ways, 0);
    assert_eq!(find(&early, "P-Early-Media"), None, "Alice's network is not trusted");
    answers(&mut world, &invited);
}

#[test]
fn where_early_media_is_open_nothing_is_said_of_it_and_nothing_stops_it() {
    let mut world = world("open", true, 3);
    let invited = calls(&mut world);
    assert_eq!(find(&invited, "P-Early-Media"), None);
    let sdp = audio(BOB, 6000);
    let (early, ways) = progresses(&mut world, &progress(&invited, 183, "inactive").sdp(&sdp), "183");
    assert_eq!((field(&early, "P-Early-Media").as_str(), ways), ("inactive", 2), "it crosses");
    answers(&mut world, &invited);
}

#[test]
fn rfc5009_2_a_network_that_is_not_trusted_authorizes_nothing() {
    let text = document("", "profile = \"early\"", "\n[profiles.early]\nearly_media = \"require\"\n");
    let mut world = by_hand(&text.replace("trusted = true\n", "trusted = false\n"), 4);
    let invited = calls(&mut world);
    assert_eq!(find(&invited, "P-Early-Media"), None);
    let says = progress(&invited, 183, "sendrecv").sdp(&audio(BOB, 6000));
    let (early, ways) = progresses(&mut world, &says, "183");
    assert_eq!((find(&early, "P-Early-Media"), ways), (None, 0));
    answers(&mut world, &invited);
}

#[test]
fn an_update_of_the_called_side_changes_what_flows() {
    let mut world = world("require", true, 5);
    let invite =
        invite().with("Supported", "100rel").with("Allow", "INVITE, ACK, BYE, CANCEL, PRACK, UPDATE");
    world.post(ALICE, OUTSIDE, &invite);
    let invited = world.expect(BOB, "INVITE");
    let reliable = progress(&invited, 183, "inactive").with("Require", "100rel").with("RSeq", "7");
    world.post(BOB, INSIDE, &reliable.sdp(&audio(BOB, 6000)));
    let prack = world.expect(BOB, "PRACK");
    world.ok(BOB, INSIDE, &prack);
    let early = world.expect(ALICE, "183");
    let rack = format!("{} 1 INVITE", field(&early, "RSeq"));
    world.post(ALICE, OUTSIDE, &Msg::inside("PRACK", ALICE, 2, &early).with("RAck", &rack));
    world.expect(ALICE, "200");
    assert_eq!(world.ways(), 0);
    let target = liaison_tests::message::uri_in(&field(&invited, "Contact"));
    let update = Msg::inside("UPDATE", BOB, 1, &prack).uri(&target).with("P-Early-Media", "sendonly");
    world.post(BOB, INSIDE, &update);
    let crossed = world.expect(ALICE, "UPDATE");
    assert_eq!(field(&crossed, "P-Early-Media"), "sendonly");
    world.ok(ALICE, OUTSIDE, &crossed);
    world.expect(BOB, "200");
    assert_eq!(world.ways(), 1);
}

/// Bob's 183 is reliable, and the 2xx to what we ask him next says that of early media: to our PRACK, or to the UPDATE of Alice's.
#[test]
fn rfc5009_8_a_2xx_to_prack_or_update_changes_what_flows() {
    for by_update in [false, true] {
        let mut world = world("require", true, 6);
        let invite =
            invite().with("Supported", "100rel").with("Allow", "INVITE, ACK, BYE, CANCEL, PRACK, UPDATE");
        world.post(ALICE, OUTSIDE, &invite);
        let invited = world.expect(BOB, "INVITE");
        let allow = "INVITE, ACK, BYE, CANCEL, PRACK, UPDATE";
        let reliable = progress(&invited, 183, "").with("Require", "100rel").with("RSeq", "7");
        world.post(BOB, INSIDE, &reliable.with("Allow", allow).sdp(&audio(BOB, 6000)));
        let prack = world.expect(BOB, "PRACK");
        let ok = Msg::response(&prack, 200, "");
        let ok = if by_update { ok } else { ok.with("P-Early-Media", "sendrecv") };
        world.post(BOB, INSIDE, &ok);
        let early = world.expect(ALICE, "183");
        world.run_for(ms(20));
        assert_eq!(world.ways(), if by_update { 0 } else { 2 });
        let rack = format!("{} 1 INVITE", field(&early, "RSeq"));
        world.post(ALICE, OUTSIDE, &Msg::inside("PRACK", ALICE, 2, &early).with("RAck", &rack));
        world.expect(ALICE, "200");
        world.post(ALICE, OUTSIDE, &Msg::inside("UPDATE", ALICE, 3, &early).sdp(&audio(ALICE, 4002)));
        let update = world.expect(BOB, "UPDATE");
        let says = if by_update { "sendonly" } else { "inactive" };
        let ok = Msg::response(&update, 200, "").contact(BOB).with("P-Early-Media", says);
        world.post(BOB, INSIDE, &ok.sdp(&audio(BOB, 6000)));
        let crossed = world.expect(ALICE, "200");
        assert_eq!(
            (field(&crossed, "CSeq"), field(&crossed, "P-Early-Media")),
            ("3 UPDATE".into(), says.into())
        );
        world.run_for(ms(20));
        assert_eq!(world.ways(), usize::from(by_update), "Bob is heard, or nobody");
        world.post(BOB, INSIDE, &Msg::response(&invited, 486, "bob"));
        let refused = world.expect(ALICE, "486");
        world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &invite).set("To", &field(&refused, "To")));
        world.must_forget("a call with early media that is authorized in other responses");
    }
}
