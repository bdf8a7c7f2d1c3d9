//! Glare: what a request collides with in its dialog, and the wait after a 491 (RFC 3261 §14, RFC 3311 §5, RFC 6337 §4.3).
//!
//! A dialog has one exchange of offer and answer at a time. What is under way in it is its [`Ledger`], which is read off its
//! session whenever it is asked for, so that nothing can be forgotten in it.

use super::{Flight, Outgoing, OutgoingId, Parts, Purpose, Reply, Session, SessionId, SessionTimer, Stage};
use crate::dialog::DialogNo;
use crate::endpoint::Endpoint;
use crate::event::Failure;
use crate::ids;
use crate::io::Timer;
use crate::received::Received;
use crate::time::Now;
use crate::transaction::ServerId;
use sip_types::header::ContentType;
use sip_types::{HeaderName, Headers, Method, Response, StatusCode};
use std::time::Duration;

/// How far the offer and the answer that an INVITE brings about have come in a dialog before its final response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Opening {
    /// Neither is certain: what comes unreliably is a preview (RFC 6337 §3.1.1).
    #[default]
    Open,
    /// A reliable provisional response has one of them, and its PRACK is not over.
    Acknowledging,
    /// Both are there: a new offer may be made.
    Settled,
}

/// So many 2xx of ours may wait for their ACKs in one session: that of the INVITE, and that of a re-INVITE that came before its ACK.
const MOST_UNACKED: usize = 2;

/// What is under way in a dialog that a request can collide with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ledger {
    /// How far an INVITE of ours has come that is not over.
    invite_client: Option<Opening>,
    /// The same of one of the peer's.
    invite_server: Option<Opening>,
    /// 2xx of ours that have no ACK: whether one has an offer, or there are as many as may be.
    unacked: Option<bool>,
    /// An UPDATE of ours, and whether it has an offer.
    update_client: Option<bool>,
    /// One of the peer's, likewise.
    update_server: Option<bool>,
    /// An INVITE or UPDATE of ours waits to be sent again.
    backing_off: bool,
    /// A PRACK of the peer with a session description waits for our answer.
    prack_server: bool,
}

/// A request that changes a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// A re-INVITE, with an offer or asking for one.
    Reinvite { offer: bool },
    /// An UPDATE, and whether it has an offer.
    Update { offer: bool },
}

/// What a request of the peer collides with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clash {
    /// What we have begun: 491.
    Ours,
    /// What the peer has begun before: 500 with Retry-After.
    Theirs,
}

impl Ledger {
    /// What a request that has come collides with (RFC 6337 §4.3, the rules of whose names are given).
    pub(super) fn meets(&self, change: Change) -> Option<Clash> {
        use Clash::{Ours, Theirs};
        let unsettled = |invite: Option<Opening>| invite.is_some_and(|opening| opening != Opening::Settled);
        let offers = |update: Option<bool>| update == Some(true);
        let clashes = match change {
            Change::Reinvite { offer } => [
                (self.invite_server.is_some(), Theirs), // UAS-IsI
                (offers(self.update_server), Theirs),   // UAS-UsI
                (self.invite_client.is_some(), Ours),   // UAS-IcI
                (offers(self.update_client), Ours),     // UAS-UcI
                // RFC 5407 §3.1.4, §3.1.5: what overtakes the ACK of an answer changes nothing of that; what asks us for an offer
                // would have two ACKs that look alike.
                (self.unacked.is_some_and(|blocks| blocks || !offer), Ours),
            ],
            Change::Update { offer } => [
                (self.update_server.is_some(), Theirs), // UAS-UsU
                (offer && (unsettled(self.invite_server) || self.unacked == Some(true)), Theirs), // UAS-IsU
                (offer && self.prack_server, Theirs),   // UAS-IsU
                (offer && offers(self.update_client), Ours), // UAS-UcU
                (offer && unsettled(self.invite_client), Ours), // UAS-IcU
            ],
        };
        clashes.into_iter().find_map(|(collides, with)| collides.then_some(with))
    }

    /// Whether a request of ours may be sent (RFC 3311 §5.1, RFC 6337 §4.3: UAC-II, UAC-UU, UAC-UI, UAC-IU).
    pub(super) fn admits(&self, change: Change) -> bool {
        let settled = |invite: Option<Opening>| invite.is_none_or(|opening| opening == Opening::Settled);
        let no_update = self.update_client.is_none() && !self.backing_off;
        match change {
            Change::Reinvite { .. } => {
                let no_invite = self.invite_client.is_none() && self.invite_server.is_none();
                no_update && no_invite && self.unacked.is_none() && self.update_server != Some(true)
            }
            Change::Update { offer: false } => no_update,
            Change::Update { offer: true } => {
                let none_of_theirs = self.update_server != Some(true) && !self.prack_server;
                let invites_settled = settled(self.invite_client) && settled(self.invite_server);
                no_update && none_of_theirs && invites_settled && self.unacked.is_none()
            }
        }
    }
}

