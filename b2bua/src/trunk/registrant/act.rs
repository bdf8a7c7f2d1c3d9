//! What a shard does for the registrations that it sees to.

use super::{Registrant, RegistrantId, State};
use crate::shard::Core;
use sip::Failure;
use sip::registration::client::{Answer, Fault, Own, Send, Stage};
use sip::session::SessionId;
use sip::time::Now;
use sip_types::Response;

impl Core {
    /// Carries out what is due.
    pub(crate) fn registrants_due(&mut self, now: Now) {
        while let Some(id) = self.registrants.timers.pop_due(now) {
            let is_needed = !self.registrants.others(id).any(|(_, other)| other.stands_alone(now));
            let Some(registrant) = self.registrants.all.get_mut(id) else { continue };
            let send = match registrant.begins.filter(|at| *at <= now.mono) {
                Some(_) => {
                    self.begin_registrant(now, id);
                    continue;
                }
                None if !is_needed && registrant.has_failed() && registrant.is_due(now) => {
                    registrant.rest();
                    self.tell_registrant(now, id);
                    continue;
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
    pub(super) fn send_register(&mut self, now: Now, id: RegistrantId, send: Option<Send>) {
        let mut next = send;
        while let Some(send) = next.take() {
            let Some(registrant) = self.registrants.all.get(id) else { return };
            let trunk = registrant.trunk.clone();
            let label = self.label(Some(&trunk));
            let Some(registrant) = self.registrants.all.get_mut(id) else { return };
            let (session, flow) = (registrant.session, registrant.flow);
            let asked = registrant.plan().and_then(|plan| plan.ask(&send, registrant.at, flow, label));
            registrant.strayed = send.target.is_some();
            registrant.on_flow = asked.as_ref().is_some_and(|ask| ask.flow.is_some());
            let sent = asked.map(|ask| match session {
                Some(session) => self.endpoint.ask_again(now, session, ask).map(|_| session),
                None => self.endpoint.ask_lasting(now, ask).map(|(session, _)| session),
            });
            self.counters.trunk_registers += 1;
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
        self.wake_others(now, id);
        true
    }

    /// What the machine makes of an outcome.
    fn judge_register(
        &mut self,
        now: Now,
        id: RegistrantId,
        outcome: &Result<Response, Failure>,
    ) -> Option<Send> {
        let answer = self.read_register(id, outcome)?;
        let others = self.registrants.others(id).any(|(_, other)| other.stands(now));
        let beside = self.registrants.others(id).any(|(_, other)| other.flow.is_some());
        let registrant = self.registrants.all.get_mut(id)?;
        let answer = registrant.weigh(answer, beside);
        if let Answer::FlowGone { .. } | Answer::FlowFailed = answer {
            self.let_go_of_flow(id);
        }
        let registrant = self.registrants.all.get_mut(id)?;
        if let Answer::Later(..) | Answer::FlowFailed = answer {
            registrant.at = registrant.at.wrapping_add(1);
        }
        let next = registrant.machine.handle_outcome(now, answer, others, &mut *self.ids);
        registrant.fault = match registrant.machine.stage() {
            Stage::Retry(_, fault) => Some(fault),
            Stage::Refresh(_) => None,
            Stage::Idle | Stage::Sending | Stage::Removing => registrant.fault,
        };
        match registrant.machine.stage() {
            Stage::Retry(..) => self.counters.trunk_registers_failed += 1,
            Stage::Refresh(_) => {
                self.counters.trunk_registers_granted += 1;
                if beside && registrant.stands_alone(now) {
                    // RFC 5626 §4.2.1: a contact without outbound beside flows with it is none that calls are to take.
                    registrant.rests = true;
                    return registrant.machine.stop(now);
                }
                if !registrant.moved {
                    self.take_flow(now, id);
                }
            }
            Stage::Idle | Stage::Sending | Stage::Removing => {}
        }
        let moved = self.registrants.all.get_mut(id).and_then(Registrant::start_where_moved);
        moved.or(next)
    }

    /// What an outcome says.
    fn read_register(&self, id: RegistrantId, outcome: &Result<Response, Failure>) -> Option<Answer> {
        let registrant = self.registrants.all.get(id)?;
        let plan = registrant.plan()?;
        let user = plan.register.contact_user(&registrant.trunk);
        let flow = registrant.session.and_then(|session| self.endpoint.asked_flow(session));
        let secure = plan.registrar(registrant.at).is_some_and(|uri| uri.scheme() == sip_types::Scheme::Sips);
        let contact = flow.and_then(|flow| self.endpoint.contact_of(user, flow.listener, secure));
        let plain = || format!("sip:{user}@{}", plan.register.address.domain()).parse().ok();
        let contact = contact.or_else(plain)?;
        Some(Answer::read(outcome, Own { contact: &contact, instance: plan.instance(), flow: plan.flow() }))
    }

    /// Sets the next deadline of a registration, and tells how it is; one that has left is forgotten.
    pub(super) fn settle_registrant(&mut self, now: Now, id: RegistrantId) {
        let Some(registrant) = self.registrants.all.get(id) else { return };
        let is_idle = registrant.machine.stage() == Stage::Idle;
        if registrant.leaving && is_idle {
            self.forget_registrant(id);
            return self.wake_held_back(now);
        }
        if let Some(at) = registrant.begins.or(registrant.machine.poll_timeout()) {
            self.registrants.timers.arm_at(now, at, id);
        }
        if is_idle {
            self.let_go_of_flow(id);
        }
        self.tell_registrant(now, id);
    }

    pub(super) fn forget_registrant(&mut self, id: RegistrantId) {
        self.let_go_of_flow(id);
        let Some(registrant) = self.registrants.all.remove(id) else { return };
        if let Some(session) = registrant.session {
            self.registrants.by_session.remove(&session);
            self.endpoint.end_asking(session);
        }
    }
}

impl Registrant {
    /// What was under way went to registrars that are not the trunk's any more: those that are, are asked.
    fn start_where_moved(&mut self) -> Option<Send> {
        let is_over = matches!(self.machine.stage(), Stage::Refresh(_) | Stage::Retry(..));
        if !(self.moved && is_over) {
            return None;
        }
        (self.moved, self.at) = (false, 0);
        self.machine.start()
    }

    /// Waits until it is known what becomes of the other flows.
    fn rest(&mut self) {
        self.rests = true;
        self.machine.rest();
    }

    fn is_due(&self, now: Now) -> bool {
        self.machine.poll_timeout().is_some_and(|at| at <= now.mono)
    }

    /// What an answer means for one flow of several.
    fn weigh(&self, answer: Answer, beside: bool) -> Answer {
        match answer {
            // Without outbound it would be another device, beside flows that stand.
            Answer::Without(status, tags) if beside && tags.iter().any(|tag| **tag == *"outbound") => {
                Answer::Refused(Fault::Status(status))
            }
            Answer::Later(fault @ (Fault::Unreachable | Fault::Timeout), _) if self.on_flow => {
                Answer::FlowGone { proven: self.proven, fault }
            }
            other => other,
        }
    }

    /// How it is.
    pub(super) fn state(&self) -> State {
        match self.machine.stage() {
            Stage::Idle if self.begins.is_some() || self.rests || self.held_back => State::Waiting,
            Stage::Idle => State::Unregistered,
            Stage::Sending => State::Registering,
            Stage::Removing => State::Unregistering,
            Stage::Refresh(_) => State::Registered,
            Stage::Retry(..) => State::Failed,
        }
    }
}
