//! Names there and back.

use std::sync::Arc;

use super::{Veil, Veiled};
use crate::rtp::Header;

fn packet(sequence: u16, ssrc: u32) -> Vec<u8> {
    let mut packet = vec![0x80, 8];
    packet.extend(sequence.to_be_bytes());
    packet.extend((u32::from(sequence) * 160).to_be_bytes());
    packet.extend(ssrc.to_be_bytes());
    packet.extend([0xd5; 160]);
    packet
}

fn veil() -> Arc<Veil> {
    Arc::new(Veil::new([9; 32], true))
}

fn beyond(veiled: &mut Veiled, sequence: u16, ssrc: u32) -> Header {
    let mut packet = packet(sequence, ssrc);
    assert!(veiled.packet(&mut packet, None));
    Header::read(&packet).unwrap()
}

#[test]
fn a_source_has_one_name_and_its_numbers_go_on() {
    let veil = veil();
    let mut veiled = Veiled::new(&veil);
    let first = beyond(&mut veiled, 65_535, 7);
    assert_eq!((first.ssrc, first.ssrc == 7), (veil.name(7, 0).ssrc, false));
    assert!(first.sequence < 0x8000);
    let next = beyond(&mut veiled, 0, 7);
    assert_eq!(next.sequence, first.sequence + 1);
    assert_eq!(first.timestamp.wrapping_sub(next.timestamp), 65_535 * 160);
    let other = beyond(&mut veiled, 3, 8);
    assert_ne!(other.ssrc, first.ssrc);
    // Many later it is called the same.
    for ssrc in 100..200 {
        beyond(&mut veiled, 1, ssrc);
    }
    assert_eq!(beyond(&mut veiled, 1, 7).ssrc, first.ssrc);
}

#[test]
fn where_payloads_have_numbers_they_stay() {
    let mut veiled = Veiled::new(&Arc::new(veil().without_numbers()));
    let header = beyond(&mut veiled, 5, 7);
    assert_eq!((header.sequence, header.timestamp), (5, 800));
    assert_eq!(header.ssrc, veil().name(7, 0).ssrc);
}

#[test]
fn contributing_sources_are_renamed_as_they_are_in_their_own_packets() {
    let mut veiled = Veiled::new(&veil());
    let mut mixed = packet(1, 7);
    mixed[0] = 0x82;
    mixed[12..16].copy_from_slice(&8u32.to_be_bytes());
    assert!(veiled.packet(&mut mixed, None));
    assert_eq!(mixed[12..16], veil().name(8, 0).ssrc.to_be_bytes());
    assert_ne!(mixed[16..20], 0xd5d5_d5d5u32.to_be_bytes());
    assert_eq!(beyond(&mut veiled, 1, 8).ssrc, veil().name(8, 0).ssrc);
}

#[test]
fn rfc3550_8_2_a_name_that_is_taken_beyond_is_given_up() {
    let mut veiled = Veiled::new(&veil());
    let first = beyond(&mut veiled, 1, 7);
    let mut again = packet(2, 7);
    assert!(veiled.packet(&mut again, Some(first.ssrc)));
    let now = Header::read(&again).unwrap();
    assert_eq!(now.ssrc, veil().name(7, 1).ssrc);
    assert_eq!(beyond(&mut veiled, 3, 7).sequence, now.sequence + 1);
}

#[test]
fn rtcp_says_the_same_on_both_sides() {
    let mut veiled = Veiled::new(&veil());
    let header = beyond(&mut veiled, 40_000, 7);
    let mut report = vec![0x80, 200, 0, 6, 0, 0, 0, 7];
    for word in [1u32, 2, 40_000 * 160, 1, 160] {
        report.extend(word.to_be_bytes());
    }
    report.extend([0x81, 202, 0, 3, 0, 0, 0, 7, 1, 5, b'a', b'l', b'i', b'c', b'e', 0]);
    let length = report.len();
    report.resize(length + 64, 0);
    let told = veiled.tell(&mut report, length).unwrap();
    assert_eq!(told, length + 12);
    assert_eq!(report[4..8], header.ssrc.to_be_bytes());
    assert_eq!(report[16..20], header.timestamp.to_be_bytes());
    assert_eq!(
        (&report[32..36], &report[38..54]),
        (&header.ssrc.to_be_bytes()[..], &veil().cname(b"alice")[..])
    );
    // The receiver has seen that packet, and has lost the next but one.
    let mut heard = vec![0x81, 201, 0, 7, 0, 0, 0, 3];
    for word in [header.ssrc, 0, 0x1_0000 + u32::from(header.sequence), 0, 2, 9] {
        heard.extend(word.to_be_bytes());
    }
    heard.extend([0x81, 205, 0, 3, 0, 0, 0, 3]);
    heard.extend(header.ssrc.to_be_bytes());
    heard.extend((header.sequence + 2).to_be_bytes());
    heard.extend([0, 0]);
    veiled.tell_back(&mut heard);
    assert_eq!(heard[8..12], 7u32.to_be_bytes());
    assert_eq!(heard[16..20], (0x1_0000u32 + 40_000).to_be_bytes());
    assert_eq!(heard[24..32], [0, 0, 0, 2, 0, 0, 0, 9], "the round trip is between the two");
    assert_eq!((&heard[40..44], &heard[44..46]), (&7u32.to_be_bytes()[..], &40_002u16.to_be_bytes()[..]));
}

#[test]
fn what_is_none_does_not_go_on() {
    let mut veiled = Veiled::new(&veil());
    assert!(!veiled.packet(&mut [0x40; 20], None));
    assert_eq!(veiled.tell(&mut [0x80, 200, 0, 9, 1, 2, 3, 4], 8), None);
}

#[test]
fn another_veil_makes_other_names_and_the_same_one_goes_on() {
    let veil = veil();
    let mut veiled = Some(Box::new(Veiled::new(&veil)));
    let first = beyond(veiled.as_mut().unwrap(), 9, 7);
    Veiled::change(&mut veiled, Some(&Arc::new(veil.without_numbers())));
    assert_eq!(beyond(veiled.as_mut().unwrap(), 10, 7).sequence, first.sequence + 1);
    Veiled::change(&mut veiled, Some(&Arc::new(Veil::new([8; 32], true))));
    assert_ne!(beyond(veiled.as_mut().unwrap(), 11, 7).ssrc, first.ssrc);
    Veiled::change(&mut veiled, None);
    assert!(veiled.is_none());
}

/// A mixer's report has many: the one that sends goes on as it was.
#[test]
fn who_is_only_reported_on_takes_no_place_from_who_sends() {
    let mut veiled = Veiled::new(&veil());
    let before = beyond(&mut veiled, 100, 9).sequence;
    for first in [100u32, 120] {
        let sources: Vec<u8> = (first..first + 20).flat_map(u32::to_be_bytes).collect();
        let mut bye = vec![0x80 | 20, 203, 0, 20];
        bye.extend_from_slice(&sources);
        let mut compound = vec![0x80, 201, 0, 1, 0, 0, 0, 9];
        compound.extend_from_slice(&bye);
        let length = compound.len();
        compound.resize(length + 256, 0);
        veiled.tell(&mut compound, length);
    }
    assert_eq!(beyond(&mut veiled, 101, 9).sequence, before.wrapping_add(1));
}
