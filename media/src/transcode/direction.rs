//! One direction of a stream that is transcoded.

mod beside;

use std::sync::Arc;

use super::aside::{Aside, scaled};
use super::codec::{Decode, Encode, Pcm, decoder, encoder};
use super::noise::Noise;
use super::out::{Out, Sent};
use super::reception::Reception;
use super::reorder::{Came, MOST_OCTETS, Placed, Reorder};
use super::report::{LONGEST, Reports, sender_reports};
use super::resample::Resampler;
use super::{Coding, Fate, Plan};
use crate::rtp;

/// The time in ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Now(pub(crate) u64);

/// The longest gap that is filled, in ms; a longer one stays one.
const MOST_CONCEALED: u32 = 100;
/// What comes after a longer pause than this, in ms, has no place in what was before.
const APART: u32 = 10_000;
/// So long noise is made without anything coming, in ms.
const NOISE: u64 = 60_000;

/// How one payload type is decoded.
#[derive(Debug)]
struct Line {
    payload: u8,
    clock: u32,
    decoder: Box<dyn Decode>,
    resampler: Option<Resampler>,
}

/// Which part of the stream was before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    Nothing,
    /// What was passed on, and by how much numbers and timestamps differ.
    Passed(u8, u16, u32),
    /// What was coded: the payload type, and the timestamp that follows.
    Coded(u8, u32),
}

/// The noise that is made at the moment.
#[derive(Debug, Clone, Copy)]
struct Hiss {
    due: u64,
    until: u64,
}

#[derive(Debug)]
pub(super) struct Direction {
    pub(super) plan: Arc<Plan>,
    source: Option<u32>,
    reorder: Reorder,
    lines: Box<[Line]>,
    encoder: Box<dyn Encode>,
    /// Samples in a packet of ours.
    frame: usize,
    before: Before,
    raw: Pcm,
    waiting: Pcm,
    /// A place of their timeline, and where that is in ours.
    anchor: (u32, u32),
    marker: bool,
    pub(super) out: Out,
    events: Aside,
    said: Aside,
    noise: Noise,
    hiss: Option<Hiss>,
    pub(super) reception: Reception,
    reports: Reports,
    concealed: u64,
    coded: u64,
}

impl Direction {
    pub(super) fn new(plan: &Arc<Plan>, now: Now) -> Self {
        let output = plan.output;
        // A codec of several rates takes that of the other side.
        let fates = plan.inputs.iter().filter_map(|(payload, fate)| match fate {
            Fate::Coded(coding) => Some((*payload, *coding)),
            Fate::Passed(..) | Fate::Law(..) => None,
        });
        let theirs = fates.clone().find_map(|(_, coding)| coding.rate());
        let encoder = encoder(output.coding, theirs.unwrap_or(48_000), output.opus);
        let rate = encoder.rate();
        let line = |(payload, coding): (u8, Coding)| {
            let decoder = decoder(coding, rate);
            let resampler = Resampler::new(decoder.rate(), rate);
            Line { payload, clock: coding.clock(), decoder, resampler }
        };
        let millis = output.millis.clamp(10, output.coding.longest());
        Self {
            source: None,
            reorder: Reorder::new(),
            lines: fates.map(line).collect(),
            frame: usize::try_from(rate / 1_000 * millis).unwrap_or(160),
            encoder,
            before: Before::Nothing,
            raw: Pcm::new(),
            waiting: Pcm::new(),
            anchor: (0, 0),
            marker: true,
            out: Out::new(plan.ssrc, output.coding.clock(), MOST_OCTETS),
            events: Aside::default(),
            said: Aside::default(),
            noise: Noise::new(plan.ssrc),
            hiss: None,
            reception: Reception::default(),
            reports: Reports::new(plan.ssrc, now.0),
            concealed: 0,
            coded: 0,
            plan: Arc::clone(plan),
        }
    }

    /// Goes over to another plan, in the same stream of ours where it is called the same.
    pub(super) fn over_to(self, plan: &Arc<Plan>, now: Now) -> Self {
        let mut next = Self::new(plan, now);
        if self.plan.ssrc == plan.ssrc {
            let clock = next.out.clock;
            next.out = self.out;
            next.out.timestamp = next.out.timestamp_at(now.0);
            next.out.clock = clock;
            (next.reception, next.reports) = (self.reception, self.reports);
        }
        next
    }

    /// How many packets were made, and concealed, since this was asked last.
    pub(super) fn counted(&mut self) -> (u64, u64) {
        (std::mem::take(&mut self.coded), std::mem::take(&mut self.concealed))
    }

