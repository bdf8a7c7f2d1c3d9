//! Counters of one remote context: written by its relay thread alone, read by anyone without a lock.

use std::net::SocketAddr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::source::SourceCell;
use super::{Told, ToldCounters};
use crate::dtls;
use crate::ice::full::{CandidateKind, Progress};
use crate::ice::{CONSENT_MILLIS, Component, Standing};

/// Counters of the packets of one remote. There is one writer, so that a counter is a plain load and store.
#[derive(Debug, Default)]
pub struct Counters {
    received: FlowCounters,
    sent: FlowCounters,
    wrong_source: AtomicU64,
    no_destination: AtomicU64,
    not_sent: AtomicU64,
    unauthentic: AtomicU64,
    replayed: AtomicU64,
    malformed: AtomicU64,
    unprotectable: AtomicU64,
    unkeyed: AtomicU64,
    unnegotiated: AtomicU64,
    excess: AtomicU64,
    foreign: AtomicU64,
    /// As [`dtls::packed`] has them.
    dtls: [AtomicU64; 2],
    /// Keys that were heard, and those that were said to whom its packets go: 32 bits each.
    digits: AtomicU64,
    lost: AtomicU64,
    /// In microseconds; in the highest octet the payload type that came last, and one more.
    jitter: AtomicU64,
    quiet_since_millis: AtomicU64,
    rolled: AtomicBool,
    epoch: OnceLock<Instant>,
    source: SourceCell,
    /// There once the remote has sent RTCP.
    told: OnceLock<Box<ToldCounters>>,
    /// There while the remote has an ICE session, and since.
    ice: OnceLock<Box<IceCounters>>,
}

/// What is told of an ICE session.
#[derive(Debug, Default)]
struct IceCounters {
    /// One of [`NO_ICE`], [`RUNNING`], [`COMPLETED`].
    state: AtomicU32,
    rtp: SourceCell,
    rtcp: SourceCell,
    checks: AtomicU64,
    checked_millis: AtomicU64,
    /// Of a full agent's session: how far it is, and what its pairs are made of.
    progress: AtomicU32,
    kinds: [AtomicU32; 2],
}

const PAYLOAD: u32 = 56;
const JITTER: u64 = (1 << PAYLOAD) - 1;

const NO_ICE: u32 = 0;
const RUNNING: u32 = 1;
const COMPLETED: u32 = 2;

/// What was told of an ICE session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IceSnapshot {
    /// How far it has come.
    pub standing: Standing,
    /// Connectivity checks of the peer that were answered with success.
    pub checks: u64,
    /// When the last of them came; `None` before the first.
    pub checked: Option<Instant>,
    /// How far our own agent has come, where it is a full one.
    pub progress: Option<Progress>,
    /// What the selected pairs are made of, ours first: of RTP, and of RTCP where it has a port of its own.
    pub kinds: [Option<(CandidateKind, CandidateKind)>; 2],
}

impl IceSnapshot {
    /// Whether something that counts as consent has come lately (RFC 7675 §5.1): a check, or media, of which the last came at
    /// `received`.
    #[must_use]
    pub fn has_consent(&self, received: Option<Instant>, now: Instant) -> bool {
        let last = self.checked.max(received);
        last.is_some_and(|last| now.saturating_duration_since(last) <= Duration::from_millis(CONSENT_MILLIS))
    }
}

/// One direction of them.
#[derive(Debug, Default)]
struct FlowCounters {
    packets: AtomicU64,
    bytes: AtomicU64,
    rtcp_packets: AtomicU64,
    last_millis: AtomicU64,
}

/// What was counted of one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flow {
    /// RTP packets; all but RTCP, where the stream is not RTP.
    pub packets: u64,
    /// Their bytes, UDP payload only.
    pub bytes: u64,
    /// RTCP packets.
    pub rtcp_packets: u64,
    /// When the last packet of either kind went through; `None` before the first.
    pub last: Option<Instant>,
}

