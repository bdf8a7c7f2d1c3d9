//! Each request has one final response, each response a request, each transaction a branch of its own (RFC 3261 §8.1.1.7, §9, §17).

use super::said::Said;
use super::{Faults, LIFETIME, Rule, wrong};
use sip::time::Mono;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// T4: how long the server transaction of an INVITE that has failed outlives its ACK (§17.2.1).
const T4: Duration = Duration::from_secs(5);

/// What is known of all transactions.
#[derive(Default)]
pub(super) struct Transactions {
    /// Our requests, by branch and method.
    sent: BTreeMap<(String, String), String>,
    /// The method that a branch of ours is for: not CANCEL, nor the ACK of a failure.
    branches: BTreeMap<String, String>,
    /// Transactions of ours that have had a provisional response.
    provisional: BTreeSet<String>,
    /// The requests of peers, and the final response to each, with its time.
    asked: BTreeMap<(String, String), Asked>,
}

struct Asked {
    request: String,
    last: Option<(Mono, String, bool)>,
}

impl Rule for Transactions {
    fn sent(&mut self, said: &Said, faults: &mut Faults) {
        match said.status {
            Some(status) => self.responds(said, status, faults),
            None => self.asks(said, faults),
        }
    }

    fn came(&mut self, said: &Said, _: &mut Faults) {
        match said.status {
            Some(..200) => drop(self.provisional.insert(said.branch.clone())),
            Some(_) => {}
            None if said.method == "ACK" => {}
            None => {
                let is_over = |asked: &Asked| {
                    asked.last.as_ref().is_some_and(|(at, _, is_failed)| {
                        said.at.since(*at)
                            >= if *is_failed && said.method == "INVITE" { T4 } else { LIFETIME }
                    })
                };
                let key = said.transaction();
                if self.asked.get(&key).is_none_or(is_over) {
                    self.asked.insert(key, Asked { request: said.text.clone(), last: None });
                }
            }
        }
    }

    fn end(&mut self, faults: &mut Faults) {
        let open = self.asked.values().filter(|asked| asked.last.is_none());
        faults.extend(
            open.map(|asked| format!("a request without an answer (RFC 3261 §8.2.6)\n{}", asked.request)),
        );
    }
}

impl Transactions {
    fn asks(&mut self, said: &Said, faults: &mut Faults) {
        let key = said.transaction();
        match self.sent.get(&key) {
            Some(text) if *text == said.text => return,
            Some(_) => wrong(faults, "another request under the same branch (RFC 3261 §17.1.3)", said),
            None => {}
        }
        let of_invite = self.branches.get(&said.branch).is_some_and(|method| method == "INVITE");
        match said.method.as_str() {
            "CANCEL" if !of_invite => wrong(faults, "a CANCEL of nothing (RFC 3261 §9.1)", said),
            "CANCEL" if !self.provisional.contains(&said.branch) => {
                wrong(faults, "a CANCEL before any provisional response (RFC 3261 §9.1)", said);
            }
            "CANCEL" => {}
            "ACK" if of_invite => {}
            _ if self.branches.contains_key(&said.branch) => {
                wrong(faults, "the branch of another transaction (RFC 3261 §8.1.1.7)", said);
            }
            _ => drop(self.branches.insert(said.branch.clone(), said.method.clone())),
        }
        self.sent.insert(key, said.text.clone());
    }

    fn responds(&mut self, said: &Said, status: u16, faults: &mut Faults) {
        let Some(asked) = self.asked.get_mut(&said.transaction()) else {
            return wrong(faults, "a response to nothing (RFC 3261 §17.2)", said);
        };
        match &asked.last {
            Some((_, last, _)) if status >= 200 && *last != said.text => {
                wrong(faults, "a second final response (RFC 3261 §17.2.1)", said);
            }
            Some(_) if status < 200 => {
                wrong(faults, "a provisional response after the final one (RFC 3261 §17.2)", said);
            }
            None if status >= 200 => asked.last = Some((said.at, said.text.clone(), status >= 300)),
            Some(_) | None => {}
        }
    }
}
