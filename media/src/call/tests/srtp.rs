//! SRTP that ends on each leg, with keys by SDES.

use super::*;
use crate::relay::Srtp;
use crate::srtp::{Protection, Suite};
use crate::{Guarded, Keying, Security, SrtpUse};
use std::sync::Arc;

pub(super) const KEY: &str = "inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";
pub(super) const OTHER: &str = "inline:YUJDZGVmZ2hpSktMbW9QUXJzVHVWd3l6MTIzNDU2";

pub(super) fn head(name: &str) -> String {
    format!("v=0\no={name} 1 1 IN IP4 198.51.100.1\ns=-\nc=IN IP4 198.51.100.1\nt=0 0\n")
}

pub(super) fn plain() -> String {
    format!("{}m=audio 4000 RTP/AVP 0\n", head("plain"))
}

pub(super) fn secure(crypto: &[&str]) -> String {
    let lines: String = crypto.iter().map(|line| format!("a=crypto:{line}\n")).collect();
    format!("{}m=audio 5000 RTP/SAVP 0\na=rtcp-mux\n{lines}", head("secure"))
}

pub(super) fn security(srtp: SrtpUse) -> Security {
    Security {
        srtp,
        keying: [Keying::Sdes].into(),
        suites: [Suite::AeadAes128Gcm, Suite::AesCm128Sha1Tag80].into(),
        keys: true,
        ..Security::default()
    }
}

/// A call of these two.
pub(super) fn call(a: SrtpUse, b: SrtpUse) -> Call {
    let mut call = Call::new(Mode::Anchored);
    call.media.protect(A, security(a), [1; 32]);
    call.media.protect(B, security(b), [2; 32]);
    call
}

pub(super) fn media(text: &[u8]) -> String {
    let text = shown(text);
    text.split_at(text.find("m=").unwrap()).1.to_owned()
}

/// The lines of the keys that a party is told.
pub(super) fn keys(text: &[u8]) -> Vec<String> {
    shown(text).lines().filter_map(|line| line.strip_prefix("a=crypto:")).map(str::to_owned).collect()
}

/// The keys of the party whose media goes to that port, as the relay was told them last.
pub(super) fn protection_at(call: &Call, port: u16) -> Option<Arc<Protection>> {
    let settings = call.commands.iter().rev().find_map(|command| match command {
        Command::Set { settings, .. } if settings.remote.port() == port => Some(settings),
        _ => None,
    });
    settings.unwrap().srtp.as_ref().and_then(Srtp::keys).cloned()
}

pub(super) fn octets(line: &str) -> Vec<u8> {
    let value = line.split_once("inline:").unwrap().1;
    let line = format!("1 {} inline:{value}", line.split(' ').nth(1).unwrap());
    crate::CryptoLine::parse(&line).unwrap().keys[0].octets().to_vec()
}

// conforms: RFC4568-5.1.2-3,4
#[test]
fn secure_on_one_leg_is_plain_on_the_other() {
    let mut call = call(SrtpUse::Required, SrtpUse::Off);
    let offer = secure(&[&format!("7 AES_CM_128_HMAC_SHA1_80 {KEY}|2^20|1:4")]);
    let offered = call.offer(A, B, &offer).unwrap();
    assert_eq!(media(&offered), "m=audio 30000 RTP/AVP 0\na=rtcp-mux\n");
    let answered = call.answer(B, A, &plain()).unwrap();
    let ours = keys(&answered);
    assert_eq!(ours.len(), 1);
    assert!(ours[0].starts_with("7 AES_CM_128_HMAC_SHA1_80 inline:") && !ours[0].contains(KEY));
    assert!(media(&answered).starts_with("m=audio 20000 RTP/SAVP 0\n"));
    let protection = protection_at(&call, 5_000).unwrap();
    assert_eq!(protection.receive[0].lifetime(), Some(1 << 20));
    assert_eq!(protection.receive[0].mki().unwrap().octets(), [0, 0, 0, 1]);
    assert_eq!(protection.send.octets(), octets(&ours[0]));
    assert_eq!(protection_at(&call, 4_000), None);
    let stream = &call.media.view(A).unwrap().streams[0];
    assert_eq!(
        (stream.proto.as_str(), stream.guarded),
        ("RTP/SAVP", Guarded::Sdes(Suite::AesCm128Sha1Tag80))
    );
    assert_eq!(call.media.view(B).unwrap().streams[0].guarded, Guarded::No);
    assert!(!format!("{:?}", call.media.view(A)).contains("d0Rmdm"));
}

