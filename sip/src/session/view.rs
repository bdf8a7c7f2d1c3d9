//! What can be seen of a session from outside.

use super::{SessionId, Stage as Inner, TimerView};
use crate::dialog::DialogState;
use crate::endpoint::Endpoint;
use crate::flow::{ConnectionId, Destination, Flow, NetworkId, Transport};
use crate::location::Found;
use crate::settings::Conduct;
use crate::time::Now;
use sip_types::Uri;
use std::net::IpAddr;

/// How far a session has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Our INVITE is pending.
    Calling,
    /// Our INVITE is given up, its final response awaited.
    Cancelling,
    /// The peer's INVITE is pending.
    Called,
    /// A 2xx was sent, its ACK awaited.
    Answered,
    /// Established.
    Confirmed,
    /// A request of ours outside a dialog is pending.
    Asking,
    /// A subscription of the peer's.
    Subscribed,
    /// A subscription of ours.
    Subscribing,
    /// A BYE of ours is pending, or waits for the ACK.
    Ending,
    /// Over; only a fork may still answer.
    Over,
}

/// One dialog, as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DialogView {
    /// How far it has come.
    pub state: DialogState,
    /// Our tag.
    pub local_tag: String,
    /// The peer's tag.
    pub remote_tag: Option<String>,
    /// Where our requests go.
    pub remote_target: String,
    /// By way of.
    pub route_set: Vec<String>,
    /// The number of our last request.
    pub local_seq: u32,
    /// The number of the peer's last request.
    pub remote_seq: Option<u32>,
}

/// A session, as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionView {
    /// Its stage.
    pub stage: Stage,
    /// Its network.
    pub network: NetworkId,
    /// Whether our INVITE made it.
    pub caller: bool,
    /// Its Call-ID.
    pub call_id: String,
    /// Our tag, whether or not there is a dialog yet.
    pub local_tag: String,
    /// Our side of From and To.
    pub local: String,
    /// The peer's.
    pub remote: String,
    /// The way that its INVITE took; none before one was sent.
    pub way: Option<Destination>,
    /// How the targets of our INVITE were found, where its next hop was a name, and what has become of each.
    pub found: Option<Box<Found>>,
    /// Its dialogs.
    pub dialogs: Vec<DialogView>,
    /// Its timer, if it has one (RFC 4028).
    pub timer: Option<TimerView>,
}

impl Endpoint {
    /// Whether requests of a session go to its peer on a flow, and not to its Contact.
    #[must_use]
    pub fn is_on_flow(&self, session: SessionId) -> bool {
        self.sessions.get(session).is_some_and(|session| session.keeps_way || session.flow.is_some())
    }

    /// Whether requests in the dialogs of a session go over TLS, as far as is known of its way.
    #[must_use]
    pub fn goes_securely(&self, session: SessionId) -> bool {
        let is_secure = self.sessions.get(session).is_some_and(|session| session.secure);
        is_secure || self.goes_by(session).is_some_and(Transport::is_secure)
    }

    /// The transport of requests in the dialogs of a session, as far as its way is known.
    #[must_use]
    pub fn goes_by(&self, session: SessionId) -> Option<Transport> {
        let session = self.sessions.get(session)?;
        let flow = session.flow.map(Destination::Flow);
        let way = flow.as_ref().or(session.way.as_ref())?;
        self.settings.listener(way.listener()).map(|listener| listener.transport)
    }

    /// The address that the last provisional or successful response to our INVITE has come from, other than 100: what a look-up led to, and
    /// is there.
    #[must_use]
    pub fn answered_from(&self, session: SessionId) -> Option<IpAddr> {
        self.sessions.get(session)?.answered_from
    }

    /// The connection that the peer of a session is reached on, and nowhere else.
    #[must_use]
    pub fn bound_to(&self, session: SessionId) -> Option<ConnectionId> {
        self.sessions.get(session)?.bound_to()
    }

