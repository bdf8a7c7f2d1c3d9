//! Media lines: unknown, rejected, recycled, beside the relay.

use super::*;
use crate::{Carriage, Codec};

const UNKNOWN: &str = "\
v=0
o=- 1 1 IN IP4 198.51.100.1
s=-
c=IN IP4 198.51.100.1
t=0 0
m=audio 49170 RTP/AVP 8
m=application 50000 UDP/BFCP *
a=floorctrl:c-s
a=confid:4321
m=x-new 50002 FOO/BAR one two
i=what it is
k=prompt
a=x-canary:kept
m=image 50004 udptl t38
a=T38FaxVersion:0
m=message 7654 TCP/MSRP *
a=accept-types:text/plain
a=path:msrp://198.51.100.1:7654/jshA7weztas;tcp
m=audio 50006 RTP/AVP 9 98
a=rtpmap:98 X-NEW/48000
a=fmtp:98 anything=\"at all\"
";

#[test]
fn unknown_lines_keep_type_protocol_formats_and_attributes() {
    let mut call = Call::with_connections();
    insta::assert_snapshot!(shown(&call.offer(A, B, UNKNOWN).unwrap()), @r#"
    v=0
    o=- 77422343148738951 1 IN IP4 203.0.113.20
    s=-
    c=IN IP4 203.0.113.20
    t=0 0
    m=audio 30000 RTP/AVP 8
    m=application 30002 UDP/BFCP *
    a=floorctrl:c-s
    a=confid:4321
    m=x-new 30004 FOO/BAR one two
    i=what it is
    k=prompt
    a=x-canary:kept
    m=image 30006 udptl t38
    a=T38FaxVersion:0
    m=message 7654 TCP/MSRP *
    c=IN IP4 198.51.100.1
    a=accept-types:text/plain
    a=path:msrp://198.51.100.1:7654/jshA7weztas;tcp
    m=audio 30008 RTP/AVP 9 98
    a=rtpmap:98 X-NEW/48000
    a=fmtp:98 anything="at all"
    "#);
}

#[test]
fn streams_over_connections_go_past_us_and_the_view_says_so() {
    let mut call = Call::with_connections();
    call.offer(A, B, UNKNOWN).unwrap();
    let answer = UNKNOWN.replace("198.51.100.1", "198.51.100.99");
    call.answer(B, A, &answer).unwrap();
    let view = call.media.view(A).unwrap();
    let carriage: Vec<_> = view.streams.iter().map(|stream| stream.carriage).collect();
    use Carriage::*;
    assert_eq!(carriage, [Relayed, Relayed, Relayed, Relayed, Around, Relayed]);
    assert_eq!(view.streams[4].remote, Some("198.51.100.1:7654".parse().unwrap()));
    let names = |stream: usize| view.streams[stream].codecs.iter().map(Codec::name).collect::<Vec<_>>();
    assert_eq!(names(5), ["G722", "X-NEW"]);
    assert_eq!(names(1), ["*"]);
    let [fixed, mapped] = &view.streams[5].codecs[..] else { panic!("{:?}", view.streams[5].codecs) };
    assert_eq!((&*fixed.format, fixed.clock_rate, &fixed.parameters), ("9", Some(8_000), &None));
    assert_eq!((&*mapped.format, mapped.clock_rate), ("98", Some(48_000)));
    assert_eq!(mapped.parameters.as_deref(), Some("anything=\"at all\""));
    assert_eq!(call.ports.lent(), 10);
}

#[test]
fn streams_over_connections_keep_their_place_with_port_zero() {
    let mut call = Call::new(Mode::Anchored);
    let offer = shown(&call.offer(A, B, UNKNOWN).unwrap());
    let refused = "m=message 0 TCP/MSRP *\na=accept-types:text/plain\nm=audio 30008 RTP/AVP 9 98\n";
    assert!(offer.contains(refused) && !offer.contains("198.51.100.1"), "{offer}");
    // Whether B says so as well, or not.
    let answer = UNKNOWN.replace("198.51.100.1", "198.51.100.99");
    let zero = answer.replace("m=message 7654", "m=message 0");
    for answer in [answer, zero] {
        let answered = shown(&call.answer(B, A, &answer).unwrap());
        assert!(answered.contains("\nm=message 0 TCP/MSRP *\n"), "{answered}");
        assert!(!answered.contains("198.51.100") && !answered.contains("a=path"), "{answered}");
        for party in [A, B] {
            let view = call.media.view(party).unwrap();
            let rejected = |at: usize| view.streams[at].carriage == Carriage::Rejected;
            assert!(rejected(4) && !rejected(3) && !rejected(5), "{:?}", view.streams);
        }
    }
    assert_eq!(call.ports.lent(), 10);
}

#[test]
fn rfc3261_20_43_an_offer_of_nothing_but_connections_is_refused() {
    let only = AUDIO.split("m=audio").next().unwrap().to_owned() + "m=message 7654 TCP/MSRP *\n";
    let mut call = Call::new(Mode::Anchored);
    let refusal = call.offer(A, B, &only).unwrap_err();
    assert_eq!(refusal, Refusal::Transport { section: 0 });
    assert_eq!((refusal.status(), refusal.warning().unwrap().code), (488, 302));
    assert!(call.offer(A, B, &only.replace(" 7654 ", " 0 ")).is_ok(), "nothing is asked for");
    assert!(Call::with_connections().offer(A, B, &only).is_ok());
    assert!(Call::new(Mode::Bypass).offer(A, B, &only).is_ok());
}

#[test]
fn no_attribute_with_an_address_of_the_other_side_crosses() {
    let attributes = [
        "candidate:1 1 UDP 1 198.51.100.1 49170 typ host",
        "remote-candidates:1 198.51.100.1 49170",
        "rtcp:49171 IN IP4 198.51.100.1",
        "alt:1 1 : k k 198.51.100.1 49170",
        "altc:1 IP4 198.51.100.1 49170",
        "originator:198.51.100.1",
        "oldmediaip:198.51.100.1",
        "x-candidate-ipv6:1 1 UDP 1 198.51.100.1 49170",
        "source-filter: incl IN IP4 * 198.51.100.1",
        "portmapping-req:54000 IN IP4 198.51.100.1",
        "multicast-rtcp:42000",
        "ccap:1 IN IP4 198.51.100.1",
        "acap:1 candidate:1 1 UDP 1 198.51.100.1 49170 typ host",
        "acap:1 acap:2 rtcp:49171 IN IP4 198.51.100.1",
        "cpar: a=rtcp:49171 IN IP4 198.51.100.1",
        "path:msrp://198.51.100.1:7654/jshA7weztas;tcp",
        "websocket-uri:wss://198.51.100.1/bfcp",
        "control:rtsp://198.51.100.1/1",
    ];
    let lines: String = attributes.iter().map(|attribute| format!("a={attribute}\n")).collect();
    let kept = "a=acap:3 x-new:1\na=cpar: a=fmtp:0 x\na=pcfg:1 a=1\n";
    let section = format!("m=audio 4000 RTP/AVP 0\n{lines}{kept}");
    let head = AUDIO.split("m=audio").next().unwrap();
    for text in [format!("{head}{section}"), format!("{head}{lines}{section}")] {
        let offer = shown(&Call::new(Mode::Anchored).offer(A, B, &text).unwrap());
        assert!(offer.ends_with(&format!("m=audio 30000 RTP/AVP 0\n{kept}")), "{offer}");
        assert!(!offer.contains("198.51.100") && !offer.contains("42000"), "{offer}");
    }
    let nested = format!("a=acap:1 {}candidate:1\n", "acap:1 ".repeat(8_000));
    let offer = shown(&Call::new(Mode::Anchored).offer(A, B, &format!("{head}{nested}{section}")).unwrap());
    assert!(!offer.contains("candidate"));
}

#[test]
fn rfc3264_6_a_rejected_line_stays_with_port_zero() {
    let mut call = Call::new(Mode::Anchored);
    call.offer(A, B, &format!("{AUDIO}m=video 5000 RTP/AVP 99\na=rtpmap:99 VP8/90000\n")).unwrap();
    let answer = call.answer(B, A, &format!("{ANSWER}m=video 0 RTP/AVP 99\n")).unwrap();
    assert!(shown(&answer).ends_with("m=video 0 RTP/AVP 99\n"));
    assert_eq!(call.media.view(A).unwrap().streams[1].carriage, Carriage::Rejected);
    assert_eq!(call.ports.lent(), 3, "the ports offered to B may be wanted by another early dialog");
    call.media.confirm(B);
    assert_eq!(call.released(), 1);
}

#[test]
fn rfc3264_8_2_a_removed_line_stays_and_rfc3264_8_1_its_place_is_used_again() {
    let mut call = Call::new(Mode::Anchored);
    let two = format!("{AUDIO}m=video 5000 RTP/AVP 99\n");
    call.offer(A, B, &two).unwrap();
    call.answer(B, A, &format!("{ANSWER}m=video 6000 RTP/AVP 99\n")).unwrap();
    call.media.confirm(A);
    call.media.confirm(B);
    let removed = call.offer(A, B, &two.replace("m=video 5000", "m=video 0")).unwrap();
    assert!(shown(&removed).ends_with("m=video 0 RTP/AVP 99\n"));
    call.answer(B, A, &format!("{ANSWER}m=video 0 RTP/AVP 99\n")).unwrap();
    assert_eq!(call.ports.lent(), 2);
    let recycled = call.offer(A, B, &format!("{AUDIO}m=image 5002 udptl t38\n")).unwrap();
    assert!(shown(&recycled).contains("m=image 30"));
    let answer = call.answer(B, A, &format!("{ANSWER}m=image 6002 udptl t38\n")).unwrap();
    assert!(shown(&answer).contains("m=image 20"));
    assert_eq!(call.ports.lent(), 4);
}

#[test]
fn rfc3264_8_an_offer_with_fewer_lines_is_refused() {
    let mut call = Call::new(Mode::Anchored);
    call.offer(A, B, &format!("{AUDIO}m=video 5000 RTP/AVP 99\n")).unwrap();
    call.answer(B, A, &format!("{ANSWER}m=video 6000 RTP/AVP 99\n")).unwrap();
    let refusal = call.offer(A, B, AUDIO).unwrap_err();
    assert_eq!(refusal, Refusal::Sections { has: 1, needed: 2 });
    assert_eq!((refusal.status(), refusal.warning().unwrap().code), (488, 399));
    assert!(call.offer(A, B, &format!("{AUDIO}m=video 5000 RTP/AVP 99\n")).is_ok());
}

#[test]
fn rfc3264_6_an_answer_with_another_number_of_lines_is_refused() {
    let mut call = Call::new(Mode::Anchored);
    call.offer(A, B, AUDIO).unwrap();
    let refusal = call.answer(B, A, &format!("{ANSWER}m=video 6000 RTP/AVP 99\n")).unwrap_err();
    assert_eq!(refusal, Refusal::Sections { has: 2, needed: 1 });
    assert!(call.answer(B, A, ANSWER).is_ok());
}

#[test]
fn lines_that_the_other_side_never_had_are_offered_and_answered_with_port_zero() {
    let mut call = Call::new(Mode::Anchored);
    call.offer(A, B, &format!("{AUDIO}m=video 5000 RTP/AVP 99\n")).unwrap();
    call.answer(B, A, &format!("{ANSWER}m=video 6000 RTP/AVP 99\n")).unwrap();
    // A third party that knows of no video takes B's place.
    let c = A2;
    call.media.add_party(c, &call.networks[1].clone());
    call.media.receive_offer(c, wire(ANSWER).as_bytes()).unwrap();
    let offer = call.media.compose_offer(A, c, &mut call.ports).unwrap();
    assert!(shown(&offer).ends_with("m=video 0 RTP/AVP 99\n"));
    call.media.receive_answer(A, wire(&format!("{AUDIO}m=video 0 RTP/AVP 99\n")).as_bytes()).unwrap();
    let answer = call.media.compose_answer(c, A, &mut call.ports).unwrap();
    assert_eq!(shown(&answer).matches("m=").count(), 1);
}

#[test]
fn another_medium_in_the_place_of_an_offered_one_is_no_answer_to_it() {
    let mut call = Call::new(Mode::Anchored);
    call.offer(A, B, AUDIO).unwrap();
    let answer = call.answer(B, A, &ANSWER.replace("m=audio", "m=video")).unwrap();
    assert!(shown(&answer).ends_with("m=audio 0 RTP/AVP 0 96 101\n"), "{}", shown(&answer));
}

#[test]
fn descriptions_without_media_lines_cross() {
    let mut call = Call::new(Mode::Anchored);
    let none = "v=0\no=- 1 1 IN IP4 198.51.100.1\ns=-\nt=0 0\n";
    assert_eq!(shown(&call.offer(A, B, none).unwrap()).lines().count(), 5);
    assert_eq!(shown(&call.answer(B, A, none).unwrap()).lines().count(), 5);
}

#[test]
fn sloppy_descriptions_are_completed() {
    let mut call = Call::new(Mode::Anchored);
    let sloppy = "v=0\no=- 1 1 IN IP4 198.51.100.1\na=early\nm=audio 4000 RTP/AVP 0\nc=IN IP4 198.51.100.1";
    insta::assert_snapshot!(shown(&call.offer(A, B, sloppy).unwrap()), @r"
    v=0
    o=- 77422343148738951 1 IN IP4 203.0.113.20
    s=-
    c=IN IP4 203.0.113.20
    t=0 0
    a=early
    m=audio 30000 RTP/AVP 0
    ");
}

#[test]
fn rfc8866_5_lines_end_with_crlf_whatever_the_peer_wrote() {
    let mut call = Call::new(Mode::Anchored);
    call.media.receive_offer(A, AUDIO.as_bytes()).unwrap();
    let offer = call.media.compose_offer(B, A, &mut call.ports).unwrap();
    assert_eq!(offer, Call::new(Mode::Anchored).offer(A, B, AUDIO).unwrap());
}

#[test]
fn ipv6_networks_state_ipv6_addresses() {
    let mut call = Call::over(Mode::Anchored, [network(0, "192.0.2.10"), network(1, "2001:db8::20")]);
    let offer = shown(&call.offer(A, B, AUDIO).unwrap());
    assert!(offer.contains("IN IP6 2001:db8::20\ns="), "{offer}");
    assert!(offer.contains("c=IN IP6 2001:db8::20\n"), "{offer}");
    let answer = ANSWER.replace("IP4 198.51.100.99", "IP6 2001:db8::99");
    assert!(shown(&call.answer(B, A, &answer).unwrap()).contains("c=IN IP4 192.0.2.10\n"));
}

#[test]
fn rfc3264_6_an_answer_of_another_protocol_is_none() {
    let mut call = Call::new(Mode::Anchored);
    let offer = AUDIO.to_owned() + "m=hologram 4100 UDP/FOO x\n";
    call.offer(A, B, &offer).unwrap();
    let answer = call.answer(B, A, &(ANSWER.to_owned() + "m=hologram 6100 UDP/BAR x\n")).unwrap();
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.contains("m=hologram 0 UDP/FOO x"), "{answer}");
    assert!(!answer.contains("m=audio 0"), "{answer}");
}
