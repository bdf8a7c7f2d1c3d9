//! A call comes in: whose it is, whether it may, and where it goes.

use super::fork::incoming_breadth;
use super::place::{Finder, Place};
use super::{Caller, OrRefuse, decide};
use crate::shard::{Core, Held};
use crate::snapshot::{Snapshot, conduct_with};
use crate::trunk::Registered;
use config::{ReferPolicy, TrunkName};
use policy::{Decision, RouteFacts, Step, Trail};
use sip::session::{Reply, SessionId};
use sip::time::Now;
use sip::{NetworkId, Received};
use sip_types::header::ContentType;
use sip_types::{Fields, HeaderName, StatusCode};

/// What is known of an INVITE before there is a call.
pub(super) struct Arrival {
    pub(super) session: SessionId,
    pub(super) network: NetworkId,
    pub(super) trunk: Option<TrunkName>,
    pub(super) request: Received,
    /// What it gives us of Max-Breadth.
    pub(super) breadth: u8,
    /// What the INVITE has on the other side besides what crosses.
    pub(super) fields: Fields,
    /// Its place among all calls, and among those of its trunk.
    pub(super) in_node: Held,
    pub(super) in_trunk: Option<Held>,
}

impl Core {
    /// A new INVITE.
    pub(crate) fn on_invited(&mut self, now: Now, session: SessionId, request: Received) {
        let snapshot = self.snapshot.clone();
        let (in_node, breadth) = match self.admit(&snapshot, &request) {
            Ok(admitted) => admitted,
            Err(reply) => return self.refuse(now, session, &reply),
        };
        let Caller { network, name, trunk } = match self.caller(now, &snapshot, &request) {
            Ok(caller) => caller,
            Err(reply) => {
                self.refused(now, &request.flow, reply.status);
                return self.turn_away(now, session, &reply);
            }
        };
        let in_trunk = match self.admit_to_trunk(&snapshot, trunk.as_ref()) {
            Ok(held) => held,
            Err(reply) => return self.refuse(now, session, &reply),
        };
        let profile = decide::profile(&snapshot, network, trunk.as_ref());
        let peer = trunk.as_ref().and_then(|trunk| snapshot.config().trunks.get(trunk));
        self.endpoint.conduct(now, session, conduct_with(&profile, peer));
        if let Err(reply) = decide::extensions(request.headers(), &profile) {
            return self.refuse(now, session, &reply);
        }
        if let Some(reply) = self.endpoint.interval_refusal(session) {
            return self.refuse(now, session, &reply);
        }
        if profile.refer != ReferPolicy::Refuse && request.headers().contains(HeaderName::Replaces) {
            let fields = Fields::default();
            let arrival = Arrival { session, network, trunk, request, breadth, fields, in_node, in_trunk };
            return self.on_replacing(now, arrival, profile);
        }
        let mut trail = Trail::default();
        let source = request.flow.peer.ip();
        trail.push(Step::Peer { network: name, source, trunk: trunk.clone() });
        let joined = match profile.refer {
            ReferPolicy::Refuse => Ok(None),
            ReferPolicy::Handle | ReferPolicy::Carry => self.joined(network, trunk.as_ref(), &request),
        };
        let (found, fields) = match joined {
            Ok(Some((place, fields))) => (Ok(vec![place]), fields),
            Ok(None) => {
                let by = self.registered(now, &snapshot);
                let routed = route(by, network, trunk.as_ref(), &request, &mut trail);
                let found =
                    routed.and_then(|targets| self.find(now, &snapshot, targets, &request, &mut trail));
                (found, Fields::default())
            }
            Err(reply) => return self.refuse(now, session, &reply),
        };
        match found {
            Ok(places) => {
                let arrival =
                    Arrival { session, network, trunk, request, breadth, fields, in_node, in_trunk };
                self.begin(now, snapshot, arrival, places, trail);
            }
            Err(reply) => {
                self.counters.unroutable += 1;
                self.refused(now, &request.flow, reply.status);
                self.refuse(now, session, &reply);
            }
        }
    }

    /// The places that targets lead to at this moment.
    pub(crate) fn find(
        &mut self,
        now: Now,
        snapshot: &Snapshot,
        targets: Vec<policy::Target>,
        request: &Received,
        trail: &mut Trail,
    ) -> OrRefuse<Vec<Place>> {
        let finder = Finder {
            now,
            snapshot,
            directory: &self.common.directory,
            keys: &self.common.gruu,
            standings: &self.common.standings,
            settings: self.endpoint.settings(),
        };
        let found = finder.places(targets, (request.method(), request.headers()), trail);
        found.inspect_err(|reply| match reply.status {
            StatusCode::SERVICE_UNAVAILABLE => self.counters.trunks_unregistered += 1,
            _ => self.counters.unregistered += 1,
        })
    }

