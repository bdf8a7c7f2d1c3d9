//! Which section a packet is of.

use std::sync::Arc;

use super::super::command::{Settings, Sources};
use super::super::senders::Senders;
use super::*;
use crate::{ContextId, PairId, ThreadId};

fn context(remote: u8, section: Option<Tags>) -> Context {
    let address = "192.0.2.1:9".parse().unwrap();
    let settings = Settings {
        remote: address,
        remote_rtcp: address,
        sources: Sources::Any,
        send: true,
        mux: true,
        rtp: true,
        dtls: false,
        ice: None,
        peer: None,
        clocks: Box::default(),
        payloads: None,
        rate: None,
        ssrcs: None,
        srtp: None,
        dtmf: None,
        veil: None,
        transcode: None,
        share: Some(Box::new(Share { transport: 0, section })),
    };
    let pair = PairId { thread: ThreadId(0), slot: 0, generation: 0 };
    Context::new(ContextId { pair, remote }, settings, Arc::default(), &mut Senders::default())
}

fn tags(mid: &str, payloads: &[u8], sources: &[u32]) -> Option<Tags> {
    Some(Tags {
        mid: mid.into(),
        extension: Some(4),
        blank: false,
        payloads: payloads.into(),
        sources: sources.into(),
    })
}

/// Audio, and two sections of video with the same formats.
fn three() -> Vec<Context> {
    vec![
        context(0, tags("a", &[0, 111], &[])),
        context(1, tags("v", &[96], &[])),
        context(2, tags("w", &[96], &[77])),
    ]
}

fn rtp(payload: u8, ssrc: u8, mid: Option<&str>) -> Vec<u8> {
    let mut packet = vec![0x80, payload, 0, 1, 0, 0, 0, 0, 0, 0, 0, ssrc];
    if let Some(mid) = mid {
        packet[0] |= 0x10;
        packet.extend([0xbe, 0xde, 0, 1, 0x40 | u8::try_from(mid.len() - 1).unwrap()]);
        packet.extend(mid.bytes());
        packet.resize(20, 0);
    }
    packet
}

fn section(contexts: &mut [Context], packet: &[u8]) -> Option<u8> {
    assign(contexts, 0, packet).map(|assigned| assigned.section)
}

// conforms: RFC9143-9.2-2,3,5,6
#[test]
fn rfc9143_9_2_rtp_goes_by_its_tag_its_source_and_its_payload_type() {
    let mut contexts = three();
    assert_eq!(section(&mut contexts, &rtp(111, 1, None)), Some(0), "only audio has that format");
    assert_eq!(section(&mut contexts, &rtp(96, 2, None)), None, "both have it");
    assert_eq!(section(&mut contexts, &rtp(96, 77, None)), Some(2), "the source was named");
    assert_eq!(section(&mut contexts, &rtp(96, 2, Some("w"))), Some(2));
    assert_eq!(section(&mut contexts, &rtp(96, 2, None)), Some(2), "the source is known by now");
    assert_eq!(section(&mut contexts, &rtp(96, 2, Some("v"))), Some(1), "a new tag counts");
    assert_eq!(section(&mut contexts, &rtp(96, 2, None)), Some(1));
    assert_eq!(section(&mut contexts, &rtp(96, 3, Some("x"))), None, "no section has that tag");
    assert_eq!(section(&mut contexts, &rtp(0, 2, None)), None, "the section has no such format");
    assert_eq!(section(&mut contexts, &[0x80, 0]), None);
}

// conforms: RFC9143-9.2-4
#[test]
fn a_source_of_a_section_that_is_gone_is_found_anew() {
    let mut contexts = three();
    assert_eq!(section(&mut contexts, &rtp(96, 5, Some("v"))), Some(1));
    contexts.remove(1);
    assert_eq!(section(&mut contexts, &rtp(96, 5, None)), Some(2));
}

#[test]
fn no_more_sources_are_known_than_there_is_room_for() {
    let mut contexts = three();
    for ssrc in 1..=100 {
        assert_eq!(section(&mut contexts, &rtp(96, ssrc, Some("v"))), Some(1));
    }
    assert_eq!(section(&mut contexts, &rtp(96, 1, None)), None, "forgotten");
    assert_eq!(section(&mut contexts, &rtp(96, 100, None)), Some(1));
}

