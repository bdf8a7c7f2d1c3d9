//! The virtual network: datagrams in flight, and what befalls them.

use bytes::Bytes;
use sip::time::Mono;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::SocketAddr;
use std::time::Duration;

/// A datagram on its way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Datagram {
    /// When it arrives.
    pub at: Mono,
    /// Its number, in the order of sending.
    pub nth: u64,
    /// Who sent it.
    pub from: SocketAddr,
    /// Who gets it.
    pub to: SocketAddr,
    /// What it says.
    pub bytes: Bytes,
}

impl Datagram {
    /// The start line and header fields, as far as they are text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

/// What becomes of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It arrives.
    Arrives,
    /// It is lost.
    Lost,
    /// It arrives twice.
    Doubled,
    /// It arrives that much later.
    Late(Duration),
}

/// Decides the fate of each datagram.
pub type Weather = Box<dyn FnMut(&Datagram) -> Fate>;

/// What happened, in the order in which it did: of what happens at one time, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happened {
    /// That one of the log was sent.
    Sent(usize),
    /// That one of those that arrived did.
    Arrived(usize),
    /// The node died, and another life of it began.
    Reborn,
}

/// Datagrams in flight, and all that were ever sent.
pub struct Network {
    latency: Duration,
    weather: Weather,
    flying: BinaryHeap<Reverse<Datagram>>,
    sent: u64,
    /// Everything that was sent, lost ones included.
    pub log: Vec<Datagram>,
    /// Everything that arrived, in order.
    pub arrived: Vec<Datagram>,
    /// Everything that happened.
    pub story: Vec<Happened>,
}

impl Network {
    /// A network on which every datagram takes `latency`.
    pub fn new(latency: Duration, weather: Weather) -> Self {
        Self {
            latency,
            weather,
            flying: BinaryHeap::new(),
            sent: 0,
            log: Vec::new(),
            arrived: Vec::new(),
            story: Vec::new(),
        }
    }

    /// Sends a datagram.
    pub fn send(&mut self, now: Mono, from: SocketAddr, to: SocketAddr, bytes: Bytes) {
        self.sent += 1;
        let datagram = Datagram { at: now + self.latency, nth: self.sent, from, to, bytes };
        self.story.push(Happened::Sent(self.log.len()));
        self.log.push(datagram.clone());
        match (self.weather)(&datagram) {
            Fate::Arrives => self.flying.push(Reverse(datagram)),
            Fate::Lost => {}
            Fate::Doubled => {
                self.flying.push(Reverse(Datagram { at: datagram.at + self.latency, ..datagram.clone() }));
                self.flying.push(Reverse(datagram));
            }
            Fate::Late(more) => self.flying.push(Reverse(Datagram { at: datagram.at + more, ..datagram })),
        }
    }

    /// When a datagram of the log was sent.
    pub fn sent_at(&self, datagram: &Datagram) -> Mono {
        let since = datagram.at.since(Mono::default());
        Mono::from_epoch(since.saturating_sub(self.latency))
    }

    /// When the next datagram arrives.
    pub fn next(&self) -> Option<Mono> {
        self.flying.peek().map(|Reverse(datagram)| datagram.at)
    }

    /// Takes a datagram that has arrived.
    pub fn arrive(&mut self, now: Mono) -> Option<Datagram> {
        self.next().filter(|at| *at <= now)?;
        let Reverse(datagram) = self.flying.pop()?;
        self.story.push(Happened::Arrived(self.arrived.len()));
        self.arrived.push(datagram.clone());
        Some(datagram)
    }
}
