//! Where requests in a dialog come from. Whoever has seen one message of a call knows what a BYE has to say, so one counts
//! only if it comes from where the peer is.
//!
//! ```text
//!   in the dialog's network? ──no──► 481
//!       │ yes
//!   on the flow, or from an address, that the endpoint knows the peer by? ──yes──► it is the peer's
//!       │ no
//!   Event::Strayed ──► the owner, who may know more of the peer: admit, or turn_back
//! ```

use super::{Reply, Session, SessionId, Stage};
use crate::dialog::DialogNo;
use crate::endpoint::Endpoint;
use crate::flow::{ConnectionId, Destination, Flow};
use crate::location::{Answer, Question, RecordKind, Records, numeric_hop};
use crate::received::Received;
use crate::settings::{Listener, Settings};
use crate::time::Now;
use crate::transaction::ServerId;
use sip_types::{Host, Uri};
use std::net::IpAddr;

/// From where requests in the dialogs of a peer, and its CANCELs, are taken for its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Provenance {
    /// From everywhere in the network of the dialog.
    Network,
    /// From the addresses of the peer: that of its INVITE, all that the next hop of ours had, those that its Contact or the
    /// proxy before it leads to. Of a peer that is reached on its connection only, on that; of one that is reached over TLS,
    /// over TLS.
    #[default]
    Peer,
    /// On the flow of the dialog only: its connection, or from the very address and port.
    Flow,
}

/// A request in a dialog, or a CANCEL, that came from elsewhere than its peer is known to be. It changes nothing until its
/// owner lets it in with [`Endpoint::admit`]; else it is to be given to [`Endpoint::turn_back`].
#[derive(Clone, Debug)]
#[must_use = "it waits for an answer"]
pub struct Stray {
    /// The session that it is for.
    pub session: SessionId,
    /// The request.
    pub request: Received,
    place: Place,
}

/// What it is for.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// A dialog.
    Dialog(DialogNo, ServerId),
    /// An INVITE that it cancels.
    Invite { invite: ServerId, cancel: ServerId },
    /// A 2xx of ours that it acknowledges; it gets no response.
    Success,
}

impl Stray {
    /// Whether its sender can be asked to prove who it is: not of ACK and CANCEL (RFC 3261 §22.1).
    #[must_use]
    pub fn may_be_challenged(&self) -> bool {
        matches!(self.place, Place::Dialog(..))
    }
}

impl Session {
    /// The connection that its peer is reached on, and nowhere else.
    pub(crate) fn bound_to(&self) -> Option<ConnectionId> {
        let kept = self.way.as_ref().filter(|_| self.keeps_way).and_then(Destination::connection);
        kept.or(self.flow.filter(|_| !self.outbound).and_then(|flow| flow.connection))
    }

    /// Whether a flow is the one that it goes by.
    fn is_on(&self, flow: &Flow) -> bool {
        // A connection that we opened is known by where it leads.
        let same = |way: &Destination| match way.connection() {
            None => (way.listener(), way.peer()) == (flow.listener, flow.peer),
            ours => ours == flow.connection,
        };
        self.way.as_ref().is_some_and(same) || self.flow.map(Destination::Flow).as_ref().is_some_and(same)
    }

    /// Whether its peer has been met at that address.
    fn has_been_met_at(&self, source: IpAddr) -> bool {
        let way = self.way.as_ref().map(|way| way.peer().ip());
        let flow = self.flow.map(|flow| flow.peer.ip());
        let known = way.into_iter().chain(flow).chain(self.resolved.iter().copied());
        known.into_iter().any(|known| known.to_canonical() == source)
    }

    /// Whether it goes over TLS, and a listener does not.
    fn is_safer_than(&self, settings: &Settings, listener: &Listener) -> bool {
        let own = self.way.as_ref().and_then(|way| settings.listener(way.listener()));
        own.is_some_and(|own| own.transport.is_secure()) && !listener.transport.is_secure()
    }
}

impl Endpoint {
    /// Lets a stray in: it is the peer's.
    pub fn admit(&mut self, now: Now, stray: Stray) {
        let Stray { session, request, place } = stray;
        match place {
            Place::Dialog(no, server) => self.receive_known(now, session, no, server, request),
            Place::Invite { invite, cancel } => {
                self.receive_own_cancel(now, session, invite, cancel, request);
            }
            Place::Success => self.on_ack(now, session, request),
        }
    }

    /// Answers a stray, which changes nothing.
    pub fn turn_back(&mut self, now: Now, stray: &Stray, reply: &Reply) {
        match stray.place {
            Place::Dialog(_, server) => self.reply(now, server, &stray.request, None, false, reply),
            Place::Invite { cancel, .. } => {
                self.reply(now, cancel, &stray.request, None, false, reply);
                // Or the CANCEL of whose INVITE it is would be taken for this one, sent again.
                self.servers.forget(cancel);
            }
            Place::Success => {}
        }
    }

