//! SRTP that ends on each leg, with keys by DTLS.

use super::*;
use crate::dtls::{Hash, Identity, Role, Terms, Version};
use crate::keying::{Keying, Security, SrtpUse};
use crate::relay::Srtp;
use crate::srtp::Suite;
use crate::{Guarded, Secret};
use std::sync::{Arc, LazyLock};

/// Ours, the same in all tests.
static IDENTITY: LazyLock<Arc<Identity>> = LazyLock::new(|| Arc::new(Identity::generate().unwrap()));

pub(super) const SHA1: &str = "sha-1 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB";
pub(super) const OTHER: &str = "sha-1 5A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB";

/// What Chromium 156 offers for a call with JsSIP, shortened.
pub(super) const BROWSER: &str = "\
v=0
o=- 5342 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
a=extmap-allow-mixed
a=msid-semantic: WMS 4d3f
m=audio 45000 UDP/TLS/RTP/SAVPF 111 8 126
c=IN IP4 198.51.100.1
a=rtcp:9 IN IP4 0.0.0.0
a=candidate:1 1 udp 2122260223 198.51.100.1 45000 typ host generation 0
a=ice-ufrag:brow
a=ice-pwd:browserbrowserbrowserbrowser
a=ice-options:trickle
a=fingerprint:sha-256 12:DF:3E:5D:49:6B:19:E5:7C:AB:4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB:4A:AD
a=setup:actpass
a=mid:0
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=sendrecv
a=msid:4d3f 61ca
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:111 opus/48000/2
a=rtcp-fb:111 transport-cc
a=fmtp:111 minptime=10;useinbandfec=1
a=rtpmap:8 PCMA/8000
a=rtpmap:126 telephone-event/8000
a=ssrc:3735928559 cname:b4Sc
";

pub(super) const TRUNK: &str = "\
v=0
o=trunk 1 1 IN IP4 198.51.100.99
s=-
c=IN IP4 198.51.100.99
t=0 0
m=audio 3456 RTP/AVP 8
a=rtpmap:8 PCMA/8000
";

pub(super) fn security(srtp: SrtpUse) -> Security {
    Security {
        srtp,
        keying: [Keying::Dtls, Keying::Sdes].into(),
        suites: [Suite::AesCm128Sha1Tag80].into(),
        keys: false,
        identity: Some(Arc::clone(&IDENTITY)),
        dtls: Version::V1_2,
        browser: false,
    }
}

pub(super) fn call(a: Security, b: Security) -> Call {
    let mut call = Call::new(Mode::Anchored);
    call.media = std::mem::replace(&mut call.media, CallMedia::new(Mode::Anchored, Limits::default(), 7))
        .with_ice(Secret::new([7, 7]));
    for (party, network) in [(A, 0), (B, 1)] {
        call.media.add_party(party, &call.networks[network]);
    }
    call.media.protect(A, a, [1; 32]);
    call.media.protect(B, b, [2; 32]);
    call
}

/// A browser on leg A, a trunk without keys on leg B.
pub(super) fn browser_and_trunk() -> Call {
    call(
        Security { browser: true, ..security(SrtpUse::Preferred) },
        Security { srtp: SrtpUse::EndToEnd, ..Security::default() },
    )
}

pub(super) fn required() -> Call {
    call(security(SrtpUse::Required), security(SrtpUse::Off))
}

/// With our fingerprint, which is another one in each run, called OURS.
pub(super) fn seen(text: &[u8]) -> String {
    shown(text).replace(&IDENTITY.fingerprint().to_string(), "OURS")
}

pub(super) fn media(text: &[u8]) -> String {
    let text = seen(text);
    text.split_at(text.find("m=").unwrap()).1.to_owned()
}

pub(super) fn secure(setup: &str, fingerprint: &str, tls_id: &str) -> String {
    let tls_id = if tls_id.is_empty() { String::new() } else { format!("a=tls-id:{tls_id:0>20}\n") };
    let head = "v=0\no=secure 1 1 IN IP4 198.51.100.1\ns=-\nc=IN IP4 198.51.100.1\nt=0 0\n";
    format!(
        "{head}m=audio 5000 UDP/TLS/RTP/SAVP 8\na=rtcp-mux\na=fingerprint:{fingerprint}\na=setup:{setup}\n{tls_id}"
    )
}

/// The association that a party's stream has by what the relay was told last.
pub(super) fn terms_at(call: &Call, port: u16) -> Option<Arc<Terms>> {
    let settings = call.commands.iter().rev().find_map(|command| match command {
        Command::Set { settings, .. } if settings.remote.port() == port => Some(settings),
        _ => None,
    });
    match &settings.unwrap().srtp {
        Some(Srtp::Dtls(terms)) => Some(Arc::clone(terms)),
        _ => None,
    }
}

