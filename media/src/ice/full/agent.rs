//! A session with one peer: its checks, what they have found, and when the next is due (RFC 8445 §6.1.4, §8).

use std::collections::VecDeque;
use std::net::SocketAddr;

use super::checking::Check;
use super::consent::Path;
use super::pairs::Pairs;
use super::{Candidate, CandidateKind, Via};
use crate::chance::Chance;
use crate::ice::{Component, Credentials};
use crate::stun::{self, Key};

/// RFC 8445 §14.2: between two new checks of a session.
pub(super) const PACE_MILLIS: u64 = 50;
/// RFC 8863 §4: so long a session does not fail for want of pairs, as the peer's checks may still bring some.
const PATIENCE_MILLIS: u64 = 39_500;
/// How long a better pair is waited for once one works: between the two ports, and by way of a relay.
const BETTER_DIRECT_MILLIS: u64 = 300;
const BETTER_RELAYED_MILLIS: u64 = 800;

/// What the two sides have told one another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Terms {
    /// Our credentials.
    pub(crate) local: Credentials,
    /// The peer's.
    pub(crate) remote: Credentials,
    /// We choose the pairs, until a conflict says otherwise (RFC 8445 §6.1.1).
    pub(crate) controlling: bool,
    /// The peer makes no checks.
    pub(crate) lite: bool,
    /// RTCP is a component of its own.
    pub(crate) two: bool,
    /// The peer's candidates.
    pub(crate) candidates: Vec<Candidate>,
}

/// Something to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Datagram {
    pub(crate) component: Component,
    pub(crate) via: Via,
    pub(crate) to: SocketAddr,
    pub(crate) octets: Vec<u8>,
}

/// How far a session has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Progress {
    /// Checks are made.
    #[default]
    Checking,
    /// Each component has a pair that works.
    Connected,
    /// Each has one that was nominated.
    Completed,
    /// None is left, or the peer does not consent any more.
    Failed,
}

impl Progress {
    /// A number for it, from 1.
    pub(crate) fn number(self) -> u32 {
        match self {
            Self::Checking => 1,
            Self::Connected => 2,
            Self::Completed => 3,
            Self::Failed => 4,
        }
    }

    /// What has that number.
    pub(crate) fn of(number: u32) -> Option<Self> {
        let all = [Self::Checking, Self::Connected, Self::Completed, Self::Failed];
        all.into_iter().find(|progress| progress.number() == number)
    }

    /// As the API names it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Checking => "checking",
            Self::Connected => "connected",
            Self::Completed => "completed",
            Self::Failed => "failed",
        }
    }
}

/// What has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// The peer is at that address too.
    Valid(Component, Via, SocketAddr),
    /// Media goes there, from the component's address of that kind.
    Selected(Component, Via, SocketAddr, (CandidateKind, CandidateKind)),
    /// Nothing must be sent any more (RFC 7675 §5.1).
    Lost(Component),
    Progress(Progress),
}

/// One peer's session.
pub(crate) struct Agent {
    pub(super) terms: Terms,
    /// Of the peer's password and of ours.
    pub(super) key: Key,
    pub(super) controlling: bool,
    pub(super) tie: u64,
    pub(super) hosts: Vec<(Component, SocketAddr)>,
    pub(super) reflexive: Vec<(Component, SocketAddr)>,
    pub(super) pairs: Pairs,
    pub(super) checks: Vec<Check>,
    pub(super) paths: [Path; 2],
    pub(super) progress: Progress,
    pub(super) out: VecDeque<Datagram>,
    pub(super) events: VecDeque<Event>,
    pub(super) chance: Chance,
    pub(super) next_check: u64,
    /// When it may fail for want of pairs.
    fails: Option<u64>,
    /// What carries media until this one does (RFC 8445 §9).
    pub(super) before: Option<Box<Self>>,
}

