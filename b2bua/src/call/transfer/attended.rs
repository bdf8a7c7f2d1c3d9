//! Attended transfer between two calls that are here: who is talked with in the other call comes into this one. Nobody is
//! called, and each of the two goes on in its dialog.

use super::who::Who;
use crate::call::conversion::Conversion;
use crate::call::{Call, CallKey, Leg, LegEnd, LegNo, OrRefuse, State, decide};
use crate::shard::Core;
use sip::dialog::DialogState;
use sip::session::{NamedDialog, Reply};
use sip::time::Now;
use sip_types::StatusCode;
use sip_types::header::Replaces;

impl Core {
    /// The leg of another call here that a Refer-To names with Replaces: the transferor's own, as it stands. `None`: the dialog is
    /// somebody else's.
    ///
    /// # Errors
    /// 603 where it may not be replaced for this leg (RFC 3891 §3), 491 where it cannot be at this moment.
    pub(super) fn named(
        &self,
        key: CallKey,
        leg: LegNo,
        replaces: &Replaces,
    ) -> OrRefuse<Option<(CallKey, LegNo)>> {
        let who = self.who_of(key, leg);
        self.named_by(who.as_ref(), replaces, Some(key)).map_err(|status| Box::new(Reply::new(status)))
    }

    /// The same for who sends the REFER, in that call if it is one of this shard.
    pub(super) fn named_by(
        &self,
        who: Option<&Who>,
        replaces: &Replaces,
        key: Option<CallKey>,
    ) -> Result<Option<(CallKey, LegNo)>, StatusCode> {
        let tags = (replaces.local_tag(), replaces.remote_tag());
        let Some(NamedDialog { session, state, .. }) =
            self.endpoint.dialog_named(replaces.call_id(), tags.0, tags.1)
        else {
            return Ok(None);
        };
        let Some((other, named)) = self.by_session.get(&session).copied() else { return Ok(None) };
        // Who transfers must be the peer of both dialogs.
        let both = self.who_of(other, named).zip(who);
        let is_theirs = Some(other) != key && both.is_some_and(|(there, here)| there.is_same(here));
        if !is_theirs || (state == DialogState::Confirmed && replaces.early_only()) {
            return Err(StatusCode::DECLINE);
        }
        let Some(call) = self.calls.get(other) else { return Ok(None) };
        let settled = call.state == State::Established && !call.exchanges_now();
        let partner = call.other(named).filter(|_| settled && call.transfer().is_none());
        // What comes of a refresh under way is that call's own affair.
        let partner = partner.filter(|partner| !call.refreshes(*partner));
        match partner.and_then(|partner| call.leg(partner)).filter(|leg| leg.end.is_none()) {
            Some(_) => Ok(Some((other, named))),
            None => Err(StatusCode::REQUEST_PENDING),
        }
    }

    /// Brings the partner of that leg of the other call into this one, as the target of its transfer. The other call is over.
    pub(super) fn merge(&mut self, now: Now, key: CallKey, other: CallKey, named: LegNo) {
        self.carry_out_media(other);
        let no = self.calls.get(key).and_then(Call::next_leg);
        let Some(no) = no else {
            return self.transfer_failed(now, key, &Reply::new(StatusCode::SERVER_INTERNAL_ERROR));
        };
        // In this call its number does not say any more that it is whom the other call's From names.
        let partner = self.calls.get(other).and_then(|call| call.other(named));
        let user = partner.and_then(|partner| self.user_of(&self.snapshot, other, partner));
        let Some(taken) = self.calls.get_mut(other).and_then(|call| call.take_partner(now, named)) else {
            return self.transfer_failed(
                now,
                key,
                &Reply::new(StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST),
            );
        };
        let (mut leg, moving) = taken;
        let Some(call) = self.calls.get_mut(key) else { return };
        let party = call.name_party();
        call.media.take_in(party, moving);
        call.media.introduce(party);
        if let Some(of) = call.sought_party() {
            call.media.introduce(of);
        }
        (leg.no, leg.party, leg.user) = (no, party, user);
        self.by_session.insert(leg.session, (key, no));
        call.callees.push(leg);
        self.hand_over(now, key, no, party);
        self.end_call(now, other, &decide::reason(200, "Transferred"), "transferred");
    }
}

impl Call {
    /// Takes out whom a leg talks with, with its media. A double stays for the record.
    fn take_partner(&mut self, now: Now, no: LegNo) -> Option<(Leg, media::Moving)> {
        let partner = self.other(no)?;
        let moving = self.media.part_with(self.party(partner)?)?;
        let leg = self.leg_mut(partner)?;
        let double = Leg {
            no: leg.no,
            session: leg.session,
            network: leg.network,
            trunk: leg.trunk.clone(),
            profile: leg.profile.clone(),
            target: leg.target.clone(),
            device: leg.device,
            user: leg.user.clone(),
            identifier: leg.identifier.clone(),
            refreshing: false,
            connection: None,
            from_change: false,
            refuses_parts: false,
            redirected: None,
            said: None,
            trunk_flow: None,
            naming: leg.naming.clone(),
            conversion: Conversion::Carried,
            branch: leg.branch,
            breadth: 0,
            party: leg.party,
            started: leg.started,
            confirmed: leg.confirmed,
            end: Some(LegEnd {
                at: now,
                status: None,
                cause: "transferred to another call",
                reason: None,
                release: None,
            }),
            call_id: leg.call_id.clone(),
            farewell: None,
            found: leg.found.clone(),
            _in_trunk: None,
        };
        Some((std::mem::replace(leg, double), moving))
    }
}
