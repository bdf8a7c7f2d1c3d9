//! DTLS on the relay's ports: handed to the desk where it may be the peer's, and what the desk answers.

use std::net::SocketAddr;
use std::sync::Arc;

use super::context::Component;
use super::gauges::Shared;
use super::keying::ToDesk;
use super::latch::Fit;
use super::paths;
use super::pool::{Pair, Pool};
use super::worker::Clock;
use crate::ContextId;
use crate::dtls::{LONGEST, Output, Standing, is_hello};
use crate::quality::Dropped;

/// A ClientHello that came before the answer to our offer (RFC 5763 §6.2).
pub(super) struct Early {
    component: Component,
    source: SocketAddr,
    octets: Box<[u8]>,
}

/// The longest that is kept: what fits into one packet of an Ethernet.
const LONGEST_EARLY: usize = 1_500;

/// Takes a datagram of DTLS, for the remote whose source fits best; false where none of them has handshakes with us.
pub(super) fn hear(
    pair: &mut Pair,
    (component, source): (Component, SocketAddr),
    datagram: &[u8],
    (clock, move_after): (Clock, u64),
    (desk, gauges): (&mut ToDesk, &Shared),
) -> bool {
    if pair.contexts.is_empty() {
        // Nobody has answered yet; of several the last one is kept, which is as good as any.
        if datagram.len() <= LONGEST_EARLY && is_hello(datagram) {
            pair.early = Some(Box::new(Early { component, source, octets: datagram.into() }));
        }
        return false;
    }
    let with = pair.contexts.iter_mut().filter(|context| context.has_handshakes());
    let fits = with.map(|context| (context.fit_of_source(component, source, clock, move_after), context));
    // The last of equals wins in `max_by_key`: the first remote there has the better right.
    let Some((fit, context)) = fits.rev().max_by_key(|(fit, _)| *fit) else { return false };
    if fit == Fit::Refused {
        context.counters.dropped(Dropped::WrongSource);
        gauges.dtls_dropped();
        return true;
    }
    context.heard(component, source, clock.millis);
    let handed = match context.place(component, clock.millis) {
        Some(place) if datagram.len() <= LONGEST => desk.datagram(place, source, datagram),
        _ => false,
    };
    if !handed {
        gauges.dtls_dropped();
    }
    true
}

/// Has the desk begin and end what a remote's settings say, and gives it what came before them.
pub(super) fn settle(pair: &mut Pair, remote: u8, now: (Clock, u64), (desk, gauges): (&mut ToDesk, &Shared)) {
    let Some(context) = pair.context(remote) else { return };
    context.settle(desk);
    context.direct(now.0.millis, desk);
    if !context.has_handshakes() {
        return;
    }
    if let Some(early) = pair.early.take() {
        hear(pair, (early.component, early.source), &early.octets, now, (desk, gauges));
    }
}

/// Tells the desk where peers are, after something has come that may have said it.
pub(super) fn direct(pair: &mut Pair, now_millis: u64, desk: &mut ToDesk) {
    for context in pair.contexts.iter_mut().filter(|context| context.has_handshakes()) {
        context.direct(now_millis, desk);
    }
}

/// Ends what the remotes of a pair have, all of them or one.
pub(super) fn end(pair: &mut Pair, remote: Option<u8>, desk: &mut ToDesk) {
    for context in pair.contexts.iter_mut().filter(|context| remote.is_none_or(|it| it == context.remote)) {
        context.end_handshakes(desk);
    }
}

/// Does what the desk says.
pub(super) fn obey(pool: &mut Pool, output: Output, clock: Clock) {
    match output {
        Output::Datagram(place, to, octets) => {
            let Some(pair) = pool.lent(place.context.pair) else { return };
            // What is not sent is as good as lost: both sides repeat.
            let wrapped = paths::say(pair, place.component, &octets, to);
            pool.wrapped.extend(wrapped);
        }
        Output::Standing(place, serial, standing) => {
            let Some(context) = remote(pool, place.context) else { return };
            if standing == Standing::Closed {
                context.closed(place.component, serial);
            }
            context.show_handshake(place.component, serial, standing);
        }
        Output::Keyed(place, serial, agreed, keys, from) => {
            let Some(context) = remote(pool, place.context) else { return };
            if context.keyed(place.component, serial, &Arc::clone(&keys)) {
                context.proved(place.component, from, clock.millis);
                context.show_handshake(place.component, serial, Standing::Keyed(agreed));
            }
        }
    }
}

fn remote(pool: &mut Pool, id: ContextId) -> Option<&mut super::context::Context> {
    pool.lent(id.pair)?.context(id.remote)
}
