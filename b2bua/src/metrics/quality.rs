//! The metrics of how good media was.

use super::families::Families;
use crate::shard::{JITTERS, LOSSES, Qualities, ROUND_TRIPS, Report, SCORES, Spread};
use admin_api::metrics::{Bucket, Histogram, MetricFamily, Sample, Samples};

/// Those of streams of calls that are over.
pub(super) fn quality(out: &mut Families, reports: &[Report]) {
    let of = |part: fn(&Qualities) -> &Spread| {
        reports.iter().fold(Spread::default(), |all, report| all.with(part(&report.counters.quality)))
    };
    let both = |received: fn(&Qualities) -> &Spread, sent: fn(&Qualities) -> &Spread| {
        vec![("received", of(received)), ("sent", of(sent))]
    };
    distribution(
        out,
        "liaison_media_mos",
        "Estimated mean opinion scores of audio of calls that are over, by direction: what peers sent, what they got.",
        both(|q| &q.received_mos, |q| &q.sent_mos),
        (&SCORES, 1e2),
    );
    distribution(
        out,
        "liaison_media_loss_ratio",
        "The share of RTP packets lost in streams of calls that are over, by direction.",
        both(|q| &q.received_loss, |q| &q.sent_loss),
        (&LOSSES, 1e6),
    );
    distribution(
        out,
        "liaison_media_jitter_seconds",
        "Interarrival jitter at the end of streams of calls that are over, by direction.",
        both(|q| &q.received_jitter, |q| &q.sent_jitter),
        (&JITTERS, 1e6),
    );
    distribution(
        out,
        "liaison_media_round_trip_seconds",
        "The time to peers and back, as their RTCP told last, of streams of calls that are over.",
        vec![("", of(|q| &q.round_trip))],
        (&ROUND_TRIPS, 1e6),
    );
    let count = |part: fn(&Qualities) -> u64| reports.iter().map(|r| part(&r.counters.quality)).sum::<u64>();
    out.labelled(
        "liaison_media_quality_changes_total",
        "Streams that became poor by the bounds of a profile, and that were so no more.",
        "to",
        [("poor", count(|q| q.poor)), ("good", count(|q| q.good_again))],
    );
}

fn distribution(
    out: &mut Families,
    name: &'static str,
    help: &'static str,
    spreads: Vec<(&'static str, Spread)>,
    (bounds, unit): (&[u32; 7], f64),
) {
    let samples = spreads.into_iter().map(|(direction, spread)| {
        let buckets = bounds.iter().zip(spread.counts);
        let labels = Some(("direction", direction.to_owned())).filter(|(_, text)| !text.is_empty());
        #[expect(clippy::cast_precision_loss, reason = "a sum that is shown")]
        let sum = spread.sum as f64 / unit;
        Sample {
            labels: labels.into_iter().collect(),
            value: Histogram {
                buckets: buckets
                    .map(|(bound, count)| Bucket { bound: f64::from(*bound) / unit, count })
                    .collect(),
                above: spread.counts.last().copied().unwrap_or_default(),
                sum,
            },
        }
    });
    out.0.push(MetricFamily { name, help, samples: Samples::Histogram(samples.collect()) });
}
