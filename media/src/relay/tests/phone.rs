//! A stream whose keys come from handshakes, set up by orders as they come from a call, and the telephone at its other end.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use super::harness::*;
use crate::dtls::{Desk, Identity, Input, Output, Place, Role, Tallies, Terms, Version};
use crate::ice::Component;
use crate::relay::{Command, Config, Link, Relay, Settings, Sources, Srtp, start};
use crate::srtp::{Kind, MAX_OVERHEAD, Protection, Receiver, Sender, Suite};
use crate::{ContextId, Counters, Latching, NetworkId, PortPair, Ports};

pub(super) const SUITES: [Suite; 2] = [Suite::AeadAes256Gcm, Suite::AesCm128Sha1Tag80];

/// Two remotes that are joined: one has DTLS-SRTP with us, the other is plain.
pub(super) struct Stage {
    pub(super) relay: Relay,
    pub(super) link: Link,
    pub(super) ours: Arc<Identity>,
    pub(super) secure: Side,
    pub(super) plain: Side,
}

/// Our side of a remote.
pub(super) struct Side {
    pub(super) pair: PortPair,
    pub(super) at: SocketAddr,
    pub(super) counters: Arc<Counters>,
}

impl Side {
    fn new(link: &mut Link, config: &Config, network: u16) -> Self {
        let pair = link.take(NetworkId(network), None).unwrap();
        let at = SocketAddr::new(config.networks[usize::from(network)].bind, pair.port);
        Self { pair, at, counters: Arc::default() }
    }

    pub(super) fn id(&self) -> ContextId {
        ContextId { pair: self.pair.id, remote: 0 }
    }

    pub(super) fn rtcp(&self) -> SocketAddr {
        SocketAddr::new(self.at.ip(), self.at.port() + 1)
    }
}

/// A plain stream to that address.
pub(in crate::relay) fn settings(remote: SocketAddr, peer: ContextId) -> Settings {
    Settings {
        remote,
        remote_rtcp: SocketAddr::new(remote.ip(), remote.port() + 1),
        sources: Sources::Described,
        send: true,
        mux: true,
        rtp: true,
        dtls: false,
        ice: None,
        peer: Some(peer),
        clocks: Box::new([]),
        payloads: None,
        rate: None,
        ssrcs: None,
        srtp: None,
        dtmf: None,
        veil: None,
        transcode: None,
        share: None,
    }
}

impl Stage {
    pub(super) fn new() -> Self {
        let config = config(Latching::Described);
        let (relay, mut links) = start(&config).unwrap();
        let mut link = links.pop().unwrap();
        let [secure, plain] = [0, 1].map(|network| Side::new(&mut link, &config, network));
        let ours = Arc::new(Identity::generate().unwrap());
        Self { relay, link, ours, secure, plain }
    }

    pub(super) fn set(&mut self, context: ContextId, settings: Settings, counters: &Arc<Counters>) {
        let counters = Arc::clone(counters);
        self.link.carry_out(Command::Set { context, settings: Box::new(settings), unlatch: false, counters });
        self.link.flush();
    }

    /// The terms of an association with a telephone that we have the fingerprint of.
    pub(super) fn terms(&self, association: u32, role: Role, phone: &Phone) -> Arc<Terms> {
        Arc::new(Terms {
            association,
            role,
            identity: Arc::clone(&self.ours),
            fingerprints: Box::new([phone.identity.fingerprint().clone()]),
            suites: SUITES.into(),
            newest: Version::V1_2,
        })
    }

    /// Joins a telephone with a plain peer.
    pub(super) fn join(&mut self, phone: &Phone, terms: &Arc<Terms>, other: &Peer, mux: bool) {
        let (a, b) = (self.secure.id(), self.plain.id());
        let srtp = Some(Srtp::Dtls(Arc::clone(terms)));
        let settings_of_phone = Settings { mux, srtp, ..settings(phone.peer.address(), b) };
        let counters = Arc::clone(&self.secure.counters);
        self.set(a, settings_of_phone, &counters);
        let counters = Arc::clone(&self.plain.counters);
        self.set(b, Settings { mux: false, ..settings(other.address(), a) }, &counters);
    }

    /// Somebody at an address of its own.
    pub(super) fn peer(&self) -> Peer {
        Peer::at(loopback())
    }
}

/// A telephone with DTLS-SRTP: another desk, with a place for each component.
pub(super) struct Phone {
    pub(super) peer: Peer,
    pub(super) identity: Arc<Identity>,
    desk: Desk,
    pub(super) keys: [Vec<Arc<Protection>>; 2],
    pub(super) sender: Option<Sender>,
    pub(super) receiver: Option<Receiver>,
}

