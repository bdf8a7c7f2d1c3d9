//! Connections that we take: our certificate by the name that is asked for, and theirs (RFC 5922 §7.4).

use super::chain::{self, Role};
use super::material::pinned;
use super::signatures::signatures;
use super::{Credentials, Identity, PROVIDER, Pins, Source, TlsError, Trust, identity};
use crate::flow::Domain;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{DistinguishedName, ServerConfig};
use std::sync::Arc;

/// How a listener takes connections over TLS.
#[derive(Debug)]
pub struct ServerSettings {
    /// What we show: the one whose domain is asked for (RFC 6066 §3), else the first.
    pub credentials: Vec<Credentials>,
    /// Whether clients show theirs.
    pub clients: Clients,
    /// Clients whose certificates are known, whoever issued them.
    pub pins: Pins,
}

/// The same, ready for use.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) config: Arc<ServerConfig>,
    pins: Arc<Pins>,
}

impl Server {
    /// The domains that a client stands for: those that it is known for, else those that its certificate has, but for such as
    /// somebody else is known for.
    pub(super) fn identities(&self, leaf: &CertificateDer<'_>) -> Vec<Identity> {
        let pin = |domain: &Domain| Identity { domain: domain.clone(), source: Source::Pin };
        let known: Vec<Identity> = pinned(&self.pins, leaf).map(pin).collect();
        if !known.is_empty() {
            return known;
        }
        let mut identities = identity::of(leaf);
        identities.retain(|identity| !self.pins.contains_key(&identity.domain));
        identities
    }
}

/// Whether clients show certificates.
#[derive(Debug)]
pub enum Clients {
    /// They are not asked.
    Unasked,
    /// They are asked; one who shows none stays unknown.
    Optional(Trust),
    /// One who shows none is turned away.
    Required(Trust),
}

impl ServerSettings {
    pub(super) fn build(self) -> Result<Server, TlsError> {
        if self.credentials.is_empty() {
            return Err(TlsError::NoCertificate);
        }
        let builder = ServerConfig::builder_with_provider(PROVIDER.clone())
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Settings)?;
        let pins = Arc::new(self.pins);
        let verifier = |trust: Trust, mandatory| {
            // Who is known by its certificate may have one that none of these has issued, and keep it back (RFC 8446 §4.2.4).
            let subjects = if pins.is_empty() { trust.subjects() } else { Vec::new() };
            Arc::new(Verifier { trust, pins: pins.clone(), subjects, mandatory })
        };
        let asks = !matches!(self.clients, Clients::Unasked);
        let builder = match self.clients {
            Clients::Unasked => builder.with_no_client_auth(),
            Clients::Optional(trust) => builder.with_client_cert_verifier(verifier(trust, false)),
            Clients::Required(trust) => builder.with_client_cert_verifier(verifier(trust, true)),
        };
        let mut config = builder.with_cert_resolver(Arc::new(ByName(self.credentials)));
        if asks {
            // A resumed session would bring a certificate back that nobody looks at again.
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
        }
        Ok(Server { config: Arc::new(config), pins })
    }
}

#[derive(Debug)]
struct ByName(Vec<Credentials>);

impl ResolvesServerCert for ByName {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let asked = hello.server_name().map(Domain::new);
        let meant = self.0.iter().find(|own| asked.as_ref().is_some_and(|name| own.domains().contains(name)));
        meant.or(self.0.first()).map(|own| own.key.clone())
    }
}

#[derive(Debug)]
struct Verifier {
    trust: Trust,
    pins: Arc<Pins>,
    subjects: Vec<DistinguishedName>,
    mandatory: bool,
}

impl ClientCertVerifier for Verifier {
    fn client_auth_mandatory(&self) -> bool {
        self.mandatory
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.subjects
    }

    /// Whom the certificate stands for is for policy to judge (RFC 5922 §7.4): here it must only be one.
    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        if pinned(&self.pins, end_entity).next().is_none() {
            chain::verify(&self.trust, Role::Client, end_entity, intermediates, now)?;
        }
        Ok(ClientCertVerified::assertion())
    }

    signatures!();
}
