//! Tones, made and heard (ITU-T Q.23, Q.24).

use super::super::detector::Detector;
use super::super::receiver::Heard;
use super::super::tone::Tone;
use super::super::{COLUMNS, Digit, Law, ROWS};
use super::{KEYS, digit, keys, sine, sound};

/// A key as we make it, and silence after it.
fn tone(law: Law, key: Digit, millis: u32, pause: u32) -> Vec<u8> {
    let mut out = vec![0; usize::try_from((millis + pause) * 8).unwrap()];
    Tone::new(key, 0).unwrap().write(law, (0, millis * 8), &mut out);
    out
}

/// What is heard in audio that comes in packets of so many samples; and which packets were suspect.
fn listen(law: Law, audio: &[u8], packet: usize) -> (Vec<Heard>, Vec<bool>) {
    let (mut detector, mut heard, mut suspect) = (Detector::new(), Vec::new(), Vec::new());
    for (at, packet) in audio.chunks(packet).enumerate() {
        let timestamp = u32::MAX.wrapping_add(u32::try_from(at * packet.len()).unwrap());
        suspect.push(detector.packet(law, (9, timestamp), packet, at as u64 * 20, &mut |of| heard.push(of)));
    }
    (heard, suspect)
}

#[test]
fn every_key_that_we_make_is_heard_with_its_duration() {
    for law in [Law::A, Law::Mu] {
        for (packet, length) in [(160, 60), (160, 100), (80, 160), (240, 40), (160, 500)] {
            let mut audio = sound(law, 113, |_| 0.0);
            for key in KEYS.chars() {
                audio.extend(tone(law, digit(key), length, 60));
            }
            let (heard, _) = listen(law, &audio, packet);
            let heard = keys(&heard);
            assert_eq!(heard.iter().map(|(key, _)| *key).collect::<String>(), KEYS, "{law:?} {length} ms");
            assert!(heard.iter().all(|(_, millis)| millis.abs_diff(length) <= 10), "{length} ms: {heard:?}");
        }
    }
}

#[test]
fn a_tone_that_is_held_for_ten_minutes_has_its_duration() {
    let audio = [tone(Law::A, digit('6'), 600_000, 0), sound(Law::A, 60, |_| 0.0)].concat();
    let (heard, _) = listen(Law::A, &audio, 160);
    let mut before = 0;
    for heard in &heard {
        if let Heard::Lasts { millis } = heard {
            assert!(*millis > before, "{millis} after {before}");
            before = *millis;
        }
    }
    assert!(before > 599_900);
    assert!(matches!(keys(&heard).as_slice(), [('6', 599_990..=600_010)]), "{:?}", keys(&heard));
}

#[test]
fn tones_are_heard_on_when_the_source_or_its_timestamps_begin_anew() {
    let audio = |key| [tone(Law::A, digit(key), 100, 60), sound(Law::A, 40, |_| 0.0)].concat();
    let (mut detector, mut heard) = (Detector::new(), Vec::new());
    let mut play = |key, ssrc, from: u32| {
        for (timestamp, packet) in (from..).step_by(160).zip(audio(key).chunks(160)) {
            detector.packet(Law::A, (ssrc, timestamp), packet, 0, &mut |of| heard.push(of));
        }
    };
    play('1', 1, 1_000_000);
    // Back by 125 s, another source back by half a second, and packets that come again half a second too late.
    play('2', 1, 400);
    play('3', 2, 400 - 160);
    play('4', 2, 4_000);
    play('4', 2, 4_000);
    let heard = keys(&heard);
    assert_eq!(heard.iter().map(|(key, _)| *key).collect::<String>(), "1234", "{heard:?}");
    assert!(heard.iter().all(|(_, millis)| millis.abs_diff(100) <= 10), "{heard:?}");
}

#[test]
fn a_tone_of_which_the_source_changes_is_over() {
    let audio = tone(Law::A, digit('1'), 200, 0);
    let (mut detector, mut heard) = (Detector::new(), Vec::new());
    for (at, packet) in (0u32..).zip(audio.chunks(160)) {
        detector.packet(Law::A, (at / 5, at * 160), packet, 0, &mut |of| heard.push(of));
    }
    assert!(matches!(keys(&heard).as_slice(), [('1', 85..=100)]), "{heard:?}");
}

#[test]
fn a_key_is_noticed_within_45_ms_and_its_audio_kept_back_from_then_on() {
    let audio = [sound(Law::A, 107, |_| 0.0), tone(Law::A, digit('8'), 200, 100)].concat();
    let (heard, suspect) = listen(Law::A, &audio, 8);
    let Some(Heard::Began { lead, .. }) = heard.first() else { panic!("{heard:?}") };
    assert!(*lead <= 45, "{lead} ms");
    // Packets of 1 ms, of which the tone has those from 107 to 306.
    let first = suspect.iter().position(|suspect| *suspect).unwrap();
    assert!((107..140).contains(&first), "{first} ms");
    assert!(suspect[first + 13..306].iter().all(|suspect| *suspect));
    assert!(suspect[350..].iter().all(|suspect| !*suspect));
}

