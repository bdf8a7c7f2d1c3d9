//! Sequence numbers and RTCP of a stream that is changed.

use super::super::lane::Lane;
use crate::rtp::Header;

fn header(sequence: u16) -> Header {
    Header { payload: 8, sequence, timestamp: u32::from(sequence) * 160, ssrc: 9 }
}

// conforms: RFC4733-2.5.1.6-1
#[test]
fn numbers_go_on_without_a_gap_over_what_is_put_in_and_taken_out() {
    let mut lane = Lane::new(1, 8_000);
    assert!(lane.is_untouched());
    assert_eq!(lane.pass(header(65_534), 0), Some(65_534));
    assert_eq!(lane.put_in(4).sequence, 65_535);
    assert_eq!((lane.put_in(4).sequence, lane.put_in(4).ssrc), (0, 9));
    lane.take_out(header(65_535), 160, 0);
    assert_eq!(lane.pass(header(0), 0), Some(2));
    lane.take_out(header(1), 160, 0);
    assert_eq!(lane.put_in(4).sequence, 3);
    assert_eq!(lane.pass(header(2), 0), Some(4));
}

#[test]
fn a_loss_stays_one_and_what_comes_late_has_its_number_or_none() {
    let mut lane = Lane::new(1, 8_000);
    assert_eq!(lane.pass(header(10), 0), Some(10));
    assert_eq!(lane.pass(header(13), 0), Some(13));
    assert_eq!(lane.pass(header(12), 0), Some(12));
    assert_eq!(lane.put_in(4).sequence, 14);
    assert_eq!(lane.pass(header(11), 0), None, "its number would be that of another one");
    assert_eq!(lane.pass(header(15), 0), Some(16));
    assert_eq!(lane.pass(header(14), 0), Some(15));
}

#[test]
fn another_source_has_numbers_of_its_own() {
    let mut lane = Lane::new(1, 8_000);
    lane.pass(header(10), 0);
    lane.put_in(4);
    let other = Header { ssrc: 77, ..header(500) };
    assert_eq!(lane.pass(other, 0), Some(500));
    assert!(lane.is_untouched());
}

#[test]
fn a_stream_of_our_own_has_the_name_that_it_was_given_and_a_clock() {
    let mut lane = Lane::new(0x1234_5678, 8_000);
    let (first, second) = (lane.put_in(4), lane.put_in(4));
    assert_eq!((first.ssrc, second.sequence), (0x1234_5678, first.sequence + 1));
    let begun = lane.timestamp(1_000_000);
    assert_eq!(lane.timestamp(1_020_000).wrapping_sub(begun), 160);
    // A year later, too.
    let late = 31_536_000_000_000;
    assert_eq!(lane.timestamp(late + 20_000).wrapping_sub(lane.timestamp(late)), 160);
    let mut lane = Lane::new(1, 48_000);
    lane.pass(header(4), 5_000_000);
    assert_eq!(lane.timestamp(5_020_000), 640 + 960);
}

#[test]
fn rfc3550_7_2_reports_say_what_is_true_on_their_side() {
    let mut lane = Lane::new(1, 8_000);
    lane.pass(header(10), 0);
    lane.put_in(4);
    lane.put_in(4);
    lane.take_out(header(11), 160, 0);
    // A sender report of the source, with a report of its own, and a description after it.
    let mut sent = Vec::new();
    sent.extend([0x81, 200, 0, 12]);
    for word in [9u32, 1, 2, 3, 100, 16_000, 5, 0, 65_600, 0, 0, 0] {
        sent.extend(word.to_be_bytes());
    }
    sent.extend([0x81, 202, 0, 1, 0, 0, 0, 9]);
    let before = sent.clone();
    lane.tell(&mut sent);
    assert_eq!(sent[20..24], 101u32.to_be_bytes());
    assert_eq!(sent[24..28], (16_000u32 + 8 - 160).to_be_bytes());
    assert_eq!((&sent[..20], &sent[28..]), (&before[..20], &before[28..]));
    // A receiver report of two sources, of which one is ours.
    let mut heard = Vec::new();
    heard.extend([0x82, 201, 0, 13]);
    for word in [5u32, 8, 0, 65_600, 0, 0, 0, 9, 0, 65_600, 0, 0, 0] {
        heard.extend(word.to_be_bytes());
    }
    let before = heard.clone();
    lane.tell_back(&mut heard);
    assert_eq!(heard[40..44], 65_599u32.to_be_bytes());
    assert_eq!((&heard[..40], &heard[44..]), (&before[..40], &before[44..]));
}

#[test]
fn rtcp_that_is_none_is_left_alone() {
    let lane = Lane::new(1, 8_000);
    for octets in [&[][..], &[0x80], &[0x9f, 201, 0, 1, 0, 0, 0, 1], &[0x81, 200, 255, 255, 1], &[0; 64]] {
        let mut changed = octets.to_vec();
        lane.tell(&mut changed);
        lane.tell_back(&mut changed);
        assert_eq!(changed, octets);
    }
}

#[test]
fn rfc8079_3_2_numbers_are_those_of_when_they_went() {
    let mut lane = Lane::new(1, 8_000);
    lane.pass(header(10), 0);
    // A key of three packets in the place of two, twice.
    for first in [11, 21] {
        for taken in first..first + 2 {
            lane.put_in(4);
            lane.take_out(header(taken), 160, 0);
        }
        lane.put_in(4);
        for sequence in first + 2..first + 10 {
            lane.pass(header(sequence), 0);
        }
    }
    // The receiver has lost what came as 10, as 15 and as 27: 10, 16 and 29.
    let mut nack = Vec::new();
    for word in [0x81cd_0004u32, 5, 9, 10 << 16 | 1 << 5, 29 << 16] {
        nack.extend(word.to_be_bytes());
    }
    lane.tell_back(&mut nack);
    assert_eq!(nack[12..], [0, 10, 0, 1 << 4, 0, 27, 0, 0]);
    // So are extended reports.
    let mut report = Vec::new();
    for word in [0x80cf_0004u32, 5, 1 << 24 | 2, 9, 16 << 16 | 29] {
        report.extend(word.to_be_bytes());
    }
    lane.tell_back(&mut report);
    assert_eq!(report[16..], [0, 15, 0, 27]);
}
