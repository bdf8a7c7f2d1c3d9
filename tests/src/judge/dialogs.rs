//! What is sent in a dialog goes to its remote target by its route set, with numbers that go up, and as long as there is one (RFC 3261
//! §12, §15; RFC 6141 §4 for targets that change).

use super::said::{DialogId, Said};
use super::{Faults, Rule, wrong};
use crate::message::uri_in;
use std::collections::{BTreeMap, BTreeSet};

/// What is known of a dialog so far.
#[derive(Default)]
struct Known {
    /// The number of our last request.
    number: u32,
    /// Those of our INVITEs.
    invites: BTreeSet<u32>,
    /// Where the peer is.
    target: String,
    /// Where it will be, once we have said yes to the request that says so, by branch.
    moves: BTreeMap<(String, String), String>,
    /// The way there.
    route: Vec<String>,
    /// The INVITE that makes it, until that has a 2xx.
    early: Option<String>,
    /// Somebody has said BYE, or that there is no such dialog, or the INVITE has failed.
    over: bool,
    /// The peer has told us that it knows nothing of the dialog.
    unknown: bool,
    /// Subscriptions in it, which outlive the session: those of the peer, and ours (RFC 5057 §5).
    tells: bool,
    asks: bool,
}

/// What is known of all dialogs.
#[derive(Default)]
pub(super) struct Dialogs {
    dialogs: BTreeMap<DialogId, Known>,
    /// What we have asked for before there was a tag: it counts in every dialog that comes of it.
    begun: BTreeMap<(String, String), Known>,
    /// Our requests, by branch and method: the dialog's tags that each had.
    asked: BTreeMap<(String, String), Said>,
    /// The requests of peers.
    came: BTreeMap<(String, String), Said>,
    /// Responses of peers that have come before.
    heard: BTreeSet<String>,
    /// The Call-IDs and tags that we have used.
    tags: BTreeSet<(String, String)>,
}

/// Whether a request makes a dialog (RFC 3261 §12.1, RFC 3515 §2.4.4, RFC 6665 §4.4.1).
fn makes(method: &str) -> bool {
    matches!(method, "INVITE" | "SUBSCRIBE" | "REFER" | "NOTIFY")
}

/// Whether a request moves the target of its dialog (RFC 3261 §12.2, RFC 3311 §5.1, RFC 6665 §3.1.3, §3.2.1).
fn moves(method: &str) -> bool {
    matches!(method, "INVITE" | "UPDATE" | "SUBSCRIBE" | "NOTIFY")
}

fn target(said: &Said) -> Option<String> {
    said.find("Contact").map(uri_in)
}

impl Rule for Dialogs {
    fn sent(&mut self, said: &Said, faults: &mut Faults) {
        match said.status {
            Some(status) => self.responds(said, status, faults),
            None => self.asks(said, faults),
        }
        if said.status.is_none_or(|status| status > 100) {
            self.tags.insert((said.dialog.0.clone(), said.dialog.1.clone()));
        }
    }

    fn came(&mut self, said: &Said, _: &mut Faults) {
        match said.status {
            Some(status) => self.response_came(said, status),
            None => self.request_came(said),
        }
    }

    fn end(&mut self, _: &mut Faults) {}
}

impl Dialogs {
    fn request_came(&mut self, said: &Said) {
        if self.came.insert(said.transaction(), said.clone()).is_some() {
            return;
        }
        if said.method == "NOTIFY" {
            self.made_by_notify(said);
        }
        let Some(known) = self.dialogs.get_mut(&said.dialog) else { return };
        if let Some(target) = target(said).filter(|_| moves(&said.method)) {
            known.moves.insert(said.transaction(), target);
        }
        if said.method == "BYE" {
            known.over = true;
        }
    }

    /// A NOTIFY makes the dialog of what we have asked for (RFC 6665 §4.4.1).
    fn made_by_notify(&mut self, said: &Said) {
        let Some(begun) = self.begun.get(&(said.dialog.0.clone(), said.dialog.1.clone())) else { return };
        if begun.asks && !self.dialogs.contains_key(&said.dialog) {
            let target = target(said).unwrap_or_default();
            let known = Known {
                number: begun.number,
                target,
                route: said.all("Record-Route"),
                asks: true,
                ..Known::default()
            };
            self.dialogs.insert(said.dialog.clone(), known);
        }
    }

    fn response_came(&mut self, said: &Said, status: u16) {
        let asked = self.asked.get(&said.transaction());
        let Some(asked) = asked.filter(|_| self.heard.insert(said.text.clone())) else { return };
        if asked.dialog.2.is_empty() {
            let asked = asked.clone();
            return self.made(&asked, said, status);
        }
        let Some(known) = self.dialogs.get_mut(&said.dialog) else { return };
        if (said.is_success() || said.is_reliable())
            && let Some(target) = target(said).filter(|_| moves(&said.method))
        {
            known.target = target;
        }
        known.unknown |= status == 481;
    }

