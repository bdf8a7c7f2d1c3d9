//! A direction of a stream, packet by packet.

use super::super::fuzz::fuzzed;
use super::super::tally::Form;
use super::super::{Digit, DtmfGauges, Event, Law, Plan, Tallies, Translator, Turn, Way};
use super::{digit, sound};
use crate::PartyId;

use super::bench::*;

#[test]
fn events_are_reported_once_each_and_taken_out() {
    let mut bench = Bench::new(&plan(true, false, Way::Reported));
    let silence = sound(Law::A, 60, |_| 0.0);
    bench.audio(&silence, 1);
    let next = press(&mut bench, 3, 5, 4);
    let next = press(&mut bench, 11, 8, next);
    bench.audio(&silence, next);
    assert_eq!(bench.reports, [('3', 100), ('#', 160)]);
    assert_eq!(bench.out.len(), 6);
    bench.judge_numbers();
    assert_eq!(bench.translator.counted(), (2, 2));
    assert_eq!(bench.gauges().heard.events, 2);
}

#[test]
fn events_become_tones_of_their_length() {
    let mut bench = Bench::new(&plan(true, false, Way::Said(TONES)));
    let silence = sound(Law::A, 100, |_| 0.0);
    bench.audio(&silence, 1);
    let next = press(&mut bench, 7, 8, 6);
    bench.pass(60);
    let next = press(&mut bench, 0, 4, next);
    bench.pass(100);
    bench.audio(&silence, next);
    let heard = listen(&bench.sound());
    assert_eq!(heard.iter().map(|(key, _)| *key).collect::<String>(), "70");
    assert!(heard.iter().zip([160, 80]).all(|((_, millis), of)| millis.abs_diff(of) <= 30), "{heard:?}");
    bench.judge_numbers();
}

#[test]
fn tones_become_events_and_leave_the_audio() {
    let mut bench = Bench::new(&plan(false, true, Way::Said(EVENTS)));
    let audio = [sound(Law::A, 107, |_| 0.0), tones("159D", 100, 80), sound(Law::A, 200, |_| 0.0)].concat();
    bench.audio(&audio, 1);
    let heard = bench.events();
    assert_eq!(heard.iter().map(|(key, _)| *key).collect::<String>(), "159D");
    assert!(heard.iter().all(|(_, millis)| millis.abs_diff(100) <= 10), "{heard:?}");
    assert_eq!(listen(&bench.sound()), [], "no key is left in the audio");
    bench.judge_numbers();
    assert_eq!((bench.gauges().heard.tones, bench.gauges().said.events), (4, 4));
}

#[test]
fn tones_are_reported_and_leave_the_audio() {
    let mut bench = Bench::new(&plan(false, true, Way::Reported));
    let audio = [sound(Law::A, 50, |_| 0.0), tones("*0#", 120, 60), sound(Law::A, 200, |_| 0.0)].concat();
    bench.audio(&audio, 1);
    assert_eq!(bench.reports.iter().map(|(key, _)| *key).collect::<String>(), "*0#");
    assert!(bench.reports.iter().all(|(_, millis)| millis.abs_diff(120) <= 10), "{:?}", bench.reports);
    assert_eq!(bench.out.len(), audio.len().div_ceil(160));
    assert_eq!(listen(&bench.sound()), []);
}

#[test]
fn what_info_brings_is_said_where_nothing_else_comes_too() {
    for (voice, events) in [(EVENTS, true), (TONES, false)] {
        let mut bench = Bench::new(&plan(false, false, Way::Said(voice)));
        let turn = Turn { millis: 0, micros: 0, tallies: &bench.tallies };
        for key in "42".chars() {
            bench.translator.say(digit(key), 100, turn);
        }
        bench.pass(500);
        let heard = if events { bench.events() } else { listen(&bench.sound()) };
        assert_eq!(heard.iter().map(|(key, _)| *key).collect::<String>(), "42");
        assert!(heard.iter().all(|(_, millis)| millis.abs_diff(100) <= 10), "{heard:?}");
        bench.judge_numbers();
        assert!(bench.out.iter().all(|packet| packet[8..12] == [0xaa, 0xbb, 0xcc, 0xdd]));
        // It is reported once (RFC 3550 §6.2).
        bench.pass(2_500);
        assert_eq!(bench.translator.deadline(), None);
    }
}

