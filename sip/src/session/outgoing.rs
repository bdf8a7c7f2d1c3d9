//! Requests of ours: from the intent to the client transaction, by way of location and authentication.

use super::compose::Composer;
use super::failover::Course;
use super::{OutgoingId, Parts, Session, SessionId};
use crate::auth::Covered;
use crate::auth::client::Attempt;
use crate::dialog::{Aim, DialogNo};
use crate::endpoint::Endpoint;
use crate::event::{Failure, Unreachable};
use crate::flow::{Destination, Transport};
use crate::ids::Branch;
use crate::location::{Fate, LookupId, Race};
use crate::time::Now;
use crate::transaction::{ClientId, ClientSpec};
use sip_types::{HeaderName, Method, Response};

/// Above this many bytes a request goes over a congestion-controlled transport (RFC 3261 §18.1.1).
const DATAGRAM_MAX: usize = 1300;

/// What a request of ours is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Makes the session.
    Invite,
    /// Acknowledges a reliable provisional response (RFC 3262 §4).
    Prack,
    /// Changes it.
    Reinvite,
    /// Changes it at once, before it stands or after (RFC 3311).
    Update,
    /// Ends it, or an early dialog that a fork confirmed too late.
    Bye,
    /// Tells the sender of a REFER what comes of it: a usage of its own, which outlives the session (RFC 5057 §4.1).
    Notify,
    /// Anything else in the dialog.
    Request,
    /// Anything outside a dialog but INVITE.
    Outside,
    /// Acknowledges a 2xx; it has no transaction (RFC 3261 §13.2.2.4).
    Ack,
}

/// How far it has come.
pub(crate) enum Flight {
    /// Waits for the targets of its next hop.
    Resolving(LookupId),
    /// Waits for one of several connections to open.
    Racing(Box<Race>),
    /// In this transaction.
    Sent(ClientId),
    /// Was challenged; waits for credentials.
    Challenged(Box<super::challenge::Challenged>),
    /// Was answered so, 491; waits for the back-off.
    Backoff(Box<Response>),
    /// About to be sent.
    Ready,
}

/// Whether a request that is too large for a datagram goes over a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    Untried,
    Trying,
    Refused,
}

/// A request of ours.
pub(crate) struct Outgoing {
    pub(crate) id: OutgoingId,
    pub(crate) purpose: Purpose,
    pub(crate) method: Method,
    pub(crate) dialog: Option<DialogNo>,
    pub(crate) parts: Parts,
    pub(crate) max_forwards: u8,
    /// The user part of the Contact that it registers.
    pub(crate) contact_user: Option<Box<str>>,
    /// Whether its Via offers keepalives.
    pub(crate) keep: bool,
    pub(crate) seq: u32,
    pub(crate) flight: Flight,
    /// Where it goes, and where it has been.
    pub(crate) course: Course,
    /// Whether a large request may go, or went, over a stream although its target is one for UDP (RFC 3261 §18.1.1).
    pub(crate) stream: Stream,
    /// The credentials that it was last sent with.
    pub(crate) credentials: Vec<(HeaderName, String)>,
    pub(crate) attempt: Option<Attempt>,
    /// Repetitions after a challenge or a 491.
    pub(crate) rounds: u8,
    /// A re-INVITE that nobody wants any more: it is cancelled once it may be, and not sent again.
    pub(crate) given_up: bool,
}

impl Outgoing {
    /// A request that waits for [`Endpoint::launch`].
    pub(crate) fn new(id: OutgoingId, purpose: Purpose, method: Method, parts: Parts) -> Self {
        Self {
            id,
            purpose,
            method,
            dialog: None,
            parts,
            max_forwards: 70,
            contact_user: None,
            keep: false,
            seq: 0,
            flight: Flight::Ready,
            course: Course::default(),
            stream: Stream::Untried,
            credentials: Vec::new(),
            attempt: None,
            rounds: 0,
            given_up: false,
        }
    }

    /// The transaction that it is in.
    pub(crate) fn client(&self) -> Option<ClientId> {
        match self.flight {
            Flight::Sent(client) => Some(client),
            Flight::Resolving(_)
            | Flight::Racing(_)
            | Flight::Challenged(_)
            | Flight::Backoff(_)
            | Flight::Ready => None,
        }
    }
}

