//! Connections that we make: the server must prove the domain that we look for (RFC 5922 §7.3).

use super::chain::{self, Role};
use super::material::pinned;
use super::signatures::signatures;
use super::{Credentials, PROVIDER, Pins, TlsError, Trust, identity};
use crate::flow::Domain;
use rustls::client::danger::{ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::SingleCertAndKey;
use rustls::{CertificateError, ClientConfig};
use std::sync::Arc;

/// How a network makes connections over TLS.
#[derive(Debug, Default)]
pub struct ClientSettings {
    /// Whose certificates are believed.
    pub trust: Trust,
    /// What we show a server that asks who we are.
    pub credentials: Option<Credentials>,
    /// Domains whose certificates are known: one of these, and nothing else of it counts.
    pub pins: Pins,
}

/// The same, ready for use.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) config: Arc<ClientConfig>,
    verifier: Arc<Verifier>,
}

impl Client {
    /// Whether the certificate of a domain is known.
    pub(super) fn pins(&self, domain: &Domain) -> bool {
        self.verifier.pins.contains_key(domain)
    }
}

impl ClientSettings {
    pub(super) fn build(self) -> Result<Client, TlsError> {
        let verifier = Arc::new(Verifier { trust: self.trust, pins: self.pins });
        let builder = ClientConfig::builder_with_provider(PROVIDER.clone())
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Settings)?
            .dangerous()
            .with_custom_certificate_verifier(verifier.clone());
        let config = match self.credentials {
            Some(own) => builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(own.key))),
            None => builder.with_no_client_auth(),
        };
        Ok(Client { config: Arc::new(config), verifier })
    }
}

#[derive(Debug)]
struct Verifier {
    trust: Trust,
    pins: Pins,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let domain = Domain::new(&server_name.to_str());
        if self.pins.contains_key(&domain) {
            let known = pinned(&self.pins, end_entity).any(|known| *known == domain);
            let refusal = CertificateError::ApplicationVerificationFailure;
            return if known { Ok(ServerCertVerified::assertion()) } else { Err(refusal.into()) };
        }
        chain::verify(&self.trust, Role::Server, end_entity, intermediates, now)?;
        if identity::of(end_entity).iter().any(|identity| identity.domain == domain) {
            return Ok(ServerCertVerified::assertion());
        }
        Err(CertificateError::NotValidForName.into())
    }

    signatures!();
}
