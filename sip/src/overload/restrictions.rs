//! What servers have asked of us (RFC 7339 §5.4, §5.5, §5.7).

use super::bucket::Bucket;
use super::parameters::{Algorithm, Feedback, Seq};
use super::rank::{Mix, Rank, mono};
use super::settings::Settings;
use crate::flow::NetworkId;
use crate::ids::Ids;
use crate::time::{Mono, Now};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How long a sequence number is remembered: no transaction that began before it still runs then.
const MEMORY: Duration = Duration::from_secs(32);

/// A server: overload control is by address and port (RFC 7339 §5.4), seen from a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Server {
    /// The network that it is reached from.
    pub network: NetworkId,
    /// Its address.
    pub address: SocketAddr,
}

/// What is in effect towards a server that takes part in overload control.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestrictionView {
    /// Which it is.
    pub server: Server,
    /// What it asks for: the algorithm, the value of `oc`, and for how long still; `None` if it asks for nothing.
    pub control: Option<(Algorithm, u32, Duration)>,
    /// The last sequence number.
    pub seq: Option<Seq>,
    /// Requests that were sent to it since it is remembered.
    pub sent: u64,
    /// Requests that were not.
    pub withheld: u64,
}

/// What feedback led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// A restriction begins.
    Begun(Algorithm, u32),
    /// It goes on, perhaps with another value.
    Renewed,
    /// It is over.
    Ended,
    /// The server still asks for nothing.
    Nothing,
    /// It was known, or is older than what is known.
    Stale,
}

/// All servers that take part, as all endpoints know them.
pub(crate) struct Restrictions(papaya::HashMap<Server, Arc<State>, ahash::RandomState>);

/// What is known of one. Whoever sends reads it without waiting.
#[derive(Debug, Default)]
struct State {
    /// The last number and when it came. Its holder alone writes `control` and `until`.
    latest: Mutex<Option<(Seq, Mono)>>,
    /// The value of `oc`, and above 32 bits whether it is a rate.
    control: AtomicU64,
    /// Until when that counts, in nanoseconds.
    until: AtomicU64,
    heard: AtomicU64,
    bucket: Bucket,
    mix: Mix,
    sent: AtomicU64,
    withheld: AtomicU64,
}

impl State {
    /// What is in effect.
    fn control(&self, now: Now) -> Option<(Algorithm, u32, Duration)> {
        let until = mono(self.until.load(Ordering::Acquire));
        if until <= now.mono {
            return None;
        }
        let control = self.control.load(Ordering::Relaxed);
        let algorithm = if control >> 32 == 0 { Algorithm::Loss } else { Algorithm::Rate };
        let value = u32::try_from(control & u64::from(u32::MAX)).unwrap_or(u32::MAX);
        Some((algorithm, value, until.since(now.mono)))
    }

    fn set(&self, control: Option<(Algorithm, u32, Mono)>) {
        let Some((algorithm, value, until)) = control else { return self.until.store(0, Ordering::Release) };
        let rate = u64::from(algorithm == Algorithm::Rate);
        self.control.store(rate << 32 | u64::from(value), Ordering::Relaxed);
        self.until.store(until.as_nanos(), Ordering::Release);
    }
}

impl Restrictions {
    pub(crate) fn new(hasher: &ahash::RandomState) -> Self {
        Self(papaya::HashMap::with_hasher(hasher.clone()))
    }

    /// A server has said something in a response.
    pub(crate) fn heard(
        &self,
        now: Now,
        server: Server,
        feedback: Feedback,
        settings: &Settings,
        ids: &mut dyn Ids,
    ) -> Heard {
        let state = self.state(server, settings.remembered);
        // Another endpoint is just writing what it has heard of the same server: as good as this.
        let Ok(mut latest) = state.latest.try_lock() else { return Heard::Stale };
        if let Some(seq) = feedback.seq {
            let known = latest.filter(|(_, at)| now.mono.since(*at) < MEMORY);
            if known.is_some_and(|(known, _)| !seq.follows(known)) {
                return Heard::Stale;
            }
            *latest = Some((seq, now.mono));
        }
        state.heard.store(now.mono.as_nanos(), Ordering::Relaxed);
        let before = state.control(now).map(|(algorithm, ..)| algorithm);
        let Some((algorithm, value, validity)) = feedback.control else {
            state.set(None);
            return if before.is_some() { Heard::Ended } else { Heard::Nothing };
        };
        if algorithm == Algorithm::Rate && before != Some(Algorithm::Rate) {
            state.bucket.begin(now, value, ids.next_u64());
        }
        state.set(Some((algorithm, value, now.mono + validity.min(settings.longest))));
        if before.is_some() { Heard::Renewed } else { Heard::Begun(algorithm, value) }
    }

