//! One direction of a stream whose keys are translated.

use std::collections::VecDeque;
use std::sync::Arc;

use super::detector::Detector;
use super::lane::Lane;
use super::plan::Way;
use super::receiver::{Heard, PATIENCE_MILLIS, PATIENCE_TO_TELL_MILLIS, Receiver};
use super::report::Reporter;
use super::speaker::{Speaker, Spoken, Unsaid, Voice};
use super::tally::{Form, Tallies};
use super::twice::Twice;
use super::{Digit, Plan};
use crate::rtp::{Header, parts};

/// Keys heard that wait to be reported: they are taken after each packet.
const MOST_REPORTS: usize = 8;
/// The longest packet that we make: 20 ms of G.711 with its header.
const LONGEST: usize = 12 + 160;
/// The clock rate of a stream of our own where nothing is known of it.
const CLOCK: u32 = 8_000;

/// The time, and where things are counted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Turn<'a> {
    pub(crate) millis: u64,
    pub(crate) micros: u64,
    pub(crate) tallies: &'a Tallies,
}

/// What is sent of our own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sent {
    Rtp,
    Rtcp,
}

/// The state of it.
#[derive(Debug)]
pub(crate) struct Translator {
    plan: Arc<Plan>,
    lane: Lane,
    receiver: Option<Receiver>,
    detector: Option<Detector>,
    speaker: Option<Speaker>,
    /// Who sends keys in two forms is heard in one only.
    twice: Twice,
    /// In which form a key is pressed at the moment.
    pressed: Option<Form>,
    reports: VecDeque<(Digit, u32)>,
    reporter: Reporter,
    heard: u32,
    said: u32,
}

impl Translator {
    pub(crate) fn new(plan: &Arc<Plan>) -> Self {
        // That of what is said: events have the clock of the audio that they are put into (RFC 4733 §2.1).
        let clock = match plan.way {
            Way::Said(Voice::Events { clock, .. }) => clock,
            Way::Said(Voice::Tones { .. }) | Way::Reported | Way::Nowhere => CLOCK,
        };
        Self::with(plan, Lane::new(plan.ssrc, clock), (0, 0))
    }

    fn with(plan: &Arc<Plan>, lane: Lane, (heard, said): (u32, u32)) -> Self {
        let voice = if let Way::Said(voice) = plan.way { Some(voice) } else { None };
        let is_same = matches!(voice, Some(Voice::Events { .. }));
        let detector = (!plan.tones.is_empty()).then(Detector::new);
        let events = plan.events.filter(|_| !is_same);
        let patience = if voice.is_some() { PATIENCE_MILLIS } else { PATIENCE_TO_TELL_MILLIS };
        Self {
            plan: Arc::clone(plan),
            lane,
            receiver: events.map(|(_, clock)| Receiver::new(clock, patience)),
            detector,
            speaker: voice.map(Speaker::new),
            twice: Twice::new(),
            pressed: None,
            reports: VecDeque::with_capacity(if plan.way == Way::Reported { MOST_REPORTS } else { 0 }),
            reporter: Reporter::default(),
            heard,
            said,
        }
    }

    /// Goes over to another plan. Once numbers are others than those that came they stay so.
    pub(crate) fn change(this: &mut Option<Box<Self>>, plan: Option<&Arc<Plan>>) {
        match (this.take(), plan) {
            (None, None) => {}
            (None, Some(plan)) => *this = Some(Box::new(Self::new(plan))),
            (Some(before), Some(plan)) if before.plan == *plan => *this = Some(before),
            (Some(before), None) if before.lane.is_untouched() => drop(before),
            (Some(before), plan) => {
                let plan = plan.cloned().unwrap_or_else(|| Arc::new(before.plan.idle()));
                *this = Some(Box::new(before.over_to(&plan)));
            }
        }
    }

    /// The same by another plan: what is heard and said at the moment goes on where that is as it was, and for whom it was.
    fn over_to(self, plan: &Arc<Plan>) -> Self {
        let mut next = Self::with(plan, self.lane, (self.heard, self.said));
        next.reporter = self.reporter;
        let is_for_same = self.plan.peer == plan.peer;
        if (self.plan.events, &self.plan.tones) == (plan.events, &plan.tones) {
            if is_for_same {
                (next.twice, next.pressed) = (self.twice, self.pressed);
            }
            // What comes of a key that is pressed meanwhile is no new one.
            next.receiver = self.receiver.filter(|_| next.receiver.is_some()).or(next.receiver);
            next.detector = self.detector.filter(|_| next.detector.is_some()).or(next.detector);
        }
        if is_for_same && self.plan.way == plan.way {
            next.speaker = self.speaker;
        }
        if next.pressed.is_none()
            && let Some(speaker) = &mut next.speaker
        {
            // Nobody will hear when it is let go.
            speaker.let_go(0);
        }
        next
    }

