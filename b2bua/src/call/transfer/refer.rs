//! A REFER comes: whether it is acted upon, and the target is dialled.

use super::super::fork::{Fork, MAX_BREADTH};
use super::super::{Call, CallKey, LegNo, OrRefuse, State, decide};
use super::elsewhere::Standing;
use super::request;
use super::{Asking, Logged, Transfer};
use crate::call::incoming::route;
use crate::call::place::Place;
use crate::shard::{Core, listener_in};
use config::ReferPolicy;
use policy::{Step, Trail};
use sip::Received;
use sip::session::{Refer, Reply, RequestId, SessionId};
use sip::time::Now;
use sip_types::{Fields, HeaderName, Method, StatusCode, Uri};
use std::time::Duration;

/// How long the transferor is told of a target after it has rung for as long as it may.
const MORE: Duration = Duration::from_secs(60);

/// What a REFER leads to.
enum Way {
    /// The target is dialled, at these places, with an INVITE as the transferee would have sent it, and what that has besides what
    /// crosses.
    Dial(Vec<Place>, Box<Received>, Trail, Fields),
    /// The target is whom that leg of another call here talks with.
    Here(CallKey, LegNo),
    /// No way leads to the target.
    Nowhere(Box<Reply>),
}

impl Core {
    /// A REFER of a leg.
    pub(crate) fn on_referred(
        &mut self,
        now: Now,
        key: CallKey,
        leg: LegNo,
        id: RequestId,
        (refer, request): (&Refer, &Received),
    ) {
        self.on_asked_to_refer(now, key, leg, Asking { id, outside: None }, (refer, request));
    }

    /// A REFER about a leg, in its dialog or outside.
    pub(super) fn on_asked_to_refer(
        &mut self,
        now: Now,
        key: CallKey,
        leg: LegNo,
        asking: Asking,
        (refer, request): (&Refer, &Received),
    ) {
        if !self.ask_elsewhere(now, key, leg, asking, (refer, request)) {
            self.refer_found(now, key, leg, asking, (refer, request), Ok(None));
        }
    }

    /// It is known who stands behind the dialog that a REFER names, where that is another shard's.
    pub(super) fn refer_found(
        &mut self,
        now: Now,
        key: CallKey,
        leg: LegNo,
        asking: Asking,
        (refer, request): (&Refer, &Received),
        found: OrRefuse<Option<Standing>>,
    ) {
        let Some(session) = self.calls.get(key).and_then(|call| call.leg(leg)).map(|leg| leg.session) else {
            return;
        };
        if self.crosses_refer(key, leg) {
            let carried =
                found.and_then(|found| self.carry_refer(now, key, leg, asking.id, (refer, request), found));
            if let Err(reply) = carried {
                self.refuse_refer(now, session, asking, &reply);
            }
            return;
        }
        match self.way_of(now, key, leg, (refer, request), found) {
            Ok(way) => self.take_refer(now, key, (leg, session), asking, refer, way),
            Err(reply) => self.refuse_refer(now, session, asking, &reply),
        }
    }

    pub(super) fn refuse_refer(&mut self, now: Now, session: SessionId, asking: Asking, reply: &Reply) {
        self.counters.transfers_refused += 1;
        // Whoever asked may have given up.
        let _ = match asking.outside {
            None => self.endpoint.respond(now, session, asking.id, reply),
            Some(_) => self.endpoint.answer_asked(now, asking.id, reply),
        };
    }

    /// Whether a leg may transfer at this moment, and where to. What is not known here is that of the target, of which the
    /// transferor is told later.
    fn way_of(
        &mut self,
        now: Now,
        key: CallKey,
        leg: LegNo,
        (refer, request): (&Refer, &Received),
        found: OrRefuse<Option<Standing>>,
    ) -> OrRefuse<Way> {
        let refuse = |status| Box::new(Reply::new(status));
        let call = self.calls.get(key).ok_or_else(|| refuse(StatusCode::SERVER_INTERNAL_ERROR))?;
        let from = call.leg(leg).ok_or_else(|| refuse(StatusCode::SERVER_INTERNAL_ERROR))?;
        if from.profile.refer == ReferPolicy::Refuse {
            let mut reply = refuse(StatusCode::METHOD_NOT_ALLOWED);
            let listener = listener_in(&self.endpoint, from.network);
            let allow = listener.map(|l| l.allow_without(&Method::Refer)).unwrap_or_default();
            reply.parts.fields.push(HeaderName::Allow, allow);
            return Err(reply);
        }
        let from_profile = from.profile.clone();
        decide::extensions(request.headers(), &from_profile)?;
        if request.max_forwards.is_some_and(|hops| hops.0 == 0) {
            return Err(refuse(StatusCode::TOO_MANY_HOPS));
        }
        let settled = call.state == State::Established && !call.exchanges_now();
        let of = call.other(leg).filter(|_| settled && call.transfer().is_none());
        // In the middle of something: glare, as for a re-INVITE (RFC 3261 §14.2). The transferor tries again.
        let of = of.ok_or_else(|| refuse(StatusCode::REQUEST_PENDING))?;
        let done = call.transfers.as_ref().map_or(0, |transfers| transfers.log.len());
        if done >= self.snapshot.config().limits.transfers {
            self.counters.transfers_over_limit += 1;
            return Err(self.declined());
        }
        if let Some(standing) = found? {
            let invite =
                self.transferees_invite(key, of, (refer, &request::bare(refer.to.uri())), request)?;
            let mut trail = Trail::default();
            trail.push(Step::Referred { to: refer.to.uri().to_bytestring() });
            let fields = standing.fields();
            return Ok(Way::Dial(vec![standing.place], Box::new(invite), trail, fields));
        }
        if let Some(replaces) = &refer.replaces
            && let Some(here) = self.named(key, leg, replaces)?
        {
            return Ok(Way::Here(here.0, here.1));
        }
        let target =
            policy::referred(refer.to.uri(), &from_profile.refer_to).ok_or_else(|| self.declined())?;
        let places = self.places_of(now, key, (leg, of), (refer, &target), request);
        Ok(places.unwrap_or_else(Way::Nowhere))
    }

