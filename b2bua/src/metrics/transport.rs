//! The metrics of sockets and connections.

use super::families::Families;
use sip::driver::counters as driver;
use std::sync::Arc;

/// Those that the drivers count.
pub(super) fn transport(out: &mut Families, shards: &[Arc<driver::Counters>]) {
    let count = |of: fn(&driver::Counters) -> &driver::Count| shards.iter().map(|s| of(s).get()).sum::<u64>();
    out.counter("liaison_shard_wakes_total", "Times that a shard's thread woke up.", count(|c| &c.wakes));
    out.counter(
        "liaison_datagrams_dropped_total",
        "Datagrams that were not sent.",
        count(|c| &c.datagrams_dropped),
    );
    out.counter("liaison_sip_pings_total", "Pings answered (RFC 5626).", count(|c| &c.pings));
    let stun = [
        ("answered", count(|c| &c.stun_answered)),
        ("ignored", count(|c| &c.stun_ignored)),
        ("limited", count(|c| &c.stun_limited)),
    ];
    out.labelled("liaison_stun_total", "STUN on the ports of SIP (RFC 5626), by outcome.", "outcome", stun);
    out.counter(
        "liaison_send_failures_total",
        "Messages that could not be sent.",
        count(|c| &c.send_failures),
    );
    out.counter(
        "liaison_peers_unreachable_total",
        "Peers that ICMP said to be out of reach.",
        count(|c| &c.peers_unreachable),
    );
    let direction = [("in", count(|c| &c.datagrams_in)), ("out", count(|c| &c.datagrams_out))];
    out.labelled("liaison_datagrams_total", "Datagrams of SIP, by direction.", "direction", direction);
    let direction = [("in", count(|c| &c.stream_messages_in)), ("out", count(|c| &c.stream_messages_out))];
    out.labelled("liaison_stream_messages_total", "Messages on connections.", "direction", direction);
    let direction = [("in", count(|c| &c.bytes_in)), ("out", count(|c| &c.bytes_out))];
    out.labelled("liaison_sip_bytes_total", "Bytes of SIP, by direction.", "direction", direction);
    out.labelled(
        "liaison_shard_crossings_total",
        "Messages for another shard than the one that they came to, by outcome.",
        "outcome",
        [("given", count(|c| &c.crossings)), ("dropped", count(|c| &c.crossings_dropped))],
    );
    out.counter(
        "liaison_connections_held_total",
        "Times that a connection was not read until another shard had room.",
        count(|c| &c.connections_held),
    );
    let open = usize::try_from(count(|c| &c.connections)).unwrap_or(usize::MAX);
    out.gauge("liaison_connections", "Connections that are open or being opened.", open);
    let made =
        [("accepted", count(|c| &c.connections_accepted)), ("opened", count(|c| &c.connections_opened))];
    out.labelled("liaison_connections_total", "Connections, by who opened them.", "role", made);
    out.labelled(
        "liaison_connections_failed_total",
        "Connections refused, not made or closed by us, by cause.",
        "cause",
        [
            ("limit", count(|c| &c.connections_refused)),
            ("peer_limit", count(|c| &c.connections_refused_by_peer)),
            ("displaced", count(|c| &c.connections_displaced)),
            ("connect", count(|c| &c.connect_failures)),
            ("accept", count(|c| &c.accept_failures)),
            ("stalled", count(|c| &c.connections_stalled)),
            ("dawdling", count(|c| &c.connections_dawdling)),
            ("idle", count(|c| &c.connections_idle)),
            ("unframed", count(|c| &c.connections_unframed)),
            ("write_queue", count(|c| &c.write_queue_full)),
            ("handshake", count(|c| &c.handshakes_failed)),
            ("handshake_time", count(|c| &c.handshakes_unfinished)),
            ("websocket_refused", count(|c| &c.websockets_refused)),
        ],
    );
    let shaken = [("tls", count(|c| &c.handshakes)), ("websocket", count(|c| &c.websockets))];
    out.labelled("liaison_handshakes_total", "Handshakes that came to a good end.", "protocol", shaken);
    let queries = [
        ("asked", count(|c| &c.queries)),
        ("empty", count(|c| &c.queries_empty)),
        ("failed", count(|c| &c.queries_failed)),
        ("refused", count(|c| &c.queries_refused)),
    ];
    out.labelled("liaison_name_queries_total", "Questions to name servers.", "outcome", queries);
}
