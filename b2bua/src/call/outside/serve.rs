//! What comes in: who asks, whom for, and the places that a call would reach.

use super::super::fork::{Fork, incoming_breadth};
use super::super::incoming::route;
use super::super::{Caller, OrRefuse, decide};
use super::{Waiting, WaitingKey, message};
use crate::shard::{Core, Held};
use crate::snapshot::Snapshot;
use config::{TrunkName, UnsolicitedNotify};
use policy::Trail;
use sip::Received;
use sip::session::{Reply, RequestId};
use sip::time::Now;
use sip_types::header::Event;
use sip_types::{Method, Scheme, StatusCode};
use std::sync::Arc;

/// What becomes of a request.
enum Taken {
    /// It waits for somebody behind us.
    Waits(WaitingKey),
    /// We answer it ourselves.
    Ours(Reply),
}

impl Core {
    /// A request outside a dialog that is not for a registrar of ours.
    pub(crate) fn on_outside(&mut self, now: Now, id: RequestId, request: &Received) {
        let snapshot = self.snapshot.clone();
        let taken = match request.method() {
            Method::Options => self.take_options(now, &snapshot, id, request),
            Method::Refer => return self.on_refer_outside(now, id, request),
            _ => self.take_outside(now, &snapshot, id, request).map(Taken::Waits),
        };
        match taken {
            Ok(Taken::Waits(key)) => self.ask_more(now, key),
            Ok(Taken::Ours(capabilities)) => self.answer_outside(now, id, &capabilities),
            Err(reply) => {
                self.refused(now, &request.flow, reply.status);
                // It was asked in this very turn.
                let _ = self.endpoint.turn_away_asked(now, id, &reply);
            }
        }
    }

    /// OPTIONS: the response code is what an INVITE would get (RFC 3261 §11.2). Our capabilities where the request is for us.
    fn take_options(
        &mut self,
        now: Now,
        snapshot: &Arc<Snapshot>,
        id: RequestId,
        request: &Received,
    ) -> OrRefuse<Taken> {
        let (_in_node, breadth) = self.admit(snapshot, request)?;
        if self.endpoint.is_full() {
            self.counters.overloaded += 1;
            return Err(Box::new(self.overload_reply()));
        }
        let caller = self.caller(now, snapshot, request)?;
        let _in_trunk = self.admit_to_trunk(snapshot, caller.trunk.as_ref())?;
        let profile = decide::profile(snapshot, caller.network, caller.trunk.as_ref());
        decide::extensions(request.headers(), &profile)?;
        let for_us =
            request.request.uri().is_ok_and(|uri| uri.user().is_none() && uri.scheme() != Scheme::Tel);
        // RFC 3261 §11: where it may go no further, whom it has come to may answer for whom it was for.
        if for_us || is_spent(request) {
            let listener = self.endpoint.settings().listener(request.flow.listener);
            let ours = listener.map(|listener| Taken::Ours(self.endpoint.capabilities(listener)));
            return ours.ok_or_else(|| Box::new(Reply::new(StatusCode::SERVER_INTERNAL_ERROR)));
        }
        let key = self.wait(now, snapshot, id, (request, breadth), caller, None)?;
        self.counters.options_carried += 1;
        Ok(Taken::Waits(key))
    }

    /// All other requests.
    fn take_outside(
        &mut self,
        now: Now,
        snapshot: &Arc<Snapshot>,
        id: RequestId,
        request: &Received,
    ) -> OrRefuse<WaitingKey> {
        if self.drain.is_some() {
            self.counters.draining += 1;
            return Err(Box::new(self.overload_reply()));
        }
        if *request.method() == Method::Notify && !self.takes_unsolicited(snapshot, request) {
            return Err(Box::new(Reply::new(StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST)));
        }
        let breadth = incoming_breadth(request);
        if breadth == 0 {
            self.counters.breadthless += 1;
            return Err(Box::new(Reply::new(StatusCode::MAX_BREADTH_EXCEEDED)));
        }
        let caller = self.caller(now, snapshot, request)?;
        let profile = decide::profile(snapshot, caller.network, caller.trunk.as_ref());
        decide::extensions(request.headers(), &profile)?;
        let side = (caller.network, &*profile);
        let alone = decide::crossing_between(snapshot, side, side);
        let listener = self.endpoint.settings().listener(request.flow.listener);
        decide::goes_outside(request.method(), &alone, listener)?;
        let secure = message::is_secure(self.endpoint.settings(), &request.flow);
        message::permit(&profile, secure, &request.request)?;
        if is_spent(request) {
            return Err(Box::new(Reply::new(StatusCode::TOO_MANY_HOPS)));
        }
        let subscription = match request.method() {
            Method::Subscribe => Some(self.admit_subscription(snapshot, request)?),
            _ => None,
        };
        let key = self.wait(now, snapshot, id, (request, breadth), caller, subscription)?;
        match request.method() {
            Method::Message => self.counters.messages_carried += 1,
            Method::Publish => self.counters.publishes_carried += 1,
            Method::Subscribe => self.counters.subscribes_carried += 1,
            Method::Notify => self.counters.notifies_unsolicited += 1,
            _ => self.counters.others_carried += 1,
        }
        Ok(key)
    }

