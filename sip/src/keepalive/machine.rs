//! The keepalives of one flow.

use crate::ids::{Ids, below};
use crate::stun::TransactionId;
use crate::time::{Mono, Now};
use std::net::SocketAddr;
use std::time::Duration;

/// How long a pong may take (RFC 5626 §4.4.1).
const PONG: Duration = Duration::from_secs(10);
/// The first wait for the answer to a Binding request; each further one is twice as long (RFC 8489 §6.2.1: RTO).
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// How often a Binding request is sent (RFC 8489 §6.2.1: Rc).
const SENDS: u32 = 7;
/// The last wait, in first waits (RFC 8489 §6.2.1: Rm).
const LAST_WAIT: u32 = 16;

/// Between which times the next keepalive is sent: each at another point, by chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Every {
    least: Duration,
    most: Duration,
}

impl Every {
    /// Over a connection, where nobody says otherwise (RFC 5626 §4.4.1).
    pub const CONNECTION: Self = Self::upto(Duration::from_secs(120));
    /// Over UDP, where nobody says otherwise (RFC 5626 §4.4.2).
    pub const DATAGRAMS: Self = Self { least: Duration::from_secs(24), most: Duration::from_secs(29) };

    /// From four fifths of that time, in whole seconds, to all of it (RFC 5626 §4.4, §4.4.1).
    #[must_use]
    pub const fn upto(most: Duration) -> Self {
        Self { least: Duration::from_millis(most.as_secs().saturating_mul(800)), most }
    }

    /// One of those times.
    fn choose(self, ids: &mut dyn Ids) -> Duration {
        let spread = u32::try_from(self.most.saturating_sub(self.least).as_millis()).unwrap_or(u32::MAX);
        self.least + Duration::from_millis(below(ids, spread.saturating_add(1)).into())
    }
}

/// Why a flow has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// A keepalive had no answer.
    Unanswered,
    /// The server refused a Binding request, with this code.
    Refused(u16),
    /// We are seen from another address than before: a NAT has forgotten the flow (RFC 5626 §4.4.2).
    Moved,
    /// Its connection is over.
    Closed,
    /// ICMP says that its datagrams do not arrive.
    Unreachable,
}

/// What to do for a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Send a double CRLF.
    Ping,
    /// Send a Binding request of that name.
    Bind(TransactionId),
    /// Give it up.
    Fail(Lost),
}

/// What it waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The time of the next keepalive.
    Resting,
    /// A pong.
    Pinged,
    /// The answer to a Binding request that was sent so often.
    Bound(TransactionId, u32),
    /// Nothing any more.
    Failed,
}

/// The keepalives of one flow.
#[derive(Clone, Debug)]
pub struct Keepalive {
    every: Every,
    datagrams: bool,
    stage: Stage,
    /// When something is to be done.
    due: Mono,
    /// Where we are seen from.
    mapped: Option<SocketAddr>,
    /// Whether a keepalive was answered.
    proven: bool,
}

impl Keepalive {
    /// For a flow of datagrams, or one on a connection; the first one is sent after its time.
    pub fn new(now: Now, every: Every, datagrams: bool, ids: &mut dyn Ids) -> Self {
        let due = now.mono + every.choose(ids);
        Self { every, datagrams, stage: Stage::Resting, due, mapped: None, proven: false }
    }

    /// Takes other times. The next one comes no later than they say.
    pub fn adopt(&mut self, now: Now, every: Every, ids: &mut dyn Ids) {
        if self.every != every {
            self.every = every;
            if self.stage == Stage::Resting {
                self.due = self.due.min(now.mono + every.choose(ids));
            }
        }
    }

    /// Finds out now whether the flow works.
    pub fn check(&mut self, now: Now) {
        if self.stage == Stage::Resting {
            self.due = now.mono;
        }
    }

    /// Whether a keepalive was answered: then the flow has been a success (RFC 5626 §4.5).
    #[must_use]
    pub fn is_proven(&self) -> bool {
        self.proven
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called; `None` once it has failed.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Mono> {
        (self.stage != Stage::Failed).then_some(self.due)
    }

    /// A wait may be over.
    pub fn handle_timeout(&mut self, now: Now, ids: &mut dyn Ids) -> Option<Step> {
        if self.due > now.mono {
            return None;
        }
        match self.stage {
            Stage::Failed => None,
            Stage::Resting if self.datagrams => {
                let id = TransactionId::new(ids);
                (self.stage, self.due) = (Stage::Bound(id, 1), now.mono + FIRST_WAIT);
                Some(Step::Bind(id))
            }
            Stage::Resting => {
                (self.stage, self.due) = (Stage::Pinged, now.mono + PONG);
                Some(Step::Ping)
            }
            Stage::Bound(id, sent) if sent < SENDS => {
                let wait = if sent + 1 == SENDS { LAST_WAIT } else { 1 << sent };
                (self.stage, self.due) = (Stage::Bound(id, sent + 1), now.mono + FIRST_WAIT * wait);
                Some(Step::Bind(id))
            }
            Stage::Pinged | Stage::Bound(..) => Some(self.fail(Lost::Unanswered)),
        }
    }

    /// A pong came; `true` if one was waited for.
    pub fn handle_pong(&mut self, now: Now, ids: &mut dyn Ids) -> bool {
        let awaited = self.stage == Stage::Pinged;
        if awaited {
            self.rest(now, ids);
        }
        awaited
    }

    /// The answer to the Binding request that it waits for: the address that we are seen from, or the code of a refusal.
    pub fn handle_bound(
        &mut self,
        now: Now,
        answer: Result<SocketAddr, u16>,
        ids: &mut dyn Ids,
    ) -> Option<Step> {
        match (self.stage, answer) {
            (Stage::Resting | Stage::Pinged | Stage::Failed, _) => None,
            (Stage::Bound(..), Err(code)) => Some(self.fail(Lost::Refused(code))),
            (Stage::Bound(..), Ok(seen)) if self.mapped.is_some_and(|before| before != seen) => {
                Some(self.fail(Lost::Moved))
            }
            (Stage::Bound(..), Ok(seen)) => {
                self.mapped = Some(seen);
                self.rest(now, ids);
                None
            }
        }
    }

    fn rest(&mut self, now: Now, ids: &mut dyn Ids) {
        self.proven = true;
        (self.stage, self.due) = (Stage::Resting, now.mono + self.every.choose(ids));
    }

    fn fail(&mut self, why: Lost) -> Step {
        self.stage = Stage::Failed;
        Step::Fail(why)
    }
}
