//! What answers connectivity checks on a pair of ports (RFC 8445 §7.3).

use std::fmt;
use std::net::SocketAddr;

use hmac::Mac;

use super::Credentials;
use super::budget::Budget;
use super::early::Early;
use super::request::Request;
use super::response::Response;
use super::session::{Component, Session};
use crate::stun::{self, INDICATION, Key, REQUEST, header, is_whole};

/// Credentials that are valid at a time: those of the offer or answer that stands, and those before it while the peer still
/// uses them (RFC 8445 §9).
const MOST_KEYS: usize = 3;
/// Answers in a second to addresses that have proved themselves, to those that have not but know our username fragment, and
/// to those that do not know even that. A peer makes 20 checks in a second (RFC 8445 §14.2), each perhaps repeated.
const TO_KNOWN: u32 = 200;
const TO_STRANGERS: u32 = 100;
const TO_WRONG: u32 = 10;

/// Answers the checks on one pair of ports, for all dialogs that share it.
pub(crate) struct Responder {
    keys: Vec<(Box<str>, Key)>,
    /// Whoever checks may control or not: that is not for it to say.
    full: bool,
    early: Early,
    to_known: Budget,
    to_strangers: Budget,
    to_wrong: Budget,
}

impl fmt::Debug for Responder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ufrags = self.keys.iter().map(|(ufrag, _)| ufrag);
        f.debug_list().entries(ufrags).finish()
    }
}

/// A check of somebody who knows our password.
pub(crate) struct Check<'a> {
    /// The username fragment of whoever makes it.
    pub(crate) remote: &'a [u8],
    /// The priority of its candidate (RFC 8445 §7.1.1).
    pub(crate) priority: u32,
    /// Its pair is to be used (RFC 8445 §8.1.1).
    pub(crate) nominates: bool,
    /// Whether its sender controls, and its tie-breaker.
    pub(crate) role: Option<(bool, u64)>,
    id: &'a [u8; 12],
    key: usize,
    response: Response,
}

impl Check<'_> {
    /// The answer to be sent to where it came from.
    #[must_use]
    pub(crate) fn response(&self) -> &[u8] {
        self.response.as_bytes()
    }
}

impl fmt::Debug for Check<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { remote, priority, nominates, .. } = self;
        write!(f, "Check({:?}, {priority}, {nominates})", String::from_utf8_lossy(remote))
    }
}

/// Why a datagram of STUN changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unanswered {
    /// It is not whole, or lacks what a check must have: 400, or no answer.
    Malformed,
    /// Its user is none of ours or its password is wrong: 401.
    Unauthorized,
    /// It has attributes that have to be understood and are not: 420.
    Unknown,
    /// Its sender takes itself for the controlled one, as a lite agent always is: 487.
    Conflict,
    /// One more than is answered in a second.
    Limited,
    /// Something that nobody here has asked for: an answer, or another method.
    Unexpected,
}

/// What became of a datagram of STUN.
pub(crate) enum Heard<'a> {
    /// A check, with its answer.
    Check(Check<'a>),
    /// A keepalive that wants no answer (RFC 8445 §11).
    Alive,
    /// Nothing, with the refusal to be sent, if any.
    Refused(Unanswered, Option<Refusal>),
}

/// An answer that refuses.
pub(crate) struct Refusal(Response);

