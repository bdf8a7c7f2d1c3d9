//! The caller: an INVITE of ours, its early dialogs, its end (RFC 3261 §13.2, §9.1).

use super::ack::shown;
use super::failover::too_late;
use super::{
    Declared, Flight, IntentError, Outgoing, OutgoingId, Parts, Patience, Purpose, Session, SessionId, Stage,
};
use crate::dialog::{Dialog, DialogNo, DialogState, RouteSet};
use crate::endpoint::Endpoint;
use crate::event::{End, Event, Failure};
use crate::flow::{Flow, NetworkId};
use crate::ids::{self, Tag};
use crate::settings::Conduct;
use crate::time::Now;
use crate::transaction::ClientId;
use sip_types::header::{SessionUuid, To};
use sip_types::{Fields, Method, Response, Scheme, StatusCode, Uri};

/// A call to make.
#[derive(Clone, Debug)]
pub struct Invite {
    /// The network that it leaves by.
    pub network: NetworkId,
    /// What the owner calls whom it goes to; it comes back with a challenge.
    pub label: u32,
    /// How whom it goes to is treated; as the listener says where it is `None`.
    pub conduct: Option<Conduct>,
    /// The Request-URI.
    pub request_uri: Uri,
    /// The URI that says where to send it; it is written nowhere.
    pub next_hop: Uri,
    /// A preset route set (RFC 3261 §12.2.1.1), such as the Path of a binding (RFC 3327 §5.3): its first value is the next
    /// hop then.
    pub routes: Box<[Box<str>]>,
    /// The flow that it is sent on, and what follows in its dialogs, wherever the next hop is (RFC 5626 §5.3).
    pub flow: Option<Flow>,
    /// Whether the flow is one of ours that outbound is applied to: then our Contact asks for what follows to come on it
    /// (`ob`, RFC 5626 §4.3), and requests in the dialogs may take another one to the same place once it is gone.
    pub outbound: bool,
    /// The GRUU that our Contact is, as for [`Endpoint::go_by`].
    pub gruu: Option<Uri>,
    /// The identifier of the end that it is made for, and whether that end knows one for both (RFC 7989, RFC 7329).
    pub speaks_for: Option<(SessionUuid, bool)>,
    /// From without tag: a name-addr, and other parameters.
    pub from: Box<str>,
    /// To without tag.
    pub to: Box<str>,
    /// Max-Forwards (RFC 7332 §5: that of the call's other side, less one).
    pub max_forwards: u8,
    /// How long targets may be silent.
    pub patience: Patience,
    /// The rest.
    pub parts: Parts,
}

impl Endpoint {
    /// Calls somebody. [`Event::Progress`], then [`Event::Answered`] or [`Event::Ended`] follow.
    ///
    /// # Errors
    /// [`IntentError::Full`] if there are as many sessions as may be.
    pub fn invite(&mut self, now: Now, invite: Invite) -> Result<SessionId, IntentError> {
        if self.is_full() {
            return Err(IntentError::Full);
        }
        let local_tag = Tag::new(&mut *self.io.ids);
        let call_id = ids::call_id(&mut *self.io.ids);
        let mut session = Session::new(Stage::Calling { cancel: None }, invite.network, call_id, local_tag);
        session.caller = true;
        session.label = invite.label;
        session.secure = invite.request_uri.scheme() == Scheme::Sips;
        session.conduct = invite.conduct;
        session.local = invite.from;
        session.remote = invite.to;
        (session.flow, session.outbound) = (invite.flow, invite.outbound);
        session.gruu = invite.gruu.map(Box::new);
        session.begin_speaking(invite.speaks_for);
        session.declared = Declared::of(&invite.parts.fields);
        let request_uri = invite.request_uri.for_request_line();
        session.aim = Some(Box::new(RouteSet::preset(invite.routes).aim_or(request_uri, invite.next_hop)));
        let id = session.name_outgoing();
        let sid = self.sessions.insert(session);
        self.share.enter();
        self.by_tag.insert(local_tag, sid);
        let mut outgoing = Outgoing::new(id, Purpose::Invite, Method::Invite, invite.parts);
        outgoing.max_forwards = invite.max_forwards;
        outgoing.course.patience = invite.patience;
        self.launch(now, sid, outgoing);
        Ok(sid)
    }

