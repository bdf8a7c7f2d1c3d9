//! Where calls of ours are known to be taken: the trunks.

use config::{Config, Trunk};
use sip_types::{Host, Uri};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// The hosts of all targets, addresses as they are compared, and names in small letters.
#[derive(Debug, Default)]
pub(crate) struct Reached {
    addresses: BTreeSet<IpAddr>,
    names: BTreeSet<String>,
}

impl Reached {
    /// The hosts that calls to trunks are sent to.
    pub(crate) fn new(config: &Config) -> Self {
        let mut reached = Self::default();
        let targets = config.trunks.values().flat_map(|trunk: &Trunk| &trunk.targets);
        for host in targets.filter_map(host) {
            match host {
                Host::V4(v4) => reached.addresses.insert(v4.into()),
                Host::V6(v6) => reached.addresses.insert(IpAddr::from(v6).to_canonical()),
                Host::Name(name) => reached.names.insert(comparable(name)),
            };
        }
        reached
    }

    /// Whether a contact that was registered from `source` leads to a trunk, which it is not itself.
    pub(crate) fn leads(&self, contact: &Uri, source: IpAddr) -> bool {
        let elsewhere = |address: IpAddr| {
            let address = address.to_canonical();
            address != source.to_canonical() && self.addresses.contains(&address)
        };
        match host(contact) {
            Some(Host::V4(v4)) => elsewhere(v4.into()),
            Some(Host::V6(v6)) => elsewhere(v6.into()),
            Some(Host::Name(name)) => self.names.contains(&comparable(name)),
            None => false,
        }
    }
}

/// Where a request for that URI goes (RFC 3263 §4).
fn host(uri: &Uri) -> Option<Host<'_>> {
    uri.maddr().or_else(|| uri.host())
}

fn comparable(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contact_at_a_trunk_is_told_unless_it_was_registered_there() {
        let text = r#"
            networks.a.listeners = [{ transport = "udp", address = "192.0.2.1:5060" }, { transport = "udp", address = "[2001:db8::1]:5060" }]
            networks.a.media = { address = "192.0.2.1", ports = "20000-20999" }
            trunks.carrier = { network = "a", targets = ["sip:203.0.113.5", "sip:[2001:db8::5]:5080", "sip:SIP.carrier.example"] }
        "#;
        let reached = Reached::new(&Config::parse("reached.toml", text).unwrap());
        let rows = [
            ("sip:+1900@203.0.113.5", true),
            ("sip:+1900@203.0.113.5:5099;transport=tcp", true),
            ("sip:+1900@[::ffff:203.0.113.5]", true),
            ("sip:+1900@[2001:db8::5]", true),
            ("sip:+1900@sip.CARRIER.example.", true),
            ("sip:+1900@198.51.100.7;maddr=203.0.113.5", true),
            ("sip:alice@198.51.100.7", false),
            ("sip:alice@phone.example", false),
            ("tel:+1900", false),
        ];
        for (contact, expected) in rows {
            let leads = reached.leads(&contact.parse().unwrap(), "198.51.100.7".parse().unwrap());
            assert_eq!(leads, expected, "{contact}");
        }
        let own = "sip:pbx@203.0.113.5:5070".parse().unwrap();
        assert!(!reached.leads(&own, "203.0.113.5".parse().unwrap()), "a device may be where a trunk is");
    }
}
