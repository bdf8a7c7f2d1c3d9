//! The places that a call may still go to, and by which rules: at once, in turn, or instead of one another.
//!
//! ```text
//!   group 1: branch 1 ─┬─ way, or else way      all branches of a group ring at once,
//!            branch 2 ─┴─ way                   each in one of its ways
//!   group 2: branch 3 ─── way                   once nothing rings any more
//! ```
//! How many ring at once is bounded by the configuration and by the caller's Max-Breadth. We are no proxy, but what we
//! make of one INVITE are several all the same, so we keep account of it as a forking proxy does (RFC 7332 §6, RFC 5393
//! §5.3.3): each leg gets a share, which comes back with its final response, and where there is nothing left to share,
//! branches wait for others to fail. So only a Max-Breadth of 0 is refused (440).

use super::{Call, LegNo, Place};
use config::Limits;
use sip::Received;
use sip::session::Reply;
use sip::time::Mono;
use sip_types::header::{HistoryInfo, MaxBreadth, Reason};
use sip_types::{HeaderName, StatusCode};
use std::collections::VecDeque;

/// The Max-Breadth of a request that has none, and the most that is taken over (RFC 5393 §5.3.3).
pub(crate) const MAX_BREADTH: u8 = 60;

/// The places that are left, and what came of the others.
pub(crate) struct Fork {
    places: VecDeque<Place>,
    /// The group that rings.
    group: u16,
    /// When it has rung for as long as it may; `None` while none of its legs has been made.
    pub(crate) due: Option<Mono>,
    /// What of the Max-Breadth no leg has.
    breadth: u8,
    /// What the caller hears if none answers.
    failure: Option<Reply>,
    /// The last redirection that was followed.
    redirected: Option<Reply>,
    /// Whether a device has failed: then the best failure is chosen, not the last.
    ranked: bool,
    /// What came of the other branches, whose failures the caller does not get.
    others: Vec<String>,
    /// What final responses have told of what the call has been through.
    histories: Vec<(LegNo, Vec<HistoryInfo>)>,
}

/// A place whose turn it is.
pub(crate) struct Turn {
    pub(crate) place: Place,
    /// The Max-Breadth of its INVITE.
    pub(crate) breadth: u8,
    /// Whether nothing is left to try instead of it.
    pub(crate) last_resort: bool,
}

/// The Max-Breadth that an INVITE gives us (RFC 5393 §5.3.3); one that cannot be read is as good as none.
pub(crate) fn incoming_breadth(request: &Received) -> u8 {
    if request.headers().first(HeaderName::MaxBreadth).is_none() {
        return MAX_BREADTH;
    }
    let given = request.headers().get::<MaxBreadth>().ok().flatten();
    given.and_then(|given| u8::try_from(given.0).ok()).map_or(MAX_BREADTH, |given| given.min(MAX_BREADTH))
}

impl Fork {
    /// With nothing tried yet.
    pub(crate) fn new(places: Vec<Place>, breadth: u8) -> Self {
        Self {
            places: places.into(),
            group: 0,
            due: None,
            breadth,
            failure: None,
            redirected: None,
            ranked: false,
            others: Vec::new(),
            histories: Vec::new(),
        }
    }

    /// The group that rings.
    pub(crate) fn group(&self) -> u16 {
        self.group
    }

    /// Places that are left.
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// The next place whose turn it is, beside the branches that ring, after so many legs.
    pub(crate) fn next(
        &mut self,
        branches: &(impl Iterator<Item = u16> + Clone),
        legs: usize,
        limits: &Limits,
    ) -> Option<Turn> {
        let more = limits.targets.saturating_sub(legs);
        if more == 0 {
            self.places.clear();
        }
        if self.places.is_empty() || self.breadth == 0 {
            return None;
        }
        let rings = |branch| branches.clone().any(|ringing| ringing == branch);
        let ringing = branches.clone().count();
        let room = limits.branches.saturating_sub(ringing).min(more);
        let at = match (ringing, room) {
            (0, _) => 0,
            (_, 0) => return None,
            _ => self.places.iter().position(|p| p.group == self.group && !rings(p.branch))?,
        };
        let place = self.places.remove(at)?;
        if place.group != self.group {
            (self.group, self.due) = (place.group, None);
        }
        let later = self.places.iter().any(|p| p.group != place.group);
        let instead = later || self.places.iter().any(|p| p.branch == place.branch);
        let beside = match self.places.is_empty() {
            true => 0,
            false => {
                self.waiting(|branch| branch != place.branch && !rings(branch)).min(room.saturating_sub(1))
            }
        };
        // One share is left for those that come later: a leg that is cancelled gives its own back only when it is over.
        let shares = 1 + beside + usize::from(later);
        let share = u8::try_from(usize::from(self.breadth) / shares).unwrap_or(self.breadth).max(1);
        self.breadth -= share;
        Some(Turn { place, breadth: share, last_resort: !instead || more == 1 })
    }

    /// The next place where one is tried after the other, each with all of the breadth, after so many.
    pub(crate) fn next_alone(&mut self, tried: usize, limits: &Limits) -> Option<Turn> {
        let more = limits.targets.saturating_sub(tried);
        let place = self.places.pop_front().filter(|_| more > 0)?;
        self.group = place.group;
        let breadth = std::mem::take(&mut self.breadth);
        Some(Turn { place, breadth, last_resort: self.places.is_empty() || more == 1 })
    }

    /// Branches of the group that are left and that `counts` is true of. The ways of one stand together.
    fn waiting(&self, counts: impl Fn(u16) -> bool) -> usize {
        let mut of_group = self.places.iter().filter(|p| p.group == self.group && counts(p.branch));
        let mut last = of_group.next().map(|p| p.branch);
        let first = usize::from(last.is_some());
        first + of_group.filter(|p| last.replace(p.branch) != Some(p.branch)).count()
    }

