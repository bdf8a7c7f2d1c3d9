//! A call comes in: whose it is, whether it may, and where it goes.

use super::body::Taken;
use super::place::{Finder, Place};
use super::{Call, CallFacts, CallKey, Exchange, Leg, LegNo, OrRefuse, State, decide};
use crate::registrar::Account;
use crate::shard::{Core, Held, domains};
use crate::snapshot::{Protected, Snapshot, conduct};
use crate::trunk::Entry;
use config::{MediaMode, NetworkName, Profile, TcpMedia, TrunkName};
use media::{CallMedia, Connections, Mode, PartyId, Refusal};
use policy::{Crossing, Decision, RouteFacts, Step, Trail};
use sip::registration::server::Aor;
use sip::session::{Reply, SessionId};
use sip::time::Now;
use sip::{NetworkId, Received};
use sip_types::header::ContentType;
use sip_types::{HeaderName, Method, Scheme, StatusCode};
use std::collections::VecDeque;
use std::sync::Arc;

/// What is known of an INVITE before there is a call.
struct Arrival {
    session: SessionId,
    network: NetworkId,
    trunk: Option<TrunkName>,
    request: Received,
    /// Its place among all calls, and among those of its trunk.
    in_node: Held,
    in_trunk: Option<Held>,
}

impl Core {
    /// A new INVITE.
    pub(crate) fn on_invited(&mut self, now: Now, session: SessionId, request: Received) {
        let snapshot = self.snapshot.clone();
        let admitted = self.admit(&snapshot).and_then(|held| answerable(&request).map(|()| held));
        let in_node = match admitted {
            Ok(held) => held,
            Err(reply) => return self.refuse(now, session, &reply),
        };
        let Some(listener) = self.endpoint.settings().listener(request.flow.listener) else { return };
        let network = listener.network;
        let Some(name) = snapshot.network_name(network) else { return };
        let proven = request.flow.connection.and_then(|id| self.peers.get(&id));
        let proven = proven.and_then(|peer| snapshot.policy.proven_peer(name, domains(peer)));
        let trunk = proven.or_else(|| snapshot.policy.peer(name, request.flow.peer.ip())).cloned();
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
        let found = routed.and_then(|targets| self.find(now, &snapshot, targets));
        match found {
            Ok(targets) => {
                let arrival = Arrival { session, network, trunk, request, in_node, in_trunk };
                self.begin(now, snapshot, arrival, targets, trail);
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
    fn find(&mut self, now: Now, snapshot: &Snapshot, targets: Vec<policy::Target>) -> OrRefuse<Vec<Place>> {
        let (directory, keys) = (&*self.common.directory, &self.common.gruu);
        let settings = self.endpoint.settings();
        Finder { now, snapshot, directory, keys, settings }.places(targets).inspect_err(|_| {
            self.counters.unregistered += 1;
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
    fn refuse(&mut self, now: Now, session: SessionId, reply: &Reply) {
        // The session was made in this very turn, and waits.
        let _ = self.endpoint.reject(now, session, reply);
    }

    /// Makes the call and dials its first target.
    fn begin(
        &mut self,
        now: Now,
        snapshot: Arc<Snapshot>,
        arrival: Arrival,
        targets: Vec<Place>,
        trail: Trail,
    ) {
        let Arrival { session, network, trunk, request, in_node, in_trunk } = arrival;
        let profile = decide::profile(&snapshot, network, trunk.as_ref());
        let mode = media_mode(&profile, &targets);
        let taken = match own_rules(&snapshot, network, &profile, mode, &request) {
            Ok(taken) => taken,
            Err(reply) => return self.refuse(now, session, &reply),
        };
        let media = call_media(mode, &profile, &targets, self.ids.next_u64());
        let party = PartyId(0);
        let source = request.flow.peer.ip();
        let caller = Leg {
            no: LegNo::CALLER,
            session,
            network,
            trunk: trunk.clone(),
            profile,
            target: String::new(),
            device: false,
            party,
            started: now,
            confirmed: None,
            end: None,
            call_id: request.call_id.as_str().into(),
            farewell: None,
            _in_trunk: in_trunk,
        };
        self.sequence += 1;
        let call = Call {
            id: self.name_call(),
            sequence: self.sequence,
            state: State::SettingUp,
            caller,
            callees: Vec::new(),
            pairs: Vec::new(),
            joined: None,
            exchange: Exchange::Idle,
            exchanges: 0,
            carried: Vec::new(),
            targets: VecDeque::from(targets),
            best: None,
            media,
            parties: 0,
            facts: CallFacts::of(&request),
            invite: Some(Box::new(request)),
            wrap: taken.wrap,
            trail,
            started: now,
            answered: None,
            cause: None,
            hung_up: None,
            snapshot,
            _in_node: in_node,
        };
        tracing::debug!(
            call = %call.id,
            sip_call_id = %call.caller.call_id,
            network = call.snapshot.network_name(network).map(NetworkName::as_str),
            trunk = trunk.as_ref().map(TrunkName::as_str),
            %source,
            targets = call.targets.len(),
            route = call.trail.to_string().replace('\n', "; "),
            "a call begins"
        );
        let key = self.enter(call);
        let label = self.label(trunk.as_ref());
        self.endpoint.label(session, label);
        self.counters.calls += 1;
        match self.describe_caller(key, network, party, source, taken.sdp.as_deref()) {
            Ok(()) => self.dial_next(now, key, None),
            Err(reply) => self.refuse_caller(now, key, &reply),
        }
    }

    /// Tells media of the caller and its offer.
    fn describe_caller(
        &mut self,
        key: CallKey,
        network: NetworkId,
        party: PartyId,
        source: std::net::IpAddr,
        sdp: Option<&[u8]>,
    ) -> OrRefuse<()> {
        let Some(call) = self.calls.get_mut(key) else { return Ok(()) };
        let place = decide::media_network(&call.snapshot, network);
        call.media.add_party(party, &place);
        call.media.signalling_source(party, source);
        match sdp {
            Some(sdp) => {
                let received = call.media.receive_offer(party, sdp);
                let reserved = received.and_then(|()| call.media.reserve(party, &mut *self.link));
                reserved.map_err(|refusal| Box::new(self.media_reply(&refusal)))
            }
            None => Ok(()),
        }
    }

    /// The response that a refusal of media leads to.
    pub(crate) fn media_reply(&self, refusal: &Refusal) -> Reply {
        decide::media_reply(refusal, self.snapshot.config().limits.retry_after)
    }
}

impl CallFacts {
    fn of(request: &Received) -> Self {
        Self {
            from: request.from.uri().to_string(),
            to: request.to.uri().to_string(),
            request_uri: request.request.uri_text().to_owned(),
            secure: request.request.uri().is_ok_and(|uri| uri.scheme() == Scheme::Sips),
        }
    }
}

/// Media flows around us where the profiles of both sides say so.
fn media_mode(profile: &Profile, targets: &[Place]) -> Mode {
    let bypass = profile.media == MediaMode::Bypass
        && targets.iter().all(|place| place.target.profile.media == MediaMode::Bypass);
    if bypass { Mode::Bypass } else { Mode::Anchored }
}

/// The media of a call that begins; streams over connections go around us where the profiles of both sides say so.
fn call_media(mode: Mode, profile: &Profile, targets: &[Place], seed: u64) -> CallMedia {
    let around = profile.tcp_media == TcpMedia::Around
        && targets.iter().all(|place| place.target.profile.tcp_media == TcpMedia::Around);
    let connections = if around { Connections::Around } else { Connections::Refused };
    CallMedia::new(mode, media::Limits::default(), seed).with_connections(connections)
}

/// Whose address-of-record From names, if it is one that registers in that network.
fn our_user<'s>(snapshot: &'s Snapshot, network: &NetworkName, request: &Received) -> Option<&'s Account> {
    let aor = Aor::of(request.from.uri())?;
    snapshot.registrars.account(&aor).filter(|account| account.network == *network)
}

/// 406 for an offer whose answer the caller could not take (RFC 3261 §21.4.7).
fn answerable(request: &Received) -> OrRefuse<()> {
    let headers = request.headers();
    let offers =
        headers.get::<ContentType>().ok().flatten().is_some_and(|kind| kind.is("application", "sdp"));
    if !offers || policy::is_acceptable(headers, "application", "sdp") {
        return Ok(());
    }
    Err(Box::new(Reply::new(StatusCode::NOT_ACCEPTABLE)))
}

/// The caller's body by the rules of its own side; those of the other side are asked when a target is dialled.
fn own_rules(
    snapshot: &Snapshot,
    network: NetworkId,
    profile: &Profile,
    mode: Mode,
    request: &Received,
) -> OrRefuse<Taken> {
    let trusted = snapshot.trusts(network);
    let crossing =
        Crossing { from_trusted: trusted, to_trusted: trusted, from_profile: profile, to_profile: profile };
    decide::take_strictly(&crossing, mode, &request.request)
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
    let facts = RouteFacts {
        network: name,
        trunk,
        method: &Method::Invite,
        request_uri: &uri,
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
