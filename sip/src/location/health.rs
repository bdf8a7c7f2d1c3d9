//! What is remembered of targets: which are down, since when and why.
//!
//! ```text
//!             silence, out of reach, 503 with Retry-After
//!      ┌────┐ ───────────────────────────────────────────► ┌──────┐ time ┌─────┐
//!      │ Up │                                              │ Held ├─────►│ Due │
//!      └────┘ ◄─────────────────────────────────────────── └──────┘      └──┬──┘
//!             any other response                              ▲   a request │
//!                                                             └─────────────┘
//! ```
//! A target that is due gets one request, which is the probe; while nothing comes back it is held again for others.

use super::settings::{Limits, Settings};
use super::target::Target;
use crate::Map;
use crate::flow::{Domain, NetworkId, Transport};
use crate::time::{Mono, Now, Wall};
use std::net::SocketAddr;
use std::time::Duration;

/// A target seen from a network.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The network that it is reached from.
    pub network: NetworkId,
    /// The transport.
    pub transport: Transport,
    /// Its address.
    pub address: SocketAddr,
    /// Over TLS: whom the connection must lead to. One that leads to somebody else is no trouble of his.
    pub domain: Option<Domain>,
}

/// What is wrong with a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It did not answer in time.
    Silent,
    /// The transport failed: no connection, or an ICMP error.
    OutOfReach,
    /// It answered 503 with Retry-After.
    Unavailable,
}

/// How a target is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetState {
    /// It answers.
    Up,
    /// It is skipped for that long.
    Held(Trouble, Duration),
    /// It was held, and the next request tries it.
    Due(Trouble),
}

/// A target as it is remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetView {
    /// Which it is.
    pub place: Place,
    /// How it is.
    pub state: TargetState,
    /// When it was first found to be up, or down.
    pub since: Wall,
    /// When it was last heard of, or missed.
    pub last: Wall,
}

/// How many targets are remembered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TargetGauges {
    /// Those that answer.
    pub up: usize,
    /// Those that are held, or due.
    pub down: usize,
}

/// The memory of targets.
#[derive(Debug)]
pub(crate) struct Health {
    known: Map<Place, Record>,
    stamps: u64,
}

#[derive(Clone, Copy, Debug)]
struct Record {
    down: Option<Down>,
    since: Wall,
    last: Wall,
    /// The order of the last news, to know the oldest.
    stamp: u64,
}

#[derive(Clone, Copy, Debug)]
struct Down {
    trouble: Trouble,
    until: Mono,
}

impl Target {
    /// The target, seen from a network.
    pub(crate) fn place(&self, network: NetworkId) -> Place {
        let Self { transport, address, .. } = *self;
        Place { network, transport, address, domain: self.domain.clone() }
    }
}

impl Health {
    /// Nothing is known of any target.
    pub(crate) fn new(hasher: &ahash::RandomState) -> Self {
        Self { known: Map::with_hasher(hasher.clone()), stamps: 0 }
    }

    /// What a target that is to be skipped suffers from.
    pub(crate) fn held(&self, now: Now, place: &Place) -> Option<Trouble> {
        let down = self.known.get(place)?.down?;
        (down.until > now.mono).then_some(down.trouble)
    }

    /// Whether a target has been down and not been heard of since.
    pub(crate) fn is_suspect(&self, place: &Place) -> bool {
        self.known.get(place).is_some_and(|record| record.down.is_some())
    }

    /// A request goes there: if the target is due, others skip it until there is news.
    pub(crate) fn tried(&mut self, now: Now, place: &Place, settings: &Settings) {
        if let Some(Record { down: Some(down), .. }) = self.known.get_mut(place)
            && down.until <= now.mono
        {
            down.until = now.mono + settings.hold;
        }
    }

    /// A response came from there.
    pub(crate) fn responded(&mut self, now: Now, place: Place, settings: &Settings) {
        self.note(now, place, None, &settings.limits);
    }

    /// It did not answer, or could not be reached.
    pub(crate) fn failed(&mut self, now: Now, place: Place, trouble: Trouble, settings: &Settings) {
        let until = now.mono + settings.hold;
        self.note(now, place, Some(Down { trouble, until }), &settings.limits);
    }

    /// Another address of its host was faster although this one had a head start: it comes after that one until it is
    /// heard of (RFC 8305 §4).
    pub(crate) fn slower(&mut self, now: Now, place: Place, settings: &Settings) {
        let down = Down { trouble: Trouble::Silent, until: now.mono };
        self.note(now, place, Some(down), &settings.limits);
    }

    /// It wants no requests for that long (RFC 3261 §21.5.4).
    pub(crate) fn unavailable(&mut self, now: Now, place: Place, wait: Duration, settings: &Settings) {
        let until = now.mono + wait.min(settings.longest_hold);
        let down = Down { trouble: Trouble::Unavailable, until };
        self.note(now, place, Some(down), &settings.limits);
    }

