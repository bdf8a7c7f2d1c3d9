//! Calls that go through us several times: whether what passes from leg to leg of ours comes to an end.
//!
//! ```text
//!   Alice ─► a1 │ b1 ─► a2 │ b2 ─► a3 │ b3 ─► Bob      a spiral: packets pass
//!            ▲─────────── a1 │ b1 ─► a2 │ b2 ───▲       a ring: they would go round for ever, and do not pass
//! ```
//! A leg that has another of ours as its peer, and sends on to one that has, is a step from one pair of addresses to the next. Steps of all
//! threads are known in one place, which nothing but settings of such legs is looked up in; a packet reads a flag.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::context::Component;
use super::own::Own;
use super::pool::Pool;
use crate::ContextId;

/// Steps that are followed; what goes further counts as a ring. A call has no more than 70 hops by default (RFC 3261 §8.1.1.6).
const MOST: usize = 128;

/// Where something comes to, and from where.
type Place = (SocketAddr, SocketAddr);

#[derive(Debug)]
struct Entry {
    next: Option<Place>,
    ring: Arc<AtomicBool>,
}

/// The steps of all threads.
#[derive(Debug, Default)]
pub(super) struct Steps(Mutex<BTreeMap<Place, Entry>>);

/// A step, as long as its leg has that peer.
#[derive(Debug)]
pub(super) struct Step {
    steps: Arc<Steps>,
    place: Place,
    ring: Arc<AtomicBool>,
}

impl Step {
    /// At that place, which leads to the next; it is none that leads anywhere where another leg has the place.
    fn new(steps: &Arc<Steps>, place: Place, next: Option<Place>) -> Self {
        let ring = Arc::new(AtomicBool::new(true));
        let step = Self { steps: Arc::clone(steps), place, ring: Arc::clone(&ring) };
        let mut known = steps.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let std::collections::btree_map::Entry::Vacant(vacant) = known.entry(place) {
            vacant.insert(Entry { next, ring });
            look(&known, place);
        }
        drop(known);
        step
    }

    /// It leads elsewhere from now on.
    fn lead(&self, next: Option<Place>) {
        let mut known = self.steps.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(entry) = known.get(&self.place).filter(|entry| Arc::ptr_eq(&entry.ring, &self.ring)) else {
            return;
        };
        if entry.next == next {
            return;
        }
        open(&known, self.place);
        if let Some(entry) = known.get_mut(&self.place) {
            entry.next = next;
        }
        look(&known, self.place);
    }

    /// Whether what passes here comes back.
    pub(super) fn is_of_ring(&self) -> bool {
        self.ring.load(Ordering::Relaxed)
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        let mut known = self.steps.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.get(&self.place).is_some_and(|entry| Arc::ptr_eq(&entry.ring, &self.ring)) {
            open(&known, self.place);
            known.remove(&self.place);
        }
    }
}

/// What comes of following steps.
enum Way<'a> {
    /// It comes back by all these.
    Back(Vec<&'a Entry>),
    /// It comes to an end.
    Ends,
    /// It goes on, as far as it was followed.
    GoesOn,
}

fn follow(known: &BTreeMap<Place, Entry>, place: Place) -> Way<'_> {
    let (mut entries, mut at) = (Vec::new(), place);
    while let Some(entry) = known.get(&at) {
        if entries.len() == MOST {
            return Way::GoesOn;
        }
        entries.push(entry);
        match entry.next {
            Some(next) if next == place => return Way::Back(entries),
            Some(next) => at = next,
            None => break,
        }
    }
    Way::Ends
}

/// Notes whether a place is of a ring, and with it all that are.
fn look(known: &BTreeMap<Place, Entry>, place: Place) {
    let note = |is_ring| {
        known.get(&place).into_iter().for_each(|entry| entry.ring.store(is_ring, Ordering::Relaxed));
    };
    match follow(known, place) {
        Way::Back(entries) => entries.iter().for_each(|entry| entry.ring.store(true, Ordering::Relaxed)),
        Way::GoesOn => note(true),
        Way::Ends => note(false),
    }
}

/// The ring that a place is of is none any more.
fn open(known: &BTreeMap<Place, Entry>, place: Place) {
    if let Way::Back(entries) = follow(known, place) {
        entries.iter().for_each(|entry| entry.ring.store(false, Ordering::Relaxed));
    }
}

