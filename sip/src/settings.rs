//! What an endpoint is told once.

use crate::auth::client::Acceptance;
use crate::flow::{ListenerId, NetworkId, Transport};
use crate::location;
use crate::nat::Nat;
use crate::overload;
use crate::registration::server::Aor;
use crate::session::{Identifying, Provenance, TimerTerms};
use crate::timers::Timers;
use bytestring::ByteString;
use ipnet::IpNet;
use sip_types::{Method, Uri};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// The settings of an endpoint.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Every listener; [`ListenerId`] is the index.
    pub listeners: Vec<Listener>,
    /// Limits of one message.
    pub message: sip_types::Limits,
    /// Limits of the endpoint.
    pub limits: Limits,
    /// Value of User-Agent in requests; none is sent where it is `None`.
    pub user_agent: Option<ByteString>,
    /// Value of Server in responses; none is sent where it is `None`.
    pub server: Option<ByteString>,
    /// `Retry-After` of a 503 that a limit causes, in seconds; 5.
    pub retry_after: u32,
    /// How targets are found and remembered.
    pub location: location::Settings,
    /// How overload is met.
    pub overload: overload::Settings,
    /// The domains of registrars of ours, each in its network, as [`Aor::domain`](crate::registration::server::Aor::domain)
    /// writes them. A peer whose Contact is a GRUU of one has the requests of its dialogs on the way of their INVITE: the
    /// domain itself leads to us (RFC 5627 §4.4).
    pub domains: Vec<(NetworkId, Box<str>)>,
}

/// One socket that we listen on.
#[derive(Clone, Debug)]
pub struct Listener {
    /// The network that it belongs to.
    pub network: NetworkId,
    /// Its transport.
    pub transport: Transport,
    /// Its local address, which tells the address family that it reaches.
    pub address: SocketAddr,
    /// `host:port` for Via and Contact.
    pub sent_by: ByteString,
    /// Where requests of ours go that leave from here; without any, wherever no other listener's say. The source address is
    /// one that the way there takes only from its own (RFC 2827), or that the answer finds its way back to.
    pub towards: Vec<IpNet>,
    /// Timers of the transactions that it carries.
    pub timers: Timers,
    /// Longest time between two provisional responses to a pending INVITE; RFC 3261 §13.3.1.1 asks for 60 s.
    pub provisional_interval: Duration,
    /// Which peers are behind a NAT: requests in their dialogs take the way of the INVITE (the flow that it came on, or
    /// where ours went), not that of a Contact.
    pub nat: Nat,
    /// How often peers that ask for it are told to keep their flow open, in whole seconds (RFC 6223 §5, RFC 5626 §4.4).
    pub flow_timer: Duration,
    /// On a TLS listener: whether we prove by a certificate of ours who we are, so that a peer that has proved who it is may send
    /// requests on connections that we opened (`alias`, RFC 5923 §8.1).
    pub alias: bool,
    /// On a TLS listener: whether our Contact with the scheme `sip` says `transport=tls`. RFC 5630 §5.1.1 wants that
    /// gone, but many peers find no way back without it.
    pub tls_parameter: bool,
    /// Which challenges are answered.
    pub acceptance: Acceptance,
    /// Whether requests say that we follow overload control (`oc` in Via, RFC 7339 §4.1), and we do; and by what.
    pub heeds_overload: overload::Heed,
    /// Whether clients that follow overload control are told our load (RFC 7339 §5.1); else they are treated like those that
    /// don't.
    pub tells_load: bool,
    /// Whether we take part in reliable provisional responses (RFC 3262).
    pub reliable: bool,
    /// From where requests in dialogs are taken.
    pub provenance: Provenance,
    /// Whether REFERs in a dialog go up (RFC 3515), and the peer may tell of ours; else they get 405.
    pub refers: bool,
    /// What becomes of Session-ID (RFC 7989).
    pub identifying: Identifying,
    /// How sessions are timed (RFC 4028).
    pub session_timers: TimerTerms,
    /// Whether 199 means something to us (RFC 6228).
    pub takes_terminated: bool,
    /// Whether Resource-Priority and emergency calls of peers are heeded when we are overloaded: only of those that may be trusted
    /// with them (RFC 4412 §4.6).
    pub heeds_priority: bool,
    /// What is carried without being understood.
    pub carrying: Carrying,
    /// Requests outside a dialog that the owner answers. All others but INVITE get 405; to OPTIONS, where it is none of them,
    /// the endpoint says what it can.
    pub asked: Vec<Asked>,
    /// Whether methods that nobody here knows are handed up outside a dialog as well.
    pub asks_unknown: bool,
    /// Event packages whose SUBSCRIBEs the owner accepts, as Allow-Events says them (RFC 6665 §8.2.2).
    pub events: &'static [&'static str],
}

