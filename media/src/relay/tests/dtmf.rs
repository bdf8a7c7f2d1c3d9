//! Keys on their way from one form into another.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::harness::*;
use crate::dtmf::{Digit, Wanted};
use crate::relay::Report;
use crate::{Latching, PartyId};

const EVENTS: &str = "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n";

fn with_events(text: &str) -> String {
    text.replace("RTP/AVP 0", "RTP/AVP 0 101") + EVENTS
}

/// A report of an event in a packet of that number.
fn event(sequence: u16, code: u8, duration: u16, end: bool) -> Vec<u8> {
    let mut packet = rtp(sequence)[..12].to_vec();
    packet[1] = 101;
    packet[4..8].copy_from_slice(&9_000u32.to_be_bytes());
    let [high, low] = duration.to_be_bytes();
    packet.extend([code, if end { 0x8a } else { 0x0a }, high, low]);
    packet
}

fn bench(a: Wanted, b: Wanted) -> (Bench, Peer, Peer) {
    let mut bench = Bench::new(&config(Latching::Described));
    let (alice, bob) = (bench.peer(), bench.peer());
    bench.call.numbered(5);
    bench.call.add_party(A, &bench.networks[0]);
    bench.call.add_party(B, &bench.networks[1]);
    bench.call.dtmf(A, a);
    bench.call.dtmf(B, b);
    let (at_a, at_b) = (with_events(&alice.describe()), bob.describe());
    let at_b = if b == Wanted::Info { at_b } else { with_events(&at_b) };
    bench.call.receive_offer(A, at_a.as_bytes()).unwrap();
    bench.call.compose_offer(B, A, &mut bench.link).unwrap();
    bench.answer(A, B, &at_b);
    (bench, alice, bob)
}

#[test]
fn an_event_is_reported_with_its_duration_and_the_shard_woken() {
    let (mut bench, alice, bob) = bench(Wanted::Auto, Wanted::Info);
    let woken = Arc::new(AtomicU32::new(0));
    let bell = Arc::clone(&woken);
    bench.link.wake_by(move || {
        bell.fetch_add(1, Ordering::SeqCst);
    });
    let at_a = bench.local(A);
    alice.rtp.send_to(&rtp(1), at_a).unwrap();
    assert_eq!(receive(&bob.rtp).0, rtp(1));
    for (sequence, duration, end) in [(2, 160, false), (3, 800, true), (4, 800, true), (5, 800, true)] {
        alice.rtp.send_to(&event(sequence, 5, duration, end), at_a).unwrap();
    }
    // The next that arrives is the next number.
    alice.rtp.send_to(&rtp(6), at_a).unwrap();
    let (next, _) = receive(&bob.rtp);
    assert_eq!((next[1], next[3]), (0, 2));
    let mut report = None;
    until(|| {
        report = bench.link.poll_report();
        report.is_some()
    });
    let expected = Report { call: 5, party: A, peer: B, digit: Digit::of_name('5').unwrap(), millis: 100 };
    assert_eq!((report, bench.link.poll_report()), (Some(expected), None));
    assert_eq!(woken.load(Ordering::SeqCst), 1);
    let counted = bench.counted(A);
    assert_eq!((counted.digits_heard, counted.digits_said), (1, 1));
    assert_eq!(bench.relay.gauges().dtmf.heard.events, 1);
}

#[test]
fn a_key_of_info_is_said_in_packets_of_20_ms_though_nothing_comes() {
    let (mut bench, alice, _bob) = bench(Wanted::Auto, Wanted::Info);
    assert!(bench.call.say(B, Digit::of_name('#').unwrap(), 60));
    bench.carry_out();
    let packets: Vec<_> = (0..5).map(|_| receive(&alice.rtp).0).collect();
    let durations = packets.iter().map(|packet| u16::from_be_bytes([packet[14], packet[15]]));
    assert_eq!(durations.collect::<Vec<_>>(), [160, 320, 480, 480, 480]);
    assert_eq!(packets.iter().map(|packet| packet[1]).collect::<Vec<_>>(), [0xe5, 101, 101, 101, 101]);
    assert!(packets.iter().all(|packet| packet[12] == 11 && packet[4..12] == packets[0][4..12]));
    assert_eq!(packets.iter().map(|packet| packet[13] & 0x80 != 0).filter(|end| *end).count(), 3);
    assert_eq!(bench.relay.gauges().dtmf.said.events, 1);
    // Nobody else reports that stream.
    let (report, _) = receive(&alice.rtcp);
    assert_eq!((report[1], &report[4..8], report[23]), (200, &packets[0][8..12], 5));
    // One that nobody is there for is none.
    bench.call.remove_party(PartyId(2));
    assert!(!bench.call.say(B, Digit::FLASH, 60));
}
