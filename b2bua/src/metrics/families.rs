//! The list that metrics are gathered in.

use admin_api::metrics::{MetricFamily, Sample, Samples};

/// Families of metrics in the order in which they are shown.
#[derive(Default)]
pub(super) struct Families(pub(super) Vec<MetricFamily>);

impl Families {
    pub(super) fn counter(&mut self, name: &'static str, help: &'static str, value: u64) {
        self.0.push(MetricFamily::counter(name, help, value));
    }

    pub(super) fn gauge(&mut self, name: &'static str, help: &'static str, value: usize) {
        self.0.push(MetricFamily::gauge(name, help, number(value)));
    }

    pub(super) fn labelled(
        &mut self,
        name: &'static str,
        help: &'static str,
        label: &'static str,
        values: impl IntoIterator<Item = (&'static str, u64)>,
    ) {
        let samples = values.into_iter().map(|(text, value)| sample(label, text, value)).collect();
        self.0.push(MetricFamily { name, help, samples: Samples::Counter(samples) });
    }

    pub(super) fn labelled_gauge<const N: usize>(
        &mut self,
        name: &'static str,
        help: &'static str,
        label: &'static str,
        values: [(&'static str, usize); N],
    ) {
        let samples = values.into_iter().map(|(text, value)| sample(label, text, number(value))).collect();
        self.0.push(MetricFamily { name, help, samples: Samples::Gauge(samples) });
    }

    /// A gauge with a sample for each of a number of things that the configuration says.
    pub(super) fn gauges_by(
        &mut self,
        name: &'static str,
        help: &'static str,
        label: &'static str,
        values: impl Iterator<Item = (String, f64)>,
    ) {
        let samples = values.map(|(text, value)| Sample { labels: vec![(label, text)], value }).collect();
        self.0.push(MetricFamily { name, help, samples: Samples::Gauge(samples) });
    }

    /// A counter in the same way.
    pub(super) fn counters_by(
        &mut self,
        name: &'static str,
        help: &'static str,
        label: &'static str,
        values: impl Iterator<Item = (String, u64)>,
    ) {
        let samples = values.map(|(text, value)| Sample { labels: vec![(label, text)], value }).collect();
        self.0.push(MetricFamily { name, help, samples: Samples::Counter(samples) });
    }
}

fn sample<T>(label: &'static str, text: &str, value: T) -> Sample<T> {
    Sample { labels: vec![(label, text.to_owned())], value }
}

/// Exact up to 2^32, which no table here can exceed.
fn number(value: usize) -> f64 {
    u32::try_from(value).map_or(f64::INFINITY, f64::from)
}
