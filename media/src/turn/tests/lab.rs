//! A server, its wires, and clients.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::stun::*;
use crate::turn::credentials::{Algorithm, mint};
use crate::turn::*;

pub(crate) const SECRET: &str = "a secret of the test";
pub(crate) const NOW: u64 = 1_700_000_000;
pub(crate) const UDP: (u16, &[u8]) = (REQUESTED_TRANSPORT, &[17, 0, 0, 0]);
pub(crate) const MEDIA: &str = "192.0.2.1:20000";

pub(crate) fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

#[derive(Default)]
pub(crate) struct Fake {
    pub(crate) open: BTreeSet<u16>,
    pub(crate) taken: BTreeSet<u16>,
    pub(crate) to_clients: Vec<(Client, Vec<u8>)>,
    pub(crate) to_peers: Vec<(u16, SocketAddr, Vec<u8>)>,
}

impl Wires for Fake {
    fn open(&mut self, port: u16) -> bool {
        !self.taken.contains(&port) && self.open.insert(port)
    }

    fn close(&mut self, port: u16) {
        assert!(self.open.remove(&port), "{port} is not open");
    }

    fn to_client(&mut self, client: Client, message: &[u8]) -> bool {
        self.to_clients.push((client, message.to_vec()));
        true
    }

    fn to_peer(&mut self, port: u16, peer: SocketAddr, packet: &[u8]) -> bool {
        assert!(self.open.contains(&port));
        self.to_peers.push((port, peer, packet.to_vec()));
        true
    }
}

pub(crate) fn settings() -> Settings {
    let ip = at(MEDIA).ip();
    Settings {
        realm: "example.com".into(),
        secrets: vec![Zeroizing::new(SECRET.to_owned())],
        relayed: Relayed { bind: ip, told: ip, ports: 50_000..=50_009 },
        reach: Reach {
            own: vec![Own { told: ip, bound: ip, ports: 20_000..=20_009 }],
            relayed: vec![Own { told: ip, bound: ip, ports: 50_000..=50_009 }],
            hosts: vec![ip],
            extra: vec!["198.51.100.0/24".parse().unwrap()],
        },
        lifetime: 600,
        longest_lifetime: 3_600,
        nonce_lifetime: 600,
        quarantine: 360,
        old_channels: false,
        limits: Limits { allocations: 8, per_user: 3, permissions: 4, rate: None, unproven: 20 },
    }
}

pub(crate) struct Lab {
    pub(crate) server: Server,
    pub(crate) wires: Fake,
    pub(crate) now: Now,
    pub(crate) counters: Arc<Counters>,
    transactions: u8,
}

impl Lab {
    pub(crate) fn new() -> Self {
        Self::with(|_| ())
    }

    pub(crate) fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = settings();
        change(&mut settings);
        let counters = Arc::<Counters>::default();
        Self {
            server: Server::new(Arc::new(settings), &[7; 32], counters.clone()),
            wires: Fake::default(),
            now: Now { millis: 5_000, unix: NOW },
            counters,
            transactions: 0,
        }
    }

    pub(crate) fn adopt(&mut self, change: impl FnOnce(&mut Settings)) {
        let mut settings = settings();
        change(&mut settings);
        self.server.adopt(Arc::new(settings), self.now);
    }

    pub(crate) fn pass(&mut self, seconds: u64) {
        self.now = Now { millis: self.now.millis + seconds * 1_000, unix: self.now.unix + seconds };
        self.server.pass_time(self.now, &mut self.wires);
    }

    pub(crate) fn id(&mut self) -> [u8; 12] {
        self.transactions += 1;
        [self.transactions; 12]
    }

    /// Gives the server bytes; the one answer, if there is any.
    pub(crate) fn give(&mut self, client: Client, bytes: &[u8]) -> Option<Vec<u8>> {
        self.wires.to_clients.clear();
        self.server.receive(client, bytes, self.now, &mut self.wires);
        assert!(self.wires.to_clients.len() <= 1);
        self.wires.to_clients.pop().map(|(to, message)| {
            assert_eq!(to, client);
            message
        })
    }

    pub(crate) fn ask(&mut self, ua: &Ua, kind: u16, attributes: &[(u16, &[u8])]) -> Reply {
        let id = self.id();
        self.ask_as(ua, kind, attributes, id)
    }

    pub(crate) fn ask_as(&mut self, ua: &Ua, kind: u16, attributes: &[(u16, &[u8])], id: [u8; 12]) -> Reply {
        let request = ua.request(kind, attributes, id);
        let reply = Reply(self.give(ua.client, &request).expect("an answer"));
        assert_eq!(header(&reply.0).unwrap().1, &id);
        reply
    }

    /// A client that has been challenged.
    pub(crate) fn ua(&mut self, user: &str, port: u16) -> Ua {
        let client = Client { listener: 0, connection: None, address: SocketAddr::new(at(MEDIA).ip(), port) };
        self.ua_at(user, client)
    }

    pub(crate) fn ua_at(&mut self, user: &str, client: Client) -> Ua {
        let mut ua = Ua::new(user, client, NOW + 3_600);
        let challenge = self.ask(&ua, ALLOCATE, &[UDP]);
        assert_eq!(challenge.code(), 401);
        ua.nonce = Some(challenge.get(NONCE).unwrap());
        ua
    }

    /// One that has an allocation as well, with its port.
    pub(crate) fn allocated(&mut self, user: &str, port: u16) -> (Ua, u16) {
        let ua = self.ua(user, port);
        let reply = self.ask(&ua, ALLOCATE, &[UDP]);
        assert_eq!(reply.code(), 0, "{reply:?}");
        let relayed = reply.address(XOR_RELAYED_ADDRESS).unwrap().port();
        (ua, relayed)
    }

    pub(crate) fn permit(&mut self, ua: &Ua, peer: &str) -> u16 {
        let peer = ua.masked(peer, self.transactions + 1);
        self.ask(ua, CREATE_PERMISSION, &[(XOR_PEER_ADDRESS, &peer)]).code()
    }

    pub(crate) fn bind(&mut self, ua: &Ua, number: u16, peer: &str) -> u16 {
        let peer = ua.masked(peer, self.transactions + 1);
        let [a, b] = number.to_be_bytes();
        self.ask(ua, CHANNEL_BIND, &[(CHANNEL_NUMBER, &[a, b, 0, 0]), (XOR_PEER_ADDRESS, &peer)]).code()
    }

    /// A packet comes to a relayed port; what the client gets of it.
    pub(crate) fn arrives(&mut self, port: u16, from: &str, data: &[u8]) -> Option<Vec<u8>> {
        let mut room = vec![0xee; HEADROOM];
        room.extend(data);
        room.extend([0xee; 3]);
        self.wires.to_clients.clear();
        let (now, wires) = (self.now, &mut self.wires);
        self.server.arrived((port, at(from)), &mut room, data.len(), now, wires);
        self.wires.to_clients.pop().map(|(_, message)| message)
    }

    /// A Send indication.
    pub(crate) fn send(&mut self, ua: &Ua, peer: &str, data: &[u8]) {
        let id = self.id();
        let mut out = Vec::new();
        Writer::new(&mut out, SEND, &id).address(XOR_PEER_ADDRESS, at(peer)).attribute(DATA, data);
        assert_eq!(self.give(ua.client, &out), None);
    }

    pub(crate) fn dropped(&self, reason: &str) -> u64 {
        self.counters.read().dropped.iter().find(|(name, _)| *name == reason).unwrap().1
    }
}

