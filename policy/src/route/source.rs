use std::collections::BTreeMap;
use std::net::IpAddr;

use config::TrunkName;
use ipnet::IpNet;

/// Trunks by source network, found by the longest one.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    v4: ByLength,
    v6: ByLength,
}

/// Prefix length, then network address.
type ByLength = BTreeMap<u8, BTreeMap<IpAddr, TrunkName>>;

impl Sources {
    pub(crate) fn insert(&mut self, from: IpNet, trunk: &TrunkName) {
        let family = if from.addr().is_ipv4() { &mut self.v4 } else { &mut self.v6 };
        family.entry(from.prefix_len()).or_default().insert(from.network(), trunk.clone());
    }

    pub(crate) fn find(&self, source: IpAddr) -> Option<&TrunkName> {
        let source = source.to_canonical();
        let family = if source.is_ipv4() { &self.v4 } else { &self.v6 };
        family.iter().rev().find_map(|(length, networks)| {
            let network = IpNet::new(source, *length).ok()?.network();
            networks.get(&network)
        })
    }
}
