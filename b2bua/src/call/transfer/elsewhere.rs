//! A REFER with Replaces whose dialog is at home in another shard: that one says who stands behind it.
//!
//! ```text
//!   REFER ─► ask ── Question ─► the shard of the dialog: who is talked with in it, and by which names
//!     the target is dialled with Replaces, or the REFER crosses with it ◄── Answer ──┘
//! ```
//! No leg goes from one shard to another. So whom the transferor talks with in its other call is called, with an INVITE that replaces
//! the dialog which that one has with us (RFC 5589 §7.3): its user agent hangs up there, and the other call is over.

use super::Asking;
use super::who::{Permit, Referrer};
use crate::call::place::Place;
use crate::call::{CallKey, LegNo, OrRefuse};
use crate::shard::{Core, Word};
use sip::Received;
use sip::driver::{IoAction, Letter};
use sip::home::ShardNo;
use sip::session::{Refer, Reply, RequestId};
use sip::time::{Mono, Now};
use sip_types::header::Replaces;
use sip_types::{Fields, HeaderName, StatusCode};
use std::time::Duration;

/// How long another shard may take; it answers in its next turn, unless its rings are full.
const PATIENCE: Duration = Duration::from_secs(2);

/// What shards tell one another of REFERs.
pub(crate) enum ReferWord {
    Question(Box<Question>),
    Answer(Box<Answer>),
    /// Somebody may take a leg's place there, or may not any more.
    Permit(Box<Permit>, bool),
}

/// A REFER names a dialog.
pub(crate) struct Question {
    /// Who asks, for which call's REFER.
    shard: ShardNo,
    call: CallKey,
    id: RequestId,
    replaces: Replaces,
    /// Who has sent the REFER.
    referrer: Option<Referrer>,
    /// Whether it is acted upon there; else it crosses.
    acts: bool,
}

/// What is known of the dialog.
pub(crate) struct Answer {
    call: CallKey,
    id: RequestId,
    found: Result<Option<Standing>, StatusCode>,
}

/// Who stands behind a dialog of another shard.
pub(in crate::call) struct Standing {
    pub(super) place: Place,
    /// The dialog that this one has with us, as it knows it.
    pub(super) replaces: Replaces,
    /// The leg whose place is taken.
    pub(super) of: (ShardNo, CallKey, LegNo),
}

impl Standing {
    /// What the INVITE has that replaces that dialog. A user agent that does not know how is not called beside it.
    pub(super) fn fields(&self) -> Fields {
        let mut fields = Fields::default();
        fields.push(HeaderName::Replaces, self.replaces.to_string());
        fields.push(HeaderName::Require, "replaces");
        fields
    }
}

/// A REFER that waits for what another shard says.
pub(super) struct Waiting {
    leg: LegNo,
    asking: Asking,
    refer: Refer,
    request: Received,
    until: Mono,
}

impl Core {
    /// Has another shard asked whose dialog a REFER names, if it is one of that; the REFER waits.
    pub(super) fn ask_elsewhere(
        &mut self,
        now: Now,
        key: CallKey,
        leg: LegNo,
        asking: Asking,
        (refer, request): (&Refer, &Received),
    ) -> bool {
        let Some(replaces) = refer.replaces.as_ref() else { return false };
        let tags = [replaces.local_tag(), replaces.remote_tag()];
        let Some(shard) = tags.into_iter().find_map(|tag| self.endpoint.elsewhere(tag)) else { return false };
        let acts = !self.crosses_refer(key, leg);
        let who = self.who_of(key, leg);
        let question = Question {
            shard: self.shard_no(),
            call: key,
            id: asking.id,
            replaces: replaces.clone(),
            referrer: who.map(|who| Referrer { who, flow: request.flow }),
            acts,
        };
        let Some(call) = self.calls.get_mut(key) else { return false };
        // No more wait than the session has requests pending.
        call.transfers.get_or_insert_default().waiting.push(Waiting {
            leg,
            asking,
            refer: refer.clone(),
            request: request.clone(),
            until: now.mono + PATIENCE,
        });
        self.timers.arm(now, PATIENCE, (key, crate::call::CallTimer::Transfer));
        self.io.push_back(IoAction::Tell(shard, letter(ReferWord::Question(Box::new(question)))));
        true
    }