    /// What is kept of a server.
    fn state(&self, server: Server, most: usize) -> Arc<State> {
        let states = self.0.pin();
        if let Some(state) = states.get(&server) {
            return state.clone();
        }
        if states.len() >= most.max(1) {
            let oldest = states.iter().min_by_key(|(_, state)| state.heard.load(Ordering::Relaxed));
            if let Some(server) = oldest.map(|(server, _)| *server) {
                states.remove(&server);
            }
        }
        states.get_or_insert_with(server, Arc::default).clone()
    }

    /// Whether a request of that rank may be sent to a server now; if it may, it counts as sent (RFC 7339 §5.5).
    pub(crate) fn admits(&self, now: Now, server: Server, rank: Rank, ids: &mut dyn Ids) -> bool {
        let states = self.0.pin();
        let Some(state) = states.get(&server) else { return true };
        state.mix.count(now, rank);
        let sends = match state.control(now) {
            None => true,
            Some((Algorithm::Loss, percent, _)) => !state.mix.leaves_out(percent, rank, ids.next_u64()),
            Some((Algorithm::Rate, rate, _)) => state.bucket.admits(now, rate, rank, ids.next_u64()),
        };
        let count = if sends { &state.sent } else { &state.withheld };
        count.fetch_add(1, Ordering::Relaxed);
        sends
    }

    /// How many servers there are, and towards how many something is in effect.
    pub(crate) fn count(&self, now: Now) -> (usize, usize) {
        let states = self.0.pin();
        (states.len(), states.values().filter(|state| state.control(now).is_some()).count())
    }