impl std::fmt::Debug for Agent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Agent")
            .field("controlling", &self.controlling)
            .field("progress", &self.progress)
            .field("pairs", &self.pairs)
            .finish_non_exhaustive()
    }
}

impl Agent {
    /// A session that begins now. `seed` is chance for its transaction IDs and its tie-breaker.
    pub(crate) fn new(terms: Terms, seed: &[u8; 32], now: u64) -> Self {
        let mut chance = Chance::new(seed);
        let tie = u64::try_from(chance.next() & u128::from(u64::MAX)).unwrap_or_default();
        Self {
            key: stun::key(&terms.remote.password),
            controlling: terms.controlling || terms.lite,
            terms,
            tie,
            hosts: Vec::new(),
            reflexive: Vec::new(),
            pairs: Pairs::default(),
            checks: Vec::new(),
            paths: Default::default(),
            progress: Progress::Checking,
            out: VecDeque::new(),
            events: VecDeque::new(),
            chance,
            next_check: now,
            fails: Some(now + PATIENCE_MILLIS),
            before: None,
        }
    }

    /// A candidate of ours; with the same base as another one it is only known for what it is.
    pub(crate) fn local(&mut self, component: Component, kind: CandidateKind, address: SocketAddr) {
        match kind {
            CandidateKind::Host => {
                self.hosts.push((component, address));
                self.pairs.base(component, Via::Direct, address);
            }
            CandidateKind::Relayed => self.pairs.base(component, Via::Relayed, address),
            CandidateKind::ServerReflexive | CandidateKind::PeerReflexive => {
                self.reflexive.push((component, address));
            }
        }
    }

    /// All candidates of ours are known: pairs the peer's with them.
    pub(crate) fn begin(&mut self) {
        for candidate in std::mem::take(&mut self.terms.candidates) {
            if candidate.component == Component::Rtp || self.terms.two {
                self.pairs.remote(candidate);
            }
        }
        self.pairs.unfreeze(self.controlling);
    }

    /// This one in place of another: media goes on as it went until this one has pairs (RFC 8445 §9).
    #[must_use]
    pub(crate) fn after(mut self, mut before: Self) -> Self {
        let carries = before.paths.iter().any(|path| path.selected.is_some());
        let older = if carries { None } else { before.before.take() };
        before.before = None;
        self.before = older.or(carries.then(|| Box::new(before)));
        self
    }

    /// More candidates of the peer's have come (RFC 8838 §11).
    pub(crate) fn trickled(&mut self, candidate: Candidate) {
        if candidate.component == Component::Rtp || self.terms.two {
            self.pairs.remote(candidate);
        }
    }

    /// Where the peer may be, by way of the relay: permissions are wanted for these.
    pub(crate) fn peers(&self, component: Component) -> impl Iterator<Item = SocketAddr> {
        let relayed = self.pairs.pairs.iter().enumerate();
        let relayed = relayed.filter(move |(_, it)| it.via == Via::Relayed && it.component == component);
        relayed.filter_map(|(at, _)| self.pairs.address(at))
    }

    /// Whether the peer has been found at an address.
    pub(crate) fn knows(&self, component: Component, address: SocketAddr) -> bool {
        self.pairs.find_remote(component, address).is_some()
    }

    pub(crate) fn remote_ufrag(&self) -> &str {
        &self.terms.remote.ufrag
    }

    pub(crate) fn terms(&self) -> &Terms {
        &self.terms
    }

    pub(crate) fn poll_transmit(&mut self) -> Option<Datagram> {
        self.before.as_mut().and_then(|before| before.out.pop_front()).or_else(|| self.out.pop_front())
    }

    pub(crate) fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// The components of the stream.
    pub(super) fn components(&self) -> impl Iterator<Item = Component> + use<> {
        [Component::Rtp, Component::Rtcp].into_iter().take(if self.terms.two { 2 } else { 1 })
    }

