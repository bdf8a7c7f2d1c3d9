//! Legs whose peer is reached on its connection only: without that, nobody can tell it anything, and it may not even be there.
//! It has some time to come back on another one; then the call ends on both legs.

use super::guard::CallTimer;
use super::{CallKey, LegNo, decide};
use crate::shard::Core;
use sip::dialog::DialogState;
use sip::session::SessionId;
use sip::time::Now;
use sip::{ConnectionId, Flow};
use sip_types::Uri;
use std::collections::HashMap;

/// The legs that are bound to connections.
pub(crate) struct BoundLegs(HashMap<ConnectionId, Vec<SessionId>, ahash::RandomState>);

impl BoundLegs {
    pub(crate) fn with_hasher(hasher: ahash::RandomState) -> Self {
        Self(HashMap::with_hasher(hasher))
    }

    /// A leg is over, or has come to another connection.
    fn release(&mut self, connection: ConnectionId, session: SessionId) {
        if let Some(sessions) = self.0.get_mut(&connection) {
            sessions.retain(|known| *known != session);
            if sessions.is_empty() {
                self.0.remove(&connection);
            }
        }
    }
}

impl Core {
    /// From now on the end of the connection that a leg is bound to, if it is to one, is heard of.
    pub(crate) fn watch_leg(&mut self, key: CallKey, no: LegNo) {
        let Some(leg) = self.calls.get(key).and_then(|call| call.leg(no)) else { return };
        let (session, before) = (leg.session, leg.connection);
        let now_bound = self.endpoint.bound_to(session);
        if now_bound == before {
            return;
        }
        if let Some(before) = before {
            self.bound.release(before, session);
        }
        if let Some(connection) = now_bound {
            self.bound.0.entry(connection).or_default().push(session);
            self.watch(connection);
        }
        if let Some(leg) = self.calls.get_mut(key).and_then(|call| call.leg_mut(no)) {
            leg.connection = now_bound;
        }
    }

    /// A leg is one of two that talk from now on: the time to come back, if its connection is over by then, begins with that.
    pub(super) fn watch_joined(&mut self, now: Now, key: CallKey, no: LegNo) {
        self.watch_leg(key, no);
        let Some(leg) = self.calls.get(key).and_then(|call| call.leg(no)) else { return };
        if leg.connection.is_some_and(|connection| !self.bound.0.contains_key(&connection)) {
            self.timers.arm(now, leg.profile.reconnect_time, (key, CallTimer::Flow(no)));
        }
    }

    /// A call is over.
    pub(crate) fn forget_flows(&mut self, legs: impl Iterator<Item = (ConnectionId, SessionId)>) {
        legs.for_each(|(connection, session)| self.bound.release(connection, session));
    }

    /// A connection is over: the legs that are bound to it have some time.
    pub(crate) fn legs_cut_off(&mut self, now: Now, connection: ConnectionId) {
        for session in self.bound.0.remove(&connection).unwrap_or_default() {
            let Some((key, no)) = self.by_session.get(&session).copied() else { continue };
            let Some(leg) = self.calls.get(key).and_then(|call| call.leg(no)) else { continue };
            let after = leg.profile.reconnect_time;
            self.timers.arm(now, after, (key, CallTimer::Flow(no)));
        }
    }

    /// The time to come back is over.
    pub(super) fn flow_due(&mut self, now: Now, key: CallKey, no: LegNo) {
        self.watch_leg(key, no);
        let Some(call) = self.calls.get(key) else { return };
        let Some(leg) = call.leg(no) else { return };
        // A branch that only rings has timers of its own, and others may ring beside it.
        let matters = match call.joined() {
            Some(_) => call.party(no).is_some(),
            None => call.is_called_for(no),
        };
        let Some(connection) = leg.connection.filter(|_| leg.end.is_none() && matters) else { return };
        if self.bound.0.contains_key(&connection) {
            return;
        }
        let session = leg.session;
        if let Some(flow) = self.registered_again(now, key, no) {
            self.endpoint.move_to(session, flow);
            return self.watch_leg(key, no);
        }
        self.counters.flows_of_calls_lost += 1;
        let reason = decide::reason(503, "Connection lost");
        // A transferor need not be there for the target (RFC 5589 §6.1).
        if self.calls.get(key).is_some_and(|call| call.transfers_by(no)) {
            self.end_leg(now, key, no, session, reason.clone());
            if let Some(leg) = self.calls.get_mut(key).and_then(|call| call.leg_mut(no)) {
                leg.close(now, None, "connection lost", None);
            }
        }
        if !self.outlives(now, key, no) {
            self.end_call(now, key, &reason, "connection lost");
        }
    }

    /// The flow that the device of a leg has registered on since, as the same Contact.
    fn registered_again(&self, now: Now, key: CallKey, no: LegNo) -> Option<Flow> {
        let session = self.calls.get(key)?.leg(no)?.session;
        let user = self.user_of(&self.snapshot, key, no)?;
        let view = self.endpoint.session(session)?;
        let stands = |state| matches!(state, DialogState::Early | DialogState::Confirmed);
        let dialog = view.dialogs.iter().find(|dialog| stands(dialog.state))?;
        let target: Uri = dialog.remote_target.parse().ok()?;
        let is_same = |uri: &Uri| uri.user() == target.user() && uri.host() == target.host();
        let record = self.common.directory.record(&user)?;
        let mut live = record.bindings.iter().filter(|of| of.ends > now.mono && of.path.is_empty());
        live.find(|of| is_same(&of.uri) && of.flow.connection.is_some()).map(|of| of.flow)
    }
}
