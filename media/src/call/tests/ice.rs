//! ICE ends with us on each leg (RFC 7584 §4.2, RFC 8839).

use super::*;
use crate::ThreadId;
use crate::ice::Secret;
use crate::relay::Settings;

/// As a browser or a phone behind a NAT offers it.
const OFFER: &str = "\
v=0
o=- 1 1 IN IP4 198.51.100.1
s=-
c=IN IP4 203.0.113.99
t=0 0
a=ice-options:ice2 trickle
a=ice-ufrag:canary8
a=ice-pwd:canaryCANARYcanaryCANARY
m=audio 49170 RTP/AVP 0
a=candidate:1 1 UDP 2130706431 10.0.0.9 49170 typ host
a=candidate:1 2 UDP 2130706430 10.0.0.9 49171 typ host
a=candidate:2 1 UDP 1694498815 203.0.113.99 49170 typ srflx raddr 10.0.0.9 rport 49170
a=candidate:2 2 UDP 1694498814 203.0.113.99 49171 typ srflx raddr 10.0.0.9 rport 49171
a=rtcp-mux
";

fn call(a: Ice, b: Ice) -> Call {
    let mut call = Call::new(Mode::Anchored);
    call.networks[0].ice = a;
    call.networks[1].ice = b;
    call.media = CallMedia::new(Mode::Anchored, Limits::default(), 7).with_ice(Secret::new([3, 4]));
    call.media.add_party(A, &call.networks[0]);
    call.media.add_party(B, &call.networks[1]);
    call
}

fn settings(call: &Call, port: u16) -> &Settings {
    let lent = call.media.pairs.iter().find(|lent| lent.pair.port == port).unwrap().pair.id;
    let set = call.commands.iter().rev().find_map(|command| match command {
        Command::Set { context, settings, .. } if context.pair == lent => Some(settings),
        _ => None,
    });
    set.unwrap()
}

fn value<'a>(text: &'a [u8], name: &str) -> Option<&'a str> {
    std::str::from_utf8(text).unwrap().lines().find_map(|line| line.strip_prefix(name))
}

