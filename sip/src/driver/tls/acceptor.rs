//! TLS for other protocols than SIP, with the same certificates.

use super::{ServerSettings, TlsError};
use std::io;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;

/// Takes connections over TLS. Which clients show certificates is asked as for SIP; whom they stand for is not.
#[derive(Clone)]
pub struct Acceptor(TlsAcceptor);

impl std::fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Acceptor")
    }
}

impl Acceptor {
    /// One that has these certificates.
    ///
    /// # Errors
    /// There is none.
    pub fn new(settings: ServerSettings) -> Result<Self, TlsError> {
        Ok(Self(TlsAcceptor::from(settings.build()?.config)))
    }

    /// Makes the handshake on a connection; how long it may take is for the caller to say.
    ///
    /// # Errors
    /// The client does not speak TLS, or has no certificate that is believed.
    pub async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
    ) -> io::Result<impl AsyncRead + AsyncWrite + Unpin + use<S>> {
        self.0.accept(stream).await
    }
}
