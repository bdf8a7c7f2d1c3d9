//! The sessions of one leg, and the way of one request through its challenges.

use super::demand::{Asked, Demand};
use super::grant::{Grant, PeerId};
use super::info::next_nonce;
use super::session::{Key, Session};
use crate::auth::digest::Covered;
use crate::auth::kind::Kind;
use crate::ids::Ids;
use sip_types::{HeaderName, StatusCode};
use std::sync::Arc;

/// Bounds of one [`Authorizer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How often one request is repeated with other credentials. Default: 6, for a chain of proxies or a fork that ask in turn.
    pub rounds: u8,
    /// How many challengers are remembered. Default: 8.
    pub sessions: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { rounds: 6, sessions: 8 }
    }
}

/// One request on its way to one peer: what it carried, and how often it was repeated.
///
/// Repeating the request after a challenge, or at another address of the same peer, keeps the attempt. Going to another
/// peer, as after a redirect, begins a new one.
#[derive(Clone, Debug)]
pub struct Attempt {
    peer: PeerId,
    rounds: u8,
    /// Session and generation of each field that was last written.
    carried: Vec<(Arc<Key>, u32)>,
    /// Sessions that refused us in this attempt.
    refused: Vec<Arc<Key>>,
}

impl Attempt {
    /// A request that goes to `peer` and has not been sent.
    pub fn new(peer: PeerId) -> Self {
        Self { peer, rounds: 0, carried: Vec::new(), refused: Vec::new() }
    }

    /// Whom it goes to.
    pub fn peer(&self) -> PeerId {
        self.peer
    }

    /// How many challenges have been answered.
    pub fn rounds(&self) -> u8 {
        self.rounds
    }
}

/// Why a challenger gets no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    /// It refused the credential that this request carried (RFC 3261 §22.1: it is not sent again).
    #[error("the credential was refused")]
    Refused,
    /// No grant for this peer and realm.
    #[error("no credential for this realm at this peer")]
    NoGrant,
    /// The credential is a stored hash of another function than those asked for.
    #[error("no hash of the credential for the algorithms asked for")]
    NoHash,
    /// [`Limits::rounds`] is used up.
    #[error("challenged too often")]
    TooManyRounds,
    /// [`Limits::sessions`] is used up.
    #[error("too many realms")]
    TooManySessions,
}

/// A challenger without an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    /// User agent or proxy.
    pub kind: Kind,
    /// Its realm.
    pub realm: Box<str>,
    /// Why.
    pub why: Denial,
}

/// What becomes of a challenged request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Answer {
    /// Send it again with what [`Authorizer::authorize`] now gives: at least one challenger gets an answer that it has not seen.
    Retry {
        /// The others.
        denied: Vec<Denied>,
    },
    /// The 401 or 407 is the final answer. Empty `denied`: it held no usable challenge, see [`Demand::unusable`].
    GiveUp {
        /// All who asked.
        denied: Vec<Denied>,
    },
}

/// The client's authentication sessions of one leg.
pub struct Authorizer {
    limits: Limits,
    sessions: Vec<Session>,
}

impl Default for Authorizer {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

impl Authorizer {
    /// Without sessions.
    pub fn new(limits: Limits) -> Self {
        Self { limits, sessions: Vec::new() }
    }

    /// The Authorization and Proxy-Authorization fields for a request that is sent now: one per session with the
    /// attempt's peer, each with the next nonce count. Empty while nobody has asked.
    ///
    /// `covered` is the request as it goes out, its URI as written in the request line. Empty for ACK and CANCEL too: the
    /// ACK of a 2xx repeats its INVITE's fields, a CANCEL carries none (RFC 3261 §22.1).
    pub fn authorize(&mut self, attempt: &mut Attempt, covered: &Covered<'_>) -> Vec<(HeaderName, String)> {
        attempt.carried.clear();
        let mut fields = Vec::new();
        if matches!(covered.method, "ACK" | "CANCEL") {
            return fields;
        }
        for session in &mut self.sessions {
            if session.key.peer != attempt.peer || !session.live {
                continue;
            }
            let Some(value) = session.sign(covered) else {
                session.live = false;
                continue;
            };
            attempt.carried.push((session.key.clone(), session.generation));
            fields.push((session.key.kind.credentials(), value));
        }
        fields
    }

