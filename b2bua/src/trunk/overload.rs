//! Overload as the log and the admin API show it.

use crate::shard::Core;
use admin_api::control as api;
use sip::overload::{Algorithm, Change, RestrictionView};
use sip::time::Now;

impl Core {
    /// Overload begins or ends, here or at a server.
    pub(crate) fn on_overload(&self, change: &Change) {
        let network = |id| self.snapshot.network_name(id).map(config::NetworkName::as_str);
        let shard = self.shard;
        match change {
            Change::Began => tracing::warn!(shard, "the shard is overloaded: clients are to send less"),
            Change::Ended => tracing::info!(shard, "the shard is overloaded no longer"),
            Change::Restricted { server, algorithm, value } => tracing::info!(
                network = network(server.network),
                server = %server.address,
                algorithm = algorithm.name(),
                value,
                "a peer asks for fewer requests"
            ),
            Change::Unrestricted { server } => tracing::info!(
                network = network(server.network),
                server = %server.address,
                "a peer takes all requests again"
            ),
        }
    }
}

/// What the node says of its own load, and servers of theirs.
pub(crate) fn overload(core: &Core, now: Now) -> api::Overload {
    let shared = &core.common.overload;
    let shard = |number| {
        let view = shared.endpoint(number);
        api::ShardLoad {
            shard: number,
            overloaded: view.overloaded,
            occupancy_percent: view.occupancy,
            taken_percent: view.taken,
        }
    };
    let restrictions = shared.restrictions(now);
    api::Overload {
        shards: (0..core.common.shard_count()).map(shard).collect(),
        servers: restrictions.iter().map(|view| server(core, view)).collect(),
    }
}

fn server(core: &Core, view: &RestrictionView) -> api::ServerLoad {
    let network = core.snapshot.network_name(view.server.network);
    api::ServerLoad {
        network: network.map(ToString::to_string).unwrap_or_default(),
        address: view.server.address,
        restriction: view.control.map(|(algorithm, value, left)| api::Restriction {
            algorithm: match algorithm {
                Algorithm::Loss => api::RestrictionAlgorithm::Loss,
                Algorithm::Rate => api::RestrictionAlgorithm::Rate,
            },
            value,
            left_seconds: left.into(),
        }),
        sequence: view.seq.map(|seq| seq.to_string()),
        requests_sent: view.sent,
        requests_withheld: view.withheld,
    }
}
