//! Requests of ours outside a dialog, other than INVITE (RFC 3261 §8.1).

use super::{IntentError, Outgoing, OutgoingId, Parts, Patience, Purpose, Session, SessionId, Stage};
use crate::dialog::RouteSet;
use crate::endpoint::Endpoint;
use crate::event::{Event, Failure};
use crate::flow::{Destination, Flow, ListenerId, NetworkId};
use crate::ids::{self, Tag};
use crate::location::Target;
use crate::reply;
use crate::settings::Conduct;
use crate::time::Now;
use sip_types::{Method, Response, Scheme, Uri};

/// A request to send outside a dialog.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The network that it leaves by.
    pub network: NetworkId,
    /// What the owner calls whom it goes to; it comes back with a challenge.
    pub label: u32,
    /// How whom it goes to is treated; as the listener says where it is `None`.
    pub conduct: Option<Conduct>,
    /// Any method but INVITE, ACK and CANCEL.
    pub method: Method,
    /// The Request-URI.
    pub request_uri: Uri,
    /// The URI that says where to send it; it is written nowhere.
    pub next_hop: Uri,
    /// Routes known beforehand, in the order of Route (RFC 3261 §8.1.1.1); where there are any, they lead instead of the next
    /// hop.
    pub routes: Box<[Box<str>]>,
    /// From without tag.
    pub from: Box<str>,
    /// To without tag.
    pub to: Box<str>,
    /// The user part of our Contact, as it is written in a URI; without it there is none.
    pub contact_user: Option<Box<str>>,
    /// The flow that it is sent on, wherever the next hop is (RFC 5626 §4.2, §5.3).
    pub flow: Option<Flow>,
    /// Whether our Contact asks for what comes for it to come on the flow of this request (`ob`, RFC 5626 §4.3).
    pub outbound: bool,
    /// Whether its Via offers keepalives (RFC 6223 §4.3).
    pub keep: bool,
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
        self.ask_first(now, ask, false)
    }

    /// The same, as the first of requests that belong together: [`ask_again`](Self::ask_again) sends the next ones, until
    /// [`end_asking`](Self::end_asking) ends the session.
    ///
    /// # Errors
    /// As for [`ask`](Self::ask).
    pub fn ask_lasting(&mut self, now: Now, ask: Ask) -> Result<(SessionId, OutgoingId), IntentError> {
        self.ask_first(now, ask, true)
    }

    fn ask_first(
        &mut self,
        now: Now,
        ask: Ask,
        lasting: bool,
    ) -> Result<(SessionId, OutgoingId), IntentError> {
        if is_not_asked(&ask.method) {
            return Err(IntentError::WrongState);
        }
        if self.is_full() {
            return Err(IntentError::Full);
        }
        let local_tag = Tag::new(&mut *self.io.ids);
        let call_id = ids::call_id(&mut *self.io.ids);
        let mut session = Session::new(Stage::Asking { lasting }, ask.network, call_id, local_tag);
        session.caller = true;
        let sid = self.sessions.insert(session);
        self.share.enter();
        let id = self.send_asked(now, sid, ask).ok_or(IntentError::Gone)?;
        Ok((sid, id))
    }

    /// Sends another request in a session that [`ask_lasting`](Self::ask_lasting) made: with its Call-ID, its tag in From, the
    /// next number (RFC 3261 §10.2), and the credentials that were good before. `ask` may differ in all but the network.
    ///
    /// # Errors
    /// The session is gone, or the request before has no outcome yet.
    pub fn ask_again(&mut self, now: Now, sid: SessionId, ask: Ask) -> Result<OutgoingId, IntentError> {
        let session = self.sessions.get(sid).ok_or(IntentError::Gone)?;
        let lasts = matches!(session.stage, Stage::Asking { lasting: true });
        if is_not_asked(&ask.method) || !lasts || !session.outgoing.is_empty() {
            return Err(IntentError::WrongState);
        }
        self.send_asked(now, sid, ask).ok_or(IntentError::Gone)
    }

    /// Ends a session that [`ask_lasting`](Self::ask_lasting) made; nothing more is told of it, whatever is under way.
    pub fn end_asking(&mut self, sid: SessionId) {
        let Some(session) = self.sessions.get_mut(sid) else { return };
        if !matches!(session.stage, Stage::Asking { .. }) {
            return;
        }
        (session.stage, session.told) = (Stage::Over, true);
        while let Some(id) = self.sessions.get(sid).and_then(|s| s.outgoing.first()).map(|o| o.id) {
            self.take_outgoing(sid, id);
        }
        self.sweep(sid);
    }

    /// The Contact that such a session registers on that listener, as it is written there but for its parameters.
    #[must_use]
    pub fn contact_of(&self, user: &str, listener: ListenerId, secure: bool) -> Option<Uri> {
        let listener = self.settings.listener(listener)?;
        let contact = reply::contact_of(user, listener, secure && listener.transport.is_secure(), "", "");
        contact.strip_prefix('<')?.strip_suffix('>')?.parse().ok()
    }

    /// The flow that the last response in a session came on that [`ask_lasting`](Self::ask_lasting) made.
    #[must_use]
    pub fn asked_flow(&self, sid: SessionId) -> Option<Flow> {
        match self.sessions.get(sid)?.way {
            Some(Destination::Flow(flow)) => Some(flow),
            _ => None,
        }
    }

    /// A response came on that flow: it is where whoever serves a lasting session is found.
    pub(crate) fn heard_on(&mut self, sid: SessionId, flow: Flow) {
        if let Some(session) = self.sessions.get_mut(sid)
            && matches!(session.stage, Stage::Asking { lasting: true })
        {
            session.way = Some(Destination::Flow(flow));
        }
    }

    pub(super) fn send_asked(&mut self, now: Now, sid: SessionId, ask: Ask) -> Option<OutgoingId> {
        let session = self.sessions.get_mut(sid)?;
        (session.label, session.conduct) = (ask.label, ask.conduct);
        (session.local, session.remote) = (ask.from, ask.to);
        (session.flow, session.outbound) = (ask.flow, ask.outbound);
        let request_uri = ask.request_uri.for_request_line();
        session.secure = request_uri.scheme() == Scheme::Sips;
        session.aim = Some(Box::new(RouteSet::preset(ask.routes).aim_or(request_uri, ask.next_hop)));
        let id = session.name_outgoing();
        let mut outgoing = Outgoing::new(id, Purpose::Outside, ask.method, ask.parts);
        (outgoing.max_forwards, outgoing.contact_user) = (ask.max_forwards, ask.contact_user);
        outgoing.keep = ask.keep;
        (outgoing.course.patience, outgoing.course.everywhere) = (ask.patience, ask.everywhere);
        self.launch(now, sid, outgoing);
        Some(id)
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
            let mut session = Session::new(
                Stage::Asking { lasting: false },
                first.network,
                call_id,
                Tag::new(&mut *self.io.ids),
            );
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
        if self.sessions.get(sid).is_some_and(|session| matches!(session.stage, Stage::Subscribing(_))) {
            return self.subscribe_done(sid, id, outcome);
        }
        self.take_outgoing(sid, id);
        let Some(session) = self.sessions.get_mut(sid) else { return };
        if matches!(session.stage, Stage::Asking { lasting: true }) {
            return self.io.tell(Event::Responded { session: sid, id, dialog: None, outcome });
        }
        session.stage = Stage::Over;
        if !std::mem::replace(&mut session.told, true) {
            self.io.tell(Event::Responded { session: sid, id, dialog: None, outcome });
        }
        self.sweep(sid);
    }
}

/// Whether a method has another intent than to be asked.
pub(super) fn is_not_asked(method: &Method) -> bool {
    matches!(method, Method::Invite | Method::Ack | Method::Cancel)
}
