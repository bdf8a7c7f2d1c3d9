//! What in a configuration can be put in force, and is probably not meant.

use super::OwnCertificate;
use config::{Config, Listener, Network, NetworkName, Pattern, Target};
use sip::{Domain, is_private};
use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

/// A certificate of ours that is good for less than that is spoken of, so that somebody has time to get another one.
const SOON: Duration = Duration::from_secs(14 * 24 * 3600);

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
pub(crate) fn of(
    config: &Config,
    names: &Names,
    certificates: &[OwnCertificate],
    now: SystemTime,
    document: &[u8],
) -> Vec<Advice> {
    let mut said = Vec::new();
    expiring(certificates, now, &mut said);
    for (name, network) in &config.networks {
        unproved(name, network, names, &mut said);
        unreachable(config, name, network, &mut said);
        unrouted(config, name, network, &mut said);
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
    // Who crosses a NAT tells the addresses that servers see.
    if let Some(media) = network.media.as_ref().filter(|media| media.traversal.is_none()) {
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

/// Our certificates that peers believe no more, or not for long.
fn expiring(certificates: &[OwnCertificate], now: SystemTime, said: &mut Vec<Said>) {
    for own in certificates {
        let left = own.left(now);
        if u64::try_from(left).is_ok_and(|left| left > SOON.as_secs()) {
            continue;
        }
        let verb = if left <= 0 { "has expired" } else { "expires" };
        let found = format!("a chain that {verb} at {}", own.expires_at());
        let days = SOON.as_secs() / (24 * 3600);
        said.push((
            format!("{}.chain", own.path),
            found,
            format!("one that is good for more than {days} days"),
        ));
    }
}

/// Domains whose users register, and whom no route leads to: who calls them gets 404.
fn unrouted(config: &Config, name: &NetworkName, network: &Network, said: &mut Vec<Said>) {
    let Some(registrar) = &network.registrar else { return };
    let is_same = |domain: &str, other: &str| domain.eq_ignore_ascii_case(other);
    for (n, domain) in registrar.domains.iter().enumerate() {
        let (host, domain) = (domain.host(), domain.to_string());
        let has_users = registrar.accounts.iter().any(|account| is_same(account.address.domain(), &domain));
        let leads = |target: &Target| match target {
            Target::Domain(target) => is_same(&target.domain.to_string(), &domain),
            Target::Trunk(_) | Target::Uri(_) => false,
        };
        // Numbers and users may be theirs.
        let matches = |called: &Pattern| !matches!(called, Pattern::Domain(other) if !is_same(other, host));
        let is_reached = config.routes.iter().any(|route| {
            route.to.iter().any(leads) && (route.called.is_empty() || route.called.iter().any(matches))
        });
        if has_users && !is_reached {
            let expected = format!(
                "a route for \"@{host}\" to {{ domain = {domain:?} }}: without, calls to its users are not found"
            );
            said.push((format!("networks.{name}.registrar.domains[{n}]"), domain, expected));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advice(document: &str, names: &[(&str, &[&str])]) -> String {
        advised(document, names, &[])
    }

    /// At second 1 000 000 000.
    fn advised(document: &str, names: &[(&str, &[&str])], certificates: &[OwnCertificate]) -> String {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        let config = Config::parse("advice.toml", document).unwrap_or_else(|errors| panic!("{errors}"));
        let names = names.iter().map(|(listener, domains)| {
            ((*listener).to_owned(), domains.iter().map(|domain| Domain::new(domain)).collect())
        });
        let said = of(&config, &names.collect(), certificates, now, document.as_bytes());
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

    #[test]
    fn a_certificate_of_ours_that_has_expired_or_soon_will_is_named() {
        let document = r#"
[networks.a]
media = { address = "10.0.0.1" }
[[networks.a.listeners]]
transport = "tls"
address = "10.0.0.1:5061"
tls = { certificates = [{ chain = "/none", key = "/none" }, { chain = "/other", key = "/none" }] }
"#;
        let own = |n: usize, left: i64| OwnCertificate {
            path: format!("networks.a.listeners[0].tls.certificates[{n}]"),
            expires: 1_000_000_000 + left,
        };
        let right: &[(&str, &[&str])] = &[("networks.a.listeners[0]", &["10.0.0.1"])];
        assert_eq!(
            advised(document, right, &[own(0, 14 * 86_400 + 1), own(1, i64::MAX - 2_000_000_000)]),
            ""
        );
        insta::assert_snapshot!(advised(document, right, &[own(0, 0), own(1, 14 * 86_400)]), @r#"
        7:35: warning: networks.a.listeners[0].tls.certificates[0].chain: found "a chain that has expired at 2001-09-09T01:46:40.000Z", expected one that is good for more than 14 days
        7:71: warning: networks.a.listeners[0].tls.certificates[1].chain: found "a chain that expires at 2001-09-23T01:46:40.000Z", expected one that is good for more than 14 days
        "#);
    }

    #[test]
    fn a_domain_whose_users_nobody_can_call_is_named() {
        let document = |to: &str| {
            format!(
                r#"
[networks.a]
listeners = [{{ transport = "udp", address = "10.0.0.1:5060" }}]
media = {{ address = "10.0.0.1" }}
[networks.a.registrar]
domains = ["empty.example", "Example.com"]
challenge = {{ realm = "example.com", users = [{{ username = "alice", password = {{ env = "ALICE" }} }}] }}
accounts = [{{ address = "alice@example.com", users = ["alice"] }}]
[[routes]]
name = "users"
to = [{to}]
"#
            )
        };
        assert_eq!(advice(&document(r#"{ domain = "example.com" }"#), &[]), "");
        let right = document(r#"{ domain = "example.com" }"#);
        for called in ["+49*", "alice", "@EXAMPLE.com", "*"] {
            let route = format!("\ncalled = [\"@other.example\", {called:?}]\nto =");
            assert_eq!(advice(&right.replace("\nto =", &route), &[]), "", "{called}");
        }
        let elsewhere = document(r#"{ domain = "empty.example" }"#);
        let other = right.replace("\nto =", "\ncalled = [\"@empty.example\"]\nto =");
        assert_eq!(advice(&other, &[]), advice(&elsewhere, &[]));
        insta::assert_snapshot!(advice(&elsewhere, &[]), @r#"6:29: warning: networks.a.registrar.domains[1]: found "Example.com", expected a route for "@Example.com" to { domain = "Example.com" }: without, calls to its users are not found"#);
    }
}
