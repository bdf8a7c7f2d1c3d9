//! What `/metrics` shows.

mod families;
mod overload;
mod store;

use crate::shard::{Counters, Gauges, Report};
use crate::snapshot::OwnCertificate;
use crate::store::Condition;
use admin_api::metrics::MetricFamily;
use families::Families;
use media::relay;
use overload::overload;
use sip::driver::counters as driver;
use std::sync::Arc;
use std::time::SystemTime;
use store::store;

/// All metrics of the process, merged over its shards.
pub(crate) fn families(
    reports: &[Report],
    transports: &[Arc<driver::Counters>],
    relay: &relay::Gauges,
    records_lost: u64,
    kept: Option<&Condition>,
    (certificates, now): (&[OwnCertificate], SystemTime),
) -> Vec<MetricFamily> {
    let mut families = Families::default();
    calls(&mut families, reports);
    sip(&mut families, reports);
    location(&mut families, reports);
    overload(&mut families, reports);
    transport(&mut families, transports);
    media(&mut families, reports, relay);
    families.counter(
        "liaison_cdr_lost_total",
        "Call detail records that could not be written.",
        records_lost,
    );
    store(&mut families, kept);
    let left = certificates.iter().map(|own| (own.path.clone(), seconds(own.left(now))));
    families.gauges_by(
        "liaison_certificate_expiry_seconds",
        "Seconds until a certificate of ours expires, by the setting that names it; negative afterwards.",
        "setting",
        left,
    );
    families.0
}

/// Exact for 68 years, and infinite beyond.
fn seconds(left: i64) -> f64 {
    i32::try_from(left).map_or(if left < 0 { f64::NEG_INFINITY } else { f64::INFINITY }, f64::from)
}

