//! Two associations and what is between them.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crate::dtls::association::{Association, News, Out};
use crate::dtls::{Agreed, Failure, Fingerprint, Hash, Identity, Role, Standing, Terms, Version};
use crate::srtp::{Protection, Suite};

/// Certificates of two ends that tests share: making one takes its time.
pub(super) fn identities() -> &'static [Arc<Identity>; 2] {
    static MADE: OnceLock<[Arc<Identity>; 2]> = OnceLock::new();
    MADE.get_or_init(|| [(); 2].map(|()| Arc::new(Identity::generate().unwrap())))
}

pub(super) fn terms(role: Role, suites: &[Suite]) -> Terms {
    terms_up_to(Version::V1_2, role, suites)
}

pub(super) fn terms_up_to(newest: Version, role: Role, suites: &[Suite]) -> Terms {
    let [ours, theirs] = match role {
        Role::Client => identities().each_ref(),
        Role::Server => {
            let [client, server] = identities();
            [server, client]
        }
    };
    Terms {
        association: 1,
        role,
        identity: Arc::clone(ours),
        fingerprints: Box::new([theirs.fingerprint().clone()]),
        suites: suites.into(),
        newest,
    }
}

pub(super) fn wrong() -> Fingerprint {
    Fingerprint { hash: Hash::Sha256, octets: vec![7; 32].into() }
}

/// One end.
pub(super) struct End {
    pub(super) association: Association,
    pub(super) at: SocketAddr,
    pub(super) standing: Option<Standing>,
    pub(super) keyed: Vec<(Agreed, Arc<Protection>)>,
    pub(super) sent: Vec<Vec<u8>>,
    pub(super) outdated: bool,
}

impl End {
    pub(super) fn new(terms: Terms, at: &str, now: Instant) -> Self {
        Self::knowing(false, terms, at, now)
    }

    /// One whose peer is known to speak the older version only.
    pub(super) fn outdated(terms: Terms, at: &str, now: Instant) -> Self {
        Self::knowing(true, terms, at, now)
    }

    fn knowing(older: bool, terms: Terms, at: &str, now: Instant) -> Self {
        let mut out = Out::default();
        let association = Association::new(&Arc::new(terms), older, now, &mut out);
        let at = at.parse().unwrap();
        let mut end =
            Self { association, at, standing: None, keyed: Vec::new(), sent: Vec::new(), outdated: false };
        end.note(out);
        end
    }

    fn note(&mut self, out: Out) -> Vec<(SocketAddr, Vec<u8>)> {
        for news in out.news {
            match news {
                News::Standing(standing) => self.standing = Some(standing),
                News::Keyed(agreed, keys, _) => {
                    self.standing = Some(Standing::Keyed(agreed));
                    self.keyed.push((agreed, keys));
                }
                News::Outdated => self.outdated = true,
            }
        }
        self.sent.extend(out.datagrams.iter().map(|(_, octets)| octets.clone()));
        out.datagrams
    }

    /// Does something with the association; what it sends comes back.
    pub(super) fn work<T>(
        &mut self,
        work: impl FnOnce(&mut Association, &mut Out) -> T,
    ) -> (T, Vec<(SocketAddr, Vec<u8>)>) {
        let mut out = Out::default();
        let result = work(&mut self.association, &mut out);
        let datagrams = self.note(out);
        (result, datagrams)
    }

    pub(super) fn failed(&self) -> Option<Failure> {
        match self.standing {
            Some(Standing::Failed(failure)) => Some(failure),
            _ => None,
        }
    }
}

/// What becomes of a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Arrives,
    Lost,
    Twice,
    /// Behind the next one.
    Late,
    /// As several: each of its records alone, and each message in two parts (RFC 6347 §4.2.3).
    InParts,
}

/// A client and a server, 10 ms apart.
pub(super) struct Wire {
    pub(super) now: Instant,
    pub(super) start: Instant,
    pub(super) ends: [End; 2],
    /// When it arrives, in which order, at which end, from where.
    on_the_way: Vec<(Instant, u32, usize, SocketAddr, Vec<u8>)>,
    number: u32,
}

const WAY: Duration = Duration::from_millis(10);

#[expect(clippy::disallowed_methods, reason = "time begins somewhere")]
pub(super) fn epoch() -> Instant {
    Instant::now()
}

impl Wire {
    pub(super) fn new(client: Terms, server: Terms) -> Self {
        let now = epoch();
        let ends = [End::new(client, "192.0.2.1:4000", now), End::new(server, "192.0.2.2:5000", now)];
        Self { now, start: now, ends, on_the_way: Vec::new(), number: 0 }
    }

    pub(super) fn of(suites: &[Suite]) -> Self {
        Self::new(terms(Role::Client, suites), terms(Role::Server, suites))
    }

    /// The client hears where the server is.
    pub(super) fn begin(&mut self, fate: &mut impl FnMut(usize, u32) -> Fate) {
        let (now, to) = (self.now, self.ends[1].at);
        let ((), datagrams) = self.ends[0].work(|it, out| it.direct(now, to, out));
        self.post(0, datagrams, fate);
    }