    pub(crate) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// How many keys were heard, and how many said.
    pub(crate) fn counted(&self) -> (u32, u32) {
        (self.heard, self.said)
    }

    /// Hears a packet of RTP and gives it its number; whether it goes on.
    pub(crate) fn packet(&mut self, packet: &mut [u8], turn: Turn<'_>) -> bool {
        let Some((header, marker, body)) = parts(packet) else { return true };
        let length = body.len();
        if let Some((payload, _)) = self.plan.events.filter(|(payload, _)| *payload == header.payload) {
            if let Way::Said(Voice::Events { payload: said, .. }) = self.plan.way {
                return self.pass(packet, header, turn, Some((payload, said)));
            }
            let octets = packet.get(body).unwrap_or_default();
            let mut few = Few::default();
            if let Some(receiver) = &mut self.receiver {
                let name = (header.ssrc, header.timestamp, marker);
                receiver.packet(name, octets, turn.millis, &mut |heard| few.push(heard));
            }
            self.lane.take_out(header, length, turn.micros);
            self.take(&few, Form::Events, turn);
            return false;
        }
        let law = self.plan.tones.iter().find(|(payload, _)| *payload == header.payload).map(|(_, law)| *law);
        if let (Some(law), Some(detector)) = (law, &mut self.detector) {
            let mut few = Few::default();
            let octets = packet.get_mut(body).unwrap_or_default();
            let heard = &mut |heard| few.push(heard);
            let suspect = detector.packet(law, (header.ssrc, header.timestamp), octets, turn.millis, heard);
            if suspect {
                octets.fill(law.silence());
            }
            self.take(&few, Form::Tones, turn);
        }
        if self.speaker.as_ref().is_some_and(Speaker::is_busy) {
            self.lane.take_out(header, length, turn.micros);
            return false;
        }
        self.pass(packet, header, turn, None)
    }

    fn pass(&mut self, packet: &mut [u8], header: Header, turn: Turn<'_>, payload: Option<(u8, u8)>) -> bool {
        let Some(number) = self.lane.pass(header, turn.micros) else { return false };
        if let Some(place) = packet.get_mut(2..4) {
            place.copy_from_slice(&number.to_be_bytes());
        }
        if let (Some((_, said)), Some(second)) = (payload, packet.get_mut(1)) {
            *second = (*second & 0x80) | said;
        }
        true
    }

    /// Says a key that came by INFO.
    pub(crate) fn say(&mut self, digit: Digit, millis: u32, turn: Turn<'_>) {
        if self.twice.is_again(digit, Form::Info, turn.millis) {
            return turn.tallies.doubled();
        }
        self.heard = self.heard.saturating_add(1);
        turn.tallies.heard(Form::Info);
        if self.speak(digit, (0, 0), Some(millis), turn) {
            self.twice.note(digit, Form::Info, turn.millis);
        }
    }

    /// Says a key; false where it is not said.
    fn speak(
        &mut self,
        digit: Digit,
        (volume, lead): (u8, u32),
        millis: Option<u32>,
        turn: Turn<'_>,
    ) -> bool {
        let Some(speaker) = &mut self.speaker else { return false };
        match speaker.say(digit, volume, lead, millis, turn.millis) {
            Ok(()) => {
                self.said = self.said.saturating_add(1);
                turn.tallies.said(match speaker.voice() {
                    Voice::Events { .. } => Form::Events,
                    Voice::Tones { .. } => Form::Tones,
                });
                return true;
            }
            Err(Unsaid::Full) => turn.tallies.full(),
            Err(Unsaid::Unsayable) => turn.tallies.unsayable(),
        }
        false
    }

