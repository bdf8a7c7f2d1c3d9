//! A configuration in force, with everything that is derived from it.

mod advice;
mod certificate;
mod settings;

pub use advice::Advice;
pub(crate) use advice::{Names, of as advice_of};
pub(crate) use certificate::OwnCertificate;
pub(crate) use settings::{PACKAGES, conduct_with, hash, media_networks, sip_transport};
pub use settings::{
    conduct, location_settings, message_limits, overload_settings, sip_limits, sip_listener, socket_limits,
};

use crate::registrar::Registrars;
use crate::trunk::Demand;
use crate::turn;
use config::{Config, Network, NetworkName, Strangers, TrunkName};
use media::MediaNetwork;
use policy::Compiled;
use sip::NetworkId;
use sip::auth::Credential;
use sip::auth::bearer::KeySet;
use sip::driver::Security;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::SystemTime;
use zeroize::Zeroizing;

/// What a call begins under and keeps.
pub struct Snapshot {
    /// The decisions.
    pub policy: Compiled,
    /// Names of networks, by [`NetworkId`].
    pub networks: Vec<NetworkName>,
    /// Media addresses, by [`NetworkId`]; none where the configuration has none.
    pub media: Vec<Option<MediaNetwork>>,
    /// Passwords, by trunk and user, as they were resolved when it was loaded.
    pub secrets: Secrets,
    /// What challenges the requests of trunks and users.
    pub(crate) demands: BTreeMap<Protected, Demand>,
    /// The registrars.
    pub(crate) registrars: Registrars,
    /// Certificates, and who may connect.
    pub security: Arc<Security>,
    /// What tells whether a file of these has changed, by setting.
    pub files: BTreeMap<String, u64>,
    /// Our certificates.
    pub(crate) certificates: Vec<OwnCertificate>,
    /// The TURN servers.
    pub(crate) turn: Vec<turn::Service>,
    /// What in it is probably not meant.
    pub advice: Vec<Advice>,
    /// Our name as a user agent instance (RFC 5626 §4.1), where a trunk needs one that the configuration does not give.
    pub instance: Option<Box<str>>,
    /// Counts up with every reload, from 1.
    pub version: u64,
    /// When it was loaded.
    pub loaded: SystemTime,
    /// The file that it was read from; `None` for one that is built in.
    pub source: Option<Box<str>>,
}

/// What a challenge of ours protects.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protected {
    /// The calls of a trunk.
    Trunk(TrunkName),
    /// The registrar of a network, and the calls of its users.
    Registrar(NetworkName),
}

/// The table of the configuration.
impl std::fmt::Display for Protected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Trunk(name) => write!(f, "trunks.{name}"),
            Self::Registrar(network) => write!(f, "networks.{network}.registrar"),
        }
    }
}

/// Passwords that the configuration refers to.
#[derive(Default)]
pub struct Secrets {
    /// What answers a challenge: by trunk and realm.
    pub outbound: By<TrunkName>,
    /// Who may answer ours: by what the challenge protects, and user name.
    pub inbound: By<Protected>,
    /// Whose tokens may answer ours, by what the challenge protects.
    pub issuers: BTreeMap<Protected, Arc<IssuerKeys>>,
    /// What the credentials of TURN servers are made with, by network: the one in use, then the one before.
    pub turn: BTreeMap<NetworkName, Vec<Zeroizing<String>>>,
    /// What proves us to the servers that lead through the NAT of each network, in their order.
    pub traversal: BTreeMap<NetworkName, Vec<Option<Zeroizing<String>>>>,
}

/// The public keys of an authorization server.
#[derive(Debug)]
pub struct IssuerKeys {
    /// As they were read.
    pub text: Box<str>,
    /// What they are.
    pub set: KeySet,
}

/// Credentials by whose they are, and there by realm or user name.
pub type By<K> = BTreeMap<K, BTreeMap<Box<str>, Arc<Credential>>>;

impl Secrets {
    /// The settings whose secrets are others than `before`.
    pub(crate) fn changed<'a>(&'a self, before: &'a Self) -> impl Iterator<Item = String> + 'a {
        let outbound = changed(&self.outbound, &before.outbound);
        let inbound = changed(&self.inbound, &before.inbound);
        let issuers = self
            .issuers
            .iter()
            .filter(|(name, keys)| before.issuers.get(*name).is_none_or(|earlier| earlier.text != keys.text));
        let issuers = issuers.map(|(name, _)| format!("{name}.challenge.bearer (keys)"));
        let turn = self.turn.iter().filter(|(name, secrets)| before.turn.get(*name) != Some(*secrets));
        outbound
            .map(|name| format!("trunks.{name}.credentials (password)"))
            .chain(inbound.map(|of| format!("{of}.challenge (password)")))
            .chain(issuers)
            .chain(turn.map(|(name, _)| format!("networks.{name}.turn (secret)")))
    }

    /// Goes on with the credentials of `before` that are the same: a card knows the sequence number of its last challenge.
    pub(crate) fn inherit(&mut self, before: &Self) {
        for (name, by_realm) in &mut self.outbound {
            let Some(earlier) = before.outbound.get(name) else { continue };
            for (realm, credential) in by_realm {
                if let Some(same) = earlier.get(realm).filter(|same| *same == credential) {
                    *credential = same.clone();
                }
            }
        }
    }
}

