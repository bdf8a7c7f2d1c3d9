//! The configuration, made ready for decisions.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use config::{Config, NetworkName, Profile, ProfileName, Register, TrunkName};
use sip_types::Uri;

use crate::explain::Trail;
use crate::reached::Reached;
use crate::route::{Decision, RouteFacts, Routes, Sources};

/// A configuration with the tables that decisions look things up in. Immutable; one per version of the document.
#[derive(Debug)]
pub struct Compiled {
    config: Arc<Config>,
    profiles: BTreeMap<ProfileName, Arc<Profile>>,
    default_profile: Arc<Profile>,
    sources: BTreeMap<NetworkName, Sources>,
    /// Domains as they are compared, by network.
    identities: BTreeMap<NetworkName, BTreeMap<String, TrunkName>>,
    /// Trunks by the user of the contact that we register with them, by network.
    contacts: BTreeMap<NetworkName, BTreeMap<String, TrunkName>>,
    reached: Reached,
    /// Those of our challenges and credentials.
    realms: Vec<Box<str>>,
    routes: Routes,
}

impl Compiled {
    /// Builds the tables.
    #[must_use]
    pub fn new(config: Arc<Config>) -> Self {
        let profiles: BTreeMap<_, _> =
            config.profiles.iter().map(|(name, profile)| (name.clone(), Arc::new(profile.clone()))).collect();
        let default_profile = profiles.get(ProfileName::DEFAULT).cloned().unwrap_or_default();
        let mut identities: BTreeMap<NetworkName, BTreeMap<String, TrunkName>> = BTreeMap::new();
        let mut sources: BTreeMap<NetworkName, Sources> = BTreeMap::new();
        let mut contacts: BTreeMap<NetworkName, BTreeMap<String, TrunkName>> = BTreeMap::new();
        for (name, trunk) in &config.trunks {
            if let Some(register) = &trunk.register {
                let of = contacts.entry(trunk.network.clone()).or_default();
                of.insert(register.contact_user(name).to_owned(), name.clone());
            }
            // Whoever is known by what it proves is not known by an address that others may take.
            if trunk.identities.is_empty() {
                let of = sources.entry(trunk.network.clone()).or_default();
                trunk.from.iter().for_each(|from| of.insert(*from, name));
            }
            let of: &mut BTreeMap<_, _> = identities.entry(trunk.network.clone()).or_default();
            of.extend(trunk.identities.iter().map(|identity| (identity.comparable(), name.clone())));
        }
        let (routes, realms) = (Routes::new(&config.routes), realms(&config));
        let reached = Reached::new(&config);
        Self { config, profiles, default_profile, sources, identities, contacts, reached, realms, routes }
    }

    /// The realms of our own challenges and credentials.
    #[must_use]
    pub fn realms(&self) -> &[Box<str>] {
        &self.realms
    }

    /// The document that it was built from.
    #[must_use]
    pub fn config(&self) -> &Arc<Config> {
        &self.config
    }

    /// Whether a contact that was registered from `source` leads to a trunk: calls to it would go past all routes.
    #[must_use]
    pub fn leads_to_trunk(&self, contact: &Uri, source: IpAddr) -> bool {
        self.reached.leads(contact, source)
    }

    /// The trunk that a source address belongs to: the one with the longest matching network in its `from`. An IPv4
    /// address mapped into IPv6 counts as the IPv4 address (RFC 4291 §2.5.5.2).
    #[must_use]
    pub fn peer(&self, network: &NetworkName, source: IpAddr) -> Option<&TrunkName> {
        self.sources.get(network)?.find(source)
    }

    /// Whether a source address tells a trunk from everybody else ([`config::Trunk::own_sources`]).
    #[must_use]
    pub fn own_source(&self, network: &NetworkName, source: IpAddr) -> bool {
        let source = source.to_canonical();
        let trunk = self.peer(network, source).and_then(|name| self.config.trunks.get(name));
        trunk.is_some_and(|trunk| trunk.own_sources().any(|net| net.contains(&source)))
    }