    /// A leg is over: its share is free again.
    pub(crate) fn give_back(&mut self, breadth: u8) {
        self.breadth = self.breadth.saturating_add(breadth).min(MAX_BREADTH);
    }

    /// The branch has its final answer: no other way to it is tried.
    pub(crate) fn settle(&mut self, branch: u16) {
        self.places.retain(|place| place.branch != branch);
    }

    /// Nothing else of the group that rings is tried.
    pub(crate) fn end_group(&mut self) {
        let group = self.group;
        self.places.retain(|place| place.group != group);
    }

    /// Nothing else is tried. What the places took is given back.
    pub(crate) fn clear(&mut self) {
        self.places = VecDeque::new();
    }

    /// These places come before all that is left, in this order.
    pub(crate) fn put_first(&mut self, places: impl DoubleEndedIterator<Item = Place>) {
        places.rev().for_each(|place| self.places.push_front(place));
    }

    /// Notes what a leg came to.
    pub(crate) fn note(&mut self, reply: Reply, device: bool) {
        self.ranked |= device;
        let earlier = self.failure.take().filter(|_| self.ranked);
        let (best, other) = better(earlier, reply);
        self.others.extend(other.map(|other| told(&other)));
        self.failure = Some(best);
    }

    /// Notes what a leg's final response tells of what the call has been through.
    pub(crate) fn remember(&mut self, no: LegNo, history: Vec<HistoryInfo>) {
        if !history.is_empty() {
            self.histories.push((no, history));
        }
    }

    /// What that leg's final response has told.
    pub(crate) fn history_of(&self, no: LegNo) -> &[HistoryInfo] {
        let told = self.histories.iter().find(|(of, _)| *of == no);
        told.map(|(_, history)| history.as_slice()).unwrap_or_default()
    }

    /// A redirection that is followed: the caller hears of it only if nothing that it leads to could be called.
    pub(crate) fn fall_back(&mut self, reply: Reply) {
        self.redirected = Some(reply);
    }

    /// What the caller hears, as none has answered.
    pub(crate) fn take_failure(&mut self) -> Reply {
        let failure = self.failure.take().or(self.redirected.take());
        let mut failure = failure.unwrap_or_else(|| Reply::new(StatusCode::SERVER_INTERNAL_ERROR));
        if !self.others.is_empty() {
            failure.parts.fields.push(HeaderName::Warning, others_warning(&self.others));
        }
        failure
    }
}

impl Call {
    /// The next place whose turn it is.
    pub(crate) fn next_turn(&mut self) -> Option<Turn> {
        let ringing = self.callees.iter().filter(|leg| leg.rings()).map(|leg| leg.branch);
        let legs = self.callees.len()
            - self.transfer().map_or(0, |transfer| transfer.before.min(self.callees.len()));
        self.fork.next(&ringing, legs, &self.snapshot.config().limits)
    }
}

/// So many reasons of a failure are told of.
const MOST_REASONS: usize = 4;

/// Statuses that tell a caller how to call with more success: they come first within their class (RFC 3261 §16.7 step 6).
/// 401 and 407 are not among them: a challenge of one side is no business of the other.
const HELPFUL: [StatusCode; 3] =
    [StatusCode::UNSUPPORTED_MEDIA_TYPE, StatusCode::BAD_EXTENSION, StatusCode::ADDRESS_INCOMPLETE];

/// Which of two failures of a user's devices the caller hears of: 6xx before all, else the lowest class, of one class
/// what helps the caller, and else the first (RFC 3261 §16.7 step 6); and the other one.
fn better(earlier: Option<Reply>, later: Reply) -> (Reply, Option<Reply>) {
    let rank = |reply: &Reply| match reply.status.class() {
        6 => (0, false),
        class => (class, !HELPFUL.contains(&reply.status)),
    };
    match earlier {
        Some(earlier) if rank(&earlier) <= rank(&later) => (earlier, Some(later)),
        earlier => (later, earlier),
    }
}

/// What the caller hears of the failures that it does not get. A message has one Reason of each protocol only (RFC 3326 §2), unless the
/// protocol is registered for more (RFC 9366): that of the failure that it gets, which a gateway releases by (RFC 6432 §3). So
/// theirs are in a warning.
fn others_warning(others: &[String]) -> String {
    format!("399 {} \"Other branches: {}\"", policy::WARN_AGENT, others.join(", "))
}

/// A failure as the warning has it: its status, and what else says why, with where it was said (RFC 8606): `404 (Q.850 1 LN)`.
fn told(reply: &Reply) -> String {
    let reasons = reply.parts.fields.list::<Reason>().unwrap_or_default();
    let because = reasons.iter().filter(|reason| is_told(reason)).filter_map(|reason| {
        let location = reason.params().get_unquoted("location");
        let location = location
            .filter(|at| (1..=8).contains(&at.len()) && at.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        let location = location.map(|at| format!(" {at}")).unwrap_or_default();
        Some(format!("{} {}{location}", reason.protocol(), reason.cause()?))
    });
    let because: Vec<String> = because.take(MOST_REASONS).collect();
    match because.is_empty() {
        true => reply.status.as_u16().to_string(),
        false => format!("{} ({})", reply.status.as_u16(), because.join("; ")),
    }
}

/// SIP's own reason is the status; a protocol with a long name is nobody's.
fn is_told(reason: &Reason) -> bool {
    !reason.is_protocol("SIP") && reason.protocol().len() <= 32
}

#[cfg(test)]
mod tests;
