//! In which form each leg has keys, and what is made of that.

use super::*;
use crate::dtmf::{Digit, Form, Law, Plan, Voice, Wanted, Way};

const EVENTS: &str = "a=rtpmap:101 telephone-event/8000\na=fmtp:101 0-15\n";

fn described(host: &str, formats: &str, more: &str) -> String {
    format!("v=0\no=- 1 1 IN IP4 {host}\ns=-\nc=IN IP4 {host}\nt=0 0\nm=audio 4000 RTP/AVP {formats}\n{more}")
}

fn by_a(formats: &str, more: &str) -> String {
    described("192.0.2.1", formats, more)
}

fn by_b(formats: &str, more: &str) -> String {
    described("203.0.113.1", formats, more)
}

/// A call in which A and B have keys in those forms.
fn call(a: Wanted, b: Wanted) -> Call {
    let mut call = Call::new(Mode::Anchored);
    call.media.dtmf(A, a);
    call.media.dtmf(B, b);
    call
}

/// The formats of the first stream, and its lines about them.
fn formats(text: &[u8]) -> String {
    let text = std::str::from_utf8(text).unwrap();
    let line = text.lines().find(|line| line.starts_with("m=audio")).unwrap();
    let more = text.lines().filter(|line| line.contains("101") && line.starts_with("a="));
    let formats = line.split(' ').skip(3).collect::<Vec<_>>().join(" ");
    std::iter::once(formats.as_str()).chain(more).collect::<Vec<_>>().join("; ")
}

/// What is offered to B of an offer of A, and what A is answered of an answer of B.
fn exchange(call: &mut Call, offer: &str, answer: &str) -> (String, String) {
    let offered = call.offer(A, B, offer).unwrap();
    let answered = call.answer(B, A, answer).unwrap();
    (formats(&offered), formats(&answered))
}

/// What is made of the keys of a party, as the relay was told last.
fn plan(call: &Call, party: PartyId) -> Option<Plan> {
    let context = call.media.party(party).unwrap().streams[0].context.unwrap();
    let of = |command: &Command| match command {
        Command::Set { context: of, settings, .. } if *of == context => Some(settings.dtmf.clone()),
        _ => None,
    };
    call.commands.iter().rev().find_map(of).unwrap().map(|plan| (*plan).clone())
}

/// The events that come, in how many payload types tones are listened for, and what becomes of both.
type Seen = Option<(Option<(u8, u32)>, usize, Way)>;

fn ways(call: &Call) -> [Seen; 2] {
    [A, B].map(|party| plan(call, party).map(|plan| (plan.events, plan.tones.len(), plan.way)))
}

const SAID_AS_EVENTS: Way = Way::Said(Voice::Events { payload: 101, clock: 8_000, events: 0xffff });
const SAID_AS_TONES: Way = Way::Said(Voice::Tones { payload: 8, law: Law::A });

#[test]
fn legs_without_a_form_of_their_own_have_nothing_changed() {
    let mut call = call(Wanted::Auto, Wanted::Auto);
    let events = format!("8 101; {}", EVENTS.trim_end().replace('\n', "; "));
    let told = exchange(&mut call, &by_a("8 101", EVENTS), &by_b("8 101", EVENTS));
    assert_eq!(told, (events.clone(), events));
    assert_eq!(ways(&call), [None, None]);
    let view = call.media.dtmf_view(A).unwrap();
    assert_eq!((view.form, view.translated, view.sealed), (Some(Form::Events), false, false));
    let mut none = self::call(Wanted::Auto, Wanted::Auto);
    let told = exchange(&mut none, &by_a("8 101", EVENTS), &by_b("8", ""));
    assert_eq!(told.1, "8");
    assert_eq!(ways(&none), [None, None]);
    assert_eq!(none.media.dtmf_view(A).unwrap().form, None);
    assert!(!none.media.takes_info(A));
}

#[test]
fn a_leg_with_info_is_offered_no_events_and_the_other_one_keeps_them() {
    let mut call = call(Wanted::Auto, Wanted::Info);
    let told = exchange(&mut call, &by_a("8 101", EVENTS), &by_b("8", ""));
    assert_eq!(told.0, "8");
    assert_eq!(told.1, "8 101; a=rtpmap:101 telephone-event/8000; a=fmtp:101 0-16");
    assert_eq!(ways(&call), [Some((Some((101, 8_000)), 0, Way::Reported)), Some((None, 0, SAID_AS_EVENTS))]);
    assert!(!call.media.takes_info(A) && call.media.takes_info(B));
    assert!(call.media.say(B, Digit::of_name('1').unwrap(), 100));
    call.drain();
    assert!(matches!(call.commands.last(), Some(Command::Say { millis: 100, .. })));
    assert_eq!(plan(&call, A).map(|plan| (plan.party, plan.peer)), Some((A, B)));
}