/// A context has other settings: so may where it leads, and where its peer does.
pub(super) fn settle(pool: &mut Pool, id: ContextId, own: &Own) {
    let peer = pool.lent(id.pair).and_then(|pair| pair.context(id.remote)).and_then(|context| context.peer());
    for id in [Some(id), peer].into_iter().flatten() {
        let place = place(pool, id, own);
        let onward =
            pool.lent(id.pair).and_then(|pair| pair.context(id.remote)).and_then(|context| context.peer());
        // What goes on from there comes to where that one's peer is.
        let next =
            onward.and_then(|onward| self::place(pool, onward, own)).map(|(local, remote)| (remote, local));
        let Some(context) = pool.lent(id.pair).and_then(|pair| pair.context(id.remote)) else { continue };
        match (&context.step, place) {
            (Some(step), Some(place)) if step.place == place => step.lead(next),
            (_, Some(place)) => {
                context.step = None;
                context.step = Some(Box::new(Step::new(own.steps(), place, next)));
            }
            (_, None) => context.step = None,
        }
    }
}

/// The place of a context whose peer is a leg of ours, and which has its transport for itself.
fn place(pool: &mut Pool, id: ContextId, own: &Own) -> Option<Place> {
    let pair = pool.lent(id.pair)?;
    let remote = pair.context(id.remote)?.own_peer().filter(|remote| own.has(*remote))?;
    let local = pair.socket(Component::Rtp).local_addr().ok()?;
    Some((local, remote))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(number: u16) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 1], number))
    }

    /// A step from each number to the next one of the list.
    fn steps(steps: &Arc<Steps>, numbers: &[u16]) -> Vec<Step> {
        let place = |number: u16| (at(number), at(number + 1));
        let pairs = numbers.windows(2).map(|pair| (place(pair[0]), place(pair[1])));
        pairs.map(|(here, next)| Step::new(steps, here, Some(next))).collect()
    }

    fn rings(steps: &[Step]) -> Vec<bool> {
        steps.iter().map(Step::is_of_ring).collect()
    }

    #[test]
    fn what_comes_to_an_end_is_no_ring() {
        let known = Arc::<Steps>::default();
        assert_eq!(rings(&steps(&known, &[2, 4, 6, 8])), [false; 3]);
        assert!(known.0.lock().unwrap().is_empty());
    }

    #[test]
    fn a_ring_is_one_in_whatever_order_it_is_made_and_until_a_step_is_gone() {
        for order in [[0, 1, 2], [2, 0, 1], [1, 2, 0]] {
            let known = Arc::<Steps>::default();
            let pairs = [[2, 4], [4, 6], [6, 2]];
            let mut all: Vec<_> = order.iter().flat_map(|nth| steps(&known, &pairs[*nth])).collect();
            let beside = steps(&known, &[20, 2]);
            assert_eq!(rings(&all), [true; 3]);
            // What leads into a ring does not come back itself, but ends in it.
            assert_eq!(rings(&beside), [true]);
            drop(all.pop());
            assert_eq!(rings(&all), [false; 2]);
            let last = pairs[order[2]];
            all.extend(steps(&known, &last));
            assert_eq!(rings(&all), [true; 3]);
            all[0].lead(None);
            assert_eq!(rings(&all), [false; 3]);
        }
    }

    #[test]
    fn what_goes_on_for_too_long_counts_as_a_ring() {
        let known = Arc::<Steps>::default();
        let numbers: Vec<u16> = (1..200).map(|number| 4 * number).collect();
        let pairs = numbers.windows(2).rev();
        let all: Vec<_> = pairs.flat_map(|pair| steps(&known, pair)).collect();
        let are = rings(&all);
        assert!(are[..MOST].iter().all(|ring| !ring) && are[MOST..].iter().all(|ring| *ring));
    }

    #[test]
    fn a_place_that_another_leg_has_leads_nowhere() {
        let known = Arc::<Steps>::default();
        let first = steps(&known, &[2, 4]);
        let second = steps(&known, &[2, 6]);
        assert_eq!((rings(&first), rings(&second)), (vec![false], vec![true]));
        drop(second);
        assert_eq!(known.0.lock().unwrap().len(), 1);
    }
}
