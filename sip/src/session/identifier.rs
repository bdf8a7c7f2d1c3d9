//! Session-ID (RFC 7989): what the messages of a session say of the two ends that talk, of which our user agent is neither: it
//! speaks for the end beyond it.
//!
//! ```text
//!   the end beyond us ── ours ──► [our user agent] ── ours;remote=theirs ──► the peer
//!                                                  ◄── theirs;remote=ours ──
//! ```
//! The endpoint learns `theirs` from what the peer sends (RFC 7989 §8), its owner tells it `ours`.

use super::{Session, SessionId};
use crate::endpoint::Endpoint;
use crate::ids::Ids;
use crate::received::Received;
use crate::settings::Listener;
use sip_types::header::{SessionIdentifier, SessionUuid};
use sip_types::{HeaderName, Headers, Request};

/// What becomes of Session-ID.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Identifying {
    /// Where one of the ends has an identifier, the messages have it.
    #[default]
    Carry,
    /// A peer that has none gets one from us, for as long as the session lasts (RFC 7989 §7).
    Make,
    /// None is sent to the peer, nor taken from it.
    Remove,
}

/// The identifiers of a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Identified {
    /// Of the end that our user agent speaks for; nil if that is not known.
    pub(crate) ours: SessionUuid,
    /// Of the peer; nil if that is not known.
    pub(crate) theirs: SessionUuid,
    /// Whether the peer knows one UUID for the dialog only (RFC 7329): then it is sent alone, and in its place (RFC 7989 §11).
    pub(crate) single: bool,
}

impl Identified {
    /// What a message of ours says, if it can say anything (RFC 7989 §7: two nils have no practical value).
    pub(crate) fn said(self) -> Option<SessionIdentifier> {
        match self {
            Self { ours, theirs, single: true } => {
                let only = if ours.is_nil() { theirs } else { ours };
                (!only.is_nil()).then_some(SessionIdentifier { local: only, remote: None })
            }
            Self { ours, theirs, single: false } => {
                let known = !ours.is_nil() || !theirs.is_nil();
                known.then_some(SessionIdentifier { local: ours, remote: Some(theirs) })
            }
        }
    }
}

/// What a message says of its own sender; nothing where it breaks the grammar (RFC 7989 §7).
fn read(headers: &Headers) -> Option<SessionIdentifier> {
    if !headers.contains(HeaderName::SessionId) {
        return None;
    }
    headers.get::<SessionIdentifier>().ok().flatten().filter(|said| !said.local.is_nil())
}

fn made(ids: &mut dyn Ids) -> SessionUuid {
    SessionUuid::random((u128::from(ids.next_u64()) << 64) | u128::from(ids.next_u64()))
}

impl Session {
    /// What becomes of Session-ID in it.
    fn identifying(&self, listener: Option<&Listener>) -> Identifying {
        let of_listener = listener.map(|listener| listener.identifying).unwrap_or_default();
        self.conduct.map_or(of_listener, |conduct| conduct.identifying)
    }

    fn identified_mut(&mut self) -> &mut Identified {
        self.identified.get_or_insert_default()
    }

    /// The INVITE of the peer that makes it.
    pub(crate) fn identify_caller(&mut self, request: &Received, listener: &Listener, ids: &mut dyn Ids) {
        match (read(request.headers()), self.identifying(Some(listener))) {
            (_, Identifying::Remove) => self.identified = None,
            (Some(said), _) => {
                let single = said.remote.is_none();
                *self.identified_mut() = Identified { theirs: said.local, single, ..Identified::default() };
            }
            (None, Identifying::Make) => self.identified_mut().theirs = made(ids),
            (None, Identifying::Carry) => {}
        }
    }

    /// The INVITE of ours that makes it is made for that end.
    pub(crate) fn begin_speaking(&mut self, end: Option<(SessionUuid, bool)>) {
        let removes = self.conduct.is_some_and(|conduct| conduct.identifying == Identifying::Remove);
        if let Some((ours, single)) = end.filter(|_| !removes) {
            *self.identified_mut() = Identified { ours, single, ..Identified::default() };
        }
    }

