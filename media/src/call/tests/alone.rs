//! A party that offers before there is anybody for it.

use super::*;

fn alone(call: &mut Call, offer: &str) -> String {
    call.media.receive_offer(A, wire(offer).as_bytes()).unwrap();
    let answer = call.media.compose_alone(A, &mut call.ports).unwrap();
    call.drain();
    shown(&answer)
}

#[test]
fn all_that_it_offers_is_taken_on_ports_of_ours() {
    let mut call = Call::new(Mode::Anchored);
    insta::assert_snapshot!(alone(&mut call, AUDIO), @r"
    v=0
    o=- 1797772400223093621 1 IN IP4 192.0.2.10
    s=Session
    c=IN IP4 192.0.2.10
    b=AS:128
    t=3034423619 3042462419
    a=X-Session:kept
    m=audio 20000 RTP/AVP 0 96 101
    b=TIAS:96000
    a=rtpmap:0 PCMU/8000
    a=rtpmap:96 opus/48000/2
    a=fmtp:96 useinbandfec=1
    a=rtpmap:101 telephone-event/8000
    a=fmtp:101 0-15
    a=ptime:20
    a=X-Unknown:π
    a=sendrecv
    ");
    // Who comes later is offered what it can do, and heard as soon as it is there.
    let offer = shown(&call.media.compose_offer(B, A, &mut call.ports).unwrap());
    assert!(offer.contains("m=audio 30000 RTP/AVP 0 96 101\n"), "{offer}");
    call.media.connect(A, B);
    call.media.receive_answer(B, wire(ANSWER).as_bytes()).unwrap();
    assert_eq!(call.media.view(A).unwrap().peer, Some(B));
    let told = call.media.compose_offer(A, B, &mut call.ports).unwrap();
    assert!(!call.media.stands(A, &told));
    let told = shown(&told);
    assert!(
        told.contains(" 2 IN IP4 192.0.2.10\n") && told.contains("m=audio 20000 RTP/AVP 0 101\n"),
        "{told}"
    );
}

#[test]
fn around_us_it_is_told_of_nowhere() {
    let mut call = Call::new(Mode::Bypass);
    insta::assert_snapshot!(alone(&mut call, AUDIO), @r"
    v=0
    o=- 1797772400223093621 1 IN IP4 192.0.2.10
    s=Session
    c=IN IP4 0.0.0.0
    b=AS:128
    t=3034423619 3042462419
    a=X-Session:kept
    m=audio 9 RTP/AVP 0 96 101
    b=TIAS:96000
    a=rtpmap:0 PCMU/8000
    a=rtpmap:96 opus/48000/2
    a=fmtp:96 useinbandfec=1
    a=rtpmap:101 telephone-event/8000
    a=fmtp:101 0-15
    a=ptime:20
    a=X-Unknown:π
    a=inactive
    ");
    let offer = shown(&call.media.compose_offer(B, A, &mut call.ports).unwrap());
    assert!(offer.contains("c=IN IP4 198.51.100.1\n") && offer.contains("m=audio 49170 "), "{offer}");
    let mut call = Call::new(Mode::Bypass);
    let answer = alone(&mut call, &AUDIO.replace("c=IN IP4 198.51.100.1", "c=IN IP6 2001:db8::1"));
    assert!(answer.contains("c=IN IP6 ::\n"), "{answer}");
}

#[test]
fn it_is_held_as_it_holds_and_what_it_refuses_stays_refused() {
    let mut call = Call::new(Mode::Anchored);
    let offer = format!("{}m=video 0 RTP/AVP 99\n", AUDIO.replace("a=sendrecv", "a=sendonly"));
    let answer = alone(&mut call, &offer);
    assert!(answer.contains("a=recvonly\n") && answer.contains("m=video 0 RTP/AVP 99\n"), "{answer}");
    assert_eq!(call.ports.lent(), 1);
}

#[test]
fn what_only_two_ends_can_agree_on_waits_for_the_other() {
    for (mode, offer) in [
        (Mode::Anchored, AUDIO.replace("RTP/AVP", "RTP/SAVP")),
        (Mode::Bypass, AUDIO.replace("RTP/AVP", "UDP/TLS/RTP/SAVPF")),
    ] {
        let mut call = Call::new(mode);
        let answer = alone(&mut call, &offer);
        assert!(answer.contains("m=audio 0 "), "{answer}");
        assert_eq!(call.ports.lent(), 0);
        let secure = ANSWER.replace("RTP/AVP", offer.split(' ').find(|word| word.contains("SAVP")).unwrap());
        call.media.compose_offer(B, A, &mut call.ports).unwrap();
        call.media.receive_answer(B, wire(&secure).as_bytes()).unwrap();
        let told = shown(&call.media.compose_offer(A, B, &mut call.ports).unwrap());
        assert!(told.contains("m=audio ") && !told.contains("m=audio 0 "), "{told}");
    }
}

#[test]
fn without_ports_it_is_not_answered() {
    let narrow = MediaNetwork { ports: 20_000..=20_001, ..network(0, "192.0.2.10") };
    let mut call = Call::over(Mode::Anchored, [narrow, network(1, "203.0.113.20")]);
    let two = format!("{AUDIO}m=video 5000 RTP/AVP 99\n");
    call.media.receive_offer(A, wire(&two).as_bytes()).unwrap();
    let refused = call.media.compose_alone(A, &mut call.ports);
    assert_eq!(refused, Err(Refusal::Ports(crate::PortsError::Exhausted(NetworkId(0)))));
    call.drain();
    assert_eq!(call.ports.lent(), 0);
    assert!(call.media.compose_refusal(A).is_ok(), "it is still to be answered");
    assert_eq!(call.media.compose_alone(A, &mut call.ports), Err(Refusal::Misuse(crate::Misuse::NoOffer)));
}

#[test]
fn where_it_is_and_by_which_keys_is_told_from_its_description() {
    for (mode, change, elsewhere) in [
        (Mode::Anchored, ("49170", "49180"), false),
        (Mode::Bypass, ("49170", "49180"), true),
        (Mode::Bypass, ("c=IN IP4 198.51.100.1", "c=IN IP4 198.51.100.2"), true),
        (Mode::Bypass, ("0 96 101", "0 101"), false),
        (Mode::Anchored, ("a=ptime:20", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x"), true),
    ] {
        let mut call = Call::new(mode);
        alone(&mut call, AUDIO);
        let other = wire(&AUDIO.replace(change.0, change.1));
        assert_eq!(call.media.leads_elsewhere(A, other.as_bytes()), elsewhere, "{mode:?} {change:?}");
        assert!(!call.media.leads_elsewhere(A, wire(AUDIO).as_bytes()));
    }
}
