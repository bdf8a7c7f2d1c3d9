use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::*;
use crate::rtp::Header;

fn header(sequence: u16, timestamp: u32) -> Header {
    Header { payload: 0, sequence, timestamp, ssrc: 1 }
}

fn received(sequences: impl IntoIterator<Item = u16>) -> Reception {
    let mut reception = Reception::default();
    for sequence in sequences {
        reception.packet(header(sequence, 0), Duration::ZERO, |_| None);
    }
    reception
}

#[test]
fn rfc3550_a_3_lost_is_expected_less_received() {
    assert_eq!(Reception::default().lost(), 0);
    assert_eq!(received(1..=10).lost(), 0);
    assert_eq!(received([1, 2, 5, 6]).lost(), 2);
    assert_eq!(received([1, 2, 4, 3]).lost(), 0, "late is not lost");
    assert_eq!(received([1, 2, 2, 2]).lost(), 0, "duplicates don't make it negative");
}

#[test]
fn rfc3550_a_1_sequence_numbers_wrap() {
    assert_eq!(received([65_534, 65_535, 0, 1, 3]).lost(), 1);
}

#[test]
fn rfc3550_a_1_a_jump_counts_only_when_the_next_packet_confirms_it() {
    assert_eq!(received([1, 2, 40_000, 3]).lost(), 0);
    assert_eq!(received([1, 2, 40_000, 40_001, 40_003]).lost(), 1);
}

#[test]
fn a_new_source_starts_anew_and_keeps_what_was_lost_before() {
    let mut reception = received([1, 2, 5]);
    let other = Header { ssrc: 2, ..header(30_000, 0) };
    reception.packet(other, Duration::ZERO, |_| None);
    reception.packet(Header { sequence: 30_002, ..other }, Duration::ZERO, |_| None);
    assert_eq!(reception.lost(), 3);
}

#[test]
fn rfc3550_a_8_jitter_is_zero_for_an_even_stream_and_grows_with_an_uneven_one() {
    let run = |late: u64| {
        let mut reception = Reception::default();
        for packet in 0..200u16 {
            let at = Duration::from_millis(u64::from(packet) * 20 + if packet % 2 == 0 { 0 } else { late });
            reception.packet(header(packet, u32::from(packet) * 160), at, |_| Some(8_000));
        }
        reception.jitter_micros()
    };
    assert_eq!(run(0), 0);
    // Each packet is 10 ms off against the one before: the estimate tends towards that.
    assert!((9_000..=10_000).contains(&run(10)), "{}", run(10));
}

#[test]
fn jitter_needs_a_clock_rate() {
    let mut reception = Reception::default();
    for packet in 0..10u16 {
        reception.packet(header(packet, 0), Duration::from_millis(packet.into()), |_| None);
    }
    assert_eq!(reception.jitter_micros(), 0);
}

#[test]
fn the_snapshot_says_what_was_counted() {
    let counters = Counters::default();
    assert_eq!(counters.snapshot(), Snapshot::default());
    #[expect(clippy::disallowed_methods, reason = "a test needs some moment to count from")]
    let epoch = Instant::now();
    counters.changed(epoch, 10);
    assert_eq!((counters.snapshot().received.last, counters.snapshot().sent.last), (None, None));
    counters.received(Tally { bytes: 172, rtcp: false, now_millis: 20 });
    counters.received(Tally { bytes: 60, rtcp: true, now_millis: 30 });
    counters.sent(Tally { bytes: 172, rtcp: false, now_millis: 25 });
    counters.sent(Tally { bytes: 40, rtcp: true, now_millis: 40 });
    let at = |millis| Some(epoch + Duration::from_millis(millis));
    counters.dropped(Dropped::WrongSource);
    counters.dropped(Dropped::NoDestination);
    counters.dropped(Dropped::NotSent);
    counters.dropped(Dropped::Unauthentic);
    (0..2).for_each(|_| counters.dropped(Dropped::Replayed));
    (0..3).for_each(|_| counters.dropped(Dropped::Malformed));
    (0..4).for_each(|_| counters.dropped(Dropped::Unprotectable));
    (0..5).for_each(|_| counters.dropped(Dropped::Unkeyed));
    (0..6).for_each(|_| counters.dropped(Dropped::Unnegotiated));
    (0..7).for_each(|_| counters.dropped(Dropped::Excess));
    (0..8).for_each(|_| counters.dropped(Dropped::Foreign));
    counters.dtls(crate::ice::Component::Rtcp, Some(crate::dtls::Standing::Waiting));
    counters.quality(3, 1_500, 8);
    counters.digits(6, 5);
    let expected = Snapshot {
        payload: Some(8),
        told: None,
        digits_heard: 6,
        digits_said: 5,
        received: Flow { packets: 1, bytes: 172, rtcp_packets: 1, last: at(30) },
        sent: Flow { packets: 1, bytes: 172, rtcp_packets: 1, last: at(40) },
        wrong_source: 1,
        ice: None,
        no_destination: 1,
        not_sent: 1,
        unauthentic: 1,
        replayed: 2,
        malformed: 3,
        unprotectable: 4,
        unkeyed: 5,
        unnegotiated: 6,
        excess: 7,
        foreign: 8,
        dtls: None,
        dtls_rtcp: Some(crate::dtls::Standing::Waiting),
        lost: 3,
        jitter: Duration::from_micros(1_500),
        quiet_since: at(30),
        source: None,
    };
    assert_eq!(counters.snapshot(), expected);
}

#[test]
fn addresses_of_both_families_are_read_as_they_were_written() {
    let counters = Counters::default();
    for source in ["192.0.2.1:4000", "[2001:db8::1]:65535", "[::ffff:192.0.2.1]:1"] {
        let source: SocketAddr = source.parse().unwrap();
        counters.came_from(Some(source));
        assert_eq!(counters.snapshot().source, Some(source));
    }
    counters.came_from(None);
    assert_eq!(counters.snapshot().source, None);
}

#[test]
fn an_address_is_never_read_half_written() {
    let counters = Counters::default();
    let addresses: [SocketAddr; 2] = [
        "[1111:1111:1111:1111:1111:1111:1111:1111]:1".parse().unwrap(),
        "[2222:2222:2222:2222:2222:2222:2222:2222]:2".parse().unwrap(),
    ];
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for turn in 0..100_000usize {
                counters.came_from(Some(addresses[turn % 2]));
            }
        });
        for _ in 0..100_000 {
            let source = counters.snapshot().source;
            assert!(source.is_none_or(|source| addresses.contains(&source)), "{source:?}");
        }
    });
}
