//! A call begins: what is known of it, its media, and the first places that it goes to.

use super::body::{Taken, Wrap, refuses_parts};
use super::conversion::Conversion;
use super::exchange::Exchange;
use super::fork::Fork;
use super::identity::takes_another_from;
use super::incoming::Arrival;
use super::naming::Naming;
use super::place::Place;
use super::placed::Placed;
use super::talk::Talk;
use super::{Call, CallFacts, CallKey, Leg, LegNo, OrRefuse, State, decide};
use crate::shard::{Core, Held};
use crate::snapshot::Snapshot;
use config::{MediaMode, NetworkName, Profile, TcpMedia, TrunkName};
use media::{CallMedia, Connections, Mode, PartyId, Refusal};
use policy::{Crossing, Trail};
use sip::ids::Ids;
use sip::session::Reply;
use sip::time::Now;
use sip::{NetworkId, Received};
use sip_types::{Fields, Scheme};
use std::sync::Arc;

/// What a call begins with.
pub(super) struct Begun {
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) caller: Option<Leg>,
    pub(super) placed: Option<Box<Placed>>,
    pub(super) fields: Option<Box<Fields>>,
    pub(super) fork: Fork,
    pub(super) media: CallMedia,
    pub(super) facts: CallFacts,
    pub(super) invite: Box<Received>,
    pub(super) wrap: Wrap,
    pub(super) trail: Trail,
    pub(super) in_node: Held,
}

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
        let profiles = || std::iter::once(&*profile).chain(places.iter().map(|place| &*place.target.profile));
        let mode = media_mode(profiles());
        let taken = match own_rules(&snapshot, network, &profile, mode, &arrival.request) {
            Ok(taken) => taken,
            Err(reply) => return self.refuse(now, session, &reply),
        };
        let source = arrival.request.flow.peer.ip();
        let media = call_media(mode, profiles(), &mut *self.ids);
        let label = self.label(arrival.trunk.as_ref());
        let call = self.new_call(now, snapshot, arrival, (profile, taken.wrap, media), places, trail);
        tracing::debug!(
            call = %call.id,
            sip_call_id = call.sip_call_id(),
            session_id = call.session_id().map(tracing::field::display),
            network = call.snapshot.network_name(network).map(NetworkName::as_str),
            trunk = call.calling().and_then(|caller| caller.trunk.as_ref()).map(TrunkName::as_str),
            %source,
            targets = call.fork.len(),
            route = call.trail.to_string().replace('\n', "; "),
            "a call begins"
        );
        let party = PartyId(0);
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
            refuses_parts: refuses_parts(request.headers()).unwrap_or_default(),
            naming: Naming::default(),
            conversion: Conversion::Carried,
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
        let begun = Begun {
            snapshot,
            caller: Some(caller),
            placed: None,
            fields: (!fields.is_empty()).then(|| Box::new(fields)),
            fork: Fork::new(places, breadth),
            media,
            facts: CallFacts::of(&request),
            invite: Box::new(request),
            wrap,
            trail,
            in_node,
        };
        self.call_of(now, begun)
    }

    /// A call with a name and a number, in which nothing has happened yet.
    pub(super) fn call_of(&mut self, now: Now, begun: Begun) -> Call {
        let Begun { snapshot, caller, placed, fields, fork, media, facts, invite, wrap, trail, in_node } =
            begun;
        self.sequence += 1;
        Call {
            id: self.name_call(),
            sequence: self.sequence,
            state: State::SettingUp,
            caller,
            callees: Vec::new(),
            pairs: Vec::new(),
            only: None,
            apart: None,
            talk: Talk::Sought(LegNo::CALLER),
            placed,
            transfers: None,
            fields,
            exchange: Exchange::Idle,
            underway: None,
            exchanges: 0,
            carried: Vec::new(),
            keys: None,
            fork,
            media,
            parties: 0,
            facts,
            invite: Some(invite),
            wrap,
            roles: Vec::new(),
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
        let caller = call.caller.as_ref().map(|caller| (caller.session, caller.profile.clone()));
        let on_flow = caller.as_ref().is_some_and(|(session, _)| self.endpoint.is_on_flow(*session));
        let profile = caller.as_ref().map(|(_, profile)| profile.clone()).unwrap_or_default();
        let place = decide::media_network(&call.snapshot, (network, &profile), on_flow);
        call.media.add_party(party, &place);
        call.media.signalling_source(party, source);
        if let Some((session, profile)) = caller {
            let way = self.signalling_of(session);
            self.protect(key, party, &profile, way);
        }
        let Some(call) = self.calls.get_mut(key) else { return Ok(()) };
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
pub(super) fn media_mode<'p>(mut profiles: impl Iterator<Item = &'p Profile>) -> Mode {
    let bypass = profiles.all(|profile| profile.media == MediaMode::Bypass);
    if bypass { Mode::Bypass } else { Mode::Anchored }
}

/// The media of a call that begins; streams over connections are what the profiles of both sides let them be.
pub(super) fn call_media<'p>(
    mode: Mode,
    profiles: impl Iterator<Item = &'p Profile>,
    ids: &mut dyn Ids,
) -> CallMedia {
    let of = |profile: &Profile| match profile.tcp_media {
        TcpMedia::Refuse => Connections::Refused,
        TcpMedia::Relay => Connections::Relayed,
        TcpMedia::Around => Connections::Around,
    };
    let connections = profiles.map(of).reduce(Connections::and).unwrap_or_default();
    let media = CallMedia::new(mode, media::Limits::default(), ids.next_u64()).with_connections(connections);
    media.with_ice(media::Secret::new(ids.key()))
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
