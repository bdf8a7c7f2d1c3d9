//! What each client is used to send, so that an overloaded server can give it a rate (RFC 7415 §3.4): of what it sent
//! before, the share that is taken now.

use crate::flow::NetworkId;
use crate::time::Now;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

/// How long requests of a client are counted for one figure.
const WINDOW: Duration = Duration::from_secs(1);
/// How long a client is remembered that sends nothing, where there is no room for another.
const MEMORY: Duration = Duration::from_secs(3_600);

/// A client: its address, seen from a network; its ports change.
pub(crate) type ClientAddress = (NetworkId, IpAddr);

/// All clients that are asked for a rate, as all endpoints know them.
pub(crate) struct Clients {
    known: papaya::HashMap<ClientAddress, Arc<Client>, ahash::RandomState>,
    /// What a client sends on average, for those that are not known yet.
    typical: AtomicU32,
    /// When it was last looked for clients to forget, in nanoseconds: that takes as long as there are clients.
    looked: AtomicU64,
}

#[derive(Debug, Default)]
struct Client {
    began: AtomicU64,
    count: AtomicU32,
    /// Requests a second while there was no overload.
    rate: AtomicU32,
}

impl Clients {
    pub(crate) fn new(hasher: &ahash::RandomState) -> Self {
        Self {
            known: papaya::HashMap::with_hasher(hasher.clone()),
            typical: AtomicU32::new(1),
            looked: AtomicU64::new(0),
        }
    }

    /// A request of a client has come. What it sends under restrictions says nothing of what it would.
    pub(crate) fn count(&self, now: Now, of: ClientAddress, overloaded: bool, most: usize) {
        let known = self.known.pin();
        let client = match known.get(&of) {
            Some(client) => client,
            None if known.len() < most || self.forget(now) => known.get_or_insert_with(of, || {
                let began = AtomicU64::new(now.mono.as_nanos());
                Arc::new(Client { began, ..Client::default() })
            }),
            None => return,
        };
        let count = client.count.fetch_add(1, Ordering::Relaxed) + 1;
        let (began, time) = (client.began.load(Ordering::Relaxed), now.mono.as_nanos());
        let passed = Duration::from_nanos(time.saturating_sub(began));
        let is_over = passed >= WINDOW
            && client.began.compare_exchange(began, time, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if !is_over {
            return;
        }
        client.count.store(0, Ordering::Relaxed);
        if overloaded {
            return;
        }
        let found = u64::from(count) * 1_000 / u64::try_from(passed.as_millis()).unwrap_or(u64::MAX).max(1);
        let found = u32::try_from(found).unwrap_or(u32::MAX);
        let before = client.rate.load(Ordering::Relaxed);
        let rate = if before == 0 { found } else { before / 2 + found / 2 + (before & found & 1) };
        client.rate.store(rate.max(1), Ordering::Relaxed);
        let typical = u64::from(self.typical.load(Ordering::Relaxed));
        let typical = u32::try_from((typical * 3 + u64::from(rate)).div_ceil(4)).unwrap_or(u32::MAX);
        self.typical.store(typical, Ordering::Relaxed);
    }

    /// Forgets clients that were not heard of for long, once a window at most; whether there is room now.
    fn forget(&self, now: Now) -> bool {
        let (looked, time) = (self.looked.load(Ordering::Relaxed), now.mono.as_nanos());
        let soon = u128::from(time.saturating_sub(looked)) < WINDOW.as_nanos();
        if soon || self.looked.compare_exchange(looked, time, Ordering::Relaxed, Ordering::Relaxed).is_err() {
            return false;
        }
        let known = self.known.pin();
        let before = known.len();
        let long_ago = |client: &Client| {
            now.mono.as_nanos().saturating_sub(client.began.load(Ordering::Relaxed)) as u128
                >= MEMORY.as_nanos()
        };
        let gone: Vec<_> = known.iter().filter(|(_, c)| long_ago(c)).map(|(of, _)| *of).collect();
        for of in gone {
            known.remove(&of);
        }
        known.len() < before
    }

    /// The rate that a client may send at, in requests a second, where that share of everything is taken.
    pub(crate) fn rate(&self, of: ClientAddress, taken: f64) -> u32 {
        let own = self.known.pin().get(&of).map(|client| client.rate.load(Ordering::Relaxed));
        let rate = own.filter(|rate| *rate > 0).unwrap_or_else(|| self.typical.load(Ordering::Relaxed));
        scaled(rate, taken).max(1)
    }
}

/// That share of a number, rounded down.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of it is no more than it"
)]
pub(crate) fn scaled(number: u32, share: f64) -> u32 {
    (f64::from(number) * share.clamp(0.0, 1.0)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Mono;

    fn at(ms: u64) -> Now {
        Now { mono: Mono::from_epoch(Duration::from_millis(ms)), ..Now::default() }
    }

    fn client(last: u8) -> ClientAddress {
        (NetworkId(0), IpAddr::from([192, 0, 2, last]))
    }

    fn clients() -> Clients {
        Clients::new(&ahash::RandomState::with_seeds(1, 2, 3, 4))
    }

    #[test]
    fn rfc7415_3_4_a_rate_is_a_share_of_what_a_client_is_used_to_send() {
        let clients = clients();
        for n in 0..1_000 {
            clients.count(at(n * 10), client(1), false, 10);
            (0..4).for_each(|_| clients.count(at(n * 10), client(2), false, 10));
        }
        let near =
            |found: u32, wanted: u32| assert!(found.abs_diff(wanted) <= wanted / 20, "{found}, not {wanted}");
        near(clients.rate(client(1), 1.0), 100);
        near(clients.rate(client(2), 0.5), 200);
        let newcomer = clients.rate(client(3), 1.0);
        assert!((100..=400).contains(&newcomer), "{newcomer}");
        for n in 0..1_000 {
            clients.count(at(10_000 + n * 100), client(1), true, 10);
        }
        near(clients.rate(client(1), 0.25), 25);
        assert_eq!(clients.rate(client(1), 0.0), 1, "nobody is shut out");
    }

    #[test]
    fn clients_are_bounded_and_those_long_silent_make_room() {
        let clients = clients();
        clients.count(at(0), client(1), false, 1);
        clients.count(at(1), client(2), false, 1);
        assert!(clients.known.pin().get(&client(2)).is_none());
        clients.count(at(3_600_000), client(2), false, 1);
        assert!(clients.known.pin().get(&client(2)).is_some());
        assert_eq!(clients.known.len(), 1);
        // However many strangers come, the table is looked through once a window.
        (3..=200).for_each(|stranger| clients.count(at(3_600_100), client(stranger), false, 1));
        assert_eq!(clients.looked.load(Ordering::Relaxed), at(3_600_000).mono.as_nanos());
    }
}
