//! What a shard does for the registrations that it sees to.

use super::request::Plan;
use super::{Registrant, RegistrantId, State, settings};
use crate::shard::Core;
use crate::snapshot::Snapshot;
use sip::Failure;
use sip::registration::client::{Answer, Own, Send, Stage};
use sip::session::SessionId;
use sip::time::Now;
use sip_types::Response;
use std::sync::Arc;

impl Core {
    /// Carries out what is due.
    pub(crate) fn registrants_due(&mut self, now: Now) {
        while let Some(id) = self.registrants.timers.pop_due(now) {
            let Some(registrant) = self.registrants.all.get_mut(id) else { continue };
            let send = match registrant.begins.filter(|at| *at <= now.mono) {
                Some(_) => {
                    registrant.begins = None;
                    registrant.machine.start()
                }
                None => registrant.machine.handle_timeout(now),
            };
            if send.is_some() {
                self.send_register(now, id, send);
            } else if let Some(at) = registrant.machine.poll_timeout() {
                // Another deadline has replaced this one, which is no news.
                self.registrants.timers.arm_at(now, at, id);
            }
        }
    }

    /// Sends a REGISTER, if there is one to send, and tells how the registration is.
    fn send_register(&mut self, now: Now, id: RegistrantId, send: Option<Send>) {
        let mut next = send;
        while let Some(send) = next.take() {
            let Some(registrant) = self.registrants.all.get(id) else { return };
            let (trunk, snapshot) = (registrant.trunk.clone(), registrant.snapshot.clone());
            let (session, at) = (registrant.session, registrant.at);
            let label = self.label(Some(&trunk));
            let asked = Plan::of(&trunk, &snapshot).and_then(|plan| plan.ask(&send, at, label));
            let sent = asked.map(|ask| match session {
                Some(session) => self.endpoint.ask_again(now, session, ask).map(|_| session),
                None => self.endpoint.ask_lasting(now, ask).map(|(session, _)| session),
            });
            self.counters.trunk_registers += 1;
            let Some(registrant) = self.registrants.all.get_mut(id) else { return };
            registrant.strayed = send.target.is_some();
            match sent {
                Some(Ok(session)) => {
                    registrant.session = Some(session);
                    self.registrants.by_session.insert(session, id);
                }
                Some(Err(_)) | None => next = self.judge_register(now, id, &Err(Failure::Full)),
            }
        }
        self.settle_registrant(now, id);
    }

    /// The outcome of a REGISTER of ours; `false` if the session is none of a registration.
    pub(crate) fn on_registered(
        &mut self,
        now: Now,
        session: SessionId,
        outcome: &Result<Response, Failure>,
    ) -> bool {
        let Some(id) = self.registrants.by_session.get(&session).copied() else { return false };
        // Where a redirection leads is no place of the trunk's.
        if let Some(registrant) = self.registrants.all.get_mut(id).filter(|of| outcome.is_ok() && !of.strayed)
        {
            let flow = self.endpoint.asked_flow(session);
            registrant.peer = flow.map(|flow| flow.peer.ip().to_canonical());
        }
        let next = self.judge_register(now, id, outcome);
        self.send_register(now, id, next);
        true
    }

    /// What the machine makes of an outcome.
    fn judge_register(
        &mut self,
        now: Now,
        id: RegistrantId,
        outcome: &Result<Response, Failure>,
    ) -> Option<Send> {
        let registrant = self.registrants.all.get_mut(id)?;
        let plan = Plan::of(&registrant.trunk, &registrant.snapshot)?;
        let own = Own { user: plan.register.contact_user(&registrant.trunk), flow: None };
        let answer = Answer::read(outcome, own);
        if let Answer::Later(..) | Answer::FlowFailed = answer {
            registrant.at = registrant.at.wrapping_add(1);
        }
        let next = registrant.machine.handle_outcome(now, answer, false, &mut *self.ids);
        registrant.fault = match registrant.machine.stage() {
            Stage::Retry(_, fault) => Some(fault),
            Stage::Refresh(_) => None,
            Stage::Idle | Stage::Sending | Stage::Removing => registrant.fault,
        };
        match registrant.machine.stage() {
            Stage::Retry(..) => self.counters.trunk_registers_failed += 1,
            Stage::Refresh(_) => self.counters.trunk_registers_granted += 1,
            Stage::Idle | Stage::Sending | Stage::Removing => {}
        }
        next
    }