    /// What another shard asks or tells of a REFER.
    pub(crate) fn on_refer_word(&mut self, now: Now, word: ReferWord) {
        match word {
            ReferWord::Question(question) => {
                let found = self.stands_behind(&question);
                let answer = Answer { call: question.call, id: question.id, found };
                let letter = letter(ReferWord::Answer(Box::new(answer)));
                self.io.push_back(IoAction::Tell(question.shard, letter));
            }
            ReferWord::Answer(answer) => {
                let Answer { call, id, found } = *answer;
                let transfers = self.calls.get_mut(call).and_then(|call| call.transfers.as_mut());
                // It may be over, or have waited for too long.
                let Some(transfers) = transfers else { return };
                let Some(at) = transfers.waiting.iter().position(|waiting| waiting.asking.id == id) else {
                    return;
                };
                let Waiting { leg, asking, refer, request, .. } = transfers.waiting.swap_remove(at);
                let found = found.map_err(|status| Box::new(Reply::new(status)));
                self.refer_found(now, call, leg, asking, (&refer, &request), found);
                self.carry_out_media(call);
            }
            ReferWord::Permit(permit, holds) => self.permit(*permit, holds),
        }
    }

    /// The word of a permit for another shard.
    pub(super) fn tell_of_permit(&mut self, permit: Permit, holds: bool) {
        let shard = permit.shard;
        self.io.push_back(IoAction::Tell(shard, letter(ReferWord::Permit(Box::new(permit), holds))));
    }

    fn stands_behind(&self, question: &Question) -> Result<Option<Standing>, StatusCode> {
        let Question { replaces, referrer, acts, .. } = question;
        let named = match acts {
            true => self.named_by(referrer.as_ref().map(|referrer| &referrer.who), replaces, None)?,
            false => referrer.as_ref().and_then(|referrer| self.own_dialog_of(replaces, referrer)),
        };
        let Some((key, no)) = named else { return Ok(None) };
        let Some((place, (call_id, theirs, ours))) = self.other_end(key, no) else { return Ok(None) };
        let replaces = Replaces::new(&call_id, &theirs, &ours).map_err(|_| StatusCode::DECLINE)?;
        Ok(Some(Standing { place, replaces, of: (self.shard_no(), key, no) }))
    }

    /// Whatever waits for what another shard says waits in vain: the call is over.
    pub(super) fn end_waiting(&mut self, now: Now, key: CallKey) {
        let Some(call) = self.calls.get_mut(key) else { return };
        let Some(transfers) = call.transfers.as_mut() else { return };
        let gone = Reply::new(StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST);
        for Waiting { leg, asking, .. } in std::mem::take(&mut transfers.waiting) {
            let session = self.calls.get(key).and_then(|call| call.leg(leg)).map(|leg| leg.session);
            session.into_iter().for_each(|session| self.refuse_refer(now, session, asking, &gone));
        }
    }

    /// REFERs that have waited for too long.
    pub(super) fn waited_in_vain(&mut self, now: Now, key: CallKey) {
        let Some(transfers) = self.calls.get_mut(key).and_then(|call| call.transfers.as_mut()) else {
            return;
        };
        let due = transfers.waiting.extract_if(.., |waiting| waiting.until <= now.mono);
        for Waiting { leg, asking, refer, request, .. } in due.collect::<Vec<_>>() {
            let found: OrRefuse<_> = Err(Box::new(self.overload_reply()));
            self.refer_found(now, key, leg, asking, (&refer, &request), found);
        }
    }
}

fn letter(word: ReferWord) -> Letter {
    Letter::new(Word::Refer(word))
}
