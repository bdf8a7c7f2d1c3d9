//! The challenge that a trunk's requests must answer before they are looked at.

use crate::shard::Counters;
use crate::snapshot::Snapshot;
use config::{Challenge, TrunkName};
use sip::Received;
use sip::auth::server::{self, Challenger, Fault, Settings, SharedWindows, Verdict};
use sip::auth::{Algorithm, Covered, Kind};
use sip::ids::Ids;
use sip::session::Reply;
use sip::time::Now;
use sip_types::{HeaderName, StatusCode};

/// What a request finds at the gate.
pub(crate) enum Entry {
    /// It may pass.
    Open,
    /// It gets this response.
    Closed(Box<Reply>),
}

/// What every challenge of a node shares, whichever shard makes it; the rest is in the configuration in force.
pub(crate) struct Gate {
    key: [u8; 32],
    started: Now,
    windows: SharedWindows,
}

impl Gate {
    /// A gate with a key of its own: nonces of an earlier process are stale. It knows the counts of `nonces` at a time.
    pub(crate) fn new(started: Now, nonces: usize, ids: &mut dyn Ids, hasher: ahash::RandomState) -> Self {
        let mut key = [0; 32];
        for chunk in key.chunks_mut(8) {
            chunk.copy_from_slice(&ids.next_u64().to_le_bytes());
        }
        Self { key, started, windows: SharedWindows::new(started.wall, nonces, hasher) }
    }

    /// Whether a request of this trunk may pass.
    pub(crate) fn check(
        &self,
        now: Now,
        snapshot: &Snapshot,
        trunk: &TrunkName,
        request: &Received,
        counters: &mut Counters,
        ids: &mut dyn Ids,
    ) -> Entry {
        let Some(challenge) = snapshot.config().trunks.get(trunk).and_then(|t| t.challenge.as_ref()) else {
            return Entry::Open;
        };
        let Ok(challenger) = Challenger::new(&self.key, self.started, settings(snapshot, trunk, challenge))
        else {
            return Entry::Closed(Box::new(Reply::new(StatusCode::SERVER_INTERNAL_ERROR)));
        };
        let verdict = challenger.verify(
            now,
            &Covered::from(&request.request),
            &server::credentials(request.headers(), Kind::User),
            &self.windows,
            |user, _| snapshot.user_secret(trunk, user),
        );
        match verdict {
            Verdict::Accepted(_) => Entry::Open,
            Verdict::Absent => ask(&challenger, now, false, ids),
            Verdict::Stale(_) => {
                counters.stale_nonces += 1;
                ask(&challenger, now, true, ids)
            }
            Verdict::Rejected(refusal) if refusal.fault() == Fault::Malformed => {
                Entry::Closed(Box::new(Reply::new(StatusCode::BAD_REQUEST)))
            }
            Verdict::Rejected(_) => ask(&challenger, now, false, ids),
        }
    }
}

/// The realm of the trunk's challenge, and the algorithms of its profile.
fn settings(snapshot: &Snapshot, trunk: &TrunkName, challenge: &Challenge) -> Settings {
    let mut settings = Settings::new(&*challenge.realm);
    if let Some(network) = snapshot.config().trunks.get(trunk).map(|t| &t.network) {
        let profile = snapshot.policy.profile(network, Some(trunk), None);
        let algorithms = profile.digest.algorithms.iter().map(|algorithm| match algorithm {
            config::Algorithm::Sha256 => Algorithm::SHA_256,
            config::Algorithm::Md5 => Algorithm::MD5,
        });
        settings.algorithms = algorithms.collect();
        settings.allow_without_qop = profile.digest.allow_without_qop;
    }
    settings
}

/// 401 with one challenge for each algorithm.
fn ask(challenger: &Challenger, now: Now, stale: bool, ids: &mut dyn Ids) -> Entry {
    let mut reply = Reply::new(StatusCode::UNAUTHORIZED);
    for value in challenger.challenge(now, stale, ids) {
        reply.parts.fields.push(HeaderName::WwwAuthenticate, value);
    }
    Entry::Closed(Box::new(reply))
}
