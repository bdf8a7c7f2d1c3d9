//! Verifying a chain: issuer, time, purpose, revocation (RFC 5280 §6, RFC 5922 §7.1, RFC 5924).

use super::{PROVIDER, material::Trust};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::{CertificateError, OtherError};
use std::sync::Arc;
use webpki::{
    CertRevocationList, EndEntityCert, ExpirationPolicy, ExtendedKeyUsageValidator, KeyPurposeId,
    KeyPurposeIdIter, RevocationCheckDepth, RevocationOptionsBuilder, UnknownStatusPolicy,
};

/// What a certificate is shown for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Server,
    Client,
}

/// id-kp-serverAuth and id-kp-clientAuth (RFC 5280 §4.2.1.12).
const SERVER_AUTH: &[u8] = &[43, 6, 1, 5, 5, 7, 3, 1];
const CLIENT_AUTH: &[u8] = &[43, 6, 1, 5, 5, 7, 3, 2];
/// id-kp-sipDomain (RFC 5924 §4.1).
const SIP_DOMAIN: &[u8] = &[43, 6, 1, 5, 5, 7, 3, 20];
/// anyExtendedKeyUsage (RFC 5280 §4.2.1.12).
const ANY: &[u8] = &[85, 29, 37, 0];

/// What a certificate has to permit.
struct Purpose {
    role: Role,
    sip: bool,
}

/// The extended key usages that permit a role: that of SIP, any, or none stated; and those of TLS, unless SIP is insisted on. RFC 5924
/// §5 turns those of TLS alone away, and with them what every public authority issues.
impl ExtendedKeyUsageValidator for Purpose {
    fn validate(&self, stated: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        let own = match self.role {
            _ if self.sip => SIP_DOMAIN,
            Role::Server => SERVER_AUTH,
            Role::Client => CLIENT_AUTH,
        };
        let permitting = [own, SIP_DOMAIN, ANY].map(KeyPurposeId::new);
        let mut none = true;
        for usage in stated {
            none = false;
            if permitting.contains(&usage?) {
                return Ok(());
            }
        }
        if none { Ok(()) } else { Err(webpki::Error::EmptyEkuExtension) }
    }
}

/// Verifies a chain up to a trusted root, every certificate in it against the lists of the revoked. An issuer
/// without a list revokes nothing; a list that is out of date is an error.
pub(super) fn verify(
    trust: &Trust,
    role: Role,
    end_entity: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    now: UnixTime,
) -> Result<(), rustls::Error> {
    let fault = |error| rustls::Error::InvalidCertificate(certificate_error(error));
    let certificate = EndEntityCert::try_from(end_entity).map_err(fault)?;
    let lists: Vec<&CertRevocationList<'_>> = trust.lists().iter().collect();
    let revocation = RevocationOptionsBuilder::new(&lists).ok().map(|options| {
        options
            .with_depth(RevocationCheckDepth::Chain)
            .with_status_policy(UnknownStatusPolicy::Allow)
            .with_expiration_policy(ExpirationPolicy::Enforce)
            .build()
    });
    let purpose = Purpose { role, sip: trust.insists_on_sip_purpose() };
    let algorithms = PROVIDER.signature_verification_algorithms.all;
    certificate
        .verify_for_usage(algorithms, trust.roots(), intermediates, now, purpose, revocation, None)
        .map(|_| ())
        .map_err(fault)
}

/// The error that TLS tells the peer, and the log us.
fn certificate_error(error: webpki::Error) -> CertificateError {
    match error {
        webpki::Error::BadDer => CertificateError::BadEncoding,
        webpki::Error::CertExpired { .. } => CertificateError::Expired,
        webpki::Error::CertNotValidYet { .. } => CertificateError::NotValidYet,
        webpki::Error::UnknownIssuer => CertificateError::UnknownIssuer,
        webpki::Error::CertRevoked => CertificateError::Revoked,
        webpki::Error::CrlExpired { .. } => CertificateError::ExpiredRevocationList,
        webpki::Error::EmptyEkuExtension => CertificateError::InvalidPurpose,
        other => CertificateError::Other(OtherError(Arc::new(other))),
    }
}
