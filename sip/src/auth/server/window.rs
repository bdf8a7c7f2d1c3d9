//! Which nonce counts have been used.

use super::nonce::NonceId;
use crate::time::Wall;
use std::collections::BTreeMap;

/// The answer to a [`Windows::claim`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The count was free and is now used.
    Fresh,
    /// The count was used before, or lies below the window.
    Used,
    /// The counts of this nonce are no longer known.
    Forgotten,
}

/// A memory of nonce counts. [`NonceWindows`] is one for a single owner, [`SharedWindows`](super::SharedWindows) one for
/// several shards.
pub trait Windows {
    /// Claims `count` of `nonce`: true use happens once. `oldest` is the earliest issue that is still valid; what is older may be dropped.
    fn claim(&mut self, nonce: NonceId, count: u32, oldest: Wall) -> Claim;
}

impl<W: Windows + ?Sized> Windows for &mut W {
    fn claim(&mut self, nonce: NonceId, count: u32, oldest: Wall) -> Claim {
        (**self).claim(nonce, count, oldest)
    }
}

/// The highest count of a nonce, and which of the 64 up to it have been used: bit 0 is the highest.
#[derive(Clone, Copy, Debug)]
struct Window {
    top: u32,
    used: u64,
}

impl Window {
    fn claim(&mut self, count: u32) -> Claim {
        if count > self.top {
            self.used = self.used.checked_shl(count - self.top).unwrap_or(0) | 1;
            self.top = count;
            return Claim::Fresh;
        }
        let Some(bit) = 1_u64.checked_shl(self.top - count) else { return Claim::Used };
        if self.used & bit != 0 {
            return Claim::Used;
        }
        self.used |= bit;
        Claim::Fresh
    }
}

/// The windows of the nonces in use: 64 counts each, so that requests may overtake one another (RFC 7616 §3.4 `nc`).
///
/// Only a right response enters a nonce here, so a stranger cannot fill the table. When it is full the nonce issued
/// earliest leaves, and with it every unknown nonce up to that issue is [`Claim::Forgotten`]: its user is challenged once
/// more with `stale=true`. The same holds for nonces from before the start, whose counts were lost with the process.
#[derive(Debug)]
pub struct NonceWindows {
    capacity: usize,
    /// Nonces issued before, or at this very id, are good only if they are in the table.
    floor: Floor,
    windows: BTreeMap<NonceId, Window>,
}

#[derive(Clone, Copy, Debug)]
enum Floor {
    Before(Wall),
    UpTo(NonceId),
}

impl NonceWindows {
    /// An empty table. `started`: the start of the process, as given to the [`super::Challenger`]s. `capacity`: nonces in use at
    /// once, at least 1; some 100 bytes each.
    pub fn new(started: Wall, capacity: usize) -> Self {
        Self { capacity: capacity.max(1), floor: Floor::Before(started), windows: BTreeMap::new() }
    }

    /// Nonces in the table.
    pub fn len(&self) -> usize {
        self.windows.len()
    }

    /// True without any.
    pub fn is_empty(&self) -> bool {
        self.windows.is_empty()
    }

    fn forgotten(&self, nonce: NonceId) -> bool {
        match self.floor {
            Floor::Before(wall) => nonce.issued < wall,
            Floor::UpTo(last) => nonce <= last,
        }
    }

    fn drop_first(&mut self) {
        if let Some((last, _)) = self.windows.pop_first() {
            self.floor = Floor::UpTo(last);
        }
    }
}

impl Windows for NonceWindows {
    fn claim(&mut self, nonce: NonceId, count: u32, oldest: Wall) -> Claim {
        while self.windows.first_key_value().is_some_and(|(first, _)| first.issued < oldest) {
            self.drop_first();
        }
        if let Some(window) = self.windows.get_mut(&nonce) {
            return window.claim(count);
        }
        if self.forgotten(nonce) {
            return Claim::Forgotten;
        }
        if self.windows.len() >= self.capacity {
            if self.windows.first_key_value().is_some_and(|(first, _)| nonce < *first) {
                return Claim::Forgotten;
            }
            self.drop_first();
        }
        self.windows.insert(nonce, Window { top: count, used: 1 });
        Claim::Fresh
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Wall = Wall(0);

    fn nonce(issued: u64) -> NonceId {
        NonceId::of(issued, 7)
    }

    #[test]
    fn rfc7616_3_4_a_count_is_used_once_and_may_be_overtaken() {
        let mut windows = NonceWindows::new(Wall(0), 8);
        let mut claim = |count| windows.claim(nonce(5), count, NONE);
        assert_eq!(claim(3), Claim::Fresh);
        assert_eq!(claim(3), Claim::Used);
        assert_eq!(claim(1), Claim::Fresh);
        assert_eq!(claim(1), Claim::Used);
        assert_eq!(claim(2), Claim::Fresh);
        assert_eq!(claim(66), Claim::Fresh);
        assert_eq!(claim(3), Claim::Used);
        assert_eq!(claim(4), Claim::Fresh);
        assert_eq!(claim(2), Claim::Used, "below the window");
        assert_eq!(claim(u32::MAX), Claim::Fresh);
        assert_eq!(claim(66), Claim::Used);
        assert_eq!(claim(u32::MAX), Claim::Used);
    }

    #[test]
    fn a_full_table_forgets_the_nonce_issued_earliest() {
        let mut windows = NonceWindows::new(Wall(0), 2);
        assert_eq!(windows.claim(nonce(20), 1, NONE), Claim::Fresh);
        assert_eq!(windows.claim(nonce(10), 1, NONE), Claim::Fresh);
        assert_eq!(windows.claim(nonce(30), 1, NONE), Claim::Fresh);
        assert_eq!(windows.len(), 2);
        assert_eq!(windows.claim(nonce(10), 2, NONE), Claim::Forgotten);
        assert_eq!(windows.claim(nonce(9), 1, NONE), Claim::Forgotten, "it may have been used and evicted");
        assert_eq!(windows.claim(nonce(15), 1, NONE), Claim::Forgotten, "older than all in a full table");
        assert_eq!(windows.claim(nonce(20), 2, NONE), Claim::Fresh, "and pushes none of them out");
        assert_eq!(windows.claim(nonce(30), 2, NONE), Claim::Fresh);
    }

    #[test]
    fn what_is_too_old_leaves() {
        let mut windows = NonceWindows::new(Wall(0), 8);
        for issued in 1..=4 {
            assert_eq!(windows.claim(nonce(issued), 1, NONE), Claim::Fresh);
        }
        assert_eq!(windows.claim(nonce(4), 2, Wall(4)), Claim::Fresh);
        assert_eq!(windows.len(), 1);
        assert_eq!(windows.claim(nonce(3), 1, Wall(4)), Claim::Forgotten);
    }

    #[test]
    fn a_nonce_from_before_the_start_is_forgotten() {
        let mut windows = NonceWindows::new(Wall(100), 8);
        assert_eq!(windows.claim(nonce(99), 1, NONE), Claim::Forgotten);
        assert_eq!(windows.claim(nonce(100), 1, NONE), Claim::Fresh);
        assert!(!windows.is_empty());
    }
}
