//! Sections that share a transport (RFC 9143), on one leg or on both.

use super::dtls::{browser_and_trunk, call, media, security};
use super::*;
use crate::keying::{Security, SrtpUse};
use crate::relay::Settings;
use crate::{Carriage, ContextId, LeftOutBy};

pub(super) const FINGERPRINT: &str =
    "a=fingerprint:sha-1 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB\n";

/// A browser's offer or answer of these sections, all on the port of the first one but where `ports` says otherwise; each section is its
/// medium and its tag.
pub(super) fn browser(sections: &[(&str, &str)], setup: &str, ports: impl Fn(usize) -> u16) -> String {
    let mids: Vec<_> =
        sections.iter().enumerate().filter(|(at, _)| ports(*at) != 1).map(|(_, (_, mid))| *mid).collect();
    let mut text = format!("v=0\no=- 5 2 IN IP4 127.0.0.1\ns=-\nt=0 0\na=group:BUNDLE {}\n", mids.join(" "));
    for (at, (kind, mid)) in sections.iter().enumerate() {
        let port = if ports(at) == 1 { 0 } else { ports(at) };
        let transport = format!(
            "c=IN IP4 198.51.100.1\na=candidate:1 1 udp 2122260223 198.51.100.1 {port} typ host\n\
             a=ice-ufrag:brow\na=ice-pwd:browserbrowserbrowserbrowser\n{FINGERPRINT}a=setup:{setup}\n"
        );
        let says_all = sections.iter().position(|_| true) == Some(at) || ports(at) != ports(0);
        let transport = if says_all { &transport } else { "c=IN IP4 198.51.100.1\n" };
        let only = if port == 0 { "a=bundle-only\n" } else { "" };
        text += &match *kind {
            "data" => format!(
                "m=application {port} UDP/DTLS/SCTP webrtc-datachannel\n{transport}{only}a=mid:{mid}\na=sctp-port:5000\n"
            ),
            "audio" => format!(
                "m=audio {port} UDP/TLS/RTP/SAVPF 111 8\n{transport}{only}a=mid:{mid}\na=rtcp-mux\n\
                 a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\na=rtpmap:111 opus/48000/2\na=rtpmap:8 PCMA/8000\na=ssrc:11 cname:x\n"
            ),
            _ => format!(
                "m=video {port} UDP/TLS/RTP/SAVPF 96\n{transport}{only}a=mid:{mid}\na=rtcp-mux\n\
                 a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\na=rtpmap:96 VP8/90000\na=ssrc:22 cname:x\na=ssrc:23 cname:x\n"
            ),
        };
    }
    text
}

/// A trunk's, with a port for each section, 0 where there is none.
pub(super) fn trunk(ports: &[(&str, u16)]) -> String {
    let mut text = "v=0\no=trunk 1 1 IN IP4 198.51.100.99\ns=-\nc=IN IP4 198.51.100.99\nt=0 0\n".to_owned();
    for (kind, port) in ports {
        text += &match *kind {
            "audio" => format!("m=audio {port} RTP/AVP 8\na=rtpmap:8 PCMA/8000\n"),
            "data" => format!("m=application {port} UDP/DTLS/SCTP webrtc-datachannel\na=sctp-port:5000\n"),
            _ => format!("m=video {port} RTP/AVP 96\na=rtpmap:96 VP8/90000\n"),
        };
    }
    text
}

pub(super) const BOTH: [(&str, &str); 2] = [("audio", "a"), ("video", "v")];

/// What of a description says how sections travel.
pub(super) fn travels(text: &[u8]) -> Vec<String> {
    let of = ["m=", "a=group", "a=mid", "a=ice-ufrag", "a=setup", "a=extmap"];
    let text = shown(text);
    let lines = text.lines().filter(|line| of.iter().any(|start| line.starts_with(start)));
    lines.map(|line| line.split_once("ufrag:").map_or(line, |_| "a=ice-ufrag").to_owned()).collect()
}

/// What the relay was told last of each remote that is alive, in the order of their first settings.
pub(super) fn told(call: &Call) -> Vec<(ContextId, Settings)> {
    let mut told: Vec<(ContextId, Settings)> = Vec::new();
    for command in &call.commands {
        match command {
            Command::Set { context, settings, .. } => match told.iter_mut().find(|(of, _)| of == context) {
                Some((_, before)) => *before = (**settings).clone(),
                None => told.push((*context, (**settings).clone())),
            },
            Command::Clear { context } => told.retain(|(of, _)| of != context),
            Command::Release { pair } => told.retain(|(of, _)| of.pair != *pair),
            Command::Expect { .. } | Command::Say { .. } | Command::Tcp(_) => {}
        }
    }
    told
}

