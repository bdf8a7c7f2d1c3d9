//! The called side rings: each of its early dialogs gets one of its own towards the caller.

use super::conversion::Conversion;
use super::exchange::Exchange;
use super::{Call, CallKey, LegNo, Only, Pair, decide, history};
use crate::shard::Core;
use bytes::Bytes;
use config::EarlyDialogs;
use media::{PartyId, Refusal};
use sip::dialog::DialogNo;
use sip::session::{Reliability, Reply, SessionId};
use sip::time::Now;
use sip_types::{Response, StatusCode};

impl Core {
    /// A provisional response of a called leg.
    pub(crate) fn on_progress(
        &mut self,
        now: Now,
        key: CallKey,
        leg: LegNo,
        (dialog, number): (Option<DialogNo>, Option<u32>),
        response: &Response,
    ) {
        let Some(call) = self.calls.get(key) else { return };
        if call.rings_first() {
            return self.on_first_progress(now, key, (leg, dialog), number);
        }
        if call.transfer().is_some() {
            return self.on_target_progress(now, key, leg, (dialog, number), response);
        }
        let taken = decide::take_response(call, leg, LegNo::CALLER, response);
        let Some(at) = self.pair(key, leg, dialog, response.status()) else {
            return self.acknowledge_progress(now, key, (leg, dialog), number, None);
        };
        if let Some(call) = self.calls.get_mut(key) {
            call.heed_early_media(at, response.headers());
        }
        let described = match taken.sdp.as_deref() {
            Some(sdp) => match self.preview(key, at, sdp, number) {
                Ok(described) => described,
                Err(refusal) => {
                    // What cannot be taken in a provisional response decides nothing; the final one does.
                    self.counters.descriptions_refused += 1;
                    self.answer_in_vain(key, at, &refusal);
                    None
                }
            },
            None => None,
        };
        self.acknowledge_unless_owed(now, key, at, number);
        let is_described = described.is_some();
        let mut parts = self.spoken(key, (leg, LegNo::CALLER), response.headers());
        let Some(call) = self.calls.get_mut(key) else { return };
        let Some(pair) = call.pairs.get_mut(at) else { return };
        pair.last_status = response.status();
        let (caller_dialog, settled, agreed) = (pair.caller_dialog, pair.settled, pair.agreed);
        let (Some(callee), Some(caller)) = (call.leg(leg), &call.caller) else { return };
        // Of an offer that we have made the caller knows nothing yet.
        let is_settled = if callee.conversion == Conversion::Made { agreed } else { settled };
        history::tell_back(&mut parts.fields, call, Some(leg));
        parts.body = taken.wrap.around(described);
        let reply = Reply { status: response.status(), reason: response.reason().to_owned().into(), parts };
        tracing::debug!(
            call = %call.id,
            sip_call_id = call.sip_call_id(),
            leg_sip_call_id = %callee.call_id,
            leg = leg.0,
            status = response.status().as_u16(),
            "the called side progresses"
        );
        let session = caller.session;
        let bare = !call.wrap.has_sdp() && !is_described && !is_settled;
        let reliably = match self.reliability_of_caller(key) {
            // The first reliable response to an INVITE without an offer has one (RFC 3262 §5).
            Reliability::Required if bare => return,
            Reliability::Required => true,
            Reliability::Supported => !bare && number.is_some(),
            Reliability::None => false,
        };
        self.name_leg(now, key, LegNo::CALLER, Some(response.headers()));
        // A caller that has hung up meanwhile is told of elsewhere.
        let sent = match reliably {
            true => self.endpoint.progress_reliably(now, session, caller_dialog, &reply),
            false => self.endpoint.progress(now, session, caller_dialog, &reply),
        };
        if sent.is_ok()
            && let Some(call) = self.calls.get_mut(key)
            && let Some(pair) = call.pairs.get_mut(at)
        {
            let agreed = reliably && is_described;
            pair.told = true;
            pair.agreed |= agreed;
            if let Some(only) = &mut call.only {
                only.agreed |= agreed;
            }
        }
    }

