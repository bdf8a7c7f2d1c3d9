//! What was not negotiated goes no further.

use super::harness::*;
use crate::{Latching, Police};

const BOTH: Police = Police { payload_types: true, rate: true, sources: false };

/// A packet of that payload type.
fn of(payload: u8, sequence: u16) -> Vec<u8> {
    let mut packet = rtp(sequence);
    packet[1] = payload;
    packet
}

fn bench(police: Police) -> Bench {
    let mut bench = Bench::new(&config(Latching::Described));
    bench.police = police;
    bench
}

#[test]
fn payload_types_that_were_not_negotiated_are_dropped_and_counted() {
    let mut bench = bench(BOTH);
    let (alice, bob) = (bench.peer(), bench.peer());
    let (at_a, at_b) = bench.connect(&alice.describe(), &bob.describe());
    for payload in [8, 13, 96, 63, 0x80 | 111, 0] {
        alice.rtp.send_to(&of(payload, payload.into()), at_a).unwrap();
    }
    // Comfort noise is nobody's to forbid, and of what is no RTP nothing is known.
    alice.rtp.send_to(&[0; 4], at_a).unwrap();
    for expected in [of(13, 13), of(0, 0), vec![0; 4]] {
        assert_eq!(receive(&bob.rtp), (expected, at_b));
    }
    alice.rtcp.send_to(&REPORT, (at_a.ip(), at_a.port() + 1)).unwrap();
    assert_eq!(receive(&bob.rtcp).0, REPORT);
    let counted = bench.counted(A);
    assert_eq!((counted.unnegotiated, counted.received.packets, counted.payload), (4, 7, Some(0)));
    assert_eq!(bench.relay.gauges().policed.payload_type, 4);
}

#[test]
fn rfc3264_5_1_what_is_offered_may_come_before_its_answer() {
    let mut bench = bench(BOTH);
    let (alice, bob) = (bench.peer(), bench.peer());
    let (_, at_b) = bench.connect(&alice.describe(), &bob.describe());
    bob.rtp.send_to(&of(8, 1), at_b).unwrap();
    until(|| bench.counted(B).unnegotiated == 1);
    let other = alice.describe().replace("RTP/AVP 0", "RTP/AVP 8");
    bench.call.receive_offer(A, other.as_bytes()).unwrap();
    bench.call.compose_offer(B, A, &mut bench.link).unwrap();
    bench.carry_out();
    bob.rtp.send_to(&of(8, 2), at_b).unwrap();
    assert_eq!(receive(&alice.rtp).0, of(8, 2));
    bench.answer(A, B, &bob.describe().replace("RTP/AVP 0", "RTP/AVP 8"));
    // What was under way then is still as it was.
    for packet in [of(8, 3), of(0, 4)] {
        bob.rtp.send_to(&packet, at_b).unwrap();
        assert_eq!(receive(&alice.rtp).0, packet);
    }
    assert_eq!(bench.counted(B).unnegotiated, 1);
}

#[test]
fn a_flood_is_dropped_beyond_the_rate_and_counted() {
    let mut bench = bench(BOTH);
    let (alice, bob) = (bench.peer(), bench.peer());
    let (at_a, _) = bench.connect(&alice.describe(), &bob.describe());
    let large = [rtp(1), vec![0; 1_000]].concat();
    let mut sent = 0;
    until(|| {
        alice.rtp.send_to(&large, at_a).unwrap();
        sent += 1;
        bench.counted(A).excess >= 100
    });
    // What may come at once, and what the test takes; the guard is 30 s.
    let counted = bench.counted(A);
    assert!(counted.sent.packets == 0 && bench.counted(B).sent.bytes > 100_000, "{counted:?}");
    assert!(bench.counted(B).sent.bytes <= 35 * 28_000, "{sent} were sent");
    assert_eq!(bench.relay.gauges().policed.payload_type, 0);
    assert!(bench.relay.gauges().policed.rate >= 100 && bench.call.excess(A) >= 100);
}

