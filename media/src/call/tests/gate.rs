//! What may flow of what was negotiated (RFC 5009 §8).

use super::*;
use crate::{ContextId, Direction};
use std::collections::BTreeMap;

/// Whether A and B are heard in each stream, in order.
fn heard(call: &mut Call) -> Vec<(bool, bool)> {
    call.drain();
    let mut ways = BTreeMap::<ContextId, bool>::new();
    for command in &call.commands {
        if let Command::Set { context, settings, .. } = command {
            ways.insert(*context, settings.peer.is_some());
        }
    }
    let of = |party: PartyId| {
        let streams = &call.media.parties.iter().find(|found| found.id == party).unwrap().streams;
        streams.iter().map(|stream| ways[&stream.context.unwrap()]).collect::<Vec<_>>()
    };
    of(A).into_iter().zip(of(B)).collect()
}

/// With three streams.
fn early() -> Call {
    let mut call = Call::new(Mode::Anchored);
    let more = |port: u16| format!("m=video {port} RTP/AVP 99\nm=audio {} RTP/AVP 0\n", port + 10);
    call.offer(A, B, &format!("{AUDIO}{}", more(5000))).unwrap();
    call.answer(B, A, &format!("{ANSWER}{}", more(6000))).unwrap();
    call
}

// conforms: RFC5009-8-2,3
#[test]
fn rfc5009_8_each_direction_is_for_its_stream_the_last_for_all_further_ones_and_too_many_do_no_harm() {
    use Direction::{Inactive, RecvOnly, SendOnly, SendRecv};
    let mut call = early();
    let all = vec![(true, true); 3];
    assert_eq!(heard(&mut call), all);
    call.media.gate(B, Some(&[SendOnly, Inactive]));
    assert_eq!(heard(&mut call), [(false, true), (false, false), (false, false)]);
    call.media.gate(B, Some(&[RecvOnly, SendRecv, SendOnly, Inactive, Inactive]));
    assert_eq!(heard(&mut call), [(true, false), (true, true), (false, true)]);
    call.media.gate(B, None);
    assert_eq!(heard(&mut call), all);
}

#[test]
fn a_gate_stays_over_what_is_negotiated_and_who_is_connected_behind_it() {
    let mut call = Call::new(Mode::Anchored);
    call.media.gate(B, Some(&[Direction::Inactive]));
    call.offer(A, B, AUDIO).unwrap();
    call.answer(B, A, ANSWER).unwrap();
    assert_eq!(heard(&mut call), [(false, false)]);
    call.offer(B, A, ANSWER).unwrap();
    call.answer(A, B, AUDIO).unwrap();
    assert_eq!(heard(&mut call), [(false, false)]);
    let before = call.commands.len();
    call.media.gate(B, Some(&[Direction::Inactive]));
    call.drain();
    assert_eq!(call.commands.len(), before, "nothing new, no orders");
}
