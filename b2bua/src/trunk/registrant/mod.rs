//! Trunks that register: whose binding this shard sees to, and what has come of it (RFC 3261 §10.2).
//!
//! One shard of a node registers a trunk; what it gets, all know by [`Standings`].

mod act;
mod called;
mod request;
mod standing;
mod tell;
pub(crate) mod view;

pub(crate) use called::called_by_contact;
pub(crate) use standing::{Standing, Standings, State};

use crate::snapshot::Snapshot;
use config::{Config, TrunkName};
use request::Plan;
use sip::TimerQueue;
use sip::ids::{Ids, below};
use sip::registration::client::{Backoff, Fault, Registration, Settings};
use sip::session::SessionId;
use sip::time::{Mono, Now};
use slotmap::SlotMap;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// First REGISTERs are spread, by so much for each of them.
const APART: Duration = Duration::from_millis(10);
/// The longest that they are.
const SPREAD: Duration = Duration::from_secs(30);

slotmap::new_key_type! {
    /// Names a registrant.
    pub(crate) struct RegistrantId;
}

/// One trunk's registration.
struct Registrant {
    trunk: TrunkName,
    /// What it goes by: the configuration in force, or, once that has it no more, the last one that did.
    snapshot: Arc<Snapshot>,
    machine: Registration,
    /// Its requests, once there was one.
    session: Option<SessionId>,
    /// When it begins.
    begins: Option<Mono>,
    /// Which of its registrars is asked, counted around.
    at: usize,
    /// Whether the last REGISTER went where a redirection says, and not to a registrar of the trunk.
    strayed: bool,
    /// Where the registrar has answered from.
    peer: Option<IpAddr>,
    fault: Option<Fault>,
    /// What was last told of it.
    told: State,
    /// Whether it only removes its binding.
    leaving: bool,
}

/// The registrations that one shard sees to.
pub(crate) struct Registrants {
    all: SlotMap<RegistrantId, Registrant>,
    by_session: HashMap<SessionId, RegistrantId, ahash::RandomState>,
    /// Those that the configuration has.
    by_trunk: BTreeMap<TrunkName, RegistrantId>,
    timers: TimerQueue<RegistrantId>,
    shard: u16,
    shards: u16,
}

impl Registrants {
    /// Those of a configuration that are this shard's, about to begin.
    pub(crate) fn new(
        snapshot: &Arc<Snapshot>,
        (shard, shards): (u16, u16),
        hasher: &ahash::RandomState,
        chance: &mut dyn Ids,
    ) -> Self {
        let mut registrants = Self {
            all: SlotMap::with_key(),
            by_session: HashMap::with_hasher(hasher.clone()),
            by_trunk: BTreeMap::new(),
            timers: TimerQueue::default(),
            shard,
            shards,
        };
        registrants.enter_new(Now::default(), snapshot, chance);
        registrants
    }

    /// When the next one has something to do.
    pub(crate) fn next(&self) -> Option<Mono> {
        self.timers.next()
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The trunk of a session, as it was when its request was made; and whether that went to no registrar of the trunk.
    pub(crate) fn of_session(&self, session: SessionId) -> Option<(&Arc<Snapshot>, bool)> {
        let registrant = self.all.get(*self.by_session.get(&session)?)?;
        Some((&registrant.snapshot, registrant.strayed))
    }

    /// How many trunks this shard registers, and how many of them with success when last tried.
    pub(crate) fn held(&self) -> (usize, usize) {
        let ours = || self.by_trunk.values().filter_map(|id| self.all.get(*id));
        (ours().count(), ours().filter(|of| of.told == State::Registered).count())
    }

    /// Makes registrants of the trunks that have none yet.
    fn enter_new(&mut self, now: Now, snapshot: &Arc<Snapshot>, chance: &mut dyn Ids) {
        let new: Vec<TrunkName> = registering(snapshot.config())
            .filter(|name| is_ours(name, self.shard, self.shards) && !self.by_trunk.contains_key(*name))
            .cloned()
            .collect();
        let spread = SPREAD.min(APART * u32::try_from(new.len().saturating_sub(1)).unwrap_or(u32::MAX));
        let millis = u32::try_from(spread.as_millis()).unwrap_or(0);
        for trunk in new {
            let Some(plan) = Plan::of(&trunk, snapshot) else { continue };
            let begins = now.mono + Duration::from_millis(below(chance, millis).into());
            let machine = Registration::new(settings(&plan));
            let id = self.all.insert(Registrant {
                trunk: trunk.clone(),
                snapshot: snapshot.clone(),
                machine,
                session: None,
                begins: Some(begins),
                at: 0,
                strayed: false,
                peer: None,
                fault: None,
                told: State::Waiting,
                leaving: false,
            });
            self.timers.arm_at(now, begins, id);
            self.by_trunk.insert(trunk, id);
        }
    }
}

/// The trunks that register.
fn registering(config: &Config) -> impl Iterator<Item = &TrunkName> {
    config.trunks.iter().filter(|(_, trunk)| trunk.register.is_some()).map(|(name, _)| name)
}

/// Whether a trunk is registered by that one of so many shards: by a hash (FNV-1a) that all of them agree on.
fn is_ours(trunk: &TrunkName, shard: u16, shards: u16) -> bool {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = trunk.as_str().bytes().fold(0xcbf2_9ce4_8422_2325, step);
    hash.checked_rem(shards.into()).unwrap_or(0) == u64::from(shard)
}

/// What the machine is to do.
fn settings(plan: &Plan<'_>) -> Settings {
    Settings {
        expires: plan.register.expires,
        refused: plan.register.refused_wait,
        backoff: Backoff::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_trunk_has_one_shard_and_no_shard_has_them_all() {
        let trunks: String = (0..64).map(|n| format!("[trunks.t{n}]\nnetwork = \"a\"\n")).collect();
        let text = format!(
            "networks.a.listeners = [{{ transport = \"udp\", address = \"127.0.0.1:5060\" }}]\n\
             networks.a.media = {{ address = \"127.0.0.1\", ports = \"20000-20999\" }}\n{trunks}"
        );
        let config = Config::parse("trunks.toml", &text).unwrap();
        for shards in [1u16, 2, 3, 64] {
            let of = |name: &TrunkName| (0..shards).filter(|shard| is_ours(name, *shard, shards)).count();
            assert!(config.trunks.keys().all(|name| of(name) == 1));
            let first = config.trunks.keys().filter(|name| is_ours(name, 0, shards)).count();
            assert!(first < 64 || shards == 1, "{first} of 64 with {shards} shards");
        }
    }
}
