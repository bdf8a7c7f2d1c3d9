//! What only the whole document can tell.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use crate::declare::{Claim, Claimed, Reader};
use crate::error::Found;
use crate::model::{Config, Listener, MediaMode, Network, Target, Transport, target_transport};
use crate::text::{AddressOfRecord, NetworkName, ProfileName, TrunkName};
use sip_types::{Host, Uri};

/// Reports every claim that collides with an earlier one.
pub(crate) fn claims(reader: &mut Reader<'_>) {
    let claims = std::mem::take(&mut reader.claims);
    let mut sockets: BTreeMap<(Transport, u16), Vec<(IpAddr, &Claimed)>> = BTreeMap::new();
    let mut exact: BTreeMap<String, &Claimed> = BTreeMap::new();
    let mut media: Vec<&Claimed> = Vec::new();
    for claimed in &claims {
        let earlier = match &claimed.claim {
            Claim::Udp { address } => earlier_socket(&mut sockets, Transport::Udp, *address, claimed),
            Claim::Tcp { address } => earlier_socket(&mut sockets, Transport::Tcp, *address, claimed),
            Claim::Source { network, from } => {
                earlier_equal(&mut exact, format!("{network} {from}"), claimed)
            }
            Claim::Identity { network, identity } => {
                earlier_equal(&mut exact, format!("{network} {}", identity.comparable()), claimed)
            }
            Claim::Route { name } => earlier_equal(&mut exact, name.to_string(), claimed),
            Claim::Domain { domain } => earlier_equal(&mut exact, format!("@{domain}"), claimed),
            Claim::MediaPorts { .. } => {
                media.push(claimed);
                None
            }
        };
        if let Some(earlier) = earlier {
            collision(reader, claimed, earlier);
        }
    }
    for (index, claimed) in media.iter().enumerate() {
        let ranges = media.iter().take(index).copied();
        let listeners = claims.iter().filter(|other| matches!(other.claim, Claim::Udp { .. }));
        if let Some(other) =
            ranges.chain(listeners).find(|other| media_collides(&claimed.claim, &other.claim))
        {
            collision(reader, claimed, other);
        }
    }
}

fn earlier_socket<'c>(
    sockets: &mut BTreeMap<(Transport, u16), Vec<(IpAddr, &'c Claimed)>>,
    transport: Transport,
    address: SocketAddr,
    claimed: &'c Claimed,
) -> Option<&'c Claimed> {
    let taken = sockets.entry((transport, address.port())).or_default();
    let earlier = taken.iter().find(|(ip, _)| same_host(*ip, address.ip())).map(|(_, earlier)| *earlier);
    taken.push((address.ip(), claimed));
    earlier
}

fn earlier_equal<'c>(
    exact: &mut BTreeMap<String, &'c Claimed>,
    key: String,
    claimed: &'c Claimed,
) -> Option<&'c Claimed> {
    match exact.get(&key) {
        Some(earlier) => Some(earlier),
        None => {
            exact.insert(key, claimed);
            None
        }
    }
}

/// Whether two bound addresses share a host: equal, or one of them stands for all of its family.
fn same_host(a: IpAddr, b: IpAddr) -> bool {
    a == b || (a.is_ipv4() == b.is_ipv4() && (a.is_unspecified() || b.is_unspecified()))
}

fn media_collides(claim: &Claim, other: &Claim) -> bool {
    match (claim, other) {
        (Claim::MediaPorts { address, ports }, Claim::MediaPorts { address: a, ports: p }) => {
            same_host(*address, *a) && ports.overlaps(*p)
        }
        (Claim::MediaPorts { address, ports }, Claim::Udp { address: a }) => {
            same_host(*address, a.ip()) && ports.contains(a.port())
        }
        _ => false,
    }
}

fn collision(reader: &mut Reader<'_>, claimed: &Claimed, earlier: &Claimed) {
    let (found, what) = match &claimed.claim {
        Claim::Udp { address } | Claim::Tcp { address } => (address.to_string(), "an address and port"),
        Claim::MediaPorts { ports, .. } => (format!("{}-{}", ports.start(), ports.end()), "ports"),
        Claim::Source { from, .. } => (from.to_string(), "a source"),
        Claim::Identity { identity, .. } => (identity.to_string(), "an identity"),
        Claim::Route { name } => (name.to_string(), "a name"),
        Claim::Domain { domain } => (domain.clone(), "a domain"),
    };
    let expected = format!("{what} not taken by {}", earlier.path);
    reader.conflict_at(claimed.path.clone(), Found::Text(format!("{found:?}")), expected);
}