    /// Hands a request in a dialog to its session, or to the owner if it may not be the peer's.
    pub(crate) fn receive_from(
        &mut self,
        now: Now,
        sid: SessionId,
        no: DialogNo,
        server: ServerId,
        request: Received,
    ) {
        let stray = Stray { session: sid, request, place: Place::Dialog(no, server) };
        self.let_in_or_tell(now, stray);
    }

    /// The same of a CANCEL.
    pub(crate) fn cancel_from(
        &mut self,
        now: Now,
        sid: SessionId,
        (invite, cancel): (ServerId, ServerId),
        request: Received,
    ) {
        self.let_in_or_tell(now, Stray { session: sid, request, place: Place::Invite { invite, cancel } });
    }

    /// The same of an ACK.
    pub(crate) fn ack_from(&mut self, now: Now, sid: SessionId, request: Received) {
        self.let_in_or_tell(now, Stray { session: sid, request, place: Place::Success });
    }

    fn let_in_or_tell(&mut self, now: Now, stray: Stray) {
        match self.is_from_peer(now, stray.session, &stray.request.flow) {
            true => self.admit(now, stray),
            false => self.io.tell(crate::Event::Strayed(Box::new(stray))),
        }
    }

    /// Whether a flow is the one that a session goes by.
    #[must_use]
    pub fn is_on(&self, session: SessionId, flow: &Flow) -> bool {
        self.sessions.get(session).is_some_and(|session| session.is_on(flow))
    }

    /// Whether a session is in the network of a flow.
    pub(crate) fn is_in_network(&self, sid: SessionId, flow: &Flow) -> bool {
        let network = self.settings.listener(flow.listener).map(|listener| listener.network);
        self.sessions.get(sid).is_some_and(|session| network == Some(session.network))
    }

    /// Whether a flow is one that the peer of a session is known by.
    fn is_from_peer(&self, now: Now, sid: SessionId, flow: &Flow) -> bool {
        let Some(session) = self.sessions.get(sid) else { return true };
        let Some(listener) = self.settings.listener(flow.listener) else { return true };
        // What a subscriber asks for, its owner challenges.
        if matches!(session.stage, Stage::Subscribed) || session.is_on(flow) {
            return true;
        }
        match session.conduct(listener).provenance {
            Provenance::Network => true,
            Provenance::Flow => false,
            Provenance::Peer if session.bound_to().is_some() => false,
            Provenance::Peer if session.is_safer_than(&self.settings, listener) => false,
            Provenance::Peer => {
                let source = flow.peer.ip().to_canonical();
                session.has_been_met_at(source) || self.has_led_to(now, session, source)
            }
        }
    }

    /// Whether what a peer says of where it is reached leads to that address, as far as that is known.
    fn has_led_to(&self, now: Now, session: &Session, source: IpAddr) -> bool {
        session.dialogs.iter().any(|dialog| {
            self.is_known_at(now, &dialog.remote_target, source)
                || (!dialog.route_set.is_empty() && self.is_known_at(now, &dialog.aim().next_hop, source))
        })
    }

    /// Whether a URI has that address, or a name that is known to have it.
    fn is_known_at(&self, now: Now, uri: &Uri, source: IpAddr) -> bool {
        if let Some(address) = numeric_hop(uri) {
            return address.to_canonical() == source;
        }
        let Some(Host::Name(name)) = uri.host() else { return false };
        let services = ["_sip._udp", "_sip._tcp", "_sips._tcp"];
        self.has_address(now, name, source)
            || services.iter().any(|service| {
                let question = Question::new(RecordKind::Srv, &format!("{service}.{name}"));
                match self.names.look(now, &question).as_ref().map(|holding| &*holding.answer) {
                    Some(Answer::Found { records: Records::Srv(hosts), .. }) => {
                        hosts.iter().any(|host| self.has_address(now, &host.target, source))
                    }
                    _ => false,
                }
            })
    }

    fn has_address(&self, now: Now, name: &str, source: IpAddr) -> bool {
        let kind = if source.is_ipv4() { RecordKind::A } else { RecordKind::Aaaa };
        let holding = self.names.look(now, &Question::new(kind, name));
        match holding.as_ref().map(|holding| &*holding.answer) {
            Some(Answer::Found { records: Records::Address(addresses), .. }) => {
                addresses.iter().any(|address| address.to_canonical() == source)
            }
            _ => false,
        }
    }
}
