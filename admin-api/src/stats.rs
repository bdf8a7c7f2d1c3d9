//! The API's metrics of itself.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::StatusCode;

use crate::metrics::{MetricFamily, Sample, Samples};

const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// Plain counters; a snapshot promises no common instant.
#[derive(Debug, Default)]
pub(crate) struct Stats {
    responses: [AtomicU64; CLASSES.len()],
    unauthorized: AtomicU64,
    overloaded: AtomicU64,
}

impl Stats {
    pub(crate) fn answered(&self, status: StatusCode) {
        let class = usize::from(status.as_u16() / 100).saturating_sub(1);
        if let Some(counter) = self.responses.get(class) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn unauthorized(&self) {
        self.unauthorized.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn overloaded(&self) {
        self.overloaded.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn snapshot(&self) -> [MetricFamily; 3] {
        let by_class = CLASSES.iter().zip(&self.responses).map(|(class, counter)| Sample {
            labels: vec![("class", (*class).to_owned())],
            value: counter.load(Ordering::Relaxed),
        });
        [
            MetricFamily {
                name: "liaison_admin_responses_total",
                help: "Responses of the admin API, by class of status code.",
                samples: Samples::Counter(by_class.collect()),
            },
            MetricFamily::counter(
                "liaison_admin_unauthorized_total",
                "Requests to the admin API without a valid token.",
                self.unauthorized.load(Ordering::Relaxed),
            ),
            MetricFamily::counter(
                "liaison_admin_overloaded_total",
                "Requests refused because too many were in work.",
                self.overloaded.load(Ordering::Relaxed),
            ),
        ]
    }
}
