//! Codecs that only one leg has.

use super::*;
use crate::Ports;
use crate::dtmf::Law;
use crate::transcode::{Clock, Coding, Fate, Plan};

const PCMU: Coding = Coding::G711(Law::Mu);
const PCMA: Coding = Coding::G711(Law::A);
const OPUS: &str = "a=rtpmap:96 opus/48000/2\n";

fn described(host: &str, formats: &str, more: &str) -> String {
    format!("v=0\no=- 1 1 IN IP4 {host}\ns=-\nc=IN IP4 {host}\nt=0 0\nm=audio 4000 RTP/AVP {formats}\n{more}")
}

fn by_a(formats: &str, more: &str) -> String {
    described("192.0.2.1", formats, more)
}

fn by_b(formats: &str, more: &str) -> String {
    described("203.0.113.1", formats, more)
}

fn call(a: &[Coding], b: &[Coding]) -> Call {
    let mut call = Call::new(Mode::Anchored);
    call.media.transcode(A, a);
    call.media.transcode(B, b);
    call
}

/// The formats of the first stream, and the lines that say what they are.
fn formats(text: &[u8]) -> String {
    let text = std::str::from_utf8(text).unwrap();
    let line = text.lines().find(|line| line.starts_with("m=audio")).unwrap();
    let maps = text.lines().filter_map(|line| line.strip_prefix("a=rtpmap:"));
    let formats = line.split(' ').skip(3).collect::<Vec<_>>().join(" ");
    std::iter::once(formats.as_str()).chain(maps).collect::<Vec<_>>().join("; ")
}

fn exchange(call: &mut Call, offer: &str, answer: &str) -> (String, String) {
    let offered = call.offer(A, B, offer).unwrap();
    let answered = call.answer(B, A, answer).unwrap();
    assert!(call.media.knows(A, B) && call.media.reaches(A, B) && call.media.reaches(B, A));
    (formats(&offered), formats(&answered))
}

/// What is made of what a party sends, as the relay was told last.
fn plan(call: &Call, party: PartyId) -> Option<Plan> {
    let context = call.media.party(party).unwrap().streams[0].context.unwrap();
    let of = |command: &Command| match command {
        Command::Set { context: of, settings, .. } if *of == context => Some(settings.transcode.clone()),
        _ => None,
    };
    call.commands.iter().rev().find_map(of).unwrap().map(|plan| (*plan).clone())
}

/// What comes and what becomes of it, and what is made of the rest.
type Ways = Option<(Vec<(u8, Fate)>, (u8, Coding, u32))>;

/// The same, as the relay was told last.
fn ways(call: &Call, party: PartyId) -> Ways {
    let plan = plan(call, party)?;
    Some((plan.inputs.to_vec(), (plan.output.payload, plan.output.coding, plan.output.millis)))
}

#[test]
fn a_codec_is_added_to_the_offer_and_the_caller_is_answered_with_its_own() {
    let mut call = call(&[], &[Coding::Opus, Coding::G722]);
    let told = exchange(
        &mut call,
        &by_a("0 8", ""),
        &by_b("96", &format!("{OPUS}a=fmtp:96 useinbandfec=1\na=ptime:40\n")),
    );
    assert_eq!(told, ("0 8 96 9; 96 opus/48000/2; 9 G722/8000".into(), "0; 0 PCMU/8000".into()));
    assert_eq!(ways(&call, A), Some((vec![(0, Fate::Coded(PCMU))], (96, Coding::Opus, 40))));
    assert_eq!(ways(&call, B), Some((vec![(96, Fate::Coded(Coding::Opus))], (0, PCMU, 20))));
    assert!(plan(&call, A).unwrap().output.opus.fec);
    // What B wants of packets is B's affair.
    assert!(!std::str::from_utf8(&call.media.described_to(A).unwrap()).unwrap().contains("ptime"));

    assert_ne!(plan(&call, A).unwrap().ssrc, plan(&call, B).unwrap().ssrc);
    assert_eq!(call.media.transcoded(), 2);
    let view = call.media.view(B).unwrap().streams[0].coding.unwrap();
    assert_eq!((view.from, view.to), ("opus", "PCMU"));
}

