//! An association: the handshakes of its terms, and the keys of the last one that was done.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::attempt::{Attempt, Finished, Outgoing};
use super::engine::{Progress, Verify};
use super::keys::protection;
use super::maker::Maker;
use super::outdated::may_do_with_older;
use super::records::{Facts, Random};
use super::verify::accepts;
use super::{Agreed, Failure, Fingerprint, Role, Standing, Terms};
use crate::srtp::Protection;

/// Handshakes of clients at once, each from an address of its own: until one is done, nobody knows which of them is the peer.
const MOST_ATTEMPTS: usize = 4;
/// Handshakes that clients may begin one after another, and how soon one more: each costs a key.
const MOST_HELLOS: u32 = 16;
const HELLO_AGAIN: Duration = Duration::from_secs(1);

/// What an association has to tell.
pub(super) enum News {
    /// It has come as far as that.
    Standing(Standing),
    /// A handshake is done, with a peer at that address.
    Keyed(Agreed, Arc<Protection>, SocketAddr),
    /// Its peer cannot do the newer of two versions.
    Outdated,
}

/// What a turn of an association brings.
#[derive(Default)]
pub(super) struct Out {
    pub(super) datagrams: Vec<Outgoing>,
    pub(super) news: Vec<News>,
}

/// An association with a peer.
///
/// ```text
///                                 ┌──────── another ClientHello, or another address ────────┐
///                                 ▼                                                         │
///   Waiting ── ClientHello, ── attempts ── certificate and Finished are right ──► finished ─┘
///              or our own         │                                                 │
///                                 └── alert, wrong certificate, 30 s ──► Failed      └── close_notify ──► Closed
/// ```
///
/// What was finished stays in use until another handshake is finished: who only begins one disturbs nothing.
pub(super) struct Association {
    terms: Arc<Terms>,
    /// Shared with the handshakes: more may come while they are under way.
    fingerprints: Arc<Mutex<Box<[Fingerprint]>>>,
    maker: Result<Maker, Failure>,
    /// The older version is spoken, where there are two.
    older: bool,
    /// That was found out here, by a handshake that failed.
    found_out: bool,
    attempts: Vec<Attempt>,
    finished: Option<Finished>,
    /// Of a client: where the peer is.
    destination: Option<SocketAddr>,
    /// How many clients may begin until then.
    hellos: (u32, Instant),
}

impl Association {
    /// One that waits for its peer, or for where its peer is; it is known whether that speaks the `older` version only.
    pub(super) fn new(terms: &Arc<Terms>, older: bool, now: Instant, out: &mut Out) -> Self {
        let fingerprints = Arc::new(Mutex::new(terms.fingerprints.clone()));
        let expected = Arc::clone(&fingerprints);
        let verify: Verify = Arc::new(move |certificate: &[u8]| {
            accepts(&expected.lock().unwrap_or_else(PoisonError::into_inner), certificate)
        });
        let maker = Maker::new(terms, &verify);
        out.news.push(News::Standing(match &maker {
            Ok(_) => Standing::Waiting,
            Err(failure) => Standing::Failed(*failure),
        }));
        Self {
            terms: Arc::clone(terms),
            fingerprints,
            maker,
            older,
            found_out: false,
            attempts: Vec::new(),
            finished: None,
            destination: None,
            hellos: (MOST_HELLOS, now),
        }
    }

    pub(super) fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Goes on with these terms where they are of the same association; false where they need another one.
    pub(super) fn update(&mut self, terms: &Arc<Terms>) -> bool {
        if self.terms.association != terms.association
            || self.terms.role != terms.role
            || self.terms.suites != terms.suites
            || self.terms.newest != terms.newest
            || !Arc::ptr_eq(&self.terms.identity, &terms.identity)
        {
            return false;
        }
        self.terms = Arc::clone(terms);
        *self.fingerprints.lock().unwrap_or_else(PoisonError::into_inner) = terms.fingerprints.clone();
        true
    }

    /// The peer is there: as the client we begin, or go on there.
    pub(super) fn direct(&mut self, now: Instant, destination: SocketAddr, out: &mut Out) {
        let before = self.destination.replace(destination);
        if self.terms.role == Role::Server || self.finished.is_some() {
            return;
        }
        for attempt in &mut self.attempts {
            attempt.peer = destination;
        }
        if self.attempts.is_empty() && before != Some(destination) {
            self.begin(now, destination, None, out);
        }
    }

    fn begin(&mut self, now: Instant, peer: SocketAddr, random: Option<Random>, out: &mut Out) {
        let Ok(maker) = &self.maker else { return };
        match maker.begin(now, self.older) {
            Ok(engine) => {
                self.attempts.push(Attempt::new(engine, peer, random, now, &mut out.datagrams));
                self.tell(Standing::Handshaking, out);
            }
            Err(failure) => self.tell(Standing::Failed(failure), out),
        }
    }

