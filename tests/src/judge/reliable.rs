//! Provisional responses that are sent reliably, and their PRACKs (RFC 3262 §3, §4).

use super::said::{DialogId, Said};
use super::{Faults, Rule, wrong};
use std::collections::{BTreeMap, BTreeSet};

/// What is known of reliable responses.
#[derive(Default)]
pub(super) struct Reliable {
    /// INVITEs of peers that allow them, by branch.
    allowed: BTreeSet<String>,
    /// Ours, by branch and our tag: the last.
    ours: BTreeMap<(String, String), Last>,
    /// Those of peers, by dialog and the number of the INVITE.
    theirs: BTreeMap<(DialogId, u32), Theirs>,
    /// INVITEs of ours that have had a final response.
    finished: BTreeSet<(String, u32)>,
    /// PRACKs of ours, by branch.
    pracks: BTreeSet<String>,
}

struct Last {
    number: u32,
    call_id: String,
    invite: u32,
    acknowledged: bool,
    described: bool,
}

#[derive(Default)]
struct Theirs {
    /// The next one that is taken.
    next: Option<u32>,
    /// Whether it has come, and is to be acknowledged.
    owed: Option<String>,
    /// The last that we have acknowledged.
    last: Option<u32>,
}

fn number(said: &Said) -> Option<u32> {
    said.find("RSeq").and_then(|value| value.parse().ok())
}

/// RAck: the number of the response, and that of the INVITE.
fn rack(said: &Said) -> Option<(u32, u32)> {
    let mut words = said.find("RAck")?.split(' ');
    let (response, invite) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    (words.next() == Some("INVITE")).then_some((response, invite))
}

impl Rule for Reliable {
    fn sent(&mut self, said: &Said, faults: &mut Faults) {
        match said.status {
            Some(_) if said.method == "INVITE" => self.responds(said, faults),
            None if said.method == "PRACK" && self.pracks.insert(said.branch.clone()) => {
                self.acknowledges(said, faults);
            }
            _ => {}
        }
    }

    fn came(&mut self, said: &Said, _: &mut Faults) {
        match (said.status, said.method.as_str()) {
            (None, "INVITE") if said.lists("Supported", "100rel") || said.lists("Require", "100rel") => {
                self.allowed.insert(said.branch.clone());
            }
            (None, "PRACK") => {
                let Some((response, invite)) = rack(said) else { return };
                let of = |((_, tag), last): &(&(String, String), &mut Last)| {
                    *tag == said.dialog.1
                        && last.call_id == said.dialog.0
                        && (last.number, last.invite) == (response, invite)
                };
                self.ours.iter_mut().filter(of).for_each(|(_, last)| last.acknowledged = true);
            }
            (Some(200..), "INVITE") => {
                self.finished.insert((said.dialog.0.clone(), said.number));
                let of = |((id, invite), _): &(&(DialogId, u32), &mut Theirs)| {
                    id.0 == said.dialog.0 && *invite == said.number
                };
                self.theirs.iter_mut().filter(of).for_each(|(_, theirs)| theirs.owed = None);
            }
            (Some(_), "INVITE") if said.is_reliable() => {
                if self.finished.contains(&(said.dialog.0.clone(), said.number)) {
                    return;
                }
                let theirs = self.theirs.entry((said.dialog.clone(), said.number)).or_default();
                let Some(number) = number(said) else { return };
                if *theirs.next.get_or_insert(number) == number {
                    theirs.owed = Some(said.text.clone());
                }
            }
            _ => {}
        }
    }

    fn end(&mut self, faults: &mut Faults) {
        let owed = self.theirs.values().filter_map(|theirs| theirs.owed.as_ref());
        faults
            .extend(owed.map(|text| format!("a reliable response without its PRACK (RFC 3262 §4)\n{text}")));
    }
}

impl Reliable {
    fn responds(&mut self, said: &Said, faults: &mut Faults) {
        let key = (said.branch.clone(), said.dialog.1.clone());
        let last = self.ours.get(&key);
        let open = last.is_some_and(|last| !last.acknowledged);
        let Some(number) = number(said).filter(|_| said.is_reliable()) else {
            if said.is_success() && open && last.is_some_and(|last| last.described) {
                wrong(faults, "a 2xx before the PRACK of a description (RFC 3262 §3)", said);
            }
            return;
        };
        match last {
            Some(last) if last.number == number => return,
            Some(_) if open => {
                wrong(faults, "a second reliable response before the PRACK (RFC 3262 §3)", said);
            }
            Some(last) if last.number + 1 != number => {
                wrong(faults, "an RSeq that does not go up by one (RFC 3262 §3)", said);
            }
            _ => {}
        }
        if !self.allowed.contains(&said.branch) || !said.lists("Require", "100rel") {
            wrong(faults, "a reliable response that is not allowed, or not told (RFC 3262 §3)", said);
        }
        let last = Last {
            number,
            call_id: said.dialog.0.clone(),
            invite: said.number,
            acknowledged: false,
            described: said.sdp().is_some(),
        };
        self.ours.insert(key, last);
    }

    fn acknowledges(&mut self, said: &Said, faults: &mut Faults) {
        let known = rack(said).and_then(|(response, invite)| {
            Some((response, self.theirs.get_mut(&(said.dialog.clone(), invite))?))
        });
        match known {
            Some((response, theirs)) if theirs.next == Some(response) => {
                theirs.next = Some(response + 1);
                theirs.last = Some(response);
                theirs.owed = None;
            }
            // Another offer needs another PRACK only with another response.
            Some((response, theirs)) if theirs.last == Some(response) => {
                wrong(faults, "a second PRACK of one response (RFC 3262 §4)", said);
            }
            _ => wrong(faults, "a PRACK of no response that has come (RFC 3262 §7.2)", said),
        }
    }
}