#[test]
fn where_both_have_a_codec_nothing_is_transcoded() {
    let mut call = call(&[], &[Coding::Opus, Coding::G722]);
    let told = exchange(&mut call, &by_a("0 8", ""), &by_b("8 9", ""));
    assert_eq!(told.1, "8");
    assert_eq!([ways(&call, A), ways(&call, B)], [None, None]);
    assert_eq!(call.media.transcoded(), 0);
}

#[test]
fn where_there_is_no_room_to_code_no_codec_is_added() {
    let mut call = call(&[], &[Coding::Opus]);
    call.ports = VirtualPorts::new(&call.networks).with_room(1);
    let offered = call.offer(A, B, &by_a("0 8", "")).unwrap();
    assert_eq!(formats(&offered), "0 8");
    // B has nothing in common with A then, and nothing is coded.
    call.answer(B, A, &by_b("8", "")).unwrap();
    assert_eq!((call.media.transcoded(), call.media.is_muted()), (0, false));
    assert!(call.media.knows(A, B) && call.media.knows(B, A));
}

#[test]
fn room_is_kept_as_long_as_a_leg_is_there_whose_dialogs_share_it() {
    let mut call = call(&[], &[Coding::Opus]);
    call.ports = VirtualPorts::new(&call.networks).with_room(2);
    call.offer(A, B, &by_a("0 8", "")).unwrap();
    call.media.fork_party(B, B2).unwrap();
    assert!(call.ports.room(None, 1).is_none());
    call.media.remove_party(B);
    assert!(call.ports.room(None, 1).is_none());
    call.media.stop();
    assert!(call.ports.room(None, 2).is_some());
}

#[test]
fn a_stream_that_is_not_coded_for_want_of_room_is_told() {
    let mut call = call(&[], &[Coding::Opus]);
    exchange(&mut call, &by_a("0 8", ""), &by_b("96", OPUS));
    plan(&call, A).unwrap().tally.refuse(true);
    assert!(call.media.is_muted());
    plan(&call, A).unwrap().tally.refuse(false);
    assert!(!call.media.is_muted());
}

#[test]
fn who_prefers_the_added_codec_may_send_it() {
    let mut call = call(&[], &[Coding::Opus]);
    let told = exchange(&mut call, &by_a("0", ""), &by_b("96 0", OPUS));
    assert_eq!(told.1, "0");
    assert_eq!(ways(&call, A).unwrap().0, [(0, Fate::Passed(PCMU, 0))]);
    assert_eq!(ways(&call, B).unwrap().0, [(0, Fate::Passed(PCMU, 0)), (96, Fate::Coded(Coding::Opus))]);
}

#[test]
fn one_law_becomes_the_other_by_its_table() {
    let mut call = call(&[], &[PCMA]);
    let told = exchange(&mut call, &by_a("96 0", OPUS), &by_b("8", ""));
    assert_eq!(told.0, "96 0 8; 96 opus/48000/2; 8 PCMA/8000");
    assert_eq!(told.1, "0; 0 PCMU/8000");
    assert_eq!(ways(&call, A).unwrap().0, [(0, Fate::Law(Law::Mu, Law::A, 8))]);
    assert_eq!(ways(&call, B).unwrap().0, [(8, Fate::Law(Law::A, Law::Mu, 0))]);
}

// conforms: RFC3551-4.5-1
#[test]
fn rfc3551_4_5_a_codec_at_a_rate_without_a_number_of_its_own_gets_one_with_its_clock() {
    let mut call = call(&[], &[Coding::L16(Clock::Wide)]);
    let told = exchange(&mut call, &by_a("0", ""), &by_b("96", "a=rtpmap:96 L16/16000\n"));
    assert_eq!(told, ("0 96; 96 L16/16000".into(), "0; 0 PCMU/8000".into()));
    assert_eq!(ways(&call, B).unwrap().0, [(96, Fate::Coded(Coding::L16(Clock::Wide)))]);
}

