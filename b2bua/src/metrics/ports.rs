//! The metrics of media ports.

use super::families::Families;
use crate::shard::{Counters, Report};
use media::relay;
use std::collections::BTreeMap;

/// What the servers have shown of themselves by which media of networks behind a NAT reaches its peers.
pub(super) fn servers(out: &mut Families, servers: &[relay::Watched]) {
    // A server may be that of several networks.
    let mut by_name = BTreeMap::<&str, (bool, u64, u64)>::new();
    for server in servers {
        let (failures, successes) = server.counted();
        let known = by_name.entry(server.name()).or_insert((true, 0, 0));
        *known = (known.0 && !server.is_down(), known.1 + failures, known.2 + successes);
    }
    if by_name.is_empty() {
        return;
    }
    let all = || by_name.iter().map(|(name, counted)| ((*name).to_owned(), *counted));
    out.gauges_by(
        "liaison_media_server_up",
        "Whether a STUN or TURN server of a network behind a NAT was of use when it was asked last.",
        "server",
        all().map(|(name, (up, ..))| (name, if up { 1.0 } else { 0.0 })),
    );
    out.counters_by(
        "liaison_media_server_addresses_total",
        "Addresses that were got of such a server.",
        "server",
        all().map(|(name, (_, _, successes))| (name, successes)),
    );
    out.counters_by(
        "liaison_media_server_failures_total",
        "How often such a server did not answer, refused, or was lost.",
        "server",
        all().map(|(name, (_, failures, _))| (name, failures)),
    );
}

/// Those of the shards, and of the relay.
pub(super) fn ports(out: &mut Families, reports: &[Report], relay: &relay::Gauges) {
    let size = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    let lent = reports.iter().map(|r| r.gauges.media_pairs).sum();
    out.gauge("liaison_media_pairs_lent", "Pairs of media ports that calls have.", lent);
    out.gauge("liaison_media_pairs", "Pairs of media ports that are bound.", size(relay.bound));
    out.gauge(
        "liaison_media_sockets_connected",
        "Sockets connected to whom a stream goes, beside those of pairs.",
        size(relay.connected),
    );
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
    out.labelled(
        "liaison_media_srtp_refused_total",
        "Packets that SRTP has refused, by reason.",
        "reason",
        [
            ("unauthentic", relay.srtp.unauthentic),
            ("replayed", relay.srtp.replayed),
            ("malformed", relay.srtp.malformed),
            ("unprotectable", relay.srtp.unprotectable),
        ],
    );
    out.labelled(
        "liaison_media_policed_total",
        "RTP packets that were dropped because they were not negotiated, by reason.",
        "reason",
        [
            ("payload_type", relay.policed.payload_type),
            ("rate", relay.policed.rate),
            ("source", relay.policed.source),
        ],
    );
    out.counter(
        "liaison_media_dtls_dropped_total",
        "Packets of DTLS for streams that have none, from elsewhere than the peer, or more than could be handed on.",
        relay.dtls_dropped,
    );
    let dtls = relay.dtls;
    out.gauge(
        "liaison_media_dtls_associations",
        "Associations of DTLS-SRTP that there are, with keys or without.",
        size(dtls.associations),
    );
    out.counter("liaison_media_dtls_handshakes_total", "Handshakes of DTLS-SRTP that were done.", dtls.keyed);
    out.labelled(
        "liaison_media_dtls_failures_total",
        "Handshakes of DTLS-SRTP that have failed, by reason.",
        "reason",
        dtls.failed.by_name(),
    );
    out.labelled(
        "liaison_media_dtls_datagrams_total",
        "Datagrams of DTLS-SRTP that were dropped: of no handshake, or to a peer without room for them.",
        "outcome",
        [("refused", dtls.refused), ("lost", dtls.lost)],
    );
    out.counter(
        "liaison_media_unkeyed_total",
        "Packets of media that were dropped because a handshake was not done.",
        dtls.unkeyed,
    );
    let tcp = relay.tcp;
    out.gauge(
        "liaison_media_tcp_connections",
        "Connections of media over TCP that are open.",
        size(tcp.connections),
    );
    out.labelled(
        "liaison_media_tcp_connections_total",
        "Connections of media over TCP, by what became of them.",
        "outcome",
        [
            ("accepted", tcp.accepted),
            ("made", tcp.made),
            ("failed", tcp.failed),
            ("refused", tcp.refused),
            ("idle", tcp.idle),
            ("broken", tcp.broken),
        ],
    );
    let dtmf = relay.dtmf;
    let count = |of: fn(&Counters) -> u64| reports.iter().map(|r| of(&r.counters)).sum::<u64>();
    let told = count(|c| c.keys_told);
    out.labelled(
        "liaison_dtmf_heard_total",
        "Keys (DTMF) that came and went on in another form, by the form in which they came.",
        "form",
        [("rfc4733", dtmf.heard.events), ("info", dtmf.heard.info), ("inband", dtmf.heard.tones)],
    );
    out.labelled(
        "liaison_dtmf_said_total",
        "Keys (DTMF) that went on in another form, by that form.",
        "form",
        [("rfc4733", dtmf.said.events), ("info", told), ("inband", dtmf.said.tones)],
    );
    out.labelled(
        "liaison_dtmf_dropped_total",
        "Keys (DTMF) that did not go on in another form, by reason.",
        "reason",
        [
            ("full", dtmf.full + count(|c| c.keys_untold)),
            ("unsayable", dtmf.unsayable),
            ("doubled", dtmf.doubled),
            ("refused", count(|c| c.keys_refused)),
        ],
    );
    let coding = relay.transcoding;
    out.gauge(
        "liaison_transcoding_directions",
        "Directions of audio streams that are transcoded.",
        usize::try_from(coding.directions).unwrap_or(usize::MAX),
    );
    out.labelled(
        "liaison_transcoding_packets_total",
        "Packets of transcoding: those that were made, those that were lost before and made up for, and those that were dropped because a thread was behind.",
        "outcome",
        [("coded", coding.coded), ("concealed", coding.concealed), ("dropped", coding.dropped)],
    );
    out.labelled(
        "liaison_transcoding_refused_total",
        "What was not transcoded: legs by limits.transcoded_streams, legs and directions for which a thread had no room.",
        "reason",
        [("limit", count(|c| c.transcoding_limited)), ("room", coding.refused)],
    );
    let stun = relay.stun;
    out.labelled(
        "liaison_media_stun_total",
        "STUN on the ports of media (RFC 8445), by outcome.",
        "outcome",
        [
            ("answered", stun.checks),
            ("unauthorized", stun.unauthorized),
            ("malformed", stun.malformed),
            ("unknown", stun.unknown),
            ("conflict", stun.conflicts),
            ("limited", stun.limited),
            ("unexpected", stun.unexpected),
        ],
    );
}
