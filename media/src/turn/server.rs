//! The server: what comes in, and who is answered.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use super::allocation::{Allocation, View};
use super::auth::{AnswerKey, prove};
use super::counters::Dropped;
use super::credentials::ALGORITHMS;
use super::meter::Meter;
use super::nonce::Nonces;
use super::ports::Ports;
use super::refusal::{Refusal, Unproven};
use super::request::Request;
use super::user::User;
use super::{
    ADDRESS_ERROR_CODE, ALLOCATE, CHANNEL_BIND, CREATE_PERMISSION, Counters, LIFETIME, REFRESH,
    RESERVATION_TOKEN, SEND, Settings, XOR_RELAYED_ADDRESS,
};
use crate::chance::Chance;
use crate::stun::{
    self, NONCE, PASSWORD_ALGORITHMS, REALM, SOFTWARE, TO_ERROR, TO_SUCCESS, Writer, XOR_MAPPED_ADDRESS,
};

/// One end of a 5-tuple, with the listener that is the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Client {
    /// The number of the listener.
    pub listener: u16,
    /// The number of the connection; none over UDP.
    pub connection: Option<u64>,
    /// Where the client is seen.
    pub address: SocketAddr,
}

/// What time it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds since some moment, never fewer than before.
    pub millis: u64,
    /// Seconds since 1970.
    pub unix: u64,
}

/// The sockets of a server.
pub trait Wires {
    /// Binds a relayed port; false where somebody else has it.
    fn open(&mut self, port: u16) -> bool;
    /// Closes it.
    fn close(&mut self, port: u16);
    /// Sends a message to a client, whole or not at all; false where it could not be.
    fn to_client(&mut self, client: Client, message: &[u8]) -> bool;
    /// Sends a packet from a relayed port; false where it could not be.
    fn to_peer(&mut self, port: u16, peer: SocketAddr, packet: &[u8]) -> bool;
}

/// A port that waits for who has its token (RFC 8656 §7.2).
pub(super) struct Reservation {
    pub(super) token: [u8; 8],
    pub(super) user: Box<str>,
    pub(super) port: u16,
    pub(super) until: u64,
}

/// A TURN server on one relayed address.
pub struct Server {
    pub(super) settings: Arc<Settings>,
    pub(super) allocations: BTreeMap<Client, Allocation>,
    pub(super) by_port: BTreeMap<u16, Client>,
    pub(super) users: BTreeMap<Box<str>, User>,
    pub(super) reservations: Vec<Reservation>,
    pub(super) ports: Ports,
    pub(super) chance: Chance,
    pub(super) counters: Arc<Counters>,
    /// The transaction IDs of indications.
    pub(super) indications: u128,
    nonces: Nonces,
    meter: Meter,
    out: Vec<u8>,
}

/// What a successful answer says.
#[derive(Default)]
pub(super) struct Answer {
    pub(super) relayed: Option<SocketAddr>,
    pub(super) mapped: Option<SocketAddr>,
    pub(super) lifetime: Option<u32>,
    pub(super) token: Option<[u8; 8]>,
    pub(super) lacking: Option<u8>,
}

impl Server {
    /// One that nobody has an allocation with. `key` is of a cryptographic source.
    #[must_use]
    pub fn new(settings: Arc<Settings>, key: &[u8; 32], counters: Arc<Counters>) -> Self {
        let mut chance = Chance::new(key);
        Self {
            allocations: BTreeMap::new(),
            by_port: BTreeMap::new(),
            users: BTreeMap::new(),
            reservations: Vec::new(),
            ports: Ports::new(&settings.relayed.ports),
            counters,
            indications: chance.next(),
            nonces: Nonces::new(key),
            meter: Meter::new(settings.limits.unproven, chance.next()),
            out: Vec::new(),
            chance,
            settings,
        }
    }

    /// Goes on with other settings, but for the relayed address. What an allocation has stays, as far as it is still reached.
    pub fn adopt(&mut self, settings: Arc<Settings>, now: Now) {
        self.meter.change(settings.limits.unproven);
        for allocation in self.allocations.values_mut() {
            allocation.review(&settings.reach, now.millis);
        }
        self.settings = settings;
    }

