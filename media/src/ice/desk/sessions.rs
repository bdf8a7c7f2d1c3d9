//! The sessions on a pair of ports, told apart by the peer's username fragment (RFC 8445 §7.2.2).

use std::net::SocketAddr;

use super::{Output, Selected, Shared};
use crate::ice::full::{Agent, Asked, CandidateKind, Datagram, Event, Terms, Via};
use crate::ice::{Component, Credentials, Heard, Responder};
use crate::{ContextId, MAX_CONTEXTS, PairId};

use super::base::Base;

/// One.
struct Session {
    remote: u8,
    serial: u32,
    agent: Agent,
}

/// A check that came before the answer says whom it is from (RFC 8445 §7.3).
struct Early {
    ufrag: Box<[u8]>,
    asked: Asked,
}

/// So many are remembered, with username fragments that may be sent (RFC 8839 §5.4).
const MOST_EARLY: usize = 16;
const LONGEST: usize = 32;

#[derive(Default)]
pub(super) struct Sessions {
    responder: Option<Responder>,
    sessions: Vec<Session>,
    early: Vec<Early>,
}

impl Base {
    pub(super) fn expect(&mut self, local: &Credentials) {
        self.sessions.expect(local);
    }

    pub(super) fn end(&mut self, remote: u8) {
        self.sessions.sessions.retain(|session| session.remote != remote);
    }

    /// A session begins, or goes on: one with the same credentials learns candidates that are new, others take its place.
    pub(super) fn session(
        &mut self,
        context: ContextId,
        serial: u32,
        terms: &Terms,
        shared: &mut Shared<'_>,
    ) {
        self.sessions.expect(&terms.local);
        let sessions = &mut self.sessions.sessions;
        let found = sessions.iter_mut().find(|session| session.remote == context.remote);
        let is_its = |session: &Session| {
            let of = session.agent.terms();
            (&of.local, &of.remote, of.two) == (&terms.local, &terms.remote, terms.two)
        };
        if let Some(session) = found.filter(|session| is_its(session)) {
            session.serial = serial;
            for candidate in &terms.candidates {
                session.agent.trickled(candidate.clone());
            }
        } else {
            let mut agent = Agent::new(terms.clone(), &shared.seed(), shared.now);
            for part in &self.parts {
                agent.local(part.component, CandidateKind::Host, part.host);
                let reflexive = part.beyond.reflexive.map(|at| (CandidateKind::ServerReflexive, at));
                let relayed = part.beyond.relayed.map(|at| (CandidateKind::Relayed, at));
                for (kind, at) in reflexive.into_iter().chain(relayed) {
                    agent.local(part.component, kind, at);
                }
            }
            agent.begin();
            let before = sessions.iter().position(|session| session.remote == context.remote);
            let before = before.map(|at| sessions.swap_remove(at).agent);
            if sessions.len() >= usize::from(MAX_CONTEXTS) {
                return;
            }
            let mut agent = match before {
                Some(before) => agent.after(before),
                None => agent,
            };
            self.sessions.early.retain(|early| {
                let its = *early.ufrag == *terms.remote.ufrag.as_bytes();
                if its && !agent.is_in_conflict(early.asked.role) {
                    agent.asked(&early.asked, shared.now);
                }
                !its
            });
            agent.handle_timeout(shared.now);
            self.sessions.sessions.push(Session { remote: context.remote, serial, agent });
        }
        let found = self.sessions.sessions.iter().find(|session| session.remote == context.remote);
        let Some(session) = found else { return };
        for part in &mut self.parts {
            for peer in session.agent.peers(part.component) {
                part.want(peer, shared.now);
            }
        }
    }
}

impl Sessions {
    fn expect(&mut self, local: &Credentials) {
        match &mut self.responder {
            Some(responder) => responder.learn(local),
            None => self.responder = Some(Responder::full(local)),
        }
    }

    /// A check, or the answer to one; what is to be answered.
    pub(super) fn hear(
        &mut self,
        (component, via): (Component, Via),
        source: SocketAddr,
        octets: &[u8],
        shared: &mut Shared<'_>,
    ) -> Option<Vec<u8>> {
        let now = shared.now;
        for session in &mut self.sessions {
            if session.agent.answered((component, via), source, octets, now) {
                session.agent.handle_timeout(now);
                return None;
            }
        }
        let known = self.sessions.iter().any(|session| session.agent.knows(component, source));
        match self.responder.as_mut()?.hear(octets, source, known, now) {
            Heard::Check(check) => {
                let (priority, nominates, role) = (check.priority, check.nominates, check.role);
                let asked = Asked { component, via, source, priority, nominates, role };
                let is_of = |session: &&mut Session| session.agent.remote_ufrag().as_bytes() == check.remote;
                match self.sessions.iter_mut().find(is_of) {
                    Some(session) => {
                        if session.agent.is_in_conflict(role) {
                            let refusal = self.responder.as_ref()?.conflict(&check);
                            return Some(refusal.as_bytes().to_vec());
                        }
                        session.agent.asked(&asked, now);
                        session.agent.handle_timeout(now);
                    }
                    None => Self::remember(&mut self.early, check.remote, asked),
                }
                Some(check.response().to_vec())
            }
            Heard::Alive => None,
            Heard::Refused(_, refusal) => refusal.map(|refusal| refusal.as_bytes().to_vec()),
        }
    }

    fn remember(early: &mut Vec<Early>, ufrag: &[u8], asked: Asked) {
        let same = |early: &&mut Early| {
            let of = (early.asked.component, early.asked.via, early.asked.source);
            *early.ufrag == *ufrag && of == (asked.component, asked.via, asked.source)
        };
        if let Some(known) = early.iter_mut().find(same) {
            let nominates = known.asked.nominates || asked.nominates;
            known.asked = Asked { nominates, ..asked };
        } else if early.len() < MOST_EARLY && ufrag.len() <= LONGEST {
            early.push(Early { ufrag: ufrag.into(), asked });
        }
    }

    pub(super) fn pass_time(&mut self, now: u64) {
        for session in &mut self.sessions {
            session.agent.handle_timeout(now);
        }
    }

    pub(super) fn deadline(&self) -> Option<u64> {
        self.sessions.iter().filter_map(|session| session.agent.deadline()).min()
    }

    pub(super) fn poll_transmit(&mut self) -> Option<Datagram> {
        self.sessions.iter_mut().find_map(|session| session.agent.poll_transmit())
    }

    /// Tells what has changed.
    pub(super) fn tell(&mut self, pair: PairId, shared: &mut Shared<'_>) {
        for session in &mut self.sessions {
            let (context, serial) = (ContextId { pair, remote: session.remote }, session.serial);
            while let Some(event) = session.agent.poll_event() {
                shared.outputs.push_back(match event {
                    Event::Valid(component, _, remote) => Output::Valid(context, serial, component, remote),
                    Event::Selected(component, via, remote, (local_kind, remote_kind)) => {
                        let selected = Selected { via, remote, local_kind, remote_kind };
                        Output::Selected(context, serial, component, selected)
                    }
                    Event::Lost(component) => Output::Lost(context, serial, component),
                    Event::Progress(progress) => Output::Progress(context, serial, progress),
                });
            }
        }
    }
}