// conforms: RFC4568-4-1 RFC4568-4.1-2 RFC4568-5.1.1-1,2,3 RFC4568-7.1.1-2
#[test]
fn plain_on_one_leg_is_secure_on_the_other() {
    let mut call = call(SrtpUse::Off, SrtpUse::Required);
    let offered = call.offer(A, B, &plain()).unwrap();
    let ours = keys(&offered);
    assert!(media(&offered).starts_with("m=audio 30000 RTP/SAVP 0\na=crypto:1 AEAD_AES_128_GCM inline:"));
    assert!(ours[1].starts_with("2 AES_CM_128_HMAC_SHA1_80 inline:"));
    let answered = call.answer(B, A, &secure(&[&format!("2 AES_CM_128_HMAC_SHA1_80 {KEY}")])).unwrap();
    assert_eq!(media(&answered), "m=audio 20000 RTP/AVP 0\n");
    let protection = protection_at(&call, 5_000).unwrap();
    assert_eq!(protection.send.octets(), octets(&ours[1]));
    assert_eq!(protection.receive[0].octets(), octets(&format!("2 AES_CM_128_HMAC_SHA1_80 {KEY}")));
}

// conforms: RFC4568-5.1.2-1 RFC4568-7.1.2-2
#[test]
fn two_suites_of_two_legs_and_neither_sees_the_keys_of_the_other() {
    let mut call = call(SrtpUse::Preferred, SrtpUse::Preferred);
    let offer =
        secure(&[&format!("1 F8_128_HMAC_SHA1_80 {OTHER}"), &format!("2 AES_CM_128_HMAC_SHA1_80 {KEY}")]);
    let offered = call.offer(A, B, &offer).unwrap();
    assert_eq!(keys(&offered).len(), 2);
    assert!(!shown(&offered).contains(KEY) && !shown(&offered).contains(OTHER));
    let answer = secure(&["1 AEAD_AES_128_GCM inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw=="]);
    let answered = call.answer(B, A, &answer.replace("5000", "6000")).unwrap();
    assert!(keys(&answered)[0].starts_with("2 AES_CM_128_HMAC_SHA1_80"));
    assert!(!shown(&answered).contains("AAECAw"));
    assert_eq!(protection_at(&call, 5_000).unwrap().suite(), Suite::AesCm128Sha1Tag80);
    assert_eq!(protection_at(&call, 6_000).unwrap().suite(), Suite::AeadAes128Gcm);
}

// conforms: RFC4568-5.1.2-2 RFC4568-7.1.2-7
#[test]
fn what_a_leg_wants_decides_what_is_taken() {
    let offer = secure(&[&format!("1 AES_CM_128_HMAC_SHA1_80 {KEY}")]);
    let opportunistic = offer.replace("RTP/SAVP", "RTP/AVP");
    let dtls = offer.replace("RTP/SAVP", "UDP/TLS/RTP/SAVPF");
    let bad = offer.replace("SHA1_80", "SHA1_81");
    for (srtp, taken) in [
        (SrtpUse::EndToEnd, [true, true, true, true, true]),
        (SrtpUse::Off, [true, false, true, false, false]),
        (SrtpUse::Opportunistic, [true, true, true, false, false]),
        (SrtpUse::Preferred, [true, true, true, false, false]),
        (SrtpUse::Required, [false, true, true, false, false]),
    ] {
        for (text, taken) in [&plain(), &offer, &opportunistic, &dtls, &bad].into_iter().zip(taken) {
            let outcome = call(srtp, SrtpUse::Off).media.receive_offer(A, wire(text).as_bytes());
            let expected = if taken { Ok(()) } else { Err(Refusal::Protection { section: 0 }) };
            assert_eq!(outcome, expected, "{srtp:?} {text}");
        }
    }
    let refusal = Refusal::Protection { section: 0 };
    assert_eq!((refusal.status(), refusal.warning().unwrap().code), (488, 302));
}