#[test]
fn tones_off_by_less_than_1_5_percent_and_unlike_in_level_are_heard() {
    for (row, column, key) in [(697.0, 1_209.0, '1'), (941.0, 1_633.0, 'D'), (770.0, 1_477.0, '6')] {
        for off in [0.986, 0.99, 1.01, 1.014] {
            for (low, high) in
                [(4_000.0, 4_000.0), (8_000.0, 4_500.0), (3_000.0, 6_500.0), (1_200.0, 1_300.0)]
            {
                let (low, high) = (sine(row * off, low), sine(column * off, high));
                let audio =
                    [sound(Law::A, 100, |at| low(at) + high(at)), sound(Law::A, 60, |_| 0.0)].concat();
                let heard = keys(&listen(Law::A, &audio, 160).0);
                assert_eq!(
                    heard.iter().map(|(key, _)| *key).collect::<Vec<_>>(),
                    [key],
                    "{row} {column} {off}"
                );
            }
        }
    }
}

#[test]
fn a_gap_of_10_ms_is_none_and_one_of_40_ms_is_one() {
    let gap = |millis| {
        let audio = [tone(Law::Mu, digit('3'), 80, millis), tone(Law::Mu, digit('3'), 80, 80)].concat();
        keys(&listen(Law::Mu, &audio, 160).0).len()
    };
    assert_eq!((gap(8), gap(40)), (1, 2));
}

#[test]
fn too_short_too_quiet_and_too_unlike_is_no_key() {
    let pair = |low, high, millis| {
        let (low, high) = (sine(770.0, low), sine(1_336.0, high));
        let audio = [sound(Law::A, millis, |at| low(at) + high(at)), sound(Law::A, 80, |_| 0.0)].concat();
        keys(&listen(Law::A, &audio, 160).0)
    };
    assert_eq!(pair(4_000.0, 4_000.0, 20), []);
    assert_eq!(pair(300.0, 300.0, 200), []);
    assert_eq!(pair(800.0, 8_000.0, 200), []);
    assert_eq!(pair(8_000.0, 800.0, 200), []);
    assert_eq!(pair(4_000.0, 0.0, 200), []);
}

/// Sounds with the frequencies of keys that are none: a voice has harmonics, music has chords.
#[test]
fn voices_dial_tones_and_noise_are_no_keys() {
    let mut sounds: Vec<(String, Vec<u8>)> = Vec::new();
    for row in ROWS {
        for column in COLUMNS {
            let (row, column) = (f32::from(row), f32::from(column));
            // A vowel whose formants lie on both, with the harmonics of its pitch.
            for pitch in [row / 3.0, row / 4.0, row / 6.0] {
                let voice = |at: f32| {
                    (1..16u8)
                        .map(|n| {
                            let frequency = pitch * f32::from(n);
                            let near = |of: f32| 1.0 / (1.0 + ((frequency - of) / 90.0).powi(2));
                            sine(frequency, 5_000.0 * (near(row) + near(column)) + 200.0)(at)
                        })
                        .sum()
                };
                sounds.push((format!("voice {row} {column} {pitch}"), sound(Law::A, 300, voice)));
            }
            let third = sine((row + column) / 2.0, 2_500.0);
            let chord = |at: f32| sine(row, 4_000.0)(at) + sine(column, 4_000.0)(at) + third(at);
            sounds.push((format!("chord {row} {column}"), sound(Law::A, 300, chord)));
        }
    }
    let dial = |a: f32, b: f32| move |at: f32| sine(a, 4_000.0)(at) + sine(b, 4_000.0)(at);
    for (a, b) in [(350.0, 440.0), (440.0, 480.0), (480.0, 620.0), (425.0, 425.0), (1_100.0, 2_100.0)] {
        sounds.push((format!("{a} and {b} Hz"), sound(Law::A, 300, dial(a, b))));
    }
    let mut seed = 1u32;
    let noise = (0..80_000)
        .map(|_| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            Law::Mu.encode(seed.to_be_bytes().first_chunk::<2>().map_or(0, |of| i16::from_be_bytes(*of) / 2))
        })
        .collect();
    sounds.push(("noise".to_owned(), noise));
    for (name, audio) in sounds {
        assert_eq!(keys(&listen(Law::A, &audio, 160).0), [], "{name}");
    }
}

#[test]
fn a_lost_packet_within_a_tone_is_no_gap() {
    let audio = [tone(Law::A, digit('2'), 200, 100)].concat();
    let (mut detector, mut heard) = (Detector::new(), Vec::new());
    for (at, packet) in audio.chunks(160).enumerate().filter(|(at, _)| *at != 4) {
        let timestamp = u32::try_from(at * 160).unwrap();
        detector.packet(Law::A, (9, timestamp), packet, at as u64 * 20, &mut |of| heard.push(of));
    }
    let heard = keys(&heard);
    assert_eq!(heard.len(), 1);
    assert!(heard[0].1.abs_diff(200) <= 10, "{heard:?}");
}

#[test]
fn a_tone_after_which_nothing_comes_ends_by_time() {
    let (mut detector, mut heard) = (Detector::new(), Vec::new());
    for (at, packet) in tone(Law::A, digit('2'), 100, 0).chunks(160).enumerate() {
        let timestamp = u32::try_from(at * 160).unwrap();
        detector.packet(Law::A, (9, timestamp), packet, at as u64 * 20, &mut |of| heard.push(of));
    }
    assert_eq!(keys(&heard), []);
    let deadline = detector.deadline().unwrap();
    detector.pass_time(deadline, &mut |of| heard.push(of));
    assert_eq!(keys(&heard).len(), 1);
    assert_eq!(detector.deadline(), None);
}
