//! Which of the remotes on a pair a packet is from.

use std::net::SocketAddr;

use super::bundle::{self, Assigned};
use super::context::{Component, Context, Onward};
use super::demux::Kind;
use super::latch::Fit;
use super::worker::Clock;
use crate::quality::Dropped;
use crate::rtp::extension;

/// A packet that came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrived {
    pub(super) component: Component,
    pub(super) source: SocketAddr,
    pub(super) length: usize,
    pub(super) kind: Kind,
}

/// A packet that was taken, unprotected where it was protected.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taken {
    /// The number of the remote that it is from.
    pub(super) remote: u8,
    pub(super) onward: Onward,
    pub(super) length: usize,
    /// The numbers of other sections that it is for as well, one bit each.
    pub(super) others: u16,
}

/// Takes a packet for the remote whose source fits best, of equals the first one there. Where keys were negotiated they decide: only
/// what is authentic is taken, from wherever, and nothing else moves a latch. What nobody takes is counted with the best.
pub(super) fn take(
    contexts: &mut [Context],
    buffer: &mut [u8],
    arrived: Arrived,
    (clock, move_after): (Clock, u64),
) -> Result<Taken, Untaken> {
    let Arrived { component, source, length, kind } = arrived;
    let several = contexts.iter().filter(|context| context.transport() == context.remote).nth(1).is_some();
    let (mut tried, mut refused) = (0u16, None);
    for _ in 0..contexts.len() {
        let fits = contexts.iter().enumerate().filter(|(at, _)| tried >> at & 1 == 0);
        let fits = fits.filter(|(_, context)| context.transport() == context.remote);
        let fits = fits.map(|(at, context)| (context.fit(component, source, clock, move_after), at));
        // The last of equals wins in `max_by_key`, hence the reversal: the first remote there has the better right.
        let Some((fit, at)) = fits.rev().max_by_key(|(fit, _)| *fit) else { break };
        let Some(context) = contexts.get_mut(at) else { break };
        let opened = match fit {
            Fit::Refused => Err(Dropped::WrongSource),
            _ if context.refuses(kind) => return Err(Untaken::Dtls),
            _ => context.unprotect(component, buffer, length, several),
        };
        match opened {
            Ok(plain) => {
                context.accept(arrived, clock);
                if context.tables.is_some() {
                    return sorted(contexts, at, (buffer, plain), (arrived, clock));
                }
                let packet = buffer.get(..plain).unwrap_or_default();
                let onward = context.count(arrived, packet, clock).map_err(Untaken::Dropped)?;
                return Ok(Taken { remote: context.remote, onward, length: plain, others: 0 });
            }
            Err(why) => {
                refused.get_or_insert((at, why));
                tried |= 1u16.checked_shl(u32::try_from(at).unwrap_or(u32::MAX)).unwrap_or_default();
            }
        }
        if fit == Fit::Refused {
            break;
        }
    }
    let (at, why) = refused.ok_or(Untaken::Stray)?;
    if let Some(context) = contexts.get(at) {
        context.counters.dropped(why);
    }
    Err(Untaken::Dropped(why))
}

/// Gives a packet of the transport in that place to its section.
fn sorted(
    contexts: &mut [Context],
    at: usize,
    (buffer, length): (&mut [u8], usize),
    (arrived, clock): (Arrived, Clock),
) -> Result<Taken, Untaken> {
    let packet = buffer.get_mut(..length).unwrap_or_default();
    let transport = contexts.get(at).map_or(0, |context| context.remote);
    let assigned = bundle::assign(contexts, transport, packet);
    let section = |section| contexts.iter().position(|context| context.remote == section);
    let Some((Assigned { others, .. }, place)) =
        assigned.and_then(|assigned| Some((assigned, section(assigned.section)?)))
    else {
        if let Some(context) = contexts.get(at) {
            context.counters.dropped(Dropped::NoDestination);
        }
        return Err(Untaken::Dropped(Dropped::NoDestination));
    };
    let context = contexts.get_mut(place).ok_or(Untaken::Stray)?;
    let onward = context.count(arrived, packet, clock).map_err(Untaken::Dropped)?;
    if onward.kind == Component::Rtp
        && let Some(number) = context.blanked()
    {
        extension::blank(packet, number);
    }
    Ok(Taken { remote: context.remote, onward, length, others })
}

/// Why a packet was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Untaken {
    /// There is no remote that it could be from.
    Stray,
    /// It is DTLS, which the stream does not speak.
    Dtls,
    /// None of them takes it.
    Dropped(Dropped),
}