pub(super) fn tls_id(text: &[u8]) -> Option<String> {
    shown(text).lines().find_map(|line| line.strip_prefix("a=tls-id:")).map(str::to_owned)
}

pub(super) fn setup(text: &[u8]) -> String {
    shown(text).lines().find_map(|line| line.strip_prefix("a=setup:")).unwrap().to_owned()
}

// conforms: RFC5763-5-2,4,6,7 RFC5763-6.2-1 RFC5763-6.10-1 RFC8122-5-1 RFC8842-5.3-1 RFC5764-8-2,3
#[test]
fn a_browser_calls_a_trunk() {
    let mut call = browser_and_trunk();
    insta::assert_snapshot!(media(&call.offer(A, B, BROWSER).unwrap()));
    insta::assert_snapshot!(seen(&call.answer(B, A, TRUNK).unwrap()));
    let terms = terms_at(&call, 45_000).unwrap();
    assert_eq!((terms.association, terms.role, terms.fingerprints[0].hash), (1, Role::Client, Hash::Sha256));
    assert_eq!(terms_at(&call, 3_456), None);
    let stream = &call.media.view(A).unwrap().streams[0];
    assert_eq!((stream.proto.as_str(), stream.guarded), ("UDP/TLS/RTP/SAVPF", Guarded::Dtls(None)));
    assert_eq!((stream.guarded.keying(), stream.guarded.name()), (Some("dtls"), None));
    assert!(call.media.knows(A, B) && call.media.knows(B, A));
}

// conforms: RFC5763-5-3 RFC8842-5.2-1,2
#[test]
fn a_trunk_calls_a_browser() {
    let mut call = browser_and_trunk();
    insta::assert_snapshot!(seen(&call.offer(B, A, TRUNK).unwrap()));
    let answer = BROWSER.replace("actpass", "active").replace("111 8 126", "8");
    let answer: String = answer
        .split_inclusive('\n')
        .filter(|line| !line.contains(":111") && !line.contains(":126"))
        .collect();
    insta::assert_snapshot!(media(&call.answer(A, B, &answer).unwrap()));
    assert_eq!(terms_at(&call, 45_000).unwrap().role, Role::Server);
    assert!(call.media.knows(A, B) && call.media.knows(B, A));
}

#[test]
fn a_browser_that_is_on_hold_and_back_keeps_its_association() {
    let mut call = browser_and_trunk();
    call.offer(A, B, BROWSER).unwrap();
    call.answer(B, A, TRUNK).unwrap();
    let before = terms_at(&call, 45_000).unwrap();
    for direction in ["sendonly", "sendrecv"] {
        let offer = call.offer(A, B, &BROWSER.replace("sendrecv", direction)).unwrap();
        assert!(media(&offer).starts_with("m=audio 30000 RTP/AVP 111 8 126\n"));
        let answer = call.answer(B, A, TRUNK).unwrap();
        assert_eq!(setup(&answer), "active");
        assert!(shown(&answer).contains("a=group:BUNDLE 0\n"));
    }
    let offer = call.offer(B, A, &format!("{TRUNK}a=sendonly\n")).unwrap();
    insta::assert_snapshot!(media(&offer));
    assert!(seen(&offer).contains("a=group:BUNDLE 0\n"));
    call.answer(A, B, &BROWSER.replace("actpass", "passive").replace("sendrecv", "recvonly")).unwrap();
    assert_eq!(terms_at(&call, 45_000), Some(before));
}

#[test]
fn of_several_sections_one_is_bundled_and_the_others_have_ports_of_their_own() {
    let video =
        BROWSER.split_once("m=").unwrap().1.replace("audio 45000", "m=video 45002").replace("mid:0", "mid:1");
    let offer = format!("{}{video}", BROWSER.replace("BUNDLE 0", "BUNDLE 0 1"));
    let mut call = browser_and_trunk();
    call.offer(A, B, &offer).unwrap();
    let answer = call.answer(B, A, &format!("{TRUNK}m=video 3458 RTP/AVP 8\na=mid:1\n")).unwrap();
    let text = shown(&answer);
    assert!(text.contains("a=group:BUNDLE 0\n"), "{text}");
    let lines: Vec<_> =
        text.lines().filter(|line| line.starts_with("m=") || line.starts_with("a=mid")).collect();
    assert_eq!(
        lines,
        ["m=audio 20000 UDP/TLS/RTP/SAVPF 8", "a=mid:0", "m=video 20002 UDP/TLS/RTP/SAVPF 8", "a=mid:1"]
    );
    // The first of the group is refused: another one is left of it.
    let mut call = browser_and_trunk();
    call.offer(A, B, &offer).unwrap();
    let refused = TRUNK.replace("3456", "0");
    let answer = call.answer(B, A, &format!("{refused}m=video 3458 RTP/AVP 8\na=mid:1\n")).unwrap();
    assert!(shown(&answer).contains("a=group:BUNDLE 1\n"), "{}", shown(&answer));
}

