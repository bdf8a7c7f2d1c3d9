//! The thread of handshakes. Datagrams that find no room on the way to the [`Desk`] or back are counted (RFC 6347 §4.2.4).

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::control::{FromRelay, ToControl, ends};
use super::sockets::{Poller, Waker};
use crate::dtls::{Desk, Input, Output, Place, Tallies};

/// Inputs taken from one relay thread before the next has its turn: a handshake message may cost a millisecond.
const INPUTS_PER_TURN: usize = 16;
/// How soon what found a ring full is tried again.
const RETRY: Duration = Duration::from_millis(5);

/// A relay thread's end.
pub(super) type ToDesk = ToControl<Input, Output>;

impl ToDesk {
    /// Hands a datagram over; false where there is no room for it.
    pub(super) fn datagram(&mut self, place: Place, source: SocketAddr, octets: &[u8]) -> bool {
        self.offer(|| Input::Datagram(place, source, octets.into()))
    }
}

/// The thread.
pub(super) struct Keeper {
    desk: Desk,
    relays: Vec<FromRelay<Input, Output>>,
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
        let (to_desk, from_relay) = ends(relay, &self.waker);
        self.relays.push(from_relay);
        to_desk
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
        let behind = self.relays.iter().any(FromRelay::is_behind).then_some(RETRY);
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
            if relay.is_behind() {
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
            let datagram = matches!(output, Output::Datagram(..));
            if !relay.send(output, datagram) {
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
