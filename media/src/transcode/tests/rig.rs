//! A coder under virtual time, and what is given to it.

use std::sync::Arc;

use super::support::{rtp, tone};
use crate::dtmf::Law;
use crate::rtp::{Header, parts};
use crate::transcode::codec::{Pcm, decoder};
use crate::transcode::{
    Coder, Coding, Fate, Input, Now, OpusTerms, Outgoing, Packet, Plan, Tally, Totals, Way,
};
use crate::{ContextId, PairId, ThreadId};

pub(super) const MU: Coding = Coding::G711(Law::Mu);
pub(super) const A: Coding = Coding::G711(Law::A);

pub(super) fn context(remote: u8) -> ContextId {
    ContextId { pair: PairId { thread: ThreadId(0), slot: 0, generation: 0 }, remote }
}

pub(super) fn plan((payload, from): (u8, Coding), (goes, to): (u8, Coding), millis: u32) -> Plan {
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
pub(super) struct Rig {
    pub(super) coder: Coder,
    pub(super) totals: Arc<Totals>,
    pub(super) tally: Arc<Tally>,
    pub(super) made: Vec<(Way, Vec<u8>)>,
    pub(super) now: u64,
}

impl Rig {
    pub(super) fn new(plan: Plan) -> Self {
        let totals = Arc::<Totals>::default();
        let coder = Coder::new(2, Arc::clone(&totals));
        let mut rig = Self { coder, totals, tally: Arc::clone(&plan.tally), made: Vec::new(), now: 1_000 };
        rig.set(0, None, plan);
        rig
    }

    pub(super) fn set(&mut self, remote: u8, other: Option<u8>, plan: Plan) {
        let set = Input::Set(context(remote), other.map(context), Arc::new(plan));
        self.coder.take(&set, Now(self.now), &mut |_| {});
    }

    pub(super) fn give(&mut self, way: Way, packet: &[u8]) {
        let input = Input::Packet(context(0), way, Packet::new(packet).unwrap());
        let Self { coder, made, now, .. } = self;
        coder.take(&input, Now(*now), &mut |output| made.push((output.way, output.packet.octets().to_vec())));
    }

    pub(super) fn rtp(&mut self, packet: &[u8]) {
        self.give(Way::Rtp, packet);
    }

    pub(super) fn pass(&mut self, millis: u64) {
        let Self { coder, made, .. } = self;
        for now in self.now + 1..=self.now + millis {
            coder.pass_time(Now(now), &mut |output| made.push((output.way, output.packet.octets().to_vec())));
        }
        self.now += millis;
    }

    /// What was made of RTP: header, marker, payload.
    pub(super) fn sent(&mut self) -> Vec<(Header, bool, Vec<u8>)> {
        let of_rtp = self.made.drain(..).filter(|(way, _)| *way == Way::Rtp);
        let read = |(_, packet): (Way, Vec<u8>)| {
            let (header, marker, body) = parts(&packet).unwrap();
            (header, marker, packet[body].to_vec())
        };
        of_rtp.map(read).collect()
    }
}

/// The packets of a tone in PCMU, 20 ms each.
pub(super) fn packets(count: u16) -> Vec<Vec<u8>> {
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

pub(super) fn decoded(coding: Coding, rate: u32, sent: &[(Header, bool, Vec<u8>)]) -> Vec<i16> {
    let (mut decoder, mut pcm, mut all) = (decoder(coding, rate), Pcm::new(), Vec::new());
    for (.., body) in sent {
        assert!(decoder.decode(body, &mut pcm));
        all.extend_from_slice(pcm.all());
        pcm.clear();
    }
    all
}

/// That numbers go up by one and timestamps by so much, in one source.
pub(super) fn in_step(sent: &[(Header, bool, Vec<u8>)], ticks: u32) {
    for pair in sent.windows(2) {
        let ((a, ..), (b, ..)) = (&pair[0], &pair[1]);
        assert_eq!(b.sequence, a.sequence.wrapping_add(1));
        assert_eq!(b.timestamp, a.timestamp.wrapping_add(ticks));
        assert_eq!((a.ssrc, a.payload), (b.ssrc, b.payload));
    }
}
