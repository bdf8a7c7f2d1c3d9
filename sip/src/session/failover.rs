//! From one target to the next (RFC 3263 §4.3): which are tried, when one is given up, and what comes of those that were.

use super::{Flight, OutgoingId, SessionId, SessionTimer};
use crate::endpoint::Endpoint;
use crate::event::{Failure, Unreachable};
use crate::flow::NetworkId;
use crate::io::Timer;
use crate::location::{Fate, Target, Trouble};
use crate::time::{Mono, Now};
use sip_types::header::RetryAfter;
use sip_types::{Fields, HeaderName, Response, StatusCode};
use smallvec::SmallVec;
use std::collections::VecDeque;
use std::time::Duration;

/// How long a request outside a dialog waits, and for whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// How long one target may be silent before the next one is tried; `None` waits for timer B or F.
    pub target: Option<Duration>,
    /// Whether there is nothing else to try: then targets that are known to be silent or out of reach are tried after
    /// the others, and the last one is given all the time of timer B or F.
    pub last_resort: bool,
}

impl Default for Patience {
    fn default() -> Self {
        Self { target: None, last_resort: true }
    }
}

/// Where a request of ours goes, and where it has been.
#[derive(Debug, Default)]
pub(crate) struct Course {
    /// Targets that have not been tried.
    pub(crate) targets: VecDeque<Target>,
    /// The target that it was last sent to; none on a flow.
    pub(crate) at: Option<Target>,
    /// Whether that one has responded.
    pub(crate) heard: bool,
    /// Whether its owner was told of a provisional response: then there is no other target.
    pub(crate) progressed: bool,
    pub(crate) patience: Patience,
    /// Whether it goes to every target.
    pub(crate) everywhere: bool,
    /// When the target is given up.
    give_up_at: Option<Mono>,
}

impl Endpoint {
    /// What is known of targets before any is tried.
    pub(crate) fn judge(&self, now: Now, network: NetworkId, targets: &[Target]) -> SmallVec<[Fate; 4]> {
        let judged = targets.iter().map(|target| {
            if self.settings.listener_towards(network, target.transport, target.address).is_none() {
                return Fate::NoListener;
            }
            self.health.held(now, &target.place(network)).map_or(Fate::Waiting, Fate::Skipped)
        });
        judged.collect()
    }

    /// The targets that a request is sent to, in order: those that the network has a listener for and that are not known
    /// to be down, as they are judged. In a dialog, and as a last resort, those that are come after them. Addresses of one host that were
    /// down when last heard of come after its others (RFC 7984 §4, RFC 8305 §4).
    pub(crate) fn choose(
        &self,
        sid: SessionId,
        id: OutgoingId,
        network: NetworkId,
        targets: Vec<Target>,
        fates: &[Fate],
    ) -> Result<VecDeque<Target>, Unreachable> {
        let session = self.sessions.get(sid);
        let outgoing = session.and_then(|s| s.outgoing.iter().find(|o| o.id == id));
        let inside = outgoing.is_some_and(|o| o.dialog.is_some());
        let inside = inside || outgoing.is_some_and(|o| o.course.everywhere);
        let last_resort = outgoing.is_some_and(|o| o.course.patience.last_resort);
        let (mut chosen, mut down, mut any_down) = (Vec::with_capacity(targets.len()), Vec::new(), false);
        let secure = targets.iter().all(|target| target.transport.is_secure());
        for (target, fate) in targets.into_iter().zip(fates) {
            match fate {
                Fate::NoListener => {}
                Fate::Skipped(trouble) => {
                    any_down = true;
                    if inside || (last_resort && *trouble != Trouble::Unavailable) {
                        down.push(target);
                    }
                }
                _ => chosen.push(target),
            }
        }
        chosen.sort_by_key(|target| (target.host, self.health.is_suspect(&target.place(network))));
        chosen.extend(down);
        match chosen.is_empty() {
            false => Ok(chosen.into()),
            true if any_down => Err(Unreachable::Held),
            true if secure => Err(Unreachable::NotSecure),
            true => Err(Unreachable::Listener),
        }
    }

    /// Sends a request again to the target that it has been to.
    pub(crate) fn try_again(&mut self, now: Now, sid: SessionId, id: OutgoingId) {
        let Some(outgoing) = self.sessions.get_mut(sid).and_then(|s| s.outgoing_mut(id)) else { return };
        match outgoing.course.at.clone() {
            Some(target) => self.try_target(now, sid, id, target),
            None => self.locate(now, sid, id),
        }
    }

