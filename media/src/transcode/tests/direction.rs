//! A direction under virtual time: numbers, order, loss, packet time, reports.

use std::sync::Arc;

use super::rig::{A, MU, Rig, context, decoded, in_step, packets, plan};
use super::support::{decibels, heard, level, loudest, rtp, tone};
use crate::dtmf::Law;
use crate::rtp::parts;
use crate::transcode::{Coding, Input, Now, Plan, Room, Totals, TranscodingGauges, Way};

#[test]
fn a_tone_goes_from_pcmu_to_opus_in_a_stream_of_its_own() {
    let mut rig = Rig::new(plan((0, MU), (96, Coding::Opus), 20));
    for packet in packets(100) {
        rig.rtp(&packet);
        rig.pass(20);
    }
    let sent = rig.sent();
    assert_eq!(sent.len(), 100);
    // It goes by the name of its source (RFC 3550 §7.1).
    assert_eq!((sent[0].0.payload, sent[0].0.ssrc), (96, 9));
    in_step(&sent, 960);
    let markers = sent.iter().filter(|(_, marker, _)| *marker).count();
    assert!(sent[0].1 && markers == 1, "{markers}");
    let all = decoded(Coding::Opus, 48_000, &sent);
    let settled = &all[48_000..];
    assert!((loudest(settled, 48_000, (420, 460)) - 440.0).abs() <= 1.0);
    let change = decibels(level(settled), 8_000.0);
    assert!(change.abs() < 1.0, "{change}");
}

#[test]
fn a_tone_goes_from_pcma_to_g722_and_back() {
    let mut rig = Rig::new(plan((8, A), (9, Coding::G722), 20));
    let samples = tone(8_000, 440.0, 8_000.0, 8_000);
    for (number, frame) in (0..).zip(samples.chunks_exact(160)) {
        let body: Vec<_> = frame.iter().map(|sample| Law::A.encode(*sample)).collect();
        rig.rtp(&rtp(8, false, number, 160 * u32::from(number), 9, &body));
        rig.pass(20);
    }
    let sent = rig.sent();
    // The clock of G.722 is not that of its samples (RFC 3551 §4.5.2).
    in_step(&sent, 160);
    assert!(sent.iter().all(|(.., body)| body.len() == 160));
    let wide = decoded(Coding::G722, 16_000, &sent);
    let change = decibels(heard(&wide[8_000..], 16_000, 440.0), 8_000.0);
    assert!(change.abs() < 0.5, "{change}");

    let mut back = Rig::new(plan((9, Coding::G722), (8, A), 20));
    for (header, _, body) in &sent {
        back.rtp(&rtp(9, false, header.sequence, header.timestamp, 3, body));
        back.pass(20);
    }
    let narrow = decoded(A, 8_000, &back.sent());
    let change = decibels(heard(&narrow[4_000..], 8_000, 440.0), 8_000.0);
    assert!(change.abs() < 0.5, "{change}");
}

// conforms: RFC7587-7.1-2
#[test]
fn packets_have_the_time_that_the_other_side_wants() {
    for (millis, count) in [(10, 200), (20, 100), (30, 66), (40, 50), (60, 33)] {
        let mut rig = Rig::new(plan((0, MU), (9, Coding::G722), millis));
        packets(100).iter().for_each(|packet| rig.rtp(packet));
        let sent = rig.sent();
        assert_eq!(sent.len(), count, "{millis}");
        in_step(&sent, 8 * millis);
        assert!(sent.iter().all(|(.., body)| body.len() == 8 * millis as usize));
    }
}

#[test]
fn what_comes_in_another_order_goes_in_the_right_one() {
    let mut rig = Rig::new(plan((0, MU), (9, Coding::G722), 20));
    let mut mixed = packets(40);
    (4..36).step_by(4).for_each(|at| mixed.swap(at, at + 1));
    for packet in &mixed {
        rig.rtp(packet);
        rig.pass(10);
    }
    let mixed = rig.sent();
    let mut rig = Rig::new(plan((0, MU), (9, Coding::G722), 20));
    packets(40).iter().for_each(|packet| rig.rtp(packet));
    let plain = rig.sent();
    assert_eq!(
        mixed.iter().map(|(.., body)| body).collect::<Vec<_>>(),
        plain.iter().map(|(.., body)| body).collect::<Vec<_>>()
    );
    assert_eq!(rig.tally.read().concealed, 0);
}

// conforms: RFC7587-4.1-1,2
#[test]
fn what_comes_twice_counts_once() {
    let mut rig = Rig::new(plan((0, MU), (9, Coding::G722), 20));
    for packet in packets(20) {
        rig.rtp(&packet);
        rig.rtp(&packet);
        rig.pass(20);
    }
    let sent = rig.sent();
    assert_eq!(sent.len(), 20);
    in_step(&sent, 160);
    assert_eq!((rig.tally.read().late, rig.tally.read().concealed), (20, 0));
}

