//! Where a request of ours goes: the look-up of its next hop (RFC 3263), and the race of connections to it (RFC 8305).

use super::outgoing::aim;
use super::whereabouts::Whereabouts;
use super::{Flight, OutgoingId, Purpose, SessionId, SessionTimer};
use crate::action::{Action, Connect};
use crate::endpoint::Endpoint;
use crate::event::{Failure, Unreachable};
use crate::flow::Destination;
use crate::io::Timer;
use crate::location::{
    Answer, Asked, ConnectId, Fate, Holding, HopHost, Lookup, LookupId, NextHop, Query, QueryId, Question,
    Race, RaceStep, Reach, Step, Target, Trouble,
};
use crate::time::Now;
use sip_types::Scheme;
use std::collections::VecDeque;
use std::net::SocketAddr;

/// A look-up, and the request that it is for.
pub(crate) struct Locating {
    session: SessionId,
    outgoing: OutgoingId,
    lookup: Lookup,
}

impl Endpoint {
    /// Finds out where a request goes.
    pub(crate) fn locate(&mut self, now: Now, sid: SessionId, id: OutgoingId) {
        let Some(session) = self.sessions.get_mut(sid) else { return };
        let network = session.network;
        let secure = session.secure;
        let Some(aim) = aim(session, id) else { return };
        let Some(outgoing) = session.outgoing_mut(id) else { return };
        outgoing.course.targets.clear();
        let is_outside = outgoing.dialog.is_none();
        let device = if is_outside { None } else { self.whereabouts(now, network, &aim.next_hop) };
        let Some(session) = self.sessions.get_mut(sid) else { return };
        let way = match (is_outside, &device) {
            (true, _) => session.flow.map(Destination::Flow),
            (false, Some(Whereabouts::Flow(flow))) => Some(Destination::Flow(*flow)),
            (false, Some(Whereabouts::Contact(_))) => None,
            (false, None) => session.way_inside(&self.settings, &aim.next_hop),
        };
        if let Some(way) = way {
            if is_outside {
                // The owner knows whose flow it is.
                session.resolved = vec![way.peer().ip()];
            }
            return self.send_to(now, sid, id, way);
        }
        let Some(outgoing) = session.outgoing_mut(id) else { return };
        let next_hop = match &device {
            Some(Whereabouts::Contact(contact)) => contact,
            _ => &aim.next_hop,
        };
        let hop = match NextHop::of(next_hop, secure || aim.request_uri.scheme() == Scheme::Sips) {
            Ok(hop) => hop,
            Err(why) => return self.failed(now, sid, id, Failure::Unreachable(why)),
        };
        match &hop.host {
            HopHost::Address(address) => {
                let transport = hop.default_transport();
                let port = hop.port.unwrap_or(transport.default_port());
                let address = SocketAddr::new(*address, port);
                let domain = hop.domain.clone();
                self.located(now, sid, id, vec![Target { transport, address, host: 0, domain }]);
            }
            HopHost::Name(name) => {
                let (name, reach) = (name.clone(), Reach::of(&self.settings.listeners, network));
                let (lookup, step) = Lookup::begin(hop, name, reach);
                let key = self.lookups.insert(Locating { session: sid, outgoing: id, lookup });
                outgoing.flight = Flight::Resolving(key);
                self.counters.lookups += 1;
                self.look_up(now, key, step);
            }
        }
    }

    /// Carries out the steps of a look-up for as long as the answers are known.
    fn look_up(&mut self, now: Now, key: LookupId, mut step: Step) {
        loop {
            match step {
                Step::Ask(questions) => match self.ask_names(now, key, &questions) {
                    Some(next) => step = next,
                    None => return,
                },
                Step::Found(targets) => {
                    let Some((session, outgoing)) = self.looked_up(key) else { return };
                    return self.located(now, session, outgoing, targets);
                }
                Step::Failed(why) => {
                    let Some((session, outgoing)) = self.looked_up(key) else { return };
                    self.counters.lookups_failed += 1;
                    return self.failed(now, session, outgoing, Failure::Unreachable(why));
                }
            }
        }
    }

