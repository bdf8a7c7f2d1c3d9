//! What comes in: who asks, whom for, and the way there.

use super::super::decide;
use super::super::dial::breadth_text;
use super::super::incoming::route;
use super::super::{Caller, OrRefuse, Place};
use super::{PATIENCE, Waiting};
use crate::shard::{Core, listener_in};
use crate::snapshot::{Snapshot, conduct};
use policy::{On, Trail};
use sip::Received;
use sip::session::{Ask, IntentError, Parts, Patience, Reply, RequestId};
use sip::time::Now;
use sip_types::{HeaderName, Scheme, StatusCode};
use std::collections::VecDeque;
use std::sync::Arc;

impl Core {
    /// OPTIONS outside a dialog. The response code is what an INVITE would get (RFC 3261 §11.2).
    pub(crate) fn on_options(&mut self, now: Now, id: RequestId, request: &Received) {
        let snapshot = self.snapshot.clone();
        let reply = match self.take_options(now, &snapshot, id, request) {
            Ok(None) => return,
            Ok(Some(capabilities)) => capabilities,
            Err(reply) => {
                self.refused(now, &request.flow, reply.status);
                // It was asked in this very turn.
                let _ = self.endpoint.turn_away_asked(now, id, &reply);
                return;
            }
        };
        self.answer_outside(now, id, &reply);
    }

    /// Our capabilities where the request is for us; `None` where it is on its way to somebody else.
    fn take_options(
        &mut self,
        now: Now,
        snapshot: &Arc<Snapshot>,
        id: RequestId,
        request: &Received,
    ) -> OrRefuse<Option<Reply>> {
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
        if for_us || request.max_forwards.is_some_and(|hops| hops.0 == 0) {
            let listener = self.endpoint.settings().listener(request.flow.listener);
            return Ok(listener.map(|listener| self.endpoint.capabilities(listener)));
        }
        let Caller { network, trunk, .. } = caller;
        let mut trail = Trail::default();
        let routed = route(self.registered(now, snapshot), network, trunk.as_ref(), request, &mut trail);
        let found = routed.and_then(|targets| self.find(now, snapshot, targets, request, &mut trail));
        let mut left = VecDeque::from(found.inspect_err(|_| self.counters.unroutable += 1)?);
        let first = left.pop_front().ok_or_else(|| Box::new(Reply::new(StatusCode::NOT_FOUND)))?;
        let waiting = Waiting {
            id,
            request: request.clone(),
            breadth,
            snapshot: snapshot.clone(),
            network,
            asked: (network, profile.clone()),
            profile,
            left,
            until: now.mono + PATIENCE,
        };
        self.counters.options_carried += 1;
        self.ask_place(now, waiting, first).map(|()| None)
    }

    /// Asks a place; and the next ones, as far as one cannot be asked at all.
    pub(super) fn ask_place(&mut self, now: Now, mut waiting: Waiting, first: Place) -> OrRefuse<()> {
        let mut next = Some(first);
        let mut refusal = None;
        while let Some(place) = next.take() {
            match self.ask_of(&waiting, &place).and_then(|ask| {
                self.endpoint.ask(now, ask).map_err(|why| match why {
                    IntentError::Full => Box::new(self.overload_reply()),
                    _ => Box::new(Reply::new(StatusCode::SERVER_INTERNAL_ERROR)),
                })
            }) {
                Ok((session, _)) => {
                    let network = waiting.snapshot.network_id(&place.target.network);
                    waiting.asked = (network.unwrap_or(waiting.network), place.target.profile);
                    self.outside.insert(session, waiting);
                    return Ok(());
                }
                Err(reply) => refusal = refusal.or(Some(reply)),
            }
            next = waiting.left.pop_front();
        }
        Err(refusal.unwrap_or_else(|| Box::new(Reply::new(StatusCode::SERVER_INTERNAL_ERROR))))
    }

    /// The request that a place gets, made from the one that waits.
    fn ask_of(&mut self, waiting: &Waiting, place: &Place) -> OrRefuse<Ask> {
        let target = &place.target;
        let request = &waiting.request;
        let secure = request.request.uri().is_ok_and(|uri| uri.scheme() == Scheme::Sips);
        if secure && !sip::is_secure_hop(&target.next_hop) {
            return Err(Box::new(decide::sips_not_allowed()));
        }
        let gone = || Box::new(Reply::new(StatusCode::SERVER_INTERNAL_ERROR));
        let network = waiting.snapshot.network_id(&target.network).ok_or_else(gone)?;
        let from = (waiting.network, &*waiting.profile);
        let crossing = decide::crossing_between(&waiting.snapshot, from, (network, &target.profile));
        let listener = listener_in(&self.endpoint, network);
        let mut parts = Parts {
            body: None,
            ..decide::parts(request.headers(), On::Request(request.method()), &crossing, listener)
        };
        parts.fields.push(HeaderName::MaxBreadth, breadth_text(waiting.breadth));
        // RFC 3261 §11.1: what is understood is asked for.
        if !request.headers().contains(HeaderName::Accept) {
            parts.fields.push(HeaderName::Accept, "application/sdp");
        }
        Ok(Ask {
            network,
            label: self.label(target.trunk.as_ref()),
            conduct: Some(conduct(&target.profile)),
            method: request.method().clone(),
            request_uri: match (decide::proven_uri(request, &crossing).filter(|_| !target.registered), secure)
            {
                (Some(uri), _) => uri,
                (None, true) => target.request_uri.secured(),
                (None, false) => target.request_uri.clone(),
            },
            next_hop: target.next_hop.clone(),
            routes: place.routes.clone(),
            flow: place.flow,
            outbound: false,
            keep: false,
            from: request.from.untagged(),
            to: request.to.untagged(),
            contact_user: None,
            // RFC 7332 §5, as for a call.
            max_forwards: request.max_forwards.map_or(70, |hops| hops.0.saturating_sub(1)),
            patience: Patience { target: Some(target.profile.target_timeout), last_resort: false },
            everywhere: false,
            parts,
        })
    }
}