    /// Sets the next deadline of a registration, and tells how it is; one that has left is forgotten.
    fn settle_registrant(&mut self, now: Now, id: RegistrantId) {
        let Some(registrant) = self.registrants.all.get(id) else { return };
        if registrant.leaving && registrant.machine.stage() == Stage::Idle {
            return self.forget_registrant(id);
        }
        if let Some(at) = registrant.begins.or(registrant.machine.poll_timeout()) {
            self.registrants.timers.arm_at(now, at, id);
        }
        self.tell_registrant(now, id);
    }

    fn forget_registrant(&mut self, id: RegistrantId) {
        let Some(registrant) = self.registrants.all.remove(id) else { return };
        if let Some(session) = registrant.session {
            self.registrants.by_session.remove(&session);
            self.endpoint.end_asking(session);
        }
    }

    /// Takes the registrations of another configuration: those of the same binding go on, others are removed or made.
    pub(crate) fn follow_registrants(&mut self, now: Now, snapshot: &Arc<Snapshot>) {
        let known: Vec<RegistrantId> = self.registrants.by_trunk.values().copied().collect();
        for id in known {
            let send = match self.registrants.all.get_mut(id) {
                Some(registrant) if registrant.goes_on(snapshot) => registrant.adopt(snapshot),
                Some(registrant) => {
                    self.registrants.by_trunk.remove(&registrant.trunk);
                    self.common.standings.remove(&registrant.trunk);
                    registrant.leave(now)
                }
                None => continue,
            };
            self.send_register(now, id, send);
        }
        if self.drain.is_none() {
            self.registrants.enter_new(now, snapshot, &mut *self.ids);
        }
    }

    /// The node drains: bindings are removed, unless they are to stay.
    pub(crate) fn unregister_all(&mut self, now: Now) {
        let known: Vec<RegistrantId> = self.registrants.by_trunk.values().copied().collect();
        for id in known {
            let Some(registrant) = self.registrants.all.get_mut(id) else { continue };
            let plan = Plan::of(&registrant.trunk, &registrant.snapshot);
            if plan.is_some_and(|plan| plan.register.unregister) {
                registrant.begins = None;
                let send = registrant.machine.stop(now);
                self.send_register(now, id, send);
            }
        }
    }

    /// The drain is over: what is under way is given up.
    pub(crate) fn abandon_registrants(&mut self) {
        let all: Vec<RegistrantId> = self.registrants.all.keys().collect();
        for id in all {
            self.forget_registrant(id);
        }
        self.registrants.by_trunk.clear();
    }
}

impl Registrant {
    /// Whether a configuration has the same binding.
    fn goes_on(&self, snapshot: &Snapshot) -> bool {
        let (before, after) = (Plan::of(&self.trunk, &self.snapshot), Plan::of(&self.trunk, snapshot));
        before.zip(after).is_some_and(|(before, after)| before.is_same_binding(&after))
    }

    /// Goes on under another configuration. Where the last attempt failed, or the registrars are others, the next one
    /// comes at once: that may be what was mended.
    fn adopt(&mut self, snapshot: &Arc<Snapshot>) -> Option<Send> {
        let before = std::mem::replace(&mut self.snapshot, snapshot.clone());
        let (before, after) = (Plan::of(&self.trunk, &before)?, Plan::of(&self.trunk, &self.snapshot)?);
        self.machine.adopt(settings(&after));
        let moved = before.registrars() != after.registrars();
        if moved {
            self.at = 0;
        }
        let anew = match self.machine.stage() {
            Stage::Retry(..) => true,
            Stage::Refresh(_) => moved || before.register.expires != after.register.expires,
            Stage::Idle | Stage::Sending | Stage::Removing => false,
        };
        if anew { self.machine.start() } else { None }
    }

    /// Ends: only the binding is still removed.
    fn leave(&mut self, now: Now) -> Option<Send> {
        (self.leaving, self.begins) = (true, None);
        self.machine.stop(now)
    }

    /// How it is.
    pub(super) fn state(&self) -> State {
        match self.machine.stage() {
            Stage::Idle if self.begins.is_some() => State::Waiting,
            Stage::Idle => State::Unregistered,
            Stage::Sending => State::Registering,
            Stage::Removing => State::Unregistering,
            Stage::Refresh(_) => State::Registered,
            Stage::Retry(..) => State::Failed,
        }
    }
}