/// One packet of RTCP of these words.
fn rtcp(count: u8, kind: u8, words: &[u32]) -> Vec<u8> {
    let mut packet = vec![0x80 | count, kind];
    packet.extend(u16::try_from(words.len()).unwrap().to_be_bytes());
    words.iter().for_each(|word| packet.extend(word.to_be_bytes()));
    packet
}

// conforms: RFC9143-9.2-1,7
#[test]
fn rfc9143_9_2_rtcp_goes_to_each_section_that_it_is_about() {
    let mut contexts = three();
    section(&mut contexts, &rtp(111, 1, None)).unwrap();
    section(&mut contexts, &rtp(96, 2, Some("v"))).unwrap();
    // We send 21 in the audio section and 23 in the last one.
    contexts[0].sends(0, crate::ice::Component::Rtp, &rtp(111, 21, None));
    contexts[0].sends(2, crate::ice::Component::Rtp, &rtp(96, 23, None));
    let mut to = |packets: &[Vec<u8>]| {
        let Assigned { section, others } = assign(&mut contexts, 0, &packets.concat()).unwrap();
        assert_eq!(others & bit(section), 0);
        others | bit(section)
    };
    let block = |ssrc| [ssrc, 0, 0, 0, 0, 0];
    let sender = |ssrc, blocks: &[[u32; 6]]| {
        let words = [&[ssrc, 0, 0, 0, 0, 0], blocks.as_flattened()].concat();
        rtcp(u8::try_from(blocks.len()).unwrap(), 200, &words)
    };
    assert_eq!(to(&[sender(1, &[])]), 0b001);
    assert_eq!(to(&[sender(2, &[block(23)])]), 0b110);
    assert_eq!(to(&[rtcp(2, 201, &[&[9][..], &block(21), &block(23)].concat())]), 0b101);
    assert_eq!(to(&[rtcp(1, 206, &[2, 23])]), 0b100, "a picture is asked for of what goes there");
    assert_eq!(to(&[rtcp(4, 206, &[2, 0, 23, 0])]), 0b100, "FIR has it behind");
    assert_eq!(to(&[rtcp(15, 206, &[2, 0, u32::from_be_bytes(*b"REMB"), 0x0200_0000, 21, 23])]), 0b101);
    assert_eq!(to(&[rtcp(1, 203, &[2])]), 0b010);
    assert_eq!(to(&[rtcp(0, 201, &[2])]), 0b001, "about nothing: of the session");
    assert_eq!(to(&[rtcp(0, 201, &[1]), rtcp(1, 206, &[1, 23]), rtcp(1, 206, &[1, 21])]), 0b101);
    // A source names its section: its item 15 is "w".
    let named = [sender(6, &[]), rtcp(1, 202, &[6, u32::from_be_bytes([15, 1, b'w', 0])])];
    assert_eq!(to(&named), 0b100);
    assert_eq!(to(&[sender(6, &[])]), 0b100);
}

fn bit(section: u8) -> u16 {
    1 << section
}

proptest::proptest! {
    #[test]
    fn any_octets_are_of_some_section_or_none(
        head in proptest::sample::select(vec![vec![], vec![0x80, 200], vec![0x8f, 202, 0, 3], vec![0x81, 205], vec![0x90, 96], vec![0x80, 207]]),
        rest in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200),
    ) {
        let mut contexts = three();
        if let Some(Assigned { section, others }) = assign(&mut contexts, 0, &[head, rest].concat()) {
            proptest::prop_assert!(section < 3 && others < 8);
        }
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, cases: 2_000, ..Default::default() })]
    #[test]
    fn of_any_packet_nothing_is_read_that_is_not_in_it(
        number in proptest::prelude::any::<u8>(),
        first in proptest::prelude::any::<[u8; 2]>(),
        profile in proptest::sample::select(vec![[0xbe, 0xde], [0x10, 0x00], [0x10, 0x07], [0xab, 0xcd]]),
        words in 0..6u16,
        rest in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..40),
    ) {
        let fixed = [[number & 15, 0x90 | first[0] & 0x2f, first[1]].as_slice(), &[0, 1, 0, 0, 0, 0, 0, 0, 0, 7]].concat();
        let packet = [fixed.as_slice(), &profile, &words.to_be_bytes(), &rest].concat();
        proptest::prop_assert!(!fuzzed(&packet));
    }
}
