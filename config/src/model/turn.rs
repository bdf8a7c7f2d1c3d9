use std::net::SocketAddr;
use std::time::Duration;

use bytestring::ByteString;
use ipnet::IpNet;

use crate::declare::{Claim, Reader, choice, table};
use crate::error::Found;
use crate::model::ListenerTls;
use crate::text::{HostPort, PortRange, Secret};

table! {
    /// The TURN server of a network (RFC 8656), for user agents that reach our media no other way. Allocations have the address
    /// of `media`, and reach nothing but media ports of ours unless `peers` says more. It comes and goes with a restart.
    pub struct NetworkTurn {
        /// Where it listens.
        restart listeners: Vec<TurnListener>, in 1..=16, such as [{ transport = "udp", address = "192.0.2.1:3478" }];
        /// The realm that its challenges name.
        live realm: ByteString, such as "example.com";
        /// What credentials are made with: whoever has it can make them, in the form of draft-uberti-behave-turn-rest-00. At
        /// least 16 characters.
        live secret: Secret, such as { file = "/etc/liaison/turn.secret" };
        /// The secret before, whose credentials are still taken.
        live previous_secret: Option<Secret>, such as { file = "/etc/liaison/turn.secret.old" };
        /// How long the credentials last that the admin API makes, unless it is asked for less.
        live credential_lifetime: Duration = "12h", in "1m"..="7d";
        /// The ports of allocations; others than those of `media`.
        restart ports: PortRange = "49152-57343";
        /// How long a port rests after an allocation before another one gets it: a call whose client has gone sends to it for as
        /// long as `media_inactivity` of its profile says. Where all that are left rest, the answer is 508.
        live quarantine: Duration = "6m", in "0s"..="24h";
        /// How long an allocation lasts that asks for no time of its own, or a shorter one.
        live lifetime: Duration = "10m", in "10s"..="1h";
        /// The most that is granted.
        live longest_lifetime: Duration = "1h", in "10s"..="1h";
        /// How long a nonce is good; then the client is challenged again with 438.
        live nonce_lifetime: Duration = "10m", in "1s"..="1h";
        /// Allocations at a time; one more is answered 508.
        live allocations: usize = 1_000, in 1..=32_768;
        /// Allocations of one user at a time, by the name after the colon of its username; one more is answered 486. It
        /// may begin twice as many at once, and a tenth of it, but at least one, in each second.
        live allocations_per_user: usize = 10, in 1..=32_768;
        /// What the allocations of one user may carry in a second, both directions together; what is more is dropped. Absent: any.
        live bytes_per_user: Option<u64>, in 1_500..=1_000_000_000, unit "bytes a second", such as 250_000;
        /// Permissions of one allocation, and as many channels; one more is answered 508.
        live permissions: usize = 16, in 1..=256;
        /// Takes channels with the numbers that only RFC 5766 permits, too (0x5000 to 0x7FFF), which old clients may choose.
        live old_channels: bool = false;
        /// Addresses that allocations reach at every port, besides our media ports. Never are loopback, link-local and multicast
        /// addresses, those of IPv4 in IPv6, nor anything else of ours.
        live peers: Vec<IpNet> = [], in 0..=256, such as ["198.51.100.0/24"];
        /// Answers that an address (of IPv6 a /64) which has not proved who it is gets in a second over UDP.
        live unproven_rate: u32 = 20, in 1..=100_000, unit "answers a second";
        /// Connections at a time; one more is closed when accepted.
        restart connections: usize = 1_000, in 1..=100_000;
        /// Connections from one address (of IPv6 a /64) at a time; one more is closed when accepted.
        restart connections_per_address: usize = 64, in 1..=100_000;
    }
    check check_turn;
}

fn check_turn(turn: &NetworkTurn, reader: &mut Reader<'_>) {
    if turn.longest_lifetime < turn.lifetime {
        let found = Found::Text(format!("{} s", turn.longest_lifetime.as_secs()));
        let expected = format!("at least `lifetime`, which is {} s", turn.lifetime.as_secs());
        reader.conflict("longest_lifetime", found, expected);
    }
    if turn.realm.is_empty() || turn.realm.len() > 127 || turn.realm.contains(['"', '\\']) {
        let found = Found::Text(format!("{:?}", &*turn.realm));
        reader.conflict("realm", found, "a realm of 1 to 127 bytes, without quotes and backslashes");
    }
    let proper = |peer: &IpNet| {
        let ip = peer.addr();
        !(ip.is_loopback() || ip.is_multicast() || (ip.is_unspecified() && peer.prefix_len() > 0))
    };
    for (index, peer) in turn.peers.iter().enumerate().filter(|(_, peer)| !proper(peer)) {
        let found = Found::Text(format!("\"{peer}\""));
        reader.conflict(&reader.element("peers", index), found, "addresses of other hosts");
    }
}

table! {
    /// One socket of a TURN server.
    pub struct TurnListener {
        /// The transport.
        restart transport: TurnTransport, such as "udp";
        /// The address to bind, by convention at port 3478, or 5349 over TLS.
        restart address: SocketAddr, such as "192.0.2.1:3478";
        /// How clients reach it, in the URIs that go with credentials. Default: the address.
        live advertised: Option<HostPort>, such as "turn.example.com";
        /// How we take connections over TLS; needed with the transport `"tls"`.
        live tls: Option<ListenerTls>;
    }
    check check_listener;
}

fn check_listener(listener: &TurnListener, reader: &mut Reader<'_>) {
    let address = listener.address;
    if address.ip().is_unspecified() && listener.advertised.is_none() {
        let found = Found::Text(format!("\"{address}\" without `advertised`"));
        reader.conflict("address", found, "an address that clients can reach, or `advertised`");
    }
    if address.port() == 0 {
        reader.conflict("address", Found::Text(format!("\"{address}\"")), "a port other than 0");
    } else {
        let udp = listener.transport == TurnTransport::Udp;
        reader.claim("address", if udp { Claim::Udp { address } } else { Claim::Tcp { address } });
    }
    let transport = Found::Text(format!("\"{}\"", listener.transport));
    match (listener.transport == TurnTransport::Tls, &listener.tls) {
        (true, None) => reader.conflict("transport", transport, "a transport without TLS, or `tls`"),
        (false, Some(_)) => reader.conflict("tls", transport, "\"tls\" as transport"),
        (true, Some(_)) | (false, None) => {}
    }
}

choice! {
    /// A transport of TURN (RFC 8656 §3.1).
    pub enum TurnTransport {
        /// UDP.
        Udp = "udp",
        /// TCP.
        Tcp = "tcp",
        /// TLS over TCP.
        Tls = "tls",
    }
}
