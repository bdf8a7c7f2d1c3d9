//! Requests outside a dialog that begin no call (RFC 3261 §11): OPTIONS. What asks for us is answered as we would answer a
//! call; what asks for somebody behind us goes where a call would, as a request of our own, and waits for what comes of it.

mod answer;
mod serve;

use super::Place;
use crate::snapshot::Snapshot;
use config::Profile;
use sip::session::{RequestId, SessionId};
use sip::time::Mono;
use sip::{NetworkId, Received};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// Who waits longer than that is not worth another place: with the time that a place may be silent, it ends before the 32
/// seconds that they wait for a final response (RFC 3261 §17.1.2.2, RFC 4320 §4.2).
const PATIENCE: Duration = Duration::from_secs(16);

/// Requests that wait, by our session with the far side. There are no more than `limits.asked_requests`, because each is one
/// that the endpoint has handed up.
pub(crate) type Outside = HashMap<SessionId, Waiting, ahash::RandomState>;

/// A request that waits for an answer from behind us.
pub(crate) struct Waiting {
    id: RequestId,
    request: Received,
    snapshot: Arc<Snapshot>,
    /// The side that it came from.
    network: NetworkId,
    profile: Arc<Profile>,
    /// The side that is asked now.
    asked: (NetworkId, Arc<Profile>),
    /// Where else it may go.
    left: VecDeque<Place>,
    /// When no other place is tried any more.
    until: Mono,
}
