//! The challenge that a trunk's requests must answer before they are looked at.

use crate::snapshot::Snapshot;
use config::{Challenge, TrunkName};
use sip::Received;
use sip::auth::Covered;
use sip::auth::server::{Challenger, Fault, NonceWindows, Settings, Verdict};
use sip::ids::Ids;
use sip::session::Reply;
use sip::time::Now;
use sip_types::header::Authorization;
use sip_types::{HeaderName, StatusCode};
use std::collections::BTreeMap;

/// What a request finds at the gate.
pub(crate) enum Entry {
    /// It may pass.
    Open,
    /// It gets this response.
    Closed(Box<Reply>),
}

/// Nonces whose counts are known at a time; what is forgotten is stale.
const NONCES: usize = 10_000;

/// The challenges of all trunks of a shard.
pub(crate) struct Gate {
    key: [u8; 32],
    started: Now,
    /// By realm and algorithms, as the configuration has them.
    challengers: BTreeMap<Box<str>, Challenger>,
    windows: NonceWindows,
}

impl Gate {
    /// A gate with a key of its own: nonces of an earlier process are stale.
    pub(crate) fn new(started: Now, ids: &mut dyn Ids) -> Self {
        let mut key = [0; 32];
        for chunk in key.chunks_mut(8) {
            chunk.copy_from_slice(&ids.next_u64().to_le_bytes());
        }
        Self { key, challengers: BTreeMap::new(), started, windows: NonceWindows::new(started.wall, NONCES) }
    }

    /// Whether a request of this trunk may pass.
    pub(crate) fn check(
        &mut self,
        now: Now,
        snapshot: &Snapshot,
        trunk: &TrunkName,
        request: &Received,
        ids: &mut dyn Ids,
    ) -> Entry {
        let Some(challenge) = snapshot.config().trunks.get(trunk).and_then(|t| t.challenge.as_ref()) else {
            return Entry::Open;
        };
        if !self.challengers.contains_key(&*challenge.realm) {
            let Some(challenger) = challenger(&self.key, self.started, challenge) else {
                return Entry::Closed(Box::new(Reply::new(StatusCode::SERVER_INTERNAL_ERROR)));
            };
            self.challengers.insert((&*challenge.realm).into(), challenger);
        }
        let Some(challenger) = self.challengers.get(&*challenge.realm) else { return Entry::Open };
        let credentials = request.headers().list::<Authorization>().unwrap_or_default();
        let credentials: Vec<_> = credentials.iter().map(|c| (**c).clone()).collect();
        let verdict = challenger.verify(
            now,
            &Covered::from(&request.request),
            &credentials,
            &mut self.windows,
            |user, _| snapshot.user_secret(trunk, user),
        );
        match verdict {
            Verdict::Accepted(_) => Entry::Open,
            Verdict::Absent => ask(challenger, now, false, ids),
            Verdict::Stale(_) => ask(challenger, now, true, ids),
            Verdict::Rejected(refusal) if refusal.fault() == Fault::Malformed => {
                Entry::Closed(Box::new(Reply::new(StatusCode::BAD_REQUEST)))
            }
            Verdict::Rejected(_) => ask(challenger, now, false, ids),
        }
    }
}

fn challenger(key: &[u8; 32], started: Now, challenge: &Challenge) -> Option<Challenger> {
    Challenger::new(key, started, Settings::new(&*challenge.realm)).ok()
}

/// 401 with one challenge for each algorithm.
fn ask(challenger: &Challenger, now: Now, stale: bool, ids: &mut dyn Ids) -> Entry {
    let mut reply = Reply::new(StatusCode::UNAUTHORIZED);
    for value in challenger.challenge(now, stale, ids) {
        reply.parts.fields.push(HeaderName::WwwAuthenticate, value);
    }
    Entry::Closed(Box::new(reply))
}
