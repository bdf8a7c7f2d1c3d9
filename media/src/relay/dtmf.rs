//! Keys that go from one form into another, on a relay thread: whose are due, who is told of them.

use std::sync::OnceLock;

use super::Report;
use super::context::{Component, Context, Onward};
use super::pool::Pool;
use super::worker::{Clock, LARGEST_PACKET, Shard, Worker, send_on};
use crate::ContextId;
use crate::dtmf::{Digit, Sent, Tallies, Turn};
use crate::quality::Dropped;
use crate::transcode;

/// Reports that fit between a thread and a shard; more are dropped and counted.
pub(super) const REPORTS: usize = 256;
/// Streams of one thread in which keys are heard or said at the same moment; in others they are not, and that is counted.
const MOST_AT_ONCE: usize = 1_024;

/// Wakes a shard.
#[derive(Default)]
pub(super) struct Bell(OnceLock<Box<dyn Fn() + Send + Sync>>);

impl Bell {
    pub(super) fn hang(&self, wake: impl Fn() + Send + Sync + 'static) {
        // Who comes second has nothing to say.
        let _ = self.0.set(Box::new(wake));
    }

    fn ring(&self) {
        if let Some(wake) = self.0.get() {
            wake();
        }
    }
}

/// The contexts in which something is due, each with its time in ms.
pub(super) struct Keys(Vec<(u64, ContextId)>);

impl Keys {
    pub(super) fn new() -> Self {
        Self(Vec::with_capacity(MOST_AT_ONCE))
    }

    /// When the first of them is due.
    pub(super) fn deadline(&self) -> Option<u64> {
        self.0.iter().map(|(due, _)| *due).min()
    }

    /// Notes when something is due; false where there is no room.
    fn note(&mut self, id: ContextId, due: u64) -> bool {
        if let Some((known, _)) = self.0.iter_mut().find(|(_, known)| *known == id) {
            *known = due.min(*known);
            return true;
        }
        let has_room = self.0.len() < MOST_AT_ONCE;
        if has_room {
            self.0.push((due, id));
        }
        has_room
    }
}

/// The time, and where things are counted.
fn turn(clock: Clock, tallies: &Tallies) -> Turn<'_> {
    let micros = u64::try_from(clock.since_epoch.as_micros()).unwrap_or(u64::MAX);
    Turn { millis: clock.millis, micros, tallies }
}

/// Tells of what a context has heard, and notes when it is due.
fn follow(context: &mut Context, keys: &mut Keys, shards: &mut [Shard], tallies: &Tallies) {
    let Some(translator) = &mut context.translator else { return };
    while let Some((digit, millis)) = translator.report() {
        let plan = translator.plan();
        let report = Report { call: plan.call, party: plan.party, peer: plan.peer, digit, millis };
        let Some(shard) = shards.get_mut(usize::from(context.shard)) else { continue };
        match shard.reports.push(report) {
            Ok(()) => shard.bell.ring(),
            Err(_) => tallies.full(),
        }
    }
    let (heard, said) = translator.counted();
    context.counters.digits(heard, said);
    if let Some(due) = translator.deadline()
        && !keys.note(context.id, due)
    {
        tallies.full();
    }
}

/// What the source is called that a remote has sent last.
fn source_of(pool: &mut Pool, remote: Option<ContextId>) -> Option<u32> {
    let id = remote?;
    pool.lent(id.pair)?.context(id.remote)?.source()
}

impl Worker {
    /// Hears keys in a packet that is in the buffer, and gives it the number and the names that it has beyond; answers its length, `None`
    /// where it does not go on. What a leg of ours sends (`own`) is not said to another, as it is not sent on.
    pub(super) fn translate(
        &mut self,
        (slot, remote): (u32, u8),
        own: bool,
        (kind, length): (Component, usize),
        clock: Clock,
    ) -> Option<usize> {
        let Self { pool, buffer, gauges, keys, shards, .. } = self;
        let context = pool.pair(slot)?.context(remote)?;
        let (peer, is_veiled) = (context.peer(), context.veiled.is_some());
        let taken = if is_veiled { source_of(pool, peer) } else { None };
        let context = pool.pair(slot)?.context(remote)?;
        let packet = buffer.get_mut(..length).unwrap_or_default();
        context.from_own = own;
        let goes_on = context.translate(kind, packet, turn(clock, gauges.dtmf()));
        if kind == Component::Rtp {
            follow(context, keys, shards, gauges.dtmf());
        }
        let room = buffer.get_mut(..LARGEST_PACKET)?;
        if goes_on { context.veil(kind, (room, length), taken) } else { None }
    }

    /// Says a key that has come from a remote by INFO; false where there is nobody to say it to.
    pub(super) fn say(&mut self, id: ContextId, digit: Digit, millis: u32, clock: Clock) -> bool {
        let Self { pool, gauges, keys, shards, .. } = self;
        let context = pool.lent(id.pair).and_then(|pair| pair.context(id.remote));
        let Some(context) = context else { return false };
        let Some(translator) = &mut context.translator else { return false };
        translator.say(digit, millis, turn(clock, gauges.dtmf()));
        follow(context, keys, shards, gauges.dtmf());
        true
    }

    /// Does what is due of all keys.
    pub(super) fn pass_keys(&mut self, clock: Clock) {
        let Self { pool, buffer, gauges, keys, shards, own, coder, .. } = self;
        let mut at = 0;
        while let Some((due, id)) = keys.0.get(at).copied() {
            if due > clock.millis {
                at += 1;
                continue;
            }
            keys.0.swap_remove(at);
            let context = pool.lent(id.pair).and_then(|pair| pair.context(id.remote));
            let Some(context) = context else { continue };
            // It is taken out of its place as long as packets are sent.
            let (peer, translator) = (context.peer(), context.translator.take());
            let barred = context.from_own.then_some(&*own);
            let coded = context.transcode().is_some();
            let mut unsent = 0u32;
            let Some(mut translator) = translator else { continue };
            translator.pass_time(turn(clock, gauges.dtmf()), &mut |what, packet| {
                let kind = match what {
                    Sent::Rtp => Component::Rtp,
                    Sent::Rtcp => Component::Rtcp,
                };
                let mut length = packet.len();
                let taken = source_of(pool, peer);
                if let Some(room) = buffer.get_mut(..LARGEST_PACKET) {
                    room.iter_mut().zip(packet).for_each(|(to, from)| *to = *from);
                    if let Some(context) = pool.lent(id.pair).and_then(|pair| pair.context(id.remote)) {
                        length = context.veil(kind, (room, length), taken).unwrap_or(length);
                    }
                    if coded {
                        // What is coded anew has reports of the coder's own.
                        if kind == Component::Rtp {
                            coder.packet(id, transcode::Way::Said, buffer.get(..length).unwrap_or_default());
                        }
                        return;
                    }
                    let onward = Onward { peer, kind, translated: false, coded: false };
                    let sent = send_on(pool, (onward, barred), (buffer, length), clock.millis);
                    // All else that was not sent is counted there.
                    unsent += u32::from(sent == Err(Dropped::NoDestination));
                }
            });
            if let Some(context) = pool.lent(id.pair).and_then(|pair| pair.context(id.remote)) {
                context.translator = Some(translator);
                (0..unsent).for_each(|_| context.counters.dropped(Dropped::NoDestination));
                follow(context, keys, shards, gauges.dtmf());
            }
        }
    }
}