fn calls(out: &mut Families, reports: &[Report]) {
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
        "Calls and legs that a limit in time ended, by limit.",
        "limit",
        [
            ("ring", count(|c| c.rung_out)),
            ("duration", count(|c| c.too_long)),
            ("media_inactivity", count(|c| c.media_silent)),
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

fn sip(out: &mut Families, reports: &[Report]) {
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

fn location(out: &mut Families, reports: &[Report]) {
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

fn transport(out: &mut Families, shards: &[Arc<driver::Counters>]) {
    let count = |of: fn(&driver::Counters) -> &driver::Count| shards.iter().map(|s| of(s).get()).sum::<u64>();
    out.counter("liaison_shard_wakes_total", "Times that a shard's thread woke up.", count(|c| &c.wakes));
    out.counter(
        "liaison_datagrams_dropped_total",
        "Datagrams that were not sent.",
        count(|c| &c.datagrams_dropped),
    );
    out.counter("liaison_sip_pings_total", "Pings answered (RFC 5626).", count(|c| &c.pings));
    let stun = [
        ("answered", count(|c| &c.stun_answered)),
        ("ignored", count(|c| &c.stun_ignored)),
        ("limited", count(|c| &c.stun_limited)),
    ];
    out.labelled("liaison_stun_total", "STUN on the ports of SIP (RFC 5626), by outcome.", "outcome", stun);
    out.counter(
        "liaison_send_failures_total",
        "Messages that could not be sent.",
        count(|c| &c.send_failures),
    );
    out.counter(
        "liaison_peers_unreachable_total",
        "Peers that ICMP said to be out of reach.",
        count(|c| &c.peers_unreachable),
    );
    let direction = [("in", count(|c| &c.datagrams_in)), ("out", count(|c| &c.datagrams_out))];
    out.labelled("liaison_datagrams_total", "Datagrams of SIP, by direction.", "direction", direction);
    let direction = [("in", count(|c| &c.stream_messages_in)), ("out", count(|c| &c.stream_messages_out))];
    out.labelled("liaison_stream_messages_total", "Messages on connections.", "direction", direction);
    let direction = [("in", count(|c| &c.bytes_in)), ("out", count(|c| &c.bytes_out))];
    out.labelled("liaison_sip_bytes_total", "Bytes of SIP, by direction.", "direction", direction);
    out.labelled(
        "liaison_shard_crossings_total",
        "Messages for another shard than the one that they came to, by outcome.",
        "outcome",
        [("given", count(|c| &c.crossings)), ("dropped", count(|c| &c.crossings_dropped))],
    );
    out.counter(
        "liaison_connections_held_total",
        "Times that a connection was not read until another shard had room.",
        count(|c| &c.connections_held),
    );
    let open = usize::try_from(count(|c| &c.connections)).unwrap_or(usize::MAX);
    out.gauge("liaison_connections", "Connections that are open or being opened.", open);
    let made =
        [("accepted", count(|c| &c.connections_accepted)), ("opened", count(|c| &c.connections_opened))];
    out.labelled("liaison_connections_total", "Connections, by who opened them.", "role", made);
    out.labelled(
        "liaison_connections_failed_total",
        "Connections refused, not made or closed by us, by cause.",
        "cause",
        [
            ("limit", count(|c| &c.connections_refused)),
            ("peer_limit", count(|c| &c.connections_refused_by_peer)),
            ("displaced", count(|c| &c.connections_displaced)),
            ("connect", count(|c| &c.connect_failures)),
            ("accept", count(|c| &c.accept_failures)),
            ("stalled", count(|c| &c.connections_stalled)),
            ("dawdling", count(|c| &c.connections_dawdling)),
            ("idle", count(|c| &c.connections_idle)),
            ("unframed", count(|c| &c.connections_unframed)),
            ("write_queue", count(|c| &c.write_queue_full)),
            ("handshake", count(|c| &c.handshakes_failed)),
            ("handshake_time", count(|c| &c.handshakes_unfinished)),
            ("websocket_refused", count(|c| &c.websockets_refused)),
        ],
    );
    let shaken = [("tls", count(|c| &c.handshakes)), ("websocket", count(|c| &c.websockets))];
    out.labelled("liaison_handshakes_total", "Handshakes that came to a good end.", "protocol", shaken);
    let queries = [
        ("asked", count(|c| &c.queries)),
        ("empty", count(|c| &c.queries_empty)),
        ("failed", count(|c| &c.queries_failed)),
        ("refused", count(|c| &c.queries_refused)),
    ];
    out.labelled("liaison_name_queries_total", "Questions to name servers.", "outcome", queries);
}

fn media(out: &mut Families, reports: &[Report], relay: &relay::Gauges) {
    let size = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    let lent = reports.iter().map(|r| r.gauges.media_pairs).sum();
    out.gauge("liaison_media_pairs_lent", "Pairs of media ports that calls have.", lent);
    out.gauge("liaison_media_pairs", "Pairs of media ports that are bound.", size(relay.bound));
    out.gauge("liaison_media_pairs_resting", "Pairs in quarantine.", size(relay.quarantined));
    out.counter("liaison_media_pairs_opened_total", "Pairs of media ports that were bound.", relay.opened);
    out.counter(
        "liaison_media_quarantines_cut_total",
        "Pairs that were lent before their quarantine was over, because no other was to be had.",
        relay.quarantines_cut,
    );
    out.counter("liaison_media_bind_failures_total", "Pairs that could not be bound.", relay.bind_failures);
    out.counter(
        "liaison_media_stray_packets_total",
        "Packets for a pair that no call used.",
        relay.stray_packets,
    );
}

/// Families under construction, in the order in which they are shown.
#[cfg(test)]
mod tests {
    use super::*;
    use admin_api::metrics::{Sample, Samples};
    use std::fmt::Write as _;

    /// The metrics as the page has them.
    fn table() -> String {
        let mut table = "\n\n| metric | kind | labels | meaning |\n|---|---|---|---|\n".to_owned();
        for family in families(&[], &[], &relay::Gauges::default(), 0, None, (&[], SystemTime::UNIX_EPOCH)) {
            let (kind, labels) = match &family.samples {
                Samples::Counter(samples) => ("counter", labels(samples)),
                Samples::Gauge(samples) => ("gauge", labels(samples)),
                Samples::Histogram(_) => ("histogram", String::new()),
            };
            writeln!(table, "| `{}` | {kind} | {labels} | {} |", family.name, family.help).unwrap();
        }
        table
    }

    fn labels<T>(samples: &[Sample<T>]) -> String {
        let pairs = samples.iter().flat_map(|sample| &sample.labels);
        let texts: Vec<_> = pairs.map(|(label, text)| format!("`{label}=\"{text}\"`")).collect();
        texts.join(" ")
    }

    #[test]
    fn the_page_on_metrics_is_fresh() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/records-and-metrics.md");
        let page = std::fs::read_to_string(path).unwrap();
        let mark = "<!-- What follows is made by LIAISON_REGENERATE=1 cargo test -p b2bua. -->";
        let (written, made) = page.split_once(mark).unwrap();
        if std::env::var_os("LIAISON_REGENERATE").is_some() {
            std::fs::write(path, format!("{written}{mark}{}", table())).unwrap();
        } else {
            assert_eq!(made, table(), "run LIAISON_REGENERATE=1 cargo test -p b2bua");
        }
    }
}