    /// Takes a datagram from an address that may be the peer's; false where it is of no handshake.
    pub(super) fn receive(
        &mut self,
        now: Instant,
        source: SocketAddr,
        datagram: &[u8],
        out: &mut Out,
    ) -> bool {
        let Some(facts) = Facts::read(datagram) else { return false };
        if self.terms.role == Role::Server
            && let Some(random) = facts.hello
            && !self.admit(now, source, random, out)
        {
            return false;
        }
        let of_client = self.terms.role == Role::Client;
        let random = facts.hello;
        let is_its = |attempt: &Attempt| {
            of_client || attempt.peer == source && (random.is_none() || attempt.random == random)
        };
        // A protected alert is of what was finished, if anything was: that has keys for certain.
        let of_finished = facts.protected_alert && self.finished.is_some();
        let attempt = self.attempts.iter().position(is_its).filter(|_| !of_finished);
        match (attempt, &mut self.finished) {
            (Some(at), _) => self.attempted(now, at, datagram, &facts, out),
            (None, Some(finished)) => {
                if finished.receive(now, datagram, &facts, &mut out.datagrams) {
                    self.finished = None;
                    out.news.push(News::Standing(Standing::Closed));
                }
            }
            (None, None) => return false,
        }
        true
    }

    /// Whether a ClientHello is of a handshake that there is, or may begin one.
    fn admit(&mut self, now: Instant, source: SocketAddr, random: Random, out: &mut Out) -> bool {
        let known = |peer: SocketAddr, of: Option<Random>| peer == source && of == Some(random);
        let finished = self.finished.as_ref();
        if finished.is_some_and(|finished| known(finished.peer, finished.random))
            || self.attempts.iter().any(|attempt| known(attempt.peer, attempt.random))
        {
            return true;
        }
        let others = self.attempts.iter().filter(|attempt| attempt.peer != source).count();
        if others >= MOST_ATTEMPTS || !self.may_begin(now) {
            return false;
        }
        // From the same address it is the same client, that has begun anew.
        self.attempts.retain(|attempt| attempt.peer != source);
        self.begin(now, source, Some(random), out);
        true
    }

    fn may_begin(&mut self, now: Instant) -> bool {
        let (left, since) = &mut self.hellos;
        let more = now.saturating_duration_since(*since).as_secs() / HELLO_AGAIN.as_secs();
        if more > 0 {
            *left = MOST_HELLOS.min(left.saturating_add(u32::try_from(more).unwrap_or(u32::MAX)));
            *since = now;
        }
        let may = *left > 0;
        *left = left.saturating_sub(1);
        may
    }

    fn attempted(&mut self, now: Instant, at: usize, datagram: &[u8], facts: &Facts, out: &mut Out) {
        let Some(attempt) = self.attempts.get_mut(at) else { return };
        let exported = match attempt.receive(now, datagram, facts, &mut out.datagrams) {
            Ok(Progress::Going | Progress::Repeated) => return,
            Ok(Progress::Closed) => return self.fail(now, at, Failure::Alert(0), out),
            Err(failure) => return self.fail(now, at, failure, out),
            Ok(Progress::Done(exported)) => exported,
        };
        let Some(keys) = protection(&exported, self.terms.role) else {
            return self.fail(now, at, Failure::Internal, out);
        };
        let attempt = self.attempts.swap_remove(at);
        if std::mem::take(&mut self.found_out) && exported.agreed.version < self.terms.newest {
            out.news.push(News::Outdated);
        }
        out.news.push(News::Keyed(exported.agreed, Arc::new(keys), attempt.peer));
        self.finished = Some(attempt.done());
        // The peer has proved which of them is it.
        self.attempts.clear();
    }

    fn fail(&mut self, now: Instant, at: usize, failure: Failure, out: &mut Out) {
        if at >= self.attempts.len() {
            return;
        }
        let peer = self.attempts.swap_remove(at).peer;
        let newer = !self.older && self.maker.as_ref().is_ok_and(Maker::has_newer);
        if newer && self.finished.is_none() && may_do_with_older(failure) {
            self.older = true;
            // Anybody could have sent an alert: what is remembered is what was seen to work, or to fail where nothing else can be tried.
            self.found_out = true;
            match self.terms.role {
                Role::Client => return self.begin(now, peer, None, out),
                Role::Server if failure == Failure::NoCertificate => out.news.push(News::Outdated),
                Role::Server => {}
            }
        }
        if self.attempts.is_empty() {
            self.tell(Standing::Failed(failure), out);
        }
    }

    /// Tells how far it is, but where there are keys: those count.
    fn tell(&self, standing: Standing, out: &mut Out) {
        if self.finished.is_none() {
            out.news.push(News::Standing(standing));
        }
    }

    /// Does what is due.
    pub(super) fn handle_timeout(&mut self, now: Instant, out: &mut Out) {
        let mut at = 0;
        while let Some(attempt) = self.attempts.get_mut(at) {
            match attempt.handle_timeout(now, &mut out.datagrams) {
                Ok(()) => at += 1,
                Err(failure) => self.fail(now, at, failure, out),
            }
        }
        if let Some(finished) = &mut self.finished {
            finished.handle_timeout(now, &mut out.datagrams);
        }
    }

    /// When [`Self::handle_timeout`] has something to do.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let finished = self.finished.as_ref().and_then(Finished::deadline);
        self.attempts.iter().map(Attempt::deadline).chain(finished).min()
    }

    /// Ends it; a peer with which a handshake was done is told.
    pub(super) fn close(&mut self, now: Instant, out: &mut Out) {
        if let Some(finished) = &mut self.finished {
            finished.close(now, &mut out.datagrams);
        }
    }
}
