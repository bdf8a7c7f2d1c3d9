//! What every shard knows of the registrations of trunks.

use super::aliases::{Aliases, is_same_gruu};
use config::TrunkName;
use papaya::Operation;
use sip::Flow;
use sip::registration::client::{Fault, Gruus};
use sip::time::{Mono, Now};
use sip_types::Uri;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::SystemTime;

/// How a registration is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It has not begun, or rests while another flow stands that must stand alone.
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

/// The registrations of a trunk as they are known. They never change: others take their place.
#[derive(Clone, Debug, Default)]
pub(crate) struct Standing {
    /// By number; one without outbound.
    flows: Box<[FlowStanding]>,
    /// What they have been called by since one of them at least has stood without a break.
    aliases: Aliases,
}

/// One of them.
#[derive(Clone, Debug)]
pub(crate) struct FlowStanding {
    /// Which flow it is, counted from 1; 0 without outbound.
    pub(crate) number: u32,
    pub(crate) state: State,
    /// The flow that calls take, while outbound is applied to it.
    pub(crate) flow: Option<Flow>,
    /// Whether a keepalive on the flow that it was registered by was answered; `None` where none are sent.
    pub(crate) proven: Option<bool>,
    /// When what was granted ends.
    pub(crate) until: Option<Mono>,
    /// The route of calls by it (RFC 3608 §5), each value as text.
    pub(crate) service_route: Box<[Box<str>]>,
    /// The first of them.
    pub(crate) first_hop: Option<Uri>,
    /// Where the registrar has answered from.
    pub(crate) registrar: Option<IpAddr>,
    /// The GRUUs that it was given last (RFC 5627 §4.2).
    pub(crate) gruus: Gruus,
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

impl FlowStanding {
    /// Whether it is registered.
    pub(crate) fn is_bound(&self, now: Now) -> bool {
        self.until.is_some_and(|until| until > now.mono)
    }
}

impl Standing {
    /// All of them.
    pub(crate) fn flows(&self) -> &[FlowStanding] {
        &self.flows
    }

    /// Those that calls may take, the best first: flows, of these the ones whose keepalives are answered; then what stands
    /// without a flow that is known to work.
    pub(crate) fn ways(&self, now: Now) -> Vec<&FlowStanding> {
        let mut ways: Vec<&FlowStanding> = self.flows.iter().filter(|of| of.is_bound(now)).collect();
        ways.sort_by_key(|of| (of.flow.is_none(), of.proven != Some(true)));
        ways
    }

    /// Whether a registrar of the trunk has answered from there.
    pub(crate) fn has_registrar(&self, source: IpAddr) -> bool {
        self.flows.iter().any(|of| of.registrar == Some(source))
    }

    /// The one that says most of how the trunk is: of those that are registered the first, else the first.
    pub(crate) fn chief(&self) -> Option<&FlowStanding> {
        let registered = self.flows.iter().find(|of| of.state == State::Registered);
        registered.or(self.flows.first())
    }

    /// The GRUUs that were given last, by the best way.
    pub(crate) fn gruus(&self, now: Now) -> Option<&Gruus> {
        self.ways(now).into_iter().map(|way| &way.gruus).find(|gruus| !gruus.is_empty())
    }

    /// Which of the periods without a break it is, as temporary GRUUs are good for one of them.
    pub(crate) fn period(&self) -> u64 {
        self.aliases.period()
    }

    /// Whether a URI is a GRUU of ours, of this or an earlier REGISTER.
    pub(crate) fn goes_by(&self, now: Now, uri: &Uri) -> bool {
        let bound = || self.flows.iter().filter(|of| of.is_bound(now));
        let mut public = bound().filter_map(|of| of.gruus.public.as_ref());
        public.any(|gruu| is_same_gruu(gruu, uri)) || (self.aliases.has(uri) && bound().next().is_some())
    }

    fn without(&self, number: u32) -> Vec<FlowStanding> {
        self.flows.iter().filter(|of| of.number != number).cloned().collect()
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

    pub(super) fn set(&self, now: Now, trunk: &TrunkName, flow: &FlowStanding) {
        self.change(trunk, |before| {
            let stands = before.flows.iter().any(|of| of.is_bound(now));
            let aliases = before.aliases.follow(stands, flow.gruus.temporary.as_ref());
            let mut flows = before.without(flow.number);
            flows.push(flow.clone());
            flows.sort_by_key(|of| of.number);
            Standing { flows: flows.into(), aliases }
        });
    }

    /// Forgets what that shard has told; another one may have the trunk by now, at another address-of-record.
    pub(super) fn remove(&self, trunk: &TrunkName, number: u32, shard: u16) {
        self.change(trunk, |before| {
            let others = before.flows.iter().filter(|of| (of.number, of.shard) != (number, shard));
            Standing { flows: others.cloned().collect(), aliases: before.aliases.clone() }
        });
    }

    /// Puts another standing in the place of one, whoever else does so meanwhile.
    fn change(&self, trunk: &TrunkName, to: impl Fn(&Standing) -> Standing) {
        self.0.pin().compute(trunk.clone(), |before| {
            let none = Standing::default();
            let standing = to(before.map_or(&none, |(_, standing)| standing));
            if standing.flows.is_empty() {
                return before.map_or(Operation::Abort(()), |_| Operation::Remove);
            }
            Operation::Insert(Arc::new(standing))
        });
    }
}