    /// A provisional response above 100.
    pub(crate) fn on_progress(&mut self, now: Now, sid: SessionId, id: OutgoingId, response: Response) {
        self.cancel_if_wanted(now, sid, id);
        if response.status() == StatusCode::EARLY_DIALOG_TERMINATED {
            return self.on_terminated(now, sid, id, response);
        }
        let Some(session) = self.sessions.get_mut(sid) else { return };
        let Stage::Calling { cancel } = &session.stage else { return };
        let given_up = cancel.is_some();
        let Some((seq, client)) = session.outgoing_mut(id).map(|o| (o.seq, o.client())) else { return };
        let tag = to_tag(&response);
        let dialog = match &tag {
            None => None,
            Some(tag) => match self.early_dialog(sid, seq, tag, &response) {
                Some(no) => Some(no),
                None => return,
            },
        };
        let Ok(number) = self.order(sid, dialog, seq, &response) else { return };
        let of = dialog.and_then(|no| self.sessions.get(sid)?.dialog(no));
        let given_up = given_up || of.is_some_and(|dialog| dialog.state == DialogState::Left);
        if let (Some(_), Some(client)) = (number, client) {
            self.learn_way(sid, client, &response);
        }
        match (given_up, number, dialog) {
            // Who waits for it would send it again until its INVITE is over.
            (true, Some(number), Some(no)) => drop(self.prack(now, sid, no, number, Parts::default())),
            (true, _, _) => {}
            (false, number, _) => {
                self.io.tell(Event::Progress { session: sid, dialog, reliable: number, response });
            }
        }
    }

    /// The way to whom a response to our INVITE is from, that what follows in its dialog may take.
    pub(super) fn learn_way(&mut self, sid: SessionId, client: ClientId, response: &Response) {
        let Some(session) = self.sessions.get_mut(sid) else { return };
        session.way = self.clients.destination(client);
        session.keeps_way = session.way.as_ref().is_some_and(|to| {
            let listener = self.settings.listener(to.listener());
            listener.is_some_and(|l| l.answers_behind_nat(response.headers(), to.peer()))
        });
    }

    /// The early dialog of a provisional response, made if it is new; `None` past the limit.
    pub(super) fn early_dialog(
        &mut self,
        sid: SessionId,
        seq: u32,
        tag: &str,
        response: &Response,
    ) -> Option<DialogNo> {
        let session = self.sessions.get_mut(sid)?;
        if let Some(known) = session.dialogs.iter_mut().find(|d| d.has_remote_tag(Some(tag))) {
            known.note_allow(response.headers());
            return Some(known.no);
        }
        if session.dialogs.len() >= self.settings.limits.early_dialogs {
            self.counters.early_dialogs_refused += 1;
            return None;
        }
        let no = session.name_dialog();
        let dialog = Dialog::of_uac(no, session.local_tag, Some(tag), seq, response)
            .or_else(|_| {
                Dialog::without_contact(no, session.local_tag, Some(tag), seq, session.aim.as_deref())
            })
            .ok()?;
        session.enter(dialog, &self.census);
        Some(no)
    }