#[test]
fn of_several_sections_only_what_is_not_as_it_must_be_is_refused() {
    let mut call = call(SrtpUse::Required, SrtpUse::Off);
    let text = format!(
        "{}m=video 7000 RTP/AVP 99\nm=image 7002 udptl t38\n",
        secure(&[&format!("1 AES_CM_128_HMAC_SHA1_80 {KEY}")])
    );
    let offered = call.offer(A, B, &text).unwrap();
    assert!(
        media(&offered).contains("m=video 0 RTP/AVP 99\nm=image 30002 udptl t38\n"),
        "{}",
        media(&offered)
    );
    let answer = format!("{}m=video 0 RTP/AVP 99\nm=image 4002 udptl t38\n", plain());
    let answered = call.answer(B, A, &answer).unwrap();
    let lines: Vec<_> =
        media(&answered).lines().filter(|line| line.starts_with("m=")).map(str::to_owned).collect();
    assert_eq!(lines, ["m=audio 20000 RTP/SAVP 0", "m=video 0 RTP/AVP 99", "m=image 20002 udptl t38"]);
}

// conforms: RFC8643-3.2-1,2 RFC8643-3.3-1
#[test]
fn rfc8643_3_keys_go_with_an_offer_of_plain_rtp() {
    let mut taken = call(SrtpUse::Off, SrtpUse::Opportunistic);
    let offered = taken.offer(A, B, &plain()).unwrap();
    assert!(media(&offered).starts_with("m=audio 30000 RTP/AVP 0\na=crypto:1 AEAD_AES_128_GCM"));
    let answer = secure(&[&format!("2 AES_CM_128_HMAC_SHA1_80 {KEY}")]).replace("SAVP", "AVP");
    taken.answer(B, A, &answer).unwrap();
    assert!(protection_at(&taken, 5_000).is_some());

    let mut declined = call(SrtpUse::Off, SrtpUse::Opportunistic);
    declined.offer(A, B, &plain()).unwrap();
    declined.answer(B, A, &plain().replace("4000", "5000")).unwrap();
    assert_eq!(protection_at(&declined, 5_000), None);

    // If the key management fails for any reason, the media session must fail (RFC 8643 §3.2).
    let mut failed = call(SrtpUse::Off, SrtpUse::Opportunistic);
    failed.offer(A, B, &plain()).unwrap();
    let wrong = answer.replace("crypto:2", "crypto:3");
    assert_eq!(failed.answer(B, A, &wrong), Err(Refusal::Keys { section: 0 }));

    let mut offered = call(SrtpUse::Opportunistic, SrtpUse::Off);
    let offer = secure(&[&format!("4 AES_CM_128_HMAC_SHA1_80 {KEY}")]).replace("SAVP", "AVP");
    offered.offer(A, B, &offer).unwrap();
    let answered = offered.answer(B, A, &plain()).unwrap();
    assert!(
        media(&answered).starts_with("m=audio 20000 RTP/AVP 0\na=rtcp-mux\na=crypto:4 AES_CM_128"),
        "{}",
        media(&answered)
    );
}

// conforms: RFC4568-5.1.3-1,2,5 RFC4568-7.1.3-2,3,4
#[test]
fn rfc4568_7_1_3_an_answer_without_a_key_for_ours_fails() {
    let mut call = call(SrtpUse::Off, SrtpUse::Required);
    call.offer(A, B, &plain()).unwrap();
    let good = format!("2 AES_CM_128_HMAC_SHA1_80 {KEY}");
    for answer in [
        secure(&[]),
        plain(),
        secure(&[&format!("1 AES_CM_128_HMAC_SHA1_80 {KEY}")]),
        secure(&[&format!("3 AES_CM_128_HMAC_SHA1_80 {KEY}")]),
        secure(&[&format!("{good} UNENCRYPTED_SRTP")]),
        secure(&[&good, &good]),
    ] {
        let refused = call.media.receive_answer(B, wire(&answer).as_bytes());
        assert_eq!(refused, Err(Refusal::Keys { section: 0 }), "{answer}");
    }
    assert!(call.media.receive_answer(B, wire(&secure(&[&good])).as_bytes()).is_ok());
}

// conforms: RFC4568-6.4-2 RFC4568-7.1.1-4 RFC4568-7.1.2-5
#[test]
fn rfc4568_6_1_our_own_key_is_no_answer() {
    let mut call = call(SrtpUse::Off, SrtpUse::Required);
    let ours = keys(&call.offer(A, B, &plain()).unwrap());
    let reflected = call.media.receive_answer(B, wire(&secure(&[&ours[1]])).as_bytes());
    assert_eq!(reflected, Err(Refusal::Keys { section: 0 }));
}