// conforms: RFC8122-5.1-2 RFC8842-4-3 RFC8842-5.3-4,5,6,8
#[test]
fn rfc8842_5_3_an_answer_says_who_begins_and_names_what_the_offer_names() {
    for (offered, answered, role) in [
        ("actpass", "active", Role::Client),
        ("active", "passive", Role::Server),
        ("passive", "active", Role::Client),
    ] {
        for id in ["1", ""] {
            let mut call = required();
            call.offer(A, B, &secure(offered, SHA1, id)).unwrap();
            let answer = call.answer(B, A, TRUNK).unwrap();
            assert_eq!((setup(&answer).as_str(), terms_at(&call, 5_000).unwrap().role), (answered, role));
            assert_eq!(tls_id(&answer).is_some(), !id.is_empty());
            assert!(shown(&answer).contains("a=fingerprint:sha-256 "), "{}", shown(&answer));
            assert!(media(&answer).contains("a=fingerprint:OURS\n"), "{}", media(&answer));
            // Said again, it is the same, and so is what is answered.
            let terms = terms_at(&call, 5_000);
            assert!(call.media.is_unchanged(A, wire(&secure(offered, SHA1, id)).as_bytes()));
            call.offer(A, B, &secure(offered, SHA1, id)).unwrap();
            assert_eq!(call.answer(B, A, TRUNK).unwrap(), answer);
            assert_eq!(terms_at(&call, 5_000), terms);
        }
    }
}

#[test]
fn an_answer_to_an_offer_of_ours_has_a_fingerprint_and_says_who_begins() {
    let offer = |call: &mut Call| call.offer(B, A, TRUNK).unwrap();
    for (answer, role) in [("active", Role::Server), ("passive", Role::Client)] {
        let mut call = required();
        let offered = offer(&mut call);
        assert!(
            media(&offered)
                .starts_with("m=audio 20000 UDP/TLS/RTP/SAVP 8\na=rtpmap:8 PCMA/8000\na=rtcp-mux\n")
        );
        call.answer(A, B, &secure(answer, SHA1, "")).unwrap();
        assert_eq!(terms_at(&call, 5_000).unwrap().role, role);
    }
    let good = secure("active", SHA1, "");
    let fails = |answer: &str| {
        let mut call = required();
        offer(&mut call);
        call.media.receive_answer(A, wire(answer).as_bytes()).unwrap_err()
    };
    let keys = Refusal::Keys { section: 0 };
    assert_eq!(fails(&secure("actpass", SHA1, "")), keys);
    assert_eq!(fails(&secure("holdconn", SHA1, "")), keys);
    assert_eq!(fails(&good.replace(&format!("a=fingerprint:{SHA1}\n"), "")), keys);
    assert_eq!(fails(TRUNK), keys);
    let fingerprint = Refusal::Fingerprint { section: 0 };
    assert_eq!(fails(&good.replace(":AB", "")), fingerprint);
    assert_eq!(fails(&good.replace("sha-1", "md5")), fingerprint);
    assert_eq!((fingerprint.status(), fingerprint.warning().unwrap().code), (488, 399));
}

#[test]
fn what_a_leg_wants_decides_what_is_taken() {
    let offer = secure("actpass", SHA1, "1");
    let early = offer.replace("UDP/TLS/RTP/SAVP", "RTP/SAVP");
    let opportunistic = offer.replace("UDP/TLS/RTP/SAVP", "RTP/AVP");
    let bad = offer.replace(":AB", "");
    let nobody = offer.replace("actpass", "holdconn");
    let refused = Err(Refusal::Protection { section: 0 });
    let no_fingerprint = Err(Refusal::Fingerprint { section: 0 });
    let none = Security { identity: None, ..security(SrtpUse::Preferred) };
    let sdes = Security { keying: [Keying::Sdes].into(), ..security(SrtpUse::Preferred) };
    let ok = Ok(());
    for (security, expected) in [
        (security(SrtpUse::Off), [&refused, &refused, &ok, &refused, &refused]),
        (security(SrtpUse::Opportunistic), [&ok, &ok, &ok, &no_fingerprint, &refused]),
        (security(SrtpUse::Required), [&ok, &ok, &ok, &no_fingerprint, &refused]),
        (none, [&refused, &refused, &ok, &refused, &refused]),
        (sdes, [&refused, &refused, &ok, &refused, &refused]),
    ] {
        for (text, expected) in [&offer, &early, &opportunistic, &bad, &nobody].into_iter().zip(expected) {
            let mut call = call(security.clone(), Security::default());
            assert_eq!(&call.media.receive_offer(A, wire(text).as_bytes()), expected, "{security:?} {text}");
        }
    }
}

