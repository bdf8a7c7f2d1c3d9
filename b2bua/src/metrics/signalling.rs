//! The metrics of the user agent: transactions and dialogs, and where targets are.

use super::families::Families;
use crate::shard::Report;

/// Those that the endpoints count.
pub(super) fn signalling(out: &mut Families, reports: &[Report]) {
    let gauge = |of: fn(&sip::Gauges) -> usize| reports.iter().map(|r| of(&r.gauges.sip)).sum::<usize>();
    let count = |of: fn(&sip::Counters) -> u64| reports.iter().map(|r| of(&r.sip)).sum::<u64>();
    out.gauge("liaison_sip_sessions", "Sessions: legs and subscriptions.", gauge(|g| g.sessions));
    out.gauge("liaison_sip_dialogs", "Dialogs, early ones included.", gauge(|g| g.dialogs));
    out.gauge("liaison_sip_timers", "Deadlines of transactions and sessions.", gauge(|g| g.timers));
    let transactions =
        [("client", gauge(|g| g.client_transactions)), ("server", gauge(|g| g.server_transactions))];
    out.labelled_gauge("liaison_sip_transactions", "Transactions, by role.", "role", transactions);
    out.gauge("liaison_sip_flows_kept", "Flows that we send keepalives on (RFC 5626).", gauge(|g| g.kept));
    out.labelled(
        "liaison_sip_flow_keepalives_total",
        "Keepalives on these flows, by what became of them.",
        "outcome",
        [("sent", count(|c| c.keepalives_sent)), ("answered", count(|c| c.keepalives_answered))],
    );
    out.counter(
        "liaison_sip_flows_failed_total",
        "Flows that we sent keepalives on and that have failed.",
        count(|c| c.flows_lost),
    );
    out.labelled(
        "liaison_sip_unusable_total",
        "Messages that led to nothing, by what was wrong.",
        "cause",
        [
            ("malformed", count(|c| c.malformed)),
            ("defective", count(|c| c.defective)),
            ("stray_response", count(|c| c.stray_responses)),
            ("stray_ack", count(|c| c.stray_acks)),
            ("unknown_dialog", count(|c| c.unknown_dialogs)),
            ("merged", count(|c| c.merged_requests)),
            ("overload", count(|c| c.overloaded)),
            ("early_dialog_limit", count(|c| c.early_dialogs_refused)),
            ("pending_limit", count(|c| c.pending_full)),
        ],
    );
    let mut refusals = sip::Refusals::default();
    reports.iter().for_each(|report| refusals += report.sip.refusals);
    out.labelled(
        "liaison_sip_refusals_total",
        "Responses of ours with 4xx, 5xx or 6xx, by status; those of the other side of a call that are passed on included.",
        "status",
        refusals.each(),
    );
    out.labelled(
        "liaison_sip_unreadable_total",
        "Messages beyond a limit or cut off, by what was wrong.",
        "cause",
        [
            ("message", count(|c| c.unreadable.message)),
            ("start_line", count(|c| c.unreadable.start_line)),
            ("header_length", count(|c| c.unreadable.header_length)),
            ("header_count", count(|c| c.unreadable.header_count)),
            ("body", count(|c| c.unreadable.body)),
            ("cut_off", count(|c| c.unreadable.cut_off)),
            ("no_length", count(|c| c.unreadable.no_length)),
        ],
    );
    out.counter(
        "liaison_sip_repeated_requests_total",
        "Requests that came again.",
        count(|c| c.repeated_requests),
    );
    out.counter(
        "liaison_sip_forks_released_total",
        "Late answers of forks that were acknowledged and released.",
        count(|c| c.forks_released),
    );
    out.counter(
        "liaison_sip_rounds_spent_total",
        "Challenges and 491s that stood because their request had been repeated as often as may be.",
        count(|c| c.rounds_spent),
    );
    out.labelled(
        "liaison_sip_session_refreshes_total",
        "Refreshes of sessions by us (RFC 4028), by what became of them.",
        "outcome",
        [("sent", count(|c| c.refreshes)), ("failed", count(|c| c.refreshes_failed))],
    );
    out.counter(
        "liaison_sip_sessions_expired_total",
        "Sessions that nobody refreshed in time.",
        count(|c| c.sessions_expired),
    );
    out.labelled(
        "liaison_sip_intervals_too_small_total",
        "Session intervals that were too small for somebody (422): ours, that were raised, and peers' that we refused.",
        "whose",
        [("ours", count(|c| c.intervals_raised)), ("peer", count(|c| c.intervals_refused))],
    );
    out.counter(
        "liaison_sip_glares_total",
        "Requests of peers that collided with another in their dialog (491, or 500 with Retry-After).",
        count(|c| c.glares),
    );
    out.counter(
        "liaison_sip_challenges_failed_total",
        "Challenges that our credentials did not meet.",
        count(|c| c.challenges_refused),
    );
    out.counter(
        "liaison_sip_impostors_total",
        "Answers to our credentials by somebody who does not know the secret (RFC 7616).",
        count(|c| c.impostors),
    );
    out.counter(
        "liaison_sip_failures_unacknowledged_total",
        "Refusals of an INVITE whose ACK never came.",
        count(|c| c.failures_unacknowledged),
    );
}

/// Where next hops have led, and which targets are remembered.
pub(super) fn location(out: &mut Families, reports: &[Report]) {
    let count = |of: fn(&sip::Counters) -> u64| reports.iter().map(|r| of(&r.sip)).sum::<u64>();
    let up = reports.iter().map(|r| r.targets.up).sum();
    let down = reports.iter().map(|r| r.targets.down).sum();
    let targets = [("up", up), ("down", down)];
    out.labelled_gauge("liaison_targets", "Targets that are remembered, by state.", "state", targets);
    out.counter("liaison_locations_total", "Next hops that were looked up.", count(|c| c.lookups));
    out.counter("liaison_locations_failed_total", "Look-ups that led nowhere.", count(|c| c.lookups_failed));
    out.counter(
        "liaison_failovers_total",
        "Requests that went on to another target.",
        count(|c| c.failovers),
    );
    out.counter(
        "liaison_targets_given_up_total",
        "Targets given up because they were silent for too long.",
        count(|c| c.targets_given_up),
    );
    let skipped = reports.iter().map(|r| r.counters.probes_skipped).sum();
    out.counter("liaison_probes_skipped_total", "Probes of targets that there was no room for.", skipped);
}