/// Those on the port of a party's first stream that is relayed: the tag of each, `*` where it has none, and whether it is the transport.
pub(super) fn shares(call: &Call, party: PartyId) -> Vec<(String, bool)> {
    let streams = call.media.view(party).unwrap().streams;
    let port = streams.iter().find_map(|stream| stream.local).unwrap().port();
    let pair = call.media.pairs.iter().find(|lent| lent.pair.port == port).unwrap().pair.id;
    let told = told(call).into_iter().filter(|(context, _)| context.pair == pair);
    told.map(|(context, settings)| {
        let share = settings.share.clone().unwrap();
        let is_transport = share.transport == context.remote;
        assert_eq!(is_transport, settings.ice.is_some() && settings.srtp.is_some());
        (share.section.map_or("*".into(), |tags| tags.mid.to_string()), is_transport)
    })
    .collect()
}

pub(super) fn close(mut call: Call) {
    call.media.close();
    call.drain();
    assert_eq!(call.ports.lent(), 0);
    assert_eq!(told(&call), []);
}

// conforms: RFC9143-7.1.3-4,5 RFC9143-7.3-1 RFC9143-7.3.1-1,2 RFC9143-9.1-3 RFC9143-9.3.1.2-1,2,6
#[test]
fn a_bundle_of_a_browser_has_one_port_and_is_taken_apart_for_a_trunk() {
    let mut call = browser_and_trunk();
    let offer = browser(&BOTH, "actpass", |at| [45_000, 45_002][at]);
    call.media.receive_offer(A, wire(&offer).as_bytes()).unwrap();
    call.media.reserve(A, &mut call.ports).unwrap();
    assert_eq!(call.ports.lent(), 1);
    let offer = call.media.compose_offer(B, A, &mut call.ports).unwrap();
    let lines = travels(&offer);
    assert!(lines.iter().any(|line| line.starts_with("m=audio 30000 RTP/AVP")), "{lines:?}");
    assert!(lines.iter().any(|line| line.starts_with("m=video 30002 RTP/AVP")), "{lines:?}");
    assert!(!lines.iter().any(|line| line.contains("BUNDLE") || line.contains("setup")), "{lines:?}");
    let answer = call.answer(B, A, &trunk(&[("audio", 3_000), ("video", 3_002)])).unwrap();
    assert_eq!(
        travels(&answer),
        [
            "a=group:BUNDLE a v",
            "m=audio 20000 UDP/TLS/RTP/SAVPF 8",
            "a=mid:a",
            "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid",
            "a=ice-ufrag",
            "a=setup:active",
            "m=video 20000 UDP/TLS/RTP/SAVPF 96",
            "a=mid:v",
            "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid",
        ]
    );
    assert_eq!(call.ports.lent(), 3);
    assert_eq!(shares(&call, A), [("a".to_owned(), true), ("v".to_owned(), false)]);
    let told = told(&call);
    let tags = told.iter().find_map(|(_, settings)| {
        settings.share.as_ref().filter(|share| share.transport != 1)?.section.clone()
    });
    let tags = tags.unwrap();
    assert_eq!(
        (&*tags.mid, tags.extension, tags.blank, &*tags.payloads, &*tags.sources),
        ("a", Some(4), true, &[8][..], &[11][..])
    );
    let view = call.media.view(A).unwrap().streams;
    let local: Vec<_> =
        view.iter().map(|stream| (stream.local.unwrap().port(), stream.bundle.as_deref())).collect();
    assert_eq!(local, [(20_000, Some("a")), (20_000, Some("v"))]);
    assert!(
        view.iter()
            .all(|stream| stream.guarded.keying() == Some("dtls") && stream.carriage == Carriage::Relayed)
    );
    assert!(call.media.knows(A, B) && call.media.knows(B, A));
    close(call);
}