    /// The early dialogs that go together, made where they are new; `None` past the limit.
    pub(crate) fn pair(
        &mut self,
        key: CallKey,
        leg: LegNo,
        dialog: Option<DialogNo>,
        status: StatusCode,
    ) -> Option<usize> {
        let call = self.calls.get_mut(key)?;
        let known = call.pairs.iter().position(|p| p.callee == leg && p.callee_dialog == dialog);
        if known.is_some() {
            return known;
        }
        if dialog.is_some() {
            // A far side that has answered without a tag so far has one now.
            let untagged = call.pairs.iter_mut().position(|p| p.callee == leg && p.callee_dialog.is_none());
            if let Some(at) = untagged {
                call.pairs.get_mut(at)?.callee_dialog = dialog;
                return Some(at);
            }
        }
        let caller = call.caller.as_ref()?;
        let (only, one) = (call.only, caller.profile.early_dialogs == EarlyDialogs::One);
        let caller = caller.session;
        let caller_dialog = match only {
            Some(only) => only.dialog,
            None => self.endpoint.open_dialog(caller).ok()?,
        };
        let first_of_leg = !call.pairs.iter().any(|p| p.callee == leg);
        let Some(callee_party) = self.party_for(key, leg, first_of_leg) else {
            if only.is_none() {
                self.endpoint.close_dialog(caller, caller_dialog);
            }
            return None;
        };
        let call = self.calls.get_mut(key)?;
        if one && only.is_none() {
            call.only = Some(Only { dialog: caller_dialog, shown: false, agreed: false });
        }
        call.gate_early_media(leg, callee_party);
        call.pairs.push(Pair {
            callee: leg,
            callee_dialog: dialog,
            callee_party,
            caller_dialog,
            caller_party: None,
            last_status: status,
            told: false,
            described: false,
            shown: false,
            settled: false,
            agreed: false,
            owes: None,
            reply: None,
            exchange: Exchange::Idle,
        });
        Some(call.pairs.len() - 1)
    }

    /// The media of the dialog that stands for a pair towards the caller, joined with the far side's. The ports that were
    /// borrowed when the call began are those of the first that needs any; each other one has its own.
    pub(super) fn caller_party(&mut self, key: CallKey, at: usize) -> Result<PartyId, Refusal> {
        let unknown = Refusal::Misuse(media::Misuse::UnknownParty);
        let Some(call) = self.calls.get_mut(key) else { return Err(unknown) };
        let Some(pair) = call.pairs.get(at) else { return Err(unknown) };
        if let Some(party) = pair.caller_party {
            return Ok(party);
        }
        let callee_party = pair.callee_party;
        call.keep_first_offer();
        let Some(first) = call.caller.as_ref().map(|caller| caller.party) else { return Err(unknown) };
        // The one early dialog has one description.
        let is_first = call.only.is_some() || !call.pairs.iter().any(|pair| pair.caller_party == Some(first));
        let party = self.party_for(key, LegNo::CALLER, is_first).ok_or(Refusal::TooManyDialogs)?;
        let Some(call) = self.calls.get_mut(key) else { return Err(unknown) };
        let Some(pair) = call.pairs.get_mut(at) else { return Err(unknown) };
        pair.caller_party = Some(party);
        call.media.connect(party, callee_party);
        Ok(party)
    }

    /// Where a called leg has answered from is where its signalling comes from, if nothing was known of that before.
    pub(crate) fn see_signalling(&mut self, key: CallKey, leg: LegNo, session: SessionId) {
        let Some(source) = self.endpoint.answered_from(session) else { return };
        let Some(call) = self.calls.get_mut(key) else { return };
        let of_pairs = call.pairs.iter().filter(|pair| pair.callee == leg).map(|pair| pair.callee_party);
        let first = call.leg(leg).map(|leg| leg.party);
        for party in of_pairs.chain(first).collect::<Vec<_>>() {
            call.media.signalling_seen(party, source);
        }
    }

    /// The media of another dialog of a leg: the leg's own for its first, a fork of it for each other.
    fn party_for(&mut self, key: CallKey, leg: LegNo, first: bool) -> Option<PartyId> {
        let call = self.calls.get_mut(key)?;
        let of = call.leg(leg)?.party;
        if first {
            return Some(of);
        }
        let new = call.name_party();
        match call.media.fork_party(of, new) {
            Ok(()) => Some(new),
            // A leg that nobody has offered anything to yet has nothing to share.
            Err(Refusal::Misuse(_)) => {
                let leg = call.leg(leg)?;
                let on_flow = self.endpoint.is_on_flow(leg.session);
                let place = decide::media_network(&call.snapshot, (leg.network, &leg.profile), on_flow);
                let (session, profile) = (leg.session, leg.profile.clone());
                call.media.add_party(new, &place);
                if let Some(source) = self.endpoint.answered_from(session) {
                    call.media.signalling_seen(new, source);
                }
                let way = self.signalling_of(session);
                self.protect(key, new, &profile, way);
                Some(new)
            }
            Err(_) => {
                self.counters.descriptions_refused += 1;
                None
            }
        }
    }

