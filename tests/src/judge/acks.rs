//! Each final response to an INVITE of ours is acknowledged, each time that it comes: a 2xx in its dialog, with a transaction of its own
//! (RFC 3261 §13.2.2.4), a failure in the INVITE's (§17.1.1.3); and nothing else is. A 2xx that has been acknowledged and comes again
//! after the end of the session may go without: nobody waits for that ACK any more.

use super::said::{DialogId, Said};
use super::{Faults, LIFETIME, Rule, wrong};
use sip::time::Mono;
use std::collections::{BTreeMap, BTreeSet};

/// What names a response that is acknowledged: its dialog's Call-ID and tags, and the number of the INVITE; of a failure, the branch
/// instead of our tag.
type Key = (String, String, String, u32);

/// What is known of an INVITE of ours.
struct Invite {
    at: Mono,
    provisional: bool,
    cancelled: Option<Mono>,
    success: Option<Mono>,
    failure: Option<Mono>,
}

/// What is owed.
#[derive(Default)]
pub(super) struct Acks {
    invites: BTreeMap<String, Invite>,
    /// Responses that have come.
    known: BTreeSet<Key>,
    /// Those that are to be acknowledged.
    owed: BTreeMap<Key, String>,
    /// Those that have been.
    done: BTreeSet<Key>,
    /// Dialogs in which somebody has said BYE.
    over: BTreeSet<DialogId>,
}

fn of_success(said: &Said) -> Key {
    let (call_id, ours, theirs) = said.dialog.clone();
    (call_id, ours, theirs, said.number)
}

fn of_failure(said: &Said) -> Key {
    (said.dialog.0.clone(), said.branch.clone(), said.dialog.2.clone(), said.number)
}

impl Invite {
    /// Whether there is somebody yet to take a final response.
    fn takes(&self, at: Mono, success: bool) -> bool {
        let within = |since: Mono| at.since(since) < LIFETIME;
        match (self.success, self.failure) {
            (Some(since), _) => success && within(since),
            (None, Some(since)) => !success && within(since),
            (None, None) if self.provisional => self.cancelled.is_none_or(within),
            (None, None) => within(self.at),
        }
    }
}

impl Rule for Acks {
    fn sent(&mut self, said: &Said, faults: &mut Faults) {
        match said.method.as_str() {
            _ if said.status.is_some() => {}
            "INVITE" => {
                let invite =
                    Invite { at: said.at, provisional: false, cancelled: None, success: None, failure: None };
                self.invites.entry(said.branch.clone()).or_insert(invite);
            }
            "BYE" => drop(self.over.insert(said.dialog.clone())),
            "CANCEL" => {
                if let Some(invite) = self.invites.get_mut(&said.branch) {
                    invite.cancelled.get_or_insert(said.at);
                }
            }
            "ACK" => {
                let of_failed = self.invites.contains_key(&said.branch);
                let key = if of_failed { of_failure(said) } else { of_success(said) };
                self.owed.remove(&key);
                self.done.insert(key.clone());
                match self.known.contains(&key) {
                    true => {}
                    false if of_failed => {
                        wrong(faults, "an ACK of no failure that has come (RFC 3261 §17.1.1.3)", said);
                    }
                    false => wrong(faults, "an ACK of no 2xx that has come (RFC 3261 §13.2.2.4)", said),
                }
            }
            _ => {}
        }
    }

    fn came(&mut self, said: &Said, _: &mut Faults) {
        if said.method == "BYE" && said.status.is_none() {
            self.over.insert(said.dialog.clone());
        }
        let Some(invite) = self.invites.get_mut(&said.branch).filter(|_| said.method == "INVITE") else {
            return;
        };
        if said.status.is_none() {
            return;
        }
        if !said.is_success() && !said.is_failure() {
            invite.provisional = true;
            return;
        }
        let key = if said.is_success() { of_success(said) } else { of_failure(said) };
        self.known.insert(key.clone());
        if !invite.takes(said.at, said.is_success()) {
            return;
        }
        let first = if said.is_success() { &mut invite.success } else { &mut invite.failure };
        first.get_or_insert(said.at);
        if !self.done.contains(&key) || !self.over.contains(&said.dialog) {
            self.owed.insert(key, said.text.clone());
        }
    }

    fn end(&mut self, faults: &mut Faults) {
        let owed = self.owed.values();
        faults.extend(
            owed.map(|text| {
                format!("a final response without its ACK (RFC 3261 §13.2.2.4, §17.1.1.3)\n{text}")
            }),
        );
    }
}
