//! The sequence numbers of cards, which outlive the process: a challenge that an earlier one has taken stays old
//! (3GPP TS 33.102 §6.3.3), and who challenges need not be told the number anew.
//!
//! A number is written as soon as it is taken, and the answer does not wait for that. Were the process killed within that
//! moment, only the very challenge that it had answered could be answered once more, in the same way as before.

use crate::snapshot::Secrets;
use crate::store::{Handle, Row, Table, Write};
use sip::auth::aka::Card;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// What names a card: [`Card::fingerprint`].
type Name = [u8; 32];

/// Keeps the numbers of every card that there was.
pub(super) struct Cards(Arc<Book>);

/// A way to it, which does not keep the store from ending.
#[derive(Default)]
pub(super) struct CardsRef(Weak<Book>);

struct Book {
    store: Handle,
    /// The highest number of each card. Who holds it writes, so that rows are written in the order of numbers.
    numbers: Mutex<BTreeMap<Name, u64>>,
}

impl Cards {
    /// With what was kept.
    pub(super) fn new(store: Handle, rows: &[Row]) -> Self {
        let number = |(name, value): &Row| {
            Some((Name::try_from(&**name).ok()?, u64::from_be_bytes(<[u8; 8]>::try_from(&**value).ok()?)))
        };
        let numbers = Mutex::new(rows.iter().filter_map(number).collect());
        Self(Arc::new(Book { store, numbers }))
    }

    pub(super) fn downgrade(&self) -> CardsRef {
        CardsRef(Arc::downgrade(&self.0))
    }
}

impl CardsRef {
    /// Lets each card go on where it was, and keeps what it takes from now on.
    pub(super) fn serve(&self, secrets: &Secrets) {
        for credential in secrets.outbound.values().flat_map(BTreeMap::values) {
            let Some(card) = credential.secret.of_card() else { continue };
            let Some(book) = self.0.upgrade() else {
                tracing::warn!("the sequence number of a card is kept once Liaison has been restarted");
                continue;
            };
            book.serve(card);
        }
    }
}

impl Book {
    fn serve(self: &Arc<Self>, card: &Card) {
        let name = card.fingerprint();
        let numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        let number = numbers.get(&name).copied().unwrap_or_default();
        drop(numbers);
        let book = Arc::downgrade(self);
        let keep = move |number| {
            if let Some(book) = book.upgrade() {
                book.keep(name, number);
            }
        };
        card.keep_with(number, Box::new(keep));
    }

    fn keep(&self, name: Name, number: u64) {
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        let highest = numbers.entry(name).or_default();
        if number <= *highest {
            return;
        }
        *highest = number;
        let value = Some(number.to_be_bytes().into());
        let write = Write { table: Table::Cards, key: name.into(), value };
        // The store says that a commit has failed. A queue that is full is counted, and the next number is written again.
        let _ = self.store.write(vec![write], Box::new(|_| ()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Embedded, Store};
    use config::{Config, TrunkName};
    use sip::auth::aka::{Challenge, Operator, Reply};
    use sip::auth::{Credential, Secret};
    use std::path::Path;

    /// Test set 1 of TS 35.207: K, OP; RAND and AUTN, whose sequence number is ff9bb4d0b607.
    const K: u128 = 0x465b_5ce8_b199_b49f_aa5f_0a2e_e238_a6bc;
    const OP: u128 = 0xcdc2_02d5_123e_20f6_2b6d_676a_c72c_b318;
    const NONCE: &str = "I1U8vpY3qJ0hiuZNrke/NVXzKLQ1d7m5Sp/6w1Tfr7M=";

    fn trunk() -> TrunkName {
        let text = "[networks.a]\nlisteners = [{ transport = \"udp\", address = \"127.0.0.1:5060\" }]\n\
                    media = { address = \"127.0.0.1\", ports = \"20000-20999\" }\n\
                    [trunks.t]\nnetwork = \"a\"\ntargets = [\"sip:192.0.2.1\"]\n";
        let config = Config::parse("cards.toml", text).unwrap_or_else(|errors| panic!("{errors}"));
        config.trunks.keys().next().unwrap().clone()
    }

    /// A process with that card, which lives as long as `act` does; the store has written all when it is over.
    fn life<R>(path: &Path, k: u128, act: impl FnOnce(&CardsRef, &Secrets) -> R) -> R {
        let (store, tables) = Store::start(Box::new(Embedded::open(path).unwrap()), 16).unwrap();
        let rows = tables.into_iter().find(|(table, _)| *table == Table::Cards).unwrap().1;
        let cards = Cards::new(store.handle().unwrap(), &rows);
        let card = Card::new(k.to_be_bytes(), Operator::Op(OP.to_be_bytes()), 0);
        let credential = Arc::new(Credential::new("u", Secret::card(Arc::new(card))));
        let mut secrets = Secrets::default();
        secrets.outbound.insert(trunk(), BTreeMap::from([("ims".into(), credential)]));
        let done = act(&cards.downgrade(), &secrets);
        drop((cards, store));
        done
    }

    fn answer(secrets: &Secrets) -> Option<Reply> {
        let credential = secrets.outbound.values().flat_map(BTreeMap::values).next().unwrap();
        credential.secret.of_card().unwrap().answer(&Challenge::of_nonce(NONCE).unwrap()).ok()
    }

    #[test]
    fn ts33_102_6_3_3_a_challenge_is_old_in_every_later_life_of_the_process() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("registrations.redb");
        life(&path, K, |cards, secrets| {
            cards.serve(secrets);
            assert!(matches!(answer(secrets), Some(Reply::Keys(_))));
        });
        for _ in 0..3 {
            life(&path, K, |cards, secrets| {
                cards.serve(secrets);
                assert!(matches!(answer(secrets), Some(Reply::Resynchronise(_))), "a replay");
            });
        }
        // Other keys are another card.
        life(&path, K ^ 1, |cards, secrets| {
            cards.serve(secrets);
            assert!(answer(secrets).is_none(), "not its challenge");
            let card = secrets.outbound.values().flat_map(BTreeMap::values).next().unwrap();
            assert_eq!(card.secret.of_card().unwrap().sqn(), 0);
        });
    }

    #[test]
    fn a_card_that_a_reload_takes_out_and_puts_back_goes_on_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("registrations.redb");
        life(&path, K, |cards, secrets| {
            cards.serve(secrets);
            assert!(matches!(answer(secrets), Some(Reply::Keys(_))));
            let card = Arc::new(Card::new(K.to_be_bytes(), Operator::Op(OP.to_be_bytes()), 0));
            let credential = Arc::new(Credential::new("u", Secret::card(card)));
            let mut again = Secrets::default();
            again.outbound.insert(trunk(), BTreeMap::from([("ims".into(), credential)]));
            cards.serve(&again);
            assert!(matches!(answer(&again), Some(Reply::Resynchronise(_))));
        });
    }

    #[test]
    fn without_a_store_a_card_answers_all_the_same() {
        let folder = tempfile::tempdir().unwrap();
        life(&folder.path().join("registrations.redb"), K, |_, secrets| {
            CardsRef::default().serve(secrets);
            assert!(matches!(answer(secrets), Some(Reply::Keys(_))));
        });
    }
}