    /// The first 2xx to our INVITE.
    pub(crate) fn on_answer(&mut self, now: Now, sid: SessionId, id: OutgoingId, response: Response) {
        let Some(session) = self.sessions.get_mut(sid) else { return };
        let Some(mut outgoing) = session.take_outgoing(id) else { return };
        let shown = shown(&self.clients, &mut outgoing);
        session.ack_credentials = shown;
        if let Some(client) = outgoing.client() {
            self.learn_way(sid, client, &response);
        }
        let Some(session) = self.sessions.get_mut(sid) else { return };
        let given_up = match &mut session.stage {
            Stage::Calling { cancel } => cancel.take(),
            Stage::Called(_)
            | Stage::Confirmed
            | Stage::Asking { .. }
            | Stage::Subscribed
            | Stage::Subscribing(_)
            | Stage::Ending
            | Stage::Over => return,
        };
        let Some(no) = self.confirmed_dialog(sid, outgoing.seq, &response) else { return };
        let Some(session) = self.sessions.get_mut(sid) else { return };
        if session.dialog(no).is_some_and(|dialog| dialog.state == DialogState::Left) {
            return self.left_is_answered(now, sid, no, outgoing.seq);
        }
        session.current = Some(no);
        session.hear_packages(response.headers());
        session.stage = Stage::Confirmed;
        session.owed_ack = given_up.is_none().then_some(outgoing.seq);
        match given_up {
            // The 2xx crossed our CANCEL (RFC 3261 §9.1, §15).
            Some(reason) => {
                self.send_ack(now, sid, no, outgoing.seq, Parts::default());
                self.begin_bye(now, sid, no, reason);
            }
            None => {
                self.timed_by_answer(now, sid, (id, false), &response);
                self.io.tell(Event::Answered { session: sid, dialog: no, response });
            }
        }
    }

    /// The dialog that a 2xx confirms, made if it is new.
    fn confirmed_dialog(&mut self, sid: SessionId, seq: u32, response: &Response) -> Option<DialogNo> {
        let session = self.sessions.get_mut(sid)?;
        let tag = to_tag(response);
        let at = session.dialogs.iter().position(|d| d.has_remote_tag(tag.as_deref()));
        if let Some(dialog) = at.and_then(|at| session.dialogs.get_mut(at)) {
            dialog.confirm(response);
            return Some(dialog.no);
        }
        let no = session.name_dialog();
        let tag = tag.as_deref();
        let mut dialog = Dialog::of_uac(no, session.local_tag, tag, seq, response)
            .or_else(|_| Dialog::without_contact(no, session.local_tag, tag, seq, session.aim.as_deref()))
            .ok()?;
        dialog.state = DialogState::Confirmed;
        session.enter(dialog, &self.census);
        Some(no)
    }

    /// A 2xx after the first: repeated, or of a fork (RFC 3261 §13.2.2.4); or of a target that was given up.
    pub(crate) fn late_success(&mut self, now: Now, sid: SessionId, response: &Response) {
        if !response.status().is_success() {
            return;
        }
        let limit = self.settings.limits.early_dialogs;
        let Some(session) = self.sessions.get(sid) else { return };
        let Ok(cseq) = response.headers().require::<sip_types::header::CSeq>() else { return };
        let tag = to_tag(response);
        let known = session
            .dialogs
            .iter()
            .find(|d| d.state != DialogState::Early && d.has_remote_tag(tag.as_deref()));
        match known {
            Some(dialog) => {
                let no = dialog.no;
                self.repeat_ack(now, sid, no, cseq.seq);
            }
            // Past the limit an answer stays without ACK, so that its sender ends the dialog (RFC 3261 §13.3.1.4).
            None if session.forks > 0
                && cseq.seq <= session.invite_seq
                && session.dialogs.iter().filter(|d| d.state != DialogState::Early).count() <= limit =>
            {
                let Some(no) = self.confirmed_dialog(sid, cseq.seq, response) else { return };
                self.counters.forks_released += 1;
                self.send_ack(now, sid, no, cseq.seq, Parts::default());
                let answered = self.sessions.get(sid).is_some_and(|s| s.current.is_some());
                self.begin_bye(now, sid, no, if answered { answered_elsewhere() } else { too_late() });
            }
            None => {}
        }
    }

    /// A transaction of an INVITE of ours ended without a final response.
    pub(crate) fn invite_without_end(&mut self, sid: SessionId, id: OutgoingId) {
        let Some(session) = self.sessions.get_mut(sid) else { return };
        if session.outgoing_mut(id).is_some_and(|o| o.purpose == Purpose::Invite) {
            session.forks = session.forks.saturating_sub(1);
        }
    }