#[test]
fn what_is_lost_is_made_up_for_after_a_while() {
    for coding in [Coding::G722, Coding::Opus] {
        let mut rig = Rig::new(plan((0, MU), (9, coding), 20));
        for (number, packet) in packets(100).iter().enumerate() {
            if number % 10 != 5 {
                rig.rtp(packet);
            }
            rig.pass(20);
        }
        let sent = rig.sent();
        assert_eq!(sent.len(), 100);
        in_step(&sent, coding.clock() / 50);
        let all = decoded(coding, 16_000, &sent);
        let change = decibels(heard(&all[8_000..24_000], 16_000, 440.0), 8_000.0);
        assert!(change.abs() < 1.0, "{change}");
        assert_eq!(rig.tally.read().concealed, 10);
        let mut gauges = TranscodingGauges::default();
        rig.totals.add_to(&mut gauges);
        assert_eq!((gauges.directions, gauges.coded, gauges.concealed), (1, 100, 10));
    }
}

/// Behind a gap nothing waits for longer than 20 ms to begin with; who is late again and again is waited for.
#[test]
fn patience_follows_how_late_packets_are() {
    let mut rig = Rig::new(plan((0, MU), (9, Coding::G722), 20));
    let all = packets(60);
    rig.rtp(&all[0]);
    rig.pass(20);
    rig.rtp(&all[2]);
    rig.pass(19);
    assert_eq!(rig.sent().len(), 1);
    rig.pass(1);
    assert_eq!(rig.sent().len(), 2);
    rig.pass(15);
    rig.rtp(&all[1]);
    let view = rig.tally.read();
    assert_eq!((view.concealed, view.late, view.patience), (1, 1, 35));
    rig.rtp(&all[4]);
    rig.pass(34);
    rig.rtp(&all[3]);
    assert_eq!(rig.sent().len(), 2);
    assert_eq!(rig.tally.read().concealed, 1);
}

// conforms: RFC3551-4.1-1
#[test]
fn a_pause_stays_a_pause_and_sound_begins_with_a_marker() {
    let mut rig = Rig::new(plan((0, MU), (96, Coding::Opus), 20));
    let all = packets(100);
    all[..10].iter().for_each(|packet| rig.rtp(packet));
    rig.pass(1_000);
    // The sender was silent for 50 packets, and has not counted them.
    for (number, packet) in (10u16..).zip(&all[60..]) {
        let mut packet = packet.clone();
        packet[2..4].copy_from_slice(&65_530u16.wrapping_add(number).to_be_bytes());
        rig.rtp(&packet);
    }
    let sent = rig.sent();
    let (before, after) = sent.split_at(10);
    in_step(before, 960);
    in_step(after, 960);
    assert!(after[0].1 && !after[1].1);
    assert_eq!(after[0].0.sequence, before[9].0.sequence.wrapping_add(1));
    assert_eq!(after[0].0.timestamp, before[9].0.timestamp.wrapping_add(51 * 960));
    assert_eq!(rig.tally.read().concealed, 0);
}

#[test]
fn another_source_goes_on_in_our_stream() {
    let mut rig = Rig::new(plan((0, MU), (9, Coding::G722), 20));
    packets(10).iter().for_each(|packet| rig.rtp(packet));
    rig.pass(500);
    for number in 0..10u16 {
        rig.rtp(&rtp(0, false, 7 + number, 50 + 160 * u32::from(number), 77, &[0x55; 160]));
    }
    let sent = rig.sent();
    assert_eq!(sent.len(), 20);
    assert!(sent.iter().enumerate().all(|(at, (header, ..))| header.ssrc == if at < 10 { 9 } else { 77 }));
    let (last, first) = (&sent[9].0, &sent[10].0);
    assert_eq!(first.sequence, last.sequence.wrapping_add(1));
    assert_eq!(first.timestamp.wrapping_sub(last.timestamp), 4_000);
}

// conforms: RFC3551-2-2
#[test]
fn each_leg_has_reports_of_our_own() {
    let mut rig = Rig::new(plan((0, MU), (9, Coding::G722), 20));
    rig.set(1, Some(0), Plan { ssrc: 0xabcd_ef01, ..plan((9, Coding::G722), (0, MU), 20) });
    rig.set(0, Some(1), plan((0, MU), (9, Coding::G722), 20));
    for (number, packet) in packets(500).iter().enumerate() {
        if number != 50 {
            rig.rtp(packet);
        }
        rig.pass(20);
    }
    let reports: Vec<_> =
        rig.made.drain(..).filter(|(way, _)| *way == Way::Rtcp).map(|(_, packet)| packet).collect();
    // Of the leg that sends, what it sends is received; the other one hears how it is sent to.
    let of_receiver = reports.iter().find(|packet| packet[1] == 201 && packet[0] == 0x81).unwrap();
    assert_eq!(of_receiver[4..8], 0xabcd_ef01u32.to_be_bytes());
    assert_eq!(of_receiver[8..12], 9u32.to_be_bytes());
    let of_sender = reports.iter().find(|packet| packet[1] == 200).unwrap();
    assert_eq!(of_sender[4..8], 9u32.to_be_bytes());
    assert_eq!(of_sender[2..4], [0, 6]);
    for report in &reports {
        assert_eq!(report.len() % 4, 0);
        let length = (usize::from(u16::from_be_bytes([report[2], report[3]])) + 1) * 4;
        assert_eq!(report[length..length + 4], [0x81, 202, 0, 6]);
        assert_eq!(report.len(), length + 28);
    }
    let last = reports.iter().rfind(|packet| packet[1] == 201).unwrap();
    assert_eq!(last[13..16], [0, 0, 1], "one packet is lost");
}

