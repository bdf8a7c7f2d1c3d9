//! For the fuzz target.

use std::sync::Arc;

use super::{Digit, Law, Plan, Sent, Tallies, Translator, Turn, Voice, Way, info};
use crate::PartyId;

/// What is made of keys, one after the other.
const WAYS: [Way; 4] = [
    Way::Said(Voice::Events { payload: 96, clock: 8_000, events: 0x1_ffff }),
    Way::Said(Voice::Tones { payload: 8, law: Law::A }),
    Way::Reported,
    Way::Nowhere,
];

/// Gives packets, each after its length and the milliseconds before it, to a translator; true where more keys are said than were heard,
/// or more packets sent than there is time for.
pub(crate) fn fuzzed(input: &[u8]) -> bool {
    let Some((first, mut rest)) = input.split_first() else { return false };
    let _ = info::read(info::RELAY, rest);
    let Some(way) = WAYS.get(usize::from(first & 3)) else { return false };
    let tones = [(8, Law::A), (0, Law::Mu)];
    let tones = if first & 4 == 0 { Box::default() } else { tones.into() };
    let clock = if first & 8 == 0 { 8_000 } else { 48_000 };
    let (events, party, peer) = (Some((101, clock)), PartyId(0), PartyId(1));
    let plan = Plan { events, tones, way: *way, call: 0, party, peer, ssrc: 7, cname: [b'c'; 16] };
    let (tallies, mut translator) = (Tallies::default(), Translator::new(&Arc::new(plan)));
    let (mut millis, mut sent) = (0, 0);
    while let [length, pause, more @ ..] = rest {
        let (packet, after) = more.split_at(usize::from(*length).min(more.len()));
        rest = after;
        let end = millis + u64::from(*pause);
        while millis <= end {
            let turn = Turn { millis, micros: millis * 1_000, tallies: &tallies };
            translator.pass_time(turn, &mut |what, _| sent += u64::from(what == Sent::Rtp));
            while translator.report().is_some() {}
            millis += 1;
        }
        let turn = Turn { millis, micros: millis * 1_000, tallies: &tallies };
        let mut packet = packet.to_vec();
        match packet.as_slice() {
            [b'I', code, ..] => translator.say(Digit::of_code(*code).unwrap_or(Digit::FLASH), 100, turn),
            _ if pause & 1 == 0 => {
                translator.packet(&mut packet, turn);
            }
            _ => {
                translator.tell(&mut packet);
                translator.tell_back(&mut packet);
            }
        }
    }
    let (heard, said) = translator.counted();
    said > heard || sent > 3 + 2 * millis / 20
}
