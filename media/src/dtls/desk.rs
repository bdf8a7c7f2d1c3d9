//! All associations, each at its place.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::association::{Association, News, Out};
use super::outdated::Outdated;
use super::{Agreed, Failure, Failures, Standing, Terms};
use crate::ContextId;
use crate::ice::Component;
use crate::relay::DtlsGauges;
use crate::srtp::Protection;

/// Whose an association is: a remote's, for one of its components; where RTP and RTCP share a port the first (RFC 5764 §4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) context: ContextId,
    pub(crate) component: Component,
}

/// What the desk is told.
#[derive(Debug)]
pub(crate) enum Input {
    /// An association is due, that answers go by that number of, or goes on with these terms.
    Begin(Place, u32, Arc<Terms>),
    /// That is where the peer is.
    Direct(Place, SocketAddr),
    /// A datagram has come from there.
    Datagram(Place, SocketAddr, Box<[u8]>),
    /// No association is due any more.
    End(Place),
}

/// What the desk answers.
#[derive(Debug)]
pub(crate) enum Output {
    /// A datagram is to be sent.
    Datagram(Place, SocketAddr, Vec<u8>),
    /// The association of that number has come so far.
    Standing(Place, u32, Standing),
    /// It has keys, and the peer is there.
    Keyed(Place, u32, Agreed, Arc<Protection>, SocketAddr),
}

/// What the desk has done, for those who look from elsewhere: one writer.
#[derive(Debug, Default)]
pub(crate) struct Tallies {
    associations: AtomicU64,
    keyed: AtomicU64,
    failed: [AtomicU64; Failure::COUNT],
    refused: AtomicU64,
    lost: AtomicU64,
}

impl Tallies {
    /// A datagram to a peer found no room.
    pub(crate) fn lost(&self) {
        add_one(&self.lost);
    }

    pub(crate) fn read(&self) -> DtlsGauges {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        DtlsGauges {
            associations: read(&self.associations),
            keyed: read(&self.keyed),
            failed: Failures::new(self.failed.each_ref().map(read)),
            refused: read(&self.refused),
            lost: read(&self.lost),
            unkeyed: 0,
        }
    }
}

fn add_one(counter: &AtomicU64) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
}

/// All associations. No clock, no I/O: whoever drives it polls until there is nothing, after each input.
pub(crate) struct Desk {
    associations: BTreeMap<Place, (u32, Association)>,
    deadlines: BTreeSet<(Instant, Place)>,
    most: usize,
    outdated: Outdated,
    outputs: VecDeque<Output>,
    tallies: Arc<Tallies>,
}

impl Desk {
    /// With room for so many associations.
    pub(crate) fn new(most: usize, tallies: Arc<Tallies>) -> Self {
        Self {
            associations: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            most,
            outdated: Outdated::default(),
            outputs: VecDeque::new(),
            tallies,
        }
    }

    /// Takes an order or a datagram.
    pub(crate) fn handle(&mut self, now: Instant, input: Input) {
        match input {
            Input::Begin(place, serial, terms) => self.begin(now, place, serial, &terms),
            Input::Direct(place, to) => self.work(place, |it, out| it.direct(now, to, out)),
            Input::Datagram(place, source, octets) => {
                let mut taken = false;
                self.work(place, |it, out| taken = it.receive(now, source, &octets, out));
                if !taken {
                    add_one(&self.tallies.refused);
                }
            }
            Input::End(place) => {
                self.work(place, |it, out| it.close(now, out));
                self.take(place);
                self.count();
            }
        }
    }

    fn begin(&mut self, now: Instant, place: Place, serial: u32, terms: &Arc<Terms>) {
        let there = self.associations.get_mut(&place).map(|(_, association)| association.update(terms));
        if there == Some(true) {
            return;
        }
        if there.is_none() && self.associations.len() >= self.most {
            let standing = Standing::Failed(Failure::Limit);
            return self.tell(place, serial, News::Standing(standing));
        }
        // The keys of the one before go on at the relay until there are others; its peer has gone on to the next as well.
        self.take(place);
        let mut out = Out::default();
        let older = self.outdated.has(&terms.fingerprints);
        self.associations.insert(place, (serial, Association::new(terms, older, now, &mut out)));
        self.deliver(place, serial, out);
        self.count();
    }

    fn take(&mut self, place: Place) {
        let Some((_, association)) = self.associations.remove(&place) else { return };
        if let Some(deadline) = association.deadline() {
            self.deadlines.remove(&(deadline, place));
        }
    }

    fn count(&self) {
        self.tallies.associations.store(self.associations.len() as u64, Ordering::Relaxed);
    }

    /// Does something with an association, and what comes of it.
    fn work(&mut self, place: Place, work: impl FnOnce(&mut Association, &mut Out)) {
        let Some((serial, association)) = self.associations.get_mut(&place) else { return };
        let before = association.deadline();
        let mut out = Out::default();
        work(association, &mut out);
        let (serial, after) = (*serial, association.deadline());
        if before != after {
            before.map(|deadline| self.deadlines.remove(&(deadline, place)));
            after.map(|deadline| self.deadlines.insert((deadline, place)));
        }
        self.deliver(place, serial, out);
    }

    fn deliver(&mut self, place: Place, serial: u32, out: Out) {
        // First the datagrams: a peer that has the last flight expects media, not the other way round.
        let datagrams = out.datagrams.into_iter();
        self.outputs.extend(datagrams.map(|(to, octets)| Output::Datagram(place, to, octets)));
        for news in out.news {
            self.tell(place, serial, news);
        }
    }

    fn tell(&mut self, place: Place, serial: u32, news: News) {
        let output = match news {
            News::Outdated => {
                if let Some((_, association)) = self.associations.get(&place) {
                    self.outdated.add(&association.terms().fingerprints);
                }
                return;
            }
            News::Standing(standing) => {
                if let Standing::Failed(failure) = standing
                    && let Some(counter) = self.tallies.failed.get(failure.index())
                {
                    add_one(counter);
                }
                Output::Standing(place, serial, standing)
            }
            News::Keyed(agreed, keys, from) => {
                add_one(&self.tallies.keyed);
                Output::Keyed(place, serial, agreed, keys, from)
            }
        };
        self.outputs.push_back(output);
    }

    /// Does what is due.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        while let Some((deadline, place)) = self.deadlines.first().copied() {
            if deadline > now {
                break;
            }
            self.work(place, |it, out| it.handle_timeout(now, out));
            // Were it still due, this would go on for ever.
            self.deadlines.remove(&(deadline, place));
        }
    }

    /// When [`Self::handle_timeout`] has something to do.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    /// What is to be done.
    pub(crate) fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }
}
