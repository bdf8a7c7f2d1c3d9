//! Our keys at a pair of ports, and what they have been used for.
//!
//! Several remotes of a pair may have been told one key: those that answer one offer, at the same time or one after another (RFC 4568 §7.3).
//! No index may come twice under it, whoever the packet is for (RFC 3711 §9.1): so they send with one [`Sender`]. It is wiped once no
//! remote has its key; what the key was used for stays as long as the pair is lent, should it come back.

use crate::srtp::{MasterKey, Sender, Used};

/// Most keys of ours at a pair that are remembered. A call has two or three; one in which a peer comes with another key at every turn may
/// have more, and then those that nobody has had for longest are forgotten: none of so long ago is put back (see
/// [`crate::CallMedia::put_back`]).
pub(super) const MOST_KEYS: usize = 64;

/// Those that other dialogs may still answer, as they were told in the first offer, are never forgotten.
const FIRST: usize = 8;

#[derive(Default)]
pub(super) struct Senders {
    keys: Vec<Entry>,
    /// How often a key was let go of.
    turns: u64,
}

struct Entry {
    /// What the key is known by.
    name: [u8; 16],
    state: State,
}

enum State {
    /// So many remotes have it.
    AtWork(Box<Sender>, u16),
    /// None has, since that turn.
    Idle(Used, u64),
    /// It could not be made.
    Void,
}

impl Senders {
    /// A remote has this key from now on; where it is. `None` where there is no such key, or no room for it.
    pub(super) fn enter(&mut self, key: &MasterKey) -> Option<usize> {
        let name = key.name()?;
        let Some(at) = self.keys.iter().position(|entry| entry.name == name) else {
            let state = State::AtWork(Box::new(Sender::new(key)?), 1);
            return self.place(Entry { name, state });
        };
        let entry = self.keys.get_mut(at)?;
        entry.state = match std::mem::replace(&mut entry.state, State::Void) {
            State::AtWork(sender, users) => State::AtWork(sender, users.saturating_add(1)),
            State::Idle(used, _) => State::AtWork(Box::new(Sender::again(key, used)?), 1),
            State::Void => return None,
        };
        Some(at)
    }

    fn place(&mut self, entry: Entry) -> Option<usize> {
        if self.keys.len() < MOST_KEYS {
            self.keys.reserve_exact(1);
            self.keys.push(entry);
            return Some(self.keys.len() - 1);
        }
        let idle = self.keys.iter().enumerate().skip(FIRST).filter_map(|(at, entry)| match entry.state {
            State::Idle(_, since) => Some((since, at)),
            State::AtWork(..) | State::Void => None,
        });
        let (_, at) = idle.min()?;
        *self.keys.get_mut(at)? = entry;
        Some(at)
    }

    /// A remote does not have the key there any more.
    pub(super) fn leave(&mut self, at: usize) {
        let Some(entry) = self.keys.get_mut(at) else { return };
        self.turns += 1;
        entry.state = match std::mem::replace(&mut entry.state, State::Void) {
            State::AtWork(sender, 0 | 1) => State::Idle(sender.used(), self.turns),
            State::AtWork(sender, users) => State::AtWork(sender, users - 1),
            state @ (State::Idle(..) | State::Void) => state,
        };
    }

    /// What protects with the key there.
    pub(super) fn get(&mut self, at: usize) -> Option<&mut Sender> {
        match &mut self.keys.get_mut(at)?.state {
            State::AtWork(sender, _) => Some(sender),
            State::Idle(..) | State::Void => None,
        }
    }

    /// Whether a source has rolled over under the key there.
    pub(super) fn has_rolled(&self, at: usize) -> bool {
        match self.keys.get(at).map(|entry| &entry.state) {
            Some(State::AtWork(sender, _)) => sender.has_rolled(),
            Some(State::Idle(..) | State::Void) | None => false,
        }
    }

    /// How many keys are not wiped.
    #[cfg(test)]
    pub(super) fn at_work(&self) -> usize {
        self.keys.iter().filter(|entry| matches!(entry.state, State::AtWork(..))).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::srtp::{Kind, MAX_OVERHEAD, Suite};

    fn key(number: u8) -> MasterKey {
        let suite = Suite::AesCm128Sha1Tag80;
        MasterKey::new(suite, &vec![number; suite.key_length() + suite.salt_length()]).unwrap()
    }

    /// The index of an SRTCP packet by the key there.
    fn index(senders: &mut Senders, at: usize) -> u8 {
        let mut buffer = [0x80, 201, 0, 1, 0, 0, 0, 7].to_vec();
        buffer.resize(8 + MAX_OVERHEAD, 0);
        let length = senders.get(at).unwrap().protect(Kind::Rtcp, &mut buffer, 8).unwrap();
        buffer[length - 11]
    }

    #[test]
    fn a_key_is_wiped_with_the_last_remote_that_has_it_and_goes_on_with_the_next() {
        let mut senders = Senders::default();
        let at = senders.enter(&key(1)).unwrap();
        assert_eq!(senders.enter(&key(1)), Some(at));
        assert_eq!((index(&mut senders, at), senders.at_work()), (0, 1));
        senders.leave(at);
        assert_eq!((index(&mut senders, at), senders.at_work()), (1, 1));
        senders.leave(at);
        assert!(senders.get(at).is_none());
        assert_eq!(senders.at_work(), 0);
        assert_eq!(senders.enter(&key(1)), Some(at));
        assert_eq!(index(&mut senders, at), 2);
    }

    #[test]
    fn of_too_many_keys_those_that_nobody_has_had_for_longest_are_forgotten_and_the_first_never() {
        let mut senders = Senders::default();
        let kept = senders.enter(&key(200)).unwrap();
        index(&mut senders, kept);
        senders.leave(kept);
        let working = senders.enter(&key(201)).unwrap();
        for number in 0..u8::try_from(2 * MOST_KEYS).unwrap() {
            let at = senders.enter(&key(number)).unwrap();
            assert_eq!(index(&mut senders, at), 0);
            senders.leave(at);
        }
        assert_eq!((senders.keys.len(), senders.at_work()), (MOST_KEYS, 1));
        assert_eq!(index(&mut senders, working), 0);
        assert_eq!(senders.enter(&key(200)), Some(kept));
        assert_eq!(index(&mut senders, kept), 1);
    }
}
