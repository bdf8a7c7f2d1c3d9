//! Certificates, keys, roots and lists of the revoked, from PEM.

use super::{PROVIDER, TlsError, identity};
use crate::flow::Domain;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer, TrustAnchor};
use rustls::sign::CertifiedKey;
use rustls::{DistinguishedName, RootCertStore};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;
use webpki::{CertRevocationList, OwnedCertRevocationList};

/// A certificate of ours with its chain and key.
#[derive(Clone, Debug)]
pub struct Credentials {
    pub(super) key: Arc<CertifiedKey>,
    domains: Vec<Domain>,
    expires: Option<i64>,
}

impl Credentials {
    /// Reads a chain, our certificate first, and its key (PKCS #8, SEC 1 or PKCS #1).
    ///
    /// # Errors
    /// Something is missing, cannot be read, or does not go together.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        let chain = certificates(chain)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(TlsError::NoKey)?;
        let domains = chain.first().map(|leaf| identity::of(leaf)).unwrap_or_default();
        let expires = chain.iter().filter_map(|one| identity::expires(one)).min();
        let key = CertifiedKey::from_der(chain, key, &PROVIDER).map_err(TlsError::Key)?;
        let domains = domains.into_iter().map(|identity| identity.domain).collect();
        Ok(Self { key: Arc::new(key), domains, expires })
    }

    /// The domains that the certificate stands for (RFC 5922 §7.1).
    pub fn domains(&self) -> &[Domain] {
        &self.domains
    }

    /// When the first certificate of the chain expires, in seconds since 1970.
    pub fn expires(&self) -> Option<i64> {
        self.expires
    }
}

/// Whose certificates are believed: roots, and lists of what they have revoked.
#[derive(Debug)]
pub struct Trust {
    roots: RootCertStore,
    lists: Vec<CertRevocationList<'static>>,
    sip_purpose: bool,
}

impl Default for Trust {
    fn default() -> Self {
        Self { roots: RootCertStore::empty(), lists: Vec::new(), sip_purpose: false }
    }
}

impl Trust {
    /// Adds the certificates of a PEM file as roots.
    ///
    /// # Errors
    /// There are none, or one cannot be read.
    pub fn add_pem(&mut self, roots: &[u8]) -> Result<(), TlsError> {
        let roots = certificates(roots)?;
        roots.into_iter().try_for_each(|root| self.roots.add(root).map_err(TlsError::Certificate))
    }

    /// Adds the roots of the system; what of them cannot be read is left out. Tells how many were added.
    pub fn add_system<'a>(&mut self, roots: impl IntoIterator<Item = CertificateDer<'a>>) -> usize {
        self.roots.add_parsable_certificates(roots).0
    }

    /// Adds lists of revoked certificates (RFC 5280 §5), in PEM or one in DER.
    ///
    /// # Errors
    /// There is none, or it cannot be read.
    pub fn revoke(&mut self, lists: &[u8]) -> Result<(), TlsError> {
        let found: Result<Vec<_>, _> = CertificateRevocationListDer::pem_slice_iter(lists).collect();
        let found = found.map_err(TlsError::Pem)?;
        let mut ders: Vec<&[u8]> = found.iter().map(AsRef::as_ref).collect();
        if ders.is_empty() {
            ders.push(lists);
        }
        for der in ders {
            let list = OwnedCertRevocationList::from_der(der).map_err(TlsError::List)?;
            self.lists.push(list.into());
        }
        Ok(())
    }

    /// Whether a certificate that states purposes is believed only if SIP is one of them (RFC 5924 §5). Otherwise one of TLS is
    /// enough, which is all that public authorities state.
    pub fn insist_on_sip_purpose(&mut self, insists: bool) {
        self.sip_purpose = insists;
    }

    pub(super) fn insists_on_sip_purpose(&self) -> bool {
        self.sip_purpose
    }

    /// Whether nobody is believed.
    pub fn is_empty(&self) -> bool {
        self.roots.is_empty()
    }

    pub(super) fn roots(&self) -> &[TrustAnchor<'static>] {
        &self.roots.roots
    }

    pub(super) fn lists(&self) -> &[CertRevocationList<'static>] {
        &self.lists
    }

    pub(super) fn subjects(&self) -> Vec<DistinguishedName> {
        self.roots.subjects()
    }
}

/// The SHA-256 of a certificate, or of its SubjectPublicKeyInfo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; 32]);

/// Whose certificates are known, by the domain that each stands for; one fingerprint is enough.
pub type Pins = BTreeMap<Domain, Vec<Fingerprint>>;

impl Fingerprint {
    /// That of a certificate, and that of its key.
    pub(super) fn both_of(certificate: &CertificateDer<'_>) -> [Option<Self>; 2] {
        let of = |der: &[u8]| Self(Sha256::digest(der).into());
        let spki = webpki::EndEntityCert::try_from(certificate).map(|c| c.subject_public_key_info());
        [Some(of(certificate)), spki.ok().map(|spki| of(&spki))]
    }
}

/// The domains that a certificate stands for by these pins.
pub(super) fn pinned<'p>(
    pins: &'p Pins,
    certificate: &CertificateDer<'_>,
) -> impl Iterator<Item = &'p Domain> {
    let both = if pins.is_empty() { [None; 2] } else { Fingerprint::both_of(certificate) };
    let fits = move |prints: &[Fingerprint]| prints.iter().any(|print| both.contains(&Some(*print)));
    pins.iter().filter(move |(_, prints)| fits(prints)).map(|(domain, _)| domain)
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found = found.map_err(TlsError::Pem)?;
    if found.is_empty() { Err(TlsError::NoCertificate) } else { Ok(found) }
}
