//! Which trunk or URI a request goes to.

mod party;
mod pattern;
mod prefix;
mod rewrite;
mod source;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytestring::ByteString;
use config::{NetworkName, Pattern, Profile, Route, RouteName, TrunkName};
use sip_types::{Method, StatusCode, Uri};

pub use rewrite::referred;
pub(crate) use source::Sources;

use crate::compiled::Compiled;
use crate::explain::{Step, Trail};
use crate::route::party::Party;
use crate::route::pattern::PatternTable;

/// What routing knows of a request.
#[derive(Clone, Copy, Debug)]
pub struct RouteFacts<'f> {
    /// The network that it came from.
    pub network: &'f NetworkName,
    /// The trunk that it came from, by [`Compiled::peer`].
    pub trunk: Option<&'f TrunkName>,
    /// Its method.
    pub method: &'f Method,
    /// Its Request-URI: the called party.
    pub request_uri: &'f Uri,
    /// The URI of From: the calling party.
    pub from: Option<&'f Uri>,
}

/// Where a request goes.
#[derive(Clone, Debug)]
pub enum Decision {
    /// To these targets, tried in order; never empty.
    Targets {
        /// The route that matched.
        route: RouteName,
        /// The targets.
        targets: Vec<Target>,
    },
    /// Refused.
    Reject {
        /// The route that matched.
        route: RouteName,
        /// The status.
        status: StatusCode,
        /// The reason phrase, if it is not the status's own.
        reason: Option<ByteString>,
        /// The Retry-After.
        retry_after: Option<Duration>,
    },
    /// No route matched: 404 (RFC 3261 §21.4.5).
    NoRoute,
}

/// One leg to dial.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// The trunk, if it is one's.
    pub trunk: Option<TrunkName>,
    /// The network to call from.
    pub network: NetworkName,
    /// The profile of the leg.
    pub profile: Arc<Profile>,
    /// The Request-URI.
    pub request_uri: Uri,
    /// Where the request is sent (RFC 3263 starts from it).
    pub next_hop: Uri,
    /// Whether the Request-URI names a user of a registrar of ours: then the request goes to what that user has
    /// registered, and to nowhere else.
    pub registered: bool,
}

/// What of a route did not match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Miss {
    /// The called party.
    Called,
    /// The network.
    Network,
    /// The trunk.
    Trunk,
    /// The method.
    Method,
    /// The calling party.
    Calling,
}

impl fmt::Display for Miss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Called => "the called party does not match",
            Self::Network => "the network does not match",
            Self::Trunk => "the trunk does not match",
            Self::Method => "the method does not match",
            Self::Calling => "the calling party does not match",
        })
    }
}

/// Every route, found by what it asks of the called party.
#[derive(Debug)]
pub(crate) struct Routes {
    /// By priority; within one, routes (by index) by their patterns.
    levels: BTreeMap<u8, PatternTable<Vec<usize>>>,
    /// By index: what each route asks of the calling party; `None` asks nothing.
    calling: Vec<Option<PatternTable<()>>>,
}

impl Routes {
    pub(crate) fn new(routes: &[Route]) -> Self {
        let mut levels: BTreeMap<u8, PatternTable<Vec<usize>>> = BTreeMap::new();
        for (index, route) in routes.iter().enumerate() {
            let level = levels.entry(route.priority).or_default();
            if route.called.is_empty() {
                level.entry(&Pattern::Any).push(index);
            }
            route.called.iter().for_each(|pattern| level.entry(pattern).push(index));
        }
        levels.values_mut().for_each(PatternTable::finish);
        let calling = routes.iter().map(|route| {
            (!route.calling.is_empty()).then(|| {
                let mut table = PatternTable::default();
                route.calling.iter().for_each(|pattern| *table.entry(pattern) = ());
                table.finish();
                table
            })
        });
        Self { levels, calling: calling.collect() }
    }

    pub(crate) fn decide(&self, policy: &Compiled, facts: &RouteFacts<'_>, trail: &mut Trail) -> Decision {
        let called = Party::new(facts.request_uri);
        for level in self.levels.values().rev() {
            let decision = level.find(&called, |pattern, routes| {
                routes.iter().find_map(|index| self.consider(*index, pattern, policy, facts, trail))
            });
            if let Some(decision) = decision {
                return decision;
            }
        }
        trail.push(Step::NoRoute);
        Decision::NoRoute
    }

