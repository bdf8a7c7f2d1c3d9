//! What becomes of tones in each codec, and between rates.

use opus_pure::{Application, OpusEncoder};

use super::support::{decibels, heard, level, loudest, tone};
use crate::dtmf::Law;
use crate::transcode::codec::{Decode, Pcm, decoder, encoder};
use crate::transcode::resample::Resampler;
use crate::transcode::{Clock, Coding, OpusTerms, g711};

const ALL: [Coding; 6] = [
    Coding::G711(Law::A),
    Coding::G711(Law::Mu),
    Coding::G722,
    Coding::Opus,
    Coding::L16(Clock::Wide),
    Coding::L16(Clock::Full),
];
const PEAK: f64 = 8_000.0;

fn frame(rate: u32) -> usize {
    usize::try_from(rate / 50).unwrap()
}

/// Codes and decodes, packet by packet of 20 ms; those that `lost` names do not come.
fn through(
    coding: Coding,
    rate: u32,
    samples: &[i16],
    terms: OpusTerms,
    lost: impl Fn(usize) -> bool,
) -> Vec<i16> {
    let (mut encoder, mut decoder) = (encoder(coding, rate, terms), decoder(coding, rate));
    let (mut pcm, mut out, mut heard) = (Pcm::new(), [0; 4_000], Vec::new());
    let mut was_lost = false;
    for (number, frame) in samples.chunks_exact(frame(encoder.rate())).enumerate() {
        let length = encoder.encode(frame, &mut out).unwrap();
        if lost(number) {
            if was_lost {
                decoder.conceal(frame.len(), &mut pcm);
            }
            was_lost = true;
        } else {
            if was_lost {
                decoder.recover(frame.len(), &out[..length], &mut pcm);
            }
            was_lost = false;
            assert!(decoder.decode(&out[..length], &mut pcm), "{coding:?}");
        }
        heard.extend_from_slice(pcm.all());
        pcm.clear();
    }
    heard
}

#[test]
fn a_tone_has_its_frequency_and_its_level_in_each_codec() {
    for coding in ALL {
        for rate in coding.rate().map_or(vec![8_000, 16_000, 48_000], |rate| vec![rate]) {
            for frequency in [440, 1_000, 3_000] {
                let samples = tone(rate, f64::from(frequency), PEAK, frame(rate) * 50);
                let heard = through(coding, rate, &samples, OpusTerms::default(), |_| false);
                assert_eq!(heard.len(), samples.len(), "{coding:?}");
                let settled = &heard[heard.len() / 2..];
                let found = loudest(settled, rate, (frequency - 20, frequency + 20));
                assert!(
                    (found - f64::from(frequency)).abs() <= 2.0,
                    "{coding:?} {rate} {frequency}: {found}"
                );
                let change = decibels(level(settled), PEAK);
                assert!(change.abs() < 1.0, "{coding:?} at {rate} changes {frequency} Hz by {change} dB");
            }
        }
    }
}

/// A signal that is made of integers only, so that another maker has the same.
fn rough() -> Vec<i16> {
    let mut state = 12_345u64;
    let sample = |at: i32| {
        state = (state * 1_103_515_245 + 12_345) & 0x7fff_ffff;
        let noise = i32::try_from((state >> 15) & 0x1fff).unwrap() - 4_096;
        let square = if at / 13 % 2 == 0 { -9_000 } else { 9_000 };
        i16::try_from(((noise + square) * (1 + at / 400)).clamp(-32_768, 32_767)).unwrap()
    };
    (0..1_600).map(sample).collect()
}

fn fnv(octets: impl Iterator<Item = u8>) -> u64 {
    octets.fold(0xcbf2_9ce4_8422_2325, |hash, octet| (hash ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3))
}

// conforms: RFC3551-4.5.2-1,2
/// What libspandsp 0.0.6 makes of the same, octet by octet.
#[test]
fn g722_is_that_of_another_maker() {
    let (mut out, mut pcm) = ([0; 800], Pcm::new());
    let coded = encoder(Coding::G722, 16_000, OpusTerms::default()).encode(&rough(), &mut out);
    assert_eq!(coded, Some(800));
    let start =
        [0x2e, 0x84, 0x20, 0x84, 0x21, 0x84, 0x04, 0x8c, 0x92, 0x8f, 0x91, 0x8e, 0xaa, 0xa6, 0xad, 0x2c];
    assert_eq!(out[..16], start);
    assert_eq!(fnv(out.into_iter()), 0xedaa_47a4_b01d_e059);
    assert!(decoder(Coding::G722, 16_000).decode(&out, &mut pcm));
    assert_eq!(pcm.all()[100..108], [-6_126, -7_934, -5_944, -6_908, -7_521, -9_014, -8_831, -10_436]);
    // What comes after that is louder than samples can be: we hold it, that one wraps.
    assert_eq!(fnv(pcm.all()[..820].iter().flat_map(|sample| sample.to_be_bytes())), 0xc0b2_54e2_4f38_5bf2);
}

