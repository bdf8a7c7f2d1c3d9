//! Offers and answers (RFC 3261 §13.2.1, RFC 3262 §5, RFC 3264 §4, RFC 3311 §5, RFC 6337 §2): one at a time in a dialog, each answered
//! once, and in the message that it is to be answered in.

use super::said::{DialogId, Said};
use super::{Faults, LIFETIME, Rule, wrong};
use sip::time::Mono;
use std::collections::{BTreeMap, BTreeSet};

/// Which message answers an offer.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Answers {
    /// A response to the request of that branch and method.
    Response(String, String),
    /// The ACK of the INVITE of that number.
    Ack(u32),
    /// The PRACK of that response, by RSeq.
    Prack(String),
}

/// An offer that waits for its answer.
#[derive(Clone, Debug)]
struct Open {
    at: Mono,
    answers: Answers,
    /// What an unreliable response has shown of the answer.
    shown: Option<String>,
}

/// What is going on in a dialog.
#[derive(Clone, Default)]
struct Talk {
    ours: Option<Open>,
    theirs: Option<Open>,
    /// Requests that carried an offer of theirs, once it is answered.
    answered: BTreeSet<(String, String)>,
    /// INVITEs without an offer, in whose first reliable response there is one of ours.
    offered: BTreeSet<String>,
}

/// What is going on in all dialogs.
#[derive(Default)]
pub(super) struct Offers {
    talks: BTreeMap<DialogId, Talk>,
    /// The requests of peers, by branch and method: whether they carry an offer.
    asked: BTreeMap<(String, String), bool>,
    /// Requests of ours that do.
    offering: BTreeSet<(String, String)>,
    said: BTreeSet<String>,
}

impl Talk {
    fn is_asking(&self, now: Mono) -> bool {
        // Nobody has answered a request for that long: it has failed.
        self.ours.as_ref().is_some_and(|open| {
            !matches!(open.answers, Answers::Response(..)) || now.since(open.at) < LIFETIME
        })
    }
}

impl Rule for Offers {
    fn sent(&mut self, said: &Said, faults: &mut Faults) {
        if !self.said.insert(said.text.clone()) {
            return;
        }
        match said.status {
            None => self.asks(said, faults),
            Some(_) => self.responds(said, faults),
        }
    }

    fn came(&mut self, said: &Said, _: &mut Faults) {
        if !self.said.insert(said.text.clone()) {
            return;
        }
        match said.status {
            None => self.is_asked(said),
            Some(_) => self.is_answered(said),
        }
    }

    fn end(&mut self, _: &mut Faults) {}
}

impl Offers {
    /// The dialog's, which begins with what the INVITE without a tag has offered.
    fn talk(&mut self, id: &DialogId) -> &mut Talk {
        if !self.talks.contains_key(id) {
            let first = self.talks.get(&(id.0.clone(), id.1.clone(), String::new()));
            let first = first.or_else(|| self.talks.get(&(id.0.clone(), String::new(), id.2.clone())));
            let talk = first.cloned().unwrap_or_default();
            self.talks.insert(id.clone(), talk);
        }
        self.talks.entry(id.clone()).or_default()
    }

    fn asks(&mut self, said: &Said, faults: &mut Faults) {
        let (key, described) = (said.transaction(), said.sdp().is_some());
        let talk = self.talk(&said.dialog);
        let owed = talk.theirs.as_ref().map(|open| open.answers.clone());
        let answers = match (&owed, said.method.as_str()) {
            (Some(Answers::Ack(number)), "ACK") => *number == said.number,
            (Some(Answers::Prack(rseq)), "PRACK") => {
                said.find("RAck").is_some_and(|rack| rack.split(' ').next() == Some(rseq))
            }
            _ => false,
        };
        match said.method.as_str() {
            _ if answers && !described => {
                wrong(faults, "an offer without its answer (RFC 3261 §13.2.1)", said)
            }
            _ if answers => talk.theirs = None,
            "ACK" if described => {
                wrong(faults, "a description in an ACK that answers nothing (RFC 3261 §13.2.1)", said);
            }
            "INVITE" | "UPDATE" | "PRACK" if described => {
                // A retry of the first INVITE takes the place of the one that has failed.
                if talk.is_asking(said.at) || talk.theirs.is_some() {
                    wrong(faults, "an offer in the middle of another (RFC 3264 §4)", said);
                }
                let answers = Answers::Response(key.0.clone(), key.1.clone());
                talk.ours = Some(Open { at: said.at, answers, shown: None });
                self.offering.insert(key);
            }
            _ => {}
        }
    }