// conforms: RFC9143-7.3.1-3 RFC9143-7.3.3-2,3,4 RFC9143-14.2-1
#[test]
fn what_a_trunk_rejects_leaves_the_bundle_even_if_it_is_tagged() {
    let mut call = browser_and_trunk();
    call.offer(A, B, &browser(&BOTH, "actpass", |at| [45_000, 45_002][at])).unwrap();
    let answer = call.answer(B, A, &trunk(&[("audio", 0), ("video", 3_002)])).unwrap();
    let lines = travels(&answer);
    assert!(lines.contains(&"a=group:BUNDLE v".to_owned()), "{lines:?}");
    assert!(lines.iter().any(|line| line.starts_with("m=audio 0 ")), "{lines:?}");
    call.media.confirm(B);
    call.drain();
    assert_eq!(call.ports.lent(), 2);
    for party in [A, B] {
        let carriage: Vec<_> =
            call.media.view(party).unwrap().streams.iter().map(|stream| stream.carriage).collect();
        assert_eq!(carriage, [Carriage::Rejected, Carriage::Relayed]);
    }
    assert_eq!(told(&call).len(), 2);
    close(call);
}

// conforms: RFC9143-7.3.2-1,5
#[test]
fn sections_for_the_bundle_only_have_its_transport() {
    let mut call = browser_and_trunk();
    call.offer(A, B, &browser(&BOTH, "actpass", |at| [45_000, 1][at]).replace("BUNDLE a", "BUNDLE a v"))
        .unwrap();
    let answer = call.answer(B, A, &trunk(&[("audio", 3_000), ("video", 3_002)])).unwrap();
    assert!(travels(&answer).contains(&"a=group:BUNDLE a v".to_owned()), "{:?}", travels(&answer));
    assert!(!shown(&answer).contains("bundle-only"));
    assert_eq!(shares(&call, A), [("a".to_owned(), true), ("v".to_owned(), false)]);
    close(call);
}

/// The answer of a browser that takes our offer to it.
pub(super) fn taking(offer: &[u8], sections: &[(&str, &str)]) -> String {
    let text = shown(offer);
    let mut answer = browser(sections, "active", |_| 45_000);
    if !text.contains("a=rtpmap:111") {
        answer = answer.replace("SAVPF 111 8", "SAVPF 8").replace("a=rtpmap:111 opus/48000/2\n", "");
    }
    let number = text.lines().find_map(|line| line.strip_prefix("a=extmap:")?.split(' ').next()).unwrap();
    answer.replace("extmap:4", &format!("extmap:{number}"))
}

// conforms: RFC9143-7.1.3-3 RFC9143-7.2-1 RFC9143-10-1 RFC9143-7.5-1 RFC9143-9.1-2 RFC9143-9.3-1 RFC9143-9.3.1.1-1,2 RFC9143-9.3.1.4-1
#[test]
fn a_trunk_s_sections_are_bundled_for_a_browser() {
    let mut call = browser_and_trunk();
    let offer = call.offer(B, A, &trunk(&[("audio", 3_000), ("video", 3_002)])).unwrap();
    assert_eq!(
        travels(&offer),
        [
            "a=group:BUNDLE 0 1",
            "m=audio 20000 UDP/TLS/RTP/SAVPF 8",
            "a=mid:0",
            "a=extmap:14 urn:ietf:params:rtp-hdrext:sdes:mid",
            "a=ice-ufrag",
            "a=setup:actpass",
            "m=video 20002 UDP/TLS/RTP/SAVPF 96",
            "a=mid:1",
            "a=extmap:14 urn:ietf:params:rtp-hdrext:sdes:mid",
            "a=ice-ufrag",
            "a=setup:actpass",
        ]
    );
    let answer = call.answer(A, B, &taking(&offer, &[("audio", "0"), ("video", "1")])).unwrap();
    assert_eq!(
        travels(&answer),
        ["m=audio 30000 RTP/AVP 8", "a=mid:0", "m=video 30002 RTP/AVP 96", "a=mid:1"]
    );
    assert_eq!(shares(&call, A), [("0".to_owned(), true), ("1".to_owned(), false)]);
    // The ports of the section that is beside are not needed any more, once no other dialog can answer.
    assert_eq!(call.ports.lent(), 4);
    call.media.confirm(A);
    call.drain();
    assert_eq!(call.ports.lent(), 3);
    assert!(call.media.knows(A, B) && call.media.knows(B, A));
    // Nothing new: what stands is said again, with one address.
    let again = call
        .offer(B, A, &trunk(&[("audio", 3_000), ("video", 3_002)]).replace("=trunk 1 1", "=trunk 1 2"))
        .unwrap();
    assert_eq!(
        travels(&again),
        [
            "a=group:BUNDLE 0 1",
            "m=audio 20000 UDP/TLS/RTP/SAVPF 8",
            "a=mid:0",
            "a=extmap:14 urn:ietf:params:rtp-hdrext:sdes:mid",
            "a=ice-ufrag",
            "a=setup:actpass",
            "m=video 20000 UDP/TLS/RTP/SAVPF 96",
            "a=mid:1",
            "a=extmap:14 urn:ietf:params:rtp-hdrext:sdes:mid",
        ]
    );
    let before = told(&call);
    call.answer(A, B, &taking(&again, &[("audio", "0"), ("video", "1")])).unwrap();
    assert_eq!(told(&call), before);
    close(call);
}

