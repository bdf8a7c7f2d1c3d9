//! What comes back.

use super::super::across::Across;
use super::super::decide;
use super::Waiting;
use crate::shard::Core;
use media::Mode;
use sip::Failure;
use sip::session::{Reply, RequestId, SessionId};
use sip::time::Now;
use sip_types::{Response, StatusCode};

impl Core {
    /// A request of ours outside a dialog is over: whether somebody waited for that.
    pub(crate) fn outside_over(
        &mut self,
        now: Now,
        session: SessionId,
        outcome: &Result<Response, Failure>,
    ) -> bool {
        let Some(mut waiting) = self.outside.remove(&session) else { return false };
        let id = waiting.id;
        if may_go_elsewhere(outcome)
            && now.mono < waiting.until
            && let Some(next) = waiting.left.pop_front()
        {
            if let Err(reply) = self.ask_place(now, waiting, next) {
                self.answer_outside(now, id, &reply);
            }
            return true;
        }
        let reply = self.outcome_across(&waiting, outcome);
        self.answer_outside(now, id, &reply);
        true
    }

    /// Answers what was handed up. Who gave up meanwhile hears nothing (RFC 4320 §4.2).
    pub(super) fn answer_outside(&mut self, now: Now, id: RequestId, reply: &Reply) {
        let _ = self.endpoint.answer_asked(now, id, reply);
    }

    /// What the one who waits hears of an outcome.
    fn outcome_across(&self, waiting: &Waiting, outcome: &Result<Response, Failure>) -> Reply {
        let (network, profile) = &waiting.asked;
        let to = (waiting.network, &*waiting.profile);
        let crossing = decide::crossing_between(&waiting.snapshot, (*network, profile), to);
        let across = Across { crossing, mode: Mode::Anchored };
        let listener = self.endpoint.settings().listener(waiting.request.flow.listener);
        match outcome {
            Ok(response) => across.whole(response, listener),
            Err(why) => across.failed(waiting.request.method(), why, || self.overload_reply()),
        }
    }
}

/// Whether another place may do better: nobody was there, or nobody who could serve it (RFC 3263 §4.3).
fn may_go_elsewhere(outcome: &Result<Response, Failure>) -> bool {
    match outcome {
        Err(Failure::Response(response)) => {
            matches!(response.status(), StatusCode::SERVICE_UNAVAILABLE | StatusCode::FLOW_FAILED)
        }
        Err(Failure::Timeout | Failure::Unreachable(_)) => true,
        Ok(_) | Err(Failure::Challenged(_) | Failure::Full) => false,
    }
}
