//! STUN on the relay's ports: checks are answered where they come in, and move what their session has selected.

use std::net::SocketAddr;

use super::Settings;
use super::context::{Component, Context};
use super::gauges::Shared;
use super::pool::Pair;
use super::worker::Clock;
use crate::ice::{Credentials, Heard, Responder};

/// Answers checks with these credentials too.
pub(super) fn expect(pair: &mut Pair, local: &Credentials) {
    match &mut pair.responder {
        Some(responder) => responder.learn(local),
        None => pair.responder = Some(Box::new(Responder::new(local))),
    }
}

/// Prepares for the session of a remote whose settings came.
pub(super) fn settle(pair: &mut Pair, settings: &Settings) {
    if let Some(ice) = &settings.ice {
        expect(pair, &ice.local);
    }
}

/// Tells a remote's session which checks came before its settings did.
pub(super) fn catch_up(pair: &mut Pair, remote: u8) {
    let (contexts, responder) = (&mut pair.contexts, &mut pair.responder);
    let context = contexts.iter_mut().find(|context| context.remote == remote);
    let Some(context) = context else { return };
    if let (Some(responder), Some(session)) = (responder, context.session_mut()) {
        responder.hand_over(session);
    }
    context.show_ice();
}

/// Takes a datagram of STUN; false where it is for the peers: on a port without ICE, in a stream that is not RTP.
pub(super) fn hear(
    pair: &mut Pair,
    (component, source): (Component, SocketAddr),
    datagram: &[u8],
    clock: Clock,
    gauges: &Shared,
) -> bool {
    let Some(responder) = &mut pair.responder else {
        let ours = pair.contexts.iter().any(|context| context.is_rtp());
        if ours {
            gauges.stun_unexpected();
        }
        return ours;
    };
    let known = pair.contexts.iter().any(|context| context.knows(component, source));
    match responder.hear(datagram, source, known, clock.millis) {
        Heard::Check(check) => {
            gauges.stun_check();
            let its = |context: &&mut Context| context.is_of(check.remote) || context.was_of(check.remote);
            match pair.contexts.iter_mut().find(its) {
                Some(context) if context.is_of(check.remote) => {
                    context.checked(component, source, (check.priority, check.nominates), clock.millis);
                }
                Some(context) => context.heard(component, source, clock.millis),
                None => responder.remember(&check, component, source, clock.millis),
            }
            // What is not sent is as good as lost: the peer repeats its check.
            let _ = pair.socket(component).send_to(check.response(), source);
        }
        Heard::Alive => {
            for context in &mut pair.contexts {
                context.kept_alive(component, source, clock.millis);
            }
        }
        Heard::Refused(why, refusal) => {
            gauges.stun_unanswered(why);
            if let Some(refusal) = refusal {
                let _ = pair.socket(component).send_to(refusal.as_bytes(), source);
            }
        }
    }
    true
}
