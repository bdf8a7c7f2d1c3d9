use std::collections::BTreeMap;

use crate::declare::table;
use crate::model::{
    Admin, Cdr, Dns, Guard, Guessing, Limits, Location, Log, Media, Network, Node, Overload, Profile,
    Registrar, Route, Signalling, Trunk,
};
use crate::text::{NetworkName, ProfileName, TrunkName};

table! {
    /// The whole configuration of a node, checked and immutable.
    pub struct Config {
        /// The node itself.
        restart node: Node = {};
        /// How SIP is served.
        restart signalling: Signalling = {};
        /// How peers are found by their names.
        live dns: Dns = {};
        /// How targets are tried.
        live location: Location = {};
        /// How much the node takes on.
        live limits: Limits = {};
        /// What the node does when it is offered more than it can serve.
        live overload: Overload = {};
        /// How guessing at passwords is met.
        live guessing: Guessing = {};
        /// How scanners are met.
        live guard: Guard = {};
        /// How media is relayed.
        restart media: Media = {};
        /// The sides of the border, by name.
        restart networks: BTreeMap<NetworkName, Network>, in 1..=256, such as carrier;
        /// The peers that calls are exchanged with, by name.
        live trunks: BTreeMap<TrunkName, Trunk> = {}, in 0..=65_536, such as provider;
        /// The rules from match to targets. Routes of a higher priority are tried first; among equals the one with
        /// the more specific `called` pattern: a URI, then user and host, then the exact number or user, then the
        /// longest prefix, then the host, then any; among equals still, the one that stands first. The first route
        /// that matches decides.
        pinned routes: Vec<Route> = [], in 0..=65_536;
        /// Bundles of policy, by name. What names no profile has the profile `default`, which may be defined here
        /// and else has the defaults below.
        pinned profiles: BTreeMap<ProfileName, Profile> = {}, in 0..=4_096, such as default;
        /// The admin API.
        restart admin: Admin = {};
        /// Call detail records.
        restart cdr: Cdr = {};
        /// The log.
        live log: Log = {};
    }
}

impl Config {
    /// The network whose registrar has that domain (host and port), and the registrar.
    #[must_use]
    pub fn registrar_of(&self, domain: &str) -> Option<(&NetworkName, &Registrar)> {
        let of = |network: &'_ Network| -> bool {
            let domains = network.registrar.iter().flat_map(|registrar| &registrar.domains);
            domains.into_iter().any(|ours| ours.to_string().eq_ignore_ascii_case(domain))
        };
        let (name, network) = self.networks.iter().find(|(_, network)| of(network))?;
        network.registrar.as_ref().map(|registrar| (name, registrar))
    }
}
