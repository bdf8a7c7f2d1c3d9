//! The threads that code, and what is between one and its relay thread.
//!
//! Each relay thread has one beside it: a codec takes up to some 110 µs for 20 ms, and no packet of another call is to wait for that.
//! A ring leads there and one back, both bounded. Full rings: orders wait, in order and unlost, as many as there are remotes; packets are
//! dropped and counted, as a network would.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rtrb::{Consumer, Producer, PushError, RingBuffer};

use super::context::{Component, Context, Onward};
use super::pool::Pair;
use super::sockets::{Poller, Waker};
use super::worker::{Clock, Worker, send_on};
use crate::ContextId;
use crate::quality::Dropped;
use crate::transcode::{Coder, Input, Now, Output, Packet, Plan, Totals, Way};

/// What fits into a ring: 10 ms of as many streams as one thread codes.
const RING: usize = 256;
/// Packets taken back before others get their turn.
const OUTPUTS_PER_TURN: usize = 64;
/// Directions of one thread for which room is kept at the most: some ten times as many as it has the time for, for many are silent.
pub(super) const MOST: usize = 2_000;
/// Directions that it takes: early dialogs of a leg share the room that is kept for it.
const MOST_TAKEN: usize = MOST + MOST / 2;

/// A relay thread's end.
pub(super) struct ToCoder {
    inputs: Producer<Input>,
    /// Orders that found the ring full.
    waiting: VecDeque<Input>,
    outputs: Consumer<Output>,
    waker: Arc<Waker>,
    stirred: bool,
    totals: Arc<Totals>,
}

impl ToCoder {
    fn order(&mut self, input: Input) {
        self.waiting.push_back(input);
        self.pass_on();
    }

    /// Hands a packet over, or drops it.
    pub(super) fn packet(&mut self, context: ContextId, way: Way, octets: &[u8]) {
        let has_room = self.waiting.is_empty() && !self.inputs.is_full();
        let packet = Packet::new(octets).filter(|_| has_room);
        let pushed =
            packet.is_some_and(|packet| self.inputs.push(Input::Packet(context, way, packet)).is_ok());
        self.stirred |= pushed;
        if !pushed {
            self.totals.unheard();
        }
    }

    fn pass_on(&mut self) {
        if self.inputs.is_abandoned() {
            // The thread was stopped, and with it what orders are for.
            return self.waiting.clear();
        }
        while let Some(input) = self.waiting.pop_front() {
            self.stirred = true;
            if let Err(PushError::Full(input)) = self.inputs.push(input) {
                self.waiting.push_front(input);
                break;
            }
        }
    }

    /// Wakes the thread if there is something to do. To be called once a turn.
    pub(super) fn flush(&mut self) {
        self.pass_on();
        if std::mem::take(&mut self.stirred) {
            self.waker.wake();
        }
    }

    pub(super) fn has_outputs(&self) -> bool {
        !self.outputs.is_empty()
    }
}

/// Tells the coder what a remote's settings say.
pub(super) fn settle(pair: &mut Pair, remote: u8, coder: &mut ToCoder) {
    let Some(context) = pair.context(remote) else { return };
    let (wanted, other) = (context.transcode().cloned(), context.peer());
    let is_told = match (&context.coded, &wanted) {
        (None, None) => true,
        (Some(told), Some(wanted)) => *told == (other, Arc::clone(wanted)),
        (..) => false,
    };
    if is_told {
        return;
    }
    coder.order(match &wanted {
        Some(plan) => Input::Set(context.id, other, Arc::clone(plan)),
        None => Input::Clear(context.id),
    });
    context.coded = wanted.map(|plan| (other, plan));
}

/// A remote of a pair, or all of them, are no more.
pub(super) fn end(pair: &mut Pair, remote: Option<u8>, coder: &mut ToCoder) {
    let is_meant = |context: &&mut Context| remote.is_none_or(|remote| context.remote == remote);
    for context in pair.contexts.iter_mut().filter(is_meant) {
        if context.coded.take().is_some() {
            coder.order(Input::Clear(context.id));
        }
    }
}

/// What the coder was told of a context: what it goes on to, and how.
pub(super) type Told = (Option<ContextId>, Arc<Plan>);

impl Worker {
    /// Hands a packet that is in the buffer to the coder.
    pub(super) fn code(&mut self, (slot, remote): (u32, u8), own: bool, (onward, length): (Onward, usize)) {
        let Self { pool, buffer, coder, .. } = self;
        let Some(context) = pool.pair(slot).and_then(|pair| pair.context(remote)) else { return };
        context.from_own = own;
        if onward.peer.is_none() && onward.kind == Component::Rtp {
            return context.counters.dropped(Dropped::NoDestination);
        }
        let way = match onward.kind {
            Component::Rtp => Way::Rtp,
            Component::Rtcp => Way::Rtcp,
        };
        coder.packet(context.id, way, buffer.get(..length).unwrap_or_default());
    }