#[test]
fn one_law_becomes_the_other_and_back_without_loss_of_what_both_have() {
    let mut codes: Vec<u8> = (0..=255).collect();
    g711::convert(Law::Mu, Law::A, &mut codes);
    let once = codes.clone();
    g711::convert(Law::A, Law::Mu, &mut codes);
    g711::convert(Law::Mu, Law::A, &mut codes);
    assert_eq!(codes, once);
    for (code, other) in (0..=255u8).zip(&once) {
        let (a, b) = (i32::from(Law::Mu.decode(code)), i32::from(Law::A.decode(*other)));
        assert!((a - b).abs() <= 16 + a.abs() / 16, "{code}: {a} becomes {b}");
    }
}

// conforms: RFC7587-6.1-3
/// A tenth of the packets is lost: the tone stays, and nothing is louder than it was.
#[test]
fn what_is_lost_is_concealed() {
    for coding in ALL {
        let rate = coding.rate().unwrap_or(16_000);
        let samples = tone(rate, 440.0, PEAK, frame(rate) * 100);
        let terms = OpusTerms { fec: true, ..OpusTerms::default() };
        let heard = through(coding, rate, &samples, terms, |number| number % 10 == 7);
        assert_eq!(heard.len(), samples.len(), "{coding:?}");
        let settled = &heard[heard.len() / 5..heard.len() - frame(rate)];
        // Opus has less of a packet in the next one, and leads over what it makes to what comes.
        let least = if coding == Coding::Opus { -15.0 } else { -4.0 };
        for part in settled.chunks_exact(frame(rate)) {
            let change = decibels(level(part), PEAK);
            assert!((least..2.0).contains(&change), "{coding:?}: {change} dB in 20 ms");
        }
        let of_tone = self::heard(settled, rate, 440.0);
        let least = if coding == Coding::Opus { -3.0 } else { -0.5 };
        assert!(decibels(of_tone, level(settled)) > least, "{coding:?}: {of_tone}");
    }
}

#[test]
fn after_a_long_loss_there_is_silence() {
    let mut decoder = decoder(Coding::G711(Law::Mu), 8_000);
    let mut pcm = Pcm::new();
    let tone: Vec<_> =
        tone(8_000, 440.0, PEAK, 800).into_iter().map(|sample| Law::Mu.encode(sample)).collect();
    assert!(decoder.decode(&tone, &mut pcm));
    pcm.clear();
    decoder.conceal(800, &mut pcm);
    assert!(level(&pcm.all()[..80]) > PEAK * 0.9);
    assert!(level(&pcm.all()[400..480]) < PEAK * 0.3);
    assert_eq!(pcm.all()[480..], [0; 320]);
}

#[test]
fn rates_are_changed_without_change_of_level_or_frequency() {
    for (from, to) in [
        (8_000, 16_000),
        (16_000, 8_000),
        (8_000, 48_000),
        (48_000, 8_000),
        (16_000, 48_000),
        (48_000, 16_000),
    ] {
        for frequency in [300.0, 1_000.0, 3_300.0] {
            let mut resampler = Resampler::new(from, to).unwrap();
            let (mut pcm, mut out) = (Pcm::new(), Vec::new());
            for part in tone(from, frequency, PEAK, frame(from) * 20).chunks(frame(from)) {
                resampler.run(part, &mut pcm);
                assert_eq!(pcm.len(), frame(to));
                out.extend_from_slice(pcm.all());
                pcm.clear();
            }
            let settled = &out[out.len() / 2..];
            let change = decibels(heard(settled, to, frequency), PEAK);
            assert!(change.abs() < 0.1, "{frequency} Hz from {from} to {to}: {change} dB");
            // All else is noise of rounding, and what the filter does not hold back.
            let rest = (level(settled).powi(2) - heard(settled, to, frequency).powi(2)).max(0.0).sqrt();
            assert!(decibels(rest.max(1.0), PEAK) < -55.0, "{frequency} Hz from {from} to {to}: {rest}");
        }
    }
}

#[test]
fn what_a_lower_rate_cannot_have_is_held_back() {
    for frequency in [4_300.0, 5_000.0, 7_000.0] {
        let (mut resampler, mut pcm) = (Resampler::new(16_000, 8_000).unwrap(), Pcm::new());
        resampler.run(&tone(16_000, frequency, PEAK, 3_200), &mut pcm);
        let left = decibels(level(&pcm.all()[400..]).max(0.1), PEAK);
        assert!(left < -60.0, "{frequency} Hz: {left} dB");
    }
    assert!(Resampler::new(8_000, 8_000).is_none());
}

