//! Names of sources in descriptions (RFC 5576), and what the relay is told of them.

use super::*;
use crate::Veil;
use crate::relay::Settings;

const OFFER: &str = "\
v=0
o=- 1 1 IN IP4 198.51.100.1
s=-
c=IN IP4 198.51.100.1
t=0 0
m=audio 49170 RTP/AVP 0
a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:cname
a=extmap:2 urn:ietf:params:rtp-hdrext:sdes:mid
a=ssrc:314159 cname:alice@192.168.1.7
a=ssrc:314159 msid:stream track
m=video 49180 RTP/AVPF 96 97
a=rtpmap:96 VP8/90000
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
a=ssrc-group:FID 7 8
a=ssrc:7 cname:alice@192.168.1.7
a=ssrc:8 previous-ssrc:9 10
m=video 49190 RTP/SAVP 96
a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz
a=ssrc:11 cname:alice@192.168.1.7
";

fn answered(text: &str) -> String {
    let text =
        text.replace("198.51.100.1", "198.51.100.2").replace("alice", "bob").replace("314159", "271828");
    text.replace("alice", "bob")
}

fn applied(call: &Call, party: PartyId) -> Vec<Option<Settings>> {
    let sections = &call.media.party(party).unwrap().streams;
    sections.iter().map(|stream| stream.applied.clone()).collect()
}

// conforms: RFC8079-3.1-1,2 RFC8079-3.2-19
#[test]
fn rfc8079_3_2_descriptions_say_what_packets_do() {
    let mut call = Call::new(Mode::Anchored);
    call.media.hide_sources(B, [5; 32]);
    assert!(call.media.hides_sources(B) && !call.media.hides_sources(A));
    let veil = Veil::new([5; 32], true);
    let offer = shown(&call.offer(A, B, OFFER).unwrap());
    let cname = String::from_utf8(veil.cname(b"alice@192.168.1.7").to_vec()).unwrap();
    let ours = |ssrc: u32| veil.name(ssrc, 0).ssrc;
    for line in [
        format!("a=ssrc:{} cname:{cname}", ours(314_159)),
        format!("a=ssrc:{} msid:stream track", ours(314_159)),
        "a=extmap:2 urn:ietf:params:rtp-hdrext:sdes:mid".to_owned(),
        format!("a=ssrc-group:FID {} {}", ours(7), ours(8)),
        format!("a=ssrc:{} cname:{cname}", ours(7)),
        format!("a=ssrc:{} previous-ssrc:{} {}", ours(8), ours(9), ours(10)),
        // What is secret between the two cannot be called otherwise.
        "a=ssrc:11 cname:alice@192.168.1.7".to_owned(),
    ] {
        assert!(offer.lines().any(|has| has == line), "{line}\n{offer}");
    }
    assert!(!offer.contains("sdes:cname") && !offer.contains("314159"), "{offer}");
    // The other way everything is as it was said.
    let answer = shown(&call.answer(B, A, &answered(OFFER)).unwrap());
    assert!(answer.contains("a=ssrc:271828 cname:bob@192.168.1.7\n"), "{answer}");
    assert!(answer.contains("sdes:cname"), "{answer}");
    let veils = |party| -> Vec<_> {
        applied(&call, party).into_iter().map(|of| of.unwrap().veil.map(|veil| veil.renumbers())).collect()
    };
    assert_eq!(veils(A), [Some(true), Some(false), None], "retransmissions have numbers in their payload");
    assert_eq!(veils(B), [None, None, None]);
}

#[test]
fn another_dialog_of_the_leg_sees_as_little() {
    let mut call = Call::new(Mode::Anchored);
    call.media.hide_sources(B, [5; 32]);
    call.offer(A, B, OFFER).unwrap();
    call.media.fork_party(B, B2).unwrap();
    assert!(call.media.hides_sources(B2));
}

#[test]
fn what_goes_around_us_keeps_its_names() {
    let mut call = Call::new(Mode::Bypass);
    call.media.hide_sources(B, [5; 32]);
    let offer = shown(&call.offer(A, B, OFFER).unwrap());
    assert!(offer.contains("a=ssrc:314159 cname:alice@192.168.1.7\n"));
}
