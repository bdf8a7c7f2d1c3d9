//! Requests of ours outside a dialog, other than INVITE (RFC 3261 §8.1).

use super::{IntentError, Outgoing, OutgoingId, Parts, Patience, Purpose, Session, SessionId, Stage};
use crate::dialog::Aim;
use crate::endpoint::Endpoint;
use crate::event::{Event, Failure};
use crate::flow::NetworkId;
use crate::ids::{self, Tag};
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
    /// From without tag.
    pub from: Box<str>,
    /// To without tag.
    pub to: Box<str>,
    /// Max-Forwards.
    pub max_forwards: u8,
    /// How long targets may be silent.
    pub patience: Patience,
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
        if self.sessions.len() >= self.settings.limits.sessions {
            return Err(IntentError::Full);
        }
        let local_tag = Tag::new(&mut *self.io.ids);
        let call_id = ids::call_id(&mut *self.io.ids);
        let mut session = Session::new(Stage::Asking, ask.network, call_id, local_tag);
        (session.caller, session.label) = (true, ask.label);
        (session.local, session.remote) = (ask.from, ask.to);
        session.aim = Some(Box::new(Aim {
            request_uri: ask.request_uri.for_request_line(),
            routes: Vec::new(),
            next_hop: ask.next_hop,
        }));
        let id = session.name_outgoing();
        let sid = self.sessions.insert(session);
        let mut outgoing = Outgoing::new(id, Purpose::Outside, ask.method, ask.parts);
        outgoing.max_forwards = ask.max_forwards;
        outgoing.course.patience = ask.patience;
        self.launch(now, sid, outgoing);
        Ok((sid, id))
    }

    /// A request of ours outside a dialog is over.
    pub(crate) fn ask_done(&mut self, sid: SessionId, id: OutgoingId, outcome: Result<Response, Failure>) {
        self.take_outgoing(sid, id);
        let Some(session) = self.sessions.get_mut(sid) else { return };
        session.stage = Stage::Over;
        session.told = true;
        self.io.tell(Event::Responded { session: sid, id, outcome });
        self.sweep(sid);
    }
}
