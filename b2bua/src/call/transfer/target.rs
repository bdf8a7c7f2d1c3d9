//! The target of a transfer rings, and answers.

use super::TargetDialog;
use crate::call::{CallKey, LegNo, decide};
use crate::shard::Core;
use bytestring::ByteString;
use media::{Misuse, Refusal};
use sip::dialog::DialogNo;
use sip::session::{Parts, Reply};
use sip::time::Now;
use sip_types::{Response, StatusCode};

impl Core {
    /// A provisional response of a target: the transferor is told of it. What the target describes is heard only by who
    /// would hear nothing else: a transferee whose transferor has gone.
    pub(in crate::call) fn on_target_progress(
        &mut self,
        now: Now,
        key: CallKey,
        leg: LegNo,
        (dialog, number): (Option<DialogNo>, Option<u32>),
        response: &Response,
    ) {
        if matches!(
            self.describe_target(key, leg, dialog, number.is_some(), response),
            Err(refusal) if !matches!(refusal, Refusal::Misuse(_))
        ) {
            // What cannot be taken in a provisional response decides nothing; the final one does.
            self.counters.descriptions_refused += 1;
        }
        self.acknowledge_progress(now, key, (leg, dialog), number, None);
        self.let_hear(key);
        self.tell_transferor(now, key, response.status(), response.reason().to_owned().into());
    }

    /// A target answers.
    pub(in crate::call) fn on_target_answered(
        &mut self,
        now: Now,
        key: CallKey,
        leg: LegNo,
        dialog: DialogNo,
        response: &Response,
    ) {
        let described = self.describe_target(key, leg, Some(dialog), true, response);
        let Some(session) = self.calls.get(key).and_then(|call| call.leg(leg)).map(|leg| leg.session) else {
            return;
        };
        let party = match described {
            Ok(party) => party,
            Err(refusal) => {
                self.counters.descriptions_refused += 1;
                let mut reply = self.media_reply(&refusal);
                let reason = decide::reason(reply.status.as_u16(), "Session description refused");
                self.end_leg(now, key, leg, session, reason);
                if reply.status.as_u16() < 500 {
                    reply.status = StatusCode::BAD_GATEWAY;
                }
                return self.branch_failed(now, key, leg, reply);
            }
        };
        let _ = self.endpoint.acknowledge(now, session, Parts::default());
        self.target_stands(now, key, leg, party);
    }

    /// One leg of the target stands: the others have lost, and it is given its place.
    pub(super) fn target_stands(&mut self, now: Now, key: CallKey, leg: LegNo, party: media::PartyId) {
        let Some(call) = self.calls.get_mut(key) else { return };
        call.fork.clear();
        call.media.confirm(party);
        if let Some(leg) = call.leg_mut(leg) {
            leg.confirmed = Some(now);
        }
        let Some(transfer) = call.transfer_mut() else { return };
        let lost: Vec<_> = transfer.targets.drain(..).filter(|target| target.party != party).collect();
        let before = transfer.before;
        let others = call.callees.iter().skip(before).filter(|other| other.no != leg && other.end.is_none());
        let others: Vec<_> = others.map(|other| (other.no, other.session)).collect();
        let own = call.callees.iter().skip(before).map(|leg| leg.party);
        let parties: Vec<_> =
            own.chain(lost.iter().map(|target| target.party)).filter(|of| *of != party).collect();
        parties.into_iter().for_each(|party| call.media.remove_party(party));
        for (no, session) in others {
            self.end_leg(now, key, no, session, decide::reason(200, "Call completed elsewhere"));
        }
        self.hand_over(now, key, leg, party);
    }

    /// Takes what a target describes in one of its dialogs: the media of that.
    fn describe_target(
        &mut self,
        key: CallKey,
        leg: LegNo,
        dialog: Option<DialogNo>,
        settles: bool,
        response: &Response,
    ) -> Result<media::PartyId, Refusal> {
        let nothing = Refusal::Misuse(Misuse::NothingDescribed);
        let call = self.calls.get(key).ok_or(nothing)?;
        let asker = call.asker().map_or(leg, |asker| asker.no);
        let taken = decide::take_response(call, leg, asker, response);
        let at = self.target_dialog(key, leg, dialog)?;
        let call = self.calls.get_mut(key).ok_or(nothing)?;
        let target = call.transfers.as_mut().and_then(|transfers| transfers.now.as_mut());
        let target = target.and_then(|transfer| transfer.targets.get_mut(at)).ok_or(nothing)?;
        match taken.sdp.as_deref() {
            Some(sdp) if !target.settled => {
                call.media.receive_answer(target.party, sdp)?;
                (target.described, target.settled) = (true, settles);
            }
            _ if target.described => {}
            _ => return Err(nothing),
        }
        Ok(target.party)
    }