#[test]
fn audio_waits_while_a_key_is_said_and_goes_on_with_the_next_number() {
    let mut bench = Bench::new(&plan(false, false, Way::Said(EVENTS)));
    let silence = sound(Law::A, 60, |_| 0.0);
    bench.audio(&silence, 1);
    let turn = Turn { millis: bench.now, micros: bench.now * 1_000, tallies: &bench.tallies };
    bench.translator.say(digit('6'), 100, turn);
    bench.audio(&sound(Law::A, 400, |_| 0.0), 4);
    assert_eq!(bench.events(), [('6', 100)]);
    bench.judge_numbers();
    let event = bench.out.iter().find(|packet| packet[1] & 0x7f == 96).unwrap();
    let timestamp = u32::from_be_bytes([event[4], event[5], event[6], event[7]]);
    assert!((4 * 160..=4 * 160 + 8).contains(&timestamp), "{timestamp}");
}

#[test]
fn a_telephone_that_says_keys_twice_is_heard_once() {
    let mut bench = Bench::new(&plan(false, true, Way::Said(EVENTS)));
    let turn = Turn { millis: 0, micros: 0, tallies: &bench.tallies };
    bench.translator.say(digit('5'), 100, turn);
    bench.audio(&[tones("5", 100, 100), sound(Law::A, 300, |_| 0.0)].concat(), 1);
    assert_eq!(bench.events(), [('5', 100)]);
    assert_eq!(bench.gauges().doubled, 1);
}

#[test]
fn info_counts_more_than_a_tone_that_may_have_been_a_voice() {
    let mut bench = Bench::new(&plan(false, true, Way::Said(EVENTS)));
    bench.audio(&[tones("5", 100, 100), sound(Law::A, 100, |_| 0.0)].concat(), 1);
    for key in "57".chars() {
        let turn = Turn { millis: bench.now, micros: bench.now * 1_000, tallies: &bench.tallies };
        bench.translator.say(digit(key), 100, turn);
    }
    bench.audio(&[tones("9", 100, 100), sound(Law::A, 400, |_| 0.0)].concat(), 100);
    assert_eq!(bench.events().iter().map(|(key, _)| *key).collect::<String>(), "57");
    assert_eq!(bench.gauges().doubled, 2);
}

fn info(bench: &mut Bench, key: Digit) {
    let turn = Turn { millis: bench.now, micros: bench.now * 1_000, tallies: &bench.tallies };
    bench.translator.say(key, 100, turn);
}

#[test]
fn a_hook_flash_by_info_is_said_beside_keys_that_are_events_or_tones() {
    // Events that become tones have no flash: that is unsayable, and nothing else is changed by it.
    for (flash_first, voice) in [(true, TONES), (false, TONES)] {
        let mut bench = Bench::new(&plan(true, false, Way::Said(voice)));
        if flash_first {
            info(&mut bench, Digit::FLASH);
        }
        let next = press(&mut bench, 5, 5, 1);
        bench.pass(500);
        info(&mut bench, Digit::FLASH);
        press(&mut bench, 6, 5, next);
        bench.pass(500);
        let heard = listen(&bench.sound());
        assert_eq!(heard.iter().map(|(key, _)| *key).collect::<String>(), "56");
        assert_eq!((bench.gauges().unsayable, bench.gauges().doubled), (1 + u64::from(flash_first), 0));
    }
    let mut bench = Bench::new(&plan(false, true, Way::Said(EVENTS)));
    bench.audio(&[tones("5", 100, 100), sound(Law::A, 100, |_| 0.0)].concat(), 1);
    info(&mut bench, Digit::FLASH);
    bench.pass(500);
    bench.audio(&[tones("6", 100, 100), sound(Law::A, 200, |_| 0.0)].concat(), 100);
    let said: Vec<_> =
        bench.out.iter().filter(|packet| packet[1] == 96 | 0x80).map(|packet| packet[12]).collect();
    assert_eq!((said.as_slice(), bench.gauges().doubled), ([5, 16, 6].as_slice(), 0));
}