impl Endpoint {
    /// Adds a request to a session, numbers it and sends it on its way.
    pub(crate) fn launch(&mut self, now: Now, sid: SessionId, mut outgoing: Outgoing) {
        let Some(session) = self.sessions.get_mut(sid) else { return };
        let id = outgoing.id;
        outgoing.seq = next_seq(session, outgoing.dialog);
        session.outgoing.reserve_exact(1);
        session.outgoing.push(outgoing);
        self.locate(now, sid, id);
    }

    /// Sends a request again with the next number and a new branch, to the target that it has been to: a challenge is
    /// that one's.
    pub(crate) fn relaunch(&mut self, now: Now, sid: SessionId, id: OutgoingId) {
        let Some(session) = self.sessions.get_mut(sid) else { return };
        let Some(dialog) = session.outgoing_mut(id).map(|o| o.dialog) else { return };
        let seq = next_seq(session, dialog);
        if let Some(outgoing) = session.outgoing_mut(id) {
            outgoing.seq = seq;
        }
        self.try_again(now, sid, id);
    }

    /// Composes a request for a destination and starts its transaction.
    pub(crate) fn send_to(&mut self, now: Now, sid: SessionId, id: OutgoingId, to: Destination) {
        if self.withholds(now, sid, id, &to) {
            if let Some(session) = self.sessions.get_mut(sid) {
                session.note_fate_of_last(id, Fate::Withheld);
            }
            return self.try_another(now, sid, id, Failure::Unreachable(Unreachable::Overloaded));
        }
        let branch = Branch::new(&mut *self.io.ids);
        self.authorize(sid, id, &to);
        let Some(mut bytes) = self.compose(sid, id, &to, branch) else {
            return self.failed(now, sid, id, Failure::Unreachable(Unreachable::Listener));
        };
        let (mut to, mut datagram) = (to, None);
        if bytes.len() > DATAGRAM_MAX && self.needs_stream(sid, id, &to) {
            return self.try_another(now, sid, id, Failure::Unreachable(Unreachable::TooLarge));
        }
        if bytes.len() > DATAGRAM_MAX
            && let Some(stream) = self.stream_instead(sid, id, &to)
            && let Some(rewritten) = self.compose(sid, id, &stream, branch)
        {
            self.mark_stream(sid, id, Stream::Trying);
            datagram = Some((to, std::mem::replace(&mut bytes, rewritten)));
            to = stream;
        }
        let Some(listener) = self.settings.listener(to.listener()) else { return };
        let Some(session) = self.sessions.get_mut(sid) else { return };
        let conduct = session.conduct(listener);
        let Some(outgoing) = session.outgoing_mut(id) else { return };
        if outgoing.purpose == Purpose::Ack {
            return self.transmit_ack(now, sid, id, to, bytes, datagram);
        }
        let spec = ClientSpec {
            session: sid,
            outgoing: id,
            seq: outgoing.seq,
            method: &outgoing.method,
            branch,
            to,
            reliable: listener.transport.is_reliable(),
            timers: conduct.timers,
            heeds: conduct.heeds_overload.takes_part(),
            bytes,
        };
        match self.clients.request(&mut self.io, now, spec) {
            Some(client) => {
                outgoing.flight = Flight::Sent(client);
                if outgoing.purpose == Purpose::Invite
                    && let Some(session) = self.sessions.get_mut(sid)
                {
                    session.forks = session.forks.saturating_add(1);
                }
                self.watch_target(now, sid, id);
            }
            None => self.failed(now, sid, id, Failure::Full),
        }
    }

    /// Whether a request may not be sent to that destination that is too large for a datagram, as there is no stream to it: a
    /// MESSAGE outside a dialog carries media, and this much of it only under congestion control (RFC 3428 §8).
    fn needs_stream(&self, sid: SessionId, id: OutgoingId, to: &Destination) -> bool {
        let outgoing = self.sessions.get(sid).and_then(|s| s.outgoing.iter().find(|o| o.id == id));
        let listener = self.settings.listener(to.listener());
        outgoing.is_some_and(|o| o.method == Method::Message && o.dialog.is_none())
            && listener.is_some_and(|listener| !listener.transport.is_reliable())
            && self.stream_instead(sid, id, to).is_none()
    }

