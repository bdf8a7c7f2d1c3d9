//! A call begins: what is known of it, its media, and the first places that it goes to.

use super::body::{Taken, Wrap};
use super::exchange::Exchange;
use super::fork::Fork;
use super::identity::takes_another_from;
use super::incoming::Arrival;
use super::naming::Naming;
use super::place::Place;
use super::{Call, CallFacts, CallKey, Leg, LegNo, OrRefuse, State, decide};
use crate::shard::Core;
use crate::snapshot::Snapshot;
use config::{MediaMode, NetworkName, Profile, TcpMedia, TrunkName};
use media::{CallMedia, Connections, Mode, PartyId, Refusal};
use policy::{Crossing, Trail};
use sip::session::Reply;
use sip::time::Now;
use sip::{NetworkId, Received};
use sip_types::Scheme;
use std::sync::Arc;

impl Core {
    /// Makes the call and dials where it goes first.
    pub(super) fn begin(
        &mut self,
        now: Now,
        snapshot: Arc<Snapshot>,
        arrival: Arrival,
        places: Vec<Place>,
        trail: Trail,
    ) {
        let (network, session) = (arrival.network, arrival.session);
        let profile = decide::profile(&snapshot, network, arrival.trunk.as_ref());
        let mode = media_mode(&profile, &places);
        let taken = match own_rules(&snapshot, network, &profile, mode, &arrival.request) {
            Ok(taken) => taken,
            Err(reply) => return self.refuse(now, session, &reply),
        };
        let source = arrival.request.flow.peer.ip();
        let media = call_media(mode, &profile, &places, self.ids.next_u64());
        let label = self.label(arrival.trunk.as_ref());
        let call = self.new_call(now, snapshot, arrival, (profile, taken.wrap, media), places, trail);
        tracing::debug!(
            call = %call.id,
            sip_call_id = %call.caller.call_id,
            session_id = call.caller.identifier.as_deref().map(tracing::field::display),
            network = call.snapshot.network_name(network).map(NetworkName::as_str),
            trunk = call.caller.trunk.as_ref().map(TrunkName::as_str),
            %source,
            targets = call.fork.len(),
            route = call.trail.to_string().replace('\n', "; "),
            "a call begins"
        );
        let party = call.caller.party;
        let key = self.enter(call);
        self.endpoint.label(session, label);
        self.name_leg(now, key, LegNo::CALLER, None);
        self.watch_leg(key, LegNo::CALLER);
        self.counters.calls += 1;
        match self.describe_caller(key, network, party, source, taken.sdp.as_deref()) {
            Ok(()) => self.dial_more(now, key),
            Err(reply) => self.refuse_caller(now, key, *reply),
        }
    }

    fn new_call(
        &mut self,
        now: Now,
        snapshot: Arc<Snapshot>,
        arrival: Arrival,
        (profile, wrap, media): (Arc<Profile>, Wrap, CallMedia),
        places: Vec<Place>,
        trail: Trail,
    ) -> Call {
        let Arrival { session, network, trunk, request, breadth, fields, in_node, in_trunk } = arrival;
        let identifier = self.endpoint.peer_identifier(session).map(|(uuid, _)| uuid);
        let caller = Leg {
            no: LegNo::CALLER,
            session,
            network,
            trunk,
            profile,
            target: String::new(),
            device: false,
            user: None,
            redirected: None,
            connection: None,
            trunk_flow: None,
            from_change: takes_another_from(request.headers()),
            naming: Naming::default(),
            branch: 0,
            breadth: 0,
            party: PartyId(0),
            started: now,
            confirmed: None,
            end: None,
            call_id: request.call_id.as_str().into(),
            identifier: identifier.map(Box::new),
            refreshing: false,
            said: None,
            farewell: None,
            found: None,
            _in_trunk: in_trunk,
        };
        self.sequence += 1;
        Call {
            id: self.name_call(),
            sequence: self.sequence,
            state: State::SettingUp,
            caller,
            callees: Vec::new(),
            pairs: Vec::new(),
            only: None,
            redescribes: false,
            joined: None,
            partner: LegNo::CALLER,
            transfers: None,
            fields: (!fields.is_empty()).then(|| Box::new(fields)),
            exchange: Exchange::Idle,
            exchanges: 0,
            carried: Vec::new(),
            fork: Fork::new(places, breadth),
            media,
            parties: 0,
            facts: CallFacts::of(&request),
            invite: Some(Box::new(request)),
            wrap,
            trail,
            started: now,
            answered: None,
            cause: None,
            hung_up: None,
            snapshot,
            _in_node: in_node,
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
        let on_flow = self.endpoint.is_on_flow(call.caller.session);
        let place = decide::media_network(&call.snapshot, network, on_flow);
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
fn media_mode(profile: &Profile, places: &[Place]) -> Mode {
    let bypass = profile.media == MediaMode::Bypass
        && places.iter().all(|place| place.target.profile.media == MediaMode::Bypass);
    if bypass { Mode::Bypass } else { Mode::Anchored }
}

/// The media of a call that begins; streams over connections go around us where the profiles of both sides say so.
fn call_media(mode: Mode, profile: &Profile, places: &[Place], seed: u64) -> CallMedia {
    let around = profile.tcp_media == TcpMedia::Around
        && places.iter().all(|place| place.target.profile.tcp_media == TcpMedia::Around);
    let connections = if around { Connections::Around } else { Connections::Refused };
    CallMedia::new(mode, media::Limits::default(), seed).with_connections(connections)
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
    let crossing = Crossing {
        from_trusted: trusted,
        to_trusted: trusted,
        from_profile: profile,
        to_profile: profile,
        realms: snapshot.policy.realms(),
    };
    decide::take_strictly(&crossing, mode, &request.request)
}