impl Refusal {
    /// Its bytes.
    #[must_use]
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl Responder {
    /// One that answers whoever knows these.
    #[must_use]
    pub(crate) fn new(local: &Credentials) -> Self {
        let budget = Budget::new;
        let mut responder = Self {
            keys: Vec::with_capacity(1),
            full: false,
            early: Early::default(),
            to_known: budget(TO_KNOWN),
            to_strangers: budget(TO_STRANGERS),
            to_wrong: budget(TO_WRONG),
        };
        responder.learn(local);
        responder
    }

    /// One of a full agent's, which sees to roles itself.
    #[must_use]
    pub(crate) fn full(local: &Credentials) -> Self {
        Self { full: true, ..Self::new(local) }
    }

    /// The answer to a check whose sender has to change its role (RFC 8445 §7.3.1.1).
    pub(crate) fn conflict(&self, check: &Check<'_>) -> Refusal {
        let key = self.keys.get(check.key).map(|(_, key)| key);
        Refusal(Response::error(check.id, 487, "Role Conflict", &[]).seal(key))
    }

    /// Takes these credentials too.
    pub(crate) fn learn(&mut self, local: &Credentials) {
        if self.keys.first().is_some_and(|(ufrag, _)| *ufrag == local.ufrag) {
            return;
        }
        self.keys.retain(|(ufrag, _)| *ufrag != local.ufrag);
        self.keys.truncate(MOST_KEYS - 1);
        self.keys.reserve_exact(1);
        self.keys.insert(0, (local.ufrag.clone(), stun::key(&local.password)));
    }

    /// A datagram of STUN from there; `known` says that the address has proved itself before.
    pub(crate) fn hear<'a>(
        &mut self,
        datagram: &'a [u8],
        source: SocketAddr,
        known: bool,
        now_millis: u64,
    ) -> Heard<'a> {
        let whole = header(datagram).filter(|_| is_whole(datagram));
        let Some((kind, id)) = whole else { return Heard::Refused(Unanswered::Malformed, None) };
        match kind {
            REQUEST => self.check(datagram, id, (source, known), now_millis),
            INDICATION => Heard::Alive,
            _ => Heard::Refused(Unanswered::Unexpected, None),
        }
    }

    /// A check that no session of ours is for, yet.
    pub(crate) fn remember(
        &mut self,
        check: &Check<'_>,
        component: Component,
        source: SocketAddr,
        now_millis: u64,
    ) {
        self.early.remember(check, component, source, now_millis);
    }

    /// Tells a new session which checks have come for it already.
    pub(crate) fn hand_over(&mut self, session: &mut Session) {
        self.early.hand_over(session);
    }

    fn check<'a>(
        &mut self,
        datagram: &'a [u8],
        id: &'a [u8; 12],
        (source, known): (SocketAddr, bool),
        now_millis: u64,
    ) -> Heard<'a> {
        let read = Request::read(datagram).ok();
        let named = read.as_ref().and_then(|request| Some((request, request.users?, request.integrity?)));
        let Some((request, (local, remote), (at, hash))) = named else {
            return self.refuse_stranger(id, Unanswered::Malformed, now_millis);
        };
        let found = self.keys.iter().position(|(ufrag, _)| ufrag.as_bytes() == local);
        let Some(found) = found else {
            return self.refuse_stranger(id, Unanswered::Unauthorized, now_millis);
        };
        let budget = if known { &mut self.to_known } else { &mut self.to_strangers };
        if !budget.take(now_millis) {
            return Heard::Refused(Unanswered::Limited, None);
        }
        let Some((_, key)) = self.keys.get(found) else {
            return self.refuse_stranger(id, Unanswered::Unauthorized, now_millis);
        };
        let proved = stun::integrity(key, datagram, at).is_some_and(|mac| mac.verify_slice(hash).is_ok());
        if !proved {
            return refuse(id, Unanswered::Unauthorized, None, &[]);
        }
        if request.unknown.iter().any(|kind| *kind != 0) {
            return refuse(id, Unanswered::Unknown, Some(key), &request.unknown);
        }
        if request.controlled && !self.full {
            return refuse(id, Unanswered::Conflict, Some(key), &[]);
        }
        let Some(priority) = request.priority else {
            return refuse(id, Unanswered::Malformed, Some(key), &[]);
        };
        let response = Response::success(id, source).seal(Some(key));
        let role = request.tie.filter(|_| request.controlled != request.controlling);
        let role = role.map(|tie| (request.controlling, tie));
        Heard::Check(Check { remote, priority, nominates: request.nominates, role, id, key: found, response })
    }

    fn refuse_stranger(&mut self, id: &[u8; 12], why: Unanswered, now_millis: u64) -> Heard<'static> {
        match self.to_wrong.take(now_millis) {
            true => refuse(id, why, None, &[]),
            false => Heard::Refused(why, None),
        }
    }
}

/// The refusal that goes with it (RFC 8489 §6.3.1, §9.1.3; RFC 8445 §7.3.1.1).
fn refuse(id: &[u8; 12], why: Unanswered, key: Option<&Key>, unknown: &[u16]) -> Heard<'static> {
    let (code, reason) = match why {
        Unanswered::Unauthorized => (401, "Unauthenticated"),
        Unanswered::Unknown => (420, "Unknown Attribute"),
        Unanswered::Conflict => (487, "Role Conflict"),
        Unanswered::Malformed | Unanswered::Limited | Unanswered::Unexpected => (400, "Bad Request"),
    };
    Heard::Refused(why, Some(Refusal(Response::error(id, code, reason, unknown).seal(key))))
}