    /// The trunk that one of the domains belongs to which a certificate has proved (RFC 5922 §7.4), in small letters
    /// and without a dot at the end. With a `from`, it must come from there, too.
    #[must_use]
    pub fn proven_peer<'d>(
        &self,
        network: &NetworkName,
        source: IpAddr,
        domains: impl IntoIterator<Item = &'d str>,
    ) -> Option<&TrunkName> {
        let known = self.identities.get(network)?;
        let source = source.to_canonical();
        domains.into_iter().find_map(|domain| known.get(domain)).filter(|name| {
            let from = self.config.trunks.get(*name).map(|trunk| trunk.from.as_slice()).unwrap_or_default();
            from.is_empty() || from.iter().any(|net| net.contains(&source))
        })
    }

    /// The trunk that we register that contact with, and how. Who calls it has proved nothing yet.
    #[must_use]
    pub fn registered_contact(&self, network: &NetworkName, user: &str) -> Option<(&TrunkName, &Register)> {
        let name = self.contacts.get(network)?.get(user)?;
        Some((name, self.config.trunks.get(name)?.register.as_ref()?))
    }

    /// The trunks of a network that we register with, and how.
    pub fn registering(&self, network: &NetworkName) -> impl Iterator<Item = (&TrunkName, &Register)> {
        let names = self.contacts.get(network).into_iter().flat_map(BTreeMap::values);
        names.filter_map(|name| Some((name, self.config.trunks.get(name)?.register.as_ref()?)))
    }

    /// The profile of a leg: the route's, else the trunk's, else the network's, else `default`.
    #[must_use]
    pub fn profile(
        &self,
        network: &NetworkName,
        trunk: Option<&TrunkName>,
        route: Option<&ProfileName>,
    ) -> Arc<Profile> {
        let of_trunk = || trunk.and_then(|name| self.config.trunks.get(name)?.profile.as_ref());
        let of_network = || self.config.networks.get(network).and_then(|network| network.profile.as_ref());
        let name = route.or_else(of_trunk).or_else(of_network);
        name.and_then(|name| self.profiles.get(name)).unwrap_or(&self.default_profile).clone()
    }

    /// Where a request goes; the routes that were tried are added to the trail.
    pub fn route(&self, facts: &RouteFacts<'_>, trail: &mut Trail) -> Decision {
        self.routes.decide(self, facts, trail)
    }

    /// Why each route does or does not take a request: one line a route, in the order of the document.
    #[must_use]
    pub fn explain(&self, facts: &RouteFacts<'_>) -> Vec<String> {
        self.routes.explain(self, facts)
    }
}

/// The realms that a configuration names, each once.
fn realms(config: &Config) -> Vec<Box<str>> {
    let registrars = config.networks.values().filter_map(|network| network.registrar.as_ref());
    let challenges = registrars.map(|registrar| &registrar.challenge);
    let challenges = challenges.chain(config.trunks.values().filter_map(|trunk| trunk.challenge.as_ref()));
    let passwords = config.trunks.values().flat_map(|trunk| &trunk.credentials).map(|one| &one.realm);
    let cards = config.trunks.values().flat_map(|trunk| &trunk.card_credentials).map(|one| &one.realm);
    let all = challenges.map(|one| &one.realm).chain(passwords).chain(cards);
    all.map(|realm| realm.to_string().into()).collect::<BTreeSet<_>>().into_iter().collect()
}

#[cfg(test)]
mod tests {
    use crate::testing::{NETWORKS, compiled, name};

    #[test]
    fn rfc5922_7_4_a_proven_domain_is_that_of_one_trunk() {
        let policy = compiled(&format!(
            "{NETWORKS}[trunks.t]\nnetwork = \"b\"\nidentities = [\"PBX.example.com.\", \"other.example\"]\n\
             [trunks.u]\nnetwork = \"b\"\nidentities = [\"u.example\"]\nfrom = [\"192.0.2.0/24\"]\n"
        ));
        let from = |network: &str, source: &str, domains: &[&str]| {
            let network = name(&policy.config().networks, network);
            let source = source.parse().unwrap();
            policy.proven_peer(network, source, domains.iter().copied()).map(ToString::to_string)
        };
        let of = |network: &str, domains: &[&str]| from(network, "203.0.113.1", domains);
        assert_eq!(of("b", &["nobody.example", "pbx.example.com"]), Some("t".to_owned()));
        assert_eq!(of("b", &["*.example.com", "a.pbx.example.com", "example.com"]), None);
        assert_eq!(of("a", &["pbx.example.com"]), None, "in its own network only");
        assert_eq!(from("b", "::ffff:192.0.2.7", &["u.example"]), Some("u".to_owned()));
        assert_eq!(of("b", &["u.example"]), None, "where it says where it comes from, from there only");
        let b = name(&policy.config().networks, "b");
        assert_eq!(policy.peer(b, "192.0.2.7".parse().unwrap()), None, "its address alone proves nothing");
    }

    #[test]
    fn the_profile_is_the_routes_else_the_trunks_else_the_networks_else_the_default() {
        let policy = compiled(&format!(
            "{NETWORKS}profile = \"n\"\n[trunks.t]\nnetwork = \"b\"\nprofile = \"t\"\n[trunks.u]\nnetwork = \"b\"\n\
             [profiles.r]\nring_limit = \"1s\"\n[profiles.t]\nring_limit = \"2s\"\n[profiles.n]\nring_limit = \"3s\"\n\
             [[routes]]\nname = \"r\"\nto = [{{ uri = \"sip:x@y\", network = \"b\" }}]\nprofile = \"r\"\n"
        ));
        let route = policy.config().routes[0].profile.clone();
        let ring = |network: &str, trunk: Option<&str>, route| {
            let (network, trunk) =
                (name(&policy.config().networks, network), trunk.map(|t| name(&policy.config().trunks, t)));
            policy.profile(network, trunk, route).ring_limit.as_secs()
        };
        assert_eq!(ring("b", Some("t"), route.as_ref()), 1);
        assert_eq!(ring("b", Some("t"), None), 2);
        assert_eq!(ring("b", Some("u"), None), 3);
        assert_eq!(ring("a", None, None), 180);
    }
}