/// Settings that are right one by one and cannot stand together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The setting, such as `trunks.carrier.targets[0]`.
    pub path: String,
    /// What stands there.
    pub found: Found,
    /// What was expected, in words.
    pub expected: String,
}

impl Config {
    /// What does not fit together in a configuration that was put together from two, as a reload does that keeps what is
    /// bound: what only a whole document can tell, references between its tables included.
    #[must_use]
    pub fn conflicts(&self) -> Vec<Conflict> {
        let mut reader = Reader::new("");
        references(self, &mut reader);
        model(self, &mut reader);
        let entries = reader.entries.into_iter();
        entries.map(|e| Conflict { path: e.path, found: e.found, expected: e.expected }).collect()
    }
}

/// Reports references of networks, and to them, that lead nowhere.
fn references(config: &Config, reader: &mut Reader<'_>) {
    let mut networks = Vec::new();
    networks
        .extend(config.trunks.iter().map(|(name, trunk)| (format!("trunks.{name}.network"), &trunk.network)));
    for (index, route) in config.routes.iter().enumerate() {
        let from = route.networks.iter().enumerate();
        networks.extend(from.map(|(n, network)| (format!("routes[{index}].networks[{n}]"), network)));
        let to = route.to.iter().enumerate().filter_map(|(n, target)| match target {
            Target::Uri(target) => Some((format!("routes[{index}].to[{n}].network"), &target.network)),
            Target::Trunk(_) | Target::Domain(_) => None,
        });
        networks.extend(to);
    }
    for (path, network) in networks.into_iter().filter(|(_, network)| !config.networks.contains_key(*network))
    {
        reader.conflict_at(path, Found::Text(format!("{:?}", network.as_str())), "a network that is there");
    }
    for (name, network) in &config.networks {
        if let Some(profile) = network.profile.as_ref().filter(|name| !config.profiles.contains_key(*name)) {
            let found = Found::Text(format!("{:?}", profile.as_str()));
            reader.conflict_at(format!("networks.{name}.profile"), found, "a profile that is there");
        }
    }
}

/// Reports what does not fit together across tables.
pub(crate) fn model(config: &Config, reader: &mut Reader<'_>) {
    media(config, reader);
    targets(config, reader);
    registrations(config, reader);
}

/// Where any leg's media is anchored, every network needs media addresses, as a call may join any two.
fn media(config: &Config, reader: &mut Reader<'_>) {
    let anchoring = |name: Option<&ProfileName>| {
        let profile = config.profile(name);
        profile.is_none_or(|profile| profile.media == MediaMode::Anchored)
    };
    let networks = config.networks.values().filter(|network| anchoring(network.profile.as_ref())).count();
    let trunks = config.trunks.values().filter_map(|trunk| trunk.profile.as_ref());
    let routes = config.routes.iter().filter_map(|route| route.profile.as_ref());
    if networks == 0 && !trunks.chain(routes).any(|name| anchoring(Some(name))) {
        return;
    }
    for (name, network) in &config.networks {
        let path = format!("networks.{name}.media");
        if network.media.is_none() && !reader.faulty(&path) {
            reader.conflict_at(
                path,
                Found::Nothing,
                "media addresses, as not every profile in use has media = \"bypass\"",
            );
        }
    }
}

/// A target must be reachable: its transport needs a listener, a trunk that is called needs targets.
fn targets(config: &Config, reader: &mut Reader<'_>) {
    for (name, trunk) in &config.trunks {
        for (index, uri) in trunk.targets.iter().enumerate() {
            let path = reader.element_of(&format!("trunks.{name}.targets"), index);
            listener_for(config, reader, path, &trunk.network, uri);
        }
    }
    for (index, route) in config.routes.iter().enumerate() {
        for (position, target) in route.to.iter().enumerate() {
            let path = reader.element_of(&format!("{}.to", reader.element_of("routes", index)), position);
            match target {
                Target::Uri(target) => listener_for(config, reader, path, &target.network, &target.uri),
                Target::Domain(target) => {
                    if config.registrar_of(&target.domain.to_string()).is_none() {
                        let found = Found::Text(format!("\"{}\"", target.domain));
                        reader.conflict_at(path, found, "a domain of some network's registrar");
                    }
                }
                Target::Trunk(name) => {
                    let empty = config.trunks.get(name).is_some_and(|trunk| trunk.targets.is_empty());
                    if empty && !reader.faulty(&format!("trunks.{name}.targets")) {
                        let found = Found::Text(format!("\"{name}\""));
                        reader.conflict_at(path, found, "a trunk that has targets");
                    }
                }
            }
        }
    }
}