    fn post(
        &mut self,
        from: usize,
        datagrams: Vec<(SocketAddr, Vec<u8>)>,
        fate: &mut impl FnMut(usize, u32) -> Fate,
    ) {
        for (to, octets) in datagrams {
            assert_eq!(to, self.ends[1 - from].at);
            let (source, number) = (self.ends[from].at, self.number);
            self.number += 1;
            let mut put = |after| {
                self.on_the_way.push((self.now + after, number, 1 - from, source, octets.clone()));
            };
            match fate(from, number) {
                Fate::Arrives => put(WAY),
                Fate::Lost => {}
                Fate::Twice => {
                    put(WAY);
                    put(WAY);
                }
                Fate::Late => put(3 * WAY),
                Fate::InParts => {
                    let parts = in_parts(&octets);
                    let arrivals =
                        parts.into_iter().map(|part| (self.now + WAY, number, 1 - from, source, part));
                    self.on_the_way.extend(arrivals);
                }
            }
        }
    }

    /// Goes on until nothing is on its way and no timer is left, or for so long.
    pub(super) fn run(&mut self, limit: Duration, mut fate: impl FnMut(usize, u32) -> Fate) {
        let end = self.now + limit;
        loop {
            let arrival = self.on_the_way.iter().map(|(at, ..)| *at).min();
            let timers = self.ends.iter().filter_map(|end| end.association.deadline());
            let Some(next) = timers.chain(arrival).min().filter(|next| *next <= end) else { break };
            self.now = self.now.max(next);
            let now = self.now;
            self.on_the_way.sort_by_key(|(at, number, ..)| (*at, *number));
            if arrival == Some(next) {
                let (_, _, at, source, octets) = self.on_the_way.remove(0);
                let (_, datagrams) = self.ends[at].work(|it, out| it.receive(now, source, &octets, out));
                self.post(at, datagrams, &mut fate);
            } else {
                for at in [0, 1] {
                    let ((), datagrams) = self.ends[at].work(|it, out| it.handle_timeout(now, out));
                    self.post(at, datagrams, &mut fate);
                }
            }
        }
    }

    /// A whole handshake in which each datagram has that fate.
    pub(super) fn shake(&mut self, mut fate: impl FnMut(usize, u32) -> Fate) {
        self.begin(&mut fate);
        self.run(Duration::from_secs(120), fate);
    }

    /// Both have the same keys, each its own to send with.
    #[track_caller]
    pub(super) fn assert_keyed(&self) {
        let [client, server] = &self.ends;
        let (Some((of_client, at_client)), Some((of_server, at_server))) =
            (client.keyed.last(), server.keyed.last())
        else {
            panic!("no keys: {:?} {:?}", client.standing, server.standing);
        };
        assert_eq!(of_client, of_server);
        assert_eq!(at_client.send, at_server.receive[0]);
        assert_eq!(at_server.send, at_client.receive[0]);
        assert_ne!(at_client.send, at_client.receive[0]);
    }
}

/// The records of a datagram, each in one of its own, with messages that are not protected cut in two.
fn in_parts(mut datagram: &[u8]) -> Vec<Vec<u8>> {
    let mut parts = Vec::new();
    while !datagram.is_empty() {
        // Of 1.3, and protected.
        if datagram[0] & 0xe0 == 0x20 {
            parts.push(datagram.to_vec());
            break;
        }
        let length = 13 + usize::from(u16::from_be_bytes([datagram[11], datagram[12]]));
        let (record, behind) = datagram.split_at(length);
        datagram = behind;
        if record[3..5] != [0, 0] {
            parts.push(record.to_vec());
            continue;
        }
        let (header, message) = record.split_at(13);
        let (head, body) = message.split_at(message.len().min(12));
        let lengths = |at: &[u8]| usize::from(at[1]) << 8 | usize::from(at[2]);
        let is_whole = record[0] == 22
            && (lengths(&head[1..4]), lengths(&head[9..12])) == (body.len(), body.len())
            && body.len() > 1;
        if !is_whole {
            parts.push(numbered(header, 0, message));
            continue;
        }
        let (first, second) = body.split_at(body.len() / 2);
        for (second, offset, body) in [(0, 0, first), (1, first.len(), second)] {
            let mut part = head[..6].to_vec();
            part.extend_from_slice(&u32::try_from(offset).unwrap().to_be_bytes()[1..]);
            part.extend_from_slice(&u32::try_from(body.len()).unwrap().to_be_bytes()[1..]);
            part.extend_from_slice(body);
            parts.push(numbered(header, second, &part));
        }
    }
    parts
}

/// A record of another body: there are twice as many numbers, so that none has that of another.
fn numbered(header: &[u8], second: u16, body: &[u8]) -> Vec<u8> {
    let mut record = header.to_vec();
    let number = u16::from_be_bytes([header[9], header[10]]);
    record[9..11].copy_from_slice(&(2 * number + second).to_be_bytes());
    record[11..13].copy_from_slice(&u16::try_from(body.len()).unwrap().to_be_bytes());
    record.extend_from_slice(body);
    record
}
