//! Our requests: what they say of session timers, and what comes of their answers (RFC 4028 §7).

use super::TimerTerms;
use super::negotiate::{Agreed, Proposal, Said, agreed};
use super::standing::Standing;
use crate::endpoint::Endpoint;
use crate::io::Timer;
use crate::session::{OutgoingId, Purpose, Session, SessionId, SessionTimer, Stage};
use crate::time::Now;
use crate::timers::TimerQueue;
use sip_types::header::MinSE;
use sip_types::{HeaderName, MessageWriter, Method, Response};

impl Session {
    /// What an INVITE or UPDATE of ours says, in a dialog or one that makes one.
    pub(crate) fn proposal(&self, terms: &TimerTerms, in_dialog: bool) -> Proposal {
        let timing = self.timing.as_deref();
        if timing.is_some_and(|timing| timing.unasked) {
            return Proposal::default();
        }
        let heard = timing.map_or(0, |timing| timing.heard);
        match in_dialog {
            true => Proposal::next(terms, timing.and_then(|timing| timing.agreed()), heard),
            false => Proposal::first(terms, heard),
        }
    }

    /// What a request of ours says of session timers; `None` where it does not say that we know of them. It does in each but ACK
    /// (RFC 4028 §7.1).
    pub(crate) fn timer_in(&self, terms: &TimerTerms, method: &Method, in_dialog: bool) -> Option<Proposal> {
        let of_a_call = !matches!(self.stage, Stage::Asking { .. } | Stage::Subscribed);
        if !terms.takes_part() || !of_a_call || *method == Method::Ack {
            return None;
        }
        Some(if refreshes(method) { self.proposal(terms, in_dialog) } else { Proposal::default() })
    }

    /// What its peer's terms are: those of its conduct, else those of the listener that it uses.
    pub(crate) fn has_terms(&self) -> Option<TimerTerms> {
        self.conduct.map(|conduct| conduct.session_timers)
    }
}

impl Proposal {
    /// Writes it.
    pub(crate) fn write(&self, out: &mut MessageWriter) {
        if let Some(expires) = self.expires {
            out.header(HeaderName::SessionExpires, expires);
        }
        if let Some(least) = self.least {
            out.header(HeaderName::MinSE, MinSE(least));
        }
    }
}

/// Whether a request is a session refresh request (RFC 4028 §2).
pub(crate) fn refreshes(method: &Method) -> bool {
    matches!(method, Method::Invite | Method::Update)
}

impl Endpoint {
    /// How sessions with the peer of that one are timed.
    pub(crate) fn timer_terms(&self, sid: SessionId) -> TimerTerms {
        let Some(session) = self.sessions.get(sid) else { return TimerTerms::default() };
        // Of an INVITE that nobody has answered yet the way is not known.
        let on_way = session.way.as_ref().and_then(|way| self.settings.listener(way.listener()));
        let in_network = || self.settings.listeners.iter().find(|l| l.network == session.network);
        let listener = || on_way.or_else(in_network).map(|listener| listener.session_timers);
        session.has_terms().or_else(listener).unwrap_or_default()
    }

    /// A 2xx to an INVITE or UPDATE of ours: the interval begins, or there is no timer any more (RFC 4028 §7.2).
    pub(crate) fn timed_by_answer(
        &mut self,
        now: Now,
        sid: SessionId,
        (id, in_dialog): (OutgoingId, bool),
        response: &Response,
    ) {
        let terms = self.timer_terms(sid);
        if !terms.takes_part() {
            return;
        }
        let said = Said::of(response.headers());
        let Some(session) = self.sessions.get_mut(sid) else { return };
        let proposed = session.proposal(&terms, in_dialog);
        let before = session.timing.as_ref().and_then(|timing| timing.agreed());
        if let Some(timing) = &mut session.timing {
            timing.refreshing.take_if(|refreshing| *refreshing == id);
            if !in_dialog {
                // From here on only those on the way of the dialog have a say (RFC 4028 §7.4).
                timing.heard = 0;
            }
        }
        self.time(now, sid, agreed(&terms, &proposed, &said, before));
    }

    /// 422 to an INVITE or UPDATE of ours: the same again, to the same target, with the interval that is asked for. That says nothing
    /// about the way, nor about whom it goes to. Where whatever we ask for is too small, we ask for none (RFC 4028 §7.3).
    /// `false`: it stands.
    pub(crate) fn raises_interval(
        &mut self,
        now: Now,
        sid: SessionId,
        id: OutgoingId,
        response: &Response,
    ) -> bool {
        let rounds = self.settings.limits.rounds;
        let terms = self.timer_terms(sid);
        let Some(session) = self.sessions.get_mut(sid) else { return false };
        let Some(at) = session.outgoing.iter().position(|o| o.id == id && refreshes(&o.method)) else {
            return false;
        };
        let Some((purpose, in_dialog)) = session.outgoing.get(at).map(|o| (o.purpose, o.dialog.is_some()))
        else {
            return false;
        };
        let Some(asked) = session.proposal(&terms, in_dialog).expires.filter(|_| session.wants(purpose))
        else {
            return false;
        };
        let Some(outgoing) = session.outgoing.get_mut(at) else { return false };
        let spent = outgoing.rounds >= rounds;
        outgoing.rounds = outgoing.rounds.saturating_add(1);
        let least = response.headers().get::<MinSE>().ok().flatten().map(|least| least.0);
        let timing = session.timing.get_or_insert_default();
        match least.filter(|least| *least > asked.interval && !spent) {
            Some(least) => timing.heard = timing.heard.max(least),
            None => timing.unasked = true,
        }
        if purpose == Purpose::Invite {
            // A final response ends the early dialogs of its INVITE (RFC 3261 §12.3).
            session.forget_early();
        }
        self.counters.rounds_spent += u64::from(spent);
        self.counters.intervals_raised += 1;
        self.relaunch(now, sid, id);
        true
    }

    /// The interval of a session begins, or it has none.
    pub(super) fn time(&mut self, now: Now, sid: SessionId, agreed: Option<Agreed>) {
        let Some(session) = self.sessions.get_mut(sid) else { return };
        match (agreed, &mut session.timing) {
            (Some(agreed), timing) => {
                let timing = timing.get_or_insert_default();
                timing.stands = Some(Standing::new(agreed, now.mono));
                timing.unasked = false;
            }
            (None, Some(timing)) => timing.stands = None,
            (None, None) => return,
        }
        self.arm_interval(now, sid);
    }

    /// Arms the deadline of a session's timer, unless an earlier one waits.
    pub(super) fn arm_interval(&mut self, now: Now, sid: SessionId) {
        let Some(timing) = self.sessions.get_mut(sid).and_then(|session| session.timing.as_mut()) else {
            return;
        };
        let Some(due) = timing.stands.map(|standing| standing.due) else { return };
        let at = due.min(now.mono + TimerQueue::<Timer>::HOP);
        if timing.armed.is_none_or(|armed| at < armed) {
            timing.armed = Some(at);
            self.io.timers.arm_at(now, at, Timer::Session(sid, SessionTimer::Interval));
        }
    }
}