// conforms: RFC9143-7.4-1,2,3
#[test]
fn an_answer_without_the_bundle_or_with_some_of_it_falls_apart() {
    let mut call = browser_and_trunk();
    let offer = call.offer(B, A, &trunk(&[("audio", 3_000), ("video", 3_002)])).unwrap();
    let alone = taking(&offer, &[("audio", "0"), ("video", "1")]).replace("a=group:BUNDLE 0 1\n", "");
    let alone = alone
        .replacen("m=video 45000", "m=video 45002", 1)
        .replace("a=mid:1\n", &format!("a=mid:1\n{FINGERPRINT}a=setup:active\n"));
    call.answer(A, B, &alone).unwrap();
    let ports: Vec<_> =
        call.media.view(A).unwrap().streams.iter().map(|stream| stream.local.unwrap().port()).collect();
    assert_eq!(ports, [20_000, 20_002]);
    assert!(told(&call).iter().all(|(_, settings)| settings.share.is_none()));
    close(call);
    // One of three is left out.
    let mut call = browser_and_trunk();
    let three = trunk(&[("audio", 3_000), ("video", 3_002), ("data", 3_004)]) + "m=audio 3006 RTP/AVP 9\n";
    let offer = call.offer(B, A, &three).unwrap();
    assert!(travels(&offer).contains(&"a=group:BUNDLE 0 1 2".to_owned()), "{:?}", travels(&offer));
    assert!(travels(&offer).iter().any(|line| line.starts_with("m=application 20004 UDP/DTLS/SCTP")));
    let answer = taking(&offer, &[("audio", "0"), ("video", "1"), ("data", "x")])
        .replace("BUNDLE 0 1 x", "BUNDLE 0 1")
        .replace("m=application 45000", "m=application 45006");
    let other = "m=audio 45004 UDP/TLS/RTP/SAVPF 9\nc=IN IP4 198.51.100.1\na=mid:2\na=rtcp-mux\n";
    call.answer(A, B, &format!("{answer}{other}{FINGERPRINT}a=setup:active\n")).unwrap();
    let ports: Vec<_> =
        call.media.view(A).unwrap().streams.iter().map(|stream| stream.local.unwrap().port()).collect();
    assert_eq!(ports, [20_000, 20_000, 20_004, 20_006]);
    close(call);
}

fn browsers() -> Call {
    let browser = || Security { browser: true, ..security(SrtpUse::Preferred) };
    call(browser(), browser())
}

#[test]
fn a_bundle_crosses_to_a_bundle_with_its_tags() {
    let mut call = browsers();
    let offer = call.offer(A, B, &browser(&BOTH, "actpass", |at| [45_000, 45_002][at])).unwrap();
    assert!(travels(&offer).contains(&"a=group:BUNDLE a v".to_owned()), "{:?}", travels(&offer));
    assert!(shown(&offer).contains("a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\n"));
    let answer = call.answer(B, A, &browser(&BOTH, "active", |_| 55_000)).unwrap();
    assert!(travels(&answer).contains(&"a=group:BUNDLE a v".to_owned()), "{:?}", travels(&answer));
    for party in [A, B] {
        assert_eq!(shares(&call, party), [("a".to_owned(), true), ("v".to_owned(), false)]);
    }
    let told = told(&call);
    assert!(
        told.iter().all(|(_, settings)| !settings.share.as_ref().unwrap().section.as_ref().unwrap().blank)
    );
    // What comes by one section goes to that section.
    for (context, settings) in &told {
        let peer = settings.peer.unwrap();
        assert_eq!((peer.remote, peer.pair == context.pair), (context.remote, false));
    }
    call.media.confirm(B);
    call.drain();
    assert_eq!(call.ports.lent(), 2);
    close(call);
}