/// What the counters said at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Snapshot {
    /// What was taken from the remote.
    pub received: Flow,
    /// What was sent to it.
    pub sent: Flow,
    /// Packets dropped because they came from elsewhere than the remote.
    pub wrong_source: u64,
    /// Packets taken from the remote and dropped because nobody was there to send them to: the other side is not
    /// connected, has not said where, or is on hold with no address.
    pub no_destination: u64,
    /// Packets for the remote that the system did not send.
    pub not_sent: u64,
    /// Packets dropped because they do not have the tag of the remote's key.
    pub unauthentic: u64,
    /// Packets dropped because they were there before, or are too old to tell (RFC 3711 §3.3.2).
    pub replayed: u64,
    /// Packets dropped because they are no SRTP or SRTCP.
    pub malformed: u64,
    /// Packets dropped, of either direction, because a key has expired or has too many sources, or because one was protected
    /// already that has their number.
    pub unprotectable: u64,
    /// Packets dropped, of either direction, because the handshake with the remote is not done.
    pub unkeyed: u64,
    /// Packets taken from the remote and dropped because no description has their payload type.
    pub unnegotiated: u64,
    /// Packets taken from the remote and dropped because they were more than the rate of the descriptions.
    pub excess: u64,
    /// Packets taken from the remote, and dropped where that is wanted, because they were of more sources than a stream has.
    pub foreign: u64,
    /// RTP packets that did not come in, as sequence numbers tell (RFC 3550 §A.3); duplicates count against it.
    pub lost: u64,
    /// Interarrival jitter (RFC 3550 §A.8); zero while the clock rate is unknown.
    pub jitter: Duration,
    /// The payload type that came last.
    pub payload: Option<u8>,
    /// What the remote tells of what it gets; `None` before it has told anything.
    pub told: Option<Told>,
    /// When the last packet came from the remote, or its settings last changed, whichever is later.
    /// `None` until the relay knows the remote.
    pub quiet_since: Option<Instant>,
    /// The address that media of the remote comes from.
    pub source: Option<SocketAddr>,
    /// Keys of it that were heard and went on in another form.
    pub digits_heard: u32,
    /// Those of them that were said.
    pub digits_said: u32,
    /// Its ICE session, if it has one.
    pub ice: Option<IceSnapshot>,
    /// Its handshake, if its keys come from one.
    pub dtls: Option<dtls::Standing>,
    /// The one for RTCP, where that has a port of its own (RFC 5764 §4.1).
    pub dtls_rtcp: Option<dtls::Standing>,
}

/// Why a packet was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dropped {
    WrongSource,
    NoDestination,
    NotSent,
    Unauthentic,
    Replayed,
    Malformed,
    Unprotectable,
    Unkeyed,
    Unnegotiated,
    Excess,
    Foreign,
}

/// What one packet adds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) bytes: usize,
    pub(crate) rtcp: bool,
    pub(crate) now_millis: u64,
}

fn add(counter: &AtomicU64, amount: u64) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(amount), Ordering::Relaxed);
}

fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

impl FlowCounters {
    fn count(&self, tally: Tally) {
        if tally.rtcp {
            add(&self.rtcp_packets, 1);
        } else {
            add(&self.packets, 1);
            add(&self.bytes, tally.bytes as u64);
        }
        self.last_millis.store(tally.now_millis, Ordering::Relaxed);
    }

    fn read(&self, epoch: Option<Instant>) -> Flow {
        let (packets, rtcp_packets) = (read(&self.packets), read(&self.rtcp_packets));
        let any = packets > 0 || rtcp_packets > 0;
        let last = epoch.filter(|_| any).map(|epoch| epoch + Duration::from_millis(read(&self.last_millis)));
        Flow { packets, bytes: read(&self.bytes), rtcp_packets, last }
    }
}

impl Counters {
    pub(crate) fn received(&self, tally: Tally) {
        self.received.count(tally);
        self.quiet_since_millis.store(tally.now_millis, Ordering::Relaxed);
    }

    /// The key with which is sent to it has rolled over.
    pub(crate) fn rolled(&self) {
        self.rolled.store(true, Ordering::Relaxed);
    }

    pub(crate) fn has_rolled(&self) -> bool {
        self.rolled.load(Ordering::Relaxed)
    }

    pub(crate) fn sent(&self, tally: Tally) {
        self.sent.count(tally);
    }

    pub(crate) fn dropped(&self, why: Dropped) {
        add(
            match why {
                Dropped::WrongSource => &self.wrong_source,
                Dropped::NoDestination => &self.no_destination,
                Dropped::NotSent => &self.not_sent,
                Dropped::Unauthentic => &self.unauthentic,
                Dropped::Replayed => &self.replayed,
                Dropped::Malformed => &self.malformed,
                Dropped::Unprotectable => &self.unprotectable,
                Dropped::Unkeyed => &self.unkeyed,
                Dropped::Unnegotiated => &self.unnegotiated,
                Dropped::Excess => &self.excess,
                Dropped::Foreign => &self.foreign,
            },
            1,
        );
    }

    pub(crate) fn digits(&self, heard: u32, said: u32) {
        self.digits.store(u64::from(heard) << 32 | u64::from(said), Ordering::Relaxed);
    }

    pub(crate) fn quality(&self, lost: u64, jitter_micros: u64, payload: u8) {
        self.lost.store(lost, Ordering::Relaxed);
        let payload = (u64::from(payload) + 1) << PAYLOAD;
        self.jitter.store(payload | jitter_micros.min(JITTER), Ordering::Relaxed);
    }

    /// Where it is noted what the remote tells.
    pub(crate) fn told(&self) -> &ToldCounters {
        self.told.get_or_init(Box::default)
    }

    /// The relay took these counters over, or the stream's settings changed.
    pub(crate) fn changed(&self, epoch: Instant, now_millis: u64) {
        self.quiet_since_millis.store(now_millis, Ordering::Relaxed);
        let _ = self.epoch.set(epoch);
    }