    /// Where a request goes that is too large for a datagram, if there is a stream to try. What is sent on a flow
    /// stays on it: a peer behind a NAT takes no connections.
    fn stream_instead(&self, sid: SessionId, id: OutgoingId, to: &Destination) -> Option<Destination> {
        let outgoing = self.sessions.get(sid)?.outgoing.iter().find(|o| o.id == id)?;
        if outgoing.stream == Stream::Refused
            || matches!(to, Destination::Flow(_))
            || self.settings.listener(to.listener())?.transport.is_reliable()
        {
            return None;
        }
        let network = self.sessions.get(sid)?.network;
        let listener = self.settings.listener_towards(network, Transport::Tcp, to.peer())?;
        Some(Destination::Open { listener, peer: to.peer(), domain: None })
    }

    fn mark_stream(&mut self, sid: SessionId, id: OutgoingId, stream: Stream) {
        if let Some(outgoing) = self.sessions.get_mut(sid).and_then(|s| s.outgoing_mut(id)) {
            outgoing.stream = stream;
        }
    }

    /// Authorizes a request for that destination. An ACK repeats what its INVITE was authorized with
    /// (RFC 3261 §22.1), if it goes there too.
    fn authorize(&mut self, sid: SessionId, id: OutgoingId, to: &Destination) -> Option<()> {
        let peer = self.peer_id(to.peer());
        let session = self.sessions.get_mut(sid)?;
        session.authorizer.as_ref()?;
        let aim = aim(session, id)?;
        let repeats = session.may_show(to.peer().ip());
        let outgoing = session.outgoing.iter_mut().find(|o| o.id == id)?;
        if outgoing.purpose == Purpose::Ack && !repeats {
            outgoing.credentials.clear();
        }
        let authorizer = session.authorizer.as_mut().filter(|_| outgoing.purpose != Purpose::Ack)?;
        let mut attempt = match outgoing.attempt.take() {
            Some(attempt) if attempt.peer() == peer => attempt,
            _ => Attempt::new(peer),
        };
        let body = outgoing.parts.body.as_ref().map(|b| &*b.bytes).unwrap_or_default();
        let covered = Covered { method: outgoing.method.as_str(), uri: aim.request_uri.as_str(), body };
        outgoing.credentials = authorizer.authorize(&mut attempt, &covered);
        outgoing.attempt = Some(attempt);
        Some(())
    }

    /// The bytes of a request for that destination.
    fn compose(
        &self,
        sid: SessionId,
        id: OutgoingId,
        to: &Destination,
        branch: Branch,
    ) -> Option<bytes::Bytes> {
        let session = self.sessions.get(sid)?;
        let outgoing = session.outgoing.iter().find(|o| o.id == id)?;
        let listener = self.settings.listener(to.listener())?;
        let composer = Composer {
            settings: &self.settings,
            listener,
            session,
            dialog: outgoing.dialog.and_then(|no| session.dialog(no)),
            aim: &aim(session, id)?,
            method: &outgoing.method,
            seq: outgoing.seq,
            branch,
            max_forwards: outgoing.max_forwards,
            contact_user: outgoing.contact_user.as_deref(),
            // Only where a connection may be opened, to whom has to prove a domain. What goes on a flow and nowhere else goes to the client
            // of a connection, or on one that outbound keeps both ways open.
            alias: listener.alias && !matches!(to, Destination::Flow(_)),
            keep: outgoing.keep,
            credentials: &outgoing.credentials,
        };
        Some(composer.compose(&outgoing.parts))
    }
}

/// The number of the next request in a dialog, or of the next INVITE that makes one (RFC 3261 §8.1.1.5, §12.2.1.1).
fn next_seq(session: &mut Session, dialog: Option<DialogNo>) -> u32 {
    match dialog.and_then(|no| session.dialog_mut(no)) {
        Some(dialog) => {
            dialog.local_seq = dialog.local_seq.saturating_add(1);
            dialog.local_seq
        }
        None => {
            session.invite_seq = session.invite_seq.saturating_add(1);
            session.invite_seq
        }
    }
}

/// How a request is addressed: by its dialog, or as its intent says.
pub(crate) fn aim(session: &Session, id: OutgoingId) -> Option<Aim> {
    let outgoing = session.outgoing.iter().find(|o| o.id == id)?;
    match outgoing.dialog {
        Some(no) => session.dialog(no).map(crate::dialog::Dialog::aim),
        None => session.aim.as_deref().cloned(),
    }
}
