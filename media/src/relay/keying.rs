//! The thread of handshakes, and what is between it and the relay threads.
//!
//! A ring for each relay thread leads to the [`Desk`], and one back. Full rings: orders and keys wait, in order and unlost, as many as
//! there are remotes; datagrams are dropped and counted, for whoever sent them repeats them (RFC 6347 §4.2.4).

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rtrb::{Consumer, Producer, PushError, RingBuffer};

use super::sockets::{Poller, Waker};
use crate::dtls::{Desk, Input, Output, Place, Tallies};

/// What fits into a ring.
const RING: usize = 512;
/// Inputs taken from one relay thread before the next has its turn: a handshake message may cost a millisecond.
const INPUTS_PER_TURN: usize = 16;
/// How soon what found a ring full is tried again.
const RETRY: Duration = Duration::from_millis(5);

/// A relay thread's end.
pub(super) struct ToDesk {
    inputs: Producer<Input>,
    /// Orders that found the ring full.
    waiting: VecDeque<Input>,
    outputs: Consumer<Output>,
    waker: Arc<Waker>,
    stirred: bool,
    /// How many associations were ordered.
    serial: u32,
}

impl ToDesk {
    /// What the next association is told from others by: a place may have another one before what was said of the last has come.
    pub(super) fn serial(&mut self) -> u32 {
        self.serial = self.serial.wrapping_add(1);
        self.serial
    }

    /// Gives an order.
    pub(super) fn order(&mut self, input: Input) {
        self.waiting.push_back(input);
        self.pass_on();
    }

    /// Hands a datagram over; false where there is no room for it.
    pub(super) fn datagram(&mut self, place: Place, source: SocketAddr, octets: &[u8]) -> bool {
        if !self.waiting.is_empty() || self.inputs.is_full() {
            return false;
        }
        self.stirred = true;
        self.inputs.push(Input::Datagram(place, source, octets.into())).is_ok()
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

    /// What the desk has answered.
    pub(super) fn answer(&mut self) -> Option<Output> {
        self.outputs.pop().ok()
    }

    pub(super) fn has_answers(&self) -> bool {
        !self.outputs.is_empty()
    }
}

/// The desk's end of what is between it and a relay thread.
struct FromRelay {
    inputs: Consumer<Input>,
    outputs: Producer<Output>,
    /// Keys and standings that found the ring full.
    waiting: VecDeque<Output>,
    waker: Arc<Waker>,
}

impl FromRelay {
    /// Sends an answer; false where it was dropped.
    fn send(&mut self, output: Output) -> bool {
        self.pass_on();
        let datagram = matches!(output, Output::Datagram(..));
        if self.waiting.is_empty() {
            let Err(PushError::Full(output)) = self.outputs.push(output) else { return true };
            if !datagram {
                self.waiting.push_back(output);
            }
        } else if !datagram {
            self.waiting.push_back(output);
        } else {
            return false;
        }
        !datagram
    }

    fn pass_on(&mut self) {
        while let Some(output) = self.waiting.pop_front() {
            if let Err(PushError::Full(output)) = self.outputs.push(output) {
                return self.waiting.push_front(output);
            }
        }
    }
}

/// The thread.
pub(super) struct Keeper {
    desk: Desk,
    relays: Vec<FromRelay>,
    poller: Poller,
    waker: Arc<Waker>,
    stop: Arc<AtomicBool>,
    tallies: Arc<Tallies>,
}

impl Keeper {
    /// One with room for so many associations.
    pub(super) fn new(most: usize, stop: Arc<AtomicBool>) -> std::io::Result<Self> {
        let (poller, waker) = (Poller::new()?, Arc::new(Waker::new()?));
        poller.add_waker(&waker)?;
        let tallies = Arc::new(Tallies::default());
        let desk = Desk::new(most, Arc::clone(&tallies));
        Ok(Self { desk, relays: Vec::new(), poller, waker, stop, tallies })
    }

    /// The other end for the next relay thread, that is woken by this.
    pub(super) fn connect(&mut self, relay: &Arc<Waker>) -> ToDesk {
        let (to_desk, inputs) = RingBuffer::new(RING);
        let (outputs, from_desk) = RingBuffer::new(RING);
        self.relays.push(FromRelay { inputs, outputs, waiting: VecDeque::new(), waker: Arc::clone(relay) });
        ToDesk {
            inputs: to_desk,
            waiting: VecDeque::new(),
            outputs: from_desk,
            waker: Arc::clone(&self.waker),
            stirred: false,
            serial: 0,
        }
    }

    pub(super) fn waker(&self) -> Arc<Waker> {
        Arc::clone(&self.waker)
    }

    pub(super) fn tallies(&self) -> Arc<Tallies> {
        Arc::clone(&self.tallies)
    }

    /// Runs until it is stopped.
    pub(super) fn run(mut self) {
        while !self.stop.load(Ordering::Acquire) {
            self.waker.about_to_sleep();
            let timeout = self.until_due();
            self.poller.wait(timeout);
            self.waker.awake();
            if self.poller.len() > 0 {
                self.waker.clear();
            }
            self.turn();
        }
    }

    fn until_due(&self) -> Option<Duration> {
        if self.relays.iter().any(|relay| !relay.inputs.is_empty()) {
            return Some(Duration::ZERO);
        }
        let behind = self.relays.iter().any(|relay| !relay.waiting.is_empty()).then_some(RETRY);
        // A millisecond more, since what waits rounds down.
        let due = self.desk.deadline();
        let due = due.map(|due| due.saturating_duration_since(now()) + Duration::from_millis(1));
        match (behind, due) {
            (Some(behind), Some(due)) => Some(behind.min(due)),
            (behind, due) => behind.or(due),
        }
    }

    fn turn(&mut self) {
        for at in 0..self.relays.len() {
            for taken in 0..INPUTS_PER_TURN {
                let Some(relay) = self.relays.get_mut(at) else { break };
                let Ok(input) = relay.inputs.pop() else { break };
                if taken == 0 {
                    // It may wait for room.
                    relay.waker.wake();
                }
                self.desk.handle(now(), input);
                self.deliver();
            }
        }
        self.desk.handle_timeout(now());
        self.deliver();
        for relay in &mut self.relays {
            if !relay.waiting.is_empty() {
                relay.pass_on();
                relay.waker.wake();
            }
        }
    }

    fn deliver(&mut self) {
        while let Some(output) = self.desk.poll() {
            let (Output::Datagram(place, ..) | Output::Standing(place, ..) | Output::Keyed(place, ..)) =
                &output;
            let thread = usize::from(place.context.pair.thread.0);
            let Some(relay) = self.relays.get_mut(thread) else { continue };
            if !relay.send(output) {
                self.tallies.lost();
            }
            relay.waker.wake();
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the relay is where time comes from")]
fn now() -> Instant {
    Instant::now()
}