    /// Our INVITE came to nothing.
    pub(crate) fn on_invite_failed(&mut self, now: Now, sid: SessionId, id: OutgoingId, why: Failure) {
        self.take_outgoing(sid, id);
        let Some(session) = self.sessions.get_mut(sid) else { return };
        let cancelled = matches!(session.stage, Stage::Calling { cancel: Some(_) });
        session.stage = Stage::Over;
        let end = match (cancelled, why) {
            (true, _) if session.has_left_all() => End::Left,
            (true, Failure::Response(response)) => End::HungUp(Some(response)),
            (true, _) => End::HungUp(None),
            (false, why) => End::Rejected(why),
        };
        self.ended(now, sid, end);
    }

    /// One INVITE or re-INVITE transaction of ours, of number `seq`, can bring no further 2xx.
    pub(crate) fn invite_ended(&mut self, sid: SessionId, seq: u32) {
        if let Some(session) = self.sessions.get_mut(sid) {
            if seq <= session.invite_seq {
                session.forks = session.forks.saturating_sub(1);
            }
            let pending = session.outgoing.iter().any(|o| o.purpose == Purpose::Invite);
            if seq <= session.invite_seq && session.forks == 0 && !pending {
                session.aim = None;
                let outgoing = &session.outgoing;
                session.dialogs.retain(|dialog| match dialog.state {
                    DialogState::Early => false,
                    DialogState::Left => outgoing.iter().any(|o| o.dialog == Some(dialog.no)),
                    DialogState::Confirmed | DialogState::Ended => true,
                });
            }
            if seq > session.invite_seq || session.forks == 0 {
                for dialog in &mut session.dialogs {
                    dialog.acks.retain(|ack| ack.request.seq != seq);
                }
            }
        }
        self.sweep(sid);
    }

    /// Gives our pending INVITE up (RFC 3261 §9.1).
    pub(crate) fn cancel(&mut self, now: Now, sid: SessionId, reason: Fields) {
        let Some(session) = self.sessions.get_mut(sid) else { return };
        let Stage::Calling { cancel } = &mut session.stage else { return };
        if cancel.is_some() {
            return;
        }
        *cancel = Some(reason);
        let Some((id, sent)) = session
            .outgoing
            .iter()
            .find(|o| o.purpose == Purpose::Invite)
            .map(|o| (o.id, matches!(o.flight, Flight::Sent(_))))
        else {
            return;
        };
        if sent {
            self.cancel_if_wanted(now, sid, id);
        } else {
            self.on_invite_failed(now, sid, id, Failure::Timeout);
        }
    }

    /// Sends the CANCEL that was asked for, once the INVITE has had a provisional response.
    pub(crate) fn cancel_if_wanted(&mut self, now: Now, sid: SessionId, id: OutgoingId) {
        let Some(session) = self.sessions.get_mut(sid) else { return };
        let Some(Flight::Sent(client)) = session.outgoing_mut(id).map(|o| &o.flight) else { return };
        let client = *client;
        let reason = match &mut session.stage {
            Stage::Calling { cancel: Some(reason) } => reason.clone(),
            _ => return,
        };
        if session.cancel_sent || !self.clients.is_proceeding(client) {
            return;
        }
        session.cancel_sent = true;
        self.clients.cancel(&mut self.io, now, client, &reason);
    }
}

/// The reason that a fork's late answer is released with (RFC 3326 §2).
fn answered_elsewhere() -> Fields {
    let mut fields = Fields::default();
    fields.push(sip_types::HeaderName::Reason, "SIP;cause=200;text=\"Call completed elsewhere\"");
    fields
}

/// The tag of To in a response.
pub(super) fn to_tag(response: &Response) -> Option<String> {
    response.headers().require::<To>().ok().and_then(|to| to.tag().map(str::to_owned))
}
