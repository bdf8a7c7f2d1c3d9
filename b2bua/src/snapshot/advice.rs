//! What in a configuration can be put in force, and is probably not meant.

use config::{Config, Listener, Network, NetworkName};
use sip::{Domain, is_private};
use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

/// A setting that peers may stumble over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advice {
    /// Line of the document, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The setting.
    pub path: String,
    /// What stands there.
    pub found: String,
    /// What would be better, in words.
    pub expected: String,
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column, path, found, expected } = self;
        write!(f, "{line}:{column}: warning: {path}: found {found}, expected {expected}")
    }
}

/// Whom the certificates of listeners stand for, by the setting of the listener.
pub(crate) type Names = BTreeMap<String, Vec<Domain>>;

/// All that can be said of a document.
pub(crate) fn of(config: &Config, names: &Names, document: &[u8]) -> Vec<Advice> {
    let mut said = Vec::new();
    for (name, network) in &config.networks {
        unproved(name, network, names, &mut said);
        unreachable(config, name, network, &mut said);
    }
    if said.is_empty() {
        return Vec::new();
    }
    let places = Config::positions(document, said.iter().map(|(path, ..)| &**path));
    let placed = said.into_iter().zip(places).map(|((path, found, expected), (line, column))| Advice {
        line,
        column,
        path,
        found: format!("{found:?}"),
        expected,
    });
    placed.collect()
}

/// Path, what was found, what was expected.
type Said = (String, String, String);

/// What a listener is called in Via and Contact, and the setting that says so.
fn called(path: &str, network: (&NetworkName, &Network), listener: &Listener) -> (String, String) {
    match (&listener.advertised, &network.1.domain) {
        (Some(advertised), _) => {
            (format!("{path}.advertised"), advertised.host().trim_matches(['[', ']']).to_owned())
        }
        (None, Some(domain)) => (format!("networks.{}.domain", network.0), domain.as_str().to_owned()),
        (None, None) => (format!("{path}.address"), listener.address.ip().to_string()),
    }
}

/// Listeners over TLS whose certificates do not stand for the host of their Contact: whoever connects to that, as for a request
/// in the dialog, must not believe them (RFC 5922 §7.3). Peers that use the connection that there is never notice
/// (RFC 5923), hence no error.
fn unproved(name: &NetworkName, network: &Network, names: &Names, said: &mut Vec<Said>) {
    for (n, listener) in network.listeners.iter().enumerate() {
        let path = format!("networks.{name}.listeners[{n}]");
        let Some(stands_for) = names.get(&path) else { continue };
        let (at, host) = called(&path, (name, network), listener);
        // RFC 5922 §7.2: a name matches itself only, wildcards match nothing.
        if stands_for.contains(&Domain::new(&host)) {
            continue;
        }
        let known: Vec<_> = stands_for.iter().map(Domain::as_str).collect();
        let known = if known.is_empty() { "nobody".to_owned() } else { known.join(", ") };
        said.push((at, host, format!("a name that a certificate of the listener stands for: {known}")));
    }
}

