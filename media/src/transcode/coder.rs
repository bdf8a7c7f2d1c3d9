//! The directions of one relay thread, each by the context whose packets it takes.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::direction::{Direction, Now};
use super::report::LONGEST;
use super::{Plan, Totals};
use crate::ContextId;

/// The largest packet that is handed over; longer ones are none of ours.
const LARGEST: usize = 1_500;

/// A packet on its way from one thread to another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Packet {
    octets: [u8; LARGEST],
    length: usize,
}

impl Packet {
    /// `None` where it is too long.
    pub(crate) fn new(octets: &[u8]) -> Option<Self> {
        let mut packet = Self { octets: [0; LARGEST], length: octets.len() };
        packet.octets.get_mut(..octets.len())?.copy_from_slice(octets);
        Some(packet)
    }

    pub(crate) fn octets(&self) -> &[u8] {
        self.octets.get(..self.length).unwrap_or_default()
    }
}

/// How a packet came, or how it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// RTP of the context, for whom its packets go to.
    Rtp,
    /// The same, but not of the context: what is said beside it.
    Said,
    /// RTCP: what comes from the context, and what goes to it.
    Rtcp,
}

/// What a coder is told.
#[expect(clippy::large_enum_variant, reason = "nearly all are packets, which are not to be allocated")]
#[derive(Debug)]
pub(crate) enum Input {
    /// What a context sends is to be transcoded, and what goes to it is what comes from that other one.
    Set(ContextId, Option<ContextId>, Arc<Plan>),
    /// No more.
    Clear(ContextId),
    /// It has come.
    Packet(ContextId, Way, Packet),
}

/// What it has made.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) context: ContextId,
    pub(crate) way: Way,
    pub(crate) packet: Packet,
}

#[derive(Debug)]
struct Entry {
    direction: Direction,
    other: Option<ContextId>,
}

/// A core without I/O.
#[derive(Debug)]
pub(crate) struct Coder {
    entries: BTreeMap<ContextId, Entry>,
    most: usize,
    /// When the first of them has something due, in ms, or earlier.
    due: u64,
    totals: Arc<Totals>,
}

impl Coder {
    /// One with room for so many directions.
    pub(crate) fn new(most: usize, totals: Arc<Totals>) -> Self {
        Self { entries: BTreeMap::new(), most, due: u64::MAX, totals }
    }

    /// When it has to be told the time, in ms.
    pub(crate) fn deadline(&self) -> Option<u64> {
        Some(self.due).filter(|due| *due < u64::MAX)
    }

    /// Does what is to be done, and gives what it makes to `send`.
    pub(crate) fn take(&mut self, input: &Input, now: Now, send: &mut dyn FnMut(Output)) {
        match input {
            Input::Set(context, other, plan) => self.set(*context, *other, plan, now),
            Input::Clear(context) => {
                self.entries.remove(context);
                self.totals.directions(self.entries.len());
            }
            Input::Packet(context, way, packet) => {
                let Some(Entry { direction, .. }) = self.entries.get_mut(context) else { return };
                let mut made = |octets: &[u8]| {
                    let packet = Packet::new(octets);
                    packet
                        .into_iter()
                        .for_each(|packet| send(Output { context: *context, way: Way::Rtp, packet }));
                };
                match way {
                    Way::Rtp => direction.packet(packet.octets(), now, &mut made),
                    Way::Said => direction.say(packet.octets(), now, &mut made),
                    Way::Rtcp => direction.hear(packet.octets(), now),
                }
                let (coded, concealed) = direction.counted();
                self.totals.coded(coded);
                self.totals.concealed(concealed);
                self.due = self.due.min(direction.deadline());
            }
        }
    }

    fn set(&mut self, context: ContextId, other: Option<ContextId>, plan: &Arc<Plan>, now: Now) {
        let direction = match self.entries.remove(&context) {
            Some(Entry { direction, .. }) if direction.plan == *plan => direction,
            Some(Entry { direction, .. }) => direction.over_to(plan, now),
            None if self.entries.len() >= self.most => {
                plan.tally.refuse(true);
                return self.totals.refused();
            }
            None => Direction::new(plan, now),
        };
        plan.tally.refuse(false);
        self.due = self.due.min(direction.deadline());
        self.entries.insert(context, Entry { direction, other });
        self.totals.directions(self.entries.len());
    }

    /// Does what is due.
    pub(crate) fn pass_time(&mut self, now: Now, send: &mut dyn FnMut(Output)) {
        if now.0 < self.due {
            return;
        }
        let mut reporting = None;
        for (context, Entry { direction, .. }) in &mut self.entries {
            if direction.deadline() > now.0 {
                continue;
            }
            direction.pass_time(now, &mut |octets| {
                let packet = Packet::new(octets);
                packet
                    .into_iter()
                    .for_each(|packet| send(Output { context: *context, way: Way::Rtp, packet }));
            });
            let (coded, concealed) = direction.counted();
            self.totals.coded(coded);
            self.totals.concealed(concealed);
            if direction.owes_report(now) {
                reporting = Some(*context);
            }
        }
        // One at a time: reports that are due together need not go together.
        if let Some(context) = reporting {
            self.report(context, now, send);
        }
        let deadlines = self.entries.values().map(|entry| entry.direction.deadline());
        self.due = deadlines.min().unwrap_or(u64::MAX);
    }

    fn report(&mut self, context: ContextId, now: Now, send: &mut dyn FnMut(Output)) {
        let Some(mut entry) = self.entries.remove(&context) else { return };
        let mut compound = [0; LONGEST];
        let other = entry.other.and_then(|other| self.entries.get(&other));
        let length = match other {
            Some(other) => entry.direction.report(&other.direction.out, now, &mut compound),
            None => entry.direction.skip_report(now),
        };
        self.entries.insert(context, entry);
        if let Some(packet) =
            compound.get(..length).filter(|compound| !compound.is_empty()).and_then(Packet::new)
        {
            send(Output { context, way: Way::Rtcp, packet });
        }
    }
}
