//! Keying lines, shared RTCP ports, bundles.

use super::*;

#[test]
fn rfc7879_keying_lines_cross_whole() {
    let keys = "\
m=audio 49170 UDP/TLS/RTP/SAVPF 96
k=clear:x
a=rtpmap:96 opus/48000/2
a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20|1:4
a=fingerprint:sha-256 12:DF:3E:5D:49:6B:19:E5:7C:AB:4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB:4A:AD
a=setup:actpass
a=tls-id:abc3de65cddef001be82
a=zrtp-hash:1.10 fe30efd02423cb054e50efd0248742ac7a52c8f91bc2df881ae642c371ba46df
a=key-mgmt:mikey AQAFgM0XflABAAAAAAAAAAAAAAsAyO
";
    let mut call = Call::new(Mode::Anchored);
    let head = "v=0\no=- 1 1 IN IP4 198.51.100.1\ns=-\nc=IN IP4 198.51.100.1\nt=0 0\n";
    let offer = shown(&call.offer(A, B, &format!("{head}{keys}")).unwrap());
    let section = offer.split_once("m=audio").unwrap().1;
    assert_eq!(section.split_once('\n').unwrap().1, keys.split_once('\n').unwrap().1);
}

fn muxed(text: &str) -> String {
    format!("{text}a=rtcp-mux\n")
}

// conforms: RFC8079-3.2-23
#[test]
fn rfc8035_3_1_each_leg_shares_the_rtcp_port_when_both_its_ends_say_so() {
    for (offered, answered) in [(true, true), (true, false), (false, false)] {
        let mut call = Call::new(Mode::Anchored);
        let offer = if offered { muxed(AUDIO) } else { AUDIO.to_owned() };
        let answer = if answered { muxed(ANSWER) } else { ANSWER.to_owned() };
        assert_eq!(shown(&call.offer(A, B, &offer).unwrap()).contains("a=rtcp-mux\n"), offered);
        assert_eq!(
            shown(&call.answer(B, A, &answer).unwrap()).contains("a=rtcp-mux\n"),
            offered,
            "leg A is its own affair"
        );
        let muxes: Vec<_> = call
            .commands
            .iter()
            .filter_map(|command| match command {
                Command::Set { settings, .. } => Some((settings.remote.port(), settings.mux)),
                _ => None,
            })
            .collect();
        assert!(muxes.contains(&(49_170, offered)) && muxes.contains(&(3_456, answered)), "{muxes:?}");
    }
}

#[test]
fn a_secure_stream_shares_the_rtcp_port_on_both_legs_or_on_none() {
    for answered in [true, false] {
        let mut call = Call::new(Mode::Anchored);
        call.offer(A, B, &muxed(AUDIO).replace("RTP/AVP", "RTP/SAVP")).unwrap();
        let answer = ANSWER.replace("RTP/AVP", "RTP/SAVP");
        let answer = if answered { muxed(&answer) } else { answer };
        assert_eq!(shown(&call.answer(B, A, &answer).unwrap()).contains("a=rtcp-mux\n"), answered);
    }
}

// conforms: RFC8079-3.2-24
#[test]
fn rfc5761_4_a_payload_type_that_looks_like_rtcp_forbids_the_shared_port() {
    let mut call = Call::new(Mode::Anchored);
    let offer = call.offer(A, B, &muxed(AUDIO).replace("0 96 101", "0 72 101")).unwrap();
    assert!(!shown(&offer).contains("rtcp-mux"));
    let answer = call.answer(B, A, &muxed(&ANSWER.replace("0 101", "72 101"))).unwrap();
    assert!(!shown(&answer).contains("rtcp-mux"));
}

#[test]
fn a_shared_port_in_use_is_offered_again() {
    let mut call = Call::new(Mode::Anchored);
    call.offer(A, B, &muxed(AUDIO)).unwrap();
    call.answer(B, A, ANSWER).unwrap();
    let offer = call.offer(B, A, ANSWER).unwrap();
    assert!(shown(&offer).contains("a=rtcp-mux\n"));
}

#[test]
fn rfc9143_bundles_are_transport_and_stay_on_their_leg() {
    let mut call = Call::new(Mode::Anchored);
    let text = AUDIO.replace("a=X-Session", "a=group:BUNDLE 1 2\na=group:LS 1 2\na=ice-lite\na=X-Session");
    let offer = shown(
        &call.offer(A, B, &format!("{text}a=mid:1\nm=video 0 RTP/AVP 99\na=bundle-only\na=mid:2\n")).unwrap(),
    );
    assert!(!offer.contains("BUNDLE") && !offer.contains("bundle-only") && !offer.contains("ice-lite"));
    assert!(offer.contains("a=group:LS 1 2\n") && offer.contains("a=mid:1\n"));
}