    fn is_asked(&mut self, said: &Said) {
        let key = said.transaction();
        let described = said.sdp().is_some();
        let is_new = !self.asked.contains_key(&key);
        let talk = self.talk(&said.dialog);
        match said.method.as_str() {
            "ACK" => {
                if talk.ours.as_ref().is_some_and(|open| open.answers == Answers::Ack(said.number)) {
                    talk.ours = None;
                }
                return;
            }
            "PRACK" => {
                let rseq = said.find("RAck").and_then(|rack| rack.split(' ').next()).unwrap_or_default();
                let ours = Some(Answers::Prack(rseq.to_owned()));
                if described && talk.ours.as_ref().map(|open| open.answers.clone()) == ours {
                    talk.ours = None;
                    self.asked.entry(key).or_insert(false);
                    return;
                }
            }
            // Who has hung up waits for no answer.
            "BYE" => {
                talk.theirs = None;
                return;
            }
            "INVITE" | "UPDATE" => {}
            _ => return,
        }
        // One that begins a dialog takes the place of one that has failed.
        let is_free = said.dialog.1.is_empty() || talk.theirs.is_none();
        if described && is_new && is_free {
            let answers = Answers::Response(key.0.clone(), key.1.clone());
            talk.theirs = Some(Open { at: said.at, answers, shown: None });
        }
        self.asked.entry(key).or_insert(described);
    }

    fn responds(&mut self, said: &Said, faults: &mut Faults) {
        let key = said.transaction();
        if !matches!(said.method.as_str(), "INVITE" | "UPDATE" | "PRACK") || said.status == Some(100) {
            return;
        }
        let offered = self.asked.get(&key).copied().unwrap_or_default();
        let binding = said.is_success() || said.is_reliable();
        let talk = self.talk(&said.dialog);
        let asks = talk.is_asking(said.at);
        let of = Answers::Response(key.0.clone(), key.1.clone());
        let open = talk.theirs.as_mut().filter(|open| open.answers == of);
        match (offered, said.sdp()) {
            (_, _) if said.is_failure() => {
                if open.is_some() {
                    talk.theirs = None;
                }
            }
            (true, None) if open.is_some() && said.is_success() => {
                wrong(faults, "an offer without its answer (RFC 3261 §13.2.1)", said);
            }
            (true, Some(sdp)) if open.is_some() => {
                let Some(open) = open else { return };
                if open.shown.as_ref().is_some_and(|shown| shown != sdp) {
                    wrong(faults, "another answer than the one that was shown (RFC 3261 §13.2.1)", said);
                }
                open.shown = Some(sdp.to_owned());
                if binding {
                    if asks {
                        wrong(faults, "an answer in the middle of an offer of ours (RFC 3264 §4)", said);
                    }
                    talk.theirs = None;
                    talk.answered.insert(key);
                }
            }
            (true, Some(_)) if talk.answered.contains(&key) => {
                wrong(faults, "a second answer to one offer (RFC 6337 §2.2)", said);
            }
            (true, Some(_)) => {
                wrong(faults, "an answer to an offer that came in the middle of another (RFC 3264 §4)", said)
            }
            (true, None) => {}
            (false, Some(_)) if said.method == "INVITE" && !talk.offered.contains(&said.branch) => {
                if binding {
                    if asks || talk.theirs.is_some() {
                        wrong(faults, "an offer in the middle of another (RFC 3264 §4)", said);
                    }
                    talk.offered.insert(said.branch.clone());
                    let answers = match said.find("RSeq") {
                        Some(rseq) => Answers::Prack(rseq.to_owned()),
                        None => Answers::Ack(said.number),
                    };
                    talk.ours = Some(Open { at: said.at, answers, shown: None });
                }
            }
            (false, Some(_)) => wrong(faults, "a description that answers nothing (RFC 6337 §2.2)", said),
            (false, None)
                if said.method == "INVITE" && said.is_success() && !talk.offered.contains(&said.branch) =>
            {
                wrong(faults, "a 2xx without the offer that was asked for (RFC 3261 §13.2.1)", said);
            }
            (false, None) => {}
        }
    }

    fn is_answered(&mut self, said: &Said) {
        let key = said.transaction();
        let offering = self.offering.contains(&key);
        if said.is_failure() && !said.dialog.0.is_empty() {
            // It fails in every dialog of the INVITE.
            let of = Answers::Response(key.0.clone(), key.1.clone());
            let talks = self.talks.iter_mut().filter(|(id, _)| id.0 == said.dialog.0);
            for (_, talk) in talks {
                if talk.ours.as_ref().is_some_and(|open| open.answers == of) {
                    talk.ours = None;
                }
            }
            return;
        }
        let binding = said.is_success() || said.is_reliable();
        let number = said.number;
        let talk = self.talk(&said.dialog);
        let of = Answers::Response(key.0.clone(), key.1);
        if !binding {
            return;
        }
        if talk.ours.as_ref().is_some_and(|open| open.answers == of) {
            if said.sdp().is_some() || said.is_success() {
                talk.ours = None;
            }
        } else if said.sdp().is_some()
            && said.method == "INVITE"
            && !offering
            && !talk.offered.contains(&key.0)
        {
            talk.offered.insert(key.0);
            let answers = match said.find("RSeq") {
                Some(rseq) => Answers::Prack(rseq.to_owned()),
                None => Answers::Ack(number),
            };
            talk.theirs = Some(Open { at: said.at, answers, shown: None });
        }
    }
}
