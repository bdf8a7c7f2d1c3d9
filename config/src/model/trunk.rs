use std::collections::BTreeSet;
use std::time::Duration;

use ipnet::IpNet;
use sip_types::{Scheme, Uri};

use crate::declare::{Claim, Reader, table};
use crate::error::Found;
use crate::model::{CardCredentials, Challenge, Credentials, Register, Transport};
use crate::text::{Domain, HostPort, NetworkName, ProfileName};

table! {
    /// A peer that calls are exchanged with.
    pub struct Trunk {
        /// The network that it is in.
        pinned network: NetworkName, such as "carrier";
        /// Where calls to it go, tried in this order. A URI with a user is called as it stands; one without gets
        /// the user of the request.
        pinned targets: Vec<Uri> = [], in 0..=64, say ["sip:192.0.2.10", "sip:192.0.2.11"];
        /// The host of Request-URIs, when that is not the target's; the target is then only the next hop.
        pinned domain: Option<HostPort>, such as "sip.example.com";
        /// The source addresses that its requests are known by; the longest network wins. Where it has `identities`, it is
        /// known by them alone, and must come from one of these addresses as well, if there are any. A network larger than
        /// a /8 of IPv4 or a /16 of IPv6 is no trunk's own: who is known by one is guarded against as strangers are
        /// (`guard`), and has no part in the connections that are kept for trunks (`limits.connections`).
        live from: Vec<IpNet> = [], in 0..=1_024, say ["192.0.2.10", "198.51.100.0/24"];
        /// The domains that it is known by over TLS, whatever its address: one that its certificate stands for
        /// (RFC 5922 §7.1) is enough. It is asked for where the listener's `clients` is not `"unasked"`.
        live identities: Vec<Domain> = [], in 0..=64, say ["pbx.example.com"];
        /// What answers its challenges (RFC 3261 §22), by realm. They are shown to this trunk only.
        live credentials: Vec<Credentials> = [], in 0..=16;
        /// The same with the keys of a SIM card (RFC 3310).
        live card_credentials: Vec<CardCredentials> = [], in 0..=16;
        /// Makes us challenge its requests.
        live challenge: Option<Challenge>;
        /// Has us register with it.
        live register: Option<Register>;
        /// How often every target of the trunk is sent an OPTIONS, whatever is known of it; without it, calls find out
        /// how a target is.
        live probe: Option<Duration>, in "5s"..="1h", such as "30s";
        /// The profile of its legs, instead of the network's.
        pinned profile: Option<ProfileName>, such as "default";
        /// Calls at a time in both directions; one more is answered 503 towards it, and not sent to it.
        live max_calls: Option<u32>, in 1..=1_000_000, such as 100;
    }
    check check_trunk;
}

impl Trunk {
    /// Of `from`, the networks that tell the trunk from everybody else: at least a /8 of IPv4 or a /16 of IPv6.
    pub fn own_sources(&self) -> impl Iterator<Item = &IpNet> {
        self.from.iter().filter(|net| net.prefix_len() >= if net.addr().is_ipv4() { 8 } else { 16 })
    }
}

fn check_trunk(trunk: &Trunk, reader: &mut Reader<'_>) {
    for (index, target) in trunk.targets.iter().enumerate() {
        if let Err(expected) = target_transport(target) {
            let found = Found::Text(format!("\"{target}\""));
            reader.conflict(&reader.element("targets", index), found, expected);
        }
    }
    let known_by = if trunk.identities.is_empty() { trunk.from.as_slice() } else { &[] };
    for (index, from) in known_by.iter().enumerate() {
        let claim = Claim::Source { network: trunk.network.clone(), from: *from };
        reader.claim(&reader.element("from", index), claim);
    }
    for (index, identity) in trunk.identities.iter().enumerate() {
        let claim = Claim::Identity { network: trunk.network.clone(), identity: identity.clone() };
        reader.claim(&reader.element("identities", index), claim);
    }
    let passwords = trunk.credentials.iter().map(|of| &of.realm).enumerate();
    let cards = trunk.card_credentials.iter().map(|of| &of.realm).enumerate();
    let passwords = passwords.map(|(index, realm)| ("credentials", index, realm));
    let mut seen = BTreeSet::new();
    for (list, index, realm) in
        passwords.chain(cards.map(|(index, realm)| ("card_credentials", index, realm)))
    {
        if !seen.insert(realm) {
            let found = Found::Text(format!("{:?} again", &**realm));
            let path = format!("{}.realm", reader.element(list, index));
            reader.conflict(&path, found, "each realm once");
        }
    }
}

/// The transport that a target asks for, when it names one; an error says which URIs we can call.
pub(crate) fn target_transport(uri: &Uri) -> Result<Option<Transport>, &'static str> {
    let is = |wanted: &str| uri.transport().is_some_and(|transport| transport.eq_ignore_ascii_case(wanted));
    match (uri.scheme(), uri.transport()) {
        (Scheme::Sips, None) => Ok(Some(Transport::Tls)),
        (Scheme::Sips, Some(_)) if is("tcp") || is("tls") => Ok(Some(Transport::Tls)),
        (Scheme::Sips, Some(_)) => Err("a sips: URI with transport tcp, or without"),
        (Scheme::Sip, None) => Ok(None),
        (Scheme::Sip, Some(_)) if is("udp") => Ok(Some(Transport::Udp)),
        (Scheme::Sip, Some(_)) if is("tcp") => Ok(Some(Transport::Tcp)),
        (Scheme::Sip, Some(_)) if is("tls") => Ok(Some(Transport::Tls)),
        (Scheme::Sip, Some(_)) if is("ws") || is("wss") => {
            Err("a URI with transport udp, tcp or tls: nobody is called over a WebSocket")
        }
        (Scheme::Sip, Some(_)) => Err("a sip: URI with transport udp, tcp or tls"),
        (Scheme::Tel | Scheme::Other, _) => Err("a sip: or sips: URI"),
    }
}
