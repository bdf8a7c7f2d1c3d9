//! The flows of registrations: kept open, found to be gone, and replaced (RFC 5626 §4.4, §4.5, RFC 6223).

use super::RegistrantId;
use crate::shard::Core;
use config::TrunkName;
use sip::Flow;
use sip::keepalive::{Every, KeepId, Lost};
use sip::registration::client::{Extras, Stage};
use sip::time::Now;
use std::time::Duration;

impl Core {
    /// A registration was granted: its flow is kept as its first hop wants it. A refresh without keepalives ends those that
    /// were sent before (RFC 6223 §4.2.2).
    pub(super) fn take_flow(&mut self, now: Now, id: RegistrantId) {
        let Some(registrant) = self.registrants.all.get(id) else { return };
        let flow = registrant.session.and_then(|session| self.endpoint.asked_flow(session));
        let Some((flow, (_, extras))) = flow.zip(registrant.machine.bound(now)) else { return };
        let applied = extras.outbound && registrant.number > 0;
        let every = keepalives(extras, applied, self.configured(id), flow);
        if let Some(registrant) = self.registrants.all.get_mut(id) {
            registrant.flow = applied.then_some(flow);
        }
        self.keep_flow(now, id, flow, every);
    }

    /// How often keepalives are sent where the registrar does not say so.
    fn configured(&self, id: RegistrantId) -> Option<Duration> {
        self.registrants.all.get(id)?.plan()?.register.outbound.as_ref()?.keepalive
    }

    /// Sends keepalives on a flow so often, or none.
    fn keep_flow(&mut self, now: Now, id: RegistrantId, flow: Flow, every: Option<Every>) {
        let Some(registrant) = self.registrants.all.get(id) else { return };
        let known =
            registrant.keep.filter(|keep| self.endpoint.kept(*keep).is_some_and(|kept| kept.flow == flow));
        match (known, every) {
            (Some(keep), Some(every)) => self.endpoint.keep_every(now, keep, every),
            (_, None) => self.stop_keeping(id),
            (None, Some(every)) => {
                self.stop_keeping(id);
                let keep = self.endpoint.keep(now, flow, every);
                self.registrants.by_keep.insert(keep, id);
                if let Some(registrant) = self.registrants.all.get_mut(id) {
                    (registrant.keep, registrant.proven) = (Some(keep), false);
                }
                if let Some(connection) = flow.connection {
                    self.watch(connection);
                }
            }
        }
    }

    fn stop_keeping(&mut self, id: RegistrantId) {
        let keep = self.registrants.all.get_mut(id).and_then(|registrant| registrant.keep.take());
        if let Some(keep) = keep {
            self.registrants.by_keep.remove(&keep);
            self.endpoint.unkeep(keep);
        }
    }

    /// Nothing more is sent on the flow of a registration.
    pub(super) fn let_go_of_flow(&mut self, id: RegistrantId) {
        self.stop_keeping(id);
        if let Some(registrant) = self.registrants.all.get_mut(id) {
            (registrant.flow, registrant.proven) = (None, false);
        }
    }

    /// The first keepalive on a flow was answered.
    pub(crate) fn on_flow_proven(&mut self, now: Now, keep: KeepId) {
        let Some(id) = self.registrants.by_keep.get(&keep).copied() else { return };
        if let Some(registrant) = self.registrants.all.get_mut(id) {
            registrant.proven = true;
            self.tell_registrant(now, id);
        }
    }

    /// A flow has failed: its registration is made anew by another one, with the same number.
    pub(crate) fn on_flow_lost(&mut self, now: Now, keep: KeepId, why: Lost, proven: bool) {
        let Some(id) = self.registrants.by_keep.remove(&keep) else { return };
        let others = self.registrants.others(id).any(|(_, other)| other.stands(now));
        let Some(registrant) = self.registrants.all.get_mut(id) else { return };
        (registrant.keep, registrant.flow) = (None, None);
        let trunk = registrant.trunk.as_str();
        tracing::warn!(
            trunk,
            flow = registrant.number,
            why = name(why),
            proven,
            "the flow to a trunk has failed"
        );
        let send = registrant.machine.flow_failed(now, proven, others, &mut *self.ids);
        if let Stage::Retry(_, fault) = registrant.machine.stage() {
            registrant.fault = Some(fault);
        }
        self.send_register(now, id, send);
        self.wake_others(now, id);
    }