    /// Sends what was coded.
    pub(super) fn send_coded(&mut self, clock: Clock) {
        let Self { pool, buffer, coder, own, .. } = self;
        for _ in 0..OUTPUTS_PER_TURN {
            let Ok(Output { context: id, way, packet }) = coder.outputs.pop() else { return };
            let Some(context) = pool.lent(id.pair).and_then(|pair| pair.context(id.remote)) else { continue };
            let barred = context.from_own.then_some(&*own);
            let (peer, kind) = match way {
                Way::Rtp | Way::Said => (context.peer(), Component::Rtp),
                Way::Rtcp => (Some(id), Component::Rtcp),
            };
            let octets = packet.octets();
            let Some(room) = buffer.get_mut(..octets.len()) else { continue };
            room.copy_from_slice(octets);
            let onward = Onward { peer, kind, translated: false, coded: false };
            let sent = send_on(pool, (onward, barred), (buffer, octets.len()), clock.millis);
            // All else that was not sent is counted there; reports of which nobody has asked where to are none that is missed.
            if sent == Err(Dropped::NoDestination)
                && kind == Component::Rtp
                && let Some(context) = pool.lent(id.pair).and_then(|pair| pair.context(id.remote))
            {
                context.counters.dropped(Dropped::NoDestination);
            }
        }
    }
}

/// The other end.
struct FromRelay {
    coder: Coder,
    inputs: Consumer<Input>,
    outputs: Producer<Output>,
    relay: Arc<Waker>,
    waker: Arc<Waker>,
    poller: Poller,
    stop: Arc<AtomicBool>,
    totals: Arc<Totals>,
    epoch: Instant,
}

/// A thread that codes.
#[derive(Debug)]
pub(super) struct Coding {
    stop: Arc<AtomicBool>,
    waker: Arc<Waker>,
    pub(super) totals: Arc<Totals>,
    handle: Option<JoinHandle<()>>,
}

/// Starts one for the relay thread of that number, which is woken by `relay`.
#[expect(clippy::disallowed_methods, reason = "the relay is where time comes from")]
pub(super) fn start(number: u16, relay: &Arc<Waker>) -> std::io::Result<(Coding, ToCoder)> {
    let (poller, waker) = (Poller::new()?, Arc::new(Waker::new()?));
    poller.add_waker(&waker)?;
    let (to_coder, inputs) = RingBuffer::new(RING);
    let (outputs, coded) = RingBuffer::new(RING);
    let (totals, stop) = (Arc::<Totals>::default(), Arc::new(AtomicBool::new(false)));
    let from_relay = FromRelay {
        coder: Coder::new(MOST_TAKEN, Arc::clone(&totals)),
        inputs,
        outputs,
        relay: Arc::clone(relay),
        waker: Arc::clone(&waker),
        poller,
        stop: Arc::clone(&stop),
        totals: Arc::clone(&totals),
        epoch: Instant::now(),
    };
    let name = format!("media-code-{number}");
    let handle = std::thread::Builder::new().name(name).spawn(move || from_relay.run())?;
    let to_coder = ToCoder {
        inputs: to_coder,
        waiting: VecDeque::new(),
        outputs: coded,
        waker: Arc::clone(&waker),
        stirred: false,
        totals: Arc::clone(&totals),
    };
    Ok((Coding { stop, waker, totals, handle: Some(handle) }, to_coder))
}

impl Coding {
    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::Release);
        self.waker.wake();
    }

    pub(super) fn join(&mut self) {
        if let Some(handle) = self.handle.take() {
            let _ = handle.join();
        }
    }
}

impl FromRelay {
    fn run(mut self) {
        while !self.stop.load(Ordering::Acquire) {
            self.waker.about_to_sleep();
            let timeout = match self.inputs.is_empty() {
                true => self.until_deadline(),
                false => Some(Duration::ZERO),
            };
            self.poller.wait(timeout);
            self.waker.awake();
            self.waker.clear();
            let mut sent = false;
            // The time is taken for each: coding itself takes some.
            while let Ok(input) = self.inputs.pop() {
                let now = self.now();
                let Self { coder, outputs, totals, relay, .. } = &mut self;
                let had = sent;
                coder.take(&input, now, &mut |output| sent |= push(outputs, output, totals));
                if sent && !had {
                    relay.wake();
                }
            }
            let now = self.now();
            let Self { coder, outputs, totals, .. } = &mut self;
            coder.pass_time(now, &mut |output| sent |= push(outputs, output, totals));
            if sent {
                self.relay.wake();
            }
        }
    }

    #[expect(clippy::disallowed_methods, reason = "the relay is where time comes from")]
    fn now(&self) -> Now {
        Now(u64::try_from(self.epoch.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    fn until_deadline(&self) -> Option<Duration> {
        let deadline = self.coder.deadline()?;
        Some(Duration::from_millis(deadline.saturating_sub(self.now().0) + 1))
    }
}

fn push(outputs: &mut Producer<Output>, output: Output, totals: &Totals) -> bool {
    let pushed = outputs.push(output).is_ok();
    if !pushed {
        totals.dropped();
    }
    pushed
}