    /// The dialog of a target, made where it is new, with media of its own.
    fn target_dialog(
        &mut self,
        key: CallKey,
        leg: LegNo,
        dialog: Option<DialogNo>,
    ) -> Result<usize, Refusal> {
        let unknown = Refusal::Misuse(Misuse::UnknownParty);
        let call = self.calls.get_mut(key).ok_or(unknown)?;
        let first = call.leg(leg).map(|leg| leg.party).ok_or(unknown)?;
        let targets = &mut call.transfer_mut().ok_or(unknown)?.targets;
        let known = targets.iter().position(|t| t.leg == leg && (t.dialog == dialog || t.dialog.is_none()));
        if let Some(at) = known {
            if let Some(target) = targets.get_mut(at) {
                target.dialog = target.dialog.or(dialog);
            }
            return Ok(at);
        }
        let is_first = !targets.iter().any(|target| target.leg == leg);
        let party = if is_first { first } else { call.name_party() };
        if !is_first {
            call.media.fork_party(first, party)?;
        }
        let targets = &mut call.transfer_mut().ok_or(unknown)?.targets;
        targets.push(TargetDialog { leg, dialog, party, described: false, settled: false });
        Ok(targets.len() - 1)
    }

    /// A transferee whom nobody talks with any more hears the first target that has described its media.
    pub(super) fn let_hear(&mut self, key: CallKey) {
        let Some(call) = self.calls.get_mut(key) else { return };
        let Some(transfer) = call.transfer() else { return };
        let is_alone = transfer.by.and_then(|by| call.leg(by)).is_none_or(|by| by.end.is_some());
        let target = transfer.targets.iter().find(|target| target.described).map(|target| target.party);
        if let (true, Some(target), Some(of)) = (is_alone, target, call.sought_party())
            && call.media.view(of).is_some_and(|view| view.peer.is_none())
        {
            call.media.connect(of, target);
        }
    }

    /// A leg of a target is over: its media goes.
    pub(in crate::call) fn forget_target(&mut self, key: CallKey, leg: LegNo) {
        let Some(call) = self.calls.get_mut(key) else { return };
        let Some(transfer) = call.transfer_mut() else { return };
        let gone: Vec<_> = transfer.targets.extract_if(.., |target| target.leg == leg).collect();
        gone.iter().for_each(|target| call.media.remove_party(target.party));
    }

    /// The transferor is told what has become of the target, unless it did not want to be, or has gone.
    pub(super) fn tell_transferor(&mut self, now: Now, key: CallKey, status: StatusCode, reason: ByteString) {
        let transfer = self.calls.get(key).and_then(|call| call.transfer());
        if let Some((session, told)) = transfer.and_then(|transfer| transfer.told) {
            let _ = self.endpoint.tell_referrer(now, session, told, (status, reason), false);
        }
    }

    /// No target has answered: the call stands as it stood, or is over where the transferor has gone.
    pub(in crate::call) fn transfer_failed(&mut self, now: Now, key: CallKey, reply: &Reply) {
        self.tell_transferor(now, key, reply.status, reply.reason.clone());
        let Some(call) = self.calls.get_mut(key) else { return };
        let Some(transfer) = call.end_transfer(reply.status, None) else { return };
        let Some(by) = transfer.by else { return self.then_failed(now, key, reply) };
        self.counters.transfers_failed += 1;
        tracing::debug!(
            call = %call.id,
            sip_call_id = call.sip_call_id(),
            status = reply.status.as_u16(),
            "a transfer has failed"
        );
        if call.leg(by).is_none_or(|by| by.end.is_some()) {
            let reason = decide::reason(reply.status.as_u16(), "Transfer failed");
            self.end_call(now, key, &reason, "transfer failed");
        }
    }
}
