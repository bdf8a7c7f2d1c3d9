//! What is between the relay threads and a thread that does for them what would hold packets up.
//!
//! A ring for each relay thread leads there, and one back. Full rings: orders and what is told wait, in order and unlost, as many as
//! there are remotes; datagrams are dropped, for whoever sent them repeats them.

use std::collections::VecDeque;
use std::sync::Arc;

use rtrb::{Consumer, Producer, PushError, RingBuffer};

use super::sockets::Waker;

/// What fits into a ring.
const RING: usize = 512;

/// A relay thread's end.
pub(super) struct ToControl<I, O> {
    inputs: Producer<I>,
    /// Orders that found the ring full.
    waiting: VecDeque<I>,
    outputs: Consumer<O>,
    waker: Arc<Waker>,
    stirred: bool,
    serial: u32,
}

impl<I, O> ToControl<I, O> {
    /// A number that was not given before: what is ordered at the same place later is told from what was by it.
    pub(super) fn serial(&mut self) -> u32 {
        self.serial = self.serial.wrapping_add(1);
        self.serial
    }

    /// Gives an order.
    pub(super) fn order(&mut self, input: I) {
        self.waiting.push_back(input);
        self.pass_on();
    }

    /// Hands over what may be dropped; false where there is no room for it.
    pub(super) fn offer(&mut self, input: impl FnOnce() -> I) -> bool {
        if !self.waiting.is_empty() || self.inputs.is_full() {
            return false;
        }
        self.stirred = true;
        self.inputs.push(input()).is_ok()
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

    /// What is told.
    pub(super) fn answer(&mut self) -> Option<O> {
        self.outputs.pop().ok()
    }

    pub(super) fn has_answers(&self) -> bool {
        !self.outputs.is_empty()
    }
}

/// The other end.
pub(super) struct FromRelay<I, O> {
    pub(super) inputs: Consumer<I>,
    outputs: Producer<O>,
    /// What found the ring full and must not be lost.
    waiting: VecDeque<O>,
    pub(super) waker: Arc<Waker>,
}

impl<I, O> FromRelay<I, O> {
    /// Tells something; false where it may be lost, and was.
    pub(super) fn send(&mut self, output: O, may_be_lost: bool) -> bool {
        self.pass_on();
        if self.waiting.is_empty() {
            let Err(PushError::Full(output)) = self.outputs.push(output) else { return true };
            if !may_be_lost {
                self.waiting.push_back(output);
            }
        } else if !may_be_lost {
            self.waiting.push_back(output);
        }
        !may_be_lost
    }

    pub(super) fn is_behind(&self) -> bool {
        !self.waiting.is_empty()
    }

    pub(super) fn pass_on(&mut self) {
        while let Some(output) = self.waiting.pop_front() {
            if let Err(PushError::Full(output)) = self.outputs.push(output) {
                return self.waiting.push_front(output);
            }
        }
    }
}

/// Both ends: that of the relay thread woken by `relay`, and that of the one woken by `control`.
pub(super) fn ends<I, O>(relay: &Arc<Waker>, control: &Arc<Waker>) -> (ToControl<I, O>, FromRelay<I, O>) {
    let (to_control, inputs) = RingBuffer::new(RING);
    let (outputs, from_control) = RingBuffer::new(RING);
    let there = FromRelay { inputs, outputs, waiting: VecDeque::new(), waker: Arc::clone(relay) };
    let here = ToControl {
        inputs: to_control,
        waiting: VecDeque::new(),
        outputs: from_control,
        waker: Arc::clone(control),
        stirred: false,
        serial: 0,
    };
    (here, there)
}