// conforms: RFC4568-3-1 RFC4568-8-1,2 RFC4568-8.3-1,2 RFC8643-4-1
#[test]
fn rfc4568_8_3_keys_are_not_told_in_the_clear() {
    let clear = |srtp| Security { keys: false, ..security(srtp) };
    let mut call = Call::new(Mode::Anchored);
    call.media.protect(B, clear(SrtpUse::Required), [2; 32]);
    assert_eq!(call.offer(A, B, &plain()), Err(Refusal::Clear));
    call.media.offer_failed(A);
    call.drain();
    assert_eq!(call.ports.lent(), 0);
    for srtp in [SrtpUse::Opportunistic, SrtpUse::Preferred] {
        let mut call = Call::new(Mode::Anchored);
        call.media.protect(B, clear(srtp), [2; 32]);
        assert_eq!(media(&call.offer(A, B, &plain()).unwrap()), "m=audio 30000 RTP/AVP 0\n");
        let offer = secure(&[&format!("1 AES_CM_128_HMAC_SHA1_80 {KEY}")]);
        call.media.offer_failed(B);
        let refused = call.media.receive_offer(B, wire(&offer).as_bytes());
        assert_eq!(refused, Err(Refusal::Protection { section: 0 }));
    }
}

// conforms: RFC4568-5.1.2-5 RFC4568-5.1.4-1 RFC4568-7.1.4-1
#[test]
fn an_offer_of_ours_in_a_standing_session_has_the_suite_and_the_key_that_stand() {
    let mut call = call(SrtpUse::Preferred, SrtpUse::Off);
    call.offer(A, B, &secure(&[&format!("3 AES_CM_128_HMAC_SHA1_80 {KEY}")])).unwrap();
    let answered = keys(&call.answer(B, A, &plain()).unwrap());
    let offered = call.offer(B, A, &format!("{}a=sendonly\n", plain())).unwrap();
    assert_eq!(octets(&keys(&offered)[0]), octets(&answered[0]));
    assert_eq!(keys(&offered).len(), 1);
    assert!(media(&offered).starts_with("m=audio 20000 RTP/SAVP 0\n"));
    let answer = secure(&[&format!("1 AES_CM_128_HMAC_SHA1_80 {KEY}")]);
    call.answer(A, B, &answer).unwrap();
    assert!(protection_at(&call, 5_000).is_some());
    assert!(call.media.knows(A, B) && call.media.knows(B, A));
}

#[test]
fn a_peer_that_has_stayed_plain_is_offered_plain_again_where_that_is_allowed() {
    for (srtp, proto) in [(SrtpUse::Preferred, "RTP/AVP"), (SrtpUse::Opportunistic, "RTP/AVP")] {
        let mut call = call(srtp, SrtpUse::Off);
        call.offer(A, B, &plain()).unwrap();
        call.answer(B, A, &plain().replace("4000", "4002")).unwrap();
        let offered = call.offer(B, A, &format!("{}a=sendonly\n", plain())).unwrap();
        assert!(media(&offered).starts_with(&format!("m=audio 20000 {proto} 0\n")));
    }
}

#[test]
fn a_failed_offer_leaves_the_keys_as_they_were() {
    let mut call = call(SrtpUse::Required, SrtpUse::Off);
    let offer = secure(&[&format!("1 AES_CM_128_HMAC_SHA1_80 {KEY}")]);
    call.offer(A, B, &offer).unwrap();
    let answered = call.answer(B, A, &plain()).unwrap();
    call.commands.clear();
    call.offer(A, B, &offer.replace(KEY, OTHER)).unwrap();
    call.media.offer_failed(B);
    call.media.offer_failed(A);
    call.drain();
    assert!(call.commands.is_empty(), "{:?}", call.commands);
    assert!(call.media.is_unchanged(A, wire(&offer).as_bytes()));
    assert_eq!(call.media.compose_answer(A, B, &mut call.ports).unwrap(), answered);
}

#[test]
fn keys_cross_where_neither_leg_ends_them() {
    let mut call = Call::new(Mode::Anchored);
    let offer = secure(&[&format!("1 AES_CM_128_HMAC_SHA1_80 {KEY}")]);
    assert!(shown(&call.offer(A, B, &offer).unwrap()).contains(KEY));
    call.answer(B, A, &offer.replace(KEY, OTHER).replace("5000", "4000")).unwrap();
    assert_eq!(call.media.view(A).unwrap().streams[0].guarded, Guarded::EndToEnd);
    assert_eq!(protection_at(&call, 5_000), None);
}