    /// Takes a message of a client: a datagram, or what [`Frames`](super::Frames) has found. True for a request of somebody who
    /// has a credential.
    pub fn receive(&mut self, client: Client, message: &[u8], now: Now, wires: &mut impl Wires) -> bool {
        if client.connection.is_none() && self.settings.reach.is_ours(client.address) {
            self.counters.dropped(Dropped::Forbidden);
            return false;
        }
        if matches!(message.first(), Some(0x40..=0x7f)) {
            self.channel_data(client, message, now, wires);
            return false;
        }
        let Ok(request) = Request::read(message) else {
            self.counters.dropped(Dropped::Unreadable);
            return false;
        };
        match request.kind {
            ALLOCATE | REFRESH | CREATE_PERMISSION | CHANNEL_BIND => {
                return self.serve(client, &request, now, wires);
            }
            SEND => self.send(client, &request, now, wires),
            stun::REQUEST => self.binding(client, &request, now, wires),
            // An indication of Binding keeps a flow open.
            stun::INDICATION => {}
            _ => self.counters.dropped(Dropped::Unreadable),
        }
        false
    }

    /// The connection of a client is gone, and with it what it had.
    pub fn closed(&mut self, client: Client, now: Now, wires: &mut impl Wires) {
        self.end(client, now, wires);
    }

    /// Whether a client has an allocation.
    #[must_use]
    pub fn serves(&self, client: Client) -> bool {
        self.allocations.contains_key(&client)
    }

    /// Ends what is over.
    pub fn pass_time(&mut self, now: Now, wires: &mut impl Wires) {
        let reach = &self.settings.reach;
        let mut over = Vec::new();
        for (client, allocation) in &mut self.allocations {
            allocation.review(reach, now.millis);
            over.extend(allocation.is_over(now.millis).then_some(*client));
        }
        for client in over {
            self.end(client, now, wires);
        }
        while let Some(at) = self.reservations.iter().position(|one| one.until <= now.millis) {
            let Reservation { user, port, .. } = self.reservations.swap_remove(at);
            self.ports.give_back(port, now.millis, wires);
            self.gives_up(&user);
        }
        let limits = &self.settings.limits;
        self.users.retain(|_, user| !user.is_over(limits, now.millis));
    }

    /// The allocations that there are.
    #[must_use]
    pub fn views(&self, now: Now) -> Vec<View> {
        let told = self.settings.relayed.told;
        self.allocations.iter().map(|(client, one)| one.view(*client, told, now.millis)).collect()
    }

    /// A nonce for a client, as a challenge has it.
    #[cfg(feature = "fuzz")]
    pub(super) fn nonce_for(&self, client: Client, now: Now) -> String {
        self.nonces.make(client, now.unix)
    }

    /// Answers a request; true where its sender has proved itself.
    fn serve(&mut self, client: Client, request: &Request<'_>, now: Now, wires: &mut impl Wires) -> bool {
        if self.allocations.get(&client).is_some_and(|one| one.is_over(now.millis)) {
            self.end(client, now, wires);
        }
        let proven = prove(request, (&self.settings, &self.nonces), client, now.unix);
        // A credential is for making allocations; what it has made goes on after its end, as long as the secret is good.
        let begins = request.kind == ALLOCATE && !self.allocations.contains_key(&client);
        let proven = proven.and_then(|proven| match begins && proven.login.expires <= now.unix {
            true => Err(Refusal::Unauthenticated(Unproven::Expired)),
            false => Ok(proven),
        });
        let proven = match proven {
            Ok(proven) => proven,
            Err(why) => {
                self.refuse_stranger(client, request, why, now, wires);
                return false;
            }
        };
        let login = proven.login;
        let outcome = if request.unknown().next().is_some() {
            Err(Refusal::UnknownAttribute)
        } else if request.malformed {
            Err(Refusal::BadRequest)
        } else {
            match request.kind {
                ALLOCATE => self.allocate(client, request, login, now, wires),
                REFRESH => self.refresh(client, request, login.name, now, wires),
                CREATE_PERMISSION => self.create_permission(client, request, login.name, now),
                _ => self.bind_channel(client, request, login.name, now),
            }
        };
        let kind = request.kind | if outcome.is_ok() { TO_SUCCESS } else { TO_ERROR };
        let mut writer = Writer::new(&mut self.out, kind, request.id);
        match outcome {
            Ok(answer) => answer.write(&mut writer),
            Err(why) => {
                self.counters.refused(why);
                writer.error(why.code(), why.reason());
                if why == Refusal::UnknownAttribute {
                    writer.unknown(request.unknown());
                }
            }
        }
        if matches!(request.kind, ALLOCATE | REFRESH) {
            writer.attribute(SOFTWARE, b"Liaison");
        }
        match proven.key {
            AnswerKey::Sha1(key) => writer.integrity(&key),
            AnswerKey::Sha256(key) => writer.integrity_sha256(&key),
        };
        if request.fingerprint {
            writer.fingerprint();
        }
        self.reply(client, wires);
        true
    }

