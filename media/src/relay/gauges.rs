//! What a relay thread shows of itself.

use super::pathfinder::Watched;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::tcp::TcpGauges;
use crate::dtls::Failures;
use crate::dtmf::{DtmfGauges, Tallies};
use crate::ice::Unanswered;
use crate::quality::Dropped;
use crate::transcode::TranscodingGauges;

/// Gauges and counters of the relay, summed over its threads.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Gauges {
    /// The STUN and TURN servers of networks behind a NAT.
    pub servers: Vec<Watched>,
    /// Pairs of ports bound: free, lent and in quarantine.
    pub bound: u64,
    /// Sockets connected to whom a stream goes that lasts, beside those of pairs.
    pub connected: u64,
    /// Pairs in quarantine.
    pub quarantined: u64,
    /// Pairs that were bound, since the start.
    pub opened: u64,
    /// Pairs that were lent before their quarantine was over because no other could be had, since the start.
    pub quarantines_cut: u64,
    /// Attempts to bind a pair that failed, since the start.
    pub bind_failures: u64,
    /// Packets that came to a pair no call used, since the start.
    pub stray_packets: u64,
    /// Orders for a pair that was given back before, since the start.
    pub late_commands: u64,
    /// What SRTP has refused, since the start.
    pub srtp: Refused,
    /// Packets of DTLS for streams that have none, from elsewhere than the peer, or more than could be handed on, since the start.
    pub dtls_dropped: u64,
    /// Handshakes of DTLS-SRTP.
    pub dtls: DtlsGauges,
    /// Datagrams of STUN, since the start.
    pub stun: StunGauges,
    /// Keys that went from one form into another.
    pub dtmf: DtmfGauges,
    /// Streams that are transcoded.
    pub transcoding: TranscodingGauges,
    /// Streams over TCP.
    pub tcp: TcpGauges,
    /// Packets that were not negotiated, and dropped, since the start.
    pub policed: Policed,
}

/// RTP that was not negotiated ([`crate::Police`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Policed {
    /// Of payload types that no description has.
    pub payload_type: u64,
    /// More than the rate of the descriptions.
    pub rate: u64,
    /// Of more sources than a stream has.
    pub source: u64,
}

/// Packets that SRTP has refused (RFC 3711 §3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Refused {
    /// Those without the tag of a key.
    pub unauthentic: u64,
    /// Those that were there before, or are too old to tell.
    pub replayed: u64,
    /// Those that are no SRTP or SRTCP.
    pub malformed: u64,
    /// Those of a key that has expired or has too many sources.
    pub unprotectable: u64,
}

/// Handshakes of DTLS-SRTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DtlsGauges {
    /// Associations that there are, with keys or without.
    pub associations: u64,
    /// Handshakes that were done, since the start.
    pub keyed: u64,
    /// Handshakes that have failed, since the start.
    pub failed: Failures,
    /// Datagrams that were part of no handshake, since the start.
    pub refused: u64,
    /// Datagrams to peers that were dropped because there was no room, since the start.
    pub lost: u64,
    /// Packets of media that were dropped because there was no key yet, since the start.
    pub unkeyed: u64,
}

/// What became of the datagrams of STUN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StunGauges {
    /// Checks that were answered with success.
    pub checks: u64,
    /// Of a user that is none of ours, or with a wrong password.
    pub unauthorized: u64,
    /// Not whole, or without what a check must have.
    pub malformed: u64,
    /// With attributes that must be understood and are not.
    pub unknown: u64,
    /// From peers that take themselves for the controlled side.
    pub conflicts: u64,
    /// More than are answered.
    pub limited: u64,
    /// Answers, other methods, and whatever comes to a stream without ICE.
    pub unexpected: u64,
}

/// One thread's part of it: one writer.
#[derive(Debug, Default)]
pub(super) struct Shared {
    bound: AtomicU32,
    connected: AtomicU32,
    quarantined: AtomicU32,
    opened: AtomicU64,
    quarantines_cut: AtomicU64,
    bind_failures: AtomicU64,
    stray_packets: AtomicU64,
    late_commands: AtomicU64,
    unauthentic: AtomicU64,
    replayed: AtomicU64,
    malformed: AtomicU64,
    unprotectable: AtomicU64,
    unkeyed: AtomicU64,
    unnegotiated: AtomicU64,
    excess: AtomicU64,
    foreign: AtomicU64,
    dtls_dropped: AtomicU64,
    stun: StunShared,
    dtmf: Tallies,
}

#[derive(Debug, Default)]
struct StunShared {
    checks: AtomicU64,
    unauthorized: AtomicU64,
    malformed: AtomicU64,
    unknown: AtomicU64,
    conflicts: AtomicU64,
    limited: AtomicU64,
    unexpected: AtomicU64,
}