// conforms: RFC9143-7.3-3 RFC9143-7.3.2-2,3,4 RFC8841-10.1-1,2 RFC8841-10.2-1,2 RFC8841-10.3-1,2,3,11
#[test]
fn a_data_channel_has_a_transport_of_its_own_or_none() {
    let three = [("audio", "a"), ("video", "v"), ("data", "d")];
    // A browser that bundles as far as its peer does has ports for it.
    let mut call = browser_and_trunk();
    let offer = call.offer(A, B, &browser(&three, "actpass", |at| [45_000, 45_002, 45_004][at])).unwrap();
    let crosses = media(&offer);
    for line in [
        "m=application 30004 UDP/DTLS/SCTP webrtc-datachannel\n",
        FINGERPRINT,
        "a=setup:actpass\n",
        "a=sctp-port:5000\n",
    ] {
        assert!(crosses.contains(line), "{line} in {crosses}");
    }
    let far = trunk(&[("audio", 3_000), ("video", 3_002), ("data", 3_004)])
        + "a=setup:active\na=fingerprint:sha-1 5A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB\n";
    let answer = call.answer(B, A, &far).unwrap();
    let lines = travels(&answer);
    assert!(lines.contains(&"a=group:BUNDLE a v".to_owned()), "{lines:?}");
    assert!(lines.contains(&"m=application 20002 UDP/DTLS/SCTP webrtc-datachannel".to_owned()), "{lines:?}");
    assert!(shown(&answer).contains("5A:AD:B9") && shown(&answer).contains("a=sctp-port:5000\n"));
    let data = told(&call).into_iter().find(|(_, settings)| settings.remote.port() == 45_004).unwrap().1;
    assert!(
        data.ice.is_some() && data.srtp.is_none() && data.share.is_none(),
        "ICE is ours, DTLS is the peers'"
    );
    close(call);
    // One that does without has not.
    let mut call = browser_and_trunk();
    let only = browser(&three, "actpass", |at| [45_000, 1, 1][at]).replace("BUNDLE a", "BUNDLE a v d");
    call.offer(A, B, &only).unwrap();
    let answer = call.answer(B, A, &far).unwrap();
    let lines = travels(&answer);
    assert!(lines.contains(&"a=group:BUNDLE a v".to_owned()), "{lines:?}");
    assert!(lines.contains(&"m=application 0 UDP/DTLS/SCTP webrtc-datachannel".to_owned()), "{lines:?}");
    assert_eq!(call.media.view(A).unwrap().streams[2].carriage, Carriage::Rejected);
    let left = call.media.poll_left_out().unwrap();
    assert_eq!((left.party, left.section, &*left.media, left.why), (A, 2, "application", LeftOutBy::Bundle));
    assert_eq!(call.media.poll_left_out(), None);
    close(call);
}

// conforms: RFC9143-9.1.1-1,2
#[test]
fn sections_that_could_not_be_told_apart_are_not_bundled() {
    let mut call = browser_and_trunk();
    let text =
        trunk(&[("audio", 3_000), ("video", 3_002)]).replace("AVP 96", "AVP 8").replace("96 VP8", "8 VP8");
    let offer = call.offer(B, A, &text).unwrap();
    assert!(travels(&offer).contains(&"a=group:BUNDLE 0".to_owned()), "{:?}", travels(&offer));
    let mut call = browser_and_trunk();
    let twice = browser(&[("video", "v"), ("video", "w")], "actpass", |at| [45_000, 45_002][at]);
    let without = twice.replace("a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\n", "");
    for (offer, group) in [(twice, "a=group:BUNDLE v w"), (without, "a=group:BUNDLE v")] {
        call.offer(A, B, &offer).unwrap();
        let answer = call.answer(B, A, &trunk(&[("video", 3_000), ("video", 3_002)])).unwrap();
        assert!(travels(&answer).contains(&group.to_owned()), "{:?}", travels(&answer));
        close(call);
        call = browser_and_trunk();
    }
}
