//! A server that gets whatever comes, from somebody without a credential and from somebody with one.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use zeroize::Zeroizing;

use super::credentials::{Algorithm, mint};
use super::*;
use crate::stun::{NONCE, REALM, USERNAME, Writer, header, key_of};

const SECRET: &str = "a secret of the fuzzer";
const NOW: Now = Now { millis: 1_000, unix: 1_700_000_000 };
const MEDIA: SocketAddr = SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)), 20_000);

#[derive(Default)]
struct Seen {
    open: usize,
    answer: Vec<u8>,
    astray: bool,
}

impl Wires for Seen {
    fn open(&mut self, _: u16) -> bool {
        self.open += 1;
        true
    }

    fn close(&mut self, _: u16) {
        self.open = self.open.saturating_sub(1);
    }

    fn to_client(&mut self, _: Client, message: &[u8]) -> bool {
        self.answer = message.to_vec();
        true
    }

    fn to_peer(&mut self, _: u16, peer: SocketAddr, _: &[u8]) -> bool {
        self.astray |= peer != MEDIA;
        true
    }
}

/// Each message of the input has its length and a letter before it: what it is. True where somebody without a credential has got a
/// port, a packet went to somebody else than the one peer there is, or an answer is longer than it may be.
pub(crate) fn fuzzed(input: &[u8]) -> bool {
    let ip = MEDIA.ip();
    let settings = Settings {
        realm: "example.com".into(),
        secrets: vec![Zeroizing::new(SECRET.to_owned())],
        relayed: Relayed { bind: ip, told: ip, ports: 50_000..=50_007 },
        reach: Reach { own: vec![Own { told: ip, bound: ip, ports: 20_000..=20_000 }], ..Reach::default() },
        lifetime: 600,
        longest_lifetime: 3_600,
        nonce_lifetime: 600,
        quarantine: 360,
        old_channels: false,
        limits: Limits { allocations: 4, per_user: 3, permissions: 2, rate: Some(10_000), unproven: 1_000 },
    };
    let mut server = Server::new(Arc::new(settings), &[7; 32], Arc::default());
    let (mut seen, mut frames, mut input) = (Seen::default(), Frames::default(), input);
    let client = |connection| Client { listener: 0, connection, address: SocketAddr::new(ip, 9) };
    let (stranger, known) = (client(None), client(Some(1)));
    while let Some(([what, l0, l1], rest)) = input.split_first_chunk::<3>() {
        let length = usize::from(u16::from_be_bytes([*l0, *l1]));
        let (message, rest) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        input = rest;
        let before = seen.open;
        seen.answer.clear();
        match what {
            b's' => {
                server.receive(stranger, message, NOW, &mut seen);
                if seen.open > before {
                    return true;
                }
            }
            b'c' => {
                let _ = frames.receive(message, |one| {
                    server.receive(known, one, NOW, &mut seen);
                });
            }
            b'p' => {
                let mut room = [&[0; HEADROOM][..], message, &[0; 3]].concat();
                for port in 50_000..=50_007 {
                    server.arrived((port, MEDIA), &mut room, message.len(), NOW, &mut seen);
                }
            }
            b't' => server.pass_time(Now { millis: NOW.millis + 400_000, ..NOW }, &mut seen),
            kind => sealed(&mut server, known, (u16::from(kind & 0x0f), message), &mut seen),
        }
        if seen.astray || (header(&seen.answer).is_some() && seen.answer.len() > 512 && *what != b'p') {
            return true;
        }
    }
    false
}

/// A request with these attributes, from somebody who has the password.
fn sealed(server: &mut Server, client: Client, (kind, attributes): (u16, &[u8]), seen: &mut Seen) {
    let Some(login) = mint(SECRET, "fuzz", NOW.unix + 60) else { return };
    let nonce = server.nonce_for(client, NOW);
    let key = Algorithm::Md5.key_of(&login.username, "example.com", &login.password);
    let mut out = Vec::new();
    let mut writer = Writer::new(&mut out, kind, b"twelve bytes");
    writer.attribute(USERNAME, login.username.as_bytes()).attribute(REALM, b"example.com");
    writer.attribute(NONCE, nonce.as_bytes()).raw(attributes).integrity(&key_of(&key));
    server.receive(client, &out, NOW, seen);
}