fn add_one(counter: &AtomicU64) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
}

impl Shared {
    pub(super) fn bound(&self, pairs: u32) {
        self.bound.store(pairs, Ordering::Relaxed);
    }

    pub(super) fn connected(&self, sockets: u32) {
        self.connected.store(sockets, Ordering::Relaxed);
    }

    pub(super) fn quarantined(&self, pairs: usize) {
        self.quarantined.store(u32::try_from(pairs).unwrap_or(u32::MAX), Ordering::Relaxed);
    }

    pub(super) fn opened(&self) {
        add_one(&self.opened);
    }

    pub(super) fn quarantine_cut(&self) {
        add_one(&self.quarantines_cut);
    }

    pub(super) fn bind_failed(&self) {
        add_one(&self.bind_failures);
    }

    pub(super) fn stray_packet(&self) {
        add_one(&self.stray_packets);
    }

    pub(super) fn late_command(&self) {
        add_one(&self.late_commands);
    }

    /// A packet was dropped.
    pub(super) fn dropped(&self, why: Dropped) {
        match why {
            Dropped::WrongSource | Dropped::NoDestination | Dropped::NotSent => {}
            Dropped::Unauthentic => add_one(&self.unauthentic),
            Dropped::Replayed => add_one(&self.replayed),
            Dropped::Malformed => add_one(&self.malformed),
            Dropped::Unprotectable => add_one(&self.unprotectable),
            Dropped::Unkeyed => add_one(&self.unkeyed),
            Dropped::Unnegotiated => add_one(&self.unnegotiated),
            Dropped::Excess => add_one(&self.excess),
            Dropped::Foreign => add_one(&self.foreign),
        }
    }

    pub(super) fn dtls_dropped(&self) {
        add_one(&self.dtls_dropped);
    }

    pub(super) fn dtmf(&self) -> &Tallies {
        &self.dtmf
    }

    pub(super) fn stun_check(&self) {
        add_one(&self.stun.checks);
    }

    pub(super) fn stun_unexpected(&self) {
        add_one(&self.stun.unexpected);
    }

    pub(super) fn stun_unanswered(&self, why: Unanswered) {
        add_one(match why {
            Unanswered::Malformed => &self.stun.malformed,
            Unanswered::Unauthorized => &self.stun.unauthorized,
            Unanswered::Unknown => &self.stun.unknown,
            Unanswered::Conflict => &self.stun.conflicts,
            Unanswered::Limited => &self.stun.limited,
            Unanswered::Unexpected => &self.stun.unexpected,
        });
    }

    pub(super) fn add_to(&self, gauges: &mut Gauges) {
        gauges.bound += u64::from(self.bound.load(Ordering::Relaxed));
        gauges.connected += u64::from(self.connected.load(Ordering::Relaxed));
        gauges.quarantined += u64::from(self.quarantined.load(Ordering::Relaxed));
        gauges.opened += self.opened.load(Ordering::Relaxed);
        gauges.quarantines_cut += self.quarantines_cut.load(Ordering::Relaxed);
        gauges.bind_failures += self.bind_failures.load(Ordering::Relaxed);
        gauges.stray_packets += self.stray_packets.load(Ordering::Relaxed);
        gauges.late_commands += self.late_commands.load(Ordering::Relaxed);
        gauges.srtp.unauthentic += self.unauthentic.load(Ordering::Relaxed);
        gauges.srtp.replayed += self.replayed.load(Ordering::Relaxed);
        gauges.srtp.malformed += self.malformed.load(Ordering::Relaxed);
        gauges.srtp.unprotectable += self.unprotectable.load(Ordering::Relaxed);
        gauges.dtls_dropped += self.dtls_dropped.load(Ordering::Relaxed);
        gauges.policed.payload_type += self.unnegotiated.load(Ordering::Relaxed);
        gauges.policed.rate += self.excess.load(Ordering::Relaxed);
        gauges.policed.source += self.foreign.load(Ordering::Relaxed);
        gauges.dtls.unkeyed += self.unkeyed.load(Ordering::Relaxed);
        self.dtmf.add_to(&mut gauges.dtmf);
        let (sum, stun) = (&mut gauges.stun, &self.stun);
        sum.checks += stun.checks.load(Ordering::Relaxed);
        sum.unauthorized += stun.unauthorized.load(Ordering::Relaxed);
        sum.malformed += stun.malformed.load(Ordering::Relaxed);
        sum.unknown += stun.unknown.load(Ordering::Relaxed);
        sum.conflicts += stun.conflicts.load(Ordering::Relaxed);
        sum.limited += stun.limited.load(Ordering::Relaxed);
        sum.unexpected += stun.unexpected.load(Ordering::Relaxed);
    }
}
