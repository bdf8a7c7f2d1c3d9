//! A configuration in force, with everything that is derived from it.

use config::{Config, Latch, Listener, Network, NetworkName, Profile, Strangers, Transport, TrunkName};
use media::{Latching, MediaNetwork};
use policy::Compiled;
use sip::NetworkId;
use sip::auth::{Credential, Secret};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::SystemTime;

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
    /// Counts up with every reload, from 1.
    pub version: u64,
    /// When it was loaded.
    pub loaded: SystemTime,
    /// The file that it was read from; `None` for one that is built in.
    pub source: Option<Box<str>>,
}

/// Passwords that the configuration refers to.
#[derive(Default)]
pub struct Secrets {
    /// What answers a challenge: by trunk and realm.
    pub outbound: ByTrunk,
    /// Who may answer ours: by trunk and user name.
    pub inbound: ByTrunk,
}

/// Credentials by trunk, and there by realm or user name.
pub type ByTrunk = BTreeMap<TrunkName, BTreeMap<Box<str>, Arc<Credential>>>;

impl Secrets {
    /// The settings whose secrets are others than `before`.
    pub(crate) fn changed<'a>(&'a self, before: &'a Self) -> impl Iterator<Item = String> + 'a {
        let differ = |ours: &'a ByTrunk, theirs: &'a ByTrunk, what: &'static str| {
            let changed = ours.iter().filter(move |(name, secrets)| theirs.get(*name) != Some(*secrets));
            changed.map(move |(name, _)| format!("trunks.{name}.{what}"))
        };
        differ(&self.outbound, &before.outbound, "credentials (password)").chain(differ(
            &self.inbound,
            &before.inbound,
            "challenge (password)",
        ))
    }
}

impl Snapshot {
    /// Derives everything from a configuration. `networks` are those of the process: they change with a restart
    /// only, so that a [`NetworkId`] always means the same.
    #[must_use]
    pub fn new(config: Arc<Config>, networks: Vec<NetworkName>, secrets: Secrets, version: u64) -> Self {
        let media = networks.iter().enumerate().map(|(n, name)| {
            let network = config.networks.get(name)?;
            media_network(NetworkId(u16::try_from(n).ok()?), network)
        });
        Self {
            media: media.collect(),
            policy: Compiled::new(config),
            networks,
            secrets,
            version,
            loaded: SystemTime::UNIX_EPOCH,
            source: None,
        }
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

    /// What answers a challenge for `realm` on a leg of `trunk` that came from `peer`; `resolved` are the addresses
    /// that the trunk's target had, where it is a name.
    ///
    /// # Errors
    /// Why nothing does.
    pub fn credential(
        &self,
        trunk: Option<&TrunkName>,
        realm: &str,
        peer: IpAddr,
        resolved: &[IpAddr],
    ) -> Result<Arc<Credential>, policy::Refusal> {
        let targets = trunk.and_then(|name| self.config().trunks.get(name)).map(|t| t.targets.as_slice());
        let numeric = targets.into_iter().flatten().filter_map(sip::numeric_hop);
        let resolved: Vec<IpAddr> = numeric.chain(resolved.iter().copied()).collect();
        self.policy.credentials(&policy::ChallengeFacts { trunk, realm, peer, resolved: &resolved })?;
        let known = trunk.and_then(|name| self.secrets.outbound.get(name)?.get(realm));
        known.cloned().ok_or(policy::Refusal::ForeignRealm)
    }

    /// The password of a user who may answer the challenge of `trunk`.
    #[must_use]
    pub fn user_secret(&self, trunk: &TrunkName, user: &str) -> Option<Secret> {
        self.secrets.inbound.get(trunk)?.get(user).map(|credential| credential.secret.clone())
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

fn media_network(id: NetworkId, network: &Network) -> Option<MediaNetwork> {
    let media = network.media.as_ref()?;
    let latching = match (media.latch, network.nat) {
        (Latch::Auto, false) | (Latch::Sdp, _) => Latching::Described,
        (Latch::Auto, true) | (Latch::Signalling, _) => Latching::SignallingSource,
        (Latch::Any, _) => Latching::AnySource,
    };
    Some(MediaNetwork {
        id: media::NetworkId(id.0),
        bind: media.address,
        advertised: media.advertised,
        ports: media.ports.start()..=media.ports.end(),
        latching,
    })
}

/// The settings of a listener's user agent, from its network's profile.
#[must_use]
pub fn sip_listener(
    network: NetworkId,
    settings: &Network,
    listener: &Listener,
    bound: std::net::SocketAddr,
    profile: &Profile,
) -> sip::Listener {
    let transport = match listener.transport {
        Transport::Udp => sip::Transport::Udp,
        Transport::Tcp => sip::Transport::Tcp,
    };
    let sent_by = match (&listener.advertised, &settings.domain) {
        (Some(advertised), _) => advertised.to_string(),
        (None, Some(domain)) => format!("{domain}:{}", bound.port()),
        (None, None) => bound.to_string(),
    };
    let carry = &profile.carry;
    let carrying = if carry.unknown_methods || carry.unknown_bodies {
        let transparent = profile.transparent.iter().map(|t| t.to_string().into());
        sip::Carrying::All { transparent: transparent.collect() }
    } else {
        sip::Carrying::Nothing
    };
    let weakest = profile.digest.algorithms.iter().map(|a| match a {
        config::Algorithm::Sha256 => sip::auth::Hash::Sha256,
        config::Algorithm::Md5 => sip::auth::Hash::Md5,
    });
    sip::Listener {
        network,
        transport,
        address: bound,
        sent_by: sent_by.into(),
        provisional_interval: profile.provisional_interval,
        timers: sip::Timers { t1: profile.timers.t1, t2: profile.timers.t2, t4: profile.timers.t4 },
        nat: settings.nat,
        acceptance: sip::auth::client::Acceptance {
            weakest: weakest.min_by_key(|h| h.bits()).unwrap_or(sip::auth::Hash::Md5),
            allow_without_qop: profile.digest.allow_without_qop,
        },
        carrying,
        asked: Vec::new(),
    }
}