/// A registration needs somewhere to go, by a listener, and a contact of its own.
fn registrations(config: &Config, reader: &mut Reader<'_>) {
    let mut contacts: BTreeMap<(&NetworkName, &str), &TrunkName> = BTreeMap::new();
    let registering =
        config.trunks.iter().filter_map(|(name, trunk)| Some((name, trunk, trunk.register.as_ref()?)));
    for (name, trunk, register) in registering {
        let path = format!("trunks.{name}.register");
        for (index, uri) in register.registrars.iter().enumerate() {
            let path = reader.element_of(&format!("{path}.registrars"), index);
            listener_for(config, reader, path, &trunk.network, uri);
        }
        for (index, uri) in register.outbound.iter().flat_map(|outbound| &outbound.proxies).enumerate() {
            let path = reader.element_of(&format!("{path}.outbound.proxies"), index);
            listener_for(config, reader, path, &trunk.network, uri);
        }
        let proxied = register.outbound.as_ref().is_some_and(|outbound| !outbound.proxies.is_empty());
        let nowhere = !proxied && trunk.targets.is_empty() && register.registrars.is_empty();
        if nowhere && !reader.faulty(&format!("trunks.{name}")) {
            let expected = "a trunk that has targets, or `registrars`";
            reader.conflict_at(path.clone(), Found::Text(format!("\"{name}\"")), expected);
        }
        let user = register.contact_user(name);
        if let Some(other) = contacts.insert((&trunk.network, user), name) {
            let expected = format!("a user that trunks.{other}.register does not have");
            reader.conflict_at(format!("{path}.contact_user"), Found::Text(format!("{user:?}")), expected);
        }
        let network = config.networks.get(&trunk.network);
        if network.is_some_and(|network| is_contact(network, user, &register.address)) {
            let expected = "another address than that of the contact, which would lead to itself";
            let found = Found::Text(format!("\"{}\"", register.address));
            reader.conflict_at(format!("{path}.address"), found, expected);
        }
    }
}

/// Whether an address-of-record is what we would register for it (RFC 5627 §4.1, §5.1).
fn is_contact(network: &Network, user: &str, address: &AddressOfRecord) -> bool {
    let port = |listener: &Listener| listener.address.port();
    let places = network.listeners.iter().map(|listener| match (&listener.advertised, &network.domain) {
        (Some(advertised), _) => {
            format!("{}:{}", advertised.host(), advertised.port().unwrap_or(port(listener)))
        }
        (None, Some(domain)) => format!("{domain}:{}", port(listener)),
        (None, None) => listener.address.to_string(),
    });
    let address = address.uri_text().parse::<Uri>();
    let mut contacts = places.map(|place| format!("sip:{user}@{place}").parse::<Uri>());
    address.is_ok_and(|address| contacts.any(|contact| contact.is_ok_and(|contact| contact == address)))
}

fn listener_for(config: &Config, reader: &mut Reader<'_>, path: String, network: &NetworkName, uri: &Uri) {
    let Ok(transport) = target_transport(uri) else { return };
    // RFC 3263 §4.1: UDP where the URI says nothing.
    let transport = transport.unwrap_or(Transport::Udp);
    let Some(listeners) = config.networks.get(network).map(|network| &network.listeners) else { return };
    if reader.faulty(&format!("networks.{network}")) {
        return;
    }
    let mut speaking = listeners.iter().filter(|listener| listener.transport == transport).peekable();
    let address = match uri.maddr().or(uri.host()) {
        Some(Host::V4(address)) => Some(IpAddr::V4(address)),
        Some(Host::V6(address)) => Some(IpAddr::V6(address)),
        Some(Host::Name(_)) | None => None,
    };
    let leads = |listener: &Listener, address: IpAddr| {
        listener.towards.is_empty() || listener.towards.iter().any(|prefix| prefix.contains(&address))
    };
    let expected = if speaking.peek().is_none() {
        format!("a transport that network {network} has a listener for")
    } else if let Some(address) = address
        && !speaking.clone().any(|listener| listener.address.is_ipv4() == address.is_ipv4())
    {
        format!(
            "a name, or an address of the family that network {network} has a listener of the transport for"
        )
    } else if let Some(address) = address
        && !speaking
            .any(|listener| listener.address.is_ipv4() == address.is_ipv4() && leads(listener, address))
    {
        format!("an address that the `towards` of a listener of network {network} has")
    } else {
        return;
    };
    reader.conflict_at(path, Found::Text(format!("\"{uri}\"")), expected);
}
