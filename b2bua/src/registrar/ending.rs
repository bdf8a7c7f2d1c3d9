//! Bindings that end otherwise than by a REGISTER or their time, and what the store is told of that.

use super::desk::{removal_of, row_of};
use super::flows::registrar_of;
use super::keeping::{NEWS, flow_row};
use super::serve::Office;
use crate::shard::Core;
use sip::registration::server::{Aor, Change};
use sip::time::Now;
use std::collections::{BTreeMap, BTreeSet};
use tokio::sync::oneshot;

/// How the bindings of an address-of-record were to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// They have ended, and no later process finds them.
    Done,
    /// There were none.
    Nothing,
    /// They are just being changed, or too much waits for the store.
    Busy,
    /// They stand: the store does not let go of them.
    NotKept,
}

/// Ends that the store is still to hear of, or to tell of.
#[derive(Default)]
pub(crate) struct Ends {
    /// Who waits for the end of bindings, by the number of it.
    waiting: BTreeMap<u64, oneshot::Sender<Ended>>,
    /// Addresses-of-record whose rows tell of bindings that are over, as the store had no room. They have bindings, or had.
    stale: BTreeSet<Aor>,
}

impl Office {
    /// Takes the row of an address-of-record out of the store; `false` if that has no room for it.
    pub(super) fn forget_row(&mut self, aor: &Aor) -> bool {
        let Some(keeper) = &mut self.keeper else { return true };
        keeper.keep(removal_of(aor), None)
    }
}

impl Core {
    /// Ends all bindings of an address-of-record of this shard. The answer comes once no later process would find them.
    pub(crate) fn end_registration(&mut self, now: Now, aor: &Aor, answer: oneshot::Sender<Ended>) {
        let office = &mut self.office;
        let at_once = match office.desk.read().directory().record(aor) {
            None => Some(Ended::Nothing),
            Some(_) if office.desk.is_busy(aor) || office.desk.waiting() >= NEWS => Some(Ended::Busy),
            Some(_) => None,
        };
        if let Some(ended) = at_once {
            // Whoever does not wait for the answer any more does not miss it; so below.
            let _ = answer.send(ended);
            return;
        }
        let (ticket, write) = office.desk.end(aor);
        office.ends.waiting.insert(ticket, answer);
        let heard = match &mut office.keeper {
            None => Some(true),
            Some(keeper) => (!keeper.keep(write, Some(ticket))).then_some(false),
        };
        if let Some(kept) = heard {
            let outcomes = self.heard(now, ticket, kept);
            self.follow_up(now, outcomes);
        }
    }

    /// The bindings of an address-of-record have ended as they were to.
    pub(super) fn registration_ended(&mut self, now: Now, ticket: u64, change: Option<Change>) {
        if let Some(change) = change {
            self.tell(now, &change);
        }
        self.answer_end(ticket, Ended::Done);
    }

    /// They were to end, and stand.
    pub(super) fn registration_stands(&mut self, now: Now, ticket: u64, aor: &Aor) {
        self.answer_end(ticket, Ended::NotKept);
        self.look_again(now, aor);
    }

    fn answer_end(&mut self, ticket: u64, ended: Ended) {
        if let Some(answer) = self.office.ends.waiting.remove(&ticket) {
            let _ = answer.send(ended);
        }
    }

    /// Some bindings of an address-of-record have ended, and its row is to say what is left. Where the store has no room that is
    /// done later.
    pub(super) fn keep_what_is_left(&mut self, aor: &Aor) {
        if !self.rewrite(aor) {
            self.office.ends.stale.insert(aor.clone());
        }
    }

    /// Tries again to write what the store had no room for.
    pub(super) fn rows_again(&mut self) {
        for aor in std::mem::take(&mut self.office.ends.stale) {
            self.keep_what_is_left(&aor);
        }
    }

    /// Whether the row of an address-of-record says what is bound, or another one that waits for the store will.
    fn rewrite(&mut self, aor: &Aor) -> bool {
        // What is being kept now may come to nothing, and then the row still is what it was.
        if self.office.is_busy(aor) {
            return false;
        }
        let Some(record) = self.office.desk.read().directory().record(aor) else {
            return self.office.forget_row(aor);
        };
        let snapshot = self.snapshot.clone();
        let keeps = registrar_of(&snapshot, aor).is_some_and(|registrar| registrar.keep);
        let Some(keeper) = self.office.keeper.as_mut().filter(|_| keeps) else { return true };
        let settings = self.endpoint.settings();
        let row =
            row_of(aor, &record.bindings, &record.instances, &|flow| flow_row(settings, &snapshot, flow));
        // A flow that has no words has lost its listener: the next REGISTER writes the row.
        row.is_none_or(|write| keeper.keep(write, None))
    }
}