    /// Takes up what the challenging response to `attempt` asks, with what the caller grants.
    ///
    /// A challenger that already had our credentials in this request is answered again only if it says `stale`, or if the
    /// nonce had been accepted before (many servers forget to say it when a nonce ends), or if the grant has changed
    /// since; else it has refused them.
    pub fn answer(
        &mut self,
        attempt: &mut Attempt,
        demand: &Demand,
        grants: &[Grant],
        ids: &mut dyn Ids,
    ) -> Answer {
        let spent = attempt.rounds >= self.limits.rounds;
        attempt.rounds = attempt.rounds.saturating_add(1);
        let mut answered = false;
        let mut denied = Vec::new();
        for asked in demand.asked() {
            let outcome =
                if spent { Err(Denial::TooManyRounds) } else { self.take_up(attempt, asked, grants, ids) };
            match outcome {
                Ok(()) => answered = true,
                Err(why) => denied.push(Denied { kind: asked.kind, realm: asked.realm.clone(), why }),
            }
        }
        if answered { Answer::Retry { denied } } else { Answer::GiveUp { denied } }
    }

    fn take_up(
        &mut self,
        attempt: &mut Attempt,
        asked: &Asked,
        grants: &[Grant],
        ids: &mut dyn Ids,
    ) -> Result<(), Denial> {
        let Asked { kind, place, .. } = *asked;
        let key = Arc::new(Key { peer: attempt.peer, kind, realm: asked.realm.clone(), place });
        if attempt.refused.contains(&key) {
            return Err(Denial::Refused);
        }
        let grant =
            grants.iter().find(|grant| grant.covers(attempt.peer, &asked.realm)).ok_or(Denial::NoGrant)?;
        let secret = &grant.credential.secret;
        let offer =
            asked.offers.iter().find(|offer| secret.knows(offer.algorithm.hash)).ok_or(Denial::NoHash)?;
        let credential = grant.credential.clone();
        let place = self.sessions.iter().position(|session| session.key == key);
        let Some(session) = place.and_then(|index| self.sessions.get_mut(index)) else {
            if self.sessions.len() >= self.limits.sessions {
                return Err(Denial::TooManySessions);
            }
            self.sessions.push(Session::open(key, credential, offer.clone(), ids).ok_or(Denial::NoHash)?);
            return Ok(());
        };
        let carried = attempt.carried.iter().find(|(carried, _)| *carried == key);
        let refused = carried.is_some_and(|(_, generation)| {
            !offer.stale && *generation > session.proven && *session.credential == *credential
        });
        if refused {
            session.live = false;
            attempt.refused.push(key);
            return Err(Denial::Refused);
        }
        session.follow(Session::open(key, credential, offer.clone(), ids).ok_or(Denial::NoHash)?);
        Ok(())
    }

    /// Hears of the final response to `attempt`: all but 401, 403 and 407 show that the credentials it carried were accepted.
    pub fn settled(&mut self, attempt: &Attempt, status: StatusCode) {
        if matches!(
            status,
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::PROXY_AUTHENTICATION_REQUIRED
        ) || status.is_provisional()
        {
            return;
        }
        for (key, generation) in &attempt.carried {
            if let Some(session) = self.sessions.iter_mut().find(|session| session.key == *key) {
                session.proven = session.proven.max(*generation);
            }
        }
    }

    /// Reads the Authentication-Info of a 2xx to `attempt`: with a `nextnonce` the next request uses that one (RFC 7616 §3.5).
    ///
    /// The field names no realm, so it counts only where the request carried one Authorization.
    pub fn informed(&mut self, attempt: &Attempt, info: &str, ids: &mut dyn Ids) {
        let Some(nonce) = next_nonce(info) else { return };
        let mut carried = attempt.carried.iter().filter(|(key, _)| key.kind == Kind::User);
        let (Some((key, generation)), None) = (carried.next(), carried.next()) else { return };
        let newest = |session: &&mut Session| session.key == *key && session.generation == *generation;
        if let Some(session) = self.sessions.iter_mut().find(newest) {
            session.renew(&nonce, ids);
        }
    }

    /// Forgets every session, as when the credential or the peer behind this leg is replaced.
    pub fn forget(&mut self) {
        self.sessions.clear();
    }
}
