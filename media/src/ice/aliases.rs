//! Addresses by which ports of ours are known beyond a NAT: at a TURN server, and where a STUN server sees them. Written by the desk that
//! finds them, asked by relay threads for packets, without a lock.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use ahash::RandomState;

use super::reach::Beyond;

/// How far from where it belongs an address may be.
const WINDOW: usize = 8;
/// No address.
const VACANT: u64 = 0;

#[derive(Debug, Default)]
struct Slot {
    /// The hash of an address. Nobody who does not know its key finds two addresses with one.
    key: AtomicU64,
    /// Which port of ours it is.
    place: AtomicU64,
}

/// All of them. One that finds no place near where it belongs is not known to be ours: hardly any, of a table of which a quarter is used.
#[derive(Debug)]
pub(crate) struct Aliases {
    slots: Box<[Slot]>,
    hashed: RandomState,
}

impl Aliases {
    /// For so many pairs of ports, none where none is behind a NAT; `hashed` by a key that nobody else knows.
    pub(crate) fn new(pairs: usize, hashed: RandomState) -> Self {
        // Two addresses of each of two ports.
        let slots = if pairs == 0 { 0 } else { (4 * 4 * pairs).next_power_of_two() };
        Self { slots: (0..slots).map(|_| Slot::default()).collect(), hashed }
    }

    /// The hash of an address, and the slots that it may have.
    fn window(&self, address: SocketAddr) -> Option<(u64, impl Iterator<Item = &Slot> + Clone)> {
        let mask = self.slots.len().checked_sub(1)?;
        let key = self.hashed.hash_one(address).max(VACANT + 1);
        let first = usize::try_from(key >> 16).unwrap_or_default();
        let slots = (0..WINDOW).filter_map(move |step| self.slots.get(first.wrapping_add(step) & mask));
        Some((key, slots))
    }

    /// The port of ours that has that address: its network, and its number.
    pub(crate) fn find(&self, address: SocketAddr) -> Option<(usize, u16)> {
        let (key, mut slots) = self.window(address)?;
        let place = slots.find(|slot| slot.key.load(Ordering::Acquire) == key)?.place.load(Ordering::Relaxed);
        Some((usize::try_from(place >> 16).ok()?, u16::try_from(place & 0xffff).ok()?))
    }

    /// A port is known by other addresses from now on. One writer.
    pub(crate) fn change(&self, (network, port): (usize, u16), before: Beyond, now: Beyond) {
        let of = |beyond: Beyond| [beyond.reflexive, beyond.relayed].into_iter().flatten();
        for gone in of(before).filter(|gone| of(now).all(|kept| kept != *gone)) {
            let Some((key, mut slots)) = self.window(gone) else { return };
            let its = slots.find(|slot| slot.key.load(Ordering::Relaxed) == key);
            its.into_iter().for_each(|slot| slot.key.store(VACANT, Ordering::Release));
        }
        for new in of(now) {
            let Some((key, slots)) = self.window(new) else { return };
            let has = |wanted: u64| slots.clone().find(|slot| slot.key.load(Ordering::Relaxed) == wanted);
            let Some(slot) = has(key).or_else(|| has(VACANT)) else { continue };
            slot.place.store((network as u64) << 16 | u64::from(port), Ordering::Relaxed);
            slot.key.store(key, Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hashed() -> RandomState {
        RandomState::with_seeds(1, 2, 3, 4)
    }

    fn at(n: usize) -> SocketAddr {
        let [.., a, b, c] = n.to_be_bytes();
        SocketAddr::from(([203, a, b, c], 3_000 + u16::from(c)))
    }

    fn beyond(reflexive: Option<usize>, relayed: Option<usize>) -> Beyond {
        Beyond { reflexive: reflexive.map(at), relayed: relayed.map(at) }
    }

    #[test]
    fn a_port_is_found_by_what_it_is_known_by_now() {
        let aliases = Aliases::new(10, hashed());
        assert_eq!(aliases.find(at(1)), None);
        let (first, then) = (beyond(Some(1), Some(2)), beyond(Some(1), Some(3)));
        aliases.change((3, 20_000), Beyond::default(), first);
        assert_eq!([1, 2, 3].map(|n| aliases.find(at(n))), [Some((3, 20_000)), Some((3, 20_000)), None]);
        aliases.change((3, 20_000), first, then);
        assert_eq!([1, 2, 3].map(|n| aliases.find(at(n))), [Some((3, 20_000)), None, Some((3, 20_000))]);
        // Where it was, another one is now.
        aliases.change((0, 65_535), Beyond::default(), beyond(None, Some(2)));
        aliases.change((3, 20_000), then, Beyond::default());
        assert_eq!([1, 2, 3].map(|n| aliases.find(at(n))), [None, Some((0, 65_535)), None]);
    }

    #[test]
    fn there_is_room_for_all_ports() {
        let aliases = Aliases::new(8_000, hashed());
        for n in 0..16_000 {
            aliases.change((0, 1), Beyond::default(), beyond(Some(2 * n), Some(2 * n + 1)));
        }
        assert!((0..32_000).filter(|n| aliases.find(at(*n)).is_none()).count() <= 8);
        for n in 0..16_000 {
            aliases.change((0, 1), beyond(Some(2 * n), Some(2 * n + 1)), Beyond::default());
        }
        assert!((0..32_000).all(|n| aliases.find(at(n)).is_none()));
    }

    #[test]
    fn where_nothing_is_behind_a_nat_there_is_no_table() {
        let aliases = Aliases::new(0, hashed());
        aliases.change((0, 1), Beyond::default(), beyond(Some(1), None));
        assert_eq!(aliases.find(at(1)), None);
    }
}
