//! The challenge that the requests of a trunk or user must answer before they are looked at.

use super::Demand;
use crate::shard::{Core, Counters};
use crate::snapshot::{Protected, Snapshot};
use sip::Received;
use sip::auth::bearer::{self, Verdict as Token};
use sip::auth::guesses::{Patience, Permit, Reaction, SharedGuesses};
use sip::auth::server::{self, Challenger, Fault, Presented, Reading, SharedWindows, Verdict};
use sip::auth::{Covered, Kind};
use sip::ids::Ids;
use sip::registration::server::Aor;
use sip::session::Reply;
use sip::time::Now;
use sip_types::header::auth::Credentials;
use sip_types::{HeaderName, StatusCode};
use std::net::IpAddr;

/// What a request finds at the gate.
pub(crate) enum Entry {
    /// It may pass; where it has proved who sends it, that is the user.
    Open(Option<Box<str>>),
    /// It gets this response.
    Closed(Box<Reply>),
}

/// What every challenge of a node shares, whichever shard makes it; the rest is in the configuration in force.
pub(crate) struct Gate {
    key: [u8; 32],
    started: Now,
    windows: SharedWindows,
    guesses: SharedGuesses,
}

/// Why a request does not pass yet.
enum Lack {
    /// It proves nothing, or something that is no longer good.
    Proof { stale: bool, token: Option<bearer::Fault> },
    /// What it has breaks the protocol.
    Form,
    /// Its user guesses at passwords.
    Patience,
    /// The realm makes no challenge, which the configuration rules out.
    Realm,
}

impl Core {
    /// What a request finds at the gate before what it asks for.
    pub(crate) fn at_the_gate(
        &mut self,
        now: Now,
        snapshot: &Snapshot,
        of: &Protected,
        request: &Received,
    ) -> Entry {
        let directory = &self.common.directory;
        let is_registered = |user: &str| {
            // A REGISTER is for whom To names, a call from whom From does.
            let aors = [request.from.uri(), request.to.uri()].into_iter().filter_map(Aor::of);
            let own = |aor: &Aor| snapshot.registrars.account(aor).is_some_and(|account| account.is_of(user));
            aors.filter(own).filter_map(|aor| directory.record(&aor)).any(|record| {
                let mut live = record.bindings.iter().filter(|binding| binding.ends > now.mono);
                // Behind a proxy many share a flow.
                live.any(|binding| binding.flow == request.flow && binding.path.is_empty())
            })
        };
        let tools = (&mut self.counters, &mut *self.ids as &mut dyn Ids);
        let entry = self.common.gate.check(now, snapshot, of, request, &is_registered, tools);
        if let Entry::Open(Some(_)) = entry {
            self.proved(now, snapshot, &request.flow);
        }
        entry
    }
}

impl Lack {
    const PROOF: Self = Lack::Proof { stale: false, token: None };
}

/// One request at the gate.
struct Visit<'a> {
    now: Now,
    snapshot: &'a Snapshot,
    of: &'a Protected,
    request: &'a Received,
    is_registered: &'a dyn Fn(&str) -> bool,
    counters: &'a mut Counters,
}

impl Gate {
    /// A gate with a key of its own: nonces of an earlier process are stale. It knows the counts of `nonces` at a time.
    pub(crate) fn new(started: Now, nonces: usize, ids: &mut dyn Ids, hasher: ahash::RandomState) -> Self {
        let mut key = [0; 32];
        for chunk in key.chunks_mut(8) {
            chunk.copy_from_slice(&ids.next_u64().to_le_bytes());
        }
        let windows = SharedWindows::new(started.wall, nonces, hasher.clone());
        Self { key, started, windows, guesses: SharedGuesses::new(hasher) }
    }

    /// Whether a request may pass the challenge that protects `of`, if there is one. `is_registered` says of a user whether
    /// the flow of the request is that of a device of theirs: guesses of others at the same source do not shut it out.
    fn check(
        &self,
        now: Now,
        snapshot: &Snapshot,
        of: &Protected,
        request: &Received,
        is_registered: &dyn Fn(&str) -> bool,
        (counters, ids): (&mut Counters, &mut dyn Ids),
    ) -> Entry {
        let Some(demand) = snapshot.demands.get(of) else { return Entry::Open(None) };
        let mut visit = Visit { now, snapshot, of, request, is_registered, counters };
        let lack = match self.prove(&mut visit, demand) {
            Ok(user) => return Entry::Open(Some(user)),
            Err(lack) => lack,
        };
        let status = match lack {
            Lack::Proof { stale, token } => {
                let source = request.flow.peer.ip();
                return Entry::Closed(Box::new(self.ask((now, source), demand, stale, token, ids)));
            }
            Lack::Form => StatusCode::BAD_REQUEST,
            Lack::Patience => StatusCode::FORBIDDEN,
            Lack::Realm => StatusCode::SERVER_INTERNAL_ERROR,
        };
        Entry::Closed(Box::new(Reply::new(status)))
    }