/// Of what comes from the network nothing is taken for granted.
#[test]
fn any_octets_are_decoded_to_something_or_nothing() {
    let mut octets = rough().into_iter().flat_map(i16::to_be_bytes).cycle();
    for coding in ALL {
        let (mut decoder, mut pcm) = (decoder(coding, 16_000), Pcm::new());
        for length in (0..400).chain([1_400, 1_460]) {
            let payload: Vec<_> = octets.by_ref().take(length).collect();
            decoder.decode(&payload, &mut pcm);
            decoder.recover(320, &payload, &mut pcm);
            assert!(pcm.len() <= 8_640);
            pcm.clear();
        }
    }
}

// conforms: RFC7587-7-1 RFC7587-7.2-1
#[test]
fn codecs_are_known_by_what_descriptions_say() {
    for coding in ALL {
        assert_eq!(Coding::of(coding.name(), coding.clock(), coding.channels()), Some(coding));
    }
    assert_eq!(Coding::of("pcmu", 8_000, 1), Some(Coding::G711(Law::Mu)));
    for (name, clock, channels) in
        [("opus", 48_000, 1), ("PCMU", 16_000, 1), ("L16", 44_100, 2), ("G729", 8_000, 1)]
    {
        assert_eq!(Coding::of(name, clock, channels), None);
    }
    let terms =
        OpusTerms::of("minptime=10; useinbandfec=1;maxaveragebitrate=20000;cbr=1; maxplaybackrate=16000");
    assert_eq!(terms, OpusTerms { bitrate: Some(20_000), fec: true, constant: true, playback: Some(16_000) });
    assert_eq!(OpusTerms::of("x;useinbandfec=0;maxaveragebitrate=z"), OpusTerms::default());
}

/// A decoder that is never given anything of its own conceals, too.
#[test]
fn before_anything_has_come_there_is_silence() {
    for coding in ALL {
        let (mut decoder, mut pcm): (Box<dyn Decode>, _) = (decoder(coding, 8_000), Pcm::new());
        decoder.conceal(160, &mut pcm);
        assert_eq!((pcm.len(), level(pcm.all())), (160, 0.0), "{coding:?}");
    }
}

// conforms: RFC7587-6.1-1,2 RFC7587-7.1-1,5
/// Whatever bandwidth it has, and with two channels too, it is heard at each rate of ours.
#[test]
fn opus_of_any_bandwidth_and_of_two_channels_is_decoded() {
    for channels in [1, 2] {
        for rate in [8_000, 12_000, 16_000, 24_000, 48_000] {
            let mut encoder = OpusEncoder::new(rate, channels, Application::Audio).unwrap();
            let tone = tone(rate.cast_unsigned(), 440.0, PEAK, frame(rate.cast_unsigned()) * 50);
            let samples: Vec<_> = tone.iter().flat_map(|sample| vec![*sample; channels]).collect();
            for ours in [8_000, 16_000, 48_000] {
                let (mut decoder, mut pcm, mut out, mut all) =
                    (decoder(Coding::Opus, ours), Pcm::new(), [0; 4_000], Vec::new());
                encoder.reset_state().unwrap();
                let size = frame(rate.cast_unsigned());
                for frame in samples.chunks_exact(size * channels) {
                    let length = encoder.encode_s16(frame, size, &mut out).unwrap();
                    assert!(decoder.decode(&out[..length], &mut pcm));
                    all.extend_from_slice(pcm.all());
                    pcm.clear();
                }
                let change = decibels(heard(&all[all.len() / 2..], ours, 440.0), PEAK);
                assert!(change.abs() < 1.0, "{rate} with {channels} at {ours}: {change} dB");
            }
        }
    }
}

// conforms: RFC7587-4.2-1 RFC7587-6.1-4 RFC7587-7.1-3,4,6
#[test]
fn opus_of_ours_is_what_the_peer_has_asked_for() {
    let terms = OpusTerms { bitrate: Some(12_000), playback: Some(8_000), ..OpusTerms::default() };
    let (mut encoder, mut out, mut octets) = (encoder(Coding::Opus, 48_000, terms), [0; 4_000], 0);
    assert_eq!(encoder.rate(), 8_000);
    for frame in tone(8_000, 440.0, PEAK, 160 * 100).chunks_exact(160) {
        let length = encoder.encode(frame, &mut out).unwrap();
        octets += length;
        // RFC 6716 §3.1: one frame of 20 ms, one channel, and a narrow band.
        assert_eq!(out[0] & 7, 0);
        assert!([1, 19].contains(&(out[0] >> 3)), "{}", out[0] >> 3);
    }
    assert!(octets * 8 <= 12_000 * 2 * 11 / 10, "{octets} octets in 2 s");
}