    pub(super) fn path(&mut self, component: Component) -> &mut Path {
        let [rtp, rtcp] = &mut self.paths;
        match component {
            Component::Rtp => rtp,
            Component::Rtcp => rtcp,
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due.
    pub(crate) fn deadline(&self) -> Option<u64> {
        if self.progress == Progress::Failed {
            return None;
        }
        let next = self.pairs.any_due().then_some(self.next_check);
        let checks = self.checks.iter().map(Check::due);
        let paths = self.paths.iter().flat_map(Path::deadlines);
        let fails = self.fails.filter(|_| self.progress == Progress::Checking);
        // Nothing is chosen any more in what was before: it has consent alone.
        let before = self.before.iter().flat_map(|before| before.paths.iter()).filter_map(Path::consent_due);
        next.into_iter().chain(checks).chain(paths).chain(fails).chain(before).min()
    }

    /// Does what is due.
    pub(crate) fn handle_timeout(&mut self, now: u64) {
        if let Some(mut before) = self.before.take() {
            before.look_for_consent(now);
            while let Some(event) = before.events.pop_front() {
                if let Event::Lost(component) = event {
                    self.events.push_back(Event::Lost(component));
                }
            }
            let carries = before.paths.iter().any(|path| path.selected.is_some());
            self.before = carries.then_some(before);
        }
        if self.progress == Progress::Failed {
            return;
        }
        self.repeat(now);
        self.nominate(now);
        if now >= self.next_check && self.pairs.any_due() {
            self.next_check = now + PACE_MILLIS;
            if let Some((pair, nominates)) = self.pairs.next(self.controlling) {
                self.check(pair, nominates, now);
            }
        }
        self.look_for_consent(now);
        self.settle_progress(now);
    }

    /// Chooses the pair of each component, where that is for us to do (RFC 8445 §8.1.1).
    fn nominate(&mut self, now: u64) {
        for component in self.components() {
            let controlling = self.controlling;
            let path = self.path(component);
            path.again = path.again.filter(|again| now < *again);
            if !controlling {
                continue;
            }
            if path.nominated || path.nominating.is_some() {
                continue;
            }
            let Some(best) = self.pairs.best(component, self.controlling) else { continue };
            let since = self.path(component).decide_by(now);
            let relayed = self.pairs.pairs.get(best).is_some_and(|pair| pair.via == Via::Relayed);
            let patience = if relayed { BETTER_RELAYED_MILLIS } else { BETTER_DIRECT_MILLIS };
            if !self.pairs.may_improve(best, self.controlling) || now >= since + patience {
                self.path(component).nominating = Some(best);
                self.pairs.trigger(best, true);
            } else {
                self.path(component).again = Some(since + patience);
            }
        }
    }

    fn settle_progress(&mut self, now: u64) {
        let components = self.components();
        let [rtp, rtcp] = &self.paths;
        let paths: Vec<&Path> = [rtp, rtcp].into_iter().zip(components).map(|(path, _)| path).collect();
        let progress = if paths.iter().all(|path| path.nominated && path.selected.is_some()) {
            Progress::Completed
        } else if paths.iter().all(|path| path.selected.is_some()) {
            Progress::Connected
        } else if self.progress >= Progress::Connected {
            Progress::Failed
        } else {
            let hopeless = self.components().any(|component| self.pairs.is_hopeless(component));
            self.fails = self.fails.filter(|fails| now < *fails);
            if self.fails.is_none() && hopeless { Progress::Failed } else { Progress::Checking }
        };
        if progress >= Progress::Connected && progress != Progress::Failed {
            self.before = None;
        }
        if progress != self.progress {
            self.progress = progress;
            self.events.push_back(Event::Progress(progress));
        }
        if progress == Progress::Failed {
            self.checks.clear();
            for component in [Component::Rtp, Component::Rtcp] {
                if self.path(component).selected.take().is_some() {
                    self.events.push_back(Event::Lost(component));
                }
            }
        }
    }
}