    /// A look-up is over: whose it was.
    fn looked_up(&mut self, key: LookupId) -> Option<(SessionId, OutgoingId)> {
        let Locating { session: sid, outgoing: id, lookup } = self.lookups.remove(key)?;
        if let Some(session) = self.sessions.get_mut(sid)
            && session.outgoing_mut(id).is_some_and(|outgoing| outgoing.purpose == Purpose::Invite)
        {
            session.found = Some(Box::new(lookup.into_found()));
        }
        Some((sid, id))
    }

    /// Asks the questions of a look-up; the next step, if all answers were known.
    fn ask_names(&mut self, now: Now, key: LookupId, questions: &[Question]) -> Option<Step> {
        let mut next = None;
        for question in questions {
            match self.names.ask(now, question, key) {
                Asked::Known(answer) => next = self.answered(key, question, &answer),
                Asked::Ask(id) => {
                    self.io.push(Action::Resolve(Query { id, question: question.clone() }));
                }
                Asked::Waits => {}
            }
        }
        next
    }

    fn answered(&mut self, key: LookupId, question: &Question, holds: &Holding) -> Option<Step> {
        let limits = &self.settings.location.limits;
        let lookup = &mut self.lookups.get_mut(key)?.lookup;
        lookup.answered(question, holds, limits, &mut *self.io.ids)
    }

    /// What came of a question to the name servers.
    pub fn handle_resolved(&mut self, now: Now, query: QueryId, answer: Answer) {
        let heard = self.names.heard(now, query, answer, &self.settings.location);
        let Some((question, answer, waiting)) = heard else { return };
        for key in waiting {
            if let Some(step) = self.answered(key, &question, &answer) {
                self.look_up(now, key, step);
            }
        }
    }

    /// The targets of a next hop are known.
    fn located(&mut self, now: Now, sid: SessionId, id: OutgoingId, targets: Vec<Target>) {
        let Some(session) = self.sessions.get_mut(sid) else { return };
        let network = session.network;
        let Some(purpose) = session.outgoing_mut(id).map(|outgoing| outgoing.purpose) else { return };
        if matches!(purpose, Purpose::Invite | Purpose::Outside) {
            session.resolved = targets.iter().map(|target| target.address.ip()).collect();
        }
        let fates = self.judge(now, network, &targets);
        if purpose == Purpose::Invite
            && let Some(found) = self.sessions.get_mut(sid).and_then(|session| session.found.as_mut())
        {
            found.lead_to(&targets, &fates);
        }
        let targets = self.choose(sid, id, network, targets, &fates);
        let Some(outgoing) = self.sessions.get_mut(sid).and_then(|s| s.outgoing_mut(id)) else { return };
        outgoing.flight = Flight::Ready;
        match targets {
            Ok(mut targets) => {
                let others = if outgoing.course.everywhere { targets.split_off(1) } else { VecDeque::new() };
                outgoing.course.targets = targets;
                self.ask_others(now, sid, id, others.into());
                self.try_next(now, sid, id);
            }
            Err(why) => self.failed(now, sid, id, Failure::Unreachable(why)),
        }
    }

    /// Sends a request to the next target of its next hop. Those of one host that take connections are raced.
    pub(crate) fn try_next(&mut self, now: Now, sid: SessionId, id: OutgoingId) {
        let Some(outgoing) = self.sessions.get_mut(sid).and_then(|s| s.outgoing_mut(id)) else { return };
        let targets = &mut outgoing.course.targets;
        let Some(first) = targets.front().cloned() else {
            return self.failed(now, sid, id, Failure::Unreachable(Unreachable::Listener));
        };
        let same = |target: &&Target| target.host == first.host && target.transport == first.transport;
        let rivals = targets.iter().take_while(same).count();
        if rivals == 1 || !first.transport.is_reliable() {
            targets.pop_front();
            return self.try_target(now, sid, id, first);
        }
        let rivals: Vec<Target> = targets.drain(..rivals).collect();
        outgoing.flight = Flight::Racing(Box::new(Race::new(now, rivals)));
        self.race(now, sid, id);
    }

