//! What `/metrics` shows.

mod calls;
mod families;
mod overload;
mod ports;
mod quality;
mod signalling;
mod store;
mod transport;
mod turn;

use crate::shard::Report;
use crate::snapshot::OwnCertificate;
use crate::store::Condition;
use crate::turn::Counts;
use admin_api::metrics::MetricFamily;
use calls::calls;
use families::Families;
use media::relay;
use overload::overload;
use ports::{ports, servers};
use quality::quality;
use signalling::{location, signalling};
use sip::driver::counters as driver;
use std::sync::Arc;
use std::time::SystemTime;
use store::store;
use transport::transport;
use turn::turn;

/// All metrics of the process, merged over its shards.
pub(crate) fn families(
    reports: &[Report],
    transports: &[Arc<driver::Counters>],
    relay: &relay::Gauges,
    (records_lost, turns): (u64, &[Counts]),
    kept: Option<&Condition>,
    (certificates, now): (&[OwnCertificate], SystemTime),
) -> Vec<MetricFamily> {
    let mut families = Families::default();
    calls(&mut families, reports);
    signalling(&mut families, reports);
    location(&mut families, reports);
    overload(&mut families, reports);
    transport(&mut families, transports);
    ports(&mut families, reports, relay);
    quality(&mut families, reports);
    servers(&mut families, &relay.servers);
    families.counter(
        "liaison_cdr_lost_total",
        "Call detail records that could not be written.",
        records_lost,
    );
    store(&mut families, kept);
    turn(&mut families, turns);
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

#[cfg(test)]
mod tests {
    use super::*;
    use admin_api::metrics::{Sample, Samples};
    use std::fmt::Write as _;

    /// The metrics as the page has them.
    fn table() -> String {
        let mut table = "\n\n| metric | kind | labels | meaning |\n|---|---|---|---|\n".to_owned();
        for family in
            families(&[], &[], &relay::Gauges::default(), (0, &[]), None, (&[], SystemTime::UNIX_EPOCH))
        {
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
