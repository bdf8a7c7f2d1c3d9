//! What keeps certificates, keys and lists from being used.

use rustls::pki_types::pem;

/// Why something cannot be used for TLS.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The text is not PEM.
    #[error("it is not PEM")]
    Pem(#[source] pem::Error),
    /// There is no certificate in it.
    #[error("there is no certificate in it")]
    NoCertificate,
    /// There is no private key in it.
    #[error("there is no private key in it that can be read; an encrypted one cannot")]
    NoKey(#[source] pem::Error),
    /// The private key cannot be used, or is not that of the certificate.
    #[error("key and certificate do not go together")]
    Key(#[source] rustls::Error),
    /// A certificate cannot be read.
    #[error("a certificate in it cannot be read")]
    Certificate(#[source] rustls::Error),
    /// There is no list of revoked certificates in it, or one that cannot be read.
    #[error("there is no list of revoked certificates in it that can be read")]
    List(#[source] webpki::Error),
    /// The settings do not make a configuration.
    #[error("the settings do not go together")]
    Settings(#[source] rustls::Error),
}
