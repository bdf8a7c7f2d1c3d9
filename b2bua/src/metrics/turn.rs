//! The metrics of the TURN servers.

use super::families::Families;
use crate::turn::Counts;
use media::turn::Totals;

/// Those of all servers together.
pub(super) fn turn(out: &mut Families, counts: &[Counts]) {
    let each: Vec<(Totals, [u64; 3])> = counts.iter().map(Counts::read).collect();
    let sum = |of: fn(&Totals) -> u64| each.iter().map(|(totals, _)| of(totals)).sum::<u64>();
    let sum_of = |at: usize| each.iter().filter_map(|(_, numbers)| numbers.get(at)).sum::<u64>();
    let size = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    // The names are there before anything is counted.
    let none = Totals::default();
    out.gauge("liaison_turn_allocations", "Allocations of the TURN servers.", size(sum(|t| t.allocations)));
    out.counter("liaison_turn_allocations_total", "Allocations that were made.", sum(|t| t.allocated));
    out.labelled(
        "liaison_turn_packets_total",
        "Packets that the TURN servers have relayed, by direction.",
        "towards",
        [("peers", sum(|t| t.to_peers[0])), ("clients", sum(|t| t.to_clients[0]))],
    );
    out.labelled(
        "liaison_turn_bytes_total",
        "Bytes of application data that the TURN servers have relayed, by direction.",
        "towards",
        [("peers", sum(|t| t.to_peers[1])), ("clients", sum(|t| t.to_clients[1]))],
    );
    let code = |n: usize| each.iter().filter_map(|(t, _)| t.refused.get(n)).map(|(_, count)| count).sum();
    out.labelled(
        "liaison_turn_refused_total",
        "Requests that the TURN servers have refused, by code.",
        "code",
        none.refused.iter().enumerate().map(|(n, (name, _))| (*name, code(n))),
    );
    let lacked = |n: usize| each.iter().filter_map(|(t, _)| t.unproven.get(n)).map(|(_, count)| count).sum();
    out.labelled(
        "liaison_turn_unauthenticated_total",
        "Refusals with 401, by what the credential was: absent, as in every first request, wrong, or expired.",
        "credential",
        none.unproven.iter().enumerate().map(|(n, (name, _))| (*name, lacked(n))),
    );
    let reason = |n: usize| each.iter().filter_map(|(t, _)| t.dropped.get(n)).map(|(_, count)| count).sum();
    out.labelled(
        "liaison_turn_dropped_total",
        "Packets and messages that the TURN servers have dropped, by reason.",
        "reason",
        none.dropped.iter().enumerate().map(|(n, (name, _))| (*name, reason(n))),
    );
    out.counter(
        "liaison_turn_limited_total",
        "Requests without proof that were not answered, because their source had more than `unproven_rate`.",
        sum(|t| t.limited),
    );
    out.counter(
        "liaison_turn_bindings_total",
        "Binding requests of STUN that were answered.",
        sum(|t| t.bindings),
    );
    out.gauge("liaison_turn_connections", "Connections of TURN clients.", size(sum_of(0)));
    out.counter(
        "liaison_turn_connections_refused_total",
        "Connections that were closed when accepted, because there were too many.",
        sum_of(1),
    );
    out.counter(
        "liaison_turn_handshakes_failed_total",
        "Handshakes of TLS with TURN clients that have failed.",
        sum_of(2),
    );
}
