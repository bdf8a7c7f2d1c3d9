//! Whose addresses-of-record are whose, made from the configuration once.

use bytestring::ByteString;
use config::{Config, NetworkName, Ring};
use sip::registration::server::Aor;
use sip_types::Uri;
use std::collections::BTreeMap;
use std::time::Duration;

/// Every domain and address-of-record that can be registered.
#[derive(Debug, Default)]
pub(crate) struct Registrars {
    /// The network of each domain.
    domains: BTreeMap<Box<str>, NetworkName>,
    accounts: BTreeMap<Aor, Account>,
}

/// Whose an address-of-record is.
#[derive(Debug)]
pub(crate) struct Account {
    /// The network that it registers in.
    pub(crate) network: NetworkName,
    /// How its devices ring.
    pub(crate) ring: Ring,
    /// How long devices ring before those after them are called.
    pub(crate) ring_turn: Duration,
    users: Box<[ByteString]>,
}

impl Account {
    /// Whether a user may register it, and call from it.
    pub(crate) fn is_of(&self, user: &str) -> bool {
        self.users.iter().any(|known| &**known == user)
    }
}

impl Registrars {
    /// Those of a configuration.
    pub(crate) fn new(config: &Config) -> Self {
        let mut registrars = Self::default();
        for (network, registrar) in
            config.networks.iter().filter_map(|(n, s)| Some((n, s.registrar.as_ref()?)))
        {
            for domain in &registrar.domains {
                let domain = domain.to_string().to_ascii_lowercase().into();
                registrars.domains.insert(domain, network.clone());
            }
            for account in &registrar.accounts {
                let address = account.address.uri_text().parse::<Uri>();
                let Some(aor) = address.ok().and_then(|uri| Aor::of(&uri)) else { continue };
                let account = Account {
                    network: network.clone(),
                    ring: account.ring.unwrap_or(registrar.ring),
                    ring_turn: registrar.ring_turn,
                    users: account.users.as_slice().into(),
                };
                registrars.accounts.insert(aor, account);
            }
        }
        registrars
    }

    /// Whether the host and port of a URI are a domain of that network's registrar (RFC 3261 §10.3 step 1).
    pub(crate) fn serves(&self, network: &NetworkName, uri: &Uri) -> bool {
        let domain = Aor::of(uri);
        domain.is_some_and(|aor| self.domains.get(aor.domain()) == Some(network))
    }

    /// Every domain, with its network.
    pub(crate) fn domains(&self) -> impl Iterator<Item = (&NetworkName, &str)> {
        self.domains.iter().map(|(domain, network)| (network, &**domain))
    }

    /// Whose an address-of-record is; `None` for one that nobody has.
    pub(crate) fn account(&self, aor: &Aor) -> Option<&Account> {
        self.accounts.get(aor)
    }
}
