//! A called side that forks: one branch has heard our key roll over when another one answers, whose SRTP is libsrtp's.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use media::relay::{Config, Link, start};
use media::srtp::{Kind, Suite};
use media::{
    CallMedia, Ice, Keying, Latching, Limits, Marks, MediaNetwork, Mode, NetworkId, PartyId, Security,
    SrtpUse,
};

use crate::srtp_library::{Library, built};

const CALLER: PartyId = PartyId(1);
const FIRST: PartyId = PartyId(2);
const LATE: PartyId = PartyId(3);
/// We offer one line.
const TAG: u32 = 1;
const SUITE: Suite = Suite::AesCm128Sha1Tag80;
const GUARD: Duration = Duration::from_secs(30);
/// The key of both branches: nothing comes from them here.
const THEIRS: &str = "AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";

fn network(id: u16, host: u8) -> MediaNetwork {
    MediaNetwork {
        id: NetworkId(id),
        bind: IpAddr::V4(Ipv4Addr::new(127, 61, 0, host)),
        advertised: None,
        ports: 20_000..=20_999,
        latching: Latching::Described,
        ice: Ice::Off,
        marks: Marks::default(),
        traversal: None,
    }
}

fn socket() -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind((Ipv4Addr::new(127, 61, 0, 9), 0)).unwrap();
    socket.set_read_timeout(Some(GUARD)).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

fn describe(address: SocketAddr, crypto: &str) -> String {
    let (ip, port) = (address.ip(), address.port());
    let proto = if crypto.is_empty() { "RTP/AVP" } else { "RTP/SAVP" };
    format!(
        "v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} {proto} 8\r\n{crypto}"
    )
}

fn rtp(sequence: u16) -> Vec<u8> {
    let mut packet = vec![0x80, 8];
    packet.extend(sequence.to_be_bytes());
    packet.extend((u32::from(sequence) * 160).to_be_bytes());
    packet.extend(7u32.to_be_bytes());
    packet.extend([0xd5; 160]);
    packet
}

fn carry_out(call: &mut CallMedia, link: &mut Link) {
    while let Some(command) = call.poll_command() {
        link.carry_out(command);
    }
    link.flush();
}

/// libsrtp with the key of that suite in a description of ours.
fn told(program: &std::path::Path, text: &[u8]) -> Library {
    let text = std::str::from_utf8(text).unwrap();
    let mut lines = text.lines().filter_map(|line| line.strip_prefix("a=crypto:"));
    let line = lines.find(|line| line.starts_with(&format!("{TAG} {}", SUITE.name()))).unwrap();
    Library::new(program, SUITE, &octets(line.rsplit_once("inline:").unwrap().1))
}

/// What Base64 says.
fn octets(text: &str) -> Vec<u8> {
    let value = |letter| match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let four = |letters: &[u8]| letters.iter().fold(0, |sum, letter| sum << 6 | u32::from(value(*letter)));
    text.as_bytes()
        .chunks_exact(4)
        .flat_map(|letters| four(letters).to_be_bytes().into_iter().skip(1))
        .collect()
}

#[test]
fn rfc3711_3_3_1_a_branch_that_answers_after_a_roll_over_understands_us_by_another_key() {
    let program = built("late");
    let networks = [network(0, 1), network(1, 2)];
    let (_relay, mut links) = start(&Config::new(networks.to_vec())).unwrap();
    let mut link = links.pop().unwrap();
    let [(alice, at_alice), (first, at_first), (late, at_late)] = [socket(), socket(), socket()];
    let mut call = CallMedia::new(Mode::Anchored, Limits::default(), 1);
    call.add_party(CALLER, &networks[0]);
    call.add_party(FIRST, &networks[1]);
    let security = Security {
        srtp: SrtpUse::Required,
        keying: [Keying::Sdes].into(),
        suites: [SUITE].into(),
        keys: true,
        ..Security::default()
    };
    call.protect(FIRST, security, [7; 32]);

    call.receive_offer(CALLER, describe(at_alice, "").as_bytes()).unwrap();
    let offer = call.compose_offer(FIRST, CALLER, &mut link).unwrap();
    call.fork_party(FIRST, LATE).unwrap();
    let mut opened_first = told(&program, &offer);
    let mut opened_late = told(&program, &offer);
    let answer = |address| describe(address, &format!("a=crypto:{TAG} {THEIRS}\r\n"));
    call.receive_answer(FIRST, answer(at_first).as_bytes()).unwrap();
    call.compose_answer(CALLER, FIRST, &mut link).unwrap();
    call.connect(CALLER, FIRST);
    carry_out(&mut call, &mut link);
    let ours = call.view(CALLER).unwrap().streams[0].local.unwrap();

    let hear = |socket: &UdpSocket| {
        let mut buffer = [0; 2_000];
        let length = socket.recv(&mut buffer).unwrap();
        buffer[..length].to_vec()
    };
    for sequence in (0..20).map(|number: u16| number.wrapping_sub(10)) {
        alice.send_to(&rtp(sequence), ours).unwrap();
        assert_eq!(opened_first.ask("unprotect", Kind::Rtp, &hear(&first)).unwrap(), rtp(sequence));
    }
    // The late one answers, and has what the offer said.
    call.receive_answer(LATE, answer(at_late).as_bytes()).unwrap();
    call.compose_answer(CALLER, LATE, &mut link).unwrap();
    call.connect(CALLER, LATE);
    call.remove_party(FIRST);
    carry_out(&mut call, &mut link);
    let deadline = Instant::now() + GUARD;
    late.set_nonblocking(true).unwrap();
    let mut buffer = [0; 2_000];
    let length = loop {
        // Its thread has got the orders at some moment.
        alice.send_to(&rtp(11), ours).unwrap();
        if let Ok(length) = late.recv(&mut buffer) {
            break length;
        }
        assert!(Instant::now() < deadline);
        std::thread::yield_now();
    };
    assert!(
        opened_late.ask("unprotect", Kind::Rtp, &buffer[..length]).is_err(),
        "libsrtp takes the counter for 0"
    );
    assert!(!call.knows(LATE, CALLER), "another key is due");

    let offer = call.compose_offer(LATE, CALLER, &mut link).unwrap();
    let mut opened_late = told(&program, &offer);
    call.receive_answer(LATE, answer(at_late).as_bytes()).unwrap();
    carry_out(&mut call, &mut link);
    assert!(call.knows(LATE, CALLER));
    late.set_nonblocking(false).unwrap();
    alice.send_to(&rtp(12), ours).unwrap();
    loop {
        // Some may come that went by the key before.
        if opened_late.ask("unprotect", Kind::Rtp, &hear(&late)).as_ref() == Ok(&rtp(12)) {
            break;
        }
        assert!(Instant::now() < deadline);
        alice.send_to(&rtp(12), ours).unwrap();
    }
    for sequence in 13..30 {
        alice.send_to(&rtp(sequence), ours).unwrap();
    }
    let mut heard = Vec::new();
    while heard.last() != Some(&rtp(29)) {
        heard.extend(opened_late.ask("unprotect", Kind::Rtp, &hear(&late)));
        assert!(Instant::now() < deadline);
    }
    assert_eq!(heard, (13..30).map(rtp).collect::<Vec<_>>());
    let _ = std::fs::remove_file(program);
}