    fn note(&mut self, now: Now, place: Place, down: Option<Down>, limits: &Limits) {
        self.stamps += 1;
        let stamp = self.stamps;
        if let Some(record) = self.known.get_mut(&place) {
            if record.down.is_some() != down.is_some() {
                record.since = now.wall;
            }
            (record.down, record.last, record.stamp) = (down, now.wall, stamp);
            return;
        }
        if self.known.len() >= limits.remembered.max(1) {
            let oldest =
                self.known.iter().min_by_key(|(_, record)| record.stamp).map(|(place, _)| place.clone());
            oldest.and_then(|oldest| self.known.remove(&oldest));
        }
        self.known.insert(place, Record { down, since: now.wall, last: now.wall, stamp });
    }

    /// How many there are.
    pub(crate) fn gauges(&self) -> TargetGauges {
        let down = self.known.values().filter(|record| record.down.is_some()).count();
        TargetGauges { up: self.known.len() - down, down }
    }

    /// Everything that is remembered.
    pub(crate) fn views(&self, now: Now) -> Vec<TargetView> {
        let view = |(place, record): (&Place, &Record)| {
            let state = match record.down {
                None => TargetState::Up,
                Some(down) if down.until <= now.mono => TargetState::Due(down.trouble),
                Some(down) => TargetState::Held(down.trouble, down.until.since(now.mono)),
            };
            TargetView { place: place.clone(), state, since: record.since, last: record.last }
        };
        let mut views: Vec<_> = self.known.iter().map(view).collect();
        views.sort_unstable_by(|a, b| a.place.cmp(&b.place));
        views
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Now {
        let mono = Mono::from_epoch(Duration::from_secs(seconds));
        Now { mono, wall: Wall(seconds * 1_000) }
    }

    fn place(last: u8) -> Place {
        let address = SocketAddr::from(([192, 0, 2, last], 5060));
        Place { network: NetworkId(0), transport: Transport::Udp, address, domain: None }
    }

    fn health() -> (Health, Settings) {
        (Health::new(&ahash::RandomState::with_seeds(1, 2, 3, 4)), Settings::default())
    }

    // conforms: RFC7339-5.9-3
    #[test]
    fn a_silent_target_is_skipped_for_the_hold_and_then_tried_by_one() {
        let (mut health, settings) = health();
        assert_eq!(health.held(at(0), &place(1)), None);
        health.failed(at(0), place(1), Trouble::Silent, &settings);
        assert_eq!(health.held(at(29), &place(1)), Some(Trouble::Silent));
        assert_eq!(health.held(at(30), &place(1)), None);
        assert_eq!(health.views(at(30))[0].state, TargetState::Due(Trouble::Silent));
        health.tried(at(30), &place(1), &settings);
        assert_eq!(health.held(at(31), &place(1)), Some(Trouble::Silent), "others wait for the probe");
        assert!(health.is_suspect(&place(1)));
        health.responded(at(32), place(1), &settings);
        assert_eq!(health.held(at(32), &place(1)), None);
        let view = health.views(at(33)).remove(0);
        assert_eq!((view.state, view.since), (TargetState::Up, Wall(32_000)));
        health.tried(at(34), &place(1), &settings);
        assert_eq!(health.held(at(34), &place(1)), None, "who is up is not held for being tried");
    }

    #[test]
    fn rfc3261_21_5_4_retry_after_is_heeded_up_to_a_limit() {
        let (mut health, settings) = health();
        health.unavailable(at(0), place(1), Duration::from_secs(120), &settings);
        assert_eq!(health.held(at(119), &place(1)), Some(Trouble::Unavailable));
        assert_eq!(health.held(at(120), &place(1)), None);
        health.unavailable(at(0), place(1), Duration::from_secs(1 << 40), &settings);
        assert_eq!(health.held(at(3_599), &place(1)), Some(Trouble::Unavailable));
        assert_eq!(health.held(at(3_600), &place(1)), None);
    }

    // conforms: RFC8305-4-2
    #[test]
    fn since_is_the_beginning_of_the_trouble_and_networks_are_apart() {
        let (mut health, settings) = health();
        health.failed(at(5), place(1), Trouble::Silent, &settings);
        health.failed(at(9), place(1), Trouble::OutOfReach, &settings);
        let view = health.views(at(10)).remove(0);
        assert_eq!((view.since, view.last), (Wall(5_000), Wall(9_000)));
        assert_eq!(view.state, TargetState::Held(Trouble::OutOfReach, Duration::from_secs(29)));
        let elsewhere = Place { network: NetworkId(1), ..place(1) };
        assert_eq!(health.held(at(10), &elsewhere), None);
    }

    #[test]
    fn beyond_the_limit_the_oldest_news_is_forgotten() {
        let (mut health, mut settings) = health();
        settings.limits.remembered = 2;
        health.failed(at(0), place(1), Trouble::Silent, &settings);
        health.failed(at(1), place(2), Trouble::Silent, &settings);
        health.failed(at(2), place(1), Trouble::Silent, &settings);
        health.responded(at(3), place(3), &settings);
        let places: Vec<_> = health.views(at(3)).iter().map(|view| view.place.clone()).collect();
        assert_eq!(places, [place(1), place(3)]);
    }
}