    /// Whether anybody in the network that a NOTIFY came from may tell without a subscription: else nobody is asked who it is.
    fn takes_unsolicited(&self, snapshot: &Snapshot, request: &Received) -> bool {
        let listener = self.endpoint.settings().listener(request.flow.listener);
        let Some(network) = listener.map(|listener| listener.network) else { return false };
        let name = snapshot.network_name(network);
        let trunks = snapshot.config().trunks.iter().filter(|(_, trunk)| Some(&trunk.network) == name);
        let trunks = trunks.map(|(trunk, _)| Some(trunk));
        let carries = |trunk: Option<&TrunkName>| {
            let profile = decide::profile(snapshot, network, trunk);
            profile.unsolicited_notify == UnsolicitedNotify::Carry
        };
        std::iter::once(None).chain(trunks).any(carries)
    }

    /// Whether a SUBSCRIBE names what can be subscribed to, and there is room for it (RFC 6665 §4.2.1.1, §4.2.3).
    fn admit_subscription(&mut self, snapshot: &Snapshot, request: &Received) -> OrRefuse<Held> {
        let refuse = |status| Box::new(Reply::new(status));
        match request.headers().sole::<Event>() {
            Ok(Some(_)) => {}
            Ok(None) => return Err(refuse(StatusCode::BAD_EVENT)),
            Err(_) => return Err(refuse(StatusCode::BAD_REQUEST)),
        }
        let limit = u32::try_from(snapshot.config().limits.subscriptions).unwrap_or(u32::MAX);
        self.common.subscriptions.enter(limit).ok_or_else(|| {
            self.counters.subscribes_over_limit += 1;
            Box::new(self.overload_reply())
        })
    }

    /// Has a request wait for the places that a call would reach.
    fn wait(
        &mut self,
        now: Now,
        snapshot: &Arc<Snapshot>,
        id: RequestId,
        (request, breadth): (&Received, u8),
        caller: Caller,
        subscription: Option<Held>,
    ) -> OrRefuse<WaitingKey> {
        let Caller { network, trunk, .. } = caller;
        let mut trail = Trail::default();
        let routed = route(self.registered(now, snapshot), network, trunk.as_ref(), request, &mut trail);
        let found = routed.and_then(|targets| self.find(now, snapshot, targets, request, &mut trail));
        let places = found.inspect_err(|_| self.counters.unroutable += 1)?;
        let waiting = Waiting {
            id,
            request: request.clone(),
            snapshot: snapshot.clone(),
            network,
            profile: decide::profile(snapshot, network, trunk.as_ref()),
            trunk,
            fork: Fork::new(places, breadth),
            asked: Vec::new(),
            count: 0,
            since: now.mono,
            subscription,
        };
        Ok(self.outside.waiting.insert(waiting))
    }

    /// Answers what was handed up. Who gave up meanwhile hears nothing (RFC 4320 §4.2).
    pub(super) fn answer_outside(&mut self, now: Now, id: RequestId, reply: &Reply) {
        let _ = self.endpoint.answer_asked(now, id, reply);
    }
}

/// Whether a request may go no further (RFC 3261 §16.3 step 3).
fn is_spent(request: &Received) -> bool {
    request.max_forwards.is_some_and(|hops| hops.0 == 0)
}