impl Listener {
    /// A plain user agent's: it carries and answers nothing beyond RFC 3261, believes in no NAT, and goes by its address.
    #[must_use]
    pub fn new(network: NetworkId, transport: Transport, address: SocketAddr) -> Self {
        Self {
            network,
            transport,
            address,
            sent_by: address.to_string().into(),
            towards: Vec::new(),
            timers: Timers::default(),
            provisional_interval: Duration::from_secs(60),
            nat: Nat::Off,
            flow_timer: Duration::from_secs(25),
            alias: false,
            tls_parameter: true,
            acceptance: Acceptance::default(),
            heeds_overload: overload::Heed::Nothing,
            tells_load: false,
            reliable: false,
            provenance: Provenance::Network,
            refers: false,
            identifying: Identifying::Carry,
            session_timers: TimerTerms::default(),
            takes_terminated: false,
            heeds_priority: true,
            carrying: Carrying::Nothing,
            asked: Vec::new(),
            asks_unknown: false,
            events: &[],
        }
    }
}

/// A method that the owner serves outside a dialog: each such request is an [`Event::Asked`](crate::Event::Asked).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The method.
    pub method: Method,
    /// Option tags that its server understands in Require (RFC 3261 §8.2.2.3).
    pub understood: &'static [&'static str],
}

/// How one peer is treated, where that is known; else what its listener says counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conduct {
    /// Timers of the transactions of ours.
    pub timers: Timers,
    /// As [`Listener::provisional_interval`].
    pub provisional_interval: Duration,
    /// Which challenges are answered.
    pub acceptance: Acceptance,
    /// As [`Listener::heeds_overload`].
    pub heeds_overload: overload::Heed,
    /// As [`Listener::provenance`].
    pub provenance: Provenance,
    /// As [`Listener::identifying`].
    pub identifying: Identifying,
    /// As [`Listener::session_timers`].
    pub session_timers: TimerTerms,
}

impl Conduct {
    /// Towards a peer that nothing is known of but the listener that it uses.
    pub(crate) fn of(listener: &Listener) -> Self {
        let Listener {
            timers,
            provisional_interval,
            acceptance,
            heeds_overload,
            provenance,
            identifying,
            session_timers,
            ..
        } = *listener;
        Self {
            timers,
            provisional_interval,
            acceptance,
            heeds_overload,
            provenance,
            identifying,
            session_timers,
        }
    }
}

/// What an endpoint hands up although it does not understand it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Carrying {
    /// Nothing: unknown methods get 405, unknown bodies 415.
    Nothing,
    /// Methods in a dialog and bodies of any kind, and these option tags of Require.
    All {
        /// Option tags that mean nothing to a user agent between the two that use them.
        transparent: Vec<ByteString>,
    },
}

/// Bounds of what peers can make an endpoint keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Sessions in being, in all endpoints that share an [`Occupancy`](crate::Occupancy); 503 beyond.
    pub sessions: usize,
    /// Transactions in being, client and server each, likewise; 503 beyond.
    pub transactions: usize,
    /// Early dialogs of one INVITE; further ones are not shown.
    pub early_dialogs: usize,
    /// Requests of either side that a session has pending besides its INVITE; 503 beyond.
    pub pending_requests: usize,
    /// Requests outside a dialog that wait for the owner's answer; 503 beyond.
    pub asked: usize,
    /// Challenges and 491s that one request of ours survives.
    pub rounds: u8,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            sessions: 40_000,
            transactions: 400_000,
            early_dialogs: 12,
            pending_requests: 16,
            asked: 10_000,
            rounds: 5,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listeners: Vec::new(),
            message: sip_types::Limits::default(),
            limits: Limits::default(),
            user_agent: None,
            server: None,
            retry_after: 5,
            location: location::Settings::default(),
            overload: overload::Settings::default(),
            domains: Vec::new(),
        }
    }
}

impl Settings {
    /// Whether a URI is a GRUU of a registrar of ours in that network.
    pub(crate) fn is_our_gruu(&self, network: NetworkId, uri: &Uri) -> bool {
        uri.has_param("gr")
            && Aor::of(uri).is_some_and(|aor| {
                self.domains.iter().any(|(of, name)| *of == network && **name == *aor.domain())
            })
    }

    /// The listener with that name.
    pub fn listener(&self, id: ListenerId) -> Option<&Listener> {
        self.listeners.get(usize::from(id.0))
    }

    /// The listener of `network` that reaches `peer` over `transport`: that whose longest prefix `peer` is in, else the first
    /// that is meant for anybody.
    pub fn listener_towards(
        &self,
        network: NetworkId,
        transport: Transport,
        peer: SocketAddr,
    ) -> Option<ListenerId> {
        let ip = peer.ip().to_canonical();
        let fits = |l: &Listener| {
            l.network == network && l.transport == transport && l.address.is_ipv4() == peer.is_ipv4()
        };
        let fitting = (0..=u16::MAX).zip(&self.listeners).filter(|(_, l)| fits(l));
        let rated = fitting.filter_map(|(n, l)| Some((n, l.rank_towards(ip)?)));
        // Of equals the first; `max_by_key` would take the last.
        rated.min_by_key(|(_, rank)| std::cmp::Reverse(*rank)).map(|(n, _)| ListenerId(n))
    }
}

