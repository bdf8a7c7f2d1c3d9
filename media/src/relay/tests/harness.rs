//! A call through a relay on loopback addresses that no other test has.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use crate::relay::{Config, Link, Relay, start};
use crate::{CallMedia, Latching, Limits, MediaNetwork, Mode, NetworkId, PartyId, Police, Snapshot};

pub(super) const A: PartyId = PartyId(1);
pub(super) const B: PartyId = PartyId(2);
/// Nothing takes that long: a guard against waiting for ever.
pub(super) const GUARD: Duration = Duration::from_secs(30);

pub(super) struct Bench {
    pub(super) relay: Relay,
    pub(super) link: Link,
    pub(super) networks: [MediaNetwork; 2],
    pub(super) call: CallMedia,
    pub(super) peer_address: IpAddr,
    /// What is done about what was not negotiated.
    pub(super) police: Police,
}

/// An address in 127/8 that this process uses once.
pub(super) fn loopback() -> IpAddr {
    static NEXT: AtomicU16 = AtomicU16::new(1);
    let [high, low] = NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    let process = u8::try_from(std::process::id() % 250).unwrap();
    IpAddr::from([127, process + 1, high, low])
}

pub(super) fn config(latching: Latching) -> Config {
    let network = |id| MediaNetwork {
        id: NetworkId(id),
        bind: loopback(),
        advertised: None,
        ports: 20_000..=40_001,
        latching,
        ice: crate::Ice::default(),
        marks: crate::Marks::default(),
        traversal: None,
    };
    Config { low_water: 4, high_water: 8, ..Config::new(vec![network(0), network(1)]) }
}

impl Bench {
    pub(super) fn new(config: &Config) -> Self {
        let (relay, mut links) = start(config).unwrap();
        let networks = [config.networks[0].clone(), config.networks[1].clone()];
        let call = CallMedia::new(Mode::Anchored, Limits::default(), 1);
        Self {
            relay,
            link: links.pop().unwrap(),
            networks,
            call,
            peer_address: loopback(),
            police: Police::default(),
        }
    }

    pub(super) fn peer(&self) -> Peer {
        Peer::at(self.peer_address)
    }

    /// The orders of the call, carried out before any packet that is sent later.
    pub(super) fn carry_out(&mut self) {
        while let Some(command) = self.call.poll_command() {
            self.link.carry_out(command);
        }
        self.link.flush();
    }

    /// A connects with B; each says what is given. Answers the addresses that they are told.
    pub(super) fn connect(&mut self, a: &str, b: &str) -> (SocketAddr, SocketAddr) {
        self.call.add_party(A, &self.networks[0]);
        self.call.add_party(B, &self.networks[1]);
        [A, B].into_iter().for_each(|party| self.call.police(party, self.police));
        self.call.receive_offer(A, a.as_bytes()).unwrap();
        self.call.compose_offer(B, A, &mut self.link).unwrap();
        self.answer(A, B, b);
        (self.local(A), self.local(B))
    }

    pub(super) fn answer(&mut self, to: PartyId, from: PartyId, text: &str) {
        self.call.receive_answer(from, text.as_bytes()).unwrap();
        self.call.compose_answer(to, from, &mut self.link).unwrap();
        self.call.connect(to, from);
        self.carry_out();
    }

    /// A says something new, B answers as given.
    pub(super) fn reoffer(&mut self, a: &str, b: &str) {
        self.call.receive_offer(A, a.as_bytes()).unwrap();
        self.call.compose_offer(B, A, &mut self.link).unwrap();
        self.answer(A, B, b);
    }

    pub(super) fn local(&self, party: PartyId) -> SocketAddr {
        self.call.view(party).unwrap().streams[0].local.unwrap()
    }

    pub(super) fn counted(&self, party: PartyId) -> Snapshot {
        self.call.view(party).unwrap().streams[0].counted
    }
}

/// Turns until `done`; the guard fails the test.
#[track_caller]
pub(super) fn until(mut done: impl FnMut() -> bool) {
    #[expect(clippy::disallowed_methods, reason = "a guard against waiting for ever")]
    let start = Instant::now();
    while !done() {
        #[expect(clippy::disallowed_methods, reason = "a guard against waiting for ever")]
        let waited = start.elapsed();
        assert!(waited < GUARD, "waited too long");
        std::thread::yield_now();
    }
}

/// A peer's pair of sockets, RTCP on the next port.
pub(super) struct Peer {
    pub(super) rtp: UdpSocket,
    pub(super) rtcp: UdpSocket,
}

impl Peer {
    pub(super) fn at(address: IpAddr) -> Self {
        for _ in 0..100 {
            let rtp = UdpSocket::bind((address, 0)).unwrap();
            let Some(next) = rtp.local_addr().unwrap().port().checked_add(1) else { continue };
            let Ok(rtcp) = UdpSocket::bind((address, next)) else { continue };
            rtp.set_read_timeout(Some(GUARD)).unwrap();
            rtcp.set_read_timeout(Some(GUARD)).unwrap();
            return Self { rtp, rtcp };
        }
        panic!("no two ports in a row");
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.rtp.local_addr().unwrap()
    }

    pub(super) fn describe(&self) -> String {
        describe(self.address())
    }
}

pub(super) fn describe(address: SocketAddr) -> String {
    let (ip, port) = (address.ip(), address.port());
    format!("v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP 0\r\n")
}

#[track_caller]
pub(super) fn receive(socket: &UdpSocket) -> (Vec<u8>, SocketAddr) {
    let mut buffer = [0; 2_048];
    let (length, source) = socket.recv_from(&mut buffer).unwrap();
    (buffer[..length].to_vec(), source)
}

/// An RTP packet of 20 ms of G.711.
pub(super) fn rtp(sequence: u16) -> Vec<u8> {
    let mut packet = vec![0xd5; 172];
    packet[0] = 0x80;
    packet[1] = 0;
    packet[2..4].copy_from_slice(&sequence.to_be_bytes());
    packet[4..8].copy_from_slice(&(u32::from(sequence) * 160).to_be_bytes());
    packet[8..12].copy_from_slice(&7u32.to_be_bytes());
    packet
}

/// An RTCP receiver report.
pub(super) const REPORT: [u8; 8] = [0x80, 201, 0, 1, 0, 0, 0, 7];
