//! Codecs that a profile adds: who is offered them, and whom a call without a codec in common reaches.

use super::common::{ALICE, BOB, INSIDE, OUTSIDE, World, by_hand, document};
use liaison_tests::message::{Msg, audio, body};

/// Alice has PCMA and nothing of her own said, Bob may be offered Opus.
fn world(more: &str, seed: u64) -> World {
    let profiles = format!("\n[profiles.a]\n[profiles.b]\ntranscode = [\"opus\"]\n{more}");
    by_hand(&document("profile = \"a\"", "profile = \"b\"", &profiles), seed)
}

fn opus(port: u16) -> String {
    audio(BOB, port)
        .replace("RTP/AVP 8 101", "RTP/AVP 96 97")
        .replace("8 PCMA/8000", "96 opus/48000/2")
        .replace("101 telephone-event/8000", "97 telephone-event/48000")
}

#[test]
fn who_takes_the_added_codec_only_is_heard_by_one_that_has_it_not() {
    let mut world = world("", 1);
    world.post(ALICE, OUTSIDE, &super::common::invite());
    let invited = world.expect(BOB, "INVITE");
    assert!(body(&invited).contains("RTP/AVP 8 101 96 97\r\n"), "{invited}");
    assert!(body(&invited).contains("a=rtpmap:97 telephone-event/48000\r\n"), "{invited}");
    let answer = Msg::response(&invited, 200, "bob").contact(BOB);
    world.post(BOB, INSIDE, &answer.sdp(&opus(6000)));
    let answered = world.expect(ALICE, "200");
    assert!(body(&answered).contains("RTP/AVP 8 101\r\n"), "{answered}");
    assert!(!body(&answered).contains("opus"), "{answered}");
}

#[test]
fn who_takes_what_the_caller_has_is_relayed_as_ever() {
    let mut world = world("", 2);
    world.post(ALICE, OUTSIDE, &super::common::invite());
    let invited = world.expect(BOB, "INVITE");
    let answer = Msg::response(&invited, 200, "bob").contact(BOB);
    world.post(BOB, INSIDE, &answer.sdp(&audio(BOB, 6000)));
    let answered = world.expect(ALICE, "200");
    assert!(body(&answered).contains("RTP/AVP 8 101\r\n"), "{answered}");
}

#[test]
fn beyond_the_limit_nothing_is_added() {
    let mut world = world("[limits]\ntranscoded_streams = 0\n", 3);
    world.post(ALICE, OUTSIDE, &super::common::invite());
    let invited = world.expect(BOB, "INVITE");
    assert!(body(&invited).contains("RTP/AVP 8 101\r\n"), "{invited}");
}
