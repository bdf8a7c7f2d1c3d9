//! Several sections on one port of one leg, and on ports of their own on the other.

use super::harness::*;
use crate::Latching;

fn bundled(port: u16, address: &str) -> String {
    format!(
        "v=0\r\no=- 1 1 IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\na=group:BUNDLE a v\r\n\
         m=audio {port} RTP/AVP 0\r\na=mid:a\r\na=rtcp-mux\r\na=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid\r\n\
         m=video {port} RTP/AVP 96\r\na=mid:v\r\na=rtcp-mux\r\na=rtpmap:96 VP8/90000\r\n\
         a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
    )
}

/// A packet of that payload type and source, with a tag.
fn packet(payload: u8, ssrc: u8, mid: Option<u8>) -> Vec<u8> {
    let mut packet = rtp(1);
    packet[1] = payload;
    packet[8..12].copy_from_slice(&[0, 0, 0, ssrc]);
    if let Some(mid) = mid {
        packet[0] |= 0x10;
        packet.splice(12..12, [0xbe, 0xde, 0, 1, 0x30, mid, 0, 0]);
    }
    packet
}

#[test]
fn a_bundle_is_taken_apart_and_put_together() {
    let mut bench = Bench::new(&config(Latching::Described));
    let (a, audio, video) = (bench.peer(), bench.peer(), bench.peer());
    let address = a.address().ip().to_string();
    let apart = format!(
        "{}m=video {} RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n",
        audio.describe(),
        video.address().port()
    );
    let (to_us, _) = bench.connect(&bundled(a.address().port(), &address), &apart);
    let ports: Vec<_> =
        bench.call.view(B).unwrap().streams.iter().map(|stream| stream.local.unwrap()).collect();
    assert_ne!(ports[0], ports[1]);
    assert!(bench.call.view(A).unwrap().streams.iter().all(|stream| stream.local == Some(to_us)));
    // By payload type, and by a tag that the other side does not get to see.
    a.rtp.send_to(&packet(0, 1, None), to_us).unwrap();
    assert_eq!(receive(&audio.rtp), (packet(0, 1, None), ports[0]));
    a.rtp.send_to(&packet(96, 2, Some(b'v')), to_us).unwrap();
    let (came, from) = receive(&video.rtp);
    assert_eq!((came[12..20].to_vec(), from), (vec![0xbe, 0xde, 0, 1, 0, 0, 0, 0], ports[1]));
    // What is of no section goes nowhere.
    a.rtp.send_to(&packet(97, 3, None), to_us).unwrap();
    a.rtp.send_to(&packet(0, 4, Some(b'x')), to_us).unwrap();
    // Back, each from its own port, all from the one.
    audio.rtp.send_to(&packet(0, 21, None), ports[0]).unwrap();
    assert_eq!(receive(&a.rtp), (packet(0, 21, None), to_us));
    video.rtp.send_to(&packet(96, 23, None), ports[1]).unwrap();
    assert_eq!(receive(&a.rtp), (packet(96, 23, None), to_us));
    // RTCP that reports on both goes to both.
    let mut report = vec![0x82, 201, 0, 13, 0, 0, 0, 9];
    for ssrc in [21, 23] {
        report.extend([0, 0, 0, ssrc]);
        report.extend([0; 20]);
    }
    a.rtp.send_to(&report, to_us).unwrap();
    assert_eq!(receive(&audio.rtcp).0, report);
    assert_eq!(receive(&video.rtcp).0, report);
    video.rtcp.send_to(&report, std::net::SocketAddr::new(ports[1].ip(), ports[1].port() + 1)).unwrap();
    assert_eq!(receive(&a.rtp), (report, to_us));
    // Each section is counted for itself.
    let streams = bench.call.view(A).unwrap().streams;
    let counted: Vec<_> = streams
        .iter()
        .map(|stream| {
            (
                stream.counted.received.packets,
                stream.counted.received.rtcp_packets,
                stream.counted.sent.packets,
            )
        })
        .collect();
    assert_eq!(counted, [(1, 1, 1), (1, 0, 1)]);
    assert_eq!(streams[0].counted.no_destination, 2);
    assert_eq!(streams[1].bundle.as_deref(), Some("v"));
}

#[test]
fn two_bundles_have_one_way_between_them() {
    let mut bench = Bench::new(&config(Latching::Described));
    let (a, b) = (bench.peer(), bench.peer());
    bench.call.add_party(A, &bench.networks[0]);
    bench.call.add_party(B, &bench.networks[1]);
    bench.call.bundle(B, crate::Bundling::Offer);
    let describe = |peer: &Peer| bundled(peer.address().port(), &peer.address().ip().to_string());
    bench.call.receive_offer(A, describe(&a).as_bytes()).unwrap();
    bench.call.compose_offer(B, A, &mut bench.link).unwrap();
    bench.answer(A, B, &describe(&b));
    let (to_a, to_b) = (bench.local(A), bench.local(B));
    // A tag that both have goes through.
    a.rtp.send_to(&packet(96, 2, Some(b'v')), to_a).unwrap();
    assert_eq!(receive(&b.rtp), (packet(96, 2, Some(b'v')), to_b));
    a.rtp.send_to(&packet(0, 1, None), to_a).unwrap();
    assert_eq!(receive(&b.rtp), (packet(0, 1, None), to_b));
    // A report on both sources goes once.
    let mut report = vec![0x82, 201, 0, 13, 0, 0, 0, 9];
    for ssrc in [1, 2] {
        report.extend([0, 0, 0, ssrc]);
        report.extend([0; 20]);
    }
    b.rtp.send_to(&report, to_b).unwrap();
    b.rtp.send_to(&packet(0, 7, None), to_b).unwrap();
    assert_eq!(receive(&a.rtp).0, report);
    assert_eq!(receive(&a.rtp).0, packet(0, 7, None));
}
