//! A leg whose keys are translated, under virtual time.

use std::sync::Arc;

use super::super::receiver::{PATIENCE_MILLIS, Receiver};
use super::super::tone::Tone;
use super::super::{DtmfGauges, Event, Law, Plan, Sent, Tallies, Translator, Turn, Voice, Way};
use super::{digit, keys};
use crate::PartyId;

pub(super) const EVENTS: Voice = Voice::Events { payload: 96, clock: 8_000, events: 0x1_ffff };
pub(super) const TONES: Voice = Voice::Tones { payload: 8, law: Law::A };

pub(super) fn plan(events: bool, tones: bool, way: Way) -> Arc<Plan> {
    Arc::new(Plan {
        events: events.then_some((101, 8_000)),
        tones: if tones { [(8, Law::A)].into() } else { Box::default() },
        way,
        call: 1,
        party: PartyId(2),
        peer: PartyId(3),
        ssrc: 0xaabb_ccdd,
        cname: *b"abcdefghijklmnop",
    })
}

pub(super) fn rtp(payload: u8, marker: bool, sequence: u16, timestamp: u32, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x80, payload | u8::from(marker) << 7];
    packet.extend(sequence.to_be_bytes());
    packet.extend(timestamp.to_be_bytes());
    packet.extend([0, 0, 0, 9]);
    packet.extend(body);
    packet
}

/// A leg that is heard, at 20 ms a packet, and what comes out on the other side.
pub(super) struct Bench {
    pub(super) translator: Translator,
    pub(super) tallies: Tallies,
    pub(super) now: u64,
    pub(super) out: Vec<Vec<u8>>,
    pub(super) reports: Vec<(char, u32)>,
}

impl Bench {
    pub(super) fn new(plan: &Arc<Plan>) -> Self {
        let translator = Translator::new(plan);
        Self { translator, tallies: Tallies::default(), now: 0, out: Vec::new(), reports: Vec::new() }
    }

    pub(super) fn change(&mut self, plan: &Plan) {
        let mut this = Some(Box::new(std::mem::replace(
            &mut self.translator,
            Translator::new(&self::plan(false, false, Way::Nowhere)),
        )));
        Translator::change(&mut this, Some(&Arc::new(plan.clone())));
        self.translator = *this.unwrap();
    }

    pub(super) fn come(&mut self, mut packet: Vec<u8>) {
        let turn = Turn { millis: self.now, micros: self.now * 1_000, tallies: &self.tallies };
        if self.translator.packet(&mut packet, turn) {
            self.out.push(packet);
        }
    }

    pub(super) fn pass(&mut self, millis: u64) {
        for _ in 0..millis {
            self.now += 1;
            let turn = Turn { millis: self.now, micros: self.now * 1_000, tallies: &self.tallies };
            self.translator.pass_time(turn, &mut |what, packet| {
                if what == Sent::Rtp {
                    self.out.push(packet.to_vec());
                }
            });
            while let Some((digit, millis)) = self.translator.report() {
                self.reports.push((digit.name(), millis));
            }
        }
    }

    /// Audio in packets of 20 ms, from that number on.
    pub(super) fn audio(&mut self, law_audio: &[u8], first: u16) {
        for (sequence, packet) in (first..).zip(law_audio.chunks(160)) {
            self.come(rtp(8, false, sequence, u32::from(sequence) * 160, packet));
            self.pass(20);
        }
    }

    /// That numbers go up by one with each packet.
    pub(super) fn judge_numbers(&self) {
        let number = |packet: &Vec<u8>| u16::from_be_bytes([packet[2], packet[3]]);
        for pair in self.out.windows(2) {
            assert_eq!(number(&pair[1]), number(&pair[0]).wrapping_add(1));
        }
    }

    /// The keys that come out as events.
    pub(super) fn events(&self) -> Vec<(char, u32)> {
        let (mut receiver, mut heard) = (Receiver::new(8_000, PATIENCE_MILLIS), Vec::new());
        for packet in self.out.iter().filter(|packet| packet[1] & 0x7f == 96) {
            let timestamp = u32::from_be_bytes([packet[4], packet[5], packet[6], packet[7]]);
            receiver
                .packet((1, timestamp, packet[1] & 0x80 != 0), &packet[12..], 0, &mut |of| heard.push(of));
        }
        keys(&heard)
    }

    /// The audio that comes out.
    pub(super) fn sound(&self) -> Vec<u8> {
        self.out
            .iter()
            .filter(|packet| packet[1] & 0x7f == 8)
            .flat_map(|packet| packet[12..].to_vec())
            .collect()
    }

    pub(super) fn gauges(&self) -> DtmfGauges {
        let mut gauges = DtmfGauges::default();
        self.tallies.add_to(&mut gauges);
        gauges
    }
}

/// The keys in audio.
pub(super) fn listen(audio: &[u8]) -> Vec<(char, u32)> {
    let (mut detector, mut heard) = (super::super::detector::Detector::new(), Vec::new());
    for (at, packet) in audio.chunks(160).enumerate() {
        let timestamp = u32::try_from(at * 160).unwrap();
        detector.packet(Law::A, (9, timestamp), packet, 0, &mut |of| heard.push(of));
    }
    keys(&heard)
}

pub(super) fn tones(text: &str, millis: u32, pause: u32) -> Vec<u8> {
    text.chars()
        .flat_map(|key| {
            let mut out = vec![0; usize::try_from((millis + pause) * 8).unwrap()];
            Tone::new(digit(key), 0).unwrap().write(Law::A, (0, millis * 8), &mut out);
            out
        })
        .collect()
}

/// An event as a telephone sends it, in place of audio, from that number on: the number after it.
pub(super) fn press(bench: &mut Bench, code: u8, packets: u16, first: u16) -> u16 {
    let timestamp = u32::from(first) * 160;
    for at in 0..packets + 2 {
        let end = at >= packets - 1;
        let duration = (at + 1).min(packets) * 160;
        let body = Event { code, end, volume: 10, duration }.write();
        bench.come(rtp(101, at == 0, first + at, timestamp, &body));
        bench.pass(20);
    }
    first + packets + 2
}
