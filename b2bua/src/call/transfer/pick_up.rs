//! An INVITE with Replaces that names a called leg while that rings (RFC 3891 §3, RFC 5359 §2.16): who sends it answers in its place.
//!
//! ```text
//!   caller ── INVITE ─► we ── INVITE ─► a phone that rings
//!                        ▲◄─ INVITE with Replaces ── who picks up
//!   caller ◄── 200 ──────┤──── 200 ─► who picks up
//!                        └─── CANCEL ─► all that ring
//! ```
//! Both have made an offer, and each is answered by what the other one has offered. A caller that has made none is offered what who picks
//! up describes, and that one is answered with the caller's ACK. Of a call that is placed from here either party is picked up for: who
//! does is that party from then on.

use super::who::Who;
use crate::call::agreement::Apart;
use crate::call::body::Wrap;
use crate::call::incoming::Arrival;
use crate::call::{CallKey, LegNo, OrRefuse, State, decide};
use crate::shard::Core;
use bytes::Bytes;
use config::{PickUp, Profile};
use media::{Misuse, PartyId, Refusal};
use sip::session::{Body, Parts, Reply};
use sip::time::Now;
use sip_types::{Headers, StatusCode};
use std::sync::Arc;

/// What the two who are joined are told.
struct Descriptions {
    caller: Option<Bytes>,
    /// `None`: it waits for the caller's answer.
    picker: Option<Bytes>,
}

impl Core {
    /// The called leg that rings and that somebody may answer for.
    ///
    /// # Errors
    /// 403 where it may not, 481 where none rings any more, 491 while a transfer rings.
    pub(super) fn ringing(&self, key: CallKey, no: LegNo, who: &Who) -> OrRefuse<LegNo> {
        let refuse = |status| Box::new(Reply::new(status));
        let call = self.calls.get(key).ok_or_else(|| refuse(StatusCode::SERVER_INTERNAL_ERROR))?;
        if call.state == State::Established && call.transfer().is_some() {
            // The target of a transfer: who has asked for that is told what comes of it, and may name another one.
            return Err(refuse(StatusCode::REQUEST_PENDING));
        }
        let none = || refuse(StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST);
        if call.state != State::SettingUp || call.joined().is_some() {
            return Err(none());
        }
        let ringing = || call.callees.iter().filter(|leg| leg.rings()).map(|leg| leg.no);
        let mut named = ringing().filter(|leg| no == LegNo::CALLER || *leg == no).peekable();
        named.peek().ok_or_else(none)?;
        named.find(|leg| self.may_pick_up(key, *leg, who)).ok_or_else(|| refuse(StatusCode::FORBIDDEN))
    }

    /// Whether somebody may answer for a leg that rings: who may take its place once it is answered, and, where the profile of
    /// the leg says so, whoever is known in its network.
    fn may_pick_up(&self, key: CallKey, no: LegNo, who: &Who) -> bool {
        let leg = self.calls.get(key).and_then(|call| call.leg(no));
        let of_group = leg.is_some_and(|leg| {
            leg.profile.pick_up == PickUp::Network && leg.network == who.network && who.is_known()
        });
        of_group || self.may_replace(key, no, who)
    }

