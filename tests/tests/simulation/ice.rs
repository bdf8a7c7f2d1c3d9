//! ICE in calls: it ends with us on each leg (RFC 7584, RFC 8839).

use super::common::{ALICE, BOB, Call, INSIDE, OUTSIDE, TWO_SIDES, World, answer, by_hand, invite, ms};
use liaison_tests::message::{Msg, audio, body};

/// A description with ICE, as behind a NAT: the address is the one that a server has seen.
fn with_ice(address: &str, port: u16, ufrag: &str) -> String {
    format!(
        "{}a=ice-ufrag:{ufrag}\r\na=ice-pwd:canary{ufrag}canarycanary\r\n\
         a=candidate:1 1 UDP 2130706431 192.168.9.9 {port} typ host\r\n\
         a=candidate:2 1 UDP 1694498815 {} {port} typ srflx raddr 192.168.9.9 rport {port}\r\na=rtcp-mux\r\n",
        audio(address, port),
        address.split(':').next().unwrap()
    )
}

fn value<'t>(sdp: &'t str, name: &str) -> Option<&'t str> {
    sdp.lines().find_map(|line| line.strip_prefix(name))
}

/// Nothing of the peer's own ICE.
#[track_caller]
fn hides(sdp: &str) {
    for own in ["canary", "192.168.9.9", "srflx"] {
        assert!(!sdp.contains(own), "{own} in {sdp}");
    }
}

fn established(document: &str, answered: impl FnOnce() -> String) -> (World, Call) {
    let mut world = by_hand(document, 1);
    let invite = invite().sdp(&with_ice(ALICE, 4000, "alice8"));
    let call = Call::establish_with(&mut world, invite, |invited| answer(invited).sdp(&answered()));
    (world, call)
}

#[test]
fn s6_11_a_caller_with_ice_is_answered_with_ours_and_the_called_side_hears_nothing_of_it() {
    let (mut world, call) = established(TWO_SIDES, || audio(BOB, 6000));
    hides(body(&call.invited));
    assert!(!body(&call.invited).contains("ice-") && !body(&call.invited).contains("candidate"));
    let ok = body(&call.ok);
    hides(ok);
    let (address, port) =
        (value(ok, "c=IN IP4 ").unwrap(), value(ok, "m=audio ").unwrap().split(' ').next().unwrap());
    assert_eq!(value(ok, "a=candidate:1 1 UDP 2130706431 "), Some(&*format!("{address} {port} typ host")));
    assert_eq!((value(ok, "a=ice-lite"), value(ok, "a=ice-options:")), (Some(""), Some("ice2")));
    // A restart of the caller's is answered anew, and is none of the other leg's business.
    let again = call.alice("INVITE", 2).sdp(&with_ice(ALICE, 4000, "alice9"));
    world.post(ALICE, OUTSIDE, &again);
    let invited = world.expect(BOB, "INVITE");
    assert_eq!(body(&invited), body(&call.invited), "nothing is new there");
    world.post(BOB, INSIDE, &Msg::response(&invited, 200, "").contact(BOB).sdp(&audio(BOB, 6000)));
    let restarted = world.expect(ALICE, "200");
    world.post(ALICE, OUTSIDE, &call.alice("ACK", 2));
    world.run_for(ms(20));
    for name in ["a=ice-ufrag:", "a=ice-pwd:"] {
        let (before, after) = (value(ok, name), value(body(&restarted), name));
        assert!(after.is_some() && before != after, "{name}");
    }
    call.hang_up(&mut world, 3);
}

#[test]
fn s6_11_a_profile_has_ice_offered_and_both_sides_have_credentials_of_their_own() {
    let document = format!("{TWO_SIDES}\n[profiles.default]\nice = \"offer\"\n");
    let (mut world, call) = established(&document, || with_ice(BOB, 6000, "bob8"));
    let (invited, ok) = (body(&call.invited), body(&call.ok));
    hides(invited);
    hides(ok);
    for name in ["a=ice-ufrag:", "a=ice-pwd:"] {
        let (there, here) = (value(invited, name), value(ok, name));
        assert!(there.is_some() && here.is_some() && there != here, "{name}");
    }
    call.hang_up(&mut world, 2);
}

#[test]
fn where_a_profile_says_so_there_is_no_ice() {
    let document = format!("{TWO_SIDES}\n[profiles.default]\nice = \"off\"\n");
    let (mut world, call) = established(&document, || audio(BOB, 6000));
    for sdp in [body(&call.invited), body(&call.ok)] {
        assert!(!sdp.contains("ice-") && !sdp.contains("candidate"), "{sdp}");
    }
    call.hang_up(&mut world, 2);
}
