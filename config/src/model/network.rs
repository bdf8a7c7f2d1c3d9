use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};

use crate::declare::{Claim, Reader, choice, table};
use crate::error::Found;
use crate::model::{CredentialsFor, ListenerTls, NetworkTls, NetworkTurn, Registrar, Traversal, WebSocket};
use crate::text::{Domain, Dscp, HostPort, PortRange, ProfileName};

table! {
    /// A side of the border.
    pub struct Network {
        /// Whether the network is in our trust domain (RFC 3325 §2.3): only a trusted one may assert identities to
        /// us and is handed ours.
        pinned trusted: bool = false;
        /// What becomes of a call from an address that no trunk's `from` knows.
        live strangers: Strangers = "refuse";
        /// Which user agents are behind a NAT: those are reached on the flow that their REGISTER or call came on, not at their
        /// Contact, and their media goes to where it comes from, within what `latch` permits. Over UDP they are answered where
        /// their requests come from, even if no `rport` asks for it (RFC 3581): with `"auto"` where Via has a private address, and they come from a public one.
        pinned nat: Nat = "auto";
        /// The host name that we go by in Via and Contact, instead of the listener's address.
        pinned domain: Option<Domain>, such as "sbc.example.com";
        /// Where we take SIP in this network. Requests of ours leave from the listener of their
        /// transport whose `towards` has where they go, else from the first.
        restart listeners: Vec<Listener>, in 1..=64;
        /// The DSCP that SIP is sent with in this network, over every transport (RFC 2474 §3).
        restart dscp: Option<Dscp>, such as "CS3";
        /// How we make connections over TLS in this network.
        live tls: Option<NetworkTls>;
        /// Lets users register here; their calls are taken, whatever `strangers` says. It comes and goes with a restart;
        /// what is in it changes at once.
        live registrar: Option<Registrar>;
        /// Where we take media in this network; needed where media is anchored.
        restart media: Option<NetworkMedia>, say {};
        /// A TURN server for the user agents of this network.
        live turn: Option<NetworkTurn>;
        /// The profile of what happens in this network, unless a trunk or route names another.
        pinned profile: Option<ProfileName>, such as "default";
    }
    check check_network;
}

/// The ports of a TURN server are at the address of the network's media.
fn check_network(network: &Network, reader: &mut Reader<'_>) {
    match (&network.turn, &network.media) {
        (Some(turn), Some(media)) => {
            reader.claim("turn.ports", Claim::MediaPorts { address: media.address, ports: turn.ports });
        }
        (Some(_), None) => {
            let found = Found::Text("no `media`".to_owned());
            reader.conflict("turn", found, "`media`, whose address it has");
        }
        (None, _) => {}
    }
    if network.dscp.is_some_and(|dscp| dscp.value().is_none()) {
        let found = Found::Text("\"copy\"".to_owned());
        reader.conflict("dscp", found, "a DSCP of its own: what we send is made of no packet that has come");
    }
    let handed_out = network.registrar.as_ref().map(|registrar| registrar.turn_credentials);
    if let Some(whose) = handed_out.filter(|_| network.turn.is_none())
        && whose != CredentialsFor::Nobody
    {
        let found = Found::Text(format!("\"{whose}\" without `turn`"));
        reader.conflict("registrar.turn_credentials", found, "a network with a TURN server, or \"nobody\"");
    }
}

table! {
    /// One socket for SIP.
    pub struct Listener {
        /// The transport.
        restart transport: Transport, such as "udp";
        /// The address to bind; port 0 lets the system choose.
        restart address: SocketAddr, such as "192.0.2.1:5060";
        /// How peers reach it, when that differs from the address; at the bound port where it names none.
        pinned advertised: Option<HostPort>, such as "sbc.example.com:5060";
        /// Where requests of ours go that leave from this socket, where a network has several of a transport: the longest prefix
        /// decides. Without any, wherever no other listener's say. What is bound is the source address (RFC 2827). Media of a
        /// network has one address: where it must be of the prefix too, each prefix is a network of its own.
        pinned towards: Vec<IpNet> = [], in 0..=1_024, such as ["198.51.100.0/24"];
        /// How we take connections over TLS; needed with the transports `"tls"` and `"wss"`.
        live tls: Option<ListenerTls>;
        /// Who may open a WebSocket, with the transports `"ws"` and `"wss"`.
        live websocket: Option<WebSocket>;
    }
    check check_listener;
}