    /// An answer ahead of the final response: our own for the caller. Of several legs, the caller hears the one that was
    /// first to describe its media, until it fails or another one is answered: two at once are noise (RFC 3960 §3.1). The
    /// early dialogs of one leg are the choice of a fork further down.
    fn preview(
        &mut self,
        key: CallKey,
        at: usize,
        sdp: &[u8],
        number: Option<u32>,
    ) -> Result<Option<Bytes>, Refusal> {
        let Some(call) = self.calls.get_mut(key) else { return Ok(None) };
        let conversion = call.conversion_of(at);
        match (call.wrap.has_sdp(), conversion) {
            (false, Conversion::Made) => return self.answered_ahead(key, at, sdp, number),
            (false, _) => return self.offer_ahead(key, at, sdp, number),
            // What is not reliable has no offer.
            (true, Conversion::Asked) if number.is_none() => return Ok(None),
            (true, _) => {}
        }
        if call.pairs.get(at).is_none_or(|pair| pair.settled) {
            return Ok(None);
        }
        self.take_description(key, at, sdp)?;
        let Some(call) = self.calls.get_mut(key) else { return Ok(None) };
        let Some(pair) = call.pairs.get_mut(at) else { return Ok(None) };
        (pair.described, pair.settled) = (true, number.is_some());
        let (leg, callee_party) = (pair.callee, pair.callee_party);
        let other_is_heard = match call.only {
            Some(only) => only.shown,
            None => call.pairs.iter().any(|other| other.shown && other.callee != leg),
        };
        if other_is_heard {
            return Ok(None);
        }
        let caller_party = self.caller_party(key, at)?;
        let Some(call) = self.calls.get_mut(key) else { return Ok(None) };
        let answer = call.media.compose_answer(caller_party, callee_party, &mut *self.link)?;
        if let Some(pair) = call.pairs.get_mut(at) {
            pair.shown = true;
        }
        if let Some(only) = &mut call.only {
            only.shown = true;
        }
        Ok(Some(answer))
    }
}

impl Core {
    /// What the far side describes, to a caller that has made an offer: the answer to ours, or the offer that we have asked it for, whose
    /// answer waits for the PRACK or ACK.
    pub(super) fn take_description(&mut self, key: CallKey, at: usize, sdp: &[u8]) -> Result<(), Refusal> {
        let unknown = Refusal::Misuse(media::Misuse::UnknownParty);
        let call = self.calls.get_mut(key).ok_or(unknown)?;
        let conversion = call.conversion_of(at);
        call.keep_first_offer();
        let first = call.caller.as_ref().ok_or(unknown)?.party;
        let pair = call.pairs.get_mut(at).ok_or(unknown)?;
        if conversion != Conversion::Asked {
            return call.media.receive_answer(pair.callee_party, sdp);
        }
        call.media.receive_offer(pair.callee_party, sdp)?;
        call.media.must_meet(pair.callee_party, first)?;
        pair.reply = Some(call.media.compose_answer(pair.callee_party, first, &mut *self.link)?);
        Ok(())
    }

    /// The offer of a reliable response that has nothing in common with the caller's is answered all the same, in the PRACK (RFC 3262 §5).
    fn answer_in_vain(&mut self, key: CallKey, at: usize, refusal: &Refusal) {
        let Some(call) = self.calls.get_mut(key).filter(|_| *refusal == Refusal::Formats) else { return };
        let Some(pair) = call.pairs.get_mut(at) else { return };
        pair.reply = call.media.compose_refusal(pair.callee_party).ok();
        pair.settled = true;
    }

    /// A reliable answer to an offer of ours that the caller knows nothing of: it is our offer for a caller that can be asked before the
    /// 2xx.
    fn answered_ahead(
        &mut self,
        key: CallKey,
        at: usize,
        sdp: &[u8],
        number: Option<u32>,
    ) -> Result<Option<Bytes>, Refusal> {
        let takes = number.is_some() && self.reliability_of_caller(key) != Reliability::None;
        let Some(call) = self.calls.get_mut(key) else { return Ok(None) };
        let asks = takes && call.only.is_none();
        let Some(pair) = call.pairs.get_mut(at).filter(|pair| !pair.settled) else { return Ok(None) };
        call.media.receive_answer(pair.callee_party, sdp)?;
        (pair.described, pair.settled) = (true, number.is_some());
        let callee = pair.callee_party;
        if !asks {
            return Ok(None);
        }
        let caller = self.caller_party(key, at)?;
        let Some(call) = self.calls.get_mut(key) else { return Ok(None) };
        call.media.compose_offer(caller, callee, &mut *self.link).map(Some)
    }
}

impl Call {
    /// What was done about the offer of the leg that a pair is of.
    pub(super) fn conversion_of(&self, at: usize) -> Conversion {
        let leg = self.pairs.get(at).and_then(|pair| self.leg(pair.callee));
        leg.map(|leg| leg.conversion).unwrap_or_default()
    }

    /// The offer of the caller's INVITE is what another leg is offered, and what another early dialog is answered by. Where an early
    /// dialog has changed its session since, that one keeps its media, and the offer gets a party of its own.
    pub(super) fn keep_first_offer(&mut self) {
        let Some(changed) = self.caller.as_ref().map(|caller| caller.party) else { return };
        if self.joined().is_some() || self.only.is_some() || self.media.is_at_first_offer(changed) {
            return;
        }
        let new = self.name_party();
        if self.media.fork_party(changed, new).is_ok() {
            self.caller.iter_mut().for_each(|caller| caller.party = new);
            if !self.pairs.iter().any(|pair| pair.caller_party == Some(changed)) {
                self.media.remove_party(changed);
            }
        }
    }
}