    /// Sets the time at which the target of a request is given up, if there is another one, or its owner has one.
    pub(crate) fn watch_target(&mut self, now: Now, sid: SessionId, id: OutgoingId) {
        let Some(outgoing) = self.sessions.get_mut(sid).and_then(|s| s.outgoing_mut(id)) else { return };
        let course = &mut outgoing.course;
        let last = course.targets.is_empty() && course.patience.last_resort;
        course.give_up_at = match course.patience.target {
            Some(patience) if !last && outgoing.dialog.is_none() => Some(now.mono + patience),
            _ => None,
        };
        if let Some(at) = course.give_up_at {
            self.io.timers.arm_at(now, at, Timer::Session(sid, SessionTimer::Target(id)));
        }
    }

    /// The target of a request may have been silent for too long.
    pub(crate) fn target_due(&mut self, now: Now, sid: SessionId, id: OutgoingId) {
        let Some(session) = self.sessions.get_mut(sid) else { return };
        let Some(outgoing) = session.outgoing_mut(id) else { return };
        let Some(at) = outgoing.course.give_up_at.filter(|_| !outgoing.course.heard) else { return };
        let Flight::Sent(client) = outgoing.flight else { return };
        let purpose = outgoing.purpose;
        if at > now.mono {
            return self.io.timers.arm_at(now, at, Timer::Session(sid, SessionTimer::Target(id)));
        }
        if !session.wants(purpose) {
            return;
        }
        // RFC 3261 §9.1: an INVITE without a provisional response must not be cancelled; it will be when one comes.
        self.clients.abandon(client, too_late());
        self.counters.targets_given_up += 1;
        self.silent(now, sid, id);
    }

    /// The target of a request has not said a word: the next one, or failure.
    pub(crate) fn silent(&mut self, now: Now, sid: SessionId, id: OutgoingId) {
        self.note_trouble(now, sid, id, Trouble::Silent);
        self.try_another(now, sid, id, Failure::Timeout);
    }

    /// Remembers that the target of a request is in trouble.
    pub(crate) fn note_trouble(&mut self, now: Now, sid: SessionId, id: OutgoingId, trouble: Trouble) {
        let Some(session) = self.sessions.get_mut(sid) else { return };
        let network = session.network;
        if let Some(target) = session.outgoing_mut(id).and_then(|o| o.course.at.as_ref()) {
            self.health.failed(now, target.place(network), trouble, &self.settings.location);
        }
        session.note_fate_of_last(id, Fate::Failed(trouble));
    }

    /// Remembers that the target of a request responds; a 503 with Retry-After asks to be left alone (RFC 3261
    /// §21.5.4).
    pub(crate) fn note_response(&mut self, now: Now, sid: SessionId, id: OutgoingId, response: &Response) {
        let Some(session) = self.sessions.get_mut(sid) else { return };
        let network = session.network;
        session.note_fate_of_last(id, Fate::Answered(response.status()));
        let Some(outgoing) = session.outgoing_mut(id) else { return };
        let wait = retry_after(response);
        let first = !std::mem::replace(&mut outgoing.course.heard, true);
        let Some(target) = &outgoing.course.at else { return };
        let (place, settings) = (target.place(network), &self.settings.location);
        match wait {
            Some(wait) => self.health.unavailable(now, place, wait, settings),
            None if first => self.health.responded(now, place, settings),
            None => {}
        }
    }

    /// A target failed: the next one (RFC 3263 §4.3), or failure.
    pub(crate) fn try_another(&mut self, now: Now, sid: SessionId, id: OutgoingId, why: Failure) {
        let Some(session) = self.sessions.get(sid) else { return };
        let Some(outgoing) = session.outgoing.iter().find(|o| o.id == id) else { return };
        let course = &outgoing.course;
        if course.targets.is_empty() || course.progressed || !session.wants(outgoing.purpose) {
            return self.failed(now, sid, id, why);
        }
        self.counters.failovers += 1;
        self.try_next(now, sid, id);
    }

    /// Whether a final response says that its target fails, and another one is left (RFC 3263 §4.3).
    pub(crate) fn fails_over(&self, sid: SessionId, id: OutgoingId, status: StatusCode) -> bool {
        let outgoing = self.sessions.get(sid).and_then(|s| s.outgoing.iter().find(|o| o.id == id));
        status == StatusCode::SERVICE_UNAVAILABLE
            && outgoing.is_some_and(|o| !o.course.targets.is_empty() && !o.course.progressed)
    }
}

/// The Retry-After of a 503.
fn retry_after(response: &Response) -> Option<Duration> {
    if response.status() != StatusCode::SERVICE_UNAVAILABLE {
        return None;
    }
    let field = response.headers().first_of::<RetryAfter>().ok().flatten()?;
    (field.seconds > 0).then(|| Duration::from_secs(field.seconds.into()))
}

/// What a target is told that answers after it was given up (RFC 3326 §2).
pub(crate) fn too_late() -> Fields {
    let mut fields = Fields::default();
    fields.push(HeaderName::Reason, "SIP;cause=408;text=\"Too late\"");
    fields
}
