//! What every shard knows of the registrations of trunks.

use config::TrunkName;
use sip::registration::client::Fault;
use sip::time::{Mono, Now};
use sip_types::Uri;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::SystemTime;

/// How a registration is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It has not begun.
    Waiting,
    /// A REGISTER is under way.
    Registering,
    /// The time to refresh has not come.
    Registered,
    /// The last attempt failed.
    Failed,
    /// The REGISTER that removes the binding is under way.
    Unregistering,
    /// The binding was removed.
    Unregistered,
}

/// A registration as it is known. It never changes: another one takes its place.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    pub(crate) state: State,
    /// When what was granted ends.
    pub(crate) until: Option<Mono>,
    /// The route of calls by it (RFC 3608 §5), each value as text.
    pub(crate) service_route: Box<[Box<str>]>,
    /// The first of them.
    pub(crate) first_hop: Option<Uri>,
    /// Where the registrar has answered from.
    pub(crate) registrar: Option<IpAddr>,
    /// The URI that REGISTERs go to.
    pub(crate) towards: Box<str>,
    /// Attempts that failed in a row.
    pub(crate) failures: u32,
    /// What the last attempt failed with.
    pub(crate) fault: Option<Fault>,
    /// When what was granted ends, on the calendar.
    pub(crate) expires: Option<SystemTime>,
    /// When the next REGISTER is due.
    pub(crate) next: Option<SystemTime>,
    pub(crate) shard: u16,
}

impl Standing {
    /// Whether the trunk is registered.
    pub(crate) fn is_bound(&self, now: Now) -> bool {
        self.until.is_some_and(|until| until > now.mono)
    }
}

/// The registrations of all trunks, each written by the shard that sees to it and read by all without locks.
pub(crate) struct Standings(papaya::HashMap<TrunkName, Arc<Standing>, ahash::RandomState>);

impl Standings {
    pub(crate) fn new(hasher: &ahash::RandomState) -> Self {
        Self(papaya::HashMap::with_hasher(hasher.clone()))
    }

    /// That of a trunk.
    pub(crate) fn get(&self, trunk: &TrunkName) -> Option<Arc<Standing>> {
        self.0.pin().get(trunk).cloned()
    }

    pub(super) fn set(&self, trunk: &TrunkName, standing: Standing) {
        self.0.pin().insert(trunk.clone(), Arc::new(standing));
    }

    pub(super) fn remove(&self, trunk: &TrunkName) {
        self.0.pin().remove(trunk);
    }
}
