//! The configuration that the demonstration runs with.

use sip::ids::{Ids, below};
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;

/// The header field that nothing knows, which Alice sends to see that it crosses.
pub(super) const UNKNOWN_FIELD: &str = "X-Demo";
/// Its value.
pub(super) const UNKNOWN_VALUE: &str = "what is not understood is carried";

/// The first media port of all: above those of the example configurations, below those that systems hand out.
const FIRST_PORT: u16 = 30_000;
/// Media ports of one network.
const PORTS: u16 = 40;
/// How many places there are for a demonstration's media ports.
const PLACES: u16 = 32;

/// Where the media ports of both networks begin: a place that no other demonstration has taken, as far as can be seen.
/// The relay steps over single ports that are taken.
pub(super) fn media_ports(ids: &mut dyn Ids) -> [u16; 2] {
    let start = u16::try_from(below(ids, PLACES.into())).unwrap_or(0);
    let place = |n: u16| {
        let first = FIRST_PORT + (start + n) % PLACES * 2 * PORTS;
        [first, first + PORTS]
    };
    let free = |ports: &[u16; 2]| ports.iter().all(|port| UdpSocket::bind(("127.0.0.1", *port)).is_ok());
    (0..PLACES).map(place).find(free).unwrap_or(place(0))
}

/// The document: two networks on loopback with ports of the system's choice, a telephone in each, calls both ways.
/// `state` is the folder of token and records; `media` says where the media ports of both networks begin.
pub(super) fn document(state: &Path, alice: SocketAddr, bob: SocketAddr, media: [u16; 2]) -> String {
    let [carrier, enterprise] = media.map(|first| format!("{first}-{}", first + PORTS - 1));
    // The escapes of a JSON string are those of a basic string of TOML.
    let state = serde_json::Value::from(state.to_string_lossy());
    format!(
        r#"
[node]
name = "demo"
state_directory = {state}

[networks.carrier]
listeners = [{{ transport = "udp", address = "127.0.0.1:0" }}]
media = {{ address = "127.0.0.1", ports = "{carrier}" }}

[networks.enterprise]
trusted = true
listeners = [{{ transport = "udp", address = "127.0.0.1:0" }}]
media = {{ address = "127.0.0.1", ports = "{enterprise}" }}

[trunks.alice]
network = "carrier"
targets = ["sip:{alice}"]
from = ["127.0.0.1"]

[trunks.bob]
network = "enterprise"
targets = ["sip:{bob}"]
from = ["127.0.0.1"]

[[routes]]
name = "inbound"
networks = ["carrier"]
to = ["bob"]

[[routes]]
name = "outbound"
networks = ["enterprise"]
to = ["alice"]

[media]
spare_low = 4
spare_high = 8

[admin]
listen = "127.0.0.1:0"

[log]
level = "warn"
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::Loader;

    #[test]
    fn the_document_has_no_mistakes() {
        let (alice, bob) = ("127.0.0.1:5061".parse().unwrap(), "127.0.0.1:5071".parse().unwrap());
        let state = Path::new("/tmp/a \"strange\" \\ folder");
        let loader = Loader::built_in(&document(state, alice, bob, [30_000, 30_040]))
            .unwrap_or_else(|e| panic!("{e}"));
        let config = loader.current().config();
        assert_eq!(config.node.state_directory, state);
        assert_eq!(config.trunks.len(), 2);
        let mut listeners = config.networks.values().flat_map(|network| &network.listeners);
        assert!(listeners.all(|listener| listener.address.ip().is_loopback()));
        assert!(config.admin.listen.ip().is_loopback());
    }

    #[test]
    fn media_ports_are_where_nobody_else_is() {
        struct Always;
        impl Ids for Always {
            fn next_u64(&mut self) -> u64 {
                u64::MAX
            }
        }
        let first = media_ports(&mut Always);
        let taken = UdpSocket::bind(("127.0.0.1", first[0]));
        let second = media_ports(&mut Always);
        assert!(taken.is_err() || first != second);
        assert!(
            [first, second].iter().flatten().all(|port| port % 2 == 0 && (30_000..32_560).contains(port))
        );
    }
}