impl Session {
    /// What is under way in a dialog, but for a request of ours with that name.
    pub(super) fn ledger(&self, no: DialogNo, but: Option<OutgoingId>) -> Ledger {
        let opening = self.dialog(no).map_or(Opening::Open, |dialog| dialog.opening);
        let ours = self.outgoing.iter().filter(|outgoing| Some(outgoing.id) != but);
        let of = |outgoing: &&Outgoing| match outgoing.purpose {
            Purpose::Invite | Purpose::Reinvite => true,
            Purpose::Update => outgoing.dialog == Some(no),
            Purpose::Prack
            | Purpose::Bye
            | Purpose::Notify
            | Purpose::Request
            | Purpose::Outside
            | Purpose::Ack => false,
        };
        let mut ledger = Ledger::default();
        for outgoing in ours.filter(of) {
            match (&outgoing.flight, outgoing.purpose) {
                (Flight::Backoff(_), _) => ledger.backing_off = true,
                (_, Purpose::Update) => ledger.update_client = Some(describes(&outgoing.parts)),
                (_, _) => ledger.invite_client = Some(opening),
            }
        }
        if self.owed_ack.is_some() {
            ledger.invite_client = Some(opening);
        }
        if matches!(self.stage, Stage::Called(_)) || self.reinvite.is_some() {
            ledger.invite_server = Some(opening);
        }
        let blocks = self.unacked.len() >= MOST_UNACKED || self.unacked.iter().any(|unacked| unacked.offers);
        ledger.unacked = (!self.unacked.is_empty()).then_some(blocks);
        for incoming in self.incoming.iter().filter(|incoming| incoming.dialog == no) {
            match incoming.request.method() {
                Method::Update => ledger.update_server = Some(is_described(&incoming.request)),
                Method::Prack => ledger.prack_server = true,
                _ => {}
            }
        }
        ledger
    }
}

impl Endpoint {
    /// Refuses a request that collides with another.
    pub(super) fn refuse_clash(&mut self, now: Now, server: ServerId, request: &Received, clash: Clash) {
        let reply = match clash {
            Clash::Ours => Reply::new(StatusCode::REQUEST_PENDING),
            Clash::Theirs => {
                let mut reply = Reply::new(StatusCode::SERVER_INTERNAL_ERROR);
                let seconds = ids::below(&mut *self.io.ids, 11);
                reply.parts.fields.push(HeaderName::RetryAfter, seconds.to_string());
                reply
            }
        };
        self.counters.glares += 1;
        self.reply(now, server, request, None, false, &reply);
    }

    /// Waits after a 491: 2.1 to 4 s for the side that made the Call-ID, 0 to 2 s for the other, in steps of 10 ms
    /// (RFC 3261 §14.1, RFC 3311 §5.3). When it has waited often enough, the 491 stands.
    pub(crate) fn back_off(&mut self, now: Now, sid: SessionId, id: OutgoingId, response: Box<Response>) {
        let rounds = self.settings.limits.rounds;
        let Some(session) = self.sessions.get_mut(sid) else { return };
        let Some(purpose) = session.outgoing_mut(id).map(|outgoing| outgoing.purpose) else { return };
        let wanted = session.wants(purpose);
        let Some(outgoing) = session.outgoing_mut(id) else { return };
        if outgoing.rounds >= rounds || !wanted || outgoing.given_up {
            self.counters.rounds_spent += u64::from(wanted && outgoing.rounds >= rounds);
            return self.failed(now, sid, id, Failure::Response(*response));
        }
        outgoing.rounds += 1;
        outgoing.flight = Flight::Backoff(response);
        let wait = self.back_off_time(sid);
        self.io.timers.arm(now, wait, Timer::Session(sid, SessionTimer::Backoff(id)));
    }

    /// How long a session waits after a 491, before it offers again what has collided.
    pub fn back_off_time(&mut self, sid: SessionId) -> Duration {
        let steps = match self.sessions.get(sid).is_some_and(|session| session.caller) {
            true => 210 + ids::below(&mut *self.io.ids, 191),
            false => ids::below(&mut *self.io.ids, 201),
        };
        Duration::from_millis(u64::from(steps) * 10)
    }

