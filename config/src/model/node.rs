use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use bytestring::ByteString;

use crate::declare::{Claim, Reader, choice, table};
use crate::error::Found;
use crate::text::Auto;

table! {
    /// The node itself.
    pub struct Node {
        /// What the node calls itself in call detail records, metrics and the admin API.
        restart name: ByteString = "liaison";
        /// The folder for what outlives the process; a relative path starts in the working directory. Made when
        /// absent.
        restart state_directory: PathBuf = "/var/lib/liaison";
        /// How long calls may go on after SIGTERM; those that are left are then ended.
        live drain: Duration = "10m", in "0s"..="7d";
    }
}

table! {
    /// How SIP is served.
    pub struct Signalling {
        /// Threads that serve SIP; each call is served by one of them. `"auto"` is one per four cores, at least one:
        /// with several, most messages come to another thread than the one that they are for, which costs more than it
        /// gains as long as one is not fully busy.
        restart shards: Auto<u16> = "auto", in 1..=64;
        /// The User-Agent of requests (RFC 3261 §20.41); empty leaves the field out.
        pinned user_agent: ByteString = "Liaison";
        /// The Server of responses (RFC 3261 §20.35); empty leaves the field out.
        pinned server: ByteString = "Liaison";
        /// How long to wait until a connection opens, with its TLS handshake.
        restart connect_timeout: Duration = "4s", in "100ms"..="60s";
        /// How long a peer may take for the handshake of TLS and of a WebSocket before its connection is closed.
        restart handshake_timeout: Duration = "10s", in "100ms"..="60s";
        /// How often peers that keep their flow over UDP open by STUN are told to do so: in Via to those that ask with `keep`
        /// (RFC 6223), and as Flow-Timer to those that register with outbound (RFC 5626).
        live keepalive_datagrams: Duration = "25s", in "5s"..="1h";
        /// The same for connections, which are kept by CRLF. A connection that a user agent has registered on with outbound is
        /// closed once it has been silent for that long and a quarter more, 10 s at the least.
        live keepalive_connections: Duration = "2m", in "5s"..="1h";
        /// How long a connection may stay without traffic in both directions before it is closed. On one that a peer has
        /// opened only requests and messages of ours count, until something that it asked for was not refused.
        restart connection_idle: Duration = "30m", in "10s"..="7d";
        /// How long a peer may take none of what is to be written to its TCP connection before that is closed.
        restart connection_stall: Duration = "10s", in "100ms"..="10m";
        /// How long a message on a TCP connection may take from its first byte to its last, and the first one from the
        /// accepting of the connection, before that is closed; 64*T1 (RFC 3261 §17.1.1.2).
        restart message_time: Duration = "32s", in "1s"..="10m";
    }
}

table! {
    /// How media is relayed.
    pub struct Media {
        /// Threads of the relay; `"auto"` is one per two cores.
        restart threads: Auto<u16> = "auto", in 1..=64;
        /// Port pairs per network and shard below which more are bound ahead.
        restart spare_low: u16 = 64, in 0..=10_000, unit "port pairs";
        /// Port pairs per network and shard that are bound ahead. While calls need more of them than that, those stay
        /// bound, too; what was not needed for 30 s is closed little by little.
        restart spare_high: u16 = 256, in 1..=10_000, unit "port pairs";
        /// How long a port pair rests after a call before another one gets it. Where no other is to be had, because
        /// of `limits.sockets` or the range of ports, the pair that has rested longest is used earlier, after 1 s at
        /// the least, and counted.
        restart quarantine: Duration = "10s", in "0s"..="10m";
        /// How long the source that a stream is locked to must be silent before another permitted source may take
        /// its place (RFC 7362 §4).
        restart latch_silence: Duration = "5s", in "1s"..="10m";
        /// How long a connection of media over TCP stays open by which nothing comes or goes.
        restart idle_connection: Duration = "2h", in "10s"..="7d";
    }
    check check_media;
}

fn check_media(media: &Media, reader: &mut Reader<'_>) {
    if media.spare_low > media.spare_high {
        let found = Found::Text(media.spare_low.to_string());
        reader.conflict("spare_low", found, format!("at most spare_high, which is {}", media.spare_high));
    }
}

table! {
    /// The admin API.
    pub struct Admin {
        /// Where the API listens, HTTP without TLS.
        restart listen: SocketAddr = "127.0.0.1:8080";
        /// The file of the bearer token, made on the first start with mode 0600. Default: `admin.token` in the state
        /// directory.
        restart token_file: Option<PathBuf>, such as "/etc/liaison/admin.token";
    }
    check check_admin;
}

fn check_admin(admin: &Admin, reader: &mut Reader<'_>) {
    if admin.listen.port() != 0 {
        reader.claim("listen", Claim::Tcp { address: admin.listen });
    }
}

table! {
    /// Call detail records: one JSON object a line.
    pub struct Cdr {
        /// The file that records are appended to. Default: `cdr.jsonl` in the state directory.
        restart file: Option<PathBuf>, such as "/var/log/liaison/cdr.jsonl";
    }
}

table! {
    /// The log, on standard error.
    pub struct Log {
        /// The least severity that is written.
        live level: LogLevel = "info";
        /// How a line is written.
        restart format: LogFormat = "text";
    }
}

choice! {
    /// The severity of a log line.
    pub enum LogLevel {
        /// What is broken and needs somebody.
        Error = "error",
        /// What is wrong and the node lives with.
        Warn = "warn",
        /// What happens to the node.
        Info = "info",
        /// What happens to each call.
        Debug = "debug",
        /// What happens to each message.
        Trace = "trace",
    }
}

choice! {
    /// The form of a log line.
    pub enum LogFormat {
        /// For people.
        Text = "text",
        /// One JSON object a line.
        Json = "json",
    }
}

impl Admin {
    /// The file of the bearer token.
    #[must_use]
    pub fn token_path(&self, node: &Node) -> PathBuf {
        self.token_file.clone().unwrap_or_else(|| node.state_directory.join("admin.token"))
    }
}

impl Cdr {
    /// The file of the call detail records.
    #[must_use]
    pub fn path(&self, node: &Node) -> PathBuf {
        self.file.clone().unwrap_or_else(|| node.state_directory.join("cdr.jsonl"))
    }
}
