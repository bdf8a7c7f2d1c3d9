//! The sessions of one leg, and the way of one request through its challenges.

use super::demand::{Asked, Demand};
use super::grant::{Grant, PeerId};
use super::info::Info;
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
    /// Each field that was last written.
    carried: Vec<Carried>,
    /// The URI that they cover.
    uri: Box<str>,
    /// Sessions that refused us in this attempt.
    refused: Vec<Arc<Key>>,
    /// Sessions that had our sequence number in this attempt, which they get once (RFC 3310 §3.4).
    resynchronised: Vec<Arc<Key>>,
}

/// A field with credentials, as it was written.
#[derive(Clone, Debug)]
struct Carried {
    key: Arc<Key>,
    generation: u32,
    count: u32,
}

impl Attempt {
    /// A request that goes to `peer` and has not been sent.
    pub fn new(peer: PeerId) -> Self {
        Self {
            peer,
            rounds: 0,
            carried: Vec::new(),
            uri: Box::default(),
            refused: Vec::new(),
            resynchronised: Vec::new(),
        }
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
    /// All that it asks for is weaker than [`Credential::weakest`](crate::auth::Credential::weakest).
    #[error("a weaker algorithm than the credential allows")]
    Weaker,
    /// The nonce holds no challenge for a card (RFC 3310 §3.2).
    #[error("no RAND and AUTN in the nonce")]
    BadNonce,
    /// The challenge for the card was not made with its key.
    #[error("{}", crate::auth::aka::NotOurs)]
    NotOurs,
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

/// What an Authentication-Info shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Informed {
    /// Its sender knows the secret.
    Confirmed,
    /// It says nothing of its sender, or nothing that we can relate to a request.
    Nothing,
    /// Its sender does not know the secret.
    Impostor,
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
        attempt.uri = covered.uri.into();
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
            let (key, generation) = (session.key.clone(), session.generation);
            attempt.carried.push(Carried { key, generation, count: session.count() });
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
        let credential = grant.credential.clone();
        let known = asked.offers.iter().filter(|offer| credential.secret.answers(offer.algorithm));
        let offer = known.clone().find(|offer| offer.algorithm.reaches(credential.weakest));
        let offer = offer.ok_or(if known.count() > 0 { Denial::Weaker } else { Denial::NoHash })?;
        let place = self.sessions.iter().position(|session| session.key == key);
        let Some(session) = place.and_then(|index| self.sessions.get_mut(index)) else {
            if self.sessions.len() >= self.limits.sessions {
                return Err(Denial::TooManySessions);
            }
            self.sessions.push(Session::open(key, credential, offer.clone(), ids)?);
            return Ok(());
        };
        let carried = attempt.carried.iter().find(|carried| carried.key == key);
        let refused = carried.is_some_and(|carried| {
            let proved_nothing = session.resynchronises() && !attempt.resynchronised.contains(&key);
            let excused = offer.stale || proved_nothing || carried.generation <= session.proven;
            !excused && *session.credential == *credential
        });
        if session.resynchronises() && carried.is_some() {
            attempt.resynchronised.push(key.clone());
        }
        if refused {
            session.live = false;
            attempt.refused.push(key);
            return Err(Denial::Refused);
        }
        session.follow(Session::open(key, credential, offer.clone(), ids)?);
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
        for Carried { key, generation, .. } in &attempt.carried {
            if let Some(session) = self.sessions.iter_mut().find(|session| session.key == *key) {
                session.proven = session.proven.max(*generation);
            }
        }
    }

    /// Reads the Authentication-Info (of a [`Kind::User`]) or Proxy-Authentication-Info (RFC 7615 §4) of a 2xx with `body` to
    /// `attempt`: whether its sender knows the secret too, and the nonce for the next request (RFC 7616 §3.5).
    ///
    /// The field names no realm, so it counts only where the request carried one field of its kind. A session whose server
    /// proved to be another one is not used again.
    pub fn informed(
        &mut self,
        attempt: &Attempt,
        kind: Kind,
        info: &str,
        body: &[u8],
        ids: &mut dyn Ids,
    ) -> Informed {
        let mut carried = attempt.carried.iter().filter(|carried| carried.key.kind == kind);
        let (Some(carried), None) = (carried.next(), carried.next()) else { return Informed::Nothing };
        let newest =
            |session: &&mut Session| session.key == carried.key && session.generation == carried.generation;
        let Some(session) = self.sessions.iter_mut().find(newest) else { return Informed::Nothing };
        let info = Info::read(info);
        let confirmed = session.confirms(&info, carried.count, &attempt.uri, body);
        if confirmed == Some(false) {
            session.live = false;
            return Informed::Impostor;
        }
        if let Some(nonce) = &info.nextnonce {
            session.renew(nonce, ids);
        }
        if confirmed == Some(true) { Informed::Confirmed } else { Informed::Nothing }
    }

    /// Forgets every session, as when the credential or the peer behind this leg is replaced.
    pub fn forget(&mut self) {
        self.sessions.clear();
    }
}
