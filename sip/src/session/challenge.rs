//! 401 and 407: the request goes out again with credentials, or has failed (RFC 3261 §22).

use super::{Flight, OutgoingId, Purpose, Session, SessionId};
use crate::action::{Action, SecretId, SecretNeeded};
use crate::auth::client::{self, Answer, Attempt, Authorizer, Demand, Grant, Informed};
use crate::auth::{Credential, Kind};
use crate::endpoint::Endpoint;
use crate::event::Failure;
use crate::flow::Destination;
use crate::time::Now;
use sip_types::Response;
use std::net::SocketAddr;
use std::sync::Arc;

/// A challenged request that waits for credentials.
pub(crate) struct Challenged {
    secret: SecretId,
    peer: SocketAddr,
    demand: Demand,
    response: Response,
}

impl Challenged {
    /// The question to the shell.
    pub(crate) fn secret(&self) -> SecretId {
        self.secret
    }
}

impl Endpoint {
    /// A challenge to a request of ours.
    pub(crate) fn on_challenge(&mut self, now: Now, sid: SessionId, id: OutgoingId, response: Response) {
        let rounds = self.settings.limits.rounds;
        let Some(session) = self.sessions.get_mut(sid) else { return };
        let Some(outgoing) = session.outgoing_mut(id) else { return };
        let (purpose, given_up) = (outgoing.purpose, outgoing.given_up);
        let spent = outgoing.rounds >= rounds;
        outgoing.rounds = outgoing.rounds.saturating_add(1);
        self.counters.rounds_spent += u64::from(spent);
        let wanted = session.wants(purpose) && !spent && !given_up;
        if purpose == Purpose::Invite {
            // A final response ends the early dialogs of its INVITE (RFC 3261 §12.3).
            session.forget_early();
        }
        let Some((to, demand)) = self.demand(sid, id, &response).filter(|_| wanted) else {
            return self.failed(now, sid, id, Failure::Challenged(response));
        };
        let realms = demand.realms();
        if realms.is_empty() {
            return self.failed(now, sid, id, Failure::Challenged(response));
        }
        let secret = SecretId(self.secrets.add((sid, id)));
        let Some(session) = self.sessions.get_mut(sid) else { return };
        let (label, resolved) = (session.label, session.resolved.clone());
        if let Some(outgoing) = session.outgoing_mut(id) {
            let peer = to.peer();
            outgoing.flight = Flight::Challenged(Box::new(Challenged { secret, peer, demand, response }));
            // Only a connection that was opened for a domain has proved to lead there.
            let opened = matches!(to, Destination::Open { .. });
            let domain = to.domain().filter(|_| opened).cloned();
            let connection = to.connection();
            let needed =
                SecretNeeded { id: secret, session: sid, label, resolved, realms, peer, domain, connection };
            self.io.push(Action::SecretNeeded(needed));
        }
    }

    /// What a challenge asks, and where the challenged request went.
    fn demand(&self, sid: SessionId, id: OutgoingId, response: &Response) -> Option<(Destination, Demand)> {
        let session = self.sessions.get(sid)?;
        let outgoing = session.outgoing.iter().find(|o| o.id == id)?;
        let Flight::Sent(client) = outgoing.flight else { return None };
        let to = self.clients.destination(client)?;
        let acceptance = session.conduct(self.settings.listener(to.listener())?).acceptance;
        let demand = Demand::of(response.headers(), &acceptance);
        Some((to, demand))
    }

    /// Credentials for a challenge: one for each realm that they may be shown to, at that peer. None for a realm
    /// that is foreign, or in the wrong place.
    pub fn handle_secret(&mut self, now: Now, secret: SecretId, granted: Vec<(Box<str>, Arc<Credential>)>) {
        let Some((sid, id)) = self.secrets.take(secret.0) else { return };
        let Some(session) = self.sessions.get_mut(sid) else { return };
        let Some(at) = session.outgoing.iter().position(|o| o.id == id) else { return };
        let Some(outgoing) = session.outgoing.get_mut(at) else { return };
        if !matches!(&outgoing.flight, Flight::Challenged(waiting) if waiting.secret == secret) {
            return;
        }
        let Flight::Challenged(waiting) = std::mem::replace(&mut outgoing.flight, Flight::Ready) else {
            return;
        };
        let peer = crate::endpoint::peer_id(&self.hasher, waiting.peer);
        let grants: Vec<Grant> =
            granted.into_iter().map(|(realm, credential)| Grant::new(peer, realm, credential)).collect();
        let mut attempt = match outgoing.attempt.take() {
            Some(attempt) if attempt.peer() == peer => attempt,
            _ => Attempt::new(peer),
        };
        let Session { authorizer, .. } = session;
        let limits = client::Limits { rounds: self.settings.limits.rounds, ..client::Limits::default() };
        let authorizer = authorizer.get_or_insert_with(|| Box::new(Authorizer::new(limits)));
        let answer = authorizer.answer(&mut attempt, &waiting.demand, &grants, &mut *self.io.ids);
        if let Some(outgoing) = session.outgoing.get_mut(at) {
            outgoing.attempt = Some(attempt);
        }
        match answer {
            Answer::Retry { .. } => self.relaunch(now, sid, id),
            Answer::GiveUp { .. } => {
                self.counters.challenges_refused += 1;
                self.failed(now, sid, id, Failure::Challenged(waiting.response));
            }
        }
    }

    /// The credentials of a request have had another answer than a challenge: whether they were accepted, and whether its
    /// sender knows the secret as well (RFC 7616 §3.5).
    pub(crate) fn credentials_settled(&mut self, sid: SessionId, id: OutgoingId, response: &Response) {
        let Some(session) = self.sessions.get_mut(sid) else { return };
        let attempt = session.outgoing.iter().find(|o| o.id == id).and_then(|o| o.attempt.as_ref());
        let (Some(authorizer), Some(attempt)) = (&mut session.authorizer, attempt) else { return };
        authorizer.settled(attempt, response.status());
        if !response.status().is_success() {
            return;
        }
        for kind in [Kind::User, Kind::Proxy] {
            // One field, as each names no realm.
            let Some(Ok(info)) = response.headers().named(kind.info()).next().map(|field| field.text())
            else {
                continue;
            };
            let body = response.body();
            if authorizer.informed(attempt, kind, info, body, &mut *self.io.ids) == Informed::Impostor {
                self.counters.impostors += 1;
            }
        }
    }
}
