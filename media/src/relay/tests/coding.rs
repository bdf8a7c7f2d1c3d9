//! A stream that goes by the coding thread, and others that do not.

use super::harness::*;
use crate::transcode::Coding;
use crate::{Latching, PartyId};

const OPUS: &str = "a=rtpmap:96 opus/48000/2\r\n";

#[test]
fn packets_go_by_the_coding_thread_and_come_back_as_those_of_another_codec() {
    let mut bench = Bench::new(&config(Latching::Described));
    let (alice, bob) = (bench.peer(), bench.peer());
    bench.call.add_party(A, &bench.networks[0]);
    bench.call.add_party(B, &bench.networks[1]);
    bench.call.transcode(B, &[Coding::Opus]);
    bench.call.receive_offer(A, alice.describe().as_bytes()).unwrap();
    bench.call.compose_offer(B, A, &mut bench.link).unwrap();
    bench.answer(A, B, &(bob.describe().replace("RTP/AVP 0", "RTP/AVP 96") + OPUS));
    let (at_a, at_b) = (bench.local(A), bench.local(B));
    for number in 1..=5 {
        alice.rtp.send_to(&rtp(number), at_a).unwrap();
        let (coded, source) = receive(&bob.rtp);
        assert_eq!((coded[1] & 0x7f, source), (96, at_b));
        assert_eq!(coded[8..12], rtp(number)[8..12]);
        // What comes back is decoded.
        let mut back = coded.clone();
        back[1] = 96;
        bob.rtp.send_to(&back, at_b).unwrap();
        let (linear, _) = receive(&alice.rtp);
        assert_eq!((linear[1] & 0x7f, linear.len()), (0, 172));
    }
    // What is counted is so once the packet is on its way.
    until(|| bench.relay.gauges().transcoding.coded == 10 && bench.counted(A).sent.packets == 5);
    let gauges = bench.relay.gauges().transcoding;
    assert_eq!((gauges.directions, gauges.dropped), (2, 0));
    assert_eq!(bench.link.transcoded(), 2);
    let view = bench.call.view(A).unwrap().streams[0].coding.unwrap();
    assert_eq!((view.from, view.to, view.is_now, view.counted.coded), ("PCMU", "opus", true, 5));
    assert_eq!(bench.counted(A).received.packets, 5);
    bench.call.remove_party(PartyId(2));
    bench.call.remove_party(A);
    bench.carry_out();
    until(|| bench.relay.gauges().transcoding.directions == 0);
}
