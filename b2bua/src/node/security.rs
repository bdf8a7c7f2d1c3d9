//! Certificates, keys and roots of a configuration, read from their files.

use crate::secrets::SecretError;
use crate::snapshot::{Names, OwnCertificate};
use config::{
    Certificate, ClientCertificates, Config, ListenerTls, Network, NetworkName, NetworkTls, Pin, Trunk,
    WebSocket,
};
use ipnet::IpNet;
use sip::driver::tls::{
    Acceptor, ClientSettings, Clients, Credentials, Fingerprint, Pins, ServerSettings, TlsError, Trust,
};
use sip::driver::{Security, WebSocketRules};
use sip::{Domain, ListenerId, NetworkId};
use std::collections::BTreeMap;
use std::error::Error;
use std::hash::{DefaultHasher, Hasher};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bits of a file's mode that let everybody read or write it.
const EVERYBODY: u32 = 0o007;

/// What was read, and what tells whether it has changed since.
#[derive(Debug, Default)]
pub(crate) struct Material {
    pub(crate) security: Security,
    /// A digest of each file, by the setting that names it.
    pub(crate) files: BTreeMap<String, u64>,
    pub(crate) names: Names,
    /// How the listeners of TURN servers take connections over TLS, in their order.
    pub(crate) turn: BTreeMap<NetworkName, Vec<Option<Acceptor>>>,
    /// Our certificates.
    pub(crate) own: Vec<OwnCertificate>,
}

/// Reads what the listeners and networks of a configuration need; listeners are numbered in the order of `networks`.
///
/// # Errors
/// All that cannot be had or used.
pub(crate) fn read(config: &Config, networks: &[NetworkName]) -> Result<Material, Vec<SecretError>> {
    let mut reader = Reader::default();
    let mut listeners = (0..=u16::MAX).map(ListenerId);
    for (id, name) in (0..=u16::MAX).map(NetworkId).zip(networks) {
        let Some(network) = config.networks.get(name) else { continue };
        let path = format!("networks.{name}.tls");
        if let Some(settings) = reader.client(&path, network.tls.as_ref()) {
            let built = reader.material.security.tls.connect(id, settings);
            reader.note(&path, built);
        }
        for (n, (listener, id)) in network.listeners.iter().zip(&mut listeners).enumerate() {
            let listener_path = format!("networks.{name}.listeners[{n}]");
            let path = format!("{listener_path}.tls");
            if let Some(settings) = listener.tls.as_ref().and_then(|tls| reader.server(&path, tls)) {
                let names = settings.credentials.iter().flat_map(|own| own.domains().iter().cloned());
                reader.material.names.insert(listener_path, names.collect());
                let built = reader.material.security.tls.serve(id, settings);
                reader.note(&path, built);
            }
            if let Some(websocket) = &listener.websocket {
                let rules = Arc::new(rules(websocket));
                reader.material.security.websockets.insert(id, rules);
            }
        }
        reader.turn(name, network);
    }
    reader.material.security.peers = peers(config);
    if reader.errors.is_empty() { Ok(reader.material) } else { Err(reader.errors) }
}

/// Whose certificates are known.
fn pins(of: &[Pin]) -> Pins {
    let mut pins = Pins::new();
    for pin in of {
        let prints = pin.fingerprints.iter().map(|print| Fingerprint(print.bytes()));
        pins.entry(Domain::new(pin.host.as_str())).or_default().extend(prints);
    }
    pins
}

/// Where trunks are, as far as addresses tell.
fn peers(config: &Config) -> Arc<[IpNet]> {
    let of_trunk = |trunk: &Trunk| -> Vec<IpNet> {
        let targets = trunk.targets.iter().filter_map(sip::numeric_hop).map(IpNet::from);
        trunk.own_sources().copied().chain(targets).collect()
    };
    config.trunks.values().flat_map(of_trunk).collect()
}

fn rules(settings: &WebSocket) -> WebSocketRules {
    let any = settings.origins.iter().any(|origin| origin.origin().is_none());
    let named = settings.origins.iter().filter_map(|origin| origin.origin()).map(str::to_owned);
    WebSocketRules {
        path: settings.path.as_str().to_owned(),
        origins: (!any).then(|| named.collect()),
        ..WebSocketRules::default()
    }
}

#[derive(Default)]
struct Reader {
    material: Material,
    errors: Vec<SecretError>,
    /// The roots of the system, once somebody has asked for them.
    system: Option<rustls_native_certs::CertificateResult>,
}

impl Reader {
    /// How a network makes connections; without a table it believes what the system believes.
    fn client(&mut self, path: &str, tls: Option<&NetworkTls>) -> Option<ClientSettings> {
        let Some(tls) = tls else {
            let mut trust = Trust::default();
            self.add_system(&mut trust);
            return Some(ClientSettings { trust, ..ClientSettings::default() });
        };
        let trust = self.trust(path, tls.roots.as_deref(), &tls.revoked, tls.sip_purpose);
        let own = tls.certificate.as_ref().map(|own| self.credentials(&format!("{path}.certificate"), own));
        let credentials = match own {
            Some(own) => Some(own?),
            None => None,
        };
        Some(ClientSettings { trust: trust?, credentials, pins: pins(&tls.pins) })
    }