impl Listener {
    /// How well requests to an address leave from here: `None` not at all, the more the better.
    fn rank_towards(&self, ip: IpAddr) -> Option<u8> {
        if self.towards.is_empty() {
            return Some(0);
        }
        let prefixes = self.towards.iter().filter(|prefix| prefix.contains(&ip));
        prefixes.map(|prefix| prefix.prefix_len().saturating_add(1)).max()
    }

    /// Methods that we serve on this listener, in the order of [`Self::allow`].
    pub fn methods(&self) -> impl Iterator<Item = &Method> {
        const SERVED: &[Method] =
            &[Method::Invite, Method::Ack, Method::Cancel, Method::Bye, Method::Options];
        const CHANGING: &[Method] = &[Method::Update];
        const REFERS: &[Method] = &[Method::Refer, Method::Notify];
        const CARRIED: &[Method] = &[Method::Info, Method::Message];
        let carried = match self.carrying {
            Carrying::Nothing => &[],
            Carrying::All { .. } => CARRIED,
        };
        let refers = if self.refers { REFERS } else { &[] };
        let ours =
            move |method: &Method| [SERVED, CHANGING, refers, carried].iter().any(|all| all.contains(method));
        let added = self.asked.iter().map(|asked| &asked.method).filter(move |method| !ours(method));
        let reliable = self.reliable.then_some(&Method::Prack);
        SERVED.iter().chain(reliable).chain(CHANGING).chain(refers).chain(carried).chain(added)
    }

    /// Methods that we serve on this listener, as Allow says them (RFC 3261 §20.5).
    pub fn allow(&self) -> String {
        self.methods().map(Method::as_str).collect::<Vec<_>>().join(", ")
    }

    /// Whether the owner serves this method outside a dialog.
    pub(crate) fn asks(&self, method: &Method) -> bool {
        self.asked.iter().any(|asked| asked.method == *method)
            || (self.asks_unknown && matches!(method, Method::Extension(_)))
    }

    /// The same as a 405 says it to a method that is served in a dialog only, or that policy refuses.
    pub fn allow_without(&self, refused: &Method) -> String {
        let served = self.methods().filter(|method| *method != refused);
        served.map(Method::as_str).collect::<Vec<_>>().join(", ")
    }

    /// The same for a request outside a dialog, where nothing is carried.
    pub(crate) fn allow_outside(&self) -> String {
        let inside_only = |method: &Method| {
            let carried = matches!(method, Method::Info | Method::Message | Method::Refer | Method::Notify);
            carried && !self.asks(method)
        };
        let served = self.methods().filter(|method| !inside_only(method));
        served.map(Method::as_str).collect::<Vec<_>>().join(", ")
    }

    /// Whether a request in a dialog with this method goes up to be carried.
    pub(crate) fn carries(&self, method: &Method) -> bool {
        matches!(self.carrying, Carrying::All { .. })
            && matches!(method, Method::Info | Method::Message | Method::Extension(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::ua::listener;

    // Each row: the address of a listener, and what it leads to.
    fn settings(rows: &[(&str, &[&str])]) -> Settings {
        let listeners = rows.iter().map(|(address, towards)| Listener {
            address: address.parse().unwrap(),
            towards: towards.iter().map(|prefix| prefix.parse().unwrap()).collect(),
            ..listener(Transport::Udp)
        });
        Settings { listeners: listeners.collect(), ..Settings::default() }
    }

    fn towards(settings: &Settings, peer: &str) -> Option<u16> {
        let peer = peer.parse().unwrap();
        settings.listener_towards(NetworkId(0), Transport::Udp, peer).map(|id| id.0)
    }

    #[test]
    fn rfc2827_requests_leave_from_the_listener_with_the_longest_prefix() {
        let settings = settings(&[
            ("192.0.2.1:5060", &["0.0.0.0/0"]),
            ("192.0.2.2:5060", &["198.51.100.0/24", "203.0.113.7/32"]),
            ("192.0.2.3:5060", &["198.51.100.128/25"]),
            ("192.0.2.4:5060", &[]),
            ("[2001:db8::1]:5060", &[]),
            ("[2001:db8:1::1]:5060", &["2001:db8:2::/48"]),
            ("[2001:db8::2]:5060", &[]),
        ]);
        let rows = [
            ("198.51.100.9:5060", 1),
            ("198.51.100.200:5060", 2),
            ("203.0.113.7:5060", 1),
            // That a listener leads to all is more than that it says nothing.
            ("203.0.113.8:5060", 0),
            ("[2001:db8:2::9]:5060", 5),
            ("[2001:db8:3::9]:5060", 4),
        ];
        for (peer, expected) in rows {
            assert_eq!(towards(&settings, peer), Some(expected), "{peer}");
        }
    }

    #[test]
    fn nothing_leaves_from_a_listener_that_does_not_lead_there() {
        let settings = settings(&[("192.0.2.1:5060", &["198.51.100.0/24"])]);
        assert_eq!(towards(&settings, "198.51.100.1:5060"), Some(0));
        assert_eq!(towards(&settings, "203.0.113.1:5060"), None);
        assert_eq!(towards(&settings, "[2001:db8::1]:5060"), None);
    }
}