#[test]
fn whom_there_is_no_room_for_is_not_coded() {
    let mut rig = Rig::new(plan((0, MU), (9, Coding::G722), 20));
    rig.set(1, None, plan((0, MU), (9, Coding::G722), 20));
    let third = plan((0, MU), (9, Coding::G722), 20);
    let tally = Arc::clone(&third.tally);
    rig.set(2, None, third.clone());
    let mut gauges = TranscodingGauges::default();
    rig.totals.add_to(&mut gauges);
    assert_eq!((gauges.directions, gauges.refused), (2, 1));
    assert!(tally.is_refused() && !rig.tally.is_refused());
    rig.coder.take(&Input::Clear(context(1)), Now(5), &mut |_| {});
    rig.set(2, None, third);
    assert!(!tally.is_refused());
    let mut gauges = TranscodingGauges::default();
    rig.totals.add_to(&mut gauges);
    assert_eq!((gauges.directions, gauges.refused), (2, 1));
}

/// What went as it came until its codec was changed in the middle of the call.
#[test]
fn rfc3550_5_1_a_stream_that_went_as_it_came_goes_on_where_it_was() {
    for (coding, ticks) in [(Coding::G722, 160), (Coding::Opus, 960)] {
        let all = packets(20);
        let last = parts(&all[9]).unwrap().0;
        let mut rig = Rig::new(plan((0, MU), (96, coding), 20));
        all[10..].iter().for_each(|packet| rig.rtp(packet));
        let sent = rig.sent();
        let first = &sent[0].0;
        assert_eq!(first.sequence, last.sequence.wrapping_add(1));
        assert_eq!((first.timestamp, first.ssrc), (last.timestamp.wrapping_add(160), last.ssrc));
        in_step(&sent, ticks);
    }
}

/// A key was said in a stream of our own before anything came.
#[test]
fn what_was_said_before_does_not_keep_a_stream_from_its_own_numbers() {
    let mut rig = Rig::new(plan((0, MU), (9, Coding::G722), 20));
    rig.give(Way::Said, &rtp(101, true, 1, 70, 4, &[1, 10, 0, 160]));
    rig.pass(20);
    packets(3).iter().for_each(|packet| rig.rtp(packet));
    let sent = rig.sent();
    assert_eq!(sent.len(), 4);
    assert_eq!((sent[1].0.ssrc, sent[1].0.sequence, sent[1].0.timestamp), (9, 65_530, 0xffff_ff00));
}

#[test]
fn room_is_kept_for_a_leg_until_it_is_gone() {
    let totals = Arc::<Totals>::default();
    let first = Room::take(&totals, 3, 4).unwrap();
    assert!(Room::take(&totals, 2, 4).is_none());
    let second = Room::take(&totals, 1, 4).unwrap();
    assert!(Room::take(&totals, 1, 4).is_none());
    drop(first);
    assert!(Room::take(&totals, 3, 4).is_some());
    drop(second);
    let mut gauges = TranscodingGauges::default();
    totals.add_to(&mut gauges);
    assert_eq!((gauges.directions, gauges.refused), (0, 2));
}

#[test]
fn another_plan_goes_on_in_the_same_stream() {
    let mut rig = Rig::new(plan((0, MU), (9, Coding::G722), 20));
    packets(10).iter().for_each(|packet| rig.rtp(packet));
    rig.pass(200);
    rig.set(0, None, plan((0, MU), (96, Coding::Opus), 40));
    packets(20)[10..].iter().for_each(|packet| rig.rtp(packet));
    let sent = rig.sent();
    assert_eq!(sent.len(), 10 + 5);
    assert_eq!(sent[10].0.sequence, sent[9].0.sequence.wrapping_add(1));
    assert_eq!((sent[10].0.payload, sent[10].0.ssrc, sent[10].1), (96, 9, true));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]
    #[test]
    fn of_any_packets_no_more_is_made_than_there_is_time_for(
        input in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..600),
    ) {
        proptest::prop_assert!(!crate::transcode::fuzz::fuzzed(&input));
    }
}