fn place(component: Component) -> Place {
    let pair = crate::PairId { thread: crate::ThreadId(0), slot: 0, generation: 0 };
    Place { context: ContextId { pair, remote: 0 }, component }
}

#[expect(clippy::disallowed_methods, reason = "the other end has a clock")]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}

impl Phone {
    pub(super) fn new() -> Self {
        let peer = Peer::at(loopback());
        for socket in [&peer.rtp, &peer.rtcp] {
            socket.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
        }
        Self {
            peer,
            identity: Arc::new(Identity::generate().unwrap()),
            desk: Desk::new(2, Arc::new(Tallies::default())),
            keys: [Vec::new(), Vec::new()],
            sender: None,
            receiver: None,
        }
    }

    /// Goes by what the relay's side has said of itself; as the client it begins.
    pub(super) fn begin(&mut self, stage: &Stage, association: u32, role: Role, two: bool) {
        let terms = Arc::new(Terms {
            association,
            role,
            identity: Arc::clone(&self.identity),
            fingerprints: Box::new([stage.ours.fingerprint().clone()]),
            suites: SUITES.into(),
            newest: Version::V1_2,
        });
        for (component, to) in [(Component::Rtp, stage.secure.at), (Component::Rtcp, stage.secure.rtcp())] {
            if component == Component::Rtp || two {
                self.desk.handle(now(), Input::Begin(place(component), association, Arc::clone(&terms)));
                self.desk.handle(now(), Input::Direct(place(component), to));
            }
        }
    }

    /// Hangs up.
    pub(super) fn end(&mut self) {
        self.desk.handle(now(), Input::End(place(Component::Rtp)));
        self.turn();
    }

    fn socket(&self, component: Component) -> &UdpSocket {
        if component == Component::Rtp { &self.peer.rtp } else { &self.peer.rtcp }
    }

    /// One turn: what is to be sent goes out, what has come is taken; media comes back.
    pub(super) fn turn(&mut self) -> Option<Vec<u8>> {
        self.desk.handle_timeout(now());
        while let Some(output) = self.desk.poll() {
            match output {
                Output::Datagram(place, to, octets) => {
                    self.socket(place.component).send_to(&octets, to).unwrap();
                }
                Output::Keyed(place, _, _, keys, _) => {
                    if place.component == Component::Rtp {
                        self.sender = Sender::new(&keys.send);
                        self.receiver = Some(Receiver::new(&keys));
                    }
                    self.keys[usize::from(place.component == Component::Rtcp)].push(keys);
                }
                Output::Standing(..) => {}
            }
        }
        let mut buffer = [0; 2_048];
        for component in [Component::Rtp, Component::Rtcp] {
            let Ok((length, source)) = self.socket(component).recv_from(&mut buffer) else { continue };
            let datagram = &buffer[..length];
            match datagram[0] {
                20..=63 => {
                    self.desk.handle(now(), Input::Datagram(place(component), source, datagram.into()));
                }
                _ => return Some(datagram.to_vec()),
            }
        }
        None
    }

    /// Turns until it has keys for so many components, for the so-manieth time.
    #[track_caller]
    pub(super) fn shake(&mut self, components: usize, times: usize) {
        until(|| {
            self.turn();
            self.keys[..components].iter().all(|keys| keys.len() == times)
        });
    }

    pub(super) fn seal(&mut self, packet: &[u8]) -> Vec<u8> {
        let mut buffer = packet.to_vec();
        buffer.resize(packet.len() + MAX_OVERHEAD, 0);
        let length = self.sender.as_mut().unwrap().protect(Kind::Rtp, &mut buffer, packet.len()).unwrap();
        buffer.truncate(length);
        buffer
    }

    pub(super) fn say(&mut self, packet: &[u8], to: SocketAddr) {
        let sealed = self.seal(packet);
        self.peer.rtp.send_to(&sealed, to).unwrap();
    }

    /// The next packet of media, without its protection.
    #[track_caller]
    pub(super) fn hear(&mut self) -> Vec<u8> {
        let mut heard = None;
        until(|| {
            heard = self.turn();
            heard.is_some()
        });
        let mut packet = heard.unwrap();
        let length = packet.len();
        let opened = self.receiver.as_mut().unwrap().unprotect(Kind::Rtp, &mut packet, length, false);
        packet.truncate(opened.unwrap());
        packet
    }
}