    /// Whether another call may begin, and what it gets of Max-Breadth. 503 where there is no room; 440 for one that may go
    /// nowhere (RFC 5393 §5.3.3), 406 for an offer whose answer the caller could not take (RFC 3261 §21.4.7).
    pub(super) fn admit(&mut self, snapshot: &Snapshot, request: &Received) -> OrRefuse<(Held, u8)> {
        if self.drain.is_some() {
            self.counters.draining += 1;
            return Err(Box::new(self.overload_reply()));
        }
        let Some(held) = self.enter_call(snapshot) else {
            self.counters.overloaded += 1;
            return Err(Box::new(self.overload_reply()));
        };
        let breadth = incoming_breadth(request);
        if breadth == 0 {
            self.counters.breadthless += 1;
            return Err(Box::new(Reply::new(StatusCode::MAX_BREADTH_EXCEEDED)));
        }
        let headers = request.headers();
        let offers =
            headers.get::<ContentType>().ok().flatten().is_some_and(|kind| kind.is("application", "sdp"));
        if offers && !policy::is_acceptable(headers, "application", "sdp") {
            self.counters.unacceptable += 1;
            return Err(Box::new(Reply::new(StatusCode::NOT_ACCEPTABLE)));
        }
        Ok((held, breadth))
    }

    /// Whether a trunk, if it is one, may have another call.
    pub(super) fn admit_to_trunk(
        &mut self,
        snapshot: &Snapshot,
        trunk: Option<&TrunkName>,
    ) -> OrRefuse<Option<Held>> {
        let Some(trunk) = trunk else { return Ok(None) };
        self.enter_trunk(snapshot, trunk).map(Some).ok_or_else(|| {
            self.counters.trunk_full += 1;
            Box::new(self.overload_reply())
        })
    }

    /// 503 with Retry-After.
    pub(crate) fn overload_reply(&self) -> Reply {
        let mut reply = Reply::new(StatusCode::SERVICE_UNAVAILABLE);
        let seconds = self.snapshot.config().limits.retry_after.as_secs();
        reply.parts.fields.push(HeaderName::RetryAfter, seconds.to_string());
        reply
    }

    /// Refuses an INVITE that no call was made for.
    pub(super) fn refuse(&mut self, now: Now, session: SessionId, reply: &Reply) {
        // The session was made in this very turn, and waits.
        let _ = self.endpoint.reject(now, session, reply);
    }

    /// Refuses an INVITE of somebody who has proved nothing.
    fn turn_away(&mut self, now: Now, session: SessionId, reply: &Reply) {
        // The session was made in this very turn, and waits.
        let _ = self.endpoint.turn_away(now, session, reply);
    }
}

/// Asks policy where a call goes, or what is asked of somebody as a call would be.
pub(crate) fn route(
    by: Registered<'_>,
    network: NetworkId,
    trunk: Option<&TrunkName>,
    request: &Received,
    trail: &mut Trail,
) -> OrRefuse<Vec<policy::Target>> {
    let snapshot = by.snapshot;
    let not_found = || Box::new(Reply::new(StatusCode::NOT_FOUND));
    let name = snapshot.network_name(network).ok_or_else(not_found)?;
    let uri = request.request.uri().map_err(|_| Box::new(Reply::new(StatusCode::BAD_REQUEST)))?;
    let registered = trunk.and_then(|trunk| by.called(name, trunk, request));
    if let Some(called) = &registered {
        trail.push(Step::Registered { called: called.to_bytestring() });
    }
    let facts = RouteFacts {
        network: name,
        trunk,
        method: request.method(),
        request_uri: registered.as_ref().unwrap_or(&uri),
        from: Some(request.from.uri()),
    };
    match snapshot.policy.route(&facts, trail) {
        Decision::Targets { targets, .. } if !targets.is_empty() => Ok(targets),
        Decision::Targets { .. } | Decision::NoRoute => Err(not_found()),
        Decision::Reject { status, reason, retry_after, .. } => {
            let mut reply = Reply::new(status);
            reply.reason = reason.unwrap_or_default();
            if let Some(after) = retry_after {
                reply.parts.fields.push(HeaderName::RetryAfter, after.as_secs().to_string());
            }
            Err(Box::new(reply))
        }
    }
}
