//! Offers and answers of two peers who say whatever they like, each after a NUL, in turns: what we tell the other one can be read, has
//! the sections of what it stands for, in their order, and nothing is left of the call.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use media::dtls::{Identity, Version};
use media::srtp::Suite;
use media::{
    Bundling, CallMedia, Connections, Ice, Keying, Latching, MediaNetwork, Mode, NetworkId, PartyId, Secret, Security, SrtpUse,
    VirtualPorts,
};
use sdp::{Description, Limits};
use std::sync::{Arc, OnceLock};

const LEGS: [PartyId; 2] = [PartyId(1), PartyId(2)];
/// More descriptions say nothing new.
const MOST: usize = 8;

fn identity() -> &'static Arc<Identity> {
    static MADE: OnceLock<Arc<Identity>> = OnceLock::new();
    MADE.get_or_init(|| Arc::new(Identity::generate().expect("there are random octets")))
}

/// What a leg wants, by six bits.
fn security(bits: u8) -> Security {
    let uses = [
        SrtpUse::EndToEnd,
        SrtpUse::Off,
        SrtpUse::Opportunistic,
        SrtpUse::Preferred,
        SrtpUse::Required,
        SrtpUse::Auto,
    ];
    let keying: [&[Keying]; 3] = [&[Keying::Sdes], &[Keying::Dtls], &[Keying::Dtls, Keying::Sdes]];
    Security {
        srtp: uses[usize::from(bits % 6)],
        keying: keying[usize::from(bits / 6 % 3)].into(),
        suites: Suite::ALL.into(),
        keys: bits & 32 == 0,
        identity: Some(Arc::clone(identity())),
        dtls: Version::V1_2,
        browser: bits & 1 == 1,
    }
}

fn network(number: u16, ice: u8) -> MediaNetwork {
    MediaNetwork {
        id: NetworkId(number),
        bind: [192, 0, 2, 10].into(),
        advertised: None,
        ports: 20_000..=20_199,
        latching: Latching::Described,
        ice: [Ice::Off, Ice::Accept, Ice::Offer][usize::from(ice % 3)],
        marks: media::Marks::default(),
        traversal: None,
    }
}

/// The type and protocol of a section.
type Line = (String, String);

fn sections(text: &[u8]) -> Vec<Line> {
    let text =
        Description::parse(Bytes::copy_from_slice(text), &Limits::default()).expect("it is a description");
    text.media().map(|media| (media.line().media.into(), media.line().proto.into())).collect()
}

fuzz_target!(|input: &[u8]| {
    let [how, near, far, rest @ ..] = input else { return };
    let mode = if how & 1 == 0 { Mode::Anchored } else { Mode::Bypass };
    let networks = [network(0, how >> 1), network(1, how >> 3)];
    let mut ports = VirtualPorts::new(&networks);
    let connections = [Connections::Refused, Connections::Relayed, Connections::Around][usize::from(how >> 5) % 3];
    let media = CallMedia::new(mode, Limits::default(), 7).with_ice(Secret::new([1, 2]));
    let mut media = media.with_connections(connections);
    for (number, (leg, bits)) in LEGS.into_iter().zip([near, far]).enumerate() {
        media.add_party(leg, &networks[number]);
        media.protect(leg, security(*bits), [number as u8; 32]);
        media.bundle(leg, [Bundling::Accept, Bundling::Offer, Bundling::Off][usize::from(bits >> 6) % 3]);
    }
    let mut texts = rest.split(|byte| *byte == 0).take(MOST);
    let mut turn = 0;
    while let (Some(offer), answer) = (texts.next(), texts.next().unwrap_or_default()) {
        let (from, to) = (LEGS[turn % 2], LEGS[(turn + 1) % 2]);
        turn += 1;
        if media.receive_offer(from, offer).is_err() {
            continue;
        }
        let offered = sections(offer).len();
        let settled = media.compose_offer(to, from, &mut ports).ok().filter(|told| {
            assert!(sections(told).len() >= offered, "no section is lost");
            media.receive_answer(to, answer).is_ok()
        });
        match settled.and_then(|_| media.compose_answer(from, to, &mut ports).ok()) {
            Some(told) => {
                assert_eq!(sections(&told).len(), offered, "an answer lines up with its offer");
                // Where media goes around us, what the other side says of its transport is its own affair; RTP has several profiles.
                let is_rtp = |line: &Line| line.1.to_ascii_uppercase().contains("RTP");
                let is_its = |(told, offer): (Line, Line)| told == offer || is_rtp(&told) && is_rtp(&offer);
                let lines = sections(&told).into_iter().zip(sections(offer));
                assert!(mode == Mode::Bypass || lines.into_iter().all(is_its));
                media.connect(from, to);
            }
            None => LEGS.into_iter().for_each(|leg| media.offer_failed(leg)),
        }
        while let Some(command) = media.poll_command() {
            ports.carry_out(&command);
        }
    }
    media.close();
    while let Some(command) = media.poll_command() {
        ports.carry_out(&command);
    }
    assert_eq!(ports.lent(), 0, "every port was given back");
});