    /// The decision of a route whose `called` matches, if all else does.
    fn consider(
        &self,
        index: usize,
        pattern: &Pattern,
        policy: &Compiled,
        facts: &RouteFacts<'_>,
        trail: &mut Trail,
    ) -> Option<Decision> {
        let route = policy.config().routes.get(index)?;
        let (name, called) = (route.name.clone(), pattern.clone());
        if let Some(miss) = self.miss(index, route, facts) {
            trail.push(Step::Missed { route: name, called, miss });
            return None;
        }
        if let Some(reject) = &route.reject {
            trail.push(Step::Rejected { route: name.clone(), called, status: reject.status });
            let (status, reason, retry_after) = (reject.status, reject.reason.clone(), reject.retry_after);
            return Some(Decision::Reject { route: name, status, reason, retry_after });
        }
        let to = route.to.iter().map(|target| match target {
            config::Target::Trunk(trunk) => trunk.as_str().into(),
            config::Target::Uri(target) => target.uri.to_bytestring(),
            config::Target::Domain(target) => format!("the devices at {}", target.domain).into(),
        });
        trail.push(Step::Routed { route: name.clone(), called, to: to.collect() });
        Some(Decision::Targets { route: name, targets: targets(route, policy, facts.request_uri) })
    }

    fn miss(&self, index: usize, route: &Route, facts: &RouteFacts<'_>) -> Option<Miss> {
        if !route.networks.is_empty() && !route.networks.contains(facts.network) {
            return Some(Miss::Network);
        }
        if !route.trunks.is_empty() && !facts.trunk.is_some_and(|trunk| route.trunks.contains(trunk)) {
            return Some(Miss::Trunk);
        }
        if !route.methods.is_empty() && !route.methods.contains(facts.method) {
            return Some(Miss::Method);
        }
        let calling = self.calling.get(index).and_then(Option::as_ref)?;
        let party = facts.from.map(Party::new);
        let matches = party.is_some_and(|party| calling.find(&party, |_, ()| Some(())).is_some());
        (!matches).then_some(Miss::Calling)
    }

    pub(crate) fn explain(&self, policy: &Compiled, facts: &RouteFacts<'_>) -> Vec<String> {
        let called = Party::new(facts.request_uri);
        let mut taken = Trail::default();
        let chosen = match self.decide(policy, facts, &mut taken) {
            Decision::Targets { route, .. } | Decision::Reject { route, .. } => Some(route),
            Decision::NoRoute => None,
        };
        let line = |(index, route): (usize, &Route)| {
            let matches =
                route.called.is_empty() || route.called.iter().any(|pattern| called.matches(pattern));
            let verdict = match self.miss(index, route, facts) {
                _ if !matches => Miss::Called.to_string(),
                Some(miss) => miss.to_string(),
                None if chosen.as_ref() == Some(&route.name) => "matches, and is taken".to_owned(),
                None => "matches, but another one comes first".to_owned(),
            };
            format!("routes[{index}] {}: {verdict}", route.name)
        };
        policy.config().routes.iter().enumerate().map(line).collect()
    }
}

fn targets(route: &Route, policy: &Compiled, called: &Uri) -> Vec<Target> {
    let mut targets = Vec::with_capacity(route.to.len());
    for target in &route.to {
        match target {
            config::Target::Uri(target) => targets.push(Target {
                trunk: None,
                network: target.network.clone(),
                profile: policy.profile(&target.network, None, route.profile.as_ref()),
                request_uri: target.uri.for_request_line(),
                next_hop: target.uri.clone(),
                registered: false,
            }),
            config::Target::Domain(target) => {
                let domain = &target.domain;
                let Some((network, _)) = policy.config().registrar_of(&domain.to_string()) else { continue };
                let uri = rewrite::user_at(called, domain, route.number.as_ref());
                targets.extend(uri.map(|uri| Target {
                    trunk: None,
                    network: network.clone(),
                    profile: policy.profile(network, None, route.profile.as_ref()),
                    request_uri: uri.clone(),
                    next_hop: uri,
                    registered: true,
                }));
            }
            config::Target::Trunk(name) => {
                let Some(trunk) = policy.config().trunks.get(name) else { continue };
                let profile = policy.profile(&trunk.network, Some(name), route.profile.as_ref());
                targets.extend(trunk.targets.iter().map(|uri| Target {
                    trunk: Some(name.clone()),
                    network: trunk.network.clone(),
                    profile: profile.clone(),
                    request_uri: rewrite::request_uri(
                        called,
                        uri,
                        trunk.domain.as_ref(),
                        route.number.as_ref(),
                    ),
                    next_hop: uri.clone(),
                    registered: false,
                }));
            }
        }
    }
    targets
}
