//! What all endpoints of a process know of overload: their own, and that of servers.

use super::clients::{ClientAddress, Clients, scaled};
use super::measure::WINDOW;
use super::parameters::{Algorithm, Report, Seq};
use super::restrictions::{RestrictionView, Restrictions};
use super::settings::Settings;
use crate::time::Now;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

/// As many endpoints as a process may have.
const ENDPOINTS: usize = 64;
/// What is left of what is offered is kept in ten-thousandths.
const ALL: u32 = 10_000;

/// What the endpoints of a process share: clients are told of the process, for a client does not see its endpoints.
pub struct Shared {
    pub(crate) restrictions: Restrictions,
    clients: Clients,
    endpoints: [Slot; ENDPOINTS],
    /// What the busiest of them leaves, as it says that itself.
    left: AtomicU32,
    /// When that was last made, or told anew: the number of what is told.
    seq: AtomicU64,
    /// The same by the clock that only goes on, in nanoseconds.
    told: AtomicU64,
}

/// What one endpoint says of itself; nothing at first.
#[derive(Debug, Default)]
struct Slot {
    /// 0 while it is not overloaded; else one more than the ten-thousandths that it leaves.
    left: AtomicU32,
    /// The share of its time that it works, in percent.
    share: AtomicU32,
}

/// How an endpoint is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EndpointView {
    /// Whether it is overloaded.
    pub overloaded: bool,
    /// The share of its time that it worked lately, in percent.
    pub occupancy: u32,
    /// The share of what is offered that it takes, in percent.
    pub taken: u32,
}

impl Shared {
    /// Nobody is overloaded. `hasher` is seeded by the shell.
    #[must_use]
    pub fn new(hasher: &ahash::RandomState) -> Self {
        Self {
            restrictions: Restrictions::new(hasher),
            clients: Clients::new(hasher),
            endpoints: std::array::from_fn(|_| Slot::default()),
            left: AtomicU32::new(0),
            seq: AtomicU64::new(0),
            told: AtomicU64::new(0),
        }
    }

    /// What servers have asked of us.
    #[must_use]
    pub fn restrictions(&self, now: Now) -> Vec<RestrictionView> {
        self.restrictions.views(now)
    }

    /// How many servers take part in overload control, and how many of them ask for fewer requests now.
    #[must_use]
    pub fn servers(&self, now: Now) -> (usize, usize) {
        self.restrictions.count(now)
    }

    /// How the endpoint with that number is.
    #[must_use]
    pub fn endpoint(&self, number: u16) -> EndpointView {
        let Some(slot) = self.endpoints.get(usize::from(number)) else {
            return EndpointView { overloaded: false, occupancy: 0, taken: 100 };
        };
        let left = slot.left.load(Ordering::Relaxed);
        let taken = 100 - left.saturating_sub(1).min(ALL) / (ALL / 100);
        EndpointView { overloaded: left > 0, occupancy: slot.share.load(Ordering::Relaxed), taken }
    }

    /// An endpoint says how it is: the share that it takes if it is overloaded.
    pub(crate) fn publish(&self, now: Now, endpoint: u16, overloaded: Option<f64>, occupancy: f64) {
        let Some(slot) = self.endpoints.get(usize::from(endpoint)) else { return };
        slot.share.store(scaled(100, occupancy / 100.0), Ordering::Relaxed);
        let left = overloaded.map_or(0, |taken| 1 + ALL - scaled(ALL, taken));
        let before = slot.left.swap(left, Ordering::Relaxed);
        // Shards that calm down at once may have stored what another one had before: whoever is calm looks again.
        if left == 0 && before == 0 && !self.is_overloaded() {
            return;
        }
        let most = self.endpoints.iter().map(|slot| slot.left.load(Ordering::Relaxed)).max();
        self.left.store(most.unwrap_or(0), Ordering::Relaxed);
        self.told.store(now.mono.as_nanos(), Ordering::Relaxed);
        self.advance(now);
    }

    /// The number of what is told while somebody is overloaded: another one each window, even if who is overloaded is stuck and
    /// says nothing new. A client passes over what it knows already (RFC 7339 §5.4), and what it has heeded is over after its
    /// validity (§4.3).
    fn renew(&self, now: Now) -> Seq {
        let (last, at) = (self.told.load(Ordering::Relaxed), now.mono.as_nanos());
        let is_due = u128::from(at.saturating_sub(last)) >= WINDOW.as_nanos();
        // Of several who find that it is time, one does it.
        if is_due && self.told.compare_exchange(last, at, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            return self.advance(now);
        }
        Seq(self.seq.load(Ordering::Relaxed))
    }

    /// A later number: the time, or one more where that has not gone on (RFC 7339 §4.4).
    fn advance(&self, now: Now) -> Seq {
        let time = Seq::at(now.wall);
        let next = |last: u64| {
            let later = time.follows(Seq(last));
            Some(if later { time.0 } else { Seq::wrapped(last.wrapping_add(1)).0 })
        };
        let _ = self.seq.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
        Seq(self.seq.load(Ordering::Relaxed))
    }

    /// A request of a client that takes part by that algorithm has come.
    pub(crate) fn count(&self, now: Now, algorithm: Algorithm, of: ClientAddress, settings: &Settings) {
        if algorithm == Algorithm::Rate {
            self.clients.count(now, of, self.is_overloaded(), settings.remembered);
        }
    }

    fn is_overloaded(&self) -> bool {
        self.left.load(Ordering::Relaxed) > 0
    }

