//! What the configuration says of TURN servers, as their cores take it.

use crate::snapshot::Snapshot;
use config::{Config, HostPort, NetworkMedia, NetworkName, NetworkTurn, TurnListener, TurnTransport};
use media::turn::{Limits, Own, Reach, Relayed, Settings};
use sip::driver::tls::Acceptor;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// The TURN server of a network under a configuration.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    pub(crate) network: NetworkName,
    pub(crate) settings: Arc<Settings>,
    /// How its listeners take connections over TLS, in their order.
    pub(crate) acceptors: Vec<Option<Acceptor>>,
}

/// All TURN servers of a configuration.
pub(crate) fn services(
    snapshot: &Snapshot,
    mut acceptors: BTreeMap<NetworkName, Vec<Option<Acceptor>>>,
) -> Vec<Service> {
    let config = snapshot.config();
    let reach = reach(snapshot);
    let with_turn = config.networks.iter().filter_map(|(name, network)| {
        let (turn, media) = (network.turn.as_ref()?, network.media.as_ref()?);
        let secrets = snapshot.secrets.turn.get(name).cloned().unwrap_or_default();
        let settings = Settings {
            realm: (&*turn.realm).into(),
            secrets,
            relayed: relayed(turn, media),
            reach: Reach { extra: turn.peers.clone(), ..reach.clone() },
            lifetime: seconds(turn.lifetime),
            longest_lifetime: seconds(turn.longest_lifetime),
            nonce_lifetime: seconds(turn.nonce_lifetime),
            quarantine: seconds(turn.quarantine),
            old_channels: turn.old_channels,
            limits: limits(turn),
        };
        let acceptors = acceptors.remove(name).unwrap_or_default();
        Some(Service { network: name.clone(), settings: Arc::new(settings), acceptors })
    });
    with_turn.collect()
}

fn limits(turn: &NetworkTurn) -> Limits {
    Limits {
        allocations: turn.allocations,
        per_user: turn.allocations_per_user,
        permissions: turn.permissions,
        rate: turn.bytes_per_user,
        unproven: turn.unproven_rate,
    }
}

/// Our media ports in all networks, and our addresses.
fn reach(snapshot: &Snapshot) -> Reach {
    let own = snapshot.media.iter().flatten().map(|media| Own {
        told: media.address(),
        bound: media.bind,
        ports: media.ports.clone(),
    });
    let networks = snapshot.config().networks.values();
    let relayed =
        networks.filter_map(|network| Some(relayed(network.turn.as_ref()?, network.media.as_ref()?)));
    let relayed = relayed.map(|Relayed { bind, told, ports }| Own { told, bound: bind, ports });
    Reach {
        own: own.collect(),
        relayed: relayed.collect(),
        hosts: hosts(snapshot.config()),
        extra: Vec::new(),
    }
}

fn relayed(turn: &NetworkTurn, media: &NetworkMedia) -> Relayed {
    Relayed {
        bind: media.address,
        told: media.advertised.unwrap_or(media.address),
        ports: turn.ports.start()..=turn.ports.end(),
    }
}

/// Where clients of TURN servers send to over UDP, as it is bound and as they are told.
pub(crate) fn listeners(config: &Config) -> Vec<SocketAddr> {
    let all = config.networks.values().flat_map(|network| &network.turn).flat_map(|turn| &turn.listeners);
    let udp = all.filter(|listener| listener.transport == TurnTransport::Udp);
    let told = |listener: &TurnListener| {
        let told = listener.advertised.as_ref()?;
        Some(SocketAddr::new(ip(told)?, told.port().unwrap_or(listener.address.port())))
    };
    udp.flat_map(|listener| [Some(listener.address), told(listener)]).flatten().collect()
}