    /// The peer of a session is reached on that flow from now on: it has come back on it.
    pub fn move_to(&mut self, session: SessionId, flow: Flow) {
        let Some(session) = self.sessions.get_mut(session) else { return };
        session.way = Some(Destination::Flow(flow));
        session.flow = session.flow.map(|_| flow);
    }

    /// Whether every session is over on both sides, and only late answers of forks may still come.
    pub fn is_quiet(&self) -> bool {
        self.sessions.values().all(|session| {
            let is_over = matches!(session.stage, Inner::Over | Inner::Asking { lasting: true });
            is_over && session.outgoing.is_empty() && session.unacked.is_empty()
        })
    }

    /// Says what the owner calls the peer of a session that it was told of.
    pub fn label(&mut self, sid: SessionId, label: u32) {
        if let Some(session) = self.sessions.get_mut(sid) {
            session.label = label;
        }
    }

    /// Says how the peer of a session that it was told of is treated: from now on, for its INVITE was taken as its
    /// listener says.
    pub fn conduct(&mut self, now: Now, sid: SessionId, conduct: Conduct) {
        let Some(session) = self.sessions.get_mut(sid) else { return };
        let before = session.conduct.replace(conduct).map(|before| before.identifying);
        let Inner::Called(pending) = &mut session.stage else { return };
        let request = pending.request.clone();
        if pending.every != conduct.provisional_interval {
            pending.every = conduct.provisional_interval;
            pending.provisional_at = now.mono + pending.every;
            let at = pending.provisional_at;
            self.look_alive(now, sid, at);
        }
        let Some(listener) = self.settings.listener(request.flow.listener) else { return };
        let Some(session) = self.sessions.get_mut(sid) else { return };
        if before.unwrap_or(listener.identifying) != conduct.identifying {
            session.identify_caller(&request, listener, &mut *self.io.ids);
        }
    }

    /// Says which GRUU our Contact is in a session, from the next message on that sets it (RFC 5627 §4.4): one that a registration
    /// of ours has given us, and that still stands. Without one it is the address of the listener.
    pub fn go_by(&mut self, sid: SessionId, gruu: Option<Uri>) {
        if let Some(session) = self.sessions.get_mut(sid) {
            session.gruu = gruu.map(Box::new);
        }
    }

    /// The Call-ID of a session.
    pub fn call_id(&self, sid: SessionId) -> Option<&str> {
        self.sessions.get(sid).map(|session| &*session.call_id)
    }

    /// A session, if it is there.
    pub fn session(&self, sid: SessionId) -> Option<SessionView> {
        let session = self.sessions.get(sid)?;
        let stage = match &session.stage {
            Inner::Calling { cancel: None } => Stage::Calling,
            Inner::Calling { cancel: Some(_) } => Stage::Cancelling,
            Inner::Called(_) => Stage::Called,
            Inner::Asking { .. } => Stage::Asking,
            Inner::Confirmed if !session.unacked.is_empty() => Stage::Answered,
            Inner::Confirmed => Stage::Confirmed,
            Inner::Subscribed => Stage::Subscribed,
            Inner::Subscribing(_) => Stage::Subscribing,
            Inner::Ending => Stage::Ending,
            Inner::Over => Stage::Over,
        };
        let dialogs = session.dialogs.iter().map(|d| DialogView {
            state: d.state,
            local_tag: d.local_tag.to_string(),
            remote_tag: d.remote_tag.as_deref().map(str::to_owned),
            remote_target: d.remote_target.to_string(),
            route_set: d.route_set.iter().map(str::to_owned).collect(),
            local_seq: d.local_seq,
            remote_seq: d.remote_seq,
        });
        Some(SessionView {
            stage,
            network: session.network,
            caller: session.caller,
            call_id: session.call_id.to_string(),
            local_tag: session.local_tag.to_string(),
            local: session.local.to_string(),
            remote: session.remote.to_string(),
            way: session.way.clone(),
            found: session.found.clone(),
            dialogs: dialogs.collect(),
            timer: session.timing.as_ref().and_then(|timing| timing.view()),
        })
    }
}
