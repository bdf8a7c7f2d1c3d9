//! An authority for tests, and the certificates that it issues.

use super::{Clients, Credentials, Pins, ServerSettings, Trust};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, ExtendedKeyUsagePurpose,
    IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SanType, SerialNumber,
    date_time_ymd,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// What a certificate says of its holder.
#[derive(Clone, Copy, Default)]
pub(crate) struct Names<'a> {
    pub(crate) dns: &'a [&'a str],
    pub(crate) uri: &'a [&'a str],
    pub(crate) common_name: Option<&'a str>,
}

impl<'a> Names<'a> {
    pub(crate) fn dns(dns: &'a [&'a str]) -> Self {
        Self { dns, ..Self::default() }
    }
}

/// A certificate with its key.
pub(crate) struct Issued {
    pub(crate) certificate: CertificateDer<'static>,
    pub(crate) chain: String,
    pub(crate) key: String,
    pub(crate) serial: u64,
}

impl Issued {
    pub(crate) fn credentials(&self) -> Credentials {
        Credentials::from_pem(self.chain.as_bytes(), self.key.as_bytes()).unwrap()
    }

    /// A listener that shows it.
    pub(crate) fn serving(&self, clients: Clients) -> ServerSettings {
        ServerSettings { credentials: vec![self.credentials()], clients, pins: Pins::new() }
    }
}

pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    root: String,
    serials: std::cell::Cell<u64>,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let root = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), root, serials: 1.into() }
    }

    pub(crate) fn root_store(&self) -> rustls::RootCertStore {
        let mut roots = rustls::RootCertStore::empty();
        let root = CertificateDer::from_pem_slice(self.root.as_bytes()).unwrap();
        roots.add(root).unwrap();
        roots
    }

    /// Those who believe this authority.
    pub(crate) fn trust(&self) -> Trust {
        let mut trust = Trust::default();
        trust.add_pem(self.root.as_bytes()).unwrap();
        trust
    }

    /// The same, with a list of revoked certificates.
    pub(crate) fn trust_but(&self, revoked: &[u64], current: bool) -> Trust {
        let mut trust = self.trust();
        let revoked = revoked.iter().map(|serial| RevokedCertParams {
            serial_number: SerialNumber::from(*serial),
            revocation_time: date_time_ymd(2024, 1, 1),
            reason_code: None,
            invalidity_date: None,
        });
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2024, 1, 1),
            next_update: if current { date_time_ymd(4000, 1, 1) } else { date_time_ymd(2024, 2, 1) },
            crl_number: SerialNumber::from(1u64),
            issuing_distribution_point: None,
            revoked_certs: revoked.collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        trust.revoke(list.signed_by(&self.issuer).unwrap().pem().unwrap().as_bytes()).unwrap();
        trust
    }

    pub(crate) fn issue(&self, names: Names<'_>) -> Issued {
        self.issue_with(names, |_| {})
    }

    /// A certificate that is over.
    pub(crate) fn issue_expired(&self, names: Names<'_>) -> Issued {
        self.issue_with(names, |params| params.not_after = date_time_ymd(2020, 1, 1))
    }

    /// A certificate for these purposes only.
    pub(crate) fn issue_for(&self, names: Names<'_>, purposes: &[ExtendedKeyUsagePurpose]) -> Issued {
        self.issue_with(names, |params| params.extended_key_usages = purposes.to_vec())
    }

    fn issue_with(&self, names: Names<'_>, change: impl FnOnce(&mut CertificateParams)) -> Issued {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        if let Some(name) = names.common_name {
            params.distinguished_name.push(DnType::CommonName, name);
        }
        let dns = names.dns.iter().map(|name| SanType::DnsName((*name).try_into().unwrap()));
        let uri = names.uri.iter().map(|uri| SanType::URI((*uri).try_into().unwrap()));
        params.subject_alt_names = dns.chain(uri).collect();
        let serial = self.serials.replace(self.serials.get() + 1);
        params.serial_number = Some(SerialNumber::from(serial));
        change(&mut params);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Issued {
            chain: certificate.pem(),
            certificate: certificate.der().clone(),
            key: key.serialize_pem(),
            serial,
        }
    }
}
