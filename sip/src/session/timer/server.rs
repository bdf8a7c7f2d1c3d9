//! Requests of the peer: what our answers say of session timers (RFC 4028 §9).

use super::TimerTerms;
use super::negotiate::{Said, add_tag, granted, too_small};
use crate::endpoint::Endpoint;
use crate::received::Received;
use crate::session::{Parts, Reply, SessionId, Stage};
use crate::time::Now;
use sip_types::{HeaderName, Headers, StatusCode};

impl Endpoint {
    /// The 422 that refuses a pending INVITE of the peer, if the interval that it asks for is smaller than we take. To be asked for
    /// once it is known how the peer is [treated](Self::conduct).
    pub fn interval_refusal(&mut self, sid: SessionId) -> Option<Reply> {
        let terms = self.timer_terms(sid);
        let Stage::Called(pending) = &self.sessions.get(sid)?.stage else { return None };
        let refusal = refusal(&terms, pending.request.headers());
        self.counters.intervals_refused += u64::from(refusal.is_some());
        refusal
    }

    /// The same for a request in the dialog.
    pub(crate) fn refuses_interval(&mut self, sid: SessionId, request: &Received) -> Option<Reply> {
        let refusal = refusal(&self.timer_terms(sid), request.headers());
        self.counters.intervals_refused += u64::from(refusal.is_some());
        refusal
    }

    /// Our 2xx to an INVITE or UPDATE of the peer says by what the session is timed from now on.
    pub(crate) fn time_answer(&mut self, now: Now, sid: SessionId, request: &Received, parts: &mut Parts) {
        let terms = self.timer_terms(sid);
        if !terms.takes_part() {
            return;
        }
        let said = Said::of(request.headers());
        let Some(session) = self.sessions.get_mut(sid) else { return };
        if let Some(least) = said.least {
            let timing = session.timing.get_or_insert_default();
            timing.heard = timing.heard.max(least);
        }
        let before = session.timing.as_ref().and_then(|timing| timing.agreed());
        let granted = granted(&terms, &said, before);
        add_tag(&mut parts.fields, HeaderName::Supported);
        if let Some(granted) = granted {
            granted.write(&said, &mut parts.fields);
        }
        self.time(now, sid, granted);
    }
}

fn refusal(terms: &TimerTerms, headers: &Headers) -> Option<Reply> {
    let least = too_small(terms, &Said::of(headers))?;
    let mut reply = Reply::new(StatusCode::SESSION_INTERVAL_TOO_SMALL);
    reply.parts.fields.push(HeaderName::MinSE, least.to_string());
    Some(reply)
}