    /// Sends a request to a target.
    pub(crate) fn try_target(&mut self, now: Now, sid: SessionId, id: OutgoingId, target: Target) {
        let Some(session) = self.sessions.get_mut(sid) else { return };
        let place = target.place(session.network);
        let Some(outgoing) = session.outgoing_mut(id) else { return };
        outgoing.course.at = Some(target.clone());
        outgoing.course.heard = false;
        session.note_fate(id, &target, Fate::Tried);
        let listener = self.settings.listener_towards(place.network, target.transport, target.address);
        let Some(listener) = listener else {
            return self.failed(now, sid, id, Failure::Unreachable(Unreachable::Listener));
        };
        self.health.tried(now, &place, &self.settings.location);
        let Target { address: peer, domain, .. } = target;
        let to = match &session.way {
            // Its Contact is where its own connection comes from: nobody else is there.
            Some(Destination::Flow(flow))
                if domain.is_some() && (flow.listener, flow.peer) == (listener, peer) =>
            {
                Destination::FlowOr { flow: *flow, peer, domain }
            }
            _ => Destination::Open { listener, peer, domain },
        };
        self.send_to(now, sid, id, to);
    }

    /// Opens the connections of a race whose time has come.
    fn race(&mut self, now: Now, sid: SessionId, id: OutgoingId) {
        let head_start = self.settings.location.head_start;
        loop {
            let Some(session) = self.sessions.get_mut(sid) else { return };
            let network = session.network;
            let Some(outgoing) = session.outgoing_mut(id) else { return };
            let Flight::Racing(race) = &mut outgoing.flight else { return };
            match race.poll(now, head_start) {
                RaceStep::Open(target) => {
                    let place = target.place(network);
                    let listener = self.settings.listener_towards(network, target.transport, target.address);
                    let Some(listener) = listener else { continue };
                    let connect = ConnectId(self.connects.add((sid, id)));
                    let (peer, domain) = (target.address, target.domain.clone());
                    race.opens(connect, target.clone());
                    session.note_fate(id, &target, Fate::Tried);
                    self.health.tried(now, &place, &self.settings.location);
                    self.io.push(Action::Connect(Connect { id: connect, listener, peer, domain }));
                }
                RaceStep::Wait(None) => return,
                RaceStep::Wait(Some(at)) => {
                    return self.io.timers.arm_at(now, at, Timer::Session(sid, SessionTimer::Race(id)));
                }
                RaceStep::Lost => {
                    outgoing.flight = Flight::Ready;
                    return self.try_another(now, sid, id, Failure::Unreachable(Unreachable::Send));
                }
            }
        }
    }

    /// The next connection of a race may begin.
    pub(crate) fn race_due(&mut self, now: Now, sid: SessionId, id: OutgoingId) {
        self.race(now, sid, id);
    }

    /// A connection that was wanted is open, or could not be opened.
    pub fn handle_connected(&mut self, now: Now, connect: ConnectId, open: bool) {
        let Some((sid, id)) = self.connects.take(connect.0) else { return };
        let Some(session) = self.sessions.get_mut(sid) else { return };
        let network = session.network;
        let Some(outgoing) = session.outgoing_mut(id) else { return };
        let Flight::Racing(race) = &mut outgoing.flight else { return };
        if !open {
            if let Some(target) = race.failed(now, connect) {
                let place = target.place(network);
                session.note_fate(id, &target, Fate::Failed(Trouble::OutOfReach));
                self.health.failed(now, place, Trouble::OutOfReach, &self.settings.location);
            }
            return self.race(now, sid, id);
        }
        let Some(winner) = race.opened(connect) else { return };
        let losers: Vec<ConnectId> = race.running().collect();
        let others: VecDeque<Target> = race.others().collect();
        let slower: Vec<Target> = race.slower().cloned().collect();
        outgoing.flight = Flight::Ready;
        for target in others.into_iter().rev() {
            outgoing.course.targets.push_front(target);
        }
        for target in slower {
            self.health.slower(now, target.place(network), &self.settings.location);
            session.note_fate(id, &target, Fate::Slower);
        }
        self.give_up_connects(losers);
        self.try_target(now, sid, id, winner);
    }

    /// Nobody waits for these connections any more.
    pub(crate) fn give_up_connects(&mut self, connects: impl IntoIterator<Item = ConnectId>) {
        for connect in connects {
            self.connects.take(connect.0);
            self.io.push(Action::Disconnect(connect));
        }
    }
}
