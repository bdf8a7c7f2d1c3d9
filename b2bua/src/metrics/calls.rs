//! The metrics of calls and of what peers ask for.

use super::families::Families;
use crate::shard::{Counters, Gauges, Report};

/// Those that the shards count.
pub(super) fn calls(out: &mut Families, reports: &[Report]) {
    let gauge = |of: fn(&Gauges) -> usize| reports.iter().map(|r| of(&r.gauges)).sum::<usize>();
    let count = |of: fn(&Counters) -> u64| reports.iter().map(|r| of(&r.counters)).sum::<u64>();
    out.gauge("liaison_calls", "Calls in being.", gauge(|g| g.calls));
    out.gauge("liaison_call_timers", "Deadlines of calls.", gauge(|g| g.call_timers));
    out.counter("liaison_calls_total", "Calls that were routed.", count(|c| c.calls));
    out.counter("liaison_calls_answered_total", "Calls that were answered.", count(|c| c.answered));
    out.counter("liaison_calls_ended_total", "Calls that are over.", count(|c| c.ended));
    out.labelled(
        "liaison_invites_refused_total",
        "INVITEs that no call was made for, and OPTIONS that are refused for the same, by cause.",
        "cause",
        [
            ("unroutable", count(|c| c.unroutable.saturating_sub(c.unregistered + c.trunks_unregistered))),
            ("unregistered", count(|c| c.unregistered)),
            ("trunk_unregistered", count(|c| c.trunks_unregistered)),
            ("max_breadth", count(|c| c.breadthless)),
            ("not_acceptable", count(|c| c.unacceptable)),
            ("stranger", count(|c| c.strangers)),
            ("challenged", count(|c| c.challenged)),
            ("impostor", count(|c| c.impostors)),
            ("draining", count(|c| c.draining)),
            ("call_limit", count(|c| c.overloaded)),
            ("trunk_limit", count(|c| c.trunk_full)),
        ],
    );
    let foreign = reports.iter().map(|r| r.sip.foreign_requests).sum::<u64>();
    let untold = reports.iter().map(|r| r.sip.refers_untold).sum::<u64>();
    out.labelled(
        "liaison_strays_total",
        "Requests within calls that came from elsewhere than their peer was known to be, by what became of them.",
        "outcome",
        [
            ("admitted", count(|c| c.strays_admitted)),
            ("challenged", count(|c| c.strays_challenged)),
            ("refused", count(|c| c.strays_refused)),
            ("other_network", foreign),
        ],
    );
    out.labelled(
        "liaison_placed_calls_total",
        "Calls that the admin API was asked to place (RFC 3725), by what came of them.",
        "outcome",
        [
            ("placed", count(|c| c.placed)),
            ("refused", count(|c| c.placed_refused)),
            ("first_failed", count(|c| c.placed_first_failed)),
            ("then_failed", count(|c| c.placed_then_failed)),
            ("answered", count(|c| c.placed_answered)),
        ],
    );
    out.labelled(
        "liaison_transfers_total",
        "Transfers that peers asked for (REFER), by what came of them.",
        "outcome",
        [
            ("accepted", count(|c| c.transfers)),
            ("done", count(|c| c.transfers_done)),
            ("failed", count(|c| c.transfers_failed)),
            ("refused", count(|c| c.transfers_refused)),
            ("over_limit", count(|c| c.transfers_over_limit)),
            ("unsettled", count(|c| c.transfers_unsettled)),
            ("carried", count(|c| c.refers_carried)),
            ("untold", untold),
        ],
    );
    out.labelled(
        "liaison_replaces_total",
        "INVITEs with Replaces (RFC 3891), by what became of them first.",
        "outcome",
        [("taken_up", count(|c| c.takeovers)), ("refused", count(|c| c.takeovers_refused))],
    );
    let trunks = gauge(|g| g.trunks_registered);
    let others = gauge(|g| g.trunks_registering).saturating_sub(trunks);
    out.labelled_gauge(
        "liaison_trunk_registrations",
        "Trunks that we register with, by whether the last attempt was granted.",
        "state",
        [("registered", trunks), ("not_registered", others)],
    );
    let up = gauge(|g| g.trunk_flows_up);
    out.labelled_gauge(
        "liaison_trunk_flows",
        "Flows of trunks that we register with by outbound (RFC 5626), by whether they stand.",
        "state",
        [("up", up), ("down", gauge(|g| g.trunk_flows).saturating_sub(up))],
    );
    out.labelled(
        "liaison_trunk_registers_total",
        "REGISTERs that we sent for trunks, by outcome.",
        "outcome",
        [
            ("sent", count(|c| c.trunk_registers)),
            ("granted", count(|c| c.trunk_registers_granted)),
            ("failed", count(|c| c.trunk_registers_failed)),
        ],
    );
    out.labelled(
        "liaison_requests_carried_total",
        "Requests outside a dialog for somebody behind us that were carried on.",
        "method",
        [
            ("OPTIONS", count(|c| c.options_carried)),
            ("MESSAGE", count(|c| c.messages_carried)),
            ("PUBLISH", count(|c| c.publishes_carried)),
            ("SUBSCRIBE", count(|c| c.subscribes_carried)),
            ("NOTIFY", count(|c| c.notifies_unsolicited)),
            ("other", count(|c| c.others_carried)),
        ],
    );
    out.gauge(
        "liaison_requests_waiting",
        "Requests outside a dialog that wait for somebody behind us.",
        gauge(|g| g.outside),
    );
    out.gauge("liaison_registered", "Addresses-of-record with bindings.", gauge(|g| g.registered));
    out.gauge("liaison_bindings", "Bindings of addresses-of-record.", gauge(|g| g.bindings));
    out.gauge(
        "liaison_registers_waiting",
        "REGISTERs that wait, for the store or for one another.",
        gauge(|g| g.registers_waiting),
    );
    out.labelled(
        "liaison_registers_total",
        "REGISTERs, by outcome.",
        "outcome",
        [
            ("served", count(|c| c.registers)),
            ("challenged", count(|c| c.registers_challenged)),
            ("refused", count(|c| c.registers_refused)),
            ("not_kept", count(|c| c.registers_not_kept)),
        ],
    );
    out.counter(
        "liaison_registers_turn_credentials_total",
        "REGISTERs that were answered with credentials for a TURN server.",
        count(|c| c.turn_credentials),
    );
    out.counter(
        "liaison_bindings_expired_total",
        "Bindings whose time was over.",
        count(|c| c.bindings_expired),
    );
    out.gauge("liaison_subscriptions", "Subscriptions to what is registered.", gauge(|g| g.subscriptions));
    out.gauge(
        "liaison_subscriptions_carried",
        "Subscriptions from one side to the other.",
        gauge(|g| g.subscriptions_carried),
    );
    out.labelled(
        "liaison_subscribes_total",
        "SUBSCRIBEs, by outcome.",
        "outcome",
        [
            ("served", count(|c| c.subscribes)),
            ("challenged", count(|c| c.subscribes_challenged)),
            ("refused", count(|c| c.subscribes_refused)),
            ("limit", count(|c| c.subscribes_over_limit)),
        ],
    );
    out.counter("liaison_notifies_total", "NOTIFYs that were sent.", count(|c| c.notifies));
    out.counter("liaison_notifies_failed_total", "NOTIFYs that failed.", count(|c| c.notifies_failed));
    out.counter(
        "liaison_notifies_unnamed_total",
        "NOTIFYs with dialog information that crossed before every shard had named its dialogs in it.",
        count(|c| c.notifies_unnamed),
    );
    out.counter(
        "liaison_flows_lost_total",
        "Addresses-of-record whose bindings ended with the flow that they were reached on (RFC 5626).",
        count(|c| c.flows_lost),
    );
    out.counter(
        "liaison_flows_questioned_total",
        "Flows of bindings that ICMP said to be lost, and that were asked with OPTIONS whether they are.",
        count(|c| c.flows_questioned),
    );
    out.labelled(
        "liaison_keepalives_total",
        "OPTIONS to registered user agents behind a NAT, by what became of them.",
        "outcome",
        [
            ("sent", count(|c| c.keepalives)),
            ("unanswered", count(|c| c.keepalives_unanswered)),
            ("no_room", count(|c| c.keepalives_skipped)),
        ],
    );
    out.labelled(
        "liaison_guesses_total",
        "Answers to our challenges with a wrong password, and those not looked at because of them.",
        "outcome",
        [
            ("wrong", count(|c| c.guesses)),
            ("slowed", count(|c| c.guesses_slowed)),
            ("refused", count(|c| c.guesses_refused)),
        ],
    );
    // Every shard says the same of who is in quarantine.
    let quarantined = reports.first().map(|r| r.quarantined).unwrap_or_default();
    out.gauge("liaison_quarantined", "Sources and flows that are not heard.", quarantined);
    out.counter(
        "liaison_quarantines_total",
        "Sources and flows that were found to be refused too often.",
        count(|c| c.quarantined),
    );
    out.labelled(
        "liaison_unheard_total",
        "What was dropped because its source is not heard: messages, connections before their first byte, and refusals of ours.",
        "what",
        [
            ("message", count(|c| c.messages_unheard)),
            ("connection", count(|c| c.connections_unheard)),
            ("refusal", count(|c| c.refusals_withheld)),
        ],
    );
    out.counter(
        "liaison_tokens_refused_total",
        "Bearer tokens that were not accepted (RFC 8898).",
        count(|c| c.tokens_refused),
    );
    out.labelled(
        "liaison_calls_stopped_total",
        "Calls and legs that a limit ended, by limit.",
        "limit",
        [
            ("ring", count(|c| c.rung_out)),
            ("duration", count(|c| c.too_long)),
            ("media_inactivity", count(|c| c.media_silent)),
            ("media_rate", count(|c| c.media_excessive)),
            ("transcoding", count(|c| c.media_uncoded)),
            ("reconnect", count(|c| c.flows_of_calls_lost)),
        ],
    );
    out.counter(
        "liaison_legs_answered_elsewhere_total",
        "Legs given up because another one of their call was answered.",
        count(|c| c.answered_elsewhere),
    );
    out.counter(
        "liaison_descriptions_refused_total",
        "Session descriptions that could not be taken.",
        count(|c| c.descriptions_refused),
    );
    out.counter(
        "liaison_early_dialogs_lost_total",
        "Early dialogs that their caller did not know any more, while its call went on.",
        count(|c| c.early_dialogs_lost),
    );
    out.counter(
        "liaison_early_dialogs_left_total",
        "Early dialogs that their caller has ended by BYE, while its call went on.",
        count(|c| c.early_dialogs_left),
    );
    out.counter(
        "liaison_call_role_changes_total",
        "Times that our part in a call (RFC 7092) became another one, or one between other legs.",
        count(|c| c.roles_changed),
    );
    out.counter(
        "liaison_legs_apart_total",
        "Legs left without what the other leg of their call describes, as they would not have it.",
        count(|c| c.legs_apart),
    );
    out.labelled(
        "liaison_private_addresses_told_total",
        "Messages that told a peer at a public address a private one, by where it stands.",
        "place",
        [("contact", count(|c| c.contacts_private)), ("description", count(|c| c.descriptions_private))],
    );
    out.counter(
        "liaison_stale_nonces_total",
        "Right answers to a challenge of ours whose nonce was too old or forgotten.",
        count(|c| c.stale_nonces),
    );
    out.counter(
        "liaison_credentials_withheld_total",
        "Challenges for a foreign realm, or from a wrong place.",
        count(|c| c.secrets_refused),
    );
}
