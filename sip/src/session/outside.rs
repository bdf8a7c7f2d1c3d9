//! Requests of ours outside a dialog, other than INVITE (RFC 3261 §8.1).

use super::{IntentError, Outgoing, OutgoingId, Parts, Patience, Purpose, Session, SessionId, Stage};
use crate::dialog::Aim;
use crate::endpoint::Endpoint;
use crate::event::{Event, Failure};
use crate::flow::{Flow, NetworkId};
use crate::ids::{self, Tag};
use crate::location::Target;
use crate::time::Now;
use sip_types::{Method, Response, Uri};

/// A request to send outside a dialog.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The network that it leaves by.
    pub network: NetworkId,
    /// What the owner calls whom it goes to; it comes back with a challenge.
    pub label: u32,
    /// Any method but INVITE, ACK and CANCEL.
    pub method: Method,
    /// The Request-URI.
    pub request_uri: Uri,
    /// The URI that says where to send it; it is written nowhere.
    pub next_hop: Uri,
    /// The flow that it takes, whatever the next hop is (RFC 5626 §5.3).
    pub flow: Option<Flow>,
    /// From without tag.
    pub from: Box<str>,
    /// To without tag.
    pub to: Box<str>,
    /// Max-Forwards.
    pub max_forwards: u8,
    /// How long targets may be silent.
    pub patience: Patience,
    /// Whether it goes to every target of the next hop, whatever is known of them, each in a session of its own, to
    /// find out how they are; the sessions of all but the first tell nothing.
    pub everywhere: bool,
    /// The rest.
    pub parts: Parts,
}

impl Endpoint {
    /// Sends a request outside a dialog. [`Event::Responded`] follows, and ends the session.
    ///
    /// # Errors
    /// [`IntentError::Full`] if there are as many sessions as may be, [`IntentError::WrongState`] for a method that
    /// has another intent.
    pub fn ask(&mut self, now: Now, ask: Ask) -> Result<(SessionId, OutgoingId), IntentError> {
        if matches!(ask.method, Method::Invite | Method::Ack | Method::Cancel) {
            return Err(IntentError::WrongState);
        }
        if self.is_full() {
            return Err(IntentError::Full);
        }
        let local_tag = Tag::new(&mut *self.io.ids);
        let call_id = ids::call_id(&mut *self.io.ids);
        let mut session = Session::new(Stage::Asking, ask.network, call_id, local_tag);
        (session.caller, session.label) = (true, ask.label);
        (session.local, session.remote, session.flow) = (ask.from, ask.to, ask.flow);
        session.aim = Some(Box::new(Aim {
            request_uri: ask.request_uri.for_request_line(),
            routes: Vec::new(),
            next_hop: ask.next_hop,
        }));
        let id = session.name_outgoing();
        let sid = self.sessions.insert(session);
        self.share.enter();
        let mut outgoing = Outgoing::new(id, Purpose::Outside, ask.method, ask.parts);
        outgoing.max_forwards = ask.max_forwards;
        (outgoing.course.patience, outgoing.course.everywhere) = (ask.patience, ask.everywhere);
        self.launch(now, sid, outgoing);
        Ok((sid, id))
    }

    /// Sends copies of a request outside a dialog to these targets, as far as there is room.
    pub(crate) fn ask_others(&mut self, now: Now, sid: SessionId, id: OutgoingId, targets: Vec<Target>) {
        for target in targets {
            if self.is_full() {
                return;
            }
            let Some(first) = self.sessions.get(sid) else { return };
            let Some(asked) = first.outgoing.iter().find(|o| o.id == id) else { return };
            let mut outgoing = Outgoing::new(id, Purpose::Outside, asked.method.clone(), asked.parts.clone());
            outgoing.max_forwards = asked.max_forwards;
            outgoing.course.patience = asked.course.patience;
            outgoing.seq = 1;
            let call_id = ids::call_id(&mut *self.io.ids);
            let mut session =
                Session::new(Stage::Asking, first.network, call_id, Tag::new(&mut *self.io.ids));
            (session.caller, session.label, session.told) = (true, first.label, true);
            (session.local, session.remote) = (first.local.clone(), first.remote.clone());
            (session.aim, session.invite_seq, session.next_outgoing) = (first.aim.clone(), 1, id.0);
            session.outgoing.push(outgoing);
            let copy = self.sessions.insert(session);
            self.share.enter();
            self.try_target(now, copy, id, target);
        }
    }

    /// A request of ours outside a dialog is over.
    pub(crate) fn ask_done(&mut self, sid: SessionId, id: OutgoingId, outcome: Result<Response, Failure>) {
        self.take_outgoing(sid, id);
        let Some(session) = self.sessions.get_mut(sid) else { return };
        session.stage = Stage::Over;
        if !std::mem::replace(&mut session.told, true) {
            self.io.tell(Event::Responded { session: sid, id, outcome });
        }
        self.sweep(sid);
    }
}
