//! OPTIONS to the targets of trunks, so that those that are down are known before a call finds out.

use crate::shard::{Core, listener_in};
use crate::snapshot::conduct;
use config::{Config, TrunkName};
use sip::ids::{Ids, below};
use sip::session::{Ask, Parts, Patience};
use sip::time::{Mono, Now};
use sip_types::Method;
use std::collections::BTreeMap;
use std::time::Duration;

/// When each trunk with `probe` has its turn.
pub(crate) struct Probes {
    due: BTreeMap<TrunkName, Mono>,
    next: Option<Mono>,
}

impl Probes {
    /// The trunks of a configuration, each at a time of its own within its interval, counted from the shell's epoch.
    pub(crate) fn new(config: &Config, chance: &mut dyn Ids) -> Self {
        let mut probes = Self { due: BTreeMap::new(), next: None };
        probes.follow(Now::default(), config, chance);
        probes
    }

    /// Takes the trunks of another configuration. Those that have a turn keep it, unless it would come sooner.
    pub(crate) fn follow(&mut self, now: Now, config: &Config, chance: &mut dyn Ids) {
        let probed = |name: &TrunkName| config.trunks.get(name).and_then(|trunk| trunk.probe);
        self.due.retain(|name, _| probed(name).is_some());
        for (name, every) in config.trunks.iter().filter_map(|(name, trunk)| Some((name, trunk.probe?))) {
            let millis = u32::try_from(every.as_millis()).unwrap_or(u32::MAX);
            let at = now.mono + Duration::from_millis(below(chance, millis).into());
            let due = self.due.entry(name.clone()).or_insert(at);
            *due = (*due).min(now.mono + every);
        }
        self.next = self.due.values().min().copied();
    }

    /// When the next trunk has its turn.
    pub(crate) fn next(&self) -> Option<Mono> {
        self.next
    }

    /// The trunks whose turn it is; the next one of each is set.
    fn take(&mut self, now: Now, config: &Config) -> Vec<TrunkName> {
        if self.next.is_none_or(|at| at > now.mono) {
            return Vec::new();
        }
        let mut taken = Vec::new();
        for (name, due) in self.due.iter_mut().filter(|(_, due)| **due <= now.mono) {
            if let Some(every) = config.trunks.get(name).and_then(|trunk| trunk.probe) {
                *due = now.mono + every;
                taken.push(name.clone());
            }
        }
        self.next = self.due.values().min().copied();
        taken
    }
}

impl Core {
    /// Sends the probes whose time has come. What comes back is for the memory of targets alone.
    pub(crate) fn probe_due(&mut self, now: Now) {
        if self.drain.is_some() {
            return;
        }
        let snapshot = self.snapshot.clone();
        for name in self.probes.take(now, snapshot.config()) {
            for ask in self.probes_of(&name) {
                // Where there is no room for a session, the next turn will do.
                if self.endpoint.ask(now, ask).is_err() {
                    self.counters.probes_skipped += 1;
                }
            }
        }
    }

    fn probes_of(&mut self, name: &TrunkName) -> Vec<Ask> {
        let snapshot = self.snapshot.clone();
        let Some(trunk) = snapshot.config().trunks.get(name) else { return Vec::new() };
        let Some(network) = snapshot.network_id(&trunk.network) else { return Vec::new() };
        let Some(listener) = listener_in(&self.endpoint, network) else { return Vec::new() };
        let from: Box<str> = format!("<sip:{}>", listener.sent_by).into();
        let label = self.label(Some(name));
        let profile = snapshot.policy.profile(&trunk.network, Some(name), None);
        let ask = |uri: &sip_types::Uri| Ask {
            network,
            label,
            conduct: Some(conduct(&profile)),
            method: Method::Options,
            request_uri: uri.clone(),
            next_hop: uri.clone(),
            routes: Box::default(),
            flow: None,
            outbound: false,
            keep: false,
            from: from.clone(),
            to: format!("<{uri}>").into(),
            contact_user: None,
            max_forwards: 70,
            patience: Patience { target: Some(profile.target_timeout), last_resort: false },
            everywhere: true,
            parts: Parts::default(),
        };
        trunk.targets.iter().map(ask).collect()
    }
}
