//! Snapshots of metrics, and their text form.

use std::fmt::{self, Write};

/// A metric with all its samples at one instant.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricFamily {
    /// The name, `[a-zA-Z_:][a-zA-Z0-9_:]*`, with the unit and, for a counter, `_total` at its end. Any other
    /// character is written as `_`.
    pub name: &'static str,
    /// What it counts, in a sentence.
    pub help: &'static str,
    /// Its kind and its samples; no two samples have the same labels.
    pub samples: Samples,
}

impl MetricFamily {
    /// A counter without labels.
    #[must_use]
    pub fn counter(name: &'static str, help: &'static str, value: u64) -> Self {
        Self { name, help, samples: Samples::Counter(vec![Sample { labels: Vec::new(), value }]) }
    }

    /// A gauge without labels.
    #[must_use]
    pub fn gauge(name: &'static str, help: &'static str, value: f64) -> Self {
        Self { name, help, samples: Samples::Gauge(vec![Sample { labels: Vec::new(), value }]) }
    }
}

/// The samples of a metric, by its kind.
#[derive(Debug, Clone, PartialEq)]
pub enum Samples {
    /// Values that only grow while the process runs.
    Counter(Vec<Sample<u64>>),
    /// Values that go up and down.
    Gauge(Vec<Sample<f64>>),
    /// Distributions.
    Histogram(Vec<Sample<Histogram>>),
}

/// One value of a metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample<T> {
    /// Label names, `[a-zA-Z_][a-zA-Z0-9_]*` and neither doubled nor `le`, with their values.
    pub labels: Vec<(&'static str, String)>,
    /// The value.
    pub value: T,
}

/// A distribution of observed values.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    /// The buckets by rising bound.
    pub buckets: Vec<Bucket>,
    /// Observations above the last bound.
    pub above: u64,
    /// The sum of all observations.
    pub sum: f64,
}

/// Observations between the bound of the bucket before and this one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bucket {
    /// The upper bound, itself included.
    pub bound: f64,
    /// Observations in this bucket alone, not those of the buckets before it.
    pub count: u64,
}

/// The media type of [`render`]: Prometheus text exposition format 0.0.4.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Writes `families` in the Prometheus text exposition format 0.0.4.
#[must_use]
pub fn render(families: &[MetricFamily]) -> String {
    let mut text = String::with_capacity(families.len() * 160);
    for family in families {
        // Writing to a String cannot fail.
        let _ = write_family(&mut text, family);
    }
    text
}

fn write_family(out: &mut String, family: &MetricFamily) -> fmt::Result {
    let name = Name(family.name);
    let kind = match family.samples {
        Samples::Counter(_) => "counter",
        Samples::Gauge(_) => "gauge",
        Samples::Histogram(_) => "histogram",
    };
    writeln!(out, "# HELP {name} {}\n# TYPE {name} {kind}", Help(family.help))?;
    match &family.samples {
        Samples::Counter(samples) => samples.iter().try_for_each(|sample| {
            let labels = Labels(&sample.labels, None);
            writeln!(out, "{name}{labels} {}", sample.value)
        }),
        Samples::Gauge(samples) => samples.iter().try_for_each(|sample| {
            let labels = Labels(&sample.labels, None);
            writeln!(out, "{name}{labels} {}", Number(sample.value))
        }),
        Samples::Histogram(samples) => {
            samples.iter().try_for_each(|sample| write_histogram(out, name, &sample.labels, &sample.value))
        }
    }
}

fn write_histogram(
    out: &mut String,
    name: Name,
    labels: &[(&'static str, String)],
    histogram: &Histogram,
) -> fmt::Result {
    let mut count: u64 = 0;
    for bucket in &histogram.buckets {
        count = count.saturating_add(bucket.count);
        writeln!(out, "{name}_bucket{} {count}", Labels(labels, Some(bucket.bound)))?;
    }
    count = count.saturating_add(histogram.above);
    writeln!(out, "{name}_bucket{} {count}", Labels(labels, Some(f64::INFINITY)))?;
    let labels = Labels(labels, None);
    writeln!(out, "{name}_sum{labels} {}\n{name}_count{labels} {count}", Number(histogram.sum))
}

/// A metric or label name with what the format does not allow written as `_`.
#[derive(Clone, Copy)]
struct Name(&'static str);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() || self.0.starts_with(|first: char| first.is_ascii_digit()) {
            f.write_char('_')?;
        }
        self.0.chars().try_for_each(|c| {
            f.write_char(if c.is_ascii_alphanumeric() || matches!(c, '_' | ':') { c } else { '_' })
        })
    }
}