fn check_listener(listener: &Listener, reader: &mut Reader<'_>) {
    if listener.address.ip().is_unspecified() && listener.advertised.is_none() {
        let found = Found::Text(format!("\"{}\" without `advertised`", listener.address));
        reader.conflict("address", found, "an address that peers can reach, or `advertised`");
    }
    if let Some(prefix) = listener.towards.iter().find(|prefix| is_of_other_family(prefix, listener)) {
        let found = Found::Text(format!("\"{prefix}\""));
        reader.conflict("towards", found, "addresses of the same family as `address`");
    }
    if listener.address.port() != 0 {
        let claim = match listener.transport {
            Transport::Udp => Claim::Udp { address: listener.address },
            Transport::Tcp | Transport::Tls | Transport::Ws | Transport::Wss => {
                Claim::Tcp { address: listener.address }
            }
        };
        reader.claim("address", claim);
    }
    let transport = Found::Text(format!("\"{}\"", listener.transport));
    match (listener.transport.is_secure(), &listener.tls) {
        (true, None) => reader.conflict("transport", transport.clone(), "a transport without TLS, or `tls`"),
        (false, Some(_)) => reader.conflict("tls", transport.clone(), "\"tls\" or \"wss\" as transport"),
        (true, Some(_)) | (false, None) => {}
    }
    if listener.websocket.is_some() && !listener.transport.is_websocket() {
        reader.conflict("websocket", transport, "\"ws\" or \"wss\" as transport");
    }
}

fn is_of_other_family(prefix: &IpNet, listener: &Listener) -> bool {
    prefix.addr().is_ipv4() != listener.address.is_ipv4()
}

impl Transport {
    /// Whether it runs over TLS.
    #[must_use]
    pub fn is_secure(self) -> bool {
        matches!(self, Self::Tls | Self::Wss)
    }

    /// Whether it is a WebSocket.
    #[must_use]
    pub fn is_websocket(self) -> bool {
        matches!(self, Self::Ws | Self::Wss)
    }
}

choice! {
    /// Which user agents are behind a NAT.
    pub enum Nat {
        /// Those whose message came straight to us and shows it: its Via has another IP address than the one that it came from,
        /// or over UDP another port and `rport` (RFC 3581); or its Contact has a private address, and it came from a public
        /// one. Over UDP no one is whose Contact is the very address and port that it came from. All others are reached at
        /// their Contact.
        Auto = "auto",
        /// All.
        On = "on",
        /// None: all are reached at their Contact.
        Off = "off",
    }
}

choice! {
    /// What becomes of calls from unknown addresses.
    pub enum Strangers {
        /// They get 403.
        Refuse = "refuse",
        /// They are routed as calls without a trunk: no route that asks for a trunk matches, and nothing challenges
        /// them.
        Route = "route",
    }
}

choice! {
    /// A transport for SIP.
    pub enum Transport {
        /// UDP (RFC 3261 §18).
        Udp = "udp",
        /// TCP (RFC 3261 §18).
        Tcp = "tcp",
        /// TLS over TCP (RFC 3261 §26.2).
        Tls = "tls",
        /// WebSocket (RFC 7118): we take such connections, and make none. Whoever has no address but its connection is the
        /// client of a WebSocket; between servers, which reach each other, TCP and TLS carry the same.
        Ws = "ws",
        /// WebSocket over TLS.
        Wss = "wss",
    }
}

table! {
    /// Where media of a network is taken.
    pub struct NetworkMedia {
        /// The address to bind.
        restart address: IpAddr, such as "192.0.2.1";
        /// The address for session descriptions, when peers reach us at another one.
        pinned advertised: Option<IpAddr>, such as "198.51.100.1";
        /// The ports, for RTP and RTCP in pairs (RFC 3550 §11).
        restart ports: PortRange = "20000-29999";
        /// Where a stream may come from (RFC 7362 §4).
        pinned latch: Latch = "auto";
        /// The DSCP that media is sent with (RFC 2474); without it 0, which is best effort. `"copy"` is that of the packet which it is made of.
        restart dscp: Option<Dscp>, such as "EF";
        /// Whether media has the ECN bits of the packet that it is made of (RFC 3168), in place of 0.
        restart ecn: bool = false;
        /// How the NAT is crossed that the ports are behind, where no port of it leads to them.
        restart traversal: Option<Traversal>;
    }
    check check_media;
}

fn check_media(media: &NetworkMedia, reader: &mut Reader<'_>) {
    if media.address.is_unspecified() && media.advertised.is_none() {
        let found = Found::Text(format!("\"{}\" without `advertised`", media.address));
        reader.conflict("address", found, "an address that peers can reach, or `advertised`");
    }
    if media.advertised.is_some_and(|advertised| advertised.is_ipv4() != media.address.is_ipv4()) {
        let found = Found::Text(media.advertised.map(|ip| format!("\"{ip}\"")).unwrap_or_default());
        reader.conflict("advertised", found, "an address of the same family as `address`");
    }
    if media.traversal.is_some() && (media.advertised.is_some() || media.address.is_unspecified()) {
        let found = Found::Text("`advertised`".to_owned());
        let expected = "an `address` of the host and no `advertised`, as the servers say how peers reach us";
        reader.conflict("traversal", found, expected);
    }
    reader.claim("ports", Claim::MediaPorts { address: media.address, ports: media.ports });
}

choice! {
    /// The sources that a stream may be locked to.
    pub enum Latch {
        /// `"signalling"` for user agents that are reached on their flow and describe a private address, or that of their signalling; else `"sdp"`.
        Auto = "auto",
        /// The address of the session description.
        Sdp = "sdp",
        /// The source address of the signalling, whatever is described.
        Signalling = "signalling",
        /// Any address: whoever sends first has the stream.
        Any = "any",
    }
}
