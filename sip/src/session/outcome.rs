//! What becomes of a request of ours.

use super::outgoing::Stream;
use super::{Flight, Outgoing, OutgoingId, Purpose, SessionId};
use crate::endpoint::Endpoint;
use crate::event::{Failure, Unreachable};
use crate::flow::Flow;
use crate::location::Trouble;
use crate::time::Now;
use sip_types::{Response, StatusCode};

impl Endpoint {
    /// A request could not be sent: another way, or failure.
    pub(crate) fn transport_failed(&mut self, now: Now, sid: SessionId, id: OutgoingId) {
        let Some(session) = self.sessions.get_mut(sid) else { return };
        let Some(purpose) = session.outgoing_mut(id).map(|o| o.purpose) else { return };
        let wanted = session.wants(purpose);
        if let Some(outgoing) = session.outgoing_mut(id)
            && outgoing.stream == Stream::Trying
            && wanted
        {
            // The peer does not speak TCP: a datagram after all (RFC 3261 §18.1.1).
            outgoing.stream = Stream::Refused;
            return self.try_again(now, sid, id);
        }
        self.note_trouble(now, sid, id, Trouble::OutOfReach);
        self.try_another(now, sid, id, Failure::Unreachable(Unreachable::Send));
    }

    /// Notes where a response has come from that makes a dialog of our INVITE, or may.
    pub(crate) fn answered_on(&mut self, sid: SessionId, id: OutgoingId, flow: Flow, status: StatusCode) {
        let Some(session) = self.sessions.get_mut(sid) else { return };
        let invited = session.outgoing_mut(id).is_some_and(|outgoing| outgoing.purpose == Purpose::Invite);
        if invited && (101..300).contains(&status.as_u16()) {
            session.answered_from = Some(flow.peer.ip());
        }
    }

    /// A response to a request of ours.
    pub(crate) fn on_response(&mut self, now: Now, sid: SessionId, id: OutgoingId, response: Response) {
        self.hear_identifier(sid, response.headers());
        let Some(session) = self.sessions.get_mut(sid) else { return };
        let Some(outgoing) = session.outgoing_mut(id) else {
            // Its first final response was dealt with: what comes now is a 2xx, repeated or of a fork.
            return self.late_success(now, sid, &response);
        };
        let status = response.status();
        let purpose = outgoing.purpose;
        outgoing.course.progressed |= status.is_provisional() && status.as_u16() > 100;
        if purpose == Purpose::Invite && status.is_final() && !status.is_success() {
            session.forks = session.forks.saturating_sub(1);
        }
        self.note_response(now, sid, id, &response);
        if status.is_provisional() {
            if purpose == Purpose::Invite && status.as_u16() > 100 {
                return self.on_progress(now, sid, id, response);
            }
            return match purpose {
                Purpose::Invite => self.cancel_if_wanted(now, sid, id),
                Purpose::Reinvite => self.on_reinvite_progress(now, sid, id, response),
                _ => {}
            };
        }
        if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::PROXY_AUTHENTICATION_REQUIRED) {
            return self.on_challenge(now, sid, id, response);
        }
        self.credentials_settled(sid, id, &response);
        self.settle(now, sid, id, response);
    }

    /// The final response to a request of ours, when no other attempt follows.
    pub(crate) fn settle(&mut self, now: Now, sid: SessionId, id: OutgoingId, response: Response) {
        let Some(session) = self.sessions.get_mut(sid) else { return };
        let Some(outgoing) = session.outgoing_mut(id) else { return };
        let purpose = outgoing.purpose;
        if response.status() == StatusCode::SESSION_INTERVAL_TOO_SMALL
            && self.raises_interval(now, sid, id, &response)
        {
            return;
        }
        if matches!(purpose, Purpose::Reinvite | Purpose::Update)
            && response.status() == StatusCode::REQUEST_PENDING
        {
            if purpose == Purpose::Reinvite && self.refresh_collided(now, sid, id, &response) {
                return;
            }
            return self.back_off(now, sid, id, Box::new(response));
        }
        if self.fails_over(sid, id, response.status()) {
            return self.try_another(now, sid, id, Failure::Response(response));
        }
        let success = response.status().is_success();
        match (purpose, success) {
            (Purpose::Invite, true) => self.on_answer(now, sid, id, response),
            (Purpose::Reinvite, true) => self.on_reinvite_answer(now, sid, id, response),
            (Purpose::Bye, _) => self.bye_done(now, sid, id, Some(response)),
            (Purpose::Prack, true) => self.prack_done(sid, id, Ok(response)),
            (Purpose::Update, true) => self.update_done(now, sid, id, Ok(response)),
            (Purpose::Notify, true) => self.referrer_notified(now, sid, id, &Ok(response)),
            (Purpose::Request, true) => self.request_done(now, sid, id, Ok(response)),
            (Purpose::Outside, true) => self.ask_done(sid, id, Ok(response)),
            (Purpose::Ack, _) => {}
            (
                Purpose::Invite
                | Purpose::Prack
                | Purpose::Reinvite
                | Purpose::Update
                | Purpose::Notify
                | Purpose::Request
                | Purpose::Outside,
                false,
            ) => self.failed(now, sid, id, Failure::Response(response)),
        }
    }

    /// A request of ours came to nothing.
    pub(crate) fn failed(&mut self, now: Now, sid: SessionId, id: OutgoingId, why: Failure) {
        let Some(purpose) = self.sessions.get_mut(sid).and_then(|s| s.outgoing_mut(id)).map(|o| o.purpose)
        else {
            return;
        };
        match purpose {
            Purpose::Invite => self.on_invite_failed(now, sid, id, why),
            Purpose::Reinvite => self.on_reinvite_failed(now, sid, id, why),
            Purpose::Bye => self.bye_done(now, sid, id, None),
            Purpose::Prack => self.prack_done(sid, id, Err(why)),
            Purpose::Update => self.update_done(now, sid, id, Err(why)),
            Purpose::Notify => self.referrer_notified(now, sid, id, &Err(why)),
            Purpose::Request => self.request_done(now, sid, id, Err(why)),
            Purpose::Outside => self.ask_done(sid, id, Err(why)),
            Purpose::Ack => self.ack_failed(sid, id),
        }
    }

    /// Takes a request of ours out, and back the question to the shell that it waits for.
    pub(crate) fn take_outgoing(&mut self, sid: SessionId, id: OutgoingId) -> Option<Outgoing> {
        let outgoing = self.sessions.get_mut(sid)?.take_outgoing(id)?;
        match &outgoing.flight {
            Flight::Resolving(lookup) => {
                self.lookups.remove(*lookup);
            }
            Flight::Racing(race) => self.give_up_connects(race.running()),
            Flight::Challenged(waiting) => {
                self.secrets.take(waiting.secret().0);
            }
            Flight::Sent(_) | Flight::Backoff(_) | Flight::Ready => {}
        }
        Some(outgoing)
    }

    /// Gives up what an ending session no longer wants: requests that are not out are dropped, a re-INVITE that is
    /// waits for its final response no longer than 64*T1.
    pub(crate) fn drop_unwanted(&mut self, now: Now, sid: SessionId) {
        let Some(session) = self.sessions.get(sid) else { return };
        let unwanted = session.outgoing.iter().filter(|o| !session.wants(o.purpose));
        let unwanted: Vec<_> = unwanted.map(|o| (o.id, o.client())).collect();
        for (id, client) in unwanted {
            match client {
                Some(client) => self.clients.give_up(&mut self.io, now, client),
                None => {
                    self.take_outgoing(sid, id);
                }
            }
        }
    }
}
