//! TLS as a client.

use std::io::BufReader;
use std::sync::Arc;
use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// A client that believes what is issued by the certificate in that file. Each handshake is a whole one: nothing is
/// taken over from one before.
pub(crate) fn believing(path: &str) -> Arc<ClientConfig> {
    let file = std::fs::File::open(path).expect("the file of a certificate");
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_reader_iter(BufReader::new(file)) {
        roots.add(certificate.expect("a certificate")).expect("a root");
    }
    let mut config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    config.resumption = Resumption::disabled();
    Arc::new(config)
}