    /// A call by the flow of a trunk has found that something on it fails: the shard that registers the trunk is to find out
    /// whether that is the flow.
    pub(crate) fn doubt_flow(&mut self, now: Now, trunk: &TrunkName, flow: Flow) {
        let standing = self.common.standings.get(trunk);
        let keeper = standing.iter().flat_map(|standing| standing.flows()).find(|of| of.flow == Some(flow));
        match keeper.map(|of| of.shard) {
            Some(shard) if shard != self.shard => self.pass_doubt(shard, flow),
            Some(_) => self.check_flow(now, flow),
            // It is no flow of the trunk's any more.
            None => {}
        }
    }

    /// Sends a keepalive now on a flow that this shard keeps.
    pub(crate) fn check_flow(&mut self, now: Now, flow: Flow) {
        let doubted =
            self.registrants.all.values().filter(|of| of.flow == Some(flow)).filter_map(|of| of.keep);
        for keep in doubted.collect::<Vec<_>>() {
            self.endpoint.check_flow(now, keep);
        }
    }

    /// The flows that rest begin, unless one stands that must stand alone.
    pub(super) fn wake_others(&mut self, now: Now, id: RegistrantId) {
        let Some(registrant) = self.registrants.all.get(id) else { return };
        if self.drain.is_some() || registrant.leaving || registrant.machine.stage() == Stage::Sending {
            return;
        }
        let others = self.registrants.others(id).filter(|(_, other)| other.is_at_rest());
        for other in others.map(|(other, _)| other).collect::<Vec<_>>() {
            self.begin_registrant(now, other);
        }
    }
}

/// How often keepalives are sent on the flow that a registration was granted on, if at all: where outbound is applied, or the
/// first hop has said that it takes them (RFC 5626 §4.4, RFC 6223 §4.3).
fn keepalives(extras: &Extras, applied: bool, configured: Option<Duration>, flow: Flow) -> Option<Every> {
    let offered = extras.keep.filter(|every| !every.is_zero());
    let timer = extras.flow_timer.filter(|every| applied && !every.is_zero());
    let usual = match flow.connection {
        Some(_) => Every::CONNECTION,
        None => Every::DATAGRAMS,
    };
    let says = timer.or(offered).or(configured).map_or(usual, Every::upto);
    (applied || extras.keep.is_some()).then_some(says)
}

fn name(why: Lost) -> &'static str {
    match why {
        Lost::Unanswered => "a keepalive was not answered",
        Lost::Refused(_) => "a keepalive was refused",
        Lost::Moved => "we are seen from another address",
        Lost::Closed => "its connection is over",
        Lost::Unreachable => "its other end is out of reach",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sip::{ConnectionId, ListenerId};

    #[test]
    fn keepalives_are_as_often_as_the_registrar_says_else_the_configuration() {
        let secs = Duration::from_secs;
        let stream = Flow {
            listener: ListenerId(0),
            peer: "192.0.2.1:5060".parse().unwrap(),
            connection: Some(ConnectionId(1)),
        };
        let datagrams = Flow { connection: None, ..stream };
        let says = |flow_timer, keep| Extras { flow_timer, keep, ..Extras::default() };
        let (silent, timer) = (says(None, None), says(Some(secs(30)), Some(secs(60))));
        let usual = [(stream, Every::CONNECTION), (datagrams, Every::DATAGRAMS)];
        for (flow, usual) in usual {
            assert_eq!(keepalives(&silent, true, None, flow), Some(usual));
            assert_eq!(keepalives(&silent, true, Some(secs(9)), flow), Some(Every::upto(secs(9))));
            assert_eq!(
                keepalives(&silent, false, Some(secs(9)), flow),
                None,
                "nobody has said that they are taken"
            );
            assert_eq!(keepalives(&timer, true, Some(secs(9)), flow), Some(Every::upto(secs(30))));
            assert_eq!(
                keepalives(&timer, false, None, flow),
                Some(Every::upto(secs(60))),
                "Flow-Timer is outbound's"
            );
            assert_eq!(keepalives(&says(None, Some(secs(0))), false, None, flow), Some(usual));
        }
    }
}