    /// Makes a leg of the INVITE, and gives it the place of the one that rings.
    pub(super) fn pick_up(
        &mut self,
        now: Now,
        key: CallKey,
        replaced: LegNo,
        arrival: Arrival,
        profile: Arc<Profile>,
    ) -> OrRefuse<()> {
        let gone = || Box::new(Reply::new(StatusCode::SERVER_INTERNAL_ERROR));
        let (network, request) = (arrival.network, arrival.request.clone());
        let call = self.calls.get(key).ok_or_else(gone)?;
        let no = call.next_leg().ok_or_else(gone)?;
        let snapshot = call.snapshot.clone();
        // Who is rung first by a call that is placed has nobody yet on the other side.
        let beyond = call.sought_for().map_or((network, &*profile), |leg| (leg.network, &*leg.profile));
        let crossing = decide::crossing_between(&snapshot, (network, &profile), beyond);
        let taken = decide::take_strictly(&crossing, call.media.mode(), &request.request)?;
        // Nobody could be asked for what the caller has offered before there is somebody to answer it.
        let sdp = taken.sdp.clone().ok_or_else(|| Box::new(Reply::new(StatusCode::NOT_ACCEPTABLE_HERE)))?;
        let party = self.party_of_taker(key, &arrival, &profile, &sdp)?;
        let call = self.calls.get(key).ok_or_else(gone)?;
        tracing::debug!(
            call = %call.id,
            sip_call_id = call.sip_call_id(),
            leg_sip_call_id = request.call_id.as_str(),
            replaced = replaced.0,
            "a call is picked up"
        );
        let is_placed = call.caller.is_none();
        self.enter_taker(now, key, (no, party), arrival, profile);
        let picked_up = match is_placed {
            true => self.pick_up_placed(now, key, (no, party), &taken.wrap),
            false => self.pick_up_for_caller(now, key, (no, party), request.headers(), &taken.wrap),
        };
        match picked_up {
            Ok(()) => {
                self.counters.takeovers += 1;
                self.use_permit(key, replaced, no);
            }
            Err(refusal) => {
                self.counters.descriptions_refused += 1;
                let reply = self.media_reply(&refusal);
                let ended = self.forget_media_of(now, key, no);
                self.refuse_taker(now, key, no, &reply);
                self.tell_ended(now, key, &ended, &decide::reason(reply.status.as_u16(), "Not picked up"));
            }
        }
        Ok(())
    }

    /// Joins who picks up with the caller.
    fn pick_up_for_caller(
        &mut self,
        now: Now,
        key: CallKey,
        (no, party): (LegNo, PartyId),
        headers: &Headers,
        wrap: &Wrap,
    ) -> Result<(), Refusal> {
        let at = self.pair_to_answer(now, key, (no, None), StatusCode::OK);
        let at = at.ok_or(Refusal::TooManyDialogs)?;
        let Descriptions { caller, picker } = self.settle_picked_up(key, at, party)?;
        let invite = self.calls.get_mut(key).and_then(|call| call.invite.take());
        let mut to_caller = self.spoken(key, (no, LegNo::CALLER), headers);
        let is_described = caller.is_some();
        to_caller.body = wrap.around(caller);
        let to_picker = invite.map(|invite| self.spoken(key, (LegNo::CALLER, no), invite.headers()));
        self.join(now, key, at, headers, (to_caller, is_described));
        match picker {
            Some(picker) => {
                let parts = Parts { body: wrap.around(Some(picker)), ..to_picker.unwrap_or_default() };
                self.answer_picker(now, key, (no, LegNo::CALLER), parts);
            }
            None => self.owe(key, no),
        }
        Ok(())
    }

    /// Gives who picks up the place of a party of a call that is placed from here. Who is rung first gets an answer of our own, and the
    /// other party is called for that one; who rings then is answered by what the first has described.
    fn pick_up_placed(
        &mut self,
        now: Now,
        key: CallKey,
        (no, party): (LegNo, PartyId),
        wrap: &Wrap,
    ) -> Result<(), Refusal> {
        let unknown = Refusal::Misuse(Misuse::UnknownParty);
        let call = self.calls.get_mut(key).ok_or(unknown)?;
        let Some((of, of_party)) = call.sought_for().map(|leg| leg.no).zip(call.sought_party()) else {
            let answer = call.media.compose_alone(party, &mut *self.link)?;
            let identifier = call.placed.as_ref().map(|placed| placed.identifier);
            let session = call.leg(no).map(|leg| leg.session).ok_or(unknown)?;
            let parts = Parts { body: wrap.around(Some(answer)), ..self.statement_alone(key, no) };
            identifier.into_iter().for_each(|identifier| self.endpoint.speak_for(session, identifier));
            self.answer_taker(now, key, no, parts);
            self.first_stands(now, key, no);
            return Ok(());
        };
        let answer = call.media.answer_to_standing(party, of_party, &mut *self.link)?;
        call.transfer_mut().into_iter().for_each(|transfer| transfer.picked_up = true);
        let invite = call.invite.take();
        let spoken = invite.map(|invite| self.spoken(key, (of, no), invite.headers())).unwrap_or_default();
        self.answer_picker(now, key, (no, of), Parts { body: wrap.around(Some(answer)), ..spoken });
        self.target_stands(now, key, no, party);
        Ok(())
    }

