//! What a peer tells of the quality of what it gets from us, by its reports.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::rtcp::{Block, Reported, VoiceMetrics, reports};

/// Moments that are remembered until the peer answers them: of a sender report in five seconds these are twenty of them.
const MOST_MOMENTS: usize = 4;
/// What is further away is no round trip.
const LONGEST_MILLIS: u64 = 60_000;

/// When what was sent to a peer that it will answer (RFC 3550 §6.4.1, RFC 3611 §4.4). We send no reports of our own: those that we carry
/// have a timestamp of their sender's, which the peer gives back with how long it has had it. That was here as well, on its way, so
/// the round trip between us and the peer is known by it.
#[derive(Debug, Default)]
pub(crate) struct Moments {
    /// The middle of the timestamp, and when it was sent.
    sent: [(u32, u64); MOST_MOMENTS],
    next: usize,
}

impl Moments {
    /// RTCP goes to the peer.
    pub(crate) fn carried(&mut self, compound: &[u8], now_millis: u64) {
        reports(compound, |reported| {
            if let Reported::Sent(moment) | Reported::Clock(moment) = reported
                && let Some(place) = self.sent.get_mut(self.next % MOST_MOMENTS)
            {
                *place = (moment, now_millis);
                self.next = self.next.wrapping_add(1);
            }
        });
    }

    /// How far away the peer is that answers one, `since` having had it for so many 65536ths of a second.
    fn round_trip(&self, moment: u32, since: u32, now_millis: u64) -> Option<Duration> {
        let sent = self.sent.iter().filter(|(sent, _)| *sent == moment && moment != 0);
        let at = sent.map(|(_, at)| *at).max()?;
        let kept = Duration::from_nanos(u64::from(since) * 1_000_000_000 / 65_536);
        let passed = now_millis.checked_sub(at).filter(|passed| *passed <= LONGEST_MILLIS)?;
        Some(Duration::from_millis(passed).saturating_sub(kept))
    }

    /// RTCP comes from the peer, whose own stream has that clock rate.
    pub(crate) fn heard(&self, compound: &[u8], clock: Option<u32>, now_millis: u64, told: &ToldCounters) {
        let note = |round_trip: Option<Duration>| {
            if let Some(round_trip) = round_trip {
                told.round_trip.store(micros(round_trip) + 1, Ordering::Relaxed);
            }
        };
        reports(compound, |reported| match reported {
            Reported::Sent(_) | Reported::Clock(_) => {}
            Reported::Received(block) => {
                told.block(block, clock);
                note(self.round_trip(block.last, block.since, now_millis));
            }
            Reported::Echo(moment, since) => note(self.round_trip(moment, since, now_millis)),
            Reported::Voice(voice) => told.voice.store(packed(voice), Ordering::Relaxed),
        });
    }
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX - 1)
}

/// The last that a peer has told: written by its relay thread alone, read by anyone without a lock.
#[derive(Debug, Default)]
pub(crate) struct ToldCounters {
    blocks: AtomicU64,
    /// The cumulative number of packets lost, and the fraction in 1/256 in the lowest octet.
    loss: AtomicU64,
    jitter_micros: AtomicU64,
    /// In microseconds and one more; zero while it is not known.
    round_trip: AtomicU64,
    voice: AtomicU64,
}

/// What a peer has told of the quality of what it gets (RFC 3550 §6.4), and what it took to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Told {
    /// How many report blocks came.
    pub blocks: u64,
    /// Packets lost as the last one says, below zero counted as none.
    pub lost: u64,
    /// The share of those lost since the one before, in 1/256.
    pub fraction: u8,
    /// Interarrival jitter; zero where it is not known.
    pub jitter: Duration,
    /// How far the peer is from us, there and back; `None` while it has answered nothing.
    pub round_trip: Option<Duration>,
    /// What it makes of the conversation, where it says (RFC 3611 §4.7).
    pub voice: Option<Voice>,
}

/// VoIP metrics of a peer (RFC 3611 §4.7); what it does not know is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Voice {
    /// The share of packets lost on the way, in 1/256.
    pub loss: u8,
    /// The share of those that came too late or too early, in 1/256.
    pub discard: u8,
    /// Between the two ends, there and back.
    pub round_trip: Duration,
    /// The rating R, from 0 to 100.
    pub r_factor: Option<u8>,
    /// The mean opinion score of listening, in tenths.
    pub mos_lq: Option<u8>,
    /// That of conversation, in tenths.
    pub mos_cq: Option<u8>,
}

const KNOWN: u64 = 1 << 63;
const UNKNOWN: u8 = 0x7f;

