//! A client of STUN and TURN servers (RFC 8489, RFC 8656) without I/O: one transport address of ours and one server.
//!
//! ```text
//!            401: once more with proof         Refresh, ChannelBind, Binding every 15 s
//!   Asking ───────────────────────────► Standing ─────────────────────────────────────► Over
//!      └── refused, or no answer ───────────────────────────────────────────────────────►┘
//! ```
//! Peers are reached by channels alone, each of which is a permission, too (RFC 8656 §12); they are bound again before either
//! runs out. What a server says counts only with its proof, but for the challenge that makes proof possible.

mod answer;
mod channels;
mod exchange;

use std::collections::VecDeque;
use std::net::SocketAddr;

use md5::{Digest, Md5};
use zeroize::Zeroizing;

use super::{
    ALLOCATE, CHANNEL_BIND, CHANNEL_NUMBER, LIFETIME, REFRESH, REQUESTED_TRANSPORT, XOR_PEER_ADDRESS,
};
use crate::chance::Chance;
use crate::stun::{self, Key, NONCE, REALM, REQUEST, USERNAME, Writer};
use channels::Channel;
pub(crate) use channels::{HEAD, head, indication, unwrapped, wrap};
use exchange::Exchange;

/// How often a mapping at the NAT is kept, and the server asked whether it is there (RFC 8445 §11).
const KEEPALIVE_MILLIS: u64 = 15_000;
/// The number of UDP (RFC 8656 §14.7).
const UDP: [u8; 4] = [17, 0, 0, 0];
/// What is asked for, in seconds; so long before the end an allocation is refreshed, in milliseconds.
const LIFETIME_SECONDS: u32 = 600;
const MARGIN_MILLIS: u64 = 60_000;
/// An answer of the server's that asks for proof, or for a fresh nonce, is followed so often in a row.
const MOST_CHALLENGES: u8 = 3;

/// What proves us to a TURN server (RFC 8489 §9.2).
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Login {
    /// The username.
    pub(crate) username: Box<str>,
    /// The password.
    pub(crate) password: Zeroizing<String>,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").field("username", &self.username).finish_non_exhaustive()
    }
}

/// Why a server is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// It does not answer.
    Silent,
    /// Its connection is closed, or was never made.
    Disconnected,
    /// It does not take our credentials.
    Unauthorized,
    /// It refuses with that code (RFC 8656 §19): 486 and 508 are about what it has to give.
    Refused(u16),
    /// What it answers makes no sense.
    Malformed,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Silent => f.write_str("it does not answer"),
            Self::Disconnected => f.write_str("there is no connection to it"),
            Self::Unauthorized => f.write_str("it does not take the credentials"),
            Self::Refused(code) => write!(f, "it refuses with {code}"),
            Self::Malformed => f.write_str("its answer makes no sense"),
        }
    }
}

/// What has come of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// The server sees us there; told anew when that changes.
    Mapped(SocketAddr),
    /// We have that address at the server.
    Allocated(SocketAddr),
    /// A peer is reached by that channel.
    Bound(u16, SocketAddr),
    /// A peer cannot be reached by way of the server.
    Barred(SocketAddr),
    /// Nothing more comes of this server.
    Over(Failure),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Asking,
    Standing,
    /// Ended by us, which the server has not confirmed.
    Ending,
    Over,
}

/// What is known of the server's demands.
#[derive(Default)]
struct Challenge {
    realm: Vec<u8>,
    nonce: Vec<u8>,
    key: Option<Key>,
    /// How many came in a row.
    count: u8,
}

/// The client.
pub(crate) struct Client {
    /// For TURN; without it only our own address is asked for.
    login: Option<Login>,
    reliable: bool,
    state: State,
    challenge: Challenge,
    exchanges: Vec<Exchange>,
    channels: Vec<Channel>,
    next_channel: u16,
    mapped: Option<SocketAddr>,
    relayed: Option<SocketAddr>,
    refresh: Option<u64>,
    keepalive: u64,
    /// An allocation from before is in the way, and was ended once (437).
    cleared: bool,
    out: VecDeque<Vec<u8>>,
    events: VecDeque<Event>,
    chance: Chance,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("state", &self.state)
            .field("relayed", &self.relayed)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// One that asks at once; `login` for a TURN server; `reliable` where a connection repeats what is lost.
    pub(crate) fn new(login: Option<Login>, reliable: bool, seed: &[u8; 32], now: u64) -> Self {
        let mut client = Self {
            login,
            reliable,
            state: State::Asking,
            challenge: Challenge::default(),
            exchanges: Vec::new(),
            channels: Vec::new(),
            next_channel: channels::FIRST,
            mapped: None,
            relayed: None,
            refresh: None,
            keepalive: now + KEEPALIVE_MILLIS,
            cleared: false,
            out: VecDeque::new(),
            events: VecDeque::new(),
            chance: Chance::new(seed),
        };
        let first = if client.login.is_some() { Ask::Allocate } else { Ask::Mapping };
        client.ask(first, now);
        client
    }