    /// Whose token or else password it has.
    fn prove(&self, visit: &mut Visit<'_>, demand: &Demand) -> Result<Box<str>, Lack> {
        let credentials = server::credentials(visit.request.headers(), Kind::User);
        if let Some(warden) = &demand.bearer {
            match warden.verify(visit.now, &credentials) {
                Token::Accepted(bearer) => return Ok(bearer.user().into()),
                Token::Rejected(fault) => {
                    visit.counters.tokens_refused += 1;
                    tracing::debug!(of = %visit.of, %fault, "a token was not accepted");
                    return Err(Lack::Proof { stale: false, token: Some(fault) });
                }
                Token::Absent => {}
            }
        }
        match demand.challenger(&self.key, self.started) {
            Some(Ok(challenger)) => self.password(visit, demand, challenger, &credentials),
            Some(Err(_)) => Err(Lack::Realm),
            None => Err(Lack::PROOF),
        }
    }

    fn password(
        &self,
        visit: &mut Visit<'_>,
        demand: &Demand,
        challenger: &Challenger,
        credentials: &[Credentials],
    ) -> Result<Box<str>, Lack> {
        let source = visit.request.flow.peer.ip();
        match challenger.read(source, &Covered::from(&visit.request.request), credentials) {
            Reading::Absent => Err(Lack::PROOF),
            Reading::Refused(refusal) if refusal.fault() == Fault::Malformed => Err(Lack::Form),
            Reading::Refused(_) => Err(Lack::PROOF),
            Reading::Presented(presented) => self.settle(visit, demand, challenger, *presented),
        }
    }

    fn settle(
        &self,
        visit: &mut Visit<'_>,
        demand: &Demand,
        challenger: &Challenger,
        presented: Presented,
    ) -> Result<Box<str>, Lack> {
        let source = visit.request.flow.peer.ip();
        let patience = patience(visit.snapshot);
        let name: Box<str> = demand.hashes.name(presented.user()).unwrap_or(presented.user().text()).into();
        match self.guesses.permit(visit.now.mono, &patience, source, &name) {
            Permit::Check => {}
            Permit::Wait(_) | Permit::Refuse(_) if (visit.is_registered)(&name) => {}
            Permit::Wait(_) => {
                visit.counters.guesses_slowed += 1;
                return Err(Lack::Patience);
            }
            Permit::Refuse(_) => {
                visit.counters.guesses_refused += 1;
                return Err(Lack::Patience);
            }
        }
        let known = visit.snapshot.user(visit.of, &name);
        match challenger.settle(visit.now, presented, known, &self.windows) {
            Verdict::Accepted(_) => {
                self.guesses.passed(&patience, source, &name);
                Ok(name)
            }
            Verdict::Stale(_) => {
                visit.counters.stale_nonces += 1;
                Err(Lack::Proof { stale: true, token: None })
            }
            Verdict::Absent => Err(Lack::PROOF),
            Verdict::Rejected(_) => {
                visit.counters.guesses += 1;
                if self.guesses.failed(visit.now.mono, &patience, source, &name) == Reaction::Refused {
                    let (of, wait) = (visit.of, patience.forget_after);
                    tracing::warn!(%of, %source, ?wait, "a user is refused: too many wrong passwords");
                }
                Err(Lack::PROOF)
            }
        }
    }

    /// 401 with one challenge for each algorithm, and one for tokens.
    fn ask(
        &self,
        (now, source): (Now, IpAddr),
        demand: &Demand,
        stale: bool,
        token: Option<bearer::Fault>,
        ids: &mut dyn Ids,
    ) -> Reply {
        let mut reply = Reply::new(StatusCode::UNAUTHORIZED);
        let fields = &mut reply.parts.fields;
        if let Some(warden) = &demand.bearer {
            fields.push(HeaderName::WwwAuthenticate, warden.challenge(token));
        }
        let challenger = demand.challenger(&self.key, self.started).and_then(Result::ok);
        for value in challenger.iter().flat_map(|challenger| challenger.challenge(now, source, stale, ids)) {
            fields.push(HeaderName::WwwAuthenticate, value);
        }
        reply
    }
}

/// What the configuration in force says of guessing.
fn patience(snapshot: &Snapshot) -> Patience {
    let given = &snapshot.config().guessing;
    Patience {
        free: given.free,
        delay: given.delay,
        refuse_after: given.refuse_after,
        forget_after: given.forget_after,
        ipv4_prefix: given.ipv4_prefix,
        ipv6_prefix: given.ipv6_prefix,
        entries: given.entries,
    }
}
