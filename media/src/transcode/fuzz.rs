//! For the fuzz target.

use std::sync::Arc;

use super::{Clock, Coder, Coding, Fate, Input, Now, OpusTerms, Outgoing, Packet, Plan, Tally, Totals, Way};
use crate::dtmf::Law;
use crate::{ContextId, PairId, ThreadId};

const CODINGS: [Coding; 6] = [
    Coding::G711(Law::A),
    Coding::G711(Law::Mu),
    Coding::G722,
    Coding::Opus,
    Coding::L16(Clock::Narrow),
    Coding::L16(Clock::Full),
];

/// Gives packets, each after its length and the milliseconds before it, to a coder; true where more is made than there is time for.
pub(crate) fn fuzzed(input: &[u8]) -> bool {
    let [first, second, rest @ ..] = input else { return false };
    let coding = |number: u8| CODINGS.get(usize::from(number % 6)).copied().unwrap_or(Coding::Opus);
    let (from, to) = (coding(*first), coding(*second));
    let millis = 10 * u32::from(second >> 4);
    let plan = Plan {
        inputs: [
            (96, Fate::Coded(from)),
            (0, Fate::Law(Law::Mu, Law::A, 8)),
            (9, Fate::Passed(Coding::G722, 9)),
        ]
        .into(),
        output: Outgoing { payload: 97, coding: to, opus: OpusTerms::default(), millis },
        events: Some(((101, 8_000), (102, 48_000))),
        noise: Some((13, (first & 0x80 != 0).then_some(14))),
        ssrc: 7,
        tally: Arc::new(Tally::default()),
    };
    let context = ContextId { pair: PairId { thread: ThreadId(0), slot: 0, generation: 0 }, remote: 0 };
    let mut coder = Coder::new(1, Arc::new(Totals::default()));
    let (mut now, mut made, mut came) = (Now(0), 0u64, 0u64);
    let mut count = |_| made += 1;
    coder.take(&Input::Set(context, Some(context), Arc::new(plan)), now, &mut count);
    let mut rest = rest;
    while let [length, pause, more @ ..] = rest {
        let (packet, after) = more.split_at(usize::from(*length).min(more.len()));
        rest = after;
        let end = now.0 + u64::from(*pause);
        while let Some(due) = coder.deadline().filter(|due| *due <= end) {
            now = now.max(Now(due));
            coder.pass_time(now, &mut count);
        }
        now = Now(end);
        let way = [Way::Rtp, Way::Rtp, Way::Said, Way::Rtcp].get(usize::from(pause & 3)).copied();
        if let Some(packet) = Packet::new(packet) {
            came += 1;
            coder.take(&Input::Packet(context, way.unwrap_or(Way::Rtp), packet), now, &mut count);
        }
    }
    // A packet has no more than 120 ms, a gap that is filled no more than 100, and each may have the rest of another flushed.
    made > 40 * came + now.0 / 10 + 1
}