    /// The back-off is over.
    pub(crate) fn backoff_over(&mut self, now: Now, sid: SessionId, id: OutgoingId) {
        let Some(session) = self.sessions.get_mut(sid) else { return };
        let Some(outgoing) = session.outgoing.iter().find(|outgoing| outgoing.id == id) else { return };
        let Flight::Backoff(response) = &outgoing.flight else { return };
        let dialog = outgoing.dialog.filter(|no| session.dialog(*no).is_some());
        let Some(no) = dialog.filter(|_| session.wants(outgoing.purpose)) else {
            let why = Failure::Response(Response::clone(response));
            return self.failed(now, sid, id, why);
        };
        let change = match outgoing.purpose {
            Purpose::Update => Change::Update { offer: describes(&outgoing.parts) },
            _ => Change::Reinvite { offer: describes(&outgoing.parts) },
        };
        if session.ledger(no, Some(id)).admits(change) {
            return self.relaunch(now, sid, id);
        }
        let response = response.clone();
        self.back_off(now, sid, id, response);
    }
}

/// Whether what the owner adds to a message has a session description.
pub(super) fn describes(parts: &Parts) -> bool {
    let body = parts.body.as_ref().filter(|body| !body.bytes.is_empty());
    body.is_some_and(|body| describes_session(body.fields.get().ok().flatten()))
}

/// Whether a request of the peer has a session description.
pub(super) fn is_described(request: &Received) -> bool {
    !request.request.body().is_empty() && has_description(request.headers())
}

/// Whether a message with a body has a session description, by its header fields.
pub(super) fn has_description(headers: &Headers) -> bool {
    describes_session(headers.get().ok().flatten())
}

/// A body of several parts may have one.
fn describes_session(kind: Option<ContentType>) -> bool {
    kind.is_some_and(|kind| kind.is("application", "sdp") || kind.is_multipart())
}

#[cfg(test)]
mod tests {
    use super::*;
    use Clash::{Ours, Theirs};
    use Opening::{Acknowledging, Open, Settled};

    const FREE: Ledger = Ledger {
        invite_client: None,
        invite_server: None,
        unacked: None,
        update_client: None,
        update_server: None,
        backing_off: false,
        prack_server: false,
    };
    const OFFER: Change = Change::Update { offer: true };
    const NONE: Change = Change::Update { offer: false };

    #[test]
    fn rfc6337_4_3_what_a_request_meets_and_what_may_be_sent() {
        // What is under way; what a re-INVITE, an UPDATE with an offer and one without meet; which of them may be sent.
        let rows = [
            (FREE, [None, None, None], [true, true, true]),
            (
                Ledger { invite_client: Some(Open), ..FREE },
                [Some(Ours), Some(Ours), None],
                [false, false, true],
            ),
            (
                Ledger { invite_client: Some(Acknowledging), ..FREE },
                [Some(Ours), Some(Ours), None],
                [false, false, true],
            ),
            (Ledger { invite_client: Some(Settled), ..FREE }, [Some(Ours), None, None], [false, true, true]),
            (
                Ledger { invite_server: Some(Open), ..FREE },
                [Some(Theirs), Some(Theirs), None],
                [false, false, true],
            ),
            (
                Ledger { invite_server: Some(Acknowledging), ..FREE },
                [Some(Theirs), Some(Theirs), None],
                [false, false, true],
            ),
            (
                Ledger { invite_server: Some(Settled), ..FREE },
                [Some(Theirs), None, None],
                [false, true, true],
            ),
            (
                Ledger { invite_server: Some(Settled), prack_server: true, ..FREE },
                [Some(Theirs), Some(Theirs), None],
                [false, false, true],
            ),
            (Ledger { unacked: Some(false), ..FREE }, [None, None, None], [false, false, true]),
            (Ledger { unacked: Some(true), ..FREE }, [Some(Ours), Some(Theirs), None], [false, false, true]),
            (
                Ledger { update_client: Some(true), ..FREE },
                [Some(Ours), Some(Ours), None],
                [false, false, false],
            ),
            (Ledger { update_client: Some(false), ..FREE }, [None, None, None], [false, false, false]),
            (
                Ledger { update_server: Some(true), ..FREE },
                [Some(Theirs), Some(Theirs), Some(Theirs)],
                [false, false, true],
            ),
            (
                Ledger { update_server: Some(false), ..FREE },
                [None, Some(Theirs), Some(Theirs)],
                [true, true, true],
            ),
            // Who waits after a 491 lets the other side go first.
            (Ledger { backing_off: true, ..FREE }, [None, None, None], [false, false, false]),
        ];
        for (ledger, meets, admits) in rows {
            let changes = [Change::Reinvite { offer: true }, OFFER, NONE];
            assert_eq!(changes.map(|change| ledger.meets(change)), meets, "{ledger:?}");
            assert_eq!(changes.map(|change| ledger.admits(change)), admits, "{ledger:?}");
        }
        let overtakes = Ledger { unacked: Some(false), ..FREE };
        assert_eq!(overtakes.meets(Change::Reinvite { offer: false }), Some(Ours));
        assert_eq!(FREE.meets(Change::Reinvite { offer: false }), None);
    }
}
