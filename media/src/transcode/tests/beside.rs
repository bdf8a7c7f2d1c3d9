//! What goes beside the sound of a direction, under virtual time: events, noise, what is said; and the sound of a fax.

use super::rig::{A, MU, Rig, decoded, in_step, packets, plan};
use super::support::{decibels, level, rtp};
use crate::dtmf::Law;
use crate::transcode::codec::encoder;
use crate::transcode::{Coding, Fate, OpusTerms, Plan, Way};

/// Events keep their number of milliseconds, each its one timestamp, and the sound after them its place.
#[test]
fn events_cross_with_the_clock_of_the_other_side() {
    let mut rig = Rig::new(Plan {
        events: Some(((101, 8_000), (102, 48_000))),
        ..plan((0, MU), (96, Coding::Opus), 20)
    });
    let all = packets(40);
    all[..10].iter().for_each(|packet| rig.rtp(packet));
    let (sequence, timestamp) = (65_530u16.wrapping_add(10), 0xffff_ff00u32.wrapping_add(1_600));
    for number in 0..10u16 {
        rig.pass(20);
        let duration = (160 * (number + 1)).to_be_bytes();
        let body = [5, if number > 7 { 0x8a } else { 10 }, duration[0], duration[1]];
        rig.rtp(&rtp(101, number == 0, sequence.wrapping_add(number), timestamp, 9, &body));
    }
    all[20..].iter().for_each(|packet| rig.rtp(packet));
    let sent = rig.sent();
    assert_eq!(sent.len(), 10 + 10 + 20);
    let events = &sent[10..20];
    assert!(events[0].1 && !events[1].1);
    for (number, (header, _, body)) in (1u16..).zip(events) {
        assert_eq!((header.payload, header.timestamp), (102, events[0].0.timestamp));
        assert_eq!(body[..2], [5, if number > 8 { 0x8a } else { 10 }]);
        assert_eq!(u16::from_be_bytes([body[2], body[3]]), 960 * number);
    }
    for pair in sent.windows(2) {
        assert_eq!(pair[1].0.sequence, pair[0].0.sequence.wrapping_add(1));
    }
    assert_eq!(sent[20].0.timestamp, sent[9].0.timestamp.wrapping_add(11 * 960));
    assert_eq!(rig.tally.read().concealed, 0);
}

#[test]
fn noise_is_made_where_the_other_side_has_none() {
    let mut rig = Rig::new(Plan { noise: Some((13, None)), ..plan((0, MU), (9, Coding::G722), 20) });
    let all = packets(30);
    all[..10].iter().for_each(|packet| rig.rtp(packet));
    rig.sent();
    rig.rtp(&rtp(13, false, 65_530u16.wrapping_add(10), 0xffff_ff00u32.wrapping_add(1_600), 9, &[40]));
    rig.pass(199);
    for (number, packet) in (11u16..).zip(&all[20..]) {
        let mut packet = packet.clone();
        packet[2..4].copy_from_slice(&65_530u16.wrapping_add(number).to_be_bytes());
        rig.rtp(&packet);
    }
    let sent = rig.sent();
    assert_eq!(sent.len(), 10 + 10);
    in_step(&sent, 160);
    let noise = decoded(Coding::G722, 16_000, &sent[..10]);
    // 40 dB below the square wave of full scale (RFC 3389 §3.1).
    let change = decibels(level(&noise[400..]) / 2f64.sqrt(), 32_767.0);
    assert!((-42.0..-38.0).contains(&change), "{change}");
    assert!(sent[10].1);
}

#[test]
fn noise_crosses_where_both_have_it() {
    let mut rig = Rig::new(Plan { noise: Some((13, Some(13))), ..plan((0, MU), (9, Coding::G722), 20) });
    packets(10).iter().for_each(|packet| rig.rtp(packet));
    rig.sent();
    rig.rtp(&rtp(13, false, 65_530u16.wrapping_add(10), 0xffff_ff00u32.wrapping_add(1_600), 9, &[40, 3]));
    rig.pass(500);
    let sent = rig.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!((sent[0].0.payload, &sent[0].2[..]), (13, &[40, 3][..]));
}

/// A fax goes by the table of G.711 and nothing else: each packet by itself, gaps as gaps, in the order in which it comes.
#[test]
fn from_law_to_law_nothing_is_concealed_or_kept() {
    let inputs = [(0, Fate::Law(Law::Mu, Law::A, 8)), (9, Fate::Coded(Coding::G722))].into();
    let mut rig = Rig::new(Plan { inputs, ..plan((9, Coding::G722), (8, A), 20) });
    let all = packets(40);
    for number in [0, 1, 2, 5, 4, 6, 9] {
        rig.rtp(&all[number]);
        let sent = rig.sent();
        assert_eq!(sent.len(), 1);
        let (header, _, body) = &sent[0];
        assert_eq!(header.payload, 8);
        assert_eq!(body.len(), 160);
        let pairs = body.iter().zip(&all[number][12..]);
        assert!(pairs.into_iter().all(|(a, mu)| *a == Law::A.encode(Law::Mu.decode(*mu))));
        let first = 0xffff_ff00u32;
        let ours = header.timestamp.wrapping_sub(first);
        assert_eq!(ours, u32::try_from(number).unwrap() * 160);
    }
    assert_eq!(rig.tally.read().concealed, 0);
}

#[test]
fn what_is_said_beside_the_sound_has_its_numbers() {
    let mut rig = Rig::new(plan((96, Coding::Opus), (0, MU), 20));
    let mut opus = encoder(Coding::Opus, 48_000, OpusTerms::default());
    let mut out = [0; 1_000];
    let mut body = || {
        let length = opus.encode(&[0; 960], &mut out).unwrap();
        out[..length].to_vec()
    };
    for number in 0..5 {
        rig.rtp(&rtp(96, false, number, 960 * u32::from(number), 9, &body()));
        rig.pass(20);
    }
    for number in 0..3u16 {
        rig.give(Way::Said, &rtp(101, number == 0, 1, 70, 9, &[1, 10, 0, 160]));
        rig.pass(20);
    }
    rig.rtp(&rtp(96, false, 5, 960 * 8, 9, &body()));
    let sent = rig.sent();
    assert_eq!(sent.len(), 9);
    for pair in sent.windows(2) {
        assert_eq!(pair[1].0.sequence, pair[0].0.sequence.wrapping_add(1));
        assert_eq!(pair[1].0.ssrc, 9);
    }
    let times: Vec<_> = sent.iter().map(|(header, ..)| header.timestamp).collect();
    assert_eq!(times, [0, 160, 320, 480, 640, 800, 800, 800, 1_280]);
}