    /// A packet of RTP has come.
    pub(super) fn packet(&mut self, packet: &[u8], now: Now, send: &mut dyn FnMut(&[u8])) {
        let Some((header, marker, body)) = rtp::parts(packet) else { return };
        let body = packet.get(body).filter(|body| body.len() <= MOST_OCTETS);
        let is_aside =
            [self.plan.events.map(|((payload, _), _)| payload), self.plan.noise.map(|(payload, _)| payload)]
                .contains(&Some(header.payload));
        let clock = self.plan.clock(header.payload);
        let Some(body) = body.filter(|_| clock.is_some() || is_aside) else {
            return self.plan.tally.unknown();
        };
        self.reception.packet(header, clock, now.0);
        let before = self.source.replace(header.ssrc);
        if before != Some(header.ssrc) {
            self.flush(now, send);
            self.reorder.begin_anew();
            (self.before, self.marker) = (Before::Nothing, true);
            match before {
                Some(_) => self.out.go_by(header.ssrc),
                None => self.out.follow(header),
            }
        }
        if self.is_passing(header.payload) {
            let came = Came { header, marker, body, lost: 0 };
            self.drain(now, send);
            self.reorder.begin_anew();
            return self.passed(came, now, send);
        }
        match self.reorder.place(header, marker, body, now.0) {
            Placed::Next(lost) => {
                self.deliver(Came { header, marker, body, lost }, now, send);
                self.deliver_due(now, send);
            }
            Placed::Waits => self.deliver_due(now, send),
            Placed::Late => self.plan.tally.late(),
        }
        self.plan.tally.waits(self.reorder.patience());
    }

    /// Whether a packet only gets our numbers: what goes beside the audio does as the audio before it.
    fn is_passing(&self, payload: u8) -> bool {
        match self.plan.fate(payload) {
            Some(Fate::Passed(..) | Fate::Law(..)) => true,
            Some(Fate::Coded(_)) => false,
            None => matches!(self.before, Before::Passed(..)),
        }
    }

    fn deliver_due(&mut self, now: Now, send: &mut dyn FnMut(&[u8])) {
        // Taken out of its place, as what it has is lent.
        let mut reorder = std::mem::replace(&mut self.reorder, Reorder::empty());
        while let Some(came) = reorder.due(now.0) {
            self.deliver(came, now, send);
        }
        self.reorder = reorder;
    }

    /// Gives up all gaps.
    fn drain(&mut self, now: Now, send: &mut dyn FnMut(&[u8])) {
        self.reorder.give_up();
        self.deliver_due(now, send);
        if matches!(self.before, Before::Coded(..)) {
            self.flush(now, send);
        }
    }

    fn count(&mut self) {
        self.coded += 1;
        self.plan.tally.coded();
    }

    /// A packet in its order.
    fn deliver(&mut self, came: Came<'_>, now: Now, send: &mut dyn FnMut(&[u8])) {
        let Came { header, marker, body, lost } = came;
        let payload = header.payload;
        if let Some(((number, from), to)) = self.plan.events
            && number == payload
        {
            return self.event(came, (from, to), now, send);
        }
        if let Some((number, goes)) = self.plan.noise
            && number == payload
        {
            return self.noise(came, goes, now, send);
        }
        let Some(index) = self.lines.iter().position(|line| line.payload == payload) else { return };
        let expected = match self.before {
            Before::Coded(number, expected) if number == payload => Some(expected),
            Before::Coded(..) | Before::Passed(..) | Before::Nothing => None,
        };
        let clock = self.lines.get(index).map_or(8_000, |line| line.clock);
        let gap = expected.map(|expected| header.timestamp.wrapping_sub(expected));
        let fillable = clock / 1_000 * MOST_CONCEALED;
        let fills = lost > 0 && self.hiss.is_none() && gap.is_some_and(|gap| gap > 0 && gap <= fillable);
        if !fills && (gap != Some(0) || self.hiss.is_some()) {
            self.jump(header.timestamp, clock, now, send);
            self.marker |= marker || gap.is_none_or(|gap| gap != 0);
        }
        self.hiss = None;
        let Some(line) = self.lines.get_mut(index) else { return };
        self.raw.clear();
        let rate = u64::from(line.decoder.rate());
        let samples = |ticks: u32| {
            usize::try_from(u64::from(ticks) * rate / u64::from(clock.max(1))).unwrap_or_default()
        };
        if fills {
            // The packet that has come has something of the one right before it, if of any.
            let missing = samples(gap.unwrap_or_default());
            let of_last = missing / usize::from(lost).max(1);
            if missing > of_last {
                line.decoder.conceal(missing - of_last, &mut self.raw);
            }
            line.decoder.recover(of_last, body, &mut self.raw);
            self.concealed += u64::from(lost);
            self.plan.tally.concealed(lost);
        }
        let start = self.raw.len();
        if !line.decoder.decode(body, &mut self.raw) {
            self.plan.tally.unknown();
        }
        let decoded =
            u64::try_from(self.raw.len() - start).unwrap_or_default() * u64::from(clock) / rate.max(1);
        let after = header.timestamp.wrapping_add(u32::try_from(decoded).unwrap_or_default());
        self.before = Before::Coded(payload, after);
        match &mut line.resampler {
            Some(resampler) => resampler.run(self.raw.all(), &mut self.waiting),
            None => {
                let raw = self.raw.all();
                self.waiting.grow(raw.len()).iter_mut().zip(raw).for_each(|(place, sample)| *place = *sample);
            }
        }
        self.emit(now, send);
        self.anchor = (after, self.out.timestamp.wrapping_add(self.ticks(self.waiting.len())));
    }