    /// What a client is told (RFC 7339 §5.1, §5.2, §5.7).
    pub(crate) fn report(
        &self,
        now: Now,
        algorithm: Algorithm,
        of: ClientAddress,
        settings: &Settings,
    ) -> Report {
        let seq = match self.seq.load(Ordering::Relaxed) {
            0 => self.advance(now),
            seq => Seq(seq),
        };
        let Some(left) = self.left.load(Ordering::Relaxed).checked_sub(1) else {
            return Report { algorithm, value: 0, validity: Duration::ZERO, seq };
        };
        let value = match algorithm {
            Algorithm::Loss => left.min(ALL).div_ceil(ALL / 100),
            Algorithm::Rate => self.clients.rate(of, 1.0 - f64::from(left) / f64::from(ALL)),
        };
        let seq = self.renew(now);
        Report { algorithm, value, validity: settings.validity, seq }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::NetworkId;
    use crate::time::Wall;

    fn at(ms: u64) -> Now {
        Now { wall: Wall(ms), ..Now::default() }
    }

    fn shared() -> Shared {
        Shared::new(&ahash::RandomState::with_seeds(1, 2, 3, 4))
    }

    fn told(shared: &Shared, ms: u64, algorithm: Algorithm) -> String {
        let client = (NetworkId(0), [192, 0, 2, 1].into());
        shared.report(at(ms), algorithm, client, &Settings::default()).to_string()
    }

    // conforms: RFC7339-4.3-2 RFC7339-4.4-2 RFC7339-5.1-5,6 RFC7339-5.2-2 RFC7339-5.7-1,2 RFC7415-3.3-2 RFC7415-3.4-3
    #[test]
    fn rfc7339_5_clients_are_told_of_the_busiest_endpoint() {
        let shared = shared();
        let calm = ";oc=0;oc-algo=\"loss\";oc-validity=0;oc-seq=1282321615.78200";
        assert_eq!(told(&shared, 1_282_321_615_782, Algorithm::Loss), calm);
        assert_eq!(told(&shared, 1_282_321_699_000, Algorithm::Loss), calm, "nothing has changed");
        shared.publish(at(1_282_321_700_000), 3, Some(0.8), 97.0);
        let asked = ";oc=20;oc-algo=\"loss\";oc-validity=500;oc-seq=1282321700.00000";
        assert_eq!(told(&shared, 1_282_321_700_001, Algorithm::Loss), asked);
        shared.publish(at(1_282_321_700_000), 5, Some(0.35), 97.0);
        let more = ";oc=65;oc-algo=\"loss\";oc-validity=500;oc-seq=1282321700.00001";
        assert_eq!(
            told(&shared, 1_282_321_700_001, Algorithm::Loss),
            more,
            "later, though the clock stands still"
        );
        let rate = ";oc=1;oc-algo=\"rate\";oc-validity=500;oc-seq=1282321700.00001";
        assert_eq!(told(&shared, 1_282_321_700_001, Algorithm::Rate), rate);
        shared.publish(at(1_282_321_700_200), 5, None, 50.0);
        assert!(told(&shared, 1_282_321_700_200, Algorithm::Loss).contains("oc=20;"));
        shared.publish(at(1_282_321_700_400), 3, None, 50.0);
        let over = ";oc=0;oc-algo=\"loss\";oc-validity=0;oc-seq=1282321700.40000";
        assert_eq!(told(&shared, 1_282_321_700_500, Algorithm::Loss), over);
        assert_eq!(shared.endpoint(3), EndpointView { overloaded: false, occupancy: 50, taken: 100 });
    }

    #[test]
    fn rfc7339_5_4_while_the_overloaded_endpoint_is_stuck_clients_hear_of_it_by_new_numbers() {
        let (shared, settings) = (shared(), Settings::default());
        let client = (NetworkId(0), [192, 0, 2, 1].into());
        let since = |ms: u64| {
            let mono = crate::time::Mono::from_epoch(Duration::from_millis(ms));
            Now { mono, wall: Wall(1_282_321_700_000 + ms) }
        };
        shared.publish(since(0), 3, Some(0.5), 100.0);
        let told = |ms| shared.report(since(ms), Algorithm::Loss, client, &settings);
        let first = told(10);
        assert_eq!((first.value, first.validity), (50, settings.validity));
        assert_eq!(told(199), first, "it has just been said");
        let second = told(200);
        assert!(second.seq.follows(first.seq) && second.value == 50);
        assert_eq!(told(399).seq, second.seq);
        // Whoever heeds the last number goes on past the validity of the first.
        assert!(told(2_000).seq.follows(second.seq));
        shared.publish(since(2_300), 3, None, 10.0);
        let over = told(2_301);
        assert_eq!((over.value, over.validity), (0, Duration::ZERO));
        assert_eq!(told(9_000), over, "that nothing is asked for is said once");
    }

    // conforms: RFC7339-5.3-1 RFC7415-3.4-2
    #[test]
    fn rfc7415_3_4_a_client_gets_its_share_in_requests_a_second() {
        let shared = shared();
        let (client, settings) = ((NetworkId(0), [192, 0, 2, 1].into()), Settings::default());
        for n in 0..600 {
            let mono = crate::time::Mono::from_epoch(Duration::from_millis(n * 10));
            let now = Now { mono, wall: Wall(n * 10) };
            shared.count(now, Algorithm::Rate, client, &settings);
        }
        shared.publish(at(10_000), 0, Some(0.5), 100.0);
        let value = shared.report(at(10_000), Algorithm::Rate, client, &settings).value;
        assert!((48..=51).contains(&value), "half of a hundred a second, whatever the requests are: {value}");
        let view = EndpointView { overloaded: true, occupancy: 100, taken: 50 };
        assert_eq!(shared.endpoint(0), view);
    }
}
