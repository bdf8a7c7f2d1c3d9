//! Requests outside a dialog that begin no call (RFC 3261 §11): OPTIONS, MESSAGE, PUBLISH, SUBSCRIBE, and what nobody here
//! knows. OPTIONS for us are answered as we would answer a call; all else goes where a call would, as a request of our own,
//! and waits for what comes of it.
//!
//! ```text
//!   request ─► who asks ─► route ─► places ─► ask ─┬─► a response ──► the same across
//!                                     ▲            │        └─ 2xx to SUBSCRIBE, NOTIFY ─► a subscription
//!                                     └── fork ◄───┴─► failure ─► the next place, or the best failure
//! ```

mod answer;
mod ask;
pub(super) mod message;
mod serve;

use super::fork::Fork;
use crate::shard::Held;
use crate::snapshot::Snapshot;
use config::{Profile, TrunkName};
use sip::registration::server::Aor;
use sip::session::{RequestId, SessionId};
use sip::time::Mono;
use sip::{Flow, NetworkId, Received};
use sip_types::Method;
use slotmap::SlotMap;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// Who waits longer than that is not worth another place: with the time that a place may be silent, it ends before the 32
/// seconds that they wait for a final response (RFC 3261 §17.1.2.2, RFC 4320 §4.2).
const PATIENCE: Duration = Duration::from_secs(16);

/// How long the last place may be silent, from when the request came: its answer has to be there before those 32 seconds.
const LONGEST: Duration = Duration::from_secs(28);

slotmap::new_key_type! {
    /// Names a request that waits.
    pub(crate) struct WaitingKey;
}

/// Requests that wait. There are no more than `limits.asked_requests`, because each is one that the endpoint has handed up.
pub(crate) struct Outside {
    waiting: SlotMap<WaitingKey, Waiting>,
    /// By our sessions with the far side.
    by_session: HashMap<SessionId, WaitingKey, ahash::RandomState>,
}

/// A request that waits for an answer from behind us.
pub(crate) struct Waiting {
    pub(crate) id: RequestId,
    pub(crate) request: Received,
    pub(crate) snapshot: Arc<Snapshot>,
    /// The side that it came from.
    pub(crate) network: NetworkId,
    pub(crate) profile: Arc<Profile>,
    pub(crate) trunk: Option<TrunkName>,
    /// The places that have not been asked.
    fork: Fork,
    /// Who is asked now, and how many have been.
    asked: Vec<Asked>,
    count: usize,
    since: Mono,
    /// The place of what it would become among all subscriptions.
    pub(crate) subscription: Option<Held>,
}

/// Somebody who is asked.
pub(crate) struct Asked {
    pub(crate) session: SessionId,
    pub(crate) network: NetworkId,
    pub(crate) profile: Arc<Profile>,
    pub(crate) trunk: Option<TrunkName>,
    /// The flow to a trunk that the request went by (RFC 5626 §4.3).
    trunk_flow: Option<Flow>,
    device: bool,
    /// Whose device it is.
    pub(crate) user: Option<Aor>,
    branch: u16,
    breadth: u8,
}

/// How the devices of a user are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    /// One after another, until somebody is there, whatever the answer.
    Anybody,
    /// One after another, until one takes it: it makes a dialog, and we have one for it.
    Taker,
    /// Those of one group at once, as each is to have it; the first success is the answer (RFC 3261 §16.7 step 5).
    Everybody,
}

impl Manner {
    fn of(method: &Method) -> Self {
        match method {
            Method::Message | Method::Notify => Self::Everybody,
            Method::Subscribe => Self::Taker,
            _ => Self::Anybody,
        }
    }
}

impl Outside {
    /// Nothing waits.
    pub(crate) fn new(hasher: &ahash::RandomState) -> Self {
        Self { waiting: SlotMap::with_key(), by_session: HashMap::with_hasher(hasher.clone()) }
    }

    /// Whether somebody waits for what comes of a session.
    pub(crate) fn waits_for(&self, session: SessionId) -> bool {
        self.by_session.contains_key(&session)
    }

    /// Who is asked in a session.
    pub(crate) fn asked(&self, session: SessionId) -> Option<&Asked> {
        let waiting = self.waiting.get(*self.by_session.get(&session)?)?;
        waiting.asked.iter().find(|asked| asked.session == session)
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Takes one out, with whom of it is asked.
    fn leave(&mut self, key: WaitingKey) -> Option<Waiting> {
        let waiting = self.waiting.remove(key)?;
        for asked in &waiting.asked {
            self.by_session.remove(&asked.session);
        }
        Some(waiting)
    }

    /// Takes one out by the session of somebody who is asked for it.
    pub(crate) fn take(&mut self, session: SessionId) -> Option<(Waiting, Asked)> {
        let key = *self.by_session.get(&session)?;
        let mut waiting = self.leave(key)?;
        let at = waiting.asked.iter().position(|asked| asked.session == session)?;
        let asked = waiting.asked.swap_remove(at);
        Some((waiting, asked))
    }
}