    /// A response to a request of ours. What it says of its sender is the peer's identifier from now on (RFC 7989 §8), unless it
    /// only repeats what we have sent: so do those that know one UUID.
    fn hear_identifier(&mut self, headers: &Headers, identifying: Identifying, ids: &mut dyn Ids) {
        let own = self.identified.as_ref().map(|own| own.ours).filter(|ours| !ours.is_nil());
        match (read(headers), identifying) {
            (_, Identifying::Remove) => {}
            (Some(said), _) if Some(said.local) == own => {
                self.identified_mut().single |= said.remote.is_none();
            }
            (Some(said), _) => {
                let identified = self.identified_mut();
                (identified.theirs, identified.single) = (said.local, false);
            }
            (None, Identifying::Make)
                if self.identified.as_ref().is_none_or(|known| known.theirs.is_nil()) =>
            {
                self.identified_mut().theirs = made(ids);
            }
            (None, Identifying::Make | Identifying::Carry) => {}
        }
    }

    /// Something that the peer sent in a dialog is taken: so is its identifier (RFC 7989 §8).
    pub(crate) fn accept_identifier(&mut self, headers: &Headers) {
        if self.conduct.is_some_and(|conduct| conduct.identifying == Identifying::Remove) {
            return;
        }
        if let Some(said) = read(headers) {
            self.identified_mut().theirs = said.local;
        }
    }
}

impl Endpoint {
    /// Says whom a session speaks for, from its next message on: the identifier of the end beyond us.
    pub fn speak_for(&mut self, sid: SessionId, uuid: SessionUuid) {
        let Some(session) = self.sessions.get_mut(sid) else { return };
        let of_conduct = session.conduct.map(|conduct| conduct.identifying).unwrap_or_default();
        if of_conduct != Identifying::Remove && (session.identified.is_some() || !uuid.is_nil()) {
            session.identified_mut().ours = uuid;
        }
    }

    /// The identifier of a session's peer; `None` if it is not known. `single` says that it has one for both ends (RFC 7329).
    #[must_use]
    pub fn peer_identifier(&self, sid: SessionId) -> Option<(SessionUuid, bool)> {
        let identified = self.sessions.get(sid)?.identified.as_deref()?;
        (!identified.theirs.is_nil()).then_some((identified.theirs, identified.single))
    }

    /// A request of the peer's in a dialog is taken.
    pub(crate) fn accept_identifier(&mut self, sid: SessionId, request: &Received) {
        if let Some(session) = self.sessions.get_mut(sid) {
            session.accept_identifier(request.headers());
        }
    }

    /// A response to a request of ours came.
    pub(crate) fn hear_identifier(&mut self, sid: SessionId, headers: &Headers) {
        let Some(session) = self.sessions.get_mut(sid) else { return };
        let identifying = session.conduct.map(|conduct| conduct.identifying).unwrap_or_default();
        if identifying == Identifying::Carry && !headers.contains(HeaderName::SessionId) {
            return;
        }
        session.hear_identifier(headers, identifying, &mut *self.io.ids);
    }

    /// What a response of ours says: to whoever sent the request, by what that says of itself (RFC 7989 §7, §8).
    pub(crate) fn identifier_of_reply(
        &self,
        session: Option<&Session>,
        request: &Request,
        listener: &Listener,
    ) -> Option<SessionIdentifier> {
        let identifying = session.map_or(listener.identifying, |session| session.identifying(Some(listener)));
        if identifying == Identifying::Remove {
            return None;
        }
        let known = session.and_then(|session| session.identified.as_deref()).copied();
        let Some(said) = read(request.headers()) else { return known?.said() };
        let known = known.unwrap_or(Identified { single: said.remote.is_none(), ..Identified::default() });
        // Who knows one UUID for the dialog gets that one.
        let ours = if known.single { SessionUuid::NIL } else { known.ours };
        Identified { ours, theirs: said.local, single: known.single }.said()
    }
}
