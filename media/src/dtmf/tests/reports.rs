//! What is told of a stream of our own.

use std::sync::Arc;

use super::super::{Plan, Sent, Tallies, Translator, Turn, Voice, Way};
use super::digit;
use crate::PartyId;

/// What was sent: when, of what kind, and what.
type Out = Vec<(u64, Sent, Vec<u8>)>;

fn run(translator: &mut Translator, times: std::ops::Range<u64>) -> Out {
    let (tallies, mut out) = (Tallies::default(), Vec::new());
    for millis in times {
        let turn = Turn { millis, micros: millis * 1_000, tallies: &tallies };
        translator.pass_time(turn, &mut |what, packet| out.push((millis, what, packet.to_vec())));
    }
    out
}

fn say(translator: &mut Translator, name: char, millis: u32, now: u64) {
    let tallies = Tallies::default();
    translator.say(digit(name), millis, Turn { millis: now, micros: now * 1_000, tallies: &tallies });
}

fn told(out: &Out) -> Vec<u64> {
    out.iter().filter(|(_, what, _)| *what == Sent::Rtcp).map(|(at, ..)| *at).collect()
}

fn word(packet: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(packet[at..at + 4].try_into().unwrap())
}

#[test]
fn rfc3550_6_4_1_a_stream_of_our_own_is_reported_and_that_of_others_is_not() {
    let way = Way::Said(Voice::Events { payload: 96, clock: 8_000, events: 0x1_ffff });
    let (party, peer, cname) = (PartyId(2), PartyId(3), *b"abcdefghijklmnop");
    let plan =
        Plan { events: None, tones: Box::default(), way, call: 1, party, peer, ssrc: 0xaabb_ccdd, cname };
    let mut translator = Translator::new(&Arc::new(plan));
    say(&mut translator, '5', 100, 1_000);
    let out = run(&mut translator, 1_000..12_000);
    // Half an interval after the first packet; then there was nothing more to tell.
    assert_eq!(told(&out), [3_500]);
    let rtp: Vec<_> =
        out.iter().filter(|(_, what, _)| *what == Sent::Rtp).map(|(.., packet)| packet).collect();
    let report = out.iter().find(|(_, what, _)| *what == Sent::Rtcp).map(|(.., packet)| packet).unwrap();
    assert!(crate::rtcp::is_compound(report));
    assert_eq!((report[1], word(report, 4), word(report, 8)), (200, 0xaabb_ccdd, 3));
    assert_eq!(word(report, 16).wrapping_sub(word(rtp[0], 4)), 2_500 * 8);
    let count = u32::try_from(rtp.len()).unwrap();
    assert_eq!((word(report, 20), word(report, 24)), (count, 4 * count));
    assert_eq!(
        (report[29], word(report, 32), &report[36..54]),
        (202, 0xaabb_ccdd, &b"\x01\x10abcdefghijklmnop"[..])
    );
    // The next key is told of at once, for that long has passed, and then every five seconds.
    say(&mut translator, '6', 9_000, 12_000);
    let times = told(&run(&mut translator, 12_000..30_000));
    assert_eq!(times, [12_001, 17_001, 22_001]);
    // Once the source itself sends, it reports.
    let mut packet = vec![0x80, 8, 0, 1, 0, 0, 0, 160, 0, 0, 0, 9];
    packet.resize(172, 0xd5);
    let tallies = Tallies::default();
    assert!(translator.packet(&mut packet, Turn { millis: 30_000, micros: 30_000_000, tallies: &tallies }));
    say(&mut translator, '7', 100, 30_001);
    assert!(told(&run(&mut translator, 30_001..45_000)).is_empty());
    assert_eq!(translator.deadline(), None);
}
