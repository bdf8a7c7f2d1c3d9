//! What peers tell of what they get, on the wire.

use std::time::Duration;

use super::harness::*;
use crate::{Bounds, Latching};

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

#[test]
fn what_a_peer_answers_and_what_it_makes_of_the_call_is_known() {
    let mut bench = Bench::new(&config(Latching::Described));
    let (alice, bob) = (bench.peer(), bench.peer());
    let (at_a, at_b) = bench.connect(&alice.describe(), &bob.describe());
    for sequence in 1..=10 {
        alice.rtp.send_to(&rtp(sequence), at_a).unwrap();
        receive(&bob.rtp);
    }
    bob.rtp.send_to(&rtp(1), at_b).unwrap();
    receive(&alice.rtp);
    let rtcp = |address: std::net::SocketAddr| (address.ip(), address.port() + 1);
    let report = words(&[0x80c8_0006, 7, 0xaaaa_0001, 0x0002_bbbb, 160, 10, 1_720]);
    alice.rtcp.send_to(&report, rtcp(at_a)).unwrap();
    assert_eq!(receive(&bob.rtcp).0, report);
    // Bob has lost two of them, with 5 ms of jitter, and says what he makes of it.
    let answer = words(&[0x81c9_0007, 8, 7, 2, 10, 40, 0x0001_0002, 0]);
    let metrics = words(&[0x80cf_000a, 8, 7 << 24 | 8, 7, 0x3300_0000, 0, 90 << 16, 0, 0x5d7f_297f, 0, 0]);
    let whole = [answer, metrics].concat();
    bob.rtcp.send_to(&whole, rtcp(at_b)).unwrap();
    assert_eq!(receive(&alice.rtcp).0, whole);
    let told = bench.counted(B).told.unwrap();
    assert_eq!((told.blocks, told.lost, told.jitter), (1, 2, Duration::from_millis(5)));
    assert!(told.round_trip.unwrap() < GUARD, "{told:?}");
    let voice = told.voice.unwrap();
    assert_eq!((voice.loss, voice.round_trip), (51, Duration::from_millis(90)));
    assert_eq!((voice.r_factor, voice.mos_lq, voice.mos_cq), (Some(93), Some(41), None));
    let view = bench.call.view(B).unwrap();
    assert_eq!(view.streams[0].quality.sent_loss, Some(200_000));
    assert!(view.streams[0].quality.sent_mos < Some(300) && !view.streams[0].poor);
    // Packets that come as fast as they can have jitter.
    let quality = bench.call.view(A).unwrap().streams[0].quality;
    assert_eq!((quality.received_loss, quality.sent_loss, quality.sent_mos), (Some(0), None, None));
    assert!(quality.received_mos > Some(400));
    // That is poor by a bound of 3 %, once.
    let bounds = Bounds { loss: Some(30_000), ..Bounds::default() };
    assert_eq!(bench.call.judge(A, &bounds), []);
    let judged = bench.call.judge(B, &bounds).pop().unwrap();
    assert_eq!(
        (judged.poor, judged.media.as_str(), judged.quality.sent_loss),
        (true, "audio", Some(200_000))
    );
    assert!(bench.call.view(B).unwrap().streams[0].poor);
    // Nothing more has come: it stays what it was.
    assert_eq!(bench.call.judge(B, &bounds), []);
    alice.rtp.send_to(&rtp(11), at_a).unwrap();
    receive(&bob.rtp);
    let answer = words(&[0x81c9_0007, 8, 7, 2, 11, 40, 0, 0]);
    bob.rtcp.send_to(&answer, rtcp(at_b)).unwrap();
    receive(&alice.rtcp);
    let judged = bench.call.judge(B, &bounds).pop().unwrap();
    assert_eq!((judged.poor, judged.quality.sent_loss), (false, Some(0)));
    assert_eq!(bench.call.tally(B)[0].poor, 1);
}

#[test]
fn each_bound_is_one_of_its_own() {
    let mut bench = Bench::new(&config(Latching::Described));
    let (alice, bob) = (bench.peer(), bench.peer());
    let (at_a, _) = bench.connect(&alice.describe(), &bob.describe());
    let mut sequence = 0;
    let mut poor = |bounds: Bounds| {
        // One in two is lost.
        for _ in 0..4 {
            sequence += 2;
            alice.rtp.send_to(&rtp(sequence), at_a).unwrap();
            receive(&bob.rtp);
        }
        bench.call.judge(A, &bounds).pop().map(|judged| judged.poor)
    };
    assert_eq!(poor(Bounds::default()), None);
    assert_eq!(poor(Bounds { mos: Some(350), ..Bounds::default() }), Some(true));
    assert_eq!(poor(Bounds { loss: Some(900_000), ..Bounds::default() }), Some(false));
    assert_eq!(poor(Bounds { loss: Some(400_000), ..Bounds::default() }), Some(true));
    assert_eq!(poor(Bounds { jitter: Some(Duration::from_secs(9)), ..Bounds::default() }), Some(false));
}
