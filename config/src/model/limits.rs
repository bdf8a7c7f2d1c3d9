use std::time::Duration;

use crate::declare::table;

table! {
    /// How much the node takes on. What goes beyond is refused in the way of its protocol, and counted.
    pub struct Limits {
        /// Longest SIP message; a longer one is dropped, on a connection the connection is closed.
        restart message: usize = 65_535, in 2_048..=16_777_216, unit "bytes";
        /// Longest request or status line.
        restart start_line: usize = 8_192, in 256..=65_535, unit "bytes";
        /// Header fields per message.
        restart header_count: usize = 256, in 16..=4_096;
        /// Longest header field.
        restart header_length: usize = 16_384, in 256..=1_048_576, unit "bytes";
        /// Longest body.
        restart body: usize = 65_535, in 0..=16_777_216, unit "bytes";
        /// Calls at a time; one more is answered 503 with Retry-After.
        live calls: usize = 10_000, in 1..=1_000_000;
        /// SIP transactions at a time; a request beyond is answered 503 with Retry-After.
        live transactions: usize = 200_000, in 16..=10_000_000;
        /// INVITE sessions at a time: the legs of the calls, and for 64*T1 those that a fork may still answer; one
        /// more is answered 503 with Retry-After.
        live sessions: usize = 100_000, in 2..=4_000_000;
        /// Early dialogs per leg: the branches of a fork further down. Responses of further branches are dropped.
        live early_dialogs: usize = 8, in 1..=64;
        /// Targets tried per call, redirections included.
        live targets: usize = 8, in 1..=64;
        /// Questions to name servers at a time; one beyond is not asked.
        restart dns_queries: usize = 512, in 1..=65_536;
        /// Answers of name servers that are remembered; beyond, the oldest is forgotten.
        live names: usize = 4_096, in 1..=1_000_000;
        /// Addresses that names and URIs lead to whose state is remembered; beyond, the one not heard of for longest is
        /// forgotten.
        live remembered_targets: usize = 4_096, in 1..=1_000_000;
        /// SIP connections at a time; one more is closed when accepted.
        restart connections: usize = 4_096, in 1..=1_000_000;
        /// Bytes waiting to be written per connection; the connection is closed beyond.
        restart connection_queue: usize = 262_144, in 4_096..=67_108_864, unit "bytes";
        /// Sockets open for media at a time; a stream takes two on each side.
        restart sockets: usize = 20_000, in 16..=4_000_000;
        /// Call detail records waiting to be written; further ones are counted and lost.
        restart cdr_queue: usize = 10_000, in 1..=1_000_000;
        /// The Retry-After of refusals by a limit and while draining (RFC 3261 §20.33).
        live retry_after: Duration = "10s", in "1s"..="1h";
    }
}
