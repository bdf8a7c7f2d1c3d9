//! Which of several connections to one host opens first (RFC 8305 §5).
//!
//! The first address has a head start; then another one joins whenever the head start has passed again, or at once when
//! one of those that run has failed. The first that opens wins, the others are given up.

use super::target::Target;
use crate::time::{Mono, Now};
use std::collections::VecDeque;
use std::time::Duration;

/// The least between the beginnings of two connections, whatever becomes of the first (RFC 8305 §5).
const LEAST: Duration = Duration::from_millis(10);

/// Names a connection that is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectId(pub(crate) u64);

/// What a race wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RaceStep {
    /// Open a connection to that target, and say by [`Race::opens`] what it is called.
    Open(Target),
    /// Nothing before that time, unless a connection opens or fails.
    Wait(Option<Mono>),
    /// Nothing: none opened.
    Lost,
}

/// A race under way.
#[derive(Debug)]
pub(crate) struct Race {
    waiting: VecDeque<Target>,
    running: Vec<(ConnectId, Target)>,
    next_at: Mono,
    /// When the next one may begin at the earliest.
    earliest: Mono,
}

impl Race {
    /// A race of these, which begins now. The families take turns, that of the first one first (RFC 8305 §4).
    pub(crate) fn new(now: Now, targets: impl IntoIterator<Item = Target>) -> Self {
        Self { waiting: take_turns(targets), running: Vec::new(), next_at: now.mono, earliest: now.mono }
    }

    /// What is to be done now.
    pub(crate) fn poll(&mut self, now: Now, head_start: Duration) -> RaceStep {
        if self.next_at <= now.mono
            && let Some(target) = self.waiting.pop_front()
        {
            (self.next_at, self.earliest) = (now.mono + head_start.max(LEAST), now.mono + LEAST);
            return RaceStep::Open(target);
        }
        match (self.running.is_empty(), self.waiting.is_empty()) {
            (true, true) => RaceStep::Lost,
            (_, waits_for_none) => RaceStep::Wait((!waits_for_none).then_some(self.next_at)),
        }
    }

    /// A connection to that target is being opened.
    pub(crate) fn opens(&mut self, id: ConnectId, target: Target) {
        self.running.push((id, target));
    }

    /// A connection could not be opened: the target, and the next one may begin, 10 ms after it at the earliest.
    pub(crate) fn failed(&mut self, now: Now, id: ConnectId) -> Option<Target> {
        let at = self.running.iter().position(|(running, _)| *running == id)?;
        self.next_at = now.mono.max(self.earliest);
        Some(self.running.swap_remove(at).1)
    }

    /// A connection is open: the target that has won.
    pub(crate) fn opened(&mut self, id: ConnectId) -> Option<Target> {
        let at = self.running.iter().position(|(running, _)| *running == id)?;
        Some(self.running.swap_remove(at).1)
    }

    /// The connections that are being opened.
    pub(crate) fn running(&self) -> impl Iterator<Item = ConnectId> {
        self.running.iter().map(|(id, _)| *id)
    }

    /// The targets whose connections have not opened although they began before, or failed.
    pub(crate) fn slower(&self) -> impl Iterator<Item = &Target> {
        self.running.iter().map(|(_, target)| target)
    }

    /// The targets that have neither won nor failed, for who must go on without the winner.
    pub(crate) fn others(&self) -> impl DoubleEndedIterator<Item = Target> {
        self.running.iter().map(|(_, target)| target).chain(&self.waiting).cloned()
    }
}

