//! A call comes in: whose it is, whether it may, and where it goes.

use super::fork::incoming_breadth;
use super::place::{Finder, Place};
use super::{OrRefuse, decide};
use crate::registrar::Account;
use crate::shard::{Core, Held, domains};
use crate::snapshot::{Protected, Snapshot, conduct};
use crate::trunk::{Entry, called_by_contact};
use config::{NetworkName, TrunkName};
use policy::{Decision, RouteFacts, Step, Trail};
use sip::registration::server::Aor;
use sip::session::{Reply, SessionId};
use sip::time::Now;
use sip::{NetworkId, Received};
use sip_types::header::ContentType;
use sip_types::{HeaderName, Method, StatusCode};

/// What is known of an INVITE before there is a call.
pub(super) struct Arrival {
    pub(super) session: SessionId,
    pub(super) network: NetworkId,
    pub(super) trunk: Option<TrunkName>,
    pub(super) request: Received,
    /// What it gives us of Max-Breadth.
    pub(super) breadth: u8,
    /// Its place among all calls, and among those of its trunk.
    pub(super) in_node: Held,
    pub(super) in_trunk: Option<Held>,
}

impl Core {
    /// A new INVITE.
    pub(crate) fn on_invited(&mut self, now: Now, session: SessionId, request: Received) {
        let snapshot = self.snapshot.clone();
        let admitted =
            self.admit(&snapshot).and_then(|held| answerable(&request).map(|breadth| (held, breadth)));
        let (in_node, breadth) = match admitted {
            Ok(admitted) => admitted,
            Err(reply) => {
                match reply.status {
                    StatusCode::MAX_BREADTH_EXCEEDED => self.counters.breadthless += 1,
                    StatusCode::NOT_ACCEPTABLE => self.counters.unacceptable += 1,
                    _ => {}
                }
                return self.refuse(now, session, &reply);
            }
        };
        let Some(listener) = self.endpoint.settings().listener(request.flow.listener) else { return };
        let network = listener.network;
        let Some(name) = snapshot.network_name(network) else { return };
        let proven = request.flow.connection.and_then(|id| self.peers.get(&id));
        let proven = proven.and_then(|peer| snapshot.policy.proven_peer(name, domains(peer)));
        let peer = proven.or_else(|| snapshot.policy.peer(name, request.flow.peer.ip()));
        let trunk = self.caller_of_contact(&snapshot, name, peer, &request).or(peer).cloned();
        let protected = match &trunk {
            Some(trunk) => Some(Protected::Trunk(trunk.clone())),
            // Whoever names a domain of ours is challenged, whether or not there is such a user: nobody learns who there is.
            None if snapshot.registrars.serves(name, request.from.uri()) => {
                Some(Protected::Registrar(name.clone()))
            }
            None => None,
        };
        if protected.is_none() && !snapshot.routes_strangers(network) {
            self.counters.strangers += 1;
            return self.refuse(now, session, &Reply::new(StatusCode::FORBIDDEN));
        }
        if let Some(of) = &protected
            && let Err(reply) = self.prove(now, &snapshot, of, &request)
        {
            return self.refuse(now, session, &reply);
        }
        let mut in_trunk = None;
        if let Some(trunk) = &trunk {
            in_trunk = self.enter_trunk(&snapshot, trunk);
            if in_trunk.is_none() {
                self.counters.trunk_full += 1;
                return self.refuse(now, session, &self.overload_reply());
            }
        }
        let profile = decide::profile(&snapshot, network, trunk.as_ref());
        self.endpoint.conduct(now, session, conduct(&profile));
        if let Err(reply) = decide::extensions(request.headers(), &profile) {
            return self.refuse(now, session, &reply);
        }
        let mut trail = Trail::default();
        let source = request.flow.peer.ip();
        trail.push(Step::Peer { network: name.clone(), source, trunk: trunk.clone() });
        let routed = route(&snapshot, network, trunk.as_ref(), &request, &mut trail);
        let found = routed.and_then(|targets| self.find(now, &snapshot, targets, &request, &mut trail));
        match found {
            Ok(places) => {
                let arrival = Arrival { session, network, trunk, request, breadth, in_node, in_trunk };
                self.begin(now, snapshot, arrival, places, trail);
            }
            Err(reply) => {
                self.counters.unroutable += 1;
                self.refuse(now, session, &reply);
            }
        }
    }

