//! The metrics of the store.

use super::families::Families;
use crate::store::Condition;
use std::sync::atomic::{AtomicU64, Ordering};

/// All of them are 0 where nothing is kept.
pub(super) fn store(out: &mut Families, kept: Option<&Condition>) {
    let count = |of: fn(&Condition) -> &AtomicU64| kept.map_or(0, |kept| of(kept).load(Ordering::Relaxed));
    out.labelled(
        "liaison_store_commits_total",
        "Commits of what is to outlive the process, by outcome; what failed is not kept.",
        "outcome",
        [("kept", count(|c| &c.commits)), ("failed", count(|c| &c.failures))],
    );
    out.counter("liaison_store_rows_total", "Rows that were written.", count(|c| &c.rows));
    out.counter(
        "liaison_store_refused_total",
        "Orders that the store had no room for.",
        count(|c| &c.refused),
    );
    out.gauge(
        "liaison_store_failing",
        "1 while the store cannot write, and nobody registers whose binding is to be kept.",
        usize::from(kept.is_some_and(|kept| kept.failing().is_some())),
    );
    out.counter(
        "liaison_store_recoveries_total",
        "Times that the store could write again.",
        count(|c| &c.recovered),
    );
    out.counter(
        "liaison_store_damages_total",
        "Times that the store was found damaged, put aside, and begun anew.",
        count(|c| &c.damaged),
    );
}
