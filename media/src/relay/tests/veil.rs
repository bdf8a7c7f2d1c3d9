//! Sources under other names, on the wire.

use super::harness::*;
use crate::rtp::Header;
use crate::{Latching, Veil};

const SECRET: [u8; 32] = [3; 32];

fn bench() -> (Bench, Peer, Peer) {
    let mut bench = Bench::new(&config(Latching::Described));
    let (alice, bob) = (bench.peer(), bench.peer());
    bench.call.add_party(A, &bench.networks[0]);
    bench.call.add_party(B, &bench.networks[1]);
    bench.call.hide_sources(B, SECRET);
    bench.call.receive_offer(A, alice.describe().as_bytes()).unwrap();
    bench.call.compose_offer(B, A, &mut bench.link).unwrap();
    bench.answer(A, B, &bob.describe());
    (bench, alice, bob)
}

/// A report of a sender about another, and who it is.
fn report(ssrc: u32, of: u32, highest: u32) -> Vec<u8> {
    let mut packet = vec![0x81, 200, 0, 12];
    for word in [ssrc, 0xaaaa_0001, 0x0002_bbbb, 160, 1, 160, of, 0, highest, 0, 0, 0] {
        packet.extend(word.to_be_bytes());
    }
    packet.extend([0x81, 202, 0, 3]);
    packet.extend(ssrc.to_be_bytes());
    packet.extend([1, 5, b'a', b'l', b'i', b'c', b'e', 0]);
    packet
}

// conforms: RFC8079-3.2-5
#[test]
fn rfc8079_3_2_the_hidden_side_has_names_of_ours_and_all_is_consistent() {
    let (bench, alice, bob) = bench();
    let (at_a, at_b) = (bench.local(A), bench.local(B));
    let name = Veil::new(SECRET, true).name(7, 0);
    let mut sequences = Vec::new();
    for sequence in [65_534, 65_535, 0] {
        alice.rtp.send_to(&rtp(sequence), at_a).unwrap();
        let (packet, _) = receive(&bob.rtp);
        let header = Header::read(&packet).unwrap();
        assert_eq!((header.ssrc, &packet[12..]), (name.ssrc, &rtp(sequence)[12..]));
        assert_eq!(header.timestamp.wrapping_sub(u32::from(sequence) * 160), name.timestamp);
        sequences.push(header.sequence);
    }
    assert_eq!(sequences, [name.first, name.first + 1, name.first + 2]);
    // What Bob sends is as it was.
    bob.rtp.send_to(&rtp(9), at_b).unwrap();
    assert_eq!(receive(&alice.rtp).0, rtp(9));
    let rtcp = |address: std::net::SocketAddr| (address.ip(), address.port() + 1);
    alice.rtcp.send_to(&report(7, 7, 9), rtcp(at_a)).unwrap();
    let (told, _) = receive(&bob.rtcp);
    assert_eq!(told[4..8], name.ssrc.to_be_bytes());
    assert_eq!(told[28..32], 7u32.to_be_bytes(), "Bob is called as he calls himself");
    assert_eq!(told[16..20], name.timestamp.wrapping_add(160).to_be_bytes());
    assert_eq!(
        (&told[56..60], &told[62..78]),
        (&name.ssrc.to_be_bytes()[..], &Veil::new(SECRET, true).cname(b"alice")[..])
    );
    bob.rtcp.send_to(&report(7, name.ssrc, u32::from(name.first) + 2), rtcp(at_b)).unwrap();
    let (heard, _) = receive(&alice.rtcp);
    assert_eq!(heard, report(7, 7, 0x1_0000));
}

#[test]
fn rfc3550_8_2_a_name_that_the_hidden_side_has_itself_is_given_up() {
    let (bench, alice, bob) = bench();
    let (at_a, at_b) = (bench.local(A), bench.local(B));
    alice.rtp.send_to(&rtp(1), at_a).unwrap();
    let first = Header::read(&receive(&bob.rtp).0).unwrap().ssrc;
    let mut packet = rtp(1);
    packet[8..12].copy_from_slice(&first.to_be_bytes());
    bob.rtp.send_to(&packet, at_b).unwrap();
    assert_eq!(receive(&alice.rtp).0, packet);
    alice.rtp.send_to(&rtp(2), at_a).unwrap();
    assert_ne!(Header::read(&receive(&bob.rtp).0).unwrap().ssrc, first);
}

#[test]
fn what_could_not_be_hidden_does_not_cross() {
    let (bench, alice, bob) = bench();
    let at_a = bench.local(A);
    alice.rtp.send_to(&[0x7f; 20], at_a).unwrap();
    alice.rtcp.send_to(b"no report", (at_a.ip(), at_a.port() + 1)).unwrap();
    alice.rtp.send_to(&rtp(1), at_a).unwrap();
    assert_eq!(receive(&bob.rtp).0[12..], rtp(1)[12..]);
    until(|| bench.counted(A).malformed == 2);
}