    /// How the listeners of a network's TURN server take connections.
    fn turn(&mut self, name: &NetworkName, network: &Network) {
        let Some(turn) = &network.turn else { return };
        let listeners = turn.listeners.iter().enumerate().map(|(n, listener)| {
            let path = format!("networks.{name}.turn.listeners[{n}].tls");
            let settings = self.server(&path, listener.tls.as_ref()?)?;
            let built = Acceptor::new(settings);
            let acceptor = built.as_ref().ok().cloned();
            self.note(&path, built.map(|_| ()));
            acceptor
        });
        let acceptors = listeners.collect();
        self.material.turn.insert(name.clone(), acceptors);
    }

    /// How a listener takes connections.
    fn server(&mut self, path: &str, tls: &ListenerTls) -> Option<ServerSettings> {
        let own = tls.certificates.iter().enumerate();
        let own: Vec<_> =
            own.map(|(n, own)| self.credentials(&format!("{path}.certificates[{n}]"), own)).collect();
        let trust = match tls.clients {
            ClientCertificates::Unasked => None,
            ClientCertificates::Optional | ClientCertificates::Required => {
                Some(self.trust(path, tls.roots.as_deref(), &tls.revoked, tls.sip_purpose)?)
            }
        };
        let clients = match (tls.clients, trust) {
            (ClientCertificates::Optional, Some(trust)) => Clients::Optional(trust),
            (ClientCertificates::Required, Some(trust)) => Clients::Required(trust),
            (ClientCertificates::Unasked, _) | (_, None) => Clients::Unasked,
        };
        let credentials = own.into_iter().collect::<Option<_>>()?;
        Some(ServerSettings { credentials, clients, pins: pins(&tls.pins) })
    }

    fn credentials(&mut self, path: &str, own: &Certificate) -> Option<Credentials> {
        let chain = self.file(&format!("{path}.chain"), &own.chain);
        let at = format!("{path}.key");
        let key = self.file(&at, &own.key);
        match std::fs::metadata(&own.key) {
            Ok(about) if about.mode() & EVERYBODY != 0 => {
                let mode = about.mode() & 0o777;
                let why = format!("{}: everybody may use it (mode {mode:03o})", own.key.display());
                self.errors.push(SecretError { path: at, why });
                return None;
            }
            // That it cannot be read is said already.
            Ok(_) | Err(_) => {}
        }
        let read = Credentials::from_pem(&chain?, &key?);
        let credentials = self.used(path, &own.chain, read)?;
        let expires = credentials.expires();
        self.material.own.extend(expires.map(|expires| OwnCertificate { path: path.to_owned(), expires }));
        Some(credentials)
    }

    fn trust(
        &mut self,
        path: &str,
        roots: Option<&Path>,
        revoked: &[PathBuf],
        sip_purpose: bool,
    ) -> Option<Trust> {
        let mut trust = Trust::default();
        trust.insist_on_sip_purpose(sip_purpose);
        let mut whole = true;
        match roots {
            None => self.add_system(&mut trust),
            Some(file) => {
                let at = format!("{path}.roots");
                let added = self.file(&at, file).and_then(|pem| self.used(&at, file, trust.add_pem(&pem)));
                whole &= added.is_some();
            }
        }
        for (n, file) in revoked.iter().enumerate() {
            let at = format!("{path}.revoked[{n}]");
            let added = self.file(&at, file).and_then(|list| self.used(&at, file, trust.revoke(&list)));
            whole &= added.is_some();
        }
        whole.then_some(trust)
    }

    fn add_system(&mut self, trust: &mut Trust) {
        let system = self.system.get_or_insert_with(rustls_native_certs::load_native_certs);
        for error in &system.errors {
            tracing::debug!(%error, "a root certificate of the system cannot be read");
        }
        trust.add_system(system.certs.iter().cloned());
    }

    /// The contents of a file.
    fn file(&mut self, path: &str, file: &Path) -> Option<Vec<u8>> {
        match std::fs::read(file) {
            Ok(bytes) => {
                let mut digest = DefaultHasher::new();
                digest.write(&bytes);
                self.material.files.insert(path.to_owned(), digest.finish());
                Some(bytes)
            }
            Err(error) => {
                let why = format!("{}: {error}", file.display());
                self.errors.push(SecretError { path: path.to_owned(), why });
                None
            }
        }
    }

    fn used<T>(&mut self, path: &str, file: &Path, result: Result<T, TlsError>) -> Option<T> {
        let error = match result {
            Ok(value) => return Some(value),
            Err(error) => error,
        };
        let cause = error.source().map(|source| format!(" ({source})")).unwrap_or_default();
        let why = format!("{}: {error}{cause}", file.display());
        self.errors.push(SecretError { path: path.to_owned(), why });
        None
    }

    fn note(&mut self, path: &str, result: Result<(), TlsError>) {
        if let Err(error) = result {
            self.errors.push(SecretError { path: path.to_owned(), why: error.to_string() });
        }
    }
}

#[cfg(test)]
mod tests;
