//! Trunks that register: whose bindings this shard sees to, and what has come of them (RFC 3261 §10.2).
//!
//! One shard of a node registers all trunks of an address-of-record; what it gets, all know by [`Standings`]. With outbound
//! (RFC 5626) a trunk has several registrants, one for each flow. The first begins, and the others once it is known what the
//! registrar makes of that: where it lacks outbound, one flow stands at a time, and the others rest until it fails.
//!
//! What a registrar tells bindings apart by depends on what it knows of outbound. So where another configuration has other
//! bindings in place of what is registered, none is made before those that it could be taken for are removed.

mod act;
mod aliases;
mod begin;
mod called;
mod flow;
mod follow;
mod held;
mod request;
mod standing;
mod tell;
pub(crate) mod view;

pub(crate) use called::Registered;
pub(crate) use standing::{FlowStanding, Standing, Standings, State};

use crate::snapshot::Snapshot;
use config::{AddressOfRecord, Config, Register, TrunkName};
use request::Plan;
use sip::ids::{Ids, below};
use sip::keepalive::KeepId;
use sip::registration::client::{Fault, Registration, Stage};
use sip::session::SessionId;
use sip::time::{Mono, Now};
use sip::{Flow, TimerQueue};
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

/// One registration of a trunk.
struct Registrant {
    trunk: TrunkName,
    /// Which flow it is, counted from 1; 0 without outbound.
    number: u32,
    /// What it goes by: the configuration in force, or, once that has it no more, the last one that did.
    snapshot: Arc<Snapshot>,
    machine: Registration,
    /// Its requests, once there was one.
    session: Option<SessionId>,
    /// When it begins.
    begins: Option<Mono>,
    /// Whether it waits for what becomes of the other flows.
    rests: bool,
    /// Whether it waits for the removal of a binding that it could be taken for.
    held_back: bool,
    /// Which of its registrars is asked, counted around.
    at: usize,
    /// Whether the last REGISTER went where a redirection says, and not to a registrar of the trunk.
    strayed: bool,
    /// Where the registrar has answered from.
    peer: Option<IpAddr>,
    /// The flow that outbound is applied to.
    flow: Option<Flow>,
    /// Whether the last REGISTER went on that.
    on_flow: bool,
    /// Keepalives on the flow that it was registered by.
    keep: Option<KeepId>,
    /// Whether one of them was answered.
    proven: bool,
    fault: Option<Fault>,
    /// What was last told of it.
    told: State,
    /// Whether its registrars are others than those that a REGISTER under way has gone to.
    moved: bool,
    /// Whether it only removes its binding.
    leaving: bool,
}

/// The registrations that one shard sees to.
pub(crate) struct Registrants {
    all: SlotMap<RegistrantId, Registrant>,
    by_session: HashMap<SessionId, RegistrantId, ahash::RandomState>,
    /// Those that the configuration has, by trunk and number of the flow.
    by_trunk: BTreeMap<(TrunkName, u32), RegistrantId>,
    /// Those with keepalives.
    by_keep: BTreeMap<KeepId, RegistrantId>,
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
            by_keep: BTreeMap::new(),
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

    /// Those of a trunk that the configuration has.
    fn of_trunk(&self, trunk: &TrunkName) -> impl Iterator<Item = RegistrantId> {
        let all = self.by_trunk.range((trunk.clone(), 0)..=(trunk.clone(), u32::MAX));
        all.map(|(_, id)| *id)
    }

    /// The other registrants of a trunk.
    fn others(&self, id: RegistrantId) -> impl Iterator<Item = (RegistrantId, &Registrant)> {
        let trunk = self.all.get(id).map(|registrant| &registrant.trunk);
        let all = trunk.into_iter().flat_map(|trunk| self.of_trunk(trunk)).filter(move |other| *other != id);
        all.filter_map(|other| Some((other, self.all.get(other)?)))
    }

