use std::time::Duration;

use crate::declare::{Reader, table};
use crate::error::Found;

table! {
    /// How much the node takes on, over all shards. What goes beyond is refused in the way of its protocol, and counted.
    pub struct Limits {
        /// Longest SIP message. A longer request is answered 513 if its head can be read, and on a connection, where
        /// the next message could not be found, the connection is closed then, as for each limit of a message.
        restart message: usize = 65_535, in 2_048..=16_777_216, unit "bytes";
        /// Longest request or status line; a request with a longer one is answered 414.
        restart start_line: usize = 8_192, in 256..=65_535, unit "bytes";
        /// Header fields per message; a request with more is answered 513.
        restart header_count: usize = 256, in 16..=4_096;
        /// Longest header field; a request with a longer one is answered 513.
        restart header_length: usize = 16_384, in 256..=1_048_576, unit "bytes";
        /// Longest body; a request with a longer one is answered 413.
        restart body: usize = 65_535, in 0..=16_777_216, unit "bytes";
        /// Calls at a time; one more is answered 503 with Retry-After.
        live calls: usize = 10_000, in 1..=1_000_000;
        /// SIP transactions at a time; a request beyond is answered 503 with Retry-After. Requests of calls that are there
        /// have a quarter more.
        live transactions: usize = 200_000, in 16..=10_000_000;
        /// Sessions at a time: the legs of the calls, for 64*T1 those that a fork may still answer, and subscriptions;
        /// one more is answered 503 with Retry-After.
        live sessions: usize = 100_000, in 2..=4_000_000;
        /// Early dialogs per leg: the branches of a fork, ours or one further down. Responses of further branches are
        /// dropped; where one of ours answers, it takes the place of another.
        live early_dialogs: usize = 8, in 1..=64;
        /// Targets tried per call, redirections and the devices of a user included. What is left then is not tried.
        live targets: usize = 16, in 1..=64;
        /// Legs of a call that ring at a time, as long as the caller's Max-Breadth (RFC 5393) does not ask for fewer; a
        /// further device is called once one before it has failed.
        live branches: usize = 10, in 1..=64;
        /// Transfers of one call, by REFER and by INVITE with Replaces each; a further one is answered 603.
        live transfers: usize = 8, in 0..=64;
        /// Answers of name servers that are remembered; beyond, the oldest is forgotten.
        live names: usize = 4_096, in 1..=1_000_000;
        /// Addresses that names and URIs lead to whose state is remembered; beyond, the one not heard of for longest is
        /// forgotten. As many peers are remembered that take part in overload control.
        live remembered_targets: usize = 4_096, in 1..=1_000_000;
        /// Requests of either side that a leg has pending besides its INVITE; one more of the peer is answered 503 with
        /// Retry-After, one more of ours is not sent, and what it stands for gets that answer.
        live pending_requests: usize = 16, in 1..=1_024;
        /// Requests outside a dialog, such as REGISTER, that wait for our answer; one more is answered 503 with
        /// Retry-After.
        live asked_requests: usize = 10_000, in 1..=10_000_000;
        /// Subscriptions of peers at a time, to what is registered (RFC 3680) and from one side to the other (RFC 6665); one
        /// more is answered 503 with Retry-After.
        live subscriptions: usize = 20_000, in 1..=4_000_000;
        /// How often one request of ours is sent again because it was challenged or answered 491; then that response
        /// stands.
        live request_rounds: u8 = 5, in 1..=32;
        /// SIP connections at a time. An eighth of them is for those that we open and those from addresses of trunks
        /// (`from`, `targets`). One more takes the place of the oldest that has proved nothing and is from elsewhere: that has
        /// brought no request which was not refused. Where there is none, it is closed when accepted.
        restart connections: usize = 4_096, in 1..=1_000_000;
        /// SIP connections at a time with one peer, which is what `guard.ipv4_prefix` and `guard.ipv6_prefix` said of an address
        /// at the start; one more is closed when accepted.
        restart connections_per_peer: usize = 256, in 1..=1_000_000;
        /// Bytes waiting to be written per connection; a message beyond is not sent, and fails as if there were no
        /// connection. At least `message`.
        restart connection_queue: usize = 262_144, in 4_096..=67_108_864, unit "bytes";
        /// Datagrams waiting per listener while the system's buffer is full; one beyond is dropped and is as good as
        /// lost in the network.
        restart datagram_queue: usize = 1_024, in 16..=1_000_000;
        /// Questions to name servers at a time; one more is not asked, and fails as if it had been refused.
        restart name_queries: usize = 512, in 1..=100_000;
        /// Binding requests of STUN (RFC 5626 §8) that one address may ask in a second on the ports of SIP over UDP; one more
        /// is dropped.
        restart stun_rate: u32 = 100, in 0..=100_000, unit "requests a second";
        /// Nonces of ours whose counts are remembered at a time (RFC 7616 §3.4); whoever uses one that is forgotten is
        /// challenged again with `stale=true`.
        restart nonces: usize = 10_000, in 16..=10_000_000;
        /// Sockets open for media at a time; a stream takes two on each side, and where there is room a third one once it has lasted.
        restart sockets: usize = 20_000, in 16..=4_000_000;
        /// Audio streams that are transcoded at a time, each of them for both directions. Further calls are offered no codecs of `transcode`: who
        /// has none in common with the other side refuses, and the caller gets its 488. How many a core has the time for depends on
        /// the codecs.
        live transcoded_streams: usize = 200, in 0..=100_000;
        /// Connections open for media over TCP at a time; a stream takes one on each side. One more is closed when it is taken, or not made.
        restart media_connections: u32 = 2_000, in 0..=1_000_000;
        /// Call detail records waiting to be written; further ones are counted and lost.
        restart cdr_queue: usize = 10_000, in 1..=1_000_000;
        /// The Retry-After of refusals by a limit and while draining (RFC 3261 §20.33).
        live retry_after: Duration = "10s", in "1s"..="1h";
    }
    check check_limits;
}

/// A message that may be taken must find room to be sent.
fn check_limits(limits: &Limits, reader: &mut Reader<'_>) {
    if limits.connection_queue < limits.message {
        let found = Found::Text(limits.connection_queue.to_string());
        reader.conflict(
            "connection_queue",
            found,
            format!("at least `message`, which is {}", limits.message),
        );
    }
}
