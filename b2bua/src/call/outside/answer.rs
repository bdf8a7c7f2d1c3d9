//! What comes back.

use super::super::across::Across;
use super::super::{decide, failure};
use super::{Asked, Manner, Waiting};
use crate::shard::Core;
use sip::session::{Reply, SessionId};
use sip::time::Now;
use sip::{Failure, Listener, Unreachable};
use sip_types::{Method, Response, StatusCode};

impl Waiting {
    /// What a response crosses on its way back.
    pub(crate) fn across<'a>(&'a self, asked: &'a Asked) -> Across<'a> {
        let from = (asked.network, &*asked.profile);
        let crossing = decide::crossing_between(&self.snapshot, from, (self.network, &self.profile));
        Across { crossing, mode: self.mode() }
    }

    /// A success as the sender hears it.
    fn success(&self, asked: &Asked, response: &Response, listener: Option<&Listener>) -> Reply {
        let mut reply = self.across(asked).whole(response, listener);
        if *self.request.method() == Method::Message {
            // RFC 3428 §7.
            reply.parts.body = None;
        }
        reply
    }

    /// What is left to ask after a failure.
    fn go_on(&mut self, asked: &Asked, why: &Failure) {
        let by_flow = asked.trunk_flow.is_some();
        if !failure::tries_another(why, asked.device, by_flow, &asked.profile) {
            match (asked.device, Manner::of(self.request.method())) {
                (true, Manner::Taker | Manner::Everybody) => self.fork.settle(asked.branch),
                (true, Manner::Anybody) | (false, _) => self.fork.clear(),
            }
        }
        if let Failure::Response(response) = why
            && (policy::is_of_a_loop(response.status()) || response.status().is_global_failure())
        {
            self.fork.clear();
        }
    }
}

impl Core {
    /// A request of ours outside a dialog is over: whether somebody waited for that.
    pub(crate) fn outside_over(
        &mut self,
        now: Now,
        session: SessionId,
        outcome: &Result<Response, Failure>,
    ) -> bool {
        let Some(key) = self.outside.by_session.get(&session).copied() else { return false };
        match outcome {
            Ok(response) => {
                let Some((waiting, asked)) = self.outside.take(session) else { return true };
                if *waiting.request.method() == Method::Subscribe {
                    self.subscription_granted(now, waiting, &asked, response);
                    return true;
                }
                let listener = self.endpoint.settings().listener(waiting.request.flow.listener);
                let reply = waiting.success(&asked, response, listener);
                self.answer_outside(now, waiting.id, &reply);
            }
            Err(why) => {
                self.outside.by_session.remove(&session);
                let full = self.overload_reply();
                let Some(waiting) = self.outside.waiting.get_mut(key) else { return true };
                let Some(at) = waiting.asked.iter().position(|asked| asked.session == session) else {
                    return true;
                };
                let asked = waiting.asked.swap_remove(at);
                let reply = match why {
                    Failure::Unreachable(
                        Unreachable::NotSecure | Unreachable::Overloaded | Unreachable::TooLarge,
                    ) => waiting.across(&asked).failed(waiting.request.method(), why, || full),
                    // A device that is not where it was registered is no failure of ours, nor of the way.
                    Failure::Unreachable(_) if asked.device => {
                        Reply::new(StatusCode::TEMPORARILY_UNAVAILABLE)
                    }
                    _ => waiting.across(&asked).failed(waiting.request.method(), why, || full),
                };
                waiting.fork.give_back(asked.breadth);
                waiting.fork.note(reply, asked.device);
                waiting.go_on(&asked, why);
                let doubted = asked.trunk.zip(asked.trunk_flow).filter(|_| failure::speaks_of_flow(why));
                if let Some((trunk, flow)) = doubted {
                    self.doubt_flow(now, &trunk, flow);
                }
                self.ask_more(now, key);
            }
        }
        true
    }
}