// conforms: RFC8839-4.2.1.4-1 RFC8839-4.2.1.5-1 RFC8839-4.2.5-1 RFC8839-4.3.2-1,2,3,4 RFC8839-5.4-1,3,4
// conforms: RFC8445-10-1 RFC5761-5.1.1-2 RFC5761-5.1.3-3 RFC7584-1-2 RFC7584-4.1-3 RFC7584-4.2-2,3,4,5
#[test]
fn rfc8839_4_3_2_ice_is_answered_where_it_is_offered_and_offered_to_nobody() {
    let mut call = call(Ice::Accept, Ice::Accept);
    let offer = call.offer(A, B, OFFER).unwrap();
    let answer = call.answer(B, A, ANSWER).unwrap();
    insta::assert_snapshot!(shown(&offer), @r"
    v=0
    o=- 77422343148738951 1 IN IP4 203.0.113.20
    s=-
    c=IN IP4 203.0.113.20
    t=0 0
    m=audio 30000 RTP/AVP 0
    a=rtcp-mux
    ");
    insta::assert_snapshot!(shown(&answer), @r"
    v=0
    o=- 1797772400223093621 1 IN IP4 192.0.2.10
    s=-
    c=IN IP4 192.0.2.10
    t=0 0
    a=ice-lite
    a=ice-options:ice2
    m=audio 20000 RTP/AVP 0 101
    a=rtpmap:0 PCMU/8000
    a=rtpmap:101 telephone-event/8000
    a=ptime:30
    a=rtcp-mux
    a=ice-ufrag:Ku05I0A6
    a=ice-pwd:BBdqQTrGozTWDLDXi6ZPkOn2
    a=candidate:1 1 UDP 2130706431 192.0.2.10 20000 typ host
    a=end-of-candidates
    ");
    let of_a = settings(&call, 20_000);
    assert_eq!(of_a.ice.as_ref().map(|ice| &*ice.remote), Some("canary8"));
    assert!(of_a.mux);
    assert_eq!(settings(&call, 30_000).ice, None);
}

// conforms: RFC8839-4.2.2-1 RFC8839-4.3.1-1,2,3 RFC8839-5.1-1,3,4,7 RFC8839-4.4.1.1.1-4
// conforms: RFC8839-4.4.1.3-1,2,4,5 RFC8445-5.1.1.1-1 RFC8445-5.1.2-1 RFC8445-5.1.2.1-1,3,5
// conforms: RFC8445-5.2-1,2,3,4 RFC5761-5.1.1-1,4 RFC5761-5.1.3-1,2 RFC3605-2.1-1 RFC8858-5.2-1,2
// conforms: RFC8858-5.3-1,2,3 RFC7584-4.2-1
// conforms: RFC8079-3.2-20
#[test]
fn rfc8839_4_3_1_where_the_network_says_so_it_is_offered_with_a_place_for_rtcp() {
    let mut call = call(Ice::Accept, Ice::Offer);
    let offer = call.offer(A, B, OFFER).unwrap();
    insta::assert_snapshot!(shown(&offer), @r"
    v=0
    o=- 77422343148738951 1 IN IP4 203.0.113.20
    s=-
    c=IN IP4 203.0.113.20
    t=0 0
    a=ice-lite
    a=ice-options:ice2
    m=audio 30000 RTP/AVP 0
    a=rtcp-mux
    a=ice-ufrag:H4lKIG7f
    a=ice-pwd:0xnfWqXBa/RsglhYrfRkjUav
    a=candidate:1 1 UDP 2130706431 203.0.113.20 30000 typ host
    a=candidate:1 2 UDP 2130706430 203.0.113.20 30001 typ host
    a=rtcp:30001
    ");
    call.drain();
    let expected = call.commands.iter().any(|command| {
        matches!(command, Command::Expect { local, .. } if value(&offer, "a=ice-ufrag:") == Some(&*local.ufrag))
    });
    assert!(expected, "checks may come before the answer");
    let far = format!("{ANSWER}a=ice-ufrag:bobs\na=ice-pwd:bobsBOBSbobsBOBSbobsBOBS\n");
    call.answer(B, A, &far).unwrap();
    assert!(!settings(&call, 30_000).mux, "the answer has no rtcp-mux");
    let of_b = settings(&call, 30_000).ice.as_ref().unwrap();
    assert!(of_b.rtcp);
    assert_eq!((&*of_b.remote, Some(&*of_b.local.ufrag)), ("bobs", value(&offer, "a=ice-ufrag:")));
    // Its offers keep what stands.
    let again = call.offer(A, B, &format!("{OFFER}a=ptime:40\n")).unwrap();
    for name in
        ["a=ice-ufrag:", "a=ice-pwd:", "a=candidate:1 1 ", "a=candidate:1 2 ", "a=ice-lite", "a=ice-options:"]
    {
        assert!(value(&again, name).is_some() && value(&again, name) == value(&offer, name), "{name}");
    }
}

// conforms: RFC8839-4.2.5-4 RFC8839-4.3.3-1 RFC8839-5.3-1
#[test]
fn rfc8839_4_3_3_a_peer_that_answers_without_ice_or_with_a_mismatch_is_latched() {
    for extra in ["", "a=ice-ufrag:bobs\na=ice-pwd:bobsBOBSbobsBOBSbobsBOBS\na=ice-mismatch\n"] {
        let mut call = call(Ice::Accept, Ice::Offer);
        call.offer(A, B, AUDIO).unwrap();
        call.answer(B, A, &format!("{ANSWER}{extra}")).unwrap();
        assert_eq!(settings(&call, 30_000).ice, None);
        let again = call.offer(A, B, &format!("{AUDIO}a=ptime:40\n")).unwrap();
        assert!(
            !shown(&again).contains("ice-") && !shown(&again).contains("candidate"),
            "it is not asked again"
        );
    }
}

#[test]
fn where_ice_is_off_an_offer_of_it_is_answered_as_if_it_were_none() {
    let mut call = call(Ice::Off, Ice::Accept);
    call.offer(A, B, OFFER).unwrap();
    let answer = call.answer(B, A, ANSWER).unwrap();
    assert!(!shown(&answer).contains("ice") && !shown(&answer).contains("candidate"));
    assert_eq!(settings(&call, 20_000).ice, None);
}

// conforms: RFC8839-4.4.2.1-1,2
#[test]
fn rfc8839_4_4_2_1_a_restart_is_answered_with_new_credentials_and_leaves_the_other_leg_alone() {
    let mut call = call(Ice::Accept, Ice::Accept);
    call.offer(A, B, OFFER).unwrap();
    let first = call.answer(B, A, ANSWER).unwrap();
    let offer = call.offer(A, B, OFFER).unwrap();
    let same = call.answer(B, A, ANSWER).unwrap();
    assert_eq!(value(&same, "a=ice-pwd:"), value(&first, "a=ice-pwd:"), "nothing was restarted");
    let restart = OFFER.replace("canary8", "canary9").replace("canaryCANARY", "CANARYcanary");
    assert_eq!(call.offer(A, B, &restart).unwrap(), offer, "the other leg is not told");
    let second = call.answer(B, A, ANSWER).unwrap();
    for name in ["a=ice-ufrag:", "a=ice-pwd:"] {
        assert!(value(&second, name).is_some() && value(&second, name) != value(&first, name));
    }
    // One that failed has changed nothing.
    call.offer(A, B, OFFER).unwrap();
    call.media.offer_failed(A);
    call.media.offer_failed(B);
    call.offer(A, B, &restart).unwrap();
    let third = call.answer(B, A, ANSWER).unwrap();
    assert_eq!(value(&third, "a=ice-pwd:"), value(&second, "a=ice-pwd:"));
}

// conforms: RFC8839-4.2.5-2
#[test]
fn rfc8839_4_2_5_addresses_that_something_has_changed_are_a_mismatch() {
    let mut call = call(Ice::Accept, Ice::Accept);
    call.offer(A, B, &OFFER.replace("c=IN IP4 203.0.113.99", "c=IN IP4 203.0.113.1")).unwrap();
    let answer = call.answer(B, A, ANSWER).unwrap();
    assert_eq!(value(&answer, "a=ice-mismatch"), Some(""));
    assert!(!shown(&answer).contains("candidate") && !shown(&answer).contains("ice-ufrag"));
    assert_eq!(settings(&call, 20_000).ice, None);
}

// conforms: RFC8839-4.2.5-3,5
#[test]
fn rfc8839_4_2_5_nowhere_names_and_candidates_to_come_are_none() {
    let nowhere = OFFER.replace("203.0.113.99\nt=", "0.0.0.0\nt=").replace("m=audio 49170", "m=audio 9");
    let bare: String =
        nowhere.lines().filter(|line| !line.contains("candidate")).map(|line| format!("{line}\n")).collect();
    let name = OFFER.replace("c=IN IP4 203.0.113.99", "c=IN IP4 host.example");
    let other_family = OFFER.replace("c=IN IP4 203.0.113.99", "c=IN IP6 2001:db8::1");
    for text in [nowhere, bare, name, other_family] {
        let mut call = call(Ice::Accept, Ice::Accept);
        let offer = call.offer(A, B, &text).unwrap_or_else(|refusal| panic!("{refusal}: {text}"));
        assert!(!shown(&offer).contains("a=sendonly"), "it is no hold: {text}");
        let answer = call.answer(B, A, ANSWER).unwrap();
        let mismatch = value(&answer, "a=ice-mismatch").is_some();
        assert_eq!(mismatch, text.contains("IP6"), "{text}");
        assert_eq!(settings(&call, 20_000).ice.is_some(), !mismatch);
    }
}

#[test]
fn rfc8445_8_2_with_a_peer_that_is_lite_as_well_media_goes_where_it_says() {
    let mut call = call(Ice::Accept, Ice::Accept);
    call.offer(A, B, &OFFER.replace("a=ice-ufrag", "a=ice-lite\na=ice-ufrag")).unwrap();
    let answer = call.answer(B, A, ANSWER).unwrap();
    assert!(value(&answer, "a=candidate:").is_some() && value(&answer, "a=ice-lite").is_some());
    assert_eq!(settings(&call, 20_000).ice, None);
}

#[test]
fn rfc8839_5_4_credentials_that_are_too_short_are_none() {
    for (from, to) in [
        ("a=ice-ufrag:canary8", "a=ice-ufrag:abc"),
        ("canaryCANARYcanaryCANARY", "canary"),
        ("canary8", "can ry8"),
    ] {
        let mut call = call(Ice::Accept, Ice::Accept);
        call.offer(A, B, &OFFER.replace(from, to)).unwrap();
        let answer = call.answer(B, A, ANSWER).unwrap();
        assert!(!shown(&answer).contains("ice-"), "{to}");
    }
}

// conforms: RFC8858-4.3-1,2,3
#[test]
fn rfc8858_4_3_a_stream_that_needs_one_port_and_cannot_have_it_is_rejected() {
    let offer = "v=0\no=- 1 1 IN IP4 198.51.100.1\ns=-\nc=IN IP4 198.51.100.1\nt=0 0\n\
                 m=audio 4000 RTP/AVP 0 72\na=rtcp-mux\na=rtcp-mux-only\nm=audio 4002 RTP/AVP 0\na=rtcp-mux\na=rtcp-mux-only\n";
    let answer = "v=0\no=- 1 1 IN IP4 198.51.100.2\ns=-\nc=IN IP4 198.51.100.2\nt=0 0\n\
                  m=audio 5000 RTP/AVP 0 72\nm=audio 5002 RTP/AVP 0\n";
    let mut call = call(Ice::Accept, Ice::Accept);
    call.offer(A, B, offer).unwrap();
    let answer = shown(&call.answer(B, A, answer).unwrap());
    let lines: Vec<_> =
        answer.lines().filter(|line| line.starts_with("m=") || line.contains("mux")).collect();
    assert_eq!(lines, ["m=audio 0 RTP/AVP 0 72", "m=audio 20002 RTP/AVP 0", "a=rtcp-mux"]);
}

// conforms: RFC8839-4.3.2-6,7
#[test]
fn rfc8839_4_3_2_an_offer_without_ice_is_answered_without() {
    let mut call = call(Ice::Offer, Ice::Accept);
    call.offer(A, B, &ANSWER.replace("bob-canary", "alice")).unwrap();
    let answer = shown(&call.answer(B, A, ANSWER).unwrap());
    assert!(!answer.contains("ice-") && !answer.contains("candidate"), "{answer}");
}

// conforms: RFC8839-4.3.3-2,3 RFC8839-5.4-2
#[test]
fn rfc8839_4_3_3_a_mismatch_of_one_stream_leaves_the_others_their_ice() {
    let two = "v=0\no=- 1 1 IN IP4 198.51.100.1\ns=-\nc=IN IP4 198.51.100.1\nt=0 0\na=ice-ufrag:both\n\
               a=ice-pwd:bothBOTHbothBOTHbothBOTH\nm=audio 4000 RTP/AVP 0\nm=audio 4002 RTP/AVP 0\n";
    let mut call = call(Ice::Accept, Ice::Offer);
    let offer = call.offer(A, B, two).unwrap();
    let ufrags: Vec<_> =
        shown(&offer).lines().filter(|line| line.contains("ufrag")).map(str::to_owned).collect();
    assert!(ufrags.len() == 2 && ufrags[0] != ufrags[1]);
    call.answer(B, A, &format!("{two}a=ice-mismatch\n")).unwrap();
    assert!(settings(&call, 30_000).ice.is_some());
    assert_eq!(settings(&call, 30_002).ice, None);
}

// conforms: RFC8839-4.4.1.1.1-3 RFC8839-4.4.2-1,2,3
#[test]
fn rfc8839_4_4_1_1_1_credentials_that_move_between_session_and_section_are_no_restart() {
    let mut call = call(Ice::Accept, Ice::Accept);
    call.offer(A, B, OFFER).unwrap();
    let first = call.answer(B, A, ANSWER).unwrap();
    let credentials = "a=ice-ufrag:canary8\na=ice-pwd:canaryCANARYcanaryCANARY\n";
    let moved =
        format!("{}{credentials}a=remote-candidates:1 192.0.2.10 20000\n", OFFER.replace(credentials, ""));
    call.offer(A, B, &moved).unwrap();
    let second = call.answer(B, A, ANSWER).unwrap();
    for name in ["a=ice-ufrag:", "a=ice-pwd:", "a=candidate:1 1 "] {
        assert_eq!(value(&second, name), value(&first, name));
    }
    assert!(!shown(&second).contains("remote-candidates"));
}

// conforms: RFC8839-4.2.1.6-1 RFC8839-4.4.1.1.2-1
#[test]
fn rfc8839_4_2_1_6_an_inactive_stream_keeps_its_ice_and_a_removed_one_does_not() {
    let mut call = call(Ice::Accept, Ice::Accept);
    call.offer(A, B, &format!("{OFFER}a=inactive\n")).unwrap();
    let answer = call.answer(B, A, &format!("{ANSWER}a=inactive\n")).unwrap();
    assert!(value(&answer, "a=candidate:").is_some() && value(&answer, "a=inactive").is_some());
    call.offer(A, B, &OFFER.replace("m=audio 49170", "m=audio 0")).unwrap();
    let answer = shown(&call.answer(B, A, &ANSWER.replace("m=audio 3456", "m=audio 0")).unwrap());
    assert!(
        answer.contains("m=audio 0 ") && !answer.contains("candidate") && !answer.contains("ice-"),
        "{answer}"
    );
}

// conforms: RFC5761-4-1 RFC5761-5.1.1-3 RFC5761-5.1.3-4
#[test]
fn rfc5761_5_1_3_an_answer_without_a_shared_port_has_candidates_for_both() {
    let mut call = call(Ice::Accept, Ice::Accept);
    let offer = OFFER.replace("RTP/AVP 0", "RTP/AVP 0 72");
    call.offer(A, B, &offer).unwrap();
    let answer = call.answer(B, A, &ANSWER.replace("RTP/AVP 0 101", "RTP/AVP 0 72")).unwrap();
    assert!(value(&answer, "a=rtcp-mux").is_none() && value(&answer, "a=candidate:1 1 ").is_some());
    assert_eq!(value(&answer, "a=candidate:1 2 "), Some("UDP 2130706430 192.0.2.10 20001 typ host"));
}

// conforms: RFC7584-1-1 RFC7584-3-1
#[test]
fn rfc7584_3_where_media_goes_around_us_its_ice_does_too() {
    let mut call = call(Ice::Accept, Ice::Offer);
    call.media = CallMedia::new(Mode::Bypass, Limits::default(), 7).with_ice(Secret::new([3, 4]));
    call.media.add_party(A, &call.networks[0]);
    call.media.add_party(B, &call.networks[1]);
    let offer = shown(&call.offer(A, B, OFFER).unwrap());
    let of = |text: &str| text.lines().skip(2).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(of(&offer), of(OFFER));
}

// conforms: RFC8445-9-1,2 RFC8839-4.4.1.1.1-2 RFC8839-4.4.1.3-3
#[test]
fn rfc8445_9_on_other_ports_an_offer_of_ours_begins_anew() {
    let mut call = call(Ice::Accept, Ice::Accept);
    call.offer(A, B, OFFER).unwrap();
    let first = call.answer(B, A, ANSWER).unwrap();
    // It goes over to a call whose media is of another relay thread.
    let moving = call.media.part_with(A).unwrap();
    let mut other = CallMedia::new(Mode::Anchored, Limits::default(), 8).with_ice(Secret::new([5, 6]));
    let network = MediaNetwork { ports: 40_000..=40_099, ..call.networks[0].clone() };
    let mut ports = VirtualPorts::new([&network]);
    other.add_party(B, &network);
    other.thread = Some(ThreadId(1));
    other.take_in(A, moving);
    other.receive_offer(B, wire(AUDIO).as_bytes()).unwrap();
    let offer = other.compose_offer(A, B, &mut ports).unwrap();
    assert!(value(&offer, "m=audio ").is_some_and(|line| line.starts_with("40000 ")), "{}", shown(&offer));
    for name in ["a=ice-ufrag:", "a=ice-pwd:"] {
        assert!(value(&offer, name).is_some() && value(&offer, name) != value(&first, name), "{name}");
    }
}