/// Help text: `\` and line feed are escaped.
struct Help(&'static str);

impl fmt::Display for Help {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '\\' => f.write_str("\\\\"),
            '\n' => f.write_str("\\n"),
            c => f.write_char(c),
        })
    }
}

/// A label set with an optional `le` at its end; in label values `\`, `"` and line feed are escaped.
struct Labels<'a>(&'a [(&'static str, String)], Option<f64>);

impl fmt::Display for Labels<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = '{';
        for (name, value) in self.0 {
            write!(f, "{separator}{}=\"", Name(name))?;
            value.chars().try_for_each(|c| match c {
                '\\' => f.write_str("\\\\"),
                '"' => f.write_str("\\\""),
                '\n' => f.write_str("\\n"),
                c => f.write_char(c),
            })?;
            f.write_char('"')?;
            separator = ',';
        }
        if let Some(bound) = self.1 {
            write!(f, "{separator}le=\"{}\"", Number(bound))?;
            separator = ',';
        }
        if separator == ',' { f.write_char('}') } else { Ok(()) }
    }
}

/// A number in the spelling of the format.
struct Number(f64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            f64::INFINITY => f.write_str("+Inf"),
            f64::NEG_INFINITY => f.write_str("-Inf"),
            number if number.is_nan() => f.write_str("NaN"),
            number => write!(f, "{number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gauge(labels: Vec<(&'static str, String)>, value: f64) -> Sample<f64> {
        Sample { labels, value }
    }

    #[test]
    fn a_family_has_help_and_type_once_and_a_line_for_each_sample() {
        let trunk = |name: &str, value| Sample { labels: vec![("trunk", name.to_owned())], value };
        let families = [
            MetricFamily {
                name: "liaison_calls_total",
                help: "Calls since the start.",
                samples: Samples::Counter(vec![trunk("east", u64::MAX), trunk("west", 0)]),
            },
            MetricFamily::gauge("liaison_calls", "Calls that exist.", 2.0),
        ];
        insta::assert_snapshot!(render(&families), @r#"
        # HELP liaison_calls_total Calls since the start.
        # TYPE liaison_calls_total counter
        liaison_calls_total{trunk="east"} 18446744073709551615
        liaison_calls_total{trunk="west"} 0
        # HELP liaison_calls Calls that exist.
        # TYPE liaison_calls gauge
        liaison_calls 2
        "#);
    }

    #[test]
    fn buckets_are_written_cumulated_and_end_with_infinity() {
        let value = Histogram {
            buckets: vec![Bucket { bound: 0.005, count: 3 }, Bucket { bound: 1.0, count: 4 }],
            above: 2,
            sum: 12.25,
        };
        let labels = vec![("shard", "0".to_owned())];
        let family = MetricFamily {
            name: "liaison_setup_seconds",
            help: "Time to the 2xx.",
            samples: Samples::Histogram(vec![Sample { labels, value }]),
        };
        insta::assert_snapshot!(render(&[family]), @r#"
        # HELP liaison_setup_seconds Time to the 2xx.
        # TYPE liaison_setup_seconds histogram
        liaison_setup_seconds_bucket{shard="0",le="0.005"} 3
        liaison_setup_seconds_bucket{shard="0",le="1"} 7
        liaison_setup_seconds_bucket{shard="0",le="+Inf"} 9
        liaison_setup_seconds_sum{shard="0"} 12.25
        liaison_setup_seconds_count{shard="0"} 9
        "#);
    }

    #[test]
    fn help_and_label_values_are_escaped_and_names_made_valid() {
        let labels = vec![("a-b", "say \"hi\"\\\nπ".to_owned()), ("9", String::new())];
        let family = MetricFamily {
            name: "odd name",
            help: "back\\slash, \"quotes\"\nand a line feed",
            samples: Samples::Gauge(vec![gauge(labels, f64::NEG_INFINITY), gauge(vec![], f64::NAN)]),
        };
        insta::assert_snapshot!(render(&[family]), @r#"
        # HELP odd_name back\\slash, "quotes"\nand a line feed
        # TYPE odd_name gauge
        odd_name{a_b="say \"hi\"\\\nπ",_9=""} -Inf
        odd_name NaN
        "#);
    }
}