    /// Makes packets of what waits, as long as it fills one.
    fn emit(&mut self, now: Now, send: &mut dyn FnMut(&[u8])) {
        while self.waiting.len() >= self.frame {
            let frame = self.waiting.all().get(..self.frame).unwrap_or_default();
            let length = self.encoder.encode(frame, self.out.room());
            let ticks = self.ticks(self.frame);
            let timestamp = self.out.timestamp;
            if let Some(length) = length {
                let marker = std::mem::take(&mut self.marker);
                let payload = self.plan.output.payload;
                self.out.send(Sent { payload, marker, timestamp, length }, now.0, send);
                self.count();
            }
            self.out.timestamp = timestamp.wrapping_add(ticks);
            self.waiting.take(self.frame);
        }
    }

    /// Ticks of our clock that samples at the encoder's rate last.
    fn ticks(&self, samples: usize) -> u32 {
        let samples = u32::try_from(samples).unwrap_or_default();
        scaled(samples, self.encoder.rate(), self.out.clock)
    }

    /// Sends what waits, with silence to a whole packet.
    fn flush(&mut self, now: Now, send: &mut dyn FnMut(&[u8])) {
        let has = self.waiting.len();
        if has > 0 {
            self.waiting.grow(self.frame.saturating_sub(has));
            self.emit(now, send);
            self.waiting.clear();
        }
    }

    /// What follows does not follow what was before: it has its place by its timestamp, or by when it comes.
    fn jump(&mut self, timestamp: u32, clock: u32, now: Now, send: &mut dyn FnMut(&[u8])) {
        self.flush(now, send);
        let passed = timestamp.wrapping_sub(self.anchor.0);
        let belongs = matches!(self.before, Before::Coded(..)) && passed < clock / 1_000 * APART;
        let wanted = match belongs {
            true => self.anchor.1.wrapping_add(scaled(passed, clock, self.out.clock)),
            false => self.out.timestamp_at(now.0),
        };
        if wanted.wrapping_sub(self.out.timestamp) < 0x8000_0000 {
            self.out.timestamp = wanted;
        }
        self.anchor = (timestamp, self.out.timestamp);
    }

    /// RTCP of the source has come: it ends here (RFC 3550 §7.2).
    pub(super) fn hear(&mut self, compound: &[u8], now: Now) {
        let Self { reception, .. } = self;
        sender_reports(compound, |ssrc, middle| reception.reported(ssrc, middle, now.0));
    }

    /// When [`Self::pass_time`] has something to do, or a report is due, in ms.
    pub(super) fn deadline(&self) -> u64 {
        let due = [self.reorder.deadline(), self.hiss.map(|hiss| hiss.due)].into_iter().flatten().min();
        due.map_or(self.reports.due(), |due| due.min(self.reports.due()))
    }

    pub(super) fn pass_time(&mut self, now: Now, send: &mut dyn FnMut(&[u8])) {
        self.deliver_due(now, send);
        self.make_noise(now, send);
    }

    pub(super) fn owes_report(&self, now: Now) -> bool {
        self.reports.due() <= now.0
    }

    /// Makes a report for whom this comes from, of what the other direction sends to it.
    pub(super) fn report(&mut self, out: &Out, now: Now, to: &mut [u8; LONGEST]) -> usize {
        self.reports.make(out, &mut self.reception, now.0, to)
    }

    /// There is nobody who could report: nothing goes to it.
    pub(super) fn skip_report(&mut self, now: Now) -> usize {
        self.reports.schedule(now.0);
        0
    }
}