/// Whose credentials are others than before.
fn changed<'a, K: Ord>(ours: &'a By<K>, before: &'a By<K>) -> impl Iterator<Item = &'a K> {
    ours.iter().filter(|(of, secrets)| before.get(*of) != Some(*secrets)).map(|(of, _)| of)
}

impl Snapshot {
    /// The domains of the registrars, as the user agents' settings have them.
    pub fn registrar_domains(&self) -> Vec<(NetworkId, Box<str>)> {
        let domains = self.registrars.domains();
        domains.filter_map(|(network, domain)| Some((self.network_id(network)?, domain.into()))).collect()
    }

    /// Derives everything from a configuration. `networks` are those of the process: they change with a restart
    /// only, so that a [`NetworkId`] always means the same.
    #[must_use]
    pub fn new(config: Arc<Config>, networks: Vec<NetworkName>, secrets: Secrets, version: u64) -> Self {
        let media = media_networks(networks.iter().map(|name| config.networks.get(name)));
        let policy = Compiled::new(config);
        Self {
            media,
            demands: Demand::all(&policy, &secrets),
            registrars: Registrars::new(policy.config()),
            policy,
            networks,
            secrets,
            security: Arc::default(),
            files: BTreeMap::new(),
            certificates: Vec::new(),
            turn: Vec::new(),
            advice: Vec::new(),
            instance: None,
            version,
            loaded: SystemTime::UNIX_EPOCH,
            source: None,
        }
    }

    /// The settings whose files are others than `before`.
    pub(crate) fn changed_files<'a>(&'a self, before: &'a Self) -> impl Iterator<Item = String> + 'a {
        let changed = self.files.iter().filter(|(path, digest)| before.files.get(*path) != Some(digest));
        changed.map(|(path, _)| path.clone())
    }

    /// The document.
    #[must_use]
    pub fn config(&self) -> &Arc<Config> {
        self.policy.config()
    }

    /// The name of a network.
    #[must_use]
    pub fn network_name(&self, id: NetworkId) -> Option<&NetworkName> {
        self.networks.get(usize::from(id.0))
    }

    /// The number of a network.
    #[must_use]
    pub fn network_id(&self, name: &NetworkName) -> Option<NetworkId> {
        let at = self.networks.iter().position(|n| n == name)?;
        u16::try_from(at).ok().map(NetworkId)
    }

    /// A network's settings.
    #[must_use]
    pub fn network(&self, id: NetworkId) -> Option<&Network> {
        self.config().networks.get(self.network_name(id)?)
    }

    /// The addresses that a trunk's settings say where it is called and registered with.
    pub(crate) fn addresses_of(&self, trunk: &TrunkName) -> impl Iterator<Item = IpAddr> {
        let trunk = self.config().trunks.get(trunk);
        let targets = trunk.into_iter().flat_map(|trunk| &trunk.targets);
        let register = trunk.and_then(|trunk| trunk.register.as_ref());
        let registrars = register.into_iter().flat_map(|register| &register.registrars);
        let outbound = register.and_then(|register| register.outbound.as_ref());
        let proxies = outbound.into_iter().flat_map(|outbound| &outbound.proxies);
        targets.chain(registrars).chain(proxies).filter_map(sip::numeric_hop)
    }

    /// What answers a challenge for `realm` on a leg of `trunk` that came from `peer`; `resolved` are the addresses
    /// that the trunk's target had, where it is a name; `proven` the domains that the peer there has proved.
    ///
    /// # Errors
    /// Why nothing does.
    pub fn credential(
        &self,
        trunk: Option<&TrunkName>,
        realm: &str,
        peer: IpAddr,
        resolved: &[IpAddr],
        proven: &[&str],
    ) -> Result<Arc<Credential>, policy::Refusal> {
        let numeric = trunk.into_iter().flat_map(|name| self.addresses_of(name));
        let resolved: Vec<IpAddr> = numeric.chain(resolved.iter().copied()).collect();
        let facts = policy::ChallengeFacts { trunk, realm, peer, resolved: &resolved, proven };
        self.policy.credentials(&facts)?;
        let known = trunk.and_then(|name| self.secrets.outbound.get(name)?.get(realm));
        known.cloned().ok_or(policy::Refusal::ForeignRealm)
    }

    /// The password of a user who may answer the challenge that protects `of`.
    #[must_use]
    pub fn user(&self, of: &Protected, user: &str) -> Option<&Credential> {
        self.secrets.inbound.get(of)?.get(user).map(|credential| &**credential)
    }

    /// Where media of a network is taken.
    #[must_use]
    pub fn media_network(&self, id: NetworkId) -> Option<&MediaNetwork> {
        self.media.get(usize::from(id.0))?.as_ref()
    }

    /// Whether calls from addresses that no trunk knows are routed.
    #[must_use]
    pub fn routes_strangers(&self, id: NetworkId) -> bool {
        self.network(id).is_some_and(|n| n.strangers == Strangers::Route)
    }

    /// Whether a network is in our trust domain (RFC 3325 §2.3).
    #[must_use]
    pub fn trusts(&self, id: NetworkId) -> bool {
        self.network(id).is_some_and(|n| n.trusted)
    }
}
