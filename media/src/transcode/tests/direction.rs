//! A direction under virtual time: numbers, order, loss, packet time, events, noise, reports.

use std::sync::Arc;

use super::support::{decibels, heard, level, loudest, rtp, tone};
use crate::dtmf::Law;
use crate::rtp::{Header, parts};
use crate::transcode::codec::{Pcm, decoder, encoder};
use crate::transcode::{
    Coder, Coding, Fate, Input, Now, OpusTerms, Outgoing, Packet, Plan, Tally, Totals, TranscodingGauges, Way,
};
use crate::{ContextId, PairId, ThreadId};

const MU: Coding = Coding::G711(Law::Mu);
const A: Coding = Coding::G711(Law::A);

fn context(remote: u8) -> ContextId {
    ContextId { pair: PairId { thread: ThreadId(0), slot: 0, generation: 0 }, remote }
}

fn plan((payload, from): (u8, Coding), (goes, to): (u8, Coding), millis: u32) -> Plan {
    Plan {
        inputs: [(payload, Fate::Coded(from))].into(),
        output: Outgoing { payload: goes, coding: to, opus: OpusTerms::default(), millis },
        events: None,
        noise: None,
        ssrc: 0x1234_5678,
        tally: Arc::default(),
    }
}

/// A coder with one direction, and what it has made.
struct Rig {
    coder: Coder,
    totals: Arc<Totals>,
    tally: Arc<Tally>,
    made: Vec<(Way, Vec<u8>)>,
    now: u64,
}

impl Rig {
    fn new(plan: Plan) -> Self {
        let totals = Arc::<Totals>::default();
        let coder = Coder::new(2, Arc::clone(&totals));
        let mut rig = Self { coder, totals, tally: Arc::clone(&plan.tally), made: Vec::new(), now: 1_000 };
        rig.set(0, None, plan);
        rig
    }

    fn set(&mut self, remote: u8, other: Option<u8>, plan: Plan) {
        let set = Input::Set(context(remote), other.map(context), Arc::new(plan));
        self.coder.take(&set, Now(self.now), &mut |_| {});
    }

    fn give(&mut self, way: Way, packet: &[u8]) {
        let input = Input::Packet(context(0), way, Packet::new(packet).unwrap());
        let Self { coder, made, now, .. } = self;
        coder.take(&input, Now(*now), &mut |output| made.push((output.way, output.packet.octets().to_vec())));
    }

    fn rtp(&mut self, packet: &[u8]) {
        self.give(Way::Rtp, packet);
    }

    fn pass(&mut self, millis: u64) {
        let Self { coder, made, .. } = self;
        for now in self.now + 1..=self.now + millis {
            coder.pass_time(Now(now), &mut |output| made.push((output.way, output.packet.octets().to_vec())));
        }
        self.now += millis;
    }

    /// What was made of RTP: header, marker, payload.
    fn sent(&mut self) -> Vec<(Header, bool, Vec<u8>)> {
        let of_rtp = self.made.drain(..).filter(|(way, _)| *way == Way::Rtp);
        let read = |(_, packet): (Way, Vec<u8>)| {
            let (header, marker, body) = parts(&packet).unwrap();
            (header, marker, packet[body].to_vec())
        };
        of_rtp.map(read).collect()
    }
}

/// The packets of a tone in PCMU, 20 ms each.
fn packets(count: u16) -> Vec<Vec<u8>> {
    let samples = tone(8_000, 440.0, 8_000.0, usize::from(count) * 160);
    let body = |frame: &[i16]| frame.iter().map(|sample| Law::Mu.encode(*sample)).collect::<Vec<_>>();
    let packet = |(number, frame): (u16, &[i16])| {
        rtp(
            0,
            number == 0,
            65_530u16.wrapping_add(number),
            0xffff_ff00u32.wrapping_add(160 * u32::from(number)),
            9,
            &body(frame),
        )
    };
    (0..count).zip(samples.chunks_exact(160)).map(packet).collect()
}

fn decoded(coding: Coding, rate: u32, sent: &[(Header, bool, Vec<u8>)]) -> Vec<i16> {
    let (mut decoder, mut pcm, mut all) = (decoder(coding, rate), Pcm::new(), Vec::new());
    for (.., body) in sent {
        assert!(decoder.decode(body, &mut pcm));
        all.extend_from_slice(pcm.all());
        pcm.clear();
    }
    all
}

/// That numbers go up by one and timestamps by so much, in one source.
fn in_step(sent: &[(Header, bool, Vec<u8>)], ticks: u32) {
    for pair in sent.windows(2) {
        let ((a, ..), (b, ..)) = (&pair[0], &pair[1]);
        assert_eq!(b.sequence, a.sequence.wrapping_add(1));
        assert_eq!(b.timestamp, a.timestamp.wrapping_add(ticks));
        assert_eq!((a.ssrc, a.payload), (b.ssrc, b.payload));
    }
}

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
        let ours = header.timestamp.wrapping_sub(rig_start());
        assert_eq!(ours, u32::try_from(number).unwrap() * 160, "{first}");
    }
    assert_eq!(rig.tally.read().concealed, 0);
}

/// Where the first packet of a stream of ours is in time.
fn rig_start() -> u32 {
    0x1234_5678u32.rotate_left(13)
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
    let times: Vec<_> = sent.iter().map(|(header, ..)| header.timestamp.wrapping_sub(rig_start())).collect();
    assert_eq!(times, [0, 160, 320, 480, 640, 800, 800, 800, 1_280]);
}

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
    rig.set(2, None, plan((0, MU), (9, Coding::G722), 20));
    let mut gauges = TranscodingGauges::default();
    rig.totals.add_to(&mut gauges);
    assert_eq!((gauges.directions, gauges.refused), (2, 1));
    rig.coder.take(&Input::Clear(context(1)), Now(5), &mut |_| {});
    rig.set(2, None, plan((0, MU), (9, Coding::G722), 20));
    let mut gauges = TranscodingGauges::default();
    rig.totals.add_to(&mut gauges);
    assert_eq!((gauges.directions, gauges.refused), (2, 1));
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
