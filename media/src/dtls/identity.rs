//! Whom peers take us for.

use aws_lc_rs::digest::{SHA256, digest};
use rcgen::{CertificateParams, DistinguishedName, DnType, IsCa, KeyPair, KeyUsagePurpose, SerialNumber};
use zeroize::Zeroizing;

use super::{Fingerprint, Hash};

/// Why there is no certificate of our own.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The system gave no random octets.
    #[error("no random octets for a certificate")]
    Random,
    /// The key or the certificate could not be made.
    #[error("a certificate cannot be made")]
    Certificate(#[from] rcgen::Error),
}

/// A certificate of our own that nobody vouches for but the fingerprint in a description (RFC 5763 §5), and its key.
pub struct Identity {
    /// X.509, DER.
    pub(super) certificate: Box<[u8]>,
    /// ECDSA P-256, PKCS #8, DER; wiped when it is dropped.
    pub(super) key: Zeroizing<Vec<u8>>,
    /// By SHA-256.
    pub(super) fingerprint: Fingerprint,
}

impl Identity {
    /// A new one: ECDSA on P-256, self-signed, with a random serial number and a name that says nothing. It is valid whatever time the
    /// peer has: what vouches for it is a description, and that is as old as the call.
    ///
    /// # Errors
    /// Why it could not be made.
    pub fn generate() -> Result<Self, IdentityError> {
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
        let mut serial = [0; 16];
        aws_lc_rs::rand::fill(&mut serial).map_err(|_| IdentityError::Random)?;
        // Positive, and as long as the others (RFC 5280 §4.1.2.2).
        let [first, ..] = &mut serial;
        *first = (*first & 0x3f) | 0x40;
        let mut params = CertificateParams::default();
        params.serial_number = Some(SerialNumber::from_slice(&serial));
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "dtls-srtp");
        // RFC 5280 §4.1.2.5 has the last one for what has no end.
        params.not_before = rcgen::date_time_ymd(2000, 1, 1);
        params.not_after = rcgen::date_time_ymd(9999, 12, 31);
        params.is_ca = IsCa::NoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let certificate: Box<[u8]> = params.self_signed(&key)?.der().as_ref().into();
        let octets = digest(&SHA256, &certificate).as_ref().into();
        let fingerprint = Fingerprint { hash: Hash::Sha256, octets };
        Ok(Self { certificate, key: Zeroizing::new(key.serialize_der()), fingerprint })
    }

    /// What descriptions say of it.
    #[must_use]
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("fingerprint", &self.fingerprint).finish_non_exhaustive()
    }
}