// conforms: RFC3389-4-1 RFC4733-2.1-1
#[test]
fn events_and_noise_have_the_clock_of_each_leg() {
    let mut call = call(&[], &[Coding::Opus]);
    let events = "a=rtpmap:101 telephone-event/8000\na=fmtp:101 0-16\na=rtpmap:13 CN/8000\n";
    let answer = "a=rtpmap:96 opus/48000/2\na=rtpmap:97 telephone-event/48000\n";
    let told = exchange(&mut call, &by_a("0 13 101", events), &by_b("96 97", answer));
    assert_eq!(
        told.0,
        "0 13 101 96 97; 101 telephone-event/8000; 13 CN/8000; 96 opus/48000/2; 97 telephone-event/48000"
    );
    assert_eq!(told.1, "0 101 13; 0 PCMU/8000; 101 telephone-event/8000; 13 CN/8000");
    let plans = [A, B].map(|party| plan(&call, party).unwrap());
    assert_eq!(plans[0].events, Some(((101, 8_000), (97, 48_000))));
    assert_eq!(plans[1].events, Some(((97, 48_000), (101, 8_000))));
    assert_eq!([plans[0].noise, plans[1].noise], [Some((13, None)), None]);
}

#[test]
fn keys_of_another_form_go_beside_it() {
    let mut call = call(&[], &[Coding::Opus]);
    call.media.dtmf(A, crate::dtmf::Wanted::Info);
    let answer = "a=rtpmap:96 opus/48000/2\na=rtpmap:101 telephone-event/8000\n";
    let told = exchange(&mut call, &by_a("0", ""), &by_b("96 101", answer));
    assert_eq!(told.1, "0; 0 PCMU/8000");
    assert!(call.media.takes_info(A));
    assert!(ways(&call, A).is_some());
}

// conforms: RFC7587-7-2 RFC7587-7.1-7
#[test]
fn opus_is_described_by_its_own_line() {
    let mut call = call(&[], &[Coding::Opus]);
    let offered = call.offer(A, B, &by_a("0", "")).unwrap();
    let offered = std::str::from_utf8(&offered).unwrap();
    assert!(offered.contains("\r\na=rtpmap:96 opus/48000/2\r\na=fmtp:96 useinbandfec=1\r\n"), "{offered}");
    // Whatever the caller has said of its own, its answer has what is ours.
    let mut back = self::call(&[], &[PCMU]);
    let more = format!("{OPUS}a=fmtp:96 useinbandfec=1;hologram=yes\n");
    back.offer(A, B, &by_a("96", &more)).unwrap();
    let answered = back.answer(B, A, &by_b("0", "")).unwrap();
    let answered = std::str::from_utf8(&answered).unwrap();
    assert!(
        answered.contains("a=fmtp:96 useinbandfec=1\r\n") && !answered.contains("hologram"),
        "{answered}"
    );
}

/// What stands is offered again by the same numbers, and a change of one side leaves the other as it was.
#[test]
fn a_hold_of_either_side_keeps_what_stands() {
    let mut call = call(&[], &[Coding::G722, Coding::Opus]);
    exchange(&mut call, &by_a("0", ""), &by_b("96", OPUS));
    let before = [ways(&call, A), ways(&call, B)];
    let hold = by_a("0", "a=sendonly\n").replace("- 1 1", "- 1 2");
    let offered = call.offer(A, B, &hold).unwrap();
    assert_eq!(formats(&offered), "0 9 96; 9 G722/8000; 96 opus/48000/2");
    let answered =
        call.answer(B, A, &by_b("96", &format!("{OPUS}a=recvonly\n")).replace("- 1 1", "- 1 2")).unwrap();
    assert_eq!(formats(&answered), "0; 0 PCMU/8000");
    // B, which has nothing of A's, holds A: A is offered what it has, too.
    let hold = by_b("96", &format!("{OPUS}a=sendonly\n")).replace("- 1 1", "- 1 3");
    let offered = call.offer(B, A, &hold).unwrap();
    assert_eq!(formats(&offered), "96 0; 96 opus/48000/2; 0 PCMU/8000");
    let answered = call.answer(A, B, &by_a("0", "a=recvonly\n").replace("- 1 1", "- 1 3")).unwrap();
    assert_eq!(formats(&answered), "96; 96 opus/48000/2");
    assert!(call.media.knows(A, B) && call.media.knows(B, A));
    assert_eq!([ways(&call, A), ways(&call, B)], before);
}

