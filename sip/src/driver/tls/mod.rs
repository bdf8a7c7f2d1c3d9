//! TLS: who we are, whom we believe, and who the other end is (RFC 3261 §26, RFC 5922).
//!
//! Chains are verified by webpki against the roots of the configuration; whom a certificate stands for is RFC 5922's
//! business. What a handshake has proved is kept with its connection as [`Peer`].

mod acceptor;
mod chain;
mod client;
mod error;
mod identity;
mod material;
mod server;
mod signatures;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use acceptor::Acceptor;
pub use client::ClientSettings;
pub use error::TlsError;
pub use identity::{Identity, Source};
pub use material::{Credentials, Fingerprint, Pins, Trust};
pub use server::{Clients, ServerSettings};

use crate::flow::{Domain, ListenerId, NetworkId};
use rustls::crypto::CryptoProvider;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

pub(crate) use client::Client;
pub(crate) use server::Server;

/// The one provider of cryptography: never that of the process, which other crates could choose.
static PROVIDER: LazyLock<Arc<CryptoProvider>> =
    LazyLock::new(|| Arc::new(rustls::crypto::aws_lc_rs::default_provider()));

/// What connections over TLS are taken and made with. A handshake uses what is in force when it begins.
#[derive(Clone, Debug, Default)]
pub struct Configuration {
    servers: BTreeMap<ListenerId, Arc<Server>>,
    clients: BTreeMap<NetworkId, Arc<Client>>,
}

impl Configuration {
    /// Sets how a listener takes connections.
    ///
    /// # Errors
    /// There is no certificate.
    pub fn serve(&mut self, listener: ListenerId, settings: ServerSettings) -> Result<(), TlsError> {
        self.servers.insert(listener, Arc::new(settings.build()?));
        Ok(())
    }

    /// Sets how a network makes connections.
    ///
    /// # Errors
    /// The provider cannot serve TLS 1.2 and 1.3.
    pub fn connect(&mut self, network: NetworkId, settings: ClientSettings) -> Result<(), TlsError> {
        self.clients.insert(network, Arc::new(settings.build()?));
        Ok(())
    }

    pub(crate) fn server(&self, listener: ListenerId) -> Option<&Arc<Server>> {
        self.servers.get(&listener)
    }

    pub(crate) fn client(&self, network: NetworkId) -> Option<&Arc<Client>> {
        self.clients.get(&network)
    }
}

/// The other end of a TLS connection, as far as its certificate has proved it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peer {
    /// The domains that it stands for (RFC 5922 §7.1); none without a certificate.
    pub identities: Vec<Identity>,
    /// The domain that we opened the connection for: one of the identities.
    pub domain: Option<Domain>,
    /// The version of the protocol and the cipher suite.
    pub protocol: String,
}

impl Peer {
    /// Whether it stands for a domain: entirely and without wildcards (RFC 5922 §7.2).
    pub fn is(&self, domain: &Domain) -> bool {
        self.identities.iter().any(|identity| identity.domain == *domain)
    }

    /// What the handshake of a connection that we took has proved.
    pub(crate) fn accepted(session: &rustls::ServerConnection, server: &Server) -> Self {
        let leaf = session.peer_certificates().and_then(|chain| chain.first());
        let identities = leaf.map(|leaf| server.identities(leaf)).unwrap_or_default();
        Self { identities, domain: None, protocol: protocol(session) }
    }

    /// What the handshake of a connection that we made for a domain has proved.
    pub(crate) fn opened(session: &rustls::ClientConnection, client: &Client, domain: &Domain) -> Self {
        let leaf = session.peer_certificates().and_then(|chain| chain.first());
        let identities = if client.pins(domain) {
            vec![Identity { domain: domain.clone(), source: Source::Pin }]
        } else {
            leaf.map(|leaf| identity::of(leaf)).unwrap_or_default()
        };
        Self { identities, domain: Some(domain.clone()), protocol: protocol(session) }
    }
}

fn protocol(session: &rustls::CommonState) -> String {
    let version = session.protocol_version().and_then(|version| version.as_str().map(str::to_owned));
    let suite = session.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str().map(str::to_owned));
    format!("{} {}", version.unwrap_or_default(), suite.unwrap_or_default())
}