    /// Everything that is remembered, in the order of servers.
    pub(crate) fn views(&self, now: Now) -> Vec<RestrictionView> {
        let states = self.0.pin();
        let view = |(server, state): (&Server, &Arc<State>)| RestrictionView {
            server: *server,
            control: state.control(now),
            seq: state.latest.try_lock().ok().and_then(|latest| latest.map(|(seq, _)| seq)),
            sent: state.sent.load(Ordering::Relaxed),
            withheld: state.withheld.load(Ordering::Relaxed),
        };
        let mut views: Vec<_> = states.iter().map(view).collect();
        views.sort_unstable_by_key(|view| view.server);
        views
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::tests::Seeded;

    fn at(ms: u64) -> Now {
        Now { mono: Mono::from_epoch(Duration::from_millis(ms)), ..Now::default() }
    }

    fn server(last: u8) -> Server {
        Server { network: NetworkId(0), address: SocketAddr::from(([192, 0, 2, last], 5060)) }
    }

    struct Table {
        table: Restrictions,
        settings: Settings,
        ids: Seeded,
    }

    impl Table {
        fn new() -> Self {
            let table = Restrictions::new(&ahash::RandomState::with_seeds(1, 2, 3, 4));
            Self { table, settings: Settings::default(), ids: Seeded(5) }
        }

        fn hear(&mut self, ms: u64, last: u8, oc: Option<(Algorithm, u32, u64)>, seq: Option<u64>) -> Heard {
            let control = oc.map(|(algorithm, value, ms)| (algorithm, value, Duration::from_millis(ms)));
            let feedback = Feedback { control, seq: seq.map(|whole| Seq(whole * 100_000)) };
            self.table.heard(at(ms), server(last), feedback, &self.settings, &mut self.ids)
        }

        fn loss(&mut self, ms: u64, percent: u32, seq: u64) -> Heard {
            self.hear(ms, 1, Some((Algorithm::Loss, percent, 500)), Some(seq))
        }

        /// Of a thousand ordinary requests, how many are sent, in percent.
        fn sent(&mut self, ms: u64) -> u32 {
            let sends = |_: &u32| self.table.admits(at(ms), server(1), Rank::Ordinary, &mut self.ids);
            u32::try_from((0..1_000).filter(sends).count()).unwrap() / 10
        }

        fn value(&self, ms: u64) -> Option<u32> {
            self.table.views(at(ms)).first().and_then(|view| view.control).map(|(_, value, _)| value)
        }
    }

    // conforms: RFC7339-4.1-4 RFC7339-5.4-1 RFC7339-5.5-1,2
    #[test]
    fn rfc7339_5_4_a_restriction_counts_until_its_validity_is_over() {
        let mut of = Table::new();
        assert_eq!(of.sent(0), 100, "nothing is known of it");
        of.hear(0, 1, None, Some(1));
        (0..4_000).for_each(|_| {
            of.table.admits(at(0), server(1), Rank::Ordinary, &mut of.ids).then_some(()).unwrap();
        });
        assert_eq!(of.loss(0, 20, 2), Heard::Begun(Algorithm::Loss, 20));
        assert!(of.sent(0).abs_diff(80) <= 3);
        assert!(of.sent(499).abs_diff(80) <= 3);
        assert_eq!(of.sent(500), 100);
        assert_eq!(of.value(500), None);
        assert_eq!(of.loss(600, 100, 3), Heard::Begun(Algorithm::Loss, 100));
        assert_eq!(of.sent(601), 0);
        assert!(
            of.table.admits(at(601), server(2), Rank::Ordinary, &mut of.ids),
            "another server is another"
        );
        let view = of.table.views(at(601)).remove(0);
        assert!(view.withheld > 1_000 && view.sent > 5_000, "{view:?}");
    }

    #[test]
    fn rfc7339_5_4_only_later_numbers_count() {
        let mut of = Table::new();
        of.loss(0, 20, 10);
        assert_eq!(of.loss(400, 50, 10), Heard::Stale, "the same does not even go on longer");
        assert_eq!(of.loss(400, 50, 9), Heard::Stale);
        assert_eq!(of.value(499), Some(20));
        assert_eq!(of.value(500), None);
        assert_eq!(of.loss(600, 50, 9), Heard::Stale, "it was late");
        assert_eq!(of.loss(600, 30, 11), Heard::Begun(Algorithm::Loss, 30));
        assert_eq!(of.loss(700, 31, 12), Heard::Renewed);
        assert_eq!(of.value(1_199), Some(31));
        of.loss(1_200, 40, 100_000);
        assert_eq!(of.loss(1_300, 41, 0), Heard::Renewed, "the numbers have begun anew");
        assert_eq!(of.loss(1_400, 42, 1), Heard::Renewed);
        assert_eq!(of.value(1_400), Some(42));
        assert_eq!(of.loss(33_500, 43, 0), Heard::Begun(Algorithm::Loss, 43), "forgotten");
    }

    #[test]
    fn rfc7339_5_7_a_validity_of_zero_ends_it() {
        let mut of = Table::new();
        assert_eq!(of.hear(0, 1, None, Some(1)), Heard::Nothing);
        of.loss(0, 100, 2);
        assert_eq!(of.hear(1, 1, None, Some(2)), Heard::Stale, "its number has to go up");
        assert_eq!(of.hear(1, 1, None, Some(3)), Heard::Ended);
        assert_eq!(of.sent(1), 100);
        of.loss(2, 100, 4);
        assert_eq!(of.hear(3, 1, None, None), Heard::Ended, "without a number it counts as it comes");
    }

    #[test]
    fn rfc7339_5_8_the_client_follows_a_change_of_algorithm() {
        let mut of = Table::new();
        of.loss(0, 0, 1);
        assert_eq!(of.sent(0), 100);
        of.hear(1, 1, Some((Algorithm::Rate, 0, 500)), Some(2));
        assert_eq!(of.sent(1), 0, "a rate of 0 is none, a loss of 0 is all");
        of.hear(2, 1, Some((Algorithm::Rate, 10, 500)), Some(3));
        let sends = |_: &u32| of.table.admits(at(2), server(1), Rank::Ordinary, &mut of.ids);
        assert!((4..=7).contains(&(0..100).filter(sends).count()), "as many as the bucket tolerates");
    }

    #[test]
    fn a_restriction_is_bounded_in_time_and_servers_in_number() {
        let mut of = Table::new();
        of.settings.remembered = 2;
        of.hear(0, 1, Some((Algorithm::Loss, 5, u64::MAX)), Some(1));
        let left = of.table.views(at(0)).remove(0).control.unwrap().2;
        assert_eq!(left, of.settings.longest);
        of.hear(1, 2, None, Some(1));
        of.hear(2, 1, None, Some(2));
        of.hear(3, 3, None, Some(1));
        let known: Vec<_> = of.table.views(at(3)).iter().map(|view| view.server).collect();
        assert_eq!(known, [server(1), server(3)], "the one not heard of for longest is forgotten");
        assert_eq!(of.table.count(at(3)), (2, 0));
    }
}