    /// Whether a caller passes the challenge, and is whom From names.
    fn prove(&mut self, now: Now, snapshot: &Snapshot, of: &Protected, request: &Received) -> OrRefuse<()> {
        let user =
            match self.common.gate.check(now, snapshot, of, request, &mut self.counters, &mut *self.ids) {
                Entry::Open(user) => user.unwrap_or_default(),
                Entry::Closed(reply) => {
                    self.counters.challenged += 1;
                    return Err(reply);
                }
            };
        let Protected::Registrar(network) = of else { return Ok(()) };
        if our_user(snapshot, network, request).is_some_and(|account| account.is_of(&user)) {
            return Ok(());
        }
        self.counters.impostors += 1;
        Err(Box::new(Reply::new(StatusCode::FORBIDDEN)))
    }

    /// The places that targets lead to at this moment.
    fn find(
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
        let found = finder.places(targets, request.headers(), trail);
        found.inspect_err(|reply| match reply.status {
            StatusCode::SERVICE_UNAVAILABLE => self.counters.trunks_unregistered += 1,
            _ => self.counters.unregistered += 1,
        })
    }

    /// Whether another call may begin.
    fn admit(&mut self, snapshot: &Snapshot) -> OrRefuse<Held> {
        if self.drain.is_some() {
            self.counters.draining += 1;
            return Err(Box::new(self.overload_reply()));
        }
        self.enter_call(snapshot).ok_or_else(|| {
            self.counters.overloaded += 1;
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
}

/// Whose address-of-record From names, if it is one that registers in that network.
fn our_user<'s>(snapshot: &'s Snapshot, network: &NetworkName, request: &Received) -> Option<&'s Account> {
    let aor = Aor::of(request.from.uri())?;
    snapshot.registrars.account(&aor).filter(|account| account.network == *network)
}

/// 440 for a call that may go nowhere (RFC 5393 §5.3.3), and 406 for an offer whose answer the caller could not take
/// (RFC 3261 §21.4.7); else its Max-Breadth.
fn answerable(request: &Received) -> OrRefuse<u8> {
    let breadth = incoming_breadth(request);
    if breadth == 0 {
        return Err(Box::new(Reply::new(StatusCode::MAX_BREADTH_EXCEEDED)));
    }
    let headers = request.headers();
    let offers =
        headers.get::<ContentType>().ok().flatten().is_some_and(|kind| kind.is("application", "sdp"));
    if !offers || policy::is_acceptable(headers, "application", "sdp") {
        return Ok(breadth);
    }
    Err(Box::new(Reply::new(StatusCode::NOT_ACCEPTABLE)))
}

/// Asks policy where a call goes.
fn route(
    snapshot: &Snapshot,
    network: NetworkId,
    trunk: Option<&TrunkName>,
    request: &Received,
    trail: &mut Trail,
) -> OrRefuse<Vec<policy::Target>> {
    let not_found = || Box::new(Reply::new(StatusCode::NOT_FOUND));
    let name = snapshot.network_name(network).ok_or_else(not_found)?;
    let uri = request.request.uri().map_err(|_| Box::new(Reply::new(StatusCode::BAD_REQUEST)))?;
    let registered = trunk.and_then(|trunk| called_by_contact(snapshot, name, trunk, request));
    if let Some(called) = &registered {
        trail.push(Step::Registered { called: called.to_bytestring() });
    }
    let facts = RouteFacts {
        network: name,
        trunk,
        method: &Method::Invite,
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