    /// Makes registrants of the trunks and flows that have none yet. The first of a trunk begins, and one that comes later.
    fn enter_new(&mut self, now: Now, snapshot: &Arc<Snapshot>, chance: &mut dyn Ids) {
        let is_new = |(name, register, number): &(&TrunkName, &Register, u32)| {
            let known = || self.by_trunk.contains_key(&((*name).clone(), *number));
            is_ours(&register.address, self.shard, self.shards) && !known()
        };
        let new: Vec<(TrunkName, u32)> = registering(snapshot.config())
            .filter(is_new)
            .map(|(name, _, number)| (name.clone(), number))
            .collect();
        let spread = SPREAD.min(APART * u32::try_from(new.len().saturating_sub(1)).unwrap_or(u32::MAX));
        let millis = u32::try_from(spread.as_millis()).unwrap_or(0);
        for (trunk, number) in new {
            let Some(plan) = Plan::of(&trunk, number, snapshot) else { continue };
            let machine = Registration::new(plan.settings());
            let is_begun = |id| self.all.get(id).is_some_and(|of: &Registrant| of.session.is_some());
            let goes = self.of_trunk(&trunk).next().is_none() || self.of_trunk(&trunk).any(is_begun);
            let begins = goes.then(|| now.mono + Duration::from_millis(below(chance, millis).into()));
            let registrant = Registrant::new((trunk.clone(), number), snapshot.clone(), machine, begins);
            let id = self.all.insert(registrant);
            if let Some(begins) = begins {
                self.timers.arm_at(now, begins, id);
            }
            self.by_trunk.insert((trunk, number), id);
        }
    }
}

impl Registrant {
    fn new(
        (trunk, number): (TrunkName, u32),
        snapshot: Arc<Snapshot>,
        machine: Registration,
        begins: Option<Mono>,
    ) -> Self {
        Self {
            trunk,
            number,
            snapshot,
            machine,
            session: None,
            begins,
            rests: begins.is_none(),
            held_back: false,
            at: 0,
            strayed: false,
            peer: None,
            flow: None,
            on_flow: false,
            keep: None,
            proven: false,
            fault: None,
            told: State::Waiting,
            moved: false,
            leaving: false,
        }
    }

    fn plan(&self) -> Option<Plan<'_>> {
        Plan::of(&self.trunk, self.number, &self.snapshot)
    }

    /// Whether something of it is bound, and the last attempt did not fail.
    fn stands(&self, now: Now) -> bool {
        self.machine.bound(now).is_some() && !self.has_failed()
    }

    /// Whether that is without outbound, though it asks for it: then no other flow is to stand.
    fn stands_alone(&self, now: Now) -> bool {
        let bound = self.machine.bound(now);
        self.number > 0 && !self.has_failed() && bound.is_some_and(|(_, extras)| !extras.outbound)
    }

    fn has_failed(&self) -> bool {
        matches!(self.machine.stage(), Stage::Retry(..))
    }
}

/// The trunks that register, with the numbers of their flows.
fn registering(config: &Config) -> impl Iterator<Item = (&TrunkName, &Register, u32)> {
    let trunks =
        config.trunks.iter().filter_map(|(name, trunk)| Some((name, trunk, trunk.register.as_ref()?)));
    trunks.flat_map(|(name, trunk, register)| {
        request::numbers(trunk, register).map(move |number| (name, register, number))
    })
}

/// Whether an address-of-record is registered by that one of so many shards: by a hash (FNV-1a) that all of them agree on.
fn is_ours(address: &AddressOfRecord, shard: u16, shards: u16) -> bool {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = address.to_string().bytes().fold(0xcbf2_9ce4_8422_2325, step);
    hash.checked_rem(shards.into()).unwrap_or(0) == u64::from(shard)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_has_one_shard_and_no_shard_has_them_all() {
        let trunk = |n| {
            format!(
                "[trunks.t{n}]\nnetwork = \"a\"\ntargets = [\"sip:192.0.2.1\"]\n\
                 register = {{ address = \"+49{n}@carrier.example\" }}\n"
            )
        };
        let trunks: String = (0..64).map(trunk).collect();
        let text = format!(
            "networks.a.listeners = [{{ transport = \"udp\", address = \"127.0.0.1:5060\" }}]\n\
             networks.a.media = {{ address = \"127.0.0.1\", ports = \"20000-20999\" }}\n{trunks}"
        );
        let config = Config::parse("trunks.toml", &text).unwrap();
        let addresses: Vec<_> = registering(&config).map(|(_, register, _)| &register.address).collect();
        assert_eq!(addresses.len(), 64);
        for shards in [1u16, 2, 3, 64] {
            let of = |address| (0..shards).filter(|shard| is_ours(address, *shard, shards)).count();
            assert!(addresses.iter().all(|address| of(address) == 1));
            let first = addresses.iter().filter(|address| is_ours(address, 0, shards)).count();
            assert!(first < 64 || shards == 1, "{first} of 64 with {shards} shards");
        }
    }
}