/// The address of a host that is none of a name.
fn ip(place: &HostPort) -> Option<IpAddr> {
    let host = std::str::from_utf8(place.host().as_bytes()).ok()?;
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// Where we listen ourselves, as it is bound and as others are told.
fn hosts(config: &Config) -> Vec<IpAddr> {
    let networks = config.networks.values();
    let sip = networks.clone().flat_map(|n| &n.listeners).map(|l| (l.address, &l.advertised));
    let turn = networks.flat_map(|n| &n.turn).flat_map(|t| &t.listeners).map(|l| (l.address, &l.advertised));
    let both = sip.chain(turn).flat_map(|(bound, told)| [Some(bound.ip()), told.as_ref().and_then(ip)]);
    both.flatten().chain([config.admin.listen.ip()]).collect()
}

/// The URIs of a server (RFC 7065), in the order of its listeners.
pub(crate) fn uris(turn: &NetworkTurn) -> Vec<String> {
    let uri = |listener: &TurnListener| {
        let (scheme, transport) = match listener.transport {
            TurnTransport::Udp => ("turn", "udp"),
            TurnTransport::Tcp => ("turn", "tcp"),
            TurnTransport::Tls => ("turns", "tcp"),
        };
        let place = match &listener.advertised {
            Some(told) => format!("{}:{}", told.host(), told.port().unwrap_or(listener.address.port())),
            None => listener.address.to_string(),
        };
        format!("{scheme}:{place}?transport={transport}")
    };
    turn.listeners.iter().map(uri).collect()
}

fn seconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Config {
        let tls = r#"tls = { certificates = [{ chain = "a", key = "b" }] }"#;
        let text = format!(
            "[networks.n]\nlisteners = [{{ transport = \"tcp\", address = \"10.0.0.1:5060\", advertised = \"198.51.100.9\" }}]\n\
             media = {{ address = \"10.0.0.1\" }}\n[networks.n.turn]\nrealm = \"r\"\nsecret = {{ env = \"S\" }}\nlisteners = [\n\
             {{ transport = \"udp\", address = \"[2001:db8::1]:3478\" }},\n\
             {{ transport = \"tcp\", address = \"0.0.0.0:3478\", advertised = \"192.0.2.1:80\" }},\n\
             {{ transport = \"tls\", address = \"10.0.0.1:5349\", advertised = \"turn.example.com\", {tls} }}]\n"
        );
        Config::parse("test.toml", &text).unwrap_or_else(|errors| panic!("{errors}"))
    }

    // conforms: RFC8656-4.1-1
    #[test]
    fn rfc7065_the_uri_of_a_listener_says_how_it_is_reached() {
        let config = example();
        let turn = config.networks.values().next().and_then(|network| network.turn.as_ref()).unwrap();
        assert_eq!(
            uris(turn),
            [
                "turn:[2001:db8::1]:3478?transport=udp",
                "turn:192.0.2.1:80?transport=tcp",
                "turns:turn.example.com:5349?transport=tcp",
            ]
        );
    }

    #[test]
    fn our_addresses_are_those_bound_and_those_told() {
        let ours = hosts(&example());
        for told in ["10.0.0.1", "198.51.100.9", "2001:db8::1", "192.0.2.1"] {
            assert!(ours.contains(&told.parse::<IpAddr>().unwrap()), "{told} is not among {ours:?}");
        }
    }

    #[test]
    fn media_comes_to_no_listener_over_udp_as_it_is_bound_or_told() {
        let text = "[networks.n]\nlisteners = [{ transport = \"tcp\", address = \"10.0.0.1:5060\" }]\n\
             media = { address = \"10.0.0.1\" }\n[networks.n.turn]\nrealm = \"r\"\nsecret = { env = \"S\" }\nlisteners = [\n\
             { transport = \"udp\", address = \"10.0.0.1:3478\", advertised = \"192.0.2.1:80\" },\n\
             { transport = \"udp\", address = \"[::]:3478\", advertised = \"[2001:db8::9]\" },\n\
             { transport = \"udp\", address = \"10.0.0.1:3479\", advertised = \"turn.example.com\" },\n\
             { transport = \"tcp\", address = \"10.0.0.1:3478\" }]\n";
        let config = Config::parse("test.toml", text).unwrap_or_else(|errors| panic!("{errors}"));
        let expected = ["10.0.0.1:3478", "192.0.2.1:80", "[::]:3478", "[2001:db8::9]:3478", "10.0.0.1:3479"];
        assert_eq!(listeners(&config), expected.map(|address| address.parse::<SocketAddr>().unwrap()));
    }
}