#[test]
fn keys_that_come_now_as_events_and_now_by_info_are_all_said() {
    let mut bench = Bench::new(&plan(true, false, Way::Said(TONES)));
    let next = press(&mut bench, 5, 5, 1);
    bench.pass(400);
    info(&mut bench, digit('7'));
    bench.pass(400);
    press(&mut bench, 6, 5, next);
    bench.pass(2_500);
    info(&mut bench, digit('6'));
    bench.pass(400);
    assert_eq!(listen(&bench.sound()).iter().map(|(key, _)| *key).collect::<String>(), "5766");
    assert_eq!(bench.gauges().doubled, 0);
}

#[test]
fn who_sends_events_and_info_is_heard_once_however_far_info_falls_back() {
    for info_first in [true, false] {
        let mut bench = Bench::new(&plan(true, false, Way::Said(TONES)));
        let mut next = 1;
        for code in [5, 5, 7] {
            if info_first {
                info(&mut bench, Digit::of_code(code).unwrap());
                next = press(&mut bench, code, 5, next);
            } else {
                next = press(&mut bench, code, 5, next);
                info(&mut bench, Digit::of_code(code).unwrap());
            }
            bench.pass(200);
        }
        press(&mut bench, 9, 5, next);
        bench.pass(if info_first { 0 } else { 10_000 });
        if !info_first {
            info(&mut bench, digit('9'));
        }
        bench.pass(500);
        let expected = if info_first { "557" } else { "5579" };
        assert_eq!(listen(&bench.sound()).iter().map(|(key, _)| *key).collect::<String>(), expected);
        assert_eq!(bench.gauges().doubled, 4);
    }
}

#[test]
fn a_key_that_is_held_for_long_is_the_one_of_its_info_at_the_end() {
    let mut bench = Bench::new(&plan(true, false, Way::Said(TONES)));
    press(&mut bench, 5, 200, 1);
    info(&mut bench, digit('5'));
    bench.pass(500);
    assert_eq!(listen(&bench.sound()).len(), 1);
    assert_eq!(bench.gauges().doubled, 1);
}

#[test]
fn a_tone_during_which_its_info_comes_ends_with_the_tone() {
    let mut bench = Bench::new(&plan(false, true, Way::Said(EVENTS)));
    let audio = [tones("5", 200, 100), sound(Law::A, 400, |_| 0.0)].concat();
    bench.audio(&audio[..800], 1);
    let turn = Turn { millis: bench.now, micros: bench.now * 1_000, tallies: &bench.tallies };
    bench.translator.say(digit('5'), 100, turn);
    bench.audio(&audio[800..], 6);
    let heard = bench.events();
    assert!(matches!(heard.as_slice(), [('5', 190..=210)]), "{heard:?}");
    assert_eq!(bench.translator.deadline(), None);
}

#[test]
fn events_of_another_number_are_renamed_and_stay_as_they_are() {
    let mut bench = Bench::new(&plan(true, false, Way::Said(EVENTS)));
    press(&mut bench, 5, 5, 1);
    assert_eq!(bench.events(), [('5', 100)]);
    assert_eq!(bench.out.len(), 7);
    assert_eq!(bench.out[0][1], 96 | 0x80);
}

#[test]
fn numbers_stay_as_they_are_when_there_is_nothing_to_translate_any_more() {
    let mut this = Some(Box::new(Translator::new(&plan(false, false, Way::Said(EVENTS)))));
    let tallies = Tallies::default();
    let turn = Turn { millis: 0, micros: 0, tallies: &tallies };
    let mut packet = rtp(8, false, 7, 0, &[0; 160]);
    assert!(this.as_mut().unwrap().packet(&mut packet, turn));
    this.as_mut().unwrap().say(digit('1'), 40, turn);
    this.as_mut().unwrap().pass_time(turn, &mut |_, _| {});
    Translator::change(&mut this, None);
    let mut packet = rtp(8, false, 8, 160, &[0; 160]);
    assert!(this.as_mut().unwrap().packet(&mut packet, turn));
    assert_eq!(packet[2..4], [0, 9]);
    let mut fresh = Some(Box::new(Translator::new(&plan(true, false, Way::Reported))));
    Translator::change(&mut fresh, None);
    assert!(fresh.is_none());
}