// conforms: RFC8643-3.2-2
#[test]
fn rfc8643_3_1_an_offer_of_plain_rtp_has_all_kinds_of_keys_and_an_answer_one() {
    let all = Security { keys: true, ..security(SrtpUse::Opportunistic) };
    let taken = |answer: &str| {
        let mut call = call(all.clone(), security(SrtpUse::Off));
        let offered = media(&call.offer(B, A, TRUNK).unwrap());
        assert!(offered.starts_with("m=audio 20000 RTP/AVP 8\n"), "{offered}");
        assert!(offered.contains("a=crypto:1 ") && offered.contains("a=fingerprint:OURS\na=setup:actpass\n"));
        call.answer(A, B, answer).map(|_| call.media.view(A).unwrap().streams[0].guarded)
    };
    let dtls = secure("active", SHA1, "").replace("UDP/TLS/RTP/SAVP", "RTP/AVP");
    let crypto = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj\n";
    assert_eq!(taken(&dtls), Ok(Guarded::Dtls(None)));
    assert_eq!(taken(&format!("{TRUNK}{crypto}")), Ok(Guarded::Sdes(Suite::AesCm128Sha1Tag80)));
    assert_eq!(taken(TRUNK), Ok(Guarded::No));
    assert_eq!(taken(&format!("{dtls}{crypto}")), Err(Refusal::Keys { section: 0 }));
}

#[test]
fn what_is_offered_is_the_first_that_may_be() {
    let of = |srtp, keying: &[Keying], keys| {
        let security = Security { keying: keying.into(), keys, ..security(srtp) };
        call(security, Security::default())
            .offer(B, A, TRUNK)
            .map(|offer| media(&offer).split(' ').nth(2).unwrap().to_owned())
    };
    let (sdes, dtls) = (Keying::Sdes, Keying::Dtls);
    let ok = |proto: &str| Ok(proto.to_owned());
    assert_eq!(of(SrtpUse::Required, &[dtls, sdes], true), ok("UDP/TLS/RTP/SAVP"));
    assert_eq!(of(SrtpUse::Required, &[sdes, dtls], true), ok("RTP/SAVP"));
    assert_eq!(of(SrtpUse::Required, &[sdes, dtls], false), ok("UDP/TLS/RTP/SAVP"));
    assert_eq!(of(SrtpUse::Required, &[sdes], false), Err(Refusal::Clear));
    assert_eq!(of(SrtpUse::Preferred, &[dtls, sdes], false), ok("UDP/TLS/RTP/SAVP"));
    assert_eq!(of(SrtpUse::Preferred, &[sdes, dtls], true), ok("RTP/SAVP"));
    // Nobody has said that the peer knows the other kind.
    assert_eq!(of(SrtpUse::Preferred, &[sdes, dtls], false), ok("RTP/AVP"));
    assert_eq!(of(SrtpUse::Off, &[dtls], false), ok("RTP/AVP"));
}

#[test]
fn what_crosses_from_end_to_end_to_end_to_end_is_untouched() {
    let end_to_end = || Security { srtp: SrtpUse::EndToEnd, ..security(SrtpUse::EndToEnd) };
    let mut call = call(end_to_end(), end_to_end());
    let offered = media(&call.offer(A, B, &secure("actpass", SHA1, "1")).unwrap());
    assert!(offered.contains(&format!("a=fingerprint:{SHA1}\na=setup:actpass\na=tls-id:")), "{offered}");
    call.answer(B, A, &secure("active", OTHER, "2").replace("5000", "6000")).unwrap();
    assert_eq!(call.media.view(A).unwrap().streams[0].guarded, Guarded::EndToEnd);
}

#[test]
fn what_a_session_says_of_keys_goes_with_the_sections_that_keep_theirs() {
    let mut call = required();
    let offer = secure("actpass", SHA1, "1");
    let (head, audio) = offer.split_once("m=").unwrap();
    let audio = audio.replace(&format!("a=fingerprint:{SHA1}\na=setup:actpass\n"), "");
    let data = "m=application 5002 UDP/DTLS/SCTP webrtc-datachannel\na=setup:active\na=sctp-port:5000\n";
    let text = format!("{head}a=fingerprint:{SHA1}\na=setup:actpass\nm={audio}{data}");
    let offered = seen(&call.offer(A, B, &text).unwrap());
    let (head, rest) = offered.split_once("m=audio").unwrap();
    let (audio, data) = rest.split_once("m=application").unwrap();
    for of in [head, audio] {
        assert!(!of.contains("fingerprint") && !of.contains("setup") && !of.contains("tls-id"), "{offered}");
    }
    assert!(data.contains(&format!("a=fingerprint:{SHA1}\n")) && data.contains("a=setup:active\n"));
    assert_eq!(data.matches("a=setup").count(), 1);
}
