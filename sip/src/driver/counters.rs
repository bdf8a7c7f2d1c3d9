//! What a driver counts.

use std::sync::atomic::{AtomicU64, Ordering};

/// A number that one thread changes and any thread reads.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// The number at this moment.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Only the thread of the driver calls this: with one writer, a load and a store are enough.
    pub(crate) fn add(&self, n: u64) {
        self.0.store(self.get().wrapping_add(n), Ordering::Relaxed);
    }

    pub(crate) fn sub(&self, n: u64) {
        self.0.store(self.get().saturating_sub(n), Ordering::Relaxed);
    }

    pub(crate) fn bytes(&self, n: usize) {
        self.add(u64::try_from(n).unwrap_or(u64::MAX));
    }
}

/// Counters and gauges of one driver. They never go back, except for [`connections`](Self::connections).
#[derive(Debug, Default)]
pub struct Counters {
    /// Times that the thread woke up.
    pub wakes: Count,
    /// Datagrams received.
    pub datagrams_in: Count,
    /// Datagrams handed to the network.
    pub datagrams_out: Count,
    /// Bytes received, on any transport.
    pub bytes_in: Count,
    /// Bytes handed to the network, on any transport.
    pub bytes_out: Count,
    /// Datagrams given up because too many waited to be sent; they count as lost in the network.
    pub datagrams_dropped: Count,
    /// Messages framed from connections.
    pub stream_messages_in: Count,
    /// Messages written to connections.
    pub stream_messages_out: Count,
    /// Pings answered (RFC 5626 §3.5.1).
    pub pings: Count,
    /// Binding requests of STUN that were answered (RFC 5626 §8).
    pub stun_answered: Count,
    /// Datagrams of STUN that had no answer: they ask nothing, or are not whole.
    pub stun_ignored: Count,
    /// Binding requests that were dropped because their source had asked as often as it may.
    pub stun_limited: Count,
    /// Connections that are open or being opened: a gauge.
    pub connections: Count,
    /// Connections accepted.
    pub connections_accepted: Count,
    /// Connections opened by us.
    pub connections_opened: Count,
    /// Connections that the limit of all refused: accepted and closed, or not opened.
    pub connections_refused: Count,
    /// Connections that the limit of their peer refused, likewise.
    pub connections_refused_by_peer: Count,
    /// Connections that had proved nothing, and went for another at the limit of all.
    pub connections_displaced: Count,
    /// Connections that could not be opened, or not in time.
    pub connect_failures: Count,
    /// Failed attempts to accept, which resources of the system cause.
    pub accept_failures: Count,
    /// Connections closed because the peer did not take what we wrote.
    pub connections_stalled: Count,
    /// Connections closed because a message did not come to its end, or the first one not at all.
    pub connections_dawdling: Count,
    /// Connections closed because nothing travelled on them.
    pub connections_idle: Count,
    /// Connections closed because what came cannot be followed as SIP.
    pub connections_unframed: Count,
    /// TLS handshakes that came to a good end.
    pub handshakes: Count,
    /// TLS handshakes that failed, on connections of either side: most by a certificate that proves nothing.
    pub handshakes_failed: Count,
    /// Connections closed because the peer did not finish the handshake of TLS or of a WebSocket.
    pub handshakes_unfinished: Count,
    /// WebSockets opened.
    pub websockets: Count,
    /// Requests for a WebSocket that were refused.
    pub websockets_refused: Count,
    /// Messages refused because the write queue of their connection was full.
    pub write_queue_full: Count,
    /// Messages given to the shard that they are for, or that owns the connection to send them on.
    pub crossings: Count,
    /// Messages for another shard that were dropped: it had too many waiting, or was gone.
    pub crossings_dropped: Count,
    /// Times that a connection was not read until another shard had room for its messages.
    pub connections_held: Count,
    /// Messages that could not be sent and of which the core was told.
    pub send_failures: Count,
    /// Peers that ICMP said to be out of reach.
    pub peers_unreachable: Count,
    /// Failed attempts to receive datagrams.
    pub receive_failures: Count,
    /// Questions to name servers.
    pub queries: Count,
    /// Those answered so that there are no such records.
    pub queries_empty: Count,
    /// Those that no name server answered, or with an error only.
    pub queries_failed: Count,
    /// Those that the limit refused.
    pub queries_refused: Count,
}