#[test]
fn a_key_that_is_pressed_while_the_plan_changes_is_one() {
    let before = plan(true, false, Way::Reported);
    let mut bench = Bench::new(&before);
    bench.come(rtp(101, true, 1, 160, &Event { code: 5, end: false, volume: 10, duration: 160 }.write()));
    bench.change(&Plan { call: 2, ..(*before).clone() });
    for sequence in 2..5 {
        let body = Event { code: 5, end: true, volume: 10, duration: 800 }.write();
        bench.come(rtp(101, false, sequence, 160, &body));
    }
    bench.pass(1_000);
    assert_eq!(bench.reports, [('5', 100)]);
    assert_eq!(bench.translator.plan().call, 2);
    assert_eq!(bench.gauges().heard.events, 1);
}

#[test]
fn keys_that_were_pressed_for_one_are_not_said_to_the_next() {
    for voice in [EVENTS, TONES] {
        let before = plan(false, false, Way::Said(voice));
        let mut bench = Bench::new(&before);
        for key in "12345".chars() {
            let turn = Turn { millis: 0, micros: 0, tallies: &bench.tallies };
            bench.translator.say(digit(key), 160, turn);
        }
        bench.pass(100);
        bench.change(&Plan { peer: PartyId(4), ..(*before).clone() });
        bench.out.clear();
        bench.pass(2_000);
        assert_eq!(bench.out, Vec::<Vec<u8>>::new());
        let turn = Turn { millis: bench.now, micros: bench.now * 1_000, tallies: &bench.tallies };
        bench.translator.say(digit('6'), 100, turn);
        bench.pass(1_000);
        let heard = if voice == EVENTS { bench.events() } else { listen(&bench.sound()) };
        assert_eq!(heard.iter().map(|(key, _)| *key).collect::<String>(), "6");
    }
}

#[test]
fn a_key_that_is_pressed_while_the_partner_changes_is_told_to_neither() {
    let before = plan(true, false, Way::Reported);
    let mut bench = Bench::new(&before);
    bench.come(rtp(101, true, 1, 160, &Event { code: 5, end: false, volume: 10, duration: 160 }.write()));
    bench.change(&Plan { peer: PartyId(4), ..(*before).clone() });
    let body = Event { code: 5, end: true, volume: 10, duration: 800 }.write();
    (2..5).for_each(|sequence| bench.come(rtp(101, false, sequence, 160, &body)));
    bench.pass(1_000);
    assert_eq!(bench.reports, []);
    press(&mut bench, 7, 5, 100);
    assert_eq!(bench.reports, [('7', 100)]);
}

#[test]
fn whatever_comes_no_key_is_said_that_was_not_heard() {
    let mut seed = 7u64;
    let mut octet = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        seed.to_be_bytes()[0]
    };
    for first in 0..16 {
        for _ in 0..150 {
            let mut input = vec![first];
            for _ in 0..12 {
                let length = octet() % 64;
                let begin = input.len() + 2;
                input.extend([length, octet() % 40]);
                input.extend((0..length).map(|_| octet()));
                if let [first, second, ..] = &mut input[begin..] {
                    *first = if octet() < 32 { b'I' } else { (*first & 0x3f) | 0x80 };
                    *second = if *first == b'I' {
                        octet() % 20
                    } else {
                        [101, 0xe5, 8, 200, 201][usize::from(octet() % 5)]
                    };
                }
            }
            assert!(!fuzzed(&input), "{input:?}");
        }
    }
}

#[test]
fn forms_are_counted_apart() {
    let tallies = Tallies::default();
    for form in [Form::Events, Form::Info, Form::Tones, Form::Info] {
        tallies.heard(form);
    }
    let mut gauges = DtmfGauges::default();
    tallies.add_to(&mut gauges);
    assert_eq!((gauges.heard.events, gauges.heard.info, gauges.heard.tones), (1, 2, 1));
}
