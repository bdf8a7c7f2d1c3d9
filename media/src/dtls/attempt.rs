//! One handshake with one address, and its timer.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::Failure;
use super::engine::{Engine, Progress};
use super::records::{Facts, Random};

/// The first wait before a flight is sent again; each one after is twice as long (RFC 6347 §4.2.4.1).
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// How long a handshake may take.
pub(super) const LIMIT: Duration = Duration::from_secs(30);
/// How much a peer may send in a handshake: an engine keeps what it cannot read yet.
const MOST_OCTETS: usize = 65_536;
/// A peer that repeats its flight gets ours again no sooner than that, and so many times besides those of our own timer.
const PAUSE: Duration = Duration::from_millis(200);
const MOST_ANSWERS: u8 = 2;

/// A datagram to send, and where to.
pub(super) type Outgoing = (SocketAddr, Vec<u8>);

/// A handshake under way.
pub(super) struct Attempt {
    engine: Box<dyn Engine>,
    /// Where the other end is.
    pub(super) peer: SocketAddr,
    /// What tells the client's handshake from another one, where the peer is the client.
    pub(super) random: Option<Random>,
    ends: Instant,
    sent: Instant,
    /// When the last flight is due again, and how long it has waited for that.
    due: Option<(Instant, Duration)>,
    /// How often the last flight was sent again because the peer has repeated its own.
    answers: u8,
    octets: usize,
}

impl Attempt {
    /// Begins; what a client sends first goes out at once.
    pub(super) fn new(
        engine: Box<dyn Engine>,
        peer: SocketAddr,
        random: Option<Random>,
        now: Instant,
        out: &mut Vec<Outgoing>,
    ) -> Self {
        let ends = now + LIMIT;
        let mut attempt = Self { engine, peer, random, ends, sent: now, due: None, answers: 0, octets: 0 };
        attempt.send(now, out);
        attempt
    }

    /// Takes a datagram.
    pub(super) fn receive(
        &mut self,
        now: Instant,
        datagram: &[u8],
        facts: &Facts,
        out: &mut Vec<Outgoing>,
    ) -> Result<Progress, Failure> {
        self.octets += datagram.len();
        if self.octets > MOST_OCTETS {
            return Err(Failure::Protocol);
        }
        if let Some(number) = facts.alert {
            return Err(Failure::Alert(number));
        }
        let mut progress = self.engine.receive(now, datagram, facts);
        if let Ok(Progress::Repeated) = progress
            && self.answers < MOST_ANSWERS
            && now >= self.sent + PAUSE
        {
            self.answers += 1;
            progress = self.again(now, FIRST_WAIT, out).map(|()| Progress::Going);
        } else if self.send(now, out) {
            self.answers = 0;
        }
        progress
    }

    /// Does what is due.
    ///
    /// # Errors
    /// Why the handshake is over.
    pub(super) fn handle_timeout(&mut self, now: Instant, out: &mut Vec<Outgoing>) -> Result<(), Failure> {
        if now >= self.ends {
            return Err(Failure::Timeout);
        }
        match (self.engine.due(), self.due) {
            (Some(due), _) if now >= due => {
                let repeated = self.engine.repeat(now);
                self.send(now, out);
                repeated
            }
            (None, Some((due, wait))) if now >= due => self.again(now, 2 * wait, out),
            _ => Ok(()),
        }
    }

    /// When [`Self::handle_timeout`] has something to do.
    pub(super) fn deadline(&self) -> Instant {
        let due = self.engine.due().or(self.due.map(|(due, _)| due));
        due.map_or(self.ends, |due| due.min(self.ends))
    }

    fn again(&mut self, now: Instant, wait: Duration, out: &mut Vec<Outgoing>) -> Result<(), Failure> {
        let repeated = self.engine.repeat(now);
        self.send(now, out);
        self.due = Some((now + wait, wait));
        repeated
    }

    /// Takes what the engine has to send; true where that was a flight.
    fn send(&mut self, now: Instant, out: &mut Vec<Outgoing>) -> bool {
        let before = out.len();
        while let Some(datagram) = self.engine.transmit() {
            out.push((self.peer, datagram));
        }
        let any = out.len() > before;
        if any {
            self.sent = now;
            self.due = Some((now + FIRST_WAIT, FIRST_WAIT));
        }
        any
    }

    /// What is left of it when it is done.
    pub(super) fn done(self) -> Finished {
        Finished { engine: self.engine, peer: self.peer, random: self.random, octets: 0, given_up: false }
    }
}

/// A handshake that is done: it answers a peer that has not heard so, and hears of the end.
pub(super) struct Finished {
    engine: Box<dyn Engine>,
    pub(super) peer: SocketAddr,
    pub(super) random: Option<Random>,
    octets: usize,
    /// The last flight is not sent again any more.
    given_up: bool,
}

impl Finished {
    /// Takes a datagram; true where the peer has ended the association.
    pub(super) fn receive(
        &mut self,
        now: Instant,
        datagram: &[u8],
        facts: &Facts,
        out: &mut Vec<Outgoing>,
    ) -> bool {
        // What is not protected anybody could have sent: no more of it is kept than a handshake may have.
        if !facts.protected {
            self.octets += datagram.len();
            if self.octets > MOST_OCTETS {
                return false;
            }
        }
        let closed = matches!(self.engine.receive(now, datagram, facts), Ok(Progress::Closed));
        self.send(out);
        closed
    }

    /// Does what is due: what the peer has not said to have got is sent again.
    pub(super) fn handle_timeout(&mut self, now: Instant, out: &mut Vec<Outgoing>) {
        if self.deadline().is_some_and(|due| now >= due) {
            self.given_up |= self.engine.repeat(now).is_err();
            self.send(out);
        }
    }

    /// When [`Self::handle_timeout`] has something to do.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.engine.due().filter(|_| !self.given_up)
    }

    /// Tells the peer that it is over.
    pub(super) fn close(&mut self, now: Instant, out: &mut Vec<Outgoing>) {
        self.engine.close(now);
        self.send(out);
    }

    fn send(&mut self, out: &mut Vec<Outgoing>) {
        while let Some(datagram) = self.engine.transmit() {
            out.push((self.peer, datagram));
        }
    }
}
