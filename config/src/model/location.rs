use std::net::SocketAddr;
use std::time::Duration;

use crate::declare::table;

table! {
    /// How peers are found by their names (RFC 3263): NAPTR, SRV, A and AAAA records.
    pub struct Dns {
        /// The name servers, asked over UDP, and over TCP where that does not do. Without any, those of the system
        /// (resolv.conf(5)).
        restart servers: Vec<SocketAddr> = [], in 0..=16, such as ["192.0.2.53:53"];
        /// How long a name server may take to answer.
        restart timeout: Duration = "1500ms", in "50ms"..="30s";
        /// How often a name server is asked before it counts as silent.
        restart attempts: usize = 2, in 1..=10;
        /// Whether the hosts file of the system comes first (hosts(5)); it is read once.
        restart hosts_file: bool = true;
        /// How long after their time records are still used while no name server answers (RFC 8767); `"0s"` uses none.
        live stale: Duration = "1h", in "0s"..="7d";
    }
}

table! {
    /// How targets are tried: the addresses that names and URIs lead to.
    pub struct Location {
        /// How long a target that was silent or out of reach is skipped while there are others. The first request after
        /// that tries it again, and while nothing comes back others go on to skip it.
        live hold: Duration = "30s", in "1s"..="1h";
        /// The longest that the Retry-After of a 503 is heeded (RFC 3261 §21.5.4), and what a peer has asked for by overload
        /// control.
        live longest_hold: Duration = "1h", in "1s"..="1d";
        /// The head start of each connection over the next when a host has several addresses (RFC 8305 §5).
        live head_start: Duration = "250ms", in "50ms"..="2s";
    }
}