    /// Where the routes of the transferor's network lead to with the target.
    fn places_of(
        &mut self,
        now: Now,
        key: CallKey,
        (by, of): (LegNo, LegNo),
        (refer, target): (&Refer, &Uri),
        request: &Received,
    ) -> OrRefuse<Way> {
        let gone = || Box::new(Reply::new(StatusCode::SERVER_INTERNAL_ERROR));
        let call = self.calls.get(key).ok_or_else(gone)?;
        let (snapshot, from) = (call.snapshot.clone(), call.leg(by).ok_or_else(gone)?);
        let invite = self.transferees_invite(key, of, (refer, target), request)?;
        let (network, trunk) = (from.network, from.trunk.clone());
        let mut trail = Trail::default();
        trail.push(Step::Referred { to: refer.to.uri().to_bytestring() });
        let routed = route(self.registered(now, &snapshot), network, trunk.as_ref(), &invite, &mut trail);
        let places = routed.and_then(|targets| self.find(now, &snapshot, targets, &invite, &mut trail))?;
        Ok(Way::Dial(places, Box::new(invite), trail, request::fields(refer)))
    }

    /// The INVITE as the transferee would have sent it.
    fn transferees_invite(
        &self,
        key: CallKey,
        of: LegNo,
        (refer, target): (&Refer, &Uri),
        request: &Received,
    ) -> OrRefuse<Received> {
        let transferee = self.calls.get(key).and_then(|call| call.leg(of));
        let session = transferee.and_then(|transferee| self.endpoint.session(transferee.session));
        let speaker = session.map(|session| session.remote).unwrap_or_default();
        request::invite(refer, target, request, &speaker)
            .ok_or_else(|| Box::new(Reply::new(StatusCode::BAD_REQUEST)))
    }

    /// Accepts a REFER, and begins.
    fn take_refer(
        &mut self,
        now: Now,
        key: CallKey,
        (by, session): (LegNo, SessionId),
        asking: Asking,
        refer: &Refer,
        way: Way,
    ) {
        let Some(call) = self.calls.get_mut(key) else { return };
        let (Some(of), Some(ring_limit)) = (call.other(by), call.leg(by).map(|leg| leg.profile.ring_limit))
        else {
            return;
        };
        let lifetime = (!refer.silent).then_some(ring_limit + MORE);
        let accepted = match asking.outside {
            None => {
                let told = self.endpoint.accept_refer(now, session, asking.id, lifetime);
                told.map(|told| told.map(|told| (session, told)))
            }
            Some(by_flow) => self.endpoint.accept_refer_outside(now, asking.id, by_flow, lifetime),
        };
        let Ok(told) = accepted else { return };
        self.counters.transfers += 1;
        let Some(call) = self.calls.get_mut(key) else { return };
        tracing::debug!(
            call = %call.id,
            sip_call_id = call.sip_call_id(),
            leg = by.0,
            target = refer.to.uri().as_str(),
            "a transfer begins"
        );
        let transfer = Transfer {
            by: Some(by),
            of,
            told,
            before: call.callees.len(),
            fields: match &way {
                Way::Dial(.., fields) => fields.clone(),
                Way::Here(..) | Way::Nowhere(_) => Fields::default(),
            },
            targets: Vec::new(),
            moved: matches!(way, Way::Here(..)),
            picked_up: false,
            answered: None,
        };
        let transfers = call.transfers.get_or_insert_default();
        transfers.log.push(Logged {
            by,
            of,
            to: refer.to.uri().to_string().into(),
            target: None,
            status: None,
        });
        transfers.now = Some(transfer);
        match way {
            Way::Dial(places, invite, trail, _) => {
                call.begin_to_seek(places, invite, &trail);
                self.dial_more(now, key);
            }
            Way::Here(other, leg) => self.merge(now, key, other, leg),
            Way::Nowhere(reply) => self.transfer_failed(now, key, &reply),
        }
    }

    /// Whether a leg's profile has REFER cross.
    pub(super) fn crosses_refer(&self, key: CallKey, leg: LegNo) -> bool {
        let leg = self.calls.get(key).and_then(|call| call.leg(leg));
        leg.is_some_and(|leg| leg.profile.refer == ReferPolicy::Carry)
    }

    /// A decision of ours against a request, which asking again does not change.
    pub(super) fn declined(&self) -> Box<Reply> {
        Box::new(Reply::new(StatusCode::DECLINE))
    }
}

impl Call {
    /// The places of the target are dialled from now on.
    pub(in crate::call) fn begin_to_seek(
        &mut self,
        places: Vec<Place>,
        invite: Box<Received>,
        trail: &Trail,
    ) {
        trail.iter().for_each(|step| self.trail.push(step.clone()));
        self.fork = Fork::new(places, MAX_BREADTH);
        self.invite = Some(invite);
        if let Some(party) = self.offered() {
            self.media.introduce(party);
        }
    }
}
