//! The metrics of overload.

use super::families::Families;
use crate::shard::Report;

pub(super) fn overload(out: &mut Families, reports: &[Report]) {
    let count = |of: fn(&sip::Counters) -> u64| reports.iter().map(|r| of(&r.sip)).sum::<u64>();
    let size = |n: Option<u32>| n.and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
    let busiest = reports.iter().map(|r| r.load.occupancy).max();
    let least = reports.iter().map(|r| r.load.taken).min();
    out.gauge(
        "liaison_overload_occupancy",
        "Percent of its time that the busiest shard works.",
        size(busiest),
    );
    out.gauge(
        "liaison_overload_taken",
        "Percent of what it is offered that the most overloaded shard takes.",
        size(least),
    );
    let overloaded = reports.iter().filter(|r| r.load.overloaded).count();
    out.gauge("liaison_overloaded_shards", "Shards that have clients send less.", overloaded);
    out.labelled(
        "liaison_overload_requests_total",
        "Requests that overload control stopped: refused here with 503, or not sent because their server asks for fewer.",
        "outcome",
        [("refused", count(|c| c.shed)), ("withheld", count(|c| c.withheld))],
    );
    // Every shard says the same of servers.
    let (servers, restricted) = reports.first().map(|r| r.servers).unwrap_or_default();
    out.labelled_gauge(
        "liaison_overload_servers",
        "Servers that take part in overload control (RFC 7339), by whether they ask for fewer requests.",
        "state",
        [("unrestricted", servers.saturating_sub(restricted)), ("restricted", restricted)],
    );
    out.labelled(
        "liaison_overload_feedback_total",
        "Responses with overload control: theirs, those of them that break its grammar, ours, and those of ours that ask for \
         fewer requests.",
        "kind",
        [
            ("heard", count(|c| c.loads_heard)),
            ("malformed", count(|c| c.loads_malformed)),
            ("told", count(|c| c.loads_told)),
            ("restriction_told", count(|c| c.restrictions_told)),
        ],
    );
}