    fn take(&mut self, few: &Few, form: Form, turn: Turn<'_>) {
        for heard in few.0.iter().copied().flatten() {
            match heard {
                Heard::Began { digit, .. } if self.twice.is_again(digit, form, turn.millis) => {
                    turn.tallies.doubled();
                }
                // What has begun in a form ends in it.
                Heard::Lasts { .. } | Heard::Ended { .. } if self.pressed != Some(form) => {}
                Heard::Began { digit, volume, lead } => {
                    self.pressed = Some(form);
                    self.heard = self.heard.saturating_add(1);
                    turn.tallies.heard(form);
                    if self.speak(digit, (volume, lead), None, turn) {
                        self.twice.note(digit, form, turn.millis);
                    }
                }
                Heard::Lasts { millis } => {
                    self.twice.lasts(form, turn.millis);
                    if let Some(speaker) = &mut self.speaker {
                        speaker.lasts(millis);
                    }
                }
                Heard::Ended { digit, millis } => {
                    self.pressed = None;
                    self.twice.lasts(form, turn.millis);
                    if let Some(speaker) = &mut self.speaker {
                        speaker.let_go(millis);
                    } else if self.plan.way == Way::Reported {
                        if self.reports.len() < MOST_REPORTS {
                            self.reports.push_back((digit, millis));
                        } else {
                            turn.tallies.full();
                        }
                    }
                }
            }
        }
    }

    /// The next key to be reported, with its milliseconds.
    pub(crate) fn report(&mut self) -> Option<(Digit, u32)> {
        let report = self.reports.pop_front();
        if report.is_some() {
            self.said = self.said.saturating_add(1);
        }
        report
    }

    /// When [`pass_time`](Self::pass_time) has something to do.
    pub(crate) fn deadline(&self) -> Option<u64> {
        let speaker = self.speaker.as_ref().and_then(Speaker::deadline);
        let receiver = self.receiver.as_ref().and_then(Receiver::deadline);
        let detector = self.detector.as_ref().and_then(Detector::deadline);
        [speaker, receiver, detector, self.reporter.deadline()].into_iter().flatten().min()
    }

    /// Does what is due: hears that nothing comes any more, and says what is to be said, each packet by `send`.
    pub(crate) fn pass_time(&mut self, turn: Turn<'_>, send: &mut impl FnMut(Sent, &[u8])) {
        let mut few = Few::default();
        if let Some(receiver) = &mut self.receiver {
            receiver.pass_time(turn.millis, &mut |heard| few.push(heard));
        }
        self.take(&few, Form::Events, turn);
        let mut few = Few::default();
        if let Some(detector) = &mut self.detector {
            detector.pass_time(turn.millis, &mut |heard| few.push(heard));
        }
        self.take(&few, Form::Tones, turn);
        let timestamp = self.lane.timestamp(turn.micros);
        let Self { speaker, lane, reporter, plan, .. } = self;
        if let Some(report) = reporter.report(lane, plan, timestamp, turn) {
            send(Sent::Rtcp, &report);
        }
        let Some(speaker) = speaker else { return };
        speaker.tick(turn.millis, timestamp, &mut |Spoken { marker, payload, timestamp, body }| {
            let name = lane.put_in(body.len());
            let mut out = [0; LONGEST];
            let [s0, s1] = name.sequence.to_be_bytes();
            let [t0, t1, t2, t3] = timestamp.to_be_bytes();
            let [r0, r1, r2, r3] = name.ssrc.to_be_bytes();
            let second = (u8::from(marker) << 7) | payload;
            let header = [0x80, second, s0, s1, t0, t1, t2, t3, r0, r1, r2, r3];
            let whole = header.into_iter().chain(body.iter().copied());
            out.iter_mut().zip(whole).for_each(|(place, octet)| *place = octet);
            send(Sent::Rtp, out.get(..(12 + body.len()).min(LONGEST)).unwrap_or_default());
            if lane.own().is_some() {
                reporter.spoke(turn.millis);
            }
        });
    }

    /// Makes of RTCP of the source what is true of what goes on.
    pub(crate) fn tell(&self, compound: &mut [u8]) {
        self.lane.tell(compound);
    }

    /// Makes of RTCP of the receiver what is true of what the source has sent.
    pub(crate) fn tell_back(&self, compound: &mut [u8]) {
        self.lane.tell_back(compound);
    }
}

/// What one packet can tell: more events than this in one are not looked at.
#[derive(Default)]
struct Few([Option<Heard>; 8]);

impl Few {
    fn push(&mut self, heard: Heard) {
        if let Some(free) = self.0.iter_mut().find(|place| place.is_none()) {
            *free = Some(heard);
        }
    }
}