fn packed(voice: VoiceMetrics) -> u64 {
    let octet = |value: Option<u8>| u64::from(value.unwrap_or(UNKNOWN));
    KNOWN
        | u64::from(voice.loss) << 48
        | u64::from(voice.discard) << 40
        | u64::from(voice.round_trip) << 24
        | octet(voice.r_factor) << 16
        | octet(voice.mos_lq) << 8
        | octet(voice.mos_cq)
}

fn unpacked(bits: u64) -> Option<Voice> {
    let [_, loss, discard, high, low, r_factor, mos_lq, mos_cq] = bits.to_be_bytes();
    let known = |value: u8| Some(value).filter(|value| *value != UNKNOWN);
    (bits & KNOWN != 0).then(|| Voice {
        loss,
        discard,
        round_trip: Duration::from_millis(u16::from_be_bytes([high, low]).into()),
        r_factor: known(r_factor),
        mos_lq: known(mos_lq),
        mos_cq: known(mos_cq),
    })
}

impl ToldCounters {
    fn block(&self, block: Block, clock: Option<u32>) {
        let blocks = self.blocks.load(Ordering::Relaxed);
        self.blocks.store(blocks.wrapping_add(1), Ordering::Relaxed);
        let loss = u64::from(block.lost) << 8 | u64::from(block.fraction);
        self.loss.store(loss, Ordering::Relaxed);
        let jitter = clock.and_then(|clock| (u64::from(block.jitter) * 1_000_000).checked_div(clock.into()));
        self.jitter_micros.store(jitter.unwrap_or_default(), Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> Told {
        let read = |of: &AtomicU64| of.load(Ordering::Relaxed);
        let [.., fraction] = read(&self.loss).to_be_bytes();
        Told {
            blocks: read(&self.blocks),
            lost: read(&self.loss) >> 8,
            fraction,
            jitter: Duration::from_micros(read(&self.jitter_micros)),
            round_trip: read(&self.round_trip).checked_sub(1).map(Duration::from_micros),
            voice: unpacked(read(&self.voice)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    #[test]
    fn rfc3550_6_4_1_the_round_trip_is_what_passed_without_what_the_peer_has_kept() {
        let (mut moments, told) = (Moments::default(), ToldCounters::default());
        moments.carried(&words(&[0x80c8_0006, 1, 0xaaaa_0001, 0x0002_bbbb, 5, 6, 7]), 10_000);
        // A later one does not disturb it.
        moments.carried(&words(&[0x80c8_0006, 1, 0xaaaa_0009, 0x0002_bbbb, 5, 6, 7]), 10_100);
        let heard = |last: u32, since: u32| words(&[0x81c9_0007, 2, 1, 0x4000_0009, 50, 80, last, since]);
        // Kept for a second, 1.15 s later.
        moments.heard(&heard(0x0001_0002, 65_536), Some(8_000), 11_150, &told);
        let read = told.read();
        assert_eq!(read.round_trip, Some(Duration::from_millis(150)));
        assert_eq!(
            (read.blocks, read.lost, read.fraction, read.jitter),
            (1, 9, 64, Duration::from_millis(10))
        );
        // Of one that nobody has sent, or none, nothing is made; nor of one who has kept it longer than it was away.
        for (last, since) in [(0, 0), (5, 0)] {
            moments.heard(&heard(last, since), None, 12_000, &told);
            assert_eq!(told.read().round_trip, Some(Duration::from_millis(150)));
        }
        moments.heard(&heard(0x0001_0002, 65_536 * 9), None, 12_000, &told);
        assert_eq!((told.read().round_trip, told.read().jitter), (Some(Duration::ZERO), Duration::ZERO));
    }

    #[test]
    fn rfc3611_4_5_who_sends_nothing_is_answered_as_well() {
        let (mut moments, told) = (Moments::default(), ToldCounters::default());
        moments.carried(&words(&[0x80cf_0004, 1, 4 << 24 | 2, 0xaaaa_0001, 0x0002_bbbb]), 500);
        moments.heard(&words(&[0x80cf_0005, 2, 5 << 24 | 3, 1, 0x0001_0002, 0]), None, 540, &told);
        assert_eq!(told.read().round_trip, Some(Duration::from_millis(40)));
        assert_eq!(told.read().blocks, 0);
    }

    #[test]
    fn metrics_are_kept_as_they_came() {
        let voice = VoiceMetrics {
            loss: 200,
            discard: 5,
            round_trip: 65_535,
            end_system: 60,
            r_factor: Some(93),
            mos_lq: Some(41),
            mos_cq: None,
        };
        let read = unpacked(packed(voice)).unwrap();
        assert_eq!((read.loss, read.discard, read.round_trip), (200, 5, Duration::from_millis(65_535)));
        assert_eq!((read.r_factor, read.mos_lq, read.mos_cq), (Some(93), Some(41), None));
        assert_eq!(unpacked(0), None);
    }
}
