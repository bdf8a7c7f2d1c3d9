//! Media that is not anchored.

use super::*;

#[test]
fn everything_but_the_origin_crosses_in_bypass() {
    let mut call = Call::new(Mode::Bypass);
    let offer = shown(&call.offer(A, B, AUDIO).unwrap());
    let kept: Vec<_> = offer.lines().filter(|line| !line.starts_with("o=")).collect();
    let given: Vec<_> = AUDIO.lines().filter(|line| !line.starts_with("o=")).collect();
    assert_eq!(kept, given);
    assert!(offer.contains(" 1 IN IP4 203.0.113.20\n") && !offer.contains("alice"));
}

#[test]
fn an_answer_in_bypass_has_the_far_address_and_the_time_of_the_offer() {
    let mut call = Call::new(Mode::Bypass);
    call.offer(A, B, AUDIO).unwrap();
    insta::assert_snapshot!(shown(&call.answer(B, A, ANSWER).unwrap()), @r"
    v=0
    o=- 1797772400223093621 1 IN IP4 192.0.2.10
    s=-
    c=IN IP4 198.51.100.99
    t=3034423619 3042462419
    m=audio 3456 RTP/AVP 0 101
    a=rtpmap:0 PCMU/8000
    a=rtpmap:101 telephone-event/8000
    a=ptime:30
    ");
    assert_eq!(call.ports.lent(), 0);
    assert!(call.commands.is_empty());
    let view = call.media.view(A).unwrap();
    assert_eq!(view.streams[0].carriage, crate::Carriage::Around);
    assert_eq!(view.streams[0].remote, Some("198.51.100.1:49170".parse().unwrap()));
}

#[test]
fn host_names_and_other_families_cross_in_bypass() {
    let mut call = Call::new(Mode::Bypass);
    let offer = call.offer(A, B, &AUDIO.replace("c=IN IP4 198.51.100.1", "c=IN IP6 host.example")).unwrap();
    assert!(shown(&offer).contains("c=IN IP6 host.example\n"));
}

#[test]
fn hold_by_zeros_crosses_as_it_is_in_bypass() {
    let mut call = Call::new(Mode::Bypass);
    let offer = call.offer(A, B, &AUDIO.replace("c=IN IP4 198.51.100.1", "c=IN IP4 0.0.0.0")).unwrap();
    assert!(shown(&offer).contains("c=IN IP4 0.0.0.0\n") && shown(&offer).contains("a=sendrecv\n"));
}