    /// Refuses somebody who has not proved anything. Over UDP it may not even be there: of such answers, which are longer than
    /// what they answer, there are so many in a second.
    fn refuse_stranger(
        &mut self,
        client: Client,
        request: &Request<'_>,
        why: Refusal,
        now: Now,
        wires: &mut impl Wires,
    ) {
        self.counters.refused(why);
        if !self.answers(client, now) {
            return;
        }
        let mut writer = Writer::new(&mut self.out, request.kind | TO_ERROR, request.id);
        writer.error(why.code(), why.reason());
        match why {
            Refusal::BadRequest => {}
            Refusal::UnknownAttribute => {
                writer.unknown(request.unknown());
            }
            _ => {
                let nonce = self.nonces.make(client, now.unix);
                writer.attribute(REALM, self.settings.realm.as_bytes()).attribute(NONCE, nonce.as_bytes());
                writer.attribute(PASSWORD_ALGORITHMS, &ALGORITHMS);
            }
        }
        if request.fingerprint {
            writer.fingerprint();
        }
        self.reply(client, wires);
    }

    /// Where the client is seen (RFC 8489 §6.3): a TURN server is one of STUN, too.
    fn binding(&mut self, client: Client, request: &Request<'_>, now: Now, wires: &mut impl Wires) {
        let unknown = request.unknown().next().map(|_| Refusal::UnknownAttribute);
        if let Some(why) = unknown.or(request.malformed.then_some(Refusal::BadRequest)) {
            return self.refuse_stranger(client, request, why, now, wires);
        }
        if !self.answers(client, now) {
            return;
        }
        self.counters.bound();
        let mut writer = Writer::new(&mut self.out, stun::SUCCESS, request.id);
        writer.address(XOR_MAPPED_ADDRESS, client.address);
        if request.fingerprint {
            writer.fingerprint();
        }
        self.reply(client, wires);
    }

    /// Whether somebody without proof is answered.
    fn answers(&mut self, client: Client, now: Now) -> bool {
        let answers = client.connection.is_some() || self.meter.admit(client.address.ip(), now.millis);
        if !answers {
            self.counters.limited();
        }
        answers
    }

    fn reply(&mut self, client: Client, wires: &mut impl Wires) {
        if !wires.to_client(client, &self.out) {
            self.counters.dropped(Dropped::Unsent);
        }
    }

    /// Ends an allocation, if there is one.
    pub(super) fn end(&mut self, client: Client, now: Now, wires: &mut impl Wires) {
        let Some(allocation) = self.allocations.remove(&client) else { return };
        self.by_port.remove(&allocation.port);
        self.ports.give_back(allocation.port, now.millis, wires);
        self.gives_up(allocation.user());
        self.counters.allocations_are(self.allocations.len());
    }

    /// A user has one port less.
    pub(super) fn gives_up(&mut self, user: &str) {
        if let Some(known) = self.users.get_mut(user) {
            known.ports = known.ports.saturating_sub(1);
        }
    }
}

impl Answer {
    fn write(&self, writer: &mut Writer<'_>) {
        if let Some(address) = self.relayed {
            writer.address(XOR_RELAYED_ADDRESS, address);
        }
        if let Some(seconds) = self.lifetime {
            writer.attribute(LIFETIME, &seconds.to_be_bytes());
        }
        if let Some(token) = self.token {
            writer.attribute(RESERVATION_TOKEN, &token);
        }
        if let Some(address) = self.mapped {
            writer.address(XOR_MAPPED_ADDRESS, address);
        }
        if let Some(family) = self.lacking {
            let reason = Refusal::FamilyNotSupported.reason();
            writer.attribute(ADDRESS_ERROR_CODE, &[&[family, 0, 4, 40], reason.as_bytes()].concat());
        }
    }
}