#[test]
fn it_ends_where_they_agree_later() {
    let mut call = call(&[], &[Coding::Opus]);
    exchange(&mut call, &by_a("0 8", ""), &by_b("96", OPUS));
    assert!(ways(&call, A).is_some());
    call.offer(A, B, &by_a("0 8", "").replace("- 1 1", "- 1 2")).unwrap();
    let answered = call.answer(B, A, &by_b("8", "").replace("- 1 1", "- 1 2")).unwrap();
    assert_eq!(formats(&answered), "8");
    assert_eq!([ways(&call, A), ways(&call, B)], [None, None]);
}

#[test]
fn nothing_is_added_to_what_is_none_of_ours() {
    let mut call = call(&[], &[Coding::Opus]);
    for (formats, more) in [("18", ""), ("0", "m=video 6 RTP/AVP 31\n")] {
        let offered = call.offer(A, B, &by_a(formats, more)).unwrap();
        let line = formats_of_all(&offered);
        assert!(!line[0].contains("96") || formats == "0");
        assert!(line.iter().skip(1).all(|line| line.ends_with(" 31")), "{line:?}");
        call.media.offer_failed(B);
        call.media.offer_failed(A);
    }
    let secure = by_a("0", "").replace("RTP/AVP", "RTP/SAVP");
    let offered = call.offer(A, B, &secure).unwrap();
    assert_eq!(formats(&offered), "0");
    let mut around = Call::new(Mode::Bypass);
    around.media.transcode(B, &[Coding::Opus]);
    assert_eq!(formats(&around.offer(A, B, &by_a("0", "")).unwrap()), "0");
}

fn formats_of_all(text: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(text).unwrap();
    text.lines().filter(|line| line.starts_with("m=")).map(str::to_owned).collect()
}

#[test]
fn two_who_have_offered_different_codecs_are_brought_together() {
    let mut call = call(&[Coding::Opus], &[]);
    call.media.receive_offer(A, wire(&by_a("0 8", "")).as_bytes()).unwrap();
    call.media.receive_offer(B, wire(&by_b("96", OPUS)).as_bytes()).unwrap();
    assert_eq!(call.media.must_meet(A, B), Ok(()));
    let (to_a, to_b) = call.media.answer_both(A, B, &mut call.ports).unwrap();
    assert_eq!((formats(&to_a).as_str(), formats(&to_b).as_str()), ("0; 0 PCMU/8000", "96; 96 opus/48000/2"));
    call.media.connect(A, B);
    call.drain();
    assert_eq!(ways(&call, A).unwrap().0, [(0, Fate::Coded(PCMU))]);
}

/// Keys that end with us are none of the codecs' affair, on whichever leg they are.
#[test]
fn with_keys_of_ours_on_a_leg_it_is_the_same() {
    use crate::keying::{Keying, Security, SrtpUse};
    let mut call = call(&[], &[Coding::Opus]);
    let security = Security {
        srtp: SrtpUse::Required,
        keying: [Keying::Sdes].into(),
        suites: [crate::srtp::Suite::AesCm128Sha1Tag80].into(),
        keys: true,
        identity: None,
        ..Security::default()
    };
    call.media.protect(B, security, [7; 32]);
    let offered = call.offer(A, B, &by_a("0 101", "a=rtpmap:101 telephone-event/8000\n")).unwrap();
    let offered = std::str::from_utf8(&offered).unwrap();
    assert!(offered.contains("RTP/SAVP 0 101 96 97\r\n"), "{offered}");
    let key = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR\n";
    let answer = format!("{OPUS}a=rtpmap:97 telephone-event/48000\n{key}");
    call.answer(B, A, &by_b("96 97", &answer).replace("RTP/AVP", "RTP/SAVP")).unwrap();
    let plan = plan(&call, A).unwrap();
    assert_eq!((plan.output.coding, plan.events), (Coding::Opus, Some(((101, 8_000), (97, 48_000)))));
    assert!(ways(&call, B).is_some());
}
