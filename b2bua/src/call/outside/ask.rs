//! What is asked: the places in their turn, and the request that each gets.

use super::super::dial::breadth_text;
use super::super::fork::Turn;
use super::super::{OrRefuse, decide};
use super::{Asked, LONGEST, Manner, PATIENCE, Waiting, WaitingKey, message};
use crate::shard::{Core, listener_in};
use crate::snapshot::conduct;
use media::Mode;
use policy::On;
use sip::session::{Ask, IntentError, Patience, Reply};
use sip::time::Now;
use sip_types::{HeaderName, Method, Scheme, StatusCode};

impl Waiting {
    /// How media flows, as the rules for bodies ask it. OPTIONS speak of sessions that would be ours; in all others a
    /// description is a body as any.
    pub(crate) fn mode(&self) -> Mode {
        match self.request.method() {
            Method::Options => Mode::Anchored,
            _ => Mode::Bypass,
        }
    }

    /// The next place whose turn it is, beside those that are asked.
    fn next_turn(&mut self, now: Now) -> Option<Turn> {
        if now.mono >= self.since + PATIENCE && self.count > 0 {
            self.fork.clear();
        }
        let limits = &self.snapshot.config().limits;
        match Manner::of(self.request.method()) {
            Manner::Everybody => {
                let branches = self.asked.iter().map(|asked| asked.branch);
                self.fork.next(&branches, self.count, limits)
            }
            _ if !self.asked.is_empty() => None,
            Manner::Anybody | Manner::Taker => self.fork.next_alone(self.count, limits),
        }
    }
}

impl Core {
    /// Asks the places of a request whose turn it is. Once nobody is asked and nothing is left, its sender hears what came of it.
    pub(super) fn ask_more(&mut self, now: Now, key: WaitingKey) {
        while let Some(turn) = self.outside.waiting.get_mut(key).and_then(|w| w.next_turn(now)) {
            let Err(reply) = self.ask_place(now, key, &turn) else { continue };
            let Some(waiting) = self.outside.waiting.get_mut(key) else { return };
            waiting.fork.give_back(turn.breadth);
            waiting.fork.note(*reply, turn.place.is_device());
        }
        if self.outside.waiting.get(key).is_some_and(|waiting| waiting.asked.is_empty())
            && let Some(mut waiting) = self.outside.leave(key)
        {
            let reply = waiting.fork.take_failure();
            self.answer_outside(now, waiting.id, &reply);
        }
    }

    fn ask_place(&mut self, now: Now, key: WaitingKey, turn: &Turn) -> OrRefuse<()> {
        let target = &turn.place.target;
        let gone = || Box::new(Reply::new(StatusCode::SERVER_INTERNAL_ERROR));
        let ask = self.ask_of(now, key, turn)?;
        let network = ask.network;
        let asked = match ask.method {
            Method::Subscribe => self.endpoint.subscribe(now, ask),
            _ => self.endpoint.ask(now, ask).map(|(session, _)| session),
        };
        let session = asked.map_err(|why| match why {
            IntentError::Full => Box::new(self.overload_reply()),
            _ => gone(),
        })?;
        let waiting = self.outside.waiting.get_mut(key).ok_or_else(gone)?;
        waiting.count += 1;
        waiting.asked.push(Asked {
            session,
            network,
            profile: target.profile.clone(),
            trunk: target.trunk.clone(),
            trunk_flow: turn.place.flow.filter(|_| !turn.place.is_device()),
            device: turn.place.is_device(),
            user: turn.place.user.clone(),
            branch: turn.place.branch,
            breadth: turn.breadth,
        });
        self.outside.by_session.insert(session, key);
        Ok(())
    }

    /// The request that a place gets, made from the one that waits.
    fn ask_of(&mut self, now: Now, key: WaitingKey, turn: &Turn) -> OrRefuse<Ask> {
        let gone = || Box::new(Reply::new(StatusCode::SERVER_INTERNAL_ERROR));
        let target = &turn.place.target;
        let label = self.label(target.trunk.as_ref());
        let waiting = self.outside.waiting.get(key).ok_or_else(gone)?;
        let request = &waiting.request;
        let settings = self.endpoint.settings();
        let secure = request.request.uri().is_ok_and(|uri| uri.scheme() == Scheme::Sips);
        if secure && !sip::is_secure_hop(&target.next_hop) {
            return Err(Box::new(decide::sips_not_allowed()));
        }
        let network = waiting.snapshot.network_id(&target.network).ok_or_else(gone)?;
        let from = (waiting.network, &*waiting.profile);
        let crossing = decide::crossing_between(&waiting.snapshot, from, (network, &target.profile));
        decide::goes_outside(request.method(), &crossing, settings.listener(request.flow.listener))?;
        let by_tls = message::goes_securely(settings, &target.next_hop, turn.place.flow.as_ref());
        message::permit(&target.profile, by_tls, &request.request)?;
        let listener = listener_in(&self.endpoint, network);
        let on = On::Request(request.method());
        let mut parts = decide::parts(request.headers(), on, &crossing, listener);
        parts.fields.push(HeaderName::MaxBreadth, breadth_text(turn.breadth));
        if let Some(target) = self.target_dialog_there(request) {
            parts.fields.push(HeaderName::TargetDialog, target);
        }
        // What is told comes on the flow of a trunk that this one takes (RFC 5626 §4.3).
        let outbound =
            *request.method() == Method::Subscribe && turn.place.flow.is_some() && !turn.place.is_device();
        if outbound {
            parts.fields.push(HeaderName::Supported, "outbound");
        }
        if *request.method() == Method::Options {
            // RFC 3261 §11.1: what is understood is asked for.
            if !request.headers().contains(HeaderName::Accept) {
                parts.fields.push(HeaderName::Accept, "application/sdp");
            }
        } else {
            let rules = decide::rules(&crossing, waiting.mode(), true);
            parts.body = decide::body_across(&request.request, &rules)?;
        }
        let left = (waiting.since + LONGEST).since(now.mono);
        let silence = match turn.last_resort {
            true => left.max(target.profile.target_timeout),
            false => target.profile.target_timeout,
        };
        Ok(Ask {
            network,
            label,
            conduct: Some(conduct(&target.profile)),
            method: request.method().clone(),
            request_uri: match (decide::proven_uri(request, &crossing).filter(|_| !target.registered), secure)
            {
                (Some(uri), _) => uri,
                (None, true) => target.request_uri.secured(),
                (None, false) => target.request_uri.clone(),
            },
            next_hop: target.next_hop.clone(),
            routes: turn.place.routes.clone(),
            flow: turn.place.flow,
            outbound,
            keep: false,
            from: request.from.untagged(),
            to: request.to.untagged(),
            contact_user: None,
            // RFC 7332 §5, as for a call.
            max_forwards: request.max_forwards.map_or(70, |hops| hops.0.saturating_sub(1)),
            patience: Patience { target: Some(silence), last_resort: false },
            everywhere: false,
            parts,
        })
    }
}
