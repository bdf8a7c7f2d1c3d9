//! The servers by which media of a network behind a NAT reaches its peers.

use crate::snapshot::Snapshot;
use config::{Network, NetworkName, ServerTransport, TraversalServer};
use media::relay::{Config, Notify, Roots};
use media::{Auth, Notice, Server, Transport};
use std::net::ToSocketAddrs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zeroize::Zeroizing;

/// Why a server could not be made out.
#[derive(Debug, thiserror::Error)]
pub enum TraversalError {
    /// Its name leads to no address of the family of the network's media.
    #[error("networks.{network}.media.traversal: {uri} has no address that media of the network reaches")]
    Address {
        /// The network.
        network: NetworkName,
        /// The server.
        uri: String,
    },
    /// There are no root certificates to believe it by.
    #[error("networks.{network}.media.traversal.roots: no certificate in {path}")]
    Roots {
        /// The network.
        network: NetworkName,
        /// Where they should be.
        path: PathBuf,
    },
}

/// Looks the servers up, and has the log told of them.
pub(super) fn complete(relay: &mut Config, snapshot: &Snapshot) -> Result<(), TraversalError> {
    let config = snapshot.config();
    for ((name, network), id) in config.networks.iter().zip(0..) {
        let id = media::NetworkId(id);
        let Some(behind) = relay.networks.iter_mut().find(|behind| behind.id == id) else { continue };
        let Some(traversal) = network.media.as_ref().and_then(|media| media.traversal.as_ref()) else {
            continue;
        };
        let secrets = snapshot.secrets.traversal.get(name).map(Vec::as_slice).unwrap_or_default();
        let servers = traversal.servers.iter().enumerate();
        let servers = servers.map(|(n, server)| {
            let secret = secrets.get(n).cloned().flatten();
            let found = found((name, network), server, secret);
            found
                .ok_or_else(|| TraversalError::Address { network: name.clone(), uri: server.uri.to_string() })
        });
        let servers = servers.collect::<Result<Arc<[Server]>, _>>()?;
        if servers.iter().any(|server| server.transport == Transport::Tls) {
            relay.roots.push((id, roots(name, traversal.roots.as_deref())?));
        }
        behind.traversal = Some(Arc::new(media::Traversal { servers, ready: traversal.ready }));
    }
    relay.notify = Notify::new(|notice| match notice {
        Notice::Down { server, why } => {
            tracing::warn!(%server, %why, "a server that leads through the NAT is of no use");
        }
        Notice::Up { server } => {
            tracing::info!(%server, "a server that leads through the NAT is there again");
        }
    });
    Ok(())
}

/// A server at its address.
fn found(
    (_, network): (&NetworkName, &Network),
    server: &TraversalServer,
    secret: Option<Zeroizing<String>>,
) -> Option<Server> {
    let ipv6 = network.media.as_ref()?.address.is_ipv6();
    let mut addresses = (server.uri.host(), server.uri.port()).to_socket_addrs().ok()?;
    let address = addresses.find(|address| address.is_ipv6() == ipv6)?;
    let name: Box<str> = server.username.as_deref().unwrap_or_default().into();
    let auth = secret.map(|secret| match server.secret {
        Some(_) => Auth::Shared { user: name, secret },
        None => Auth::Login { username: name, password: secret },
    });
    let transport = match server.uri.transport() {
        ServerTransport::Udp => Transport::Udp,
        ServerTransport::Tcp => Transport::Tcp,
        ServerTransport::Tls => Transport::Tls,
    };
    let (name, host) = (server.uri.to_string().into(), server.uri.host().into());
    Some(Server { name, host, address, transport, auth })
}

fn roots(network: &NetworkName, file: Option<&Path>) -> Result<Roots, TraversalError> {
    let found = match file {
        Some(file) => std::fs::read(file).ok().and_then(|pem| Roots::from_pem(&pem)),
        None => Roots::from_der(rustls_native_certs::load_native_certs().certs.into_iter()),
    };
    let path = file.map_or_else(|| PathBuf::from("the system"), Path::to_owned);
    found.ok_or_else(|| TraversalError::Roots { network: network.clone(), path })
}