#[test]
fn what_the_peers_protect_themselves_is_not_offered_to_a_leg_without_srtp() {
    let offer = secure(&[&format!("1 AES_CM_128_HMAC_SHA1_80 {KEY}")]);
    let mut call = call(SrtpUse::EndToEnd, SrtpUse::Off);
    assert_eq!(call.offer(A, B, &offer), Err(Refusal::Protection { section: 0 }));
    call.media.offer_failed(A);
    let two = format!("{offer}m=audio 5002 RTP/AVP 0\n");
    let offered = call.offer(A, B, &two).unwrap();
    let lines: Vec<_> =
        media(&offered).lines().filter(|line| line.starts_with("m=")).map(str::to_owned).collect();
    assert_eq!(lines, ["m=audio 0 RTP/AVP 0", "m=audio 30000 RTP/AVP 0"]);
}

// conforms: RFC4568-7.1.4-2,3
#[test]
fn rfc4568_7_1_4_another_port_gets_another_key() {
    let mut call = call(SrtpUse::Required, SrtpUse::Required);
    let offer = secure(&[&format!("1 AES_CM_128_HMAC_SHA1_80 {KEY}")]);
    let answer = secure(&[&format!("2 AES_CM_128_HMAC_SHA1_80 {OTHER}")]);
    let gone = |text: &str| text.replace("audio 5000", "audio 0");
    let mut told = Vec::new();
    for (offer, answer) in [(offer.clone(), answer.clone()), (gone(&offer), gone(&answer)), (offer, answer)] {
        let offered = call.offer(A, B, &offer).unwrap();
        let answered = call.answer(B, A, &answer).unwrap();
        [A, B].into_iter().for_each(|party| call.media.confirm(party));
        told.push((keys(&offered), keys(&answered)));
    }
    assert!(told[1].0.is_empty() && told[1].1.is_empty(), "{told:?}");
    assert!(told[0].0.iter().all(|key| !told[2].0.contains(key)) && told[0].1 != told[2].1, "{told:?}");
}

/// As above, where the offer that has told the key has got port 0 for it.
#[test]
fn rfc4568_7_1_4_a_stream_that_nobody_took_gets_another_key_with_its_next_port() {
    let mut call = call(SrtpUse::Off, SrtpUse::Required);
    let video = "m=video 4002 RTP/AVP 31\n";
    let first = keys(&call.offer(A, B, &format!("{}{video}", plain())).unwrap());
    let answer = secure(&[&format!("2 AES_CM_128_HMAC_SHA1_80 {KEY}")]);
    call.answer(B, A, &format!("{answer}m=video 0 RTP/SAVP 31\n")).unwrap();
    [A, B].into_iter().for_each(|party| call.media.confirm(party));
    let second = keys(&call.offer(A, B, &format!("{}{video}", plain())).unwrap());
    let of_video =
        |keys: &[String]| keys.iter().skip(keys.len() - 2).map(|key| octets(key)).collect::<Vec<_>>();
    assert!(of_video(&first).iter().all(|key| !of_video(&second).contains(key)), "{first:?} {second:?}");
}

// conforms: RFC4568-7.5-1,2
#[test]
fn keys_of_other_kinds_end_with_us_as_well() {
    let mut call = call(SrtpUse::Required, SrtpUse::Preferred);
    let more = "k=clear:x\na=key-mgmt:mikey AQAFgM0X\na=fingerprint:sha-1 4A:AD\na=setup:actpass\n";
    let offer = secure(&[&format!("1 AES_CM_128_HMAC_SHA1_80 {KEY}")]) + more;
    let answer = secure(&[&format!("2 AES_CM_128_HMAC_SHA1_80 {OTHER}")]) + more;
    let offered = call.offer(A, B, &offer).unwrap();
    let answered = call.answer(B, A, &answer).unwrap();
    for text in [media(&offered), media(&answered)] {
        let others = ["k=", "a=key-mgmt", "a=fingerprint", "a=setup"];
        assert!(!text.lines().any(|line| others.iter().any(|other| line.starts_with(other))), "{text}");
    }
}

#[test]
fn savpf_is_avpf_on_the_plain_side() {
    let mut call = call(SrtpUse::Required, SrtpUse::Off);
    let offer = secure(&[&format!("1 AES_CM_128_HMAC_SHA1_80 {KEY}")]).replace("SAVP", "SAVPF");
    let offered = call.offer(A, B, &offer).unwrap();
    assert!(media(&offered).starts_with("m=audio 30000 RTP/AVPF 0\n"));
    let answered = call.answer(B, A, &plain().replace("AVP", "AVPF")).unwrap();
    assert!(media(&answered).starts_with("m=audio 20000 RTP/SAVPF 0\n"));
}