/// The same targets with the families in turn.
fn take_turns(targets: impl IntoIterator<Item = Target>) -> VecDeque<Target> {
    let targets: Vec<Target> = targets.into_iter().collect();
    let first = targets.first().map(|target| target.address.is_ipv4());
    let (mut ours, mut others): (VecDeque<_>, VecDeque<_>) =
        targets.into_iter().partition(|target| Some(target.address.is_ipv4()) == first);
    let mut turns = VecDeque::with_capacity(ours.len() + others.len());
    while !(ours.is_empty() && others.is_empty()) {
        turns.extend(ours.pop_front());
        turns.extend(others.pop_front());
    }
    turns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::Transport;

    fn target(address: &str) -> Target {
        Target { transport: Transport::Tcp, address: address.parse().unwrap(), host: 0, domain: None }
    }

    fn at(ms: u64) -> Now {
        Now { mono: Mono::from_epoch(Duration::from_millis(ms)), ..Now::default() }
    }

    const HEAD_START: Duration = Duration::from_millis(250);
    const SIX: [&str; 2] = ["[2001:db8::1]:5060", "[2001:db8::2]:5060"];
    const FOUR: [&str; 2] = ["192.0.2.1:5060", "192.0.2.2:5060"];

    /// Opens what is to be opened at that time; returns the last digits and what it waits for.
    fn open(race: &mut Race, ms: u64) -> (Vec<String>, RaceStep) {
        let mut opened = Vec::new();
        loop {
            match race.poll(at(ms), HEAD_START) {
                RaceStep::Open(target) => {
                    let n = race.running.len() as u64 + 100 * ms;
                    opened.push(target.address.to_string());
                    race.opens(ConnectId(n), target);
                }
                step => return (opened, step),
            }
        }
    }

    fn wait(ms: u64) -> RaceStep {
        RaceStep::Wait(Some(at(ms).mono))
    }

    #[test]
    fn rfc8305_families_take_turns_and_each_has_a_head_start() {
        let mut race = Race::new(at(1_000), [SIX[0], SIX[1], FOUR[0], FOUR[1]].map(target));
        assert_eq!(open(&mut race, 1_000), (vec![SIX[0].to_owned()], wait(1_250)));
        assert_eq!(open(&mut race, 1_249).0.len(), 0);
        assert_eq!(open(&mut race, 1_250), (vec![FOUR[0].to_owned()], wait(1_500)));
        assert_eq!(open(&mut race, 1_500), (vec![SIX[1].to_owned()], wait(1_750)));
        assert_eq!(open(&mut race, 1_750), (vec![FOUR[1].to_owned()], RaceStep::Wait(None)));
        assert_eq!(race.running().count(), 4);
    }

    #[test]
    fn rfc8305_5_a_failure_lets_the_next_begin_at_once() {
        let mut race = Race::new(at(0), [SIX[0], FOUR[0]].map(target));
        open(&mut race, 0);
        let id = race.running().next().unwrap();
        assert_eq!(race.failed(at(10), id), Some(target(SIX[0])));
        assert_eq!(race.failed(at(10), id), None);
        assert_eq!(open(&mut race, 10), (vec![FOUR[0].to_owned()], RaceStep::Wait(None)));
        let id = race.running().next().unwrap();
        assert_eq!(race.opened(id), Some(target(FOUR[0])));
    }

    // conforms: RFC8305-5-1,2 RFC8305-8-1
    #[test]
    fn rfc8305_5_two_connections_never_begin_within_10_ms() {
        let mut race = Race::new(at(0), [SIX[0], FOUR[0], SIX[1]].map(target));
        open(&mut race, 0);
        let first = race.running().next().unwrap();
        race.failed(at(1), first);
        assert_eq!(open(&mut race, 1), (vec![], wait(10)), "though the one before was refused at once");
        assert_eq!(open(&mut race, 10).0, [FOUR[0]]);
        assert_eq!(race.poll(at(11), Duration::ZERO), wait(260));
        let mut hasty = Race::new(at(0), [SIX[0], FOUR[0]].map(target));
        assert!(matches!(hasty.poll(at(0), Duration::ZERO), RaceStep::Open(_)));
        assert_eq!(hasty.poll(at(9), Duration::ZERO), wait(10), "whatever the head start is set to");
    }

    #[test]
    fn a_race_of_which_all_fail_is_lost() {
        let mut race = Race::new(at(0), [SIX[0], FOUR[0]].map(target));
        for ms in [0, 10] {
            open(&mut race, ms);
            let id = race.running().next().unwrap();
            race.failed(at(ms), id);
        }
        assert_eq!(open(&mut race, 10), (vec![], RaceStep::Lost));
    }

    #[test]
    fn who_has_not_failed_is_left_for_later() {
        let mut race = Race::new(at(0), [FOUR[0], FOUR[1], SIX[0]].map(target));
        open(&mut race, 0);
        open(&mut race, 250);
        let second = race.running().nth(1).unwrap();
        assert_eq!(race.opened(second), Some(target(SIX[0])));
        assert_eq!(race.others().collect::<Vec<_>>(), [FOUR[0], FOUR[1]].map(target));
    }
}
