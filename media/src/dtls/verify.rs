//! Whether a certificate is the one that a description spoke of (RFC 8122 §5).

use aws_lc_rs::digest::{self, digest};
use subtle::ConstantTimeEq;

use super::{Fingerprint, Hash};

/// Whether a certificate in DER has one of these fingerprints. Only those of the strongest function that is there count: a certificate
/// that somebody has made to fit a weaker one is not taken.
pub(super) fn accepts(fingerprints: &[Fingerprint], certificate: &[u8]) -> bool {
    let Some(hash) = fingerprints.iter().map(|fingerprint| fingerprint.hash).max() else { return false };
    let function = match hash {
        Hash::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        Hash::Sha224 => &digest::SHA224,
        Hash::Sha256 => &digest::SHA256,
        Hash::Sha384 => &digest::SHA384,
        Hash::Sha512 => &digest::SHA512,
    };
    let of_certificate = digest(function, certificate);
    let strongest = fingerprints.iter().filter(|fingerprint| fingerprint.hash == hash);
    strongest.fold(false, |found, fingerprint| {
        found | bool::from(fingerprint.octets.ct_eq(of_certificate.as_ref()))
    })
}