/// Private addresses in the messages and session descriptions of a network that has public ones.
fn unreachable(config: &Config, name: &NetworkName, network: &Network, said: &mut Vec<Said>) {
    let mut stated = Vec::new();
    for (n, listener) in network.listeners.iter().enumerate() {
        let (at, host) = called(&format!("networks.{name}.listeners[{n}]"), (name, network), listener);
        stated.extend(host.parse::<IpAddr>().ok().map(|ip| (at, ip)));
    }
    if let Some(media) = &network.media {
        let setting = if media.advertised.is_some() { "advertised" } else { "address" };
        let ip = media.advertised.unwrap_or(media.address);
        stated.push((format!("networks.{name}.media.{setting}"), ip));
    }
    let trunks = || config.trunks.values().filter(|trunk| trunk.network == *name);
    let peers = trunks().flat_map(|trunk| {
        let targets = trunk.targets.iter().filter_map(sip::numeric_hop);
        // What stands for everybody tells nothing of anybody.
        let sources = trunk.from.iter().filter(|from| from.prefix_len() > 0).map(|from| from.addr());
        targets.chain(sources)
    });
    let public = |ip: &IpAddr| !is_private(*ip) && !ip.is_unspecified();
    let Some(outside) = stated.iter().map(|(_, ip)| *ip).chain(peers).find(public) else { return };
    for (at, ip) in stated.into_iter().filter(|(_, ip)| is_private(*ip)) {
        let expected = format!("an address that peers such as {outside} reach, or `advertised` beside it");
        said.push((at, ip.to_string(), expected));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advice(document: &str, names: &[(&str, &[&str])]) -> String {
        let config = Config::parse("advice.toml", document).unwrap_or_else(|errors| panic!("{errors}"));
        let names = names.iter().map(|(listener, domains)| {
            ((*listener).to_owned(), domains.iter().map(|domain| Domain::new(domain)).collect())
        });
        let said = of(&config, &names.collect(), document.as_bytes());
        said.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn rfc5922_7_3_a_listener_that_its_certificates_do_not_stand_for_is_named() {
        let document = r#"
[networks.a]
domain = "SBC.example.com"
media = { address = "10.0.0.1" }
[[networks.a.listeners]]
transport = "tls"
address = "10.0.0.1:5061"
tls = { certificates = [{ chain = "/none", key = "/none" }] }
[[networks.a.listeners]]
transport = "wss"
address = "10.0.0.1:443"
advertised = "web.example.com"
tls = { certificates = [{ chain = "/none", key = "/none" }] }
[networks.b]
media = { address = "10.0.0.2" }
[[networks.b.listeners]]
transport = "tls"
address = "10.0.0.2:5061"
tls = { certificates = [{ chain = "/none", key = "/none" }] }
"#;
        let (first, second, third) =
            ("networks.a.listeners[0]", "networks.a.listeners[1]", "networks.b.listeners[0]");
        let right: &[(&str, &[&str])] = &[
            (first, &["other.example.com", "sbc.example.com."]),
            (second, &["web.example.com"]),
            (third, &["10.0.0.2"]),
        ];
        assert_eq!(advice(document, right), "");
        let wrong: &[(&str, &[&str])] =
            &[(first, &["*.example.com"]), (second, &["sbc.example.com", "b.example"]), (third, &[])];
        insta::assert_snapshot!(advice(document, wrong), @r#"
        3:10: warning: networks.a.domain: found "SBC.example.com", expected a name that a certificate of the listener stands for: *.example.com
        12:14: warning: networks.a.listeners[1].advertised: found "web.example.com", expected a name that a certificate of the listener stands for: sbc.example.com, b.example
        18:11: warning: networks.b.listeners[0].address: found "10.0.0.2", expected a name that a certificate of the listener stands for: nobody
        "#);
    }

    #[test]
    fn rfc1918_private_addresses_towards_public_peers_are_named() {
        let network = |listener: &str, media: &str, trunk: &str| {
            format!(
                "[networks.a]\nlisteners = [{{ transport = \"udp\", address = \"{listener} }}]\n\
                 media = {{ address = \"{media} }}\n[trunks.t]\nnetwork = \"a\"\n{trunk}\n"
            )
        };
        let quiet = [
            // Everything is private, and so are those who call.
            network("10.0.0.1:5060\"", "10.0.0.1\"", "from = [\"10.0.0.0/8\", \"0.0.0.0/0\"]"),
            network("[fd00::1]:5060\"", "fd00::1\"", "targets = [\"sip:pbx.example\"]"),
            network(
                "10.0.0.1:5060\", advertised = \"198.51.100.1\"",
                "10.0.0.1\", advertised = \"198.51.100.1\"",
                "targets = [\"sip:203.0.113.9\"]",
            ),
        ];
        for document in quiet {
            assert_eq!(advice(&document, &[]), "", "{document}");
        }
        let leaking = network(
            "10.0.0.1:5060\", advertised = \"sbc.example.com\"",
            "192.168.0.1\"",
            "targets = [\"sip:203.0.113.9\"]",
        );
        let of_ours = network("198.51.100.1:5060\"", "100.64.0.1\"", "");
        let forgotten = network("10.0.0.1:5060\"", "198.51.100.1\"", "from = [\"203.0.113.0/24\"]");
        let all = [leaking, of_ours, forgotten].map(|document| advice(&document, &[])).join("\n");
        insta::assert_snapshot!(all, @r#"
        3:21: warning: networks.a.media.address: found "192.168.0.1", expected an address that peers such as 203.0.113.9 reach, or `advertised` beside it
        3:21: warning: networks.a.media.address: found "100.64.0.1", expected an address that peers such as 198.51.100.1 reach, or `advertised` beside it
        2:45: warning: networks.a.listeners[0].address: found "10.0.0.1", expected an address that peers such as 198.51.100.1 reach, or `advertised` beside it
        "#);
    }
}