    pub(crate) fn came_from(&self, source: Option<SocketAddr>) {
        self.source.write(source);
    }

    /// A check was answered with success.
    pub(crate) fn checked(&self, standing: Standing, now_millis: u64) {
        self.ice(Some(standing));
        if let Some(ice) = self.ice.get() {
            add(&ice.checks, 1);
            ice.checked_millis.store(now_millis, Ordering::Relaxed);
        }
    }

    /// How far the ICE session of the remote has come; `None` without one.
    pub(crate) fn ice(&self, standing: Option<Standing>) {
        let Some(standing) = standing else {
            if let Some(ice) = self.ice.get() {
                ice.state.store(NO_ICE, Ordering::Relaxed);
            }
            return;
        };
        let ice = self.ice.get_or_init(Box::default);
        if ice.rtp.read() != standing.rtp {
            ice.rtp.write(standing.rtp);
        }
        if ice.rtcp.read() != standing.rtcp {
            ice.rtcp.write(standing.rtcp);
        }
        let state = if standing.completed { COMPLETED } else { RUNNING };
        ice.state.store(state, Ordering::Relaxed);
    }

    /// How far a full agent of ours has come.
    pub(crate) fn ice_progress(&self, progress: Progress) {
        self.ice.get_or_init(Box::default).progress.store(progress.number(), Ordering::Relaxed);
    }

    /// What the selected pair of a component is made of.
    pub(crate) fn ice_kinds(&self, component: Component, local: CandidateKind, remote: CandidateKind) {
        let [rtp, rtcp] = &self.ice.get_or_init(Box::default).kinds;
        let of = if component == Component::Rtp { rtp } else { rtcp };
        of.store(local.number() << 8 | remote.number(), Ordering::Relaxed);
    }

    /// How far the handshake of the remote has come; `None` where its keys come from elsewhere.
    pub(crate) fn dtls(&self, component: Component, standing: Option<dtls::Standing>) {
        let [rtp, rtcp] = &self.dtls;
        let of = if component == Component::Rtp { rtp } else { rtcp };
        of.store(dtls::packed(standing), Ordering::Relaxed);
    }

    fn read_ice(&self, epoch: Option<Instant>) -> Option<IceSnapshot> {
        let ice = self.ice.get()?;
        let state = Some(ice.state.load(Ordering::Relaxed)).filter(|state| *state != NO_ICE)?;
        let checks = read(&ice.checks);
        let standing = Standing { completed: state == COMPLETED, rtp: ice.rtp.read(), rtcp: ice.rtcp.read() };
        let checked = epoch.filter(|_| checks > 0);
        let checked = checked.map(|epoch| epoch + Duration::from_millis(read(&ice.checked_millis)));
        let progress = Progress::of(ice.progress.load(Ordering::Relaxed));
        let kinds =
            [0, 1].map(|at| ice.kinds.get(at).and_then(|kinds| unpacked(kinds.load(Ordering::Relaxed))));
        Some(IceSnapshot { standing, checks, checked, progress, kinds })
    }

    /// Reads all counters.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let epoch = self.epoch.get().copied();
        let quiet_since = epoch.map(|epoch| epoch + Duration::from_millis(read(&self.quiet_since_millis)));
        let [rtp, rtcp] = &self.dtls;
        let digits = read(&self.digits);
        let half = |bits: u64| u32::try_from(bits & u64::from(u32::MAX)).unwrap_or_default();
        Snapshot {
            received: self.received.read(epoch),
            sent: self.sent.read(epoch),
            wrong_source: read(&self.wrong_source),
            no_destination: read(&self.no_destination),
            not_sent: read(&self.not_sent),
            unauthentic: read(&self.unauthentic),
            replayed: read(&self.replayed),
            malformed: read(&self.malformed),
            unprotectable: read(&self.unprotectable),
            unkeyed: read(&self.unkeyed),
            unnegotiated: read(&self.unnegotiated),
            excess: read(&self.excess),
            foreign: read(&self.foreign),
            lost: read(&self.lost),
            jitter: Duration::from_micros(read(&self.jitter) & JITTER),
            payload: (read(&self.jitter) >> PAYLOAD)
                .checked_sub(1)
                .and_then(|payload| payload.try_into().ok()),
            told: self.told.get().map(|told| told.read()),
            quiet_since,
            source: self.source.read(),
            digits_heard: half(digits >> 32),
            digits_said: half(digits),
            ice: self.read_ice(epoch),
            dtls: dtls::unpacked(read(rtp)),
            dtls_rtcp: dtls::unpacked(read(rtcp)),
        }
    }
}

fn unpacked(kinds: u32) -> Option<(CandidateKind, CandidateKind)> {
    Some((CandidateKind::of(kinds >> 8)?, CandidateKind::of(kinds & 0xff)?))
}