// conforms: RFC4733-A-1
#[test]
fn a_leg_with_events_is_offered_them_by_us() {
    let mut call = call(Wanted::Info, Wanted::Events);
    let told = exchange(&mut call, &by_a("8", ""), &by_b("8 101", EVENTS));
    assert_eq!(told.0, "8 101; a=rtpmap:101 telephone-event/8000; a=fmtp:101 0-16");
    assert_eq!(told.1, "8");
    assert_eq!(ways(&call), [Some((None, 0, SAID_AS_EVENTS)), Some((Some((101, 8_000)), 0, Way::Reported))]);
    // Who refreshes or changes the session later finds it as it was told.
    assert!(call.media.knows(A, B) && call.media.knows(B, A));
    let again = call.offer(B, A, &by_b("8 101", EVENTS)).unwrap();
    assert_eq!(formats(&again), "8");
    let answered = call.answer(A, B, &by_a("8", "")).unwrap();
    assert_eq!(formats(&answered), "8 101; a=rtpmap:101 telephone-event/8000; a=fmtp:101 0-16");
    assert_eq!(ways(&call)[0], Some((None, 0, SAID_AS_EVENTS)));
}

#[test]
fn tones_and_events_meet() {
    let mut call = call(Wanted::Tones, Wanted::Events);
    exchange(&mut call, &by_a("8 0 101", EVENTS), &by_b("8 0 101", EVENTS));
    assert_eq!(ways(&call), [Some((None, 2, SAID_AS_EVENTS)), Some((Some((101, 8_000)), 0, SAID_AS_TONES))]);
    assert_eq!(call.media.dtmf_view(A).unwrap().form, Some(Form::Tones));
}

#[test]
fn tones_and_info_meet() {
    let mut call = call(Wanted::Tones, Wanted::Info);
    exchange(&mut call, &by_a("8", ""), &by_b("8", ""));
    assert_eq!(ways(&call), [Some((None, 1, Way::Reported)), Some((None, 0, SAID_AS_TONES))]);
}

#[test]
fn the_same_form_on_both_legs_needs_nothing() {
    for wanted in [Wanted::Events, Wanted::Info, Wanted::Tones] {
        let mut call = call(wanted, wanted);
        exchange(&mut call, &by_a("8 101", EVENTS), &by_b("8 101", EVENTS));
        assert_eq!(ways(&call), [None, None], "{wanted:?}");
    }
}

#[test]
fn who_refuses_events_that_we_have_offered_is_heard_as_tones() {
    let mut call = call(Wanted::Events, Wanted::Events);
    let told = exchange(&mut call, &by_a("8 101", EVENTS), &by_b("8", ""));
    assert_eq!(told.1, "8 101; a=rtpmap:101 telephone-event/8000; a=fmtp:101 0-16");
    assert_eq!(ways(&call), [Some((Some((101, 8_000)), 0, SAID_AS_TONES)), Some((None, 1, SAID_AS_EVENTS))]);
}

#[test]
fn events_get_a_number_that_is_free_and_the_clock_of_the_first_codec() {
    let mut call = call(Wanted::Info, Wanted::Events);
    let opus = "a=rtpmap:101 opus/48000/2\na=rtpmap:96 speex/8000\n";
    let offered = call.offer(A, B, &by_a("101 96", opus)).unwrap();
    let text = String::from_utf8(offered.to_vec()).unwrap();
    assert!(text.contains("RTP/AVP 101 96 97\r\n"), "{text}");
    assert!(text.ends_with("a=rtpmap:97 telephone-event/48000\r\na=fmtp:97 0-16\r\n"), "{text}");
}

#[test]
fn events_get_another_number_when_the_other_side_takes_theirs() {
    let mut call = call(Wanted::Info, Wanted::Events);
    exchange(&mut call, &by_a("8", ""), &by_b("8 101", EVENTS));
    // The number stays as long as it is free.
    let offered = call.offer(A, B, &by_a("8 0", "")).unwrap();
    assert!(formats(&offered).starts_with("8 0 101; "), "{}", formats(&offered));
    call.answer(B, A, &by_b("8 101", EVENTS)).unwrap();
    let offered = call.offer(A, B, &by_a("8 101", "a=rtpmap:101 opus/48000/2\n")).unwrap();
    let text = String::from_utf8(offered.to_vec()).unwrap();
    assert!(text.contains("RTP/AVP 8 101 96\r\n"), "{text}");
    assert!(text.contains("a=rtpmap:96 telephone-event/8000\r\n"), "{text}");
    assert_eq!(text.matches("a=rtpmap:101 ").count(), 1, "{text}");
    let answer = "a=rtpmap:96 telephone-event/8000\na=fmtp:96 0-15\n";
    call.answer(B, A, &by_b("8 96", answer)).unwrap();
    assert_eq!(ways(&call)[1], Some((Some((96, 8_000)), 0, Way::Reported)));
}