/// A client.
#[derive(Clone)]
pub(crate) struct Ua {
    pub(crate) client: Client,
    pub(crate) username: String,
    pub(crate) password: String,
    pub(crate) realm: String,
    pub(crate) nonce: Option<Vec<u8>>,
    /// Whether it chooses SHA-256.
    pub(crate) modern: bool,
}

impl Ua {
    pub(crate) fn new(user: &str, client: Client, expires: u64) -> Self {
        let Minted { username, password } = mint(SECRET, user, expires).unwrap();
        let password = password.as_str().to_owned();
        Self { client, username, password, realm: "example.com".into(), nonce: None, modern: false }
    }

    pub(crate) fn key(&self) -> Vec<u8> {
        let algorithm = if self.modern { Algorithm::Sha256 } else { Algorithm::Md5 };
        algorithm.key_of(&self.username, &self.realm, &self.password).to_vec()
    }

    /// The value of an address in the transaction of that number.
    pub(crate) fn masked(&self, address: &str, transaction: u8) -> Vec<u8> {
        Masked::new(&[transaction; 12], at(address)).as_bytes().to_vec()
    }

    /// A request, with what proves it where there is a nonce.
    pub(crate) fn request(&self, kind: u16, attributes: &[(u16, &[u8])], id: [u8; 12]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut writer = Writer::new(&mut out, kind, &id);
        for (kind, value) in attributes {
            writer.attribute(*kind, value);
        }
        let Some(nonce) = &self.nonce else { return out };
        writer.attribute(USERNAME, self.username.as_bytes()).attribute(REALM, self.realm.as_bytes());
        writer.attribute(NONCE, nonce);
        if self.modern {
            writer.attribute(PASSWORD_ALGORITHMS, &[0, 2, 0, 0, 0, 1, 0, 0]);
            writer.attribute(PASSWORD_ALGORITHM, &[0, 2, 0, 0]).integrity_sha256(&key256_of(&self.key()));
        } else {
            writer.integrity(&key_of(&self.key()));
        }
        out
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply(pub(super) Vec<u8>);

impl Reply {
    pub(crate) fn get(&self, kind: u16) -> Option<Vec<u8>> {
        let mut all = Attributes::of(&self.0).map(Result::unwrap);
        all.find(|(its, ..)| *its == kind).map(|(_, value, _)| value.to_vec())
    }

    /// The code of an error; 0 of a success.
    pub(crate) fn code(&self) -> u16 {
        let (kind, _) = header(&self.0).unwrap();
        match (kind & TO_ERROR, self.get(ERROR_CODE)) {
            (TO_ERROR, Some(value)) => u16::from(value[2]) * 100 + u16::from(value[3]),
            (TO_SUCCESS, None) => 0,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn address(&self, kind: u16) -> Option<SocketAddr> {
        unmask(header(&self.0).unwrap().1, &self.get(kind)?)
    }

    pub(crate) fn seconds(&self) -> Option<u32> {
        self.get(LIFETIME).map(|value| u32::from_be_bytes(value.try_into().unwrap()))
    }

    /// Whether it is sealed with that key.
    pub(crate) fn is_sealed(&self, key: &[u8]) -> bool {
        let mut all = Attributes::of(&self.0).map(Result::unwrap);
        all.any(|(kind, value, at)| match kind {
            MESSAGE_INTEGRITY => Proof::Sha1(at, value).holds(key, &self.0),
            MESSAGE_INTEGRITY_SHA256 => Proof::Sha256(at, value).holds(key, &self.0),
            _ => false,
        })
    }
}
