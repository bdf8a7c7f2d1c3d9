//! The configuration that the demonstration runs with.

use std::net::SocketAddr;
use std::path::Path;

/// The header field that nothing knows, which Alice sends to see that it crosses.
pub(super) const UNKNOWN_FIELD: &str = "X-Demo";
/// Its value.
pub(super) const UNKNOWN_VALUE: &str = "what is not understood is carried";

/// The document: two networks on loopback with ports of the system's choice, a telephone in each, calls both ways.
/// `state` is the folder of token and records.
pub(super) fn document(state: &Path, alice: SocketAddr, bob: SocketAddr) -> String {
    // The escapes of a JSON string are those of a basic string of TOML.
    let state = serde_json::Value::from(state.to_string_lossy());
    format!(
        r#"
[node]
name = "demo"
state_directory = {state}

[networks.carrier]
listeners = [{{ transport = "udp", address = "127.0.0.1:0" }}]
media = {{ address = "127.0.0.1", ports = "30000-30999" }}

[networks.enterprise]
trusted = true
listeners = [{{ transport = "udp", address = "127.0.0.1:0" }}]
media = {{ address = "127.0.0.1", ports = "31000-31999" }}

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
        let loader = Loader::built_in(&document(state, alice, bob)).unwrap_or_else(|e| panic!("{e}"));
        let config = loader.current().config();
        assert_eq!(config.node.state_directory, state);
        assert_eq!(config.trunks.len(), 2);
    }
}