    /// Our address at the server.
    pub(crate) fn relayed(&self) -> Option<SocketAddr> {
        self.relayed.filter(|_| self.state == State::Standing)
    }

    /// Gives the allocation back (RFC 8656 §7): what is still polled is to be sent.
    pub(crate) fn end(&mut self, now: u64) {
        self.exchanges.clear();
        self.channels.clear();
        self.refresh = None;
        if self.state == State::Standing && self.login.is_some() {
            self.state = State::Ending;
            self.ask(Ask::End, now);
        } else if self.state != State::Ending {
            self.state = State::Over;
        }
    }

    /// Whether nothing more is to be sent.
    pub(crate) fn is_over(&self) -> bool {
        self.state == State::Over
    }

    /// There is no connection any more.
    pub(crate) fn disconnected(&mut self) {
        self.over(Failure::Disconnected);
    }

    pub(crate) fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        self.out.pop_front()
    }

    pub(crate) fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due.
    pub(crate) fn deadline(&self) -> Option<u64> {
        if self.state == State::Over {
            return None;
        }
        let exchanges = self.exchanges.iter().map(Exchange::due);
        let keepalive = (self.state == State::Standing).then_some(self.keepalive);
        let channels = self.channels.iter().filter_map(Channel::due);
        exchanges.chain(keepalive).chain(self.refresh).chain(channels).min()
    }

    /// Does what is due.
    pub(crate) fn handle_timeout(&mut self, now: u64) {
        if self.state == State::Over {
            return;
        }
        self.repeat(now);
        if self.state != State::Standing {
            return;
        }
        if self.refresh.is_some_and(|refresh| refresh <= now) {
            self.refresh = None;
            self.ask(Ask::Refresh, now);
        }
        if self.keepalive <= now {
            self.keepalive = now + KEEPALIVE_MILLIS;
            self.ask(Ask::Mapping, now);
        }
        self.bind_again(now);
    }

    fn over(&mut self, failure: Failure) {
        if self.state != State::Over {
            self.state = State::Over;
            self.exchanges.clear();
            self.channels.clear();
            self.events.push_back(Event::Over(failure));
        }
    }

    /// Takes up a challenge (RFC 8489 §9.2.3.2).
    fn challenged(&mut self, realm: Option<&[u8]>, nonce: &[u8]) {
        let Some(login) = &self.login else { return };
        if let Some(realm) = realm {
            let mut hash = Md5::new();
            for part in [login.username.as_bytes(), b":", realm, b":", login.password.as_bytes()] {
                hash.update(part);
            }
            self.challenge.key = Some(stun::key_of(&hash.finalize()));
            self.challenge.realm = realm.to_vec();
        }
        self.challenge.nonce = nonce.to_vec();
        self.challenge.count += 1;
    }

    /// Writes a request.
    fn write(&self, ask: Ask, id: &[u8; 12]) -> Vec<u8> {
        let mut octets = Vec::with_capacity(160);
        let kind = match ask {
            Ask::Allocate => ALLOCATE,
            Ask::Refresh | Ask::End => REFRESH,
            Ask::Bind(..) => CHANNEL_BIND,
            Ask::Mapping => REQUEST,
        };
        let mut writer = Writer::new(&mut octets, kind, id);
        match ask {
            Ask::Allocate => {
                writer.attribute(REQUESTED_TRANSPORT, &UDP);
                writer.attribute(LIFETIME, &LIFETIME_SECONDS.to_be_bytes());
            }
            Ask::Refresh => drop(writer.attribute(LIFETIME, &LIFETIME_SECONDS.to_be_bytes())),
            Ask::End => drop(writer.attribute(LIFETIME, &[0; 4])),
            Ask::Bind(number, peer) => {
                let [n0, n1] = number.to_be_bytes();
                writer.attribute(CHANNEL_NUMBER, &[n0, n1, 0, 0]);
                writer.address(XOR_PEER_ADDRESS, peer);
            }
            Ask::Mapping => {}
        }
        let proof = self.challenge.key.as_ref().zip(self.login.as_ref()).filter(|_| ask != Ask::Mapping);
        if let Some((key, login)) = proof {
            writer.attribute(USERNAME, login.username.as_bytes());
            writer.attribute(REALM, &self.challenge.realm);
            writer.attribute(NONCE, &self.challenge.nonce);
            writer.integrity(key);
        }
        writer.fingerprint();
        octets
    }
}

/// What a server is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ask {
    Allocate,
    Refresh,
    /// The end of an allocation.
    End,
    Bind(u16, SocketAddr),
    /// Where it sees us.
    Mapping,
}