    /// What comes of a request of ours that makes dialogs.
    fn made(&mut self, asked: &Said, said: &Said, status: u16) {
        if status >= 300 {
            let early = |known: &&mut Known| known.early.as_ref() == Some(&said.branch);
            self.dialogs.values_mut().filter(early).for_each(|known| known.over = true);
            return;
        }
        let is_made = status > 100 && !said.dialog.2.is_empty() && makes(&said.method);
        let Some(target) = target(said).filter(|_| is_made) else { return };
        let begun = self.begun.get(&(asked.dialog.0.clone(), asked.dialog.1.clone()));
        let begun = begun.map(|begun| (begun.number, begun.invites.clone(), begun.asks)).unwrap_or_default();
        let mut route = said.all("Record-Route");
        route.reverse();
        let is_new = !self.dialogs.contains_key(&said.dialog);
        let known = self.dialogs.entry(said.dialog.clone()).or_default();
        if is_new {
            (known.number, known.invites, known.asks) = begun;
            known.early = (said.method == "INVITE").then(|| said.branch.clone());
        }
        // RFC 3261 §13.2.2.4: with the 2xx the route set is computed anew.
        if is_new || said.is_success() {
            known.route = route;
        }
        if is_new || said.is_success() || said.is_reliable() {
            known.target = target;
        }
        if said.is_success() {
            known.early = None;
        }
    }

    fn asks(&mut self, said: &Said, faults: &mut Faults) {
        if self.asked.contains_key(&said.transaction()) {
            return;
        }
        let of_invite = self.asked.contains_key(&(said.branch.clone(), "INVITE".into()));
        self.asked.insert(said.transaction(), said.clone());
        // They belong to the transaction (RFC 3261 §9.1, §17.1.1.3).
        if said.method == "CANCEL" || said.method == "ACK" && of_invite {
            return;
        }
        if !said.dialog.2.is_empty() {
            return self.in_dialog(said, faults);
        }
        let begun = self.begun.entry((said.dialog.0.clone(), said.dialog.1.clone())).or_default();
        if said.number <= begun.number {
            wrong(faults, "a CSeq that does not grow (RFC 3261 §8.1.3.5, §22.2)", said);
        }
        begun.begin(said);
    }

    fn in_dialog(&mut self, said: &Said, faults: &mut Faults) {
        let Some(known) = self.dialogs.get_mut(&said.dialog) else {
            return wrong(faults, "a dialog that the peer has not made (RFC 3261 §12.1)", said);
        };
        // RFC 6141 §4.6: the new one is taken with the first request that goes there.
        if known.moves.values().any(|target| *target == said.uri) {
            known.target.clone_from(&said.uri);
        }
        if known.target != said.uri {
            wrong(faults, "another Request-URI than the remote target (RFC 3261 §12.2.1.1)", said);
        }
        if known.route != said.all("Route") {
            wrong(faults, "another Route than the route set (RFC 3261 §12.2.1.1)", said);
        }
        let outlives = match said.method.as_str() {
            "NOTIFY" => known.tells,
            "SUBSCRIBE" => known.asks,
            _ => false,
        };
        let fault = match said.method.as_str() {
            "ACK" if !known.invites.contains(&said.number) => {
                Some("an ACK of no INVITE (RFC 3261 §13.2.2.4)")
            }
            "ACK" => None,
            _ if known.over && !outlives => {
                Some("a request after the end of the dialog (RFC 3261 §15, RFC 5057 §4)")
            }
            "BYE" | "NOTIFY" | "SUBSCRIBE" if known.unknown => None,
            _ if known.unknown => Some("a request after a 481 (RFC 3261 §12.2.1.2)"),
            _ => None,
        };
        if let Some(fault) = fault {
            wrong(faults, fault, said);
        }
        if said.method != "ACK" {
            if said.number <= known.number {
                wrong(faults, "a CSeq that does not grow (RFC 3261 §12.2.1.1)", said);
            }
            known.begin(said);
            known.over |= said.method == "BYE";
        }
    }

    fn responds(&mut self, said: &Said, status: u16, faults: &mut Faults) {
        let Some(came) = self.came.get(&said.transaction()).cloned() else { return };
        let is_inside = !came.dialog.1.is_empty();
        if is_inside && status >= 200 && !matches!(said.method.as_str(), "CANCEL" | "ACK") {
            let is_known = self.tags.contains(&(said.dialog.0.clone(), said.dialog.1.clone()));
            if !is_known && status != 481 {
                wrong(
                    faults,
                    "another answer than 481 in a dialog that there is not (RFC 3261 §12.2.2)",
                    said,
                );
            }
        }
        if !is_inside && said.method == "INVITE" && status >= 300 {
            let early = |known: &&mut Known| known.early.as_ref() == Some(&said.branch);
            self.dialogs.values_mut().filter(early).for_each(|known| known.over = true);
        }
        if !is_inside && (101..300).contains(&status) && !said.dialog.1.is_empty() && makes(&said.method) {
            let is_new = !self.dialogs.contains_key(&said.dialog);
            let known = self.dialogs.entry(said.dialog.clone()).or_default();
            if is_new {
                known.target = target(&came).unwrap_or_default();
                known.route = came.all("Record-Route");
                known.early = (said.method == "INVITE").then(|| said.branch.clone());
            }
            known.tells |= said.is_success() && matches!(said.method.as_str(), "REFER" | "SUBSCRIBE");
            if said.is_success() {
                known.early = None;
            }
            return;
        }
        let Some(known) = self.dialogs.get_mut(&said.dialog) else { return };
        known.tells |= said.is_success() && matches!(said.method.as_str(), "REFER" | "SUBSCRIBE");
        let target = known.moves.get(&said.transaction()).cloned();
        if (said.is_success() || said.is_reliable())
            && let Some(target) = target
        {
            known.target = target;
        }
        if status >= 200 {
            known.moves.remove(&said.transaction());
        }
    }
}

impl Known {
    fn begin(&mut self, said: &Said) {
        self.number = self.number.max(said.number);
        match said.method.as_str() {
            "INVITE" => drop(self.invites.insert(said.number)),
            "SUBSCRIBE" | "REFER" => self.asks = true,
            _ => {}
        }
    }
}