#[test]
fn nothing_is_dropped_where_the_party_is_not_held_to_it() {
    let mut bench = bench(Police::default());
    let (alice, bob) = (bench.peer(), bench.peer());
    let (at_a, _) = bench.connect(&alice.describe(), &bob.describe());
    alice.rtp.send_to(&of(96, 1), at_a).unwrap();
    assert_eq!(receive(&bob.rtp).0, of(96, 1));
    assert_eq!(bench.counted(A).unnegotiated, 0);
}

/// A packet of that source.
fn by(ssrc: u32, sequence: u16) -> Vec<u8> {
    let mut packet = rtp(sequence);
    packet[8..12].copy_from_slice(&ssrc.to_be_bytes());
    packet
}

#[test]
fn rfc3550_8_2_sources_may_change_and_many_at_once_are_counted_and_dropped_where_that_is_wanted() {
    for drops in [false, true] {
        let mut bench = bench(Police { sources: drops, ..BOTH });
        let (alice, bob) = (bench.peer(), bench.peer());
        let stated = alice.describe() + "a=ssrc:7 cname:alice\r\n";
        let (at_a, at_b) = bench.connect(&stated, &bob.describe());
        // Alice is 7, as she has said; by two other names she is heard too. Bob has said nothing of himself.
        for (from, at, to, counted, others) in [(&alice, at_a, &bob, A, 2), (&bob, at_b, &alice, B, 8)] {
            let named = u32::from(counted == A);
            for sequence in 0..20 {
                let ssrc = if sequence == 0 { 7 } else { 1_000 + u32::from(sequence) };
                from.rtp.send_to(&by(ssrc, sequence), at).unwrap();
            }
            from.rtp.send_to(&by(7, 20), at).unwrap();
            let expected = 21 - (20 - others - named) as usize;
            let mut heard = Vec::new();
            while heard.last() != Some(&by(7, 20)) {
                heard.push(receive(&to.rtp).0);
            }
            assert_eq!(heard.len(), if drops { expected } else { 21 }, "{counted:?}");
            assert_eq!(bench.counted(counted).foreign, u64::from(20 - others - named));
        }
        let dropped = if drops { 17 + 12 } else { 0 };
        assert_eq!(bench.relay.gauges().policed.source, dropped);
    }
}

#[test]
fn rfc8866_5_8_streams_have_the_rate_of_the_session_together() {
    let mut bench = bench(BOTH);
    let (alice, bob) = (bench.peer(), bench.peer());
    let (film_of_alice, film_of_bob) = (bench.peer(), bench.peer());
    let both = |audio: &Peer, video: &Peer| {
        let text = audio.describe().replace("t=0 0\r\n", "b=AS:200\r\nt=0 0\r\n");
        format!("{text}m=video {} RTP/AVP 99\r\na=rtpmap:99 H264/90000\r\n", video.address().port())
    };
    let (_, _) = bench.connect(&both(&alice, &film_of_alice), &both(&bob, &film_of_bob));
    let streams = bench.call.view(A).unwrap().streams;
    let [audio, video] = [0, 1].map(|at: usize| streams[at].local.unwrap());
    let counted = |bench: &Bench, at: usize| bench.call.view(A).unwrap().streams[at].counted;
    // Video has no rate of its own.
    let large = [of(99, 1), vec![0; 1_000]].concat();
    until(|| {
        film_of_alice.rtp.send_to(&large, video).unwrap();
        counted(&bench, 1).excess >= 20
    });
    let sent = bench.call.view(B).unwrap().streams[1].counted.sent.bytes;
    // 300 kbit/s for 5 s, and what the test takes.
    assert!((150_000..35 * 37_500).contains(&sent), "{sent}");
    // What the one has used up the other one lacks.
    until(|| {
        film_of_alice.rtp.send_to(&large, video).unwrap();
        alice.rtp.send_to(&rtp(1), audio).unwrap();
        counted(&bench, 0).excess > 0
    });
    assert!(bench.call.excess(A) > 0);
}