    /// What the two are told whom a pair joins: the caller, and who picks up.
    fn settle_picked_up(
        &mut self,
        key: CallKey,
        at: usize,
        picker: PartyId,
    ) -> Result<Descriptions, Refusal> {
        let caller = self.caller_party(key, at)?;
        let unknown = Refusal::Misuse(Misuse::UnknownParty);
        let call = self.calls.get_mut(key).ok_or(unknown)?;
        if !call.wrap.has_sdp() {
            let offer = call.media.compose_offer(caller, picker, &mut *self.link)?;
            return Ok(Descriptions { caller: Some(offer), picker: None });
        }
        let Some(only) = call.only.filter(|only| only.shown) else {
            let (caller, picker) = call.media.answer_both(caller, picker, &mut *self.link)?;
            return Ok(Descriptions { caller: Some(caller), picker: Some(picker) });
        };
        // The one early dialog has had its answer from another pair, which stays its answer until it has acknowledged that.
        let answer = call.media.answer_to_standing(picker, caller, &mut *self.link)?;
        call.media.connect(caller, picker);
        call.apart = Some(Apart::default());
        let again = call.media.described_to(caller).filter(|_| !only.agreed);
        Ok(Descriptions { caller: again, picker: Some(answer) })
    }

    /// Answers who has picked up, and talks with the peer of that other leg.
    fn answer_picker(&mut self, now: Now, key: CallKey, (no, of): (LegNo, LegNo), parts: Parts) {
        self.speak_for_each_other(key, (no, of));
        self.answer_taker(now, key, no, parts);
    }

    /// Answers who has taken a place.
    fn answer_taker(&mut self, now: Now, key: CallKey, no: LegNo, parts: Parts) {
        let Some(session) = self.calls.get(key).and_then(|call| call.leg(no)).map(|leg| leg.session) else {
            return;
        };
        self.name_leg(now, key, no, None);
        // Who has given up in this moment has its own event, and the call is over with it.
        if let Ok(dialog) = self.endpoint.open_dialog(session) {
            let _ = self.endpoint.answer(now, session, dialog, parts);
        }
    }

    /// Who has picked up waits for the caller's answer.
    fn owe(&mut self, key: CallKey, no: LegNo) {
        let call = self.calls.get_mut(key);
        call.into_iter().for_each(|call| call.transfers.get_or_insert_default().owes = Some(no));
    }

    /// An answer has come in an ACK: the other leg has it in an ACK of ours, or where it has picked up, in the 2xx that it waits for.
    pub(in crate::call) fn pass_on_answer(
        &mut self,
        now: Now,
        key: CallKey,
        (from, to): (LegNo, LegNo),
        headers: &Headers,
        body: Option<Body>,
    ) {
        let Some(call) = self.calls.get_mut(key) else { return };
        let owes = call.transfers.as_mut().and_then(|transfers| transfers.owes.take_if(|owed| *owed == to));
        let Some(session) = call.leg(to).map(|leg| leg.session) else { return };
        match owes {
            Some(no) => {
                let parts = self.spoken(key, (from, to), headers);
                self.answer_picker(now, key, (no, from), Parts { body, ..parts });
            }
            None => {
                let _ = self.endpoint.acknowledge(now, session, Parts { body, ..Parts::default() });
            }
        }
    }
}