#[test]
fn an_answer_has_no_number_twice() {
    let mut call = call(Wanted::Auto, Wanted::Info);
    let offered = call.offer(A, B, &by_a("8 101", EVENTS)).unwrap();
    assert_eq!(formats(&offered), "8");
    let answered = call.answer(B, A, &by_b("8 101", "a=rtpmap:101 opus/48000/2\n")).unwrap();
    assert_eq!(formats(&answered), "8 101; a=rtpmap:101 opus/48000/2");
}

#[test]
fn events_without_a_clock_of_audio_are_none() {
    for clock in ["4294967295", "192001", "7999", "1", "0"] {
        let events = format!("a=rtpmap:101 telephone-event/{clock}\na=fmtp:101 0-15\n");
        let mut call = call(Wanted::Auto, Wanted::Info);
        let told = exchange(&mut call, &by_a("8 101", &events), &by_b("8", ""));
        assert_eq!(told, ("8".into(), "8".into()), "{clock} Hz");
        assert_eq!(ways(&call)[1], Some((None, 0, SAID_AS_TONES)), "{clock} Hz");
        // Nor is it what the first codec makes of them.
        let mut call = self::call(Wanted::Info, Wanted::Events);
        let offered = call.offer(A, B, &by_a("96", &format!("a=rtpmap:96 opus/{clock}/2\n"))).unwrap();
        assert!(String::from_utf8_lossy(&offered).contains("telephone-event/8000"), "{clock} Hz");
    }
}

#[test]
fn events_are_agreed_on_where_both_have_them_at_the_same_clock() {
    for clock in ["4294967295", "16000"] {
        let events = format!("a=rtpmap:101 telephone-event/{clock}\na=fmtp:101 0-15\n");
        let mut call = call(Wanted::Info, Wanted::Auto);
        exchange(&mut call, &by_a("8", ""), &by_b("8 101", &events));
        assert_eq!(
            ways(&call),
            [Some((None, 0, SAID_AS_TONES)), Some((None, 1, Way::Reported))],
            "{clock} Hz"
        );
    }
    let mut call = call(Wanted::Info, Wanted::Auto);
    let two = "a=rtpmap:97 telephone-event/16000\na=rtpmap:101 telephone-event/8000\n";
    exchange(&mut call, &by_a("8", ""), &by_b("8 97 101", two));
    assert_eq!(ways(&call), [Some((None, 0, SAID_AS_EVENTS)), Some((Some((101, 8_000)), 0, Way::Reported))]);
}

#[test]
fn streams_that_are_secret_between_the_two_or_flow_around_us_are_left_alone() {
    let mut call = call(Wanted::Auto, Wanted::Info);
    let secret = |text: String| {
        let crypto = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\n";
        text.replace("RTP/AVP", "RTP/SAVP") + crypto
    };
    let (offer, answer) = (secret(by_a("8 101", EVENTS)), secret(by_b("8 101", EVENTS)));
    let told = exchange(&mut call, &offer, &answer);
    assert!(told.0.starts_with("8 101") && told.1.starts_with("8 101"), "{told:?}");
    assert_eq!(ways(&call), [None, None]);
    assert!(call.media.dtmf_view(B).unwrap().sealed);
    let mut around = Call::new(Mode::Bypass);
    around.media.dtmf(B, Wanted::Info);
    let offered = around.offer(A, B, &by_a("8 101", EVENTS)).unwrap();
    assert!(formats(&offered).starts_with("8 101"));
}

// conforms: RFC4733-2.5.1.1-1 RFC4733-2.5.2.1-1
#[test]
fn rfc4733_2_5_1_1_events_are_said_to_who_lists_them() {
    let lists = |events: &str| {
        let mut call = call(Wanted::Info, Wanted::Auto);
        let more = format!("a=rtpmap:101 telephone-event/8000\na=fmtp:101 {events}\n");
        exchange(&mut call, &by_a("8", ""), &by_b("8 101", &more));
        let Way::Said(Voice::Events { events, .. }) = plan(&call, A).unwrap().way else { panic!() };
        events
    };
    let expected = [
        ("0-15", 0xffff),
        ("0-16", 0x1_ffff),
        ("0-15,16", 0x1_ffff),
        ("0-11,66-70", 0xfff),
        ("16", 0x1_0000),
        ("", 0xffff),
        ("x,3-,5-2,300-4000000000", 0),
    ];
    for (events, bits) in expected {
        assert_eq!(lists(events), bits, "{events}");
    }
}

#[test]
fn our_own_stream_is_called_the_same_each_time() {
    let ssrc = || {
        let mut call = call(Wanted::Info, Wanted::Events);
        call.media.numbered(77);
        exchange(&mut call, &by_a("8", ""), &by_b("8 101", EVENTS));
        let (a, b) = (plan(&call, A).unwrap(), plan(&call, B).unwrap());
        assert_eq!((a.call, a.party, b.party), (77, A, B));
        assert_ne!(a.ssrc, b.ssrc);
        a.ssrc
    };
    assert_eq!(ssrc(), ssrc());
}
